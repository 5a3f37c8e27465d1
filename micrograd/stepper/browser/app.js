// The page: the graph it shows, and what is seen at each of its steps.
const $ = id => document.getElementById(id);
const DATA = JSON.parse($("data").textContent);
let graph = graphOf(DATA);
const page = { key: graph.start, by: "edge", at: 0, language: "", predict: false,
  revealed: true, timer: 0, record: graph.recorded, edited: new Map(), damaged: [] };

// Return the graph that the page was told of. Members of boxes come as runs: first, length, ...
function graphOf(data) {
  const nodes = nodesOf(data), { root, views, walk } = data;
  for (const { boxes } of Object.values(views))
    for (const box of boxes)
      box.members = box.members.flatMap((first, i, runs) =>
        i % 2 ? [] : Array.from({ length: runs[i + 1] }, (_, n) => first + n));
  const start = walk && views.full ? "full" : data.start;
  return { nodes, root, views, start, walk, recorded: recordOf(data, nodes), program: data.program, given: true };
}

const words = () => DATA.words[page.language];
const view = () => {
  const seen = graph.views[page.key];
  seen.edges ??= edgesOf(seen, graph.nodes);
  return seen;
};
const hidden = () => page.predict && !page.revealed && track === byStops;
const firstBy = () => (graph.walk ? "walk" : "edge");
// Tell whether the steps go the engine's way, whose sums they then show: a walk has its own order.
const exact = () => page.by !== "walk" && !view().boxes.some(box => box.members.length > 1);
let stops, state, teller, picture;

// What buttons, keys and scrub bar go through: the stops of the two passes, unless a training is played.
const byStops = { count: () => stops.length, at: () => page.at, stop: () => stops[page.at], pace: 1,
  go: at => { page.at = at; page.revealed = !page.predict || at === 0; show(); } };
let track = byStops;

// Show another graph, from its first step.
function replace(next) {
  play(false);
  graph = next;
  Object.assign(page, { key: graph.start, by: firstBy(), at: 0, record: graph.recorded, edited: new Map(), damaged: [] });
  page.revealed = true;
}

// Make everything anew that depends on the graph, the view, the language, or the kind of step.
function rebuild() {
  interfaceWords();
  remake(rest);
}

// Make anew what depends on the graph; `others` sees to what is out of sight.
function remake(others) {
  const model = { nodes: graph.nodes, record: page.record, view: view(), root: graph.root, language: page.language };
  teller = new Teller(model, words(), DATA.sentences[page.language]);
  stops = page.by === "walk"
    ? walkStops(graph.walk, view(), graph.nodes, graph.recorded.steps, graph.root)
    : stopsOf(view(), graph.nodes, graph.recorded.steps, graph.root, page.by);
  page.at = Math.min(page.at, stops.length - 1);
  viewWords();
  draw();
  leaves();
  others();
  if (graph.program) listLines();
  if (DATA.training) showFrame();
  else show();
}

function draw() {
  picture = new (view().plan ? NetworkPicture : Picture)($("picture"), view(), { label: words().picture, value: words().value,
    box: box => teller.box(box), open: key => choose({ key }) });
}

// Draw the picture anew, and the step it shows; the keys stay at the badge they were at.
function redraw() {
  const focused = picture.boxes.findIndex(({ made }) => made?.group.contains(document.activeElement));
  draw();
  if (!waiting) picture.reveal(true);
  show();
  picture.boxes[focused]?.made?.group.querySelector("[tabindex]").focus({ preventScroll: true });
}

function interfaceWords() {
  document.documentElement.lang = page.language === "zh" ? "zh-Hans" : "en";
  for (const e of document.querySelectorAll("[data-text]")) e.textContent = words()[e.dataset.text];
  for (const e of document.querySelectorAll("[data-label]"))
    e.setAttribute("aria-label", words()[e.dataset.label]);
  $("by").querySelector("[value=walk]")?.remove();
  if (graph.walk) $("by").append(new Option(graph.walk.name[page.language] ?? graph.walk.name.en, "walk"));
  $("by").value = page.by;
  $("language").value = page.language;
  if (DATA.playground) exampleWords();
  if (DATA.training) trainingWords();
}

// What views there are to choose from.
function viewWords() {
  const levels = Object.keys(graph.views).filter(key => !graph.views[key].closes);
  $("view").replaceChildren(...levels.map(key => new Option(words()[`level.${key}`], key)));
  $("view").value = page.key.split("|")[0];
  $("viewing").hidden = levels.length < 2 && !view().closes;
  $("close").hidden = !view().closes;
}

// Show the current stop.
function show() {
  const stop = track.stop(), place = `${track.at() + 1} / ${track.count()}`;
  state = stateAt(stops, track === byStops ? page.at : stops.length - 1, page.record, graph.nodes, exact());
  if (track === byStops) tell(stop);
  else tellFrame();
  $("scrub").max = track.count();
  $("scrub").value = track.at() + 1;
  $("scrub").setAttribute("aria-valuetext", fill(words().heading, { step: place, what: $("heading").textContent }));
  $("place").textContent = place;
  $("first").disabled = $("back").disabled = track.at() === 0;
  $("last").disabled = track.at() === track.count() - 1;
  $("next").disabled = $("last").disabled && !hidden();
  $("play").textContent = words()[page.timer ? "pause" : "play"];
  $("title").textContent = titleOf();
  $("inputs").textContent = inputs();
  document.title = `${$("title").textContent} · ${words()["page.title"]}`;
  picture.update(frameOf(stop));
  if (graph.program) showLines(stop);
  mark();
  remember();
}

// Say what happens at a stop.
function tell(stop) {
  $("all").hidden = false;
  $("heading").textContent = teller.heading(stop);
  $("sentence").textContent = hidden() ? teller.question(stop) : teller.sentence(stop, state);
  $("chips").replaceChildren(...teller.rows(stop, state, hidden()).map(row));
  $("guess").hidden = !hidden();
  $("answer").parentElement.hidden = teller.answer(stop) === undefined;
  $("guess").querySelector("button").hidden = teller.answer(stop) === undefined;
}

// Return the heading: the one the page was made with, or what the graph computes.
function titleOf() {
  if (DATA.title && graph.given) return DATA.title[page.language] ?? DATA.title.en;
  return writtenOut(graph.nodes, graph.root, id => teller.name(id));
}

function inputs() {
  const some = graph.nodes.filter(n => !n.operands.length && !n.constant);
  if (!some.length || some.length > 6) return "";
  const list = some.map(n => `${n.name} = ${shown(page.record.data[n.id])}`);
  return `${words().at} ${list.join(", ")}`;
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

function go(at) {
  track.go(Math.max(0, Math.min(track.count() - 1, at)));
}

function next() {
  if (hidden()) return reveal();
  return ended() ? play(false) : go(track.at() + 1);
}

const ended = () => track.at() === track.count() - 1;

function reveal() {
  page.revealed = true;
  show();
}

function play(on) {
  clearInterval(page.timer);
  $("live").setAttribute("aria-live", on && track.pace < 1 ? "off" : "polite"); // too quick to be read out
  page.timer = 0;
  if (on) {
    if (ended()) go(0);
    page.timer = setInterval(() => (ended() && !hidden() ? play(false) : next()), Number($("speed").value) * track.pace);
  }
  $("play").textContent = words()[page.timer ? "pause" : "play"];
}

// Change the view or the kind of step, staying at the same share of the way.
function choose(change) {
  const share = page.at / Math.max(1, stops.length - 1);
  Object.assign(page, change, { damaged: [] });
  page.at = 1e9;
  rebuild();
  byStops.go(Math.round(share * (stops.length - 1)));
}
