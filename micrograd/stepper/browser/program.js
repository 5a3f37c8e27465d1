// The array program beside the steps: the lines that a step's values or gradients are computed in.
const VALUES = 0, GRADIENTS = 1;
const LINES_SHOWN = 4; // of one step
const WITH_ELEMENT = ["element", "term", "chosen", "shared", "routed"];

class Program {
  constructor(program, list) {
    Object.assign(this, program);
    this.counts = this.spots.map(([kinds]) => {
      const counts = new Map();
      for (const kind of kinds) {
        const line = this.kinds[kind][1];
        counts.set(line, (counts.get(line) ?? 0) + 1);
      }
      return counts;
    });
    this.items = [...list.children];
    this.texts = this.items.map(item => item.firstChild.textContent);
  }

  // Return what a stop computes: values or gradients, and the ids of their nodes.
  of(stop, nodes, steps) {
    if (stop.kind === "inputs")
      return [VALUES, nodes.filter(n => !n.operands.length && !n.constant).map(n => n.id)];
    if (stop.kind === "forward") return [VALUES, stop.nodes];
    if (stop.kind === "seed") return [GRADIENTS, stop.nodes];
    const operands = stop.fire.map(i => nodes[steps[i][NODE]].operands[steps[i][POSITION]]);
    return [GRADIENTS, [...new Set(operands)]];
  }

  // Return the ids that a stop computes, by line in the order of the program; 0 is no line.
  lines(stop, nodes, steps) {
    const [pass, ids] = this.of(stop, nodes, steps), found = new Map();
    for (const id of ids) {
      const [, line] = this.kinds[this.spots[pass][0][id]];
      if (!found.has(line)) found.set(line, []);
      found.get(line).push(id);
    }
    return [pass, [...found].sort(([a], [b]) => a - b)];
  }

  // Return which of the nodes in one line is its result, the others being its terms; or undefined.
  result(pass, ids) {
    const [kinds] = this.spots[pass];
    const own = ids.filter(id => this.kinds[kinds[id]][0] === "element");
    return ids.length === 1 ? ids[0] : own.length === 1 ? own[0] : undefined;
  }

  told(pass, id, name, words) {
    const [kinds, places] = this.spots[pass], at = places[id];
    const [how, , array, batched] = this.kinds[kinds[id]];
    if (!how || (name === array && !at)) return "";
    const key = at || !WITH_ELEMENT.includes(how) ? how : `${how}.whole`;
    return fill(words[key], { node: name, name: array, at, batched: batched ? words.batched : "" });
  }
}

const program = new Program(DATA.program, $("source"));
$("program").addEventListener("toggle", seeLines);

// Under the equation: each line of the step, and what the step's node is there.
function showLines(stop) {
  const said = words(), sentences = DATA.lines[page.language];
  const [pass, found] = program.lines(stop, graph.nodes, graph.recorded.steps);
  const called = id => (pass === VALUES ? teller.name(id) : teller.derivative(id));
  const rows = found.filter(([line, ids]) => line || ids.length === 1);
  const some = rows.slice(0, LINES_SHOWN).map(([line, ids]) => {
    const row = document.createElement("div");
    if (line) row.append(codeOf(line, said, pass));
    const one = program.result(pass, ids);
    const some = stop.kind === "inputs" ? "inputs" : pass === VALUES ? "values" : "gradients";
    const text = one === undefined ? fill(said[`${some}.some`], { count: ids.length })
      : program.told(pass, one, called(one), sentences);
    if (text) row.append(made("p", text));
    return row;
  });
  if (rows.length > LINES_SHOWN)
    some.push(made("p", fill(said["lines.more"], { count: rows.length - LINES_SHOWN })));
  $("lines").replaceChildren(...some);
  markLines(new Set(rows.map(([line]) => line)), pass);
}

function codeOf(line, said, pass) {
  const row = made("div", "", "code"), code = document.createElement("code");
  const [text, shape] = program.texts[line - 1].trim().split(/ +# /);
  code.append(text);
  if (shape) code.append(made("i", ` # ${shape}`));
  row.append(made("span", fill(said.line, { line })), code);
  row.classList.add(pass === VALUES ? "value" : "gradient");
  return row;
}

function markLines(lines, pass) {
  program.items.forEach((item, i) => {
    const current = lines.has(i + 1);
    item.className = current ? (pass === VALUES ? "value" : "gradient") : "";
    if (current) item.setAttribute("aria-current", "step");
    else item.removeAttribute("aria-current");
  });
  seeLines();
}

// Scroll the program, where it is open, to the first line of the step.
function seeLines() {
  const first = $("source").querySelector("[aria-current]"), frame = $("source").parentElement;
  if (!first || !$("program").open) return;
  const seen = first.getBoundingClientRect(), room = frame.getBoundingClientRect();
  if (seen.top < room.top || seen.bottom > room.bottom)
    frame.scrollTop += (seen.top + seen.bottom) / 2 - (room.top + room.bottom) / 2;
}

// Beside each line of the program: how much it computes, a way to its first step.
function listLines() {
  const said = words(), first = new Map();
  $("program").querySelector("p").textContent = fill(said["program.help"], { count: graph.nodes.length });
  stops.forEach((stop, i) => {
    const [pass, found] = program.lines(stop, graph.nodes, graph.recorded.steps);
    for (const [line] of found)
      if (!first.has(line)) first.set(line, [i, pass]);
  });
  program.items.forEach((item, i) => {
    item.querySelector("button")?.remove();
    const [at, pass] = first.get(i + 1) ?? [];
    if (at === undefined) return;
    const total = program.counts[pass].get(i + 1);
    const key = `${pass === VALUES ? "value" : "gradient"}${total > 1 ? "s" : ""}.here`;
    const count = fill(said[key], { count: total });
    const button = made("button", count);
    button.setAttribute("aria-label", fill(said["to.line"], { count, line: i + 1 }));
    button.addEventListener("click", () => go(at));
    item.append(button);
  });
}

// The numbers of the lines of a stop, for the list of all steps.
function lineNumbers(stop) {
  const numbers = program.lines(stop, graph.nodes, graph.recorded.steps)[1].map(([line]) => line).filter(Boolean);
  const shownNumbers = numbers.slice(0, LINES_SHOWN).join(", ");
  return numbers.length > LINES_SHOWN ? `${shownNumbers}, …` : shownNumbers;
}
