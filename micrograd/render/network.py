"""The network view of a graph: a neuron is one circle, its weights stand on the edges.

    network_view(graph) -> View at level "network"
    plan(view) -> Plan

A neuron is a call of an innermost scope, with the activation that alone uses its sum; leaves that
are weights and nothing else have no box. `Plan.units[i]` is where box i stands and how it is drawn:
"neuron" with its numbers, "dot" in a layer of many, "plate" for inputs and all that is no neuron;
`z` is the node before the activation, -1 where there is none. `Plan.weights[i]` is the leaf on
edge i, -1 where it stands for several, and `Plan.spots[i]` where it is written, if it is: at a
share of the way that differs by target, so that the weights into a neuron stand below one another.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from micrograd.graph import LEAF, Graph
from micrograd.ops import WEIGHTED_SUM
from micrograd.render.collapse import view
from micrograd.render.view import Box, Edge, View, joined

LEVEL = "network"
NAME = 20.0  # above a circle
SIZES = {"neuron": (88.0, 88.0 + NAME), "dot": (13.0, 13.0), "plate": (160.0, 38.0)}
SIZES |= {"slim": (160.0, 19.0)}
GAPS = {"neuron": 8.0, "dot": 2.5, "plate": 4.0, "slim": 3.0}
ROOM, WIDE, ASIDE = 64.0, 290.0, 44.0  # between columns, with weights there, lines of dots
MOST_CIRCLES, MOST_DOTS, MOST_PILLS = 3, 20, 8  # of a layer with numbers, of one line, of two rows
MOST_WRITTEN = 40  # weights
SHARES = (0.14, 0.38, 0.62)


class Unit(NamedTuple):
    """How a box is drawn, the middle of it, its size, and the node before its activation."""

    kind: str
    x: float
    y: float
    width: float
    height: float
    z: int


class Plan(NamedTuple):
    """Where everything goes."""

    width: float
    height: float
    units: list[Unit]
    weights: list[int]
    spots: list[tuple[float, float]]


def network_view(graph: Graph) -> View:
    """Return the view of one box per neuron. Raises ValueError where there are no two neurons."""
    seen = view(graph, "neuron")
    weights = _weights(graph)
    kept = [box for box in seen.boxes if not weights.issuperset(box.members)]
    boxes = _with_activations(graph, kept)
    result = joined(graph, LEVEL, boxes)
    if sum(is_neuron(graph, box) for box in result.boxes) < 2:
        raise ValueError(
            "there is no network to draw: a neuron is a sum of weights × inputs in a scope of its "
            "own, as micrograd.nn records it; draw another level"
        )
    return result


def is_neuron(graph: Graph, box: Box) -> bool:
    """Tell whether a box is a sum over weights, in a scope."""
    sums = any(graph.ops[m] in ("mul", WEIGHTED_SUM.name) for m in box.members)
    return bool(graph.scopes[box.members[-1]]) and len(box.outputs) == 1 and sums


def _weights(graph: Graph) -> set[int]:
    """Return the leaves with a scope that only multiply inputs, or are added as biases."""
    others = {
        operand for operand, user, position in graph.edges if not _is_weight(graph, user, position)
    }
    scoped = (id for id, op in enumerate(graph.ops) if op == LEAF and graph.scopes[id])
    return set(scoped) - others


def _is_weight(graph: Graph, user: int, position: int) -> bool:
    if graph.ops[user] == WEIGHTED_SUM.name:
        return position % 2 == 0
    return graph.ops[user] == "add" or (graph.ops[user] == "mul" and position == 0)


def _with_activations(graph: Graph, boxes: list[Box]) -> list[Box]:
    """Join every box of one unary node with that of its operand, where nothing else uses that."""
    users: dict[int, set[int]] = {}
    for operand, user, _ in graph.edges:
        users.setdefault(operand, set()).add(user)
    owner = {member: box for box in boxes for member in box.members}
    taken: dict[str, Box] = {}
    for box in boxes:
        node = box.members[-1]
        operands = graph.operands[node]
        inner = owner.get(operands[0]) if len(box.members) == len(operands) == 1 else None
        if inner and _belongs(graph, node, inner) and users[operands[0]] == {node}:
            taken[inner.id] = box
    gone = {box.id for box in taken.values()}
    return [_joined(graph, box, taken.get(box.id)) for box in boxes if box.id not in gone]


def _belongs(graph: Graph, node: int, inner: Box) -> bool:
    """Tell whether a node of one operand is the activation of the neuron that makes that."""
    return is_neuron(graph, inner) and graph.scopes[node] == graph.scopes[inner.outputs[0]]


def _joined(graph: Graph, box: Box, activation: Box | None) -> Box:
    if activation is None:
        return box
    members, out = (*box.members, *activation.members), activation.members[0]
    return Box(f"group{out}", "group", members, (out,), graph.scopes[out])


def before_activation(graph: Graph, box: Box) -> int:
    """Return z of a neuron, its output where it is linear; -1 of other boxes."""
    if not is_neuron(graph, box):
        return -1
    out = box.outputs[0]
    operands = graph.operands[out]
    linear = len(operands) != 1 or graph.ops[operands[0]] == LEAF
    return out if linear or operands[0] not in box.members else operands[0]


def plan(view: View) -> Plan:
    """Return where the units of a network view stand: a column for every layer, evenly spaced."""
    ranks, weights = _ranks(view), [_weight(view, edge) for edge in view.edges]
    written = len(view.edges) <= MOST_WRITTEN
    wide = {ranks[e.target] for e, w in zip(view.edges, weights) if written and w >= 0}
    units: dict[int, Unit] = {}
    right = height = 0.0
    for rank in range(max(ranks) + 1):
        left = right + (WIDE if rank in wide else ROOM if rank else 0.0)
        lines = [*_lines(view, [place for place, own in enumerate(ranks) if own == rank])]
        for number, (places, kind) in enumerate(lines):
            left += ASIDE if number else 0.0
            for place, unit in zip(places, _stacked(view, places, kind, left)):
                units[place] = unit
            height = max(height, len(places) * (SIZES[kind][1] + GAPS[kind]))
            left = right = left + SIZES[kind][0]
    moved = [units[p]._replace(y=round(units[p].y + height / 2, 1)) for p in sorted(units)]
    spots = _spots(view, moved) if written else []
    return Plan(right, height, moved, weights, spots)


def _stacked(view: View, places: list[int], kind: str, left: float) -> Iterable[Unit]:
    """Yield the units of a line, below one another around 0."""
    across, down = SIZES[kind]
    for i, place in enumerate(places):
        y = (i - (len(places) - 1) / 2) * (down + GAPS[kind])
        z = before_activation(view.graph, view.boxes[place])
        yield Unit(kind, left + across / 2, y, across, down, z)


def _lines(view: View, column: list[int]) -> Iterable[tuple[list[int], str]]:
    """Yield a column as lines of units: many dots stand in several, pills below one another."""
    neurons = [place for place in column if is_neuron(view.graph, view.boxes[place])]
    pills = [place for place in column if place not in neurons]
    if pills:
        yield pills, "plate" if len(pills) <= MOST_PILLS else "slim"
    if 0 < len(neurons) <= MOST_CIRCLES:
        yield neurons, "neuron"
    elif neurons:
        for start in range(0, len(neurons), MOST_DOTS):
            yield neurons[start : start + MOST_DOTS], "dot"


def _spots(view: View, units: list[Unit]) -> list[tuple[float, float]]:
    spots = []
    for edge in view.edges:
        target = units[edge.target]
        (x, y), (u, v) = ends(units[edge.source], target)
        above = sum(o.x == target.x and o.y < target.y for o in units)
        share = SHARES[above % len(SHARES)]
        spots.append((round(x + (u - x) * share, 1), round(y + (v - y) * share, 1)))
    return spots


def middle_of(unit: Unit) -> float:
    """Return the height of a unit's middle, the name above a circle left out."""
    return unit.y + (NAME / 2 if unit.kind == "neuron" else 0.0)


def ends(source: Unit, target: Unit) -> tuple[tuple[float, float], tuple[float, float]]:
    """Return where an edge begins and ends."""
    begin = source.x + source.width / 2, middle_of(source)
    return begin, (target.x - target.width / 2, middle_of(target))


def _ranks(view: View) -> list[int]:
    """Return every box's column: the longest way to it, leaves one before their first user."""
    ranks = [0] * len(view.boxes)
    for edge in view.edges:  # in the order of their targets, and every edge goes forward
        ranks[edge.target] = max(ranks[edge.target], ranks[edge.source] + 1)
    entered = {edge.target for edge in view.edges}
    for place in range(len(ranks)):
        after = [ranks[edge.target] for edge in view.edges if edge.source == place]
        if place not in entered and after:
            ranks[place] = min(after) - 1
    return ranks


def _weight(view: View, edge: Edge) -> int:
    """Return the leaf that an edge's one operand is multiplied by, else -1."""
    if len(edge.members) != 1:
        return -1
    graph, (_, user, position) = view.graph, edge.members[0]
    if graph.ops[user] not in ("mul", WEIGHTED_SUM.name) or not _is_weighted(graph, user, position):
        return -1
    other = graph.operands[user][position ^ 1]
    return other if graph.ops[other] == LEAF and graph.scopes[other] else -1


def _is_weighted(graph: Graph, user: int, position: int) -> bool:
    return graph.ops[user] == "mul" or position % 2 == 1
