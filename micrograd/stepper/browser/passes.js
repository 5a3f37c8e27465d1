// What the steps are: stops for a view of the graph, and what is known at each of them.
const NODE = 0, POSITION = 1, LOCAL = 2, UPSTREAM = 3, CONTRIBUTION = 4, TOTAL = 5;
const OTHERS = -1; // stands for what a picture of one sample of a batch leaves out

function ownersOf(view, nodes) {
  const owners = new Array(nodes.length).fill(OTHERS);
  view.boxes.forEach((box, place) => box.members.forEach(id => { owners[id] = place; }));
  return owners;
}

// Return the edges of a view by target: [source, target, [[user, position], ...]], one for each edge
// of the graph into a node, else one per source, as micrograd.render.view joins them.
function edgesOf(view, nodes) {
  const owners = ownersOf(view, nodes);
  return view.boxes.flatMap((box, target) => {
    const lines = new Map();
    for (const user of box.members)
      nodes[user].operands.forEach((operand, position) => {
        const source = owners[operand];
        if (source === OTHERS || source === target) return;
        const key = box.kind === "node" ? `${source} ${position}` : source;
        if (!lines.has(key)) lines.set(key, [source, target, []]);
        lines.get(key)[2].push([user, position]);
      });
    return [...lines.values()];
  });
}

// Group the places of the recorded contributions by the box of the node that hands them out.
function stepsByBox(steps, owners) {
  const found = new Map();
  steps.forEach((step, i) => {
    const place = owners[step[NODE]];
    if (!found.has(place)) found.set(place, []);
    found.get(place).push(i);
  });
  return found;
}

function boxOrder(view, owners) {
  const order = view.boxes.map((_, place) => place);
  if (owners.includes(OTHERS))
    order.splice(Math.max(0, view.boxes.findIndex(box => box.count)), 0, OTHERS);
  return order;
}

// Return the stops of a view: the inputs, every box forward, the seed, every box or edge backward.
function stopsOf(view, nodes, steps, root, by) {
  const owners = ownersOf(view, nodes), order = boxOrder(view, owners);
  const computed = new Map();
  nodes.forEach(node => {
    const place = owners[node.id];
    if (node.operands.length) computed.set(place, [...(computed.get(place) ?? []), node.id]);
  });
  const stops = [{ kind: "inputs", nodes: [], fire: [] }];
  for (const place of order)
    if (computed.has(place))
      stops.push({ kind: "forward", place, nodes: computed.get(place), fire: [] });
  stops.push({ kind: "seed", nodes: [root], place: owners[root], fire: [] });
  const fires = stepsByBox(steps, owners);
  for (const place of order.reverse()) {
    const fire = fires.get(place) ?? [], single = view.boxes[place]?.members.length === 1;
    const parts = single && by === "edge" ? fire.map(i => [i]) : fire.length ? [fire] : [];
    for (const part of parts) stops.push({ kind: "backward", place, nodes: [], fire: part });
  }
  return stops;
}

// Return the stops of a walk: everything forward at once, then what the walk names.
function walkStops(walk, view, nodes, steps, root) {
  const owners = ownersOf(view, nodes);
  return walk.stops.map((stop, number) => {
    const { node, position } = stop, arriving = position === null;
    const fire = [];
    steps.forEach((step, i) => {
      const operand = nodes[step[NODE]].operands[step[POSITION]];
      if (arriving ? operand === node : step[NODE] === node && step[POSITION] === position)
        fire.push(i);
    });
    return { kind: arriving ? "seed" : "backward", walk: stop, place: owners[node], fire,
      nodes: arriving ? [node] : [], known: number === 0, root };
  });
}

// Return what is known once stops[0..last] are done: values, gradients, contributions, and how
// many contributions a gradient still waits for.
function stateAt(stops, last, record, nodes, exact) {
  const known = new Set(nodes.filter(n => !n.operands.length).map(n => n.id));
  const grads = new Map(), handed = new Map(), left = new Map(), later = laterOf(record.steps, nodes);
  for (const stop of stops.slice(0, last + 1)) {
    if (stop.known) nodes.forEach(node => known.add(node.id));
    if (stop.kind === "forward") stop.nodes.forEach(id => known.add(id));
    if (stop.kind === "seed" && stop.nodes[0] === record.root) grads.set(record.root, record.seed);
    for (const i of stop.fire) {
      const step = record.steps[i], key = `${step[NODE]}:${step[POSITION]}`;
      const operand = nodes[step[NODE]].operands[step[POSITION]];
      if (handed.has(key)) { // a walk comes by again: nothing is added
        handed.set(key, { ...step, total: grads.get(operand), left: left.get(operand) });
        continue;
      }
      const total = exact ? step[TOTAL] : (grads.get(operand) ?? 0) + step[CONTRIBUTION];
      const waits = exact ? later.after[i] : (left.get(operand) ?? later.all.get(operand)) - 1;
      handed.set(key, { ...step, before: grads.get(operand), total, left: waits });
      grads.set(operand, total);
      left.set(operand, waits);
    }
  }
  return { known, grads, handed, left };
}

// Return how many contributions each operand gets, and how many of them come after each step.
const LATER = new WeakMap(); // by the steps: every stop asks

function laterOf(steps, nodes) {
  if (!LATER.has(steps)) LATER.set(steps, countedLater(steps, nodes));
  return LATER.get(steps);
}

function countedLater(steps, nodes) {
  const all = new Map(), after = new Array(steps.length);
  for (let i = steps.length - 1; i >= 0; i--) {
    const operand = nodes[steps[i][NODE]].operands[steps[i][POSITION]], count = all.get(operand) ?? 0;
    after[i] = count;
    all.set(operand, count + 1);
  }
  return { all, after };
}

// Return the nodes that the page was told of; what has no label is called as in the picture.
function nodesOf({ nodes, kinds }) {
  const given = new Set(nodes.map(node => node[3])); // nan and inf are strings in JSON
  const typed = kinds.map(kind => (typeof kind.k === "string" ? { ...kind, k: Number(kind.k) } : kind));
  return nodes.map(([kind, operands, value, name, label], id) =>
    namedNode(id, typed[kind], operands, Number(value), name, given, label));
}

// `short` is the label as it is shown, `label` the whole of it.
function namedNode(id, kind, operands, value, short, given, label = short) {
  const unnamed = short === undefined, number = given.has(`v${id}`) ? `v${id}_` : `v${id}`;
  const name = short ?? (operands.length ? number : shown(value));
  return { ...kind, id, operands, name, label, value, unnamed, constant: unnamed && !operands.length };
}

// Return what the engine recorded: its numbers, and those that follow from them by its own rule.
function recordOf(data, nodes) {
  const seed = Number(data.seed);
  let done = 0;
  const localsOf = ({ operands }) => operands.map(() => Number(data.locals[done++]));
  return { data: nodes.map(n => n.value), root: data.root, seed,
    steps: swept(nodes, data.root, seed, localsOf, data.handed) };
}
