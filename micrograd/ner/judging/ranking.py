"""Scores of one type, which have no natural zero: the thresholds that make names of them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from micrograd import metrics
from micrograd.ner.text.schemes import Span, encode, spans, split_tag
from micrograd.ner.text.sentence import Sentence

Scores = NDArray[np.float64]
Mask = NDArray[np.bool_]
Thresholds = tuple[float, float, float]
NEAR = 0.2  # of a standard deviation: F1 is averaged over thresholds as near as that


def true_mask(sentences: Sequence[Sentence], label: str) -> Mask:
    """Say of every token whether it is of the type."""
    return np.array([split_tag(tag)[1] == label for s in sentences for tag in s.tags], bool)


def runs(mask: Mask, lengths: Sequence[int]) -> NDArray[np.intp]:
    """Give start and end, (n, 2), of the runs of True; none crosses a sentence."""
    last = np.cumsum(np.asarray(lengths, np.intp))
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
        self.entities = {
            (first + start, first + end)
            for first, sentence in zip(accumulate(self.lengths, initial=0), sentences)
            for start, end, kind in spans(sentence.tags)
            if kind == label
        }

    def f1(self, mask: Mask) -> float:
        """Give the entity F1 in percent when the runs of `mask` are the predicted entities."""
        found = set(map(tuple, runs(mask, self.lengths).tolist()))
        return 200 * len(found & self.entities) / (len(found) + len(self.entities))

    def calibrate(self, scores: Scores, capitals: Mask) -> tuple[Thresholds, float]:
        """Find the thresholds of `above` with the best F1, in turn: ((high, low, capital), F1).

        Capitals, or every word where there are none, may go on with a name above one of their own.
        """
        best = partial(metrics.best_threshold, scores, within=float(scores.std()) * NEAR)
        some = capitals if capitals.any() else ~capitals

        def f1(high: float, low: float) -> float:
            return self.f1(above(scores, high, np.where(some, low, high), self.lengths))

        high, found = best(lambda both: f1(both, both))
        for _ in range(2):
            low, _ = best(partial(f1, high))
            high, found = best(partial(f1, low=low))
        return (high, high if some is capitals else low, low), found


def above(scores: Scores, high: float, low: float | Scores, lengths: Sequence[int]) -> Mask:
    """Say which tokens belong to names: runs above `low` that have a token above `high`.

    A name begins where the model is sure, and goes on while it is not against it (hysteresis, as
    Canny 1986 has it for edges). `low`, of every token or of all, counts where it is below `high`.
    """
    places = runs(scores > np.minimum(low, high), lengths)
    largest = np.maximum.reduceat(np.append(scores, -np.inf), places.ravel())[::2]
    kept = places[largest > high]
    starts, ends = (np.bincount(places, minlength=len(scores) + 1) for places in kept.T)
    return np.cumsum(starts - ends)[:-1] > 0


def tags_of(mask: Mask, lengths: Sequence[int], label: str) -> list[str]:
    """Tag in BIO the runs of a type's tokens."""
    return encode([Span(a, b, label) for a, b in runs(mask, lengths).tolist()], len(mask))
