"""Stacks of matrix products: Σl q[b,h,i,l] k[b,h,j,l] is `q @ k.swapaxes(-1, -2)`."""

from __future__ import annotations

from typing import Any

from micrograd.lowering.code.construct import transpose
from micrograd.lowering.code.expr import Expr
from micrograd.lowering.code.kinds import make

Side = tuple[Expr, tuple[int, ...]]  # an expression and the variable of each of its axes


def stacked_product(a: Side, b: Side, order: tuple[int, ...]) -> Expr | None:
    """Return Σ a b over the variables that `order` lacks, its axes those of `order`, as `@`.

    None where it is no stack of matrix products: both sides need one variable of their own and
    one that is summed over.
    """
    if order[-1] in a[1] and order[-1] not in b[1]:
        a, b = b, a
    front = [v for v in order if v in a[1] and v in b[1]]
    summed = [v for v in a[1] if v in b[1] and v not in order]
    rows, columns = ([v for v in own if v not in other] for own, other in _both(a[1], b[1]))
    if not len(rows) == len(columns) == len(summed) == 1:
        return None
    left, right = _turned(a, front + rows + summed), _turned(b, front + summed + columns)
    shape = (*left.shape[:-1], right.shape[-1])
    vars = front + rows + columns
    return transpose(make("stack", (left, right), shape), tuple(vars.index(v) for v in order))


def _both(a: Any, b: Any) -> tuple[Any, Any]:
    return (a, b), (b, a)


def _turned(side: Side, order: list[int]) -> Expr:
    return transpose(side[0], tuple(side[1].index(v) for v in order))
