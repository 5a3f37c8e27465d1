"""Paths through the tags of a sentence: which are legal, which is best, what all of them sum to.

One recursion over the words, a_t(j) = s_t(j) ⊕ᵢ (a_{t−1}(i) + A(i, j)), for many sentences at
once. With ⊕ = max it is Viterbi's, with ⊕ = logsumexp the forward algorithm of linear chains.
Its backward pass gives ∂/∂s: 1 along the best path and 0 elsewhere, or the probability of every
tag; and ∂/∂A: how often a transition is taken, or is expected to be.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from micrograd.ner.text import schemes

Floats = NDArray[np.float64]
Plus = Callable[[Floats], tuple[Floats, Floats]]  # ⊕ along axis 1, and its gradient
CHUNK = 16_384  # numbers of windows looked at together


def legal(labels: Sequence[str], scheme: str) -> NDArray[np.bool_]:
    """Say which tag may follow which, (tags + 1, tags + 1); the last of both is the border."""
    tags = [*labels, "O"]
    return np.array([[schemes.follows(a, b, scheme) for b in tags] for a in tags])


def forbidding(legal: NDArray[np.bool_], A: Floats | float = 0.0) -> Floats:
    """Give the transitions, −∞ where they are not legal."""
    return np.where(legal, A, -np.inf)


def largest(terms: Floats) -> tuple[Floats, Floats]:
    """Give the largest along axis 1, and 1 where it stands (the first, of equals)."""
    best = np.expand_dims(terms.argmax(1), 1)
    weights = np.zeros_like(terms)
    np.put_along_axis(weights, best, 1.0, 1)
    return np.take_along_axis(terms, best, 1).squeeze(1), weights


def log_sum(terms: Floats) -> tuple[Floats, Floats]:
    """Give log Σ exp along axis 1, and the share of every term; terms may be −∞."""
    top = terms.max(1, keepdims=True)
    powers = np.exp(terms - np.where(np.isfinite(top), top, 0.0))
    total = powers.sum(1, keepdims=True)
    with np.errstate(divide="ignore"):
        logs = np.log(total) + top
    return logs.squeeze(1), powers / np.where(total > 0, total, 1.0)


class Paths(NamedTuple):
    """Per sentence the value over all its paths; its gradients by scores and transitions."""

    values: Floats
    scores: Floats
    transitions: Floats


def sweep(scores: Floats, lengths: Sequence[int], A: Floats, plus: Plus) -> Paths:
    """Run the recursion over sentences and back; `scores` (words, tags) of one after another.

    Sentences go side by side, the longest first, so that those that still go on stand in front.
    """
    counts = np.asarray(lengths)
    order = np.argsort(-counts, kind="stable")
    first = (np.cumsum(counts) - counts)[order]
    alive = [int((counts > t).sum()) for t in range(1, max(lengths))]
    inner, start, end = A[:-1, :-1], A[-1, :-1], A[:-1, -1]
    state, weights = scores[first] + start, []
    for t, n in enumerate(alive, 1):
        total, weight = plus(state[:n, :, None] + inner)
        weights.append(weight)
        state[:n] = scores[first[:n] + t] + total
    values, share = plus(state + end)
    d_scores, d_A = np.zeros_like(scores), np.zeros_like(A)
    d_A[:-1, -1] = share.sum(0)
    for t, n in reversed(list(enumerate(alive, 1))):
        d_scores[first[:n] + t] = share[:n]
        taken = weights[t - 1] * share[:n, None, :]
        d_A[:-1, :-1] += taken.sum(0)
        share[:n] = taken.sum(2)
    d_scores[first] = share
    d_A[-1, :-1] = share.sum(0)
    return Paths(values[np.argsort(order)], d_scores, d_A)


def path(tags: NDArray[np.intp], lengths: Sequence[int], outputs: int) -> tuple[Floats, Floats]:
    """Give a path as `Paths` gives one: 1 at its tags (words, tags), and counts of transitions."""
    ends = np.cumsum(lengths)
    counts = np.zeros((outputs + 1, outputs + 1))
    np.add.at(counts, (before(tags, ends, outputs), tags), 1.0)
    np.add.at(counts, (tags[ends - 1], outputs), 1.0)
    return np.eye(outputs)[tags], counts


def before(tags: NDArray[np.intp], ends: NDArray[np.intp], border: int) -> NDArray[np.intp]:
    """Give the tag before every word, the border before the first of a sentence."""
    out = np.append(border, tags[:-1])
    out[np.append(0, ends[:-1])] = border
    return out


def path_scores(s: Floats, tags: NDArray[np.intp], lengths: Sequence[int], A: Floats) -> Floats:
    """Give the score of a path of every sentence: its words' scores and its transitions."""
    ends = np.cumsum(lengths)
    steps = s[np.arange(len(tags)), tags] + A[before(tags, ends, len(A) - 1), tags]
    steps[ends - 1] += A[tags[ends - 1], -1]
    return np.add.reduceat(steps, np.append(0, ends[:-1]))


def best_tags(scores: Floats, lengths: Sequence[int], A: Floats) -> NDArray[np.intp]:
    """Give the tags of the best path of every sentence, one per word.

    Where no transition has a score, the best tags of the words are that path if they are legal.
    """
    lengths = [length for length in lengths if length]
    if A[np.isfinite(A)].any():
        return np.asarray(_by_chunk(scores, lengths, A, largest).argmax(1))
    best = scores.argmax(1)
    legal = np.isfinite(path_scores(scores, best, lengths, A))
    again = np.repeat(~legal, lengths)
    if again.any():
        left = [length for length, fine in zip(lengths, legal.tolist()) if not fine]
        best[again] = _by_chunk(scores[again], left, A, largest).argmax(1)
    return np.asarray(best)


def probabilities(scores: Floats, lengths: Sequence[int], A: Floats) -> Floats:
    """Give the probability of every tag of every word, (words, tags), over all legal paths."""
    return _by_chunk(scores, [length for length in lengths if length], A, log_sum)


def _by_chunk(scores: Floats, lengths: Sequence[int], A: Floats, plus: Plus) -> Floats:
    out, ends = np.empty_like(scores), np.cumsum(lengths)
    start = number = 0
    while number < len(lengths):
        stop = max(int(np.searchsorted(ends, start + CHUNK, "right")), number + 1)
        part = slice(start, int(ends[stop - 1]))
        out[part] = sweep(scores[part], lengths[number:stop], A, plus).scores
        start, number = part.stop, stop
    return out
