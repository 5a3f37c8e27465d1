"""L2 and L1 penalties: λ too small overfits, λ too large underfits (L18).

J_R = J + λ Σ w² (the squared Frobenius norm, λ Σ ‖W‖²_F) or J + λ Σ |w|, biases left out. A network
of 20 hidden units is fitted to 14 noisy points of a sine, once for each λ, and tested on 400
others; λ is an input of the lowered program, so that one program does the whole sweep:

    python demos/penalties.py penalties.svg
"""

from __future__ import annotations

import random
from typing import Any, NamedTuple

import numpy as np
from stage import claim, run, t, table

from micrograd import no_grad
from micrograd.losses import l1, l2
from micrograd.lowering import Program, lower
from micrograd.nn import MLP
from micrograd.optim import Adam
from micrograd.schedules import cosine

STRENGTHS = [10.0**k for k in range(-6, 1)]
GRID = np.linspace(-1, 1, 81)
FIGURE = (
    "Train and test error against λ for L2 and L1, and three of the fits",
    "L2 与 L1 的训练误差和测试误差随 λ 的变化，以及三条拟合曲线",
)


class Fit(NamedTuple):
    """What training with one λ gave."""

    strength: float
    train: float
    test: float
    weights: list[float]
    curve: list[float]

    @property
    def zeros(self) -> int:
        """Return how many weights are 0 but for the last steps."""
        return sum(abs(w) < 1e-3 for w in self.weights)


class Measured(NamedTuple):
    """The fits of both penalties, by growing λ, and the training points."""

    l2: list[Fit]
    l1: list[Fit]
    points: Any

    @property
    def best(self) -> tuple[Fit, Fit]:
        """Return the fit with the smallest test error, of L2 and of L1."""
        return min(self.l2, key=lambda f: f.test), min(self.l1, key=lambda f: f.test)


def data(count: int, seed: int) -> tuple[Any, Any]:
    """Return points x (count, 1) and y = sin 3x + noise of deviation 0.3."""
    rng = np.random.default_rng(seed)
    x = rng.uniform(-1, 1, (count, 1))
    return x, np.sin(3 * x[:, 0]) + rng.normal(0, 0.3, count)


def network(seed: int) -> MLP:
    """Return a network whose hidden units are steep, so that it can bend around every point."""
    random.seed(seed)
    model = MLP(1, [20, 1], activation="tanh", fused=True)
    for neuron in model.layers[0].neurons:
        neuron.w[0].data *= 8
        neuron.b.data = random.uniform(-8, 8)
    return model


def sweep(penalty: Any, seed: int, steps: int) -> list[Fit]:
    """Train from the same start with every λ."""
    model, points, others = network(seed), data(14, seed), data(400, seed + 100)
    program = lower(lambda x, y, λ: (model(x) - y) ** 2 + penalty(model, λ), [0.0], 0.0, 0.0)
    start = {name: array.copy() for name, array in program.parameters.items()}
    fits = []
    for strength in STRENGTHS:
        for name, array in start.items():
            program.parameters[name][...] = array
        train(program, points, strength, steps)
        program.write_back()
        errors = [float(program(*part, 0 * part[1])) for part in (points, others)]
        with no_grad():
            curve = [model(x).data for x in GRID.tolist()]
        fits.append(Fit(strength, *errors, [w.data for w in model.weights()], curve))
    return fits


def train(program: Program, points: Any, strength: float, steps: int) -> None:
    """Go down the gradient of error plus penalty, on all points at once."""
    optimizer = Adam(dict(program.parameters), lr=cosine(0.05, steps))
    for _ in range(steps):
        optimizer.step(program.value_and_grad(*points, np.full(len(points[1]), strength))[1])


def measure(seed: int = 1, steps: int = 600) -> Measured:
    """Sweep λ for both penalties."""
    return Measured(sweep(l2, seed, steps), sweep(l1, seed, steps), data(14, seed))


def show(r: Measured) -> None:
    """Print the errors, and what became of the weights."""
    titles = (
        t("train error", "训练误差"),
        t("test error", "测试误差"),
        "Σ w²",
        t("zeros of 40", "40 个中的 0"),
    )
    for name, fits in (("λ, L2", r.l2), ("λ, L1", r.l1)):
        rows = []
        for f in fits:
            squares = sum(w * w for w in f.weights)
            rows.append(
                [f"{f.strength:g}", f"{f.train:.4f}", f"{f.test:.4f}", f"{squares:.1f}", f.zeros]
            )
        table([name, *titles], *rows)


@claim(
    "The train error is smallest at the smallest λ and largest at the largest.",
    "训练误差在最小的 λ 处最小，在最大的 λ 处最大。",
)
def the_train_error_rises(r: Measured) -> bool:
    return all(
        f[0].train < 1.05 * min(x.train for x in f) and f[-1].train == max(x.train for x in f)
        for f in (r.l2, r.l1)
    )


@claim(
    "The test error is best in between: {r.best[0].test:.2f} at λ = {r.best[0].strength:g} (L2) and "
    "{r.best[1].test:.2f} at {r.best[1].strength:g} (L1).",
    "测试误差在中间最好：λ = {r.best[0].strength:g} 时 {r.best[0].test:.2f}（L2），"
    "{r.best[1].strength:g} 时 {r.best[1].test:.2f}（L1）。",
)
def the_test_error_is_best_in_between(r: Measured) -> bool:
    return all(fits[0].test > best.test < fits[-1].test for fits, best in zip(r, r.best))


@claim(
    "At its best λ, L1 has brought {r.best[1].zeros} of 40 weights to 0, L2 {r.best[0].zeros}.",
    "在各自最好的 λ 处，L1 把 40 个权重中的 {r.best[1].zeros} 个压到 0，L2 压了 {r.best[0].zeros} 个。",
)
def l1_makes_weights_0(r: Measured) -> bool:
    return r.best[1].zeros > r.best[0].zeros and len(r.best[0].weights) == 40


def draw(r: Measured) -> Any:
    """Draw the errors against λ, and three of the fitted functions."""
    from figures import STYLES, panels

    figure, axes = panels(3)
    for panel, name, fits in zip(axes, ("L2", "L1"), r):
        for style, part, label in zip(
            STYLES, ("train", "test"), (t("train", "训练"), t("test", "测试"))
        ):
            panel.loglog(STRENGTHS, [getattr(f, part) for f in fits], **style, label=label)
        panel.set(
            title=name,
            xlabel="λ",
            ylabel=t("mean (s − y)²", "平均 (s − y)²"),
            xticks=[1e-6, 1e-3, 1],
        )
        panel.legend()
    for style, fit in zip(STYLES, (r.l2[0], r.best[0], r.l2[-1])):
        axes[2].plot(GRID, fit.curve, **style | {"marker": ""}, label=f"λ = {fit.strength:g}")
    axes[2].plot(*r.points, "ko", markersize=9)
    axes[2].set(
        title=t("L2: too small, best, too large", "L2：过小、最好、过大"),
        xlabel="x",
        ylim=(-2, 2.6),
    )
    axes[2].legend(loc="upper left")
    return figure


if __name__ == "__main__":
    run(__name__)
