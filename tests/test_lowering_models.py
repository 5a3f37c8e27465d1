"""Lowered models: the text that the notes would have, gradients, training in place."""

import random
import re

import numpy as np
import pytest

from micrograd import dot
from micrograd.engine import Value
from micrograd.lowering import lower
from micrograd.lowering.trace.samples import as_values
from micrograd.nn import MLP, Dropout, Embedding, Layer, Recurrent
from tests.lowering_models import (
    all_to_all_attention,
    forward,
    function,
    matrix,
    score,
    transformer,
    values,
    window_model,
)
from tests.test_lowering_graphs import assert_same, scalar_gradients

WINDOW = """\
from numpy import maximum, tanh


def value_and_grad(x, x_c, W1, b1, u):
    B = len(x)
    # forward
    z1 = x @ W1.T + b1                            # (B, 8)
    z1_c = x_c @ W1.T + b1                        # (B, 8)
    h1 = tanh(z1)                                 # (B, 8)
    h1_c = tanh(z1_c)                             # (B, 8)
    s = h1 @ u                                    # (B,)
    s_c = h1_c @ u                                # (B,)
    t1 = s_c - s + 1                              # (B,)
    J = maximum(t1, 0)                            # (B,)
    loss = J.mean()                               # ()
    # backward
    ds_c = (t1 > 0) / B                           # (B,)
    ds = -ds_c                                    # (B,)
    delta1_c = ds_c[:, None] * u * (1 - h1_c * h1_c)  # (B, 8)
    delta1 = ds[:, None] * u * (1 - h1 * h1)      # (B, 8)
    du = ds_c @ h1_c + ds @ h1                    # (8,)
    db1 = delta1_c.sum(0) + delta1.sum(0)         # (8,)
    dW1 = delta1_c.T @ x_c + delta1.T @ x         # (8, 20)
    return loss, {'u': du, 'b1': db1, 'W1': dW1}
"""


def batches(*shapes):
    rng = np.random.default_rng(1)
    return [rng.normal(size=shape) for shape in shapes]


def assert_equals_scalar_engine(program, loss, batch, reduce=np.mean):
    """Compare value and all gradients with a graph of the whole batch."""
    inputs = [[as_values(sample) for sample in x] for x in batch]
    losses = [loss(*sample) for sample in zip(*inputs)]
    total = sum(losses) * (1 / len(losses) if reduce is np.mean else 1)
    value, gradients = program.value_and_grad(*batch, wrt_inputs=True)
    assert value == pytest.approx(total.data, rel=1e-12)
    assert program(*batch) == pytest.approx(total.data, rel=1e-12)
    right = scalar_gradients(total, program)
    for name, x in zip(program.inputs, inputs):
        flat = np.array(x, dtype=object)
        right[name] = np.array([v.grad for v in flat.ravel()]).reshape(flat.shape)
    assert_same(gradients, right)


def test_the_window_model_reads_like_the_notes():
    loss, parameters = window_model()
    program = lower(loss, [0.1] * 20, [0.2] * 20, parameters=parameters)
    assert program.source == WINDOW
    assert_equals_scalar_engine(program, loss, batches((6, 20), (6, 20)))


def test_fused_neurons_give_the_same_text_as_elementary_ones():
    random.seed(3)
    plain = MLP(3, [4, 1], activation="tanh")
    random.seed(3)
    fused = MLP(3, [4, 1], activation="tanh", fused=True)
    sources = [lower(lambda x, m=m: m(x) ** 2, [0.1, 0.2, 0.3]).source for m in (plain, fused)]
    assert sources[0] == sources[1]
    assert "z1 = x @ W1.T + b1" in sources[0] and "h1 @ W2[0] + b2[0]" in sources[0]


@pytest.mark.parametrize("reduce", ["mean", "sum"])
def test_a_network_on_batches(reduce):
    random.seed(1)
    net = MLP(3, [5, 4, 2], activation=["tanh", "relu", None])

    def loss(x, y):
        return sum((out - target) ** 2 for out, target in zip(net(x), y)) + 0.01 * sum(
            w * w for w in net.weights()
        )

    program = lower(loss, [0.1, 0.2, 0.3], [1.0, 0.0], reduce=reduce)
    assert_equals_scalar_engine(
        program, loss, batches((7, 3), (7, 2)), np.mean if reduce == "mean" else np.sum
    )
    assert_equals_scalar_engine(program, loss, batches((1, 3), (1, 2)))


def test_the_graph_of_a_whole_batch():
    random.seed(2)
    net = MLP(2, [6, 5, 1])
    (x,) = batches((30, 2))
    signs = [1 if i % 3 else -1 for i in range(30)]
    losses = [(1 + -y * net(values(row))).relu() for row, y in zip(x, signs)]
    root = sum(losses) * (1.0 / len(losses)) + 1e-4 * sum(p * p for p in net.parameters())
    program = lower(root)
    assert_same(program.value_and_grad()[1], scalar_gradients(root, program))
    source = program.source
    for line in (
        "z1 = x @ W1.T + b1",
        "h1 = maximum(z1, 0)",
        "z2 = h1 @ W2.T + b2",
        "dW2 = delta2.T @ h1",
        "delta1 = (z1 > 0) * (delta2 @ W2)",
    ):
        assert line in source
    program.constants["x"][:] = 0.5  # another batch of the same shape
    assert program.value_and_grad()[0] != pytest.approx(root.data)


def test_several_corrupt_windows_share_one_product():
    rng = random.Random(0)
    W, (b, u) = matrix(rng, 4, 6), matrix(rng, 2, 4)

    def loss(x, corrupt):
        s = score(x, W, b, u)
        return sum((score(c, W, b, u) - s + 1).relu() for c in corrupt)

    program = lower(
        loss, [0.1] * 6, [[0.1] * 6] * 3, parameters={"W": W, "b": b, "u": u}, names=["x", "x_c"]
    )
    assert "(B, 3, 4)" in program.source and "[i" not in program.source
    assert_equals_scalar_engine(program, loss, batches((5, 6), (5, 3, 6)))


def test_attention_groups_by_line_of_the_mathematics():
    root, parameters = transformer()
    program = lower(root, parameters=parameters)
    assert_same(program.value_and_grad()[1], scalar_gradients(root, program))
    lines = forward(program).splitlines()
    assert len(lines) <= 40
    assert any(re.search(r"@ Wq\.T +# \(5, 8\)", line) for line in lines)
    assert any("scatter(" in line for line in lines)


def test_attention_in_batches_is_a_sum_of_products():
    loss, parameters = all_to_all_attention()
    program = lower(loss, [[0.1] * 4] * 3, parameters=parameters)
    assert "z_q @ z_k.swapaxes(-1, -2)" in program.source and "[i" not in program.source
    assert_equals_scalar_engine(program, loss, batches((5, 3, 4)))


def test_a_recurrent_network_over_time():
    rng = random.Random(4)
    W, V, (b, u) = matrix(rng, 3, 2), matrix(rng, 3, 3), matrix(rng, 2, 3)

    def loss(xs):
        h = [Value(0.0)] * 3
        for x in xs:
            z = [sum(w * a for w, a in zip(W[i], x)) + b[i] for i in range(3)]
            h = [(z[i] + sum(v * a for v, a in zip(V[i], h))).tanh() for i in range(3)]
        return sum(a * c for a, c in zip(u, h))

    program = lower(loss, [[0.1, 0.2]] * 4, parameters={"W": W, "V": V, "b": b, "u": u})
    assert_equals_scalar_engine(program, loss, batches((5, 4, 2)))


def test_rows_of_an_embedding_are_gathered_and_scattered():
    rng = random.Random(5)
    E, (u,) = matrix(rng, 6, 3), matrix(rng, 1, 9)
    ids = [4, 1, 4]
    x = [v for i in ids for v in E[i]]
    root = sum(a * v.tanh() for a, v in zip(u, x))
    program = lower(root, parameters={"E": E, "u": u})
    _, gradients = program.value_and_grad()
    assert_same(gradients, scalar_gradients(root, program))
    assert gradients["E"].shape == (6, 3)
    assert not gradients["E"][[0, 2, 3, 5]].any() and gradients["E"][4].all()


def test_dropout_takes_a_fresh_mask_every_call():
    random.seed(6)
    net, dropout = MLP(3, [4], activation=["tanh"]), Dropout(0.5, seed=0)
    u = values([0.3, -0.2, 0.5, 0.7])

    def loss(x):
        return sum(a * h for a, h in zip(u, dropout(net(x))))

    program = lower(loss, [0.1, 0.2, 0.3], parameters={"u": u})
    assert program.inputs == ["x", "mask"]
    (x,) = batches((4, 3))
    ones = program.value_and_grad(x, np.ones((4, 4)))[0]
    assert program.value_and_grad(x, np.zeros((4, 4)))[0] == 0 != ones
    masks = np.array(dropout.masks(4, 4))
    assert set(masks.ravel()) == {0.0, 2.0}
    drawn = [
        sum(a.data * h.data * m for a, h, m in zip(u, net(row), mask))
        for row, mask in zip(x.tolist(), masks)
    ]
    assert program.value_and_grad(x, masks)[0] == pytest.approx(sum(drawn) / 4)
    dropout.eval()
    assert ones == pytest.approx(sum(loss(values(row)).data for row in x) / 4)


def test_modules_of_one_kind_are_told_apart():
    random.seed(3)
    cell, out, other = Recurrent(2, 3), Layer(3, 1, nonlin=False), Layer(3, 2)
    E, F = Embedding(4, 3), Embedding(5, 3)

    def loss(xs, i, j):
        h = cell(xs)[-1]
        x = [a + b + c for a, b, c in zip(h, E(i), F(j))]
        return sum(other(x)) * out(h)

    program = lower(loss, [[0.1, 0.2], [0.3, 0.4]], 1, 2)
    shapes = sorted(a.shape for name, a in program.parameters.items())
    assert shapes == [(1,), (1, 3), (2,), (2, 3), (3,), (3, 5), (4, 3), (5, 3)]
    assert "z_2 = xs[:, 1] @ W[:, :2].T + h @ W[:, 2:].T + b" in program.source


def test_labelled_samples_of_a_recorded_batch_are_one_array():
    w = [Value(0.5, label="w0"), Value(-0.5, label="w1")]
    samples = [[Value(0.1 * i, label="x0"), Value(0.2, label="x1")] for i in range(6)]
    root = sum((dot(w, x) - 1) ** 2 for x in samples)
    program = lower(root)
    assert {name: a.shape for name, a in program.parameters.items()} == {"w": (2,), "X": (6, 2)}


def test_labels_become_names():
    W = [[Value(0.1 * i, label=f"W{i},{j}") for j in range(2)] for i in range(3)]
    words = {
        word: [Value(0.5, label=f"{word} {j}") for j in range(2)]
        for word in ("in", "<s>", "3D", "_v0", "B")
    }
    root = sum(dot(row, x).tanh() for x in words.values() for row in W)
    program = lower(root)
    assert program.parameters["W"].shape == (3, 2)
    assert {"in_", "s", "v", "B_2"} < set(program.parameters) and len(program.parameters) == 6
    assert_same(program.value_and_grad()[1], scalar_gradients(root, program))


def test_the_map_of_a_convolution_keeps_its_rows_and_columns():
    kernel = matrix(random.Random(5), 3, 2)
    places = [(a, b, w) for a, row in enumerate(kernel) for b, w in enumerate(row)]

    def loss(x):
        h = [
            [sum(w * x[i + a][j + b] for a, b, w in places).tanh() for j in (0, 1)]
            for i in range(4)
        ]
        return sum((h[i][j] + h[i + 1][j]) ** 2 for i in (0, 2) for j in (0, 1))  # pooled by rows

    program = lower(loss, [[0.1] * 3 for _ in range(6)], parameters={"K": kernel})
    assert "h = tanh(z)                                   # (B, 4, 2)" in function(program)
    assert_equals_scalar_engine(program, loss, batches((5, 6, 3)))


def test_parameters_are_updated_in_place_and_written_back():
    loss, parameters = window_model()
    program = lower(loss, [0.1] * 20, [0.2] * 20, parameters=parameters)
    x, x_c = batches((30, 20), (30, 20))
    first, _ = program.value_and_grad(x, x_c)
    for _ in range(30):
        value, gradients = program.value_and_grad(x, x_c)
        for name, data in program.parameters.items():
            data -= 0.1 * gradients[name]
    assert value < 0.7 * first
    program.write_back()
    assert parameters["u"][3].data == program.parameters["u"][3]
    assert_equals_scalar_engine(program, loss, [x[:3], x_c[:3]])


def test_equal_structures_share_the_lowered_program():
    graphs = []
    for seed in (1, 2):
        root, parameters = transformer(seed=1)
        for row in parameters["Wq"]:
            for value in row:
                value.data *= seed
        root.forward()
        graphs.append((root, lower(root, parameters=parameters)))
    (_, first), (root, second) = graphs
    assert first.lowered is second.lowered
    assert_same(second.value_and_grad()[1], scalar_gradients(root, second))
    assert first.value_and_grad()[0] != second.value_and_grad()[0]


def test_batches_of_other_sizes():
    loss, parameters = window_model()
    program = lower(loss, [0.1] * 20, [0.2] * 20, parameters=parameters)
    x, x_c = batches((8, 20), (8, 20))
    whole = program.value_and_grad(x, x_c)[0]
    halves = [program.value_and_grad(x[i : i + 4], x_c[i : i + 4])[0] for i in (0, 4)]
    assert sum(halves) / 2 == pytest.approx(whole)
    assert program.value_and_grad(x, x_c)[0] == whole


def test_explain_and_find_tell_where_nodes_went():
    loss, parameters = window_model()
    program = lower(loss, [0.1] * 20, [0.2] * 20, parameters=parameters)
    text = program.explain()
    assert (
        "chains    254 nodes left; 19 sums of 21, 21, 21, 21, 21, 21, ... terms; 0 choices" in text
    )
    assert re.search(r"^\d+ scalar nodes: .*336 mul", text, re.MULTILINE)
    assert "z1 = x @ W1.T + b1" in text
    assert program.find(parameters["W1"][2][5]) == ("W1", 45)
    activation = next(v for v in program.graph.values if v._op == "tanh")
    assert program.find(activation) == ("h1", 0)
    product = next(v for v in program.graph.values if v._op == "*")
    assert program.find(product) == ("z1", 0)
    with pytest.raises(ValueError, match="not in the graph"):
        program.find(Value(1.0))
