"""Where a scalar node and its gradient are in the text of a program: line, array, element."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from micrograd.core.modes import described
from micrograd.engine import Value
from micrograd.lowering.arrays.axes import coordinates
from micrograd.lowering.arrays.ir import BATCH, FIXED, LEAVES, Array
from micrograd.lowering.code.expr import whole
from micrograd.lowering.irregular.levels import Levels
from micrograd.lowering.scalars.columns import ScalarGraph
from micrograd.lowering.trace.declared import NUMBER

Index = tuple[int, ...]
ELEMENT, TERM, WITHIN, SHARED = "element", "term", "within", "shared"
WRITTEN, SLOT, NOWHERE, UNSAID = "number", "slot", "nowhere", ""


class Location(NamedTuple):
    """Where a node is: `line` counts the lines of the source from 1, and is 0 where there is none.

    `how` says what the node is there: "element" `at` of the array `name` (of one sample: the
    batch axis is left out); "term" of that element, a sum; "within" the line, in what has no name
    of its own; "shared", a gradient that equals the one called `name`; a "number" that is written
    as `name`; "slot" of the vector of an irregular program, where a term of a sum has none ("");
    or "nowhere", not needed.
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
        if value not in self.graph.ids:
            raise ValueError(
                f"{described(value)} is not in the graph of this program, which has "
                "the Values of its own trace: program.graph.values"
            )
        return self.graph.ids[value]

    def forward(self, value: Value) -> Location:
        """Return where a Value is computed."""
        return self._where(value, self._computed)

    def gradient(self, value: Value) -> Location:
        """Return where the gradient of a Value is computed."""
        return self._where(value, self._differentiated)

    def _where(self, value: Value, of: Callable[[Array, Index, bool], Location]) -> Location:
        """Return what `of` says of an element: its array and index, and whether it is the node."""
        id, form = self.id(value), self.arrays
        if isinstance(form, Levels):
            slot = int(form.slot[id])
            return Location(SLOT, form.free("v"), 0, (slot,)) if slot >= 0 else Location(UNSAID)
        number, place = int(form.array_of[id]), int(form.place_of[id])
        if number < 0:
            return Location(NOWHERE)
        array = form.arrays[number]
        own = array.kind in LEAVES or bool(array.nodes[place] == id)
        return of(array, tuple(map(int, coordinates(array.shape, place))), own)

    def _computed(self, array: Array, index: Index, own: bool) -> Location:
        if array.kind == NUMBER:
            return Location(WRITTEN, f"{np.asarray(array.data)[index]:.12g}")
        return self._location(ELEMENT if own else TERM, array, index, array.batched)

    def _differentiated(self, array: Array, index: Index, own: bool) -> Location:
        adjoints = self.forms["adjoints"]
        gradient = adjoints.gradients.get(array)
        if gradient is not None:
            how = ELEMENT if gradient.of is array else SHARED
            return self._location(how, gradient, index, array.batched)
        upstream = adjoints.upstream.get(array)
        if upstream is None:
            return Location(NOWHERE)
        if not upstream.factors:
            return Location(WRITTEN, str(upstream.scale))
        (read,) = upstream.reads
        line = self.forms["code"].adjoints.get(read.array)
        expr, vars = line or (whole(read.array), read.array.vars)
        at = {n: i.start if i.var == FIXED else index[i.var] for n, i in enumerate(read.index)}
        kept = tuple(at[var] for var in vars if var != BATCH)
        how = ELEMENT if own and expr.attr.of is array else SHARED
        return self._location(how, expr.attr, kept, BATCH in vars and array.batched)

    def place(self, value: Value) -> tuple[str, int]:
        """Return the name of the array that a Value went to, and its place there, row by row.

        Raises ValueError where it has none: for numbers that became part of the text.
        """
        where = self.forward(value)
        if where.how in (NOWHERE, UNSAID):
            raise ValueError(
                f"{described(value)} has no place in the program: it is the 0 that Python's sum() "
                "starts from, and was dropped; ask for the sum"
            )
        if where.how == WRITTEN:
            raise ValueError(f"{described(value)} is in no array: it is a number of the code")
        if where.how == SLOT:
            return where.name, where.at[0]
        return where.name, int(self.arrays.place_of[self.id(value)])

    def _location(self, how: str, array: Array, index: Index, batched: bool) -> Location:
        code = self.forms["inlined"]
        line = code.line_of(array)
        number = self.forms["text"].line_of.get(line, 0)
        if line is not array:
            return Location(WITHIN, code.names[line], number)
        return Location(how, code.names[array], number, index, batched)
