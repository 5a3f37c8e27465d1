// What the picture shows at a stop: a dash stands for what is not known yet.
const linkKey = step => `${step[NODE]}:${step[POSITION]}`;

function frameOf(stop) {
  const owners = ownersOf(view(), graph.nodes), mask = hidden();
  const received = new Set(stop.fire.map(i => teller.step(i).operand));
  if (stop.kind === "seed") received.add(stop.nodes[0]);
  const used = new Set(stop.fire.length === 1
    ? suppliers(teller.step(stop.fire[0]).node, teller.step(stop.fire[0]).position) : []);
  const fires = new Set(stop.fire.map(i => linkKey(page.record.steps[i])));
  const firing = links => links.some(link => fires.has(link.join(":")));
  const places = new Set([...received].map(id => owners[id]));
  const text = (id, isKnown, value, fresh) => (!isKnown ? "–" : mask && fresh ? "?" : shown(value));
  return {
    places: [stop.place, ...places].filter(place => place >= 0),
    edges: view().edges.flatMap(([, target, links], i) => (target === stop.place && firing(links) ? [i] : [])),
    box(place) {
      const box = view().boxes[place], gives = stop.kind === "backward" && place === stop.place;
      const forward = stop.kind === "forward" && place === stop.place;
      const roles = { forward, gives, receives: places.has(place) && !gives };
      const id = box.members.length === 1 ? box.members[0]
        : box.outputs?.length === 1 ? box.outputs[0] : undefined;
      if (id === undefined) return { ...roles, value: "", of: "", grad: "" };
      const node = other => text(other, state.known.has(other), page.record.data[other], forward);
      const slope = other => text(other, state.grads.has(other), state.grads.get(other), received.has(other));
      return { ...roles, node, slope, used: used.has(id), of: teller.gradient(id, state),
        value: text(id, state.known.has(id), page.record.data[id], forward),
        grad: text(id, state.grads.has(id), state.grads.get(id), received.has(id)) };
    },
    edge(i) {
      const [, target, links] = view().edges[i];
      const handed = links.map(link => state.handed.get(link.join(":"))).filter(Boolean);
      const operands = new Set(links.map(([user, position]) => graph.nodes[user].operands[position]));
      const sum = handed.reduce((total, h) => total + h[CONTRIBUTION], 0);
      const single = handed.length === 1 ? handed[0][CONTRIBUTION] : sum;
      return {
        active: firing(links) ? "backward" : stop.kind === "forward" && target === stop.place ? "forward" : "",
        pill: !handed.length || operands.size > 1 ? "" : mask && firing(links) ? "?" : shown(single),
        times: firing(links) && links.length === 1 ? `×${term(shown(handed[0][LOCAL]))}` : "",
      };
    },
  };
}
