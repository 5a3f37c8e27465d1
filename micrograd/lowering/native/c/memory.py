"""Where in memory an array is read or written, and the tables that it is read by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from micrograd.lowering.arrays.ir import BATCH, FIXED, Array, Read
from micrograd.lowering.native.c.text import CNames

Strides = Mapping[int, int]
Letters = Mapping[int, str]
Tables = dict[bytes, tuple[str, Any]]  # name and places, by the bytes of these


def row_strides(shape: tuple[int, ...]) -> list[int]:
    """Return how far apart neighbours along each axis lie, rows after one another."""
    return [int(np.prod(shape[axis + 1 :], dtype=np.int64)) for axis in range(len(shape))]


@dataclass(frozen=True)
class Place:
    """An element: name[origin + start + Σ stride · variable]; a `scalar` is a variable of C.

    `origin` is the text of what the block's first sample adds, and what is looked up, by a table or
    by ids, at the variables `by`. A variable without a letter is 0.
    """

    name: str
    strides: Strides
    start: int = 0
    origin: str = ""
    by: frozenset[int] = frozenset()
    scalar: bool = False

    @property
    def vars(self) -> set[int]:
        """Return the variables that it depends on."""
        return {v for v, step in self.strides.items() if step} | self.by

    def stride(self, var: int) -> int | None:
        """Return how far a step of a variable goes; None where what is looked up tells."""
        return None if var in self.by else self.strides.get(var, 0)

    def text(self, letters: Letters) -> str:
        """Return the element as C."""
        return self.name if self.scalar else f"{self.name}[{self.index(letters)}]"

    def index(self, letters: Letters) -> str:
        """Return the index of the element."""
        return _added(self.origin, _sum(self.strides, self.start, letters)) or "0"

    def pointer(self) -> str:
        """Return the address of the element where all variables are 0."""
        start = _added(self.origin, str(self.start) if self.start else "")
        return f"{self.name} + {start}" if start else self.name


def _sum(strides: Strides, start: int, letters: Letters) -> str:
    parts = [
        letters[var] if step == 1 else f"{letters[var]} * {step}"
        for var, step in sorted(strides.items())
        if step and var in letters
    ]
    return " + ".join([*parts, *([str(start)] if start else [])])


def _added(a: str, b: str) -> str:
    return " + ".join(part for part in (a, b) if part)


@dataclass
class Memory:
    """Where arrays are: `outside` with the caller, all samples of a batch, or local, for a block.

    In a block of one sample (`block` = 1) the samples have no index of their own.
    """

    names: CNames
    outside: frozenset[Array]
    block: int
    fixed: frozenset[Array]  # what a call does not change
    tables: Tables
    transposed: list[Array] = field(default_factory=list)
    near: dict[Array, str] = field(default_factory=dict)  # what of the outside has moved to a block

    def read(self, read: Read, letters: Letters, name: str = "") -> Place:
        """Return where a Read is, looked up at `letters`; the array may be called otherwise."""
        array, near = read.array, self.near.get(read.array)
        strides = {BATCH: array.size} if array.batched and self.block > 1 else {}
        origin, start = "", 0
        if array.batched and array in self.outside and near is None:
            origin = "s" if array.size == 1 else f"s * {array.size}"
        name, scalar = name or near or self.names[array], self.is_scalar(array)
        if read.table is not None:
            within = _sum(dict(zip(read.variables, row_strides(read.table.shape))), 0, letters)
            origin = _added(origin, f"{self.table(read.table)}[{within or 0}]")
            return Place(name, strides, 0, origin, frozenset(read.variables), scalar)
        for index, step in zip(read.index, row_strides(read.shape)):
            start += index.start * step
            if index.var != FIXED:
                strides[index.var] = index.step * step
        return Place(name, strides, start, origin, scalar=scalar)

    def row(self, table: Array, ids: Read, row: int, letters: Letters) -> Place:
        """Return the row of a table that the ids at `letters` tell, along the variable `row`."""
        at = self.read(ids, letters)
        origin = f"{at.text(letters)} * {table.shape[-1]}"
        return Place(self.names[table], {row: 1}, 0, origin, frozenset(at.vars))

    def text(self, read: Read, letters: Letters) -> str:
        """Return a Read as C."""
        return self.read(read, letters).text(letters)

    def whole(self, array: Array) -> Place:
        """Return an array at its own variables."""
        return self.read(array.whole, {})

    def start(self, array: Array) -> str:
        """Return the address of the first element, of a block's first sample."""
        return f"&{self.names[array]}" if self.is_scalar(array) else self.whole(array).pointer()

    def turned(self, read: Read) -> Place | None:
        """Return a read of a matrix that a call does not change as one of its transpose."""
        array = read.array
        if array not in self.fixed or len(array.shape) != 2 or read.split is not None:
            return None
        transpose = Array(array.kind, array.shape[::-1], array.nodes)
        return self.read(Read(transpose, read.index[::-1]), {}, f"{self.names[array]}_T")

    def is_scalar(self, array: Array) -> bool:
        """Return whether an array is one variable of C."""
        many = array.batched and self.block > 1
        return not array.shape and array not in self.outside and not many

    def length(self, array: Array) -> int:
        """Return how many numbers a local array holds."""
        return array.size * (self.block if array.batched else 1)

    def table(self, places: Any) -> str:
        """Return the name of a table of whole numbers; equal ones are one."""
        flat = np.ascontiguousarray(places, np.int32).ravel()
        name, _ = self.tables.setdefault(flat.tobytes(), (f"places{len(self.tables) + 1}", flat))
        return name
