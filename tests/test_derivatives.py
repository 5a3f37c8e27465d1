import math

import pytest

from micrograd import Value, grad, hessian, jacobian, weighted_sum
from micrograd.gradcheck import gradcheck


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
