"""Parameters as Values: the leaves of the graphs that the models record."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from micrograd.core.modes import scope
from micrograd.engine import Value
from micrograd.ner.model.embedding import Places
from micrograd.ner.model.models import TABLES, Arrays
from micrograd.ner.model.vocabulary import CASES
from micrograd.optim.gradients import Rows


class Leaves:
    """The dense parameters, W, b and the output layer; `nested` is what a model's loss takes."""

    def __init__(self, arrays: Arrays) -> None:
        self.nested: dict[str, Any] = {}
        self.flat: dict[str, list[Value]] = {}
        for name, array in arrays.items():
            if name not in TABLES:
                self._make(name, array.tolist())

    def _make(self, name: str, data: list[Any]) -> None:
        with scope(name):
            if isinstance(data[0], float):
                self.nested[name] = self.flat[name] = labelled(name, data)
                return
            self.nested[name] = [labelled(f"{name}{i},", row) for i, row in enumerate(data)]
        self.flat[name] = [value for row in self.nested[name] for value in row]

    def set(self, arrays: Arrays) -> None:
        """Take over the data of arrays; set all gradients to 0."""
        for name, values in self.flat.items():
            for value, data in zip(values, arrays[name].ravel().tolist(), strict=True):
                value.data = data
                value.grad = 0.0

    def gradients(self, arrays: Arrays, count: int) -> Arrays:
        """Give the gradients divided by `count`, in the shapes of the arrays."""
        return {
            name: np.array([value.grad for value in values]).reshape(arrays[name].shape) / count
            for name, values in self.flat.items()
        }


def labelled(name: str, data: list[float]) -> list[Value]:
    """Give a Value per number, labelled name0, name1, ..."""
    return [Value(number, label=f"{name}{place}") for place, number in enumerate(data)]


class TableLeaves:
    """The rows of E and C that some windows use, as Values; equal ids share their Values.

    With `names`, the words of E, the Values get scopes and labels for a picture.
    """

    def __init__(self, arrays: Arrays, names: Sequence[str] = ()) -> None:
        self.names = {"E": names, "C": CASES if names else ()}
        self.arrays = {name: arrays[name] for name in TABLES if name in arrays}
        self.values: dict[str, dict[int, list[Value]]] = {name: {} for name in self.arrays}
        self.moved: dict[str, set[int]] = {name: set() for name in self.arrays}

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
            named = self.names[name]
            known[number] = self._named(name, number, data) if named else list(map(Value, data))
        return known[number]

    def _named(self, name: str, number: int, data: list[float]) -> list[Value]:
        title = self.names[name][number]
        with scope(f"word {title}" if name == "E" else f"case {title}"):
            return labelled(f"{title} ", data)

    def note(self, windows: Sequence[Places], number: int) -> None:
        """Note that a sample has a loss: its rows get gradients."""
        for places in windows:
            for name, ids in zip(TABLES, places, strict=True):
                if name in self.moved:
                    self.moved[name].update(ids[number].tolist())

    def rows(self, count: int) -> dict[str, Rows]:
        """Give the gradients of the rows that were noted, divided by `count`."""
        return {name: self._rows(name, sorted(self.moved[name]), count) for name in self.moved}

    def _rows(self, name: str, numbers: list[int], count: int) -> Rows:
        known = self.values[name]
        gradient = np.array([[value.grad for value in known[number]] for number in numbers])
        return Rows(np.array(numbers, np.int64), gradient / count)
