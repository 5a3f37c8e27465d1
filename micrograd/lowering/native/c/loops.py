"""A term of index notation as loops of C over its variables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from micrograd.lowering.arrays.ir import (
    BATCH,
    Array,
    Choice,
    Factor,
    First,
    Formula,
    Read,
    Rows,
    Size,
    Term,
)
from micrograd.lowering.native.c.memory import Letters, Memory, Place
from micrograd.lowering.native.c.reductions import Choices, Extents, Parts, product
from micrograd.lowering.native.c.text import (
    LETTERS,
    SAMPLE,
    Formulas,
    loop,
    multiplied,
    nest,
    scale_text,
    scope,
)

IN_ANY_ORDER = '_Pragma("omp simd reduction(+:sum)")'


class Loops:
    """Write terms as loops."""

    def __init__(self, memory: Memory, formulas: Formulas, products: bool) -> None:
        self.memory, self.formulas, self.products = memory, formulas, products
        self.choices = Choices(memory, formulas)

    def added(self, array: Array, terms: Sequence[Term], assign: bool) -> list[str]:
        """Return the loops that add terms over an array's own variables; or, first, assign them."""
        letters = self._letters(terms[0])
        parts, place = self._parts(letters, *terms), self.memory.whole(array)
        parts.places.append(place)
        heads, letters = self._heads(array.vars, parts, self._extents(terms[0]), letters)
        values = " + ".join(self._value(term, letters) for term in terms)
        line = f"{place.text(letters)} {'=' if assign else '+='} {values};".replace("+ -", "- ")
        return [*parts.before, *nest(heads, [line])]

    def term(self, array: Array, term: Term, assign: bool) -> list[str]:
        """Return the loops that add a term to an array; `assign` it where it is the first."""
        extents, letters = self._extents(term), self._letters(term)
        target = self.target(array, term, letters)
        if term.factors and isinstance(term.factors[0], Choice):
            return self.choices.chosen(array, term.factors[0], letters)
        if self.products:
            more = not assign or len(term.summed) > 1
            call = product(self.memory, target, term, extents, more)
            if call:
                return [*([self.zero(array)] if assign and more else []), *call]
        parts = self._parts(letters, term)
        parts.places.append(target)
        kept = [v for v, _ in term.kept if v in extents]
        summed = [v for v, _ in term.summed if v in extents]
        inner = self._innermost(kept, summed, parts)
        if inner in summed:
            return [*parts.before, *self._reduced(term, (kept, summed), parts, assign)]
        order = [v for v in kept if v != inner] + summed + ([] if inner is None else [inner])
        heads, letters = self._heads(order, parts, extents, letters)
        value = self._value(term, letters)
        sign = "=" if assign and not summed else "+="
        lines = nest(heads, [f"{target.text(letters)} {sign} {value};"])
        return [*parts.before, *([self.zero(array)] if assign and summed else []), *lines]

    def _reduced(
        self, term: Term, variables: tuple[list[int], list[int]], parts: Parts, assign: bool
    ) -> list[str]:
        """Return loops that add up in a variable of their own."""
        (kept, summed), extents = variables, self._extents(term)
        outer, letters = self._heads(kept, parts, extents, self._letters(term))
        target = parts.places.pop()
        inner, letters = self._heads(summed, parts, extents, letters)
        adding = nest(inner, [f"sum += {self._value(term, letters)};"])
        if self.products and len(inner) == 1:
            adding.insert(0, IN_ANY_ORDER)
        body = [
            "double sum = 0.0;",
            *adding,
            f"{target.text(letters)} {'=' if assign else '+='} sum;",
        ]
        lines = nest(outer, body)
        return lines if kept else scope(lines)

    def _value(self, term: Term, letters: Letters) -> str:
        texts = self._parts(letters, term).texts
        return multiplied([*filter(None, [scale_text(term.scale)]), *texts])

    def zero(self, array: Array) -> str:
        """Return what sets an array to 0."""
        whole = self.memory.whole(array)
        if whole.scalar:
            return f"{whole.name} = 0.0;"
        many = f"count * {array.size}" if array.batched and self.memory.block > 1 else array.size
        return f"memset({whole.pointer()}, 0, {many} * sizeof(double));"

    def _heads(
        self,
        order: Sequence[int],
        parts: Parts,
        extents: Extents,
        letters: Letters,
    ) -> tuple[list[str], dict[int, str]]:
        """Return the heads of loops, and the letters left.

        Neighbours that run through memory as one are one loop.
        """
        heads: list[tuple[int, str]] = []
        left = dict(letters)
        for var in reversed([v for v in order if v in extents]):
            if heads and (outer := self._joined(var, heads[0], parts, extents)):
                heads[0] = (heads[0][0], outer)
                del left[var]
            else:
                heads.insert(0, (var, str(extents[var])))
        return [loop(letters[v], n) for v, n in heads], left

    def _joined(
        self, var: int, inner: tuple[int, str], parts: Parts, extents: Extents
    ) -> str | None:
        below, extent = inner
        if {var, below} & parts.single or not extent.isdigit():
            return None
        for place in parts.places:
            step, outer = place.stride(below), place.stride(var)
            if step is None or outer != step * int(extent):
                return None
        size = extents[var]
        return str(size * int(extent)) if isinstance(size, int) else f"{size} * {extent}"

    def _innermost(self, kept: list[int], summed: list[int], parts: Parts) -> int | None:
        """Return the variable along which most of what is read lies side by side."""

        def cost(var: int) -> tuple[int, bool]:
            steps = [place.stride(var) for place in parts.places]
            return sum(0 if s in (0, 1) else 1 for s in steps), var in summed

        every = [*kept[::-1], *summed[::-1]]
        return min(every, key=cost) if every else None

    def _extents(self, term: Term) -> dict[int, int | str]:
        """Return how far the variables run; the samples of a block of one need no loop."""
        sizes = term.sizes
        return {
            v: "count" if isinstance(n, Size) else n
            for v, n in sizes.items()
            if v != BATCH or self.memory.block > 1
        }

    def _letters(self, term: Term) -> dict[int, str]:
        variables = sorted(v for v in term.sizes if v != BATCH)
        return dict(zip(variables, LETTERS)) | {BATCH: SAMPLE}

    def target(self, array: Array, term: Term, letters: Letters) -> Place:
        """Return where a term is added."""
        if isinstance(term.at, Rows):
            return self.memory.row(array, term.at.ids, term.kept[-1][0], letters)
        if term.at is None:
            return self.memory.whole(array)
        return self.memory.read(replace(term.at, array=array), letters)

    def _parts(self, letters: Letters, *terms: Term) -> Parts:
        """Return the factors of terms."""
        parts = Parts()
        for term in terms:
            for factor in term.factors:
                self._factor(parts, factor, term, letters)
        return parts

    def _factor(self, parts: Parts, factor: Factor, term: Term, letters: Letters) -> None:
        if isinstance(factor, Read):
            parts.texts.append(parts.read(self.memory, factor, letters))
        elif isinstance(factor, Formula):
            reads = {x: parts.read(self.memory, r, letters) for x, r in factor.letters}
            parts.texts.append(self.formulas.text(factor.text, factor.k, reads))
        elif isinstance(factor, Rows):
            self._rows(parts, factor, term, letters)
        elif isinstance(factor, First):
            self.choices.first(parts, factor, self._extents(term), letters)

    def _rows(self, parts: Parts, rows: Rows, term: Term, letters: Letters) -> None:
        row = term.kept[-1][0]
        if rows.table is None:
            ids = self.memory.read(rows.ids, letters)
            parts.single |= {row, *ids.vars}
            parts.texts.append(f"({ids.text(letters)} == {letters[row]})")
            return
        place = self.memory.row(rows.table, rows.ids, row, letters)
        parts.places.append(place)
        parts.texts.append(place.text(letters))
