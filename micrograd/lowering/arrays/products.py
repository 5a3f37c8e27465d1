"""Sums of products on a grid: which axes of a factor are free, and which are summed over."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from micrograd.lowering.arrays.axes import Axes, coordinates, find_axes, read
from micrograd.lowering.arrays.ir import BATCH, Array, Axis, B, Read, Term
from micrograd.lowering.scalars.columns import Ints


class FactorAxes(NamedTuple):
    """One factor of the products: its axes, each as (free column or None, summed column or None).

    An axis is walked by the result (free), by the sum (summed), or by both.
    """

    pieces: list[tuple[Ints | None, Ints | None]]
    split: tuple[int, ...]


class Products:
    """All terms of a group of sums whose factors lie in the same one or two arrays.

    `places` holds, per operand, the flat places of the terms, ordered by member. Where all
    members have as many terms (`equal_lengths`), they are tables with a row per member.
    """

    def __init__(self, arrays: Sequence[Array], places: Sequence[Ints], owner: Ints, count: int):
        order = self._order(places, owner)
        owner = owner[order]
        self.arrays = arrays
        self.starts = np.flatnonzero(np.append(True, owner[1:] != owner[:-1]))
        lengths = np.diff(np.append(self.starts, len(owner)))
        self.equal_lengths = bool((lengths == lengths[0]).all())
        shape = (count, -1) if self.equal_lengths else (-1,)
        self.places = [p[order].reshape(shape) for p in places]
        self.lengths = lengths
        self.axes = [
            _factor_axes(a, p) if self.equal_lengths else None for a, p in zip(arrays, self.places)
        ]
        self.gridless = None in self.axes

    def _order(self, places: Sequence[Ints], owner: Ints) -> Ints:
        return np.lexsort((*reversed(places), owner))

    def _inner(self) -> Axes:
        """Return the grid of the terms of one member."""
        inner = [s for factor in self.axes if factor for _, s in factor.pieces if s is not None]
        return find_axes(inner, self.places[0].shape[1], merge=False)

    @property
    def columns(self) -> list[tuple[Array, Ints]]:
        """Return the coordinates of each member: its free axes, or where its terms begin."""
        columns = []
        for array, factor, places in zip(self.arrays, self.axes, self.places):
            if factor is None:
                columns.append((array, places[:, 0] if self.equal_lengths else places[self.starts]))
            else:
                columns += [(array, free) for free, _ in factor.pieces if free is not None]
        return columns

    @property
    def batched(self) -> bool:
        """Return whether a factor depends on the samples."""
        return any(array.batched for array in self.arrays)

    def term(self, grid: Axes, batched: bool) -> Term:
        """Return the term of the group's array; `batched` says whether the array is."""
        front = ((BATCH, B),) if batched else ()
        if not self.equal_lengths:
            return self._pieces(grid, front)
        summed = self._inner()
        rank = len(grid.shape)
        variables = tuple(range(rank + len(summed.shape)))
        sizes = tuple(zip(variables, grid.shape + summed.shape))
        factors = tuple(
            self._factor(array, axes, places, grid, summed, variables)
            for array, axes, places in zip(self.arrays, self.axes, self.places)
        )
        return Term(factors, front + sizes[:rank], sizes[rank:])

    def _factor(
        self,
        array: Array,
        axes: FactorAxes | None,
        places: Ints,
        grid: Axes,
        summed: Axes,
        variables: tuple[int, ...],
    ) -> Read:
        shape = grid.shape + summed.shape
        flat = places[grid.order][:, summed.order].reshape(shape)
        if axes is None:
            return read(array, coordinates(array, flat), flat, variables)
        columns = []
        for free, inner in axes.pieces:
            column = np.zeros(shape, np.int64)
            if free is not None:
                column += free[grid.order].reshape(grid.shape + (1,) * len(summed.shape))
            if inner is not None:
                column += inner[summed.order].reshape(summed.shape)
            columns.append(column)
        return read(array, columns, flat, variables, axes.split)

    def _pieces(self, grid: Axes, front: tuple[Axis, ...]) -> Term:
        lengths = self.lengths[grid.order]
        starts = np.append(0, np.cumsum(lengths))
        inside = np.arange(starts[-1]) - np.repeat(starts[:-1], lengths)
        flat = np.repeat(self.starts[grid.order], lengths) + inside
        factors = tuple(
            read(array, coordinates(array, places[flat]), places[flat], (0,))
            for array, places in zip(self.arrays, self.places)
        )
        return Term(factors, (*front, (0, int(starts[-1]))), pieces=starts)


class Ordered(Products):
    """The terms of a group of choices that follow one another and lie in one array.

    Which comes first decides who gets the gradient, so they keep the order that they have.
    """

    def _order(self, places: Sequence[Ints], owner: Ints) -> Ints:
        return np.arange(len(owner))

    def _inner(self) -> Axes:
        every = np.arange(self.places[0].shape[1])
        return Axes(every.shape, every, every)


def _factor_axes(array: Array, places: Ints) -> FactorAxes | None:
    """Divide the axes of one operand; None where an axis is neither free nor summed nor both."""
    pieces: list[tuple[Ints | None, Ints | None]] = []
    split: list[int] = []
    for column, size in zip(coordinates(array, places), array.shape):
        free, inner = column[:, 0], column[0]
        if (column == free[:, None]).all():
            pieces.append((free, None))
            split.append(size)
        elif (column == inner).all():
            pieces.append((None, inner))
            split.append(size)
        else:
            divided = _divided(column, inner, size)
            if divided is None:
                return None
            pieces += divided[0]
            split += divided[1]
    return FactorAxes(pieces, tuple(split))


def _divided(
    column: Ints, inner: Ints, size: int
) -> tuple[list[tuple[Ints | None, Ints | None]], list[int]] | None:
    """Divide an axis that is walked in blocks: member h reads the places h · length + j."""
    length = int(inner.max() - inner.min()) + 1
    high, low = column // length, inner % length
    if size % length or not (high == high[:, :1]).all() or not (column % length == low).all():
        return None
    return [(high[:, 0], None), (None, low)], [size // length, length]
