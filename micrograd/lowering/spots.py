"""Where a scalar node and its gradient are in the text of a program: line, array, element."""

from __future__ import annotations

from functools import cached_property
from typing import NamedTuple

import numpy as np

from micrograd.core.modes import described
from micrograd.engine import Value
from micrograd.lowering.columns import Columns
from micrograd.lowering.ir import BATCH, LEAVES, NUMBER, Array
from micrograd.lowering.levels import Levels
from micrograd.lowering.lowered import Lines, Lowered
from micrograd.lowering.names import adjoint_names
from micrograd.lowering.text import shown

ELEMENT, TERM, WITHIN, SHARED, WRITTEN, SLOT, NOWHERE, UNSAID = (
    "element", "term", "within", "shared", "number", "slot", "nowhere", "",
)  # fmt: skip


class Spot(NamedTuple):
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


class Spots:
    """Find the spots of the nodes of one graph in the text of its program."""

    def __init__(self, lowered: Lowered | Levels, graph: Columns, lines: Lines | None,
                 source: str) -> None:  # fmt: skip
        self.lowered, self.graph, self.source, self.lines = lowered, graph, source, lines

    @cached_property
    def ids(self) -> dict[Value, int]:
        """Find the ids of the nodes."""
        return dict(zip(self.graph.values, range(len(self.graph))))

    @cached_property
    def _line_numbers(self) -> dict[str, int]:
        """Find the lines of the source by the name they give; of the arguments it is the first."""
        arguments = [] if isinstance(self.lowered, Levels) else self.lowered.arguments
        numbers = dict.fromkeys(arguments, 1)
        for number, line in enumerate(self.source.splitlines(), 1):
            name, equals, _ = line.strip().partition(" = ")
            if equals:
                numbers.setdefault(name, number)
        return numbers

    @cached_property
    def _own_names(self) -> dict[str, str]:
        """Find the names of the adjoints before those that are equal are made one."""
        assert isinstance(self.lowered, Lowered)
        return {a.name: name for a, name in adjoint_names(self.lowered.arrays).items()}

    def id(self, value: Value) -> int:
        """Return the id of a Value. Raises ValueError where the graph does not have it."""
        if value not in self.ids:
            raise ValueError(f"{described(value)} is not in the graph of this program, which has "
                             "the Values of its own trace: program.graph.values")  # fmt: skip
        return self.ids[value]

    def forward(self, value: Value) -> Spot:
        """Return where a Value is computed."""
        id = self.id(value)
        if isinstance(self.lowered, Levels):
            return _slot(self.lowered, id)
        array = self._array(id)
        if array is None:
            return Spot(NOWHERE)
        if array.kind == NUMBER:
            return Spot(WRITTEN, f"{value.data:.12g}")
        index = self._index(id, range(len(array.shape)))
        if array.kind in LEAVES:
            return Spot(ELEMENT, array.name, self._line_numbers.get(array.name, 0), index,
                        array.batched)  # fmt: skip
        how = ELEMENT if array.nodes[self.lowered.place_of[id]] == id else TERM
        return self._spot(how, array.name, index, array.batched)

    def gradient(self, value: Value) -> Spot:
        """Return where the gradient of a Value is computed."""
        id = self.id(value)
        if isinstance(self.lowered, Levels):
            return _slot(self.lowered, id)
        array = self._array(id)
        if array is None or self.lines is None or array.name not in self.lines.adjoints:
            return Spot(NOWHERE)
        expr, vars = self.lines.adjoints[array.name]
        if expr.kind != "ref":
            return Spot(WRITTEN, shown(expr))
        kept = [var for var in vars if var != BATCH]
        own = array.nodes[self.lowered.place_of[id]] == id
        own = own and self._own_names[array.name] == expr.attr
        return self._spot(ELEMENT if own else SHARED, expr.attr, self._index(id, kept),
                          BATCH in vars and array.batched)  # fmt: skip

    def _array(self, id: int) -> Array | None:
        assert isinstance(self.lowered, Lowered)
        number = int(self.lowered.array_of[id])
        return self.lowered.arrays[number] if number >= 0 else None

    def _index(self, id: int, vars: range | list[int]) -> tuple[int, ...]:
        """Return the place of a node along the axes that have these variables."""
        array = self._array(id)
        assert array is not None and isinstance(self.lowered, Lowered)
        place = np.unravel_index(int(self.lowered.place_of[id]), array.shape)
        return tuple(int(place[var]) for var in vars)

    def _spot(self, how: str, name: str, index: tuple[int, ...], batched: bool) -> Spot:
        assert self.lines is not None
        line = self.lines.line_of.get(name, name)
        number = self._line_numbers.get(line, 0)
        if name in self.lines.inside:
            return Spot(WITHIN, line, number)
        return Spot(how, line, number, index, batched)


def _slot(levels: Levels, id: int) -> Spot:
    slot = int(levels.slot[id])
    return Spot(SLOT, levels.free("v"), 0, (slot,)) if slot >= 0 else Spot(UNSAID)
