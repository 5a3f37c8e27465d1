"""Choices, and who gets their gradients, as loops for numba."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from micrograd.lowering.expr import CHOOSERS, Expr

Places = Sequence[str]


def choice(writer: Any, own: Expr, e: Expr) -> None:
    """Write what chooses along an axis."""
    op, axis = e.attr
    z, at = e.args[0], writer._for(e.shape)
    _chosen(writer, own, op, z, at, (at[:axis], at[axis:]), ("0", str(z.shape[axis])))


def segment_choice(writer: Any, own: Expr, e: Expr) -> None:
    """Write what chooses in each piece of the last axis."""
    op, starts = e.attr
    at = writer._for(e.shape)
    _chosen(writer, own, op, e.args[0], at, (at[:-1], []), _piece(starts, at[-1]))


def _chosen(writer: Any, own: Expr, op: str, z: Expr, at: Places,
            around: tuple[Places, Places], bounds: tuple[str, str]) -> None:  # fmt: skip
    """Choose among the elements of `z` between bounds of the axis in the middle."""
    before, after = around
    writer._put(len(at), f"_a = {writer._read(z, [*before, bounds[0], *after])}")
    writer._put(len(at), f"for _k in range({bounds[0]} + 1, {bounds[1]}):")
    writer._put(len(at) + 1, f"_a = {CHOOSERS[op]}(_a, {writer._read(z, [*before, '_k', *after])})")
    writer._put(len(at), f"{writer._read(own, at)} = _a")


def first_true(writer: Any, own: Expr, e: Expr) -> None:
    """Write what marks the first true element along an axis."""
    axis = e.attr
    at = writer._for((*e.shape[:axis], *e.shape[axis + 1 :]))
    _first(writer, own, e.args[0], len(at), (at[:axis], at[axis:]), ("0", str(e.shape[axis])))


def segment_first_true(writer: Any, own: Expr, e: Expr) -> None:
    """Write what marks the first true element of each piece."""
    count = len(e.shape) - 1
    at = writer._for(e.shape[:-1])
    writer._put(count, f"for _p in range(len({e.attr}) - 1):")
    _first(writer, own, e.args[0], count + 1, (at, []), _piece(e.attr, "_p"))


def _first(writer: Any, own: Expr, hits: Expr, depth: int, around: tuple[Places, Places],
           bounds: tuple[str, str]) -> None:  # fmt: skip
    """Mark the first hit between bounds of the axis in the middle, else the last element."""
    before, after = around
    writer._put(depth, f"_f = {bounds[1]} - 1")
    writer._put(depth, f"for _k in range({bounds[0]}, {bounds[1]}):")
    writer._put(depth + 1, f"if {writer._read(hits, [*before, '_k', *after])}:")
    writer._put(depth + 2, "_f = _k")
    writer._put(depth + 2, "break")
    writer._put(depth, f"for _k in range({bounds[0]}, {bounds[1]}):")
    place = writer._read(own, [*before, "_k", *after])
    writer._put(depth + 1, f"{place} = 1.0 if _k == _f else 0.0")


def _piece(starts: str, i: str) -> tuple[str, str]:
    return f"{starts}[{i}]", f"{starts}[{i} + 1]"
