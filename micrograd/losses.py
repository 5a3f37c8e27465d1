"""Losses and penalties, as functions of Values."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from micrograd.core.checks import check_finite, is_finite, is_list
from micrograd.engine import Value, operand
from micrograd.functions import dot, log_softmax, mean

__all__ = [
    "binary_hinge",
    "cross_entropy",
    "l1",
    "l2",
    "max_margin",
    "mse",
    "multiclass_hinge",
    "nll",
]

Scores = Sequence[Value]
Target = Any  # a class, or the probability of every class


def max_margin(s: Value, s_c: Value | Iterable[Value], margin: float = 1.0) -> Value:
    """Return Σ max(0, Δ + s_c − s) over the corrupt scores `s_c`, one or many (L4)."""
    _check_number(margin=margin)
    corrupt: Any = [s_c] if isinstance(s_c, Value) else s_c
    if isinstance(corrupt, (str, bytes)) or not isinstance(corrupt, Iterable):
        raise TypeError(f"max_margin takes corrupt scores, Values, one or many, not {s_c!r}")
    true = operand(s)
    return _sum((margin + operand(score) - true).relu() for score in corrupt)


def binary_hinge(score: Value, label: Value | float) -> Value:
    """Return max(0, 1 − y · score), y being −1 or 1."""
    if not is_finite(_plain(label)) or _plain(label) not in (-1, 1):
        raise ValueError(f"a label of the binary hinge loss is -1 or 1, not {label!r}")
    loss: Value = (1 + -label * operand(score)).relu()
    return loss


def multiclass_hinge(scores: Scores, label: int, margin: float = 1.0) -> Value:
    """Return Σ max(0, Δ + s_j − s_y) over the classes j ≠ y (Weston and Watkins 1999)."""
    true = _class(scores, label)
    others = [score for j, score in enumerate(scores) if j != true]
    return max_margin(scores[true], others, margin)


def cross_entropy(logits: Scores, target: Target) -> Value:
    """Return −Σ q log p of p = softmax(logits), for a class or a distribution q (L10)."""
    _check_scores(logits)
    return nll(log_softmax(logits), target)


def nll(log_probabilities: Scores, target: Target) -> Value:
    """Return −Σ q log p, for a class or a distribution q over the classes."""
    _check_scores(log_probabilities)
    several = isinstance(target, Iterable) and not isinstance(target, str)
    if several and getattr(target, "ndim", None) != 0:
        distribution = list(target)
        _check_distribution(log_probabilities, distribution)
        return -dot(log_probabilities, distribution)
    return -operand(log_probabilities[_class(log_probabilities, target)])


def mse(predictions: Scores, targets: Sequence[Value | float]) -> Value:
    """Return the mean of (prediction − target)², over one or more."""
    for numbers in (predictions, targets):
        if not isinstance(numbers, Iterable) or getattr(numbers, "ndim", 1) != 1:
            raise TypeError(f"mse takes a list of predictions and one of targets, not {numbers!r}")
    if len(predictions) != len(targets) or not len(targets):
        raise ValueError(f"{len(predictions)} predictions for {len(targets)} targets")
    return mean([(operand(p) - t) ** 2 for p, t in zip(predictions, targets)])


def l2(weights: Any, strength: float = 1.0, squared: bool = True) -> Value:
    """Return λ Σ w², or λ √Σ w² where not `squared` (L18).

    `weights` are Values, or a Module, whose biases are left out.
    """
    _check_number(strength=strength)
    total = _sum(w * w for w in _weights(weights))
    return strength * (total if squared else total.sqrt())


def l1(weights: Any, strength: float = 1.0) -> Value:
    """Return λ Σ |w|; `weights` as in `l2`."""
    _check_number(strength=strength)
    return strength * _sum(abs(w) for w in _weights(weights))


def _check_number(**numbers: Any) -> None:
    check_finite(**{name: _plain(x) for name, x in numbers.items()})


def _weights(weights: Any) -> Iterable[Value]:
    several = weights.weights() if hasattr(weights, "weights") else weights
    if isinstance(several, (str, bytes, Value)) or not isinstance(several, Iterable):
        raise TypeError(f"a penalty takes weights, Values, or a Module, not {weights!r}")
    return map(operand, several)


def _sum(values: Iterable[Value]) -> Value:
    first, *rest = [*values] or [operand(0.0)]
    return sum(rest, first)


def _check_scores(scores: Any) -> None:
    if not is_list(scores) or not len(scores):
        raise ValueError(f"scores are a list, one of each class, not {scores!r}")


def _class(scores: Scores, label: Any) -> int:
    """Return a class as an int: a whole number, of Python or NumPy, that has a score."""
    _check_scores(scores)
    plain: Any = label.item() if getattr(label, "ndim", None) == 0 else label
    if not isinstance(plain, (int, float)):
        raise TypeError(
            f"a class is an int, not {label!r} ({type(label).__name__}); one that the data tell "
            "is one_hot(id, classes)"
        )
    if isinstance(plain, bool) or not (0 <= plain < len(scores) and plain == int(plain)):
        raise ValueError(
            f"there is no class {label!r}: {len(scores)} scores have the classes 0 to "
            f"{len(scores) - 1}"
        )
    return int(plain)


def _check_distribution(scores: Scores, target: Any) -> None:
    if len(target) != len(scores):
        raise ValueError(f"a distribution over {len(target)} classes for {len(scores)} scores")
    q = [_plain(part) for part in target]
    if not (min(q) >= 0 and abs(sum(q) - 1) <= 1e-6):
        raise ValueError(f"a distribution is nowhere negative and sums to 1, unlike {q!r}")


def _plain(x: Value | float) -> float:
    return x.data if isinstance(x, Value) else x
