"""What lowering says to input that it cannot use, and numeric errors as the engine has them."""

import math
import re
from collections.abc import Sequence

import numpy as np
import pytest

from micrograd.engine import Value
from micrograd.graph import snapshot
from micrograd.lowering import lower
from micrograd.nn import Neuron
from micrograd.ops import DomainError
from tests.lowering_models import values, window_model


def test_a_comparison_while_tracing_names_the_line():
    def loss(x):
        return x[0] if x[0] > x[1] else x[1]

    line = loss.__code__.co_firstlineno + 1
    with pytest.raises(ValueError, match=rf"test_lowering_errors\.py:{line}: .*x\.max\(y\)"):
        lower(loss, [0.1, 0.2])


def test_what_python_itself_compares_is_told_by_the_users_line():
    class Listed(Sequence):
        def __init__(self, *items):
            self.items = items

        def __len__(self):
            return len(self.items)

        def __getitem__(self, i):
            return self.items[i]

    def loss(x, y):
        return x if x + 1 in Listed(x, y) else y

    line = loss.__code__.co_firstlineno + 1
    with pytest.raises(ValueError, match=rf"test_lowering_errors\.py:{line}: .*by =="):
        lower(loss, 1.0, 2.0)


@pytest.mark.parametrize("parameters", [lambda m: m, lambda m: m.parameters()])
def test_parameters_that_need_not_be_given_are_told_so(parameters):
    neuron = Neuron(2)
    with pytest.raises(TypeError, match=r"or leave it out: weights that a function reads are"):
        lower(lambda x: neuron(x), [0.1, 0.2], parameters=parameters(neuron))


@pytest.mark.parametrize(
    ("loss", "shown"),
    [
        (lambda x: x[1] * math.exp(x[0]), r"real number.*Write it as .*x\.exp\(\)"),
        (lambda x: x[1] * float(x[0]), r"not Value.*Write it as an operation"),
        (lambda x: x[int(x[0])], r"int\(\).*nn\.Embedding"),
        (lambda x: x[1] * [0.1, 0.2].index(x[0]), r"not in list.*nn\.Embedding"),
        (lambda x: x[1] if x[0] < 1 else x[0], r"a Value is compared"),
    ],
)
def test_a_value_taken_for_a_number_names_the_line(loss, shown):
    line = loss.__code__.co_firstlineno
    with pytest.raises(ValueError, match=rf"test_lowering_errors\.py:{line}: .*{shown}"):
        lower(loss, [0.1, 0.2])


def test_a_numeric_error_while_tracing_names_the_line():
    def loss(x):
        return (x[0] - 5).log()

    line = loss.__code__.co_firstlineno + 1
    with pytest.raises(DomainError, match=rf"test_lowering_errors\.py:{line}: log\(x\) has no"):
        lower(loss, [0.1, 0.2])


async def coroutine(x):
    return x[0]


@pytest.mark.parametrize(
    ("result", "shown"),
    [
        (lambda x: [x[0], [x[1], 3.0]], r"returned 3.0 \(float\) at \[1\]\[1\]; give one Value"),
        (lambda x: [[x[0]], []], r"returned \[\] \(list\) at \[1\];"),
        (lambda x: [], r"returned \[\] \(list\);"),
        (lambda x: {"a": x[0]}, r"returned {'a': Value.*\(dict\);"),
        (lambda x: 1.0, "float"),
        (coroutine, "coroutine"),
    ],
)
def test_a_loss_is_one_value(result, shown):
    with pytest.raises(ValueError, match=shown):
        lower(result, [0.1, 0.2])


def test_samples_and_names_fit():
    with pytest.raises(ValueError, match=r"2 names \(a, b\) for 1 sample"):
        lower(lambda x: x[0], [0.1], names=["a", "b"])
    with pytest.raises(ValueError, match="ragged"):
        lower(lambda x: x[0][0], [[0.1, 0.2], [0.3]])
    with pytest.raises(ValueError, match="reduce='max'"):
        lower(lambda x: x[0], [0.1], reduce="max")
    with pytest.raises(ValueError, match="backend='cuda'"):
        lower(lambda x: x[0], [0.1], backend="cuda")


@pytest.mark.parametrize("name", ["B", "np", "len", "loss", "exp", "Rows", "lambda", "+"])
def test_names_that_the_program_needs_are_refused(name):
    w = values([1.0, 2.0])
    with pytest.raises(ValueError, match=rf"'{re.escape(name)}' cannot name an array"):
        lower(lambda x: w[0] * x[0] + w[1], [0.1], parameters={name: w})


def test_two_arrays_have_two_names():
    w = values([1.0, 2.0])
    with pytest.raises(ValueError, match="two arrays are named 'x'"):
        lower(lambda x: w[0] * x[0] + w[1], [0.1], parameters={"x": w})


@pytest.mark.parametrize("name", ["v0", "q1", "m", "one", "size", "run", "w0", "t1", "i1", "dot"])
def test_any_other_name_may_be_given(name):
    loss, parameters = window_model(inputs=4, hidden=3)
    W = parameters.pop("W1")
    program = lower(loss, [0.1] * 4, [0.2] * 4, parameters={name: W, **parameters})
    loss([0.1] * 4, [0.2] * 4).backward()
    found = program.value_and_grad(np.full((2, 4), 0.1), np.full((2, 4), 0.2))[1]
    expected = [[w.grad for w in row] for row in W]
    np.testing.assert_allclose(found[name], expected, rtol=1e-12, atol=1e-15)


def test_batches_have_the_traced_shape():
    loss, parameters = window_model(inputs=4)
    program = lower(loss, [0.1] * 4, [0.2] * 4, parameters=parameters)
    with pytest.raises(ValueError, match=r"x_c has the shape \(3, 5\); it must be \(3, 4\)"):
        program(np.zeros((3, 4)), np.zeros((3, 5)))
    with pytest.raises(ValueError, match="as many as of x"):
        program.value_and_grad(np.zeros((3, 4)), np.zeros((2, 4)))
    with pytest.raises(
        ValueError, match=r"^1 input; the program takes 2: x, x_c; .*zip\(\*samples"
    ):
        program(np.zeros((3, 4)))
    with pytest.raises(ValueError, match="^1 input; the program takes none: a recorded loss has"):
        lower(values([1.0])[0] * 2)([1.0])


def test_a_node_made_by_hand_is_named():
    x = Value(2.0, label="x")
    y = Value(4.0, (x,), "square", "y")
    with pytest.raises(ValueError, match="'y'.*made by hand"):
        lower(y * 2)


def test_a_parameter_that_is_not_reached_has_gradient_zero():
    used, unused = values([1.0, 2.0]), values([[3.0, 4.0]])
    program = lower(used[0] * used[0], parameters={"u": used, "W": unused})
    _, gradients = program.value_and_grad()
    np.testing.assert_array_equal(gradients["u"], [2.0, 0.0])
    np.testing.assert_array_equal(gradients["W"], [[0.0, 0.0]])


@pytest.mark.parametrize(
    ("function", "batch"),
    [
        (lambda x: x.log(), [1.0, -2.0]),
        (lambda x: 1 / x, [1.0, 0.0]),
        (lambda x: x.sqrt(), [1.0, 0.0]),
        (lambda x: x.exp(), [1.0, 1000.0]),
        (lambda x: x**0.5, [4.0, -1.0]),
    ],
)
def test_domain_errors_are_those_of_the_engine(function, batch):
    bad = Value(batch[1])
    with pytest.raises(DomainError) as scalar:
        function(bad).backward()
    program = lower(function, 0.5)
    with pytest.raises(DomainError) as lowered:
        program.value_and_grad(batch, wrt_inputs=True)
    assert str(lowered.value).partition(" (node")[0] == str(scalar.value).partition(" (node")[0]
    assert np.isfinite(program.value_and_grad(batch[:1])[0])  # and goes on


def test_nan_and_infinite_data_give_what_the_engine_gives():
    program = lower(lambda x: (x * 2).tanh().exp(), 0.5)
    value, gradients = program.value_and_grad([float("nan"), 1.0], wrt_inputs=True)
    assert np.isnan(value) and np.isnan(gradients["x"][0]) and gradients["x"][1] > 0
    assert program([float("inf")]) == pytest.approx(np.e)


def test_a_snapshot_can_be_lowered():
    x = Value(3.0, label="x")
    value, gradients = lower(snapshot(x * x)).value_and_grad()
    assert value == 9 and gradients["x"] == 6


COMPUTED = Value(2.0) * 0.1
TIED = Value(3.0)


@pytest.mark.parametrize(
    "parameters, words",
    [
        ({"w": [COMPUTED, TIED]}, r"w holds a result of \*, which is computed"),
        ({"w": [COMPUTED], "v": [TIED]}, r"make it a Value\(v.data\)"),
        ({"w": [TIED, TIED]}, "w holds a Value twice"),
        ({"w": [[TIED], [TIED]]}, "give each Value in one place"),
        ({"w": [TIED], "v": TIED}, "w and v share a Value"),
    ],
)
def test_parameters_that_could_not_be_trained(parameters, words):
    with pytest.raises(ValueError, match=words):
        lower(lambda x: COMPUTED * x[0] + TIED * x[1], [1.0, 2.0], parameters=parameters)
