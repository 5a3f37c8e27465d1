"""Losses and penalties, as functions of Values.

Those of a sequence have the scores of every word's tags, and of transitions between them:
`transitions[i][j]` is that of tag j after tag i, the last row and column are of the border.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any

from micrograd.core.checks import (
    check_finite,
    check_flags,
    check_ordered,
    is_finite,
    is_list,
    is_several,
)
from micrograd.core.modes import scope
from micrograd.engine import Value, operand
from micrograd.functions import dot, log_softmax, logsumexp, mean
from micrograd.printing import counted, shorten

__all__ = [
    "binary_hinge",
    "cross_entropy",
    "l1",
    "l2",
    "max_margin",
    "mse",
    "multiclass_hinge",
    "nll",
    "path_likelihood",
    "path_margin",
]

Scores = Sequence[Value]
Target = Any  # a class, or the probability of every class
Table = Sequence[Scores]
Legal = Any  # a table of bools: which transitions there are


def max_margin(s: Value, s_c: Value | Iterable[Value], margin: float = 1.0) -> Value:
    """Return Σ max(0, Δ + s_c − s) over the corrupt scores `s_c`, one or many (L4)."""
    _check_number(margin=margin)
    corrupt: Any = [s_c] if isinstance(s_c, Value) else s_c
    if isinstance(corrupt, (str, bytes, Mapping)) or not is_several(corrupt):
        raise TypeError(f"max_margin takes corrupt scores, Values, one or many, not {shorten(s_c)}")
    true = operand(s)
    return _sum((margin + operand(score) - true).relu() for score in corrupt)


def binary_hinge(score: Value, label: Value | float) -> Value:
    """Return max(0, 1 − y · score), y being −1 or 1."""
    y = _plain(label)
    if not is_finite(y) or y not in (-1, 1):
        raise ValueError(f"a label of the binary hinge loss is -1 or 1, not {shorten(label)}")
    loss: Value = (1 + -(label if isinstance(label, Value) else y) * operand(score)).relu()
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
    check_ordered("the probabilities of classes", target)
    if is_several(target) and not isinstance(target, str):
        distribution = list(target)
        _check_distribution(log_probabilities, distribution)
        return -dot(log_probabilities, distribution)
    return -operand(log_probabilities[_class(log_probabilities, target)])


def mse(predictions: Scores, targets: Sequence[Value | float]) -> Value:
    """Return the mean of (prediction − target)², over one or more."""
    for numbers in (predictions, targets):
        check_ordered("predictions and targets", numbers)
        if not is_list(numbers) or getattr(numbers, "ndim", 1) != 1:
            raise TypeError(
                f"mse takes a list of predictions and one of targets, not {shorten(numbers)}"
            )
    if len(predictions) != len(targets) or not len(targets):
        raise ValueError(
            f"{counted(len(predictions), 'prediction')} for {counted(len(targets), 'target')}"
        )
    return mean([(operand(p) - t) ** 2 for p, t in zip(predictions, targets)])


def path_margin(
    scores: Table, tags: Sequence[int], transitions: Table, legal: Legal = None, margin: float = 1.0
) -> Value:
    """Return max_y [s(y) + Δ · wrong tags of y] − s(tags), the maximum by Viterbi's recursion.

    y runs over all paths of `legal` transitions, of all without (Taskar, Guestrin, Koller 2003).
    Raises ValueError where `tags` are none of them.
    """
    _check_number(margin=margin)
    true = _path(scores, tags, transitions, legal)
    raised = [
        [score if k == tag else score + margin for k, score in enumerate(row)]
        for row, tag in zip(scores, true)
    ]
    return _over_paths(raised, transitions, legal, _largest) - _path_score(
        scores, true, transitions
    )


def path_likelihood(
    scores: Table, tags: Sequence[int], transitions: Table, legal: Legal = None
) -> Value:
    """Return −log p(tags) = log Σ_y exp s(y) − s(tags), the sum by the forward recursion.

    y and errors as in `path_margin` (Lafferty, McCallum, Pereira 2001).
    """
    true = _path(scores, tags, transitions, legal)
    every = _over_paths(scores, transitions, legal, logsumexp)
    return every - _path_score(scores, true, transitions)


def l2(weights: Any, strength: float = 1.0, squared: bool = True) -> Value:
    """Return λ Σ w², or λ √Σ w² where not `squared` (L18).

    `weights` are Values, or a Module, whose biases are left out.
    """
    _check_number(strength=strength)
    check_flags(squared=squared)
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
    if isinstance(several, (str, bytes, Mapping, Value)) or not is_several(several):
        raise TypeError(f"a penalty takes weights, Values, or a Module, not {shorten(weights)}")
    return map(operand, several)


def _sum(values: Iterable[Value]) -> Value:
    first, *rest = [*values] or [operand(0.0)]
    return sum(rest, first)


def _check_scores(scores: Any) -> None:
    if not is_list(scores) or not len(scores):
        raise ValueError(f"scores are a list, one of each class, not {shorten(scores)}")


def _class(scores: Scores, label: Any) -> int:
    """Return a class as an int: a whole number, of Python or NumPy, that has a score."""
    _check_scores(scores)
    plain = label if isinstance(label, Value) else _plain(label)
    if not isinstance(plain, (int, float)):
        raise TypeError(
            f"a class is an int, not {shorten(label)} ({type(label).__name__}); one that the "
            "data tell is one_hot(id, classes)"
        )
    if isinstance(plain, bool) or not (0 <= plain < len(scores) and plain == int(plain)):
        raise ValueError(
            f"there is no class {shorten(label)}: among {counted(len(scores), 'score')} the "
            f"classes are 0 to {len(scores) - 1}"
        )
    return int(plain)


def _check_distribution(scores: Scores, target: Any) -> None:
    if len(target) != len(scores):
        raise ValueError(
            f"a distribution over {counted(len(target), 'class')} for "
            f"{counted(len(scores), 'score')}"
        )
    q = [_plain(part) for part in target]
    if not all(map(is_finite, q)) or min(q) < 0:
        raise ValueError(f"a distribution is nowhere negative and sums to 1, unlike {shorten(q)}")
    if abs(sum(q) - 1) > 1e-6:
        raise ValueError(f"a distribution sums to 1, and {shorten(q)} to {sum(q):.7g}")


def _path(scores: Table, tags: Sequence[int], transitions: Table, legal: Legal) -> list[int]:
    """Return a path as ints; ValueError unless it is legal, and fits words and transitions."""
    if not (is_list(scores) and is_list(tags) and 0 < len(scores) == len(tags)):
        raise ValueError(f"a path has a tag for every row of scores, not {shorten(tags)}")
    path = [_class(row, tag) for row, tag in zip(scores, tags)]
    count = len(scores[0])
    if any(len(row) != count for row in scores):
        raise ValueError(f"every word has as many scores, not {[*map(len, scores)]}")
    _check_transitions("transitions", transitions, count + 1)
    if legal is not None:
        _check_transitions("legal", legal, count + 1)
        for i, j in pairwise([count, *path, count]):
            if not legal[i][j]:
                raise ValueError(
                    f"the path {shorten(path)} is not legal: legal[{i}][{j}] is False; mend one"
                )
    return path


def _check_transitions(what: str, table: Any, size: int) -> None:
    square = is_list(table) and all(is_list(row) and len(row) == size for row in table)
    if not square or len(table) != size:
        raise ValueError(
            f"{what} is {counted(size, 'row')} of {size}, a row and a column more than there are "
            f"tags, not {shorten(table)}"
        )


def _over_paths(
    s: Table, A: Table, legal: Legal, plus: Callable[[Sequence[Value]], Value]
) -> Value:
    """Run a_t(j) = s_t(j) ⊕ᵢ (a_{t−1}(i) + A(i, j)) over the words, and ⊕ all at the end."""
    border = len(A) - 1
    legal = [[True] * len(A)] * len(A) if legal is None else legal
    state = {j: s[0][j] + A[border][j] for j in range(border) if legal[border][j]}
    for t, row in enumerate(s[1:], 2):
        with scope(f"word {t}"):
            before, state = state, {}
            for j, score in enumerate(row):
                terms = [a + A[i][j] for i, a in before.items() if legal[i][j]]
                if terms:
                    state[j] = plus(terms) + score
    ends = [a + A[j][border] for j, a in state.items() if legal[j][border]]
    return plus(ends)


def _path_score(s: Table, tags: Sequence[int], A: Table) -> Value:
    """Add the scores of a path's tags and its transitions, in the order of `_over_paths`.

    So the difference from the best path is 0 exactly where they are one.
    """
    border = len(A) - 1
    total = s[0][tags[0]] + A[border][tags[0]]
    for row, before, tag in zip(s[1:], tags, tags[1:]):
        total = total + A[before][tag] + row[tag]
    return total + A[tags[-1]][border]


def _largest(terms: Sequence[Value]) -> Value:
    best, *rest = terms
    for term in rest:
        best = best.max(term)
    return best


def _plain(x: Any) -> Any:
    """Return a number as Python's own: NumPy's sum in few bits, and -1 may be 255."""
    if isinstance(x, Value):
        return x.data
    return x.item() if getattr(x, "ndim", None) == 0 else x
