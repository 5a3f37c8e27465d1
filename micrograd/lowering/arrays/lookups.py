"""The arrays of the rows looked up while a function was traced: `x = E[ids]` for every sample."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import Any

import numpy as np

from micrograd.engine import Value
from micrograd.lowering.arrays.axes import coordinates, find_axes, read
from micrograd.lowering.arrays.ir import BATCH, COMPUTED, Array, Axis, B, Rows, Term
from micrograd.lowering.arrays.leaves import stem_of
from micrograd.lowering.scalars.columns import NONE
from micrograd.lowering.trace.declared import CONSTANT, PARAMETER, Declared
from micrograd.lowering.trace.lookups import Lookup
from micrograd.lowering.trace.record import Trace


def _rows_array(
    lookup: Lookup, ids: Array, table: Array | None, nodes: Mapping[Value, int], letter: str
) -> tuple[Array, Any]:
    """Return the array of the rows looked up, and its Values by place."""
    places = np.array(sorted(lookup.rows))
    grid = find_axes(coordinates(ids.shape, places), len(places))
    flat = places[grid.order].reshape(grid.shape)
    operand = read(ids, flat, range(len(grid.shape)))
    values = np.empty((*grid.shape, lookup.length), object)
    values.reshape(-1)[:] = [v for place in flat.ravel().tolist() for v in lookup.rows[place]]
    known = np.array([nodes.get(v, NONE) for v in values.ravel().tolist()], np.int64)
    of = re.search(r"_[a-z]\w*$", ids.name)  # the _c of ids_c goes on to what is looked up
    stem = letter + (of[0] if of else "")
    kept: tuple[Axis, ...] = ((BATCH, B), *enumerate(map(int, values.shape)))
    term = Term((Rows(table, operand),), kept)
    return Array(COMPUTED, values.shape, known, True, (term,), stem=stem), values


def looked_up(
    lookups: Iterable[Lookup],
    arrays: Mapping[Declared, Array],
    tables: Mapping[int, Declared],
    nodes: Mapping[Value, int],
) -> list[tuple[Array, Any]]:
    """Return the arrays of the rows and their Values, those of inputs and tables being `arrays`.

    Raises ValueError where an input is looked up and used as a number too.
    """
    x_is_free = all(leaves.name != "x" for leaves in arrays)
    result = []
    for lookup in lookups:
        ids = arrays[lookup.ids]
        table = arrays[tables[id(lookup.table)]] if lookup.table else None
        if (ids.nodes >= 0).any():
            raise ValueError(
                f"{ids.name} is looked up in a table and used as numbers too; give it "
                "to the function twice, once for each"
            )
        of_table = "one_hot" if table is None else (table.name or table.stem).lower()
        letter = "x" if x_is_free and table else of_table
        result.append(_rows_array(lookup, ids, table, nodes, letter))
    return result


def reached(lookups: Iterable[Lookup], nodes: Mapping[Value, int]) -> list[Lookup]:
    """Return the lookups that the result depends on."""
    return [
        lookup
        for lookup in lookups
        if any(value in nodes for row in lookup.rows.values() for value in row)
    ]


def tables(lookups: Iterable[Lookup], traced: Trace, named: bool) -> dict[int, Declared]:
    """Return the table of each lookup, by the identity of its rows: one of `arrays`, or a new one.

    Where parameters were `named`, a table that is none of them is a constant. Raises ValueError
    where one shares some of its Values with a parameter.
    """
    by_first = {id(leaves.values.flat[0]): leaves for leaves in traced.arrays if leaves.values.size}
    result: dict[int, Declared] = {}
    for rows in (lookup.table for lookup in lookups if lookup.table):
        if id(rows) in result:
            continue
        first, shape = rows[0][0], (len(rows), len(rows[0]))
        table = by_first.get(id(first))
        if table is None or table.values.shape != shape or table.values[-1, -1] is not rows[-1][-1]:
            trained = not named and first in traced.lasting
            kind = PARAMETER if trained else CONSTANT
            table = Declared("", kind, _grid(rows, shape), stem_of(first, shape) or "E")
            _check_separate(table, traced.arrays)
        result[id(rows)] = table
    return result


def _grid(rows: Any, shape: tuple[int, ...]) -> Any:
    return np.fromiter(chain(*rows), object, shape[0] * shape[1]).reshape(shape)


def _check_separate(table: Declared, arrays: Sequence[Declared]) -> None:
    own = table.values.ravel().tolist() if any(g.kind == PARAMETER for g in arrays) else []
    for other in arrays:
        if other.kind == PARAMETER and not set(other.values.ravel().tolist()).isdisjoint(own):
            raise ValueError(
                f"the parameter {other.name} holds Values of a table that is looked up; give the "
                f"table whole, as {other.name}=embedding.rows"
            )
