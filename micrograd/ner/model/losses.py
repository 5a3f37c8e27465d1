"""The losses as functions of scores, in arrays: what each sample loses, and ∂/∂ the scores.

`graphs` holds the same losses as graphs of Values.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from micrograd.ner.model.network import Arrays, Floats
from micrograd.ner.model.paths import before, forbidding, largest, log_sum, path, sweep


@dataclass(frozen=True)
class Target:
    """What the scores are compared with: a tag per window, and the lengths of the sentences.

    A pair needs neither: the first half of its batch are true windows, the other corrupt ones.
    """

    tags: NDArray[np.int64]
    lengths: list[int]


@dataclass(frozen=True)
class Judged:
    """The loss of every sample, and the gradients of their sum by scores and transitions."""

    losses: Floats
    upstream: Floats
    parameters: Arrays = field(default_factory=dict)


@dataclass(frozen=True)
class Rule:
    """What a loss is made by: its margin, the transitions that are legal."""

    delta: float = 1.0
    legal: NDArray[np.bool_] | None = None


def pair_margin(s: Floats, _: Target, rule: Rule, __: Arrays) -> Judged:
    """Compute max(0, Δ + s_c − s) of pairs (L4): ∂/∂s = −1 and ∂/∂s_c = 1 while it is above 0."""
    half = len(s) // 2
    losses = np.maximum(s[half:, 0] - s[:half, 0] + rule.delta, 0.0)
    upstream = np.empty_like(s)
    upstream[half:, 0] = losses > 0
    upstream[:half] = -upstream[half:]
    return Judged(losses, upstream)


def cross_entropy(s: Floats, target: Target, _: Rule, __: Arrays) -> Judged:
    """Compute −log p of the true tag, p = softmax(s) (L10): ∂/∂s = p − y (L28)."""
    rows = np.arange(len(s))
    total, share = log_sum(s)
    share[rows, target.tags] -= 1.0
    return Judged(total - s[rows, target.tags], share)


def multiclass_margin(s: Floats, target: Target, rule: Rule, _: Arrays) -> Judged:
    """Compute Σ_{k≠y} max(0, Δ + s_k − s_y) (Weston and Watkins)."""
    rows = np.arange(len(s))
    excess = np.maximum(s - s[rows, target.tags][:, None] + rule.delta, 0.0)
    excess[rows, target.tags] = 0.0
    upstream = np.where(excess > 0, 1.0, 0.0)
    upstream[rows, target.tags] = -upstream.sum(1)
    return Judged(excess.sum(1), upstream)


def path_margin(s: Floats, target: Target, rule: Rule, parameters: Arrays) -> Judged:
    """Compute max_y [s(y) + cost(y, y*)] − s(y*) of sentences: Δ for every wrong tag.

    ∂/∂s is +1 on the best path and −1 on the true one where they differ (Taskar et al. 2003).
    """
    true, _ = path(target.tags, target.lengths, s.shape[1])
    return _path_loss(s + rule.delta * (1.0 - true), s, target, rule, parameters, largest)


def path_likelihood(s: Floats, target: Target, rule: Rule, parameters: Arrays) -> Judged:
    """Compute −log p(y*) = log Σ_y exp s(y) − s(y*) of sentences (Lafferty et al. 2001)."""
    return _path_loss(s, s, target, rule, parameters, log_sum)


def _path_loss(
    raised: Floats, s: Floats, target: Target, rule: Rule, parameters: Arrays, plus: Any
) -> Judged:
    assert rule.legal is not None
    A = parameters["A"]
    every = sweep(raised, target.lengths, forbidding(rule.legal, A), plus)
    true, counts = path(target.tags, target.lengths, s.shape[1])
    upstream = every.scores - true
    starts = np.cumsum(target.lengths) - np.asarray(target.lengths)
    differ = np.add.reduceat(upstream.any(1), starts)  # else the difference is 0, not 1e-16
    losses = np.where(differ, every.values - path_scores(s, target, A), 0.0)
    return Judged(losses, upstream, {"A": every.transitions - counts})


def path_scores(s: Floats, target: Target, A: Floats) -> Floats:
    """Give the score of the true path of every sentence: its words' scores and its transitions."""
    tags, ends = target.tags, np.cumsum(target.lengths)
    steps = s[np.arange(len(tags)), tags] + A[before(tags, ends, len(A) - 1), tags]
    steps[ends - 1] += A[tags[ends - 1], -1]
    return np.add.reduceat(steps, np.append(0, ends[:-1]))


Loss = Callable[[Floats, Target, Rule, Arrays], Judged]
LOSSES: dict[str, Loss] = {
    "margin": pair_margin,
    "softmax": cross_entropy,
    "multiclass": multiclass_margin,
    "sequence margin": path_margin,
    "sequence likelihood": path_likelihood,
}
