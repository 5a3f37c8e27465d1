"""Why non-linearities: without f, any depth is one linear map (L27).

W₂(W₁x) = (W₂W₁)x: two linear layers compute what one does, and their Jacobian ∂y/∂x = W₂W₁ is the
same at every x. With f between them, ∂y/∂x = W₂ diag(f′(z)) W₁ depends on x:

    python demos/linear_depth.py linear_depth.svg
"""

from __future__ import annotations

import random
from typing import Any, NamedTuple

import numpy as np
from stage import claim, run, t

from micrograd import Value, jacobian, no_grad
from micrograd.nn import MLP

FIGURE = (
    "A network's output along a line, with and without f, and its Jacobians",
    "网络沿一条直线的输出（有 f 与没有 f），以及它的雅可比矩阵",
)


class Measured(NamedTuple):
    """W₂W₁; Jacobians at two points without f and with it; outputs along a line."""

    product: Any
    linear: list[Any]
    tanh: list[Any]
    formula: Any  # W₂ diag(f′(z)) W₁ at the first point
    line: Any
    outputs: dict[str, list[float]]
    apart: float  # how far the linear network is from (W₂W₁)x


def matrices(model: MLP) -> list[Any]:
    """Return the weights of each layer."""
    return [
        np.array([[w.data for w in unit.w] for unit in layer.neurons]) for layer in model.layers
    ]


def jacobians(model: MLP, points: Any) -> list[Any]:
    """Return ∂y/∂x at each point."""
    found = []
    for point in points:
        x = [Value(number) for number in point]
        found.append(np.array(jacobian(model(x), x)))
    return found


def measure(seed: int = 2) -> Measured:
    """Give a linear and a tanh network of 2, 3 and 2 units the same weights."""
    random.seed(seed)
    linear = MLP(2, [3, 2], activation=["linear", "linear"])
    tanh = MLP(2, [3, 2], activation=["tanh", "linear"])
    for ours, theirs in zip(tanh.parameters(), linear.parameters()):
        theirs.data = ours.data = random.uniform(-1.5, 1.5) if ours.label != "b" else 0.0
    W1, W2 = matrices(linear)
    points = np.array([[random.uniform(-1, 1) for _ in range(2)] for _ in range(2)])
    formula = W2 @ np.diag(1 - np.tanh(W1 @ points[0]) ** 2) @ W1
    line = np.linspace(-2, 2, 81)
    with no_grad():
        outputs = {
            name: [model([x, 0.5 * x])[0].data for x in line.tolist()]
            for name, model in (("linear", linear), ("tanh", tanh))
        }
    apart = np.abs(np.array(outputs["linear"]) - [(W2 @ W1 @ (x, 0.5 * x))[0] for x in line]).max()
    return Measured(
        W2 @ W1,
        jacobians(linear, points),
        jacobians(tanh, points),
        formula,
        line,
        outputs,
        float(apart),
    )


def show(r: Measured) -> None:
    """Print the Jacobians."""
    rows = [
        ("W₂W₁", r.product),
        (t("∂y/∂x without f", "没有 f 时的 ∂y/∂x"), r.linear[0]),
        (t("... at another x", "……在另一个 x"), r.linear[1]),
        (t("∂y/∂x with tanh", "有 tanh 时的 ∂y/∂x"), r.tanh[0]),
        (t("... at another x", "……在另一个 x"), r.tanh[1]),
    ]
    for name, matrix in rows:
        print(name, np.array2string(matrix, precision=4).replace("\n", ""))


@claim(
    "Without f the network is (W₂W₁)x, and its Jacobian is W₂W₁ at every point.",
    "没有 f 时，网络就是 (W₂W₁)x，在每一点的雅可比矩阵都是 W₂W₁。",
)
def depth_without_f_is_one_map(r: Measured) -> bool:
    return r.apart < 1e-12 and all(np.allclose(J, r.product, atol=1e-12) for J in r.linear)


@claim(
    "With f it is W₂ diag(f′(z)) W₁, another one at another point.",
    "有 f 时它是 W₂ diag(f′(z)) W₁，换一个点就不同。",
)
def f_makes_it_depend_on_x(r: Measured) -> bool:
    same = bool(np.allclose(r.tanh[0], r.formula, atol=1e-12))
    return same and float(np.abs(r.tanh[0] - r.tanh[1]).max()) > 0.01


def draw(r: Measured) -> Any:
    """Draw outputs along a line, and the Jacobians."""
    from figures import STYLES, matrix, panels

    figure, axes = panels(2, 2)
    for style, (name, outputs) in zip(STYLES, r.outputs.items()):
        label = name if name == "tanh" else t("linear", "线性")
        axes[0].plot(r.line, outputs, label=label, **style | {"marker": ""})
    axes[0].set(title=t("y₁ along a line", "沿一条直线的 y₁"), xlabel="x₁ (x₂ = x₁ / 2)")
    axes[0].legend()
    matrix(axes[1], r.product, "W₂W₁ = ∂y/∂x, " + t("linear", "线性"), 3)
    for panel, J, name in zip(
        axes[2:], r.tanh, (t("at one x", "某个 x 处"), t("at another x", "另一个 x 处"))
    ):
        matrix(panel, J, f"W₂ diag(f′(z)) W₁, {name}", 3)
    return figure


if __name__ == "__main__":
    run(__name__)
