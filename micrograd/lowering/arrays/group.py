"""Group the nodes of a graph into arrays, level by level.

Nodes of one level with the same operation, constant and operand arrays form one array; sums form
one where their terms lie in the same pairs of arrays, whatever the number of the terms; choices
form one where their terms come from the same arrays in the same order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import islice, pairwise
from math import prod
from typing import Any

import numpy as np

from micrograd.lowering.arrays.axes import (
    Axes,
    changes,
    classes,
    find_axes,
    numbered,
    order_of,
    signature,
)
from micrograd.lowering.arrays.ir import COMPUTED, ONE, Array, Choice, Formula, Index, Read, Term
from micrograd.lowering.arrays.longer import Finder, Lying, paddings, steps
from micrograd.lowering.arrays.products import Products, by_table, evenly, products_of, terms_of
from micrograd.lowering.arrays.reads import flat_places, number_of
from micrograd.lowering.scalars.chains import SUBTRACTED, Chains
from micrograd.lowering.scalars.columns import MUL, NAMES, NONE, ROUTES, Bools, Ints
from micrograd.lowering.trace.declared import CONSTANT, NUMBER
from micrograd.ops import BY_NAME

# Larger than any array number: the left factor is what depends on the sample, the right one the
# parameter, as in x @ W.T.
_LATE = 1 << 40
FILLED, MOST_FILLED = 4, 350  # so many arrays are regular too where they have so many nodes each
CLASS = 6  # choices of less than 2^6 terms are one group, those of less than 2^12, ...


class Grouping:
    """Hold the arrays made so far, and where each node lies: `array[i]`, `place[i]`."""

    def __init__(self, chains: Chains, leaves: list[Array], limit: int) -> None:
        self.chains, self.limit = chains, limit
        self.arrays: list[Array] = []
        self._rank: list[int] = []  # of each array, among the factors of a product
        self.array = np.full(len(chains.remaining), NONE)
        self.place = np.zeros(len(chains.remaining), np.intp)
        for leaf in leaves:
            at = np.flatnonzero(leaf.nodes >= 0)
            place = at
            if leaf.data is not None:
                numbers = [chains.graph.values[i].data for i in leaf.nodes.tolist()]
                place = np.searchsorted(leaf.data, numbers)
            self._add(leaf, leaf.nodes[at], place)
        # Of each sum and choice the number, and of each product, which is a sum of one term.
        products = np.flatnonzero(chains.remaining & (chains.graph.op == MUL))
        self._number = np.full(len(chains.remaining), NONE)
        self._number[chains.sums] = np.arange(len(chains.sums))
        self._number[products] = len(chains.sums) + np.arange(len(products))
        self._start = np.append(chains.start, chains.start[-1] + 1 + np.arange(len(products)))
        self._a = np.append(chains.a, chains.graph.x[products])
        self._b = np.append(chains.b, chains.graph.y[products])
        self.merged_into = chains.merged_into.copy()
        self._made: dict[object, Array] = {}  # of no nodes of its own, by what it reads
        self.longer: dict[object, int] = {}  # the first of the ids of what is made of others
        self._zero = chains.zeros()

    def run(self, level: Ints, steps: bool = False) -> bool:
        """Make all arrays, operands before users; return whether they are few enough.

        With `steps`, those of a recurrent network are put side by side.
        """
        self._level, self._steps = level, steps
        by_level = np.argsort(level, kind="stable")
        bounds = np.searchsorted(level[by_level], np.arange(1, level.max() + 2))
        for first, last in pairwise(bounds):
            grouped = int(last - bounds[0])
            most = max(self.limit, min(grouped // FILLED, MOST_FILLED)) - len(self.arrays)
            groups = list(islice(self._groups(by_level[first:last]), max(most, 0) + 1))
            if len(groups) > most:
                return False
            for add_array in groups:
                add_array()
        return True

    def _groups(self, nodes: Ints) -> Iterator[Callable[[], None]]:
        """Yield, for each group of the nodes of one level, what adds its array."""
        op, chained = self.chains.graph.op[nodes], self._number[nodes] >= 0
        chooses, product = chained & np.isin(op, ROUTES), op == MUL
        sums = chained & ~chooses & ~product
        sums[product] = self._alone(nodes[sums], nodes[product])
        for part, grouped in (
            (~sums & ~chooses, self._elements),
            (chooses, self._choices),
            (sums, self._sums),
        ):
            yield from grouped(nodes[part]) if part.any() else ()

    def _elements(self, nodes: Ints) -> Iterator[Callable[[], None]]:
        """Group the nodes of equal operation, constant and operand arrays."""
        graph = self.chains.graph
        x, y, k = graph.x[nodes], graph.y[nodes], graph.k[nodes].view(np.int64)
        x, y = self.array[x], np.where(y < 0, NONE, self.array[y])
        for group in classes(graph.op[nodes], k, x, y):
            yield partial(self._element, nodes[group])

    def _alone(self, sums: Ints, products: Ints) -> Bools:
        """Mark the products that are one more length of sums from the same pair of arrays."""
        if not len(sums) or not len(products):
            return np.zeros(len(products), bool)
        owner, _, _, code = self._products_of(sums)
        lengths = np.bincount(owner)[owner]
        kinds = np.unique(np.stack((code, lengths), 1), axis=0)[:, 0]
        several = kinds[1:][kinds[1:] == kinds[:-1]]
        return np.isin(self._products_of(products)[3], several)

    def _products_of(self, sums: Ints) -> tuple[Ints, Ints, Ints, Ints]:
        """Return of every term whose it is, its factors, and a number for their pair of arrays."""
        at, owner = self._terms_of(sums)
        return owner, *self._paired(self._a[at], self._b[at])

    def _paired(self, a: Ints, b: Ints) -> tuple[Ints, Ints, Ints]:
        """Return the factors of terms in order, and a number for their pair of arrays.

        What depends on the samples, then what was made first, stands on the left.
        """
        order = np.array(self._rank, np.int64) * _LATE + np.arange(len(self.arrays))
        swap = (b >= 0) & (order[self.array[a]] > order[self.array[b]])
        a, b = np.where(swap, b, a), np.where(swap, a, b)
        code = self.array[a] * (len(self.arrays) + 2) + np.where(b < 0, b, self.array[b]) + 2
        return a, b, code

    def _reading(self, find: Finder, mark: Any, *terms: Ints) -> tuple[Ints, Ints, Ints]:
        """Return the factors of terms, and their pairs of arrays, where some read longer arrays."""
        _, left, right = map(np.copy, terms)
        for found in find(Lying(self.arrays, self.array, self.place), mark, *terms):
            if found.key not in self.longer:
                size = prod(found.shape)
                self.longer[found.key] = len(self.array)
                self.place = np.append(self.place, np.arange(size))
                self.array = np.append(self.array, np.full(size, len(self.arrays)))
                self._add(found.made, *np.zeros((2, 0), np.intp))
            left[found.terms] = self.longer[found.key] + found.places
            right[found.terms] = found.others
        return self._paired(left, right)

    def _sums(self, nodes: Ints) -> Iterator[Callable[[], None]]:
        """Group the sums whose products lie in the same pairs of arrays.

        Those of several lengths are one group only where the same operations use them.
        """
        owner, a, b, code = self._products_of(nodes)
        if self._zero[a].any() or self._zero[b].any():
            a, b, code = self._reading(paddings, self._zero, owner, a, b)
        if self._steps:
            a, b, code = self._reading(steps, self._level, owner, a, b)
        kind, lengths = signature(owner, code), np.bincount(owner)
        longest = np.zeros(kind.max() + 1, np.intp)
        np.maximum.at(longest, kind, lengths)
        several = np.isin(kind, kind[lengths < longest[kind]])
        if several.any():
            users = np.where(several, self.chains.graph.users[nodes], 0)
            kind = numbered(zip(kind.tolist(), users.tolist()))
        for group, inside in zip(classes(kind), classes(kind[owner])):
            terms = (column[inside] for column in (a, b, code))
            yield partial(self._sum, nodes[group], np.searchsorted(group, owner[inside]), *terms)

    def _choices(self, nodes: Ints) -> Iterator[Callable[[], None]]:
        """Group the choices; part each chain into blocks of terms from one array."""
        at, owner = self._terms_of(nodes)
        code = self.array[self.chains.a[at]]
        block = np.flatnonzero(changes(code) | changes(owner))
        bounds = np.append(block, len(at))
        begins = np.searchsorted(owner[block], np.arange(len(nodes) + 1))
        sizes = np.log2(np.diff(bounds[begins])).astype(np.intp) // CLASS
        codes = [code[block[a:b]].tobytes() for a, b in pairwise(begins.tolist())]
        op = self.chains.graph.op[nodes]
        for group in classes(numbered(zip(op.tolist(), sizes.tolist(), codes))):
            first, before = begins[group], None
            for k in range(begins[group[0] + 1] - begins[group[0]]):
                lengths = bounds[first + k + 1] - bounds[first + k]
                inside = np.minimum(np.arange(lengths.max()), lengths[:, None] - 1)
                terms = at[bounds[first + k][:, None] + inside]
                if before is None and terms.shape[1] == 1:
                    before = self.chains.a[terms[:, 0]]
                else:
                    yield partial(self._block, before, terms)
                    before = self.chains.recorded_by[terms[:, -1]]

    def _terms_of(self, nodes: Ints) -> tuple[Ints, Ints]:
        """Return the places of the terms of sums or choices, and whose each is."""
        n = self._number[nodes]
        first = self._start[n]
        lengths = self._start[n + 1] - first
        ends = np.cumsum(lengths)
        at = np.arange(ends[-1]) + np.repeat(first - ends + lengths, lengths)
        return at, np.repeat(np.arange(len(nodes)), lengths)

    # arrays

    def _add(self, array: Array, nodes: Ints, place: Ints) -> None:
        self.array[nodes] = len(self.arrays)
        self.place[nodes] = place
        self.arrays.append(array)
        self._rank.append(order_of(array))

    def _once(self, key: object, made: Array) -> Array:
        """Return an array of no nodes of its own, the first of those with a key."""
        if key not in self._made:
            self._made[key] = made
            self._add(made, *np.zeros((2, 0), np.intp))
        return self._made[key]

    def _lying(self, ids: Sequence[Ints]) -> tuple[list[Array], list[Ints]]:
        """Return the array and the places of each operand of a group."""
        return [self.arrays[self.array[i.flat[0]]] for i in ids], [self.place[i] for i in ids]

    def _spanned(self, nodes: Ints, runs: Sequence[Products]) -> tuple[Axes, Array]:
        """Return the axes of a group of nodes, and its array, yet without terms."""
        columns = [pair for run in runs for pair in run.columns]
        columns.sort(key=lambda pair: order_of(pair[0]))
        apart = [column for run in runs for column in run.apart(len(nodes))]
        operands, places = zip(*columns) if columns else ((), ())
        grid = find_axes(places, len(nodes), apart, operands)
        batched = any(array.batched for run in runs for array in run.arrays)
        return grid, Array(COMPUTED, grid.shape, nodes[grid.order], batched)

    def _define(self, array: Array, nodes: Ints, grid: Axes, *terms: Term) -> None:
        self._add(replace(array, terms=terms), nodes, grid.place)

    def _element(self, nodes: Ints, x: Ints | None = None) -> None:
        """Make an array of elementary nodes; `x` are their left operands, if not those recorded."""
        graph = self.chains.graph
        ids = [operand[nodes, None] for operand in (graph.x, graph.y) if operand[nodes[0]] >= 0]
        ids[0] = ids[0] if x is None else x[:, None]
        operands = Products(*self._lying(ids))
        grid, array = self._spanned(nodes, [operands])
        letters = zip("xy", self._with_constants(operands.term(grid, array)).reads)
        row = BY_NAME[NAMES[graph.op[nodes[0]]]]
        k = graph.values[nodes[0]]._k
        formula = Formula(row.name, row.value, k, tuple(letters), row.local)
        self._define(array, nodes, grid, Term((formula,), array.axes))

    def _sum(self, nodes: Ints, owner: Ints, a: Ints, b: Ints, code: Ints) -> None:
        runs = []
        for part in classes(code):
            operands = self._lying([i[part] for i in (a, b) if i[part[0]] >= 0])
            runs.append(products_of(*operands, owner[part], len(nodes), self._once))
            runs[-1].scale = ONE.times(-1.0 if b[part[0]] == SUBTRACTED else 1.0)
        grid, array = self._spanned(nodes, runs)
        terms = terms_of(runs, grid, array)
        self._define(array, nodes, grid, *map(self._with_constants, terms))

    def _block(self, before: Ints | None, at: Ints) -> None:
        """Make an array of choices among terms and what was chosen `before`.

        `at` has a row of terms per node: one of fewer terms than the longest repeats its last.
        """
        c, count = self.chains, at.shape[1]
        nodes = c.recorded_by[at[:, -1]]
        if count == 1:
            self._element(nodes, before)
        else:
            two = count == 2 and before is None and (at[:, 0] != at[:, 1]).all()
            self._choice(nodes, before, Products(*self._lying([c.a[at]])), two)
        self.merged_into[c.recorded_by[at]] = nodes[:, None]

    def _choice(self, nodes: Ints, before: Ints | None, chain: Products, two: bool) -> None:
        """Make an array of choices; of `two` that only a table would bring together, a formula."""
        starts = [] if before is None else [Products(*self._lying([before[:, None]]))]
        grid, array = self._spanned(nodes, [chain, *starts])
        term = chain.term(grid, array, ordered=True)
        if two and by_table(term):
            self._element(nodes)
            return
        terms = [evenly(term, array), *(start.term(grid, array) for start in starts)]
        reads = [read for t in terms for read in self._with_constants(t).reads]
        choice = Choice(NAMES[self.chains.graph.op[nodes[0]]], terms[0].summed, *reads)
        self._define(array, nodes, grid, Term((choice,), term.kept))

    def _with_constants(self, term: Term) -> Term:
        """Return a term with constant arrays in place of several numbers, and of a 0 in a sum."""
        return replace(term, factors=tuple(self._constant(r, term) for r in term.reads))

    def _constant(self, read: Read, term: Term) -> Read:
        number = number_of(read)  # 0: what the first step of a recurrent network multiplies
        if read.array.kind != NUMBER or number or (number == 0 and not term.summed):
            return read
        variables, sizes = read.vars or [v for v, _ in term.summed], dict[int, Any](term.sizes)
        places = np.broadcast_to(flat_places(read, sizes), [sizes[v] for v in variables])
        key = places.shape, places.tobytes()
        data, nodes = np.asarray(read.array.data)[places], np.full(places.size, NONE)
        made = self._once(key, Array(CONSTANT, places.shape, nodes, data=data))
        return Read(made, tuple(map(Index, variables)))
