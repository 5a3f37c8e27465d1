"""Every argument of public functions, replaced by what it cannot be: the error is in our words.

Each row is a call that works; its arguments are replaced one at a time. Where the call goes
through, the value was one that it may take.
"""

import math
import re
import tempfile
from functools import partial
from pathlib import Path

import pytest

pytest.importorskip("numpy", reason="numpy is not installed")

import numpy as np

from micrograd import (
    Value,
    checkpoint,
    functions,
    grad,
    hessian,
    init,
    jacobian,
    losses,
    metrics,
    nn,
    optim,
    register,
    schedules,
    scope,
    topological_order,
    weighted_sum,
)
from micrograd.expressions import parse, point, read
from micrograd.gradcheck import gradcheck
from micrograd.graph import snapshot
from micrograd.lowering import lower
from micrograd.nn import MLP
from micrograd.preprocessing import MeanSubtraction, Normalisation, Whitening
from micrograd.render import render
from micrograd.stepper import save_page, trace
from micrograd.training import EarlyStopping, fit
from micrograd.training.history import History
from tests.bad_inputs import STOCK

STRANGE = [
    *(None, math.nan, math.inf, -math.inf, -1, 0, 0.5, 10**400, True, 1j, "x", "", b"x"),
    *([], {}, set(), [math.nan], [None], ["x"], [[1, 2], [3]], np.array([]), np.zeros((2, 2))),
    *(
        np.timedelta64(3, "s"),
        np.array(1.0),
        np.float32("nan"),
        object(),
        Value(2.0),
        MLP(1, [1]),
        print,
        ...,
    ),
]
# What no person reads to the end: a message shows the ends. A path, a name stand there in full.
LONG = [
    *([0.5] * 400, "x" * 300, b"x" * 1200, dict.fromkeys(range(400), 1.0), 10**5000),
    *([(1.0, 2.0)] * 200, np.arange(400.0), ["y" * 400] * 3, [["y"] * 400], MLP(1, [100])),
    *({f"k{i}" for i in range(400)}, [Value(1.0) for _ in range(60)]),
]
READABLE = 700  # characters
LARGE = {
    "MLP",
    "Layer",
    "Neuron",
    "Embedding",
    "Recurrent",
    "SoftmaxClassifier",
    "one_hot",
    "partial",
    "mask",
    "masks",
    "sampled",
    "monte_carlo",
}
SCORES = [Value(1.0), Value(2.0), Value(0.5)]
MODEL = MLP(2, [2, 1])
WEIGHTS = MODEL.parameters()
KEPT = tempfile.TemporaryDirectory()  # of this run: another user of the machine has one too
FOLDER = Path(KEPT.name)
MODEL.save(FOLDER / "swept_model.json")
checkpoint.save_state(FOLDER / "swept.json", {"a": 1.0})


X, Y = Value(2.0, label="x"), Value(3.0) * 2.0


def square(x):
    return x * x


def squared(x, t):
    return (MODEL(x) - t) ** 2


CALLS = [
    (losses.max_margin, (Value(1.0), [Value(2.0)], 1.0), {}),
    (losses.binary_hinge, (Value(1.0), 1), {}),
    (losses.multiclass_hinge, (SCORES, 1, 1.0), {}),
    (losses.cross_entropy, (SCORES, 1), {}),
    (losses.nll, (SCORES, 1), {}),
    (losses.path_margin, ([SCORES, SCORES], [1, 2], [[0.0] * 4] * 4, None, 1.0), {}),
    (losses.path_likelihood, ([SCORES, SCORES], [1, 2], [[0.0] * 4] * 4, None), {}),
    (losses.mse, (SCORES, [1.0, 2.0, 3.0]), {}),
    (losses.l1, (WEIGHTS, 0.1), {}),
    (metrics.average_precision, ([1.0, 2.0], [True, False]), {}),
    (metrics.pair_accuracy, ([1.0, 2.0], [True, False]), {}),
    (metrics.fit_logistic, ([1.0, 2.0], [True, False]), {}),
    (metrics.logistic, ([1.0, 2.0],), {}),
    (metrics.best_threshold, ([1.0, 2.0], abs), {}),
    (losses.l2, (WEIGHTS, 0.1), {"squared": False}),
    (functions.dot, (SCORES, [1.0, 2.0, 3.0]), {}),
    (functions.mean, (SCORES,), {}),
    (functions.logsumexp, (SCORES,), {}),
    (functions.softmax, (SCORES,), {}),
    (functions.log_softmax, (SCORES,), {}),
    (schedules.constant, (0.1,), {}),
    (schedules.step, (0.1, 10, 0.5), {}),
    (schedules.exponential, (0.1, 0.01), {}),
    (schedules.inverse, (0.1, 10), {}),
    (schedules.linear, (0.1, 0.01, 100), {}),
    (schedules.cosine, (0.1, 100, 0.0), {}),
    (schedules.triangular, (0.01, 0.1, 10), {}),
    (schedules.one_cycle, (0.1, 100, 0.3, 25.0, 1e4), {}),
    (schedules.warm_up, (schedules.constant(0.1), 10), {}),
    (schedules.by_epoch, (schedules.constant(0.1), 10), {}),
    (schedules.composed, ((3, schedules.constant(0.1)), schedules.constant(0.2)), {}),
    (schedules.Plateau, (0.1,), {"factor": 0.5, "patience": 3, "threshold": 0.1, "least": 0.0}),
    (schedules.exponential(0.1, -0.01), (3,), {}),
    (schedules.one_cycle(0.1, 100), (3,), {}),
    (schedules.step(0.1, 10), (3,), {}),
    (optim.SGD, (WEIGHTS,), {"lr": 0.1, "momentum": 0.9, "weight_decay": 0.1}),
    (optim.AdaGrad, (WEIGHTS,), {"lr": 0.1, "eps": 1e-8}),
    (optim.RMSProp, (WEIGHTS,), {"lr": 0.1, "decay": 0.9}),
    (optim.Adam, (WEIGHTS,), {"lr": 0.1, "beta1": 0.9, "beta2": 0.9, "eps": 1e-8}),
    (optim.SGD(WEIGHTS).step, ([0.0] * len(WEIGHTS),), {}),
    (optim.Adam(WEIGHTS).load_state_dict, (optim.Adam(WEIGHTS).state_dict(),), {}),
    (optim.clip_norm, (1.0,), {}),
    (optim.clip_value, (1.0,), {}),
    (optim.clip_norm(1.0), ([1.0, 2.0],), {}),
    (optim.clip_value(1.0), ([1.0, 2.0],), {}),
    (optim.fan_in_groups, (MODEL,), {}),
    (nn.MLP, (2, [2, 1]), {"activation": "tanh"}),
    (nn.Layer, (2, 2), {"activation": "tanh"}),
    (nn.Neuron, (2,), {"activation": "tanh"}),
    (nn.Embedding, (3, 2), {}),
    (nn.Dropout, (0.5,), {"inverted": True, "variational": False, "seed": 1}),
    (nn.Dropout(0.5).mask, (2,), {}),
    (nn.Dropout(0.5).masks, (2, 3), {}),
    (nn.sampled, (nn.Dropout(0.5), [1.0, 2.0], 2), {}),
    (nn.monte_carlo, (nn.Dropout(0.5), [1.0, 2.0], 2), {}),
    (MODEL.train, (True,), {}),
    (nn.Recurrent, (2, 3), {}),
    (nn.SoftmaxClassifier, (2, 3), {}),
    (nn.one_hot, (1, 3), {}),
    (nn.MLP(2, [1]), ([1.0, 2.0],), {}),
    (nn.Embedding(3, 2), (1,), {}),
    (nn.Dropout(0.5), ([1.0, 2.0],), {}),
    (nn.Recurrent(1, 2), ([[1.0], [2.0]],), {"h": [0.0, 0.0]}),
    (nn.Recurrent(1, 2).step, ([1.0], [0.0, 0.0]), {}),
    (MODEL.load_state_dict, (MODEL.state_dict(),), {}),
    (init.initialise, (MLP(2, [2]), "xavier_uniform", 1), {}),
    (init.drawn, ("normal", (2, 3), np.random.default_rng(0)), {}),
    (init.spread, ("xavier_uniform", 2, 2), {}),
    (MeanSubtraction().fit, ([[1.0, 2.0], [3.0, 5.0]],), {}),
    (Normalisation().fit, ([[1.0, 2.0], [3.0, 5.0]],), {}),
    (Whitening().fit, ([[1.0, 2.0], [3.0, 5.0]],), {}),
    (MeanSubtraction().load_state_dict, ({"mean": [1.0, 2.0]},), {}),
    (Whitening().load_state_dict, (Whitening().fit([[1.0, 2.0], [3.0, 5.0]]).state_dict(),), {}),
    (gradcheck, (square, [1.5]), {"method": "central", "h": 1e-5, "tolerance": 1e-6, "order": 1}),
    (checkpoint.save_state, (FOLDER / "swept.json", {"a": 1.0}), {}),
    (checkpoint.save_state, (FOLDER / "swept.npz", {"a": 1.0}), {}),
    (checkpoint.load_state, (FOLDER / "swept.json",), {}),
    (checkpoint.restore, (MODEL, MODEL.state_dict()), {}),
    (
        partial(fit, progress=False),
        (lambda batch: 1.0, [1, 2], 1),
        {"batch_size": 1, "after_epoch": [], "stop": None, "evaluate": None, "resume": False},
    ),
    (EarlyStopping, ("loss",), {"patience": 3, "best": "max"}),
    (Value, (1.0, (X,), "f"), {"label": "x"}),
    (Value, (1.0, (X,), (2.0,)), {}),
    *((getattr(X, name), (1.5,), {}) for name in ("add", "div", "max", "pow", "power", "elu")),
    *((getattr(X, f"__{name}__"), (1.5,), {}) for name in ("mul", "pow", "lt", "radd", "rpow")),
    (Y.backward, (1.0,), {}),
    (weighted_sum, ([X], [1.0]), {"bias": 1.0, "scope": "a"}),
    (grad, (Y, [X]), {"create_graph": True}),
    (jacobian, ([Y], [X]), {}),
    (hessian, (Y, [X]), {}),
    (topological_order, (Y,), {}),
    (scope, ("a",), {}),
    (functions.labelled, ([X, Y], "x"), {}),
    (register, ("swept", "x**3", "3*x**2"), {}),
    (parse, ("x*y", {"x": 1.0, "y": 2.0}), {}),
    (read, ("x", {"x": 1.0}), {}),
    (point, ("x=1",), {}),
    (render, (Y,), {"mode": "bprop", "level": "full", "unfolded": [], "layout": "built-in"}),
    (render(Y).to, ("svg",), {}),
    (snapshot, (Y,), {}),
    (save_page, (Y, FOLDER / "swept.html"), {"title": "t", "walk": None, "program": None}),
    (trace, (Y,), {"seed": 1.0, "language": "en"}),
    (History, ([{"epoch": 1, "loss": 1.0}],), {}),
    (History([{"epoch": 1, "loss": 1.0}]).save_csv, (FOLDER / "swept.csv",), {}),
    (MODEL.save, (FOLDER / "swept_model.json",), {}),
    (MODEL.load, (FOLDER / "swept_model.json",), {}),
    (lower, (squared, [0.1, 0.2], 1.0), {}),
    (schedules.Plateau(0.1).report, (0.5,), {}),
]


def strange_calls(function, arguments, options, values=STRANGE):
    """Yield the call with one argument replaced by each of the values in turn."""
    sizes = getattr(function, "__name__", type(function).__name__) in LARGE
    for strange in values:
        if sizes and isinstance(strange, int) and strange > 1e6:
            continue  # so many units are what was asked for
        for at in range(len(arguments)):
            yield (*arguments[:at], strange, *arguments[at + 1 :]), options
        for name in options:
            yield arguments, options | {name: strange}


def told(error):
    """Return the message of an error, without the kinds that it names in parentheses."""
    return re.sub(r"\(NoneType\)", "", str(error))


@pytest.mark.parametrize("call", CALLS, ids=lambda call: getattr(call[0], "__qualname__", "call"))
def test_what_an_argument_cannot_be_is_said_in_our_words(call, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    function, arguments, options = call
    function(*arguments, **options)
    wrong = []
    for given, chosen in strange_calls(function, arguments, options):
        try:
            function(*given, **chosen)
        except (TypeError, ValueError, OSError, KeyError) as error:
            doubled = str(error).count("the state does not fit") > 1
            if (STOCK.search(told(error)) or doubled) and "MLP.__call__" not in str(
                error
            ):  # it was called
                wrong.append((given, chosen, str(error)))
        except Exception as error:
            wrong.append((given, chosen, repr(error)))
    assert not wrong


@pytest.mark.parametrize("call", CALLS, ids=lambda call: getattr(call[0], "__qualname__", "call"))
def test_a_message_is_short_whatever_was_given(call, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    wrong = []
    for given, chosen in strange_calls(*call, LONG):
        try:
            call[0](*given, **chosen)
        except (TypeError, ValueError, OSError, KeyError) as error:
            text = str(error).replace("x" * 300, "x")  # a name of this length stands there whole
            if len(text) > READABLE or STOCK.search(told(error)):
                wrong.append(str(error)[:200])
    assert not wrong


FLAGS = [
    *(
        lambda flag, name=name: nn.Dropout(0.5, **{name: flag})
        for name in ("inverted", "variational")
    ),
    MODEL.train,
    lambda flag: losses.l2(WEIGHTS, squared=flag),
    *(
        lambda flag, name=name: fit(abs, [1], 1, **{"progress": False, name: flag})
        for name in ("resume", "progress")
    ),
]


@pytest.mark.parametrize("flag", ["no", "", None, 2, 0.0, []], ids=str)
@pytest.mark.parametrize("call", FLAGS, ids=range(len(FLAGS)))
def test_a_word_is_no_flag(call, flag):
    with pytest.raises(TypeError, match="is True or False, not "):
        call(flag)


TWO = [Value(1.0), Value(2.0)]
BY_PLACE = [  # calls of what is taken by place, of two items
    partial(losses.mse, targets=[1.0, 2.0]),
    partial(losses.mse, TWO),
    partial(losses.cross_entropy, TWO),
    partial(losses.nll, TWO),
    optim.clip_norm(1.0),
    optim.clip_value(1.0),
    optim.SGD(TWO).step,
    nn.Recurrent(1, 2),
    partial(nn.Recurrent(1, 2), [[1.0]]),
    partial(nn.Recurrent(1, 2).step, [1.0]),
    nn.Embedding(3, 2),
    partial(nn.one_hot, count=3),
    nn.Dropout(0.5),
    MLP(2, [1]),
    partial(MLP, 2),
    partial(MLP, 2, [2, 1]),
]


@pytest.mark.parametrize("items", [{0: 1.0, 1: 0.0}, {1, 2}, frozenset((1, 0))], ids=str)
@pytest.mark.parametrize("call", BY_PLACE, ids=range(len(BY_PLACE)))
def test_the_keys_of_a_dict_are_no_list_and_a_set_has_no_order(call, items):
    with pytest.raises((TypeError, ValueError)) as caught:
        call(items)
    assert not STOCK.search(str(caught.value))


@pytest.mark.parametrize("call", [partial(losses.max_margin, TWO[0]), losses.l1, losses.l2])
def test_what_is_summed_may_be_a_set_and_no_dict(call):
    assert call(set(TWO)).data == call(TWO).data
    with pytest.raises(TypeError, match=r"not \{0: "):
        call(dict(enumerate(TWO)))


def test_the_sweep_is_wide():
    assert sum(1 for call in CALLS for _ in strange_calls(*call)) > 4000
