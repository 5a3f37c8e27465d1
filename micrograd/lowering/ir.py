"""The arrays of a program: each a group of scalar nodes, defined by index notation.

An elementary array is `out[i, j] = op(A[i, j], B[j])`, a sum `out[i, j] = Σ_c A[i, c] B[j, c] + …`,
a choice `out[i] = max_c A[i, c]`, or `max(B[i], max_c A[i, c])`: B its operand, A its one term.
Variables are numbered: 0 to rank − 1 run over the array's own axes, higher ones are summed over.
Whatever depends on the samples has one more axis in front, the batch, which is not written down.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from micrograd.lowering.columns import Floats, Ints
from micrograd.lowering.trace.declared import CONSTANT as CONSTANT
from micrograd.lowering.trace.declared import INPUT as INPUT
from micrograd.lowering.trace.declared import NUMBER as NUMBER
from micrograd.lowering.trace.declared import PARAMETER as PARAMETER

ELEMENT, SUM, CHOICE, LOOKUP = "element", "sum", "choice", "lookup"
LEAVES = (INPUT, PARAMETER, CONSTANT, NUMBER)
BATCH = -1  # the variable of the batch axis
FIXED = -2  # in place of a variable: the axis is held at `start`


class Index(NamedTuple):
    """Where one axis is read: at start + step · variable."""

    var: int
    start: int = 0
    step: int = 1


@dataclass(frozen=True, eq=False)
class Operand:
    """What one operand reads of an array.

    Either one Index per axis, the axes divided into the shape `split` first; or, where the places
    follow no such rule, a `table` of flat places with one axis per variable of `variables`.
    """

    array: Array
    index: tuple[Index, ...] = ()
    split: tuple[int, ...] | None = None
    table: Ints | None = None
    variables: tuple[int, ...] = ()

    @property
    def shape(self) -> tuple[int, ...]:
        """Return the shape that the indices refer to."""
        return self.array.shape if self.split is None else self.split

    @property
    def vars(self) -> tuple[int, ...]:
        """Return the variables read, in the order of the array's axes."""
        if self.table is not None:
            return self.variables
        return tuple(i.var for i in self.index if i.var != FIXED)


@dataclass(frozen=True, eq=False)
class Term:
    """Stand for Σ a · b over the variables `summed` (with their sizes), or Σ a where b is None.

    With `segments`, the operands are tables of one variable, and piece i, from segments[i] to
    segments[i + 1], is summed into element i: sums of different lengths.
    """

    a: Operand
    b: Operand | None
    summed: tuple[tuple[int, int], ...] = ()
    segments: Ints | None = None

    @property
    def operands(self) -> tuple[Operand, ...]:
        """Return a and b, or a alone."""
        return (self.a,) if self.b is None else (self.a, self.b)


@dataclass(eq=False)
class Array:
    """Hold one array of the program; `nodes` are the ids of its elements, row by row.

    A leaf's ids may be NONE: an element of a parameter that the result does not depend on. A
    NUMBER is a pool of numbers; an operand reads one. A CONSTANT without nodes has its `data`.
    A LOOKUP has the rows of its `table` that its operand chooses, without a table those of an
    identity matrix; its last axis runs along the rows.
    """

    kind: str
    shape: tuple[int, ...]
    nodes: Ints
    batched: bool = False
    op: str = ""
    k: float | None = None
    operands: tuple[Operand, ...] = ()
    terms: tuple[Term, ...] = ()
    data: Floats | None = None
    name: str = ""
    stem: str = ""
    table: Array | None = None

    @property
    def size(self) -> int:
        """Return the number of elements, of one sample."""
        return int(np.prod(self.shape, dtype=np.int64))

    @property
    def reads(self) -> Iterator[Operand]:
        """Yield every operand."""
        yield from self.operands
        for term in self.terms:
            yield from term.operands
