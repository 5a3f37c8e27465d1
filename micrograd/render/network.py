"""The network view of a graph: a neuron is one circle, its weights stand on the edges.

    network_view(graph) -> View at level "network"

A neuron is a call of an innermost scope, with the activation that alone uses its sum, or a weighted
sum outside of any scope; leaves that are weights or biases and nothing else have no box.
"""

from __future__ import annotations

from micrograd.graph import LEAF, Graph
from micrograd.ops import WEIGHTED_SUM
from micrograd.printing import counted
from micrograd.render.collapse import MOST_INPUTS, view
from micrograd.render.view import Box, View, joined

LEVEL = "network"


def network_view(graph: Graph) -> View:
    """Return the view of one box per neuron. Raises ValueError where there are no two neurons."""
    seen = view(graph, "neuron")
    weights = _weights(graph)
    kept = [box for box in seen.boxes if not weights.issuperset(box.members)]
    boxes = _with_activations(graph, _with_inputs(graph, kept))
    result = joined(graph, LEVEL, boxes)
    if (neurons := sum(is_neuron(graph, box) for box in result.boxes)) < 2:
        raise ValueError(
            f"there is no network to draw, but {counted(neurons, 'neuron')}; two or more make one. "
            "A neuron is a sum of weights × inputs in a scope of its own, as micrograd.nn records "
            "it; draw another level"
        )
    return result


def is_neuron(graph: Graph, box: Box) -> bool:
    """Tell whether a box is a sum over weights: in a scope, or one node over leaves as weights."""
    if len(box.outputs) != 1:
        return False
    sums = [m for m in box.members if graph.ops[m] in ("mul", WEIGHTED_SUM.name)]
    scoped = bool(graph.scopes[box.members[-1]])
    return any(scoped or _over_leaves(graph, member) for member in sums)


def _over_leaves(graph: Graph, node: int) -> bool:
    """Tell whether a node is a weighted sum all of whose weights are leaves."""
    operands = graph.operands[node]
    weights = operands[: len(operands) // 2 * 2 : 2]
    summed = graph.ops[node] == WEIGHTED_SUM.name and bool(weights)
    return summed and all(graph.ops[weight] == LEAF for weight in weights)


def _weights(graph: Graph) -> set[int]:
    """Return the leaves that only multiply inputs, or are added as biases."""
    others = {
        operand
        for operand, user, position in graph.edges
        if not _is_weight(graph, operand, user, position)
    }
    used = {operand for operand, _, _ in graph.edges if graph.ops[operand] == LEAF}
    return used - others


def _is_weight(graph: Graph, operand: int, user: int, position: int) -> bool:
    if graph.ops[user] == WEIGHTED_SUM.name:
        return position % 2 == 0
    product = graph.ops[user] == "mul" and position == 0
    return bool(graph.scopes[operand]) and (product or graph.ops[user] == "add")


def _with_inputs(graph: Graph, boxes: list[Box]) -> list[Box]:
    """Take the inputs out of neurons that alone use them: those without a label are in there."""
    multiplied = {
        operand
        for operand, user, position in graph.edges
        if graph.ops[user] in ("mul", WEIGHTED_SUM.name) and position % 2
    }
    inputs = {leaf for leaf in multiplied if graph.ops[leaf] == LEAF and not graph.scopes[leaf]}
    result: list[Box] = []
    for box in boxes:
        inner = tuple(m for m in box.members if m in inputs) if is_neuron(graph, box) else ()
        rest = tuple(m for m in box.members if m not in inner)
        result.append(box._replace(members=rest) if inner else box)
        if len(inner) > MOST_INPUTS:
            result.append(Box(f"inputs{inner[-1]}", "inputs", inner, inner))
        else:
            result += [Box(str(leaf), "leaf", (leaf,), (leaf,)) for leaf in inner]
    return result


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
    return Box(f"group{out}", "group", members, (out,), graph.scopes[out] or graph.name(out))


def before_activation(graph: Graph, box: Box) -> int:
    """Return z of a neuron, its output where that is linear or of several sums; else -1."""
    if not is_neuron(graph, box):
        return -1
    inside = {member for member in box.members if graph.ops[member] != LEAF}
    sums, parts = set[int](), set[int]()
    for node in sorted(inside):
        within = inside.intersection(graph.operands[node])
        product = graph.ops[node] in ("mul", WEIGHTED_SUM.name) and not within
        if product or (graph.ops[node] in ("add", "sub") and within <= sums):
            sums.add(node)
            parts |= within
    return max(sums) if len(sums - parts) == 1 else box.outputs[0]


def bias_of(graph: Graph, box: Box) -> int:
    """Return the leaf that a neuron adds, -1 where there is none, or more than one."""
    added = {
        operand
        for user in box.members
        for position, operand in enumerate(graph.operands[user])
        if graph.ops[operand] == LEAF and _is_bias(graph, operand, user, position)
    }
    return added.pop() if is_neuron(graph, box) and len(added) == 1 else -1


def _is_bias(graph: Graph, operand: int, user: int, position: int) -> bool:
    if graph.ops[user] == WEIGHTED_SUM.name:
        return position % 2 == 0 and position == len(graph.operands[user]) - 1
    return graph.ops[user] == "add" and bool(graph.scopes[operand])
