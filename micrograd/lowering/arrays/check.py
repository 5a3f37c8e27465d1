"""Check what the passes hand to one another: arrays that fit together, lines that can run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from micrograd.lowering.arrays.ir import BATCH, FIXED, Array, Read, Rows, Size, Term
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
            raise BrokenProgramError(f"{_named(array)} {array.shape} has {len(array.nodes)} nodes")
        for term in array.terms:
            _check_term(array, term, seen)
        seen.add(array)
    if loss is not None and (loss.shape or loss.batched):
        raise BrokenProgramError(f"the loss is no number: {_named(loss)} {loss.shape}")


def _check_term(array: Array, term: Term, seen: set[Array]) -> None:
    if term.at is None and term.kept != array.axes:
        raise BrokenProgramError(f"{_named(array)} has a term over {term.kept}, not {array.axes}")
    if isinstance(term.at, Read):
        _check_bounds(f"{_named(array)} is added to", term.at, term.sizes)
    for factor in term.factors:
        for read in (factor.ids,) if isinstance(factor, Rows) else factor.reads:
            _check_read(array, read, term.sizes, seen)


def _check_read(
    array: Array, read: Read, sizes: Mapping[int, int | Size], seen: set[Array]
) -> None:
    what = f"{_named(array)} reads {_named(read.array)}"
    if read.array not in seen and read.array is not array:
        raise BrokenProgramError(f"{what} before it is computed")
    if not set(read.vars) <= set(sizes) or (read.array.batched and BATCH not in sizes):
        raise BrokenProgramError(f"{what} at the variables {read.every}; it has {tuple(sizes)}")
    _check_bounds(what, read, sizes)


def _check_bounds(what: str, read: Read, sizes: Mapping[int, int | Size]) -> None:
    size = read.array.size
    if read.table is not None:
        shape = tuple(sizes[var] for var in read.vars)
        inside = not read.table.size or 0 <= read.table.min() <= read.table.max() < size
        if read.table.shape != shape or not inside:
            raise BrokenProgramError(f"{what} by a table {read.table.shape} of places, not {shape}")
        return
    if int(np.prod(read.shape)) != size or len(read.index) != len(read.shape):
        raise BrokenProgramError(f"{what} {read.array.shape} as {read.shape}")
    for index, length in zip(read.index, read.shape):
        count = 1 if index.var == FIXED else sizes[index.var]
        assert isinstance(count, int)
        if index.start < 0 or index.start + index.step * (count - 1) >= length:
            raise BrokenProgramError(f"{what} outside of its axis of {length}")


def _named(array: Array) -> str:
    if array.of is not None:
        return f"the adjoint of {_named(array.of)}"
    return array.name or array.stem or array.kind
