"""Slips in the checker, in regularisation, in preprocessing and in optimisers."""

from __future__ import annotations

import math
import random
from typing import Any

import numpy as np

from micrograd import Value
from micrograd.gradcheck import gradcheck
from micrograd.nn import Dropout
from micrograd.optim import AdaGrad, Adam
from micrograd.preprocessing import Whitening
from printed.form import Outcome, Slip, both, gradients, of_report, running, same

WEIGHTS = (0.5, -1.5, 2.0)
LISTING = """\
def eval_numerical_gradient(f, x):
    grad = np.zeros(x.shape)
    h = 0.00001
    it = np.nditer(x, flags=["multi_index"], op_flags=["readwrite"])
    while not it.finished:
        ix = it.multi_index
        old_value = x[ix]
        x[ix] = old_value + h
        fxh_left = f(x)
        x[ix] = old_value - h
        fxh_right = f(x)
        x[ix] = old_value
        grad[ix] = (fxh_left - fxh_right) / (2 * h)
        it.iternext()
    return grad
"""
COPY = LISTING.replace("    grad =", "    x = np.array(x, float)\n    grad =", 1)
ADAM = "m = beta * m + (1 - beta1) * dx\nv = beta2 * v + (1 - beta2) * (dx ** 2)\n"
HAT = (
    "t += 1\nm = beta1 * m + (1 - beta1) * dx\nv = beta2 * v + (1 - beta2) * (dx ** 2)\n"
    "x += -rate * (m / (1 - beta1 ** t)) / (np.sqrt(v / (1 - beta2 ** t)) + eps)\n"
)


def squares(x: Any) -> float:
    """Return Σx², whose gradient is 2x."""
    return float((np.asarray(x, float) ** 2).sum())


def listed(source: str, x: Any) -> Outcome:
    """Compare the gradient that a listing finds with 2x."""
    names: dict[str, Any] = {"np": np}
    exec(source, names)
    return same("∇Σx²", names["eval_numerical_gradient"](squares, x.copy()), 2 * x)


def steep(x: Value) -> Value:
    """Return tanh(x) eˣ."""
    return x.tanh() * x.exp()


def at_right(left: float, right: float) -> Outcome:
    """Tell whether what is called right lies right of what is called left: x² rises at 3."""
    return Outcome(left < right, f"fxh_left = {left:.5f}, fxh_right = {right:.5f}; x² rises at 3")


def penalty(value: Any) -> Outcome:
    """Check the usual update's gradient, 2λw, with λ = 0.1, against a penalty."""
    return gradients(lambda *w: 0.1 * value(np.array(w)), lambda *w: [0.2 * x for x in w], WEIGHTS)


def expectation(at_test: Any) -> Outcome:
    """Compare a unit's output at test with its mean in training, units kept with p = 0.8."""
    dropout, unit = Dropout(0.8, inverted=False, seed=1), [Value(2.0)]
    mean = sum(dropout(unit)[0].data for _ in range(4000)) / 4000
    got = at_test(2.0, 0.8)
    return Outcome(abs(got - mean) < 0.1, f"at test {got:.3f}, mean in training {mean:.3f}")


def masked(value: Any) -> Outcome:
    """Check the gradients of h₁ + 3h₂ with h₂ dropped: it gets none, since it has no influence."""
    return gradients(value, lambda *_: (1.0, 0.0), (0.5, 2.0))


def whitened(points: Any) -> Outcome:
    """Compare the covariance of whitened points with I."""
    return same("covariance", np.cov(points, bias=True), np.eye(len(points)))


def points() -> tuple[Any, Any, Any]:
    """Return centred points, examples as columns, with the U and S of their decomposition."""
    rng = np.random.default_rng(1)
    X = np.array([[2.0, 0, 0], [1.5, 0.5, 0], [0.3, -1, 0.7]]) @ rng.normal(size=(3, 50))
    X = X - X.mean(1, keepdims=True)
    U, S, _ = np.linalg.svd(X, full_matrices=False)
    return X, U, S


def printed_whitening() -> Outcome:
    """Judge U X′, then ÷ S, for examples as rows, and as columns with U turned round."""
    X, U, S = points()
    U_rows = np.linalg.svd(X.T, full_matrices=False)[0]
    rows = running("U @ X", U=U_rows, X=X.T)
    return both(rows, whitened(U @ X / S[:, None]), whitened(U.T @ X / S[:, None]))


def right_whitening() -> Outcome:
    """Judge Uᵀ X′ × √n ÷ S, and the project's."""
    X, U, S = points()
    ours = Whitening().fit(X.T).apply(X.T).T
    return both(whitened(U.T @ X * math.sqrt(X.shape[1]) / S[:, None]), whitened(ours))


def adam(source: str) -> Outcome:
    """Run the text for a constant gradient, which should move x by the rate; beside our Adam."""
    names = {
        "np": np,
        "m": 0.0,
        "v": 0.0,
        "x": 0.0,
        "t": 0,
        "dx": 3.0,
        "rate": 0.1,
        "beta1": 0.9,
        "beta2": 0.999,
        "eps": 1e-8,
    }
    try:
        exec(source, names)
    except NameError as error:
        return Outcome(False, f"NameError: {error}")
    ours = Value(0.0)
    ours.grad = 3.0
    Adam([ours], lr=0.1).step()
    return both(same("x", names["x"], -0.1), same("x of micrograd.optim.Adam", ours.data, -0.1))


def adagrad(eps: float) -> Outcome:
    """Take a first step with the gradient 0 of an unused weight."""
    with np.errstate(invalid="ignore"):
        step = float(np.float64(0.1) * 0.0 / (np.sqrt(np.float64(0.0)) + eps))
    unused = Value(1.0)
    AdaGrad([unused], lr=0.1).step()
    return both(same("step", step, 0.0), same("with micrograd.optim.AdaGrad", unused.data, 1.0))


def listing_lines() -> Outcome:
    """Compile the two faulty lines of the listing as they are printed."""
    return both(
        running("f(x) = f(x)"),
        running("it = np.nditer(x, flags=['multi_index',op_flags=['readwrite'])"),
    )


def mlp_report() -> Outcome:
    """Run the project's checker on a network."""
    from micrograd.nn import MLP

    random.seed(1)
    return of_report(gradcheck(MLP(2, [2, 1], activation="tanh"), at=[0.3, -0.8]))


SLIPS = (
    Slip(
        ("the L2 penalty", "L2 惩罚项"),
        "λ Σ ‖W‖_F",
        "λ Σ ‖W‖²_F",
        lambda: penalty(lambda w: math.sqrt(squares(w))),
        lambda: penalty(squares),
    ),
    Slip(
        ("Adam", "Adam"),
        "m = beta * m + (1 - beta1) * dx",
        "m = β₁m + (1 − β₁)dx;  m̂ = m/(1 − β₁ᵗ), v̂ = v/(1 − β₂ᵗ)",
        lambda: adam(ADAM),
        lambda: adam(HAT),
    ),
    Slip(
        ("dropout at test time", "测试时的 dropout"),
        "divide by p at test",
        "multiply by p at test",
        lambda: expectation(lambda h, p: h / p),
        lambda: expectation(lambda h, p: h * p),
    ),
    Slip(
        ("the listed checker", "讲义列出的检查程序"),
        "f(x) = f(x);  flags=['multi_index',op_flags=['readwrite'])",
        "micrograd.gradcheck",
        listing_lines,
        mlp_report,
    ),
    Slip(
        ("whitening", "白化"),
        "U X′, divided by S",
        "Uᵀ X′ × √n, divided by S",
        printed_whitening,
        right_whitening,
    ),
    Slip(
        ("the step of the difference", "差分的步长"),
        "ε = 1e^{-5}, set as the power e⁻⁵ = 0.0067",
        "ε = 10⁻⁵",
        lambda: of_report(gradcheck(steep, at=[0.7], h=math.exp(-5))),
        lambda: of_report(gradcheck(steep, at=[0.7], h=1e-5)),
    ),
    Slip(
        ("left and right", "左与右"),
        "fxh_left = f(x + h), fxh_right = f(x − h)",
        "fxh_right = f(x + h), fxh_left = f(x − h)",
        lambda: at_right((3 + 1e-5) ** 2, (3 - 1e-5) ** 2),
        lambda: at_right((3 - 1e-5) ** 2, (3 + 1e-5) ** 2),
    ),
    Slip(
        ("the listing on integers", "整数数组上的检查程序"),
        "x[ix] = old_value + h, x an array of ints",
        "x = np.array(x, float) first",
        lambda: listed(LISTING, np.array([3, 4])),
        lambda: listed(COPY, np.array([3, 4])),
    ),
    Slip(
        ("dropped units", "被丢弃的单元"),
        "“not set to 0, only assumed 0”",
        "mask = 0: no output, no gradient",
        lambda: masked(lambda a, b: a + 3 * b),
        lambda: masked(lambda a, b: a + 3 * (0 * b)),
    ),
    Slip(
        ("AdaGrad", "AdaGrad"),
        "α / √Σg²",
        "α / (√Σg² + ε)",
        lambda: adagrad(0.0),
        lambda: adagrad(1e-8),
    ),
)
