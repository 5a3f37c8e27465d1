"""Lowered gradients against `backward()`, on random graphs and under every way to run them."""

import random
from inspect import signature

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from micrograd.engine import Value, weighted_sum
from micrograd.lowering import lower

UNARY = ("tanh", "sigmoid", "relu", "softplus", "abs", "sin", "cos", "soft_sign", "hard_tanh")
CLOSE = 1e-12


def random_graph(seed: int, size: int) -> Value:
    """Record a graph of shared leaves, chains, products, weighted sums and all kinds of rows."""
    rng = random.Random(seed)
    leaves = [Value(rng.uniform(-1, 1), label=f"x{i}") for i in range(rng.randint(2, 6))]
    leaves += [Value(rng.uniform(-1, 1), label=f"{c}") for c in "abc"]
    nodes = list(leaves)
    for _ in range(size):
        x, y = rng.choice(nodes), rng.choice(nodes)
        nodes.append(make(rng, x, y, nodes))
    used = {p for node in nodes for p in node.parents}
    return sum(node.tanh() for node in nodes if node not in used)


def test_a_gradient_that_repeats_an_adjoint_is_a_line_of_its_own():
    w = [Value(0.1 * i, label=f"w{i}") for i in range(3)]
    root = (sum(w) * 2).tanh() * 3
    program = lower(root)
    assert_same(program.value_and_grad()[1], scalar_gradients(root, program))


def make(rng: random.Random, x: Value, y: Value, nodes: list[Value]) -> Value:
    kind = rng.randrange(12)
    if kind == 0:
        return x * y
    if kind == 1:
        return x - y
    if kind == 2:
        return x / (1 + y * y)
    if kind == 3:
        return x.tanh().exp() + 1
    if kind == 4:
        return x.max(y) if rng.random() < 0.5 else x.min(y)
    if kind == 5:
        return -x
    if kind == 6:
        return x**2 if rng.random() < 0.5 else (1.5 + x.tanh()) ** -0.5
    if kind == 7:
        chosen = rng.choices(nodes, k=3)
        return weighted_sum(chosen, rng.choices(nodes, k=3), rng.choice([None, x]))
    if kind == 8:
        return sum(rng.choices(nodes, k=rng.randint(1, 5)))
    if kind == 9:
        return sum(a * b for a, b in zip(rng.choices(nodes, k=4), rng.choices(nodes, k=4))) + x
    if kind == 10:
        return (1.5 + x.tanh()).log() * (2 + y.tanh()).power(x.tanh())
    return getattr(x, rng.choice(UNARY))()


def scalar_gradients(root: Value, program) -> dict[str, np.ndarray]:
    for name in program.parameters:
        for value in program.leaf_values(name).ravel():
            value.grad = 0.0
    root.backward()
    return {
        name: np.array([v.grad for v in program.leaf_values(name).ravel()]).reshape(data.shape)
        for name, data in program.parameters.items()
    }


def assert_same(found: dict, right: dict) -> None:
    assert set(found) == set(right)
    scale = max((np.abs(g).max() for g in right.values() if g.size), default=1.0)
    for name, gradient in right.items():
        assert found[name].shape == gradient.shape
        np.testing.assert_allclose(found[name], gradient, rtol=CLOSE, atol=CLOSE * scale)


@given(st.integers(0, 10**6), st.integers(1, 60))
@example(8430, 7)  # an operand used twice, the second time within the other operand
@settings(max_examples=40, deadline=None)
def test_arrays_equal_backward_on_random_graphs(seed, size):
    root = random_graph(seed, size)
    program = lower(root)
    right = scalar_gradients(root, program)
    value, gradients = program.value_and_grad()
    assert value == pytest.approx(root.data, rel=CLOSE, abs=CLOSE)
    assert program() == pytest.approx(root.data, rel=CLOSE, abs=CLOSE)
    assert_same(gradients, right)
    assert_same(program.value_and_grad()[1], right)  # buffers hold nothing of the last call


@given(st.integers(0, 10**6), st.integers(1, 60))
@settings(max_examples=15, deadline=None)
def test_the_printed_source_is_the_program(seed, size):
    root = random_graph(seed, size)
    program = lower(root)
    scope: dict = {}
    exec(program.export("numpy"), scope)
    arguments = [scope["LEAVES"][name] for name in (*program.parameters, *program.constants)]
    value, gradients = scope["value_and_grad"](*arguments)
    assert value == pytest.approx(root.data, rel=CLOSE, abs=CLOSE)
    assert scope["forward"](*arguments) == value
    assert_same(
        {name: np.asarray(g) for name, g in gradients.items()}, scalar_gradients(root, program)
    )


def test_levels_equal_backward_on_random_graphs(irregular):
    for seed in range(20):
        root = random_graph(seed, 3 + seed)
        program = lower(root)
        right = scalar_gradients(root, program)
        for value, gradients in (program.value_and_grad(), by_text(program)):
            assert value == pytest.approx(root.data, rel=CLOSE, abs=CLOSE)
            assert_same(gradients, right)


def by_text(program) -> tuple:
    """Return what the printed source gives, which narrow graphs are not run by."""
    scope: dict = {}
    exec(program.source, scope)
    arrays = {**program.tables, **program.parameters, **program.constants}
    function = scope["value_and_grad"]
    return function(*(arrays[name] for name in signature(function).parameters))


def test_levels_run_batches(irregular):
    weights = [Value(w, label=f"w{i}") for i, w in enumerate((0.5, -0.3, 0.8))]

    def loss(x, y):
        return (sum(w * v for w, v in zip(weights, x)).tanh() - y) ** 2

    batch, targets = np.array([[1.0, 2, 3], [0.1, -0.2, 0.3]]), np.array([0.5, -1])
    program = lower(loss, [0.1, 0.2, 0.3], 1.0)
    total = sum(loss(list(map(Value, x)), y) for x, y in zip(batch.tolist(), targets.tolist())) / 2
    value, gradients = program.value_and_grad(batch, targets, wrt_inputs=True)
    assert value == pytest.approx(total.data, rel=CLOSE)
    assert gradients["x"].shape == (2, 3) and gradients["y"].shape == (2,)
    assert_same({"w": gradients["w"]}, scalar_gradients(total, program))


def test_a_long_chain_is_no_array_program():
    a, w = Value(0.5, label="a"), Value(0.9, label="w")
    v = a
    for _ in range(5000):
        v = (v * w + a).tanh()
    program = lower(v)
    assert_same(program.value_and_grad()[1], scalar_gradients(v, program))
    assert "the scalar engine itself replays" in program.explain()
    assert "5000 tanh" in program.explain()


def test_a_wide_irregular_graph_runs_by_levels():
    rng = random.Random(3)
    nodes = [Value(rng.uniform(-1, 1), label=f"x{i}") for i in range(50)]
    for _ in range(4000):
        x, y = rng.choice(nodes), rng.choice(nodes)
        nodes.append(rng.choice([x + y, x * y, x.tanh(), x.tanh().exp()]))
    root = sum(nodes[-200:])
    program = lower(root)
    assert_same(program.value_and_grad()[1], scalar_gradients(root, program))
    assert "groups" in program.source and "irregular" in program.explain()


@pytest.mark.parametrize("count", [199, 200, 201, 202, 260])
def test_parameters_alone_may_be_more_arrays_than_a_program_has(count):
    layers = {f"w{n}": [Value(0.01 * n - 1), Value(0.5)] for n in range(count)}

    def loss(x):
        for row in layers.values():
            x = [v + w for v, w in zip(x, row)]
        return x[0] * x[1]

    program = lower(loss, [0.25, 2.0], parameters=layers)
    value, gradients = program.value_and_grad([[0.5, -1.0]])
    first, second = 0.5 + sum(0.01 * n - 1 for n in range(count)), 0.5 * count - 1
    assert value == pytest.approx(first * second)
    np.testing.assert_allclose([*gradients.values()], [(second, first)] * count)


def test_a_recorded_number_alone_is_data():
    program = lower(Value(3.0))
    program.constants["c"] = 5.0
    assert program.value_and_grad() == (5.0, {})


def test_a_single_leaf_and_constants():
    x = Value(3.0, label="x")
    value, gradients = lower(x).value_and_grad()
    assert value == 3 and gradients["x"] == 1
    value, gradients = lower(Value(2.0) * 1 + 0 * x).value_and_grad()
    assert value == 2 and gradients["x"] == 0
