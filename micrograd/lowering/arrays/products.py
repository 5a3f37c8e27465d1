"""Sums of products on a grid: how the members walk the axes of a factor, and how the terms do."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from micrograd.lowering.arrays.axes import Axes, find_axes
from micrograd.lowering.arrays.ir import BATCH, COMPUTED, ONE, Array, Axis, B, Read, Term
from micrograd.lowering.arrays.reads import coordinates, flat_places, read, steps, without_idle
from micrograd.lowering.scalars.columns import Ints
from micrograd.lowering.trace.declared import NUMBER

Once = Callable[[object, Array], Array]


class Products:
    """All terms of a group of sums whose factors lie in the same one or two arrays.

    `places` holds, per operand, the flat places of the terms: a row per member, or, where the
    members have different numbers of terms, one after the other, `owner` telling whose each is.
    """

    scale = ONE  # of each term

    def __init__(self, arrays: Sequence[Array], places: Sequence[Ints], owner: Ints | None = None):
        self.arrays, self.places, self.owner = arrays, places, owner
        placed = [(a, p) for a, p in zip(arrays, places) if a.kind != NUMBER]  # which has no place
        self.walks = [(a, p, [] if owner is not None else _walked(a, p)) for a, p in placed]

    @property
    def uneven(self) -> bool:
        """Return whether the members do not walk all factors alike."""
        return any(of_term is None for *_, walk in self.walks for _, of_term in walk)

    @property
    def columns(self) -> list[tuple[Array, Ints]]:
        """Return the coordinates of each member: its free axes, or where its terms begin."""
        if self.owner is not None:
            first = np.unique(self.owner, return_index=True)[1]
            return [(array, places[first]) for array, places, _ in self.walks]
        return [(array, member) for array, _, walk in self.walks for member, _ in walk]

    def apart(self, count: int) -> list[Ints]:
        """Return what tells `count` members apart beside their columns."""
        numbers = [p for a, p in zip(self.arrays, self.places) if a.kind == NUMBER]
        if self.owner is not None or any(p.shape[1:] != (1,) for p in numbers):
            return [np.arange(count)]
        return [p[:, 0] for p in numbers]

    def term(self, grid: Axes, target: Array, ordered: bool = False) -> Term:
        """Return the term of the group's array; `ordered` terms stay in the order they have."""
        front = ((BATCH, B),) if target.batched else ()
        if self.owner is not None:
            return self._added(front, grid.place[self.owner], target)
        summed = self._summed(ordered)
        rank, shape = len(grid.shape), grid.shape + summed.shape
        sizes = tuple(enumerate(shape))
        factors = []
        for array, places in zip(self.arrays, self.places):
            flat = places[grid.order][:, summed.order].reshape(shape)
            factors.append(read(array, flat, range(len(shape))))
        term = Term(tuple(factors), front + sizes[:rank], sizes[rank:], self.scale)
        return term if ordered else without_idle(term)  # x * y + x * y is 2 x y

    def _added(self, front: tuple[Axis, ...], at: Ints, target: Array) -> Term:
        """Return the term of sums of different lengths, on the grid of all their terms if any."""
        columns = [c for a, p, _ in self.walks for c in coordinates(a.shape, p)]
        axes = find_axes(columns, len(at))
        if len(axes.shape) == 1 or len(axes.order) < len(at):
            axes = Axes((len(at),), np.argsort(at, kind="stable"), at)
        sizes = tuple(enumerate(axes.shape))
        *places, at = (p[axes.order].reshape(axes.shape) for p in (*self.places, at))
        factors = (read(a, p, range(len(sizes))) for a, p in zip(self.arrays, places))
        place = read(target, at, range(len(sizes)))
        walked = tuple(axis for axis in sizes if axis[0] in place.vars)
        summed = tuple(axis for axis in sizes if axis[0] not in place.vars)
        return Term(tuple(factors), (*front, *walked), summed, self.scale, place)

    def _summed(self, ordered: bool) -> Axes:
        """Return the grid of the terms of one member."""
        count = self.places[0].shape[1]
        if ordered:
            return Axes((count,), np.arange(count), np.arange(count))
        walked = (of_term for *_, walk in self.walks for _, of_term in walk)
        of_terms = [of_term for of_term in walked if of_term is not None]
        return find_axes(of_terms, count, [np.arange(count)])


def products_of(
    arrays: Sequence[Array], places: Sequence[Ints], owner: Ints, count: int, once: Once
) -> Products:
    """Return the products of `count` sums; the order of the terms of one says nothing.

    `once` keeps an array that is made of others, by a key.
    """
    keys = sorted(zip(arrays, places), key=lambda pair: pair[0].kind == NUMBER)
    order = np.lexsort((*(key for _, key in reversed(keys)), owner))
    lengths = np.bincount(owner, minlength=count)
    if (lengths != lengths[0]).any():
        return Products(arrays, [p[order] for p in places], owner[order])
    run = Products(arrays, [p[order].reshape(count, -1) for p in places])
    several = run.uneven and len(arrays) > 1
    return (several and _looked_up(arrays, places, owner, count, once)) or run


def _looked_up(
    arrays: Sequence[Array], places: Sequence[Ints], owner: Ints, count: int, once: Once
) -> Products | None:
    """Return products of rows that are looked up, as one array, with what multiplies them all.

    As x[n,k], the vectors of the words of every window, in z[n,j] = Σk x[n,k] W[j,k]. None where
    the sums do not multiply several rows by all of the same.
    """
    for n, w in ((0, 1), (1, 0)):
        order = np.lexsort((places[w], owner))
        table, weights = (places[i][order].reshape(count, -1) for i in (n, w))
        (rows, which), (each, by) = map(_distinct, (table, weights))
        pairs = np.unique(which * len(each) + by)
        grid = len(pairs) == len(rows) * len(each) and min(len(rows), len(each)) > 1
        if grid and all(of_term is not None for _, of_term in _walked(arrays[w], weights)):
            made = once((id(arrays[n]), rows.shape, rows.tobytes()), _laid(arrays[n], rows))
            at = which[:, None] * rows.shape[1] + np.arange(rows.shape[1])
            sides = [(made, at), (arrays[w], weights)][:: 1 - 2 * n]
            return Products([array for array, _ in sides], [place for _, place in sides])
    return None


def _laid(array: Array, rows: Ints) -> Array:
    """Return the array whose rows are places of another: whole rows of that, side by side."""
    bare = Array(COMPUTED, rows.shape, np.zeros(0, np.intp), array.batched)
    (count, length), size = rows.shape, array.shape[-1]
    walked = rows.reshape(count, -1, size) if length > size and length % size == 0 else rows
    front = ((BATCH, B),) if array.batched else ()
    kept, every = (*front, *enumerate(walked.shape)), np.arange(rows.size).reshape(walked.shape)
    part, at = (read(*side, range(walked.ndim)) for side in ((array, walked), (bare, every)))
    return replace(bare, terms=(Term((part,), kept, at=at),))


def _walked(array: Array, places: Ints) -> list[tuple[Ints, Ints | None]]:
    """Return how each axis of an operand is walked by the members, and by the terms of one.

    Where a coordinate is not the sum of both, as 4h for head h and j for a place in it are, the
    members are told apart by those that their terms have.
    """
    axes = list[tuple[Ints, Ints | None]]()
    for column in coordinates(array.shape, places):
        of_member, of_term = column[:, 0], column[0]
        if (column == of_member[:, None] + (of_term - of_term[0])).all():
            axes.append((of_member, of_term))
        else:
            axes.append((_distinct(column)[1], None))
    return axes


def _distinct(rows: Ints) -> tuple[Ints, Ints]:
    """Return the distinct rows as they first occur, and which of them each is."""
    each, first, which = np.unique(rows, axis=0, return_index=True, return_inverse=True)
    turn = np.argsort(first)
    return each[turn], np.argsort(turn)[which.ravel()]


# Axes that are walked in blocks: head h has the places 4h to 4h + 3 of a row of 16. Where
# `out[i,c] = Σk a[i, c // 4, k] v[k,c]`, c stands for two variables: a block, and a place in it.
# With c divided, `out[i, 4h+j] = Σk a[i,h,k] v[k, 4h+j]`, everything is read by a rule.


def divided(
    term: Term, target: Array, axes: Iterable[Axis], awkward: Callable[[Term], bool]
) -> Term:
    """Return a term of `target` that is not `awkward`, one of some axes divided; else the same."""
    if term.at is not None or not awkward(term):
        return term
    ways = (
        _with_blocks(term, target, axis, length)
        for axis in axes
        if isinstance(axis[1], int)
        for length in range(2, axis[1])
        if axis[1] % length == 0
    )
    return next((way for way in ways if not awkward(way)), term)


def terms_of(runs: Iterable[Products], grid: Axes, array: Array) -> list[Term]:
    """Return the terms of an array of sums as they are written, by no table that need not be."""
    terms = (run.term(grid, array) for run in runs)
    ruled = (divided(term, array, (*term.kept, *term.summed), by_table) for term in terms)
    return sorted(ruled, key=products_first)


def evenly(term: Term, array: Array) -> Term:
    """Return a term of choices that reads places which grow evenly, if there is one."""
    return divided(term, array, term.summed, uneven)


def by_table(term: Term) -> bool:
    """Return whether a term reads an array that is no numbers of the code by a table."""
    return any(r.table is not None and r.array.kind != NUMBER for r in term.reads)


def uneven(term: Term) -> bool:
    """Return whether a term reads places that do not grow evenly along every axis."""
    tables = [(r, r.table) for r in term.reads if r.table is not None]
    columns = ((c, r) for r, table in tables for c in coordinates(r.array.shape, table))
    return any(steps(column, r.variables) is None for column, r in columns)


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
    places = flat_places(factor, sizes)
    axes = _replaced(zip(factor.vars, places.shape), var, parts)
    shape: Any = [size for _, size in axes]
    return read(factor.array, places.reshape(shape), [v for v, _ in axes])


def products_first(term: Term) -> tuple[bool, ...]:
    """Order terms as they are written: products, single arrays, numbers; then those subtracted."""
    reads = list(term.reads)
    return term.scale.value < 0, len(reads) < 2, not term.summed, reads[0].array.kind == NUMBER
