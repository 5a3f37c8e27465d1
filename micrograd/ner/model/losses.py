"""The losses as functions of scores: in arrays, with ∂/∂ the scores, and as graphs of Values."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from micrograd import losses as scalar
from micrograd.engine import Value
from micrograd.ner.model.paths import Floats, Plus, largest, log_sum, path, path_scores, sweep


class Target(NamedTuple):
    """What the scores are compared with: a tag per window, and the lengths of the sentences.

    A pair needs neither: the first half of its batch are true windows, the other corrupt ones.
    """

    tags: NDArray[np.intp] = np.zeros(0, np.intp)
    lengths: Sequence[int] = ()


class Judged(NamedTuple):
    """The loss of every sample, and the gradients of their sum by scores and transitions."""

    losses: Floats
    upstream: Floats
    transitions: Floats | None = None


def pair_margin(s: Floats, _: Target, delta: float, __: Any) -> Judged:
    """Compute max(0, Δ + s_c − s) of pairs (L4): ∂/∂s = −1 and ∂/∂s_c = 1 while it is above 0."""
    half = len(s) // 2
    losses = np.maximum(s[half:, 0] - s[:half, 0] + delta, 0.0)
    upstream = np.empty_like(s)
    upstream[half:, 0] = losses > 0
    upstream[:half] = -upstream[half:]
    return Judged(losses, upstream)


def cross_entropy(s: Floats, target: Target, _: float, __: Any) -> Judged:
    """Compute −log p of the true tag, p = softmax(s) (L10): ∂/∂s = p − y (L28)."""
    rows = np.arange(len(s))
    total, share = log_sum(s)
    share[rows, target.tags] -= 1.0
    return Judged(total - s[rows, target.tags], share)


def multiclass_margin(s: Floats, target: Target, delta: float, _: Any) -> Judged:
    """Compute Σ_{k≠y} max(0, Δ + s_k − s_y) (Weston and Watkins)."""
    rows = np.arange(len(s))
    excess = np.maximum(s - s[rows, target.tags][:, None] + delta, 0.0)
    excess[rows, target.tags] = 0.0
    upstream = np.where(excess > 0, 1.0, 0.0)
    upstream[rows, target.tags] = -upstream.sum(1)
    return Judged(excess.sum(1), upstream)


def path_margin(s: Floats, target: Target, delta: float, A: Floats) -> Judged:
    """Compute max_y [s(y) + cost(y, y*)] − s(y*) of sentences: Δ for every wrong tag.

    ∂/∂s is +1 on the best path and −1 on the true one where they differ (Taskar et al. 2003).
    """
    true, _ = path(*target, s.shape[1])
    return _path_loss(s + delta * (1.0 - true), s, target, A, largest)


def path_likelihood(s: Floats, target: Target, _: float, A: Floats) -> Judged:
    """Compute −log p(y*) = log Σ_y exp s(y) − s(y*) of sentences (Lafferty et al. 2001)."""
    return _path_loss(s, s, target, A, log_sum)


def _path_loss(raised: Floats, s: Floats, target: Target, A: Floats, plus: Plus) -> Judged:
    every = sweep(raised, target.lengths, A, plus)
    true, counts = path(*target, s.shape[1])
    upstream = every.scores - true
    starts = np.cumsum(target.lengths) - np.asarray(target.lengths)
    differ = np.add.reduceat(upstream.any(1), starts)  # else the difference is 0, not 1e-16
    losses = np.where(differ, every.values - path_scores(s, *target, A), 0.0)
    return Judged(losses, upstream, every.transitions - counts)


def pair_graph(s: Any, _: Any, delta: float, *__: Any) -> Value:
    """Compute J = max(0, Δ + s_c − s) of a true and a corrupt window, its parts named (L4)."""
    (true,), (corrupt,) = s
    gap = corrupt - true
    short = gap + delta
    named = {"s": true, "s_c": corrupt, "s_c − s": gap, "Δ + s_c − s": short}
    for name, value in named.items():
        value.label = name
    loss: Value = short.relu()
    return loss


class Loss(NamedTuple):
    """One loss in its two forms.

    `arrays` takes the scores of a batch, its target, Δ, and the transitions, −∞ where illegal;
    `graph` those of one sample, its tags, Δ, the transitions, and which are legal.
    """

    arrays: Callable[[Floats, Target, float, Any], Judged]
    graph: Callable[[Any, Sequence[int], float, Any, Any], Value]


LOSSES = {
    "margin": Loss(pair_margin, pair_graph),
    "softmax": Loss(cross_entropy, lambda s, tags, *_: scalar.cross_entropy(s[0], tags[0])),
    "multiclass": Loss(
        multiclass_margin, lambda s, tags, delta, *_: scalar.multiclass_hinge(s[0], tags[0], delta)
    ),
    "sequence margin": Loss(
        path_margin, lambda s, tags, delta, A, legal: scalar.path_margin(s, tags, A, legal, delta)
    ),
    "sequence likelihood": Loss(
        path_likelihood, lambda s, tags, _, A, legal: scalar.path_likelihood(s, tags, A, legal)
    ),
}
