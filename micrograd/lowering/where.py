"""Where a scalar node and its gradient are in the text of a program: line, array, element."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from micrograd.core.modes import described
from micrograd.engine import Value
from micrograd.lowering.arrays.ir import BATCH, FIXED, LEAVES, Array, Read
from micrograd.lowering.code.expr import whole
from micrograd.lowering.irregular.levels import Levels
from micrograd.lowering.scalars.columns import MUL, ScalarGraph
from micrograd.lowering.trace.declared import NUMBER

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
    at: tuple[int, ...] = ()
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
        id = self.id(value)
        if isinstance(self.arrays, Levels):
            return _slot(self.arrays, id)
        array = self._array(id)
        if array is None:
            return Location(NOWHERE)
        if array.kind == NUMBER:
            return Location(WRITTEN, f"{value.data:.12g}")
        index = self._index(id, array)
        own = array.kind in LEAVES or array.nodes[self.arrays.place_of[id]] == id
        return self._location(ELEMENT if own else TERM, array, index, array.batched)

    def gradient(self, value: Value) -> Location:
        """Return where the gradient of a Value is computed."""
        id = self.id(value)
        if isinstance(self.arrays, Levels):
            return _slot(self.arrays, id)
        array = self._array(id)
        adjoints = self.forms["adjoints"]
        if array is None or adjoints is None:
            return Location(NOWHERE)
        index = self._index(id, array)
        gradient = adjoints.gradients.get(array)
        if gradient is not None:
            how = ELEMENT if gradient.of is array else SHARED
            return self._location(how, gradient, index, array.batched)
        upstream = adjoints.upstream.get(array)
        if upstream is None:
            return Location(NOWHERE)
        if upstream.read is None:
            return Location(WRITTEN, str(upstream.scale))
        own = self.forms["code"].adjoints.get(upstream.read.array)
        expr, vars = own or (whole(upstream.read.array), upstream.read.array.vars)
        same = expr.attr.of is array and array.nodes[self.arrays.place_of[id]] == id
        at = _at(upstream.read, index)
        kept = tuple(at[var] for var in vars if var != BATCH)
        return self._location(
            ELEMENT if same else SHARED, expr.attr, kept, BATCH in vars and array.batched
        )

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
        id = self.id(value)
        if where.how == SLOT:
            return where.name, _place(self.arrays, self.graph, id)
        return where.name, int(self.arrays.place_of[id])

    @property
    def code(self) -> Any:
        """Return the lines of both passes."""
        return self.forms["inlined"]

    def _name(self, array: Array) -> str:
        name: str = self.code.names[array]
        return name

    def _array(self, id: int) -> Array | None:
        number = int(self.arrays.array_of[id])
        return self.arrays.arrays[number] if number >= 0 else None

    def _index(self, id: int, array: Array) -> tuple[int, ...]:
        """Return the place of a node along the axes of its array."""
        return tuple(map(int, np.unravel_index(int(self.arrays.place_of[id]), array.shape)))

    def _location(self, how: str, array: Array, index: tuple[int, ...], batched: bool) -> Location:
        line = self.code.line_of(array)
        number = self.forms["text"].line_of.get(line, 0)
        if line is not array:
            return Location(WITHIN, self._name(line), number)
        return Location(how, self._name(array), number, index, batched)


def _at(read: Read, index: tuple[int, ...]) -> dict[int, int]:
    """Return where, along each variable of what is read, an element is."""
    return {axis: i.start if i.var == FIXED else index[i.var] for axis, i in enumerate(read.index)}


def _slot(levels: Levels, id: int) -> Location:
    slot = int(levels.slot[id])
    return Location(SLOT, levels.free("v"), 0, (slot,)) if slot >= 0 else Location(UNSAID)


def _place(levels: Levels, graph: ScalarGraph, id: int) -> int:
    """Return the slot of a node; of a product that is a term of a sum, that of its own."""
    place = int(levels.slot[id])
    if graph.op[id] != MUL or levels.op[place] == MUL:
        return place
    operands = levels.slot[[graph.x[id], graph.y[id]]]
    terms = levels.term[levels.start[place] : levels.start[place + 1]]
    terms = terms if len(terms) else np.array([levels.x[place], levels.y[place]])
    same = (levels.x[terms] == operands[0]) & (levels.y[terms] == operands[1])
    return int(terms[same & (levels.op[terms] == MUL)][0])
