"""Tasks on the engine and on back-propagation."""

from __future__ import annotations

from typing import Any

import numpy as np

from tasks.form import RefusedError, Task, copies, near

RNG = np.random.default_rng(15)
X, B, U = RNG.uniform(-1, 1, (3, 3))
W, V = RNG.uniform(-1, 1, (2, 3, 3))


def sigmoid_slope(f: Any) -> None:
    for z in (-2.0, -0.5, 0.3, 1.7):
        s = 1 / (1 + np.exp(-z))
        if f(z) < 0:
            raise RefusedError("σ rises everywhere, so that its slope is above 0: look at the sign")
        near(f(z), s * (1 - s), f"σ′({z})", "differentiate 1/(1 + e⁻ᶻ) by the quotient rule")


def product(f: Any) -> None:
    near(
        f(3.0, -2.0, 1.0),
        (-6, -2, 3),
        "(value, dx, dy) at x = 3, y = −2, upstream 1",
        "to x goes the value of y, and to y that of x",
    )
    near(
        f(3.0, -2.0, 5.0),
        (-6, -10, 15),
        "(value, dx, dy) with upstream 5",
        "downstream = upstream × local",
    )


def several_users(f: Any) -> None:
    near(f([2.0], [3.0]), 6, "one user", "upstream × local")
    near(
        f([2.0, 1.0, -1.0], [3.0, 4.0, 0.5]),
        9.5,
        "three users",
        "a gradient that comes back over several edges is summed",
    )


def eight_numbers(f: Any) -> None:
    for z, w, a in ((0.3, 0.8, 2.0), (-1.0, -0.5, 0.4)):
        s = 1 / (1 + np.exp(-z))
        slope = s * (1 - s)
        near(
            f(z, w, a),
            [1, 1, 1, w, slope, slope * w, a, a * slope * w],
            "the eight numbers",
            "1: the seed; 4: δ⁽³⁾ times the weight; 5: f′(z); 7: the input, not f′",
        )


def delta(f: Any) -> None:
    upper, slope = np.array([0.5, -1.0]), np.array([1.0, 0.25, 0.5])
    M = np.array([[1.0, 2.0, -1.0], [0.5, 0.0, 3.0]])
    near(
        f(*copies(slope, M, upper)),
        slope * (M.T @ upper),
        "δ for W (2, 3)",
        "Wᵀ goes from the layer above to this one",
    )
    near(
        f(*copies(1 - X**2, W, U)),
        (1 - X**2) * (W.T @ U),
        "δ for a square W",
        "the sum runs over the first index of W, the users: Wᵀδ, not Wδ",
    )


def bias_gradient(f: Any) -> None:
    h = np.tanh(W @ X + B)
    near(
        f(*copies(W, X, B, U)),
        U * (1 - h * h),
        "∂s/∂b",
        "it is uᵀ ∘ f′(z): u comes from above, h is the output itself",
    )


def checker(f: Any) -> None:
    def total(x: Any) -> float:
        return float((np.asarray(x, float) ** 2).sum())

    near(
        f(total, np.array([3.0, -4.0])),
        [6, -8],
        "∇Σx² at (3, −4)",
        "(f(x + h) − f(x − h)) / 2h",
        1e-4,
    )
    x = np.array([3, 4])
    near(
        f(total, x),
        [6, 8],
        "∇Σx² at the integers (3, 4)",
        "an array of ints cuts x + h off: work on a copy of floats",
        1e-4,
    )
    near(x, [3, 4], "x after the call", "put every number back, or work on a copy")
    near(
        f(total, np.array([[1.0, 2.0], [3.0, 4.0]])),
        [[2, 4], [6, 8]],
        "∇Σx² at a matrix",
        "np.ndindex(*x.shape) runs through rows and columns",
        1e-4,
    )
    near(
        f(lambda x: float(np.sin(np.asarray(x, float)).sum()), np.array([0.5])),
        [np.cos(0.5)],
        "the slope of sin at 0.5",
        "h = 10⁻⁵ is 1e-5; exp(−5) is 0.0067",
        1e-7,
    )


TASKS = (
    Task(
        "sigmoid_slope",
        "slope(z)",
        "Return σ′(z).",
        "s = 1 / (1 + math.exp(-z))\nreturn s * (1 - s)",
        sigmoid_slope,
    ),
    Task(
        "product",
        "product(x, y, upstream)",
        "Return x·y, and what goes back to x and to y.",
        "return x * y, upstream * y, upstream * x",
        product,
    ),
    Task(
        "several_users",
        "gradient(upstreams, locals_)",
        "Return the gradient of a node from upstream and local gradient of each of its users.",
        "return sum(u * l for u, l in zip(upstreams, locals_))",
        several_users,
    ),
    Task(
        "eight_numbers",
        "eight(z, w, a)",
        "Return [seed, output's slope, δ⁽³⁾, share of a⁽²⁾, f′(z), δ⁽²⁾, input, ∂s/∂W], f = σ.",
        "s = 1 / (1 + math.exp(-z))\nslope = s * (1 - s)\n"
        "return [1, 1, 1, w, slope, slope * w, a, a * slope * w]",
        eight_numbers,
    ),
    Task(
        "delta",
        "delta(slope, W, upper)",
        "Return δ of a layer from f′(z), W and the δ of the layer above.",
        "return slope * (W.T @ upper)",
        delta,
    ),
    Task(
        "bias_gradient",
        "bias_gradient(W, x, b, u)",
        "Return ∂s/∂b of s = uᵀ tanh(Wx + b).",
        "h = np.tanh(W @ x + b)\nreturn u * (1 - h * h)",
        bias_gradient,
    ),
    Task(
        "checker",
        "numeric_gradient(f, x)",
        "Return the gradient of f at the array x, of ints or floats, by central differences.",
        "x = np.array(x, float)\ngrad = np.zeros(x.shape)\nfor i in np.ndindex(*x.shape):\n"
        "    old, values = x[i], []\n    for step in (1e-5, -1e-5):\n        x[i] = old + step\n"
        "        values.append(f(x))\n    x[i] = old\n    grad[i] = (values[0] - values[1]) / 2e-5\n"
        "return grad",
        checker,
    ),
)
