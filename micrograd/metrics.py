"""Measures of a scorer that tells positives from the rest, and the threshold that it needs.

    threshold, f1 = best_threshold(scores, measured)
    slope, offset = fit_logistic(scores, positive)
    logistic(slope * scores + offset)                # probabilities

A margin loss leaves scores without a natural zero: these look at their order alone, or find the
zero. `scores` and `positive`, which says what is one, are arrays (examples,).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from micrograd.core.checks import check_call, check_finite, is_finite
from micrograd.printing import counted, shorten

__all__ = ["average_precision", "best_threshold", "fit_logistic", "logistic", "pair_accuracy"]

Floats = NDArray[np.float64]
CANDIDATES = 200
ROUNDING = 1e-5  # of a score in single precision, generously


def average_precision(scores: ArrayLike, positive: ArrayLike) -> float:
    """Return the mean precision at each positive, ranked by score; ties share one rank.

    0 where nothing is positive.
    """
    scores, positive = _checked(scores, positive)
    if not positive.any():
        return 0.0
    order = np.argsort(-scores)
    ranked, hits = scores[order], np.cumsum(positive[order])
    last = np.append(ranked[1:] != ranked[:-1], True)
    hits, rank = hits[last], np.flatnonzero(last) + 1
    return float(np.sum(np.diff(hits, prepend=0) * hits / rank) / hits[-1])


def pair_accuracy(scores: ArrayLike, positive: ArrayLike) -> float:
    """Return the share of (positive, negative) pairs ranked rightly; a tie counts one half."""
    scores, positive = _checked(scores, positive)
    high, low = scores[positive], np.sort(scores[~positive])
    if not len(high) or not len(low):
        return 0.0
    below = np.searchsorted(low, high, "left") + np.searchsorted(low, high, "right")
    return float(below.sum() / (2 * len(high) * len(low)))


def best_threshold(
    scores: ArrayLike, f1: Callable[[float], float], within: float = 0.0
) -> tuple[float, float]:
    """Find the threshold with the best F1, the highest of equals: (threshold, F1).

    Best is, with `within`, the mean of F1 over the thresholds that are as near as that, each one
    tried standing for those nearest to it: a peak of few examples is chance. Thresholds lie half
    way between neighbouring scores, and beyond the first and the last; where there are more of them
    than `CANDIDATES`, they are taken denser towards the top, where the few positives are. None lies
    between scores that differ by rounding alone: the same window would fall on either side.
    """
    if not callable(f1):
        raise TypeError(f"f1 is a function of the threshold, not {shorten(f1)}")
    check_call("f1", f1, 0.0)
    check_finite(within=within)
    if within < 0:
        raise ValueError(f"within {within}: a distance of thresholds may not be below 0")
    every = _numbers(scores)
    values = np.unique(every[np.isfinite(every)])
    size = np.maximum(abs(values), min(1, abs(values).max(initial=0)))  # 1, or the largest below
    values = values[np.diff(values, prepend=-np.inf) > ROUNDING * size]
    if not len(values):
        raise ValueError("no finite score to calibrate the threshold on")
    middles = np.append((values[1:] + values[:-1]) / 2, values[-1] + 1.0)
    steps = np.geomspace(1, len(middles), CANDIDATES).round().astype(int)
    tried = middles[::-1] if len(middles) <= CANDIDATES else middles[-np.unique(steps)]
    tried = np.append(tried, values[0] - 1.0)  # where all are positive
    found = np.array([_height(f1(t), t) for t in tried.tolist()])
    best = np.argmax(_means(tried, found, within) if within else found)
    return float(tried[best]), float(found[best])


def _height(f1: Any, threshold: float) -> float:
    """Return what a function of the threshold gave. Raises ValueError where it is not finite."""
    plain = f1.item() if getattr(f1, "ndim", None) == 0 else f1
    if not is_finite(plain):
        raise ValueError(f"f1 is a finite number, not {shorten(f1)} as at {threshold:g}")
    return float(plain)


def _means(places: Floats, heights: Floats, within: float) -> Floats:
    """Return the mean of a function of steps around each of its falling `places`.

    Rounded, so that equal ones are equal.
    """
    ends = places[0] + within, places[-1] - within
    edges = np.concatenate((ends[:1], (places[1:] + places[:-1]) / 2, ends[1:]))
    area = np.append(0.0, np.cumsum(heights * -np.diff(edges)))
    above, below = (np.interp(-(places + w), -edges, area) for w in (within, -within))
    return np.asarray(np.round((below - above) / (2 * within), 9))


def logistic(z: ArrayLike) -> Floats:
    """Return 1 / (1 + exp −z), which never overflows, small ones to all their digits."""
    z = _numbers(z)
    return np.asarray(np.exp(np.minimum(z, 0)) / (1 + np.exp(-abs(z))))


def fit_logistic(scores: ArrayLike, positive: ArrayLike) -> tuple[float, float]:
    """Find slope a and offset b so that σ(a s + b) is the probability of a positive (Platt 1999).

    Newton's steps on the likelihood, halved where they would lessen it; targets are moved off 0 and
    1 as in the paper, so that separable scores have a finite slope.
    """
    scores, positive = _checked(scores, positive)
    if not len(scores):
        raise ValueError("no score to fit a probability to")
    count = positive.sum()
    target = np.where(positive, (count + 1) / (count + 2), 1 / (len(scores) - count + 2))
    middle, largest = float(scores.mean()), float(abs(scores).max())
    reach = float(abs(scores - middle).max())
    scale = reach if reach > 1e-12 * largest else np.inf  # of all one, but for rounding
    x = np.stack(((scores - middle) / scale, np.ones(len(scores))), axis=1)
    weights = np.zeros(2)
    for _ in range(100):
        p = logistic(x @ weights)
        hessian = (x * (p * (1 - p))[:, None]).T @ x
        step = np.linalg.lstsq(hessian, x.T @ (p - target), rcond=None)[0]
        while _cost(x @ (weights - step), target) > _cost(x @ weights, target):
            step = step / 2
        weights = weights - step
        if np.abs(step).max() <= 1e-9 * (1 + np.abs(weights).max()):
            break
    slope = float(weights[0]) / scale
    return slope, float(weights[1]) - slope * middle


def _cost(z: Floats, target: Floats) -> float:
    """Return the negative logarithm of the likelihood of σ(z)."""
    return float(np.sum(np.logaddexp(0, z) - target * z))


def _numbers(scores: ArrayLike) -> Floats:
    try:
        return np.asarray(scores, np.float64)
    except (TypeError, ValueError, OverflowError):
        raise TypeError(f"scores are numbers, not {shorten(scores)}") from None


def _checked(scores: ArrayLike, positive: ArrayLike) -> tuple[Floats, NDArray[np.bool_]]:
    """Return both as arrays; TypeError or ValueError where they are none, or unlike."""
    numbers = _numbers(scores)
    try:
        mask = np.asarray(positive)
    except ValueError:
        raise TypeError(f"positive is a mask of one row, not {shorten(positive)}") from None
    if numbers.ndim != 1 or not np.isfinite(numbers).all():
        raise ValueError(f"scores are finite numbers in one row, not {shorten(scores)}")
    if mask.dtype != bool:
        raise TypeError(f"positive is a mask of True and False, not {shorten(positive)}")
    if mask.shape != numbers.shape:
        raise ValueError(
            f"{counted(mask.size, 'mark')} of what is positive for {counted(len(numbers), 'score')}"
        )
    return numbers, mask
