"""Vectorised back-propagation, derived from single numbers by lowering (L6).

The loss of a pair of windows, J = max(0, 1 − s + s_c), is written over single numbers; the score
has two hidden layers, so that every factor of δ⁽ᵏ⁾ = f′(z⁽ᵏ⁾) ∘ (W⁽ᵏ⁾ᵀ δ⁽ᵏ⁺¹⁾) is seen: in the
program's rows Wᵀδ is `delta2 @ W2`, f′(z) is `1 - h1 * h1`, and ∇W⁽ᵏ⁾ = δ⁽ᵏ⁺¹⁾ a⁽ᵏ⁾ᵀ is
`delta1.T @ x`. The page shows, step by step, the line that each number became:

    python demos/backprop_program.py backprop_program.html
    micrograd lower demos/backprop_program.py:loss --check
"""

from __future__ import annotations

import random
from typing import Any, NamedTuple

import numpy as np
from stage import claim, run, t, table

from micrograd import Value, mean, topological_order
from micrograd.losses import max_margin
from micrograd.lowering import Program, lower
from micrograd.nn import MLP
from micrograd.stepper import save_page

random.seed(6)
SCORE = MLP(4, [3, 2, 1], activation="tanh")
WINDOW, CORRUPT = ([random.uniform(-1, 1) for _ in range(4)] for _ in range(2))
ENDING = ".html"


def loss(x: Any = WINDOW, x_c: Any = CORRUPT) -> Value:
    """Return J of a window and a corrupt one, 4 numbers each."""
    return max_margin(SCORE(x), SCORE(x_c))


class Measured(NamedTuple):
    """The program, how far its gradients are from backward()'s, and its size."""

    program: Program
    apart: dict[str, float]
    nodes: int
    lines: int

    @property
    def worst(self) -> float:
        """Return the largest difference of all."""
        return max(self.apart.values())


def differences(program: Program, batch: Any) -> dict[str, float]:
    """Return how far each gradient of the program is from that of backward()."""
    SCORE.zero_grad()
    mean([loss(*pair) for pair in zip(*batch.tolist())]).backward()
    _, found = program.value_and_grad(*batch)
    return {
        name: max(abs(v.grad - g) for v, g in zip(program.leaf_values(name).flat, gradient.flat))
        for name, gradient in found.items()
    }


def measure(seed: int = 6, pairs: int = 10) -> Measured:
    """Lower the loss, and compare it with backward() on random pairs of windows."""
    program = lower(loss, WINDOW, CORRUPT)
    apart = differences(program, np.random.default_rng(seed).uniform(-1, 1, (2, pairs, 4)))
    return Measured(program, apart, len(topological_order(loss())), program.source.count("  # ("))


def show(r: Measured) -> None:
    """Print the program, and how its gradients compare."""
    print(r.program.source)
    title = t("largest difference from backward()", "与 backward() 的最大差")
    shapes = {name: r.program.parameters[name].shape for name in r.apart}
    table(
        [t("gradient", "梯度"), t("shape", "形状"), title],
        *([f"∇{name}", shapes[name], f"{d:.0e}"] for name, d in r.apart.items()),
    )


@claim(
    "Every gradient of the program is backward()'s, to rounding.",
    "程序给出的每个梯度都与 backward() 相同（舍入误差之内）。",
)
def equals_backward(r: Measured) -> bool:
    return r.worst < 1e-12


@claim(
    "Wᵀδ is there, as delta2 @ W2, and ∇W = δaᵀ, as delta1.T @ x: derived, not written.",
    "Wᵀδ 以 delta2 @ W2 出现，∇W = δaᵀ 以 delta1.T @ x 出现：是推导出来的，不是写进去的。",
)
def has_the_notes_products(r: Measured) -> bool:
    return all(part in r.program.source for part in ("delta2 @ W2", "delta1.T @ x", "h1 * h1"))


@claim(
    "{r.nodes} Values for every pair of windows became {r.lines} lines for a batch of them.",
    "每对窗口的 {r.nodes} 个 Value 变成了 {r.lines} 行，一次处理整批。",
)
def lines_are_fewer_than_values(r: Measured) -> bool:
    return 2 * r.lines < r.nodes


def page(r: Measured, path: str) -> None:
    """Write the page that steps through the graph beside the program's lines."""
    save_page(r.program.root, path, "Back-propagation, lowered", program=r.program)


if __name__ == "__main__":
    run(__name__)
