// The engine in the page: the functions that formulas call, and both passes over the recorded
// graph. Where Python raises, these raise too.
const finite = Number.isFinite;
const checked = f => (...xs) => {
  const out = f(...xs);
  const lost = Number.isNaN(out) ? !xs.some(Number.isNaN) : !finite(out) && xs.every(finite);
  if (lost) throw new RangeError("no finite value");
  return out;
};
const { abs, tanh } = Math;
const [exp, expm1, log, log1p, log2, log10, sqrt, sin, cos, tan, sinh, cosh] =
  ["exp", "expm1", "log", "log1p", "log2", "log10", "sqrt", "sin", "cos", "tan", "sinh", "cosh"]
    .map(name => checked(Math[name]));
const [arcsin, arccos, arctan, arcsinh, arccosh, arctanh] =
  ["asin", "acos", "atan", "asinh", "acosh", "atanh"].map(name => checked(Math[name]));
// C's pow, which Python calls, knows that 1 to any power is 1; JavaScript's does not.
const pow = checked((x, y) =>
  x === 1 || (x === -1 && (y === Infinity || y === -Infinity)) ? 1 : Math.pow(x, y));
const maximum = (a, b) => (a >= b || a !== a ? a : b);
const minimum = (a, b) => (a <= b || a !== a ? a : b);
const div = (a, b) => {
  if (b === 0) throw new RangeError("division by 0");
  return a / b;
};

const SUM = "weighted_sum";

function evaluate(rows, node, data) {
  const xs = node.operands.map(i => data[i]);
  if (node.op !== SUM) return rows[node.op].value(xs[0], xs[1], node.k);
  let total = xs.length % 2 ? xs[xs.length - 1] : 0;
  for (let i = 0; i + 1 < xs.length; i += 2) total += xs[i] * xs[i + 1];
  return total;
}

// Return the local gradients; 0 by a number of the code that has none: nobody asks for its gradient.
function localGradients(rows, nodes, node, data) {
  const xs = node.operands.map(i => data[i]);
  if (node.op === SUM)
    return xs.map((x, i) => (i === xs.length - 1 && xs.length % 2 ? 1 : xs[i ^ 1]));
  return rows[node.op].local.map((f, i) => {
    try {
      return f(xs[0], xs[1], node.k, data[node.id]);
    } catch (error) {
      if (!nodes[node.operands[i]].fixed) throw error;
      return 0;
    }
  });
}

// Return the data of every node after leaves were given other values.
function forwardPass(rows, nodes, leaves) {
  const data = leaves.slice();
  for (const node of nodes) {
    if (!node.operands.length) continue;
    try {
      data[node.id] = evaluate(rows, node, data);
    } catch (error) {
      throw Object.assign(new RangeError("value"), { node: node.id });
    }
  }
  return data;
}

// Return the steps after leaves were given other values.
function backwardPass(rows, nodes, data, root, seed) {
  return swept(nodes, root, seed, node => {
    try {
      return localGradients(rows, nodes, node, data);
    } catch (error) {
      throw Object.assign(new RangeError("slope"), { node: node.id });
    }
  }, {});
}

// Return [node, position, local, upstream, contribution, total] for every contribution, in the
// order of the engine's steps(); `handed` holds, by place, those that are not upstream × local.
function swept(nodes, root, seed, localsOf, handed) {
  const gradient = new Map([[root, seed]]), steps = [];
  for (let i = nodes.length - 1; i >= 0; i--) {
    const node = nodes[i], upstream = gradient.get(i) ?? 0;
    if (!node.operands.length) continue;
    const locals = localsOf(node);
    node.operands.forEach((operand, position) => {
      const contribution = Number(handed[steps.length] ?? upstream * locals[position]);
      const total = (gradient.get(operand) ?? 0) + contribution;
      gradient.set(operand, total);
      steps.push([i, position, locals[position], upstream, contribution, total]);
    });
  }
  return steps;
}
