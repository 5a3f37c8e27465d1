"""Sums of products on a grid: which axes of an operand are free, and which are summed over."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from micrograd.lowering.columns import Ints
from micrograd.lowering.grids import Grid, coordinates, find_grid, read
from micrograd.lowering.ir import Array, Operand, Term


class Side(NamedTuple):
    """The axes of one operand of a run: (free column or None, summed column or None) each."""

    pieces: list[tuple[Ints | None, Ints | None]]
    split: tuple[int, ...]


class Run:
    """All terms of a group of sums whose operands lie in the same one or two arrays.

    `places` holds, per operand, the flat places of the terms, ordered by member. Where all
    members have as many terms (`even`), they are tables with a row per member.
    """

    def __init__(self, arrays: Sequence[Array], places: Sequence[Ints], owner: Ints, count: int):
        order = self._order(places, owner)
        owner = owner[order]
        self.arrays = arrays
        self.starts = np.flatnonzero(np.append(True, owner[1:] != owner[:-1]))
        lengths = np.diff(np.append(self.starts, len(owner)))
        self.even = bool((lengths == lengths[0]).all())
        shape = (count, -1) if self.even else (-1,)
        self.places = [p[order].reshape(shape) for p in places]
        self.lengths = lengths
        self.sides = [_side(a, p) if self.even else None for a, p in zip(arrays, self.places)]
        self.loose = None in self.sides

    def _order(self, places: Sequence[Ints], owner: Ints) -> Ints:
        return np.lexsort((*reversed(places), owner))

    def _inner(self) -> Grid:
        """Return the grid of the terms of one member."""
        inner = [s for side in self.sides if side for _, s in side.pieces if s is not None]
        return find_grid(inner, self.places[0].shape[1], merge=False)

    @property
    def columns(self) -> list[tuple[Array, Ints]]:
        """Return the coordinates of each member: its free axes, or where its terms begin."""
        found = []
        for array, side, places in zip(self.arrays, self.sides, self.places):
            if side is None:
                found.append((array, places[:, 0] if self.even else places[self.starts]))
            else:
                found += [(array, free) for free, _ in side.pieces if free is not None]
        return found

    def term(self, grid: Grid) -> Term:
        """Return the term of the group's array."""
        if not self.even:
            return self._segments(grid)
        summed = self._inner()
        rank = len(grid.shape)
        variables = tuple(range(rank + len(summed.shape)))
        shape = grid.shape + summed.shape
        operands = [
            self._operand(array, side, places, grid, summed, variables)
            for array, side, places in zip(self.arrays, self.sides, self.places)
        ]
        return _made(operands, tuple(zip(variables[rank:], shape[rank:])))

    def _operand(self, array: Array, side: Side | None, places: Ints, grid: Grid, summed: Grid,
                 variables: tuple[int, ...]) -> Operand:  # fmt: skip
        shape = grid.shape + summed.shape
        flat = places[grid.order][:, summed.order].reshape(shape)
        if side is None:
            return read(array, coordinates(array, flat), flat, variables)
        columns = []
        for free, inner in side.pieces:
            column = np.zeros(shape, np.int64)
            if free is not None:
                column += free[grid.order].reshape(grid.shape + (1,) * len(summed.shape))
            if inner is not None:
                column += inner[summed.order].reshape(summed.shape)
            columns.append(column)
        return read(array, columns, flat, variables, side.split)

    def _segments(self, grid: Grid) -> Term:
        lengths = self.lengths[grid.order]
        starts = np.append(0, np.cumsum(lengths))
        within = np.arange(starts[-1]) - np.repeat(starts[:-1], lengths)
        flat = np.repeat(self.starts[grid.order], lengths) + within
        operands = [
            read(array, coordinates(array, places[flat]), places[flat], (0,))
            for array, places in zip(self.arrays, self.places)
        ]
        a, *b = operands
        return Term(a, b[0] if b else None, (), starts)


class Chain(Run):
    """The terms of a group of choices that follow one another and lie in one array.

    Which comes first decides who gets the gradient, so they keep the order that they have.
    """

    def _order(self, places: Sequence[Ints], owner: Ints) -> Ints:
        return np.arange(len(owner))

    def _inner(self) -> Grid:
        every = np.arange(self.places[0].shape[1])
        return Grid(every.shape, every, every)


def _made(operands: list[Operand], summed: tuple[tuple[int, int], ...]) -> Term:
    return Term(operands[0], operands[1] if len(operands) > 1 else None, summed)


def _side(array: Array, places: Ints) -> Side | None:
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
    return Side(pieces, tuple(split))


def _divided(column: Ints, inner: Ints, size: int
             ) -> tuple[list[tuple[Ints | None, Ints | None]], list[int]] | None:  # fmt: skip
    """Divide an axis that is walked in blocks: member h reads the places h · length + j."""
    length = int(inner.max() - inner.min()) + 1
    high, low = column // length, inner % length
    if size % length or not (high == high[:, :1]).all() or not (column % length == low).all():
        return None
    return [(high[:, 0], None), (None, low)], [size // length, length]
