"""One function of C from index notation: what stays the same, a loop over the samples, the rest."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from micrograd.lowering.adjoints.places import own_variables
from micrograd.lowering.arrays.form import BrokenProgramError
from micrograd.lowering.arrays.ir import BATCH, Array, Choice, Index, Read, Rows, Term
from micrograd.lowering.native.c.active import Gate, GateText, gate
from micrograd.lowering.native.c.loops import Loops
from micrograd.lowering.native.c.memory import Memory, Tables
from micrograd.lowering.native.c.text import CNames, Formulas

STACK = 64 * 1024  # bytes: what is larger lies in static memory
BLOCK, LONG = 48, 64  # samples that are treated together: longer where they are far in any case
L2 = 256 * 1024  # bytes that are not far
SECTIONS = ("before", "samples", "after")  # the loop over the samples, and around it


@dataclass(frozen=True, eq=False)
class Task:
    """What a function computes: `arrays` in order, operands first; `results` go to the caller.

    `arguments` are the arrays that it is called with, `ids` those of them that hold row numbers.
    """

    name: str
    arguments: tuple[Array, ...]
    arrays: tuple[Array, ...]
    loss: Array
    results: tuple[Array, ...]
    names: CNames
    ids: Collection[Array]

    @property
    def kind(self) -> str:
        """Return the type of the function: it returns the loss, unless that is outputs."""
        return "void" if self.loss in self.results else "double"

    def parameters(self, watched: bool, tables: Mapping[str, Any]) -> list[tuple[str, Any]]:
        """Return the parameters after the batch size, and the arrays or tables that they take."""
        read: list[tuple[str, str, Any]] = [
            *(
                ("long long" if a in self.ids else "double", self.names[a], a)
                for a in self.arguments
            ),
            *(
                ("int" if x.dtype == np.int32 else "double", name, name)
                for name, x in tables.items()
            ),
        ]
        return [
            *((f"const {kind} *restrict {name}", item) for kind, name, item in read),
            *((f"double *restrict {self.names[a]}", a) for a in self.results),
            *([("int *strange", "&strange")] if watched else []),
        ]

    def defined(self, parameters: Iterable[tuple[str, Any]], lines: Iterable[str]) -> str:
        """Return the definition of the function, of `parameters` behind the batch size."""
        heads = ", ".join(["long B", *(text for text, _ in parameters)])
        body = "\n".join(f"    {line}" for line in lines)
        return f"{self.kind} {self.name}({heads}) {{\n{body}\n}}"


class Function:
    """Write a function, which watches what the `guarded` operations give.

    With `blocks` it runs through blocks of samples, for speed; without, one sample after the other,
    to be read.
    """

    def __init__(self, task: Task, blocks: bool, guarded: Collection[str], tables: Tables) -> None:
        self.task, self.formulas, self.guarded = task, Formulas(), guarded
        self.late = _late(task.arrays)
        outside = frozenset((*task.arguments, *task.results))
        self.memory = Memory(
            task.names,
            outside,
            _block(a for a in task.arrays if a.batched and a not in outside) if blocks else 1,
            frozenset(a for a in task.arguments if not a.batched),
            tables,
        )
        self.loops = Loops(self.memory, self.formulas, products=blocks)
        self.sections: dict[str, list[str]] = {name: [] for name in SECTIONS}
        self.gate = gate(task.arrays, task.loss) if blocks else None
        self.left: list[str] = []

    def text(self) -> str:
        """Return the function."""
        for array in self.task.arrays:
            (self._sample if array.batched else self._fixed)(array)
            if array.formula and array.formula.op in self.guarded:
                self._watch(array)
            if self.gate and array is self.gate.array:
                self._pass(self.gate)
        lines = [*self._declared([a for a in self.task.arrays if not a.batched])]
        lines += [*self._turned(), *self.sections["before"]]
        if self.sections["samples"]:
            lines += self._loop()
        lines += self.sections["after"]
        if self.task.kind == "double":
            lines.append(f"return {self.task.names[self.task.loss]};")
        if any("share" in line for line in (*self.sections["samples"], *lines)):
            lines.insert(0, "const double share = 1.0 / (double)B;")
        return self.task.defined(self.parameters(), lines)

    def parameters(self) -> list[tuple[str, Any]]:
        """Return the parameters after the batch size, and the arrays that they take."""
        return self.task.parameters(bool(self.guarded), {})

    def _sample(self, array: Array) -> None:
        """Compute an array of each sample, within the loop."""
        if any(read.array in self.late for read in array.reads):
            raise BrokenProgramError(f"{array!r} depends on a sum over all samples")
        self._put(array, array.terms, self.sections["samples"], False)

    def _fixed(self, array: Array) -> None:
        """Compute an array that all samples share; terms that add samples up go into the loop."""
        parts: dict[str, list[Term]] = {name: [] for name in SECTIONS}
        for term in array.terms:
            late = any(read.array in self.late for read in term.reads)
            parts["samples" if BATCH in term.sizes else "after" if late else "before"].append(term)
        begun = bool(parts["before"] or parts["samples"] or not parts["after"])
        if begun:
            self._put(array, parts["before"], self.sections["before"], False)
        for name in ("samples", "after"):
            if parts[name]:
                self._put(array, parts[name], self.sections[name], begun)

    def _put(self, array: Array, terms: Sequence[Term], lines: list[str], begun: bool) -> None:
        """Add terms to an array; where that is not `begun`, they are its first."""
        alike = [term for term in terms if _alike(array, term)]
        if alike:
            lines += self.loops.added(array, alike, not begun)
            begun = True
        for term in (term for term in terms if term not in alike):
            first = not begun and own_variables(array, term) is not None
            if not begun and not first:
                lines.append(self.loops.zero(array))
            lines += self.loops.term(array, term, first)
            begun = True
        if not begun:
            lines.append(self.loops.zero(array))

    def _watch(self, array: Array) -> None:
        """Note where an operation gives a number that is not finite."""
        lines = self.sections["samples"] if array.batched else self.sections["before"]
        many = f"count * {array.size}" if array.batched else f"{array.size}"
        lines.append(f"*strange |= odd({self.memory.start(array)}, {many});")

    def _pass(self, gate: Gate) -> None:
        """Go on with the samples alone that get a gradient."""
        text = GateText(gate, self.memory, self.task.ids)
        self.sections["before"].append(text.calm())
        self.sections["samples"] += text.entered()
        self.left = text.left(self.task.results)

    def _declared(self, arrays: Sequence[Array]) -> list[str]:
        """Return the declarations of local arrays."""
        own = [a for a in arrays if a not in self.memory.outside]
        length = {a: self.memory.length(a) for a in own}
        large = sum(length.values()) * 8 > STACK
        scalars = [self.task.names[a] for a in own if self.memory.is_scalar(a)]
        lines = [f"double {', '.join(scalars)};"] if scalars else []
        for array in own:
            if not self.memory.is_scalar(array):
                where = "STATIC " if large and length[array] > 256 else ""
                lines.append(f"{where}double {self.task.names[array]}[{length[array]}];")
        return lines

    def _turned(self) -> list[str]:
        """Return the copies of matrices that the products want the other way round."""
        lines = []
        for array in dict.fromkeys(self.memory.transposed):
            (rows, columns), of = array.shape, self.task.names[array]
            name = f"{of}_T"
            where = "STATIC " if array.size > 8192 else ""
            lines += [
                f"{where}double {name}[{array.size}];",
                f"turn({rows}, {columns}, {of}, {name});",
            ]
        return lines

    def _loop(self) -> list[str]:
        block = self.memory.block
        head = "for (long s = 0; s < B; s++) {"
        lines = self._declared([a for a in self.task.arrays if a.batched])
        if block > 1:
            head = f"for (long s = 0; s < B; s += {block}) {{"
            kind = "int" if self.gate else "const int"
            lines.insert(0, f"{kind} count = B - s < {block} ? (int)(B - s) : {block};")
        lines += [*self.sections["samples"], *self.left]
        return [head, *(f"    {line}" for line in lines), "}"]


def _late(arrays: Iterable[Array]) -> frozenset[Array]:
    """Return the arrays that are known only after the last sample."""
    late: set[Array] = set()
    for array in arrays:
        sums = any(BATCH in term.sizes for term in array.terms)
        if not array.batched and (sums or any(read.array in late for read in array.reads)):
            late.add(array)
    return frozenset(late)


def _alike(array: Array, term: Term) -> bool:
    """Return whether a term runs over the array's own variables, each by its number, no others."""
    if term.summed or any(isinstance(f, Choice) for f in term.factors):
        return False
    own = own_variables(array, term)
    return own is not None and all(v == w for v, w in own.items())


def _block(local: Iterable[Array]) -> int:
    """Return how many samples to treat together."""
    return LONG if 8 * LONG * sum(array.size for array in local) > L2 else BLOCK


def sparse(gradient: Array) -> list[Array]:
    """Return the rows that are added to the gradient of a table, as arrays; none if it is dense."""
    if not gradient.terms or not all(isinstance(term.at, Rows) for term in gradient.terms):
        return []
    return [_rows_of(term) for term in gradient.terms]


def _rows_of(term: Term) -> Array:
    variables = [(v, n) for v, n in term.kept if v != BATCH]
    shape = tuple(int(n) for _, n in variables)  # type: ignore[arg-type]
    array = Array("computed", shape, np.zeros(0, np.intp), True)
    at = Read(array, tuple(Index(v) for v, _ in variables))
    return replace(array, terms=(replace(term, at=at),))
