"""What is read of an array: by a rule along its axes, or by a table of places."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from math import prod
from typing import Any

import numpy as np

from micrograd.core.formulas import specialise
from micrograd.lowering.arrays.ir import ALL, FIXED, Array, Factor, Formula, Index, Read, Term
from micrograd.lowering.scalars.columns import Ints
from micrograd.lowering.trace.declared import NUMBER


def coordinates(shape: tuple[int, ...], places: Any) -> list[Ints]:
    """Return the columns of coordinates of flat places.

    Not by np.unravel_index: where the last axis of the places is 1 long, that of NumPy 2.4 errs
    from the 8,193rd on (numpy/numpy#31980).
    """
    columns = []
    for size in reversed(shape):
        places, column = np.divmod(places, size)
        columns.append(column)
    return columns[::-1]


def read(array: Array, places: Ints, variables: Sequence[int]) -> Read:
    """Return what reads `array` at flat places, which have one axis per variable.

    By a rule, if need be with axes divided, or joined where the whole array is read; else by a
    table, without the variables that it does not depend on.
    """
    places, variables = depending(places, variables)
    for shape in (array.shape, (array.size,))[: 2 if places.size == array.size else 1]:
        walks = [_walk(c, n, variables) for c, n in zip(coordinates(shape, places), shape)]
        index = tuple(i for walk in walks for i, _ in walk)
        split = tuple(n for walk in walks for _, n in walk)
        vars = [i.var for i in index if i.var != FIXED]
        if all(walks) and len(set(vars)) == len(vars):
            return Read(array, index, None if split == array.shape else split)
    return Read(array, table=places, variables=tuple(variables))


def depending(places: Ints, variables: Sequence[int]) -> tuple[Ints, Sequence[int]]:
    """Return places, and their variables, without those that they do not depend on."""
    for axis, var in reversed([*enumerate(variables)]):
        first = places.take([0], axis)
        if (places == first).all():
            places, variables = first.squeeze(axis), [v for v in variables if v != var]
    return places, variables


def _walk(column: Ints, length: int, variables: Sequence[int]) -> list[tuple[Index, int]]:
    """Return how an axis is walked over a grid: an index, and the length of its axis.

    Several where the axis is walked in blocks, the blocks by the first; none without a rule.
    """
    first, walk = int(column.flat[0]), steps(column, variables)
    if not walk:
        return [] if walk is None else [(Index(FIXED, first), length)]
    (outer, _, var), *inner = sorted(walk, reverse=True)
    block = 1
    for step, count, _ in reversed(inner):
        if step != block:
            return []
        block *= count
    if outer % block or first % block or length % block:
        return []
    index = Index(var, first // block, outer // block)
    return [(index, length // block), *((Index(var), count) for _, count, var in inner)]


def steps(column: Ints, variables: Sequence[int]) -> list[tuple[int, int, int]] | None:
    """Return by how much a column grows with each variable that it depends on, from how many
    values of it; None where it does not grow evenly."""
    first = rule = column.flat[0]
    found = []
    for axis, var in enumerate(variables):
        line = column[(0,) * axis + (slice(None),) + (0,) * (column.ndim - axis - 1)] - first
        step, rule = int(line[1]) if len(line) > 1 else 0, np.add.outer(rule, line)
        if step < 0 or (line != step * np.arange(len(line))).any():
            return None
        if step:
            found.append((step, len(line), var))
    return found if (column == rule).all() else None


def without_idle(term: Term) -> Term:
    """Return a term without sums of what never changes: Σj x is 3 x for a j of 3 values."""
    read, summed, scale = {var for part in term.reads for var in part.every}, [], term.scale
    for var, size in term.summed:
        if var in read:
            summed.append((var, size))
        else:
            scale = scale.over(size)
    return replace(term, summed=tuple(summed), scale=scale)


def number_of(factor: Factor) -> float | None:
    """Return the number of the code that a factor is, if it is one."""
    if not isinstance(factor, Read) or factor.array.kind != NUMBER or factor.vars:
        return None
    return float(np.asarray(factor.array.data)[factor.index[0].start])


def moderate(number: float) -> bool:
    """Return whether no product of usual size overflows, or vanishes, for a number alone."""
    return 1e-30 < abs(number) < 1e30


def used(formula: Formula) -> dict[str, Read]:
    """Return what the letters read that the text of a formula has, its constant put in."""
    names = _names(formula.text, formula.k)
    return {letter: read for letter, read in formula.letters if letter in names}


@lru_cache(256)
def _names(text: str, k: float | None) -> frozenset[str]:
    return frozenset(re.findall(r"\w+", specialise(text, k)))


def flat_places(operand: Read, sizes: Mapping[int, int]) -> Ints:
    """Return the flat places that an operand reads, one axis per variable of `operand.vars`.

    `sizes` gives the sizes of the variables.
    """
    if operand.table is not None:
        return operand.table
    places = np.arange(operand.array.size).reshape(operand.shape)
    parts = selection(operand, sizes)
    return places[tuple(slice(*part) if isinstance(part, tuple) else part for part in parts)]


def selection(read: Read, sizes: Mapping[int, Any]) -> tuple[Any, ...]:
    """Return what stands in brackets for each axis read: a place, or (start, stop, step)."""
    return tuple(_selected(i, n, sizes) for i, n in zip(read.index, read.shape))


def _selected(index: Index, length: int, sizes: Mapping[int, Any]) -> Any:
    if index.var == FIXED:
        return index.start
    if sizes[index.var] == length:  # from its beginning, then, one by one
        return ALL
    return index.start, index.start + index.step * (sizes[index.var] - 1) + 1, index.step


def brackets(
    shape: tuple[int, ...], places: Ints, variables: Sequence[int]
) -> tuple[tuple[int, ...], tuple[Any, ...], Sequence[int]]:
    """Return what a table reads of each axis, and the variables of what is read.

    In front the shape that the axes refer to: the last one is divided if need be, and where there
    is no other way the array laid flat.
    """
    *front, last = shape
    blocks = ((*front, last // n, n) for n in range(2, last) if last % n == 0)
    for divided in (shape, *blocks):
        if found := _brackets(divided, places, variables):
            return divided, *found
    return (prod(shape),), (places,), variables


def _brackets(
    shape: tuple[int, ...], places: Ints, variables: Sequence[int]
) -> tuple[tuple[Any, ...], list[int]] | None:
    """Return what a table reads of each axis, if there is a way to say it.

    All of an axis, one place, or places; those of several axes, neighbours, go together: broadcast
    they have the same variables.
    """
    columns = coordinates(shape, places)
    reduced = [depending(column, variables) for column in columns]
    often = [var for _, vars in reduced for var in vars]
    items, kept, looked = list[Any](), list[int](), list[int]()
    for axis, (column, vars) in enumerate(reduced):
        walks = np.array_equal(column, np.arange(shape[axis])) and often.count(vars[0]) == 1
        items.append(ALL if walks else column if vars else int(column))
        looked += [] if walks else [axis]
    together = [var for var in variables if any(var in reduced[axis][1] for axis in looked)]
    for axis in looked:
        column, vars = reduced[axis]
        behind = len(together) - 1 - together.index(vars[0]) if len(vars) == 1 else 0
        if behind and is_range(column):
            items[axis] = column.reshape(-1, *(1,) * behind)
        elif vars and [*vars] != together[-len(vars) :]:
            return None
    if looked != [*range(looked[0], looked[-1] + 1)]:
        return None
    for axis, (_, vars) in enumerate(reduced):
        kept += together if axis == looked[0] else [] if axis in looked else vars
    return tuple(items), kept


def is_range(places: Ints) -> bool:
    """Return whether places are 0, 1, 2, ..., along the first axis."""
    return np.array_equal(places.ravel(), np.arange(len(places)))
