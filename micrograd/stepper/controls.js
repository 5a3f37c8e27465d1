// The controls, the keyboard, and what-if.

// A field for every input that the picture shows on its own; those without a label come last.
function leaves() {
  const possible = nodes.every(node => node.op !== "handmade");
  const shownLeaves = view().boxes.filter(box => box.members.length === 1)
    .map(box => nodes[box.members[0]]).filter(n => !n.operands.length)
    .sort((a, b) => a.constant - b.constant);
  $("whatif").hidden = !shownLeaves.length;
  $("reset").hidden = !possible;
  const help = DATA.words[page.language][possible ? "whatif.help" : "whatif.handmade"];
  $("whatif").querySelector("p").textContent = help;
  $("leaves").replaceChildren(...(possible ? shownLeaves : []).map(node => {
    const label = made("label", `${leafName(node)} `), field = made("input");
    Object.assign(field, { type: "text", inputMode: "decimal", autocomplete: "off" });
    field.dataset.leaf = node.id;
    field.addEventListener("input", () => edit(node, field));
    label.append(field);
    return label;
  }));
  fields();
}

// A number of the formula is called by its user too: "2 in a".
function leafName(node) {
  const user = nodes.find(n => n.operands.includes(node.id));
  if (!node.constant || !user) return node.name;
  return fill(DATA.words[page.language]["number.in"], { name: node.name, node: user.name });
}

function fields() {
  for (const field of $("leaves").querySelectorAll("input")) {
    const id = Number(field.dataset.leaf);
    field.value = String(page.edited.get(id) ?? nodes[id].value);
    field.classList.toggle("changed", page.edited.has(id));
    field.removeAttribute("aria-invalid");
  }
}

const NUMERAL = /^\s*[-+]?(?:(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?|inf|infinity|nan)\s*$/i;

// Return the number a reader wrote, or undefined.
function parsed(text) {
  if (!NUMERAL.test(text)) return undefined;
  const spelled = text.trim().toLowerCase().replace(/^(\+?|-)inf(inity)?$/, "$1Infinity");
  return Number(spelled.replace(/^[-+]?nan$/, "NaN"));
}

function edit(node, field) {
  const words = DATA.words[page.language], value = parsed(field.value);
  const refuse = text => {
    field.setAttribute("aria-invalid", "true");
    $("outcome").textContent = text;
  };
  if (value === undefined) return refuse(words["bad.number"]);
  const edited = new Map(page.edited).set(node.id, value);
  if (Object.is(value, node.value)) edited.delete(node.id);
  try {
    page.record = computed(edited);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    const { id } = nodes[error.node];
    return refuse(fill(words[`bad.${error.message}`], { node: nodes[id].name,
      formula: formula(nodes[id], i => teller.name(i)) }));
  }
  page.edited = edited;
  teller.model.record = page.record;
  if (node.constant) draw(); // its number is its name
  field.classList.toggle("changed", edited.has(node.id));
  for (const other of $("leaves").querySelectorAll("input")) other.removeAttribute("aria-invalid");
  $("outcome").textContent = outcome(words);
  refresh();
}

// Return the record of both passes after edits; the recorded one when there are none.
function computed(edited) {
  if (!edited.size) return recorded;
  const leaves = nodes.map(node => edited.get(node.id) ?? node.value);
  const data = forwardPass(ROWS, nodes, leaves);
  const steps = backwardPass(ROWS, nodes, data, DATA.root, recorded.seed);
  return { data, steps, root: DATA.root, seed: recorded.seed };
}

function outcome(words) {
  if (!page.edited.size) return "";
  return fill(words.outcome, { root: nodes[DATA.root].name,
    value: shown(page.record.data[DATA.root]), recorded: shown(nodes[DATA.root].value) });
}

// Tell the same steps with the new numbers.
function refresh() {
  teller.model.record = page.record;
  listing();
  show();
}

function guess(event) {
  event.preventDefault();
  const answer = teller.answer(stops[page.at]), given = parsed($("answer").value);
  const words = DATA.words[page.language];
  const right = Object.is(given, answer) || shown(given ?? NaN) === shown(answer) ||
    Math.abs(given - answer) <= 0.005 * Math.abs(answer);
  reveal();
  const verdict = fill(words[right ? "right" : "wrong"], { value: shown(answer) });
  $("sentence").textContent = `${verdict} ${$("sentence").textContent}`;
  $("answer").value = "";
  $("next").focus();
}

function keyed(event) {
  if (event.altKey || event.ctrlKey || event.metaKey) return;
  const { target } = event, typing = target.matches("select, input:not([type=checkbox], [type=range])");
  if (typing) return;
  const ranged = target.id === "scrub" && event.key !== " ";
  if (event.key === " " && target.matches("button, summary, a, input[type=checkbox], [role=button]"))
    return;
  const action = { ArrowRight: next, ArrowLeft: () => go(page.at - 1), Home: () => go(0),
    End: () => go(stops.length - 1), " ": () => play(!page.timer) }[event.key];
  if (!action || ranged) return;
  if (target.matches(".table") && event.key !== " ") return; // they scroll it
  event.preventDefault();
  action();
}

function wire() {
  const stepping = { first: () => go(0), back: () => go(page.at - 1), next, reveal,
    last: () => go(stops.length - 1), play: () => play(!page.timer),
    close: () => choose({ key: view().closes }) };
  for (const [id, action] of Object.entries(stepping)) $(id).addEventListener("click", action);
  $("scrub").addEventListener("input", () => go(Number($("scrub").value) - 1));
  $("speed").addEventListener("change", () => play(!!page.timer));
  $("by").addEventListener("change", () => choose({ by: $("by").value }));
  $("view").addEventListener("change", () => choose({ key: $("view").value }));
  $("language").addEventListener("change", () => {
    page.language = $("language").value;
    rebuild();
  });
  $("theme").addEventListener("change", () => {
    document.documentElement.dataset.theme = $("theme").value;
  });
  $("predict").addEventListener("change", () => {
    page.predict = $("predict").checked;
    page.revealed = !page.predict || page.at === 0;
    show();
  });
  $("guess").addEventListener("submit", guess);
  $("reset").addEventListener("click", () => {
    Object.assign(page, { edited: new Map(), record: recorded });
    $("outcome").textContent = "";
    fields();
    teller.model.record = recorded;
    draw();
    refresh();
  });
  document.addEventListener("keydown", keyed);
  addEventListener("hashchange", fromAddress);
  let waiting = 0;
  addEventListener("resize", () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => { draw(); show(); }, 100);
  });
}

wire();
fromAddress();
