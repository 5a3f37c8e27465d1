"""Optimisers beyond the dense rules: groups, schedules, rows, clipping, state, refusals."""

import math
import random

import numpy as np
import pytest

from micrograd.checkpoint import load_state, save_state
from micrograd.engine import Value
from micrograd.lowering import lower
from micrograd.nn import MLP, Embedding, Layer, Module, Neuron
from micrograd.optim import BY_NAME, SGD, AdaGrad, Adam, AdamW, RMSProp, SparseAdam, fan_in_groups
from micrograd.optim.gradients import Rows, clip_norm, clip_value, gradient_norm
from micrograd.schedules import Plateau, cosine, exponential

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


@pytest.mark.parametrize(
    "make",
    [
        lambda x: SGD(x, momentum=0.9),
        lambda x: SGD(x, weight_decay=0.1),
        lambda x: AdaGrad(x, weight_decay=0.1),
        Adam,
        AdamW,
        RMSProp,
    ],
)
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


def test_what_is_in_no_neuron_is_trained_unscaled():
    class Tagged(Module):
        def __init__(self):
            self.table, self.layer, self.bias = Embedding(3, 2), Layer(2, 4), Value(0.0)

    model = Tagged()
    optimizer = SGD(fan_in_groups(model), lr=1.0)
    assert {id(p) for p in optimizer.parameters.values()} == set(map(id, model.parameters()))
    before = [p.data for p in model.parameters()]
    for parameter in model.parameters():
        parameter.grad = 1.0
    optimizer.step()
    moved = [b - p.data for b, p in zip(before, model.parameters())]
    assert moved == pytest.approx([1.0] * 6 + [2**-0.5] * 12 + [1.0])


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
    optimizer.seen = [1]  # as a class of one's own may hold
    state = optimizer.state_dict()
    for _ in range(2):
        optimizer.seen.append(2)
        assert state["own"] == {"seen": [1]}
        optimizer.load_state_dict(state)
    optimizer.state["0"]["velocity"] += 1.0
    np.testing.assert_allclose(state["state"]["0"]["velocity"], -0.19)


def test_a_state_of_another_optimiser_is_refused():
    x = np.ones(3)
    optimizer = Adam([x])
    before = optimizer.state_dict()
    strangers = [
        ({}, "it has"),
        (SGD([x]).state_dict(), "it is of the rule SGD"),
        (Adam([np.ones(4)]).state_dict(), "its parameters differ"),
        (Adam({"w": x}).state_dict(), "its parameters differ"),
        (before | {"options": [{"lr": 1}]}, "its options differ"),
        (before | {"own": {"groups": 1}}, "it has the attributes {'groups': 1}"),
        (before | {"own": {"step": 1}}, "it has the attributes {'step': 1}"),
        (before | {"own": 1}, "it has the attributes 1"),
    ]
    for state, reason in strangers:
        with pytest.raises(ValueError, match=f"not the state of this Adam: {reason}"):
            optimizer.load_state_dict(state)
    np.testing.assert_equal(optimizer.state_dict(), before)


REFUSED = [
    ({"w": np.ones(3)}, "shape \\(2,\\), its gradient \\(3,\\)"),
    ({"v": np.ones(2)}, r"gradients of no parameter: v; give those of .* in optimizer\.parameters"),
    ([np.ones(2), np.ones(2)], "2 gradients for 1 parameter"),
    (None, "needs their gradients"),
    ({"w": (np.array([0]), np.ones((1, 2)))}, "do not fit it"),
    ({"w": (np.array([2]), np.ones(1))}, "rows 0 to 1; there are gradients for rows 2 to 2"),
    ({"w": (np.array([-1]), np.ones(1))}, "for rows -1 to -1"),
    ({"w": (np.array([1, -1]), np.ones(2))}, "for rows -1 to 1"),
]


@pytest.mark.parametrize("gradients, reason", REFUSED)
def test_gradients_that_do_not_fit_change_nothing(gradients, reason):
    w = np.ones(2)
    optimizer = SGD({"w": w})
    with pytest.raises(ValueError, match=reason):
        optimizer.step(gradients)
    assert (w.tolist(), optimizer.steps_done) == ([1, 1], 0)


@pytest.mark.parametrize("kind", [np.float16, np.float32, np.uint8, int])
@pytest.mark.parametrize("rule", [SGD, Adam, AdaGrad])
def test_a_number_of_few_bits_put_into_a_value_is_trained_as_a_float(rule, kind):
    given, plain = Value(0.0), Value(0.0)
    given.data, plain.data = kind(3), 3.0
    optimizers = rule([given], lr=1e-5), rule([plain], lr=1e-5)
    for _ in range(3):
        for optimizer in optimizers:
            optimizer.step([1.0])
    assert type(given.data) is float and given.data == plain.data


def test_a_parameter_that_holds_no_number_stops_the_step_before_it_begins():
    first, second = Value(1.0), Value(2.0, label="second")
    optimizer = SGD([first, second])
    second.data = "2"
    with pytest.raises(TypeError, match="the data of 'second' is '2'"):
        optimizer.step([1.0, 1.0])
    assert (first.data, optimizer.steps_done) == (1.0, 0)


def test_parameters_that_make_no_sense_are_refused():
    value = Value(1.0)
    with pytest.raises(ValueError, match="given twice, as 1 and 2; it would"):
        SGD([Value(2.0), value, value])
    with pytest.raises(TypeError, match="is a Value or an array, not 0.0"):
        SGD({"b": 0.0, "w": 0.0})  # a state_dict(), whose numbers may be one object
    with pytest.raises(ValueError, match="SGD has no option beta1"):
        SGD([{"params": [value], "beta1": 0.9}])
    with pytest.raises(TypeError, match="array of int64"):
        SGD([np.ones(2, dtype=np.int64)])
    with pytest.raises(ValueError, match="gradient \\(2,\\)"):
        SGD([value]).step([np.ones(2)])


SIX = np.arange(6.0)
OVERLAPPING = [
    (SIX[:4], SIX[3:]),
    (SIX, SIX[::-1]),
    (SIX.reshape(2, 3), SIX.reshape(3, 2).T),
    (SIX[::2], SIX[4:]),
]


@pytest.mark.parametrize("one, other", OVERLAPPING)
def test_arrays_that_share_numbers_are_refused(one, other):
    groups = [{"params": {"a": one}}, {"params": {"b": other}}]
    for parameters in ({"a": one, "c": np.ones(2), "b": other}, groups):
        with pytest.raises(ValueError, match="parameters a and b share numbers"):
            Adam(parameters)


def test_arrays_that_lie_between_each_other_are_apart():
    x = np.zeros(4)
    SGD([x[::2], x[1::2]], lr=1.0).step([np.ones(2), np.full(2, 2.0)])
    assert x.tolist() == [-1, -2, -1, -2]


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


@pytest.mark.parametrize("kind", [Adam, AdamW, RMSProp, SGD, AdaGrad, SparseAdam])
def test_dense_rows_move_the_table_as_an_eager_step_does(kind):
    rng = np.random.default_rng(5)
    start, options = rng.normal(size=(5, 2)), {"lr": 0.1, "weight_decay": 0.01}
    if kind is SGD:
        options["momentum"] = 0.9
    table, whole = start.copy(), start.copy()
    values = [Value(x) for x in start.ravel()]
    dense = kind({"E": table}, dense=True, **options)
    eager, arrays = kind(values, **options), kind({"E": whole}, **options)
    for ids in ([0, 3], [3, 3, 1], [], [2]):
        rows = rng.normal(size=(len(ids), 2))
        gradient = np.zeros((5, 2))
        np.add.at(gradient, np.array(ids, int), rows)
        dense.step({"E": Rows(np.array(ids, int), rows)})
        arrays.step({"E": gradient})
        eager.step(list(gradient.ravel()))
    np.testing.assert_array_equal(table, whole)
    np.testing.assert_allclose(table.ravel(), [v.data for v in values], rtol=1e-14)
    assert (table != start).all(1)[:4].all()


@pytest.mark.parametrize("kind", [Adam, AdamW, RMSProp, SGD, AdaGrad])
@pytest.mark.parametrize(("dtype", "size"), [("f2", 1e5), ("f2", 1e-6), ("f4", 1e25)])
def test_dense_rows_keep_their_bits(kind, dtype, size):
    table, whole = np.ones((3, 2), dtype), np.ones((3, 2), dtype)
    rows, gradient = np.full((1, 2), size), np.zeros((3, 2))
    gradient[1] = size
    kind([table], lr=1e-3 / size, dense=True).step([Rows([1], rows)])
    kind([whole], lr=1e-3 / size).step([gradient])
    np.testing.assert_array_equal(table, whole)


def test_dense_is_said_for_a_group():
    tables = {name: np.ones((3, 1)) for name in "ab"}
    groups = [{"params": {"a": tables["a"]}}, {"params": {"b": tables["b"]}, "dense": True}]
    optimizer = AdaGrad(groups, lr=0.1, weight_decay=0.5)
    with pytest.raises(ValueError, match="the rows of a that have no gradient; say dense=True"):
        optimizer.step({"a": Rows([0], [[1.0]]), "b": Rows([0], [[1.0]])})
    assert (tables["b"] == 1).all()
    optimizer.step({"b": Rows([0], [[1.0]])})
    assert (tables["b"] < 1).all()


@pytest.mark.parametrize(
    "gradients, norm",
    [
        ([np.array([300.0, 300.0], "f2")], 300 * 2**0.5),
        ([np.array([300.0] * 2, "f2"), np.array([[300.0] * 2], "f4")], 600.0),
        ([3e200, -4e200], 5e200),
        ([np.array([3e200, -4e200])], 5e200),
        ([3e-200, np.array([-4e-200])], 5e-200),
        ([np.array([100, -100], "i1")], 100 * 2**0.5),
        ([Rows([1], np.array([[300.0, -300.0]], "f2")), 300 * 2**0.5], 600.0),
        ([np.zeros(3), 0.0, np.zeros((0, 2))], 0.0),
        ([], 0.0),
    ],
)
def test_norms_neither_overflow_nor_vanish(gradients, norm):
    assert gradient_norm(gradients) == pytest.approx(norm, rel=1e-12, abs=0)
    if norm and norm != 100 * 2**0.5:
        clipped = clip_norm(norm / 4)(gradients)
        assert gradient_norm(clipped) == pytest.approx(norm / 4, rel=1e-3)
    assert clip_norm(norm * 1.01 + 1e-300)(gradients) is gradients


def test_float16_gradients_are_scaled_to_the_norm():
    (clipped,) = clip_norm(1.0)([np.full(2, 300, "f2")])
    assert clipped.dtype == "f2" and clipped.tolist() == [0.70703125] * 2
    (clipped,) = clip_norm(1.0)([np.array([300], "f2")])
    assert clipped.tolist() == [1.0]


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_gradients_that_are_not_finite_are_left_to_be_seen(bad):
    gradients = [np.array([1.0, bad]), 2.0]
    assert clip_norm(0.1)(gradients) is gradients


@pytest.mark.parametrize("clip", [clip_norm, clip_value])
@pytest.mark.parametrize("limit", [0, -1.0, np.nan, None, "1"])
def test_a_limit_is_above_0(clip, limit):
    with pytest.raises(ValueError, match="clipped to a limit above 0, not"):
        clip(limit)


@pytest.mark.parametrize("kind", [SGD, AdaGrad, RMSProp, Adam, AdamW])
def test_half_precision_moves_as_full_precision_does(kind):
    narrow, wide = (np.array([1.0, 2.0, -3.0], dtype) for dtype in ("f2", "f8"))
    optimizers = [kind([data], lr=0.125) for data in (narrow, wide)]
    for gradient in ([300.0, 1e-4, 2.0], [-250.0, 1e-4, 0.0], [280.0, 2e-4, 1.0]):
        for optimizer in optimizers:
            optimizer.step([np.array(gradient, "f2")])
    assert narrow.dtype == "f2"
    np.testing.assert_allclose(narrow, wide, rtol=4e-3)


def test_gradients_of_integers_do_not_overflow():
    data = np.ones(2)
    AdaGrad([data], lr=0.5).step([np.array([100, -100], "i1")])
    np.testing.assert_allclose(data, [0.5, 1.5])


def test_a_state_begins_at_0_whatever_the_numbers_are():
    data = np.array([np.inf, np.nan, 1.0])
    assert not Adam([data]).state["0"]["m"].any()
    assert Adam([Value(float("nan"))]).state["0"]["m"] == 0


@pytest.mark.parametrize(
    "options, reason",
    [
        ({"lr": None}, "lr is a finite number or a schedule, not None"),
        ({"lr": "0.1"}, "not '0.1'"),
        ({"lr": float("nan")}, "lr is a finite number or a schedule, not nan"),
        ({"weight_decay": float("inf")}, "weight_decay is a finite number"),
        ({"beta1": 1.0}, r"beta1 is 0 or more and below 1, not 1\.0"),
        ({"beta2": -0.1}, "beta2 is 0 or more"),
        ({"eps": 0.0}, "eps keeps a root from 0, so it is above 0"),
        ({"lr": -0.1}, "lr is 0 or more, not -0.1"),
        ({"weight_decay": -1e-4}, "weight_decay is 0 or more, not -0.0001"),
    ],
)
def test_options_are_checked_where_they_are_given(options, reason):
    with pytest.raises(ValueError, match=reason):
        Adam([Value(1.0)], **options)
    with pytest.raises(ValueError, match=reason):
        Adam([{"params": [Value(1.0)], **options}])


@pytest.mark.parametrize(
    "kind, name, number, reason",
    [
        (Adam, "beta1", 1.0, "beta1 is 0 or more and below 1"),
        (Adam, "beta2", 1.5, "beta2 is 0 or more and below 1"),
        (RMSProp, "decay", -0.1, "decay is 0 or more and below 1"),
        (AdaGrad, "eps", 0.0, "eps keeps a root from 0, so it is above 0"),
        (SGD, "lr", -0.1, "lr is 0 or more"),
        (SGD, "momentum", -0.1, "momentum is 0 or more"),
    ],
)
def test_what_a_schedule_of_another_option_gives_is_checked_as_the_option_is(
    kind, name, number, reason
):
    x = Value(1.0)
    x.grad = 1.0
    optimizer = kind([x], **{name: lambda step: 0.5 if step < 2 else number})
    optimizer.step()
    optimizer.step()
    moved = x.data
    with pytest.raises(ValueError, match=rf"{reason}, and its schedule gave {number} at step 2"):
        optimizer.step()
    assert (x.data, optimizer.steps_done) == (moved, 2)


@pytest.mark.parametrize("rate", [math.nan, math.inf, None, "0.1", np.ones(2), Value(0.1), 1j])
def test_what_a_schedule_gives_is_checked_with_the_step(rate):
    x = Value(1.0)
    optimizer = SGD([x], lr=lambda step: rate if step == 2 else 0.1)
    for _ in range(2):
        optimizer.step([1.0])
    moved = x.data
    with pytest.raises(ValueError, match="lr is a finite number, and its schedule gave .* step 2"):
        optimizer.step([1.0])
    assert (x.data, optimizer.steps_done) == (moved, 2)


@pytest.mark.parametrize("schedule", [lambda: 0.1, lambda step, epoch: 0.1])
def test_a_schedule_takes_the_steps_done(schedule):
    for use in (
        lambda: Adam([Value(1.0)], lr=schedule),
        lambda: setattr(SGD([Value(1.0)]), "lr", schedule),
    ):
        with pytest.raises(TypeError, match="the schedule of lr is called with 1 argument, but"):
            use()


@pytest.mark.parametrize("kind", BY_NAME.values(), ids=BY_NAME)
def test_numbers_of_numpy_move_a_value_as_floats_do(kind):
    for number, gradient in (
        (np.float32, np.float32(0.7)),
        (np.float64, np.array(0.7, np.float16)),
    ):
        plain, other = Value(1.0), Value(1.0)
        rate = float(number(0.1))
        kind([plain], lr=rate).step([float(gradient)])
        kind([other], lr=number(0.1)).step([gradient])
        assert other.data == plain.data
        assert type(other.data) is float


def test_a_rate_of_numpy_leaves_arrays_their_type():
    x = np.ones(2, np.float32)
    optimizer = SGD([x], lr=np.float64(0.1), momentum=np.float64(0.9))
    for _ in range(2):
        optimizer.step([np.ones(2, np.float32)])
    assert optimizer.state["0"]["velocity"].dtype == np.float32


def test_a_rate_that_is_set_is_checked():
    optimizer = Adam([Value(1.0)], beta1=0.0, beta2=0.0)
    with pytest.raises(ValueError, match="lr is a finite number or a schedule, not nan"):
        optimizer.lr = float("nan")
    assert optimizer.lr == 0.001


@pytest.mark.parametrize(
    "parameter, gradient",
    [
        (Value(1.0), Value(2.0)),
        (Value(1.0), "2"),
        (Value(1.0), 2j),
        (np.ones(2), np.array([1j, 2])),
        (np.ones(2), np.array([Value(1.0), Value(2.0)])),
        (np.ones((2, 1)), Rows([0], np.array([[1j]]))),
    ],
)
def test_gradients_are_made_of_real_numbers(parameter, gradient):
    optimizer, before = SGD([parameter]), optimizer_data(parameter)
    with pytest.raises(TypeError, match="the gradient of parameter 0 is a .* made of real numbers"):
        optimizer.step([gradient])
    np.testing.assert_array_equal(optimizer_data(parameter), before)


def optimizer_data(parameter):
    return parameter.data if isinstance(parameter, Value) else parameter.copy()


def test_settings_are_the_rule_and_its_options():
    optimizer = SGD([{"params": [Value(1.0)], "lr": lambda t: 0.1}, {"params": [Value(2.0)]}])
    first, second = optimizer.settings()["groups"]
    assert (optimizer.settings()["rule"], first["lr"], second["lr"]) == ("SGD", "a schedule", 0.01)
    assert second == {
        "scale": 1.0,
        "lr": 0.01,
        "momentum": 0.0,
        "nesterov": False,
        "weight_decay": 0.0,
        "dense": False,
    }


def test_a_state_has_the_past_of_a_schedule_at_a_few_steps():
    """The first, the powers of two and the last: as few as tell schedules apart."""
    optimizer = SGD([Value(1.0)], lr=lambda t: 1.0 / (1 + t))
    optimizer.steps_done = 1000
    past = optimizer.state_dict()["options"][0]["lr"]["schedule"]
    assert past == {str(t): 1 / (1 + t) for t in (0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 999)}


def test_settings_of_a_schedule_that_learns_say_how_it_was_made():
    settings = SGD([Value(1.0)], lr=Plateau(0.5, patience=2)).settings()
    lr = settings["groups"][0]["lr"]
    assert (lr["schedule"], lr["start"], lr["patience"]) == ("Plateau", 0.5, 2)


@pytest.mark.parametrize("dtype, kept", [("f2", "f8"), ("f4", "f4"), ("f8", "f8")])
def test_what_is_remembered_has_the_bits_of_single_precision_or_more(dtype, kept):
    data = np.ones(2, dtype)
    optimizer = AdaGrad([data], lr=0.1)
    for _ in range(2):
        assert optimizer.state["0"]["squares"].dtype == kept
        optimizer.step([np.ones(2, dtype)])
    assert data.dtype == dtype


def test_parameters_are_numbered_through_all_groups():
    values = [Value(float(i)) for i in range(5)]
    groups = [{"params": values[:2]}, {"params": {"w": values[2]}}, {"params": values[3:]}]
    assert SGD(groups).parameters == dict(zip(["0", "1", "w", "3", "4"], values))


def test_an_optimizer_tells_its_rule_its_options_and_how_far_it_is():
    optimizer = Adam({"W": np.zeros(2)}, lr=cosine(0.1, 10))
    optimizer.step({"W": np.ones(2)})
    text = repr(optimizer)
    assert text.startswith("Adam(1 parameter, 1 step done; ") and "beta2=0.999" in text
    assert "lr=a schedule" in text


@pytest.mark.parametrize(
    ("edit", "reason"),
    [
        ({"momentun": 0.9}, "SGD has no option momentun; it has"),
        ({"lr": "0.1"}, "lr is a finite number or a schedule, not '0.1'"),
        ({"lr": math.nan}, "lr is a finite number"),
        ({"lr": lambda: 0.1}, "the schedule of lr"),
        ({3: 4}, "SGD has no option 3"),
    ],
)
def test_options_edited_later_are_checked_before_a_step(edit, reason):
    v = Value(1.0)
    optimizer = SGD([v], lr=0.5)
    v.grad = 1.0
    optimizer.groups[0].update(edit)
    with pytest.raises((TypeError, ValueError), match=reason):
        optimizer.step()
    assert (v.data, optimizer.steps_done) == (1.0, 0)


def test_groups_neither_come_nor_go():
    v, w = Value(1.0), Value(1.0)
    for edit in (lambda groups: groups.append({"params": [w], "lr": 0.1}), list.pop):
        optimizer = SGD([v])
        edit(optimizer.groups)
        with pytest.raises(ValueError, match="groups are made with the optimiser"):
            optimizer.step()
    optimizer = Adam([v])
    del optimizer.groups[0]["eps"]
    with pytest.raises(ValueError, match="has lost eps"):
        optimizer.step()
    optimizer = Adam([v])
    optimizer.groups[0]["eps"] = 0.0
    with pytest.raises(ValueError, match="eps keeps a root from 0"):
        optimizer.step()


@pytest.mark.parametrize("kind", [SGD, AdaGrad, SparseAdam])
def test_no_row_at_all_is_a_step_that_moves_none(kind):
    table = np.ones((3, 2))
    kind({"E": table}, lr=0.1).step({"E": ([], np.zeros((0, 2)))})
    assert (table == 1).all()


@pytest.mark.parametrize("indices", [[True, False], [0.0, 1.0], ["a", "b"]])
def test_rows_are_told_by_ints(indices):
    with pytest.raises((TypeError, ValueError), match="the rows of parameter E are told by ints"):
        SGD({"E": np.ones((2, 2))}).step({"E": (indices, np.ones((2, 2)))})


def test_one_array_is_no_list_of_parameters():
    with pytest.raises(TypeError, match="one array is a list of one, \\[array\\]"):
        SGD(np.ones(3))


def test_neurons_may_share_a_weight():
    first, second = Neuron(2), Neuron(3)
    second.w[0] = first.w[0]
    layer = Module()
    layer.units = [first, second]
    groups = fan_in_groups(layer)
    assert [len(group["params"]) for group in groups] == [3, 3]
    assert SGD(groups, lr=0.1).groups[1]["scale"] == 3**-0.5


def test_large_ints_are_squared_as_floats():
    x = np.zeros(2)
    AdaGrad([x], lr=1.0).step([np.array([2**40, 3])])
    np.testing.assert_allclose(x, [-1.0, -1.0])


@pytest.mark.parametrize(
    "parameter, gradient, said",
    [
        (np.ones(2), 1.0, "has the shape \\(2,\\), its gradient \\(\\)"),
        (np.ones((2, 2)), ([0], np.ones((1, 2)), 1), "is Rows\\(indices, rows\\)"),
    ],
)
def test_a_gradient_of_another_form_changes_nothing(parameter, gradient, said):
    with pytest.raises(ValueError, match=said):
        SGD([parameter]).step([gradient])
    assert (parameter == 1).all()


def test_the_data_of_a_parameter_is_a_number():
    value = Value(1.0)
    value.data = "a"
    with pytest.raises(TypeError, match="a parameter is a Value or an array of floats, not"):
        SGD([value])


@pytest.mark.parametrize("clip", [clip_norm, clip_value])
@pytest.mark.parametrize("limit", [10**400, math.nan, 0, -1.0, True * 0, "1", None, 1j])
def test_a_limit_is_a_float_above_0(clip, limit):
    with pytest.raises(ValueError, match="gradients are clipped to a limit above 0, not"):
        clip(limit)


class Counting(SGD):
    """Remember what it did in attributes of several kinds."""

    def __init__(self, params):
        super().__init__(params)
        self.counts = {"steps": 0, "sizes": [0.5, (1, "a")]}


def test_a_dict_of_ones_own_is_kept_and_the_state_of_nothing_refused():
    first, second = Counting([Value(1.0)]), Counting([Value(1.0)])
    first.counts["steps"] = 3
    second.load_state_dict(first.state_dict())
    assert second.counts == {"steps": 3, "sizes": [0.5, (1, "a")]}
    with pytest.raises(ValueError, match="not the state of this Counting: it has nothing"):
        second.load_state_dict({})


ONE = [Value(1.0)]


@pytest.mark.parametrize(
    "params, said",
    [
        ([{"lr": 0.1}], "a group has its parameters under 'params', unlike"),
        ([{"params": MLP(1, [1])}], "not the MLP: pass its .parameters\\(\\)"),
        (lower(lambda x: Value(1.0) * x, 1.0), r"not the Program: pass its \.parameters$"),
        ([{"params": ONE[0]}], "takes a list or dict of parameters, not Value"),
        ([{"params": None}], "takes a list or dict of parameters, not None"),
        ([{"params": "ab"}], "takes a list or dict of parameters, not 'ab'"),
        ({"params": ONE, "lr": 0.1}, "groups are a list: \\[{'params'"),
        ([{"params": ONE}, Value(2.0)], "groups are a list: \\[{'params'"),
        ([{"params": set(ONE)}], "takes a list or dict of parameters, not {Value"),
    ],
)
def test_a_group_has_parameters(params, said):
    with pytest.raises((TypeError, ValueError), match=said):
        SGD(params)


def test_rows_are_no_array_to_be_multiplied():
    rows = Rows(np.array([0, 2]), np.ones((2, 1)))
    for product in (lambda: 0.1 * rows, lambda: rows * 2):
        with pytest.raises(TypeError, match=r"table\[g\.indices\] -= 0\.1 \* g\.rows"):
            product()


def test_an_array_that_can_only_be_read_is_refused_before_it_is_trained():
    array = np.ones(2)
    array.setflags(write=False)
    with pytest.raises(ValueError, match="can only be read; train a copy of it"):
        SGD([array])


@pytest.mark.parametrize(
    "clip, said",
    [
        (lambda gradients: gradients[:1], "clip got 2 gradients, and returns as many, not"),
        (lambda gradients: [*gradients, 1.0], "clip got 2 gradients, and returns as many, not"),
        (lambda gradients: None, "clip got 2 gradients, and returns as many, not None"),
        (lambda gradients: [1.0, "a"], "the gradient of parameter 1 is a str"),
        (lambda gradients: [1.0, np.ones(2)], "its gradient \\(2,\\)"),
    ],
)
def test_a_clip_of_ones_own_gives_as_many_gradients(clip, said):
    values = [Value(1.0), Value(2.0)]
    optimizer = SGD(values, clip=clip)
    with pytest.raises((TypeError, ValueError), match=said):
        optimizer.step([1.0, 2.0])
    assert [value.data for value in values] == [1.0, 2.0] and optimizer.steps_done == 0


@pytest.mark.parametrize("clip, said", [(3, "not 3"), (lambda: 3, "is called with 1 argument")])
def test_a_clip_is_a_function_of_gradients(clip, said):
    with pytest.raises(TypeError, match=said):
        SGD(ONE, clip=clip)


def test_a_gradient_is_a_float():
    with pytest.raises(TypeError, match="it is made of real numbers"):
        SGD([Value(1.0)]).step([10**400])
    with pytest.raises(TypeError, match=r"gradient of parameter 0 is a list, \[1\.0, 2\.0\]"):
        SGD([np.ones(2)]).step([[1.0, 2.0]])
