"""Attention over heads reads as attention, and programs of several outputs take upstreams."""

import random
from functools import cache

import microgpt
import numpy as np
import pytest

from micrograd import Value, dot, labelled, softmax
from micrograd.lowering import lower
from tests import gpt_models
from tests.lowering_fuzz import failures_on_a_batch
from tests.lowering_models import forward, function, matrix

WORDS = 5


def model(heads, query_first, positions=4, dim=8, square=False, tied=False, seed=0):
    """Return the loss of a sequence with one layer of attention, its matrices and a sample."""
    rng, size = random.Random(seed), dim // heads
    P = {"wte": matrix(rng, WORDS, dim), "wpe": matrix(rng, positions, dim)}
    P |= {f"layer0.w{name}": matrix(rng, dim, dim) for name in "qkvo"}
    P |= {} if tied else {"head": matrix(rng, WORDS, dim)}

    def linear(x, W):
        return [dot(row, x) for row in W]

    def reads(q, k, v, t, h, past):
        places = range(h * size, (h + 1) * size)
        scores = [
            past[t][u] + dot([q[t][j] for j in places], [k[u][j] for j in places]) / size**0.5
            for u in range(positions)
        ]
        return [dot(softmax(scores), [row[j] for row in v]) for j in places]

    def loss(xs, targets, past):
        xs = [[a + b for a, b in zip(x, p)] for x, p in zip(linear_rows(xs), P["wpe"])]
        q, k, v = ([linear(x, P[f"layer0.w{name}"]) for x in xs] for name in "qkv")
        pairs = [(t, h) for t in range(positions) for h in range(heads)]
        pairs = pairs if query_first else sorted(pairs, key=lambda pair: pair[::-1])
        out = {pair: reads(q, k, v, *pair, past) for pair in pairs}
        joined = [[z for h in range(heads) for z in out[t, h]] for t in range(positions)]
        hidden = [[z.relu() ** 2 if square else z.relu() for z in x] for x in joined]
        xs = [[a + b for a, b in zip(linear(h, P["layer0.wo"]), x)] for h, x in zip(hidden, xs)]
        logits = [linear(x, P["wte" if tied else "head"]) for x in xs]
        return sum(dot([a - b for a, b in zip(z, y)], z) for z, y in zip(logits, targets))

    def linear_rows(xs):
        return [[dot(x, column) for column in zip(*P["wte"])] for x in xs]

    draws = [np.random.default_rng(seed).normal(size=(2, positions, WORDS)) for _ in range(2)]
    mask = np.where(np.tri(positions) > 0, 0, -1e9)
    return loss, P, [*draws, np.array([mask, mask])]


def by_the_engine(loss, P, batch):
    """Return the mean loss of a batch and the gradients of all matrices."""
    total = sum((loss(*map(values, sample)) for sample in zip(*batch)), Value(0.0)) / len(batch[0])
    for value in (v for rows in P.values() for row in rows for v in row):
        value.grad = 0.0
    total.backward()
    grads = {name: np.array([[v.grad for v in row] for row in rows]) for name, rows in P.items()}
    return total.data, grads


def values(array):
    return [[Value(x) for x in row] for row in array.tolist()]


@pytest.mark.parametrize("query_first", [True, False])
@pytest.mark.parametrize("heads", [1, 2, 4])
@pytest.mark.parametrize(("square", "tied"), [(True, False), (False, True)])
def test_heads_need_no_table_in_either_order(heads, query_first, square, tied):
    loss, P, batch = model(heads, query_first, square=square, tied=tied)
    program = lower(loss, *(part[0] for part in batch), parameters=P)
    text = function(program)
    assert "[:, i" not in text and "scatter" not in text and "einsum" not in text
    right, grads = by_the_engine(loss, P, batch)
    value, gradients = program.value_and_grad(*batch)
    assert value == pytest.approx(right, rel=1e-12)
    for name, gradient in grads.items():
        np.testing.assert_allclose(
            gradients[name.replace(".", "_")], gradient, rtol=1e-12, atol=1e-12
        )


def test_one_head_is_a_stack_of_products():
    loss, P, batch = model(1, True)
    text = function(lower(loss, *(part[0] for part in batch), parameters=P))
    assert ".swapaxes(-1, -2)" in text


def test_a_block_that_divides_one_member_by_chance_divides_none():
    rng = random.Random(1)
    a, b = matrix(rng, 1, 2), matrix(rng, 2, 4)

    def loss(x):
        # the second sum takes its blocks in another order
        pairs = [(0, 0), (1, 1), (1, 2), (0, 3)]
        return sum(dot([a[0][h] * x[h]], [b[h][c]]) ** 2 for h, c in pairs)

    batch = np.random.default_rng(2).normal(size=(3, 2))
    program = lower(loss, batch[0], parameters={"a": a, "b": b})
    right = np.mean([loss([Value(v) for v in x]).data for x in batch.tolist()])
    assert program(batch) == pytest.approx(right, rel=1e-12)


@cache
def lowered():
    """Return the model of the demo, in small, and its program."""
    model = microgpt.GPT(block=6)
    return model, lower(model.loss, *microgpt.document("abe", 6), parameters=model.matrices)


HEADS = """
qs = transpose(q.reshape(-1, 6, 4, 4), (0, 2, 1, 3))
scores = past[:, None, :] + qs @ ks.swapaxes(-1, -2) / 2
vs = transpose(v.reshape(-1, 6, 4, 4), (0, 2, 1, 3))
(attention @ vs, (0, 2, 1, 3)).reshape(-1, 6, 16)
 @ vs.swapaxes(-1, -2)
dattention - (dattention * attention).sum(-1)[:, :, :, None]
.swapaxes(-1, -2) @ qs, (0, 2, 1, 3)).reshape(-1, 6, 16)
 @ ks, (0, 2, 1, 3)).reshape(-1, 6, 16)
""".strip("\n").splitlines()


def test_heads_are_laid_out_once_and_go_back_as_they_came():
    _, program = lowered()
    text = program.source
    assert [line for line in HEADS if line not in text] == [], text
    assert [text.count(f"({name}.reshape(-1, 6, 4, 4)") for name in "qkv"] == [1, 1, 1]


@pytest.mark.parametrize("steps", [2, 4])
def test_keys_that_every_step_attends_to_are_multiplied_once(steps):
    rng = random.Random(steps)
    W, U, v = matrix(rng, 4, 3), matrix(rng, 4, 3), matrix(rng, 1, 4)[0]

    def loss(keys, s):
        for _ in range(steps):
            hidden = [[(dot(w, k) + dot(u, s)).tanh() for w, u in zip(W, U)] for k in keys]
            weights = softmax([dot(v, h) for h in hidden])
            s = [dot(weights, column) for column in zip(*keys)]
        return sum(s)

    keys = np.random.default_rng(steps).normal(size=(5, 3))
    program = lower(loss, keys, keys[0], parameters={"W": W, "U": U, "v": v})
    assert program.source.count("keys @ W.T") == 1
    short = lower(lambda k, s: loss(k, s), keys, keys[0], parameters={"W": W, "U": U, "v": v})
    assert short.source.count(" = k @ W.T") == 1 and "ks = " not in short.source  # no layout of k
    assert failures_on_a_batch(loss, (keys, keys[0]), steps) == {}


def test_what_fills_a_name_up_has_exactly_no_effect():
    _, program = lowered()
    ids, targets, weights, past = microgpt.document("abe", 6)
    others = [[*row[:4], 3, 9] for row in (ids, targets)]
    (a, ours), (b, theirs) = (
        program.value_and_grad([i], [y], [weights], [past]) for i, y in ((ids, targets), others)
    )
    assert a == b and others != [ids, targets]
    for name in ours:
        one, another = microgpt.dense(ours[name]), microgpt.dense(theirs[name])
        assert (one == another).all()


def test_steps_are_those_of_the_engine_on_names_that_are_not_filled_up():
    model, program = lowered()
    start = {name: array.copy() for name, array in program.parameters.items()}
    losses = microgpt.trained(model, program, 4, 1)
    for name, array in start.items():
        program.parameters[name][...] = array
    eager = microgpt.by_the_engine(microgpt.GPT(block=6), 4, 1)
    assert losses == pytest.approx(eager, rel=1e-12)


def test_attention_stands_in_at_most_72_lines():
    _, program = lowered()
    assert program.source.count("  # (") <= 72
    assert any(line.startswith("scores = past") for line in microgpt.attention(program.source))


@pytest.mark.parametrize(
    "choices",
    [  # positions, layers, heads, tied, power of the ReLU, keys appended
        (8, 1, 4, False, 2, False),
        (8, 2, 2, True, 1, False),
        (16, 1, 1, True, 2, False),
        (8, 1, 2, True, 1, True),
        (8, 2, 4, False, 2, True),
    ],
    ids=str,
)
def test_the_gradients_of_a_gpt_are_those_of_the_engine(choices):
    assert gpt_models.fault(*gpt_models.lowered(*choices, 4)) == ""


@pytest.mark.parametrize("heads", [1, 4])
def test_keys_that_are_appended_make_no_position_stand_apart(heads):
    """A softmax of one number, and one product, join those of 2, 3, ..."""
    _, program, _ = gpt_models.lowered(6, 1, heads, False, 2, True)
    assert program.source.count("  # (") <= 72
    assert forward(program).count("exp(") == 2  # of the scores, and of the logits
    assert "(B, 5" not in program.source


def test_what_is_added_by_a_table_lies_as_it_is_added():
    """Each position attends to those before it: numerators Σ e v, of several lengths."""
    rng = random.Random(0)
    Q, K, V = (matrix(rng, 3, 3) for _ in range(3))

    def loss(X):
        keys, values, total = [], [], 0.0
        for x in X:
            q = [dot(row, x) for row in Q]
            keys.append([dot(row, x) for row in K])
            values.append([dot(row, x) for row in V])
            e = [dot(q, k).exp() for k in keys]
            whole = sum(e)
            out = [dot(e, [v[j] for v in values]) / whole for j in range(3)]
            total = total + sum(v * v for v in out)
        return total

    sample = [[rng.uniform(-1, 1) for _ in range(3)] for _ in range(4)]
    source = lower(loss, sample, parameters={"Wq": Q, "Wk": K, "Wv": V}).source
    assert "scatter(t5 * t3[:, :, None], (B, 4, 3), s_[:, i1])" in source
    assert "swapaxes" not in source and "transpose" not in source, source
    assert failures_on_a_batch(loss, (np.array(sample),), 0) == {}


def test_a_product_beside_sums_of_one_length_stays_a_product():
    w = [Value(0.5 + i) for i in range(4)]
    program = lower(
        lambda x: dot(x[:2], w[:2]).tanh() + dot(x[2:], w[2:]).tanh() + (x[0] * w[3]).tanh(),
        [0.1, 0.2, 0.3, 0.4],
        parameters={"w": w},
    )
    assert "scatter" not in program.source and "[:, i" not in program.source


def test_sums_beside_some_of_several_lengths_are_parted_by_no_user():
    rng = random.Random(2)
    V, W = matrix(rng, 3, 4), matrix(rng, 4, 4)

    def loss(x):
        ragged = [dot(V[n - 2][:n], x[:n]) for n in (2, 3, 4)]
        a, b, c, d = (dot(row, x) for row in W)
        return sum(z.tanh() for z in (*ragged, a, b)) + c.sigmoid() + d.sigmoid()

    assert "z = x @ W.T " in lower(loss, [0.1, 0.2, 0.3, 0.4]).source


class TestOutputs:
    """A function that returns lists of Values."""

    W = matrix(random.Random(3), 2, 3)

    def several(self, x):
        return [[(w * v).tanh() for w, v in zip(row, x)] for row in self.W]

    def test_a_program_returns_arrays_and_takes_upstream_gradients(self):
        program = lower(self.several, [0.1, 0.2, 0.3], parameters={"W": self.W})
        rng = np.random.default_rng(4)
        x, upstream = rng.normal(size=(4, 3)), rng.normal(size=(4, 2, 3))
        W = np.array([[v.data for v in row] for row in self.W])
        right = np.tanh(W * x[:, None])
        np.testing.assert_allclose(program(x), right, rtol=1e-15)
        local = (1 - right**2) * upstream
        out, gradients = program.vjp(x, upstream=upstream, wrt_inputs=True)
        np.testing.assert_allclose(out, right, rtol=1e-15)
        np.testing.assert_allclose(gradients["W"], (local * x[:, None]).sum(0), rtol=1e-13)
        np.testing.assert_allclose(gradients["x"], (local * W).sum(1), rtol=1e-13)
        assert set(program.vjp(x, upstream=upstream)[1]) == {"W"}

    def test_outputs_are_new_each_time(self):
        program = lower(lambda x: [v + 0 for v in x], [0.1, 0.2])
        x = np.array([[1.0, 2.0]])
        out = program(x)
        out[...] = 7
        assert x.tolist() == [[1, 2]] and program(x).tolist() == [[1, 2]]

    def test_ragged_outputs_are_refused(self):
        with pytest.raises(ValueError, match="what the function returns is ragged"):
            lower(lambda x: [[x[0]], [x[0], x[1]]], [0.1, 0.2])

    def test_an_upstream_of_another_shape_is_refused(self):
        program = lower(self.several, [0.1, 0.2, 0.3], parameters={"W": self.W})
        with pytest.raises(ValueError, match="upstream"):
            program.vjp([[1, 2, 3]], upstream=[[1, 2, 3]])


def test_nested_lists_are_labelled_by_their_places():
    rows = matrix(random.Random(0), 2, 2)
    assert labelled(rows, "W") is rows
    assert [v.label for row in rows for v in row] == ["W0,0", "W0,1", "W1,0", "W1,1"]
    labelled(rows, "W2")  # W2,0,1 might be in W
    assert [v.label for row in rows for v in row][:3] == ["W2[0,0]", "W2[0,1]", "W2[1,0]"]
    assert labelled(rows[0], "b1")[1].label == "b1[1]" and rows[1][1].label == "W2[1,1]"
    assert labelled(Value(1.0), "w1").label == "w1"
    assert labelled(Value(1.0), "b").label == "b"


def test_an_irregular_graph_has_outputs_too():
    w = [Value(random.Random(i).uniform(-1, 1)) for i in range(5)]

    def loss(x):
        rng, pool = random.Random(3), [*x, *w]
        for _ in range(1500):
            a, b = rng.choice(pool[-60:]), rng.choice(pool)
            which = rng.randrange(5)
            pool.append((a + b, a * b * 0.3, a.tanh(), (a - b).sin(), a.max(b))[which])
        return pool[-3:]

    program = lower(loss, [0.1, 0.2, 0.3], parameters={"w": w})
    assert "operations" in program.source.lower()
    batch, upstream = np.random.default_rng(0).normal(size=(2, 4, 3))
    outputs, gradients = program.vjp(batch, upstream=upstream, wrt_inputs=True)
    np.testing.assert_array_equal(outputs, program(batch))
    for value in w:
        value.grad = 0.0
    for sample, factors, row, slopes in zip(batch, upstream, outputs, gradients["x"]):
        xs = [Value(number) for number in sample]
        values = loss(xs)
        np.testing.assert_allclose(row, [v.data for v in values], rtol=1e-12)
        sum((v * u for v, u in zip(values, factors)), Value(0.0)).backward()
        np.testing.assert_allclose(slopes, [x.grad for x in xs], rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(gradients["w"], [v.grad for v in w], rtol=1e-9, atol=1e-12)
