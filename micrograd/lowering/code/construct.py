"""Make array expressions, one function per kind; what changes nothing is left out."""

from __future__ import annotations

from typing import Any

from micrograd.lowering.code.expr import ALL, Expr, Shape, Table
from micrograd.lowering.code.kinds import make


def transpose(a: Expr, order: tuple[int, ...]) -> Expr:
    """Permute the axes."""
    return a if order == tuple(range(len(order))) else make("transpose", (a,), order)


def reshape(a: Expr, shape: Shape) -> Expr:
    """Give `a` another shape."""
    return a if shape == a.shape else make("reshape", (a,), shape)


def broadcast(a: Expr, shape: Shape) -> Expr:
    """Repeat `a` to the shape given."""
    return a if shape == a.shape else make("broadcast", (a,), shape)


def indexed(a: Expr, key: tuple[Any, ...]) -> Expr:
    """Index with numbers, slices given as (start, stop, step), and None."""
    return a if all(item == ALL for item in key) else make("index", (a,), key)


def total(a: Expr, axes: tuple[int, ...], kind: str = "sum") -> Expr:
    """Sum over axes, or take their mean."""
    return make(kind, (a,), axes) if axes else a


def take(a: Expr, table: Table, axis: int) -> Expr:
    """Gather the elements at the places `table` of the last axis, which is `axis`."""
    return make("take", (a,), (table, axis))


def scatter(a: Expr, table: Table, size: int, axis: int) -> Expr:
    """Add the elements of `a` at the places `table` of zeros; `axis` axes stand before them."""
    return make("scatter", (a,), (table, size, axis))


def embed(a: Expr, key: tuple[Any, ...], shape: Shape) -> Expr:
    """Put `a` at `key` into zeros."""
    return make("embed", (a,), (key, shape))
