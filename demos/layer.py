"""A layer: several logistic regressions at once, z = Wx + b and a = f(z) (L2).

W ∈ R^{m×n} has one row for each neuron: zᵢ = Wᵢ·x + bᵢ. f is applied to each number by itself,
f(z) = [f(z₁), …, f(zₘ)]ᵀ, so that ∂aᵢ/∂zⱼ = 0 for i ≠ j:

    python demos/layer.py layer.svg
"""

from __future__ import annotations

import random
from typing import Any, NamedTuple

import numpy as np
from stage import claim, run, t, table

from micrograd import dot, jacobian
from micrograd.nn import Layer, Neuron

X = (0.5, -1.0)
FIGURE = (
    "The points (zᵢ, aᵢ) of a layer's neurons, all on the curve of σ",
    "同一层各神经元的点 (zᵢ, aᵢ) 都落在 σ 曲线上",
)


class Measured(NamedTuple):
    """W, b, z and a of a layer, ∂a/∂z, and the outputs of its neurons one by one."""

    W: Any
    b: Any
    z: Any
    a: Any
    jacobian: Any
    alone: Any

    @property
    def apart(self) -> float:
        """Return how far the layer's outputs are from those of single logistic regressions."""
        return float(np.abs(self.a - self.alone).max())


def regression(unit: Neuron) -> float:
    """Return what this neuron computes when nobody stands beside it."""
    z = sum(w.data * x for w, x in zip(unit.w, X)) + unit.b.data
    return float(1 / (1 + np.exp(-z)))


def measure(seed: int = 2, m: int = 4) -> Measured:
    """Compute z and a of a layer of m sigmoid neurons."""
    random.seed(seed)
    layer = Layer(2, m, activation="sigmoid")
    for unit in layer.neurons:
        unit.w[0].data, unit.w[1].data, unit.b.data = (random.uniform(-2, 2) for _ in range(3))
    z = [dot(unit.w, X) + unit.b for unit in layer.neurons]
    a = [v.sigmoid() for v in z]
    W = np.array([[w.data for w in unit.w] for unit in layer.neurons])
    b = np.array([unit.b.data for unit in layer.neurons])
    numbers = [np.array([v.data for v in column]) for column in (z, layer(X))]
    alone = np.array([regression(unit) for unit in layer.neurons])
    return Measured(W, b, *numbers, np.array(jacobian(a, z)), alone)


def show(r: Measured) -> None:
    """Print a row for each neuron."""
    print(f"z = Wx + b, a = σ(z);  x = {X}, W {r.W.shape}, b {r.b.shape}")
    table(
        [t("neuron", "神经元"), "Wᵢ₁", "Wᵢ₂", "bᵢ", "zᵢ", "aᵢ"],
        *(
            [i, *(f"{x:.4f}" for x in row)]
            for i, row in enumerate(np.column_stack([r.W, r.b, r.z, r.a]), 1)
        ),
    )
    print("∂a/∂z =\n" + np.array2string(r.jacobian, precision=4, suppress_small=True))


@claim(
    "z is Wx + b, and the layer is {r.a.size} logistic regressions on the same x.",
    "z 就是 Wx + b；这一层是同一输入 x 上的 {r.a.size} 个逻辑回归。",
)
def several_logistic_regressions(r: Measured) -> bool:
    return r.apart < 1e-12 and bool(np.allclose(r.W @ X + r.b, r.z, atol=1e-12))


@claim(
    "∂a/∂z is diagonal: f is applied element by element, and aᵢ depends on no other z than zᵢ.",
    "∂a/∂z 是对角矩阵：f 逐元素作用，aᵢ 只依赖 zᵢ。",
)
def f_is_applied_element_by_element(r: Measured) -> bool:
    return bool(np.allclose(r.jacobian, np.diag(r.a * (1 - r.a)), rtol=0, atol=1e-12))


def draw(r: Measured) -> Any:
    """Draw σ with the layer's points on it, and W with b beside it."""
    from figures import BLUE, ORANGE, matrix, panels

    figure, (curve, weights) = panels(2)
    grid = np.linspace(-5, 5, 200)
    curve.plot(grid, 1 / (1 + np.exp(-grid)), color=BLUE, linewidth=4)
    curve.plot(r.z, r.a, "o", color=ORANGE, markersize=16)
    for i, (z, a) in enumerate(zip(r.z, r.a), 1):
        curve.annotate(f"a{'₁₂₃₄₅₆'[i - 1]}", (z, a), (14, -22), textcoords="offset points")
    curve.set(
        xlabel="z", ylabel="a = σ(z)", title=t("a = f(z), number by number", "a = f(z)，逐个数计算")
    )
    matrix(
        weights,
        np.column_stack([r.W, r.b]),
        t("[W b]: a row for each neuron", "[W b]：每行一个神经元"),
        2,
    )
    return figure


if __name__ == "__main__":
    run(__name__)
