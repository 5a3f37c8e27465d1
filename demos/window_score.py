"""The window score s = uᵀ f(Wx + b) of 5 words × 4 numbers each (L3).

The vectors of the window's words are laid end to end: x ∈ R²⁰. W ∈ R^{8×20} and b ∈ R⁸ make of
it h = f(Wx + b) ∈ R⁸, and u ∈ R⁸ the score s = uᵀh. A window is true where a place stands at its
centre (museums in Paris are amazing), corrupt where there is another word (Not all museums in Paris):

    python demos/window_score.py window_score.svg
"""

from __future__ import annotations

import random
from typing import Any, NamedTuple

import numpy as np
from stage import claim, run, t, table

from micrograd import Value, dot
from micrograd.init import initialise
from micrograd.nn import Embedding, Layer, Module

TRUE = ["museums", "in", "Paris", "are", "amazing"]
CORRUPT = ["Not", "all", "museums", "in", "Paris"]
WORDS = sorted({*TRUE, *CORRUPT})
FIGURE = (
    "x, W, h = f(Wx + b), u and the score s = uᵀh of the true window",
    "真窗口的 x、W、h = f(Wx + b)、u 与得分 s = uᵀh",
)


class Scorer(Module):
    """s = uᵀ tanh(Wx + b) over word vectors of 4 numbers, windows of 5 words, 8 hidden units."""

    def __init__(self, seed: int, words: list[str] = WORDS) -> None:
        random.seed(seed)
        self._words = words
        self.table = Embedding(len(words), 4)
        for number in self.table.parameters():
            number.data *= 0.3  # so that J > 0 before training
        self.hidden = Layer(20, 8, activation="tanh", fused=True)
        self.u = [Value(random.uniform(-0.5, 0.5), label=f"u{i}") for i in range(8)]
        initialise(self, "xavier_uniform", seed)

    def x(self, window: list[str]) -> list[Value]:
        """Return the vectors of the window's words, end to end."""
        return [number for word in window for number in self.table(self._words.index(word))]

    def of(self, x: list[Value]) -> Value:
        """Return the score of a window's 20 numbers."""
        return dot(self.u, self.hidden(x))

    def __call__(self, window: list[str]) -> Value:
        return self.of(self.x(window))

    def arrays(self) -> tuple[Any, Any, Any]:
        """Return W, b and u as arrays."""
        units = self.hidden.neurons
        W = np.array([[w.data for w in unit.w] for unit in units])
        return W, np.array([unit.b.data for unit in units]), np.array([v.data for v in self.u])


class Measured(NamedTuple):
    """The arrays of one window, and its score by the engine and by the formula."""

    x: Any
    W: Any
    b: Any
    u: Any
    h: Any
    s: float

    @property
    def apart(self) -> float:
        """Return how far uᵀ tanh(Wx + b) is from the engine's score."""
        return abs(float(self.u @ np.tanh(self.W @ self.x + self.b)) - self.s)


def measure(seed: int = 3) -> Measured:
    """Score the true window."""
    scorer = Scorer(seed)
    x = scorer.x(TRUE)
    h = [unit.data for unit in scorer.hidden(x)]
    return Measured(np.array([v.data for v in x]), *scorer.arrays(), np.array(h), scorer(TRUE).data)


def show(r: Measured) -> None:
    """Print the shapes, and the numbers of each word."""
    table(*([name, getattr(r, name).shape] for name in ("x", "W", "b", "u")))
    print(f"s = uᵀ tanh(Wx + b) = {r.s:.4f}\n")
    for word, vector in zip(TRUE, r.x.reshape(5, 4)):
        print(f"{word:10}" + "".join(f"{number:9.4f}" for number in vector))


@claim(
    "x has {r.x.size} numbers, W {r.W.shape}, b and u {r.b.size} each, and s is one number.",
    "x 有 {r.x.size} 个数，W 为 {r.W.shape}，b 与 u 各 {r.b.size} 个，s 只是一个数。",
)
def the_lectures_sizes(r: Measured) -> bool:
    return r.x.shape == (20,) and r.W.shape == (8, 20) and r.b.shape == r.u.shape == (8,)


@claim(
    "The engine's score and uᵀ tanh(Wx + b) over arrays are the same to rounding.",
    "引擎算出的得分与数组公式 uᵀ tanh(Wx + b) 相同（舍入误差之内）。",
)
def engine_and_formula_agree(r: Measured) -> bool:
    return r.apart < 1e-12


def draw(r: Measured) -> Any:
    """Draw every array in its shape."""
    from figures import SMALL, matrix, panels

    figure, axes = panels(1, 4, height_ratios=[1, 4, 1, 1])
    matrix(axes[0], r.x.reshape(1, -1), t("x: 5 words × 4 numbers", "x：5 个词 × 4 个数"), 1, SMALL)
    axes[0].set_xticks(range(2, 20, 4), TRUE)
    matrix(axes[1], r.W, "W (8 × 20)", 1, SMALL)
    matrix(axes[2], r.h.reshape(1, -1), "h = f(Wx + b)", 1)
    matrix(axes[3], r.u.reshape(1, -1), f"u,  s = uᵀh = {r.s:.3f}", 1)
    return figure


if __name__ == "__main__":
    run(__name__)
