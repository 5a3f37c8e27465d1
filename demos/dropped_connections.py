"""Dropping units, single connections, and non-recurrent connections (L36).

Dropout of units multiplies h by a mask; of connections, W by one: h = f((M ∘ W)x + b). In a
recurrent net hₜ = f(W [xₜ; hₜ₋₁] + b) the mask can be put on xₜ alone, the non-recurrent
connections, so that what is remembered in hₜ₋₁ is left whole. n units that can be dropped make 2ⁿ
sub-networks, all of them with the same weights:

    python demos/dropped_connections.py dropped_connections.svg
"""

from __future__ import annotations

import itertools
import random
from typing import Any, NamedTuple

import numpy as np
from stage import claim, run, t, table

from micrograd import Value, dot, no_grad
from micrograd.nn import Dropout, Layer, Recurrent

P, N, STEPS, UNITS = 0.8, 4, 12, 12
FIGURE = (
    "Masks on units, on connections, and on the inputs of a recurrent net",
    "作用于单元、单个连接、循环网络输入的掩码",
)


class Measured(NamedTuple):
    """The outputs of all sub-networks, masks, and what is remembered by two recurrent nets."""

    outputs: list[float]
    full: float
    expected: float
    units: Any
    connections: Any
    remembered: dict[str, float]


def subnetworks(seed: int) -> tuple[list[float], float, float]:
    """Return uᵀ(mask ∘ h) of every mask, of the scaled full network, and the mean by probability."""
    random.seed(seed)
    h, u = Layer(2, N, activation="tanh")([0.5, -1.0]), [random.uniform(-1, 1) for _ in range(N)]
    masks = list(itertools.product((0, 1), repeat=N))
    outputs = [dot(u, [unit * m for unit, m in zip(h, mask)]).data for mask in masks]
    chances = [P ** sum(mask) * (1 - P) ** (N - sum(mask)) for mask in masks]
    expected = sum(chance * out for chance, out in zip(chances, outputs))
    return outputs, dot(u, Dropout(P, inverted=False).eval()(h)).data, expected


def masks(seed: int) -> tuple[Any, Any]:
    """Return the weights of a layer that stay, (5, 8), by dropout of inputs and of connections."""
    dropout = Dropout(P, seed=seed)
    units = np.tile(np.array(dropout.masks(1, 8)) > 0, (5, 1))
    return units, np.array(dropout.masks(5, 8)) > 0


class Counter(Recurrent):
    """A recurrent net that copies its state; a mask on the state, or on the inputs alone."""

    def __init__(self, recurrent: bool, seed: int) -> None:
        super().__init__(1, UNITS, activation="linear")
        self.masks, self.recurrent = Dropout(P, inverted=False, seed=seed), recurrent
        for i, unit in enumerate(self.layer.neurons):
            for j, weight in enumerate(unit.w):
                weight.data = float(j == i + 1)

    def step(self, x: Any, h: Any) -> list[Value]:
        """Drop where it is to be dropped, and go one step on."""
        (x_kept,) = self.masks([Value(x)])
        return super().step(x_kept, self.masks(h) if self.recurrent else h)


def remembered(recurrent: bool, seed: int) -> float:
    """Return the share of units that still hold the 1 they began with, after all steps."""
    with no_grad():
        states = Counter(recurrent, seed)([0.0] * STEPS, [Value(1.0) for _ in range(UNITS)])
    return sum(unit.data == 1 for unit in states[-1]) / UNITS


def measure(seed: int = 3) -> Measured:
    """Measure all of it."""
    memory = {"recurrent": remembered(True, seed), "non-recurrent": remembered(False, seed)}
    return Measured(*subnetworks(seed), *masks(seed), memory)


def show(r: Measured) -> None:
    """Print the sub-networks, and what is remembered."""
    for half in (r.outputs[: 2**N // 2], r.outputs[2**N // 2 :]):
        print(" ".join(f"{out:.3f}" for out in half))
    table(
        [t("mean of all, by probability", "按概率平均"), f"{r.expected:.4f}"],
        [t("the full network, h × p", "完整网络，h × p"), f"{r.full:.4f}"],
    )
    table(
        [t("mask on", "掩码作用于"), t("remembered", "记住的份额")],
        [t("the state hₜ₋₁", "状态 hₜ₋₁"), f"{r.remembered['recurrent']:.0%}"],
        [t("the input xₜ", "输入 xₜ"), f"{r.remembered['non-recurrent']:.0%}"],
    )


@claim(
    "4 units make 2⁴ = 16 sub-networks, all different, with the same weights.",
    "4 个单元构成 2⁴ = 16 个子网络，输出各不相同，权重却是同一套。",
)
def units_make_subnetworks(r: Measured) -> bool:
    return len(r.outputs) == 2**N == 16 and len(set(r.outputs)) == 16


@claim(
    "Their mean, by the probability of each mask, is the full network with h × p.",
    "按各掩码的概率求平均，就得到 h × p 的完整网络。",
)
def their_mean_is_the_full_network(r: Measured) -> bool:
    return abs(r.expected - r.full) < 1e-12


@claim(
    "Dropping a unit takes a whole column of W, dropping connections takes single numbers.",
    "丢弃单元去掉 W 的整列，丢弃连接去掉其中单个的数。",
)
def units_are_columns(r: Measured) -> bool:
    return bool((r.units == r.units[0]).all() and not (r.connections == r.connections[0]).all())


@claim(
    "After 12 steps a mask on the inputs has left {r.remembered[non-recurrent]:.0%} of the state "
    "whole, one on the state {r.remembered[recurrent]:.0%}.",
    "12 步之后，只作用于输入的掩码保留了 {r.remembered[non-recurrent]:.0%} 的状态，"
    "作用于状态的只剩 {r.remembered[recurrent]:.0%}。",
)
def memory_is_left_whole(r: Measured) -> bool:
    return r.remembered["non-recurrent"] == 1 and r.remembered["recurrent"] < 0.5


def draw(r: Measured) -> Any:
    """Draw both masks over W, and the outputs of the sub-networks."""
    from figures import BLUE, panels

    figure, axes = panels(3)
    titles = t("units dropped", "丢弃单元"), t("connections dropped", "丢弃连接")
    for panel, kept, title in zip(axes, (r.units, r.connections), titles):
        panel.pcolormesh(kept, cmap="gray", edgecolors="0.5", linewidth=1, vmin=-1, vmax=1.2)
        panel.set(
            title=title, xlabel=t("inputs", "输入"), ylabel=t("units of the layer", "该层的单元")
        )
    axes[2].hist(r.outputs, bins=12, color=BLUE, alpha=0.7)
    axes[2].axvline(r.full, color="black", linewidth=3)
    title = t("16 sub-networks; line: full", "16 个子网络；竖线：完整网络")
    axes[2].set(title=title, xlabel="uᵀh", yticks=(0, 1, 2))  # how many, which are whole
    return figure


if __name__ == "__main__":
    run(__name__)
