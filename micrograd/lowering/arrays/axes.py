"""Find the axes of a group of nodes in the coordinates of their operands.

Each operand's place in its array gives one column of coordinates per axis. Where some of the
columns, taken together, run through every combination of their values exactly once, these are
the axes of the group, and the other columns are functions of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from micrograd.core.formulas import specialise
from micrograd.lowering.arrays.ir import ALL, FIXED, Array, Factor, Formula, Index, Read
from micrograd.lowering.scalars.columns import Bools, Ints
from micrograd.lowering.trace.declared import NUMBER, PARAMETER


class Axes(NamedTuple):
    """Say how members lie in an array.

    `order` are the members row by row (one of each set of equal ones), `place` is every
    member's place among them.
    """

    shape: tuple[int, ...]
    order: Ints
    place: Ints


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


def find_axes(columns: Sequence[Ints], count: int, apart: Sequence[Ints] = ()) -> Axes:
    """Return the axes of `count` members; without one, a single axis sorted by the columns.

    Members with equal columns are one element, unless what tells them `apart` differs: then they
    are the first, the second, ... of their kind, as samples are; without a grid, of all.
    """
    ranked = _ranked(columns)
    code, size = _code(ranked, count)
    alike, elements = _code([code, *_ranked(apart)], count) if apart else (code, size)
    for kind in (code, 0 * code) if elements > size else ():
        ranked = _ranked([*columns, _turns(kind, alike)])
        if (chosen := _chosen(ranked, count, elements)) is not None:
            break
    else:
        chosen = _chosen(ranked, count, size)
    axes = ranked if chosen is None else [ranked[i] for i in chosen]
    place, size = _code(axes, count)
    shape = (size,) if chosen is None else tuple(map(_cardinality, axes))
    return Axes(shape, np.unique(place, return_index=True)[1], place)


def _ranked(columns: Sequence[Ints]) -> list[Ints]:
    """Return the columns that vary, each once, as ranks of their values.

    What changes least from one member to the next comes first: it was the program's outer loop.
    """
    distinct: list[Ints] = []
    for column in columns:
        if (column == column[0]).all() or any(np.array_equal(column, c) for c in distinct):
            continue
        distinct.append(column)
    distinct.sort(key=lambda column: int((column[1:] != column[:-1]).sum()))
    return [np.unique(column, return_inverse=True)[1] for column in distinct]


def _cardinality(ranks: Ints) -> int:
    return int(ranks.max()) + 1


def _code(ranked: Sequence[Ints], count: int) -> tuple[Ints, int]:
    """Return one number per member, ordered like its columns, and the number of distinct ones."""
    code, *others = ranked or [np.zeros(count, np.int64)]
    for ranks in others:
        code = np.unique(code * _cardinality(ranks) + ranks, return_inverse=True)[1]
    return code, _cardinality(code)


def _turns(code: Ints, alike: Ints) -> Ints:
    """Return which of those with the same code each member is, those that are `alike` as one."""
    _, first, which = np.unique(alike, return_index=True, return_inverse=True)
    order = np.lexsort((first, code[first]))
    begins = np.searchsorted(code[first][order], code[first])
    return (np.argsort(order) - begins)[which]


def _chosen(ranked: list[Ints], count: int, size: int) -> list[int] | None:
    """Return which columns are the axes, in order; None where no columns fill a grid."""
    taken: list[int] = []
    filled = 1
    for i in sorted(range(len(ranked)), key=lambda i: -_cardinality(ranked[i])):
        if filled == size:
            break
        wanted = filled * _cardinality(ranked[i])
        if size % wanted == 0 and _code([ranked[j] for j in (*taken, i)], count)[1] == wanted:
            taken.append(i)
            filled = wanted
    return sorted(taken) if filled == size else None


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
    if index[1:] == (0, 1) and sizes[index.var] == length:
        return ALL
    return index.start, index.start + index.step * (sizes[index.var] - 1) + 1, index.step


def brackets(
    shape: tuple[int, ...], places: Ints, variables: Sequence[int]
) -> tuple[tuple[Any, ...], Sequence[int]]:
    """Return what a table reads of each axis, and the variables of what is read.

    All of an axis, one place, or places; those of several axes, neighbours, go together along one
    variable. Where there is no such way to say it, the places in the array laid flat.
    """
    columns = coordinates(shape, places)
    reduced = [depending(column, variables) for column in columns]
    often = [var for _, vars in reduced for var in vars]
    items, kept, looked = list[Any](), list[int](), list[int]()
    for axis, (column, vars) in enumerate(reduced):
        walks = np.array_equal(column, np.arange(shape[axis])) and often.count(vars[0]) == 1
        items.append(ALL if walks else column if vars else int(column))
        if not walks:
            looked.append(axis)
        kept += [var for var in vars if var not in kept]
    together = {var for axis in looked for var in reduced[axis][1]}
    near = looked == [*range(looked[0], looked[-1] + 1)]
    if (near and len(together) == 1) or len(looked) == 1:
        return tuple(items), kept
    return (places,), variables


def order_of(array: Array) -> int:
    """Return where an array stands among others: what depends on samples first, then parameters."""
    return 2 if array.kind == PARAMETER else 0 if array.batched else 1


# members with equal keys


def changes(column: Ints) -> Bools:
    """Mark the members that differ from the one before."""
    return np.append(True, column[1:] != column[:-1])


def cut(column: Ints, first: Bools) -> Iterator[Ints]:
    """Yield the pieces of a column that begin where `first` is marked."""
    bounds = [*np.flatnonzero(first).tolist(), len(column)]
    return (column[a:b] for a, b in pairwise(bounds))


def classes(*keys: Ints) -> list[Ints]:
    """Return the members with equal keys, in the order of the keys."""
    order = np.lexsort(keys)
    new = np.any([changes(key[order]) for key in keys], axis=0)
    return [*cut(order, new)]


def numbered(keys: Iterable[Any]) -> Ints:
    """Return a number for every key, equal for equal ones."""
    known: dict[Any, int] = {}
    return np.array([known.setdefault(key, len(known)) for key in keys], np.intp)


def signature(owner: Ints, code: Ints) -> Ints:
    """Return a number per sum, equal for equal sets of codes."""
    order = np.lexsort((code, owner))
    owner, code = owner[order], code[order]
    each = changes(owner) | changes(code)
    owner, code = owner[each], code[each]
    return numbered(part.tobytes() for part in cut(code, changes(owner)))
