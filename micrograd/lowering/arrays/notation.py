"""Index notation as text: z1[i] = Σj x[j] W1[i,j] + b1[i].

The samples are not written, as in the lectures, except where they are added up: Σb.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from micrograd.core.formulas import specialise
from micrograd.lowering.arrays.ir import (
    BATCH,
    FIXED,
    Array,
    Factor,
    First,
    Formula,
    Index,
    Read,
    Rows,
    Scale,
    Size,
    Term,
)
from micrograd.lowering.trace.declared import NUMBER

LETTERS = "ijklmnpqruvwxyz"
_ATOM = re.compile(r"[\w.]+(\[[^\]]*\]|\([^()]*\))?")


def written(arrays: Iterable[Array], names: Mapping[Any, str]) -> str:
    """Return the definitions of arrays, a line each, the number of nodes behind."""
    return "\n".join(_line(array, names) for array in arrays if array.terms or array.of)


def _line(array: Array, names: Mapping[Any, str]) -> str:
    notation = _Notation(names)
    own = LETTERS[: len(array.shape)]
    left = names[array] + (f"[{','.join(own)}]" if own else "")
    sums_samples = any(var == BATCH for term in array.terms for var, _ in term.summed)
    terms = [notation.term(term, own, sums_samples) for term in array.terms]
    text = f"{left:<9} = {_added(terms) or '0'}"
    return f"{text:<60}  # {_remark(array)}"


def _remark(array: Array) -> str:
    sizes = ("B", *array.shape) if array.batched else array.shape
    shape = f"({', '.join(map(str, sizes))}{',' if len(sizes) == 1 else ''})"
    count = len(array.nodes)
    if array.of is not None or not count:
        return shape
    return f"{shape}, {count} node{'s' if count > 1 else ''}"


def _added(terms: list[str]) -> str:
    return " + ".join(terms).replace("+ -", "- ")


class _Notation:
    def __init__(self, names: Mapping[Any, str]) -> None:
        self.names = names

    def term(self, term: Term, own: str, samples: bool) -> str:
        """Return scale, sum signs, factors, and where the term is added."""
        letter = dict(self._own(term, own))
        spare = iter(c for c in LETTERS if c not in own and c not in letter.values())
        for var in term.sizes:
            if var != BATCH and var not in letter:
                letter[var] = next(spare)
        letter[BATCH] = "b"
        self.letter, self.samples = letter, samples
        summed = "".join(sorted(letter[var] for var, _ in term.summed))
        factors = [self.factor(factor, term) for factor in term.factors]
        scale = _scale(term.scale, bool(factors))
        sign = f"Σ{summed} " if summed and factors else ""
        if summed and not factors:
            scale = " ".join([_scale(term.scale, False), *(f"{_size(n)}" for _, n in term.summed)])
        text = sign + " ".join([scale, *factors] if scale not in ("", "-") else factors)
        text = f"-{text}" if scale == "-" else text
        return text + self._place(term, own)

    def _own(self, term: Term, own: str) -> Iterator[tuple[int, str]]:
        if term.at is None:
            yield from ((var, own[var]) for var, _ in term.kept if 0 <= var < len(own))
        elif isinstance(term.at, Read) and term.at.table is None and term.at.split is None:
            for axis, index in enumerate(term.at.index):
                if index.var != FIXED:
                    yield index.var, own[axis]

    def _place(self, term: Term, own: str) -> str:
        if isinstance(term.at, Rows):
            rest = self.letter[max(var for var, _ in term.kept)]
            return f" at [{self.read(term.at.ids)},{rest}]"
        if term.at is None:
            return ""
        if term.at.table is not None:
            return f" at table {term.at.table.shape}"
        if [self._index(i) for i in term.at.index] == list(own):
            return ""
        return f" at [{','.join(map(self._index, term.at.index))}]"

    def factor(self, factor: Factor, term: Term) -> str:
        if isinstance(factor, Read):
            return self.read(factor)
        if isinstance(factor, Formula):
            text = self._formula(factor)
            alone = len(term.factors) == 1 or _ATOM.fullmatch(text)
            return text if alone else f"({text})"
        if isinstance(factor, Rows):
            row = self.letter[max(var for var, _ in term.kept)]
            if factor.table is None:
                return f"[{self.read(factor.ids)} = {row}]"
            return f"{self.names[factor.table]}[{self.read(factor.ids)},{row}]"
        over = self.letter[factor.axis[0]]
        if isinstance(factor, First):
            return f"[{over} is the first with {self.read(factor.read)} = {self.read(factor.out)}]"
        chosen = f"{factor.op}{over} {self.read(factor.read)}"
        if factor.before is None:
            return chosen
        return f"{factor.op}({self.read(factor.before)}, {chosen})"

    def _formula(self, formula: Formula) -> str:
        reads = {letter: self.read(read) for letter, read in formula.letters}
        text = specialise(formula.text, formula.k)
        return re.sub(r"\b(x|y|out)\b", lambda found: reads[found[0]], text)

    def read(self, read: Read) -> str:
        """Return A[i, 2j+1]."""
        array = read.array
        if array.kind == NUMBER:
            return f"{array.data[read.index[0].start]:.12g}"  # type: ignore[index]
        batch = ["b"] if array.batched and self.samples else []
        if read.table is not None:
            at = ",".join(self.letter[var] for var in read.variables)
            return f"{self.names[array]}[{''.join(f'{b},' for b in batch)}place {at}]"
        parts = [*batch, *self._merged(read)]
        return self.names[array] + (f"[{','.join(parts)}]" if parts else "")

    def _merged(self, read: Read) -> list[str]:
        """Return the indices; where axes were divided, the parts of each one together."""
        parts = [self._index(i) for i in read.index]
        if read.split is None:
            return parts
        if not _divided(read.array.shape, read.split):  # axes joined: no part of one index
            return [f"place {','.join(parts)} of {'×'.join(map(str, read.split))}"]
        merged, at = [], 0
        for size in read.array.shape:
            text, filled = parts[at], read.split[at]
            at += 1
            while filled < size and at < len(parts):
                text = f"{read.split[at]}{text}+{parts[at]}"
                filled *= read.split[at]
                at += 1
            merged.append(text)
        return [*merged, *parts[at:]]

    def _index(self, index: Index) -> str:
        if index.var == FIXED:
            return str(index.start)
        step = "" if index.step == 1 else str(index.step)
        start = f"+{index.start}" if index.start else ""
        return f"{step}{self.letter[index.var]}{start}"


def _divided(shape: tuple[int, ...], split: tuple[int, ...]) -> bool:
    """Return whether every axis of a shape is one axis of `split`, or several."""
    ends = {math.prod(split[:n]) for n in range(len(split) + 1)}
    joined = any(math.prod(shape[: n + 1]) not in ends for n in range(len(shape)))
    return not joined and len(split) >= len(shape)


def _size(size: int | Size) -> str:
    return str(size)


def _scale(scale: Scale, before: bool) -> str:
    if scale == Scale() and before:
        return ""
    return "-" if scale == Scale(-1.0) and before else str(scale)
