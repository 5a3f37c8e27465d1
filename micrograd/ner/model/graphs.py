"""The losses as graphs of Values, of one sample: what is drawn, stepped through and lowered."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from micrograd import losses
from micrograd.core.modes import scope
from micrograd.engine import Value
from micrograd.functions import logsumexp
from micrograd.ner.model.config import Config
from micrograd.ner.model.network import forward

Scores = Sequence[Sequence[Value]]


def pair_margin(s: Scores, _: Sequence[int], delta: float) -> Value:
    """Compute J = max(0, Δ + s_c − s) of a true and a corrupt window (L4)."""
    (true,), (corrupt,) = s
    true.label, corrupt.label = "s", "s_c"
    gap = corrupt - true
    gap.label = "s_c − s"
    short = gap + delta
    short.label = "Δ + s_c − s"
    return short.relu()


def cross_entropy(s: Scores, tags: Sequence[int], _: float) -> Value:
    """Compute −log p of the true tag (L10)."""
    return losses.cross_entropy(s[0], tags[0])


def multiclass_margin(s: Scores, tags: Sequence[int], delta: float) -> Value:
    """Compute Σ_{k≠y} max(0, Δ + s_k − s_y) (Weston and Watkins)."""
    return losses.multiclass_hinge(s[0], tags[0], delta)


def path_margin(
    s: Scores, tags: Sequence[int], delta: float, A: Scores, legal: NDArray[np.bool_]
) -> Value:
    """Compute max_y [s(y) + cost(y, y*)] − s(y*), the maximum by Viterbi's recursion."""
    raised = [
        [score if k == tag else score + delta for k, score in enumerate(row)]
        for row, tag in zip(s, tags)
    ]
    return over_paths(raised, A, legal, _largest) - path_score(s, tags, A)


def path_likelihood(
    s: Scores, tags: Sequence[int], _: float, A: Scores, legal: NDArray[np.bool_]
) -> Value:
    """Compute −log p(y*) = log Σ_y exp s(y) − s(y*), the sum by the forward recursion."""
    return over_paths(s, A, legal, logsumexp) - path_score(s, tags, A)


def over_paths(
    s: Scores,
    A: Scores,
    legal: NDArray[np.bool_],
    plus: Callable[[Sequence[Value]], Value],
) -> Value:
    """Run a_t(j) = s_t(j) ⊕ᵢ (a_{t−1}(i) + A(i, j)) over the words, and ⊕ all at the end."""
    border = len(A) - 1
    state = {j: s[0][j] + A[border][j] for j in range(border) if legal[border][j]}
    for t, row in enumerate(s[1:], 2):
        with scope(f"word {t}"):
            before, state = state, {}
            for j, score in enumerate(row):
                terms = [a + A[i][j] for i, a in before.items() if legal[i][j]]
                if terms:
                    state[j] = plus(terms) + score
    return plus([a + A[j][border] for j, a in state.items() if legal[j][border]])


def path_score(s: Scores, tags: Sequence[int], A: Scores) -> Value:
    """Add the scores of a path's tags and its transitions, in the order of `over_paths`.

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


LOSSES: dict[str, Callable[..., Value]] = {
    "margin": pair_margin,
    "softmax": cross_entropy,
    "multiclass": multiclass_margin,
    "sequence margin": path_margin,
    "sequence likelihood": path_likelihood,
}


def loss_of(
    config: Config,
    windows: Sequence[Sequence[Value]],
    tags: Sequence[int],
    parameters: Mapping[str, Any],
    legal: NDArray[np.bool_] | None = None,
) -> Value:
    """Record a sample's loss J: of a pair of windows, of one, or of all windows of a sentence."""
    titles = ("true window", "corrupt window") if config.kind == "margin" else ()
    scores = []
    for number, x in enumerate(windows):
        with scope(titles[number] if titles else f"window {number + 1}"):
            scores.append(forward(config, x, parameters).s)
    paths = (parameters["A"], legal) if "A" in parameters else ()
    loss = LOSSES[config.loss_name](scores, tags, config.delta, *paths)
    loss.label = "J"
    return loss
