"""Measures and threshold of a score that has no natural zero."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Scores = NDArray[np.float64]


def average_precision(scores: Scores, positive: NDArray[np.bool_]) -> float:
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


def pair_accuracy(scores: Scores, positive: NDArray[np.bool_]) -> float:
    """Give the share of (positive, negative) pairs ranked rightly; a tie counts one half."""
    high, low = scores[positive], np.sort(scores[~positive])
    if not len(high) or not len(low):
        return 0.0
    below = np.searchsorted(low, high, "left") + np.searchsorted(low, high, "right")
    return float(below.sum() / (2 * len(high) * len(low)))


def calibrate(
    scores: Scores, f1: Callable[[float], float], candidates: int = 200
) -> tuple[float, float]:
    """Find the threshold with the best F1: (threshold, F1).

    Thresholds lie half way between neighbouring scores; where there are more of them than
    `candidates`, they are taken denser towards the top, where the few positives are.
    """
    values = np.unique(scores[np.isfinite(scores)])
    if not len(values):
        raise ValueError("no finite score to calibrate the threshold on")
    middles = np.append((values[1:] + values[:-1]) / 2, values[-1] + 1.0)
    steps = np.geomspace(1, len(middles), candidates).round().astype(int)
    tried = middles if len(middles) <= candidates else middles[-np.unique(steps)]
    best = max(((f1(float(t)), float(t)) for t in tried), key=lambda pair: pair[0])
    return best[1], best[0]
