"""Learning rates: every schedule drawn, and a rate too large diverges (L23).

A linear neuron fits ten points by gradient descent. Its loss is quadratic, so the Hessian tells
beforehand which rates converge: those below 2/λ, λ its largest eigenvalue. Rates are tried by
powers of ten.

    python demos/learning_rates.py [learning_rates.svg]
"""

from __future__ import annotations

import random
import sys

import numpy as np

from micrograd import Value, hessian, mean
from micrograd import schedules as s
from micrograd.nn import MLP, Neuron
from micrograd.optim import SGD, fan_in_groups

STEPS = 200  # of a schedule
SCHEDULES: dict[str, s.Schedule] = {
    "constant": s.constant(0.6),
    "step: halved every 50": s.step(1.0, 50),
    "exponential α₀e^(−kt)": s.exponential(1.0, 0.02),
    "inverse α₀τ/max(t, τ)": s.inverse(1.0, 40),
    "triangular (cyclical)": s.triangular(0.1, 1.0, 25),
    "linear": s.linear(1.0, 0.1, 160),
    "cosine": s.cosine(1.0, 160),
    "one_cycle": s.one_cycle(1.0, STEPS),
    "warm_up of cosine": s.warm_up(s.cosine(1.0, STEPS), 40),
    "composed: constant, inverse": s.composed((80, s.constant(0.8)), s.inverse(0.8, 20)),
    "by_epoch of exponential": s.by_epoch(s.exponential(1.0, 0.4), 25),
}
RATES = (0.001, 0.01, 0.1, 1.0, 10.0)


def plateau(steps: int = STEPS) -> list[float]:
    """Return the rates of a Plateau whose loss stops improving at step 60."""
    schedule, rates = s.Plateau(1.0, factor=0.5, patience=20), []
    for t in range(steps):
        rates.append(schedule(t))
        schedule.report(max(1.0 - t / 60, 0.0))
    return rates


def fit(rate: float, steps: int = 60) -> tuple[list[float], float]:
    """Return the losses of a linear neuron at this rate, and the bound 2/λ."""
    random.seed(23)
    points = [[random.gauss(0, 1.2), random.gauss(0, 0.6)] for _ in range(10)]
    neuron = Neuron(2, nonlin=False)

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


def table(losses: dict[float, list[float]], bound: float) -> None:
    """Print the losses by rate, and what fan-in scaling makes of a rate."""
    print(f"{'rate':>8}{'first loss':>13}{'last loss':>13}")
    for rate, column in losses.items():
        print(f"{rate:8g}{column[0]:13.3g}{column[-1]:13.3g}" + "  diverges" * (rate > bound))
    print(f"Rates above 2/λ = {bound:.3g} diverge, those far below it crawl.\n")
    groups = fan_in_groups(MLP(300, [25, 1]))
    for group in (groups[0], groups[-1]):
        fan_in = len(group["params"]) - 1
        print(f"rate of a neuron with {fan_in:3d} inputs: α × {group['scale']:.3f} = α/√{fan_in}")


def draw(losses: dict[float, list[float]], bound: float, path: str) -> None:
    """Draw a panel for each schedule, and the losses of each rate."""
    from figures import BLUE, STYLES, panels, save

    curves = {name: [f(t) for t in range(STEPS)] for name, f in SCHEDULES.items()}
    curves["Plateau: loss stalls at 60"] = plateau()
    figure, axes = panels(4, 4, width=3.6, height=2.3)
    for panel, (name, rates) in zip(axes, curves.items()):
        panel.plot(rates, color=BLUE)
        panel.set(title=name, ylim=(0, 1.08), xlabel="step t", ylabel="rate α")
    for panel in axes[len(curves) :]:
        panel.remove()
    below = figure.add_subplot(axes[0].get_gridspec()[3, :])
    for (rate, column), style in zip(losses.items(), STYLES):
        below.semilogy(column, label=f"α = {rate:g}", markevery=5, **style)
    below.set(title=f"gradient descent on a linear neuron: rates above 2/λ = {bound:.2g} diverge",
              xlabel="step t", ylabel="loss", ylim=(1e-3, 1e3))  # fmt: skip
    below.legend(loc="upper right", ncols=5)
    below.grid(alpha=0.25)
    save(figure, path)


def main(path: str | None = None, steps: int = 60) -> tuple[dict[float, list[float]], float]:
    """Print the table; draw the figure where a path is given; return the losses and the bound."""
    losses = {rate: fit(rate, steps)[0] for rate in RATES}
    bound = fit(RATES[0], 0)[1]
    table(losses, bound)
    if path:
        draw(losses, bound, path)
    return losses, bound


if __name__ == "__main__":
    main(*sys.argv[1:2])
