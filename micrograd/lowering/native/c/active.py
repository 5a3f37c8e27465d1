"""Samples that get no gradient leave the block between the way forward and the way back.

Of losses like a hinge many samples are 0, with a gradient of exactly 0. All that comes behind it is
a multiple of it, and 0 as well, unless it meets inf or nan: a block is looked through for these.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from micrograd.core.formulas import specialise
from micrograd.lowering.arrays.ir import BATCH, Array, Factor, First, Formula, Read, Rows, Term
from micrograd.lowering.arrays.reads import used
from micrograd.lowering.native.c.memory import Memory
from micrograd.lowering.trace.declared import NUMBER

LARGEST = 1e30  # helpers/active.c has it too
WORTH = 32  # products behind it for each number that is moved
FACTORS = 9  # as many numbers, none larger, multiply to less than inf
PARTS = (
    *(ast.Constant, ast.Name, ast.Load, ast.UnaryOp, ast.USub, ast.BinOp, ast.Add, ast.Sub),
    *(ast.Mult, ast.Compare, ast.cmpop, ast.Call),
)
CALLED = ("where", "maximum", "minimum", "abs")


@dataclass(frozen=True)
class Gate:
    """The first gradient of samples, and the arrays behind it, which are multiples of it."""

    array: Array
    behind: Sequence[Array]

    def reads(self) -> list[Array]:
        """Return what else the arrays behind it read, for the samples."""
        own = {self.array, *self.behind}
        every = (
            read.array for a in self.behind for term in _of_samples(a) for read in _reads(term)
        )
        return [a for a in dict.fromkeys(every) if a not in own and a.kind != NUMBER]

    def work(self) -> int:
        """Return how many products of numbers a sample costs behind it."""
        terms = (term for array in self.behind for term in _of_samples(array))
        sizes = ([n for n in term.sizes.values() if isinstance(n, int)] for term in terms)
        return sum(map(prod, sizes))

    def moved(self) -> int:
        """Return how many numbers of a sample are looked through and moved."""
        return sum(array.size for array in self.reads() if array.batched)


def gate(arrays: Sequence[Array], loss: Array) -> Gate | None:
    """Return the gate of a function; None where its first gradient is not 0 for many samples."""
    back = arrays[arrays.index(loss) + 1 :] if loss in arrays else ()
    place = next((n for n, a in enumerate(back) if a.batched), None)
    if place is None or not any(map(_compares, back[place].terms)):
        return None
    multiples, behind = {back[place]}, back[place + 1 :]
    for array in behind:
        if not all(_vanishes(term, multiples) for term in _of_samples(array)):
            return None
        if array.batched:
            multiples.add(array)
    passed = Gate(back[place], behind)
    return passed if passed.work() > WORTH * passed.moved() else None


def _of_samples(array: Array) -> Iterator[Term]:
    return (term for term in array.terms if BATCH in term.sizes)


def _reads(term: Term) -> Iterator[Read]:
    """Yield what is read, of a formula by the letters that it has."""
    for factor in term.factors:
        yield from used(factor).values() if isinstance(factor, Formula) else factor.reads
    if isinstance(term.at, Rows):
        yield term.at.ids


def _compares(term: Term) -> bool:
    formulas = (factor for factor in term.factors if isinstance(factor, Formula))
    return any(isinstance(node, ast.Compare) for f in formulas for node in _nodes(f))


def _nodes(formula: Formula) -> Iterator[ast.AST]:
    return ast.walk(ast.parse(specialise(formula.text, formula.k), mode="eval").body)


def _vanishes(term: Term, multiples: set[Array]) -> bool:
    """Return whether a term is 0 where the multiples are, if what it reads is not too large."""
    if not any(isinstance(f, Read) and f.array in multiples for f in term.factors):
        return False
    numbers = (np.asarray(r.array.data) for r in term.reads if r.array.kind == NUMBER)
    bounded = all(map(_bounded, term.factors)) and all(map(_small, (*numbers, term.scale.value)))
    return bounded and sum(map(_count, term.factors)) < FACTORS


def _small(numbers: Any) -> bool:
    return bool(np.all(np.abs(numbers) <= LARGEST))


def _count(factor: Factor) -> int:
    """Return how many numbers a factor multiplies, at most."""
    nodes = _nodes(factor) if isinstance(factor, Formula) else ()
    return 1 + sum(isinstance(node, ast.Mult) for node in nodes)


def _bounded(factor: Factor) -> bool:
    """Return whether a factor is finite and not large, if what it reads is not."""
    if isinstance(factor, Formula):
        return all(map(_bounded_part, _nodes(factor)))
    return isinstance(factor, (Read, First)) or (isinstance(factor, Rows) and not factor.table)


def _bounded_part(node: ast.AST) -> bool:
    if isinstance(node, ast.Constant):
        return _small(node.value)
    if isinstance(node, ast.Call):
        return isinstance(node.func, ast.Name) and node.func.id in CALLED
    return isinstance(node, PARTS) and getattr(node, "id", "") not in ("inf", "nan")


class GateText:
    """The C of a gate: what lies before the samples, where they pass it, and behind the last."""

    def __init__(self, gate: Gate, memory: Memory, ids: Collection[Array]) -> None:
        self.gate, self.memory, self.names = gate, memory, memory.names
        self.fixed = [a for a in gate.reads() if not a.batched and a not in ids]
        self.batched, self.ids = [a for a in gate.reads() if a.batched], ids

    def calm(self) -> str:
        """Return the line that looks through what all samples share."""
        return f"const int calm = {' && '.join(map(self._small, self.fixed)) or '1'};"

    def _small(self, array: Array) -> str:
        many = f"count * {array.size}" if array.batched else f"{array.size}"
        return f"small({many}, {self.memory.start(array)})"

    def entered(self) -> list[str]:
        """Return the lines that leave out samples without a gradient, and turn to the others."""
        d, numbers = self.gate.array, [a for a in self.batched if a not in self.ids]
        moved, start = (d, *self.batched), self.memory.start(d)
        tests = ["calm", "live * 8 < count * 7", *map(self._small, numbers)]
        lines = [
            "/* on with the samples that get a gradient, unless 0 times a number may be nan */",
            f"int kept[{self.memory.block}];",
            f"const int all = count, live = alive(count, {d.size}, {start}, kept);",
            f"const int fewer = {' && '.join(tests)};",
        ]
        packed = [self._packed(a, self.names[a]) for a in moved if not self._given(a)]
        for array in filter(self._given, moved):
            kind = "long long" if array in self.ids else "double"
            copy, near = (self._name(array, end) for end in ("kept", "near"))
            lines += [
                f"STATIC {kind} {copy}[{array.size * self.memory.block}];",
                f"const {kind} *{near} = {self.memory.start(array)};",
            ]
            packed.append(f"{near} = {self._packed(array, copy)}")
            self.memory.near[array] = near
        return [*lines, "if (fewer) {", *(f"    {x}" for x in (*packed, "count = live;")), "}"]

    def _given(self, array: Array) -> bool:
        """Return whether an array is the caller's: its rows stay where they are."""
        return array in self.memory.outside

    def _name(self, array: Array, end: str) -> str:
        key = array, end
        self.memory.names.enter(key, f"{self.names[array]}_{end}")
        return self.names[key]

    def _packed(self, array: Array, to: str) -> str:
        return f"pack(live, kept, {array.size}, {self.memory.start(array)}, {to});"

    def left(self, results: Sequence[Array]) -> list[str]:
        """Return the lines that put results of samples where these were."""
        own = [a for a in results if a in self.gate.behind and a.batched]
        lines = [f"unpack(live, kept, all, {a.size}, {self.memory.start(a)});" for a in own]
        return ["if (fewer) {", *(f"    {x}" for x in lines), "}"] if lines else []
