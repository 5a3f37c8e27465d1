"""A window's vectors laid end to end, against their average, which loses the positions (L11).

x = [x_museums, x_in, x_Paris, x_are, x_amazing] ∈ R^{5d} keeps the place of every word; the average
(1/5) Σ xᵢ ∈ R^d does not. Two windows of the same words, two of them swapped, are to be told apart
by s = uᵀ f(Wx + b):

    python demos/averaged_window.py averaged_window.svg
"""

from __future__ import annotations

import random
from typing import Any, NamedTuple

from stage import claim, run, say, t, table
from window_score import TRUE

from micrograd import Value, dot
from micrograd.init import initialise
from micrograd.losses import max_margin
from micrograd.nn import Embedding, Layer, Module
from micrograd.optim import SGD

SWAPPED = ["museums", "Paris", "in", "are", "amazing"]
DIM = 4
FIGURE = (
    "s − s_c while training on two windows of the same words: concatenated, averaged",
    "用同样的词组成的两个窗口训练时的 s − s_c：拼接与平均",
)


class Scorer(Module):
    """s = uᵀ tanh(Wx + b), x the window's vectors end to end, or their average."""

    def __init__(self, average: bool, seed: int) -> None:
        random.seed(seed)
        self.average = average
        self.table = Embedding(len(TRUE), DIM)
        self.hidden = Layer(DIM if average else 5 * DIM, 8, activation="tanh", fused=True)
        self.u = [Value(random.uniform(-0.5, 0.5)) for _ in range(8)]
        initialise(self, "xavier_uniform", seed)

    def __call__(self, window: list[str]) -> Value:
        rows = [self.table(TRUE.index(word)) for word in window]
        mean = [sum(column[1:], column[0]) / len(window) for column in zip(*rows)]
        return dot(self.u, self.hidden(mean if self.average else [v for row in rows for v in row]))


class Measured(NamedTuple):
    """s − s_c before every step, and J after the last."""

    concatenated: list[float]
    averaged: list[float]
    losses: tuple[float, float]


def trained(average: bool, seed: int, steps: int) -> tuple[list[float], float]:
    """Train everything, the vectors too; return s − s_c before every step, and the last J."""
    scorer, gaps = Scorer(average, seed), []
    optimizer = SGD(scorer.parameters(), lr=0.02)
    for _ in range(steps):
        s, s_c = scorer(TRUE), scorer(SWAPPED)
        J = max_margin(s, s_c)
        gaps.append(s.data - s_c.data)
        scorer.zero_grad()
        J.backward()
        optimizer.step()
    return gaps, J.data


def measure(seed: int = 3, steps: int = 60) -> Measured:
    """Train both scorers."""
    (concatenated, J), (averaged, J_a) = (trained(a, seed, steps) for a in (False, True))
    return Measured(concatenated, averaged, (J, J_a))


def show(r: Measured) -> None:
    """Print what became of both."""
    names = t("concatenated", "拼接"), t("averaged", "平均")
    say(f"{t('true', '真')}: {' '.join(TRUE)}   {t('corrupt', '假')}: {' '.join(SWAPPED)}")
    table(
        ["", "s − s_c", "J"],
        *([n, f"{gaps[-1]:.4f}", f"{J:.4f}"] for n, gaps, J in zip(names, r, r.losses)),
    )


@claim(
    "Concatenated, the windows are told apart: J = {r.losses[0]:g} after training.",
    "拼接时两个窗口可以区分：训练后 J = {r.losses[0]:g}。",
)
def concatenation_keeps_the_order(r: Measured) -> bool:
    return r.losses[0] == 0 and r.concatenated[-1] >= 1


@claim(
    "The average of both windows is the same, so s = s_c at every step and J stays 1.",
    "两个窗口的平均相同，所以每一步都有 s = s_c，J 一直为 1。",
)
def the_average_cannot_learn(r: Measured) -> bool:
    return max(map(abs, r.averaged)) < 1e-9 and abs(r.losses[1] - 1) < 1e-9


def draw(r: Measured) -> Any:
    """Draw s − s_c against the steps."""
    from figures import STYLES, panels

    figure, (panel,) = panels()
    names = t("concatenated", "拼接"), t("averaged", "平均")
    for style, name, gaps in zip(STYLES, names, r):
        panel.plot(gaps, label=name, markevery=6, **style)
    panel.axhline(1, color="black", linewidth=1)
    panel.text(0, 1.02, t("from here on J = 0", "从这里起 J = 0"), va="bottom")
    panel.set(
        title=t("“in” and “Paris” swapped", "“in” 与 “Paris” 互换"),
        ylim=(-0.5, 1.4),
        xlabel=t("training step", "训练步"),
        ylabel="s − s_c",
    )
    panel.legend(loc="center right")
    return figure


if __name__ == "__main__":
    run(__name__)
