"""Whole batches as one recorded graph: rows looked up by numbers of the code, a class of each."""

import random
from functools import reduce

import numpy as np
import pytest

from micrograd.engine import Value
from micrograd.functions import dot, mean, softmax
from micrograd.losses import cross_entropy
from micrograd.lowering import cache, lower
from micrograd.lowering.native.compiler import available
from micrograd.nn import one_hot
from tests.golden_models import MODELS
from tests.lowering_fuzz import TEXTS, Ready, failures_of
from tests.lowering_models import function, matrix, values
from tests.lowering_oracle import by_engine, natively

DATA = [((0, 0, 0), 1), ((0, 0, 1), 2), ((0, 1, 2), 3), ((1, 2, 3), 0), ((2, 3, 1), 5)]
GROUPS = (0, 1), (2,), (4, 3)


def drawn(**sizes):
    rng = random.Random(0)
    return {name: matrix(rng, *size) for name, size in sizes.items()}


def wrong(loss, **parameters):
    """Return what differs from `backward()` in the texts of a recorded loss."""
    program = lower(loss, parameters=parameters or None)
    return failures_of(Ready(program, None, [], by_engine(program)), TEXTS)


def tanh_layer(W, x):
    return [dot(row, x).tanh() for row in W]


def next_letter(E, W1, W2):
    """Return the loss of a network that tells a letter by the three before it."""
    contexts = [([v for i in ids for v in E[i]], y) for ids, y in DATA]
    return mean(
        [
            cross_entropy([dot(r, h) for r in W2], y)
            for h, y in ((tanh_layer(W1, x), y) for x, y in contexts)
        ]
    )


def test_rows_of_a_window_lie_side_by_side():
    p = drawn(E=(6, 2), W1=(4, 6), W2=(6, 4))
    text = function(lower(next_letter(**p), parameters=p))
    for line in (
        "x = E[i1].reshape(5, 6) ",
        "z1 = x @ W1.T ",
        "loss = (log(t3) - t1[arange(5), i2]).sum() / 5 ",
        "delta2 = 0.2 * (t2 / t3[:, None] - eye(6)[i2]) ",
        "dE = scatter((delta1 @ W1).reshape(5, 3, 2), (6, 2), s_[i1]) ",
    ):
        assert line in text, text
    assert wrong(next_letter(**p), **p) == {}


def test_rows_and_a_part_of_another_are_looked_up_number_by_number():
    p = drawn(E=(5, 3), W=(2, 7))
    E, ids = p["E"], ((0, 1, 2), (3, 1, 4), (2, 2, 0))
    loss = sum(sum(tanh_layer(p["W"], [*E[i], *E[j], E[k][0]])) for i, j, k in ids)
    text = function(lower(loss, parameters=p))
    assert "x = E[i1, i2] " in text and "z = x @ W.T " in text, text
    assert wrong(loss, **p) == {}


def test_rows_are_looked_up_once_for_all_that_they_are_multiplied_by():
    p = drawn(E=(5, 3), W=(4, 3), V=(2, 3))
    loss = sum(
        sum(tanh_layer(p["W"], p["E"][i])) * sum(tanh_layer(p["V"], p["E"][i])) for i in (4, 0, 1)
    )
    text = function(lower(loss, parameters=p))
    assert text.count("E[i1]") == 1 and "x @ W.T" in text and "x @ V.T" in text
    assert wrong(loss, **p) == {}


def test_each_of_some_rows_with_each_is_a_diagonal():
    p = drawn(W=(3, 4))
    x, y = (
        [[random.Random(n).gauss(0, 1) for n in range(s, s + 4)] for s in (k, k + 9, k + 20)]
        for k in (0, 40)
    )
    a, b = ([[dot(row, v) for row in p["W"]] for v in map(values, side)] for side in (x, y))
    loss = mean([cross_entropy([dot(u, v) for v in b], n) for n, u in enumerate(a)])
    assert "- eye(3)) / 3 " in function(lower(loss, parameters=p))
    assert wrong(loss, **p) == {}


def test_what_has_many_classes_makes_no_square_of_them():
    p, rng = drawn(E=(3, 2)), random.Random(4)
    U = matrix(rng, 120, 2)
    loss = mean([cross_entropy([dot(u, e) for u in U], y) for e, y in zip(p["E"], (7, 119, 0))])
    text = lower(loss, parameters=p | {"U": U}).source
    assert "eye(" not in text and "embed(1, (3, 120), s_[arange(3), i1])" in text
    traced = lower(
        lambda x, y: cross_entropy([dot(u, x) for u in U], one_hot(y, 120)), [0.1, 0.2], 3
    )
    assert "one_hot = where(y[:, None] == i1, 1.0, 0.0) " in traced.source
    few = lower(
        lambda x, y: cross_entropy([dot(u, x) for u in U[:9]], one_hot(y, 9)), [0.1, 0.2], 3
    )
    assert "one_hot = eye(9)[y] " in few.source
    assert wrong(loss, **p, U=U) == {}


@pytest.mark.parametrize("classes, samples", [(2, 2), (3, 2)])
def test_what_is_left_of_one_is_known_the_other_way_round_too(classes, samples):
    p = drawn(E=(samples, 3), W=(classes, 3))
    h = [[dot(row, x).sigmoid() for row in p["W"]] for x in p["E"]]
    loss = sum((1 - h[n][c]).log() for c in range(classes) for n in range(samples))
    assert "delta = -h " in function(lower(loss, parameters=p))
    assert wrong(loss, **p) == {}


def test_what_a_column_leaves_of_one_is_not_known_of_the_others():
    p = drawn(E=(3, 3), W=(2, 3))
    h = [[dot(row, x).sigmoid() for row in p["W"]] for x in p["E"]]
    assert wrong(sum((1 - row[0]).log() + row[0] * row[1] for row in h), **p) == {}


def test_bigrams_by_counts_go_back_as_shares_less_counts():
    p, pairs = drawn(W=(4, 4)), ((0, 1), (0, 3), (1, 0), (1, 2), (2, 0), (3, 1))
    powers = [[w.exp() for w in p["W"][a]] for a, _ in pairs]
    loss = -mean([(row[b] / sum(row)).log() for row, (_, b) in zip(powers, pairs)])
    text = function(lower(loss, parameters=p))
    assert "dt2 = scatter(1 / t2[i1] / 6, (4,), s_[i1]) " in text
    assert "dW = dt2[:, None] * t1 - embed(0.16666666666666666, (4, 4), s_[i1, i2]) " in text
    assert wrong(loss, **p) == {}


def test_two_classes_of_each_row_are_no_row_of_eye():
    p = drawn(E=(3, 2), W=(4, 2))
    shares = [softmax([dot(w, e) for w in p["W"]]) for e in p["E"]]
    classes = ((0, 2), (3, 1), (2, 1))
    loss = -sum(row[y].log() for row, two in zip(shares, classes) for y in two)
    assert "embed(1, (3, 4), " in function(lower(loss, parameters=p))
    assert wrong(loss, **p) == {}


def test_text_is_the_same_where_numpy_counts_in_32_bits(monkeypatch):
    """NumPy 1 does on Windows."""
    real, p = np.arange, drawn(E=(3, 2), W=(4, 2))
    shares = [softmax([dot(w, e) for w in p["W"]]) for e in p["E"]]
    loss = -sum(row[y].log() for row, two in zip(shares, ((0, 2), (3, 1), (2, 1))) for y in two)

    def texts():
        cache.forget()
        return lower(loss, parameters=p).source, MODELS["attention_recorded"]().program.source

    usual = texts()
    monkeypatch.setattr(np, "arange", lambda *a, **k: real(*a, **{"dtype": np.int32} | k))
    assert texts() == usual


def test_what_is_read_whole_in_another_order_has_one_number_for_its_adjoint():
    p = drawn(u=(1, 3), w=(1, 3))
    (u,), (w,) = p["u"], p["w"]
    loss = sum((u[i].tanh() + w[j].tanh()) / 4 for i, j in ((0, 2), (1, 0), (2, 1)))
    assert "dw = (0.25 * (1 - t2 * t2)).reshape(1, 3) " in function(lower(loss, parameters=p))
    assert wrong(loss, **p) == {}


def test_a_gradient_that_is_another_one_transposed_is_not_that_one():
    p = drawn(W=(3, 3), V=(3, 3))
    W, V = p["W"], p["V"]
    places = [(i, j) for i in range(3) for j in range(3)]
    loss = sum((i + 2 * j + 1) * (W[j][i] + V[i][j].sin()).tanh() for i, j in places)
    assert "dW = t2.T.copy() " in function(lower(loss, parameters=p))
    assert wrong(loss, **p) == {}


def test_a_sum_over_what_one_class_is_read_of_stays_a_sum():
    p, numbers = drawn(Z=(3, 3)), ((0.5, 2.0), (1.0, -3.0), (0.1, 0.2))
    logs = [[share.log() for share in softmax(row)] for row in p["Z"]]
    scores = [[sum(v * c for c in row) for v, row in zip(logs[n], numbers)] for n in (2, 0, 1)]
    loss = sum(cross_entropy(row, y) for row, y in zip(scores, (0, 0, 2)))
    assert wrong(loss, **p) == {}


def test_a_weight_of_each_sample_is_a_factor_of_p_minus_y():
    p = drawn(E=(4, 2), W=(3, 2), c=(1, 3))
    scores = [[dot(row, p["E"][i]) for row in p["W"]] for i in (3, 1, 0)]
    loss = sum(c * cross_entropy(z, y) for c, z, y in zip(p["c"][0], scores, (2, 0, 2)))
    text = function(lower(loss, parameters=p))
    assert "delta = cs[:, None] * (t2 / t3[:, None] - eye(3)[i2]) " in text, text
    assert wrong(loss, **p) == {}


def test_a_sample_that_is_there_again_counts_again():
    p = drawn(E=(2, 2), W=(2, 2))
    for samples in ((0, 1, 0), (0, 0, 1)):
        shares = [softmax([dot(row, p["E"][i]) for row in p["W"]]) for i in samples]
        entropies = [sum(v * v.log() for v in share) for share in shares]
        loss = mean([-s[i].log() + 0.1 * e for e, s, i in zip(entropies, shares, samples)])
        assert wrong(loss, **p) == {}, samples


def test_sums_of_some_rows_each_are_added_up_behind_one_product():
    p = drawn(W=(5, 3), x=(1, 3))
    (x,) = p["x"]
    loss = sum(sum(w * v for i in rows for w, v in zip(p["W"][i], x)).tanh() for rows in GROUPS)
    text = function(lower(loss, parameters=p))
    for line in ("t1 = tanh(scatter(W @ x[0], (3,), s_[i1])) ", "dW = t2[i1][:, None] * x[0] "):
        assert line in text, text
    assert wrong(loss, **p) == {}


def test_several_of_a_are_no_word_of_python():
    a, i = matrix(random.Random(1), 2, 3)
    loss = sum(v * v * u for v, u in zip([a[2], a[0], a[1]], i)) + dot(i, [a[2], a[0], a[1]])
    assert "is_ = i[i1] " in function(lower(loss, parameters={"a": a, "i": i}))
    assert wrong(loss, a=a, i=i) == {}


def batch(rng):
    """Return a random loss of samples that look rows up, and its parameters."""
    words, size, width, hidden, classes = (rng.randint(2, 4) for _ in range(5))
    count = rng.randint(2, 6)
    layout = rng.choice(("beside", "sum", "first", "each", "pairs", "some", "largest", "placed"))
    inputs = size * width if layout == "beside" else size
    p = {"E": matrix(rng, words, size), "W": matrix(rng, hidden, inputs)}
    p |= {"U": matrix(rng, classes, hidden), "A": matrix(rng, hidden, inputs)}
    p |= {"P": matrix(rng, rng.randint(2, 3), size)}
    total = 0
    for n in range(count):
        ids = [rng.randrange(words) for _ in range(width)]
        rows = [p["E"][i] for i in ids]
        x = {
            "beside": [v for row in rows for v in row],
            "sum": [sum(column) for column in zip(*rows)],
            "first": rows[0],
            "each": rows[0],
            "pairs": [u * v for u, v in zip(rows[0], rows[-1])],
            "some": [sum(column) for column in zip(*rows[: rng.randint(1, width)])],
            "placed": [u + v for u, v in zip(rows[0], p["P"][n % len(p["P"])])],
            "largest": [reduce(Value.max, column) for column in zip(*rows)],
        }[layout]
        h = tanh_layer(p["W"], x)
        if layout == "each":
            h = [sum(column) for column in zip(*(tanh_layer(p["W"], row) for row in rows))]
        if rng.random() < 0.2:
            h = [a + dot(row, x) for a, row in zip(h, p["A"])]
        scores = [dot(row, h) for row in p["U"]]
        total = total + (
            cross_entropy(scores, rng.randrange(classes))
            if rng.random() < 0.8
            else -softmax(scores)[rng.randrange(classes)].log()
        )
    return total / count + 0.01 * sum(dot(row, row) for row in (*p["A"], *p["P"])), p


@pytest.mark.skipif(not available(), reason="there is no C compiler")
@pytest.mark.parametrize("number", [0, 1, 2, 60014])  # the last one GCC 12.2 got wrong, by SLP
def test_random_batches_natively(number):
    loss, parameters = batch(random.Random(number))
    program = lower(loss, parameters=parameters)
    right = by_engine(program)
    assert failures_of(Ready(program, natively(program), [], right), ("c",)) == {}


@pytest.mark.parametrize("seed", range(6))
def test_random_batches(seed):
    for number in range(15 * seed, 15 * seed + 15):
        loss, parameters = batch(random.Random(number))
        assert wrong(loss, **parameters) == {}, number


def test_attention_over_several_documents_is_that_of_each():
    rng, documents = random.Random(3), (((0, 1, 2), (1, 4, 3)), ((4, 4, 1), (0, 1, 2)))
    p = {"E": matrix(rng, 5, 4), "P": matrix(rng, 3, 4), "U": matrix(rng, 5, 4)}
    p |= {name: matrix(rng, 4, 4) for name in ("Wq", "Wk", "Wv")}
    losses = []
    for ids, next_ids in documents:
        x = [[a + b for a, b in zip(p["E"][i], row)] for i, row in zip(ids, p["P"])]
        q, k, v = ([[dot(w, row) for w in p[name]] for row in x] for name in ("Wq", "Wk", "Wv"))
        for t, y in enumerate(next_ids):
            weights = softmax([dot(q[t], key) / 2 for key in k])
            out = [dot(weights, column) for column in zip(*v)]
            losses.append(cross_entropy([dot(row, out) for row in p["U"]], y))
    text = function(lower(mean(losses), parameters=p))
    for line in (
        "t1 = E[i1] + P                                # (2, 3, 4)",
        "t2 = z_q @ z_k.swapaxes(-1, -2) / 2 ",
        "(log(t8) - t6[arange(2)[:, None], arange(3), i2]).sum() / 6 ",
        "delta = (t7 / t8[:, :, None] - eye(5)[i2]) / 6 ",
        "delta_v = t4.swapaxes(-1, -2) @ dt5 ",
        "dE = scatter(dt1, (5, 4), s_[i1]) ",
    ):
        assert line in text, text
    assert wrong(mean(losses), **p) == {}
