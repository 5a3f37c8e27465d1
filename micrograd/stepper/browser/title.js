// A whole graph as one formula, for the heading: micrograd.stepper.expression.
const LONGEST_TITLE = 60, MOST_TITLED = 40; // characters, nodes; beyond, the root's name stands
function writtenOut(nodes, root, called) {
  const { name, op, unnamed } = nodes[root];
  if (!op) return called(root);
  if (nodes.length > MOST_TITLED) return name;
  const texts = nodes.map(node => called(node.id));
  for (const node of nodes.filter(node => node.op)) {
    texts[node.id] = formula(node, id => texts[id]);
    if ([...texts[node.id]].length > LONGEST_TITLE) return name;
  }
  return unnamed ? texts[root] : `${name} = ${texts[root]}`;
}
