"""The numba back end: loops for arrays, and for the levels of irregular graphs."""

import numpy as np
import pytest

from micrograd.engine import Value
from micrograd.lowering import lower
from tests.lowering_models import all_to_all_attention, window_model
from tests.test_lowering_graphs import assert_same, random_graph, scalar_gradients
from tests.test_lowering_models import assert_equals_scalar_engine, batches

pytest.importorskip("numba")


def test_batches():
    loss, parameters = window_model(inputs=5, hidden=3)
    program = lower(loss, [0.1] * 5, [0.2] * 5, parameters=parameters, backend="numba")
    assert_equals_scalar_engine(program, loss, batches((6, 5), (6, 5)))
    assert_equals_scalar_engine(program, loss, batches((1, 5), (1, 5)))


def test_attention():
    loss, parameters = all_to_all_attention(positions=2, dims=2)
    program = lower(loss, [[0.1] * 2] * 2, parameters=parameters, backend="numba")
    assert_equals_scalar_engine(program, loss, batches((3, 2, 2)))


def test_a_random_graph_as_arrays():
    root = random_graph(3, 25)
    program = lower(root, backend="numba")
    value, gradients = program.value_and_grad()
    assert value == pytest.approx(root.data, rel=1e-12)
    assert_same(gradients, scalar_gradients(root, program))


def test_random_graphs_by_levels(irregular):
    root = random_graph(11, 120)
    program = lower(root, backend="numba")
    value, gradients = program.value_and_grad()
    assert value == program() == pytest.approx(root.data, rel=1e-12)
    assert_same(gradients, scalar_gradients(root, program))
    w = Value(0.5, label="w")
    batched = lower(lambda x: (x * w).tanh(), 1.0, backend="numba")
    assert batched([1.0, 2.0]) == pytest.approx((np.tanh(0.5) + np.tanh(1)) / 2)
