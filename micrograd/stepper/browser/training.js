// A recorded training: its frames hold the parameters before some of its steps. The page puts them
// in the graph of one sample, in that of all points, and in that of every place of the plane.
const WHOLE = { kind: "done", nodes: [], fire: [] }; // all of both passes is known
const LEAST_MOVE = 1e-3, LEAST_STEPS = 10, SHARE = 0.1; // a loss that moves less, over so much, stands still
const MOST_DEAD = 4; // units named

const training = DATA.training && {
  ...DATA.training, frame: 0, sample: 0, numbers: floatsOf(DATA.training.frames), losses: DATA.training.losses.map(Number),
  plays: { count: () => training.at.length, at: () => training.frame, stop: () => WHOLE, pace: 1 / 8,
    go: frame => { training.frame = frame; showFrame(); } },
};

function floatsOf(letters) {
  const bytes = Uint8Array.from(atob(letters), letter => letter.charCodeAt(0)), view = new DataView(bytes.buffer);
  return Float32Array.from({ length: bytes.length / 4 }, (_, i) => view.getFloat32(4 * i, true));
}

function beginTraining() {
  const { nodes } = graph, { points, targets, output } = training, count = points.length;
  const column = numbers => Float64Array.from(numbers), places = placesOf(extentOf(points));
  const own = [...[0, 1].map(i => column(points.map(point => point[i]))), column(targets)];
  const leaves = [...training.inputs, training.target];
  Object.assign(training, { over: new Columns(ROWS, nodes, count), across: new Columns(ROWS, nodes.slice(0, Math.max(output,
    ...training.units.map(([id]) => id)) + 1), ACROSS * DOWN),
    given: new Map(leaves.map((id, i) => [id, own[i]])), places: new Map(training.inputs.map((id, i) => [id, places[i]])),
    plane: new Plane($("plane"), points, targets, sample => chooseSample(sample)),
    curve: new Curve($("curve"), training.losses, step => seek(step)) });
  $("sample").addEventListener("change", () => chooseSample(Number($("sample").value)));
  $("plays").addEventListener("change", () => playing($("plays").value === "passes"));
  $("theme").addEventListener("change", showPlane);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", showPlane);
  $("tiles").replaceChildren(...tiles());
  $("tiles").style.setProperty("--layers", $("tiles").children.length / 2);
}

// Take the buttons and keys to the sample's passes, or back to the training.
function playing(passes) {
  play(false);
  track = passes ? byStops : training.plays;
  $("plays").value = passes ? "passes" : "training";
  if (passes) listing();
  redraw(); // its columns stand closer while the training is played
}

function seek(step) {
  if (track !== training.plays) playing(false);
  go(nearest(training.at.map(at => [at, 0]), [step, 0]));
}

function chooseSample(sample) {
  training.sample = sample;
  showFrame();
}

// The parameters of a frame, and the sample's numbers, by leaf.
function leavesNow() {
  const { parameters, frame, numbers, inputs, points, sample, target, targets } = training;
  const at = frame * parameters.length, now = parameters.map((id, i) => [id, numbers[at + i]]);
  inputs.forEach((id, i) => now.push([id, points[sample][i]]));
  return new Map([...now, [target, targets[sample]]]);
}

// Return both passes over one sample, with nan where the engine has no value or slope.
function recordAt(number) {
  const { nodes, root, recorded: { seed } } = graph, data = [];
  for (const node of nodes)
    data.push(node.operands.length ? safely(() => evaluate(ROWS, node, data)) : number(node.id));
  const locals = node => safely(() => localGradients(ROWS, nodes, node, data)) || node.operands.map(() => NaN);
  return { data, root, seed, steps: swept(nodes, root, seed, locals, {}) };
}

// Compute everything of a frame anew, and show it.
function showFrame() {
  const leaves = leavesNow(), number = id => leaves.get(id) ?? graph.nodes[id].value;
  Object.assign(page, { edited: leaves, record: recordAt(number) });
  training.over.run(id => training.given.get(id) ?? number(id));
  training.across.run(id => training.places.get(id) ?? number(id));
  training.mean = training.over.of(graph.root).reduce((total, x) => total + x, 0) / training.points.length;
  training.dead = training.units.filter(([id]) => isDead(id)).map(([, name]) => name);
  teller.model.record = page.record;
  showPlane();
  training.curve.show(training.at[training.frame]);
  $("sample").value = training.sample;
  if (track === byStops) listing();
  show();
}

const isRelu = id => graph.nodes[id].op === "relu";
const isDead = id => isRelu(id) && training.over.of(id).every(x => x === 0);

function showPlane() {
  const { across, output, boundary, sample, plane, units } = training;
  const colours = ["above", "below"].map(side => getComputedStyle($(`is-${side}`)).color.match(/[\d.]+/g).slice(0, 3).map(Number));
  $("is-level").hidden = !plane.show(across.of(output).map(x => x - boundary), sample, colours);
  [...$("tiles").querySelectorAll("figure")].forEach((tile, i) => {
    const [id, name] = units[i], numbers = across.of(id), most = numbers.reduce((m, x) => Math.max(m, Math.abs(x) || 0), 0);
    paint(tile.querySelector("canvas"), numbers, most, colours);
    const dead = training.dead.includes(name);
    tile.classList.toggle("dead", dead);
    tile.setAttribute("aria-label", dead ? fill(words()["unit.dead"], { name }) : name);
    tile.title = tile.getAttribute("aria-label");
  });
}

// A small plane for every unit, those of a layer in a row.
function tiles() {
  const layers = Map.groupBy(training.units, ([, name]) => name.split(" / ").slice(0, -1).join(" / "));
  return [...layers].flatMap(([layer, units]) => {
    const row = made("div", "", "tiles"), figures = units.map(() => {
      const tile = made("figure");
      tile.setAttribute("role", "img");
      tile.append(made("canvas"));
      return tile;
    });
    row.append(...figures);
    return [made("span", layer), row];
  });
}

const brief = x => shown(Number(x.toPrecision(3)));

function trainingWords() {
  const said = words(), { points, targets } = training;
  document.querySelector(".keys").textContent = said["training.keys"];
  const option = ([x, y], i) => new Option(fill(said["which.one"], { number: i + 1, x: brief(x), y: brief(y) }), i);
  $("sample").replaceChildren(...points.map(option));
  $("sample").value = training.sample;
  const [below, above] = [Math.min(...targets), Math.max(...targets)].map(t => `t = ${shown(t)}`);
  $("is-above").textContent = `● ${above}`;
  $("is-below").textContent = `■ ${below}`;
  $("is-boundary").textContent = `━ ${fill(said.boundary, { level: shown(training.boundary) })}`;
  $("is-level").textContent = `┄ ${said.level}`;
  $("curve-name").textContent = said[training.curve.log ? "curve.log" : "curve"];
  [$("least").textContent, $("most").textContent] = training.curve.ends.map(shown);
}

// What the panel says of a frame: heading, chips, and why the loss stands still.
function tellFrame() {
  const said = words(), { at, frame, over, dead, losses, mean } = training, step = at[frame];
  $("heading").textContent = fill(said["training.step"], { step, steps: losses.length });
  const relu = training.units.filter(([id]) => isRelu(id)).length;
  const chips = [["sum", said.mean, shown(mean), fill(said["mean.of"], { count: over.count })], ["value", said.sided, fill(said["dead.of"], { count: sided(), all: over.count })]];
  const trained = losses[step] ?? losses.at(-1);
  if (differs(trained, mean)) chips.splice(1, 0, ["sum", said.trained, shown(trained), said["trained.of"]]);
  if (relu) chips.push(["gradient", said.dead, fill(said["dead.of"], { count: dead.length, all: relu })]);
  $("chips").replaceChildren(row(chips));
  $("sentence").textContent = !finite(mean) ? said.lost : standing(step) + (deadWords() || sideWords());
  $("guess").hidden = $("all").hidden = true;
}

// Tell whether the loss that was trained on is another than the mean over the points.
const differs = (loss, mean) => Math.abs(loss - mean) > LEAST_MOVE * Math.max(Math.abs(loss), Math.abs(mean));

// Count the points on their side of the boundary: an output that is no number is on none.
function sided() {
  const { over, output, boundary, targets } = training, out = over.of(output), middle = (Math.max(...targets) + Math.min(...targets)) / 2;
  return targets.filter((t, i) => t > middle ? out[i] > boundary : out[i] <= boundary).length;
}

function deadWords() {
  const { dead } = training, said = words();
  if (dead.length === 1) return fill(said["dead.one"], { name: dead[0] });
  const names = dead.slice(0, MOST_DEAD).join(", ") + (dead.length > MOST_DEAD ? ", …" : "");
  if (dead.length) return fill(said["dead.why"], { names });
  return "";
}

function sideWords() {
  const strayed = training.over.count - sided();
  return fill(words()[strayed > 1 ? "strayed" : strayed ? "strayed.one" : "strayed.none"], { count: strayed });
}

// Say that the loss stands still, where it has not moved over the last tenth of all steps.
function standing(step) {
  const { losses } = training, span = Math.max(LEAST_STEPS, Math.ceil(SHARE * losses.length));
  const last = losses.slice(Math.max(0, step - span), step), most = Math.max(...last);
  const still = last.length === span && most > 0 && most - Math.min(...last) <= LEAST_MOVE * most;
  return still ? fill(words().still, { loss: shown(last.at(-1)) }) : "";
}

// The address: frame, sample, and what is played.
function rememberTraining(add) {
  if (training.frame) add("frame", training.frame + 1);
  if (training.sample) add("sample", training.sample + 1);
  if (track === byStops) add("plays", "passes");
}

function askedTraining(known) {
  const index = (key, count) => Number(known(key, value => /^[1-9]\d{0,8}$/.test(value) && value <= count) ?? 1) - 1;
  training.frame = index("frame", training.at.length);
  training.sample = index("sample", training.points.length);
  track = known("plays", value => value === "passes" || value === "training") === "passes" ? byStops : training.plays;
  $("plays").value = track === byStops ? "passes" : "training";
}
