"""Rows looked up by ids while a function is traced.

A program does for every sample what was done for the one traced: `x = E[ids]`. The rows of this
sample are leaves of their own, so that the graph does not depend on its ids.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from micrograd.core.kinds import LEAF
from micrograd.core.modes import described
from micrograd.core.places import user_line
from micrograd.engine import Value
from micrograd.lowering.trace.declared import Declared
from micrograd.lowering.trace.watch import Watched


@dataclass(frozen=True, eq=False)
class Lookup:
    """The leaves by place in the input `ids`; `table` holds all rows, None for a one-hot."""

    table: Any
    length: int
    ids: Declared
    rows: dict[int, list[Value]]


class Lookups:
    """Answer the lookups of a trace with fresh leaves, and keep which they stand for."""

    def __init__(self, inputs: Iterable[Declared]) -> None:
        self.recorded: dict[Any, Lookup] = {}
        self._inputs = {
            value: (leaves, place)
            for leaves in inputs
            for place, value in enumerate(leaves.values.ravel().tolist())
        }

    def __call__(self, rows: Any, index: Value, row: Sequence[Value]) -> list[Value] | None:
        """Return the leaves for a row; None where the index is a constant of the function.

        Raises ValueError where it is computed, as an id is an input as it came, or where the table
        is: nothing would go back through its rows.
        """
        if index not in self._inputs:
            if index.parents:
                raise ValueError(
                    f"{user_line()}: a row is looked up by {described(index)}, which "
                    "is computed; a program takes ids as they are: give this one as "
                    "an input"
                )
            return None
        ids, place = self._inputs[index]
        key = (rows is None, id(rows) if rows else len(row), ids)
        if key not in self.recorded:
            for value in (value for row in rows or () for value in row):
                if value._operation is not LEAF:
                    raise ValueError(
                        f"{user_line()}: a row is looked up in a table that holds a result of "
                        f"{value._op}, which is computed; look the row up in the table that it is "
                        "computed from, and compute with the row"
                    )
            self.recorded[key] = Lookup(rows, len(row), ids, {})
        lookup = self.recorded[key]
        if place not in lookup.rows:
            kind = Watched if isinstance(index, Watched) else Value
            lookup.rows[place] = [kind(value.data) for value in row]
        return lookup.rows[place]
