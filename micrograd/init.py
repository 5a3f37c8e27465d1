"""Initialisation by name (L22): small random numbers, Xavier's, zero; biases are 0.

initialise(model, "xavier_uniform", seed=1)             every Neuron, by its layer's fans
W = drawn("xavier_uniform", (8, 20), np.random.default_rng(1))
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from micrograd.core.checks import check_whole, generator, is_list
from micrograd.engine import Value
from micrograd.printing import shorten

__all__ = ["RULES", "drawn", "initialise", "spread"]

ALIASES = {"normal": "normalvariate"}  # what Python's generators call NumPy's distributions

# name: the distribution, and its half width or standard deviation, given fan_in + fan_out
RULES: dict[str, tuple[str, Callable[[int], float]]] = {
    "uniform": ("uniform", lambda _: 0.01),
    "normal": ("normal", lambda _: 0.01),
    "xavier_uniform": ("uniform", lambda fans: (6 / fans) ** 0.5),  # Glorot and Bengio 2010
    "xavier_normal": ("normal", lambda fans: (2 / fans) ** 0.5),
    "zero": ("uniform", lambda _: 0.0),  # every unit stays the same as the others (L26)
}


def spread(name: str, fan_in: int, fan_out: int) -> tuple[str, float, float]:
    """Return the rule `name` as a generator's method and its two arguments.

    Raises ValueError where there is no such rule.
    """
    if not isinstance(name, str) or name not in RULES:
        raise ValueError(
            f"there is no initialisation {shorten(name)}; there are {', '.join(RULES)}"
        )
    check_whole("fan_in", fan_in, 1)
    check_whole("fan_out", fan_out, 1)
    kind, scale = RULES[name]
    width = scale(fan_in + fan_out)
    return kind, -width if kind == "uniform" else 0.0, width


def drawn(name: str, shape: tuple[int, int], rng: Any) -> Any:
    """Return an array of weights (fan_out, fan_in), drawn from NumPy's generator `rng`."""
    if not is_list(shape) or len(shape) != 2:
        raise ValueError(f"weights have the shape (fan_out, fan_in), not {shorten(shape)}")
    if not hasattr(rng, "normal"):
        raise TypeError(f"weights are drawn from a generator of NumPy's, not {shorten(rng)}")
    fan_out, fan_in = shape
    kind, *parameters = spread(name, fan_in, fan_out)
    return getattr(rng, kind)(*parameters, shape)


def initialise(model: Any, name: str, seed: int | None = None) -> Any:
    """Draw the weights of every Neuron of `model` anew, and set its bias to 0; return `model`.

    The fan-out of a Neuron is the number of those in its Layer, 1 where it is in none. Without a
    seed the numbers come from Python's global generator.
    """
    rng: Any = random if seed is None else generator(seed)
    if not hasattr(model, "modules"):
        raise TypeError(f"initialise takes a Module, not {shorten(model)}")
    modules = model.modules()
    layers = [module.neurons for module in modules if hasattr(module, "neurons")]
    fan_outs = {id(neuron): len(neurons) for neurons in layers for neuron in neurons}
    units = [module for module in modules if hasattr(module, "fan_in")]
    if not units:
        raise ValueError(f"there are no neurons to initialise in {shorten(model)}")
    for neuron in units:
        kind, *parameters = spread(name, neuron.fan_in, fan_outs.get(id(neuron), 1))
        draw = getattr(rng, ALIASES.get(kind, kind))
        for weight in neuron.w:
            if isinstance(weight, Value):  # a number assigned is no parameter
                weight.data = draw(*parameters)
        if isinstance(neuron.b, Value):
            neuron.b.data = 0.0
    return model
