"""Weighted sums written out as the products and sums they stand for."""

from __future__ import annotations

from micrograd.core.modes import scope_path
from micrograd.engine import Value
from micrograd.graph import LEAF, Graph, snapshot
from micrograd.ops import BY_NAME, WEIGHTED_SUM


def unfolded_sums(graph: Graph) -> Graph:
    """Return `graph` with every weighted sum as elementary multiplies and adds, its leaves kept.

    Raises ValueError where a node above one was made by hand, so cannot be made again.
    """
    made: dict[int, Value] = {}
    for id, operands in enumerate(graph.operands):
        with scope_path(graph.scopes[id]):
            made[id] = _again(graph, id, [made[operand] for operand in operands])
    return snapshot(*(made[root] for root in graph.roots))


def _again(graph: Graph, id: int, operands: list[Value]) -> Value:
    """Return node `id` over `operands`: itself where they are the ones it has."""
    value, op = graph.values[id], graph.ops[id]
    if op == WEIGHTED_SUM.name:
        return _written_out(operands, value)
    if op == LEAF or value.parents == tuple(operands):
        return value
    if op not in BY_NAME:
        raise ValueError(
            f"{graph.name(id)} was made by hand, so it cannot be made again over "
            "unfolded sums; draw the graph with its sums folded"
        )
    constant = [graph.constants[id]] if BY_NAME[op].constants else []
    return _labelled(_like(getattr(Value, op)(*operands, *constant), value), value)


def _written_out(operands: list[Value], model: Value) -> Value:
    """Return a weighted sum of products and sums; the gradient of each is that of the whole."""
    total = operands[-1] if len(operands) % 2 else None
    for weight, x in zip(operands[::2], operands[1::2]):
        product = _like(weight * x, model)
        total = product if total is None else _like(total + product, model)
    if len(operands) == 1:  # a bias alone, a Value of the user's
        return operands[0]
    return _labelled(Value(0.0) if total is None else total, model)


def _like(node: Value, model: Value) -> Value:
    node.grad = model.grad
    return node


def _labelled(node: Value, model: Value) -> Value:
    if model.label and not node.label:
        node.label = model.label
    return node
