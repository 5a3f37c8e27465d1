"""The largest and the smallest in C, and which element it was."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from micrograd.lowering.arrays.ir import BATCH, Array, Choice, First, Term
from micrograd.lowering.native.memory import Memory, Place, RowPlace
from micrograd.lowering.native.products import Extents
from micrograd.lowering.native.text import LETTERS, Formulas, loop, nest, scope


@dataclass
class Parts:
    """The factors of a term: a text over letters each, and what they read, to order loops by."""

    texts: list[str] = field(default_factory=list)
    before: list[str] = field(default_factory=list)  # what has to be computed first
    places: list[Place | RowPlace] = field(default_factory=list)
    single: set[int] = field(default_factory=set)  # variables whose loop cannot be joined


class Choices:
    """Write choices, and the marks of what was chosen first."""

    def __init__(self, memory: Memory, formulas: Formulas) -> None:
        self.memory, self.formulas = memory, formulas
        self.firsts: dict[First, str] = {}

    def chosen(
        self, array: Array, term: Term, choice: Choice, letters: dict[int, str]
    ) -> list[str]:
        """Return loops that choose the largest or smallest."""
        var = choice.axis[0]
        letters = letters | {var: letters.get(var, LETTERS[len(letters)])}
        own = [v for v in array.vars if v != BATCH or self.memory.block > 1]
        extents: dict[int, int | str] = {v: n for v, n in array.axes if isinstance(n, int)}
        extents[BATCH] = "count"
        chooser = {"max": "maximum", "min": "minimum"}[choice.op]
        read, target = self.memory.read(choice.read), self.memory.whole(array)
        at = {**letters, var: "0"}
        body = [f"double best = {read.text(at)};"]
        if var in choice.read.vars:
            better = self.formulas.call(chooser, "best", read.text(letters))
            body += nest([loop(letters[var], str(choice.axis[1]), "1")], [f"best = {better};"])
        body += self._kept_best(choice, chooser, letters, target)
        return scope(nest([loop(letters[v], extents[v]) for v in own], body))

    def _kept_best(
        self, choice: Choice, chooser: str, letters: Mapping[int, str], target: Place
    ) -> list[str]:
        value = "best"
        if choice.before is not None:
            before = self.memory.read(choice.before).text(letters)
            value = self.formulas.call(chooser, before, value)
        return [f"{target.text(letters)} = {value};"]

    def first(
        self, parts: Parts, first: First, extents: Extents, letters: Mapping[int, str]
    ) -> None:
        """Say which element is the first to equal what was chosen: its place, and that it is it."""
        name = self.firsts.setdefault(first, f"first{len(self.firsts) + 1}")
        z, out = self.memory.read(first.read), self.memory.read(first.out)
        var, size = first.axis
        around = [v for v in extents if v in (z.vars | out.vars) - {var}]
        strides, count = {}, 1
        for v in reversed(around):
            strides[v] = count
            count *= self.memory.block if v == BATCH else int(extents[v])
        place = Place(name, strides)
        where = {**letters, var: "at"}
        body = [
            "int at = 0;",
            f"while (at < {int(size) - 1} && !({z.text(where)} == {out.text(where)})) at++;",  # type: ignore[arg-type]
            f"{place.text(letters)} = at;",
        ]
        parts.single |= {var, *around}
        parts.texts.append(f"({place.text(letters)} == {letters[var]})")
        loops = nest([loop(letters[v], extents[v]) for v in around], body)
        if not around:
            loops = scope(loops)
        parts.before += [f"int {name}[{count}];", *loops]
