"""The window models, each written once as a scalar function of one training sample.

The scalar engine records these functions as graphs of Values; the lowered engine turns the
same functions into array programs. LECTURES.md L3, L4, L10 to L12.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from micrograd.core.modes import scope
from micrograd.engine import Value, weighted_sum
from micrograd.functions import log_softmax
from micrograd.ner.model.vocabulary import CASES
from micrograd.ner.model.windows import check_width

Arrays = dict[str, NDArray[np.float64]]
Vector = Sequence[Value]
Matrix = Sequence[Sequence[Value]]

MODELS = ("margin", "softmax", "multiclass")
ACTIVATIONS: dict[str, Callable[[Any], Any]] = {
    "tanh": np.tanh,
    "relu": lambda z: np.maximum(z, 0),
    "hard_tanh": lambda z: np.clip(z, -1, 1),
    "sigmoid": lambda z: 0.5 * (1 + np.tanh(z / 2)),
}
TABLES = ("E", "C")


@dataclass(frozen=True)
class Shape:
    """What a model is: its kind, sizes and margin.

    `outputs` is 1 for the margin scorer, else the number of tags; `case_dim` 0 leaves the
    case feature out. ValueError for sizes that cannot be.
    """

    kind: str = "margin"
    width: int = 5
    dim: int = 10
    case_dim: int = 5
    hidden: int = 20
    outputs: int = 1
    activation: str = "tanh"
    delta: float = 1.0
    average: bool = False

    def __post_init__(self) -> None:
        check_width(self.width)
        _check_name("model", self.kind, MODELS)
        _check_name("activation", self.activation, ACTIVATIONS)
        for name in ("dim", "hidden", "outputs"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} {getattr(self, name)}: it must be 1 or more")
        if self.case_dim < 0 or self.delta < 0:
            raise ValueError(
                f"case_dim {self.case_dim}, delta {self.delta}: neither may be below 0"
            )

    @property
    def word_inputs(self) -> int:
        """Count the numbers that describe one word of the window."""
        return self.dim + self.case_dim

    @property
    def window_inputs(self) -> int:
        """Count the numbers that describe a window."""
        return self.width * self.word_inputs

    @property
    def inputs(self) -> int:
        """Count the columns of W."""
        return self.word_inputs if self.average else self.window_inputs


def _check_name(what: str, name: str, known: Any) -> None:
    if name not in known:
        raise ValueError(f"unknown {what} {name!r}: expected one of {', '.join(known)}")


def initial(shape: Shape, words: int, rng: np.random.Generator) -> Arrays:
    """Draw the parameters: E (words, dim), C (cases, case_dim), W (hidden, inputs), b, then u
    or U (outputs, hidden) and c. Weights by Xavier's rule (L22), biases 0, vectors small."""
    arrays: Arrays = {"E": rng.uniform(-0.05, 0.05, (words, shape.dim))}
    if shape.case_dim:
        arrays["C"] = rng.uniform(-0.1, 0.1, (len(CASES), shape.case_dim))
    arrays["W"] = _xavier(rng, shape.hidden, shape.inputs)
    arrays["b"] = np.zeros(shape.hidden)
    last = _xavier(rng, shape.outputs, shape.hidden)
    if shape.kind == "margin":
        return arrays | {"u": last[0]}
    return arrays | {"U": last, "c": np.zeros(shape.outputs)}


def _xavier(rng: np.random.Generator, fan_out: int, fan_in: int) -> NDArray[np.float64]:
    limit = (6 / (fan_in + fan_out)) ** 0.5
    return rng.uniform(-limit, limit, (fan_out, fan_in))


def hidden(shape: Shape, x: Vector, W: Matrix, b: Vector) -> list[Value]:
    """Compute h = f(Wx + b), one node per neuron's sum; average the words first if so set."""
    if shape.average:
        n = shape.word_inputs
        x = [sum(x[i + n :: n], x[i]) / shape.width for i in range(n)]
    out = []
    for number, (row, bias) in enumerate(zip(W, b, strict=True)):
        with scope(f"neuron {number}"):
            out.append(getattr(weighted_sum(row, x, bias), shape.activation)())
    return out


def score(shape: Shape, x: Vector, W: Matrix, b: Vector, u: Vector) -> Value:
    """Compute the window's score s = uᵀ f(Wx + b) (L3)."""
    return weighted_sum(u, hidden(shape, x, W, b))


def logits(shape: Shape, x: Vector, W: Matrix, b: Vector, U: Matrix, c: Vector) -> list[Value]:
    """Compute U f(Wx + b) + c, one number per tag."""
    h = hidden(shape, x, W, b)
    return [weighted_sum(row, h, bias) for row, bias in zip(U, c, strict=True)]


def pair_loss(
    shape: Shape, true: Vector, corrupt: Vector, W: Matrix, b: Vector, u: Vector
) -> Value:
    """Compute J = max(0, Δ + s_c − s) of one true and one corrupt window (L4)."""
    with scope("true window"):
        s = score(shape, true, W, b, u)
    with scope("corrupt window"):
        s_c = score(shape, corrupt, W, b, u)
    s.label, s_c.label = "s", "s_c"
    loss: Value = (s_c - s + shape.delta).relu()
    loss.label = "J"
    return loss


def cross_entropy(
    shape: Shape, x: Vector, target: Vector, W: Matrix, b: Vector, U: Matrix, c: Vector
) -> Value:
    """Compute −Σ tₖ log pₖ; the target t is one-hot, an input, so that no graph depends on it."""
    return -weighted_sum(target, log_softmax(logits(shape, x, W, b, U, c)))


def multiclass_margin(
    shape: Shape, x: Vector, target: Vector, W: Matrix, b: Vector, U: Matrix, c: Vector
) -> Value:
    """Compute Σ_{k≠y} max(0, Δ + s_k − s_y), the sum over all wrong tags (Weston and Watkins)."""
    s = logits(shape, x, W, b, U, c)
    right = weighted_sum(target, s)
    right.label = "s_y"
    others = [1 - t for t in target]
    return weighted_sum(others, [(s_k - right + shape.delta).relu() for s_k in s])


LOSSES: dict[str, Callable[..., Value]] = {
    "margin": pair_loss,
    "softmax": cross_entropy,
    "multiclass": multiclass_margin,
}


def windows_per_sample(shape: Shape) -> int:
    """Count the windows a sample's loss looks at: a pair has two."""
    return 2 if shape.kind == "margin" else 1


def outputs(shape: Shape, x: NDArray[Any], arrays: Mapping[str, NDArray[Any]]) -> NDArray[Any]:
    """Compute the scores (n,) or logits (n, outputs) of window inputs x (n, window_inputs)."""
    if shape.average:
        x = x.reshape(len(x), shape.width, -1).mean(1)
    z = x @ arrays["W"].T
    z += arrays["b"]
    h = ACTIVATIONS[shape.activation](z)
    if shape.kind == "margin":
        return np.asarray(h @ arrays["u"])
    return np.asarray(h @ arrays["U"].T + arrays["c"])
