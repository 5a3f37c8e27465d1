"""Where everything of a network view stands: a column for every layer, evenly spaced.

    plan(view) -> Plan

`Plan.units[i]` is where box i stands and how it is drawn: "neuron" with its numbers, "dot" in a
layer of many, "plate" for inputs and all that is no neuron; `z` is the node before the activation
and `b` the bias, -1 where there is none. `Plan.weights[i]` is the leaf on edge i, -1 where it
stands for several, and `Plan.spots[i]` where it is written, if it is: at a share of the way that
differs by target, so that the weights into a neuron stand below one another, or at a free one.
"""

from __future__ import annotations

from typing import NamedTuple

from micrograd.graph import LEAF, Graph
from micrograd.ops import WEIGHTED_SUM
from micrograd.render.network import before_activation, bias_of, is_neuron
from micrograd.render.view import Edge, View

NAME = 20.0  # above a circle
SIZES = {"neuron": (88.0, 88.0 + NAME), "dot": (13.0, 13.0), "plate": (160.0, 38.0)}
SIZES |= {"slim": (160.0, 19.0)}
GAPS = {"neuron": 8.0, "dot": 2.5, "plate": 4.0, "slim": 3.0}
ROOM, WIDE, ASIDE = 64.0, 310.0, 44.0  # between columns, with weights there, lines of dots
APART = 13.0  # between dots with weights beside them
BELOW = 20.0  # between neurons and what stands below them in their column
SPREAD = 3.3  # times its height: how far apart a few plates may stand
MOST_CIRCLES, MOST_DOTS, MOST_PILLS = 4, 20, 8  # of a layer with numbers, of one line, of two rows
MOST_WRITTEN = 40  # weights
SHARES = (0.125, 0.37, 0.615)  # of the way, by target: WRITTEN apart
BETWEEN = (0.26, 0.5, 0.74, 0.2, 0.32, 0.44, 0.56, 0.68, 0.8)  # where those at SHARES left no room
WRITTEN = (75.0, 22.0)  # of −0.07332 in its frame on a page, which is larger than here


class Unit(NamedTuple):
    """How a box is drawn, the middle of it, its size, the node before its activation, its bias."""

    kind: str
    x: float
    y: float
    width: float
    height: float
    z: int
    b: int


Spot = tuple[float, float]


class Plan(NamedTuple):
    """Where everything goes."""

    width: float
    height: float
    units: list[Unit]
    weights: list[int]
    spots: list[Spot | None]


class Line(NamedTuple):
    """Units of one kind, below one another around the height `middle`, `step` apart."""

    places: list[int]
    kind: str
    step: float
    middle: float = 0.0

    @property
    def height(self) -> float:
        return self.step * len(self.places)


def plan(view: View) -> Plan:
    """Return where the units of a network view stand."""
    ranks, weights = _ranks(view), [_weight(view, edge) for edge in view.edges]
    written = len(view.edges) <= MOST_WRITTEN
    wide = {ranks[e.target] for e, w in zip(view.edges, weights) if written and w >= 0}
    columns = [[p for p, own in enumerate(ranks) if own == rank] for rank in range(max(ranks) + 1)]
    lines = [_lines(view, column, APART if written else GAPS["dot"]) for column in columns]
    tallest = max(line.height for above, below in lines for line in (*above, *below))
    units: dict[int, Unit] = {}
    right = 0.0
    for rank, (neurons, pills) in enumerate(lines):
        left = right + (WIDE if rank in wide else ROOM if rank else 0.0)
        if not neurons:
            pills = [_spread(line, tallest) for line in pills]
        width = max(_width(neurons), SIZES["plate"][0] if pills else 0.0)
        for line in pills:
            units |= _stacked(view, line, left + width / 2)
        middle = (
            left
            + (width - _width(neurons)) / 2
            + (SIZES[neurons[0].kind][0] / 2 if neurons else 0.0)
        )
        for number, line in enumerate(neurons):
            units |= _stacked(view, line, middle + number * (SIZES[line.kind][0] + ASIDE))
        right = left + width
    return _moved(view, right, units, weights, written)


def _moved(
    view: View, right: float, units: dict[int, Unit], weights: list[int], written: bool
) -> Plan:
    """Return the plan of these units, so that the uppermost stands at the top."""
    edges = [
        (u.y - u.height / 2 - GAPS[u.kind] / 2, u.y + u.height / 2 + GAPS[u.kind] / 2)
        for u in units.values()
    ]
    top, bottom = min(first for first, _ in edges), max(last for _, last in edges)
    moved = [units[p]._replace(y=round(units[p].y - top, 1)) for p in sorted(units)]
    return Plan(
        right, bottom - top, moved, weights, _spots(view, moved, weights) if written else []
    )


def _stacked(view: View, line: Line, x: float) -> dict[int, Unit]:
    """Return the units of a line by place."""
    across, down = SIZES[line.kind]
    units = {}
    for i, place in enumerate(line.places):
        y = line.middle + (i - (len(line.places) - 1) / 2) * line.step
        graph, box = view.graph, view.boxes[place]
        z, b = before_activation(graph, box), bias_of(graph, box)
        units[place] = Unit(line.kind, x, y, across, down, z, b)
    return units


def _width(lines: list[Line]) -> float:
    return sum(SIZES[line.kind][0] + ASIDE for line in lines) - ASIDE  # of none, below 0


def _lines(view: View, column: list[int], gap: float) -> tuple[list[Line], list[Line]]:
    """Return a column's neurons, many dots in several lines, and the pills, which stand below."""
    neurons = [place for place in column if is_neuron(view.graph, view.boxes[place])]
    pills = [place for place in column if place not in neurons]
    if len(neurons) <= MOST_CIRCLES:
        above = [_line(neurons, "neuron")] if neurons else []
    else:
        starts = range(0, len(neurons), MOST_DOTS)
        step = SIZES["dot"][1] + gap
        above = [Line(neurons[start : start + MOST_DOTS], "dot", step) for start in starts]
    if not pills:
        return above, []
    below = _line(pills, "plate" if len(pills) <= MOST_PILLS else "slim")
    if not above:
        return [], [below]
    middle = (max(line.height for line in above) + below.height) / 2 + BELOW
    return above, [below._replace(middle=middle)]


def _spread(line: Line, tallest: float) -> Line:
    """Return a line of pills further apart where the columns beside it are taller."""
    step = min(tallest / (len(line.places) + 1), SPREAD * SIZES[line.kind][1])
    return line._replace(step=max(line.step, step))


def _line(places: list[int], kind: str) -> Line:
    return Line(places, kind, SIZES[kind][1] + GAPS[kind])


def _spots(view: View, units: list[Unit], weights: list[int]) -> list[Spot | None]:
    """Return where weights are written, apart from one another; none of a layer without room."""
    taken = [(u.x, u.y, u.width, u.height) for u in units]
    spots: list[Spot | None] = []
    for edge, weight in zip(view.edges, weights):
        target = units[edge.target]
        (x, y), (u, v) = ends(units[edge.source], target)
        own = sum(o.x == target.x and o.y < target.y for o in units) % len(SHARES)
        shares = (*SHARES[own:], *SHARES[:own], *BETWEEN)
        ways = [(round(x + (u - x) * at, 1), round(y + (v - y) * at, 1)) for at in shares]
        spots.append(next((way for way in ways if weight < 0 or _is_free(way, taken)), None))
        taken += [(*spots[-1], *WRITTEN)] if weight >= 0 and spots[-1] else []
    full = {units[edge.target].x for edge, spot in zip(view.edges, spots) if spot is None}
    return [None if units[e.target].x in full else spot for e, spot in zip(view.edges, spots)]


def _is_free(spot: Spot, taken: list[tuple[float, float, float, float]]) -> bool:
    (x, y), (wide, high) = spot, WRITTEN
    return all(
        abs(x - u) >= (wide + width) / 2 or abs(y - v) >= (high + height) / 2
        for u, v, width, height in taken
    )


def middle_of(unit: Unit) -> float:
    """Return the height of a unit's middle, the name above a circle left out."""
    return unit.y + (NAME / 2 if unit.kind == "neuron" else 0.0)


def ends(source: Unit, target: Unit) -> tuple[tuple[float, float], tuple[float, float]]:
    """Return where an edge begins and ends."""
    begin = source.x + source.width / 2, middle_of(source)
    return begin, (target.x - target.width / 2, middle_of(target))


def _ranks(view: View) -> list[int]:
    """Return every box's column: the longest way to it, or for inputs just before their use."""
    ranks, fed = [0] * len(view.boxes), [is_neuron(view.graph, box) for box in view.boxes]
    after: list[list[int]] = [[] for _ in view.boxes]
    for edge in view.edges:  # in the order of their targets, and every edge goes forward
        ranks[edge.target] = max(ranks[edge.target], ranks[edge.source] + 1)
        fed[edge.target] = fed[edge.target] or fed[edge.source]
        after[edge.source].append(edge.target)
    for place in reversed(range(len(ranks))):
        if after[place] and not fed[place]:
            ranks[place] = min(ranks[user] for user in after[place]) - 1
    return ranks


def _weight(view: View, edge: Edge) -> int:
    """Return the leaf that an edge's one operand is multiplied by, else -1."""
    if len(edge.members) != 1:
        return -1
    graph, (_, user, position) = view.graph, edge.members[0]
    if graph.ops[user] not in ("mul", WEIGHTED_SUM.name) or not _is_weighted(graph, user, position):
        return -1
    other = graph.operands[user][position ^ 1]
    scoped = graph.scopes[other] or graph.ops[user] == WEIGHTED_SUM.name
    return other if graph.ops[other] == LEAF and scoped else -1


def _is_weighted(graph: Graph, user: int, position: int) -> bool:
    return graph.ops[user] == "mul" or position % 2 == 1
