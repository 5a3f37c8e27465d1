"""Sums of products as matrix products, by tiles of registers: c[m,n] += Σk a[m,k] b[k,n]."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import permutations

from micrograd.lowering.arrays.ir import BATCH, Read, Term
from micrograd.lowering.native.memory import Memory, Place
from micrograd.lowering.native.text import LETTERS, SAMPLE, loop, nest, scale_text

Extents = Mapping[int, "int | str"]
NARROWEST = 4  # columns: for fewer, loops do as well


def product(memory: Memory, target: Place, term: Term, extents: Extents) -> list[str] | None:
    """Return a term as the call of a matrix product; None where it is none.

    A factor that lies the other way round, and stays the same during the call, is turned once.
    """
    if len(term.factors) != 2 or not term.summed:
        return None
    reads = [f for f in term.factors if isinstance(f, Read) and f.table is None]
    if len(reads) != 2 or target.table or target.scalar:
        return None
    if any(memory.is_scalar(read.array) for read in reads):
        return None
    summed = [v for v, _ in term.summed if v in extents]
    kept = [v for v, _ in term.kept if v in extents]
    best: tuple[int, list[str]] | None = None
    for a, b in permutations(reads):
        for n in kept:
            for k in summed:
                text = _call(
                    memory, target, (a, b), (n, k), (kept, summed), extents, scale_text(term.scale)
                )
                if text and (best is None or text[0] > best[0]):
                    best = text
    return best and best[1]


def _call(
    memory: Memory,
    target: Place,
    reads: tuple[Read, Read],
    roles: tuple[int, int],
    variables: tuple[list[int], list[int]],
    extents: Extents,
    scale: str,
) -> tuple[int, list[str]] | None:
    """Return the call with `n` along the columns and `k` summed, and how good it is."""
    (n, k), (kept, summed) = roles, variables
    a, b = (memory.read(read) for read in reads)
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
        rows, key=lambda v: 10**6 if isinstance(extents[v], str) else int(extents[v]), default=None
    )
    outer = [v for v in (*kept, *summed) if v not in (n, k, m)]
    letters = dict(zip(outer, LETTERS)) | ({BATCH: SAMPLE} if BATCH in outer else {})
    places = [_at(place, outer, letters) for place in (a, b, target)]
    height = extents[m] if m is not None else 1
    step = a.stride(m) if m is not None else 0
    c_step = target.stride(m) if m is not None else 0
    numbers = f"{height}, {columns}, {extents[k]}, {scale or '1.0'}"
    call = (
        f"product({numbers}, {places[0]}, {step}, {a.stride(k)}, {places[1]}, {b.stride(k)}, "
        f"{places[2]}, {c_step});"
    )
    good = int(columns) * (1 if m is None else 4) * (1 if outer else 2)
    return good, nest([loop(letters[v], extents[v]) for v in outer], [call])


def _at(place: Place, outer: list[int], letters: Mapping[int, str]) -> str:
    """Return the address of an element, the variables of the product 0."""
    steps = {v: s for v, s in place.strides.items() if v in outer}
    index = Place("", steps, place.start, place.origin).index(letters)
    return place.name if index == "0" else f"{place.name} + {index}"
