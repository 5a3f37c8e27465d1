"""The four Jacobians of a layer, and the Jacobian form against the shape convention (L7).

For z = Wx + b, h = tanh(z), s = uᵀh: what `jacobian()` finds by back-propagation stands beside the
closed form, ∂h/∂z = diag(f′(z)), ∂z/∂x = W, ∂z/∂b = I, ∂s/∂u = hᵀ. The figure shows the matrices:

    python demos/jacobians.py [jacobians.svg]
"""

from __future__ import annotations

import sys
from itertools import zip_longest
from typing import Any, NamedTuple

import numpy as np

from micrograd import Value, dot, jacobian

X, B, U = (1.0, -0.5, 0.25), (0.1, 0.3), (1.5, -2.0)
W = ((0.5, -0.3, 0.8), (-0.6, 0.4, 0.2))


class Layer(NamedTuple):
    """The Values of s = uᵀ tanh(Wx + b), each as a list."""

    x: list[Value]
    W: list[Value]  # row by row
    b: list[Value]
    u: list[Value]
    z: list[Value]
    h: list[Value]
    s: list[Value]


def layer() -> Layer:
    """Record the layer's graph."""
    x, b, u = ([Value(number) for number in numbers] for numbers in (X, B, U))
    rows = [[Value(weight) for weight in row] for row in W]
    z = [dot(row, x) + bias for row, bias in zip(rows, b)]
    h = [unit.tanh() for unit in z]
    return Layer(x, [w for row in rows for w in row], b, u, z, h, [dot(u, h)])


def four(net: Layer) -> list[tuple[str, Any, str, Any]]:
    """Return the lecture's four: what it is, by `jacobian()`, the closed form's name, the form."""
    h = np.tanh(np.array(W) @ X + B)
    return [
        ("∂h/∂z", jacobian(net.h, net.z), "diag(f′(z))", np.diag(1 - h * h)),
        ("∂z/∂x", jacobian(net.z, net.x), "W", np.array(W)),
        ("∂z/∂b", jacobian(net.z, net.b), "I", np.eye(2)),
        ("∂s/∂u", jacobian(net.s, net.u), "hᵀ", h[None]),
    ]


def conventions(net: Layer) -> list[tuple[str, Any, str, Any]]:
    """Return ∂s/∂W by Jacobian, one row for one output, and in the shape of W: δxᵀ."""
    row = jacobian(net.s, net.W)
    net.s[0].backward()
    shaped = np.reshape([w.grad for w in net.W], np.shape(W))
    return [("∂s/∂W, Jacobian form", row, "∂s/∂W, shape convention", shaped)]


def show(name: str, matrix: Any, other: str, beside: Any) -> None:
    """Print two matrices side by side."""
    left, right = (np.array2string(np.array(m), precision=4, suppress_small=True).split("\n")
                   for m in (matrix, beside))  # fmt: skip
    names = f"{name} {np.shape(matrix)}", f"{other} {np.shape(beside)}"
    for line in zip_longest([names[0], *left], [names[1], *right], fillvalue=""):
        print("{:56}{}".format(*line).rstrip())
    print()


def draw(pairs: list[tuple[str, Any, str, Any]], path: str) -> None:
    """Draw the Jacobians as matrices of numbers, and ∂s/∂W in the shape of W."""
    from figures import panels, save

    shown = [(f"{name} = {other}", m) for name, m, other, _ in pairs[:4]]
    shown += [(name, m) for name, m in (pairs[4][:2], pairs[4][2:])]
    figure, axes = panels(3, 2, 4.4, 1.8)
    for panel, (title, matrix) in zip(axes, shown):
        panel.imshow(np.abs(matrix), cmap="Greys", vmin=0, vmax=5)
        panel.set_title("{}   {} × {}".format(title, *np.shape(matrix)), loc="left")
        panel.set(xlim=(-0.5, 5.5), ylim=(1.5, -0.5))  # cells of one size everywhere
        panel.set_axis_off()
        for (i, j), number in np.ndenumerate(np.array(matrix)):
            panel.text(j, i, f"{number:.2f}", ha="center", va="center")
    save(figure, path)


def main(path: str | None = None) -> None:
    """Print all pairs; draw them where a path is given."""
    net = layer()
    pairs = four(net) + conventions(net)
    for pair in pairs:
        show(*pair)
    print(
        "The closed forms are what back-propagation finds, entry by entry. ∂s/∂W has the same\n"
        "numbers in both forms; in the shape of W it can be subtracted: W −= α ∂s/∂W."
    )
    if path:
        draw(pairs, path)


if __name__ == "__main__":
    main(*sys.argv[1:2])
