"""The window network: look the words up, s = U f(Wx + b) + c (L2, L3, L29), and its way back (L6).

`forward` is written once. Over Values it records the graph of one window, to be drawn, stepped
through and lowered; over arrays it computes a batch, and `backward` gives the gradients.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from micrograd.core.formulas import Namespace
from micrograd.core.modes import scope
from micrograd.engine import weighted_sum
from micrograd.ner.model.features import Ids
from micrograd.ner.model.windows import check_width
from micrograd.ops import BY_NAME, FUNCTIONS
from micrograd.optim.gradients import Rows

Floats = NDArray[np.float64]
Arrays = dict[str, Floats]

KINDS = ("margin", "softmax", "multiclass", "sequence")
ACTIVATIONS = ("tanh", "relu", "hard_tanh", "sigmoid")
_ARRAYS = Namespace(
    {name: getattr(np, name) for name in (*FUNCTIONS, "where", "maximum", "minimum")}
    | {"abs": np.abs}
)
_VALUE = {name: _ARRAYS.value(BY_NAME[name]) for name in ACTIVATIONS}
_LOCAL = {name: _ARRAYS.local(BY_NAME[name])[0] for name in ACTIVATIONS}


@dataclass(frozen=True)
class Shape:
    """What a network is: the tables a word is looked up in with their widths, and its layers.

    `outputs` is 1 for the margin scorer, else the number of tags. ValueError for what cannot be.
    """

    kind: str
    width: int
    tables: tuple[tuple[str, int], ...]
    hidden: int
    outputs: int
    activation: str = "tanh"
    average: bool = False

    def __post_init__(self) -> None:
        check_width(self.width)
        check_name("model", self.kind, KINDS)
        check_name("activation", self.activation, ACTIVATIONS)
        for name, number in (*self.tables, ("hidden", self.hidden), ("outputs", self.outputs)):
            if number < 1:
                raise ValueError(f"{name} {number}: it must be 1 or more")

    @property
    def word_inputs(self) -> int:
        """Count the numbers that describe one word of the window."""
        return sum(width for _, width in self.tables)

    @property
    def window_inputs(self) -> int:
        """Count the numbers that describe a window."""
        return self.width * self.word_inputs

    @property
    def inputs(self) -> int:
        """Count the columns of W."""
        return self.word_inputs if self.average else self.window_inputs


def check_name(what: str, name: str, known: Any) -> None:
    """Raise ValueError, with the names there are, for one that is not known."""
    if name not in known:
        raise ValueError(f"unknown {what} {name!r}: expected one of {', '.join(known)}")


def initial(shape: Shape, rows: Mapping[str, int], rng: np.random.Generator) -> Arrays:
    """Draw the parameters: a table of so many `rows` per feature, W (hidden, inputs), b, then u or
    U (outputs, hidden) and c, and A, the transitions of a sequence model and those at its borders.

    Weights by Xavier's rule (L22), biases and transitions 0, vectors small.
    """
    arrays = {}
    for name, width in shape.tables:
        limit = 0.05 if name == "E" else 0.1
        arrays[name] = rng.uniform(-limit, limit, (rows[name], width))
    arrays["W"] = _xavier(rng, shape.hidden, shape.inputs)
    arrays["b"] = np.zeros(shape.hidden)
    last = _xavier(rng, shape.outputs, shape.hidden)
    if shape.kind == "margin":
        return arrays | {"u": last[0]}
    arrays |= {"U": last, "c": np.zeros(shape.outputs)}
    if shape.kind == "sequence":
        arrays["A"] = np.zeros((shape.outputs + 1, shape.outputs + 1))
    return arrays


def _xavier(rng: np.random.Generator, fan_out: int, fan_in: int) -> Floats:
    limit = (6 / (fan_in + fan_out)) ** 0.5
    return rng.uniform(-limit, limit, (fan_out, fan_in))


class Pass(NamedTuple):
    """A forward pass: inputs, pre-activations, hidden units, scores."""

    x: Any
    z: Any
    h: Any
    s: Any


def forward(shape: Shape, x: Any, parameters: Mapping[str, Any]) -> Pass:
    """Compute the scores of windows: of a batch x (n, window_inputs), or of one list of Values.

    They are (n, outputs), or a list; the margin scorer's one score too.
    """
    if shape.average:
        x = _averaged(x, shape)
    return above(shape, x, affine(parameters["W"], x, parameters["b"]), parameters)


def above(shape: Shape, x: Any, z: Any, parameters: Mapping[str, Any]) -> Pass:
    """Compute what lies above the pre-activations z = Wx + b: h = f(z), s = Uh + c."""
    h = _activated(z, shape.activation)
    last = parameters["U"] if "U" in parameters else [parameters["u"]]
    return Pass(x, z, h, affine(last, h, parameters.get("c")))


def products(shape: Shape, arrays: Mapping[str, Any], ids: Ids) -> Any:
    """Multiply every word, a row of `ids` (words, tables), by W's part for every place.

    So Wx of a window is Σ_p W_p x_p, (width, words, hidden), and a word that occurs often is
    multiplied once.
    """
    x = gather(shape, arrays, ids[:, None])
    parts = [arrays["W"] / shape.width] * shape.width
    if not shape.average:
        parts = np.split(arrays["W"], shape.width, axis=1)
    return np.stack([x @ part.T for part in parts])


def pre_activations(products: Any, kinds: Any, b: Any) -> Any:
    """Compute Wx + b of windows (n, width) of words that are rows of `products`."""
    z = products[0].take(kinds[:, 0], axis=0)
    for place in range(1, len(products)):
        z += products[place].take(kinds[:, place], axis=0)
    z += b
    return z


def affine(W: Any, x: Any, b: Any = None) -> Any:
    """Compute Wx + b; of Values one node per neuron, in its scope."""
    if isinstance(x, np.ndarray):
        product = x @ np.asarray(W).T
        return product if b is None else product + b
    out = []
    for number, row in enumerate(W):
        with scope(f"neuron {number}"):
            out.append(weighted_sum(row, x, None if b is None else b[number]))
    return out


def _activated(z: Any, name: str) -> Any:
    if isinstance(z, np.ndarray):
        return _VALUE[name](z)
    out = []
    for number, value in enumerate(z):
        with scope(f"neuron {number}"):
            value.label = f"z{number}"
            out.append(getattr(value, name)())
            out[-1].label = f"h{number}"
    return out


def _averaged(x: Any, shape: Shape) -> Any:
    n = shape.word_inputs
    if isinstance(x, np.ndarray):
        return x.reshape(len(x), shape.width, n).mean(1)
    return [sum(x[i + n :: n], x[i]) / shape.width for i in range(n)]


def backward(
    shape: Shape, run: Pass, parameters: Arrays, upstream: Floats
) -> tuple[Arrays, Floats]:
    """Give the gradients of W, b and the output layer, and of the window inputs (L6).

    `upstream` (n, outputs) is the gradient with respect to the scores.
    """
    last = parameters["U"] if "U" in parameters else parameters["u"][None]
    dz = upstream @ last * _LOCAL[shape.activation](run.z, None, None, run.h)
    dlast = upstream.T @ run.h
    gradients = {"W": dz.T @ run.x, "b": dz.sum(0)}
    gradients |= {"U": dlast, "c": upstream.sum(0)} if "U" in parameters else {"u": dlast[0]}
    dx = dz @ parameters["W"]
    return gradients, np.tile(dx / shape.width, shape.width) if shape.average else dx


def gather(shape: Shape, arrays: Mapping[str, Any], ids: Ids) -> Floats:
    """Give the inputs of windows, (n, window_inputs): per word its row of every table."""
    parts = [arrays[name][ids[:, :, k]] for k, (name, _) in enumerate(shape.tables)]
    return np.concatenate(parts, axis=2).reshape(len(ids), -1)


def scatter(shape: Shape, ids: Ids, gradient: Floats) -> dict[str, Rows]:
    """Give the gradient of window inputs as rows of the tables.

    A row that occurs several times is there as often; the optimiser adds them up (L8).
    """
    whole = gradient.reshape(-1, shape.word_inputs)
    ends = np.cumsum([width for _, width in shape.tables])
    return {
        name: Rows(ids[:, :, k].ravel(), whole[:, end - width : end])
        for k, ((name, width), end) in enumerate(zip(shape.tables, ends.tolist()))
    }
