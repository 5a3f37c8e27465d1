"""Programs of several inputs that go through one model run as one batch of all of them."""

import random

import numpy as np
import pytest

from micrograd.functions import dot
from micrograd.lowering import lower
from micrograd.lowering.expr import (
    ALL,
    Assign,
    binary,
    call,
    einsum,
    indexed,
    matmul,
    num,
    ref,
    total,
    transpose,
)
from micrograd.lowering.lowered import PARAMETER
from micrograd.lowering.numpy_executor import buffered_text
from micrograd.lowering.samples import adds_rows, by_row
from micrograd.lowering.stacking import stacked
from micrograd.lowering.trace.samples import as_values
from micrograd.nn import Embedding
from tests.lowering_models import score, values, window_model

RNG = np.random.default_rng(0)
WEIGHTS = RNG.normal(size=(3, 5))


def layer(W, x):
    return [dot(row, x).tanh() for row in W]


def equal_to_backward(loss, parameters, *batch):
    """Compare a program with the scalar engine, and return the text that runs."""
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
    return buffered_text(program.lowered, program.lowered.passes(PARAMETER))


def batches(count, *shape):
    return [RNG.normal(size=(6, *shape)) for _ in range(count)]


def test_a_pair_of_windows_has_one_product_and_one_tanh():
    loss, parameters = window_model(inputs=5, hidden=3)
    text = equal_to_backward(loss, parameters, *batches(2, 5))
    assert text.count("tanh(") == 1
    assert text.count("dot(") == 6  # z, s, loss; du, db, dW


def test_three_inputs_are_one_batch():
    W = values(WEIGHTS)

    def triplet(anchor, near, far):
        a, n, f = (layer(W, x) for x in (anchor, near, far))
        return (dot(a, f) - dot(a, n) + 1).relu()

    assert equal_to_backward(triplet, {"W": W}, *batches(3, 5)).count("tanh(") == 1


def test_ids_of_two_inputs_are_looked_up_together():
    random.seed(0)
    E, W, u = Embedding(7, 2), values(RNG.normal(size=(3, 6))), values(RNG.normal(size=3))

    def loss(ids, ids_c):
        s, s_c = (dot(u, layer(W, [v for row in E(i) for v in row])) for i in (ids, ids_c))
        return (1 - s + s_c).relu()

    parameters = {"E": E.rows, "W": W, "u": u}
    program = lower(loss, [0, 1, 2], [3, 4, 5], parameters=parameters)
    text = buffered_text(program.lowered, program.lowered.passes(PARAMETER))
    assert text.count(".take(") == 1 and "concatenate((" not in text
    ids, ids_c = RNG.integers(0, 7, (2, 4, 3))
    gradient = program.value_and_grad(ids, ids_c)[1]["E"]
    found = np.zeros((7, 2))
    np.add.at(found, gradient.indices, gradient.rows)
    for sample in zip(ids.tolist(), ids_c.tolist()):
        loss(*sample).backward(1 / 4)
    expected = [[v.grad for v in row] for row in E.rows]
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-15)


def test_other_inputs_do_not_hinder():
    W, u = values(WEIGHTS), values(RNG.normal(size=3))

    def loss(x, weight, x_c):
        s, s_c = dot(u, layer(W, x)), dot(u, layer(W, x_c))
        return (1 - s + s_c).relu() * weight

    x, x_c = batches(2, 5)
    assert equal_to_backward(loss, {"W": W, "u": u}, x, *batches(1), x_c).count("tanh(") == 1


def test_inputs_used_in_different_ways_are_left_alone():
    W = values(WEIGHTS[:, :3])

    def loss(x, y):
        return sum((a - b) ** 2 for a, b in zip(layer(W, x), y))

    assert "_all0" not in equal_to_backward(loss, {"W": W}, *batches(2, 3))


def test_gradients_that_come_by_different_ways_are_stacked_too():
    W, u = values(WEIGHTS), values(RNG.normal(size=3))

    def loss(x, x_c):
        h, h_c = layer(W, x), layer(W, x_c)
        return dot(u, h).exp() + sum(v * v for v in h_c)

    text = equal_to_backward(loss, {"W": W, "u": u}, *batches(2, 5))
    assert text.count("tanh(") == 1


def test_one_input_that_is_used_further():
    W, u, v = values(WEIGHTS), values(RNG.normal(size=3)), values(RNG.normal(size=5))

    def loss(x, x_c):
        return score(x, W, u, u) * score(x_c, W, u, u) + dot(v, x)

    equal_to_backward(loss, {"W": W, "u": u, "v": v}, *batches(2, 5))


def test_what_waits_for_its_own_result_is_not_stacked():
    W = values(WEIGHTS)

    def loss(x, x_c):
        h, h_c = layer(W, x), layer(W, x_c)
        first = h[0].exp()
        p = [a * first for a in h]
        second = sum(p)
        return sum(a * second for a in h_c)

    equal_to_backward(loss, {"W": W}, *batches(2, 5))


def test_a_member_read_alone_is_not_written_over():
    W, u = values(WEIGHTS), values(RNG.normal(size=3))

    def loss(x, x_c):
        z, z_c = ([dot(row, v) for row in W] for v in (x, x_c))
        s, s_c = (dot(u, [v.tanh() for v in part]) for part in (z, z_c))
        return s - s_c + sum(v * v for v in z)

    assert equal_to_backward(loss, {"W": W, "u": u}, *batches(2, 5)).count("tanh(") == 1


def test_a_gradient_that_goes_on_is_not_written_over():
    W, u = values(WEIGHTS), values(RNG.normal(size=3))

    def score(x, y):
        return dot(u, [(a + (dot(row, y) + 1).exp()).tanh() for a, row in zip(x, W)])

    def loss(x, x_c, y, y_c):
        return (1 - score(x, y) + score(x_c, y_c)).relu()

    equal_to_backward(loss, {"W": W, "u": u}, *batches(2, 3), *batches(2, 5))


X, Y = ref("x", ("B", 3)), ref("y", ("B", 3))
H, H_C = ref("h", ("B", 3)), ref("h_c", ("B", 3))
TWO = [Assign("h", call("tanh", X)), Assign("h_c", call("tanh", Y))]


def test_lines_that_wait_for_one_another_stay_as_they_are():
    q, q_c = ref("q", ("B",)), ref("q_c", ("B",))
    spread = (ALL, None)
    lines = [*TWO, Assign("q", total(H, (1,))), Assign("p", binary("*", H, indexed(q, spread))),
             Assign("q_c", total(ref("p", ("B", 3)), (1,))),
             Assign("p_c", binary("*", H_C, indexed(q_c, spread)))]  # fmt: skip
    assert stacked(lines, [X, Y]) == (lines, {})


def test_products_of_two_parts_are_no_sum_over_the_stack():
    products = [matmul(transpose(a, (1, 0)), H_C) for a in (H, H_C)]
    lines = stacked([*TWO, Assign("W", binary("+", *products))], [X, Y]).lines
    assert lines[-1] == Assign("W", binary("+", *products))


def test_sums_of_rows_and_what_works_row_by_row():
    x, y, W, every = X, Y, ref("W", (3, 4)), ref("k", ("B", "B"))
    assert not by_row(matmul(every, x)) and not by_row(total(every, (0,)))
    assert by_row(matmul(x, W)) and by_row(binary("*", x, y)) and by_row(total(x, (1,)))
    assert not by_row(total(x, (0,))) and not by_row(binary("+", x, total(x, (0,))))
    assert by_row(einsum("bi,bj->bij", x, y, ("B", 3, 3)))
    outer = matmul(transpose(x, (1, 0)), y)
    assert adds_rows(outer) and adds_rows(total(x, (0,))) and adds_rows(transpose(outer, (1, 0)))
    assert adds_rows(einsum("bi,bj->ij", x, y, (3, 3)))
    assert not adds_rows(matmul(transpose(x, (1, 0)), call("tanh", matmul(y, outer))))
    assert not adds_rows(binary("*", total(x, (0,)), total(y, (0,))))
    assert not adds_rows(W)


def test_without_two_inputs_of_one_shape_nothing_changes():
    lines = [Assign("t", binary("+", ref("x", ("B", 3)), num(1)))]
    assert stacked(lines, [ref("x", ("B", 3)), ref("y", ("B", 2))]).lines is lines
    assert stacked(lines, [ref("x", (3,)), ref("y", (3,))]).lines is lines
