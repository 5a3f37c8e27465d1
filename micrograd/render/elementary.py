"""Weighted sums written out as the products and sums they stand for."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, reduce
from itertools import chain

from micrograd.core.kinds import ELEMENTARY
from micrograd.core.modes import check_recording, scope_path
from micrograd.core.recording import compiled_method
from micrograd.engine import Constant, Value, weighted_sum
from micrograd.graph import LEAF, Graph, snapshot
from micrograd.ops import BY_NAME, WEIGHTED_SUM


def unfolded_sums(graph: Graph) -> Graph:
    """Return `graph` with every weighted sum as elementary multiplies and adds, its leaves kept.

    Data and gradients stay those of `graph`, also where leaves were given other data since.
    Raises ValueError under `no_grad()`, or where a node above a sum was made by hand, so cannot be
    made again.
    """
    check_recording("sums cannot be unfolded")
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
    return _whole(_method(op)(*operands, *constant), value)


@cache
def _method(op: str) -> Callable[..., Value]:
    """Return what records an operation: a method of Value, or what it would be of x > y."""
    return getattr(Value, op, None) or compiled_method(ELEMENTARY[op], Value, Constant)


def _written_out(operands: list[Value], model: Value) -> Value:
    """Return a weighted sum of products and sums; the gradient of each is that of the whole."""
    if len(operands) < 2:  # of nothing, or of a bias alone: there is nothing to write out
        return _whole(weighted_sum([], [], operands[0] if operands else None), model)
    bias = operands[len(operands) // 2 * 2 :]
    products = (_like(weight * x, model) for weight, x in zip(operands[::2], operands[1::2]))
    terms = chain(bias, products)
    return _whole(reduce(lambda total, term: _like(total + term, model), terms), model)


def _like(node: Value, model: Value) -> Value:
    node.grad = model.grad
    return node


def _whole(node: Value, model: Value) -> Value:
    node.data, node.label = model.data, model.label
    return _like(node, model)
