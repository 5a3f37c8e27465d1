"""Index notation as text: z1[i] = Σj x[j] W1[i,j] + b1[i].

What stands side by side is multiplied, [..] is 1 where it holds, `at [0,j]` says where a term is
added, for all values of its letters. A letter runs along its axis of the left side; any other as
far as there are elements where it stands alone at an index, if it is not said to stop: Σj<3, [j<3].
(0,3,1)i is the i-th of 0, 3 and 1; `place i of 6×4` goes through 24 elements as if they were 6×4.
The samples are not written, as in the lectures, except where they are added up: Σb.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from micrograd.core.formulas import specialise
from micrograd.lowering.arrays.ir import (
    BATCH,
    FIXED,
    ONE,
    Array,
    Axis,
    Factor,
    First,
    Formula,
    Index,
    Read,
    Rows,
    Scale,
    Term,
)
from micrograd.lowering.arrays.reads import coordinates, depending, number_of, steps, used
from micrograd.lowering.scalars.columns import Ints

MINUS = Scale(-1.0)
MOST_LISTED = 12  # places
LETTERS = "ijklmnpqruvwxyzacdefghstoABCDEFGHIJKLMNOPQRSTUVWXYZ"
# a name with brackets behind, or brackets alone, with others in them
_ATOM = re.compile(r"[\w.]*(\[([^][]|\[[^][]*\])*\]|\(([^()]|\([^()]*\))*\))?")
_NUMBER = re.compile(r"-?[\d.]+(e[+-]?\d+)?( B|/B)?")
_OVER = re.compile(r"1 / [\w.]+(\[[^][]*(\[[^][]*\][^][]*)*\])?")
_SUM = re.compile(r"^-| [-+] ")
Walk = Sequence[tuple[int, int]]  # steps and variables of an index


def written(arrays: Iterable[Array], names: Mapping[Any, str]) -> str:
    """Return the definitions of arrays, a line each, the number of nodes behind."""
    letters = "".join(letter for letter in LETTERS if letter not in names.values())
    return "\n".join(_line(a, names, letters) for a in arrays if a.terms or a.of)


def _line(array: Array, names: Mapping[Any, str], letters: str) -> str:
    own = letters[: len(array.shape)]
    left = names[array] + (f"[{','.join(own)}]" if own else "")
    terms = [str(_Notation(term, array, names, letters)) for term in array.terms]
    text = f"{left:<9} = {' + '.join(terms).replace('+ -', '- ') or '0'}"
    count = 0 if array.of else len(array.nodes)
    nodes = f", {count} node{'s' if count > 1 else ''}" if count else ""
    return f"{text:<60}  # {array.sizes}{nodes}"


def _enclosed(text: str, first: bool) -> str:
    """Return one of several factors, in brackets unless it is one thing."""
    first = first and bool(_NUMBER.fullmatch(text) or not _SUM.search(text))
    return text if first or _ATOM.fullmatch(text) else f"({text})"


class _Notation:
    """One term as text; `reach` is how far a reader takes each variable to run."""

    def __init__(self, term: Term, array: Array, names: Mapping[Any, str], letters: str) -> None:
        self.term, self.array, self.names = term, array, names
        self.own = letters[: len(array.shape)]
        self.samples = not array.batched  # they are added up, where there are any
        self.reach: dict[int, int] = {}
        self.letter = dict(self._own())
        spare = iter(c for c in letters if c not in (*self.own, *self.letter.values()))
        for var in term.sizes:
            if var != BATCH and var not in self.letter:
                self.letter[var] = next(spare)
        self.letter[BATCH] = "b"

    def _own(self) -> Iterator[tuple[int, str]]:
        at = self.term.at
        if at is None:
            yield from ((v, self.own[v]) for v, _ in self.term.kept if v >= 0)
        elif isinstance(at, Rows):
            yield self._last, self.own[-1]
        elif at.table is None and at.split is None:
            yield from ((i.var, c) for i, c in zip(at.index, self.own) if i.var != FIXED)

    def __str__(self) -> str:
        """Return scale, sum signs, factors, which letters stop, and where the term is added."""
        factors, place = list(map(self.factor, self.term.factors)), self._place()
        under = [text.removeprefix("1 / ") for text in factors if _OVER.fullmatch(text)]
        factors = [text for text in factors if not _OVER.fullmatch(text)]
        factors.sort(key=lambda text: not _NUMBER.fullmatch(text))
        text = f"Σ{self._over(self.term.summed)} " if self.term.summed else ""
        scale = self.term.scale
        minus = "-" if scale == MINUS and (factors or under) else ""
        number = [] if factors and scale in (ONE, MINUS) else [str(scale).removeprefix(minus)]
        kept = (self._bounded(var) for var, _ in self.term.kept)
        parts = [*number, *factors, *(f"[{bound}]" for bound in kept if "<" in bound)]
        if len(parts) + len(under) > 1 or text or place or minus:
            parts = [_enclosed(part, n == 0) for n, part in enumerate(parts)]
        return minus + text + " / ".join([" ".join(parts), *under]) + place

    def _over(self, axes: Iterable[Axis]) -> str:
        signs = sorted(self._bounded(var) for var, _ in axes)
        return ("," * ("<" in "".join(signs))).join(signs)

    def _bounded(self, var: int) -> str:
        """Return the letter of a variable, j<3 where it stops before a reader would."""
        size = self.term.sizes[var]
        stops = var != BATCH and self.reach.get(var) != size
        return self.letter[var] + (f"<{size}" if stops else "")

    def _place(self) -> str:
        at = self.term.at
        if at is None:
            self.reach.update(dict(self.term.kept))  # type: ignore[arg-type]
            return ""
        if isinstance(at, Rows):
            last = self._along([(1, self._last)], 0, self.array.shape[-1])
            return f" at [{self.read(at.ids)},{last}]"
        places = self._indices(at) if at.table is None else self._by_table(at, at.table)
        if len(places) == len(self.own):  # an axis of one place needs none said
            sizes = zip(places, self.own, self.array.shape)
            places = [letter if size == 1 else place for place, letter, size in sizes]
        for var, letter in self.letter.items():
            if letter in places and letter in self.own:  # all along that axis
                self.reach[var] = self.array.shape[places.index(letter)]
        return "" if places == list(self.own) else f" at [{','.join(places)}]"

    @property
    def _last(self) -> int:
        """Return the variable that runs along a row that is looked up."""
        return max(var for var, _ in self.term.kept)

    def factor(self, factor: Factor) -> str:
        """Return a factor."""
        if isinstance(factor, Read):
            return self.read(factor)
        if isinstance(factor, Formula):
            return self._formula(factor)
        if isinstance(factor, Rows):
            ids, table = self.read(factor.ids), factor.table
            if table is None:
                return f"[{ids} = {self.letter[self._last]}]"
            last = self._along([(1, self._last)], 0, table.shape[-1])
            return f"{self.names[table]}[{ids},{last}]"
        read = self.read(factor.read)
        if isinstance(factor, First):
            first = ",".join(self.letter[var] for var, _ in factor.axes)
            return f"[{first} is the first with {read} = {self.read(factor.out)}]"
        chosen = f"{factor.op}{self._over(factor.axes)} {read}"
        if factor.before is None:
            return chosen
        return f"{factor.op}({self.read(factor.before)}, {chosen})"

    def _formula(self, formula: Formula) -> str:
        text = specialise(formula.text, formula.k)
        reads = {letter: self.read(read) for letter, read in used(formula).items()}
        if "**" in text:
            reads = {c: f"({read})" if read[0] == "-" else read for c, read in reads.items()}
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
        """Return 2j+l for each axis that grows evenly with the variables; else (0,3,1)i.

        Of many places, place(i,j): only their variables.
        """
        columns = coordinates(read.array.shape, table)
        indices = []
        for column, size in zip(columns, read.array.shape):
            walk = steps(column, read.variables)
            if walk is None:
                places, variables = depending(column, read.variables)
                letters = [self.letter[var] for var in variables]
                if places.size > MOST_LISTED:
                    indices.append(f"place({','.join(letters)})")
                    continue
                for var, length in zip(variables, places.shape):
                    self._reaches(var, length)
                listed = str(places.tolist()).translate(str.maketrans("[]", "()", " "))
                indices.append(listed + "".join(letters))
            else:
                along = [(step, var) for step, _, var in walk]
                indices.append(self._along(along, int(column.flat[0]), size))
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
            indices.append(parts)
        return self._joined(read) if walked else list(map(self._index, indices))

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
        return self._along(walk, start, block)

    def _along(self, walk: Walk, start: int, size: int) -> str:
        """Return an index of an axis of a size, and note how far it lets a letter alone run."""
        if len(walk) == 1:
            ((step, var),) = walk
            self._reaches(var, (size - 1 - start) // step + 1)
        texts = [f"{step if step > 1 else ''}{self.letter[var]}" for step, var in walk]
        return "+".join([*texts, *([str(start)] if start or not texts else [])])

    def _reaches(self, var: int, length: int) -> None:
        self.reach[var] = min(length, self.reach.get(var, length))
