"""Derivatives as results: gradients that are Values, Jacobians, Hessians. None touches `.grad`."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Literal, overload

from micrograd.core.checks import check_flags, is_list
from micrograd.core.handmade import Handmade
from micrograd.core.kinds import Elementary, check_up_to_date
from micrograd.core.modes import MODE, check_recording, described, no_grad
from micrograd.core.places import user_line
from micrograd.corners import slopes
from micrograd.engine import Value, topological_order
from micrograd.ops import DomainError
from micrograd.printing import shorten

__all__ = ["grad", "hessian", "jacobian"]


@overload
def grad(y: Value, xs: Sequence[Value], create_graph: Literal[False] = False) -> list[float]: ...
@overload
def grad(y: Value, xs: Sequence[Value], create_graph: Literal[True]) -> list[Value]: ...
def grad(y: Value, xs: Sequence[Value], create_graph: bool = False) -> Any:
    """Return ∂y/∂x for every x, 0 where y does not depend on it; others need not have a slope.

    With `create_graph` the results are Values, which can be differentiated again; raises
    ValueError where a node's backward step is a function of the user's, and under `no_grad()`.
    """
    check_values("grad", (y,), xs)
    check_flags(create_graph=create_graph)
    if create_graph:
        check_recording("a gradient that can be differentiated again")
        return _gradients(y, xs)
    if MODE.on_detach:
        raise ValueError(
            f"{user_line()}: a gradient is read as a number while the function is traced, so "
            "the program would hold this one sample's for every sample; give grad(y, xs, "
            "create_graph=True), and detach() what nothing shall go back through"
        )
    totals = {y: 1.0}
    try:
        totals.update((step.operand, step.total) for step in y.steps())
    except DomainError:
        with suppress(ValueError), no_grad():  # where it was a slope that nobody asked for
            return [gradient.data for gradient in _gradients(y, xs)]
        raise
    return [totals.get(x, 0.0) for x in xs]


def jacobian(ys: Sequence[Value], xs: Sequence[Value]) -> list[list[float]]:
    """Return ∂yᵢ/∂xⱼ as a list of rows, one per y (L7)."""
    check_values("jacobian", ys, xs)
    return [grad(y, xs) for y in ys]


def hessian(y: Value, xs: Sequence[Value]) -> list[list[float]]:
    """Return ∂²y/∂xᵢ∂xⱼ as a list of rows."""
    check_values("hessian", (y,), xs)
    return jacobian(grad(y, xs, create_graph=True), xs)


def check_values(function: str, *several: Any) -> None:
    """Raise TypeError where one of `several` is no list of Values."""
    for values in several:
        if not is_list(values):
            raise TypeError(f"{function} takes the Values in a list, not {shorten(values)}")
        for value in values:
            if not isinstance(value, Value):
                raise TypeError(f"{function} takes Values, not {shorten(value)}")


def _gradients(y: Value, xs: Sequence[Value]) -> list[Value]:
    """Return ∂y/∂x for every x as a Value of its own, to be labelled and differentiated."""
    order = topological_order(y)
    adjoints, taken, gradients = _adjoints(order, xs), {*order}, []
    for x in xs:
        gradient = adjoints.get(x, 0.0)
        if not isinstance(gradient, Value):
            gradient = Value(gradient)
        elif gradient in taken:
            gradient = gradient * 1.0
        taken.add(gradient)
        gradients.append(gradient)
    return gradients


def _adjoints(order: Sequence[Value], xs: Sequence[Value]) -> dict[Value, Value | float]:
    """Go back through a graph as `backward()` does, with Values for the numbers.

    Only towards `xs`: slopes that nobody asked for need not exist.
    """
    wanted, checking = set(xs), MODE.checking
    for node in order:
        if not wanted.isdisjoint(node.parents):
            wanted.add(node)
    adjoints: dict[Value, Value | float] = {order[-1]: 1.0}
    for node in reversed(order):
        if node not in adjoints:
            continue
        if checking:
            check_up_to_date(node)
        for position, parent in enumerate(node.parents):
            if parent in wanted:
                contribution = _product(adjoints[node], _local_value(node, position))
                known = adjoints.get(parent)
                adjoints[parent] = contribution if known is None else known + contribution
    return adjoints


def _product(upstream: Value | float, local: Value | float) -> Value | float:
    """Return upstream × local; a factor of 1, as of every sum, makes no node."""
    for one, other in ((upstream, local), (local, upstream)):
        if not isinstance(one, Value) and one == 1:
            return other
    return upstream * local


def _local_value(node: Value, position: int) -> Value | float:
    """Return the local gradient of `node` by one of its operands as a Value."""
    operation = node._operation
    if isinstance(operation, Handmade):
        raise ValueError(
            f"{described(node)} has no second derivative: it was made by hand; write it with the "
            "operations of Value"
        )
    if isinstance(operation, Elementary):
        local = slopes(operation.row)[position]
        return local(node._x, node._y, node._k, node)  # type: ignore[no-any-return]
    pair, place = divmod(position, 2)  # of a weighted sum: w x w x ... b
    return 1.0 if pair == len(node._x) else (node._y, node._x)[place][pair]
