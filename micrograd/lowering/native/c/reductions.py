"""What runs over a variable that its array has not: matrix products, the largest, the first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import permutations
from math import prod

from micrograd.lowering.arrays.ir import BATCH, FIXED, Array, Choice, First, Read, Term
from micrograd.lowering.arrays.reads import number_of
from micrograd.lowering.native.c.memory import Letters, Memory, Place, row_strides
from micrograd.lowering.native.c.text import (
    LETTERS,
    SAMPLE,
    Formulas,
    loop,
    nest,
    number,
    scale_text,
    scope,
)

Extents = Mapping[int, "int | str"]
NARROWEST = 2  # columns: for one, loops do as well


def product(
    memory: Memory, target: Place, term: Term, extents: Extents, more: bool
) -> list[str] | None:
    """Return a term as the call of a matrix product Σk a[m,k] b[k,n]; None if it is none.

    With `more` it is added to c[m,n], else it is what c will be: a sum over one variable may. A
    factor that lies the other way round, and stays the same during the call, is turned once.
    """
    if len(term.factors) != 2 or not term.summed:
        return None
    reads = [f for f in term.factors if isinstance(f, Read) and f.table is None and f.every]
    if len(reads) != 2 or target.by:
        return None
    summed = [v for v, _ in term.summed if v in extents]
    kept = [v for v, _ in term.kept if v in extents]
    numbers = int(more), scale_text(term.scale) or "1.0"
    calls = (
        _call(memory, target, (a, b), (n, k), (kept, summed), extents, numbers)
        for a, b in permutations(reads)
        for n in kept
        for k in summed
    )
    best = max(filter(None, calls), key=lambda call: call[0], default=None)
    if best and best[2]:
        memory.transposed.append(best[2].array)
    return best and best[1]


def _call(
    memory: Memory,
    target: Place,
    reads: tuple[Read, Read],
    roles: tuple[int, int],
    variables: tuple[list[int], list[int]],
    extents: Extents,
    numbers: tuple[int, str],
) -> tuple[int, list[str], Read | None] | None:
    """Return how good the call with `n` along the columns and `k` summed is, it, what it turns."""
    (n, k), (kept, summed) = roles, variables
    a, b = (memory.read(read, {}) for read in reads)
    columns = extents[n]
    fits = isinstance(columns, int) and columns >= NARROWEST
    if not fits or target.stride(n) != 1 or a.stride(n) != 0 or not b.stride(k) or not a.stride(k):
        return None
    turned = b.stride(n) != 1
    if turned:
        other = memory.turned(reads[1])
        if other is None or other.stride(n) != 1:
            return None
        b = other
    rows = [v for v in kept if v != n and a.stride(v) and not b.stride(v) and target.stride(v)]
    m = max(
        rows, key=lambda v: 10**6 if isinstance(extents[v], str) else int(extents[v]), default=FIXED
    )
    outer = [v for v in (*kept, *summed) if v not in (n, k, m)]
    letters = dict(zip(outer, LETTERS)) | ({BATCH: SAMPLE} if BATCH in outer else {})
    places = [_at(place, outer, letters) for place in (a, b, target)]
    more, scale = numbers
    call = (
        f"product({more}, {extents.get(m, 1)}, {columns}, {extents[k]}, {scale}, {places[0]}, "
        f"{a.stride(m)}, {a.stride(k)}, {places[1]}, {b.stride(k)}, {places[2]}, "
        f"{target.stride(m)});"
    )
    good = int(columns) * (1 if m == FIXED else 4) * (1 if outer else 2)
    lines = nest([loop(letters[v], extents[v]) for v in outer], [call])
    return good, lines, reads[1] if turned else None


def _at(place: Place, outer: list[int], letters: Letters) -> str:
    """Return the address of an element, the variables of the product 0."""
    steps = {v: s for v, s in place.strides.items() if v in outer}
    index = Place("", steps, place.start, place.origin).index(letters)
    return place.name if index == "0" else f"{place.name} + {index}"


@dataclass
class Parts:
    """The factors of a term: a text over letters each, and what they read, to order loops by."""

    texts: list[str] = field(default_factory=list)
    before: list[str] = field(default_factory=list)  # what has to be computed first
    places: list[Place] = field(default_factory=list)
    single: set[int] = field(default_factory=set)  # variables whose loop cannot be joined

    def read(self, memory: Memory, read: Read, letters: Letters) -> str:
        """Return what is read, a number of the code as itself, and note where it lies."""
        value = number_of(read)
        if value is not None:
            return number(value)
        self.places.append(memory.read(read, letters))
        return self.places[-1].text(letters)


class Choices:
    """Write choices, and the marks of what was chosen first."""

    def __init__(self, memory: Memory, formulas: Formulas) -> None:
        self.memory, self.formulas = memory, formulas
        self.firsts: dict[First, str] = {}

    def chosen(self, array: Array, choice: Choice, letters: dict[int, str]) -> list[str]:
        """Return loops that choose the largest or smallest."""
        own = [v for v in array.vars if v != BATCH or self.memory.block > 1]
        extents: dict[int, int | str] = {v: n for v, n in array.axes if isinstance(n, int)}
        extents[BATCH] = "count"
        chooser = {"max": "maximum", "min": "minimum"}[choice.op]
        target = self.memory.whole(array)
        axes = [(var, str(n)) for var, n in choice.axes if var in choice.read.vars]
        first = self.memory.text(choice.read, {**letters, **{var: "0" for var, _ in axes}})
        body = [f"double best = {first};"]
        if axes:
            better = self.formulas.call(chooser, "best", self.memory.text(choice.read, letters))
            second = "1" if len(axes) == 1 else "0"
            body += nest([loop(letters[var], n, second) for var, n in axes], [f"best = {better};"])
        value = "best"
        if choice.before is not None:
            before = Parts().read(self.memory, choice.before, letters)
            value = self.formulas.call(chooser, before, value)
        body.append(f"{target.text(letters)} = {value};")
        return scope(nest([loop(letters[v], extents[v]) for v in own], body))

    def first(self, parts: Parts, first: First, extents: Extents, letters: Letters) -> None:
        """Say which element is the first to equal what was chosen: its place, and that it is it."""
        name = self.firsts.setdefault(first, f"first{len(self.firsts) + 1}")
        sizes = {var: int(n) for var, n in first.axes}  # type: ignore[arg-type]
        steps = dict(zip(sizes, row_strides(tuple(sizes.values()))))
        where = {**letters, **{v: _part("at", v, steps, sizes) for v in sizes}}
        z, out = self.memory.read(first.read, where), self.memory.read(first.out, letters)
        around = [v for v in extents if v in (z.vars | out.vars) - {*sizes}]
        strides, count = {}, 1
        for v in reversed(around):
            strides[v] = count
            count *= self.memory.block if v == BATCH else int(extents[v])
        place = Place(name, strides)
        body = [
            "int at = 0;",
            f"while (at < {prod(sizes.values()) - 1} "
            f"&& !({z.text(where)} == {out.text(where)})) at++;",
            f"{place.text(letters)} = at;",
        ]
        parts.single |= {*sizes, *around}
        number = Place("", steps).index(letters)
        parts.texts.append(f"({place.text(letters)} == {number})")
        loops = nest([loop(letters[v], extents[v]) for v in around], body)
        if not around:
            loops = scope(loops)
        parts.before += [f"int {name}[{count}];", *loops]


def _part(number: str, var: int, steps: Mapping[int, int], sizes: Mapping[int, int]) -> str:
    """Return one of the variables that a number counts through, row by row."""
    text = number if steps[var] == 1 else f"{number} / {steps[var]}"
    return text if var == next(iter(sizes)) else f"{text} % {sizes[var]}"
