"""The pictures a training run leaves behind: its learning curve, and one pair's graph."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from micrograd.files import atomic_write
from micrograd.history import History
from micrograd.ner.chart import curve
from micrograd.ner.corpus import CORRUPT_SENTENCE, TRUE_SENTENCE
from micrograd.ner.embedding import Places
from micrograd.ner.engines import Batch, ScalarEngine
from micrograd.ner.models import windows_per_sample

if TYPE_CHECKING:
    from micrograd.engine import Value
    from micrograd.ner.tagger import Tagger

LARGEST = 10_000


def write_curve(history: History, path: Path) -> Path:
    """Draw dev F1 and the share of active samples by epoch."""
    series = {"dev entity F1": history["dev_f1"], "active share": history["active"]}
    return atomic_write(path, curve("Training, epoch by epoch", series))


def pair_graph(tagger: Tagger) -> Value:
    """Record the loss of the lectures' two windows: "Museums in Paris are amazing" against
    "Not all museums in Paris"; of a classifier, the first window's with its right tag."""
    count = windows_per_sample(tagger.shape)
    places = []
    for sentence in (TRUE_SENTENCE, CORRUPT_SENTENCE)[:count]:
        cut = tagger.windows([sentence])
        middle = len(sentence.words) // 2
        places.append(Places(cut.ids, cut.cases).take(slice(middle, middle + 1)))
    targets = None if count == 2 else _target(tagger)
    engine = ScalarEngine(tagger.shape)
    return engine.record(tagger.arrays, Batch(places, targets), tagger.vocabulary.words)


def _target(tagger: Tagger) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    names = ("S-LOC", "B-LOC")
    number = next((tagger.labels.index(name) for name in names if name in tagger.labels), 0)
    return np.eye(len(tagger.labels))[[number]]


def write_pair(tagger: Tagger, folder: Path, say: Callable[[str], None]) -> list[str]:
    """Write the picture and the step-through page of the pair graph; return their names."""
    weights = tagger.arrays["W"].size
    if weights > LARGEST:
        say(f"no picture of the graph: {weights:,} weights are too many to draw "
            f"(up to {LARGEST:,} are drawn; train a smaller model to see one)")
        return []
    from micrograd.render import render
    from micrograd.stepper import page

    root = pair_graph(tagger)
    root.backward()
    render(root).save(folder / "pair.svg")
    atomic_write(folder / "pair.html", page(root))
    return ["pair.svg", "pair.html"]
