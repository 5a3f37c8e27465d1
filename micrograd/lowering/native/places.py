"""Where in memory an array is read or written: a start, and a stride for every variable."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from micrograd.lowering.arrays.ir import BATCH, FIXED, Array, Read

Strides = Mapping[int, int]


def row_strides(shape: tuple[int, ...]) -> list[int]:
    """Return how far apart neighbours along each axis lie, rows after one another."""
    return [int(np.prod(shape[axis + 1 :], dtype=np.int64)) for axis in range(len(shape))]


@dataclass(frozen=True)
class Place:
    """An element: name[origin + start + Σ stride · variable], the sum looked up in a `table` first.

    A `scalar` is a variable of C. `origin` is the text of what the block's first sample adds.
    A variable without a letter is 0.
    """

    name: str
    strides: Strides
    start: int = 0
    origin: str = ""
    table: str = ""
    outside: Strides | None = None  # with a table: what is added behind it
    scalar: bool = False

    @property
    def vars(self) -> set[int]:
        """Return the variables that it depends on."""
        return {v for s in (self.strides, self.outside or {}) for v, step in s.items() if step}

    def stride(self, var: int) -> int | None:
        """Return how far a step of a variable goes; None where a table tells."""
        if self.table and self.strides.get(var):
            return None
        return (self.outside or {}).get(var, 0) if self.table else self.strides.get(var, 0)

    def renamed(self, name: str) -> Place:
        """Return the same place of another array."""
        return replace(self, name=name)

    def text(self, letters: Mapping[int, str]) -> str:
        """Return the element as C."""
        return self.name if self.scalar else f"{self.name}[{self.index(letters)}]"

    def index(self, letters: Mapping[int, str]) -> str:
        """Return the index of the element."""
        inner = _sum(self.strides, self.start, letters)
        if self.table:
            inner = _added(_sum(self.outside or {}, 0, letters), f"{self.table}[{inner or 0}]")
        return _added(self.origin, inner) or "0"

    def pointer(self) -> str:
        """Return the address of the element where all variables are 0."""
        start = _added(self.origin, str(self.start) if self.start else "")
        return f"{self.name} + {start}" if start else self.name


def _sum(strides: Strides, start: int, letters: Mapping[int, str]) -> str:
    parts = [
        letters[var] if step == 1 else f"{letters[var]} * {step}"
        for var, step in sorted(strides.items())
        if step and var in letters
    ]
    return " + ".join([*parts, *([str(start)] if start else [])])


def _added(a: str, b: str) -> str:
    return " + ".join(part for part in (a, b) if part)


def own_strides(array: Array) -> dict[int, int]:
    """Return the strides of an array at its own variables, the samples apart from one another."""
    return dict(enumerate(row_strides(array.shape))) | samples_apart(array)


def samples_apart(array: Array) -> dict[int, int]:
    """Return the stride of the samples."""
    return {BATCH: array.size} if array.batched else {}


def read_strides(read: Read) -> tuple[dict[int, int], int]:
    """Return the strides and the start of what is read without a table."""
    strides, start = samples_apart(read.array), 0
    for index, step in zip(read.index, row_strides(read.shape)):
        start += index.start * step
        if index.var != FIXED:
            strides[index.var] = strides.get(index.var, 0) + index.step * step
    return strides, start


def table_strides(read: Read) -> dict[int, int]:
    """Return the strides in the table of places."""
    assert read.table is not None
    return dict(zip(read.variables, row_strides(read.table.shape)))
