// What if an input were different: a field and a slider for each, and both passes anew.
const NUMERAL = /^\s*[-+]?(?:(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?|inf|infinity|nan)\s*$/i;
const REACH = 5, FARTHEST_REACH = 8e307; // of a slider either way; twice the farthest is still a number

// Return the number a reader wrote, or undefined; digits too many for one are none.
function parsed(written) {
  const text = written.replaceAll("−", "-");
  if (!NUMERAL.test(text)) return undefined;
  const spelled = text.trim().toLowerCase().replace(/^(\+?|-)inf(inity)?$/, "$1Infinity");
  const number = Number(spelled.replace(/^[-+]?nan$/, "NaN"));
  return finite(number) || /n/i.test(text) ? number : undefined;
}

const spelled = x => (Object.is(x, -0) ? "-0" : String(x)); // so that it can be read again

// Fields for the inputs that the picture shows on their own; those without a label come last.
const computable = () => graph.nodes.every(node => node.op !== "handmade");
function leaves() {
  const possible = computable();
  const alone = view().boxes.filter(box => box.members.length === 1)
    .map(box => graph.nodes[box.members[0]]).filter(n => !n.operands.length)
    .sort((a, b) => a.constant - b.constant);
  $("whatif").hidden = !alone.length || !!DATA.training; // a training gives the numbers
  $("impossible").hidden = possible;
  $("reset").hidden = $("leaves").hidden = !possible;
  $("leaves").replaceChildren(...(possible ? alone : []).map(leafRow));
  fields();
}

function leafRow(node) {
  const line = made("div", "", "leaf"), label = made("label", `${leafName(node)} `);
  const field = made("input"), slider = made("input");
  Object.assign(field, { type: "text", autocomplete: "off" });
  Object.assign(slider, { type: "range", step: "any" });
  slider.setAttribute("aria-label", leafName(node));
  field.dataset.leaf = node.id;
  field.addEventListener("input", () => edit(field, field.value));
  slider.addEventListener("input", () => edit(field, slid(slider)));
  field.addEventListener("change", () => range(slider, node));
  label.append(field);
  line.append(label, slider);
  return line;
}

// Return the number of a slider, in as few digits as tell its marks apart.
function slid(slider) {
  const digits = Math.max(0, 2 - Math.floor(Math.log10(Number(slider.max) - Number(slider.min)) - 0.01));
  return String(Number(Number(slider.value).toFixed(digits)));
}

// A number of the formula is called by its user too: "2 in a".
function leafName(node) {
  const user = graph.nodes.find(n => n.operands.includes(node.id));
  if (!node.constant || !user) return node.name;
  return fill(words()["number.in"], { name: node.name, node: user.name });
}

const numberNow = node => page.edited.get(node.id) ?? node.value;

// Return the numbers of the named inputs, by name.
function pointNow() {
  return new Map(graph.nodes.filter(node => !node.operands.length && !node.constant)
    .map(node => [node.label, numberNow(node)]));
}

function range(slider, node) {
  const now = numberNow(node), reach = Math.min(FARTHEST_REACH, Math.max(REACH, finite(now) ? 2 * Math.abs(now) : 0));
  const decade = 10 ** Math.floor(Math.log10(reach)), round = Math.ceil(reach / decade) * decade;
  Object.assign(slider, { min: -round, max: round, value: now });
}

const sliderOf = field => field.closest(".leaf").querySelector("[type=range]");
const nodeOf = field => graph.nodes[Number(field.dataset.leaf)];

function fields() {
  $(DATA.training ? "told" : "outcome").textContent = notice();
  for (const field of $("leaves").querySelectorAll("[data-leaf]")) {
    const node = nodeOf(field), now = numberNow(node);
    field.value = finite(now) ? spelled(now) : shown(now);
    accept(field);
    range(sliderOf(field), node);
  }
}

// Say that a field's number is the one in force.
function accept(field) {
  field.removeAttribute("aria-invalid");
  field.classList.toggle("changed", page.edited.has(nodeOf(field).id));
}

function edit(field, text) {
  const refuse = reason => {
    field.setAttribute("aria-invalid", "true");
    $("outcome").textContent = reason;
  };
  if (field.value !== text) field.value = text;
  if (parsed(text) === undefined) return refuse(words()["bad.number"]);
  // Numbers that were refused are asked for again: what one alone could not be, several may.
  const asked = [field, ...$("leaves").querySelectorAll("[aria-invalid]")].filter(one => parsed(one.value) !== undefined);
  const edited = new Map(page.edited);
  for (const one of asked) {
    const { id, value } = nodeOf(one), now = parsed(one.value);
    if (Object.is(now, value)) edited.delete(id);
    else edited.set(id, now);
  }
  try {
    page.record = computed(edited);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    const { id } = graph.nodes[error.node];
    return refuse(fill(words()[`bad.${error.message}`], { node: graph.nodes[id].name,
      formula: formula(graph.nodes[id], i => teller.name(i)) }));
  }
  Object.assign(page, { edited, damaged: [] });
  teller.model.record = page.record;
  for (const one of asked) {
    if (document.activeElement !== sliderOf(one)) sliderOf(one).value = parsed(one.value);
    accept(one);
  }
  if (asked.some(one => nodeOf(one).constant)) draw(); // its number is its name
  $("outcome").textContent = notice();
  refresh();
}

// Return the record of both passes after edits; the recorded one when there are none.
function computed(edited) {
  if (!edited.size) return graph.recorded;
  const { nodes, root, recorded } = graph;
  const data = forwardPass(ROWS, nodes, nodes.map(node => edited.get(node.id) ?? node.value));
  return { data, steps: backwardPass(ROWS, nodes, data, root, recorded.seed), root, seed: recorded.seed };
}

// Say what of the link could not be read, else what came of edits.
function notice() {
  if (page.damaged.length) return fill(words()["bad.link"], { name: page.damaged.join(", ") });
  if (!page.edited.size || DATA.training) return "";
  const root = graph.nodes[graph.root];
  return fill(words().outcome, { root: root.name, value: shown(page.record.data[root.id]),
    recorded: shown(root.value) });
}

// Tell the same steps with the new numbers.
function refresh() {
  teller.model.record = page.record;
  rest();
  show();
}

function reset() {
  Object.assign(page, { edited: new Map(), damaged: [], record: graph.recorded });
  fields();
  teller.model.record = graph.recorded;
  draw();
  refresh();
}
