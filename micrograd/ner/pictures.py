"""The pictures a training run leaves behind: its learning curve, and one pair's graph."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from micrograd.files import atomic_write
from micrograd.history import History
from micrograd.ner.batch import Batch
from micrograd.ner.chart import curve
from micrograd.ner.corpus import CORRUPT_SENTENCE, TRUE_SENTENCE
from micrograd.ner.embedding import Places
from micrograd.ner.engines import ScalarEngine
from micrograd.ner.evaluation import true_mask
from micrograd.ner.models import windows_per_sample
from micrograd.ner.sentence import Sentence
from micrograd.ner.windows import Windows

if TYPE_CHECKING:
    from micrograd.engine import Value
    from micrograd.ner.tagger import Tagger

LARGEST = 3_000
PADS = (1, 2)


def write_curve(history: History, path: Path) -> Path:
    """Draw dev F1 and the share of active samples by epoch."""
    series = {"dev entity F1": history["dev_f1"], "active share": history["active"]}
    return atomic_write(path, curve("Training, epoch by epoch", series))


def pair_graph(tagger: Tagger, sentences: Sequence[Sentence]) -> tuple[str, Value]:
    """Record the loss of one sample of the model; return its title too.

    The sample is the lectures' pair, "Museums in Paris are amazing" against "Not all museums in
    Paris", or, where the model keeps the margin there, the hardest pair of `sentences`. Of a
    classifier it is the first window alone.
    """
    count = windows_per_sample(tagger.shape)
    windows = [_middle(tagger, s) for s in (TRUE_SENTENCE, CORRUPT_SENTENCE)[:count]]
    targets = None if count == 2 else _target(tagger)
    engine = ScalarEngine(tagger.shape)
    title, places = " against ".join(text for text, _ in windows), [p for _, p in windows]
    words = tagger.vocabulary.words
    root = engine.record(tagger.arrays, Batch(places, targets), words)
    if root.data == 0 and count == 2:
        title, places = _hardest(tagger, sentences)
        root = engine.record(tagger.arrays, Batch(places), words)
    root.backward()
    return title, root


def _middle(tagger: Tagger, sentence: Sentence) -> tuple[str, Places]:
    cut = tagger.windows([sentence])
    return _chosen([sentence], cut, len(sentence.words) // 2)


def _chosen(sentences: Sequence[Sentence], cut: Windows, number: int) -> tuple[str, Places]:
    words = [word for sentence in sentences for word in sentence.words]
    text = f"{words[number]!r} in {' '.join(_context(cut, words, number))!r}"
    return text, Places(cut.ids, cut.cases).take(slice(number, number + 1))


def _context(cut: Windows, words: list[str], number: int) -> list[str]:
    """Give the words of a window, without the pads."""
    half = cut.ids.shape[1] // 2
    kept = (place for place, word in enumerate(cut.ids[number].tolist()) if word not in PADS)
    return [words[number - half + place] for place in kept]


def _hardest(tagger: Tagger, sentences: Sequence[Sentence]) -> tuple[str, list[Places]]:
    """Choose the true window of lowest score and the false one of highest."""
    cut = tagger.windows(sentences)
    scores, true = tagger.outputs(cut), true_mask(sentences, tagger.config.label)
    low = int(np.where(true, scores, np.inf).argmin())
    high = int(np.where(true, -np.inf, scores).argmax())
    found = [_chosen(sentences, cut, number) for number in (low, high)]
    return " against ".join(text for text, _ in found), [places for _, places in found]


def _target(tagger: Tagger) -> NDArray[np.float64]:
    names = ("S-LOC", "B-LOC")
    number = next((tagger.labels.index(name) for name in names if name in tagger.labels), 0)
    return np.eye(len(tagger.labels))[[number]]


def write_pair(
    tagger: Tagger, sentences: Sequence[Sentence], folder: Path, say: Callable[[str], None]
) -> list[str]:
    """Write the picture and the step-through page of one sample's graph; return their names."""
    weights = tagger.arrays["W"].size
    if weights > LARGEST:
        say(f"no picture of the graph: {weights:,} weights are too many to draw "
            f"(up to {LARGEST:,} are drawn; train a smaller model to see one)")
        return []
    from micrograd.render import render
    from micrograd.stepper import save_page

    title, root = pair_graph(tagger, sentences)
    say(f"the graph that is drawn: {title}, J = {root.data:.4g}")
    render(root).save(folder / "pair.svg")
    save_page(root, folder / "pair.html", title)
    return ["pair.svg", "pair.html"]
