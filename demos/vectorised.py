"""One matrix product in place of a loop over word vectors, and what lowering makes of it (L25).

The lecture's case: the scores Wx of 5 classes for 500 windows of 300 numbers, for one vector at a
time, [W x for x in X], or all at once, X Wᵀ. Beside it the same classifier written over single
numbers, as the engine runs it and as lowering runs it: loss and all gradients. CPU times differ
from run to run; the numbers that come out do not:

    python demos/vectorised.py vectorised.svg
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any, NamedTuple

from stage import claim, run, t, table  # before NumPy: it asks for one thread

# isort: split
import numpy as np
from timing import cpu_seconds

from micrograd import mean, no_grad
from micrograd.losses import cross_entropy
from micrograd.lowering import Program, lower
from micrograd.nn import SoftmaxClassifier

SIZES = (500, 300, 5)  # windows, numbers in each, classes
NAMES = {
    "engine": ("engine, number by number", "引擎，逐个数"),
    "loop": ("loop over word vectors", "逐个词向量循环"),
    "product": ("one matrix product", "一次矩阵乘法"),
    "single": ("lowered, window by window", "降级程序，逐个窗口"),
    "batch": ("lowered, one batch", "降级程序，整批"),
}
FIGURE = (
    "CPU time of the ways to compute scores, and all gradients, of 500 windows",
    "计算 500 个窗口的得分与全部梯度的几种做法的 CPU 时间",
)
Ways = dict[str, Callable[[], Any]]


class Measured(NamedTuple):
    """CPU times of each way to the scores and to the gradients, and how far results are apart."""

    scores: dict[str, float]
    gradients: dict[str, float]
    apart: float

    @property
    def speedup(self) -> float:
        """Return how many times faster the product is than the loop."""
        return self.scores["loop"] / self.scores["product"]


def scores(model: SoftmaxClassifier, W: Any, xs: Any) -> Ways:
    """Return the ways to compute Wx of every window; the biases are still 0."""

    def engine() -> Any:
        with no_grad():
            return [[score.data for score in model(x)] for x in xs.tolist()]

    return {"engine": engine, "loop": lambda: [W @ x for x in xs], "product": lambda: xs @ W.T}


def gradients(model: SoftmaxClassifier, program: Program, xs: Any, targets: Any) -> Ways:
    """Return the ways to compute ∂J/∂W of the mean loss J, with all that belongs to it."""

    def engine() -> Any:
        model.zero_grad()
        mean([cross_entropy(model(x), q) for x, q in zip(xs.tolist(), targets.tolist())]).backward()
        return [[w.grad for w in neuron.w] for neuron in model.layer.neurons]

    def lowered(xs: Any, targets: Any) -> Any:
        return program.value_and_grad(xs, targets)[1]["W"].copy()

    def single() -> Any:
        return sum(lowered(x[None], q[None]) for x, q in zip(xs, targets)) / len(xs)

    return {"engine": engine, "single": single, "batch": lambda: lowered(xs, targets)}


def measure(seed: int = 25, sizes: tuple[int, int, int] = SIZES) -> Measured:
    """Time every way, and compare what comes out."""
    windows, dim, classes = sizes
    random.seed(seed)
    model, rng = SoftmaxClassifier(dim, classes, fused=True), np.random.default_rng(seed)
    xs, targets = (
        rng.normal(size=(windows, dim)),
        np.eye(classes)[rng.integers(0, classes, windows)],
    )
    program = lower(lambda x, q: cross_entropy(model(x), q), xs[0], targets[0])
    both = scores(model, program.parameters["W"], xs), gradients(model, program, xs, targets)
    times = [{name: cpu_seconds(way, 0.3) for name, way in ways.items()} for ways in both]
    found = [[np.array(way()) for way in ways.values()] for ways in both]
    apart = max(float(np.abs(one - of[-1]).max()) for of in found for one in of)
    return Measured(*times, apart)


def show(r: Measured) -> None:
    """Print the times, and how many of the last way each one takes."""
    titles = t("scores of all windows", "全部窗口的得分"), t("loss and gradients", "损失与梯度")
    for title, times in zip(titles, r[:2]):
        last = list(times.values())[-1]
        table(
            [title, t("CPU time", "CPU 时间"), t("times the last", "为最后一种的倍数")],
            *(
                [t(*NAMES[name]), f"{1e6 * took:.0f} µs", f"{took / last:.0f}×"]
                for name, took in times.items()
            ),
        )


@claim("The same numbers come out of all of them.", "各种做法得到的数相同。")
def all_ways_agree(r: Measured) -> bool:
    return r.apart < 1e-9


@claim(
    "The product is {r.speedup:.0f} times as fast as the loop; the lecture measured 639 µs and "
    "53.8 µs, a factor of 12.",
    "矩阵乘法比循环快 {r.speedup:.0f} 倍；讲课时测得 639 µs 与 53.8 µs，相差 12 倍。",
)
def the_product_is_faster(r: Measured) -> bool:
    return r.speedup > 1 and round(639 / 53.8) == 12


@claim(
    "Lowering derives the batch from the classifier's single numbers: it is the fastest way to "
    "the gradients.",
    "降级从逐个数写成的分类器推导出整批计算：它是求梯度最快的做法。",
)
def lowering_is_fastest(r: Measured) -> bool:
    return min(r.gradients, key=r.gradients.__getitem__) == "batch"


def draw(r: Measured) -> Any:
    """Draw the times as bars on a logarithmic axis."""
    from figures import BLUE, ORANGE, panels

    figure, axes = panels(1, 2)
    titles = (
        t("scores of all windows", "全部窗口的得分"),
        t("loss and all gradients", "损失与全部梯度"),
    )
    for panel, times, title, color in zip(axes, r[:2], titles, (BLUE, ORANGE)):
        micros = [1e6 * took for took in times.values()]
        bars = panel.barh([t(*NAMES[name]) for name in times], micros, color=color, height=0.6)
        panel.bar_label(bars, [f"{number:,.0f} µs" for number in micros], padding=5)
        panel.invert_yaxis()
        panel.set(
            title=title, xscale="log", xlim=(10, 1e8), xlabel=t("CPU time in µs", "CPU 时间（µs）")
        )
    return figure


if __name__ == "__main__":
    run(__name__)
