"""The max-margin objective of a pair of windows: with Δ, without it, and what Δ is for (L4, L12).

First versions: minimise s_c − s, then J = max(0, s_c − s), which is 0 as soon as s > s_c. With a
margin, J = max(0, Δ + s_c − s), Δ = 1. While J > 0, ∂J/∂s = −1 and ∂J/∂s_c = 1; at J = 0 there is
nothing to update. Trained with each Δ; then the word vectors are disturbed a little:

    python demos/margin.py margin.svg
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from stage import claim, run, t, table
from window_score import CORRUPT, TRUE, Scorer

from micrograd import grad
from micrograd.losses import max_margin
from micrograd.optim import SGD

FIGURE = ("s − s_c while training with Δ = 0 and Δ = 1", "以 Δ = 0 与 Δ = 1 训练时的 s − s_c")


class Trained(NamedTuple):
    """s − s_c before every step, the gradients then, and the share of disturbed pairs in order."""

    gaps: list[float]
    gradients: list[tuple[float, float]]
    in_order: float

    @property
    def last(self) -> float:
        """Return s − s_c after training."""
        return self.gaps[-1]


class Measured(NamedTuple):
    """What became of the scorer trained with each Δ."""

    none: Trained
    one: Trained


def trained(delta: float, seed: int, steps: int) -> Trained:
    """Train W, b and u, not the vectors, on the pair."""
    scorer = Scorer(seed)
    if scorer(TRUE) > scorer(CORRUPT):  # begin with the wrong order
        for weight in scorer.u:
            weight.data *= -1
    optimizer = SGD([*scorer.hidden.parameters(), *scorer.u], lr=0.02)
    gaps, gradients = [], []
    for _ in range(steps):
        s, s_c = scorer(TRUE), scorer(CORRUPT)
        J = max_margin(s, s_c, delta)
        gaps.append(s.data - s_c.data)
        gradients.append(tuple(grad(J, [s, s_c])))
        scorer.zero_grad()
        J.backward()
        optimizer.step()
    return Trained(gaps, gradients, in_order(scorer, seed))


def in_order(scorer: Scorer, seed: int, samples: int = 2000) -> float:
    """Return the share of pairs with s > s_c when noise of deviation 0.1 disturbs the vectors."""
    (W, b, u), rng = scorer.arrays(), np.random.default_rng(seed)
    s, s_c = (
        np.tanh(
            (np.array([v.data for v in scorer.x(window)]) + rng.normal(0, 0.1, (samples, 20))) @ W.T
            + b
        )
        @ u
        for window in (TRUE, CORRUPT)
    )
    return float((s > s_c).mean())


def measure(seed: int = 5, steps: int = 80) -> Measured:
    """Train from the same start with Δ = 0 and with Δ = 1."""
    return Measured(trained(0.0, seed, steps), trained(1.0, seed, steps))


def show(r: Measured) -> None:
    """Print what became of both."""
    table(
        [
            t("loss", "损失"),
            t("steps, J > 0", "J > 0 的步数"),
            t("first s − s_c", "最初 s − s_c"),
            t("last s − s_c", "最后 s − s_c"),
            t("in order, noisy", "扰动后次序正确"),
        ],
        *(
            [
                f"max(0, {delta}s_c − s)",
                sum(g < d for g in c.gaps),
                f"{c.gaps[0]:.4f}",
                f"{c.gaps[-1]:.4f}",
                f"{c.in_order:.1%}",
            ]
            for delta, d, c in (("", 0.0, r.none), ("1 + ", 1.0, r.one))
        ),
    )


@claim(
    "While J > 0, ∂J/∂s = −1 and ∂J/∂s_c = 1; at J = 0 both are 0 and nothing is updated.",
    "J > 0 时 ∂J/∂s = −1、∂J/∂s_c = 1；J = 0 时两者为 0，什么也不更新。",
)
def gradients_are_one_or_nothing(r: Measured) -> bool:
    pairs = zip(r.one.gaps, r.one.gradients)
    return {gap < 1: found for gap, found in pairs} == {True: (-1, 1), False: (0, 0)}


@claim(
    "Without the margin learning stops at s − s_c = {r.none.last:.2f}, with it at "
    "{r.one.last:.2f}.",
    "没有间隔时学习停在 s − s_c = {r.none.last:.2f}，有间隔时停在 {r.one.last:.2f}。",
)
def the_margin_keeps_scores_apart(r: Measured) -> bool:
    return r.none.gaps[0] < 0 < r.none.last < 0.2 and 1 <= r.one.last < 1.2


@claim(
    "With noise in the vectors {r.one.in_order:.0%} of the pairs stay in order, against "
    "{r.none.in_order:.0%} without the margin.",
    "词向量受到噪声时，仍有 {r.one.in_order:.0%} 的窗口对次序正确；没有间隔时为 "
    "{r.none.in_order:.0%}。",
)
def the_margin_is_worth_something(r: Measured) -> bool:
    return r.one.in_order > r.none.in_order and r.one.in_order > 0.99


def draw(r: Measured) -> Any:
    """Draw s − s_c against the steps."""
    from figures import SMALL, STYLES, panels

    figure, (panel,) = panels()
    for style, name, course in zip(STYLES, ("Δ = 0", "Δ = 1"), r):
        panel.plot(course.gaps, label=name, markevery=8, **style)
    for at, text in ((0, "J = 0: Δ = 0"), (1, "J = 0: Δ = 1")):
        panel.axhline(at, color="black", linewidth=1)
        panel.text(len(r.one.gaps), at - 0.02, text, ha="right", va="top", fontsize=SMALL)
    panel.set(
        title=t(
            "without the margin learning stops next to s = s_c", "没有间隔，学习停在 s = s_c 旁边"
        ),
        xlabel=t("training step", "训练步"),
        ylabel="s − s_c",
        ylim=(None, 1.3),
    )
    panel.legend(loc="center right")
    return figure


if __name__ == "__main__":
    run(__name__)
