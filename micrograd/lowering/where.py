"""Where a scalar node and its gradient are in the text of a program: line, array, element."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from micrograd.core.modes import described
from micrograd.engine import Value
from micrograd.lowering.arrays.ir import BATCH, FIXED, LEAVES, Array, Rows
from micrograd.lowering.arrays.reads import coordinates
from micrograd.lowering.code.expr import whole
from micrograd.lowering.irregular.levels import Levels
from micrograd.lowering.scalars.columns import Bools, ScalarGraph
from micrograd.lowering.trace.declared import NUMBER
from micrograd.printing import shorten

Index = tuple[int, ...]
ELEMENT, TERM, CHOSEN, WITHIN = "element", "term", "chosen", "within"
SHARED, ROUTED = "shared", "routed"
WRITTEN, SLOT, NOWHERE, UNSAID = "number", "slot", "nowhere", ""


class Location(NamedTuple):
    """Where a node is: `line` counts the lines of the source from 1, and is 0 where there is none.

    `how` says what the node is there: "element" `at` of the array `name` (of one sample: the
    batch axis is left out); "term" of that element, a sum, as is the gradient of one of several
    nodes that are computed once, or of a table whose rows are looked up too; "chosen", what a
    choice is made of; "within" the line, in what has no name of its own; "shared", what equals the
    element, or "routed", a gradient that does, or is 0; a "number" that is written as `name`;
    "slot" of the vector of an irregular program, where a term of a sum has none (""); or
    "nowhere", not needed.
    """

    how: str
    name: str = ""
    line: int = 0
    at: Index = ()
    batched: bool = False


class Locations:
    """Find the nodes of one graph in the text of its program: `forms` are those of its passes."""

    def __init__(self, graph: ScalarGraph, forms: Any) -> None:
        self.graph, self.forms = graph, forms
        self.arrays = forms["arrays"]

    def id(self, value: Value) -> int:
        """Return the id of a Value. Raises ValueError where the graph does not have it."""
        if not isinstance(value, Value):
            raise TypeError(f"a node is a Value, not {shorten(value)}")
        if value not in self.graph.ids:
            raise ValueError(
                f"{described(value)} is not in the graph of this program, which has "
                "the Values of its own trace: program.graph.values"
            )
        return self.graph.ids[value]

    def forward(self, value: Value) -> Location:
        """Return where a Value is computed."""
        return self._where(value, self._computed, "v")

    def gradient(self, value: Value) -> Location:
        """Return where the gradient of a Value is computed."""
        return self._where(value, self._differentiated, "d")

    def _where(self, value: Value, of: Callable[..., Location], vector: str) -> Location:
        """Return what `of` says of a node: its id, the array and the element that it went to."""
        id, form = self.id(value), self.arrays
        if isinstance(form, Levels):
            slot = int(form.slot[id])
            within = vector == "v" and slot in form.slot[id + 1 :]  # of a sum; d is that of all
            how = TERM if within else SLOT
            return Location(how, form.free(vector), 0, (slot,)) if slot >= 0 else Location(UNSAID)
        number, place = int(form.array_of[id]), int(form.place_of[id])
        if number < 0:
            return Location(NOWHERE)
        array = form.arrays[number]
        return of(id, array, tuple(map(int, coordinates(array.shape, place))))

    def _owns(self, id: int, array: Array) -> bool:
        """Return whether a node is an element, not a part of one."""
        return array.kind in LEAVES or bool(array.nodes[self.arrays.place_of[id]] == id)

    def _computed(self, id: int, array: Array, index: Index) -> Location:
        if array.kind == NUMBER:
            return Location(WRITTEN, f"{np.asarray(array.data)[index]:.12g}")
        alone = self.arrays.merged_into[id] == id
        part = SHARED if alone else CHOSEN if array.choice else TERM
        how = ELEMENT if self._owns(id, array) else part
        return self._location(how, array, index, array.batched)

    def _differentiated(self, id: int, array: Array, index: Index) -> Location:
        adjoints = self.forms["adjoints"]
        gradient = adjoints.gradients.get(array)
        if gradient is not None:
            rows = any(isinstance(term.at, Rows) for term in gradient.terms)  # looked up beside
            how = TERM if rows else ELEMENT if gradient.of is array else SHARED
            return self._location(how, gradient, index, array.batched)
        upstream = adjoints.upstream.get(array)
        if upstream is None:
            return Location(NOWHERE)
        own = self._owns(id, array)
        part = TERM if self._several[id] else ROUTED if array.choice and not own else ""
        if not upstream.factors:
            return Location(part or WRITTEN, str(upstream.scale))
        (read,) = upstream.reads
        line = self.forms["code"].adjoints.get(read.array)
        expr, vars = line or (whole(read.array), read.array.vars)
        at = {n: i.start if i.var == FIXED else index[i.var] for n, i in enumerate(read.index)}
        kept = tuple(at[var] for var in vars if var != BATCH)
        how = part or (ELEMENT if own and expr.attr.of is array else SHARED)
        return self._location(how, expr.attr, kept, BATCH in vars and array.batched)

    @cached_property
    def _several(self) -> Bools:
        """Mark the nodes whose element is that of others too: what is equal is computed once."""
        form = self.arrays
        whole = form.merged_into == np.arange(len(form.merged_into))
        _, element = np.unique((form.array_of, form.place_of), axis=1, return_inverse=True)
        count = np.bincount(element.ravel()[whole], minlength=len(whole))
        several: Bools = count[element.ravel()] > 1
        return several

    def place(self, value: Value) -> tuple[str, int]:
        """Return the name of the array that a Value went to, and its place there, row by row.

        Raises ValueError where it has none: for numbers that became part of the text.
        """
        where = self.forward(value)
        if where.how in (NOWHERE, UNSAID):
            zero = "the 0 that Python's sum() starts from, or " * (not value.data)
            raise ValueError(
                f"{described(value)} has no place in the program: it is {zero}in a number of the "
                "code; ask for what uses it"
            )
        if where.how == WRITTEN:
            raise ValueError(f"{described(value)} is in no array: it is a number of the code")
        if isinstance(self.arrays, Levels):
            return where.name, where.at[0]
        return where.name, int(self.arrays.place_of[self.id(value)])

    def _location(self, how: str, array: Array, index: Index, batched: bool) -> Location:
        code = self.forms["inlined"]
        line = code.line_of(array)
        number = self.forms["text"].line_of.get(line, 0)
        if line is not array:
            return Location(WITHIN, code.names[line], number)
        return Location(how, code.names[array], number, index, batched)
