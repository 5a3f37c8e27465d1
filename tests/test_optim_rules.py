"""Optimisers beyond the dense rules: groups, schedules, rows, clipping, state, refusals."""

import random

import numpy as np
import pytest

from micrograd.checkpoint import load_state, save_state
from micrograd.engine import Value
from micrograd.nn import MLP
from micrograd.optim import BY_NAME, SGD, AdaGrad, Adam, AdamW, RMSProp, SparseAdam, fan_in_groups
from micrograd.optim.gradients import Rows, clip_norm, clip_value, gradient_norm
from micrograd.schedules import Plateau, exponential

SPARSE = [SGD, AdaGrad, SparseAdam]


def quadratic(x):
    return 2 * (x - np.array([1.0, -2.0, 0.5]))


@pytest.mark.parametrize("kind", BY_NAME.values())
def test_every_optimiser_finds_the_minimum(kind):
    x = np.array([5.0, 5.0, 5.0])
    optimizer = kind([x], lr=0.2)
    for _ in range(2000):
        optimizer.step([quadratic(x)])
    np.testing.assert_allclose(x, [1.0, -2.0, 0.5], atol=0.02 + (kind is RMSProp) * 0.2)


@pytest.mark.parametrize("kind", BY_NAME.values())
def test_values_and_arrays_move_alike(kind):
    array, values = np.array([3.0, -1.0, 2.0]), [Value(3.0), Value(-1.0), Value(2.0)]
    on_array, on_values = kind({"x": array}, lr=0.1), kind(values, lr=0.1)
    for _ in range(20):
        gradient = quadratic(np.array([v.data for v in values]))
        for value, g in zip(values, gradient):
            value.grad = float(g)
        on_values.step()
        on_array.step({"x": gradient})
    np.testing.assert_allclose(array, [v.data for v in values], rtol=1e-14)


def test_momentum_in_the_form_of_the_notes():
    x, v, mu, value = 2.0, 0.0, 0.9, Value(2.0)
    optimizer = SGD([value], lr=lambda t: 0.1 / (t + 1), momentum=mu)
    for t in range(10):
        value.grad = 2 * value.data
        optimizer.step()
        v = mu * v - 0.1 / (t + 1) * 2 * x
        x += v
        assert value.data == x


def test_adam_without_bias_correction():
    x, m, v, value = 2.0, 0.0, 0.0, Value(2.0)
    optimizer = Adam([value], lr=0.1, bias_correction=False)
    for _ in range(10):
        value.grad = gradient = 2 * value.data
        optimizer.step()
        m, v = 0.9 * m + 0.1 * gradient, 0.999 * v + 0.001 * gradient**2
        x -= 0.1 * m / (v**0.5 + 1e-8)
        assert value.data == pytest.approx(x, rel=1e-14)


@pytest.mark.parametrize("kind", SPARSE)
def test_only_touched_rows_move_and_only_their_state(kind):
    table = np.random.default_rng(0).normal(size=(6, 2))
    optimizer = kind([table], lr=0.1)
    for _ in range(3):
        optimizer.step([(np.array([1, 4]), np.ones((2, 2)))])
    before = table.copy()
    state = {k: np.copy(v) for k, v in optimizer.state["0"].items()}
    optimizer.step([Rows(np.array([4]), np.ones((1, 2)))])
    moved = (table != before).any(1)
    assert moved.tolist() == [False, False, False, False, True, False]
    for name, after in optimizer.state["0"].items():
        if np.ndim(after) and kind is not SGD:
            assert (after != state[name]).any(1).tolist() == moved.tolist()


@pytest.mark.parametrize("kind", SPARSE)
def test_a_row_given_twice_is_summed(kind):
    once, twice = np.ones((4, 2)), np.ones((4, 2))
    kind([once], lr=0.1).step([(np.array([2]), np.array([[3.0, -1.0]]))])
    kind([twice], lr=0.1).step([(np.array([2, 2]), np.array([[1.0, 1.0], [2.0, -2.0]]))])
    np.testing.assert_array_equal(once, twice)


@pytest.mark.parametrize("kind", [SGD, AdaGrad])
def test_all_rows_touched_is_a_dense_step(kind):
    rng = np.random.default_rng(3)
    dense = rng.normal(size=(5, 3))
    sparse = dense.copy()
    on_dense, on_sparse = kind([dense], lr=0.1), kind([sparse], lr=0.1)
    for _ in range(5):
        gradient, order = rng.normal(size=(5, 3)), rng.permutation(5)
        on_dense.step([gradient])
        on_sparse.step([(order, gradient[order])])
    np.testing.assert_array_equal(dense, sparse)


@pytest.mark.parametrize("make", [
    lambda x: SGD(x, momentum=0.9), lambda x: SGD(x, weight_decay=0.1),
    lambda x: AdaGrad(x, weight_decay=0.1), Adam, AdamW, RMSProp])  # fmt: skip
def test_rows_are_refused_where_the_rule_moves_all(make):
    table = np.ones((3, 2))
    with pytest.raises(ValueError, match="use AdaGrad, SparseAdam or plain SGD"):
        make([table]).step([(np.array([0]), np.ones((1, 2)))])
    assert (table == 1).all()


def test_groups_have_options_of_their_own():
    slow, fast = Value(1.0), Value(1.0)
    optimizer = SGD([{"params": [slow], "lr": 0.01}, {"params": [fast], "scale": 0.5}], lr=0.1)
    slow.grad = fast.grad = 1.0
    optimizer.step()
    assert (slow.data, fast.data) == (1 - 0.01, 1 - 0.1 * 0.5)
    optimizer.lr = 0.2
    optimizer.step()
    assert (slow.data, fast.data) == (1 - 0.01 - 0.2, 1 - 0.05 - 0.2 * 0.5)


def test_rates_scaled_by_fan_in():
    random.seed(0)
    model = MLP(4, [3, 1])
    before = {p: p.data for p in model.parameters()}
    optimizer = SGD(fan_in_groups(model), lr=1.0)
    assert len(optimizer.parameters) == len(before)
    for parameter in before:
        parameter.grad = 1.0
    optimizer.step()
    for layer, fan_in in zip(model.layers, (4, 3)):
        for parameter in layer.parameters():
            assert before[parameter] - parameter.data == pytest.approx(1 / fan_in**0.5)


def test_schedules_count_steps():
    value, optimizer = Value(0.0), None
    optimizer = SGD([value], lr=exponential(1.0, 0.5))
    total = 0.0
    for t in range(4):
        assert optimizer.lr == pytest.approx(np.exp(-0.5 * t))
        value.grad = 1.0
        optimizer.step()
        total -= np.exp(-0.5 * t)
    assert value.data == pytest.approx(total)


def test_a_parameter_without_gradient_stays():
    a, b = np.ones(2), np.ones(2)
    optimizer = Adam({"a": a, "b": b}, lr=0.1)
    optimizer.step({"a": np.ones(2)})
    optimizer.step({"a": np.ones(2), "b": None})
    assert (b == 1).all()
    assert optimizer.state["b"]["t"] == 0
    assert (a < 1).all()


def test_an_array_without_dimensions_is_a_parameter():
    bias = np.array(1.0)
    optimizer = Adam({"b": bias}, lr=0.1)
    optimizer.step({"b": np.float64(2.0)})
    assert bias[()] == pytest.approx(0.9)
    optimizer.load_state_dict(optimizer.state_dict())


def test_an_object_that_holds_an_array_is_a_parameter():
    class Box:
        data, grad = np.ones(3), np.array([1.0, 2.0, 3.0])

    kept = Box.data
    SGD([Box], lr=0.5).step()
    np.testing.assert_array_equal(kept, [0.5, 0.0, -0.5])


def test_clipping_by_norm_and_value():
    gradients = [3.0, np.array([[0.0, 4.0]]), Rows(np.array([1]), np.array([[12.0]]))]
    assert gradient_norm(gradients) == 13
    number, array, rows = clip_norm(1.3)(gradients)
    assert number == pytest.approx(0.3)
    np.testing.assert_allclose(array, [[0, 0.4]])
    np.testing.assert_allclose(rows.rows, [[1.2]])
    assert clip_norm(13)(gradients) is gradients
    number, array, rows = clip_value(3.5)(gradients)
    assert (number, array.tolist(), rows.rows.tolist()) == (3.0, [[0, 3.5]], [[3.5]])
    assert clip_value(1)([-5.0]) == [-1]


def test_an_optimiser_clips_all_its_gradients_together():
    a, b = np.zeros(1), np.zeros((2, 1))
    gradients = {"a": np.array([3.0]), "b": (np.array([1, 1]), np.array([[2.0], [2.0]]))}
    SGD({"a": a, "b": b}, lr=1.0, clip=clip_norm(1.0)).step(gradients)
    np.testing.assert_allclose([a[0], b[1, 0]], [-0.6, -0.8])
    assert gradients["a"][0] == 3.0


@pytest.mark.parametrize("ending", ["json", "npz"])
@pytest.mark.parametrize("kind", BY_NAME.values())
def test_state_goes_over_exactly(kind, ending, tmp_path):
    def fresh():
        return {"x": np.array([3.0, -1.0, 2.0]), "y": np.array([1.0, 1.0, 1.0])}

    def train(parameters, optimizer, steps):
        for _ in range(steps):
            optimizer.step({name: quadratic(p) for name, p in parameters.items()})

    whole, half = fresh(), fresh()
    on_whole, on_half = (
        kind(whole, lr=exponential(0.1, 0.05)),
        kind(half, lr=exponential(0.1, 0.05)),
    )
    train(whole, on_whole, 9)
    train(half, on_half, 4)
    save_state(tmp_path / f"s.{ending}", on_half.state_dict())
    rest = kind(half, lr=exponential(0.1, 0.05))
    rest.load_state_dict(load_state(tmp_path / f"s.{ending}"))
    train(half, rest, 5)
    for name in whole:
        np.testing.assert_array_equal(half[name], whole[name])


def test_state_holds_rates_that_were_set_and_schedules_that_learn():
    optimizer, other = Adam([Value(1.0)], lr=0.1), Adam([Value(1.0)], lr=0.3)
    optimizer.lr = 0.05
    other.load_state_dict(optimizer.state_dict())
    assert other.lr == 0.05
    optimizer.lr, other.lr = Plateau(0.1, 0.5, patience=0), Plateau(0.1, 0.5, patience=0)
    for loss in (1, 2):
        optimizer.groups[0]["lr"].report(loss)
    other.load_state_dict(optimizer.state_dict())
    assert other.lr == 0.05


def test_a_state_is_a_copy():
    x = np.ones(3)
    optimizer = SGD([x], lr=0.1, momentum=0.9)
    optimizer.step([np.ones(3)])
    state = optimizer.state_dict()
    optimizer.step([np.ones(3)])
    np.testing.assert_allclose(state["state"]["0"]["velocity"], -0.1)


def test_a_state_of_another_optimiser_is_refused():
    x = np.ones(3)
    optimizer = Adam([x])
    before = optimizer.state_dict()
    strangers = [
        ({}, "it has"),
        (SGD([x]).state_dict(), "its parameters differ"),
        (Adam([np.ones(4)]).state_dict(), "its parameters differ"),
        (Adam({"w": x}).state_dict(), "its parameters differ"),
        (before | {"options": [{"lr": 1}]}, "its options differ"),
    ]
    for state, reason in strangers:
        with pytest.raises(ValueError, match=f"not the state of this Adam: {reason}"):
            optimizer.load_state_dict(state)
    np.testing.assert_equal(optimizer.state_dict(), before)


REFUSED = [
    ({"w": np.ones(3)}, "shape \\(2,\\), its gradient \\(3,\\)"),
    ({"v": np.ones(2)}, "gradients of no parameter: v"),
    ([np.ones(2), np.ones(2)], "2 gradients for 1 parameters"),
    (None, "needs their gradients"),
    ({"w": (np.array([0]), np.ones((1, 2)))}, "do not fit it"),
    ({"w": (np.array([2]), np.ones(1))}, "rows 0 to 1; there are gradients for rows 2 to 2"),
    ({"w": (np.array([-1]), np.ones(1))}, "for rows -1 to -1"),
]


@pytest.mark.parametrize("gradients, reason", REFUSED)
def test_gradients_that_do_not_fit_change_nothing(gradients, reason):
    w = np.ones(2)
    optimizer = SGD({"w": w})
    with pytest.raises(ValueError, match=reason):
        optimizer.step(gradients)
    assert (w.tolist(), optimizer.steps_done) == ([1, 1], 0)


def test_parameters_that_make_no_sense_are_refused():
    value = Value(1.0)
    with pytest.raises(ValueError, match="given twice"):
        SGD([value, value])
    with pytest.raises(ValueError, match="SGD has no option beta1"):
        SGD([{"params": [value], "beta1": 0.9}])
    with pytest.raises(TypeError, match="array of int64"):
        SGD([np.ones(2, dtype=np.int64)])
    with pytest.raises(ValueError, match="gradient \\(2,\\)"):
        SGD([value]).step([np.ones(2)])


@pytest.mark.parametrize("kind", SPARSE)
def test_no_rows_at_all(kind):
    table = np.ones((3, 2))
    kind([table]).step([(np.array([], dtype=int), np.ones((0, 2)))])
    assert (table == 1).all()


def test_parameters_that_are_missing_or_share_a_name_are_refused():
    with pytest.raises(ValueError, match="no parameters to train"):
        SGD([])
    with pytest.raises(ValueError, match="two parameters are named w"):
        SGD([{"params": {"w": Value(1.0)}}, {"params": {"w": Value(2.0)}}])
