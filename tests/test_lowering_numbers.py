"""Numbers that a function makes: written in the text, those computed of them too."""

import random

import numpy as np
import pytest

from micrograd import Value, grad, topological_order
from micrograd.functions import dot
from micrograd.lowering import lower
from tests.lowering_models import forward, matrix, values
from tests.lowering_oracle import by_engine, by_export, by_native, by_program, by_source, close

W = values([0.5, -0.3, 0.8])


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


@pytest.mark.parametrize(
    "function, sample, written",
    [
        (steps_of_a_pendulum, (0.3, 0.2), ["0.2 * sin(x)", "0.05 * "]),
        (inner_step, ([1.0, 2.0, 3.0],), ["2 / 3 * "]),
        (lambda x: x.max(Value(0.5)) * W[0], (1.0,), ["maximum(x, 0.5)"]),
        (lambda x: x / (Value(2.0) + 1) * W[0], (1.0,), ["x / 3"]),
        (lambda x: (c := Value(3.0)) * x * W[0] + W[1] / c, (1.0,), ["3 * x", "W[1] / 3"]),
    ],
)
def test_numbers_are_written_in_the_text(function, sample, written):
    program = lower(function, *sample)
    assert not program.constants
    text = forward(program).replace("0.6666666666666666", "2 / 3")
    assert all(part in text for part in written), text


def test_what_has_a_name_or_is_a_list_is_an_array():
    U = matrix(random.Random(0), 3, 3)

    def state(x):
        h = [Value(0.0) for _ in range(3)]
        return dot(x, [(dot(row, h) + w).tanh() for row, w in zip(U, W)])

    def named(x):
        rate = Value(0.5, label="rate")
        return rate * 2 * x * W[0] + rate * x

    first, second = lower(state, [0.1, 0.2, 0.3]), lower(named, 1.0)
    assert "U @ c" in forward(first) and first.constants["c"].tolist() == [0.0] * 3
    assert second([1.0]) == 1.0 * W[0].data + 0.5
    second.constants["rate"] = 1.0  # all that is computed of it follows
    assert second([1.0]) == 2.0 * W[0].data + 1.0


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
    ways = [by_program, by_source, by_export, *[by_native] * (seed % 10 == 0)]
    for way in ways:
        loss, gradients = way(program, batch)
        assert close(loss, right.loss) or abs(loss - right.loss) < 1e-12 * right.size
        for name, gradient in gradients.items():
            np.testing.assert_allclose(
                gradient,
                right.gradients[name],
                rtol=0,
                atol=1e-12 * (1 + np.max(right.sizes[name])),
            )
