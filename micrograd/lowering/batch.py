"""The batch a program is called with: numbers in arrays of the traced shape, ids that have rows.

All is checked before anything is computed, and said in the words of whoever calls the program.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from micrograd.lowering.arrays.ir import Array, Rows
from micrograd.lowering.arrays.reads import flat_places
from micrograd.lowering.scalars.columns import Floats, Ints
from micrograd.lowering.trace.samples import batch_numbers
from micrograd.printing import counted

_NUMBERS = "biuf"  # kinds of NumPy's types
_FLOATS = np.dtype(np.float64)


def as_numbers(name: str, x: Any) -> Any:
    """Return what a caller gives as an array. Raises TypeError or ValueError if not of numbers."""
    if isinstance(x, np.ndarray) and type(x) is np.ndarray and x.dtype.kind in _NUMBERS:
        return x
    try:
        array = None if isinstance(x, (np.ma.MaskedArray, bytearray)) else np.asarray(x)
    except Exception:  # ragged, or what NumPy cannot read: told below, with the place
        array = None
    if array is None or array.dtype.kind not in _NUMBERS:
        array = np.asarray(batch_numbers(x, name))
    return array


class Inputs:
    """Make arrays of the batches that a program takes: `names` are those of its inputs.

    Some are ids: `lookups` are the arrays of rows that they look up, `called` has the names of
    arrays; `counts` says, by input, how many rows there are.
    """

    def __init__(
        self,
        names: Sequence[str],
        shapes: Sequence[tuple[int, ...]],
        lookups: Sequence[tuple[Array, Rows]],
        called: Mapping[Array, str],
    ) -> None:
        self.names, self.shapes, self.called = names, shapes, called
        self.lookups = [
            (array, rows, called[rows.ids.array], _places(array, rows)) for array, rows in lookups
        ]
        self.counts: dict[str, int] = {}
        for array, rows, name, _ in self.lookups:
            count = _count(array, rows)
            self.counts[name] = min(count, self.counts.get(name, count))
        self._usual: list[tuple[int, ...]] = []  # the shapes of the last batch, without ids

    def __call__(self, batch: Sequence[Any], first: int | None = None) -> Sequence[Any]:
        """Return the batch as arrays, of all inputs or the `first` ones.

        Raises TypeError for what holds no numbers, ValueError for other shapes.
        """
        if first is None and len(batch) == len(self._usual):  # most are like the last one
            for x, shape in zip(batch, self._usual):
                floats = x.__class__ is np.ndarray and x.dtype is _FLOATS
                if not floats or x.shape != shape or not x.flags.c_contiguous:
                    break
            else:
                return batch
        names = self.names[:first]
        if len(batch) != len(names):
            takes = f"{len(names)}: {', '.join(names)}; a batch of each, as *zip(*samples) gives"
            given = f"{counted(len(batch), 'input')}; the program takes "
            raise ValueError(given + (takes if names else "none: a recorded loss has its numbers"))
        inputs = [self._array(name, x) for name, x in zip(names, batch)]
        self._check_shapes(inputs)
        self._check_ids(inputs)
        self._usual = [] if self.counts else [x.shape for x in inputs]
        return inputs

    def _check_shapes(self, inputs: Sequence[Any]) -> None:
        size = len(inputs[0]) if inputs else 0
        for name, shape, x in zip(self.names, self.shapes, inputs):
            if x.shape == (size, *shape) and size:
                continue
            if x.shape == shape:
                raise ValueError(
                    f"{name} has the shape {shape}: one sample; a program takes a batch, "
                    f"{(1, *shape)} for one sample: give [{name}]"
                )
            if not len(x):
                raise ValueError(f"{name} is empty; give a batch of one sample or more")
            raise ValueError(
                f"{name} has the shape {x.shape}; it must be {(size, *shape)}: a batch "
                f"of samples of the traced shape, as many as of {self.names[0]}"
            )

    def _array(self, name: str, x: Any) -> Any:
        """Return an input as an array, of integers where it holds ids."""
        if name not in self.counts:
            return np.ascontiguousarray(as_numbers(name, x), np.float64)
        ids = as_numbers(name, x)
        if ids.dtype.kind not in "iuf":
            raise TypeError(f"{name} takes ids, whole numbers, not {ids.dtype}")
        if ids.dtype.kind == "f":
            fits = np.isfinite(ids) & (ids == np.floor(ids))
            _refuse(name, ids, fits, "ids are whole numbers")
        if ids.dtype.kind != "i":
            _refuse(name, ids, abs(ids.astype(float)) < 2.0**62, "no table has so many rows")
        return np.ascontiguousarray(ids, np.int64)

    def _check_ids(self, inputs: Sequence[Any]) -> None:
        for array, rows, name, places in self.lookups:
            ids, count = _chosen(inputs[self.names.index(name)], places), _count(array, rows)
            if ids.size and not 0 <= ids.min() <= ids.max() < count:
                table = rows.table
                what = f"the table {self.called[table]} has" if table else "the one-hot is of"
                what += f" {count} {'rows' if table else 'classes'}, 0 to {count - 1}"
                _refuse(name, ids, (ids >= 0) & (ids < count), what)

    def rows(self, batch: Mapping[str, Any], held: Mapping[str, Floats]) -> dict[str, Floats]:
        """Return what is looked up, by name, from the data of the tables."""
        result = {}
        for array, rows, name, places in self.lookups:
            ids = _chosen(batch[name], places)
            ids = ids.reshape(len(ids), *array.shape[:-1])
            table = (
                np.eye(_count(array, rows)) if rows.table is None else held[self.called[rows.table]]
            )
            result[self.called[array]] = table[ids]
        return result


def _count(array: Array, rows: Rows) -> int:
    return array.shape[-1] if rows.table is None else rows.table.shape[0]


def _places(array: Array, rows: Rows) -> Ints | None:
    """Return the flat places in a sample that are looked up; None for all of them in order."""
    places = flat_places(rows.ids, dict(enumerate(array.shape))).reshape(-1)
    return None if np.array_equal(places, np.arange(rows.ids.array.size)) else places


def _chosen(ids: Ints, places: Ints | None) -> Ints:
    return ids if places is None else ids.reshape(len(ids), -1)[:, places]


def _refuse(name: str, ids: Any, fits: Any, because: str) -> None:
    """Raise ValueError for the first id that does not fit."""
    if not fits.all():
        first = np.argwhere(~np.atleast_1d(fits))[0]
        raise ValueError(
            f"{name}: sample {first[0]} has the id {np.atleast_1d(ids)[tuple(first)]}; {because}"
        )
