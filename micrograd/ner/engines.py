"""Two engines with one interface: losses of a batch, and the gradients of their mean."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from micrograd.engine import Value
from micrograd.gradients import Rows
from micrograd.modes import scope
from micrograd.ner.embedding import Floats, Places
from micrograd.ner.models import LOSSES, TABLES, Arrays, Shape
from micrograd.ner.vocabulary import CASES


@dataclass(frozen=True)
class Batch:
    """Some training samples: a pair has two windows, a classified window has a one-hot target."""

    windows: list[Places]
    targets: Floats | None = None

    def __len__(self) -> int:
        return len(self.windows[0].words)

    def take(self, index: NDArray[np.int64] | slice) -> Batch:
        """Choose some of the samples."""
        targets = None if self.targets is None else self.targets[index]
        return Batch([places.take(index) for places in self.windows], targets)


@dataclass
class Gradients:
    """The loss of each sample, and the gradient of their mean: dense, and by rows of tables."""

    losses: Floats
    dense: Arrays
    rows: dict[str, Rows]


class Engine(Protocol):
    """Compute losses and gradients of a model."""

    def __call__(self, arrays: Arrays, batch: Batch) -> Gradients:
        """Evaluate the batch at the parameters given."""


def make_engine(name: str, shape: Shape) -> Engine:
    """Make the engine of this name; ValueError if there is none."""
    if name == "scalar":
        return ScalarEngine(shape)
    raise ValueError(f"unknown engine {name!r}: expected scalar")


class ScalarEngine:
    """Record every sample as a graph of Values and walk it backward, unless its loss is 0."""

    def __init__(self, shape: Shape) -> None:
        self.shape = shape
        self.leaves: dict[str, Any] = {}
        self.flat: dict[str, list[Value]] = {}

    def __call__(self, arrays: Arrays, batch: Batch) -> Gradients:
        """Evaluate the batch, sample by sample."""
        self._set_leaves(arrays)
        tables = TableValues(arrays)
        losses = np.empty(len(batch))
        for number in range(len(batch)):
            loss = self.sample(tables, batch, number)
            losses[number] = loss.data
            if loss.data != 0.0:
                loss.backward()
        return Gradients(losses, self._dense(arrays, len(batch)), tables.rows(len(batch)))

    def record(self, arrays: Arrays, batch: Batch, names: Sequence[str]) -> Value:
        """Record the loss of the first sample, its words named, for a picture."""
        self._set_leaves(arrays)
        return self.sample(TableValues(arrays, names), batch, 0)

    def sample(self, tables: TableValues, batch: Batch, number: int) -> Value:
        """Record the loss of one sample."""
        inputs = [tables.window(places, number) for places in batch.windows]
        if batch.targets is not None:
            inputs.append([Value(t) for t in batch.targets[number].tolist()])
        return LOSSES[self.shape.kind](self.shape, *inputs, **self.leaves)

    def _set_leaves(self, arrays: Arrays) -> None:
        if not self.leaves:
            self._make_leaves(arrays)
        for name, values in self.flat.items():
            for value, data in zip(values, arrays[name].ravel().tolist(), strict=True):
                value.data = data
                value.grad = 0.0

    def _make_leaves(self, arrays: Arrays) -> None:
        for name, array in arrays.items():
            if name in TABLES:
                continue
            with scope(name):
                rows = [_labelled(name, row) for row in np.atleast_2d(array).tolist()]
            self.flat[name] = [value for row in rows for value in row]
            self.leaves[name] = rows if array.ndim == 2 else rows[0]

    def _dense(self, arrays: Arrays, count: int) -> Arrays:
        return {
            name: np.array([value.grad for value in values]).reshape(arrays[name].shape) / count
            for name, values in self.flat.items()
        }


def _labelled(name: str, row: list[float]) -> list[Value]:
    return [Value(data, label=f"{name}{number}") for number, data in enumerate(row)]


class TableValues:
    """The rows of E and C that some windows use, as Values; equal ids share their Values.

    With `names`, the words of E, the Values get scopes and labels for a picture.
    """

    def __init__(self, arrays: Arrays, names: Sequence[str] = ()) -> None:
        self.names = {"E": names, "C": CASES if names else ()}
        self.arrays = {name: arrays[name] for name in TABLES if name in arrays}
        self.values: dict[str, dict[int, list[Value]]] = {name: {} for name in self.arrays}

    def window(self, places: Places, number: int) -> list[Value]:
        """Give the inputs of one window, in `gather`'s order."""
        return list(self._inputs(places, number))

    def _inputs(self, places: Places, number: int) -> Iterator[Value]:
        words, cases = places.words[number].tolist(), places.cases[number].tolist()
        for word, case in zip(words, cases, strict=True):
            yield from self._row("E", word)
            if "C" in self.arrays:
                yield from self._row("C", case)

    def _row(self, name: str, number: int) -> list[Value]:
        known = self.values[name]
        if number not in known:
            data = self.arrays[name][number].tolist()
            known[number] = self._named(name, number, data) if self.names[name] else [
                Value(x) for x in data
            ]
        return known[number]

    def _named(self, name: str, number: int, data: list[float]) -> list[Value]:
        title = self.names[name][number]
        with scope(f"word {title}" if name == "E" else f"case {title}"):
            return _labelled(f"{title} ", data)

    def rows(self, count: int) -> dict[str, Rows]:
        """Give the gradients of the rows that were used, divided by the number of samples."""
        return {name: _rows_of(known, count) for name, known in self.values.items()}


def _rows_of(known: dict[int, list[Value]], count: int) -> Rows:
    numbers = np.array(sorted(known), np.int64)
    gradient = np.array([[value.grad for value in known[number]] for number in numbers.tolist()])
    return Rows(numbers, gradient / count)
