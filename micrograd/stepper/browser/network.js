// The network view: neurons as circles with a, z and δ, weights on the edges. Python has placed it.
const NAME_ROOM = 20; // above a circle
const LEAST_GAP = 20; // between columns
const ROW_ROOM = [74, 82, 72]; // in a circle
const STEPS = [0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.2, 0.1, 0.35, 0.45, 0.55, 0.65, 0.75, 0.85]; // of its way, where else that may stand
const BESIDE = 70; // from a weight to the contribution that goes back past it

const widthOfWeight = w => 0.4 + 2 * Math.min(1, Math.abs(w) / 1.5 || 0); // of its line, in pixels

// Return a plan with its columns moved together until it is no wider than `room`, without what
// is written between them; the plan itself where it fits, or the columns would touch.
function narrowed(plan, room) {
  const ends = plan.units.map(([, x, , width]) => [x - width / 2, x + width / 2]).sort((a, b) => a[0] - b[0]);
  const gaps = []; // [left, width] of each stretch with nothing in it
  ends.reduce((right, [left, end]) => {
    if (left > right) gaps.push([right, left - right]);
    return Math.max(right, end);
  }, 0);
  const spare = ([, width]) => Math.max(0, width - LEAST_GAP), total = chosen => chosen.reduce((sum, gap) => sum + spare(gap), 0);
  const cut = (plan.size[0] - room) / total(gaps); // of what each gap has to spare
  if (!(cut > 0 && cut <= 1)) return plan;
  const moved = x => x - cut * total(gaps.filter(([left]) => left < x));
  return { ...plan, size: [room, plan.size[1]], spots: [],
    units: plan.units.map(([kind, x, ...others]) => [kind, moved(x), ...others]) };
}

class NetworkPicture extends Picture {
  // While a training is played the network is seen whole; its passes are followed from place to place.
  get plan() {
    if (!DATA.training || track === byStops) return this.view.plan;
    return this.whole ??= narrowed(this.view.plan, this.frame[0] / Camera.least(this.frame) - 2 * MARGIN);
  }

  places() {
    const { size, units } = this.plan;
    const boxes = units.map(([, x, y, width, height]) => [x - width / 2, y - height / 2, width, height]);
    const mid = i => units[i][2] + (units[i][0] === "neuron" ? NAME_ROOM / 2 : 0);
    const paths = this.view.edges.map(([source, target]) => [
      [boxes[source][0] + boxes[source][2], mid(source)], [boxes[target][0], mid(target)]]);
    return { size, boxes, paths };
  }

  edge([from, to], i) {
    const group = element("g", { class: "wire" });
    return { group, ends: [from, to], ...this.numbers([from, to], i), line: element("path", { class: "edge", d: `M${from}L${to}` }, group), arrow: arrow(group, to, false, false),
      back: later(() => arrow(group, from, false, true)) };
  }

  numbers(points, i) {
    const numbers = super.numbers(points), spot = this.plan.spots[i];
    if (spot) numbers.at = [spot[0] + BESIDE, spot[1]];
    const weight = spot && this.plan.weights[i] >= 0 ? { pill: super.numbers(points).times, at: spot } : undefined;
    return { ...numbers, weight };
  }

  box(box, place) {
    const [kind, , , width, height] = this.plan.units[place], [x, y] = this.placed.boxes[place];
    const told = this.say.box(box), group = element("g", { transform: `translate(${x} ${y})`, class: kind });
    const round = kind === "neuron" || kind === "dot", top = kind === "neuron" ? NAME_ROOM : 0;
    if (round) element("circle", { class: "box", cx: width / 2, cy: top + (height - top) / 2, r: width / 2 }, group);
    else element("rect", { class: "box", width, height, rx: Math.min(19, height / 2) }, group);
    const hint = element("title", {}, group, told.title);
    const text = (cls, at, anchor, x) => element("text", { class: cls, x, y: at, "text-anchor": anchor }, group);
    const [name, rows] = kind === "neuron" ? [text("name", 14, "middle", width / 2),
      [53, 70, 87].map((at, i) => text(i < 2 ? "v" : "g", at, "middle", width / 2))]
      : [text("name", height / 2 + 5, "start", 12), [kind === "slim" ? height / 2 + 5 : 17, 33].map((at, i) =>
        text(i ? "g" : "v", at, "end", width - 12))];
    name.textContent = kind === "dot" ? "" : fit(told.name, "700 14px", kind === "neuron" ? width + 20 : told.single ? 90 : width - 24);
    const beside = width - 32 - widthOf(name.textContent, "700 14px"), rooms = round ? ROW_ROOM : [beside, beside];
    return { group, hint, told, kind, rows, rooms };
  }

  fill({ group, hint, told, kind, rows, rooms }, shown, place) {
    const [z, b] = this.plan.units[place].slice(5), neuron = z >= 0;
    const lines = neuron ? [`a ${shown.value}`, `z ${shown.node(z)}`, `δ ${shown.slope(z)}`] : [shown.value, shown.grad];
    if (kind !== "dot") rows.forEach((row, i) => {
      write(row, kind === "slim" && i ? "" : lines[i]);
      squeeze(row, "14px", rooms[i]);
      row.classList.toggle("used", i === 0 && !!shown.used);
    });
    const bias = b >= 0 ? [`b ${shown.node(b)}`] : [];
    write(hint, [told.title, ...lines, ...bias].filter(Boolean).join("\n"));
    playRoles(group, shown);
  }

  flow(edge, { active, pill }, i) {
    this.activate(edge, active, active === "forward");
    const weight = page.record.data[this.plan.weights[i]];
    if (weight !== undefined) edge.line.style.setProperty("--wide", widthOfWeight(weight));
    edge.says = { weight: edge.weight ? shown(weight) : "", pill: active === "backward" && this.plan.spots[i] ? pill : "" };
    if (!edge.says.pill) this.write(edge.pill, edge.at, "");
    if (edge.weight) this.write(edge.weight.pill, edge.weight.at, edge.says.weight);
  }

  // Write the contributions that go back, last: where the weights leave room for all of them.
  locals() {
    const edges = this.edges.flatMap(({ made }) => (made?.says ? [made] : [])), giving = edges.filter(({ says }) => says.pill);
    const numbers = edges.filter(({ weight }) => weight).map(({ weight, says }) => extent(weight.at, says.weight));
    const places = giving.map(({ at, ends: [from, to], says }) => {
      const place = this.free([at, ...STEPS.map(share => from.map((x, i) => x + (to[i] - x) * share))], says.pill, numbers);
      if (place) numbers.push(extent(place, says.pill));
      return place;
    });
    const room = places.every(place => place);
    giving.forEach(({ pill, at, says }, i) => this.write(pill, places[i] ?? at, room ? says.pill : ""));
  }
}
