import math

import pytest

from micrograd import Value, grad, hessian, jacobian, register, topological_order, weighted_sum
from micrograd.corners import slopes
from micrograd.engine import operand
from micrograd.gradcheck import gradcheck
from micrograd.ops import REAL, ROWS, DomainError, Row


def test_grad_leaves_grad_alone_and_gives_0_where_there_is_no_path():
    x, y = Value(3.0), Value(4.0)
    assert grad(x * x, [x, y]) == [6.0, 0.0]
    assert (x.grad, y.grad) == (0.0, 0.0)
    out = x * y
    assert grad(out, [out, x]) == [1.0, 4.0]


def test_gradients_that_are_values_can_be_differentiated_again():
    x = Value(2.0)
    (first,) = grad(x**4, [x], create_graph=True)
    (second,) = grad(first, [x], create_graph=True)
    (third,) = grad(second, [x])
    assert (first.data, second.data, third) == (32.0, 48.0, 48.0)


def test_gradients_that_are_values_are_told_apart_and_multiply_by_no_1():
    x, y, z = Value(2.0, label="x"), Value(3.0, label="y"), Value(5.0, label="z")
    for out, right in (
        (x + y + z, [1.0, 1.0, 1.0]),
        (x * y + z, [3.0, 2.0, 1.0]),
        ((x + y) * z, [5.0, 5.0, 5.0]),
        ((x + y + z).tanh(), [1 - math.tanh(10.0) ** 2] * 3),
        (x.max(y), [0.0, 1.0, 0.0]),
        (y, [0.0, 1.0, 0.0]),
    ):
        gradients = grad(out, [x, y, z], create_graph=True)
        assert [g.data for g in gradients] == right
        every = {*topological_order(out), *gradients}
        assert len(every) == len(topological_order(out)) + 3  # what is labelled is one alone
    total = sum((v * v for v in (x, y, z)), Value(0.0))
    (gradient,) = grad(total.exp(), [x], create_graph=True)
    made = [v for v in topological_order(gradient) if v._op == "*"]
    assert len(made) == 2 + 3  # exp(total) · x + exp(total) · x, and the three squares


WITH_CORNERS = {
    "relu": Value.relu,
    "leaky_relu": lambda x: x.leaky_relu(0.1),
    "hard_tanh": Value.hard_tanh,
    "abs": abs,
    "max": lambda x: x.max(0.3),
    "max, turned round": lambda x: Value(0.3).max(x),
    "min": lambda x: x.min(-0.2),
    "min, turned round": lambda x: Value(-0.2).min(x),
    "elu": Value.elu,
    "gelu": Value.gelu,
}


@pytest.mark.parametrize("function", WITH_CORNERS.values(), ids=WITH_CORNERS)
def test_slopes_with_corners_follow_their_operand(function):
    points = (-2.0, -1.0, -0.2, -0.1, 0.0, 0.1, 0.3, 1.0, 2.0, math.inf, -math.inf, math.nan)
    for before in (-0.5, 0.0, 0.5):
        x = Value(before)
        y = function(x)
        (slope,) = grad(y, [x], create_graph=True)
        for x.data in points:
            y.forward()
            right = grad(y, [x])[0]
            assert slope.forward() == right or slope.data != slope.data != right != right


def test_a_side_without_a_value_at_the_border_goes_by_the_number():
    value, local = "where(x > 0, log(x), x)", "where(x > 0, 1 / x, 1)"
    log_or_line = register("log_or_line", value, local, domain=[(0.5, 2.0)])
    for at, right in ((-1.0, 1.0), (4.0, 0.25)):
        x = Value(at)
        assert [g.data for g in grad(log_or_line(x), [x], create_graph=True)] == [right]


@pytest.mark.parametrize(
    ("local", "right"),
    [
        ("where(x > 0, 2, 0)", lambda x, k: 2.0 * (x > 0)),
        ("where(x > 0, 1, 3)", lambda x, k: 1.0 if x > 0 else 3.0),
        ("where(k > 1, 2, 3)", lambda x, k: 2.0 if k > 1 else 3.0),
        ("where(k > 1, 2 * x, 3)", lambda x, k: 2 * x if k > 1 else 3.0),
        ("where(k <= 1, 3, where(x < k, x, k))", lambda x, k: 3.0 if k <= 1 else min(x, k)),
        ("where(x >= 0, abs(x), neg(x)) * k", lambda x, k: abs(x) * k),
    ],
)
def test_a_choice_in_a_slope_goes_by_its_operand_or_its_constant(local, right):
    row = Row("chosen", "x", (local,), "chosen", "chosen(x)", (REAL,), constants=(1.0,))
    for k in (0.5, 1.0, 2.0):
        x = Value(1.5)
        slope = operand(slopes(row)[0](x, None, k, x))
        for x.data in (-1.5, 0.0, 1.0, 1.5, 3.0):
            assert slope.forward() == right(x.data, k)


def test_the_four_jacobians_of_the_lecture():
    x = [Value(0.3), Value(-0.2), Value(0.5)]
    rows = [[Value(0.1 * (i + j + 1)) for j in range(3)] for i in range(2)]
    b, u = [Value(0.1), Value(-0.1)], [Value(2.0), Value(-1.0)]
    z = [weighted_sum(w, x, bias) for w, bias in zip(rows, b)]
    h = [value.tanh() for value in z]
    s = weighted_sum(u, h)
    assert jacobian(z, x) == [[w.data for w in row] for row in rows]
    assert jacobian(z, b) == [[1.0, 0.0], [0.0, 1.0]]
    slopes = [1 - value.data * value.data for value in h]
    assert jacobian(h, z) == [[slopes[0], 0.0], [0.0, slopes[1]]]
    assert jacobian([s], u) == [[value.data for value in h]]


def test_hessian_of_a_closed_form():
    x, y = Value(2.0), Value(3.0)
    f = x**2 * y + y.exp()
    assert hessian(f, [x, y]) == [
        [6.0, 4.0],
        [4.0, pytest.approx(math.exp(3.0))],
    ]


def test_hessian_through_a_weighted_sum_equals_the_elementary_one():
    def f(join):
        w, x, b = [Value(0.5), Value(-1.0)], [Value(2.0), Value(0.7)], Value(0.1)
        return hessian(join(w, x, b).tanh(), [*w, *x, b])

    fused = f(weighted_sum)
    elementary = f(lambda w, x, b: b + w[0] * x[0] + w[1] * x[1])
    for row, expected in zip(fused, elementary):
        assert row == pytest.approx(expected, rel=1e-12)


def test_hessian_agrees_with_differences_of_gradients():
    report = gradcheck(lambda x, y: (x * y).sigmoid() / (1 + y**2), [0.4, -1.2], order=2)
    assert report, report


def test_a_function_of_the_user_has_no_second_derivative():
    out = Value(4.0, (Value(2.0),), "mine")
    with pytest.raises(ValueError, match=r"mine\(2.0\) has no second derivative"):
        grad(out, [out.parents[0]], create_graph=True)


INF = math.inf
CORNERS = (0.0, -0.0, 1.0, -1.0, 2.0, 0.5, INF, -INF, math.nan)
CASES = [
    (row, point, k)
    for row in ROWS
    for k in row.constants or (None,)
    for point in (
        [(x,) for x in CORNERS] if row.arity == 1 else [(x, y) for x in CORNERS for y in CORNERS]
    )
]


def both_ways(row, point, k):
    """Return the gradients of a row as floats and as Values; None where it has none."""
    results = []
    for create_graph in (False, True):
        operands = [Value(x) for x in point]
        for i in range(row.arity):
            try:
                node = getattr(operands[0], row.name)(*operands[1:], *([] if k is None else [k]))
                (gradient,) = grad(node, [operands[i]], create_graph=create_graph)
                results.append(gradient.data if create_graph else gradient)
            except DomainError:
                results.append(None)
    return results[: row.arity], results[row.arity :]


@pytest.mark.parametrize("row", [pytest.param(row, id=row.name) for row in ROWS])
def test_gradients_as_values_are_the_floats_at_every_corner(row):
    for case, point, k in CASES:
        if case is not row:
            continue
        for as_float, as_value in zip(*both_ways(row, point, k)):
            same = as_float == as_value or (as_float != as_float and as_value != as_value)
            # by floats all operands' slopes are looked at, by Values the one asked for
            assert same or (as_float is None and row.arity == 2), (point, k, as_float, as_value)


def test_the_power_0_to_an_exponent_as_a_value():
    b, e = Value(0.0), Value(2.0)
    assert [g.data for g in grad(b**e, [b, e], create_graph=True)] == [0.0, 0.0]
    assert grad(b**e, [b, e]) == [0.0, 0.0]


def test_slopes_of_constants_are_not_demanded():
    y = Value(0.5)
    out = 0.0**y + 3.0
    out.backward()
    assert y.grad == 0.0
    assert grad(out, [y]) == [0.0]
    assert grad(out, [y], create_graph=True)[0].data == 0.0
    assert [step.contribution for step in out.steps()] == [1.0, 1.0, 0.0, 0.0]
    with pytest.raises(DomainError, match="no finite slope at x = 0.0, y = 0.5"):
        (Value(0.0) ** y).backward()


def test_the_operand_beside_a_constant_without_slope_gets_its_share_once():
    y = Value(2.5)
    out = (0.0**y + y) * y
    out.backward()
    assert y.grad == 5.0
    domain = [(0.5, 2.0), (0.5, 2.0)]
    after = register("root_plus", "sqrt(x) + 3 * y", ("0.5 / sqrt(x)", "3"), domain=domain)
    before = register("plus_root", "3 * x + sqrt(y)", ("3", "0.5 / sqrt(y)"), domain=domain)
    for out, of in ((after(0.0, y), y), (before(y, 0.0), y)):
        y.grad = 0.0
        (out * 2.0).backward()
        assert of.grad == 6.0
        assert grad(out * 2.0, [y]) == [6.0]


def test_slopes_towards_what_was_not_asked_for_need_not_exist():
    x, y = Value(0.0), Value(3.0)
    out = x.sqrt() * 2.0 + y * y
    assert grad(out, [y], create_graph=True)[0].data == 6.0


def test_numbers_too_go_back_only_towards_what_was_asked():
    x, w = Value(0.0, label="x"), Value(3.0)
    for create_graph in (False, True):
        assert [*map(float_of, grad(x.sqrt() * w + w, [w], create_graph))] == [1.0]
        with pytest.raises(DomainError, match="sqrt"):
            grad(x.sqrt() * w, [x], create_graph)
    assert jacobian([x.sqrt() * w, w * w], [w]) == [[0.0], [6.0]]
    assert (x.grad, w.grad) == (0.0, 0.0)


def float_of(gradient):
    return gradient.data if isinstance(gradient, Value) else gradient


def test_the_error_of_a_slope_that_was_asked_for_is_the_first_one():
    x, w = Value(0.0, label="x"), Value(3.0)
    made = Value(1.0, (w,), (1.0,))  # has no second derivative: the second way knows nothing of it
    with pytest.raises(DomainError, match="no finite slope.*sqrt"):
        grad(x.sqrt() * made, [w, x])


@pytest.mark.parametrize(
    "root",
    [
        lambda x: (x.detach() * 1).sqrt(),
        lambda x: (x.detach() ** 2 + x.detach() ** 2) ** 0.5,
        lambda x: sum([x.detach(), x.detach(), 0]).sqrt(),
    ],
)
def test_what_is_computed_of_constants_need_not_have_a_slope(root):
    x, w = Value(0.0), Value(3.0)
    (root(x) * w + w).backward()
    assert (x.grad, w.grad) == (0.0, 1.0)
    with pytest.raises(DomainError):
        (root(x) * w + (x * w).sqrt()).backward()
