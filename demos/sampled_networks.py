"""The networks that dropout samples, their mean, and the full network that stands for it (L19).

Each mask draws another network out of the whole one, all with shared weights. The mean of what
they say is E[y] ≈ (1/M) Σ f(x, θₘ); the full network, its units scaled as in training, is close to
that mean and costs one pass in place of M:

    python demos/sampled_networks.py sampled_networks.svg
"""

from __future__ import annotations

import random
from typing import Any, NamedTuple

import numpy as np
from stage import claim, run, t, table

from micrograd import Value
from micrograd.lowering import lower
from micrograd.nn import Dropout, Layer, Module
from micrograd.optim import Adam
from micrograd.schedules import cosine

P, UNITS = 0.9, 40
FIGURE = (
    "The outputs of sampled networks, their mean, and the full network",
    "抽样网络的输出、它们的平均，以及完整网络",
)


class Network(Module):
    """One hidden layer of relu units, their corners all over the points; a mask for the units."""

    def __init__(self, seed: int) -> None:
        random.seed(seed)
        self.first = Layer(1, UNITS, fused=True)
        self.last = Layer(UNITS, 1, nonlin=False, fused=True)
        for unit in self.first.neurons:
            unit.w[0].data = random.choice((-4.0, 4.0))
            unit.b.data = random.uniform(-4, 4)
        for weight in self.last.neurons[0].w:
            weight.data *= 0.3

    def __call__(self, x: Any, mask: Any = (1.0,) * UNITS) -> Value:
        return self.last([h * m for h, m in zip(self.first(x), mask)])

    def outputs(self, x: Any, masks: Any) -> Any:
        """Return the outputs of every x under every mask, (masks, x), over arrays."""
        units = self.first.neurons
        w, b = (
            np.array([f(unit) for unit in units])
            for f in (lambda u: u.w[0].data, lambda u: u.b.data)
        )
        last = self.last.neurons[0]
        h = np.maximum(np.outer(x, w) + b, 0)
        return masks * [v.data for v in last.w] @ h.T + last.b.data


def data(count: int, seed: int) -> tuple[Any, Any]:
    """Return points of y = sin 4x + noise, half of them left of a gap, half right of it."""
    rng = np.random.default_rng(seed)
    left, right = rng.uniform(-1, -0.3, count // 2), rng.uniform(0.2, 0.6, count - count // 2)
    x = np.concatenate([left, right])
    return x, np.sin(4 * x) + rng.normal(0, 0.2, count)


def trained(seed: int, steps: int = 800, count: int = 40) -> Network:
    """Return a network trained on all points at once, with fresh masks for each at each step."""
    model, dropout, (x, y) = Network(seed), Dropout(P, seed=seed), data(count, seed + 10)
    program = lower(lambda x, y, mask: (model([x], mask) - y) ** 2, 0.5, 0.5, [1.0] * UNITS)
    optimizer = Adam(dict(program.parameters), lr=cosine(0.03, steps))
    for _ in range(steps):
        masks = np.array(dropout.masks(count, UNITS))
        optimizer.step(program.value_and_grad(x, y, masks)[1])
    program.write_back()
    return model


class Measured(NamedTuple):
    """Test errors, and curves: x, the full network, the mean, and some sampled networks."""

    one: float
    averaged: float
    full: float
    curves: Any
    points: Any


def measure(seed: int = 1, samples: int = 200) -> Measured:
    """Train a network, sample networks from it, and test them all."""
    model, (x, y) = trained(seed), data(200, seed + 20)
    masks, whole = np.array(Dropout(P, seed=seed).masks(samples, UNITS)), np.ones((1, UNITS))
    outs, grid = model.outputs(x, masks), np.linspace(-1.1, 0.7, 121)
    guesses = outs, outs.mean(0), model.outputs(x, whole)
    errors = [float(((guess - y) ** 2).mean()) for guess in guesses]
    drawn = model.outputs(grid, masks)
    curves = [grid, model.outputs(grid, whole)[0], drawn.mean(0), *drawn[:6]]
    return Measured(*errors, curves, data(40, seed + 10))


def show(r: Measured) -> None:
    """Print the errors."""
    table(
        ["", t("test error", "测试误差")],
        [t("one sampled network", "一个抽样网络"), f"{r.one:.4f}"],
        [t("mean of sampled networks", "抽样网络的平均"), f"{r.averaged:.4f}"],
        [t("the full network", "完整网络"), f"{r.full:.4f}"],
    )


@claim(
    "The mean of sampled networks errs less ({r.averaged:.3f}) than one of them ({r.one:.3f}).",
    "抽样网络的平均误差（{r.averaged:.3f}）小于单个抽样网络（{r.one:.3f}）。",
)
def the_mean_is_better_than_one(r: Measured) -> bool:
    return r.averaged < 0.9 * r.one


@claim(
    "The full network stands for that mean: {r.full:.3f}, within a tenth of it.",
    "完整网络代表了这个平均：{r.full:.3f}，相差不到十分之一。",
)
def the_full_network_is_the_mean(r: Measured) -> bool:
    return abs(r.full - r.averaged) < 0.1 * r.averaged


def draw(r: Measured) -> Any:
    """Draw sampled networks in grey, their mean and the full network."""
    from figures import BLUE, GREY, ORANGE, panels

    figure, (panel,) = panels()
    x, full, mean, *sampled = r.curves
    lines = panel.plot(x, np.transpose(sampled), color=GREY, linewidth=1.5, alpha=0.7)
    lines[0].set_label(t("sampled networks", "抽样网络"))
    panel.plot(x, mean, color=BLUE, linewidth=4, label=t("their mean", "它们的平均"))
    panel.plot(x, full, "--", color=ORANGE, linewidth=4, label=t("full network", "完整网络"))
    panel.plot(*r.points, "k.", markersize=12, label=t("training points", "训练点"))
    panel.set(xlabel="x", ylabel="y", ylim=(-2, 2), title=t(*FIGURE))
    panel.legend(loc="upper center")
    return figure


if __name__ == "__main__":
    run(__name__)
