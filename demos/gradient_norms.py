"""Vanishing and exploding gradients: the norm of ∂J/∂h per layer (L26).

δ⁽ᵏ⁾ = f′(z⁽ᵏ⁾) ∘ (Wᵀδ⁽ᵏ⁺¹⁾): each layer multiplies by Wᵀ and by f′. σ′ ≤ 1/4 makes the
product small, large weights make it large. Over the time steps of
a recurrent net, hₜ = f(W [xₜ; hₜ₋₁] + b), the same W is met again and again:

    python demos/gradient_norms.py gradient_norms.svg
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterable
from typing import Any, NamedTuple

from stage import claim, run, t, table

from micrograd import Value
from micrograd.init import initialise
from micrograd.nn import MLP, Recurrent

DEPTH, STEPS, WIDTH = 12, 24, 24
# the activation, and what Xavier's weights are multiplied by
LAYERS = {
    "sigmoid": ("sigmoid", 1.0),
    "tanh": ("tanh", 1.0),
    "ReLU, W × √2": ("relu", 2**0.5),
    "ReLU, W × 3": ("relu", 3.0),
}
RECURRENT = {
    "tanh, W × 0.5": ("tanh", 0.5),
    "tanh, W × 1.1": ("tanh", 1.1),
    "linear, W × 1.8": ("linear", 1.8),
}
FIGURE = (
    "The norm of ∂J/∂h by layer of deep nets, and by time step of recurrent nets",
    "深层网络各层、循环网络各时间步的 ‖∂J/∂h‖",
)


class Measured(NamedTuple):
    """The norms by layer and by time step."""

    layers: dict[str, list[float]]
    steps: dict[str, list[float]]

    @property
    def ratio(self) -> dict[str, float]:
        """Return first : last of each, by the first and the last word of its name."""
        both = {**self.layers, **self.steps}
        return {name.replace(" ", ""): norms[0] / norms[-1] for name, norms in both.items()}


def norm(values: Iterable[Value]) -> float:
    """Return the length of the gradient by `values`."""
    return math.sqrt(sum(value.grad**2 for value in values))


def scaled(model: Any, factor: float, seed: int) -> Any:
    """Return the model with Xavier's weights, each times `factor`."""
    initialise(model, "xavier_normal", seed=seed)
    for weight in model.weights():
        weight.data *= factor
    return model


def layer_norms(activation: str, factor: float, seed: int) -> list[float]:
    """Return the norm at each layer of a deep net, J = Σh of the last."""
    model = scaled(MLP(WIDTH, [WIDTH] * DEPTH, [activation] * DEPTH, fused=True), factor, seed)
    rng = random.Random(seed)
    h, layers = [rng.gauss(0, 1) for _ in range(WIDTH)], []
    for layer in model.layers:
        h = layer(h)
        layers.append(h)
    sum(h).backward()
    return [norm(units) for units in layers]


def step_norms(activation: str, factor: float, seed: int) -> list[float]:
    """Return the norm at each time step of a recurrent net, J = Σh of the last."""
    model = scaled(Recurrent(2, WIDTH, activation=activation, fused=True), factor, seed)
    rng = random.Random(seed)
    states = model([[rng.gauss(0, 0.1), rng.gauss(0, 0.1)] for _ in range(STEPS)])
    sum(states[-1]).backward()
    return [norm(state) for state in states]


def measure(seed: int = 26) -> Measured:
    """Measure every net."""
    return Measured(
        {name: layer_norms(*how, seed) for name, how in LAYERS.items()},
        {name: step_norms(*how, seed) for name, how in RECURRENT.items()},
    )


def show(r: Measured) -> None:
    """Print the norms at the beginning, in the middle and at the end, and their ratio."""
    for what, columns in zip((t("layer", "层"), t("time step", "时间步")), r):
        count = len(next(iter(columns.values())))
        places = (0, count // 2, count - 1)
        table(
            [f"‖∂J/∂h‖, {what}", *(p + 1 for p in places), t("first : last", "首 : 末")],
            *(
                [name, *(f"{column[p]:.1e}" for p in places), f"{column[0] / column[-1]:.1e}"]
                for name, column in columns.items()
            ),
        )


@claim(
    "Through twelve layers of sigmoid a gradient shrinks to {r.ratio[sigmoid]:.0e} of itself, "
    "through tanh with Xavier's weights to {r.ratio[tanh]:.1f}.",
    "经过十二层 sigmoid，梯度缩小到 {r.ratio[sigmoid]:.0e}；用 Xavier 权重的 tanh 则为 {r.ratio[tanh]:.1f}。",
)
def sigmoid_vanishes(r: Measured) -> bool:
    return DEPTH == 12 and r.ratio["sigmoid"] < 1e-4 and 0.05 < r.ratio["tanh"] < 20


@claim(
    "ReLU with W × √2 keeps it; with W × 3 it grows {r.ratio[ReLU,W×3]:.0e}-fold.",
    "ReLU 配 W × √2 能保持；W × 3 则增大到 {r.ratio[ReLU,W×3]:.0e} 倍。",
)
def large_weights_explode(r: Measured) -> bool:
    return 0.02 < r.ratio["ReLU,W×√2"] < 50 and r.ratio["ReLU,W×3"] > 100


@claim(
    "Over 24 time steps it vanishes with W × 0.5 ({r.ratio[tanh,W×0.5]:.0e}) and explodes with "
    "W × 1.8 ({r.ratio[linear,W×1.8]:.0e}).",
    "在 24 个时间步上，W × 0.5 时消失（{r.ratio[tanh,W×0.5]:.0e}），W × 1.8 时爆炸（{r.ratio[linear,W×1.8]:.0e}）。",
)
def time_steps_are_layers(r: Measured) -> bool:
    return STEPS == 24 and r.ratio["tanh,W×0.5"] < 1e-3 and r.ratio["linear,W×1.8"] > 100


def draw(r: Measured) -> Any:
    """Draw one panel for each kind of net."""
    from figures import STYLES, panels

    figure, axes = panels(2)
    for panel, what, columns in zip(axes, (t("layer", "层"), t("time step", "时间步")), r):
        for (name, column), style in zip(columns.items(), STYLES):
            panel.semilogy(range(1, len(column) + 1), column, label=name, **style)
        panel.set(xlabel=what, ylabel="‖∂J/∂h‖")
        panel.legend()
    return figure


if __name__ == "__main__":
    run(__name__)
