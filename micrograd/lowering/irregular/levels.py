"""Irregular graphs: nodes sorted by level and operation, operands gathered, gradients summed.

What has no grid still runs as arrays: one gather, one operation and one store for all nodes of
one level and operation, whatever their operands.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from micrograd.lowering.arrays.ir import Array, Rows
from micrograd.lowering.arrays.names import Name, Names
from micrograd.lowering.code.build import Builder
from micrograd.lowering.code.expr import Expr, Table
from micrograd.lowering.scalars.chains import Chains
from micrograd.lowering.scalars.columns import (
    ADD,
    CODES,
    MUL,
    NAMES,
    NONE,
    WEIGHTED,
    Floats,
    Ints,
)
from micrograd.lowering.trace.declared import INPUT

MOST_CONSTANTS = 4  # of one operation that its formulas are written out for; more are operands


class Group(NamedTuple):
    """Nodes of one level, operation and constant: the slots from `first` to before `last`."""

    op: str
    first: int
    last: int


class Formula(NamedTuple):
    """An operation as the text of a program has it; where `k` is y, a slot holds its constant."""

    op: str
    k: float | str | None


class Lookup(NamedTuple):
    """An array looked up: what it is as an expression, and its ids."""

    array: Array
    rows: Rows
    value: Expr
    ids: Expr

    @property
    def tables(self) -> list[Table]:
        """Return the tables of places in the ids."""
        return [t for e in (self.value, self.ids) for part in e.walk() for t in part.tables]


@dataclass(frozen=True, eq=False)
class Levels:
    """An irregular graph, its nodes in slots: the leaves, then level by level.

    `arrays` are the leaf arrays, `slots` where their elements lie. `number_slots` hold numbers of
    the code. `slot` finds a node of the graph, or the sum that it became a part of. The sums have
    the terms term[start[i]:start[i + 1]].
    """

    arrays: list[Array]
    slots: dict[Array, Ints]
    number_slots: Ints
    numbers: Floats
    op: Ints
    x: Ints
    y: Ints
    k: Floats
    level: Ints
    start: Ints
    term: Ints
    slot: Ints
    root: int
    reduce: str
    lookups: tuple[Lookup, ...]
    names: Names

    def leaves(self, kind: str) -> list[Array]:
        """Return the leaf arrays of one kind."""
        return [array for array in self.arrays if array.kind == kind]

    @property
    def operations(self) -> set[str]:
        """Return the names of the operations."""
        return {NAMES[code] for code in np.unique(self.op).tolist() if code}

    def groups(self) -> list[Group]:
        """Return the groups, operands before users."""
        ops = [NAMES[op] for op in self.op[self.bounds[:-1]].tolist()]
        return [Group(op, *ends) for op, ends in zip(ops, pairwise(self.bounds))]

    @cached_property
    def bounds(self) -> list[int]:
        """Return where the groups begin, and where the last one ends."""
        new = self.level > 0
        new[1:] &= ~_same(self.op) | ~_same(self.level) | ~_same(self.k.view(np.int64))
        return [*np.flatnonzero(new).tolist(), len(self.op)]

    @cached_property
    def formulas(self) -> list[Formula]:
        """Return the operations in the graph, each once."""
        return list(dict.fromkeys(self.formula_of_groups))

    @cached_property
    def formula_of_groups(self) -> list[Formula]:
        firsts = self.bounds[:-1]
        ops = [NAMES[op] for op in self.op[firsts].tolist()]
        found = [Formula(op, k if k == k else None) for op, k in zip(ops, self.k[firsts].tolist())]
        distinct = Counter(formula.op for formula in dict.fromkeys(found))
        return [f if distinct[f.op] <= MOST_CONSTANTS else Formula(f.op, "y") for f in found]

    @cached_property
    def constants(self) -> tuple[Floats, Ints]:
        """Return the constants that are operands, and y: the operand's slot, or the constant's."""
        spelled = np.isin(self.op, [CODES[f.op] for f in self.formulas if f.k == "y"])
        constants, place = np.unique(self.k[spelled], return_inverse=True)
        y = self.y.copy()
        y[spelled] = len(y) + place.ravel()
        return constants, y

    @property
    def placed(self) -> list[Array]:
        """Return the leaf arrays that the text has to copy into v.

        All but inputs of ids and tables that are only looked up.
        """
        only_read = {lookup.rows.ids.array for lookup in self.lookups}
        only_read |= {x.rows.table for x in self.lookups if x.rows.table is not None}
        return [a for a in self.arrays if a not in only_read or (self.slots[a] >= 0).any()]

    @property
    def size(self) -> int:
        """Return the number of slots in the text: nodes, constants, and a last one for NONE."""
        return len(self.op) + len(self.constants[0]) + 1

    @cached_property
    def data(self) -> dict[str, Any]:
        """Return the tables that the text reads.

        `groups` has a row (formula, first, last) for the entries first to last; `entries` the
        slots out, x and y of each: a node has one entry, a sum one for every term.
        """
        count = np.where(self.op == WEIGHTED, np.diff(self.start), self.op > 0)
        out = np.repeat(np.arange(len(count)), count)
        constants, y = self.constants
        x = self.x[out]
        x[self.op[out] == WEIGHTED] = self.term
        ends = np.append(0, np.cumsum(count))[self.bounds]
        number = {formula: i for i, formula in enumerate(self.formulas)}
        which = np.array([number[f] for f in self.formula_of_groups], np.int64)
        tables = {
            self.free("groups"): np.stack((which, ends[:-1], ends[1:]), 1),
            self.free("entries"): np.stack((out, x, y[out])),
        }
        tables |= {self.free(f"{self.names[a]}_slots"): self.slots[a] for a in self.placed}
        tables |= {self.names[t]: t.places for x in self.lookups for t in x.tables}
        numbers = np.append(self.numbers, constants)
        if len(numbers):
            behind = len(count) + np.arange(len(constants))
            tables[self.free("slots_of_numbers")] = np.append(self.number_slots, behind)
            tables[self.free("numbers")] = numbers[:, None] if self.leaves(INPUT) else numbers
        return tables

    def free(self, wanted: str) -> str:
        """Return a name for the text that no leaf array has."""
        taken = {self.names[array] for array in self.arrays}
        while wanted in taken:
            wanted += "_"
        return wanted


def _same(column: Ints) -> Any:
    return column[1:] == column[:-1]


@dataclass(frozen=True, eq=False)
class Nodes:
    """The nodes to be sorted: those of the graph, then the products of the sums of products.

    `term` holds the terms of the sums one after the other, `start` where a node's begin.
    """

    op: Ints
    x: Ints
    y: Ints
    k: Floats
    live: Ints
    term: Ints
    start: Ints
    length: Ints


def spelled_out(form: Chains) -> Nodes:
    """Give every product of a sum a node; let a sum of two terms be an addition."""
    n, graph = len(form.remaining), form.graph
    product = np.flatnonzero(form.b >= 0)
    ids = n + np.arange(len(product))
    term = form.a.copy()
    term[product] = ids
    nothing = np.full(len(product), NONE)
    op = np.where(form.remaining, graph.op, 0)
    length, start = np.zeros(n + len(ids), np.int64), np.zeros(n + len(ids), np.int64)
    length[form.sums], start[form.sums] = np.diff(form.start), form.start[:-1]
    op[form.sums] = np.where(length[form.sums] == 2, ADD, WEIGHTED)
    op = np.append(op, np.full(len(ids), MUL))
    x, y = np.append(form.x, form.a[product]), np.append(form.y, form.b[product])
    two = np.flatnonzero(length == 2)
    x[two], y[two] = term[start[two]], term[start[two] + 1]
    wide = np.flatnonzero(op == WEIGHTED)
    x[wide] = y[wide] = NONE
    length[two] = 0
    live = np.append(form.remaining, np.ones(len(ids), bool))
    return Nodes(
        op, x, y, np.append(graph.k, nothing * np.nan), np.flatnonzero(live), term, start, length
    )


def heights(form: Chains, level: Ints) -> Ints:
    """Return the levels of the nodes and then of the products: between two levels of the graph."""
    owner = np.repeat(form.sums, np.diff(form.start))
    return np.append(2 * level, 2 * level[owner[form.b >= 0]] - 1)


def levelled(
    form: Chains, level: Ints, arrays: list[Array], reduce: str, wanted: Mapping[Array, Name]
) -> Levels:
    """Return a graph by levels. `arrays` hold all its leaves, the numbers of the code last."""
    nodes, level = spelled_out(form), heights(form, level)
    live = nodes.live
    order = live[np.lexsort((nodes.k[live].view(np.int64), nodes.op[live], level[live]))]
    slot = np.full(len(nodes.op) + 1, NONE)  # one more: of the operand that there is not
    slot[order] = np.arange(len(order))
    length = nodes.length[order]
    start = np.append(0, np.cumsum(length))
    inside = np.arange(start[-1]) - np.repeat(start[:-1], length)
    term = nodes.term[np.repeat(nodes.start[order], length) + inside]
    *named, pool = arrays
    builder = Builder()
    lookups = tuple(
        Lookup(array, array.lookup, builder.rows(array.lookup, array), builder.chosen(array))
        for array in named
        if array.lookup
    )
    names = Names(wanted, [table for lookup in lookups for table in lookup.tables])
    slots = {a: slot[a.nodes] for a in named}
    numbers = np.array([form.graph.values[i].data for i in pool.nodes.tolist()])
    return Levels(
        named,
        slots,
        slot[pool.nodes],
        numbers,
        nodes.op[order],
        slot[nodes.x[order]],
        slot[nodes.y[order]],
        nodes.k[order],
        level[order],
        start,
        slot[term],
        slot[form.merged_into],
        int(slot[form.root]),
        reduce,
        lookups,
        names,
    )
