// A whole graph as one formula, for the heading: micrograd.stepper.expression.
const LONGEST_TITLE = 60, MOST_TITLED = 40; // characters, nodes; beyond, the root's name stands
const BINDS = { add: 1, sub: 1, weighted_sum: 1, mul: 2, div: 2, neg: 3, pow: 4, power: 4 }, CALLS = 5;

function writtenOut(nodes, root) {
  const { name, op, unnamed } = nodes[root], texts = nodes.map(node => node.name);
  if (nodes.length > MOST_TITLED || !op) return name;
  for (const node of nodes.filter(node => node.op)) {
    texts[node.id] = formula(node, enclosed(nodes, node, texts));
    if ([...texts[node.id]].length > LONGEST_TITLE) return name;
  }
  return unnamed ? texts[root] : `${name} = ${texts[root]}`;
}

// Return the texts of operands, those of loosely binding ones in brackets.
function enclosed(nodes, node, texts) {
  const level = BINDS[node.op] ?? CALLS;
  return id => {
    const inner = BINDS[nodes[id].op] ?? CALLS, right = node.operands.lastIndexOf(id) > 0;
    const loose = inner < level || (inner === level && right && (node.op === "sub" || node.op === "div"));
    return loose && level < CALLS ? `(${texts[id]})` : texts[id];
  };
}
