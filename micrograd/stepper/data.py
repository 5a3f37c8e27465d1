"""What the page is told about a graph: plain data, every number from the engine's own record."""

from __future__ import annotations

from typing import Any

from micrograd.core.numbers import number
from micrograd.engine import Step
from micrograd.graph import HANDMADE, LEAF, Graph
from micrograd.ops import BY_NAME, WEIGHTED_SUM
from micrograd.render.captions import NAME, names_of
from micrograd.render.formulas import shape, symbol_of
from micrograd.render.text import brief
from micrograd.stepper.array_program import ArrayProgram, named, program_data
from micrograd.stepper.interface import INTERFACE, LINES, PROGRAM
from micrograd.stepper.trace import engine_steps
from micrograd.stepper.views import views
from micrograd.stepper.walk import Walk
from micrograd.stepper.words import SENTENCES, operation


def page_data(
    recorded: Graph, walk: Walk | None, seed: float, program: ArrayProgram | None = None
) -> dict[str, Any]:
    """Return nodes, steps, views and words.

    The steps go through the nodes from the last to the first and through each one's operands, as
    the engine's do: `locals` holds what the page cannot know, the local gradients, and `handed`
    the contributions, by their place, that are not upstream × local.
    """
    graph = named(recorded, program)
    steps = engine_steps(graph, seed)
    return {
        "root": graph.roots[0],
        "seed": number(seed),
        **node_data(graph),
        "locals": [step.local for step in steps],
        "handed": {i: step.contribution for i, step in enumerate(steps) if _own(step)},
        **views(recorded),
        "walk": walk.data(graph) if walk else None,
        "sentences": SENTENCES,
        "words": INTERFACE,
        **(_lines(program, graph) if program else {}),
    }


def node_data(graph: Graph) -> dict[str, Any]:
    """Return the kinds of node, and the nodes: [kind, operands, value, name and label if any]."""
    symbols = [symbol_of(graph, id) for id in range(len(graph))]
    fixed = [value.constant for value in graph.values]
    columns = [*zip(graph.ops, graph.constants, symbols, fixed)]
    kinds = {kind: i for i, kind in enumerate(dict.fromkeys(columns))}
    names = names_of(graph)
    nodes = [
        [kinds[column], graph.operands[id], graph.data[id], *_called(label, names[id])]
        for id, (column, label) in enumerate(zip(columns, graph.labels))
    ]
    return {"kinds": [_kind(*kind) for kind in kinds], "nodes": nodes}


def _called(label: str, name: str) -> list[str]:
    """Return nothing, a label as it is shown, or that and the whole of one that can be typed."""
    if not label:
        return []
    changed = name != label and name == brief(label, NAME)
    return [name, label] if changed and label.isidentifier() else [name]


def _own(step: Step) -> bool:
    """Tell whether a contribution is another number than upstream × local."""
    product, handed = step.upstream * step.local, step.contribution
    return product != handed and not (product != product and handed != handed)


def _lines(program: ArrayProgram, graph: Graph) -> dict[str, Any]:
    """Return what the page has to know about the array program, and the words for it."""
    words = {language: words | PROGRAM[language] for language, words in INTERFACE.items()}
    return {"program": program_data(program, graph), "lines": LINES, "words": words}


def _kind(op: str, k: float | None, symbol: str, fixed: bool) -> dict[str, Any]:
    """Return what the page has to know about the nodes of one operation and constant."""
    kind: dict[str, Any] = {"op": op, "word": operation(op, symbol), "symbol": symbol}
    if op == LEAF:  # a number of the code is asked for no slope
        return kind | {"fixed": fixed}
    if op == HANDMADE:
        return kind
    row = BY_NAME[op]
    kind |= {"role": row.role, "k": k}
    if row is not WEIGHTED_SUM:
        kind["shown"], kind["locals"] = shape(op, k)
    return kind
