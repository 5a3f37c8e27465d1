"""Rows looked up by ids while a function is traced, and the arrays that they become.

A program does for every sample what was done for the one traced: `x = E[ids]`. The rows of this
sample are leaves of their own, so that the graph does not depend on its ids.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np

from micrograd.engine import Value
from micrograd.lowering.grids import coordinates, find_grid, read
from micrograd.lowering.ir import CONSTANT, LOOKUP, PARAMETER, Array
from micrograd.lowering.leaves import Given, stem_of


@dataclass(frozen=True, eq=False)
class Found:
    """The leaves by place in the input `ids`; `table` holds all rows, None for a one-hot."""

    table: Any
    length: int
    ids: Given
    rows: dict[int, list[Value]]

    def array(self, ids: Array, table: Array | None, nodes: Mapping[Value, int], letter: str
              ) -> tuple[Array, Any]:  # fmt: skip
        """Return the array of the rows, and its Values by place."""
        places = np.array(sorted(self.rows))
        grid = find_grid(coordinates(ids, places), len(places))
        flat = places[grid.order].reshape(grid.shape)
        operand = read(ids, coordinates(ids, flat), flat, range(len(grid.shape)))
        values = np.empty((*grid.shape, self.length), object)
        values.reshape(-1)[:] = [v for place in flat.ravel().tolist() for v in self.rows[place]]
        known = np.array([nodes.get(v, -1) for v in values.ravel().tolist()], np.int64)
        of = re.search(r"_[a-z]\w*$", ids.name)  # the _c of ids_c goes on to what is looked up
        return Array(LOOKUP, values.shape, known, True, operands=(operand,), table=table,
                     stem=letter + (of[0] if of else "")), values  # fmt: skip


def looked_up(found: Iterable[Found], made: Mapping[Given, Array], tables: Mapping[int, Given],
              nodes: Mapping[Value, int]) -> list[tuple[Array, Any]]:  # fmt: skip
    """Return the arrays of the rows and their Values, the inputs and tables being `made`.

    Raises ValueError where an input is looked up and used as a number too.
    """
    x_is_free = all(g.name != "x" for g in made)
    arrays = []
    for f in found:
        ids, table = made[f.ids], made[tables[id(f.table)]] if f.table else None
        if (ids.nodes >= 0).any():
            raise ValueError(f"{ids.name} is looked up in a table and used as numbers too; give it "
                             "to the function twice, once for each")  # fmt: skip
        of_table = "q" if table is None else (table.name or table.stem).lower()
        letter = "x" if x_is_free and table else of_table
        arrays.append(f.array(ids, table, nodes, letter))
    return arrays


def reached(found: Iterable[Found], nodes: Mapping[Value, int]) -> list[Found]:
    """Return the lookups that the result depends on."""
    return [f for f in found if any(value in nodes for row in f.rows.values() for value in row)]


def tables(found: Iterable[Found], arrays: Sequence[Given], start: int | None, named: bool
           ) -> dict[int, Given]:  # fmt: skip
    """Return the table of each lookup, by the identity of its rows: one of `arrays`, or a new one.

    Where parameters were `named`, a table that is none of them is a constant. Raises ValueError
    where one shares some of its Values with a parameter.
    """
    known = {id(g.values.flat[0]): g for g in arrays if g.values.size}
    result: dict[int, Given] = {}
    for rows in (f.table for f in found if f.table):
        if id(rows) in result:
            continue
        first, shape = rows[0][0], (len(rows), len(rows[0]))
        given = known.get(id(first))
        if given is None or given.values.shape != shape or given.values[-1, -1] is not rows[-1][-1]:
            trained = not named and (start is None or first._index < start)
            kind = PARAMETER if trained else CONSTANT
            given = Given("", kind, _grid(rows, shape), stem_of(first, shape) or "E")
            _check_separate(given, arrays)
        result[id(rows)] = given
    return result


def _grid(rows: Any, shape: tuple[int, ...]) -> Any:
    return np.fromiter(chain(*rows), object, shape[0] * shape[1]).reshape(shape)


def _check_separate(table: Given, arrays: Sequence[Given]) -> None:
    own = table.values.ravel().tolist() if any(g.kind == PARAMETER for g in arrays) else []
    for other in arrays:
        if other.kind == PARAMETER and not set(other.values.ravel().tolist()).isdisjoint(own):
            raise ValueError(
                f"the parameter {other.name} holds Values of a table that is looked up; give the "
                f"table whole, as {other.name}=embedding.rows"
            )
