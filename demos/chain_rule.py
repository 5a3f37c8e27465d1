"""The chain rule as a product of Jacobians, every factor printed (L7, L30).

One number: z = 3y, y = x², dz/dx = dz/dy · dy/dx = 3 · 2x. A layer: z = Wx + b, h = f(z), s = uᵀh,

    ∂s/∂b = ∂s/∂h · ∂h/∂z · ∂z/∂b = uᵀ diag(f′(z)) I = uᵀ ∘ f′(z) = δ
    ∂s/∂W = δ ∂z/∂W, in the shape of W: δᵀ xᵀ, [n × m] = [n × 1][1 × m]

The first two factors are the same for b and for W: they are multiplied once, and called δ:

    python demos/chain_rule.py chain_rule.svg
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from jacobians import layer, numbers
from stage import claim, run, say

from micrograd import Value, grad, jacobian

FIGURE = (
    "uᵀ, diag(f′(z)) and I, their product δ, and the outer product δᵀxᵀ",
    "uᵀ、diag(f′(z)) 与 I，它们的乘积 δ，以及外积 δᵀxᵀ",
)


class Measured(NamedTuple):
    """dz/dx with its factors; the layer's factors and products; what back-propagation says."""

    factors: tuple[float, float]
    dz_dx: float
    u: Any
    slope: Any
    eye: Any
    delta: Any
    x: Any
    outer: Any
    ds_db: Any
    ds_dW: Any
    again: Any  # ∂s/∂W by the long product, factor by factor

    @property
    def product(self) -> float:
        """Return dz/dy · dy/dx."""
        return self.factors[0] * self.factors[1]


def one_number(x: float) -> tuple[tuple[float, float], float]:
    """Return dz/dy and dy/dx of z = 3y, y = x², and dz/dx by back-propagation."""
    start = Value(x)
    y = start**2
    z = 3 * y
    return (grad(z, [y])[0], grad(y, [start])[0]), grad(z, [start])[0]


def measure(seed: int = 7) -> Measured:
    """Multiply the Jacobians out, from left to right."""
    net = layer(seed)
    u = np.array(jacobian([net.s], net.h))
    slope = np.array(jacobian(net.h, net.z))
    eye = np.array(jacobian(net.z, net.b))
    weights = [w for row in net.W for w in row]
    dz_dW = np.array(jacobian(net.z, weights))
    delta, x = u @ slope, numbers([net.x])
    ds_dW = np.reshape(grad(net.s, weights), (len(net.W), -1))
    return Measured(
        *one_number(1.5),
        u,
        slope,
        eye,
        delta,
        x,
        delta.T @ x,
        np.array([grad(net.s, net.b)]),
        ds_dW,
        (u @ slope @ dz_dW).reshape(ds_dW.shape),
    )


def show(r: Measured) -> None:
    """Print every factor and product."""
    say(f"z = 3y, y = x²:  dz/dy · dy/dx = {r.factors[0]:g} · {r.factors[1]:g} = {r.product:g}")
    for name, found in (
        ("uᵀ", r.u),
        ("diag(f′(z))", r.slope),
        ("I", r.eye),
        ("δ = uᵀ diag(f′(z))", r.delta),
        ("xᵀ", r.x),
        ("∂s/∂W = δᵀxᵀ", r.outer),
    ):
        rows = np.array2string(found, precision=4, suppress_small=True).split("\n")
        print(
            f"{name + ' ' + str(found.shape):28}{rows[0]}",
            *(" " * 28 + row for row in rows[1:]),
            sep="\n",
        )


@claim(
    "At x = 1.5, dz/dx = {r.dz_dx:g}: the product of the factors is what back-propagation finds.",
    "在 x = 1.5 处 dz/dx = {r.dz_dx:g}：各因子之积就是反向传播的结果。",
)
def factors_multiply(r: Measured) -> bool:
    return r.product == r.dz_dx == 9


@claim("∂s/∂b = uᵀ diag(f′(z)) I = δ.", "∂s/∂b = uᵀ diag(f′(z)) I = δ。")
def the_bias_gets_delta(r: Measured) -> bool:
    return bool(np.allclose(r.delta @ r.eye, r.ds_db, atol=1e-12) and np.allclose(r.delta, r.ds_db))


@claim(
    "∂s/∂W = δᵀxᵀ: δ is used again, and the long product of all Jacobians says the same.",
    "∂s/∂W = δᵀxᵀ：δ 又用了一次；把全部雅可比矩阵乘起来，结果相同。",
)
def the_weights_get_the_outer_product(r: Measured) -> bool:
    return bool(np.allclose(r.outer, r.ds_dW, atol=1e-12) and np.allclose(r.again, r.ds_dW))


def draw(r: Measured) -> Any:
    """Draw both products, factor by factor."""
    from figures import matrix, panels

    figure, axes = panels(3, 2)
    pairs = (
        ("uᵀ", r.u),
        ("diag(f′(z))", r.slope),
        ("I = ∂z/∂b", r.eye),
        ("δᵀ", r.delta.T),
        ("xᵀ", r.x),
        ("∂s/∂W = δᵀxᵀ", r.outer),
    )
    for panel, (title, found) in zip(axes, pairs):
        matrix(panel, found, "{}   {} × {}".format(title, *found.shape), 1)
    return figure


if __name__ == "__main__":
    run(__name__)
