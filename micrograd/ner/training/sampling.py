"""Choose what is trained on: pairs of a true and a corrupt window, or every window."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from micrograd.ner.model.embedding import Places
from micrograd.ner.model.windows import Windows
from micrograd.ner.training.batch import Batch

SAMPLERS = ("window", "word")


class PairSampler:
    """Draw `corrupt` corrupt windows for each true one.

    `window` draws a real window whose centre is not of the type (L12); `word` keeps the true
    window and replaces its centre word by that of such a window (Collobert and Weston).
    ValueError where no window, or every window, is true.
    """

    def __init__(
        self, windows: Windows, true: NDArray[np.bool_], corrupt: int, kind: str, label: str
    ) -> None:
        if kind not in SAMPLERS:
            raise ValueError(f"unknown sampler {kind!r}: expected one of {', '.join(SAMPLERS)}")
        if corrupt < 1:
            raise ValueError(f"{corrupt} corrupt windows per true one: at least 1 is needed")
        if not true.any() or true.all():
            what = "no" if not true.any() else "every"
            raise ValueError(
                f"{what} token of the training file is of type {label}: there are no pairs to "
                "train on; choose another --type"
            )
        self.places = Places(windows.ids, windows.cases)
        self.true, self.false = np.flatnonzero(true), np.flatnonzero(~true)
        self.corrupt, self.kind = corrupt, kind

    def __len__(self) -> int:
        return len(self.true) * self.corrupt

    def epoch(self, rng: np.random.Generator) -> Batch:
        """Draw all pairs of an epoch, in random order."""
        true = self.places.take(rng.permutation(np.repeat(self.true, self.corrupt)))
        drawn = self.places.take(rng.choice(self.false, len(self)))
        return Batch([true, drawn if self.kind == "window" else _with_centre(true, drawn)])


def _with_centre(true: Places, drawn: Places) -> Places:
    middle = true.words.shape[1] // 2
    words, cases = true.words.copy(), true.cases.copy()
    words[:, middle], cases[:, middle] = drawn.words[:, middle], drawn.cases[:, middle]
    return Places(words, cases)


class WindowSampler:
    """Give every window once, with its tag as a one-hot target."""

    def __init__(self, windows: Windows, tags: Sequence[str], labels: Sequence[str]) -> None:
        number = {label: place for place, label in enumerate(labels)}
        self.places = Places(windows.ids, windows.cases)
        self.tags = np.array([number[tag] for tag in tags])
        self.one_hot = np.eye(len(labels))

    def __len__(self) -> int:
        return len(self.tags)

    def epoch(self, rng: np.random.Generator) -> Batch:
        """Give all windows in random order."""
        order = rng.permutation(len(self))
        return Batch([self.places.take(order)], self.one_hot[self.tags[order]])
