"""Numbers that a function makes: written in the text, those computed of them too."""

import random

import numpy as np
import pytest

from micrograd import Value, grad, topological_order, weighted_sum
from micrograd.functions import dot
from micrograd.lowering import lower
from micrograd.lowering.code.module import as_text
from micrograd.lowering.native import compiler
from tests.lowering_models import forward, matrix, values
from tests.lowering_oracle import by_engine, by_export, by_native, by_program, by_source, close

WAYS = (by_program, by_source, by_export, *[by_native] * compiler.available())
W, U = values([0.5, -0.3, 0.8]), matrix(random.Random(1), 3, 3)


def steps_of_a_pendulum(x, v):
    dt, k, half = Value(0.1), Value(2.0), Value(1.0) / 2
    for _ in range(3):
        v = v - dt * k * x.sin() * W[0]
        x = x + dt * v * half
    return x * x


def inner_step(x):
    """Return a loss behind a step of gradient descent, whose slope has 1 / 3 in it."""
    slopes = grad(dot(x, W) ** 2 / 3, W, create_graph=True)
    return dot([w - g for w, g in zip(W, slopes)], x)


def curvature(x):
    """Return xᵀ H v of a function: both derivatives have the numbers of v."""
    score = dot(W, [dot(row, x).tanh() for row in U])
    slopes = grad(score, x, create_graph=True)
    along = dot(slopes, [1.0, 2.0, -1.0])
    return dot(grad(along, x, create_graph=True), x)


@pytest.mark.parametrize(
    "function, sample, written",
    [
        (steps_of_a_pendulum, (0.3, 0.2), ["0.2 * sin(x)", "0.05 * "]),
        (inner_step, ([1.0, 2.0, 3.0],), ["2 / 3 * "]),
        (curvature, ([1.0, 2.0, 3.0],), []),
        (lambda x: x.max(Value(0.5)) * W[0], (1.0,), ["maximum(x, 0.5)"]),
        (lambda x: (c := Value(0.0)).max(x) * W[0] + (c - x) * W[1], (1.0,), ["maximum(0, x)"]),
        (lambda x: x / (Value(2.0) + 1) * W[0], (1.0,), ["x / 3"]),
        (lambda x: (c := Value(3.0)) * x * W[0] + W[1] / c, (1.0,), ["3 * x", "W[1] / 3"]),
    ],
)
def test_numbers_are_written_in_the_text(function, sample, written):
    program = lower(function, *sample)
    assert not program.constants
    text = forward(program).replace("0.6666666666666666", "2 / 3")
    assert all(part in text for part in written), text


@pytest.mark.parametrize("size", [2, 3])
def test_what_has_a_name_or_is_a_list_is_an_array(size):
    V = matrix(random.Random(0), size, size)

    def state(x):
        h = [Value(0.0) for _ in range(size)]
        return dot(x, [(dot(row, h) + w).tanh() for row, w in zip(V, W)])

    def named(x):
        rate = Value(0.5, label="rate")
        return rate * 2 * x * W[0] + rate * x

    first, second = lower(state, [0.1, 0.2, 0.3][:size]), lower(named, 1.0)
    assert "V @ c" in forward(first) and first.constants["c"].tolist() == [0.0] * size
    assert second([1.0]) == 1.0 * W[0].data + 0.5
    second.constants["rate"] = 1.0  # all that is computed of it follows
    assert second([1.0]) == 2.0 * W[0].data + 1.0


def test_a_number_may_be_all_there_is():
    """Return a number alone, one that is computed, and one beside others; and one with a name."""

    def third(x):
        number = Value(1.0) / 3
        number.label = "third"
        return number * x * W[0] + number

    assert lower(lambda x: Value(3.0) * 2, 1.0)([0.5, 0.7]) == 6.0
    assert lower(lambda x: [Value(3.0) / 2, Value(4.0), x], 1.0)([5.0]).tolist() == [
        [1.5, 4.0, 5.0]
    ]
    assert "third = " in forward(lower(third, 1.0))


def test_weighted_sums_of_numbers():
    def function(x):
        all_known = weighted_sum([Value(2.0) / 3, Value(0.2)], [Value(0.5), Value(1.0) * 4], 1.0)
        return weighted_sum([Value(2.0) / 3, W[0]], [x, Value(1.0) * 4], Value(1.0) / 3) * all_known

    program = lower(function, 1.0)
    assert not program.constants
    right = by_engine(program, function, [[0.3, -2.0]])
    for way in WAYS:
        loss, gradients = way(program, [np.array([0.3, -2.0])])
        assert close(loss, right.loss)
        np.testing.assert_allclose(gradients["W"], right.gradients["W"], rtol=1e-12)


@pytest.mark.parametrize("data", [[0.0, 0.0], [-0.0, -0.0], [[0.0, -0.0]], [0.0]])
def test_zeros_of_the_text_have_their_shape_and_signs(data):
    read = eval(as_text("numpy", data), {"np": np})
    assert read.shape == np.shape(data) and (np.signbit(read) == np.signbit(data)).all()


def test_nodes_of_a_number_are_told():
    program = lower(lambda x: x * W[0] * (Value(3.0) / 4), 1.0)
    told = {}
    for node in topological_order(program.root):
        if node.data in (3.0, 4.0, 0.75):
            with pytest.raises(ValueError, match="number of the code") as error:
                program.find(node)
            told[node.data] = program.line(node).how
    assert told == {3.0: "nowhere", 4.0: "nowhere", 0.75: "number"} and error


def any_function(seed):
    """Return a function that computes with numbers of all kinds, of each other and of inputs."""
    rng = random.Random(seed)
    plan = [
        (rng.randrange(9), *(rng.random() for _ in range(3))) for _ in range(rng.randint(4, 14))
    ]

    def function(x):
        numbers = [*map(Value, (0.0, 1.5, -0.5, 2.0)), 0.0, 3.0, Value(1.0, label="one")]
        nodes = [*x, *W]
        for kind, a, b, c in plan:
            n, m = (numbers[int(r * len(numbers))] for r in (a, b))
            v, one = nodes[int(c * len(nodes))], Value(1.0)
            numbers += [(one * n * m,), (one * n + m,), ((one * n).tanh(),), ((one * n).max(m),)][
                kind % 4
            ]
            nodes += [(v * n,), (v + n,), ((v * m + n).tanh(),), (v / ((one * n) ** 2 + 1),)][
                int(4 * b)
            ]
            if kind > 6:
                number = (one * n - m).detach()
                number.label = "number" if kind == 8 else ""
                numbers.append(number)
        return sum(nodes[3:], Value(0.5))

    return function


@pytest.mark.parametrize("seed", range(40))
def test_programs_of_numbers_agree_with_the_engine(seed):
    rng, function = np.random.default_rng(seed), any_function(seed)
    program = lower(function, [0.1, 0.2, 0.3])
    batch = [rng.normal(size=(4, 3)) if seed % 2 else rng.integers(-2, 3, (4, 3)).astype(float)]
    right = by_engine(program, function, batch)
    for way in WAYS[: 4 if seed % 10 == 0 else 3]:  # compiling takes long
        loss, gradients = way(program, batch)
        assert close(loss, right.loss) or abs(loss - right.loss) < 1e-12 * right.size
        for name, gradient in gradients.items():
            np.testing.assert_allclose(
                gradient,
                right.gradients[name],
                rtol=0,
                atol=1e-12 * (1 + np.max(right.sizes[name])),
            )
