"""Gradients of programs whose inputs go through one model: pairs of windows, triplets."""

import random

import numpy as np
import pytest

from micrograd.functions import dot
from micrograd.lowering import lower
from micrograd.lowering.compare import dense
from micrograd.lowering.trace.samples import as_values
from micrograd.nn import Embedding
from tests.lowering_models import score, values, window_model
from tests.lowering_oracle import by_engine
from tests.notation_reader import misread

RNG = np.random.default_rng(0)
WEIGHTS = RNG.normal(size=(3, 5))


def layer(W, x):
    return [dot(row, x).tanh() for row in W]


def equal_to_backward(loss, parameters, *batch):
    """Compare a program with the scalar engine, and return its source."""
    program = lower(loss, *(x[0] for x in batch), parameters=parameters)
    value, found = program.value_and_grad(*batch, wrt_inputs=True)
    count, total, inputs = len(batch[0]), 0.0, []
    for sample in zip(*batch):
        given = [as_values(x) for x in sample]
        out = loss(*given)
        out.backward(1 / count)
        total += out.data / count
        inputs.append(given)
    assert value == pytest.approx(total, rel=1e-12)
    right = dict(parameters)
    right |= {name: [sample[i] for sample in inputs] for i, name in enumerate(program.inputs)}
    for name, nested in right.items():
        gradients = np.vectorize(lambda v: v.grad, otypes=[float])(np.array(nested, object))
        np.testing.assert_allclose(found[name], gradients, rtol=1e-12, atol=1e-14)
    assert misread(program, batch, by_engine(program, loss, batch)) == ""
    return program.source


def batches(count, *shape):
    return [RNG.normal(size=(6, *shape)) for _ in range(count)]


def test_a_pair_of_windows():
    loss, parameters = window_model(inputs=5, hidden=3)
    source = equal_to_backward(loss, parameters, *batches(2, 5))
    assert "du = ds_c @ h1_c + ds @ h1" in source
    assert "dW1 = delta1_c.T @ x_c + delta1.T @ x" in source


def test_three_inputs():
    W = values(WEIGHTS)

    def triplet(anchor, near, far):
        a, n, f = (layer(W, x) for x in (anchor, near, far))
        return (dot(a, f) - dot(a, n) + 1).relu()

    equal_to_backward(triplet, {"W": W}, *batches(3, 5))


def test_ids_of_two_inputs_of_one_table():
    random.seed(0)
    E, W, u = Embedding(7, 2), values(RNG.normal(size=(3, 6))), values(RNG.normal(size=3))

    def loss(ids, ids_c):
        s, s_c = (dot(u, layer(W, [v for row in E(i) for v in row])) for i in (ids, ids_c))
        return (1 - s + s_c).relu()

    parameters = {"E": E.rows, "W": W, "u": u}
    program = lower(loss, [0, 1, 2], [3, 4, 5], parameters=parameters)
    ids, ids_c = RNG.integers(0, 7, (2, 4, 3))
    found = dense(program.value_and_grad(ids, ids_c)[1]["E"], (7, 2))
    for sample in zip(ids.tolist(), ids_c.tolist()):
        loss(*sample).backward(1 / 4)
    expected = [[v.grad for v in row] for row in E.rows]
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-15)


def test_a_pair_with_a_weight_between_them():
    W, u = values(WEIGHTS), values(RNG.normal(size=3))

    def loss(x, weight, x_c):
        s, s_c = dot(u, layer(W, x)), dot(u, layer(W, x_c))
        return (1 - s + s_c).relu() * weight

    x, x_c = batches(2, 5)
    equal_to_backward(loss, {"W": W, "u": u}, x, *batches(1), x_c)


def test_inputs_used_in_different_ways():
    W = values(WEIGHTS[:, :3])

    def loss(x, y):
        return sum((a - b) ** 2 for a, b in zip(layer(W, x), y))

    equal_to_backward(loss, {"W": W}, *batches(2, 3))


def test_gradients_that_come_by_different_ways():
    W, u = values(WEIGHTS), values(RNG.normal(size=3))

    def loss(x, x_c):
        h, h_c = layer(W, x), layer(W, x_c)
        return dot(u, h).exp() + sum(v * v for v in h_c)

    equal_to_backward(loss, {"W": W, "u": u}, *batches(2, 5))


def test_one_input_that_is_used_further():
    W, u, v = values(WEIGHTS), values(RNG.normal(size=3)), values(RNG.normal(size=5))

    def loss(x, x_c):
        return score(x, W, u, u) * score(x_c, W, u, u) + dot(v, x)

    equal_to_backward(loss, {"W": W, "u": u, "v": v}, *batches(2, 5))


def test_one_input_waits_for_a_result_of_the_other():
    W = values(WEIGHTS)

    def loss(x, x_c):
        h, h_c = layer(W, x), layer(W, x_c)
        first = h[0].exp()
        p = [a * first for a in h]
        second = sum(p)
        return sum(a * second for a in h_c)

    equal_to_backward(loss, {"W": W}, *batches(2, 5))


def test_a_hidden_layer_that_is_read_again():
    W, u = values(WEIGHTS), values(RNG.normal(size=3))

    def loss(x, x_c):
        z, z_c = ([dot(row, v) for row in W] for v in (x, x_c))
        s, s_c = (dot(u, [v.tanh() for v in part]) for part in (z, z_c))
        return s - s_c + sum(v * v for v in z)

    equal_to_backward(loss, {"W": W, "u": u}, *batches(2, 5))


def test_two_pairs_of_inputs():
    W, u = values(WEIGHTS), values(RNG.normal(size=3))

    def score(x, y):
        return dot(u, [(a + (dot(row, y) + 1).exp()).tanh() for a, row in zip(x, W)])

    def loss(x, x_c, y, y_c):
        return (1 - score(x, y) + score(x_c, y_c)).relu()

    equal_to_backward(loss, {"W": W, "u": u}, *batches(2, 3), *batches(2, 5))
