"""Index notation as text: z1[i] = Σj x[j] W1[i,j] + b1[i].

The samples are not written, as in the lectures, except where they are added up: Σb.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from micrograd.core.formulas import specialise
from micrograd.lowering.arrays.axes import coordinates, number_of, steps
from micrograd.lowering.arrays.ir import (
    BATCH,
    FIXED,
    ONE,
    Array,
    Factor,
    First,
    Formula,
    Index,
    Read,
    Rows,
    Scale,
    Term,
)
from micrograd.lowering.scalars.columns import Ints

MINUS = Scale(-1.0)
LETTERS = "ijklmnpqruvwxyz"
_ATOM = re.compile(r"[\w.]+(\[[^\]]*\]|\([^()]*\))?")


def written(arrays: Iterable[Array], names: Mapping[Any, str]) -> str:
    """Return the definitions of arrays, a line each, the number of nodes behind."""
    return "\n".join(_line(array, names) for array in arrays if array.terms or array.of)


def _line(array: Array, names: Mapping[Any, str]) -> str:
    own = LETTERS[: len(array.shape)]
    left = names[array] + (f"[{','.join(own)}]" if own else "")
    samples = any(var == BATCH for term in array.terms for var, _ in term.summed)
    terms = [str(_Notation(term, own, samples, names)) for term in array.terms]
    text = f"{left:<9} = {' + '.join(terms).replace('+ -', '- ') or '0'}"
    count = 0 if array.of else len(array.nodes)
    nodes = f", {count} node{'s' if count > 1 else ''}" if count else ""
    return f"{text:<60}  # {array.sizes}{nodes}"


class _Notation:
    """One term as text: `own` are the letters of its array; `samples` are written where added."""

    def __init__(self, term: Term, own: str, samples: bool, names: Mapping[Any, str]) -> None:
        self.term, self.own, self.samples, self.names = term, own, samples, names
        self.letter = dict(self._own())
        spare = iter(c for c in LETTERS if c not in own and c not in self.letter.values())
        for var in term.sizes:
            if var != BATCH and var not in self.letter:
                self.letter[var] = next(spare)
        self.letter[BATCH] = "b"

    def _own(self) -> Iterator[tuple[int, str]]:
        at = self.term.at
        if at is None:
            yield from ((v, self.own[v]) for v, _ in self.term.kept if 0 <= v < len(self.own))
        elif isinstance(at, Read) and at.table is None and at.split is None:
            yield from ((i.var, c) for i, c in zip(at.index, self.own) if i.var != FIXED)

    def __str__(self) -> str:
        """Return scale, sum signs, factors, and where the term is added."""
        scale, summed = self.term.scale, self.term.summed
        factors = [self.factor(factor) for factor in self.term.factors]
        if not factors:
            return " ".join([str(scale), *(str(n) for _, n in summed)]) + self._place()
        signs = "".join(sorted(self.letter[var] for var, _ in summed))
        number = [] if scale in (ONE, MINUS) else [str(scale)]
        text = (f"Σ{signs} " if signs else "") + " ".join([*number, *factors])
        return ("-" if scale == MINUS else "") + text + self._place()

    def _place(self) -> str:
        at = self.term.at
        if at is None:
            return ""
        if isinstance(at, Rows):
            return f" at [{self.read(at.ids)},{self._last}]"
        places = self._indices(at) if at.table is None else self._by_table(at, at.table)
        return "" if places == list(self.own) else f" at [{','.join(places)}]"

    @property
    def _last(self) -> str:
        """Return the letter that runs along a row that is looked up."""
        return self.letter[max(var for var, _ in self.term.kept)]

    def factor(self, factor: Factor) -> str:
        """Return a factor; a formula in brackets, unless it is one thing, or alone."""
        if isinstance(factor, Read):
            return self.read(factor)
        if isinstance(factor, Formula):
            text = self._formula(factor)
            return text if len(self.term.factors) == 1 or _ATOM.fullmatch(text) else f"({text})"
        if isinstance(factor, Rows):
            if factor.table is None:
                return f"[{self.read(factor.ids)} = {self._last}]"
            return f"{self.names[factor.table]}[{self.read(factor.ids)},{self._last}]"
        over, read = self.letter[factor.axis[0]], self.read(factor.read)
        if isinstance(factor, First):
            return f"[{over} is the first with {read} = {self.read(factor.out)}]"
        chosen = f"{factor.op}{over} {read}"
        if factor.before is None:
            return chosen
        return f"{factor.op}({self.read(factor.before)}, {chosen})"

    def _formula(self, formula: Formula) -> str:
        reads = {letter: self.read(read) for letter, read in formula.letters}
        text = specialise(formula.text, formula.k)
        return re.sub(r"\b(x|y|out)\b", lambda letter: reads[letter[0]], text)

    def read(self, read: Read) -> str:
        """Return A[i, 2j+1]."""
        array = read.array
        if (number := number_of(read)) is not None:
            return f"{number:.12g}"
        parts = ["b"] if array.batched and self.samples else []
        parts += self._indices(read) if read.table is None else self._by_table(read, read.table)
        return self.names[array] + (f"[{','.join(parts)}]" if parts else "")

    def _by_table(self, read: Read, table: Ints) -> list[str]:
        """Return 2j+l for each axis that grows evenly with the variables; else their names."""
        indices = []
        for column in coordinates(read.array.shape, table):
            walk = steps(column, read.variables)
            if walk is None:
                return [f"place {','.join(self.letter[var] for var in read.variables)}"]
            indices.append(self._sum(((step, var) for step, _, var in walk), int(column.flat[0])))
        return indices

    def _indices(self, read: Read) -> list[str]:
        """Return the indices; where axes were divided, the parts of each one together."""
        walked, indices = list(zip(read.index, read.shape)), []
        for size in read.array.shape:
            parts = [walked.pop(0)] if walked else []
            while walked and math.prod(n for _, n in parts) < size:
                parts.append(walked.pop(0))
            if not parts or math.prod(n for _, n in parts) != size:
                return self._joined(read)
            indices.append(self._index(parts))
        return self._joined(read) if walked else indices

    def _joined(self, read: Read) -> list[str]:
        """Return the places along axes that are no part of one axis of the array."""
        places = ",".join(self._index([part]) for part in zip(read.index, read.shape))
        return [f"place {places} of {'×'.join(map(str, read.shape))}"]

    def _index(self, parts: Sequence[tuple[Index, int]]) -> str:
        """Return 4i+j+2 for an axis that was divided into blocks of 4."""
        walk: list[tuple[int, int]] = []
        start, block = 0, 1
        for index, length in reversed(parts):
            start += index.start * block
            if index.var != FIXED:
                walk.insert(0, (index.step * block, index.var))
            block *= length
        return self._sum(walk, start)

    def _sum(self, walk: Iterable[tuple[int, int]], start: int) -> str:
        texts = [f"{step if step > 1 else ''}{self.letter[var]}" for step, var in walk]
        return "+".join([*texts, *([str(start)] if start or not texts else [])])
