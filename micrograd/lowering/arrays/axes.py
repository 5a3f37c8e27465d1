"""Find the axes of a group of nodes in the coordinates of their operands.

Each operand's place in its array gives one column of coordinates per axis. Where some of the
columns, taken together, run through every combination of their values exactly once, these are
the axes of the group, and the other columns are functions of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from micrograd.lowering.arrays.ir import Array
from micrograd.lowering.scalars.columns import Bools, Ints
from micrograd.lowering.trace.declared import PARAMETER


class Axes(NamedTuple):
    """Say how members lie in an array.

    `order` are the members row by row (one of each set of equal ones), `place` is every
    member's place among them.
    """

    shape: tuple[int, ...]
    order: Ints
    place: Ints


def find_axes(
    columns: Sequence[Ints],
    count: int,
    apart: Sequence[Ints] = (),
    operands: Sequence[Array] = (),
) -> Axes:
    """Return the axes of `count` members; without one, a single axis sorted by the columns.

    Members with equal columns are one element, unless what tells them `apart` differs: then they
    are the first, the second, ... of their kind, as samples are; without a grid, of all. Axes that
    one of the `operands`, given for each column, has all are in its order.
    """
    distinct = _distinct(columns)
    ranked = [*map(_ranks, distinct)]
    code, size = _code(ranked, count)
    alike, elements = _code([code, *_ranked(apart)], count)
    for kind in (code, 0 * code) if elements > size else ():
        distinct = _distinct([*columns, _turns(kind, alike)])
        ranked = [*map(_ranks, distinct)]
        if (chosen := _chosen(ranked, count, elements)) is not None:
            break
    else:
        chosen = _chosen(ranked, count, size)
    axes = [ranked[i] for i in chosen or ()]
    found = [distinct[i] for i in chosen or ()]
    axes = [axes[n] for n in _operand_order(found, columns, operands)]
    if chosen is None:
        axes = _halves(ranked, count, size) or _blocks(ranked, count, size)
    place, size = _code(axes or ranked, count)
    shape = tuple(map(_cardinality, axes)) if axes or chosen is not None else (size,)
    return Axes(shape, np.unique(place, return_index=True)[1], place)


def _operand_order(
    axes: list[Ints], columns: Sequence[Ints], operands: Sequence[Array]
) -> Iterable[int]:
    """Return the order in which the first operand that has all axes has them, else theirs."""
    for operand in dict.fromkeys(operands):
        own = [column for column, other in zip(columns, operands) if other is operand]
        order = dict.fromkeys(n for c in own for n, a in enumerate(axes) if np.array_equal(a, c))
        if len(order) == len(axes):
            return order
    return range(len(axes))


def _distinct(columns: Iterable[Ints]) -> list[Ints]:
    """Return the columns that vary, each once.

    What changes least from one member to the next comes first: it was the program's outer loop.
    """
    distinct: list[Ints] = []
    for column in columns:
        if (column == column[0]).all() or any(np.array_equal(column, c) for c in distinct):
            continue
        distinct.append(column)
    distinct.sort(key=lambda column: int((column[1:] != column[:-1]).sum()))
    return distinct


def _ranks(column: Ints) -> Ints:
    return np.unique(column, return_inverse=True)[1]


def _ranked(columns: Iterable[Ints]) -> list[Ints]:
    """Return the columns that vary, each once, as ranks of their values."""
    return [*map(_ranks, _distinct(columns))]


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
        wanted = filled * _cardinality(ranked[i])
        if size % wanted == 0 and _code([ranked[j] for j in (*taken, i)], count)[1] == wanted:
            taken.append(i)
            filled = wanted
    return sorted(taken) if filled == size else None


def _halves(ranked: list[Ints], count: int, size: int) -> list[Ints]:
    """Return one column and all others together where these two fill a grid; else nothing.

    The others are two axes where one of them is walked from its beginning again and again, as the
    positions in documents of one length are.
    """
    for column in ranked:
        length = _cardinality(column)
        rest = [other for other in ranked if _code([column, other], count)[1] > length]
        code, others = _code(rest, count)
        if 1 < length < size and length * others == size:
            first = np.unique(code, return_index=True)[1]
            turn = np.argsort(np.argsort(first))[code]
            for other in (column for column in rest if others % _cardinality(column) == 0):
                period, walk = _cardinality(other), other[np.sort(first)]
                if period < others and (walk == np.arange(others) % period).all():
                    return _ranked([*divmod(turn, period), column])
            return _ranked([turn, column])
    return []


def _blocks(ranked: list[Ints], count: int, size: int) -> list[Ints]:
    """Return axes of which some are the blocks of columns, and the places in these, if any."""
    longest = max(map(_cardinality, ranked), default=0)
    for length in (n for n in range(2, longest) if longest % n == 0):
        parts = [
            p for c in ranked for p in (divmod(c, length) if _cardinality(c) == longest else [c])
        ]
        parts = _ranked(parts)
        if chosen := _chosen(parts, count, size):
            return [parts[i] for i in chosen]
    return []


def order_of(array: Array) -> int:
    """Return where an array stands among others: what depends on samples first, then parameters."""
    return 2 if array.kind == PARAMETER else 0 if array.batched else 1


# members with equal keys


def changes(column: Ints) -> Bools:
    """Mark the members that differ from the one before."""
    return np.append(True, column[1:] != column[:-1])


def cut(column: Ints, first: Bools) -> Iterator[Ints]:
    """Yield the pieces of a column that begin where `first` is marked."""
    return (column[a:b] for a, b in pairwise([*np.flatnonzero(first).tolist(), len(column)]))


def classes(*keys: Ints) -> list[Ints]:
    """Return the members with equal keys, in the order of the keys."""
    order = np.lexsort(keys)
    return [*cut(order, np.any([changes(key[order]) for key in keys], axis=0))]


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
