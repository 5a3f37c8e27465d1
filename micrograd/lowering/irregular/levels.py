"""Irregular graphs: nodes sorted by level and operation, operands gathered, gradients summed.

What has no grid still runs as arrays: one gather, one operation and one store for all nodes of
one level and operation, whatever their operands.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from micrograd.lowering.arrays.axes import numbered
from micrograd.lowering.arrays.form import Form
from micrograd.lowering.arrays.ir import Array, Rows
from micrograd.lowering.arrays.names import Name, Names
from micrograd.lowering.code.build import Builder
from micrograd.lowering.code.expr import Expr, Table
from micrograd.lowering.scalars.chains import Chains
from micrograd.lowering.scalars.columns import ADD, MUL, NAMES, NONE, WEIGHTED, Floats, Ints
from micrograd.lowering.trace.declared import INPUT
from micrograd.ops import BY_NAME, WEIGHTED_SUM


def places(first: int, last: int) -> str:
    """Return which slots there are from `first` to `last`."""
    return f"v[{first}]" + (f" to v[{last}]" if last > first else "")


class Group(NamedTuple):
    """Nodes of one level and operation: the slots from `first` to before `last`."""

    op: str
    first: int
    last: int


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
class Levels(Form):
    """An irregular graph, its nodes in slots: the leaves, then level by level.

    `arrays` are the leaf arrays, `slots` where their elements lie. `number_slots` hold numbers of
    the code and the constants of operations, which are their y. `slot` finds a node of the graph,
    or the sum that it became a part of. The sums have the terms term[start[i]:start[i + 1]].
    """

    slots: dict[Array, Ints]
    number_slots: Ints
    numbers: Floats
    op: Ints
    x: Ints
    y: Ints
    level: Ints
    start: Ints
    term: Ints
    slot: Ints
    root: int
    reduce: str
    lookups: tuple[Lookup, ...]
    names: Names

    def __str__(self) -> str:
        """Return what the slots hold: the leaves, then, level by level, nodes of one operation."""
        lines, level = [], np.unique(self.level, return_inverse=True)[1]
        for array in self.arrays:
            used = self.slots[array][self.slots[array] >= 0]
            where = places(used.min(), used.max()) if used.size else "nowhere"
            lines.append(f"{where:<20} {self.names[array]}  # {array.sizes}")
        for op, first, last in self.groups:
            what = op.replace(WEIGHTED_SUM.name, "sum")
            lines.append(f"{places(first, last - 1):<20} {what}, level {level[first]}")
        return "\n".join(lines)

    @cached_property
    def bounds(self) -> list[int]:
        """Return where the groups begin, and where the last one ends."""
        new = self.level > 0
        new[1:] &= (self.op[1:] != self.op[:-1]) | (self.level[1:] != self.level[:-1])
        return [*np.flatnonzero(new).tolist(), len(self.op)]

    @cached_property
    def which(self) -> Ints:
        """Return the number of every group's operation."""
        return numbered(self.op[self.bounds[:-1]].tolist())

    @cached_property
    def operations(self) -> list[str]:
        """Return the names of the operations, in the order of their numbers."""
        return [NAMES[code] for code in dict.fromkeys(self.op[self.bounds[:-1]].tolist())]

    @property
    def groups(self) -> list[Group]:
        """Return the groups, operands before users."""
        ends = zip(self.which.tolist(), pairwise(self.bounds))
        return [Group(self.operations[n], first, last) for n, (first, last) in ends]

    @property
    def placed(self) -> list[Array]:
        """Return the leaf arrays that the text has to copy into v.

        All but inputs of ids and tables that are only looked up.
        """
        tables = {x.rows.table for x in self.lookups if x.rows.table is not None}
        only_read = self.ids | tables
        return [a for a in self.arrays if a not in only_read or (self.slots[a] >= 0).any()]

    @cached_property
    def data(self) -> dict[str, Any]:
        """Return the tables that the text reads.

        `groups` has a row (operation, first, last) for the entries first to last; `entries` the
        slots out, x and y of each: a node has one entry, a sum one for every term.
        """
        count = np.where(self.op == WEIGHTED, np.diff(self.start), self.op > 0)
        out = np.repeat(np.arange(len(count)), count)
        x = self.x[out]
        x[self.op[out] == WEIGHTED] = self.term
        ends = np.append(0, np.cumsum(count))[self.bounds]
        tables = {self.free("groups"): np.stack((self.which, ends[:-1], ends[1:]), 1)}
        tables[self.free("entries")] = np.stack((out, x, self.y[out]))
        tables |= {self.free(f"{self.names[a]}_slots"): self.slots[a] for a in self.placed}
        tables |= {self.names[t]: t.places for x in self.lookups for t in x.tables}
        if len(self.numbers):
            tables[self.free("slots_of_numbers")] = self.number_slots
            columns = self.numbers[:, None] if self.leaves(INPUT) else self.numbers
            tables[self.free("numbers")] = columns
        return tables

    def free(self, wanted: str) -> str:
        """Return a name for the text that no leaf array has."""
        taken = {self.names[array] for array in self.arrays}
        while wanted in taken:
            wanted += "_"
        return wanted


class Nodes(NamedTuple):
    """The nodes to be sorted: those of the graph, the products of its sums, its constants.

    `term` holds the terms of the sums one after the other, `start` where a node's begin.
    """

    op: Ints
    x: Ints
    y: Ints
    level: Ints
    live: Ints
    start: Ints
    length: Ints
    term: Ints
    constants: Floats


def spelled_out(form: Chains, level: Ints) -> Nodes:
    """Give every product of a sum a node between two levels; let a sum of two be an addition."""
    n, graph = len(form.remaining), form.graph
    product = np.flatnonzero(form.b >= 0)
    owner = form.owner[product]
    term = form.a.copy()
    term[product] = n + np.arange(len(product))
    x, y, (length, start) = graph.x.copy(), graph.y.copy(), np.zeros((2, n), np.intp)
    length[form.sums], start[form.sums] = np.diff(form.start), form.start[:-1]
    op = np.where(form.remaining, graph.op, 0)
    op[form.sums] = np.where(length[form.sums] == 2, ADD, WEIGHTED)
    x[form.sums] = y[form.sums] = NONE
    two = np.flatnonzero(length == 2)
    x[two], y[two] = term[start[two]], term[start[two] + 1]
    length[two] = 0
    codes = [c for c in np.unique(op).tolist() if c and BY_NAME[NAMES[c]].constants]
    has_constant = np.isin(op, codes)
    constants, place = np.unique(graph.k[has_constant], return_inverse=True)
    y[has_constant] = n + len(product) + place.ravel()

    def column(nodes: Any, of_products: Any, of_constants: Any) -> Any:
        parts = np.broadcast_to(of_products, len(product)), np.full(len(constants), of_constants)
        return np.concatenate((nodes, *parts))

    return Nodes(
        column(op, MUL, 0),
        column(x, form.a[product], NONE),
        column(y, form.b[product], NONE),
        column(2 * level, 2 * level[owner] - 1, 0),
        np.flatnonzero(column(form.remaining, True, True)),
        column(start, 0, 0),
        column(length, 0, 0),
        term,
        constants,
    )


def _slots(form: Chains, slot: Ints) -> Ints:
    """Return the slot of every node of the graph, or of the sum that it became a part of."""
    graph, slots = form.graph, slot[form.merged_into]
    product = np.flatnonzero(form.b >= 0)
    own = slot[len(slots) + np.arange(len(product))]
    for operand in (graph.x, graph.y):
        node = operand[form.recorded_by[product]]
        taken = (graph.op[node] == MUL) & ~form.remaining[node]
        taken &= (graph.x[node] == form.a[product]) & (graph.y[node] == form.b[product])
        slots[node[taken]] = own[taken]
    return slots


def levelled(
    form: Chains, level: Ints, arrays: list[Array], reduce: str, wanted: Mapping[Array, Name]
) -> Levels:
    """Return a graph by levels. `arrays` hold all its leaves, the numbers of the code last."""
    nodes = spelled_out(form, level)
    live, count = nodes.live, len(nodes.op)
    order = live[np.lexsort((nodes.op[live], nodes.level[live]))]
    slot = np.full(count + 1, NONE)  # one more: of the operand that there is not
    slot[order] = np.arange(len(order))
    length = nodes.length[order]
    start = np.append(0, np.cumsum(length))
    inside = np.arange(start[-1]) - np.repeat(start[:-1], length)
    term = nodes.term[np.repeat(nodes.start[order], length) + inside]
    *named, pool = arrays
    builder = Builder()
    lookups = tuple(
        Lookup(array, rows, builder.rows(array, rows), builder.ids(array, rows))
        for array in named
        if (rows := array.lookup)
    )
    names = Names(wanted, [table for lookup in lookups for table in lookup.tables])
    written = np.array([form.graph.values[i].data for i in pool.nodes.tolist()])
    constants = np.arange(count - len(nodes.constants), count)
    return Levels(
        named,
        {a: slot[a.nodes] for a in named},
        slot[np.append(pool.nodes, constants)],
        np.append(written, nodes.constants),
        nodes.op[order],
        slot[nodes.x[order]],
        slot[nodes.y[order]],
        nodes.level[order],
        start,
        slot[term],
        _slots(form, slot),
        int(slot[form.graph.root]),
        reduce,
        lookups,
        names,
    )
