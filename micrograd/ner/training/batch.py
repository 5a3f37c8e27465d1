"""What an engine is given and gives back."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from micrograd.ner.model.embedding import Floats, Places
from micrograd.ner.model.models import Arrays
from micrograd.optim.gradients import Rows


@dataclass(frozen=True)
class Batch:
    """Some training samples: a pair has two windows, a classified window has a one-hot target."""

    windows: list[Places]
    targets: Floats | None = None

    def __len__(self) -> int:
        return len(self.windows[0].words)

    def take(self, index: NDArray[np.int64] | NDArray[np.bool_] | slice) -> Batch:
        """Choose some of the samples."""
        targets = None if self.targets is None else self.targets[index]
        return Batch([places.take(index) for places in self.windows], targets)


@dataclass
class Gradients:
    """The mean loss of a batch, how many samples have one, and the gradients of that mean.

    `dense` holds whole arrays; `rows` some rows of the tables, to be summed where one is there
    more than once; a name left out is all zeros. Both may be overwritten by the next call.
    """

    loss: float
    active: int
    dense: Arrays = field(default_factory=dict)
    rows: dict[str, Rows] = field(default_factory=dict)


class Engine(Protocol):
    """Compute losses and gradients of a model."""

    def __call__(self, arrays: Arrays, batch: Batch) -> Gradients:
        """Evaluate the batch at the parameters given."""
