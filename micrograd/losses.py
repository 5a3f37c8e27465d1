"""Losses and penalties, as functions of Values."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from micrograd.engine import Value, operand
from micrograd.functions import dot, log_softmax, mean

Scores = Sequence[Value]
Target = Any  # a class, or the probability of every class


def max_margin(s: Value, s_c: Value | Iterable[Value], margin: float = 1.0) -> Value:
    """Return Σ max(0, Δ + s_c − s) over the corrupt scores `s_c`, one or many (L4)."""
    corrupt: Iterable[Value] = [s_c] if isinstance(s_c, Value) else s_c
    return _sum((margin + score - s).relu() for score in corrupt)


def binary_hinge(score: Value, label: Value | float) -> Value:
    """Return max(0, 1 − y · score), y being −1 or 1."""
    if _plain(label) not in (-1, 1):
        raise ValueError(f"a label of the binary hinge loss is -1 or 1, not {label!r}")
    loss: Value = (1 + -label * score).relu()
    return loss


def multiclass_hinge(scores: Scores, label: int, margin: float = 1.0) -> Value:
    """Return Σ max(0, Δ + s_j − s_y) over the classes j ≠ y (Weston and Watkins 1999)."""
    _check_label(scores, label)
    others = [score for j, score in enumerate(scores) if j != label]
    return max_margin(scores[label], others, margin)


def cross_entropy(logits: Scores, target: Target) -> Value:
    """Return −Σ q log p of p = softmax(logits), for a class or a distribution q (L10)."""
    return nll(log_softmax(logits), target)


def nll(log_probabilities: Scores, target: Target) -> Value:
    """Return −Σ q log p, for a class or a distribution q over the classes."""
    if isinstance(target, Sequence) or hasattr(target, "shape"):
        _check_distribution(log_probabilities, target)
        return -dot(log_probabilities, target)
    _check_label(log_probabilities, target)
    return -log_probabilities[target]


def mse(predictions: Scores, targets: Sequence[Value | float]) -> Value:
    """Return the mean of (prediction − target)²."""
    if len(predictions) != len(targets):
        raise ValueError(f"{len(predictions)} predictions for {len(targets)} targets")
    return mean([(p - t) ** 2 for p, t in zip(predictions, targets)])


def l2(weights: Any, strength: float = 1.0, squared: bool = True) -> Value:
    """Return λ Σ w², or λ √Σ w² where not `squared` (L18).

    `weights` are Values, or a Module, whose biases are left out.
    """
    total = _sum(w * w for w in _weights(weights))
    return strength * (total if squared else total.sqrt())


def l1(weights: Any, strength: float = 1.0) -> Value:
    """Return λ Σ |w|; `weights` as in `l2`."""
    return strength * _sum(abs(w) for w in _weights(weights))


def _weights(weights: Any) -> Iterable[Value]:
    return weights.weights() if hasattr(weights, "weights") else weights  # type: ignore[no-any-return]


def _sum(values: Iterable[Value]) -> Value:
    first, *rest = [*values] or [operand(0.0)]
    return sum(rest, first)


def _check_label(scores: Scores, label: Any) -> None:
    if isinstance(label, bool) or int(label) != label or not 0 <= label < len(scores):
        raise ValueError(f"there is no class {label!r}: {len(scores)} scores have the classes "
                         f"0 to {len(scores) - 1}")  # fmt: skip


def _check_distribution(scores: Scores, target: Any) -> None:
    if len(target) != len(scores):
        raise ValueError(f"a distribution over {len(target)} classes for {len(scores)} scores")
    q = [_plain(part) for part in target]
    if min(q) < 0 or abs(sum(q) - 1) > 1e-6:
        raise ValueError(f"a distribution is nowhere negative and sums to 1, unlike {q!r}")


def _plain(x: Value | float) -> float:
    return x.data if isinstance(x, Value) else x
