// From the text of an expression to the nodes of its graph: what micrograd.expressions does, name
// for name and node for node. Arithmetic on numbers alone is done at once.
const OPERATIONS = { "+": "add", "-": "sub", "*": "mul", "/": "div", "**": "power" };
const LETTERS = [..."abcdefghijklmnopqrstuvwxyz"].filter(letter => !"fxyz".includes(letter));
const BRIEF = 22; // characters of a name in a picture
const LEFTWARD = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufeff\u{10800}-\u{10fff}\u{1e800}-\u{1efff}]/u;

class Reader {
  constructor(at) {
    this.made = []; // nodes in the order in which they come up
    this.values = new Map([...at].map(([name, value]) => [name, this.leaf(value, name)]));
    this.used = new Set();
  }

  leaf(value, label = "") { return this.add({ op: "", k: null, operands: [], value, label }); }

  add(node) {
    this.made.push(node);
    return node;
  }

  statement({ name, tree }) {
    const result = this.value(tree);
    if (!name) return result;
    if (this.values.has(name)) throw new Unreadable("bad.twice", { name });
    const node = this.node(result);
    node.label ||= name;
    this.values.set(name, node);
    return node;
  }

  node(value) { return typeof value === "number" ? this.leaf(value) : value; }

  // Return the node of a tree, or its number.
  value(tree) {
    if (tree.kind === "number" && tree.value <= Number.MAX_VALUE) return tree.value;
    if (tree.kind === "name") return this.named(tree.name);
    if (tree.kind === "call") return this.call(tree, tree.operands.map(part => this.value(part)));
    if (tree.kind === "unary") return this.signed(tree, this.value(tree.operand));
    if (tree.kind !== "binary") throw new Unreadable("bad.allowed", { text: tree.text.slice(0, 80) });
    const operands = [this.value(tree.left), this.value(tree.right)];
    const raised = tree.sign === "**" && typeof operands[1] === "number";
    return this.applied(tree, raised ? "pow" : OPERATIONS[tree.sign], operands);
  }

  signed(tree, operand) { return tree.sign === "-" ? this.applied(tree, "neg", [operand]) : operand; }

  named(name) {
    if (!this.values.has(name)) throw new Unreadable("bad.name", { name });
    this.used.add(name);
    return this.values.get(name);
  }

  call(tree, operands) {
    const { name } = tree, row = Object.hasOwn(ROWS, name) ? ROWS[name].told : undefined;
    if (!row) throw new Unreadable("bad.function", { name, names: Object.keys(ROWS).join(", ") });
    const most = row.constant === null ? row.arity : 2;
    if ((name === "max" || name === "min") && operands.length > 2)
      return operands.reduce((x, y) => this.applied(tree, name, [x, y]));
    if (operands.length < row.arity || operands.length > most)
      throw new Unreadable("bad.count", { name, takes: most > row.arity ? `${row.arity}–${most}` : most, operands: operands.length });
    if (row.constant !== null && operands.length === 2 && typeof operands[1] !== "number")
      throw new Unreadable("bad.constant", { name });
    return this.applied(tree, name, operands);
  }

  // Return the node of an operation; of numbers alone, its number.
  applied(tree, op, operands) {
    const { arity, constant } = ROWS[op].told, plain = operands.every(x => typeof x === "number");
    const k = constant === null ? null : operands[arity] ?? constant;
    const nodes = operands.slice(0, arity).map(x => this.node(x));
    const [x, y] = nodes.map(node => node.value);
    let value;
    try {
      value = ROWS[op].value(x, y, k);
    } catch (error) {
      throw new Unreadable("bad.point", { text: tree.text.slice(0, 80) });
    }
    return plain ? value : this.add({ op, k, operands: nodes, value, label: "" });
  }
}

// Return the names that an expression takes a number for, in the order in which they occur.
function inputsOf(text) {
  const names = new Set(), results = new Set();
  const walk = tree => {
    if (tree.kind === "name" && !results.has(tree.name)) names.add(tree.name);
    for (const part of [tree.left, tree.right, tree.operand, ...tree.operands ?? []]) if (part) walk(part);
  };
  for (const { name, tree } of new Parser(text.trim()).statements()) {
    walk(tree);
    if (name) results.add(name);
  }
  return [...names];
}

// Return the nodes of an expression at a point, operands before users, the result last.
function readExpression(text, at) {
  const reader = new Reader(at), statements = new Parser(text.trim()).statements();
  const alone = statements.slice(0, -1).find(statement => !statement.name);
  if (alone) throw new Unreadable("bad.alone", { text: alone.tree.text.slice(0, 80) });
  let result;
  for (const statement of statements) result = reader.statement(statement);
  const unused = [...at.keys()].filter(name => !reader.used.has(name));
  if (unused.length) throw new Unreadable("bad.unused", { name: unused.join(", ") });
  if (result === undefined) throw new Unreadable("bad.empty");
  const order = below(reader.node(result), reader.made);
  nameResults(order, at);
  return numbered(order);
}

// Return the nodes that a result depends on, in the order in which they came up.
function below(root, made) {
  const wanted = new Set([root]);
  for (const node of made.toReversed?.() ?? [...made].reverse())
    if (wanted.has(node)) node.operands.forEach(operand => wanted.add(operand));
  return made.filter(node => wanted.has(node));
}

// Call the root f and the other results a, b, c, ... where the letters reach.
function nameResults(order, at) {
  const taken = new Set([...at.keys(), ...order.map(node => node.label)]), root = order.at(-1);
  if (root.operands.length && !root.label && !taken.has("f")) root.label = "f";
  const results = order.filter(node => node.operands.length && !node.label);
  const letters = LETTERS.filter(letter => !taken.has(letter));
  if (results.length <= letters.length) results.forEach((node, i) => { node.label = letters[i]; });
}

function numbered(order) {
  const ids = new Map(order.map((node, id) => [node, id])), kinds = new Map();
  const given = new Set(order.map(node => node.label));
  return order.map(({ op, k, operands, value, label }, id) => {
    const fixed = !op && !label, key = `${op} ${fixed} ${Object.is(k, -0) ? "-0" : k}`;
    if (!kinds.has(key)) kinds.set(key, op ? kindOf(op, k) : { op, word: "", fixed });
    const name = label ? brief(label) : undefined;
    return namedNode(id, kinds.get(key), operands.map(node => ids.get(node)), value, name, given, label || undefined);
  });
}

function brief(label) {
  const characters = [...label], cut = characters.length > BRIEF ? [...characters.slice(0, BRIEF - 1), "…"].join("") : label;
  return LEFTWARD.test(cut) ? `\u2068${cut}\u2069` : cut;
}
