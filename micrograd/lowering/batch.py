"""The ids of a batch: whole numbers, checked against the tables before anything is computed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from micrograd.lowering.columns import Floats, Ints
from micrograd.lowering.grids import flat_places
from micrograd.lowering.ir import Array


class Ids:
    """Know which inputs are ids, and of which table: `counts` has the rows there are, by input."""

    def __init__(self, lookups: Sequence[Array]) -> None:
        self.lookups = [(array, array.operands[0].array.name, _places(array)) for array in lookups]
        self.counts: dict[str, int] = {}
        for array, name, _ in self.lookups:
            self.counts[name] = min(_count(array), self.counts.get(name, _count(array)))

    def array(self, name: str, x: Any) -> Any:
        """Return an input as an array, of integers where it holds ids.

        Raises TypeError or ValueError where these are no whole numbers.
        """
        if name not in self.counts:
            return np.ascontiguousarray(x, np.float64)
        ids = np.asarray(x)
        if ids.dtype.kind not in "iuf":
            raise TypeError(f"{name} takes ids, whole numbers, not {ids.dtype}")
        if ids.dtype.kind == "f":
            fits = np.isfinite(ids) & (ids == np.floor(ids))
            _refuse(name, ids, fits, "ids are whole numbers")
        return np.ascontiguousarray(ids, np.int64)

    def check(self, batch: Mapping[str, Any]) -> None:
        """Raise ValueError for the first id that has no row."""
        for array, name, places in self.lookups:
            ids, count = _chosen(batch[name], places), _count(array)
            if ids.size and not 0 <= ids.min() <= ids.max() < count:
                what = f"the table {array.table.name} has" if array.table else "the one-hot is of"
                what += f" {count} {'rows' if array.table else 'classes'}, 0 to {count - 1}"
                _refuse(name, ids, (ids >= 0) & (ids < count), what)

    def rows(self, batch: Mapping[str, Any], held: Mapping[str, Floats]) -> dict[str, Floats]:
        """Return what is looked up, by name, from the data of the tables."""
        found = {}
        for array, name, places in self.lookups:
            ids = _chosen(batch[name], places)
            ids = ids.reshape(len(ids), *array.shape[:-1])
            found[array.name] = (np.eye(_count(array))[ids] if array.table is None
                                 else held[array.table.name][ids])  # fmt: skip
        return found

    def pairs(self, table: str, batch: Mapping[str, Any]) -> list[tuple[Array, Ints]]:
        """Return the arrays looked up in a table, and their ids one after the other."""
        return [(array, _chosen(batch[name], places).reshape(-1))
                for array, name, places in self.lookups
                if array.table is not None and array.table.name == table]  # fmt: skip


def _count(array: Array) -> int:
    return array.shape[-1] if array.table is None else array.table.shape[0]


def _places(array: Array) -> Ints | None:
    """Return the flat places in a sample that are looked up; None for all of them in order."""
    operand = array.operands[0]
    places = flat_places(operand, dict(enumerate(array.shape))).reshape(-1)
    whole = np.array_equal(places, np.arange(operand.array.size))
    return None if whole else places


def _chosen(ids: Ints, places: Ints | None) -> Ints:
    return ids if places is None else ids.reshape(len(ids), -1)[:, places]


def _refuse(name: str, ids: Any, fits: Any, because: str) -> None:
    """Raise ValueError for the first id that does not fit."""
    if not fits.all():
        first = np.argwhere(~np.atleast_1d(fits))[0]
        raise ValueError(f"{name}: sample {first[0]} has the id {np.atleast_1d(ids)[tuple(first)]};"
                         f" {because}")  # fmt: skip
