"""The engine's contract, line by line."""

import contextlib
import gc
import math
import random
import re
import subprocess
import sys
import tracemalloc
import weakref
from operator import mul

import numpy as np
import pytest

from micrograd import (
    DomainError,
    Value,
    detect_anomaly,
    grad,
    hessian,
    jacobian,
    no_grad,
    scope,
    topological_order,
    weighted_sum,
)
from micrograd.core import order
from micrograd.core.modes import AnomalyError, comparisons_reported
from micrograd.engine import sum_of_products
from micrograd.functions import labelled
from micrograd.graph import snapshot
from micrograd.nn import MLP
from micrograd.ops import ROWS

DEEP = 100_000  # nodes: a hundred times Python's recursion limit


def chain(length, x):
    out = x
    for _ in range(length):
        out = out * 1.0000001
    return out


def test_the_worked_example():
    x, y, z = Value(1.0), Value(2.0), Value(0.0)
    f = (x + y) * y.max(z)
    f.backward()
    assert (f.data, x.grad, y.grad, z.grad) == (6.0, 2.0, 5.0, 0.0)


def test_parents_are_in_operand_order_and_a_square_has_two_edges():
    x, y = Value(3.0), Value(2.0)
    assert (x / y).parents == (x, y)
    assert (y / x).parents == (y, x)
    assert (x * x).parents == (x, x)
    assert (1.0 / x).parents[1] is x
    assert (1.0 - x).parents[0].data == 1.0


def test_a_subtraction_is_one_node_and_a_division_too():
    x, y = Value(3.0), Value(2.0)
    for node, symbol in ((x - y, "-"), (x / y, "/"), (-x, "neg")):
        assert node._op == symbol
        assert all(not parent.parents for parent in node.parents)


def test_powers_of_values_and_of_numbers():
    x, y = Value(3.0), Value(2.0)
    out = x**y + 2**x + x**-1
    assert out.data == 9.0 + 8.0 + 1 / 3
    out.backward()
    assert x.grad == pytest.approx(2 * 3.0 + 8 * math.log(2) - 1 / 9)
    assert y.grad == pytest.approx(9 * math.log(3))


def test_the_power_0_has_gradient_0_even_at_0():
    x = Value(0.0)
    (x**0).backward()
    assert x.grad == 0.0


def test_results_are_bit_identical_from_run_to_run():
    def run():
        draw = random.Random(3)
        values = [Value(draw.uniform(0.5, 1)) for _ in range(20)]
        for _ in range(400):
            values.append(draw.choice(values) * draw.choice(values) + draw.choice(values).tanh())
        sum(values).backward()
        return [value.grad for value in values]

    assert run() == run()


def test_one_object_per_elementary_node_is_tracked_by_the_collector():
    x, y = Value(1.5), Value(2.5)
    gc.collect()
    before = len(gc.get_objects())
    kept = x * y
    assert len(gc.get_objects()) - before == 1
    assert kept.data == 3.75


def test_gradients_where_equal_floats_are_one_object(monkeypatch):
    x = Value(1.5)
    cube = x * x * x
    assert cube.grad is cube.parents[0].grad  # as every 0 is on PyPy, the one of the sweep too
    monkeypatch.setattr(order, "float", lambda text: cube.grad, raising=False)
    monkeypatch.setattr(order, "_FLOATS_ARE_OBJECTS", False)
    cube.backward()
    assert x.grad == 3 * 1.5**2


def test_a_node_and_its_constant_take_at_most_450_bytes():
    def taken(make, count=10_000):
        nodes = [None] * count
        tracemalloc.start()
        try:
            before, _ = tracemalloc.get_traced_memory()
            for i in range(count):
                nodes[i] = make(i)
            return (tracemalloc.get_traced_memory()[0] - before) / count
        finally:
            tracemalloc.stop()

    # Each time a leaf Value(i) is made beside the operation and its constant.
    assert taken(lambda i: Value(i) * 2.0) - taken(Value) <= 450


def test_the_order_is_topological_with_the_root_last():
    x, y = Value(1.0), Value(2.0)
    f = (x + y) * y.tanh() + x
    order = topological_order(f)
    assert order[-1] is f
    for place, node in enumerate(order):
        assert all(order.index(parent) < place for parent in node.parents)


def test_a_graph_wired_by_hand_is_ordered_by_its_edges():
    a, b, c = Value(1.0), Value(2.0), Value(3.0)
    product = a * b
    younger = c * 5.0
    product._prev = (younger, b)
    assert product.forward() == 30.0
    product.backward()
    assert (younger.grad, b.grad, c.grad, a.grad) == (2.0, 15.0, 10.0, 0.0)


def test_rewiring_to_nothing_makes_a_leaf_and_to_another_count_is_refused():
    x = Value(2.0)
    square = x * x
    with pytest.raises(ValueError, match="takes 2 operands, not 3"):
        square._prev = (x, x, x)
    square._prev = ()
    assert square.parents == ()
    square.backward()
    assert x.grad == 0.0


@pytest.mark.parametrize(("length", "shown"), [(3, 3), (7, 6), (15, 6), (40, 6)])
def test_of_a_long_cycle_the_beginning_is_shown(length, shown):
    first = node = Value(1.0) * 1.0
    for _ in range(length - 1):
        node = node + 1.0
    first._prev = (node, Value(1.0))
    with pytest.raises(ValueError, match="the graph has a cycle") as caught:
        node.backward()
    assert str(caught.value).count(" uses ") == shown
    assert (f"({length} nodes in all)" in str(caught.value)) == (length > 6)


def test_a_cycle_made_by_hand_is_named():
    a = Value(1.0, label="a")
    b = a + 1.0
    b.label = "b"
    a._prev = (b,)
    with pytest.raises(ValueError, match=r"cycle.*'b'.*uses 'a'.*uses 'b'"):
        b.backward()


def test_a_deep_chain_goes_forward_and_backward_prints_and_frees():
    x = Value(1.0)
    out = chain(DEEP, x)
    out.backward()
    assert x.grad == pytest.approx(1.0000001**DEEP)
    x.data = 2.0
    assert out.forward() == pytest.approx(2 * 1.0000001**DEEP)
    assert re.fullmatch(r"Value\(data=2\.02\d+, grad=1\.0\)", repr(out))
    del out


def test_a_dropped_graph_is_freed_at_once_without_the_collector():
    gc.disable()
    try:
        x = Value(2.0)
        out = (x * x).tanh() + weighted_sum([x, x], [x, 1.0], x)
        out.backward()
        middle = weakref.ref(out.parents[0])
        del out
        assert middle() is None
    finally:
        gc.enable()


def test_dropped_graphs_leave_no_memory_behind():
    x = Value(1.0)
    gc.disable()
    try:
        chain(20_000, x).backward()
        tracemalloc.start()
        chain(20_000, x).backward()
        first, _ = tracemalloc.get_traced_memory()
        for _ in range(3):
            chain(20_000, x).backward()
        assert tracemalloc.get_traced_memory()[0] - first < 20_000
    finally:
        tracemalloc.stop()
        gc.enable()


def test_backward_twice_accumulates_in_leaves_and_resets_interior_nodes():
    x = Value(3.0)
    square = x * x
    cube = square * x
    cube.backward()
    assert (x.grad, square.grad) == (27.0, 3.0)
    cube.backward()
    assert (x.grad, square.grad) == (54.0, 3.0)


def test_a_seed_scales_every_gradient():
    x = Value(3.0)
    (x * x).backward(seed=0.5)
    assert x.grad == 3.0


def test_replay_and_backward_follow_edited_leaves():
    x, y = Value(2.0), Value(3.0)
    f = (x * y).tanh() + weighted_sum([x], [y])
    x.data = 0.5
    assert f.forward() == math.tanh(1.5) + 1.5
    f.backward()
    assert x.grad == 3 * (1 - math.tanh(1.5) ** 2) + 3


def test_a_replay_without_an_edit_gives_the_same_bits():
    draw = random.Random(0)
    xs = [Value(draw.uniform(-1, 1)) for _ in range(30)]
    f = sum((x * y).exp() / (1 + x * x) for x, y in zip(xs, reversed(xs)))
    before = f.data
    assert f.forward() == before


def test_gradients_are_plain_floats():
    x = Value(np.float32(2.0))
    (x * np.float64(3.0)).backward(seed=np.float64(1.0))
    assert type(x.data) is float
    assert x.grad == 3.0
    assert type(x.grad) is float


def test_steps_touch_no_gradient_and_name_what_they_do():
    x, y = Value(2.0, label="x"), Value(3.0, label="y")
    f = x * y + x
    steps = list(f.steps())
    assert (x.grad, y.grad) == (0.0, 0.0)
    assert [(s.operand.label, s.local, s.upstream, s.contribution, s.total) for s in steps] == [
        ("", 1, 1.0, 1.0, 1.0),
        ("x", 1, 1.0, 1.0, 1.0),
        ("x", 3.0, 1.0, 3.0, 4.0),
        ("y", 2.0, 1.0, 2.0, 2.0),
    ]
    assert [s.position for s in steps] == [0, 1, 0, 1]


def test_steps_observe_a_backward_function_of_the_user_without_touching_gradients():
    x = Value(3.0)
    out = Value(x.data**2, (x,), "square")

    def backward():
        x.grad += 2 * x.data * out.grad

    out._backward = backward
    loss = out * 2.0
    x.grad = 5.0
    first = [(s.local, s.contribution) for s in loss.steps()]
    assert first == [(2.0, 2.0), (9.0, 9.0), (6.0, 12.0)]
    assert (x.grad, out.grad) == (5.0, 0.0)
    assert out.local_gradients() == (6.0,)


def test_no_grad_records_nothing_as_block_and_decorator():
    x = Value(2.0)
    with no_grad():
        inside = x * x
        with no_grad():
            pass
        still = x.exp()
        fused = weighted_sum([x], [x])
    assert inside.parents == still.parents == fused.parents == ()
    assert inside.data == 4.0
    assert (x * x).parents == (x, x)
    assert no_grad()(lambda: x + x)().parents == ()
    later = fused * x
    assert topological_order(later)[0] is x or topological_order(later)[0] is fused
    assert later._index > fused._index >= 0


def test_backward_under_no_grad_says_what_to_do():
    out = Value(2.0) * 3.0
    with no_grad(), pytest.raises(ValueError, match=r"no_grad\(\).*after the block"):
        out.backward()


def test_detach_gives_a_leaf_with_the_same_data_and_label():
    out = Value(2.0) * 3.0
    out.label = "out"
    leaf = out.detach()
    assert (leaf.data, leaf.label, leaf.parents) == (6.0, "out", ())


def test_an_anomaly_is_traced_to_the_operation_that_made_it():
    big = Value(1e200, label="big")
    with detect_anomaly(), pytest.raises(AnomalyError, match=r"inf was made by.*\*.*big.*test_eng"):
        big * big


def test_an_anomaly_of_the_backward_pass_is_traced_to_its_edge():
    with detect_anomaly():
        tiny = Value(1e-300, label="tiny")
        out = tiny.sqrt() * 1e300
        out = out * 1e-300 * 1e300
        with pytest.raises(
            AnomalyError, match=r"upstream 1e\+300 x local 1e\+150; .*made at .*test_eng"
        ):
            out.backward()
    assert (Value(1e200) * 1e200).data == math.inf


def test_scopes_nest_and_leave():
    with scope("layer 0"):
        with scope("neuron 3"):
            inner = Value(1.0) * 2.0
        outer = Value(1.0)
    assert (inner.scope, outer.scope, Value(1.0).scope) == ("layer 0 / neuron 3", "layer 0", "")


def test_comparing_values_can_be_reported_to_whoever_traces():
    seen = []
    with comparisons_reported(lambda: seen.append(1)):
        assert Value(1.0) < 2.0
        max(Value(1.0), Value(2.0))
    assert Value(1.0) < 2.0
    assert len(seen) == 4  # both sides of both comparisons


def test_weighted_sum_equals_the_sum_of_products_bit_for_bit():
    draw = random.Random(1)
    w = [Value(draw.uniform(-1, 1)) for _ in range(7)]
    x = [Value(draw.uniform(-1, 1)) for _ in range(7)]
    b = Value(0.3)
    fused, elementary = weighted_sum(w, x, b), sum((p * q for p, q in zip(w, x)), b)
    assert fused.data == elementary.data
    assert fused.parents == (*(v for pair in zip(w, x) for v in pair), b)
    fused.backward()
    gradients = [v.grad for v in (*w, *x, b)]
    for v in (*w, *x, b):
        v.grad = 0.0
    elementary.backward()
    assert gradients == [v.grad for v in (*w, *x, b)]


def test_sum_of_products_records_what_the_operators_record():
    w, x, b = [Value(0.5), Value(-2.0)], [Value(3.0), Value(0.25)], Value(1.0, label="b")
    quick, spelled = sum_of_products(w, x, b), b + w[0] * x[0] + w[1] * x[1]
    graphs = [snapshot(quick), snapshot(spelled)]
    assert graphs[0].ops == graphs[1].ops == ("",) * 5 + ("mul", "add", "mul", "add")
    assert graphs[0].operands == graphs[1].operands
    assert graphs[0].data == graphs[1].data
    assert quick.scope == ""
    with no_grad():
        assert sum_of_products(w, x, b).parents == ()


def test_weighted_sum_without_bias_and_with_numbers():
    w = [Value(2.0), Value(3.0)]
    out = weighted_sum(w, [4, w[0]])
    out.backward()
    assert out.data == 14.0
    assert (w[0].grad, w[1].grad) == (7.0, 2.0)
    assert out.local_gradients() == (4.0, 2.0, 2.0, 3.0)


def test_weighted_sum_refuses_unequal_lengths():
    with pytest.raises(ValueError, match="2 weights for 3 inputs"):
        weighted_sum([Value(1.0)] * 2, [1.0] * 3)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ("a", r"cannot hold 'a' \(str\): give one real number"),
        ([1], r"cannot hold \[1\] \(list\): make one Value for each element"),
        (np.ones(2), r"ndarray\): make one Value for each element"),
        (np.ones(1), "make one Value for each element"),
        (1j, r"cannot hold 1j \(complex\): give one real number"),
        (np.complex128(1j), "give one real number"),
        (None, r"cannot hold None \(NoneType\): give one real number"),
        (Value(1.0), r"it is one already; detach\(\)"),
    ],
)
def test_what_is_no_real_number_is_refused(data, message):
    with pytest.raises(TypeError, match=message):
        Value(data)


@pytest.mark.parametrize("other", ["a", None, [1.0], 1j])
def test_arithmetic_with_what_is_no_number_is_refused(other):
    with pytest.raises(TypeError, match="cannot hold"):
        Value(1.0) + other
    with pytest.raises(TypeError, match="cannot hold|unsupported|can only"):
        other * Value(1.0)
    with pytest.raises(TypeError):
        Value(1.0) ** other


def test_an_array_beside_a_value_works_element_by_element():
    x = Value(2.0)
    for products in (x * np.array([1.0, 3.0]), np.array([1.0, 3.0]) * x):
        assert [p.data for p in products] == [2.0, 6.0]


@pytest.mark.parametrize(
    ("compute", "message"),
    [
        (lambda: Value(-1.0).log(), r"log\(x\) has no finite value at x = -1.0; it needs x > 0"),
        (lambda: Value(0.0).log(), r"at x = 0.0; it needs x > 0.*log_softmax"),
        (lambda: Value(1.0) / 0, r"x / y has no finite value at x = 1.0, y = 0.0; .*other than 0"),
        (lambda: 1 / Value(0.0), "divisor other than 0"),
        (lambda: Value(0.0) ** -1, r"x \*\* k has no finite value at x = 0.0, k = -1"),
        (lambda: Value(-2.0) ** 0.5, r"x = -2.0, k = 0.5; it needs .*above 0 for a fractional"),
        (lambda: Value(-2.0) ** Value(0.5), r"x \*\* y has no finite value at x = -2.0, y = 0.5"),
        (lambda: Value(10.0) ** 400, "a finite result"),
        (lambda: Value(-1.0).sqrt(), "it needs x >= 0"),
        (lambda: Value(1000.0).exp(), "below 709.8; softmax, logsumexp and sigmoid never overflow"),
        (lambda: Value(0.0).sqrt().backward(), r"no finite slope at x = 0.0.*under the root"),
        (lambda: list(Value(0.0).sqrt().steps()), r"no finite slope at x = 0.0"),
        (lambda: Value(0.0, label="q").sqrt().local_gradients(), r"slope.*sqrt\(q = 0.0\)"),
    ],
)
def test_a_value_that_does_not_exist_is_a_clear_error(compute, message):
    with pytest.raises(DomainError, match=message):
        compute()


def test_a_domain_error_is_caught_by_pythons_names():
    for expected in (ValueError, ZeroDivisionError, OverflowError):
        with pytest.raises(expected):
            Value(1.0) / 0


def test_a_replay_into_a_missing_value_names_the_node():
    x = Value(2.0, label="x")
    with scope("odds"):
        y = x.log()
    x.data = -2.0
    with pytest.raises(DomainError, match=r"at x = -2.0.*in odds, log\(x = -2.0\)"):
        y.forward()


def test_an_error_in_a_backward_function_of_the_user_is_left_as_it_is():
    out = Value(1.0, (Value(2.0),), "mine")

    def backward():
        raise ValueError("of the user")

    out._backward = backward
    with pytest.raises(ValueError, match="of the user") as raised:
        out.backward()
    assert str(raised.value) == "of the user"


def test_a_node_made_by_hand_cannot_be_replayed():
    out = Value(1.0, (Value(2.0),), "mine")
    with pytest.raises(ValueError, match=r"mine\(2.0\).*made by hand"):
        out.forward()


# What stood at the edges of trust.


def test_a_seed_is_added_to_what_a_leaf_has():
    x = Value(3.0)
    x.backward()
    x.backward(seed=0.5)
    assert x.grad == 1.5


def test_steps_begin_with_their_seed():
    x = Value(3.0)
    steps = list((x * 2.0).steps(seed=0.5))
    assert [step.upstream for step in steps] == [0.5, 0.5]
    assert [step.contribution for step in steps] == [1.0, 1.5]


@pytest.mark.parametrize("seed", ["2", None, Value(1.0), [1.0]])
def test_a_seed_is_a_number(seed):
    for run in (lambda x: x.backward(seed), lambda x: list(x.steps(seed))):
        with pytest.raises(TypeError, match="cannot hold"):
            run(Value(2.0) * 3.0)


def test_comparisons_of_equal_values():
    a, b = Value(1.0), Value(1.0)
    assert (a < b, a <= b, a > b, a >= b) == (False, True, False, True)
    assert (a < 2, a <= 0, a > 0, a >= 2) == (True, False, True, False)


def test_importing_micrograd_does_not_make_backward_look_for_hooks_and_other_operators():
    code = (
        "from micrograd import Value, lowering, nn, training\n"
        "class Named(Value): name = ''\n"
        "print(Value._hooked, Value._overridden)"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.split() == ["False", "False"]


def test_a_graph_wired_by_hand_below_others_is_ordered_by_its_edges():
    a, c = Value(1.0), Value(3.0)
    inner = a * 2.0
    outer = inner * inner
    younger = c * 5.0
    inner._prev = (younger, c)
    order = topological_order(outer)
    assert order.index(younger) < order.index(inner) < order.index(outer)
    outer.forward()
    outer.backward()
    assert (c.grad, a.grad) == (2 * 45.0 * 30.0, 0.0)
    assert [id(n) for n in topological_order(outer, a)][-1] == id(a)


@pytest.mark.parametrize(("x", "slope"), [(1.0, 0.0), (-1.0, 0.0), (0.999, 1.0), (-0.999, 1.0)])
def test_hard_tanh_at_its_corners(x, slope):
    value = Value(x)
    out = value.hard_tanh()
    out.backward()
    assert (out.data, value.grad) == (x, slope)


def test_leaky_relu_at_its_corner():
    x = Value(0.0)
    x.leaky_relu(0.3).backward()
    assert x.grad == 0.3


def test_methods_carry_their_own_names():
    x = Value(2.0)
    for row in ROWS:
        method = getattr(Value, row.name)
        assert (method.__name__, method.__qualname__) == (row.name, f"Value.{row.name}")
    with pytest.raises(TypeError, match=r"Value\.exp\(\) takes 1 positional argument"):
        x.exp(3, 4)
    with pytest.raises(TypeError, match=r"Value\.max\(\) missing 1 required .*'y'"):
        x.max()
    assert Value.__add__.__qualname__ == "Value.__add__"


OPERATORS = ["+", "-", "*", "/", "**", "<", "<=", ">", ">="]


@pytest.mark.parametrize("operator", OPERATORS)
def test_an_operator_beside_an_array_works_element_by_element(operator):
    x, array = Value(2.0), np.array([1.0, 2.0, 3.0])
    for text in (f"x {operator} array", f"array {operator} x"):
        ours, numbers = (eval(text, {"x": one, "array": array}) for one in (x, 2.0))
        assert [v.data if isinstance(v, Value) else v for v in ours] == numbers.tolist()


@pytest.mark.parametrize("name", [row.name for row in ROWS if row.arity == 2])
def test_a_method_refuses_an_array_and_says_what_to_do(name):
    with pytest.raises(TypeError, match=r"cannot hold array.*make one Value for each element"):
        getattr(Value(1.0), name)(np.array([1.0, 2.0]))


def test_pow_takes_a_value_and_other_constants_are_numbers():
    x, y = Value(2.0), Value(3.0)
    out = x.pow(y)
    out.backward()
    assert (out.data, x.grad, y.grad) == (8.0, 12.0, 8.0 * math.log(2.0))
    assert (x.pow().data, x.pow(3).data, (x**3)._op) == (4.0, 8.0, "**3")
    with pytest.raises(TypeError, match=r"the k of leaky_relu\(x\) is one number, not Value"):
        x.leaky_relu(y)
    with pytest.raises(TypeError, match=r"the k of x \*\* k is one number, not 'a' \(str\)"):
        x.pow("a")


@pytest.mark.parametrize("junk", [Value(0.5), None, "0.5", [0.5], np.ones(2)])
@pytest.mark.parametrize(
    "use",
    [
        lambda v, w: v * w,
        lambda v, w: w - v,
        lambda v, w: v.tanh(),
        lambda v, w: v.relu(),
        lambda v, w: v**2,
        lambda v, w: weighted_sum([v], [w]),
        lambda v, w: weighted_sum([w], [w], v),
        lambda v, w: sum_of_products([w, v], [w, w], w),
        lambda v, w: v < w,
        lambda v, w: v.forward(),
    ],
)
def test_what_is_assigned_to_data_and_is_no_number_is_said_where_it_is_read(use, junk):
    v, w = Value(1.0, label="v"), Value(3.0, label="w")
    v.data = junk
    with pytest.raises(TypeError, match=r"the data of 'v' is .*, not a number; assign one"):
        use(v, w)


def test_junk_assigned_after_the_forward_pass_is_said_by_backward_and_forward():
    v = Value(1.0, label="v")
    out = v * v + 1.0
    v.data = None
    for run in (out.backward, out.forward):
        with pytest.raises(TypeError, match="the data of 'v' is None"):
            run()


def test_numpy_numbers_assigned_to_data_give_plain_floats():
    v, w = Value(1.0), Value(3.0)
    v.data = np.float64(0.5)
    for out in (v * w, v.tanh(), v**2, weighted_sum([v], [w]), sum_of_products([v], [w], w)):
        assert type(out.data) is float
    v.data = np.float32(0.5)
    assert type(v.forward()) is float


@pytest.mark.parametrize("kind", [np.float64, np.float32, np.float16, np.array, int])
@pytest.mark.parametrize("x", [0.1, -0.5, 3.0])
def test_numbers_assigned_to_data_are_computed_with_as_floats(kind, x):
    def passes(number):
        seen = []
        for row in ROWS:
            leaves = [Value(1.0), Value(0.7)]
            leaves[0].data = number
            if not row.arity:
                continue
            others = leaves[1:] if row.arity == 2 else [2] if row.constants else []
            with contextlib.suppress(DomainError):
                out = getattr(leaves[0], row.name)(*others)
                out.backward()
                seen.append([row.name, out.data, *(leaf.grad for leaf in leaves)])
        for make in (weighted_sum, sum_of_products, lambda w, x, b: sum(map(mul, w, x), b)):
            ws, xs, b = ([Value(float(i)) for i in range(4)] for _ in range(3))
            for leaf in (ws[0], ws[2], xs[1], xs[2], b[3]):
                leaf.data = number
            out = make(ws, xs, b[3])
            out.backward()
            data = [float(node.data) for node in topological_order(out) if node.parents]
            seen.append([data, *(leaf.grad for leaf in (*ws, *xs, b[3]))])
            with no_grad():
                assert repr(make(ws, xs, b[3]).data) == repr(out.data)
        return seen

    assert repr(passes(kind(x))) == repr(passes(float(kind(x))))


def test_a_check_of_what_was_computed_leaves_an_array_of_the_users_as_it_is():
    bias, array = Value(0.5), np.array(0.5)
    total = weighted_sum([Value(2.0)], [Value(3.0)], bias)
    bias.data = array
    with detect_anomaly():
        total.backward()
    assert array == 0.5 and bias.grad == 1.0


@pytest.mark.filterwarnings("ignore:divide by zero")
def test_a_zero_of_numpy_has_no_reciprocal_either():
    x = Value(1.0)
    x.data = np.float64(0.0)
    with pytest.raises(DomainError, match="a divisor other than 0"):
        1 / x


def test_edited_data_is_told_under_detect_anomaly():
    x = Value(2.0, label="x")
    y = (x * x).tanh() + weighted_sum([x], [x], x)
    with detect_anomaly():
        y.backward()
        x.data = 5.0
        with pytest.raises(AnomalyError, match=r"holds .* now give .* call forward\(\) before"):
            y.backward()
        y.forward()
        y.backward()
    half = Value(-1.0).relu().sqrt()
    half.parents[0].parents[0].data = 4.0
    with detect_anomaly(), pytest.raises(AnomalyError, match=r"now give 4\.0"):
        half.parents[0].backward()


def test_a_backward_pass_that_fails_says_what_leaves_hold():
    a, b = Value(4.0, label="a"), Value(0.0, label="b")
    out = b.sqrt() + a * 3.0
    with pytest.raises(DomainError, match=r"sqrt\(b = 0.0\).*leaves hold .*set their grad to 0"):
        out.backward()
    assert a.grad == 3.0
    with detect_anomaly():
        tiny = Value(1e-300)
        bad = tiny.sqrt() * 1e300 * 1e-300 * 1e300
        with pytest.raises(AnomalyError, match="set their grad to 0"):
            bad.backward()


def test_local_gradients_may_be_given_as_numbers():
    """As microgpt makes its nodes: Value(data, children, local gradients)."""
    x, y = Value(2.0), Value(3.0)
    out = Value(x.data * y.data, (x, y), (y.data, x.data))
    (out * 2.0).backward()
    assert (x.grad, y.grad) == (6.0, 4.0)
    assert out.local_gradients() == (3.0, 2.0)
    assert [s.contribution for s in out.steps()] == [3.0, 2.0]
    square = Value(4.0, [x, x], [2.0, 2.0])
    x.grad = 0.0
    square.backward()
    assert x.grad == 4.0
    assert Value(1.0, (), ()).parents == ()
    with pytest.raises(ValueError, match="2 local gradients for 1 operand"):
        Value(4.0, (x,), (4.0, 1.0))
    with pytest.raises(TypeError, match="cannot hold"):
        Value(4.0, (x,), (x,))


def test_local_gradients_may_be_an_array():
    for slopes in ([3.0], [3.0, 2.0]):
        x = Value(1.0)
        children = np.array([x] * len(slopes))
        Value(1.0, children, np.array(slopes)).backward()
        assert x.grad == sum(slopes)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda x: Value(4.0, x, "f"), TypeError, "operands of a node are a tuple of Values"),
        (lambda x: Value(4.0, (x, 1.0), "f"), TypeError, "operands of a node are a tuple"),
        (lambda x: Value(4.0, "ab", "f"), TypeError, "operands of a node are a tuple"),
        (lambda x: Value(4.0, 3, "f"), TypeError, "operands of a node are a tuple"),
        (lambda x: setattr(x * 2, "_prev", (1.0, 2.0)), TypeError, "operands of a node are"),
        (lambda x: setattr(x * 2, "_prev", x), TypeError, "operands of a node are a tuple"),
        (lambda x: Value(4.0, (x,), 3), TypeError, "said by its name, or by one local gradient"),
        (lambda x: Value(4.0, (x,), (s for s in [1.0])), TypeError, "said by its name"),
        (lambda x: Value(4.0, (x,), ()), ValueError, "0 local gradients for 1 operand"),
        (lambda x: Value(4.0, (), (1.0,)), ValueError, "1 local gradient for 0 operands"),
        (lambda x: Value(4.0, {x, x * 2}, (1.0, 2.0)), TypeError, "a set, which keeps no order"),
        (lambda x: setattr(x - 2, "_prev", {x, x * 2}), TypeError, "a set, which keeps no order"),
        (lambda x: Value(4.0, label=b"x"), TypeError, "a label is text, not b'x'"),
        (lambda x: Value(4.0, label=["x"]), TypeError, "a label is text, not"),
        (lambda x: setattr(x * 2, "_backward", 3), TypeError, "_backward is a function"),
        (lambda x: grad(3.0, [x]), TypeError, "grad takes Values, not 3.0"),
        (lambda x: grad(x * 2, x), TypeError, "grad takes the Values in a list"),
        (lambda x: grad(x * 2, [1.0]), TypeError, "grad takes Values, not 1.0"),
        (lambda x: grad(x * 2, [1.0], create_graph=True), TypeError, "takes Values, not 1.0"),
        (lambda x: jacobian(x, [x]), TypeError, "jacobian takes the Values in a list"),
        (lambda x: hessian([x], [x]), TypeError, "hessian takes Values, not"),
        (lambda x: topological_order([x]), TypeError, "the nodes below Values are ordered"),
        (lambda x: weighted_sum(None, [x]), TypeError, "weighted_sum takes a list"),
        (lambda x: scope(3), TypeError, "a scope has a name, a text, not 3"),
        (lambda x: labelled(3, "x"), TypeError, "Values are labelled, and nested lists"),
    ],
)
def test_what_makes_no_node_or_derivative_is_said(make, error, message):
    with pytest.raises(error, match=message):
        make(Value(2.0))


def test_weighted_sums_take_numbers_for_values():
    x = Value(2.0)
    out = weighted_sum([3.0, x], [x, 0.5], bias=4.0)
    out.backward()
    assert (out.data, x.grad) == (11.0, 3.5)


def test_labels_may_be_numbers_and_nothing_has_no_order():
    assert (Value(1.0, label=3).label, Value(1.0, label=None).label) == ("3", "")
    assert topological_order() == []


@pytest.mark.parametrize("grad", [None, "0", [0.0]])
def test_a_gradient_that_is_no_number_is_said_with_the_node(grad):
    x = Value(1.0, label="x")
    x.grad = grad
    for out in (x, x * 2, x.tanh(), weighted_sum([x], [x])):
        with pytest.raises(TypeError, match="grad of 'x' is .* not a number; set it to 0.0"):
            out.backward()


@pytest.mark.parametrize("symbol", ["", "mine"])
def test_children_without_any_slope_are_refused_by_backward(symbol):
    x = Value(2.0, label="x")
    out = Value(4.0, (x,), symbol) * 2.0
    for run in (out.backward, lambda: list(out.steps()), out.parents[0].local_gradients):
        with pytest.raises(ValueError, match=rf"{symbol}\(x = 2.0\) was made by hand.*_backward"):
            run()
    assert Value(4.0, (), "leaf of mine").backward() is None


def test_subclasses_of_value_work_in_all_operators():
    class Watched(Value):
        reads = 0

        @property
        def data(self):
            Watched.reads += 1
            return 2.0

        @data.setter
        def data(self, number):
            pass

    x, y = Watched(2.0), Value(3.0)
    for row in ROWS:
        low, high = row.domain[0]
        if not low <= 2.0 <= high:
            continue
        operands = [y] * (row.arity - 1)
        assert getattr(x, row.name)(*operands).parents == (x, *operands)
        if row.arity == 2:
            assert getattr(y, row.name)(x).parents == (y, x)
    out = weighted_sum([x], [y], x) + sum_of_products([x], [y], x) + 1.0 / x - x**y
    out.backward()
    assert x.grad == 4.0 + 4.0 - 0.25 - 12.0
    assert Watched.reads > 0


@pytest.mark.parametrize("at", [math.inf, -math.inf, math.nan, 0.0, -2.0])
def test_the_power_0_has_slope_0_everywhere(at):
    x = Value(at)
    out = x**0
    out.backward()
    assert (out.data, x.grad) == (1.0, 0.0)


@pytest.mark.parametrize(
    "compute, said",
    [
        (lambda x: (x - 2.0).log(), r"\(x is node, -\(q = 2.0, 2.0\)\)"),
        (lambda x: (x - 4.0) ** 0.5, r"\(x is node, -\(q = 2.0, 4.0\)\)"),
        (lambda x: 1 / (x * 0.0), r"\(y is node, \*\(q = 2.0, 0.0\)\)"),
        (lambda x: (x * 1000.0).exp(), r"never overflow \(x is node, \*\(q = 2.0, 1000.0\)\)"),
        (lambda x: x / Value(0.0), r"other than 0 \(x is 'q', leaf 2.0\)"),
        (lambda x: MLP(1, [2, 1], activation="log")([x * 0]), "x is node in layer 0 / neuron 0"),
    ],
)
def test_an_operation_without_a_value_names_its_operands(compute, said):
    with pytest.raises(DomainError, match=said):
        compute(Value(2.0, label="q"))


def test_a_plus_in_front_changes_nothing():
    x = Value(2.0)
    assert +x is x and (+x * 3).parents[0] is x
