"""The output bias at its optimum for zero weights: the mean, or the inverse sigmoid of it (L35).

With weights 0 the output is the bias alone. The best constant for squared errors is the mean of the
targets, b = ȳ; for the logistic loss it is σ⁻¹(ȳ) = log(ȳ / (1 − ȳ)). With small random weights
such a start is nearly as good, and the first steps need not look for it:

    python demos/output_bias.py output_bias.svg
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any, NamedTuple

from stage import claim, run, t, table

from micrograd import Value, mean
from micrograd.init import initialise
from micrograd.nn import MLP
from micrograd.optim import SGD

FIGURE = (
    "The loss while training, from the bias 0 and from the best constant",
    "从偏置 0 与从最佳常数出发的训练损失",
)
Loss = Callable[[Value, float], Value]


def squared(out: Value, y: float) -> Value:
    """Return (y − out)²."""
    return (out - y) ** 2


def logistic(out: Value, y: float) -> Value:
    """Return −log p(y) for p = σ(out)."""
    return (out * (1 - 2 * y)).softplus()


def optimum(kind: Loss, targets: list[float]) -> float:
    """Return the best constant output: the mean, or its inverse sigmoid."""
    p = sum(targets) / len(targets)
    return p if kind is squared else Value(p / (1 - p)).log().data


class Start(NamedTuple):
    """The bias, the slope of the loss by it at zero weights, and the losses of each step."""

    bias: float
    slope: float
    losses: list[float]


class Measured(NamedTuple):
    """Both losses, each begun from the bias 0 and from its optimum."""

    squared: tuple[Start, Start]
    logistic: tuple[Start, Start]


def begun(kind: Loss, points: list[Any], bias: float, seed: int, steps: int) -> Start:
    """Train a network whose output bias begins at `bias`."""
    model = initialise(MLP(2, [6, 1], "tanh", fused=True), "xavier_uniform", seed)
    for weight in model.layers[-1].neurons[0].w:
        weight.data *= 0.1
    last = model.layers[-1].neurons[0].b
    last.data = bias
    constant = Value(bias)
    mean([kind(constant, y) for _, y in points]).backward()
    optimizer, losses = SGD(model.parameters(), lr=0.05), []
    for _ in range(steps):
        loss = mean([kind(model(x), y) for x, y in points])
        losses.append(loss.data)
        model.zero_grad()
        loss.backward()
        optimizer.step()
    return Start(bias, constant.grad, losses)


def data(seed: int, count: int = 40) -> tuple[list[Any], list[Any]]:
    """Return inputs with targets around 5, and with labels, most of them 1."""
    rng = random.Random(seed)
    xs = [[rng.gauss(0, 1), rng.gauss(0, 1)] for _ in range(count)]
    numbers = [(x, 5 + x[0] + rng.gauss(0, 0.3)) for x in xs]
    lowest = sorted(xs)[count // 10]  # a tenth of the labels is 0
    return numbers, [(x, float(x > lowest)) for x in xs]


def measure(seed: int = 1, steps: int = 30) -> Measured:
    """Begin each kind twice."""
    kinds = []
    for kind, points in zip((squared, logistic), data(seed)):
        best = optimum(kind, [y for _, y in points])
        kinds.append(tuple(begun(kind, points, b, seed, steps) for b in (0.0, best)))
    return Measured(*kinds)


def show(r: Measured) -> None:
    """Print biases, slopes and losses."""
    names = t("squared error", "平方误差"), t("logistic loss", "逻辑损失")
    table(
        [
            t("loss", "损失"),
            "b",
            "∂J/∂b (W = 0)",
            t("first loss", "最初损失"),
            t("last loss", "最后损失"),
        ],
        *(
            [
                name,
                f"{s.bias:.3f}",
                f"{round(s.slope, 3) + 0:.3f}",
                f"{s.losses[0]:.3f}",
                f"{s.losses[-1]:.3f}",
            ]
            for name, both in zip(names, r)
            for s in both
        ),
    )


@claim(
    "At the optimum the slope of the loss by the bias is 0: no other constant is better.",
    "在最优处损失对偏置的斜率为 0：没有更好的常数。",
)
def the_slope_is_0_at_the_optimum(r: Measured) -> bool:
    return all(abs(best.slope) < 1e-12 and abs(zero.slope) > 0.1 for zero, best in r)


@claim(
    "The first loss falls from {r.squared[0].losses[0]:.2f} to {r.squared[1].losses[0]:.2f}, and "
    "from {r.logistic[0].losses[0]:.2f} to {r.logistic[1].losses[0]:.2f}, by the bias alone.",
    "单靠偏置，最初的损失从 {r.squared[0].losses[0]:.2f} 降到 {r.squared[1].losses[0]:.2f}，"
    "从 {r.logistic[0].losses[0]:.2f} 降到 {r.logistic[1].losses[0]:.2f}。",
)
def the_first_loss_is_lower(r: Measured) -> bool:
    return all(best.losses[0] < 0.95 * zero.losses[0] for zero, best in r)


def draw(r: Measured) -> Any:
    """Draw the losses."""
    from figures import STYLES, panels

    figure, axes = panels(2)
    for panel, both, name in zip(
        axes, r, (t("squared error", "平方误差"), t("logistic loss", "逻辑损失"))
    ):
        for style, start in zip(STYLES, both):
            panel.plot(start.losses, label=f"b = {start.bias:.2f}", markevery=3, **style)
        panel.set(title=name, xlabel=t("step", "步"), ylabel="J", ylim=(0, None))
        panel.legend()
    return figure


if __name__ == "__main__":
    run(__name__)
