"""Group the nodes of a graph into arrays, level by level.

Nodes of one level with the same operation, constant and operand arrays form one array; sums form
one where their terms lie in the same pairs of arrays, whatever the number of the terms; choices
form one where their terms come from the same arrays in the same order.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np

from micrograd.lowering.canonical import Canonical
from micrograd.lowering.columns import NAMES, NONE, ROUTES, Ints
from micrograd.lowering.grids import Grid, coordinates, find_grid, flat_places, read
from micrograd.lowering.ir import (
    CHOICE,
    CONSTANT,
    ELEMENT,
    FIXED,
    NUMBER,
    PARAMETER,
    SUM,
    Array,
    Index,
    Operand,
    Term,
)
from micrograd.lowering.terms import Chain, Run

_LATE = 1 << 40  # sorts parameters behind what depends on the samples


class IrregularError(Exception):
    """Say that a graph falls into too many arrays to be worth it."""


def levels(canonical: Canonical) -> list[int]:
    """Return the height of every node above the leaves, 0 for those that are gone."""
    level = [0] * (len(canonical.live) + 1)  # one more: of the operand that there is not
    x, y = canonical.x.tolist(), canonical.y.tolist()
    a, b = canonical.a.tolist(), canonical.b.tolist()
    sum_of = dict(zip(canonical.sums.tolist(), range(len(canonical.sums))))
    start = canonical.start.tolist()
    for i in np.flatnonzero(canonical.live).tolist():
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

    def __init__(self, canonical: Canonical, leaves: list[Array], limit: int) -> None:
        self.canonical, self.limit = canonical, limit
        self.arrays: list[Array] = []
        self.array = np.full(len(canonical.live), NONE)
        self.place = np.zeros(len(canonical.live), np.int64)
        for leaf in leaves:
            at = np.flatnonzero(leaf.nodes >= 0)
            place = at if leaf.data is None else self._ranks(leaf)
            self._add(leaf, leaf.nodes[at], place)
        self._sums = np.full(len(canonical.live), NONE)
        self._sums[canonical.sums] = np.arange(len(canonical.sums))
        self._chooses = np.isin(canonical.columns.op, ROUTES)
        self.within = canonical.within.copy()

    def _ranks(self, pool: Array) -> Ints:
        values = self.canonical.columns.values
        data = np.array([values[i].data for i in pool.nodes.tolist()])
        return np.searchsorted(np.asarray(pool.data), data)

    def run(self) -> list[Array]:
        """Return all arrays, operands before users. Raises IrregularError for too many."""
        self.level = level = np.array(levels(self.canonical))
        if level.max() > self.limit:
            raise IrregularError
        by_level = np.argsort(level, kind="stable")
        bounds = np.searchsorted(level[by_level], np.arange(1, level.max() + 2))
        for first, last in pairwise(bounds):
            self._level(by_level[first:last])
            if len(self.arrays) > self.limit:
                raise IrregularError
        return self.arrays

    def _add(self, array: Array, nodes: Ints, place: Ints) -> None:
        self.array[nodes] = len(self.arrays)
        self.place[nodes] = place
        self.arrays.append(array)

    def _level(self, nodes: Ints) -> None:
        sums = self._sums[nodes]
        elements = nodes[sums < 0]
        groups = list(self._alike(elements))
        if len(self.arrays) + len(groups) > self.limit:
            raise IrregularError
        for group in groups:
            self._element(group)
        if len(elements) < len(nodes):
            chained = nodes[sums >= 0]
            choice = self._chooses[chained]
            if choice.any():
                self._choices_of_level(chained[choice])
            if not choice.all():
                self._sums_of_level(chained[~choice])

    def _alike(self, nodes: Ints) -> Iterator[Ints]:
        """Yield the nodes of equal operation, constant and operand arrays."""
        if not len(nodes):
            return
        c = self.canonical
        k = c.columns.k[nodes].view(np.int64)
        x, y = self.array[c.x[nodes]], np.where(c.y[nodes] < 0, NONE, self.array[c.y[nodes]])
        yield from _classes((c.columns.op[nodes], k, x, y), nodes)

    def _element(self, nodes: Ints, x: Ints | None = None) -> None:
        """Make an array of elementary nodes; `x` are their left operands, if not those recorded."""
        c = self.canonical
        ids = [operand[nodes] for operand in (c.x, c.y) if operand[nodes[0]] >= 0]
        ids[0] = ids[0] if x is None else x
        arrays = [self.arrays[self.array[i[0]]] for i in ids]
        places = [self.place[i] for i in ids]
        batched = any(array.batched for array in arrays)
        columns = [
            column
            for array, place in sorted(zip(arrays, places), key=lambda pair: _order(pair[0]))
            for column in coordinates(array, place)
        ]
        grid = find_grid(columns, len(nodes))
        operands = tuple(self._read(*pair, grid) for pair in zip(arrays, places))
        k = c.columns.values[nodes[0]]._k
        self._add(
            Array(ELEMENT, grid.shape, nodes[grid.order], batched, NAMES[c.columns.op[nodes[0]]],
                  k, operands), nodes, grid.place)  # fmt: skip

    def _read(self, array: Array, places: Ints, grid: Grid) -> Operand:
        flat = places[grid.order].reshape(grid.shape)
        operand = read(array, coordinates(array, flat), flat, range(len(grid.shape)))
        return self._kept(operand, grid.shape)

    def _sums_of_level(self, nodes: Ints) -> None:
        c = self.canonical
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
        first = self.canonical.start[n]
        lengths = self.canonical.start[n + 1] - first
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
            ids = [i[part] for i in (a, b) if i[part[0]] >= 0]
            arrays = [self.arrays[self.array[i[0]]] for i in ids]
            runs.append(Run(arrays, [self.place[i] for i in ids], owner[part], len(nodes)))
        columns = [pair for run in runs for pair in run.columns]
        columns.sort(key=lambda pair: _order(pair[0]))
        grid = find_grid([column for _, column in columns], len(nodes),
                         merge=not any(run.loose for run in runs))  # fmt: skip
        batched = any(array.batched for run in runs for array in run.arrays)
        self._add(Array(SUM, grid.shape, nodes[grid.order], batched,
                        terms=tuple(self._kept_term(run.term(grid), grid.shape) for run in runs)),
                  nodes, grid.place)  # fmt: skip

    def _choices_of_level(self, nodes: Ints) -> None:
        """Part each chain into blocks of terms from one array."""
        op = self.canonical.columns.op[nodes]
        at, owner = self._terms_of(nodes)
        code = self.array[self.canonical.a[at]]
        new = np.append(True, (code[1:] != code[:-1]) | (owner[1:] != owner[:-1]))
        block = np.flatnonzero(new)
        bounds = np.append(block, len(at))
        begins = np.searchsorted(owner[block], np.arange(len(nodes) + 1))
        signature = _sequences(op, code[block], begins)
        _, example = np.unique(signature, return_index=True)
        if len(self.arrays) + (begins[example + 1] - begins[example]).sum() > self.limit:
            raise IrregularError
        for group in _classes((signature,), np.arange(len(nodes))):
            first, before = begins[group], None
            for k in range(begins[group[0] + 1] - first[0]):
                start, end = bounds[first + k], bounds[first + k + 1]
                before = self._block(before, at[_spans(start, end - start)], end - start)

    def _block(self, before: Ints | None, at: Ints, lengths: Ints) -> Ints:
        """Let what was chosen `before` choose among the terms `at`; return the nodes that did."""
        c = self.canonical
        last = at[np.cumsum(lengths) - 1]
        longest = lengths.max()
        if longest == 1 and before is None:
            return c.a[last]
        nodes, link = c.link[last], c.link[at]
        owner = np.repeat(np.arange(len(lengths)), lengths)
        source = self.arrays[self.array[c.a[at[0]]]]
        chain = Chain([source], [self.place[c.a[at]]], owner, len(lengths))
        two = before is None and chain.even and longest == 2
        if longest == 1 or (two and chain.loose):
            self._element(nodes, before)
        else:
            self._choice(nodes, before, chain)
        self.within[link] = np.repeat(nodes, lengths)
        return nodes

    def _choice(self, nodes: Ints, before: Ints | None, chain: Chain) -> None:
        columns, starts = chain.columns, []
        if before is not None:
            array, places = self.arrays[self.array[before[0]]], self.place[before]
            starts = [(array, places)]
            columns += [(array, column) for column in coordinates(array, places)]
        columns.sort(key=lambda pair: _order(pair[0]))
        grid = find_grid([column for _, column in columns], len(nodes), merge=not chain.loose)
        operands = tuple(self._read(*pair, grid) for pair in starts)
        term = self._kept_term(chain.term(grid), grid.shape)
        batched = any(a.batched for a in (*chain.arrays, *(array for array, _ in starts)))
        op = NAMES[self.canonical.columns.op[nodes[0]]]
        self._add(Array(CHOICE, grid.shape, nodes[grid.order], batched, op, operands=operands,
                        terms=(term,)), nodes, grid.place)  # fmt: skip

    def _kept(self, operand: Operand, sizes: tuple[int, ...]) -> Operand:
        """Make a constant array of what reads several numbers of the pool."""
        if operand.array.kind != NUMBER or (operand.index and operand.index[0].var == FIXED):
            return operand
        places = flat_places(operand, dict(enumerate(sizes)))
        data = np.asarray(operand.array.data)[places]
        array = Array(CONSTANT, places.shape, np.full(places.size, NONE), data=data)
        self.arrays.append(array)
        return Operand(array, tuple(map(Index, operand.vars)))

    def _kept_term(self, term: Term, shape: tuple[int, ...]) -> Term:
        sizes = (*shape, *(size for _, size in term.summed))
        if term.segments is not None:
            sizes = (int(term.segments[-1]),)
        b = None if term.b is None else self._kept(term.b, sizes)
        return Term(self._kept(term.a, sizes), b, term.summed, term.segments)


def _spans(first: Ints, lengths: Ints) -> Ints:
    """Return first[0], first[0] + 1, ... as many as lengths[0], then first[1], ..."""
    ends = np.cumsum(lengths)
    return np.arange(ends[-1]) + np.repeat(first - ends + lengths, lengths)


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


def _sequences(op: Ints, code: Ints, begins: Ints) -> Ints:
    """Return a number per choice, equal for equal operations and sequences of codes."""
    known: dict[tuple[int, bytes], int] = {}
    return np.array([known.setdefault((o, code[a:b].tobytes()), len(known))
                     for o, (a, b) in zip(op.tolist(), pairwise(begins.tolist()))])  # fmt: skip


def _signature(owner: Ints, code: Ints) -> Ints:
    """Return a number per sum, equal for equal sets of codes: each set's rank."""
    codes, rank = np.unique(code, return_inverse=True)
    pairs = np.unique(owner * len(codes) + rank)
    owner, rank = np.divmod(pairs, len(codes))
    starts = np.flatnonzero(np.append(True, owner[1:] != owner[:-1]))
    sets: dict[bytes, int] = {}
    return np.array([sets.setdefault(part.tobytes(), len(sets))
                     for part in np.split(rank, starts[1:])])  # fmt: skip
