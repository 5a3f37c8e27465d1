"""A lowered graph: its arrays, and the statements of its passes. Shared by equal graphs."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from micrograd.lowering import expr as ex
from micrograd.lowering.checking import check_lines
from micrograd.lowering.columns import Ints
from micrograd.lowering.expr import Assign, Expr
from micrograd.lowering.inlining import inlined
from micrograd.lowering.ir import CONSTANT, INPUT, LEAVES, LOOKUP, NUMBER, PARAMETER, Array
from micrograd.lowering.names import TEMPORARY, adjoint_names
from micrograd.lowering.statements import Backward, renamed, value
from micrograd.lowering.tensors import Constants, Tensor, whole

LOSS, FORWARD = "loss", "forward"


@dataclass(frozen=True, eq=False)
class Lines:
    """The lines of one pass or two: forward, backward; `gradients` names those of the leaves.

    `line_of` tells the name of the line that computes an array or an adjoint, `adjoints` what the
    adjoint of an array is called; `inside` names what is written into a line of another name.
    """

    forward: list[Assign]
    backward: list[Assign]
    gradients: dict[str, str]
    line_of: dict[str, str] = field(default_factory=dict)
    adjoints: dict[str, Tensor] = field(default_factory=dict)
    inside: frozenset[str] = frozenset()


@dataclass(frozen=True, eq=False)
class Lowered:
    """Hold the arrays of a graph; `reduce` says how the samples of a batch make one loss.

    `array_of` and `place_of` say where each scalar node went, in this and in any equal graph.
    """

    arrays: list[Array]
    root: Array
    reduce: str
    array_of: Ints
    place_of: Ints
    tables: Constants
    makers: dict[str, Any] = field(default_factory=dict)  # compiled passes by kind

    def leaves(self, kind: str) -> list[Array]:
        """Return the leaf arrays of one kind, in order."""
        return [array for array in self.arrays if array.kind == kind]

    @property
    def operations(self) -> set[str]:
        """Return the names of the elementary operations."""
        return {array.op for array in self.arrays if array.op}

    @property
    def arguments(self) -> list[str]:
        """Return the names of inputs, parameters and constants: what the text takes."""
        kinds = (INPUT, PARAMETER, CONSTANT)
        return [array.name for kind in kinds for array in self.leaves(kind) if array.data is None]

    @property
    def data(self) -> dict[str, np.ndarray]:
        """Return the constants that are part of the code, and the tables of places."""
        held = {a.name: a.data for a in self.leaves(CONSTANT) if a.data is not None}
        return {**held, **self.tables}

    @cached_property
    def forward(self) -> list[Assign]:
        """Return the lines of the forward pass."""
        lines = [Assign(array.name, value(array, self.tables))
                 for array in self.arrays if array.kind not in LEAVES]  # fmt: skip
        return [*lines, Assign(LOSS, self._loss())]

    def _loss(self) -> Expr:
        root = whole(self.root)
        if self.root.kind == NUMBER:
            root = ex.num(float(np.asarray(self.root.data)[0]))
        batched = any(array.batched for array in self.arrays)
        if self.root.batched:
            return Expr(self.reduce, (root,), (0,), ())
        repeated = batched and self.reduce == "sum"
        return ex.binary("*", root, ex.ref(ex.B, ())) if repeated else root

    def passes(self, kind: str) -> Lines:
        """Return the lines of FORWARD alone, or with the gradients of each PARAMETER, or of each
        INPUT too."""
        lines = self._tidied(kind)
        known = [*self.arguments, *self.data]
        check_lines([*lines.forward, *lines.backward], known, [LOSS, *lines.gradients.values()])
        return lines

    def _tidied(self, kind: str) -> Lines:
        if kind == FORWARD:
            return tidied(Lines(self.forward, [], {}))
        kinds = (PARAMETER, INPUT) if kind == INPUT else (PARAMETER,)
        ids = {array.operands[0].array for array in self.leaves(LOOKUP)}
        wanted = {array.name for kind in kinds for array in self.leaves(kind) if array not in ids}
        backward = Backward(self.arrays, wanted, self.tables)
        backward.run(self.root, self._seed(), adjoint_names(self.arrays))
        return tidied(Lines(self.forward, backward.lines, backward.gradients,
                            adjoints=backward.adjoints))  # fmt: skip

    def _seed(self) -> Tensor:
        size = ex.ref(ex.B, ())
        if self.root.batched and self.reduce == "mean":
            return Tensor(ex.binary("/", ex.num(1), size), ())
        batched = any(array.batched for array in self.arrays)
        repeated = batched and not self.root.batched and self.reduce == "sum"
        return Tensor(size if repeated else ex.num(1), ())


def tidied(lines: Lines) -> Lines:
    """Return the lines with what needs no name written in."""
    results = {LOSS, *lines.gradients.values()}

    def keep(name: str) -> bool:
        return name in results or not (TEMPORARY.match(name) or name.startswith("d"))

    everything, into = inlined([*lines.forward, *lines.backward], keep)
    numbers = _numbers(everything)
    everything = renamed(everything, numbers)
    first = next(i for i, line in enumerate(everything) if line.name == LOSS) + 1
    line_of = {}
    for line in [*lines.forward, *lines.backward]:
        name = line.name
        while name in into:
            name = into[name]
        line_of[line.name] = numbers[name].attr if name in numbers else name
    return Lines(everything[:first], everything[first:], lines.gradients, line_of, lines.adjoints,
                 frozenset(into))  # fmt: skip


def _numbers(lines: list[Assign]) -> dict[str, Expr]:
    """Number the temporaries that are left 1, 2, ... in the order of the lines."""
    number: dict[str, int] = {}
    for line in lines:
        found = re.fullmatch(r"d?(t\d+)", line.name)
        if found:
            number.setdefault(found[1], len(number) + 1)
    names: dict[str, Expr] = {}
    for line in lines:
        found = re.fullmatch(r"(d?)(t\d+)", line.name)
        if found:
            names[line.name] = ex.ref(f"{found[1]}t{number[found[2]]}", line.expr.shape)
    return names
