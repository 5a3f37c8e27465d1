"""The forms of a whole graph: what every one has, the one of arrays, and the loss of a batch."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from micrograd.lowering.arrays.axes import read
from micrograd.lowering.arrays.group import Grouping
from micrograd.lowering.arrays.ir import BATCH, COMPUTED, Array, Axis, B, Read, Scale, Term
from micrograd.lowering.arrays.names import Name, Names, wanted
from micrograd.lowering.arrays.notation import written
from micrograd.lowering.scalars.columns import Ints
from micrograd.lowering.trace.declared import (
    CONSTANT,
    FORWARD,
    INPUT,
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
    names = wanted(grouping.arrays, chains.graph.values) | {loss: Name("loss")}
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
    return Array(COMPUTED, (), np.zeros(0, np.intp), terms=(term,), name="loss")
