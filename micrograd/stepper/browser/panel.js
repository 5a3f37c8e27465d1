// The words and chips of a stop, and its line in the list of all steps.
const ROWS_SHOWN = 6; // equations of one stop

class Teller {
  // `model` holds nodes, record, view, root; words and sentences are those of one language.
  constructor(model, words, sentences) {
    Object.assign(this, { model, words, sentences });
    this.owners = ownersOf(model.view, model.nodes);
  }

  // Return a node's name; the result of a folded box that has none is called by the box, and a
  // number of the formula by what it is now.
  name(id) {
    const { nodes, view } = this.model, box = view.boxes[this.owners[id]];
    const called = nodes[id].unnamed && box?.outputs?.length === 1 && box.outputs[0] === id;
    if (nodes[id].constant) return this.numbers(id);
    return called && box.title ? box.title : nodes[id].name;
  }

  title(place) {
    const { view, nodes } = this.model, box = view.boxes[place];
    if (!box) return fill(this.words.others, { count: this.others() });
    if (box.members.length === 1) return this.name(box.members[0]);
    if (box.title) return box.title;
    if (box.kind === "part") return [box.members[0], box.members.at(-1)]
      .map(id => this.name(id)).join(" … ");
    const label = this.words[`${box.kind}.title`] ?? box.kind, out = box.outputs ?? [];
    return out.length === 1 && box.kind === "sum" ? `${nodes[out[0]].name} ${label}` : label;
  }

  others() {
    const box = this.model.view.boxes.find(b => b.count);
    return box ? box.count - box.drawn : "";
  }

  // What a box shows in its first line, and what is said of it.
  box(box) {
    const { nodes, view } = this.model, place = view.boxes.indexOf(box);
    const title = this.title(place), node = nodes[box.members[0]], count = box.members.length;
    const told = what => fill(this.words.heading, { step: title, what });
    const [sample, whole] = ["sample", "sample.whole"].map(name => (box.count ? fill(this.words[name], box) : ""));
    if (count > 1) {
      const short = title.split(" / ").pop(), open = fill(this.words.open, { name: title, count });
      return { name: short, formula: sample || `${count} ${this.words.values}`,
        title: told(whole || `${count} ${this.words.values}`), open, single: box.outputs.length === 1 };
    }
    const text = formula(node, id => this.name(id)) ||
      (node.constant ? this.words.constant : this.words.input);
    return { name: this.name(node.id), formula: sample || text, title: told(whole || text), single: true };
  }

  derivative(id) { return `∂${this.name(this.model.root)}/∂${this.name(id)}`; }

  numbers(id) { return shown(this.model.record.data[id]); }

  step(i) {
    const step = this.model.record.steps[i], node = this.model.nodes[step[NODE]];
    return { node, position: step[POSITION], operand: node.operands[step[POSITION]],
      local: step[LOCAL], upstream: step[UPSTREAM], contribution: step[CONTRIBUTION],
      total: step[TOTAL] };
  }

  heading(stop) {
    const { words } = this, pass = words[`pass.${stop.walk ? "walk" : stop.kind}`];
    if (stop.kind === "inputs") return pass;
    return fill(words.heading, { step: pass, what: this.what(stop) });
  }

  what(stop) {
    if (stop.kind === "inputs") return "";
    if (stop.kind === "seed") return this.name(stop.nodes[0]);
    const from = this.title(stop.place);
    if (stop.kind === "forward") return from;
    const box = this.model.view.boxes[stop.place];
    if (!stop.walk && box?.members.length !== 1) return from;
    const to = [...new Set(stop.fire.map(i => this.name(this.step(i).operand)))];
    return `${from} → ${to.slice(0, ROWS_SHOWN).join(", ")}${to.length > ROWS_SHOWN ? ", …" : ""}`;
  }

  sentence(stop, state) {
    const { sentences, nodes = this.model.nodes } = this;
    if (stop.walk) return stop.walk.words[this.model.language] ?? stop.walk.words.en;
    const given = new Set(stop.fire.map(i => this.step(i).node.id));
    const place = { node: this.title(stop.place), count: stop.nodes.length || given.size };
    if (stop.kind === "inputs") return sentences.inputs;
    if (stop.kind === "seed")
      return fill(sentences.seed, { ...place, value: shown(this.model.record.seed) });
    if (stop.kind === "forward") {
      if (this.model.view.boxes[stop.place]?.members.length !== 1)
        return fill(sentences["box.forward"], place);
      const node = nodes[stop.nodes[0]];
      return fill(sentences.forward, { node: node.name, value: this.numbers(node.id),
        formula: formula(node, id => this.name(id)) });
    }
    if (stop.fire.length === 1) return this.why(stop.fire[0], state);
    const single = this.model.view.boxes[stop.place]?.members.length === 1;
    if (single) return fill(sentences.hands, place);
    return fill(sentences[this.silent(stop) ? "box.backward.zero" : "box.backward"], place);
  }

  // Tell whether all that a box hands to others is 0.
  silent(stop) {
    const outward = stop.fire.map(i => this.step(i)).filter(({ operand }) => this.owners[operand] !== stop.place);
    return outward.length > 0 && outward.every(({ contribution }) => contribution === 0);
  }

  // Say why one contribution is what it is.
  why(i, state) {
    const { node, position, operand, local } = this.step(i);
    const key = reason(node, position, local), { sentences } = this;
    const other = key === "switches" ? node.operands[position ^ 1] : node.id;
    const text = fill(sentences[key], { node: node.name, operand: this.name(operand),
      other: this.name(other), op: node.word, local: shown(local) });
    const { before, total, left } = this.handed(i, state), names = { operand: this.name(operand), total: shown(total ?? NaN), count: left };
    if (left) return `${text}${fill(sentences[left === 1 ? "sofar" : "sofar.more"], names)}`;
    return before === undefined ? text : `${text}${fill(sentences.sums, names)}`;
  }

  handed(i, state) {
    const step = this.model.record.steps[i];
    return state.handed.get(`${step[NODE]}:${step[POSITION]}`) ?? {};
  }

  // What a gradient in the picture is called: one that still waits for contributions is no gradient yet.
  gradient(id, state) { return state.left.get(id) ? this.words.sofar : this.derivative(id); }

  question(stop) {
    const { words } = this;
    if (stop.kind === "forward" && stop.nodes.length === 1)
      return fill(words["ask.forward"], { node: this.name(stop.nodes[0]) });
    if (stop.fire.length !== 1 || stop.kind !== "backward") return words["ask.box"];
    const { node, operand } = this.step(stop.fire[0]);
    return fill(words["ask.backward"], { node: node.name, operand: this.name(operand) });
  }

  // The number a reader can be asked for, or undefined.
  answer(stop) {
    if (stop.kind === "forward" && stop.nodes.length === 1)
      return this.model.record.data[stop.nodes[0]];
    if (stop.kind === "backward" && stop.fire.length === 1)
      return this.step(stop.fire[0]).contribution;
    return undefined;
  }

  // Return rows of chips [class, label, number, small print] and of signs between them.
  rows(stop, state, hidden) {
    const mask = text => (hidden ? "?" : text), { nodes } = this.model;
    if (stop.kind === "inputs") {
      const leaves = nodes.filter(n => !n.operands.length && !n.constant).map(n => n.id);
      return [this.some(leaves, id => ["value", nodes[id].name, this.numbers(id)], 2 * ROWS_SHOWN)];
    }
    if (stop.kind === "seed")
      return [[["gradient", this.derivative(stop.nodes[0]),
        mask(shown(state.grads.get(stop.nodes[0]) ?? NaN))]]];
    if (stop.kind === "forward") return this.forwardRows(stop, mask);
    const box = this.model.view.boxes[stop.place];
    if (!stop.walk && box?.members.length !== 1) return this.boxRows(stop, state, mask);
    return stop.fire.slice(0, ROWS_SHOWN).map(i => this.equation(i, state, mask));
  }

  forwardRows(stop, mask) {
    const { nodes, view } = this.model, box = view.boxes[stop.place];
    if (box?.members.length === 1) {
      const node = nodes[stop.nodes[0]];
      return [[["value", node.name, mask(this.numbers(node.id))], "=",
        ["value", formula(node, id => this.name(id)), formula(node, id => this.numbers(id))]]];
    }
    return [this.some(box?.outputs ?? [], id => ["value", this.name(id), mask(this.numbers(id))])];
  }

  equation(i, state, mask) {
    const { node, position, operand, local, upstream, contribution } = this.step(i);
    const { words } = this, { before, total, left } = this.handed(i, state);
    const small = localFormula(node, position, id => this.name(id));
    const sum = before === undefined ? "" : ` = ${shown(before)} + ${mask(term(shown(contribution)))}`;
    return [
      ["sum", words.downstream, mask(shown(contribution))], "=",
      ["gradient", `${words.upstream} ${this.derivative(node.id)}`, shown(upstream)], "×",
      ["local", `${words.local} ∂${node.name}/∂${this.name(operand)}`, shown(local),
        !small || small === shown(local) ? "" : `= ${small}`], "",
      ["sum", `${this.derivative(operand)}${left ? ` ${words.sofar}` : ""}${sum}`, mask(shown(total ?? NaN)),
        left ? fill(words[left === 1 ? "tocome" : "tocome.more"], { count: left }) : ""],
    ];
  }

  boxRows(stop, state, mask) {
    const inside = new Set(this.model.view.boxes[stop.place]?.members ?? []);
    const reached = new Set(stop.fire.map(i => this.step(i).operand).filter(o => !inside.has(o)));
    return [this.some([...reached], id =>
      ["sum", this.derivative(id), mask(shown(state.grads.get(id) ?? NaN))])];
  }

  // Return the first chips, and how many more there would be.
  some(ids, chip, most = ROWS_SHOWN) {
    const rest = ids.length - most, chips = ids.slice(0, most).map(chip);
    return rest > 0 ? [...chips, fill(this.words.more, { count: rest })] : chips;
  }

  // The numbers of a stop in the list of all steps.
  summary(stop) {
    const { nodes } = this.model;
    if (stop.kind === "seed" && !stop.walk) return shown(this.model.record.seed);
    if (stop.kind === "forward" && stop.nodes.length === 1) {
      const node = nodes[stop.nodes[0]];
      return `${formula(node, id => this.numbers(id))} = ${this.numbers(node.id)}`;
    }
    const single = this.model.view.boxes[stop.place]?.members.length === 1;
    if (stop.kind !== "backward" || !(single || stop.walk)) return "";
    const some = stop.fire.slice(0, ROWS_SHOWN).map(i => {
      const { upstream, local, contribution } = this.step(i);
      return `${shown(upstream)} × ${term(shown(local))} = ${shown(contribution)}`;
    });
    return stop.fire.length > ROWS_SHOWN ? "" : some.join("; ");
  }
}
