"""A whole graph as one formula, for titles."""

from __future__ import annotations

from micrograd.graph import LEAF, Graph
from micrograd.render.captions import names_of
from micrograd.render.formulas import with_names

LONGEST = 60  # characters; of a longer formula the root's name stands
MOST_NODES = 40
BINDING = {"add": 1, "sub": 1, "weighted_sum": 1, "mul": 2, "div": 2, "neg": 3, "pow": 4,
           "power": 4}  # fmt: skip
CALL = 5


def written_out(graph: Graph) -> str:
    """Return `f = (x + y) · max(y, z)`: the root's formula in the names of the leaves."""
    root, names = graph.roots[0], names_of(graph)
    if len(graph) > MOST_NODES or graph.ops[root] == LEAF:
        return names[root]
    texts = list(names)
    for id in (id for id, op in enumerate(graph.ops) if op != LEAF):
        texts[id] = with_names(graph, id, _operands(graph, id, texts))
        if len(texts[id]) > LONGEST:
            return names[root]
    return f"{names[root]} = {texts[root]}" if graph.labels[root] else texts[root]


def _operands(graph: Graph, id: int, texts: list[str]) -> list[str]:
    """Return the texts, those of loosely binding operands in brackets."""
    level = BINDING.get(graph.ops[id], CALL)
    found = list(texts)
    for position, operand in enumerate(graph.operands[id]):
        inner = BINDING.get(graph.ops[operand], CALL)
        loose = inner < level or (inner == level and position and graph.ops[id] in ("sub", "div"))
        if loose and level < CALL:
            found[operand] = f"({texts[operand]})"
    return found
