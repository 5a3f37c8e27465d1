"""Scores of one type, which have no natural zero: the thresholds that make names of them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from micrograd import metrics
from micrograd.ner.text.schemes import Span, encode, spans
from micrograd.ner.text.sentence import Sentence

Scores = NDArray[np.float64]
Mask = NDArray[np.bool_]


def true_mask(sentences: Sequence[Sentence], label: str) -> Mask:
    """Say of every token whether it is of the type."""
    return np.array([tag[2:] == label for s in sentences for tag in s.tags], bool)


def runs(mask: Mask, lengths: Sequence[int]) -> NDArray[np.int64]:
    """Give start and end, (n, 2), of the runs of True; none crosses a sentence."""
    last = np.cumsum(np.asarray(lengths, np.int64))
    begins = np.zeros(len(mask) + 1, bool)
    begins[np.append(0, last)] = True
    before = np.append(False, mask)[:-1] & ~begins[:-1]
    after = np.append(mask[1:], False) & ~begins[1:]
    starts, ends = np.flatnonzero(mask & ~before), np.flatnonzero(mask & ~after) + 1
    return np.stack((starts, ends), axis=1)


class TypeEvaluation:
    """The true entities of one type in a corpus, to compare many thresholds with quickly."""

    def __init__(self, sentences: Sequence[Sentence], label: str) -> None:
        self.lengths = [len(sentence.words) for sentence in sentences]
        self.mask = true_mask(sentences, label)
        self.entities: set[tuple[int, int]] = set()
        first = 0
        for sentence in sentences:
            found = (span for span in spans(sentence.tags) if span.type == label)
            self.entities |= {(first + span.start, first + span.end) for span in found}
            first += len(sentence.words)

    def f1(self, mask: Mask) -> float:
        """Give the entity F1 in percent when the runs of `mask` are the predicted entities."""
        found = {(start, end) for start, end in runs(mask, self.lengths).tolist()}
        total = len(found) + len(self.entities)
        return 200 * len(found & self.entities) / total if total else 0.0

    def calibrate(self, scores: Scores, capitals: Mask) -> tuple[tuple[float, float, float], float]:
        """Find the thresholds of `above` with the best F1, in turn: ((high, low, capital), F1).

        Words that are capitals may go on with a name above a threshold of their own, `capital`.
        """

        def f1(high: float, low: float, capital: float) -> float:
            return self.f1(above(scores, high, np.where(capitals, capital, low), self.lengths))

        high, _ = metrics.best_threshold(scores, lambda both: f1(both, both, both))
        low, _ = metrics.best_threshold(scores, lambda both: f1(high, both, both))
        capital, _ = metrics.best_threshold(scores, lambda capital: f1(high, low, capital))
        low, _ = metrics.best_threshold(scores, lambda low: f1(high, low, capital))
        high, best = metrics.best_threshold(scores, lambda high: f1(high, low, capital))
        return (high, low, capital), best


def above(scores: Scores, high: float, low: float | Scores, lengths: Sequence[int]) -> Mask:
    """Say which tokens belong to names: runs above `low` that have a token above `high`.

    A name begins where the model is sure, and goes on while it is not against it (hysteresis, as
    in the edge detection of Canny 1986). `low` may differ from token to token; where it is larger
    than `high`, that counts.
    """
    places = runs(scores > np.minimum(low, high), lengths)
    largest = np.maximum.reduceat(np.append(scores, -np.inf), places.ravel())[::2]
    kept = places[largest > high]
    borders = np.zeros(len(scores) + 1, np.int64)
    np.add.at(borders, kept[:, 0], 1)
    np.add.at(borders, kept[:, 1], -1)
    return np.cumsum(borders[:-1]) > 0


def tags_of(mask: Mask, lengths: Sequence[int], label: str) -> list[str]:
    """Tag in BIO the runs of a type's tokens."""
    return encode([Span(a, b, label) for a, b in runs(mask, lengths).tolist()], len(mask))
