"""Sums of products on a grid: which axes of a factor are free, and which are summed over."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from micrograd.lowering.arrays.axes import (
    Axes,
    coordinates,
    find_axes,
    flat_places,
    read,
)
from micrograd.lowering.arrays.ir import BATCH, Array, Axis, B, Read, Term
from micrograd.lowering.scalars.columns import Ints
from micrograd.lowering.trace.declared import NUMBER

# An axis of a factor is walked by the result (its free column), by the sum (its summed column), or
# by both: then it has two pieces.
Piece = tuple["Ints | None", "Ints | None"]


class Products:
    """All terms of a group of sums whose factors lie in the same one or two arrays.

    `places` holds, per operand, the flat places of the terms: a row per member, or, where the
    members have different numbers of terms, one after the other, `owner` telling whose each is.
    """

    def __init__(self, arrays: Sequence[Array], places: Sequence[Ints], owner: Ints | None = None):
        self.arrays, self.places, self.owner = arrays, places, owner
        self.axes = [None if owner is not None else _pieces(a, p) for a, p in zip(arrays, places)]
        self.gridless = None in self.axes

    @classmethod
    def of_sums(
        cls, arrays: Sequence[Array], places: Sequence[Ints], owner: Ints, count: int
    ) -> Products:
        """Return the products of `count` sums; the order of the terms of one says nothing."""
        order = np.lexsort((*reversed(places), owner))
        places, lengths = [p[order] for p in places], np.bincount(owner, minlength=count)
        if (lengths == lengths[0]).all():
            return cls(arrays, [p.reshape(count, -1) for p in places])
        return cls(arrays, places, owner[order])

    @property
    def columns(self) -> list[tuple[Array, Ints]]:
        """Return the coordinates of each member: its free axes, or where its terms begin."""
        columns = []
        for array, factor, places in zip(self.arrays, self.axes, self.places):
            if factor is not None:
                columns += [(array, free) for free, _ in factor if free is not None]
            elif self.owner is None:
                columns.append((array, places[:, 0]))
            else:
                columns.append((array, places[np.unique(self.owner, return_index=True)[1]]))
        return columns

    @property
    def batched(self) -> bool:
        """Return whether a factor depends on the samples."""
        return any(array.batched for array in self.arrays)

    def term(self, grid: Axes, target: Array, ordered: bool = False) -> Term:
        """Return the term of the group's array; `ordered` terms stay in the order they have."""
        front = ((BATCH, B),) if target.batched else ()
        if self.owner is not None:
            order = np.argsort(grid.place[self.owner], kind="stable")
            reads = [read(a, p[order], (0,)) for a, p in zip(self.arrays, self.places)]
            at = Read(target, table=grid.place[self.owner[order]], variables=(0,))
            return Term(tuple(reads), (*front, (0, len(order))), at=at)
        summed = self._summed(ordered)
        rank, shape = len(grid.shape), grid.shape + summed.shape
        sizes = tuple(enumerate(shape))
        factors = []
        for array, places in zip(self.arrays, self.places):
            flat = places[grid.order][:, summed.order].reshape(shape)
            factors.append(read(array, flat, range(len(shape))))
        return Term(tuple(factors), front + sizes[:rank], sizes[rank:])

    def _summed(self, ordered: bool) -> Axes:
        """Return the grid of the terms of one member."""
        count = self.places[0].shape[1]
        if ordered:
            return Axes((count,), np.arange(count), np.arange(count))
        inner = [s for factor in self.axes if factor for _, s in factor if s is not None]
        return find_axes(inner, count, merge=False)


def _pieces(array: Array, places: Ints) -> list[Piece] | None:
    """Return the pieces of one operand; None where an axis is neither free nor summed nor both."""
    pieces: list[Piece] = []
    for column, size in zip(coordinates(array.shape, places), array.shape):
        free, inner = column[:, 0], column[0]
        if (column == free[:, None]).all():
            pieces.append((free, None))
        elif (column == inner).all():
            pieces.append((None, inner))
        else:  # walked in blocks: member h reads the places h · length + j
            length = int(inner.max() - inner.min()) + 1
            high, low = column // length, inner % length
            if size % length or (high != high[:, :1]).any() or (column % length != low).any():
                return None
            pieces += [(high[:, 0], None), (None, low)]
    return pieces


# Axes that are walked in blocks: head h has the places 4h to 4h + 3 of a row of 16. Where
# `out[i,c] = Σk a[i, c // 4, k] v[k,c]`, c stands for two variables: a block, and a place in it.
# With c divided, `out[i, 4h+j] = Σk a[i,h,k] v[k, 4h+j]`, everything is read by a rule.


def divided(term: Term, target: Array) -> Term:
    """Return a term of `target` without tables, a variable divided; as it is where none helps."""
    if term.at is None and _by_table(term):
        for axis in (*term.kept, *term.summed):
            for length in _lengths(axis):
                other = _with_blocks(term, target, axis, length)
                if not _by_table(other):
                    return other
    return term


def _by_table(term: Term) -> bool:
    return any(r.table is not None and r.array.kind != NUMBER for r in term.reads)


def _lengths(axis: Axis) -> Iterator[int]:
    """Yield the lengths that the blocks of an axis may have."""
    var, size = axis
    if var != BATCH and isinstance(size, int):
        yield from (n for n in range(2, size) if size % n == 0)


def _with_blocks(term: Term, target: Array, axis: Axis, length: int) -> Term:
    """Return the same term with blocks of a length, which have the variable after all others."""
    var, inner = axis[0], max(term.sizes) + 1
    parts = ((var, term.sizes[var] // length), (inner, length))  # type: ignore[operator]
    reads = (_with_parts(read, term.sizes, var, parts) for read in term.reads)
    kept, summed = (_replaced(axes, var, parts) for axes in (term.kept, term.summed))
    at = None if axis in term.summed else _with_parts(target.whole, dict(target.axes), var, parts)
    return replace(term, factors=tuple(reads), kept=kept, summed=summed, at=at)


def _replaced(axes: Iterable[Axis], var: int, parts: Sequence[Axis]) -> tuple[Axis, ...]:
    return tuple(part for axis in axes for part in (parts if axis[0] == var else (axis,)))


def _with_parts(factor: Read, sizes: Mapping[int, Any], var: int, parts: Sequence[Axis]) -> Read:
    """Return what reads the same places, a variable divided into `parts`."""
    if var not in factor.vars:
        return factor
    places = flat_places(factor, sizes)
    axes = _replaced(zip(factor.vars, places.shape), var, parts)
    shape: Any = [size for _, size in axes]
    return read(factor.array, places.reshape(shape), [v for v, _ in axes])
