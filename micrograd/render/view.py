"""A graph as boxes and merged edges."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from graphlib import TopologicalSorter
from heapq import heappop, heappush
from typing import NamedTuple

from micrograd.graph import LEAF, Graph
from micrograd.render.batch import Samples

_Lines = dict[tuple[int, ...], list[tuple[int, int, int]]]  # graph edges, by box they come from


class Box(NamedTuple):
    """One box: `kind` is leaf, node, sum, group (one call of a scope), parameters, inputs or part.

    In the box of the sum over a batch, `samples` tells how many there are, and are drawn.
    Where a scope was called several times, a group is the `call`-th of `calls`, from 1.
    """

    id: str
    kind: str
    members: tuple[int, ...]
    outputs: tuple[int, ...]
    scope: str = ""
    fold: str = ""
    samples: Samples | None = None
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
    owners = [-1] * len(graph)
    for i, box in enumerate(boxes):
        for member in box.members:
            owners[member] = i
    lines = [_lines(graph, box, i, owners) for i, box in enumerate(boxes)]
    order = _forward(graph, boxes, lines)
    places = {i: place for place, i in enumerate(order)}
    edges = [
        Edge(places[key[0]], places[i], port, tuple(lines[i][key]))
        for i in order
        for port, key in enumerate(lines[i])
    ]
    drawn, owned = (boxes[i] for i in order), (places.get(owner, -1) for owner in owners)
    return View(graph, level, tuple(drawn), tuple(edges), tuple(owned))


def _forward(graph: Graph, boxes: list[Box], lines: Sequence[_Lines]) -> list[int]:
    """Order boxes by their last node that is no leaf, leaves first, and after what they use.

    Then no edge goes back: the products of a sum that is open may be older than the part before.
    """
    last = [max((m for m in box.members if graph.ops[m] != LEAF), default=-1) for box in boxes]
    sorter = TopologicalSorter({i: {key[0] for key in into} for i, into in enumerate(lines)})
    sorter.prepare()
    order: list[int] = []
    ready: list[tuple[int, int, int]] = []
    while sorter:
        for i in sorter.get_ready():
            heappush(ready, (last[i], boxes[i].members[0], i))
        order.append(heappop(ready)[-1])
        sorter.done(order[-1])
    return order


def _lines(graph: Graph, box: Box, place: int, owners: list[int]) -> _Lines:
    """Return the edges into a box by line: every edge its own into a node, else one per source."""
    lines: _Lines = {}
    for user in box.members:
        for position, operand in enumerate(graph.operands[user]):
            source = owners[operand]
            if source in (-1, place):
                continue
            one = box.kind == "node"
            key = (source, position) if one else (source,)
            lines.setdefault(key, []).append((operand, user, position))
    return lines
