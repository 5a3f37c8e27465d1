"""Axes that are walked in blocks: head h has the places 4h to 4h + 3 of a row of 16.

Where `out[i,c] = Σk a[i, c // 4, k] v[k,c]`, c stands for two variables: a block, and a place in
it. With c divided, `out[i, 4h+j] = Σk a[i,h,k] v[k, 4h+j]`, everything is read by a rule.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from micrograd.lowering.arrays.axes import flat_places, read
from micrograd.lowering.arrays.ir import BATCH, Array, Axis, Index, Read, Size, Term
from micrograd.lowering.scalars.columns import Ints
from micrograd.lowering.trace.declared import NUMBER

Sizes = Mapping[int, "int | Size"]


def divided(term: Term, target: Array) -> Term:
    """Return a term of `target` without tables, a variable divided; as it is where none helps."""
    if term.at is not None or not _tables(term):
        return term
    for axis in (*term.kept, *term.summed):
        for length in _lengths(axis):
            other = _with_blocks(term, target, axis, length)
            if not _tables(other):
                return other
    return term


def _tables(term: Term) -> bool:
    return any(r.table is not None and r.array.kind != NUMBER for r in term.reads)


def _lengths(axis: Axis) -> Iterator[int]:
    """Yield the lengths that the blocks of an axis may have."""
    var, size = axis
    if var != BATCH and isinstance(size, int):
        yield from (n for n in range(2, size) if size % n == 0)


def _with_blocks(term: Term, target: Array, axis: Axis, length: int) -> Term:
    """Return the same term with blocks of a length, which have the variable after all others."""
    var, inner = axis[0], max(term.sizes) + 1
    count = term.sizes[var] // length  # type: ignore[operator]
    parts = ((var, count), (inner, length))
    reads = (_divided_read(factor, term.sizes, parts) for factor in term.reads)
    kept, summed = (_replaced(axes, axis, parts) for axes in (term.kept, term.summed))
    at = None if axis in term.summed else _place(target, parts)
    return replace(term, factors=tuple(reads), kept=kept, summed=summed, at=at)


def _replaced(axes: Sequence[Axis], axis: Axis, parts: Sequence[Axis]) -> tuple[Axis, ...]:
    return tuple(part for a in axes for part in (parts if a == axis else (a,)))


def _place(target: Array, parts: Sequence[Axis]) -> Read:
    """Return what reads the target at its own variables, one of them divided."""
    axes = _replaced(tuple(enumerate(target.shape)), (parts[0][0], _size(parts)), parts)
    split = tuple(int(size) for _, size in axes)  # type: ignore[arg-type]
    return Read(target, tuple(Index(var) for var, _ in axes), split)


def _size(parts: Sequence[Axis]) -> int:
    (_, count), (_, length) = parts
    return count * length  # type: ignore[operator,return-value]


def _divided_read(factor: Read, sizes: Sizes, parts: Sequence[Axis]) -> Read:
    """Return what reads the same places, the variable of the first part divided in two."""
    var, rest = parts[0][0], factor.vars
    if var not in rest:
        return factor
    places = flat_places(factor, sizes)  # type: ignore[arg-type]
    axes = _replaced(tuple(zip(rest, places.shape)), (var, _size(parts)), parts)
    shape: Any = [size for _, size in axes]
    return by_rule(factor, places.reshape(shape), [v for v, _ in axes], {var: parts})


def by_rule(
    factor: Read, places: Ints, variables: Sequence[int], parts: Mapping[int, Sequence[Axis]]
) -> Read:
    """Return what reads the array of `factor` at places, its axes divided as its variables are."""
    split: list[int] = []
    whole = factor.table is None
    for index, size in zip(factor.index, factor.shape if whole else ()):
        inner = [n for _, n in parts.get(index.var, ()) if isinstance(n, int)]
        same = index[1:] == (0, 1) and _product(inner) == size
        split += inner if inner and same else [size]
    return read(factor.array, places, variables, tuple(split) if whole else None)


def _product(sizes: Sequence[int]) -> int:
    result = 1
    for n in sizes:
        result *= n
    return result
