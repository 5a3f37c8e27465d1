// A row's formulas for readers: its constant put in, and Python's spelling turned into a reader's.
// What micrograd.ops.specialise and micrograd.render.formulas.pretty do, for constants typed here.
const SIGNS = { "+": " + ", "-": " − ", "*": " · ", "/": " / ", ">": " > ", ">=": " ≥ ", "<": " < ", "<=": " ≤ ", "==": " = " };
const BINDING = { "+": 1, "-": 1, "*": 2, "/": 2, "**": 4 }, UNARY = 3, ATOM = 5;
const ARITHMETIC = { "+": (a, b) => a + b, "-": (a, b) => a - b, "*": (a, b) => a * b, "/": (a, b) => a / b, "**": (a, b) => a ** b };
const COMPARED = { ">": (a, b) => a > b, ">=": (a, b) => a >= b, "<": (a, b) => a < b, "<=": (a, b) => a <= b, "==": (a, b) => a === b };

const numberIn = tree => tree.kind === "number" ? tree.value
  : tree.kind === "unary" && tree.operand.kind === "number" ? -tree.operand.value : undefined;

// Return a tree with the number k put in and arithmetic on numbers done.
function specialised(tree, k) {
  const inner = part => specialised(part, k);
  if (tree.kind === "name") return tree.name === "k" && k !== null ? { kind: "number", value: k } : tree;
  if (tree.kind === "unary") return { ...tree, operand: inner(tree.operand) };
  if (tree.kind === "call") return chosen({ ...tree, operands: tree.operands.map(inner) });
  if (tree.kind === "number") return tree;
  const left = inner(tree.left), right = inner(tree.right), [a, b] = [left, right].map(numberIn);
  if (tree.kind === "compare") return { ...tree, left, right };
  if (tree.sign === "**" && b === 1) return left;
  if (a === undefined || b === undefined) return { ...tree, left, right };
  return { kind: "number", value: ARITHMETIC[tree.sign](a, b) };
}

// Return the branch of a `where` whose condition is known, else the call.
function chosen(call) {
  const [condition, first, second] = call.operands;
  if (call.name !== "where" || condition.kind !== "compare") return call;
  const [a, b] = [condition.left, condition.right].map(numberIn);
  if (a === undefined || b === undefined) return call;
  return COMPARED[condition.sign](a, b) ? first : second;
}

// Return a formula's text and how tightly it binds.
function written(tree) {
  if (tree.kind === "name") return [tree.name, ATOM];
  if (tree.kind === "number") return numeralOf(tree.value);
  if (tree.kind === "unary") return [`−${bound(tree.operand, UNARY)}`, UNARY];
  if (tree.kind === "call") return writtenCall(tree.name, tree.operands.map(part => written(part)[0]));
  if (tree.kind === "compare") return [bound(tree.left, 1) + SIGNS[tree.sign] + bound(tree.right, 1), 0];
  const level = BINDING[tree.sign];
  if (tree.sign === "**") return [writtenPower(tree), level];
  const left = bound(tree.left, level);
  if (tree.sign === "*" && left === "1") return written(tree.right);
  return [left + SIGNS[tree.sign] + bound(tree.right, level + 1), level];
}

function bound(tree, level) {
  const [text, binding] = written(tree);
  return binding >= level ? text : `(${text})`;
}

function numeralOf(x) {
  const negative = x < 0 || Object.is(x, -0);
  const text = general(Math.abs(x));
  return negative ? [`−${text}`, UNARY] : [text, text.includes("e") ? BINDING["**"] : ATOM];
}

function writtenPower({ left, right }) {
  const base = bound(left, ATOM), [exponent] = written(right);
  if (exponent === "0") return "1";
  if (/^−?\d+$/.test(exponent)) return base + [...exponent].map(c => "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"["−0123456789".indexOf(c)]).join("");
  return `${base}^${bound(right, ATOM)}`;
}

function writtenCall(name, [first, second, third]) {
  if (name === "where") return [`${second.includes(" if ") ? `(${second})` : second} if ${first} else ${third}`, 0];
  if (name === "abs") return [`|${first}|`, ATOM];
  const called = name.replace(/^(max|min)imum$/, "$1"); // a user's own may be called constructor
  return [`${called}(${[first, second, third].filter(part => part !== undefined).join(", ")})`, ATOM];
}

// Return a number in six digits, as Python's format "g" has them, 1e−7 as readers write it.
function general(x) {
  const [mantissa, power] = x.toExponential(5).split("e"), exponent = Number(power);
  if (exponent >= -4 && exponent < 6) return trimmed(even(x.toFixed(5 - exponent), () => x.toFixed(60)));
  const digits = even(mantissa, () => x.toExponential(60).slice(0, 62));
  return `${trimmed(digits)}e${exponent < 0 ? "−" : ""}${Math.abs(exponent)}`;
}

const readable = (text, k) => written(specialised(new Parser(text).formula(), k))[0];

// Return what the page has to know about the nodes of one operation and constant.
function kindOf(op, k) {
  const { word, role, shown, local, constant } = ROWS[op].told;
  const said = k === null ? k : k + 0; // a zero has no sign to a reader
  const called = shown === `${op}(x)` && k !== null && k !== constant ? `${op}(x, k)` : shown;
  return { op, k, word, role, shown: shown.includes("|") ? shown : readable(called, said),
    locals: local.map(text => readable(text, said)) };
}
