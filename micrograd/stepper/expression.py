"""A whole graph as text: as one formula for titles, and as an expression that can be read again."""

from __future__ import annotations

import re
from collections.abc import Sequence

from micrograd.expressions import parse
from micrograd.graph import LEAF, Graph, snapshot
from micrograd.render.captions import names_of
from micrograd.render.formulas import with_names

LONGEST = 60  # characters; of a longer formula the root's name stands
MOST_NODES = 40
MOST_EDITED = 150  # nodes of a graph whose expression a page offers to change
OPERATORS = {
    "add": "{x} + {y}",
    "sub": "{x} - {y}",
    "mul": "{x} * {y}",
    "div": "{x} / {y}",
    "neg": "-{x}",
    "pow": "{x} ** {k}",
    "power": "{x} ** {y}",
}


def written_out(graph: Graph) -> str:
    """Return `f = (x + y) · max(y, z)`: the root's formula in the names of the leaves."""
    root, names = graph.roots[0], names_of(graph)
    if len(graph) > MOST_NODES or graph.ops[root] == LEAF:
        return names[root]
    texts = list(names)
    for id in (id for id, op in enumerate(graph.ops) if op != LEAF):
        texts[id] = with_names(graph, id, texts)
        if len(texts[id]) > LONGEST:
            return names[root]
    return f"{names[root]} = {texts[root]}" if graph.labels[root] else texts[root]


def source_of(graph: Graph) -> tuple[str, dict[str, float]]:
    """Return an expression and the point at which reading it gives this graph, else "" and {}.

    One formula where that names its parts alike, else an assignment for every labelled part.
    """
    at = {
        label: x
        for op, label, x in zip(graph.ops, graph.labels, graph.data)
        if op == LEAF and label
    }
    if len(graph) > MOST_EDITED or any(graph.scopes):
        return "", {}
    for apart in (False, True):
        text = _source(graph, apart)
        if text and _reads_as(text, at, graph):
            return text, at
    return "", {}


def _source(graph: Graph, apart: bool) -> str:
    """Return the graph as an expression, its labelled parts `apart` in statements of their own."""
    texts, statements = [_leaf(label, x) for label, x in zip(graph.labels, graph.data)], []
    for id, op in enumerate(graph.ops):
        if op == LEAF:
            continue
        texts[id] = _call(graph, id, texts)
        if len(texts[id]) > 100 * LONGEST:  # what is used often is written often
            return ""
        if apart and graph.labels[id] and id != graph.roots[0]:
            statements.append(f"{graph.labels[id]} = {texts[id]}")
            texts[id] = graph.labels[id]
    root, label = texts[graph.roots[0]], graph.labels[graph.roots[0]]
    named = f"{label} = {root}" if apart and label != root else root
    return "; ".join([*statements, named])


def _leaf(label: str, x: float) -> str:
    return label or re.sub(r"\.0$", "", repr(x))


def _call(graph: Graph, id: int, texts: Sequence[str]) -> str:
    op, k = graph.ops[id], graph.constants[id]
    operands = [texts[operand] for operand in graph.operands[id]]
    if op in OPERATORS:
        enclosed = [_enclosed(graph, operand, texts[operand]) for operand in graph.operands[id]]
        power = f"({k!r})" if (k or 0) < 0 else k
        return OPERATORS[op].format(**dict(zip("xy", enclosed)), k=power)
    return f"{op}({', '.join([*operands, *([repr(k)] if k is not None else [])])})"


def _enclosed(graph: Graph, operand: int, text: str) -> str:
    loose = graph.ops[operand] in OPERATORS and not text.isidentifier()
    return f"({text})" if loose or text.startswith("-") else text


def _reads_as(text: str, at: dict[str, float], graph: Graph) -> bool:
    try:
        other = snapshot(parse(text, at))
    except ValueError:
        return False
    columns = ("ops", "operands", "constants", "labels", "data")
    return all(repr(getattr(other, name)) == repr(getattr(graph, name)) for name in columns)
