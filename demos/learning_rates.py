"""Learning rates: too small crawls, too large diverges, and the bound between them (L23).

θ ← θ − α∇J on a linear neuron and ten points. J is quadratic, so the Hessian tells beforehand which
rates converge: those below 2/λ, λ its largest eigenvalue. Rates are tried by powers of ten, and one
just below and just above the bound; dividing α by √fan_in makes one rate fit units of all sizes:

    python demos/learning_rates.py learning_rates.svg
"""

from __future__ import annotations

import random
from typing import Any, NamedTuple

import numpy as np
from stage import claim, run, t, table

from micrograd import Value, hessian, mean
from micrograd.nn import MLP, Neuron
from micrograd.optim import SGD, fan_in_groups

RATES, STEPS = (0.001, 0.01, 0.1, 1.0, 10.0), 60
FIGURE = (
    "The loss while training, for rates below and above 2/λ",
    "学习率小于与大于 2/λ 时训练中的损失",
)


class Measured(NamedTuple):
    """The losses by rate, the bound 2/λ, and 1/√fan_in of two units."""

    losses: dict[float, list[float]]
    bound: float
    below: list[float]
    above: list[float]
    scales: dict[int, float]

    @property
    def diverged(self) -> list[float]:
        """Return the rates whose loss has grown."""
        return [rate for rate, losses in self.losses.items() if losses[-1] > losses[0]]


def descent(rate: float, seed: int, steps: int = STEPS) -> tuple[list[float], float]:
    """Return the losses of a linear neuron at this rate, and the bound 2/λ."""
    rng = random.Random(seed)
    points = [[rng.gauss(0, 1.2), rng.gauss(0, 0.6)] for _ in range(10)]
    neuron = Neuron(2, nonlin=False)
    for value in neuron.parameters():
        value.data = rng.uniform(-1, 1)

    def loss() -> Value:
        return mean([(neuron(p) - (2 * p[0] - p[1])) ** 2 for p in points])

    curvatures = np.linalg.eigvalsh(hessian(loss(), neuron.parameters()))
    optimizer, losses = SGD(neuron.parameters(), lr=rate), []
    for _ in range(steps + 1):
        now = loss()
        losses.append(now.data)
        neuron.zero_grad()
        now.backward()
        optimizer.step()
    return losses, 2 / float(curvatures[-1])


def measure(seed: int = 23) -> Measured:
    """Try the rates, and two beside the bound."""
    bound = descent(0.01, seed, 0)[1]
    groups = fan_in_groups(MLP(300, [25, 1]))
    scales = {len(g["params"]) - 1: g["scale"] for g in (groups[0], groups[-1])}
    beside = [descent(factor * bound, seed, 300)[0] for factor in (0.97, 1.03)]
    return Measured({rate: descent(rate, seed)[0] for rate in RATES}, bound, *beside, scales)


def show(r: Measured) -> None:
    """Print the losses by rate, and what fan-in scaling makes of a rate."""
    table(
        ["α", t("first loss", "最初损失"), t("last loss", "最后损失")],
        *(
            [f"{rate:g}", f"{losses[0]:.3g}", f"{losses[-1]:.3g}"]
            for rate, losses in r.losses.items()
        ),
    )
    for fan_in, scale in r.scales.items():
        print(f"fan_in {fan_in}: α × {scale:.4f}")


@claim(
    "Of the powers of ten just those above 2/λ = {r.bound:.2f} diverge.",
    "在这些十的幂中，发散的恰好是大于 2/λ = {r.bound:.2f} 的那些。",
)
def rates_above_the_bound_diverge(r: Measured) -> bool:
    return r.diverged == [rate for rate in RATES if rate > r.bound] != []


@claim(
    "3 % below the bound descent converges, 3 % above it the loss grows.",
    "比界限低 3 % 时收敛，高 3 % 时损失增大。",
)
def the_bound_is_sharp(r: Measured) -> bool:
    return r.below[-1] < 0.5 * r.below[0] and r.above[-1] > 10 * r.above[0]


@claim(
    "A rate a thousand times too small has hardly begun after 60 steps.",
    "小一千倍的学习率，60 步之后几乎还没开始。",
)
def small_rates_crawl(r: Measured) -> bool:
    crawl, good = r.losses[0.001], r.losses[0.1]
    return STEPS == 60 and crawl[-1] > 0.5 * crawl[0] and good[-1] < 0.05 * good[0]


@claim(
    "Fan-in scaling divides by the root: 1/√300 and 1/√25.",
    "按 fan-in 缩放就是除以平方根：1/√300 与 1/√25。",
)
def fan_in_scales_by_the_root(r: Measured) -> bool:
    return all(abs(r.scales[n] - n**-0.5) < 1e-12 for n in (300, 25))


def draw(r: Measured) -> Any:
    """Draw the losses of each rate; those that diverge leave through the top."""
    from figures import STYLES, panels

    figure, (panel,) = panels()
    for (rate, losses), style in zip(r.losses.items(), STYLES):
        panel.semilogy(losses, label=f"α = {rate:g}", markevery=5, **style)
    panel.semilogy(
        r.above[: STEPS + 1],
        label=f"α = {1.03 * r.bound:.2f} = 1.03 · 2/λ",
        markevery=5,
        **STYLES[5],
    )
    panel.set(
        title=t(
            f"rates above 2/λ = {r.bound:.2f} diverge", f"大于 2/λ = {r.bound:.2f} 的学习率发散"
        ),
        xlabel=t("step", "步"),
        ylabel="J",
        ylim=(1e-6, 1e8),
    )
    figure.legend(loc="outside right center")
    return figure


if __name__ == "__main__":
    run(__name__)
