"""The notes' own slips: each printed formula fails the checker, the right one passes."""

import math
import random

import pytest

from micrograd import losses
from micrograd.core.formulas import FLOATS
from micrograd.engine import Value
from micrograd.gradcheck import gradcheck
from micrograd.nn import MLP, Dropout, Layer
from micrograd.ops import BY_NAME
from micrograd.optim import Adam

POINTS = (-2.3, -0.7, 0.4, 0.8, 1.9)


def with_slope(row, slope):
    """Return the operation as a function of a Value whose backward step is `slope(x)`."""
    return with_value(FLOATS.value(BY_NAME[row]), slope)


def with_value(value, slope):
    """Return a function of a Value with this value and this backward step."""

    def function(x):
        out = Value(value(x.data), (x,), "f")
        out._backward = lambda: setattr(x, "grad", x.grad + slope(x.data) * out.grad)
        return out

    return function


def agrees_everywhere(function):
    return all(gradcheck(function, at=[x]) for x in POINTS)


def sigmoid(z):
    return 1 / (1 + math.exp(-z))


SLOPES = {
    # row: (as printed, as it should be)
    "sigmoid": (
        lambda z: -math.exp(-z) / (1 + math.exp(-z)),
        lambda z: math.exp(-z) / (1 + math.exp(-z)) ** 2,
    ),
    "tanh": (lambda z: math.tanh(z) ** 2, lambda z: 1 - math.tanh(z) ** 2),
    "soft_sign": (lambda z: math.copysign(1, z) / (1 + z) ** 2, lambda z: 1 / (1 + abs(z)) ** 2),
    "relu": (lambda z: 1.0 if z > 1 else 0.0, lambda z: 1.0 if z > 0 else 0.0),
}


@pytest.mark.parametrize("row", SLOPES)
def test_derivatives_of_activations(row):
    printed, right = SLOPES[row]
    assert not agrees_everywhere(with_slope(row, printed))
    assert agrees_everywhere(with_slope(row, right))
    assert agrees_everywhere(lambda x: getattr(x, row)())
    for x in POINTS:
        assert getattr(Value(x), row)().local_gradients()[0] == pytest.approx(right(x))


def test_the_printed_relu_slope_is_wrong_between_0_and_1_only():
    printed = with_slope("relu", SLOPES["relu"][0])
    assert [bool(gradcheck(printed, at=[x])) for x in POINTS] == [True, True, False, False, True]


def test_the_sigmoid_of_a_vector_has_a_minus_in_the_exponent():
    for z in POINTS:
        ours = Value(z).sigmoid().data
        assert ours == pytest.approx(1 / (1 + math.exp(-z)))
        assert ours != pytest.approx(1 / (1 + math.exp(z)))
    # what is printed falls, so it cannot have the slope of the sigmoid
    printed = with_value(lambda z: 1 / (1 + math.exp(z)), lambda z: sigmoid(z) * (1 - sigmoid(z)))
    assert not agrees_everywhere(printed)


def test_tanh_by_the_sigmoid():
    for z in POINTS:
        ours = Value(z).tanh().data
        assert ours == pytest.approx(2 * sigmoid(2 * z) - 1)
        assert ours != pytest.approx(2 * sigmoid(2 * z))
    # the printed value is 1 off: tanh'(z) = 1 - tanh(z)² computed from it is another slope
    printed = with_value(lambda z: 2 * sigmoid(2 * z), lambda z: 1 - (2 * sigmoid(2 * z)) ** 2)
    right = with_value(
        lambda z: 2 * sigmoid(2 * z) - 1, lambda z: 1 - (2 * sigmoid(2 * z) - 1) ** 2
    )
    assert not agrees_everywhere(printed)
    assert agrees_everywhere(right)


def window_score(numbers, bias_gradient=None):
    """Return s = uᵀf(Wx + b) of a small window as a function of b, perhaps with a gradient."""
    random.seed(4)
    W = [[random.uniform(-1, 1) for _ in range(5)] for _ in range(3)]
    u = [random.uniform(-1, 1) for _ in range(3)]
    z = [sum(w * x for w, x in zip(row, numbers)) for row in W]

    def ours(*b):
        return sum(u_i * (z_i + b_i).tanh() for u_i, z_i, b_i in zip(u, z, b))

    def by_hand(*b):
        h = [math.tanh(z_i + b_i.data) for z_i, b_i in zip(z, b)]
        out = Value(sum(u_i * h_i for u_i, h_i in zip(u, h)), b, "s")

        def backward():
            for b_i, u_i, h_i in zip(b, u, h):
                b_i.grad += out.grad * bias_gradient(u_i, h_i)

        out._backward = backward
        return out

    return by_hand if bias_gradient else ours


def test_the_score_by_the_bias():
    x, b = [0.5, -1.0, 0.3, 0.8, -0.2], [0.1, -0.4, 0.7]
    assert not gradcheck(window_score(x, lambda _, h: h * (1 - h * h)), at=b)  # hᵀ ∘ f′(z)
    assert gradcheck(window_score(x, lambda u, h: u * (1 - h * h)), at=b)  # uᵀ ∘ f′(z)
    assert gradcheck(window_score(x), at=b)


def test_the_penalty_is_the_squared_norm():
    weights = [0.5, -1.5, 2.0]
    frobenius = math.sqrt(sum(w * w for w in weights))

    def with_gradient(value, gradient):
        def function(*ws):
            out = Value(value([w.data for w in ws]), ws, "penalty")

            def backward():
                for w in ws:
                    w.grad += out.grad * gradient(w.data)

            out._backward = backward
            return out

        return function

    # ∇ = 2λW, the usual update, is the gradient of the square, not of the norm that is printed
    printed = with_gradient(lambda ws: 0.1 * math.sqrt(sum(w * w for w in ws)), lambda w: 0.2 * w)
    right = with_gradient(lambda ws: 0.1 * sum(w * w for w in ws), lambda w: 0.2 * w)
    assert not gradcheck(printed, at=weights)
    assert gradcheck(right, at=weights)
    assert gradcheck(lambda *ws: losses.l2(ws, 0.1), at=weights)
    assert losses.l2([Value(w) for w in weights]).data == pytest.approx(frobenius**2)
    assert losses.l2([Value(w) for w in weights], squared=False).data == pytest.approx(frobenius)


def adam_steps(bias_correction, steps=5, gradient=3.0):
    value = Value(0.0)
    optimizer = Adam([value], lr=0.1, bias_correction=bias_correction)
    moved = []
    for _ in range(steps):
        before, value.grad = value.data, gradient
        optimizer.step()
        moved.append(before - value.data)
    return moved


def test_adam_of_a_constant_gradient_moves_by_its_rate_only_if_corrected():
    # m̂ and √v̂ of a constant gradient are the gradient itself, so each step is α.
    assert adam_steps(True) == pytest.approx([0.1] * 5, rel=1e-6)
    first = 0.1 * (1 - 0.9) / math.sqrt(1 - 0.999)
    uncorrected = adam_steps(False)
    assert uncorrected[0] == pytest.approx(first, rel=1e-6)
    assert uncorrected[0] != pytest.approx(0.1, rel=1)


def test_adam_needs_a_beta_for_each_average():
    # With the one stray β for both, √v̂ is another average, and a change of gradient shows it.
    value, one_beta = Value(0.0), Value(0.0)
    ours, stray = Adam([value], lr=0.1), Adam([one_beta], lr=0.1, beta1=0.9, beta2=0.9)
    m = v = x = 0.0
    for t, gradient in enumerate((1.0, 5.0, -2.0), 1):
        value.grad = one_beta.grad = gradient
        ours.step()
        stray.step()
        m, v = 0.9 * m + 0.1 * gradient, 0.999 * v + 0.001 * gradient**2
        x -= 0.1 * (m / (1 - 0.9**t)) / (math.sqrt(v / (1 - 0.999**t)) + 1e-8)
    assert value.data == pytest.approx(x, rel=1e-12)
    assert one_beta.data != pytest.approx(x, rel=5e-3)


def mean_in_training(dropout, xs, draws=4000):
    dropout.train()
    totals = [0.0] * len(xs)
    for _ in range(draws):
        totals = [total + out.data for total, out in zip(totals, dropout(xs))]
    return [total / draws for total in totals]


@pytest.mark.parametrize("inverted", [True, False])
def test_dropout_at_test_time(inverted):
    xs, p = [Value(1.0), Value(-2.0)], 0.8
    dropout = Dropout(p, inverted=inverted, seed=1)
    expected = mean_in_training(dropout, xs)
    dropout.eval()
    assert [out.data for out in dropout(xs)] == pytest.approx(expected, rel=0.05)
    printed = [x.data / p for x in xs]  # "divide by p at test time"
    assert printed != pytest.approx(expected, rel=0.05)


def test_the_projects_checker_runs_where_the_listed_one_does_not():
    source = "def eval_numerical_gradient(f, x):\n    f(x) = f(x)\n"
    with pytest.raises(SyntaxError, match="cannot assign to function call"):
        compile(source, "<the notes>", "exec")
    random.seed(1)
    assert gradcheck(MLP(2, [3, 1], activation="tanh"), at=[0.3, -0.8])
    assert gradcheck(Layer(3, 2, activation="sigmoid", fused=True), at=[0.3, -0.8, 1.0])
