"""The four Jacobians of a layer, and the Jacobian form against the shape convention (L7).

For z = Wx + b, h = f(z), s = uᵀh: ∂h/∂z = diag(f′(z)), ∂z/∂x = W, ∂z/∂b = I, ∂s/∂u = hᵀ. By the
Jacobian form ∂s/∂W is one row of 1 × nm numbers; by the shape convention it has the shape of W, so
that W ← W − α ∂s/∂W can be written:

    python demos/jacobians.py jacobians.svg
"""

from __future__ import annotations

import random
from itertools import zip_longest
from typing import Any, NamedTuple

import numpy as np
from stage import claim, run, t

from micrograd import Value, dot, jacobian

FIGURE = (
    "The four Jacobians of a layer, and ∂s/∂W as a row and in the shape of W",
    "一层的四个雅可比矩阵，以及写成一行和写成 W 的形状的 ∂s/∂W",
)


class Layer(NamedTuple):
    """The Values of s = uᵀ tanh(Wx + b)."""

    x: list[Value]
    W: list[list[Value]]
    b: list[Value]
    u: list[Value]
    z: list[Value]
    h: list[Value]
    s: Value


def layer(seed: int, n: int = 3, m: int = 2) -> Layer:
    """Record the graph of a layer of m units on n inputs."""
    rng = random.Random(seed)
    x, b, u, *W = ([Value(rng.uniform(-1, 1)) for _ in range(k)] for k in (n, m, m, *(n,) * m))
    z = [dot(row, x) + bias for row, bias in zip(W, b)]
    h = [unit.tanh() for unit in z]
    return Layer(x, W, b, u, z, h, dot(u, h))


class Measured(NamedTuple):
    """What it is, by `jacobian()`, the closed form's name, the closed form; for each of the four."""

    four: list[tuple[str, Any, str, Any]]
    row: Any
    shaped: Any

    @property
    def apart(self) -> float:
        """Return the largest difference between a Jacobian and its closed form."""
        return max(float(np.abs(np.subtract(a, b)).max()) for _, a, _, b in self.four)


def numbers(values: Any) -> Any:
    """Return an array of the numbers in a list, or list of lists, of Values."""
    return np.vectorize(lambda value: value.data)(np.array(values, object))


def measure(seed: int = 7) -> Measured:
    """Compute the four Jacobians by back-propagation and by their closed forms."""
    net = layer(seed)
    W = numbers(net.W)
    h = np.tanh(W @ numbers(net.x) + numbers(net.b))
    four = [
        ("∂h/∂z", jacobian(net.h, net.z), "diag(f′(z))", np.diag(1 - h * h)),
        ("∂z/∂x", jacobian(net.z, net.x), "W", W),
        ("∂z/∂b", jacobian(net.z, net.b), "I", np.eye(len(h))),
        ("∂s/∂u", jacobian([net.s], net.u), "hᵀ", h[None]),
    ]
    net.s.backward()
    shaped = np.array([[w.grad for w in row] for row in net.W])
    return Measured(four, np.array(jacobian([net.s], [w for row in net.W for w in row])), shaped)


def show(r: Measured) -> None:
    """Print the matrices side by side."""
    forms = t("∂s/∂W, Jacobian form", "∂s/∂W，雅可比形式"), t("shape convention", "形状约定")
    for name, found, closed, form in [*r.four, (forms[0], r.row, forms[1], r.shaped)]:
        left, right = (
            np.array2string(np.array(m), precision=4, suppress_small=True).split("\n")
            for m in (found, form)
        )
        print(f"{name} {np.shape(found)} = {closed} {np.shape(form)}")
        for a, b in zip_longest(left, right, fillvalue=""):
            print(f"  {a:52}{b}".rstrip())


@claim(
    "Back-propagation finds the closed forms diag(f′(z)), W, I and hᵀ, entry by entry.",
    "反向传播得到的正是 diag(f′(z))、W、I 与 hᵀ，逐项相同。",
)
def the_closed_forms_are_found(r: Measured) -> bool:
    return r.apart < 1e-12


@claim(
    "∂s/∂W is {r.row.shape} in the Jacobian form and {r.shaped.shape}, as W, by the shape "
    "convention: the same numbers.",
    "∂s/∂W 在雅可比形式下为 {r.row.shape}，按形状约定与 W 一样为 {r.shaped.shape}：数值相同。",
)
def both_forms_have_the_same_numbers(r: Measured) -> bool:
    same = bool(np.array_equal(r.row.ravel(), r.shaped.ravel()))
    return same and r.row.shape == (1, r.shaped.size)


def draw(r: Measured) -> Any:
    """Draw the matrices with their signs."""
    from figures import SMALL, matrix, panels

    figure, axes = panels(2, 3)
    pairs = [(f"{name} = {form}", found) for name, found, form, _ in r.four]
    pairs += [
        (t("∂s/∂W, a row", "∂s/∂W，写成一行"), r.row),
        (t("∂s/∂W, shape of W", "∂s/∂W，W 的形状"), r.shaped),
    ]
    for panel, (title, found) in zip(axes, pairs):
        matrix(panel, found, "{}   {} × {}".format(title, *np.shape(found)), 1, SMALL)
    return figure


if __name__ == "__main__":
    run(__name__)
