"""Check what the passes hand to one another: arrays that fit together, lines that can run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import prod

from micrograd.lowering.arrays.ir import FIXED, Array, Read, Rows, Size, Term
from micrograd.lowering.trace.declared import NUMBER


class BrokenProgramError(ValueError):
    """Report a fault of lowering itself: please send the function that was lowered."""


def check_arrays(arrays: Iterable[Array], loss: Array | None = None) -> None:
    """Raise BrokenProgramError unless every array reads earlier ones, within their bounds.

    The `loss` has to be one number.
    """
    seen: set[Array] = set()
    for array in arrays:
        if array.kind != NUMBER and len(array.nodes) not in (0, array.size):
            raise BrokenProgramError(f"{array} {array.shape} has {len(array.nodes)} nodes")
        for term in array.terms:
            if fault := _fault(array, term, seen):
                raise BrokenProgramError(f"{array} {fault}")
        seen.add(array)
    if loss is not None and (loss.shape or loss.batched):
        raise BrokenProgramError(f"the loss is no number: {loss} {loss.shape}")


def _fault(array: Array, term: Term, seen: set[Array]) -> str:
    """Return what is wrong with a term of an array; nothing where it is right."""
    sizes = term.sizes
    if term.at is None and term.kept != array.axes:
        return f"has a term over {term.kept}, not {array.axes}"
    if isinstance(term.at, Read) and (outside := _outside(term.at, sizes)):
        return f"is added to {outside}"
    for factor in term.factors:
        for read in (factor.ids,) if isinstance(factor, Rows) else factor.reads:
            what = f"reads {read.array}"
            if read.array not in seen and read.array is not array:
                return f"{what} before it is computed"
            if not sizes.keys() >= set(read.every):
                return f"{what} at the variables {read.every}; it has {tuple(sizes)}"
            if outside := _outside(read, sizes):
                return f"{what} {outside}"
    return ""


def _outside(read: Read, sizes: Mapping[int, int | Size]) -> str:
    """Return how a read leaves its array; nothing where it stays within."""
    if read.table is not None:
        shape = tuple(sizes[var] for var in read.vars)
        inside = not read.table.size or 0 <= read.table.min() <= read.table.max() < read.array.size
        fits = read.table.shape == shape and inside
        return "" if fits else f"by a table {read.table.shape} of places, not {shape}"
    if prod(read.shape) != read.array.size or len(read.index) != len(read.shape):
        return f"{read.array.shape} as {read.shape}"
    for index, length in zip(read.index, read.shape):
        count = 1 if index.var == FIXED else sizes[index.var]
        assert isinstance(count, int)
        if index.start < 0 or index.start + index.step * (count - 1) >= length:
            return f"outside of its axis of {length}"
    return ""
