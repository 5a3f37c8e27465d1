"""Longer arrays, made of others, that products read as one.

    x_padded[i,j] = x[i,j] at [i+1,j+1]         with 0s around: out[i] = Σk x[i + k - 1] w[k]
    hs[i,j] = h[j] at [0,j] + h_2[j] at [1,j]   the steps of a recurrent network side by side

Their elements have ids behind those of the graph's nodes, of which they hold none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from micrograd.lowering.arrays.axes import changes, cut
from micrograd.lowering.arrays.ir import BATCH, COMPUTED, FIXED, Array, B, Index, Read, Term
from micrograd.lowering.arrays.reads import coordinates
from micrograd.lowering.scalars.columns import NONE, Bools, Ints
from micrograd.lowering.trace.declared import NUMBER

Part = tuple[Array, tuple[Index, ...]]  # and where it lies


class Lying(NamedTuple):
    """The arrays, and where nodes lie: in which array, at which place."""

    arrays: Sequence[Array]
    array_of: Ints
    place_of: Ints


class Longer(NamedTuple):
    """An array of a `shape` made of `parts`, and the `terms` that read it at `places`.

    `others` are the other factors of these terms. What has an equal `key` is the same array.
    """

    key: object
    shape: tuple[int, ...]
    parts: list[Part]
    terms: Ints
    places: Ints
    others: Ints

    @property
    def made(self) -> Array:
        """Return the array."""
        batched = self.parts[0][0].batched
        bare = Array(COMPUTED, self.shape, np.zeros(0, np.intp), batched)
        front = ((BATCH, B),) if batched else ()
        terms = (
            Term((part.whole,), (*front, *enumerate(part.shape)), at=Read(bare, index))
            for part, index in self.parts
        )
        return replace(bare, terms=tuple(terms))


Finder = Callable[[Lying, Any, Ints, Ints, Ints], Iterator[Longer]]


def paddings(lying: Lying, zero: Bools, owner: Ints, a: Ints, b: Ints) -> Iterator[Longer]:
    """Yield what has 0s around it among the factors of sums; `zero` marks the 0s of the code."""
    arrays, array_of, place_of = lying
    several = b >= 0
    zeros = several & (zero[a] | zero[b])
    for kernel in np.unique(array_of[np.where(zero[a], b, a)[zeros]]).tolist():
        first, second = array_of[a] == kernel, several & (array_of[b] == kernel)
        w, x = np.where(second, b, a), np.where(second, a, b)
        read = several & (first ^ second)
        read &= np.isin(owner, owner[read & ~zeros])
        of = np.unique(array_of[x[read & ~zeros]]).tolist()
        if len(of) != 1 or NUMBER in (arrays[kernel].kind, arrays[of[0]].kind):
            continue
        terms = np.flatnonzero(read)
        terms = terms[np.lexsort((place_of[w[terms]], owner[terms]))]
        lengths = np.unique(owner[terms], return_counts=True)[1]
        if (lengths == lengths[0]).all():
            places = np.where(zeros[terms], NONE, place_of[x[terms]])
            found = _around(arrays[of[0]].shape, places.reshape(len(lengths), -1))
            if found:
                before, shape, places = found
                part = arrays[of[0]], tuple(map(Index, range(len(before)), before))
                yield Longer((of[0], before, shape), shape, [part], terms, places.ravel(), w[terms])


def _around(
    shape: tuple[int, ...], places: Ints
) -> tuple[tuple[int, ...], tuple[int, ...], Ints] | None:
    """Return how many 0s come before each axis, the shape with all, and the places in that.

    `places` has a row per member, NONE where a 0 is read; None where these are not all outside.
    """
    known = places >= 0
    whole = np.flatnonzero(known.all(1))
    if not len(whole) or known.all():
        return None
    some, every, outside = known.argmax(1), np.arange(len(places)), np.zeros(places.shape, bool)
    walks = []
    for column, size in zip(coordinates(shape, places), shape):
        of_term = column[whole[0]]
        walk = (column[every, some] - of_term[some])[:, None] + of_term
        if (walk != column)[known].any():
            return None
        outside |= (walk < 0) | (walk >= size)
        walks.append(walk)
    if (outside == known).any():
        return None
    before = tuple(max(0, -int(walk.min())) for walk in walks)
    longer = tuple(
        max(size, int(walk.max()) + 1) + n for walk, size, n in zip(walks, shape, before)
    )
    return before, longer, np.ravel_multi_index([w + n for w, n in zip(walks, before)], longer)


def steps(lying: Lying, level: Ints, owner: Ints, a: Ints, b: Ints) -> Iterator[Longer]:
    """Yield arrays of several heights that are used alike, times what lies in one array.

    Each times the same elements, as in scores, or all in the same sums, as in what these weigh.
    """
    arrays, array_of, place_of = lying
    made = np.array([array.kind == COMPUTED and len(array.nodes) > 0 for array in arrays])
    used = np.flatnonzero((b >= 0) & made[array_of[a]])
    used = used[np.lexsort((b[used], owner[used], place_of[a[used]], array_of[a[used]]))]
    alike: dict[object, list[tuple[int, int, Ints]]] = {}
    for terms in cut(used, changes(array_of[a[used]])) if len(used) else ():
        number, others = int(array_of[a[terms[0]]]), np.unique(array_of[b[terms]]).tolist()
        array, places = arrays[number], place_of[a[terms]].tobytes()
        for by in (b, owner) if len(others) == 1 else ():
            key = array.shape, array.batched, places, others[0], by is b, by[terms].tobytes()
            alike.setdefault(key, []).append((int(level[array.nodes[0]]), number, terms))
    left = {number for family in alike.values() for _, number, _ in family}
    for family in alike.values():
        family.sort(key=lambda member: member[:2])
        heights, numbers = ({member[i] for member in family} for i in (0, 1))
        if len(family) > 1 and len(heights) == len(family) and numbers <= left:
            left -= numbers
            yield _beside(lying, family, a, b)


def _beside(lying: Lying, family: Sequence[tuple[int, int, Ints]], a: Ints, b: Ints) -> Longer:
    """Return the array of a family, each with its height, its number, and the terms it is in."""
    first = lying.arrays[family[0][1]]
    axes = tuple(map(Index, range(len(first.shape))))
    parts = [(lying.arrays[n], (Index(FIXED, i), *axes)) for i, (_, n, _) in enumerate(family)]
    places = [i * first.size + lying.place_of[a[terms]] for i, (*_, terms) in enumerate(family)]
    every = np.concatenate([terms for *_, terms in family])
    key = tuple(number for _, number, _ in family)
    shape = (len(family), *first.shape)
    return Longer(key, shape, parts, every, np.concatenate(places), b[every])
