"""The picture a training run leaves behind: the graph of one pair of windows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from micrograd.ner.judging.evaluation import true_mask
from micrograd.ner.model.embedding import Places
from micrograd.ner.model.models import windows_per_sample
from micrograd.ner.model.windows import Windows
from micrograd.ner.text.corpus import CORRUPT_SENTENCE, TRUE_SENTENCE
from micrograd.ner.text.sentence import Sentence
from micrograd.ner.training.batch import Batch
from micrograd.ner.training.engines import ScalarEngine

if TYPE_CHECKING:
    from micrograd.engine import Value
    from micrograd.ner.tagger import Tagger

LARGEST = 3_000
PADS = (1, 2)
Chosen = tuple[str, Places]  # a window: what it says, and its ids


def pair_graph(tagger: Tagger, sentences: Sequence[Sentence]) -> tuple[str, Value]:
    """Record the loss of one sample of the model, and its backward pass; return its title too.

    The sample is the lectures' pair, "Museums in Paris are amazing" against "Not all museums in
    Paris". Where the model keeps its margin there, and so sends nothing back, the corrupt window
    is the one of highest score in `sentences`, and the true one, if need be, that of lowest.
    """
    words, engine = tagger.vocabulary.words, ScalarEngine(tagger.shape)
    found = [
        (title, engine.record(tagger.arrays, batch, words))
        for title, batch in _samples(tagger, sentences)
    ]
    title, root = next((pair for pair in found if pair[1].data > 0), found[0])
    root.backward()
    return title, root


def _samples(tagger: Tagger, sentences: Sequence[Sentence]) -> Iterator[tuple[str, Batch]]:
    true, corrupt = _middle(tagger, TRUE_SENTENCE), _middle(tagger, CORRUPT_SENTENCE)
    if windows_per_sample(tagger.shape) == 1:
        yield true[0], Batch([true[1]], _target(tagger))
        return
    yield _pair(true, corrupt)
    low, high = _hardest(tagger, sentences)
    yield _pair(true, high)
    yield _pair(low, high)


def _pair(true: Chosen, corrupt: Chosen) -> tuple[str, Batch]:
    return f"{true[0]} against {corrupt[0]}", Batch([true[1], corrupt[1]])


def _middle(tagger: Tagger, sentence: Sentence) -> Chosen:
    cut = tagger.windows([sentence])
    return _chosen([sentence], cut, len(sentence.words) // 2)


def _chosen(sentences: Sequence[Sentence], cut: Windows, number: int) -> Chosen:
    words = [word for sentence in sentences for word in sentence.words]
    text = f"{words[number]!r} in {' '.join(_context(cut, words, number))!r}"
    return text, Places(cut.ids, cut.cases).take(slice(number, number + 1))


def _context(cut: Windows, words: list[str], number: int) -> list[str]:
    """Give the words of a window, without the pads."""
    half = cut.ids.shape[1] // 2
    kept = (place for place, word in enumerate(cut.ids[number].tolist()) if word not in PADS)
    return [words[number - half + place] for place in kept]


def _hardest(tagger: Tagger, sentences: Sequence[Sentence]) -> tuple[Chosen, Chosen]:
    """Choose the true window of lowest score and the false one of highest."""
    cut = tagger.windows(sentences)
    scores, true = tagger.outputs(cut), true_mask(sentences, tagger.config.label)
    low = int(np.where(true, scores, np.inf).argmin())
    high = int(np.where(true, -np.inf, scores).argmax())
    return _chosen(sentences, cut, low), _chosen(sentences, cut, high)


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
        say(
            f"no picture of the graph: {weights:,} weights are too many to draw "
            f"(up to {LARGEST:,} are drawn; train a smaller model to see one)"
        )
        return []
    from micrograd.lowering import lower
    from micrograd.render import render
    from micrograd.stepper import save_page

    title, root = pair_graph(tagger, sentences)
    say(f"the graph that is drawn: {title}, J = {root.data:.4g}")
    render(root).save(folder / "pair.svg")
    save_page(root, folder / "pair.html", title, program=lower(root))
    return ["pair.svg", "pair.html"]
