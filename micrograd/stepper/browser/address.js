// The page's address: what is seen can be shared as a link, and a damaged link says so.
// A number's key is its name; a name that means something else here gets a dot before it. What was
// edited and is no input of an expression has a dot and its place among the nodes: .3=0.5.
const RESERVED = ["e", "step", "view", "by", "lang"], EDIT = /^\.\d+$/;
const preferred = () => (navigator.language.toLowerCase().startsWith("zh") ? "zh" : "en");
const keyOf = name => (RESERVED.includes(name) ? `.${name}` : name);

function remember() {
  if (waiting) return; // the address is written when the typing pauses
  const parts = [`step=${page.at + 1}`], add = (key, value) => parts.push(`${key}=${encodeURIComponent(value)}`);
  if (page.key !== graph.start) add("view", page.key);
  if (page.by !== firstBy()) add("by", page.by);
  if (page.language !== preferred()) add("lang", page.language);
  if (DATA.training) rememberTraining(add);
  const first = graph.text ? [`e=${encodeURIComponent(graph.text)}`, ...numbersNow()] : [];
  if (!DATA.training) first.push(...editsNow());
  try {
    history.replaceState(null, "", `#${[...first, ...parts].join("&")}`);
  } catch { /* a page within a notebook has no address of its own */ }
}

const inAddress = x => encodeURIComponent(spelled(x)); // the + of 1e+21 would be read as a space
const namedInputs = () => graph.inputs ??= new Set(graph.text ? inputsOf(graph.text) : []);
const numbersNow = () => [...pointNow()].filter(([name]) => namedInputs().has(name))
  .map(([name, x]) => `${encodeURIComponent(keyOf(name))}=${inAddress(x)}`);
const editsNow = () => [...page.edited].filter(([id]) => !namedInputs().has(graph.nodes[id].label))
  .map(([id, x]) => `.${id}=${inAddress(x)}`);

// Return the numbers of an address by name, and the keys whose number cannot be read.
function pointOf(asked) {
  const at = new Map(), damaged = [];
  for (const [key, text] of asked) {
    if (RESERVED.includes(key) || EDIT.test(key)) continue;
    const x = parsed(text);
    if (x === undefined) damaged.push(key);
    else at.set(key.replace(/^\./, ""), x);
  }
  return [at, damaged];
}

// Edit what an address says was edited; return what of it cannot be.
function askedEdits(asked) {
  const edits = [...asked].filter(([key]) => EDIT.test(key)).map(([key, text]) => [key, Number(key.slice(1)), parsed(text)]);
  const damaged = edits.filter(([, id, x]) => x === undefined || graph.nodes[id]?.operands.length !== 0 || !computable());
  try {
    const edited = new Map(edits.filter(edit => !damaged.includes(edit)).map(([, id, x]) => [id, x]));
    Object.assign(page, { record: computed(edited), edited });
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    Object.assign(page, { record: graph.recorded, edited: new Map() });
    return edits.map(([key]) => key);
  }
  return damaged.map(([key]) => key);
}

function fromAddress(hash = location.hash) {
  const asked = new URLSearchParams(hash.slice(1)), damaged = [];
  const known = (key, isKnown) => {
    const value = asked.get(key);
    if (value !== null && !isKnown(value)) damaged.push(key);
    return value !== null && isKnown(value) ? value : undefined;
  };
  page.language = known("lang", value => Object.hasOwn(DATA.words, value)) ?? preferred();
  if (DATA.playground) damaged.push(...askedExpression(asked));
  if (!DATA.training) damaged.push(...askedEdits(asked));
  page.key = known("view", value => Object.hasOwn(graph.views, value)) ?? graph.start;
  page.by = known("by", value => ["edge", "node", ...graph.walk ? ["walk"] : []].includes(value)) ?? firstBy();
  page.at = Number(known("step", value => /^[1-9]\d{0,8}$/.test(value)) ?? 1) - 1;
  page.revealed = true;
  if (DATA.training) askedTraining(known);
  page.damaged = damaged;
  rebuild();
}
