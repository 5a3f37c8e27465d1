"""Derivatives as results: gradients that are Values, Jacobians, Hessians. None touches `.grad`."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any, Literal, overload

from micrograd.core.kinds import Elementary, Handmade
from micrograd.core.modes import described
from micrograd.engine import Value, topological_order
from micrograd.ops import FLOATS, FUNCTIONS, ROWS, Branches, Namespace, Row


@overload
def grad(y: Value, xs: Sequence[Value], create_graph: Literal[False] = False) -> list[float]: ...
@overload
def grad(y: Value, xs: Sequence[Value], create_graph: Literal[True]) -> list[Value]: ...
def grad(y: Value, xs: Sequence[Value], create_graph: bool = False) -> Any:
    """Return ∂y/∂x for every x, 0 where y does not depend on it.

    With `create_graph` the results are Values, which can be differentiated again; raises
    ValueError where a node's backward step is a function of the user's.
    """
    if create_graph:
        adjoints = _adjoints(y)
        return [adjoints.get(x) or Value(0.0) for x in xs]
    totals = {y: 1.0}
    totals.update((step.operand, step.total) for step in y.steps())
    return [totals.get(x, 0.0) for x in xs]


def jacobian(ys: Sequence[Value], xs: Sequence[Value]) -> list[list[float]]:
    """Return ∂yᵢ/∂xⱼ as a list of rows, one per y (L7)."""
    return [grad(y, xs) for y in ys]


def hessian(y: Value, xs: Sequence[Value]) -> list[list[float]]:
    """Return ∂²y/∂xᵢ∂xⱼ as a list of rows."""
    return jacobian(grad(y, xs, create_graph=True), xs)


def _adjoints(y: Value) -> dict[Value, Value]:
    """Go back through the graph as `backward()` does, with Values for the numbers."""
    adjoints = {y: Value(1.0)}
    for node in reversed(topological_order(y)):
        for operand, local in zip(node.parents, _local_values(node)):
            contribution = adjoints[node] * local
            known = adjoints.get(operand)
            adjoints[operand] = contribution if known is None else known + contribution
    return adjoints


def _local_values(node: Value) -> list[Value | float]:
    """Return the local gradients of `node` as Values."""
    operation = node._operation
    if isinstance(operation, Handmade):
        raise ValueError(
            f"{described(node)} has no second derivative: its backward step is a "
            "function of yours; write it with the operations of Value"
        )
    if not isinstance(operation, Elementary):  # a leaf, or a weighted sum
        products: list[Value | float] = [
            local for w, x in zip(node._x or (), node._y or ()) for local in (x, w)
        ]
        return products if node._k is None else [*products, 1.0]
    x, y = node._x, node._y
    return [local(x, y, node._k, node) for local in _value_formulas(operation.row)]


@cache
def _value_formulas(row: Row) -> tuple[Any, ...]:
    return _VALUES.local(row)


def _function(name: str) -> Any:
    """Return the function `name` of a formula for Values, and for the numbers beside them."""
    number = FLOATS.functions[name]
    return lambda x: getattr(x, name)() if isinstance(x, Value) else number(x)


_VALUES = Namespace(
    {name: value for name, value in FLOATS.functions.items() if name in ("nan", "abs")}
    | {
        row.name: _function(row.name)
        for row in ROWS
        if row.arity == 1 and not row.constants and row.name not in ("abs", "neg")
    }
    | {name: _function(name) for name in FUNCTIONS},
    Branches(),
)
