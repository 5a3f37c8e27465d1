// The expression in its field: what is typed is read, computed and drawn here, never run.
const MOST_TYPED = 1000; // nodes of a graph that is drawn as it is typed
const NEW_NUMBER = 1; // of a name that comes up for the first time

// Return the graph of an expression at a point. Throws Unreadable.
function graphOfText(text, at) {
  const nodes = readExpression(text, at), root = nodes.length - 1, seed = 1;
  if (nodes.length > MOST_TYPED) throw new Unreadable("bad.large", { count: nodes.length, most: MOST_TYPED });
  const data = nodes.map(node => node.value);
  const steps = slopes(() => backwardPass(ROWS, nodes, data, root, seed), nodes);
  return { nodes, root, text, views: { full: fullView(nodes) }, start: "full", walk: null,
    recorded: { data, root, seed, steps } };
}

function slopes(pass, nodes) {
  try {
    return pass();
  } catch (error) {
    if (!(error instanceof RangeError) || error.node === undefined) throw error;
    const node = nodes[error.node];
    throw new Unreadable("bad.slope", { node: node.name, formula: formula(node, id => nodes[id].name) });
  }
}

// Return the point at which to read an expression: known numbers by name, in their order, then 1s.
function pointFor(text, known) {
  const names = inputsOf(text), kept = [...known].filter(([name]) => names.includes(name));
  return new Map([...kept, ...names.filter(name => !known.has(name)).map(name => [name, NEW_NUMBER])]);
}

// Show what the field says, or under it why that cannot be; the last good picture stays.
function typed(text, known = pointNow()) {
  try {
    const next = graphOfText(text, pointFor(text, known));
    trouble();
    replace(next);
    return true;
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error;
    trouble(error);
    return false;
  }
}

// Say under the field why what it says cannot be, or nothing.
function trouble(error) {
  page.trouble = error;
  $("trouble").textContent = error ? fill(words()[error.key], error.names) : "";
  if (error) $("expression").setAttribute("aria-invalid", "true");
  else $("expression").removeAttribute("aria-invalid");
}

// Read the expression of an address; return what of it is damaged.
function askedExpression(asked) {
  const [at, damaged] = pointOf(asked), text = asked.get("e") ?? DATA.playground.text;
  const numbers = new Map([...at, ...DATA.playground.at.filter(([name]) => !at.has(name))]);
  const recorded = text === DATA.playground.text && !at.size;
  trouble();
  if (recorded) replace({ ...graphOf(JSON.parse($("data").textContent)), text });
  const read = recorded || typed(text, numbers);
  $("expression").value = text;
  return read ? damaged : [...damaged, ...asked.has("e") ? ["e"] : []];
}

function exampleWords() {
  const options = DATA.playground.examples.map(({ name }, i) => new Option(name[page.language], i));
  const first = new Option(words()["examples.choose"], "");
  $("examples").replaceChildren(first, ...options);
  trouble(page.trouble);
}

function wirePlayground() {
  $("expression").addEventListener("input", () => {
    if (typed($("expression").value)) remake(restSoon);
  });
  $("field").addEventListener("submit", event => event.preventDefault());
  $("examples").addEventListener("change", () => {
    const example = DATA.playground.examples[$("examples").value];
    if (!example) return;
    $("expression").value = example.text;
    $("examples").value = "";
    if (typed(example.text, new Map(example.at))) rebuild();
  });
}
