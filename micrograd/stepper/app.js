// The page: what is shown, and what its controls do.
const $ = id => document.getElementById(id);
const DATA = JSON.parse($("data").textContent);
const nodes = nodesOf(DATA), recorded = recordOf(DATA, nodes);
const started = DATA.walk && DATA.views.full ? "full" : DATA.start;
const page = { key: started, by: DATA.walk ? "walk" : "edge", at: 0, language: "", predict: false,
  revealed: true, timer: 0, record: recorded, edited: new Map() };

// Members come as runs: first, length, first, length, ...
for (const { boxes } of Object.values(DATA.views))
  for (const box of boxes)
    box.members = box.members.flatMap((first, i, runs) =>
      i % 2 ? [] : Array.from({ length: runs[i + 1] }, (_, n) => first + n));
const view = () => DATA.views[page.key];
const hidden = () => page.predict && !page.revealed;
const still = () => matchMedia("(prefers-reduced-motion: reduce)").matches;
let stops, state, teller, picture;

function model() {
  return { nodes, record: page.record, view: view(), root: DATA.root, language: page.language };
}

// Make everything anew that depends on the view, the language, or the kind of step.
function rebuild() {
  const words = DATA.words[page.language];
  teller = new Teller(model(), words, DATA.sentences[page.language]);
  stops = page.by === "walk"
    ? walkStops(DATA.walk, view(), nodes, recorded.steps, DATA.root)
    : stopsOf(view(), nodes, recorded.steps, DATA.root, page.by);
  page.at = Math.min(page.at, stops.length - 1);
  interfaceWords(words);
  draw();
  leaves();
  listing();
  if (DATA.program) listLines();
  show();
}

function draw() {
  const words = DATA.words[page.language];
  picture = new Picture($("picture"), view(), { label: words.picture, value: words.value,
    grad: words.grad, box: box => teller.box(box), open: key => choose({ key }) });
}

function interfaceWords(words) {
  document.documentElement.lang = page.language === "zh" ? "zh-Hans" : "en";
  for (const e of document.querySelectorAll("[data-text]")) e.textContent = words[e.dataset.text];
  for (const e of document.querySelectorAll("[data-label]"))
    e.setAttribute("aria-label", words[e.dataset.label]);
  const levels = Object.keys(DATA.views).filter(key => !DATA.views[key].closes);
  $("view").replaceChildren(...levels.map(key => new Option(words[`level.${key}`], key)));
  $("view").value = page.key.split("|")[0];
  $("viewing").hidden = levels.length < 2 && !view().closes;
  $("close").hidden = !view().closes;
  if (DATA.walk && !$("by").querySelector("[value=walk]"))
    $("by").append(new Option("", "walk"));
  if (DATA.walk) $("by").querySelector("[value=walk]").textContent =
    DATA.walk.name[page.language] ?? DATA.walk.name.en;
  $("by").value = page.by;
  $("language").value = page.language;
  document.title = $("title").textContent;
}

// Show the current stop.
function show() {
  const stop = stops[page.at], exact = !view().boxes.some(b => b.members.length > 1);
  state = stateAt(stops, page.at, page.record, nodes, exact);
  const words = DATA.words[page.language];
  $("heading").textContent = teller.heading(stop);
  $("sentence").textContent = hidden() ? teller.question(stop) : teller.sentence(stop, state);
  $("chips").replaceChildren(...teller.rows(stop, state, hidden()).map(row));
  $("guess").hidden = !hidden();
  $("answer").parentElement.hidden = teller.answer(stop) === undefined;
  $("guess").querySelector("button").hidden = teller.answer(stop) === undefined;
  $("scrub").max = stops.length;
  $("scrub").value = page.at + 1;
  $("scrub").setAttribute("aria-valuetext", `${page.at + 1} / ${stops.length}: ${teller.heading(stop)}`);
  $("place").textContent = `${page.at + 1} / ${stops.length}`;
  $("first").disabled = $("back").disabled = page.at === 0;
  $("last").disabled = page.at === stops.length - 1;
  $("next").disabled = page.at === stops.length - 1 && !hidden();
  $("play").textContent = page.timer ? words.pause : words.play;
  $("inputs").textContent = inputs(words);
  picture.update(frameOf(stop));
  if (DATA.program) showLines(stop);
  mark();
  remember();
}

function inputs(words) {
  const some = nodes.filter(n => !n.operands.length && !n.constant);
  if (!some.length || some.length > 6) return "";
  const list = some.map(n => `${n.name} = ${shown(page.record.data[n.id])}`);
  return `${words.at} ${list.join(", ")}`;
}

function row(chips) {
  const line = document.createElement("div");
  line.className = "row";
  let gap = false;
  for (const chip of chips) {
    if (!Array.isArray(chip)) {
      gap = chip === "";
      if (chip) line.append(made("b", chip));
      continue;
    }
    const [kind, label, text, small] = chip, box = made("div", "", `chip ${kind}`);
    box.classList.toggle("gap", gap);
    box.append(made("span", label), made("strong", text));
    if (small) box.append(made("i", small));
    line.append(box);
  }
  return line;
}

function made(tag, text, cls) {
  const element = document.createElement(tag);
  if (text) element.textContent = text;
  if (cls) element.className = cls;
  return element;
}

// What the picture shows at a stop: a dash stands for what is not known yet.
function frameOf(stop) {
  const owners = ownersOf(view(), nodes), mask = hidden();
  const received = new Set(stop.fire.map(i => teller.step(i).operand));
  if (stop.kind === "seed") received.add(stop.nodes[0]);
  const used = new Set(stop.fire.length === 1
    ? suppliers(teller.step(stop.fire[0]).node, teller.step(stop.fire[0]).position) : []);
  const fires = new Set(stop.fire.map(i => linkKey(page.record.steps[i])));
  const places = new Set([...received].map(id => owners[id]));
  const text = (id, isKnown, value, fresh) => (!isKnown ? "–" : mask && fresh ? "?" : shown(value));
  return {
    places: [stop.place, ...places].filter(place => place >= 0),
    box(place) {
      const box = view().boxes[place], gives = stop.kind === "backward" && place === stop.place;
      const forward = stop.kind === "forward" && place === stop.place;
      const id = box.members.length === 1 ? box.members[0]
        : box.outputs?.length === 1 ? box.outputs[0] : undefined;
      if (id === undefined) return { value: "", grad: "", forward, gives, receives: places.has(place) && !gives };
      return { forward, gives, receives: places.has(place) && !gives, used: used.has(id),
        value: text(id, state.known.has(id), page.record.data[id], forward),
        grad: text(id, state.grads.has(id), state.grads.get(id), received.has(id)) };
    },
    edge(i) {
      const [, target, links] = view().edges[i];
      const firing = links.some(link => fires.has(link.join(":")));
      const handed = links.map(link => state.handed.get(link.join(":"))).filter(Boolean);
      const operands = new Set(links.map(([user, position]) => nodes[user].operands[position]));
      const sum = handed.reduce((total, h) => total + h[CONTRIBUTION], 0);
      const single = handed.length === 1 ? handed[0][CONTRIBUTION] : sum;
      return {
        active: firing ? "backward" : stop.kind === "forward" && target === stop.place ? "forward" : "",
        pill: !handed.length || operands.size > 1 ? "" : mask && firing ? "?" : shown(single),
        times: firing && links.length === 1 ? `×${term(shown(handed[0][LOCAL]), true)}` : "",
      };
    },
  };
}

const linkKey = step => `${step[NODE]}:${step[POSITION]}`;

// The list of all steps: the same as text.
function listing() {
  const last = stops.length - 1, exact = !view().boxes.some(b => b.members.length > 1);
  const whole = stateAt(stops, last, page.record, nodes, exact);
  $("steps").replaceChildren(...stops.map((stop, i) => {
    const line = document.createElement("tr"), link = made("a", String(i + 1));
    link.href = `#step=${i + 1}`;
    link.addEventListener("click", event => { event.preventDefault(); go(i); });
    const cells = [made("td"), made("td", DATA.words[page.language][`pass.${stop.walk ? "walk" : stop.kind}`]),
      made("td", teller.what(stop)), made("td", teller.summary(stop)),
      made("td", teller.sentence(stop, whole))];
    if (DATA.program) cells.push(made("td", lineNumbers(stop)));
    cells[0].append(link);
    for (const cell of cells) cell.dataset.text = cell.textContent;
    line.append(...cells);
    return line;
  }));
  $("all").classList.toggle("long", stops.length > 16);
}

function mark() {
  [...$("steps").children].forEach((line, i) => {
    line.toggleAttribute("aria-current", i === page.at);
    if (i === page.at) line.setAttribute("aria-current", "step");
    const secret = page.predict && (i > page.at || (i === page.at && hidden()));
    for (const cell of [line.cells[3], line.cells[4]])
      cell.textContent = secret && cell.dataset.text ? "?" : cell.dataset.text;
  });
}

function go(at) {
  page.at = Math.max(0, Math.min(stops.length - 1, at));
  page.revealed = !page.predict || page.at === 0;
  show();
}

function next() {
  if (hidden()) return reveal();
  return page.at < stops.length - 1 ? go(page.at + 1) : play(false);
}

function reveal() {
  page.revealed = true;
  show();
}

function play(on) {
  clearInterval(page.timer);
  page.timer = 0;
  if (on) {
    if (page.at === stops.length - 1) go(0);
    page.timer = setInterval(() => (page.at === stops.length - 1 && !hidden() ? play(false) : next()),
      Number($("speed").value));
  }
  $("play").textContent = DATA.words[page.language][page.timer ? "pause" : "play"];
}

// Change the view or the kind of step, staying at the same share of the way.
function choose(change) {
  const share = page.at / Math.max(1, stops.length - 1);
  Object.assign(page, change);
  page.at = 1e9;
  rebuild();
  go(Math.round(share * (stops.length - 1)));
}

function remember() {
  const parts = [`step=${page.at + 1}`];
  if (page.key !== started) parts.push(`view=${encodeURIComponent(page.key)}`);
  if (page.by !== (DATA.walk ? "walk" : "edge")) parts.push(`by=${page.by}`);
  if (page.language !== preferred()) parts.push(`lang=${page.language}`);
  try {
    history.replaceState(null, "", `#${parts.join("&")}`);
  } catch { /* a page within a notebook has no address of its own */ }
}

const preferred = () => (navigator.language.toLowerCase().startsWith("zh") ? "zh" : "en");

function fromAddress() {
  const asked = new URLSearchParams(location.hash.slice(1));
  page.key = DATA.views[asked.get("view")] ? asked.get("view") : started;
  page.by = ["edge", "node", "walk"].includes(asked.get("by")) && (asked.get("by") !== "walk" || DATA.walk)
    ? asked.get("by") : DATA.walk ? "walk" : "edge";
  page.language = DATA.words[asked.get("lang")] ? asked.get("lang") : preferred();
  page.at = Math.max(0, (parseInt(asked.get("step"), 10) || 1) - 1);
  page.revealed = true;
  rebuild();
}
