"""A graph as boxes and merged edges."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from micrograd.graph import LEAF, Graph


class Box(NamedTuple):
    """One box: `kind` is leaf, node, sum, group (one call of a scope), parameters, inputs or part.

    In the box of the sum over a batch, `samples` is how many there are; one is drawn. Else it is 0.
    Where a scope was called several times, a group is the `call`-th of `calls`, from 1.
    """

    id: str
    kind: str
    members: tuple[int, ...]
    outputs: tuple[int, ...]
    scope: str = ""
    fold: str = ""
    samples: int = 0
    call: int = 0
    calls: int = 0


class Edge(NamedTuple):
    """The edges from one box to another, as one line; `port` counts the lines into `target`."""

    source: int
    target: int
    port: int
    members: tuple[tuple[int, int, int], ...]


@dataclass(frozen=True, eq=False)
class View:
    """A graph at a level of detail; `owners[id]` is the place of a node's box, -1 if not drawn."""

    graph: Graph
    level: str
    boxes: tuple[Box, ...]
    edges: tuple[Edge, ...]
    owners: tuple[int, ...]

    def edge_id(self, edge: Edge) -> str:
        """Return source-target-port, with the ids of the boxes: "3-7-0" for one edge of a graph."""
        return f"{self.boxes[edge.source].id}-{self.boxes[edge.target].id}-{edge.port}"


def joined(graph: Graph, level: str, boxes: list[Box]) -> View:
    """Return the view of `boxes`, with the edges between them."""
    boxes = _forward(graph, boxes)
    owners = [-1] * len(graph)
    for place, box in enumerate(boxes):
        for member in box.members:
            owners[member] = place
    edges: list[Edge] = []
    for place, box in enumerate(boxes):
        lines = _lines(graph, box, place, owners)
        edges += [Edge(key[0], place, port, tuple(lines[key])) for port, key in enumerate(lines)]
    return View(graph, level, tuple(boxes), tuple(edges), tuple(owners))


def _forward(graph: Graph, boxes: list[Box]) -> list[Box]:
    """Order boxes by their last node that is no leaf, leaves first: then no edge goes back."""
    last = [max((m for m in box.members if graph.ops[m] != LEAF), default=-1) for box in boxes]
    order = sorted(range(len(boxes)), key=lambda i: (last[i], boxes[i].members[0]))
    return [boxes[i] for i in order]


def _lines(
    graph: Graph, box: Box, place: int, owners: list[int]
) -> dict[tuple[int, ...], list[tuple[int, int, int]]]:
    """Return the edges into a box by line: every edge its own into a node, else one per source."""
    lines: dict[tuple[int, ...], list[tuple[int, int, int]]] = {}
    for user in box.members:
        for position, operand in enumerate(graph.operands[user]):
            source = owners[operand]
            if source in (-1, place):
                continue
            one = box.kind == "node"
            key = (source, position) if one else (source,)
            lines.setdefault(key, []).append((operand, user, position))
    return lines
