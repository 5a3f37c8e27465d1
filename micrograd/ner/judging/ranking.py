"""Measures and threshold of a score that has no natural zero."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Scores = NDArray[np.float64]

ROUNDING = 1e-5  # of a score in single precision, generously


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


def fit_logistic(scores: Scores, positive: NDArray[np.bool_]) -> tuple[float, float]:
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
