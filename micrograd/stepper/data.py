"""What the page is told about a graph: plain data, every number from the engine's own record."""

from __future__ import annotations

from typing import Any

from micrograd.graph import HANDMADE, LEAF, Graph
from micrograd.ops import BY_NAME, WEIGHTED_SUM
from micrograd.render.captions import names_of
from micrograd.render.formulas import shape
from micrograd.stepper.geometry import views
from micrograd.stepper.trace import engine_steps
from micrograd.stepper.walk import Walk
from micrograd.stepper.words import INTERFACE, SENTENCES, operation


def page_data(graph: Graph, walk: Walk | None, seed: float) -> dict[str, Any]:
    """Return nodes, steps, views and words; a node is [kind, operands, name, value]."""
    symbols = [value._op for value in graph.values]
    columns = [*zip(graph.ops, graph.constants, symbols)]
    kinds = {kind: i for i, kind in enumerate(dict.fromkeys(columns))}
    names = names_of(graph)
    ids = graph.ids
    return {
        "root": graph.roots[0],
        "seed": seed,
        "kinds": [_kind(*kind) for kind in kinds],
        "nodes": [
            [kinds[column], graph.operands[id], names[id], graph.data[id]]
            for id, column in enumerate(columns)
        ],
        "unnamed": [id for id, label in enumerate(graph.labels) if not label],
        "steps": [[ids[step.node], *step[2:]] for step in engine_steps(graph, seed)],
        **views(graph),
        "walk": walk.data(graph) if walk else None,
        "sentences": SENTENCES,
        "words": INTERFACE,
    }  # fmt: skip


def _kind(op: str, k: float | None, symbol: str) -> dict[str, Any]:
    """Return what the page has to know about the nodes of one operation and constant."""
    kind: dict[str, Any] = {"op": op, "word": operation(op, symbol), "symbol": symbol}
    if op in (LEAF, HANDMADE):
        return kind
    row = BY_NAME[op]
    kind |= {"role": row.role, "k": k}
    if row is not WEIGHTED_SUM:
        kind["shown"], kind["locals"] = shape(op, k)
    return kind
