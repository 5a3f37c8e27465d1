"""Check what the passes hand to one another: arrays that fit together, lines that can run."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from micrograd.lowering.expr import Assign, B
from micrograd.lowering.ir import FIXED, NUMBER, Array, Operand, Term


class BrokenProgramError(ValueError):
    """Report a fault of lowering itself: please send the function that was lowered."""


def check_arrays(arrays: Sequence[Array]) -> None:
    """Raise BrokenProgramError unless every operand is an earlier array, read within its bounds."""
    seen: set[Array] = set()
    for array in arrays:
        if array.kind != NUMBER and len(array.nodes) != array.size:
            raise BrokenProgramError(f"{array.name} {array.shape} holds {len(array.nodes)} nodes")
        sizes = dict(enumerate(array.shape))
        if array.table is not None and array.table not in seen:
            raise BrokenProgramError(f"{array.name} looks up a table that comes later")
        for operand in array.operands:
            _check(array, operand, sizes, seen)
        for term in array.terms:
            for operand in term.operands:
                _check(array, operand, _sizes(sizes, term), seen)
        seen.add(array)


def _sizes(sizes: dict[int, int], term: Term) -> dict[int, int]:
    if term.segments is not None:
        return {0: int(term.segments[-1])}
    return sizes | dict(term.summed)


def _check(array: Array, operand: Operand, sizes: dict[int, int], seen: set[Array]) -> None:
    source = operand.array
    what = f"{array.name or array.kind} reads {source.name or source.kind}"
    if source not in seen:
        raise BrokenProgramError(f"{what} before it is computed")
    if not set(operand.vars) <= set(sizes):
        raise BrokenProgramError(f"{what} at the variables {operand.vars}; it has {tuple(sizes)}")
    if operand.table is not None:
        shape = tuple(sizes[var] for var in operand.vars)
        if operand.table.shape != shape or operand.table.max(initial=0) >= source.size:
            raise BrokenProgramError(
                f"{what} by a table {operand.table.shape} of places; need {shape}"
            )
        return
    if int(np.prod(operand.shape)) != source.size or len(operand.index) != len(operand.shape):
        raise BrokenProgramError(f"{what} {source.shape} as {operand.shape}")
    for index, size in zip(operand.index, operand.shape):
        count = 1 if index.var == FIXED else sizes[index.var]
        if index.start < 0 or index.start + index.step * (count - 1) >= size:
            raise BrokenProgramError(f"{what} outside of its axis of {size}")


def check_lines(lines: Iterable[Assign], arguments: Iterable[str], results: Iterable[str]) -> None:
    """Raise BrokenProgramError unless every name is given once, before its use."""
    known = {B, *arguments}
    for line in lines:
        used = {e.attr for e in line.expr.walk() if e.kind == "ref"}
        if not used <= known:
            raise BrokenProgramError(
                f"{line.name} uses {', '.join(sorted(used - known))} too early"
            )
        if line.name in known:
            raise BrokenProgramError(f"{line.name} is computed twice")
        known.add(line.name)
    if not set(results) <= known:
        raise BrokenProgramError(f"{', '.join(sorted(set(results) - known))}: never computed")
