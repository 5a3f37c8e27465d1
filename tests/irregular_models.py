"""Graphs that nobody can vectorise by hand, and one of every operation."""

import random

import numpy as np

from micrograd.engine import Value, weighted_sum
from micrograd.lowering import lower
from micrograd.nn import MLP, Dropout
from micrograd.ops import ROWS
from tests.lowering_models import values
from tests.test_lowering_models import batches

METHODS = {row.name: f"__{row.operator}__" for row in ROWS if row.operator} | {"pow": "__pow__"}


def chain(length: int) -> Value:
    v, w, b = Value(0.5, label="x"), Value(0.9, label="w"), Value(0.1, label="b")
    for i in range(length):
        v = (v * w, v + b, v.tanh())[i % 3]
    return v


def dag(size: int) -> Value:
    """Record a wide graph with groups of many sizes."""
    rng = random.Random(4)
    nodes = [Value(rng.uniform(-1, 1), label=f"x{i}") for i in range(20)]
    for _ in range(size):
        x, y = rng.choice(nodes), rng.choice(nodes)
        nodes.append(rng.choice([x + y, x * y, x.tanh(), x.tanh().exp(), x.max(y)]))
    return sum(node.tanh() for node in nodes[-200:])


def model(reduce: str = "mean"):
    """Lower a net with dropout, a weighted sum, a constant, and weights that nothing uses.

    Return the loss too, as a function of a sample and its mask.
    """
    random.seed(3)
    net, dropout = MLP(3, [4], activation=["tanh"]), Dropout(0.5, seed=0)
    u, unused = values([0.3, -0.2, 0.5, 0.7, 9.0]), values([1.0, 2.0])

    def loss(x, y, dropped=dropout):
        s = weighted_sum(u[:4], dropped(net(x)), Value(0.25))
        return (s - y) ** 2 + (2 * s).leaky_relu(0.1) - x[0].max(y)

    def masked(x, y, mask):
        return loss(x, y, lambda h: [a * m for a, m in zip(h, mask)])

    program = lower(
        loss,
        [0.1, 0.2, 0.3],
        1.0,
        reduce=reduce,
        parameters={"u": u, "unused": unused, **weights(net)},
    )
    return program, masked


def weights(net) -> dict:
    neurons = net.layers[0].neurons
    return {"W": [n.w for n in neurons], "b": [n.b for n in neurons]}


def batch_of_model() -> list:
    x, y = batches((5, 3), (5,))
    return [x, y, np.random.default_rng(0).integers(0, 2, (5, 4)) * 2.0]


def every_row() -> Value:
    """Apply every operation, with each of its sample constants, within its domain."""
    total = Value(0.5, label="x")
    for n, row in enumerate(ROWS):
        operands = [
            Value(low + 0.37 * (high - low), label=f"{'ab'[i]}{n}")
            for i, (low, high) in enumerate(row.domain)
        ]
        for k in row.constants or (None,):
            given = operands[1:] if k is None else [k]
            total = total * 0.5 + getattr(operands[0], METHODS.get(row.name, row.name))(*given)
    return total
