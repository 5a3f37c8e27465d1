// How numbers, formulas and sentences are written: numerals.py, formulas.py and words.py, once
// more for numbers that only the page knows.
function shown(x) {
  if (Number.isNaN(x)) return "nan";
  if (!finite(x)) return x > 0 ? "inf" : "-inf";
  const sign = x < 0 || Object.is(x, -0) ? "-" : "", size = Math.abs(x);
  if (!size) return sign + "0";
  if (size < 1e-4 || size >= 1e6) {
    const [mantissa, exponent] = size.toExponential(3).split("e");
    const digits = even(mantissa, size.toExponential(60).slice(0, 62));
    return `${sign}${trimmed(digits)}e${Number(exponent)}`;
  }
  if (Number.isInteger(size)) return sign + size;
  const places = Math.max(1, 3 - Number(size.toExponential().split("e")[1]));
  return sign + trimmed(even(size.toFixed(places), size.toFixed(60)));
}

// Halfway between two numerals JavaScript rounds up and Python to the even one: take Python's.
function even(rounded, exact) {
  const places = rounded.split(".")[1].length;
  const halfway = /^50*$/.test(exact.split(".")[1].slice(places));
  if (!halfway || rounded.at(-1) % 2 === 0) return rounded;
  return (Number(rounded) - 10 ** -places).toFixed(places);
}

const trimmed = text => (text.includes(".") ? text.replace(/\.?0+$/, "") : text);

const fill = (template, names) => template.replace(/\{(\w+)\}/g, (_, name) => names[name] ?? "");

const term = (name, arithmetic) => (arithmetic && name.startsWith("-") ? `(${name})` : name);

function filled(text, operands, out) {
  const arithmetic = !text.endsWith(")") || text.startsWith("(");
  const letters = { out, x: operands[0], y: operands[1] };
  return text.replace(/\b(?:out|x|y)\b/g, letter =>
    term(letters[letter], arithmetic && text !== letter));
}

const TERMS = 3;
function variadic(node, operands) {
  if (node.op !== SUM) {
    const more = operands.length > TERMS ? ", …" : "";
    return `${node.symbol || "f"}(${operands.slice(0, TERMS).join(", ")}${more})`;
  }
  const count = operands.length >> 1, terms = [];
  for (let i = 0; i < count; i++)
    terms.push(`${term(operands[2 * i], true)} · ${term(operands[2 * i + 1], true)}`);
  const some = count <= TERMS ? terms : [...terms.slice(0, TERMS - 1), "…", terms[count - 1]];
  return [...some, ...operands.slice(2 * count)].join(" + ");
}

// Return what a node computes, with texts[i] standing for node i.
function formula(node, texts) {
  const operands = node.operands.map(i => texts(i));
  if (!operands.length) return "";
  return node.shown ? filled(node.shown, operands, texts(node.id)) : variadic(node, operands);
}

const isBias = (node, position) =>
  node.op === SUM && node.operands.length % 2 === 1 && position === node.operands.length - 1;

function localFormula(node, position, texts) {
  const operands = node.operands.map(i => texts(i));
  if (node.op === SUM) return isBias(node, position) ? "1" : operands[position ^ 1];
  return node.locals ? filled(node.locals[position], operands, texts(node.id)) : "";
}

// Return the nodes whose values the local gradient is read off.
function suppliers(node, position) {
  if (node.op === SUM) return isBias(node, position) ? [] : [node.operands[position ^ 1]];
  const letters = node.locals ? node.locals[position].match(/\b(?:out|x|y)\b/g) ?? [] : [];
  return letters.map(l => (l === "out" ? node.id : node.operands[l === "x" ? 0 : 1]));
}

function reason(node, position, local) {
  if (!node.role) return "handmade";
  if (node.op === SUM) return isBias(node, position) ? "distributes" : "switches";
  if (node.role === "distributes") return local === 1 ? "distributes" : "distributes.turned";
  return local === 0 && node.role !== "switches" ? `${node.role}.zero` : node.role;
}
