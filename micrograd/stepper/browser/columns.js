// The graph over many points at once: every node a column of numbers, one for each point.
class Columns {
  // `count` points; `nodes` in order, up to the last one that is wanted.
  constructor(rows, nodes, count) {
    Object.assign(this, { rows, nodes, count, scratch: [0, 1].map(() => new Float64Array(count)) });
    this.kept = nodes.map(() => undefined);
  }

  // Compute the columns, where `leaf(id)` is a number or a column; what has no value there is NaN.
  run(leaf) {
    this.values = this.nodes.map(() => 0);
    for (const node of this.nodes)
      this.values[node.id] = node.operands.length ? this.column(node) : leaf(node.id);
  }

  column(node) {
    const out = this.kept[node.id] ??= new Float64Array(this.count);
    if (node.op === SUM) return this.sum(node.operands, out);
    const [x, y] = node.operands.map((id, i) => this.filled(id, i)), f = this.rows[node.op].value;
    try {
      for (let i = 0; i < out.length; i++) out[i] = f(x[i], y?.[i], node.k);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      out.forEach((_, i) => { out[i] = safely(() => f(x[i], y?.[i], node.k)); });
    }
    return out;
  }

  filled(id, i) {
    const value = this.values[id];
    return typeof value === "number" ? this.scratch[i].fill(value) : value;
  }

  // A weighted sum, in the order of its terms.
  sum(operands, out) {
    const odd = operands.length % 2 ? this.filled(operands.at(-1), 0) : undefined;
    for (let i = 0; i < out.length; i++) out[i] = odd ? odd[i] : 0;
    for (let n = 0; n + 1 < operands.length; n += 2) {
      const w = this.values[operands[n]], x = this.filled(operands[n + 1], 0);
      if (typeof w === "number") for (let i = 0; i < out.length; i++) out[i] += w * x[i];
      else for (let i = 0; i < out.length; i++) out[i] += w[i] * x[i];
    }
    return out;
  }

  // Return a node's column.
  of(id) { return this.filled(id, 1); }
}

function safely(compute) {
  try {
    return compute();
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return NaN;
  }
}
