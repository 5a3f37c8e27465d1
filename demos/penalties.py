"""L2 and L1 penalties: λ too small overfits, λ too large underfits (L18).

A network of 20 hidden units is fitted to 14 noisy points of a sine, once for every λ, and tested
on 400 other points. The loss is the squared error plus λ Σ w² or λ Σ |w|, biases left out; λ is an
input of the lowered program, so that one program does the whole sweep. Prints and draws the errors:

    python demos/penalties.py [penalties.svg]
"""

from __future__ import annotations

import random
import sys
from typing import Any, NamedTuple

import numpy as np

from micrograd import no_grad
from micrograd.losses import l1, l2
from micrograd.lowering import Program, lower
from micrograd.nn import MLP
from micrograd.optim import Adam
from micrograd.schedules import cosine

STRENGTHS = [10.0**k for k in range(-6, 1)]
GRID = np.linspace(-1, 1, 120)


class Fit(NamedTuple):
    """What training with one λ gave."""

    strength: float
    train: float
    test: float
    weights: list[float]
    curve: list[float]  # on GRID


def data(count: int, seed: int) -> tuple[Any, Any]:
    """Return points x (count, 1) and y = sin 3x + noise of deviation 0.3."""
    rng = np.random.default_rng(seed)
    x = rng.uniform(-1, 1, (count, 1))
    return x, np.sin(3 * x[:, 0]) + rng.normal(0, 0.3, count)


def network() -> MLP:
    """Return a network whose hidden units are steep, so that it can bend around every point."""
    random.seed(5)
    model = MLP(1, [20, 1], activation="tanh", fused=True)
    for neuron in model.layers[0].neurons:
        neuron.w[0].data *= 8
        neuron.b.data = random.uniform(-8, 8)
    return model


def sweep(penalty: Any, strengths: list[float], steps: int) -> list[Fit]:
    """Train from the same start with every λ."""
    model, points, others = network(), data(14, seed=1), data(400, seed=2)
    program = lower(lambda x, y, λ: (model(x) - y) ** 2 + penalty(model, λ), [0.0], 0.0, 0.0)
    start = {name: array.copy() for name, array in program.parameters.items()}
    fits = []
    for strength in strengths:
        for name, array in start.items():
            program.parameters[name][...] = array
        train(program, points, strength, steps)
        program.write_back()
        errors = [program(*part, 0 * part[1]) for part in (points, others)]  # without the penalty
        with no_grad():
            curve = [model(x).data for x in GRID.tolist()]
        fits.append(Fit(strength, *errors, [w.data for w in model.weights()], curve))
    return fits


def train(program: Program, points: tuple[Any, Any], strength: float, steps: int) -> None:
    """Go down the gradient of error plus penalty, on all points at once."""
    optimizer = Adam(dict(program.parameters), lr=cosine(0.03, steps))
    for _ in range(steps):
        _, gradients = program.value_and_grad(*points, np.full(len(points[1]), strength))
        optimizer.step(gradients)


def show(name: str, fits: list[Fit]) -> None:
    """Print the errors of one penalty, and what became of the weights."""
    print(f"{name:14}λ   train error   test error   Σ w²   weights below 0.001")
    for fit in fits:
        w = np.abs(fit.weights)
        print(f"{fit.strength:15g} {fit.train:13.4f} {fit.test:12.4f} {w @ w:8.1f}"
              f" {(w < 1e-3).sum():9d} of {len(w)}")  # fmt: skip


def draw(sweeps: dict[str, list[Fit]], path: str) -> None:
    """Draw the errors against λ, and three of the fitted functions."""
    from figures import STYLES, panels, save

    figure, axes = panels(3)
    for panel, (name, fits) in zip(axes, sweeps.items()):
        for style, part in zip(STYLES, ("train", "test")):
            panel.loglog([f.strength for f in fits], [getattr(f, part) for f in fits], **style,
                         label=f"{part} error")  # fmt: skip
        panel.set(title=f"{name}: overfits ← λ → underfits", xlabel="λ", ylabel="mean (s − y)²")
        panel.legend()
    fits, panel = sweeps["L2"], axes[2]
    best = min(fits, key=lambda fit: fit.test)
    for style, fit in zip(STYLES, (fits[0], best, fits[-1])):
        panel.plot(GRID, fit.curve, **style | {"marker": ""}, label=f"λ = {fit.strength:g}")
    panel.plot(*data(14, seed=1), "ko", label="training points")
    panel.set(title="L2: too small, best, too large", xlabel="x", ylabel="s")
    panel.legend(fontsize=8)
    save(figure, path)


def main(path: str | None = None, steps: int = 1000, strengths: list[float] = STRENGTHS
         ) -> dict[str, list[Fit]]:  # fmt: skip
    """Sweep λ for both penalties; print and return the fits; draw them where a path is given."""
    sweeps = {name: sweep(kind, strengths, steps) for name, kind in (("L2", l2), ("L1", l1))}
    for name, fits in sweeps.items():
        show(name, fits)
    print("The train error rises with λ; the test error falls first, then rises with it.\n"
          "At its best λ, L1 has brought most weights to 0; L2 has made them small.")  # fmt: skip
    if path:
        draw(sweeps, path)
    return sweeps


if __name__ == "__main__":
    main(*sys.argv[1:2])
