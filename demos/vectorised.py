"""One matrix product in place of a loop over word vectors, and what lowering makes of it (L25).

The lecture's case: the scores of 5 classes for 500 windows of 300 numbers, Wx for one vector at a
time or all at once. Beside it, the same classifier written over single numbers, as the engine
runs it and as lowering runs it: loss and all gradients, window by window or in one batch.

    python demos/vectorised.py [vectorised.svg]
"""

from __future__ import annotations

import random
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
from timing import cpu_seconds

from micrograd import mean, no_grad
from micrograd.losses import cross_entropy
from micrograd.lowering import Program, lower
from micrograd.nn import SoftmaxClassifier

SIZES = (500, 300, 5)  # windows, numbers in each, classes
Ways = dict[str, Callable[[], Any]]


def setting(windows: int, dim: int, classes: int) -> tuple[SoftmaxClassifier, Any, Any]:
    """Return the classifier, the windows (windows, dim), and their classes, one row each."""
    random.seed(25)
    rng = np.random.default_rng(25)
    targets = np.eye(classes)[rng.integers(0, classes, windows)]
    return SoftmaxClassifier(dim, classes, fused=True), rng.normal(size=(windows, dim)), targets


def scores(model: SoftmaxClassifier, W: Any, xs: Any) -> Ways:
    """Return the ways to compute Wx of every window; the biases are still 0."""

    def engine() -> Any:
        with no_grad():
            return [[score.data for score in model(x)] for x in xs.tolist()]

    return {
        "engine, number by number": engine,
        "loop over word vectors": lambda: [W @ x for x in xs],
        "one matrix product": lambda: xs @ W.T,
    }


def gradients(model: SoftmaxClassifier, program: Program, xs: Any, targets: Any) -> Ways:
    """Return the ways to compute ∂J/∂W of the mean loss J, with all that belongs to it."""

    def engine() -> Any:
        model.zero_grad()
        mean([cross_entropy(model(x), q) for x, q in zip(xs.tolist(), targets.tolist())]).backward()
        return [[w.grad for w in neuron.w] for neuron in model.layer.neurons]

    def lowered(xs: Any, targets: Any) -> Any:
        return program.value_and_grad(xs, targets)[1]["W"]

    def one_by_one() -> Any:
        return sum(lowered(x[None], q[None]) for x, q in zip(xs, targets)) / len(xs)

    return {
        "engine, number by number": engine,
        "lowered, window by window": one_by_one,
        "lowered, one batch": lambda: lowered(xs, targets).copy(),
    }


def table(times: dict[str, dict[str, float]]) -> None:
    """Print the times, and how many of the fastest way each one takes."""
    for what, column in times.items():
        print(f"{what:<38}{'CPU time':>12}{'times the last':>17}")
        for way, took in column.items():
            print(f"  {way:<36}{1e6 * took:9.0f} µs{took / list(column.values())[-1]:16.0f}×")
    print(
        "The same numbers come out of all; the lecture measured 639 µs for the loop and 53.8 µs\n"
        "for the product. Lowering derives the product from the classifier's single numbers."
    )


def draw(times: dict[str, dict[str, float]], path: str) -> None:
    """Draw the times as bars on a logarithmic axis."""
    from figures import BLUE, ORANGE, panels, save

    figure, axes = panels(1, len(times), width=7, height=1.9)
    for panel, (what, column), color in zip(axes, times.items(), (BLUE, ORANGE)):
        micros = [1e6 * took for took in column.values()]
        bars = panel.barh(list(column), micros, color=color, height=0.6)
        panel.bar_label(bars, [f"{number:,.0f} µs" for number in micros], padding=3)
        panel.invert_yaxis()
        panel.set(title=what, xscale="log", xlim=(10, 1e7), xlabel="CPU time in µs")
    save(figure, path)


def main(path: str | None = None, sizes: tuple[int, int, int] = SIZES,
         patience: float = 0.3) -> dict[str, Ways]:  # fmt: skip
    """Print the times; draw the figure where a path is given; return the ways."""
    model, xs, targets = setting(*sizes)
    program = lower(lambda x, q: cross_entropy(model(x), q), xs[0], targets[0])
    ways = {
        "scores of all windows": scores(model, program.parameters["W"], xs),
        "loss and gradients, all windows": gradients(model, program, xs, targets),
    }
    times = {
        what: {way: cpu_seconds(function, patience) for way, function in functions.items()}
        for what, functions in ways.items()
    }
    table(times)
    if path:
        draw(times, path)
    return ways


if __name__ == "__main__":
    main(*sys.argv[1:2])
