"""Gather the vectors of a window's words and cases, and scatter gradients back to their rows."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from micrograd.ner.model.models import Arrays, Shape
from micrograd.ner.model.vocabulary import Ids
from micrograd.optim.gradients import Rows

Floats = NDArray[np.float64]


class Places(NamedTuple):
    """Which rows of E and of C describe some windows, each (n, width)."""

    words: Ids
    cases: Ids

    def take(self, index: NDArray[np.int64] | NDArray[np.bool_] | slice) -> Places:
        """Choose some of the windows."""
        return Places(self.words[index], self.cases[index])


def gather(shape: Shape, arrays: Arrays, places: Places) -> Floats:
    """Give the inputs of the windows, (n, window_inputs): per word its vector, then its case's."""
    words = arrays["E"][places.words]
    if shape.case_dim:
        words = np.concatenate((words, arrays["C"][places.cases]), axis=2)
    return words.reshape(len(words), -1)


def scatter(shape: Shape, places: list[Places], gradients: list[Floats]) -> dict[str, Rows]:
    """Give the gradients of window inputs as rows of E and C.

    A row that occurs several times, in one window or in both of a pair, is there as often; the
    optimiser adds them up (L8).
    """
    whole = _joined([gradient.reshape(-1, shape.word_inputs) for gradient in gradients])
    rows = {"E": Rows(_joined([p.words.ravel() for p in places]), whole[:, : shape.dim])}
    if shape.case_dim:
        rows["C"] = Rows(_joined([p.cases.ravel() for p in places]), whole[:, shape.dim :])
    return rows


def _joined(parts: list[NDArray[Any]]) -> NDArray[Any]:
    return parts[0] if len(parts) == 1 else np.concatenate(parts)
