"""Group the nodes of a graph into arrays, level by level.

Nodes of one level with the same operation, constant and operand arrays form one array; sums form
one where their terms lie in the same pairs of arrays, whatever the number of the terms; choices
form one where their terms come from the same arrays in the same order.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np

from micrograd.lowering.arrays.axes import Axes, coordinates, find_axes, flat_places, read
from micrograd.lowering.arrays.ir import (
    COMPUTED,
    FIXED,
    Array,
    Choice,
    Formula,
    Index,
    Read,
    Term,
)
from micrograd.lowering.arrays.products import Products
from micrograd.lowering.scalars.chains import Chains
from micrograd.lowering.scalars.columns import NAMES, NONE, ROUTES, Ints
from micrograd.lowering.trace.declared import CONSTANT, NUMBER, PARAMETER
from micrograd.ops import BY_NAME

# Larger than any array number: the left factor is what depends on the sample, the right one the
# parameter, as in x @ W.T.
_LATE = 1 << 40
CLASS = 6  # choices of less than 2^6 terms are one group, those of less than 2^12, ...


def levels(chains: Chains) -> list[int]:
    """Return the height of every node above the leaves, 0 for those that are gone."""
    level = [0] * (len(chains.remaining) + 1)  # one more: of the operand that there is not
    x, y = chains.x.tolist(), chains.y.tolist()
    a, b = chains.a.tolist(), chains.b.tolist()
    sum_of = dict(zip(chains.sums.tolist(), range(len(chains.sums))))
    start = chains.start.tolist()
    for i in np.flatnonzero(chains.remaining).tolist():
        n = sum_of.get(i)
        if n is not None:
            first, last, height = start[n], start[n + 1], 0
            for j in a[first:last]:
                if level[j] > height:
                    height = level[j]
            for j in b[first:last]:
                if level[j] > height:
                    height = level[j]
            level[i] = height + 1
        elif x[i] >= 0:
            height = level[x[i]]
            level[i] = 1 + (height if y[i] < 0 or level[y[i]] <= height else level[y[i]])
    return level[:-1]


class Grouping:
    """Hold the arrays made so far, and where each node lies: `array[i]`, `place[i]`."""

    def __init__(self, chains: Chains, leaves: list[Array], limit: int) -> None:
        self.chains, self.limit = chains, limit
        self.arrays: list[Array] = []
        self.array = np.full(len(chains.remaining), NONE)
        self.place = np.zeros(len(chains.remaining), np.int64)
        for leaf in leaves:
            at = np.flatnonzero(leaf.nodes >= 0)
            place = at if leaf.data is None else self._ranks(leaf)
            self._add(leaf, leaf.nodes[at], place)
        self._sums = np.full(len(chains.remaining), NONE)
        self._sums[chains.sums] = np.arange(len(chains.sums))
        self._chooses = np.isin(chains.graph.op, ROUTES)
        self.merged_into = chains.merged_into.copy()

    def _ranks(self, pool: Array) -> Ints:
        values = self.chains.graph.values
        data = np.array([values[i].data for i in pool.nodes.tolist()])
        return np.searchsorted(np.asarray(pool.data), data)

    def run(self, level: Ints) -> list[Array] | None:
        """Return all arrays, operands before users; None where a graph falls into too many."""
        if level.max() > self.limit:
            return None
        by_level = np.argsort(level, kind="stable")
        bounds = np.searchsorted(level[by_level], np.arange(1, level.max() + 2))
        for first, last in pairwise(bounds):
            if not self._level(by_level[first:last]) or len(self.arrays) > self.limit:
                return None
        return self.arrays

    def _add(self, array: Array, nodes: Ints, place: Ints) -> None:
        self.array[nodes] = len(self.arrays)
        self.place[nodes] = place
        self.arrays.append(array)

    def _level(self, nodes: Ints) -> bool:
        """Group the nodes of one level; return whether they fall into few enough arrays."""
        sums = self._sums[nodes]
        elements = nodes[sums < 0]
        groups = list(self._alike(elements))
        if len(self.arrays) + len(groups) > self.limit:
            return False
        for group in groups:
            self._element(group)
        chained = nodes[sums >= 0]
        choice = self._chooses[chained]
        if choice.any() and not self._choices_of_level(chained[choice]):
            return False
        if not choice.all():
            self._sums_of_level(chained[~choice])
        return True

    def _alike(self, nodes: Ints) -> Iterator[Ints]:
        """Yield the nodes of equal operation, constant and operand arrays."""
        if not len(nodes):
            return
        c = self.chains
        k = c.graph.k[nodes].view(np.int64)
        x, y = self.array[c.x[nodes]], np.where(c.y[nodes] < 0, NONE, self.array[c.y[nodes]])
        yield from _classes((c.graph.op[nodes], k, x, y), nodes)

    def _element(self, nodes: Ints, x: Ints | None = None) -> None:
        """Make an array of elementary nodes; `x` are their left operands, if not those recorded."""
        c = self.chains
        ids = [operand[nodes] for operand in (c.x, c.y) if operand[nodes[0]] >= 0]
        ids[0] = ids[0] if x is None else x
        arrays, places = self._lying(ids)
        grid = _axes(_columns(arrays, places), len(nodes))
        letters = zip("xy", (self._read(*pair, grid) for pair in zip(arrays, places)))
        row = BY_NAME[NAMES[c.graph.op[nodes[0]]]]
        k = c.graph.values[nodes[0]]._k
        formula = Formula(row.name, row.value, k, tuple(letters), row.local)
        array = self._array(nodes, grid, any(array.batched for array in arrays))
        self._define(array, nodes, grid, Term((formula,), array.axes))

    def _lying(self, ids: Sequence[Ints]) -> tuple[list[Array], list[Ints]]:
        """Return the array and the places of each operand of a group."""
        return [self.arrays[self.array[i.flat[0]]] for i in ids], [self.place[i] for i in ids]

    def _array(self, nodes: Ints, grid: Axes, batched: bool) -> Array:
        return Array(COMPUTED, grid.shape, nodes[grid.order], batched)

    def _define(self, array: Array, nodes: Ints, grid: Axes, *terms: Term) -> None:
        self._add(replace(array, terms=terms), nodes, grid.place)

    def _read(self, array: Array, places: Ints, grid: Axes) -> Read:
        flat = places[grid.order].reshape(grid.shape)
        operand = read(array, flat, range(len(grid.shape)))
        return self._constant(operand, dict(enumerate(grid.shape)))

    def _sums_of_level(self, nodes: Ints) -> None:
        c = self.chains
        at, owner = self._terms_of(nodes)
        a, b = self._ordered(c.a[at], c.b[at])
        code = self.array[a] * (len(self.arrays) + 1) + np.where(b < 0, NONE, self.array[b]) + 1
        for group in _classes((_signature(owner, code),), np.arange(len(nodes))):
            member = np.full(len(nodes), NONE)
            member[group] = np.arange(len(group))
            inside = np.flatnonzero(member[owner] >= 0)
            self._sum(nodes[group], member[owner[inside]], a[inside], b[inside], code[inside])

    def _terms_of(self, nodes: Ints) -> tuple[Ints, Ints]:
        """Return the places of the terms of sums or choices, and whose each is."""
        n = self._sums[nodes]
        first = self.chains.start[n]
        lengths = self.chains.start[n + 1] - first
        return _spans(first, lengths), np.repeat(np.arange(len(nodes)), lengths)

    def _ordered(self, a: Ints, b: Ints) -> tuple[Ints, Ints]:
        """Put what depends on the samples, then what was made first, on the left."""
        order = np.array([_order(array) * _LATE + i for i, array in enumerate(self.arrays)])
        swap = (b >= 0) & (order[self.array[a]] > order[self.array[b]])
        return np.where(swap, b, a), np.where(swap, a, b)

    def _sum(self, nodes: Ints, owner: Ints, a: Ints, b: Ints, code: Ints) -> None:
        runs = []
        for c in np.unique(code).tolist():
            part = np.flatnonzero(code == c)
            operands = self._lying([i[part] for i in (a, b) if i[part[0]] >= 0])
            runs.append(Products.sorted(*operands, owner[part], len(nodes)))
        columns = [pair for run in runs for pair in run.columns]
        grid = _axes(columns, len(nodes), merge=not any(run.gridless for run in runs))
        array = self._array(nodes, grid, any(run.batched for run in runs))
        ordered = sorted((run.term(grid, array) for run in runs), key=_products_first)
        self._define(array, nodes, grid, *map(self._with_constants, ordered))

    def _choices_of_level(self, nodes: Ints) -> bool:
        """Part each chain into blocks of terms from one array."""
        op = self.chains.graph.op[nodes]
        at, owner = self._terms_of(nodes)
        code = self.array[self.chains.a[at]]
        new = np.append(True, (code[1:] != code[:-1]) | (owner[1:] != owner[:-1]))
        block = np.flatnonzero(new)
        bounds = np.append(block, len(at))
        begins = np.searchsorted(owner[block], np.arange(len(nodes) + 1))
        sizes = np.log2(np.diff(bounds[begins])).astype(np.int64) // CLASS
        signature = _sequences(op, sizes, code[block], begins)
        _, example = np.unique(signature, return_index=True)
        if len(self.arrays) + (begins[example + 1] - begins[example]).sum() > self.limit:
            return False
        for group in _classes((signature,), np.arange(len(nodes))):
            first, before = begins[group], None
            for k in range(begins[group[0] + 1] - first[0]):
                lengths = bounds[first + k + 1] - bounds[first + k]
                inside = np.minimum(np.arange(lengths.max()), lengths[:, None] - 1)
                before = self._block(before, at[bounds[first + k][:, None] + inside])
        return True

    def _block(self, before: Ints | None, at: Ints) -> Ints:
        """Let what was chosen `before` choose among terms; return the nodes that did.

        `at` has a row of terms per node: one of fewer terms than the longest repeats its last.
        """
        c = self.chains
        count = at.shape[1]
        if count == 1 and before is None:
            return c.a[at[:, 0]]
        nodes = c.recorded_by[at[:, -1]]
        chain = Products(*self._lying([c.a[at]]))
        two = count == 2 and before is None and (at[:, 0] != at[:, 1]).all()
        if count == 1 or (two and chain.gridless):
            self._element(nodes, before)
        else:
            self._choice(nodes, before, chain)
        self.merged_into[c.recorded_by[at]] = nodes[:, None]
        return nodes

    def _choice(self, nodes: Ints, before: Ints | None, chain: Products) -> None:
        arrays, places = self._lying([] if before is None else [before])
        columns = [*chain.columns, *_columns(arrays, places)]
        grid = _axes(columns, len(nodes), merge=not chain.gridless)
        array = self._array(nodes, grid, chain.batched or any(a.batched for a in arrays))
        term = self._with_constants(chain.term(grid, array, ordered=True))
        (every,) = term.reads
        first = self._read(arrays[0], places[0], grid) if arrays else None
        choice = Choice(NAMES[self.chains.graph.op[nodes[0]]], every, term.summed[0], first)
        self._define(array, nodes, grid, Term((choice,), term.kept))

    def _with_constants(self, term: Term) -> Term:
        """Return a term with a constant array in place of what reads several numbers."""
        return replace(term, factors=tuple(self._constant(r, term.sizes) for r in term.reads))

    def _constant(self, read: Read, sizes: Mapping[int, Any]) -> Read:
        if read.array.kind != NUMBER or (read.index and read.index[0].var == FIXED):
            return read
        places = flat_places(read, sizes)
        data = np.asarray(read.array.data)[places]
        array = Array(CONSTANT, places.shape, np.full(places.size, NONE), data=data)
        self.arrays.append(array)
        return Read(array, tuple(map(Index, read.vars)))


def _products_first(term: Term) -> tuple[bool, bool, bool]:
    """Order terms as they are written: products, single arrays, numbers."""
    reads = list(term.reads)
    return len(reads) < 2, not term.summed, reads[0].array.kind == NUMBER


def _spans(first: Ints, lengths: Ints) -> Ints:
    """Return first[0], first[0] + 1, ... as many as lengths[0], then first[1], ..."""
    ends = np.cumsum(lengths)
    return np.arange(ends[-1]) + np.repeat(first - ends + lengths, lengths)


def _columns(arrays: Sequence[Array], places: Sequence[Ints]) -> list[tuple[Array, Ints]]:
    return [(a, column) for a, p in zip(arrays, places) for column in coordinates(a.shape, p)]


def _axes(columns: list[tuple[Array, Ints]], count: int, merge: bool = True) -> Axes:
    """Return the axes of a group of nodes, whatever the order of their operands."""
    ordered = sorted(columns, key=lambda pair: _order(pair[0]))
    return find_axes([column for _, column in ordered], count, merge)


def _order(array: Array) -> int:
    return 2 if array.kind == PARAMETER else 0 if array.batched else 1


def _classes(keys: tuple[Ints, ...], members: Ints) -> Iterator[Ints]:
    """Yield the members with equal keys."""
    order = np.lexsort(keys)
    new = np.zeros(len(order), bool)
    for key in keys:
        new[1:] |= key[order][1:] != key[order][:-1]
    for part in np.split(order, np.flatnonzero(new)):
        yield members[np.sort(part)]


def _sequences(op: Ints, sizes: Ints, code: Ints, begins: Ints) -> Ints:
    """Return a number per choice, equal for equal operations, sizes and sequences of codes."""
    known: dict[tuple[int, int, bytes], int] = {}
    parts = [code[a:b].tobytes() for a, b in pairwise(begins.tolist())]
    keys = zip(op.tolist(), sizes.tolist(), parts)
    return np.array([known.setdefault(key, len(known)) for key in keys])


def _signature(owner: Ints, code: Ints) -> Ints:
    """Return a number per sum, equal for equal sets of codes: each set's rank."""
    codes, rank = np.unique(code, return_inverse=True)
    pairs = np.unique(owner * len(codes) + rank)
    owner, rank = np.divmod(pairs, len(codes))
    starts = np.flatnonzero(np.append(True, owner[1:] != owner[:-1]))
    sets: dict[bytes, int] = {}
    return np.array(
        [sets.setdefault(part.tobytes(), len(sets)) for part in np.split(rank, starts[1:])]
    )
