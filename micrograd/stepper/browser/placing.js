// A view of a graph, and where it is drawn: left to right, or top to bottom for a narrow frame.
const WIDTH = 172, NARROW = 122, HEIGHT = 94; // of a box; narrow top to bottom
const PORT = 27; // between the edges that enter a box, so that their numbers do not touch
const ROOM = 64, ROOM_DOWN = 28; // for the number on an edge
const MOST_TURNED = 3; // edges into a box, where a view may run top to bottom

// Return the view that has a box for every node.
function fullView(nodes) {
  const order = [...nodes].sort((a, b) => !!a.operands.length - !!b.operands.length || a.id - b.id);
  const places = new Map(order.map(({ id }, place) => [id, place]));
  const boxes = order.map(({ id, operands }) => ({ kind: operands.length ? "node" : "leaf", members: [id] }));
  const edges = order.flatMap(({ id, operands }, place) =>
    operands.map((operand, position) => [places.get(operand), place, [[id, position]]]));
  return { level: "full", boxes, edges, closes: "", opens: boxes.map(() => "") };
}

// Return the number of edges into every box.
function portsOf({ boxes, edges }) {
  const ports = boxes.map(() => 0);
  for (const [, target] of edges) ports[target]++;
  return ports;
}

// Return sizes and links of a view, for the layout; `turned` swaps the sides of the boxes.
function measured(view, turned) {
  const ports = portsOf(view), entered = ports.map(() => 0);
  const sizes = ports.map(n => (turned ? [HEIGHT, NARROW] : [WIDTH, Math.max(HEIGHT, PORT * (n + 1))]));
  const links = view.edges.map(([source, target]) =>
    [source, target, entered[target]++, turned ? ROOM_DOWN : ROOM]);
  return [sizes, links];
}

// Return the places of a view's boxes and the paths of its edges.
function placed(view, turned) {
  const [sizes, links] = measured(view, turned), { size, boxes, paths } = layout(sizes, links);
  if (!turned) return { size, boxes, paths };
  return { size: size.reverse(), boxes: boxes.map(([x, y, width, height]) => [y, x, height, width]),
    paths: paths.map(path => path.map(([x, y]) => [y, x])) };
}

const turnable = view => Math.max(0, ...portsOf(view)) <= MOST_TURNED;
