"""Irregular graphs as a tape: operations and places of operands in arrays, a `switch` runs them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from micrograd.lowering.arrays.ir import Array, Term
from micrograd.lowering.arrays.reads import flat_places
from micrograd.lowering.irregular.levels import Levels, Lookup
from micrograd.lowering.native.c.function import Task
from micrograd.lowering.native.c.switch import Switch
from micrograd.lowering.native.c.text import CNames, Formulas
from micrograd.lowering.trace.declared import FORWARD, INPUT, OUTPUT
from micrograd.ops import BY_NAME

OWN = "v d values gradients now place loss"  # no array has these names
SAMPLE_LOOP = "for (long s = 0; s < B; s++)"


class Tape:
    """Write the function of an irregular graph: v holds the values of all nodes, d the gradients.

    A row of `groups` is (operation, first, last): nodes that do not need one another. To be
    called from here, it watches for numbers that are not finite; without `sparse`, it stands alone.
    """

    def __init__(self, levels: Levels, wanted: str, name: str, sparse: bool) -> None:
        self.levels, self.formulas = levels, Formulas()
        self.names = CNames(levels.names, OWN)
        self.placed = levels.given(levels.placed, wanted)
        watched = levels.operations if sparse else ()
        self.guarded, self.threads = {op for op in watched if BY_NAME[op].watched}, sparse
        self.backward, self.tables = wanted != FORWARD, dict[str, Any]()
        self.gradients = {leaf: self._adjoint(leaf, sparse) for leaf in levels.wanted(wanted)}
        self.rows = {a: self._rows(a) for leaf, a in self.gradients.items() if a.terms}
        results = [r for a in self.gradients.values() for r in self.rows.get(a, (a,))]
        results.sort(key=lambda array: array.batched)
        loss = results[0] if wanted == OUTPUT else Array("computed", (), np.zeros(0, np.intp))
        arguments = tuple(levels.given(levels.arguments, wanted))
        self.task = Task(name, arguments, (), loss, tuple(results), self.names, levels.ids)

    def _adjoint(self, leaf: Array, sparse: bool) -> Array:
        """Return the array of a gradient; with terms, one for each lookup, where it is sparse."""
        lookups = self._lookups(leaf) if sparse and leaf not in self.levels.placed else []
        terms = tuple(Term((), x.array.axes, at=x.rows) for x in lookups)
        adjoint = Array("computed", leaf.shape, leaf.nodes, leaf.batched, terms, of=leaf)
        self.names.enter(adjoint, f"d{self.names[leaf]}")
        return adjoint

    def _rows(self, adjoint: Array) -> tuple[Array, ...]:
        assert adjoint.of is not None
        parts = []
        for n, lookup in enumerate(self._lookups(adjoint.of), 1):
            part = Array("computed", lookup.array.shape, lookup.array.nodes, True)
            self.names.enter(part, f"{self.names[adjoint]}_rows{n}")
            parts.append(part)
        return tuple(parts)

    def _lookups(self, table: Array) -> list[Lookup]:
        return [x for x in self.levels.lookups if x.rows.table is table]

    def text(self) -> str:
        """Return the function."""
        returned = self.task.kind == "double"
        root, batched = self.levels.root, bool(self.levels.leaves(INPUT))
        share = "1.0 / (double)B" if batched and self.levels.reduce == "mean" else "1.0"
        size = len(self.levels.op)
        placed, switch = self.placed, Switch(self.levels, self.formulas, self)
        sample = [
            *(line for a in placed if a.batched and not a.lookup for line in self._put_leaf(a)),
            *(line for x in self.levels.lookups for line in self._put_rows(x)),
            f"double now = v[{self.levels.bounds[0] - 1}];",
            *switch.text(),
            *([f"*strange |= odd(v, {len(self.levels.op)});"] if self.guarded else []),
            *([f"loss += {share} * v[{root}];"] if returned else []),
        ]
        if self.backward:
            sample += [
                f"memset(d, 0, {size} * sizeof(double));",
                f"d[{root}] = {share};",
                "int place = -1;",
                *switch.text(backward=True),
                *(line for leaf, a in self.gradients.items() for line in self._taken(leaf, a)),
            ]
        lines = [
            *self._memory(size),
            *(["double loss = 0.0;"] if returned else []),
            *self._numbers(),
            *(line for a in placed if not a.batched for line in self._put_leaf(a)),
            *(
                f"memset({self.names[a]}, 0, {a.size} * sizeof(double));"
                for a in self.task.results
                if not a.batched
            ),
            f"{SAMPLE_LOOP} {{",
            *(f"    {line}" for line in sample),
            "}",
            *(["return loss;"] if returned else []),
        ]
        return self.task.defined(self.parameters(), lines)

    def _memory(self, size: int) -> list[str]:
        """Return the declarations of v and d; where threads have their own, how to get there once.

        Else the compiler asks for the place of a thread's memory inside the loops.
        """
        own = {"v": "values", "d": "gradients"} if self.backward else {"v": "values"}
        if not self.threads:
            return [f"STATIC double {', '.join(f'{x}[{size}]' for x in own)};"]
        pointers = ", ".join(f"*restrict {x} = {y}" for x, y in own.items())
        once = ", ".join(f'"+r"({x})' for x in own)
        return [
            f"STATIC double {', '.join(f'{x}[{size}]' for x in own.values())};",
            f"double {pointers};",
            f'__asm__("" : {once});',
        ]

    def parameters(self) -> list[tuple[str, Any]]:
        """Return the parameters after the batch size, and the arrays or tables that they take."""
        return self.task.parameters(bool(self.guarded), self.tables)

    def table(self, wanted: str, data: Any) -> str:
        """Return the name of a table, entered once."""
        if wanted not in self.names:
            self.names.enter(wanted, wanted)
        name: str = self.names[wanted]
        kind = np.float64 if data.dtype == np.float64 else np.int32
        self.tables.setdefault(name, np.ascontiguousarray(data, kind))
        return name

    def _slots(self, array: Array) -> str:
        return self.table(f"{self.names[array]}_slots", self.levels.slots[array])

    def _numbers(self) -> list[str]:
        slots = self.levels.number_slots
        if not len(slots):
            return []
        at = self.table("number_slots", slots)
        numbers = self.table("numbers", self.levels.numbers.astype(float))
        return [f"for (int i = 0; i < {len(slots)}; i++) v[{at}[i]] = {numbers}[i];"]

    def _put(self, array: Array, value: str) -> list[str]:
        """Put a leaf into the slots of its nodes; what the result does not depend on has none."""
        slots = self._slots(array)
        line = f"if ({slots}[i] >= 0) v[{slots}[i]] = {value};"
        return [f"for (int i = 0; i < {array.size}; i++)", f"    {line}"]

    def _put_leaf(self, array: Array) -> list[str]:
        origin = f"s * {array.size} + " if array.batched else ""
        return self._put(array, f"{self.names[array]}[{origin}i]")

    def _put_rows(self, lookup: Lookup) -> list[str]:
        width, table, row = lookup.array.shape[-1], lookup.rows.table, self._row(lookup)
        value = f"{row} == i % {width}"
        if table is not None:
            value = f"{self.names[table]}[{row} * {width} + i % {width}]"
        return self._put(lookup.array, value)

    def _row(self, lookup: Lookup) -> str:
        """Return which row of the table the element i of those looked up is in."""
        array, ids = lookup.array, lookup.rows.ids
        places = flat_places(ids, dict(enumerate(array.shape))).reshape(-1)
        at = self.table(f"{self.names[array]}_ids", places)
        return f"{self.names[ids.array]}[s * {ids.array.size} + {at}[i / {array.shape[-1]}]]"

    def _taken(self, leaf: Array, adjoint: Array) -> Iterator[str]:
        """Yield the lines that add the gradient of a leaf to a result."""
        name = self.names[adjoint]
        if adjoint.terms:
            for lookup, part in zip(self._lookups(leaf), self.rows[adjoint]):
                yield from self._copied(self._slots(lookup.array), part)
            return
        slots = self._slots(leaf)
        if leaf.batched:
            yield from self._copied(slots, adjoint)
            return
        yield f"for (int i = 0; i < {leaf.size}; i++)"
        yield f"    if ({slots}[i] >= 0) {name}[i] += d[{slots}[i]];"
        for lookup in self._lookups(leaf):
            row, own, width = self._row(lookup), self._slots(lookup.array), leaf.shape[-1]
            place = f"{name}[{row} * {width} + i % {width}]"
            yield f"for (int i = 0; i < {lookup.array.size}; i++)"
            yield f"    if ({own}[i] >= 0) {place} += d[{own}[i]];"

    def _copied(self, slots: str, result: Array) -> list[str]:
        place = f"{self.names[result]}[s * {result.size} + i]"
        return [
            f"for (int i = 0; i < {result.size}; i++)",
            f"    {place} = {slots}[i] >= 0 ? d[{slots}[i]] : 0.0;",
        ]
