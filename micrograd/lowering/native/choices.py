"""The largest and the smallest in C, and which element it was."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from micrograd.lowering.arrays.ir import BATCH, Array, Choice, First, Read, Term
from micrograd.lowering.native.memory import Memory, Place, RowPlace
from micrograd.lowering.native.products import Extents
from micrograd.lowering.native.text import LETTERS, SAMPLE, Formulas, loop, nest, scope


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
        var = 0 if choice.axis is None else choice.axis[0]
        letters = letters | {var: letters.get(var, LETTERS[len(letters)])}
        own = [v for v in array.vars if v != BATCH or self.memory.block > 1]
        extents: dict[int, int | str] = {v: n for v, n in array.axes if isinstance(n, int)}
        extents[BATCH] = "count"
        chooser = {"max": "maximum", "min": "minimum"}[choice.op]
        read, target = self.memory.read(choice.read), self.memory.whole(array)
        if choice.axis is None:
            return self._chosen_pieces(array, term, choice, chooser)
        at = {**letters, var: "0"}
        body = [f"double best = {read.text(at)};"]
        if var in choice.read.vars and choice.axis:
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

    def _chosen_pieces(self, array: Array, term: Term, choice: Choice, chooser: str) -> list[str]:
        assert term.pieces is not None
        starts = self.memory.table(term.pieces)
        own = row_major(array)
        letters = {BATCH: SAMPLE, 0: "j"}
        read = self.memory.read(choice.read)
        better = self.formulas.call(chooser, "best", read.text(letters))
        flat = self.memory.read(Read(array, table=np.arange(array.size), variables=(0,)))
        place = flat.text({BATCH: SAMPLE, 0: "i"})
        body = [
            f"double best = {read.text({**letters, 0: f'{starts}[i]'})};",
            f"for (int j = {starts}[i] + 1; j < {starts}[i + 1]; j++)",
            f"    best = {better};",
        ]
        value = "best"
        if choice.before is not None:
            before = self.memory.read(choice.before)
            at = {v: f"i / {step} % {size}" for v, step, size in own}
            at = {v: f"({text})" for v, text in at.items()} | {BATCH: SAMPLE}
            value = self.formulas.call(chooser, before.text(at), value)
        body.append(f"{place} = {value};")
        samples = [loop(SAMPLE, "count")] if array.batched and self.memory.block > 1 else []
        return nest([*samples, loop("i", array.size)], body)

    def first(
        self, parts: Parts, first: First, extents: Extents, letters: Mapping[int, str]
    ) -> None:
        """Say which element is the first to equal what was chosen: its place, and that it is it."""
        name = self.firsts.setdefault(first, f"first{len(self.firsts) + 1}")
        z, out = self.memory.read(first.read), self.memory.read(first.out)
        if first.axis is None:
            self._first_of_pieces(parts, first, name, letters)
            return
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

    def _first_of_pieces(
        self, parts: Parts, first: First, name: str, letters: Mapping[int, str]
    ) -> None:
        table = first.out.table
        assert table is not None
        starts = np.flatnonzero(np.diff(table, prepend=-1))
        count = len(starts)
        bounds = self.memory.table(np.append(starts, len(table)))
        owner = self.memory.table(np.repeat(np.arange(count), np.diff([*starts, len(table)])))
        z, out = self.memory.read(first.read), self.memory.read(first.out)
        where = {**letters, 0: "at"}
        blocked = self.memory.block > 1 and first.read.array.batched
        index = f"{SAMPLE} * {count} + " if blocked else ""
        body = [
            f"int at = {bounds}[p];",
            f"while (at < {bounds}[p + 1] - 1 && !({z.text(where)} == {out.text(where)})) at++;",
            f"{name}[{index}p] = at;",
        ]
        parts.single |= {0, BATCH}
        parts.texts.append(f"({name}[{index}{owner}[{letters[0]}]] == {letters[0]})")
        samples = [loop(SAMPLE, "count")] if blocked else []
        size = count * (self.memory.block if blocked else 1)
        parts.before += [f"int {name}[{size}];", *nest([*samples, loop("p", count)], body)]


def row_major(array: Array) -> list[tuple[int, int, int]]:
    """Return the variables of an array with their strides and sizes."""
    result, step = [], 1
    for var in reversed(range(len(array.shape))):
        result.append((var, step, array.shape[var]))
        step *= array.shape[var]
    return result
