"""Losses that hold derivatives of a network: lowered as any other, whatever the network is of."""

import random

import numpy as np
import pytest

from micrograd import Value, dot, grad
from micrograd.lowering import lower
from tests.lowering_fuzz import Ready, failures_of
from tests.lowering_models import values
from tests.lowering_oracle import by_engine

UNITS = {
    "tanh": Value.tanh,
    "relu": Value.relu,
    "leaky_relu": lambda z: z.leaky_relu(0.1),
    "hard_tanh": Value.hard_tanh,
    "abs": abs,
    "max": lambda z: z.max(0.1),
    "sigmoid": Value.sigmoid,
    "square": lambda z: z * z,
    "sqrt": lambda z: (z * z + 1).sqrt(),
    "division": lambda z: 1 / (z * z + 2),
    "sin": Value.sin,
    "elu": Value.elu,
    "gelu": Value.gelu,
}


def losses(f, rows):
    """Return losses with first and second derivatives of f by its inputs and by its weights."""

    def penalty(x):
        out = f(x)
        slopes = grad(out, x, create_graph=True)
        return out + (dot(slopes, slopes) + 0.1).sqrt()

    def bend(x):
        slopes = grad(f(x), x, create_graph=True)
        return sum(grad(slope, [a], create_graph=True)[0] * a for slope, a in zip(slopes, x)) + x[0]

    def steepest(x):
        first, *slopes = grad(f(x), x, create_graph=True)
        for slope in slopes:
            first = first.max(slope)
        return first * x[0]

    def step(x):
        slopes = grad(f(x), x, create_graph=True)
        return f([a - 0.1 * slope for a, slope in zip(x, slopes)])

    def size(x):
        slopes = grad(f(x), [w for row in rows for w in row], create_graph=True)
        return dot(slopes, slopes)

    return penalty, bend, steepest, step, size


@pytest.mark.parametrize("unit", UNITS.values(), ids=UNITS)
def test_derivatives_in_a_loss(unit):
    for seed in range(4):
        rng, draw = random.Random(seed), np.random.default_rng(seed)
        inputs, hidden = rng.randint(1, 3), rng.randint(1, 4)
        W, U, (b, v) = (values(draw.uniform(-1, 1, (n, m))) for n, m in sizes(inputs, hidden))
        deep = rng.random() < 0.5

        def f(x, W=W, U=U, b=b, v=v, deep=deep):
            h = [unit(dot(row, x) + bias) for row, bias in zip(W, b)]
            return dot(v, [unit(dot(row, h)) for row in U] if deep else h)

        loss = rng.choice(losses(f, W))
        program = lower(loss, draw.uniform(-1, 1, inputs).tolist())
        batch = [draw.uniform(-1, 1, (3, inputs)).tolist()]
        ready = Ready(program, None, batch, by_engine(program, loss, batch))
        assert failures_of(ready, ("notation", "program", "source", "export")) == {}, seed


def sizes(inputs, hidden):
    return (hidden, inputs), (hidden, hidden), (2, hidden)
