"""Scores of one type, which have no natural zero: the thresholds that make names of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from micrograd.ner.text.schemes import Span, encode, spans
from micrograd.ner.text.sentence import Sentence

Scores = NDArray[np.float64]
Mask = NDArray[np.bool_]

ROUNDING = 1e-5  # of a score in single precision, generously


def average_precision(scores: Scores, positive: Mask) -> float:
    """Give the mean precision at each positive, ranked by score; ties share one rank.

    0 where nothing is positive.
    """
    if not positive.any():
        return 0.0
    order = np.argsort(-scores, kind="stable")
    ranked, hits = scores[order], np.cumsum(positive[order])
    last = np.append(ranked[1:] != ranked[:-1], True)
    hits, rank = hits[last], np.flatnonzero(last) + 1
    return float(np.sum(np.diff(hits, prepend=0) * hits / rank) / hits[-1])


def pair_accuracy(scores: Scores, positive: Mask) -> float:
    """Give the share of (positive, negative) pairs ranked rightly; a tie counts one half."""
    high, low = scores[positive], np.sort(scores[~positive])
    if not len(high) or not len(low):
        return 0.0
    below = np.searchsorted(low, high, "left") + np.searchsorted(low, high, "right")
    return float(below.sum() / (2 * len(high) * len(low)))


def calibrate(
    scores: Scores, f1: Callable[[float], float], candidates: int = 200
) -> tuple[float, float]:
    """Find the threshold with the best F1, the highest of equals: (threshold, F1).

    Thresholds lie half way between neighbouring scores; where there are more of them than
    `candidates`, they are taken denser towards the top, where the few positives are. None lies
    between scores that differ by rounding alone: the same window would fall on either side.
    """
    values = np.unique(scores[np.isfinite(scores)])
    values = values[np.diff(values, prepend=-np.inf) > ROUNDING * np.maximum(1, abs(values))]
    if not len(values):
        raise ValueError("no finite score to calibrate the threshold on")
    middles = np.append((values[1:] + values[:-1]) / 2, values[-1] + 1.0)
    steps = np.geomspace(1, len(middles), candidates).round().astype(int)
    tried = middles if len(middles) <= candidates else middles[-np.unique(steps)]
    best = max((f1(float(t)), float(t)) for t in tried)
    return best[1], best[0]


def logistic(z: Scores) -> Scores:
    """Give 1 / (1 + exp −z), which never overflows."""
    return np.asarray(0.5 * (1 + np.tanh(z / 2)))


def fit_logistic(scores: Scores, positive: Mask) -> tuple[float, float]:
    """Find slope a and offset b so that σ(a s + b) is the probability of a positive (Platt 1999).

    Twenty Newton steps on the likelihood; targets are moved off 0 and 1 as in the paper, so that
    separable scores have a finite slope.
    """
    count = positive.sum()
    target = np.where(positive, (count + 1) / (count + 2), 1 / (len(scores) - count + 2))
    scale = max(float(scores.std()), 1e-12)
    x = np.stack((scores / scale, np.ones(len(scores))), axis=1)
    weights = np.zeros(2)
    for _ in range(20):
        p = logistic(x @ weights)
        hessian = (x * (p * (1 - p))[:, None]).T @ x + 1e-9 * np.eye(2)
        weights -= np.clip(np.linalg.solve(hessian, x.T @ (p - target)), -2, 2)
    return float(weights[0] / scale), float(weights[1])


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

    def calibrate(self, scores: Scores) -> tuple[float, float, float]:
        """Find the two thresholds of `above` with the best F1, in turn: (high, low, F1)."""

        def f1(high: float, low: float) -> float:
            return self.f1(above(scores, high, low, self.lengths))

        high, _ = calibrate(scores, lambda both: f1(both, both))
        low, _ = calibrate(scores, lambda low: f1(high, min(low, high)))
        high, best = calibrate(scores, lambda high: f1(high, min(low, high)))
        return high, min(low, high), best


def above(scores: Scores, high: float, low: float, lengths: Sequence[int]) -> Mask:
    """Say which tokens belong to names: runs above `low` that have a token above `high`.

    A name begins where the model is sure, and goes on while it is not against it (hysteresis, as
    in the edge detection of Canny 1986).
    """
    places = runs(scores > low, lengths)
    largest = np.maximum.reduceat(np.append(scores, -np.inf), places.ravel())[::2]
    kept = places[largest > high]
    borders = np.zeros(len(scores) + 1, np.int64)
    np.add.at(borders, kept[:, 0], 1)
    np.add.at(borders, kept[:, 1], -1)
    return np.cumsum(borders[:-1]) > 0


def tags_of(mask: Mask, lengths: Sequence[int], label: str) -> list[str]:
    """Tag in BIO the runs of a type's tokens."""
    return encode([Span(a, b, label) for a, b in runs(mask, lengths).tolist()], len(mask))
