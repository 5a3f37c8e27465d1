"""Vanishing and exploding gradients: the norm of ∂J/∂h per layer (L26).

On its way back through a layer a gradient is multiplied by Wᵀ and by f′. Sigmoid's f′ is at most
1/4, so twelve layers leave almost nothing; with large weights the product grows instead. Over the
time steps of a recurrent net the same W is met each time, which makes both worse.

    python demos/gradient_norms.py [gradient_norms.svg]
"""

from __future__ import annotations

import math
import random
import sys
from collections.abc import Iterable
from typing import Any

from micrograd import Value
from micrograd.init import initialise
from micrograd.nn import MLP, Recurrent

# the activation, and what Xavier's weights are multiplied by
LAYERS = {"sigmoid": ("sigmoid", 1.0), "tanh": ("tanh", 1.0), "ReLU, W × √2": ("relu", 2**0.5),
          "ReLU, W × 3": ("relu", 3.0)}  # fmt: skip
RECURRENT = {"tanh, W × 0.5": ("tanh", 0.5), "tanh, W × 1.1": ("tanh", 1.1),
             "linear, W × 1.5": ("linear", 1.5)}  # fmt: skip
Norms = dict[str, list[float]]


def norm(values: Iterable[Value]) -> float:
    """Return the length of the gradient by `values`."""
    return math.sqrt(sum(value.grad**2 for value in values))


def scaled(model: Any, factor: float) -> Any:
    """Return the model with Xavier's weights, each times `factor`."""
    initialise(model, "xavier_normal", seed=26)
    for weight in model.weights():
        weight.data *= factor
    return model


def layer_norms(activation: str, factor: float, depth: int, width: int) -> list[float]:
    """Return the norm of ∂J/∂h at each layer of a deep net, J = Σh of the last."""
    model = scaled(MLP(width, [width] * depth, [activation] * depth, fused=True), factor)
    rng = random.Random(1)
    h, layers = [rng.gauss(0, 1) for _ in range(width)], []
    for layer in model.layers:
        h = layer(h)
        layers.append(h)
    sum(h).backward()
    return [norm(units) for units in layers]


def step_norms(activation: str, factor: float, steps: int, width: int) -> list[float]:
    """Return the norm of ∂J/∂h at each time step of a recurrent net, J = Σh of the last."""
    model = scaled(Recurrent(2, width, activation=activation, fused=True), factor)
    rng = random.Random(2)
    states = model([[rng.gauss(0, 0.1), rng.gauss(0, 0.1)] for _ in range(steps)])
    sum(states[-1]).backward()
    return [norm(state) for state in states]


def table(norms: Norms, what: str) -> None:
    """Print the norms at the beginning, in the middle and at the end, and their ratio."""
    count = len(next(iter(norms.values())))
    places = [0, count // 2, count - 1]
    print(f"{what:<32}" + "".join(f"{place + 1:10d}" for place in places) + "   first : last")
    for name, column in norms.items():
        numbers = "".join(f"{column[place]:10.1e}" for place in places)
        print(f"{name:<32}{numbers}{column[0] / column[-1]:15.1e}")


def draw(norms: dict[str, Norms], path: str) -> None:
    """Draw one panel for each kind of net."""
    from figures import STYLES, panels, save

    figure, axes = panels(2, width=5)
    for panel, (what, columns) in zip(axes, norms.items()):
        for (name, column), style in zip(columns.items(), STYLES):
            panel.semilogy(range(1, len(column) + 1), column, label=name, **style)
        panel.set(title=what, xlabel=what.split()[-1], ylabel="‖∂J/∂h‖")
        panel.legend(fontsize=8)
    save(figure, path)


def main(path: str | None = None, depth: int = 12, width: int = 24) -> dict[str, Norms]:
    """Print the tables; draw the figure where a path is given; return the norms."""
    deep = {name: layer_norms(*how, depth, width) for name, how in LAYERS.items()}
    in_time = {name: step_norms(*how, 2 * depth, width) for name, how in RECURRENT.items()}
    norms = {"a deep net, by layer": deep, "a recurrent net, by step": in_time}
    for what, columns in norms.items():
        table(columns, f"‖∂J/∂h‖ of {what}")
    print("first : last far below 1, and the first layers learn nothing; far above 1, they jump.")
    if path:
        draw(norms, path)
    return norms


if __name__ == "__main__":
    main(*sys.argv[1:2])
