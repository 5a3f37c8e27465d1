"""The variables of a C function: how each array lies in memory, and the tables it reads by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from micrograd.lowering.arrays.ir import BATCH, Array, Read, Rows
from micrograd.lowering.native.places import (
    Place,
    own_strides,
    read_strides,
    samples_apart,
    table_strides,
)


@dataclass
class Memory:
    """Where arrays are: `outside` with the caller, all samples of a batch, or local, for a block.

    In a block of one sample (`block` = 1) the samples have no index of their own.
    """

    names: Mapping[Any, str]
    outside: frozenset[Array]
    block: int
    fixed: frozenset[Array] = frozenset()  # what a call does not change
    tables: dict[bytes, tuple[str, Any]] = field(default_factory=dict)
    transposed: dict[Array, str] = field(default_factory=dict)

    def read(self, read: Read, name: str = "") -> Place:
        """Return where a Read is; the array may be called otherwise."""
        if read.table is None:
            return self._place(read.array, *read_strides(read), called=name)
        name = self.table(read.table)
        return self._place(read.array, table_strides(read), 0, name, samples_apart(read.array))

    def whole(self, array: Array) -> Place:
        """Return an array at its own variables."""
        return self._place(array, own_strides(array), 0)

    def turned(self, read: Read) -> Place | None:
        """Return a read of a matrix that a call does not change as one of its transpose."""
        array = read.array
        if array not in self.fixed or len(array.shape) != 2 or read.split is not None:
            return None
        self.transposed[array] = f"{self.names[array]}_T"
        transpose = Array(array.kind, array.shape[::-1], array.nodes)
        return self.read(Read(transpose, read.index[::-1]), self.transposed[array])

    def _place(
        self,
        array: Array,
        strides: dict[int, int],
        start: int,
        table: str = "",
        behind: dict[int, int] | None = None,
        called: str = "",
    ) -> Place:
        outside = array in self.outside
        origin = ""
        if array.batched and outside:
            origin = "s" if array.size == 1 else f"s * {array.size}"
        return Place(
            called or self.names[array],
            self._of_block(strides),
            start,
            origin,
            table,
            None if behind is None else self._of_block(behind),
            self.is_scalar(array),
        )

    def _of_block(self, strides: dict[int, int]) -> dict[int, int]:
        return {v: n for v, n in strides.items() if v != BATCH or self.block > 1}

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


@dataclass(frozen=True)
class RowPlace:
    """A row of a table, at an id: table[ids · width + variable]."""

    table: str
    ids: Place
    width: int
    row: int  # the variable along it

    @property
    def vars(self) -> set[int]:
        """Return the variables that it depends on."""
        return {*self.ids.vars, self.row}

    def stride(self, var: int) -> int | None:
        """Return how far a step of a variable goes; None where ids tell."""
        return 1 if var == self.row else None if var in self.ids.vars else 0

    def text(self, letters: Mapping[int, str]) -> str:
        """Return the element as C."""
        return f"{self.table}[{self.ids.text(letters)} * {self.width} + {letters[self.row]}]"


def row_place(memory: Memory, rows: Rows, name: str, width: int, row: int) -> RowPlace:
    """Return where the rows of a table are."""
    return RowPlace(name, memory.read(rows.ids), width, row)
