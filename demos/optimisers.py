"""The paths of the optimisers over one surface (L24).

Descent x ← x − α∇; momentum v ← μv − α∇, x ← x + v; AdaGrad divides by the root of all squares so
far, √Σ∇²; RMSProp by that of their moving average; Adam does the same for a moving average of ∇,
m̂ / (√v̂ + ε). The surface is a valley, 40 times as curved across as along:

    python demos/optimisers.py optimisers.svg
"""

from __future__ import annotations

import math
import random
from typing import Any, NamedTuple

import numpy as np
from stage import claim, run, t, table

from micrograd import Value
from micrograd.optim import SGD, AdaGrad, Adam, RMSProp

STEPS = 80
OPTIMISERS: dict[str, Any] = {
    "SGD": lambda p: SGD(p, lr=0.35),
    "momentum": lambda p: SGD(p, lr=0.1, momentum=0.8),
    "Nesterov": lambda p: SGD(p, lr=0.1, momentum=0.8, nesterov=True),
    "AdaGrad": lambda p: AdaGrad(p, lr=1.0),
    "RMSProp": lambda p: RMSProp(p, lr=0.15, decay=0.95),
    "Adam": lambda p: Adam(p, lr=0.5),
}
FIGURE = (
    "The paths of six optimisers over one valley, and the losses on them",
    "六种优化器在同一山谷中的路径与损失",
)


class Measured(NamedTuple):
    """Where each optimiser came by, (x, y, loss) for each step; its first step; momentum by hand."""

    paths: dict[str, list[tuple[float, float, float]]]
    by_hand: list[tuple[float, float]]

    @property
    def first(self) -> dict[str, tuple[float, float]]:
        """Return the size of the first step of each, along and across the valley."""
        return {n: (abs(p[1][0] - p[0][0]), abs(p[1][1] - p[0][1])) for n, p in self.paths.items()}

    @property
    def last(self) -> dict[str, float]:
        """Return the last loss of each."""
        return {name: path[-1][2] for name, path in self.paths.items()}


def surface(x: Any, y: Any) -> Any:
    """Return the height of a valley along x, of Values or of arrays."""
    return 0.05 * x**2 + 2.0 * y**2


def path_of(name: str, start: tuple[float, float]) -> list[tuple[float, float, float]]:
    """Return where the optimiser comes by, and the losses."""
    x, y = map(Value, start)
    optimizer, path = OPTIMISERS[name]([x, y]), []
    for _ in range(STEPS + 1):
        loss = surface(x, y)
        path.append((x.data, y.data, loss.data))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return path


def momentum(x: float, y: float) -> list[tuple[float, float]]:
    """Return the path of v ← μv − α∇, x ← x + v, as the notes write it."""
    path, v = [(x, y)], (0.0, 0.0)
    for _ in range(STEPS):
        v = 0.8 * v[0] - 0.1 * 0.1 * x, 0.8 * v[1] - 0.1 * 4 * y
        x, y = x + v[0], y + v[1]
        path.append((x, y))
    return path


def measure(seed: int = 24) -> Measured:
    """Send all of them off from the same point."""
    rng = random.Random(seed)
    start = -rng.uniform(6.5, 7.5), rng.uniform(1.4, 1.8)
    return Measured({name: path_of(name, start) for name in OPTIMISERS}, momentum(*start))


def show(r: Measured) -> None:
    """Print the losses on the way."""
    places = (0, 5, 10, 20, 40, 80)
    table(
        [t("loss after step", "第几步的损失"), *places],
        *([name, *(f"{path[p][2]:.1e}" for p in places)] for name, path in r.paths.items()),
    )


@claim(
    "SGD is the slowest of all: the steep direction bounds its rate, and the flat one waits.",
    "SGD 最慢：陡的方向限制了它的学习率，平的方向只能等。",
)
def sgd_is_the_slowest(r: Measured) -> bool:
    return (
        max(r.last, key=r.last.__getitem__) == "SGD"
        and max(r.last.values()) < 0.05 * r.paths["SGD"][0][2]
    )


@claim(
    "AdaGrad, RMSProp and Adam begin with steps of one size in both directions; SGD's first step "
    "is {r.first[SGD][1]:.1f} across and {r.first[SGD][0]:.1f} along.",
    "AdaGrad、RMSProp、Adam 的第一步在两个方向上一样大；SGD 的第一步横向 {r.first[SGD][1]:.1f}，"
    "纵向 {r.first[SGD][0]:.1f}。",
)
def adaptive_steps_are_of_one_size(r: Measured) -> bool:
    pairs = [r.first[name] for name in ("AdaGrad", "RMSProp", "Adam")]
    return (
        all(math.isclose(*pair, rel_tol=1e-6) for pair in pairs)
        and r.first["SGD"][1] > 5 * r.first["SGD"][0]
    )


@claim(
    "Momentum's path is the notes' v ← μv − α∇, x ← x + v, step by step.",
    "动量法的路径逐步等于讲义的 v ← μv − α∇，x ← x + v。",
)
def momentum_is_the_notes(r: Measured) -> bool:
    pairs = zip(r.paths["momentum"], r.by_hand)
    return all(abs(a[i] - b[i]) < 1e-12 for a, b in pairs for i in (0, 1))


def draw(r: Measured) -> Any:
    """Draw the paths over the surface, and the losses."""
    from figures import STYLES, panels

    figure, axes = panels(2)
    x, y = np.meshgrid(np.linspace(-8, 3, 80), np.linspace(-2, 2, 80))
    axes[0].contour(
        x, y, surface(x, y), levels=np.geomspace(0.02, 8, 9), colors="#9ca3af", linewidths=1
    )
    for (name, path), style in zip(r.paths.items(), STYLES):
        xs, ys, losses = zip(*path)
        axes[0].plot(xs, ys, label=name, **style | {"markersize": 5, "linewidth": 2})
        axes[1].semilogy(losses, markevery=10, **style)
    axes[0].set(title="0.05 x² + 2 y²", xlabel="x", ylabel="y", ylim=(-2, 2))
    axes[1].set(
        title=t("loss on these paths", "路径上的损失"),
        xlabel=t("step", "步"),
        ylabel="J",
        ylim=(1e-6, 20),
    )
    figure.legend(loc="outside lower center", ncols=6)
    return figure


if __name__ == "__main__":
    run(__name__)
