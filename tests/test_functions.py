import math

import pytest

from micrograd import Value, dot, log_softmax, logsumexp, mean, softmax
from micrograd.gradcheck import gradcheck

POINT = [0.5, -1.25, 2.0]


def test_values_are_those_of_the_definitions():
    xs = [Value(x) for x in POINT]
    powers = [math.exp(x) for x in POINT]
    assert dot(xs, [1.0, 2.0, 3.0]).data == 0.5 - 2.5 + 6.0
    assert mean(xs).data == sum(POINT) / 3
    assert logsumexp(xs).data == pytest.approx(math.log(sum(powers)), rel=1e-15)
    for p, q, power in zip(softmax(xs), log_softmax(xs), powers):
        assert p.data == pytest.approx(power / sum(powers), rel=1e-15)
        assert q.data == pytest.approx(math.log(power / sum(powers)), rel=1e-14)


@pytest.mark.parametrize(
    "function",
    [
        lambda *xs: dot(xs, xs),
        lambda *xs: mean(xs),
        lambda *xs: logsumexp(xs),
        lambda *xs: softmax(xs)[0],
        lambda *xs: log_softmax(xs)[1],
    ],
)
def test_gradients_agree_with_complex_step_and_hessians_with_differences(function):
    for report in (
        gradcheck(function, POINT, method="complex"),
        gradcheck(function, POINT, order=2),
    ):
        assert report, report


@pytest.mark.parametrize("big", [1e4, -1e4, 1e300])
def test_nothing_overflows(big):
    xs = [Value(big), Value(0.0), Value(big)]
    for out in (logsumexp(xs), *softmax(xs), *log_softmax(xs)):
        out.backward()
        assert math.isfinite(out.data)
    assert all(math.isfinite(x.grad) for x in xs)


def test_a_replay_on_far_larger_numbers_does_not_overflow():
    xs = [Value(x) for x in POINT]
    out = logsumexp(xs)
    xs[1].data = 5000.0
    assert out.forward() == 5000.0


@pytest.mark.parametrize("function", [mean, logsumexp, softmax, log_softmax])
def test_no_numbers_at_all_are_refused(function):
    with pytest.raises(ValueError, match="of no numbers; give at least one"):
        function([])


def test_dot_refuses_unequal_lengths():
    with pytest.raises(ValueError, match="dot of 1 and 2 numbers"):
        dot([1.0], [1.0, 2.0])
    with pytest.raises(ValueError, match="dot of no numbers"):
        dot([], [])


@pytest.mark.parametrize("xs", [[-math.inf, -math.inf], [math.inf, 1.0], [-math.inf]])
def test_an_infinite_largest_number_gives_nan_in_all_of_them(xs):
    for out in (logsumexp(xs), *softmax(xs), *log_softmax(xs)):
        assert math.isnan(out.data)
    assert logsumexp([-math.inf, 2.0]).data == 2.0
