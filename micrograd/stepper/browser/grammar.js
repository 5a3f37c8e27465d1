// The grammar of formulas: Python's, as far as numbers, names, arithmetic, comparisons and calls
// go. A text becomes trees; what a tree may hold is for its reader to say.
class Unreadable extends Error {
  constructor(key, names = {}) {
    super(key);
    Object.assign(this, { key, names });
  }
}

const KEYWORDS = new Set(("False None True and as assert async await break class continue def del elif else " +
  "except finally for from global if import in is lambda nonlocal not or pass raise return try while with yield").split(" "));
const DEEPEST = 200, HIGHEST = 900, LONGEST = 20000; // brackets, levels of a tree, characters
const SPACE = /[ \t\f]+|\\\r?\n/y, REMARK = /#[^\r\n]*/y, NEWLINE = /\r\n|\n|\r/y;
const NAME = /[\p{XID_Start}_][\p{XID_Continue}]*/uy;
const NUMBER = /0[xX](?:_?[\da-fA-F])+|0[oO](?:_?[0-7])+|0[bB](?:_?[01])+|(?:(?:\d(?:_?\d)*)?\.\d(?:_?\d)*|\d(?:_?\d)*\.?)(?:[eE][+-]?\d(?:_?\d)*)?/y;
const SIGN = /\*\*|[<>=!]=|[-+*/()=,;<>]/y;
const LEADING_ZERO = /^0[\d_]*[1-9][\d_]*$/; // of a whole number: Python refuses it

function matchAt(pattern, text, at) {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0];
}

// Return [kind, text, start] for every token of a text; brackets join lines.
function tokensOf(text) {
  const tokens = [];
  let depth = 0, at = 0, fresh = true; // fresh: at the start of a line
  const push = (kind, found) => {
    tokens.push([kind, found, at]);
    at += found.length;
    fresh = false;
  };
  while (at < text.length) {
    const blank = matchAt(SPACE, text, at), line = matchAt(NEWLINE, text, at);
    if (blank) {
      at += blank.length;
      const indented = fresh && !depth && tokens.length && /[^\s#]/.test(text[at] ?? " ");
      if (indented) throw new Unreadable("bad.syntax", { at: at + 1 });
    } else if (line) {
      if (!depth && !fresh) push("end", line);
      else at += line.length;
      fresh = true;
    } else if (matchAt(REMARK, text, at)) at += matchAt(REMARK, text, at).length;
    else if (matchAt(NAME, text, at)) push("name", matchAt(NAME, text, at));
    else if (matchAt(NUMBER, text, at)) push("number", numeral(text, at));
    else {
      const sign = matchAt(SIGN, text, at);
      if (!sign) throw new Unreadable(text[at] === "^" ? "bad.power" : "bad.character", { text: String.fromCodePoint(text.codePointAt(at)), at: at + 1 });
      depth += sign === "(" ? 1 : sign === ")" ? -1 : 0;
      if (depth > DEEPEST) throw new Unreadable("bad.deep");
      push("sign", sign);
    }
  }
  return [...tokens, ["end", "", text.length], ["stop", "", text.length]];
}

function numeral(text, at) {
  const found = matchAt(NUMBER, text, at), next = text.slice(at + found.length);
  if (LEADING_ZERO.test(found) || /^[\p{XID_Continue}]/u.test(next))
    throw new Unreadable("bad.syntax", { at: at + 1 });
  return found;
}

// Return the number of a numeral, Infinity where it is too large for one.
function numberOf(text) {
  const plain = text.replaceAll("_", "");
  if (!/^(\d+|0[xXoObB][\da-fA-F]+)$/.test(plain)) return Number(plain);
  const whole = BigInt(plain);
  return whole > BigInt(Number.MAX_VALUE) ? Infinity : Number(whole);
}

class Parser {
  constructor(text) {
    if (text.length > LONGEST) throw new Unreadable("bad.long", { count: LONGEST });
    Object.assign(this, { text, tokens: tokensOf(text), place: 0, depth: 0 });
  }

  get next() { return this.tokens[this.place]; }

  takes(sign) {
    if (this.next[0] !== "sign" || this.next[1] !== sign) return false;
    return !!++this.place;
  }

  wants(sign) { if (!this.takes(sign)) this.refuse(); }

  refuse() { throw new Unreadable("bad.syntax", { at: this.next[2] + 1 }); }

  // Return the trees of all statements, {name, tree} each.
  statements() {
    const found = [];
    for (; this.next[0] !== "stop"; this.place++) {
      if (this.next[0] === "end") continue;
      found.push(this.statement());
      while (this.takes(";") && this.next[0] !== "end") found.push(this.statement());
      if (this.next[0] !== "end") this.refuse();
    }
    return found;
  }

  statement() {
    const tree = this.sum();
    if (!this.takes("=")) return { name: "", tree };
    if (tree.kind !== "name") this.refuse();
    return { name: tree.name, tree: this.sum() };
  }

  // A formula of a row: one comparison at most.
  formula() {
    const left = this.sum(), [kind, sign] = this.next;
    if (kind !== "sign" || !/^[<>]=?$|^[=!]=$/.test(sign)) return left;
    this.place++;
    return this.spanned({ kind: "compare", sign, left, right: this.sum() }, left.start);
  }

  sum() { return this.chain(["+", "-"], () => this.product()); }

  product() { return this.chain(["*", "/"], () => this.signed()); }

  chain(signs, part) {
    let left = this.deeper(part);
    for (;;) {
      const sign = signs.find(one => this.takes(one));
      if (!sign) return left;
      left = this.spanned({ kind: "binary", sign, left, right: this.deeper(part) }, left.start);
    }
  }

  signed() {
    const start = this.next[2];
    for (const sign of ["-", "+"])
      if (this.takes(sign))
        return this.spanned({ kind: "unary", sign, operand: this.deeper(() => this.signed()) }, start);
    return this.power();
  }

  power() {
    const left = this.atom();
    if (!this.takes("**")) return left;
    return this.spanned({ kind: "binary", sign: "**", left, right: this.deeper(() => this.signed()) }, left.start);
  }

  atom() {
    const [kind, text, start] = this.next;
    if (this.takes("(")) {
      const tree = this.formula();
      this.wants(")");
      return this.next[1] === "(" ? this.call(tree) : this.spanned(tree, start);
    }
    if (kind === "number") {
      this.place++;
      return this.spanned({ kind, value: numberOf(text) }, start);
    }
    if (kind !== "name" || KEYWORDS.has(text)) this.refuse();
    this.place++;
    const tree = this.spanned({ kind, name: text.normalize("NFKC") }, start);
    return this.next[1] === "(" ? this.call(tree) : tree;
  }

  call(called) {
    if (called.kind !== "name") this.refuse();
    const operands = [];
    this.wants("(");
    while (!this.takes(")")) {
      operands.push(this.formula());
      if (!this.takes(",")) { this.wants(")"); break; }
    }
    const tree = this.spanned({ kind: "call", name: called.name, operands }, called.start);
    return this.next[1] === "(" ? this.refuse() : tree;
  }

  spanned(tree, start) {
    const last = this.tokens[this.place - 1], parts = [tree.left, tree.right, tree.operand, ...tree.operands ?? []];
    const height = 1 + Math.max(0, ...parts.map(part => part?.height ?? 0));
    if (height > HIGHEST) throw new Unreadable("bad.deep");
    return { ...tree, start, height, text: this.text.slice(start, last[2] + last[1].length) };
  }

  deeper(part) {
    if (++this.depth > HIGHEST) throw new Unreadable("bad.deep");
    const tree = part();
    this.depth--;
    return tree;
  }
}
