"""The window network: look the words up, s = U f(Wx + b) + c (L2, L3, L29), and its way back (L6).

`forward` is written once. Over Values it records the graph of one window, to be drawn, stepped
through and lowered; over arrays it computes a batch, and `backward` gives the gradients.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from micrograd.core.formulas import Namespace
from micrograd.core.modes import scope
from micrograd.engine import weighted_sum
from micrograd.init import drawn
from micrograd.ner.model.config import ACTIVATIONS, Config
from micrograd.ner.model.windows import Ids
from micrograd.ops import BY_NAME, FUNCTIONS
from micrograd.optim.gradients import Rows

Floats = NDArray[np.float64]
Arrays = dict[str, Floats]

_ARRAYS = Namespace(
    {name: getattr(np, name) for name in (*FUNCTIONS, "where", "maximum", "minimum")}
    | {"abs": np.abs}
)
_VALUE = {name: _ARRAYS.value(BY_NAME[name]) for name in ACTIVATIONS}
_LOCAL = {name: _ARRAYS.local(BY_NAME[name])[0] for name in ACTIVATIONS}


def initial(
    config: Config, outputs: int, rows: Mapping[str, int], rng: np.random.Generator
) -> Arrays:
    """Draw the parameters: a table of so many `rows` per feature, W (hidden, inputs), b, then u or
    U (outputs, hidden) and c, and A, the transitions of a sequence model and those at its borders.

    Weights by Xavier's rule (L22), biases and transitions 0, vectors small.
    """
    inputs = config.word_inputs if config.average else config.window_inputs
    arrays = {}
    for name, width in config.tables:
        limit = 0.05 if name == "E" else 0.1
        arrays[name] = rng.uniform(-limit, limit, (rows[name], width))
    arrays["W"] = drawn("xavier_uniform", (config.hidden, inputs), rng)
    arrays["b"] = np.zeros(config.hidden)
    last = drawn("xavier_uniform", (outputs, config.hidden), rng)
    if config.kind == "margin":
        return arrays | {"u": last[0]}
    arrays |= {"U": last, "c": np.zeros(outputs)}
    if config.kind == "sequence":
        arrays["A"] = np.zeros((outputs + 1, outputs + 1))
    return arrays


class Pass(NamedTuple):
    """A forward pass: inputs, pre-activations, hidden units, scores."""

    x: Any
    z: Any
    h: Any
    s: Any


def forward(config: Config, x: Any, parameters: Mapping[str, Any]) -> Pass:
    """Compute the scores of windows: of a batch x (n, window_inputs), or of one list of Values.

    They are (n, outputs), or a list; the margin scorer's one score too.
    """
    if config.average:
        x = _averaged(x, config)
    return above(config, x, affine(parameters["W"], x, parameters["b"]), parameters)


def above(config: Config, x: Any, z: Any, parameters: Mapping[str, Any]) -> Pass:
    """Compute what lies above the pre-activations z = Wx + b: h = f(z), s = Uh + c."""
    h = _activated(z, config.activation)
    last = parameters["U"] if "U" in parameters else [parameters["u"]]
    return Pass(x, z, h, affine(last, h, parameters.get("c")))


def products(config: Config, arrays: Mapping[str, Any], ids: Ids) -> Any:
    """Multiply every word, a row of `ids` (words, tables), by W's part for every place.

    So Wx of a window is Σ_p W_p x_p, (width, words, hidden), and a word that occurs often is
    multiplied once.
    """
    x = gather(config, arrays, ids[:, None])
    parts = [arrays["W"] / config.width] * config.width
    if not config.average:
        parts = np.split(arrays["W"], config.width, axis=1)
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
        return product if b is None else np.add(product, b, out=product)
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


def _averaged(x: Any, config: Config) -> Any:
    n = config.word_inputs
    if isinstance(x, np.ndarray):
        return x.reshape(len(x), config.width, n).mean(1)
    return [sum(x[i + n :: n], x[i]) / config.width for i in range(n)]


def backward(
    config: Config, run: Pass, parameters: Arrays, upstream: Floats
) -> tuple[Arrays, Floats]:
    """Give the gradients of W, b and the output layer, and of the window inputs (L6).

    `upstream` (n, outputs) is the gradient with respect to the scores.
    """
    last = parameters["U"] if "U" in parameters else parameters["u"][None]
    dz = upstream @ last
    dz *= _LOCAL[config.activation](run.z, None, None, run.h)
    dlast = upstream.T @ run.h
    gradients = {"W": dz.T @ run.x, "b": dz.sum(0)}
    gradients |= {"U": dlast, "c": upstream.sum(0)} if "U" in parameters else {"u": dlast[0]}
    dx = dz @ parameters["W"]
    return gradients, np.tile(dx / config.width, config.width) if config.average else dx


def gather(config: Config, arrays: Mapping[str, Any], ids: Ids) -> Floats:
    """Give the inputs of windows, (n, window_inputs): per word its row of every table."""
    parts = [arrays[name].take(ids[:, :, k], 0) for k, (name, _) in enumerate(config.tables)]
    return np.concatenate(parts, axis=2).reshape(len(ids), -1)


def scatter(config: Config, ids: Ids, gradient: Floats) -> dict[str, Rows]:
    """Give the gradient of window inputs as rows of the tables.

    A row that occurs several times is there as often; the optimiser adds them up (L8).
    """
    whole = gradient.reshape(-1, config.word_inputs)
    ends = np.cumsum([width for _, width in config.tables])
    return {
        name: Rows(ids[:, :, k].ravel(), whole[:, end - width : end])
        for k, ((name, width), end) in enumerate(zip(config.tables, ends.tolist()))
    }
