"""The forms of a whole graph: what all have, the one of arrays, the loss of a batch, a check."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from types import MappingProxyType

import numpy as np

from micrograd.lowering.arrays.group import Grouping
from micrograd.lowering.arrays.ir import (
    BATCH,
    COMPUTED,
    FIXED,
    Array,
    Axis,
    B,
    Read,
    Rows,
    Scale,
    Size,
    Term,
)
from micrograd.lowering.arrays.names import LOSS, Name, Names, wanted
from micrograd.lowering.arrays.notation import written
from micrograd.lowering.arrays.reads import read
from micrograd.lowering.scalars.columns import Ints
from micrograd.lowering.trace.declared import (
    CONSTANT,
    FORWARD,
    INPUT,
    NUMBER,
    OUTPUT,
    PARAMETER,
    UPSTREAM,
    VJP,
)


@dataclass(frozen=True, eq=False)
class Form:
    """A whole graph: `arrays` holds its leaves, in order, and whatever else has an array."""

    arrays: Sequence[Array]

    def leaves(self, kind: str) -> list[Array]:
        """Return the leaf arrays of one kind, in order."""
        return [array for array in self.arrays if array.kind == kind]

    @property
    def arguments(self) -> list[Array]:
        """Return the leaves that a function of the graph takes; others have their data in it."""
        leaves = [a for kind in (INPUT, PARAMETER, CONSTANT) for a in self.leaves(kind)]
        return [array for array in leaves if array.data is None]

    def given(self, arrays: Iterable[Array], kind: str) -> list[Array]:
        """Return those of some leaves that a function of a kind takes: for outputs no upstream."""
        outputs = self.wanted(OUTPUT) if kind == OUTPUT else []
        return [array for array in arrays if array not in outputs]

    @property
    def ids(self) -> set[Array]:
        """Return the inputs that hold ids of rows."""
        return {array.lookup.ids.array for array in self.arrays if array.lookup}

    def wanted(self, kind: str) -> list[Array]:
        """Return the leaves whose gradients a program of a kind gives; ids have none."""
        inputs, parameters, ids = self.leaves(INPUT), self.leaves(PARAMETER), self.ids
        outputs = [array for array in inputs if array.name == UPSTREAM]
        leaves = {
            FORWARD: [],
            PARAMETER: parameters,
            INPUT: parameters + inputs,
            OUTPUT: outputs,
            VJP: parameters + outputs,
        }
        return [array for array in leaves[kind] if array not in ids]


@dataclass(frozen=True, eq=False)
class Arrays(Form):
    """A graph as arrays, operands before users, the loss last; `names` are those to be had.

    `array_of` and `place_of` tell where each scalar node went, `merged_into` of which one it is a
    part, in this and in any equal graph.
    """

    names: Mapping[Array, Name]
    array_of: Ints
    place_of: Ints
    merged_into: Ints

    @property
    def loss(self) -> Array:
        """Return the array of the loss of a batch."""
        return self.arrays[-1]

    @property
    def operations(self) -> set[str]:
        """Return the names of the elementary operations."""
        return {array.formula.op for array in self.arrays if array.formula}

    def __str__(self) -> str:
        return written(self.arrays, Names(self.names))


def arrays_of(grouping: Grouping, reduce: str) -> Arrays:
    """Return the arrays of a graph that was grouped, and the loss: the mean of samples, or sum."""
    chains, number = grouping.chains, grouping.array
    top = chains.graph.root
    array, place = grouping.arrays[number[top]], grouping.place[top]
    root = read(array, np.asarray(place), ())
    loss = loss_of(root, grouping.arrays, reduce)
    names = wanted(grouping.arrays, chains.graph.values) | {loss: LOSS}
    merged = grouping.merged_into
    return Arrays(
        (*grouping.arrays, loss),
        MappingProxyType(names),
        number[merged],
        grouping.place[merged],
        merged,
    )


def loss_of(root: Read, arrays: Sequence[Array], reduce: str) -> Array:
    """Return the loss of a batch: the mean, or the sum, of what its samples have as the root."""
    summed: tuple[Axis, ...] = ()
    scale = Scale()
    if any(array.batched for array in arrays) and (root.array.batched or reduce == "sum"):
        summed, scale = ((BATCH, B),), Scale(1.0, -1 if reduce == "mean" else 0)
    term = Term((root,), (), summed, scale)
    return Array(COMPUTED, (), np.zeros(0, np.intp), terms=(term,), name=LOSS.stem)


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
        for part in (factor.ids,) if isinstance(factor, Rows) else factor.reads:
            what = f"reads {part.array}"
            if part.array not in seen and part.array is not array:
                return f"{what} before it is computed"
            if not sizes.keys() >= set(part.every):
                return f"{what} at the variables {part.every}; it has {tuple(sizes)}"
            if outside := _outside(part, sizes):
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
