"""Public functions with every argument made wrong in turn: a result, or an error worth reading."""

import math
import warnings
from copy import deepcopy

import numpy as np
import pytest

from micrograd import (
    Value,
    dot,
    grad,
    hessian,
    jacobian,
    log_softmax,
    logsumexp,
    losses,
    mean,
    optim,
    preprocessing,
    schedules,
    softmax,
    topological_order,
    weighted_sum,
)
from micrograd import init as initialisation
from micrograd.checkpoint import load_state, save_state
from micrograd.gradcheck import gradcheck
from micrograd.ner.model.config import Config, Training
from micrograd.nn import MLP, Dropout, Embedding, Layer, Neuron
from tests.bad_inputs import STOCK

BAD = {
    "nan": math.nan,
    "inf": math.inf,
    "minus inf": -math.inf,
    "negative": -1,
    "zero": 0,
    "huge": 1e300,
    "beyond float": 10**400,
    "half": 2.5,
    "text": "abc",
    "empty text": "",
    "None": None,
    "empty": [],
    "list": [1, 2],
    "nested": [[1], [2, 3]],
    "dict": {"a": 1},
    "set": {1},
    "object": object(),
    "complex": 1j,
    "truth": True,
    "array": np.ones((2, 2)),
    "objects": np.array([None, 1], object),
    "Value": Value(3.0),
    "function": lambda *_: 1,
    "class": Value,
    "bytes": b"ab",
    "list of None": [None],
    "list of text": ["a"],
    "list of nan": [math.nan, 1.0, 2.0],
}


def values():
    return [Value(0.1), Value(0.2), Value(0.3)]


def optimised(rule):
    def step(**options):
        optimizer = rule(**options)
        optimizer.step()

    return step


def at_step(make):
    return lambda **options: make(**options)(3)


RATE = schedules.constant(0.1)
CALLS = {  # a call, and arguments that are right
    "softmax": (softmax, {"xs": values()}),
    "log_softmax": (log_softmax, {"xs": values()}),
    "logsumexp": (logsumexp, {"xs": values()}),
    "mean": (mean, {"xs": values()}),
    "dot": (dot, {"xs": values(), "ys": values()}),
    "grad": (grad, {"y": Value(1.0) * 2, "xs": values()}),
    "hessian": (hessian, {"y": Value(1.0) * 2, "xs": values()}),
    "jacobian": (jacobian, {"ys": values(), "xs": values()}),
    "weighted_sum": (
        weighted_sum,
        {"weights": values(), "inputs": values(), "bias": Value(1.0)},
    ),
    "order": (lambda root: topological_order(root), {"root": Value(1.0) * 2}),
    "data": (Value, {"data": 1.0}),
    "add": (lambda y: Value(2.0) + y, {"y": 1.0}),
    "max": (lambda y: Value(2.0).max(y), {"y": 1.0}),
    "elu": (lambda k: Value(-2.0).elu(k), {"k": 1.0}),
    "seed": (lambda seed: (Value(1.0) * 2).backward(seed), {"seed": 1.0}),
    "max_margin": (losses.max_margin, {"s": Value(1.0), "s_c": Value(2.0), "margin": 1.0}),
    "binary_hinge": (losses.binary_hinge, {"score": Value(1.0), "label": 1}),
    "multiclass_hinge": (losses.multiclass_hinge, {"scores": values(), "label": 1, "margin": 1.0}),
    "cross_entropy": (losses.cross_entropy, {"logits": values(), "target": 1}),
    "nll": (losses.nll, {"log_probabilities": log_softmax(values()), "target": 1}),
    "mse": (losses.mse, {"predictions": values(), "targets": [1, 2, 3.0]}),
    "l1": (losses.l1, {"weights": values(), "strength": 1.0}),
    "l2": (losses.l2, {"weights": values(), "strength": 1.0}),
    "gradcheck": (
        lambda target, at, **options: gradcheck(target, at, **options),
        {"target": lambda x: x * x, "at": [1.0], "method": "central", "h": 1e-5, "order": 1},
    ),
    "step": (at_step(schedules.step), {"rate": 0.1, "every": 2, "factor": 0.5}),
    "exponential": (at_step(schedules.exponential), {"rate": 0.1, "k": 0.1}),
    "inverse": (at_step(schedules.inverse), {"rate": 0.1, "tau": 5}),
    "linear": (at_step(schedules.linear), {"rate": 0.1, "last": 0.0, "steps": 5}),
    "cosine": (at_step(schedules.cosine), {"rate": 0.1, "last": 0.0, "steps": 5}),
    "triangular": (at_step(schedules.triangular), {"low": 0.1, "high": 1, "half": 3}),
    "one_cycle": (at_step(schedules.one_cycle), {"peak": 0.1, "steps": 10, "rise": 0.3}),
    "warm_up": (at_step(schedules.warm_up), {"schedule": RATE, "steps": 3, "start": 0.0}),
    "by_epoch": (at_step(schedules.by_epoch), {"schedule": RATE, "batches": 3}),
    "Plateau": (schedules.Plateau, {"rate": 0.1, "factor": 0.1, "patience": 1, "least": 0.0}),
    "report": (schedules.Plateau(0.1).report, {"loss": 1.0}),
    "SGD": (optimised(optim.SGD), {"params": values(), "lr": 0.1, "momentum": 0.9}),
    "Adam": (optimised(optim.Adam), {"params": values(), "lr": 0.1}),
    "AdaGrad": (optimised(optim.AdaGrad), {"params": values(), "lr": 0.1, "eps": 1e-8}),
    "gradients": (optim.SGD({"W": np.ones(3)}).step, {"gradients": {"W": np.ones(3)}}),
    "clip_norm": (lambda limit, g: optim.clip_norm(limit)(g), {"limit": 1.0, "g": [np.ones(3)]}),
    "clip_value": (lambda limit, g: optim.clip_value(limit)(g), {"limit": 1.0, "g": [np.ones(3)]}),
    "Neuron": (Neuron, {"nin": 2, "activation": "tanh"}),
    "Layer": (Layer, {"nin": 2, "nout": 3, "activation": "tanh"}),
    "MLP": (MLP, {"nin": 2, "nouts": [3, 1], "activation": "tanh"}),
    "inputs": (lambda x: MLP(2, [3, 1])(x), {"x": [1.0, 2.0]}),
    "Embedding": (lambda n, dim, row: Embedding(n, dim)(row), {"n": 4, "dim": 2, "row": 1}),
    "Dropout": (lambda p, xs: Dropout(p)(xs), {"p": 0.5, "xs": values()}),
    "initialise": (
        initialisation.initialise,
        {"model": MLP(2, [3, 1]), "name": "xavier_uniform", "seed": 1},
    ),
    "spread": (initialisation.spread, {"name": "normal", "fan_in": 2, "fan_out": 2}),
    "drawn": (
        initialisation.drawn,
        {"name": "normal", "shape": (2, 2), "rng": np.random.default_rng(0)},
    ),
    "MeanSubtraction": (
        lambda data: preprocessing.MeanSubtraction().fit(data),
        {"data": [[1.0, 2.0], [3.0, 4.0]]},
    ),
    "Whitening": (preprocessing.Whitening, {"kind": "pca"}),
    "save_state": (lambda state: save_state("state.json", state), {"state": {"a": 1}}),
    "Config": (Config, {"delta": 1.0, "dropout": 0.5, "rare": 1, "dim": 5, "kind": "margin"}),
    "Training": (Training, {"epochs": 2, "batch": 1, "rate": 0.1, "patience": 1, "seed": 0}),
}
SIZES = {("Neuron", "nin"), ("Layer", "nin"), ("Layer", "nout"), ("MLP", "nin"), ("Embedding", "n")}
SIZES |= {("Embedding", "dim")}  # as large as was asked for: they fill the memory
CASES = [
    pytest.param(call, right, name, bad, id=f"{call}-{name}-{bad}")
    for call, (_, right) in CALLS.items()
    for name in right
    for bad in BAD
    if bad != "beyond float" or (call, name) not in SIZES
]


@pytest.mark.parametrize(("call", "right", "name", "bad"), CASES)
def test_a_wrong_argument_is_told_or_taken(call, right, name, bad, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            CALLS[call][0](**deepcopy(right) | {name: BAD[bad]})
    except (ValueError, TypeError, OSError) as error:
        message = str(error).replace("(NoneType)", "").replace("a NoneType, None", "")
        assert message and not STOCK.search(message), message


@pytest.mark.parametrize("name", CALLS)
def test_right_arguments_are_taken(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    call, right = CALLS[name]
    call(**deepcopy(right))


def test_a_state_that_is_not_there_is_told(tmp_path):
    with pytest.raises(OSError, match="there is no such file") as caught:
        load_state(tmp_path / "none.npz")
    assert not STOCK.search(str(caught.value))


@pytest.mark.parametrize("bad", ["nan", "inf", "minus inf", "None", "text", "truth"])
@pytest.mark.parametrize("name", ["delta", "dropout"])
def test_a_configuration_holds_finite_numbers(name, bad):
    with pytest.raises((ValueError, TypeError), match=name):
        Config(**{name: BAD[bad]})


@pytest.mark.parametrize("bad", ["nan", "inf", "zero", "negative", "None", "text"])
def test_a_rate_is_above_0_and_finite(bad):
    with pytest.raises((ValueError, TypeError), match="rate"):
        Training(rate=BAD[bad])


@pytest.mark.parametrize("bad", ["half", "nan", "None", "text", "truth", "zero"])
@pytest.mark.parametrize("name", ["epochs", "batch", "patience"])
def test_counts_are_ints(name, bad):
    with pytest.raises((ValueError, TypeError), match=name):
        Training(**{name: BAD[bad]})
