// How formulas and sentences are filled in: micrograd.render.formulas and micrograd.stepper.words.
const fill = (template, names) => template.replace(/\{(\w+)\}/g, (_, name) => names[name] ?? "");

const term = name => (name.startsWith("−") ? `(${name})` : name);

function filled(text, operands, out) {
  const letters = { out, x: operands[0], y: operands[1] };
  return text.replace(/\b(?:out|x|y)\b/g, (letter, at) =>
    within(text.slice(0, at), letters[letter], text.slice(at + letter.length)));
}

// How tightly a text binds that has one of these outside of its brackets, and how tightly it has
// to between what stands before it and behind it.
const ENCLOSED = /\([^()]*\)|\|[^|]*\|/g, UNBROKEN = 5;
const LOOSE = [[/ if | [≥>≤<=≠] /, 0], [/.[-+−]/, 1], [/[·×*/]/, 2], [/^[-−]/, 3], [/[\^⁻⁰¹²³⁴-⁹]|^[\d.]+e/, 4]];
const BEFORE = [[/\^$/, UNBROKEN], [/( \/ |−)$/, 3], [/ [·−] $/, 2], [/( \+ |[≥>≤<=≠] |if )$/, 1]];
const BEHIND = [[/^[\^⁻⁰¹²³⁴-⁹]/, UNBROKEN], [/^ [·/] /, 2], [/^ ([+−≥>≤<=≠] |if )/, 1]];
const levelOf = (levels, text, other) => levels.find(([pattern]) => pattern.test(text))?.[1] ?? other;

function bindingOf(text) {
  text = text.replace(/([\d.]e)[-+−]/g, "$1"); // 1e−5 is no difference
  for (let inside; inside !== text;) [inside, text] = [text, text.replace(ENCLOSED, "")];
  return levelOf(LOOSE, text, UNBROKEN);
}

// Return a name or number for a letter: in brackets where it would run into its neighbours.
const OPENED = /(?:[(|]|, |[≥>≤<=≠] |if |else )$/;
function within(before, name, after) {
  if (!before && !after) return name;
  const needed = Math.max(levelOf(BEFORE, before, 0), levelOf(BEHIND, after, 0));
  const negative = name.startsWith("−") && !OPENED.test(before);
  const twice = name.includes("|") && before.endsWith("|");
  return bindingOf(name) < needed || negative || twice ? `(${name})` : name;
}

const TERMS = 3;
function variadic(node, operands) {
  if (node.op !== SUM) {
    const more = operands.length > TERMS ? ", …" : "";
    return `${node.symbol || "f"}(${operands.slice(0, TERMS).join(", ")}${more})`;
  }
  const count = operands.length >> 1, terms = [];
  for (let i = 0; i < count; i++)
    terms.push(filled("x · y", operands.slice(2 * i)));
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
  if (!node.role) return Number.isNaN(local) ? "handmade.unknown" : "handmade";
  if (node.op === SUM) return isBias(node, position) ? "distributes" : "switches";
  if (node.role === "distributes") return local === 1 ? "distributes" : "distributes.turned";
  return local === 0 && node.role !== "switches" ? `${node.role}.zero` : node.role;
}
