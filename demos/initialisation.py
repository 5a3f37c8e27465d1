"""What initialisation does to a deep network: variance of activations and gradients (L22).

Ten layers of 40 tanh units. With weights too small the signal fades on its way forward and the
gradient on its way back; too large, and the units saturate and the gradient grows on its way
back; Xavier's Var = 2/(fan_in + fan_out) keeps both. With all weights 0 nothing passes at all.

    python demos/initialisation.py [initialisation.svg]
"""

from __future__ import annotations

import random
import sys
from statistics import pvariance
from typing import Any, NamedTuple

from micrograd import Value
from micrograd.init import initialise
from micrograd.nn import MLP

RULES = {"normal": "N(0, 0.01²): too small", "xavier_uniform": "Xavier, uniform",
         "xavier_normal": "Xavier, normal", "": "U(−1, 1): too large", "zero": "all 0"}  # fmt: skip


class Measured(NamedTuple):
    """Variances per layer, and the share of saturated units in all of them, |h| > 0.95."""

    activations: list[float]
    gradients: list[float]
    saturated: float


def network(rule: str, depth: int, width: int) -> MLP:
    """Return tanh layers, their weights drawn by `rule`; "" leaves those of Neuron itself."""
    random.seed(22)
    model = MLP(width, [width] * depth, activation=["tanh"] * depth, fused=True)
    return initialise(model, rule, seed=22) if rule else model  # type: ignore[no-any-return]


def passes(model: MLP, samples: int) -> list[list[Value]]:
    """Return the activations of each layer, after passes forward and back from noise."""
    rng = random.Random(7)
    each: list[list[Value]] = [[] for _ in model.layers]
    for _ in range(samples):
        h: Any = [rng.gauss(0, 1) for _ in range(model.layers[0].neurons[0].fan_in)]
        for layer, activations in zip(model.layers, each):
            h = layer(h)
            activations += h
        sum(unit * rng.gauss(0, 1) for unit in h).backward()
    return each


def measured(rule: str, depth: int, width: int, samples: int) -> Measured:
    """Return the variances of activations and of gradients in each layer."""
    each = passes(network(rule, depth, width), samples)
    units = [unit for layer in each for unit in layer]
    return Measured(
        [pvariance(unit.data for unit in layer) for layer in each],
        [pvariance(unit.grad for unit in layer) for layer in each],
        sum(abs(unit.data) > 0.95 for unit in units) / len(units),
    )


def table(results: dict[str, Measured]) -> None:
    """Print both variances in the first, a middle and the last layer."""
    depth = len(results["zero"].activations)
    layers = [0, depth // 2, depth - 1]
    print(f"{'variance of the':<24}{'activations in layer':>30}{'gradients in layer':>30}")
    print(" " * 24 + 2 * "".join(f"{layer + 1:10d}" for layer in layers) + "  saturated")
    for rule, found in results.items():
        numbers = [column[layer] for column in found[:2] for layer in layers]
        row = "".join(f"{number:10.0e}" for number in numbers)
        print(f"{RULES[rule]:<24}{row}{found.saturated:11.0%}")
    print("Only Xavier's rule keeps both variances within a factor of about ten, and not by\n"
          "saturation, from the first layer to the last.")  # fmt: skip


def draw(results: dict[str, Measured], path: str) -> None:
    """Draw both variances against the layer; 0 cannot be drawn on a logarithmic axis."""
    from figures import STYLES, panels, save

    figure, axes = panels(2, width=5)
    for (rule, found), style in zip(results.items(), STYLES):
        for panel, column in zip(axes, found):
            layers = range(1, len(column) + 1)
            panel.semilogy(layers, [v or float("nan") for v in column], label=RULES[rule], **style)
    axes[0].set(title="activations h, forward →", xlabel="layer", ylabel="variance over units")
    axes[1].set(title="gradients ∂J/∂h, ← backward", xlabel="layer", ylabel="variance over units")
    axes[0].legend(fontsize=8)
    save(figure, path)


def main(path: str | None = None, depth: int = 10, width: int = 40,
         samples: int = 10) -> dict[str, Measured]:  # fmt: skip
    """Print the table; draw the figure where a path is given; return what was measured."""
    results = {rule: measured(rule, depth, width, samples) for rule in RULES}
    table(results)
    if path:
        draw({rule: found for rule, found in results.items() if rule != "zero"}, path)
    return results


if __name__ == "__main__":
    main(*sys.argv[1:2])
