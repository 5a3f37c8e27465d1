"""The models whose programs are kept in `golden/`: each a program, a batch, and its loss."""

from __future__ import annotations

import random
import sys
from collections.abc import Callable
from functools import reduce
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from micrograd.engine import Value
from micrograd.functions import dot, mean, softmax
from micrograd.losses import cross_entropy, l1, l2, max_margin, mse, multiclass_hinge
from micrograd.lowering import Program, lower
from micrograd.nn import MLP, Embedding, Layer, Neuron, Recurrent, SoftmaxClassifier, one_hot
from tests import irregular_models, lowering_models
from tests.lowering_models import matrix, values
from tests.test_lowering_graphs import random_graph

BENCHMARKS = Path(__file__).resolve().parents[1] / "benchmarks"
sys.path.insert(0, str(BENCHMARKS))
import workloads  # noqa: E402

sys.path.remove(str(BENCHMARKS))


class Model(NamedTuple):
    """A program, a batch, and the loss of one sample; without a loss the graph was recorded."""

    program: Program
    batch: tuple[Any, ...] = ()
    loss: Callable[..., Value] | None = None
    reduce: str = "mean"


MODELS: dict[str, Callable[[], Model]] = {}


def model(make: Callable[[], Model]) -> Callable[[], Model]:
    """Enter a model under the name of the function that makes it."""
    MODELS[make.__name__] = make
    return make


def lowered(loss: Callable[..., Value], *batch: Any, **options: Any) -> Model:
    """Lower a loss, traced on the first sample of its batch."""
    program = lower(loss, *(x[0] for x in batch), **options)
    return Model(program, batch, loss, options.get("reduce", "mean"))


def recorded(root: Value, **options: Any) -> Model:
    return Model(lower(root, **options))


def normal(*shapes: tuple[int, ...], seed: int = 1) -> list[Any]:
    rng = np.random.default_rng(seed)
    return [rng.normal(size=shape) for shape in shapes]


def ids(rows: int, *shape: int, seed: int = 1) -> Any:
    return np.random.default_rng(seed).integers(0, rows, shape)


# README and demos


@model
def worked_example() -> Model:
    x, y, z = Value(1.0, label="x"), Value(2.0, label="y"), Value(0.0, label="z")
    return recorded((x + y) * y.max(z))


@model
def window_pair() -> Model:
    random.seed(0)
    score = MLP(20, [8, 1], activation="tanh")
    return lowered(lambda x, x_c: max_margin(score(x), score(x_c)), *normal((6, 20), (6, 20)))


@model
def window_of_ids() -> Model:
    random.seed(1)
    E, net = Embedding(27, 4), MLP(12, [27])

    def loss(ids, y):
        return cross_entropy(net([v for row in E(ids) for v in row]), one_hot(y, 27))

    return lowered(loss, ids(27, 5, 3), ids(27, 5))


@model
def classifier() -> Model:
    random.seed(2)
    net = SoftmaxClassifier(6, 5, fused=True)
    targets = np.eye(5)[ids(5, 4)]
    return lowered(lambda x, q: cross_entropy(net(x), q), *normal((4, 6)), targets)


@model
def boundaries() -> Model:
    random.seed(3)
    net = MLP(2, [4, 3], activation="tanh")
    targets = np.eye(3)[ids(3, 4)]
    return lowered(lambda x, q: cross_entropy(net(x), q), *normal((4, 2)), targets)


@model
def penalties() -> Model:
    random.seed(4)
    net = MLP(1, [5, 1], activation="tanh", fused=True)

    def loss(x, y, λ):
        return (net(x) - y) ** 2 + λ * l2(net) + l1(net, 0.01) + l2(net.layers[0], 0.1, False)

    return lowered(loss, *normal((4, 1), (4,), (4,)))


@model
def logistic_neuron() -> Model:
    random.seed(5)
    neuron = Neuron(2, nonlin=False, fused=True)
    return lowered(lambda x, y: (-y * neuron(x)).softplus(), *normal((4, 2), (4,)))


# the workloads of the benchmarks


def of_workload(workload: Any, whole: bool = False) -> Model:
    """Lower a workload: its function, or the graph of its whole batch."""
    if whole or workload.function is None:
        return recorded(workload.recorded(), parameters=workload.parameters)
    batch = tuple(np.array(column) for column in workload.batch)
    return lowered(workload.function, *batch, parameters=workload.parameters)


MODELS |= {
    "moons": lambda: of_workload(workloads.moons(points=7, hidden=4)),
    "moons_recorded": lambda: of_workload(workloads.moons(points=7, hidden=4), whole=True),
    "window_fused": lambda: of_workload(workloads.window(nin=6, hidden=3, pairs=5, fused=True)),
    "window_recorded": lambda: of_workload(workloads.window(nin=4, hidden=3, pairs=3), whole=True),
    "attention_recorded": lambda: of_workload(
        workloads.attention(width=4, heads=2, positions=3, vocabulary=5)
    ),
    "chain": lambda: of_workload(workloads.chain(length=300)),
    "irregular": lambda: of_workload(workloads.random_graph(nodes=400, inputs=20)),
}


# networks


@model
def window_of_lists() -> Model:
    loss, parameters = lowering_models.window_model(inputs=6, hidden=4)
    return lowered(loss, *normal((5, 6), (5, 6)), parameters=parameters)


@model
def error_sharing() -> Model:
    rng = random.Random(6)
    W1, (w2,) = matrix(rng, 2, 4), matrix(rng, 1, 2)

    def loss(x):
        return dot(w2, [dot(row, x).sigmoid() for row in W1])

    return lowered(loss, *normal((3, 4)), parameters={"W1": W1, "W2": w2})


@model
def deep_mse() -> Model:
    random.seed(7)
    net = MLP(3, [5, 4, 2], activation=["tanh", "relu", None])
    return lowered(lambda x, y: mse(net(x), y), *normal((7, 3), (7, 2)), reduce="sum")


@model
def corrupt_windows() -> Model:
    rng = random.Random(8)
    W, (b, u) = matrix(rng, 4, 6), matrix(rng, 2, 4)

    def loss(x, corrupt):
        s = lowering_models.score(x, W, b, u)
        return sum((lowering_models.score(c, W, b, u) - s + 1).relu() for c in corrupt)

    return lowered(
        loss, *normal((5, 6), (5, 3, 6)), parameters={"W": W, "b": b, "u": u}, names=["x", "x_c"]
    )


@model
def hinge_of_classes() -> Model:
    random.seed(9)
    net = MLP(3, [4, 4], activation="soft_sign")
    return lowered(lambda x: multiclass_hinge(net(x), 2), *normal((4, 3)))


@model
def max_chains() -> Model:
    rng = random.Random(10)
    W, (b,) = matrix(rng, 4, 3), matrix(rng, 1, 4)

    def loss(x):
        scores = [dot(row, x) + c for row, c in zip(W, b)]
        least = reduce(Value.min, scores)
        return -softmax(scores)[1].log() + reduce(Value.max, [s * s for s in scores]) * least

    return lowered(loss, *normal((5, 3)), parameters={"W": W, "b": b})


@model
def dropout() -> Model:
    program, masked = irregular_models.model()
    return Model(program, tuple(irregular_models.batch_of_model()), masked)


@model
def recurrent() -> Model:
    random.seed(11)
    cell, out = Recurrent(2, 3), Layer(3, 1, nonlin=False)
    return lowered(lambda xs, y: (out(cell(xs)[-1]) - y) ** 2, *normal((5, 4, 2), (5,)))


@model
def recurrent_of_ids() -> Model:
    random.seed(12)
    E, cell, out = Embedding(7, 3), Recurrent(3, 4), Layer(4, 7, nonlin=False)

    def loss(words):
        states = cell([E(word) for word in words[:-1]])
        pairs = zip(states, words[1:])
        return mean([cross_entropy(out(h), one_hot(word, 7)) for h, word in pairs])

    return lowered(loss, ids(7, 4, 5))


@model
def attention() -> Model:
    loss, parameters = lowering_models.all_to_all_attention()
    return lowered(loss, *normal((4, 3, 4)), parameters=parameters)


@model
def rows_recorded() -> Model:
    rng = random.Random(13)
    E, (u,) = matrix(rng, 6, 3), matrix(rng, 1, 9)
    x = [v for i in (4, 1, 4) for v in E[i]]
    return recorded(sum(a * v.tanh() for a, v in zip(u, x)), parameters={"E": E, "u": u})


@model
def convolution() -> Model:
    rng = random.Random(14)
    W, (u,) = matrix(rng, 2, 3), matrix(rng, 1, 2)

    def loss(x):
        maps = [[dot(row, x[i : i + 3]).tanh() for i in range(6)] for row in W]
        return dot(u, [reduce(Value.max, pool) for pool in maps])

    return lowered(loss, *normal((4, 8)), parameters={"W": W, "u": u})


# parts of inputs, and what has no shape


@model
def slices() -> Model:
    w = values([0.3, -0.2, 0.5])

    def loss(x, y):
        return dot(w, x[1][:3]).exp() + dot(w, x[0][::-2]) * y[2] + dot(y, y[::-1]) + x[2][1]

    return lowered(loss, *normal((4, 3, 5), (4, 4)), parameters={"w": w})


MODELS |= {
    "every_row": lambda: recorded(irregular_models.every_row()),
    "wide": lambda: recorded(irregular_models.dag(60)),
    "mixed": lambda: recorded(random_graph(9, 40)),
}


@model
def constants() -> Model:
    x = [[0.5, -1.0], [0.25, 2.0], [-0.75, 0.5]]
    w = [Value(0.5, label="w0"), Value(-0.5, label="w1")]
    return recorded(sum((dot(w, row) - 1) ** 2 for row in map(values, x)), parameters={"w": w})


@model
def labels() -> Model:
    def row(name, count):
        return [Value(0.5 - 0.1 * j, label=f"{name}{j}") for j in range(count)]

    W = [row(f"W{i},", 2) for i in range(3)]
    words = [row(name, 2) for name in ("in ", "<s> ", "3D ", "_v0 ", "B ")]
    return recorded(sum(dot(w, x).tanh() for x in words for w in W))
