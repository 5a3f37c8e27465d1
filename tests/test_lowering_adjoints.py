"""Adjoints as a book has them: p - q of cross-entropy, the slope of softmax (L8, L28)."""

import random
import re

import numpy as np
import pytest

from micrograd.engine import Value
from micrograd.functions import dot, log_softmax, logsumexp, mean, softmax
from micrograd.losses import cross_entropy
from micrograd.lowering import lower
from micrograd.lowering.adjoints import known as adjoints_known
from micrograd.lowering.adjoints.terms import divided_by, renamed
from micrograd.lowering.arrays.ir import Term
from micrograd.nn import Embedding, one_hot
from micrograd.registry import register
from tests.lowering_fuzz import failures_on_a_batch
from tests.lowering_models import function, values

X = [0.5, -1.0, 2.0]
W = values([[0.1, 0.2, 0.3], [0.3, -0.1, 0.2], [-0.2, 0.4, 0.1], [0.5, 0.1, -0.3]])
Q = [0.1, 0.2, 0.3, 0.4]
T = values([2.0])[0]
S = values(Q)


def scores(x):
    return [dot(row, x) for row in W]


def by_hand(x):
    """Return the probabilities as a beginner writes them."""
    powers = [z.exp() for z in scores(x)]
    total = sum(powers)
    return [power / total for power in powers]


def logistic(p, y):
    return -(y * p.log() + (1 - y) * (1 - p).log())


def normed(row):
    size = mean([z * z for z in row]).sqrt()
    return [z / size for z in row]


def attended(q, keys):
    weights = softmax([dot(q, k) for k in keys])
    return sum(dot(weights, column).tanh() for column in zip(*keys))


BOOK = {
    "of a class": (
        lambda x, y: cross_entropy(scores(x), one_hot(y, 4)),
        (X, 2),
        "delta = (t2 / t3[:, None] - one_hot) / B ",
    ),
    "of classes": (
        lambda x, q: cross_entropy(scores(x), q),
        (X, Q),
        "delta = ((q.sum(-1) / t3)[:, None] * t2 - q) / B ",
    ),
    "of a class in the code": (
        lambda x: cross_entropy(scores(x), 2),
        (X,),
        "delta = (t2 / t3[:, None] - eye(4)[2]) / B ",
    ),
    "with a weight": (
        lambda x, y, w: w * cross_entropy(scores(x), one_hot(y, 4)),
        (X, 2, 0.5),
        "delta = w[:, None] * (t2 / t3[:, None] - one_hot) / B ",
    ),
    "of what is picked": (
        lambda x, y: logsumexp(scores(x)) - dot(one_hot(y, 4), scores(x)),
        (X, 2),
        "delta = (t1 / t2[:, None] - one_hot) / B ",
    ),
    "along a sequence": (
        lambda xs, ys: sum(cross_entropy(scores(x), one_hot(y, 4)) for x, y in zip(xs, ys)),
        ([X, X], [2, 0]),
        "delta = (t2 / t3[:, :, None] - one_hot) / B ",
    ),
    "in two steps": (
        lambda x, q: -dot(q, [p.log() for p in softmax(scores(x))]),
        (X, Q),
        "delta = (t2 * q.sum(-1)[:, None] - q) / B ",
    ),
    "in two steps, of a class": (
        lambda x, y: -dot(one_hot(y, 4), [p.log() for p in by_hand(x)]),
        (X, 2),
        "delta = (t2 - one_hot) / B ",
    ),
    "of the probability that is picked": (
        lambda x, y: -dot(one_hot(y, 4), by_hand(x)).log(),
        (X, 2),
        "delta = (t2 - one_hot) / B ",
    ),
    "of those that are picked along a sequence": (
        lambda xs, ys: -sum(dot(one_hot(y, 4), by_hand(x)).log() for x, y in zip(xs, ys)),
        ([X, X], [2, 0]),
        "delta = (t2 - one_hot) / B ",
    ),
    "of a logistic unit": (
        lambda x, y: logistic(dot(W[0], x).sigmoid(), y),
        (X, 1.0),
        "(t1 * h - y * t2) / B @ x",
    ),
    "of gates": (
        lambda x, h: sum(
            (1 - a) * b.tanh() + a * b for a, b in zip(map(Value.sigmoid, scores(x)), h)
        ),
        (X, Q),
        "delta = (h - t1) * h_2 * t2 / B ",
    ),
    "by hand": (
        lambda x, q: dot(q, by_hand(x)),
        (X, Q),
        "delta = t2 * (q - t3[:, None]) / B ",
    ),
    "of a sigmoid": (
        lambda x, y: -(dot(W[0], x) * y).sigmoid().log(),
        (X, 1.0),
        "embed((t1 - 1) * y / B @ x, ",
    ),
    "of a norm": (
        lambda x, g: sum((a * v).tanh() for a, v in zip(g, normed(scores(x)))),
        (X, Q),
        "delta = (dt2 - 0.25 * t2 * (dt2 * t2).sum(-1)[:, None]) / t1[:, None] ",
    ),
    "of a negative sample": (
        lambda x, y: -(-dot(W[0], x) * y).sigmoid().log(),
        (X, 1.0),
        "embed((1 - t1) * y / B @ x, ",
    ),
    "of a class, by its probability": (
        lambda x: -softmax(scores(x))[2].log(),
        (X,),
        "delta = (t1 / t2[:, None] - eye(4)[2]) / B ",
    ),
    "of a class of each row": (
        lambda x: -mean([softmax(scores(row))[c].log() for row, c in zip(x, (1, 0, 3))]),
        ([X, X[::-1], X],),
        "delta = (t1 / t2[:, :, None] - eye(4)[i1]) / 3 / B ",
    ),
    "of a class of each row, weighted": (
        lambda x, w: mean([v * -softmax(scores(r))[c].log() for v, r, c in zip(w, x, (1, 0, 3))]),
        ([X, X[::-1], X], X),
        "delta = w[:, :, None] * (t1 / t2[:, :, None] - eye(4)[i1]) / 3 / B ",
    ),
    "of a class and a penalty": (
        lambda x: mean([0.1 * dot(r, r) - softmax(r)[0].log() for r in map(scores, x)]),
        ([X, X[::-1], X],),
        "delta = ((t1 / t2[:, :, None] - eye(4)[0]) / 3 + z / 15) / B ",
    ),
    "of a class and a penalty behind it": (
        lambda x: mean([-softmax(r)[0].log() + 0.1 * dot(r, r) for r in map(scores, x)]),
        ([X, X[::-1], X],),
        "delta = ((t2 / t3[:, :, None] - eye(4)[0]) / 3 + z / 15) / B ",
    ),
    "of a temperature": (
        lambda x, y: cross_entropy([z / T for z in scores(x)], one_hot(y, 4)),
        (X, 2),
        "dT = -(dt2 * t1).sum() / T ",
    ),
    "of sizes": (
        lambda x: sum((z / s).tanh() for z, s in zip(scores(x), S)),
        (X,),
        "dS = -(dt1 * t1).sum(0) / S ",
    ),
    "of a heavy tail": (
        lambda x: sum(2 * (1 + z * z / 3).log() for z in scores(x)),
        (X,),
        "delta = 4 * z / t1 / 3 / B ",
    ),
    "of attention": (
        lambda q, keys: attended(scores(q), [scores(key) for key in keys]),
        (X, [X, [1.0, 0.0, 1.0]]),
        "t7 = t3 * (dt3 - (dt3 * t3).sum(-1)[:, None]) ",
    ),
}


@pytest.mark.parametrize("name", BOOK)
def test_cross_entropy_and_softmax_go_back_as_in_the_notes(name):
    loss, sample, line = BOOK[name]
    text = function(lower(loss, *sample))
    assert line in text, text


def test_what_is_taken_away_stands_behind():
    text = function(lower(lambda x, y: -2 * x * x + y, 0.5, 1.0))
    assert "t1 = y - 2 * x * x " in text, text


def test_index_notation_too_has_the_target_behind():
    loss, sample, _ = BOOK["of a class"]
    text = lower(loss, *sample).explain("adjoints")
    assert "= t2[i] / t3 - one_hot[i] " in text, text


def test_factors_over_the_same_axes_are_multiplied_before_a_sum_of_matrices():
    by_square = register("by_square", "x * y * y", ["y * y", "2 * x * y"])

    def loss(x):
        return sum(sum(by_square(w, v) for w, v in zip(row, x)).tanh() for row in W)

    text = function(lower(loss, X))
    assert "dW = t3.T @ (x * x) " in text, text


def test_a_part_of_a_complement_is_not_read_by_the_name_of_the_whole():
    rest = register("rest", "y - x * y", ["-y", "1 - x"])

    def loss(x):
        h = [z.sigmoid() for z in scores(x)]
        left = sum(rest(v, w.tanh()) for v, w in zip(h[1:3], x))
        return sum((1 - v) * q for v, q in zip(h, Q)) + left

    assert failures_on_a_batch(loss, (np.array(X),), 3) == {}


def test_looked_up_rows_need_not_add_up_to_one():
    rows = Embedding(5, 4)
    text = function(lower(lambda x, i: -dot(rows(i), log_softmax(scores(x))), X, 2))
    assert ".sum(-1)" in text.partition("# backward")[2]


def test_a_delta_that_others_read_is_not_dissolved():
    """For 1 / B, which both terms of dT have, the name of a state's delta would go."""
    T = values([[0.5, 0.5], [0.2, 0.8]])

    def loss(x):
        state = x[0]
        for emitted in x[1:]:
            inward = [dot(state, column) for column in zip(*T)]
            state = [a * e for a, e in zip(inward, emitted)]
        return sum(state).log()

    text = function(lower(loss, [[0.5, 0.5], [0.9, 0.1], [0.2, 0.7]], parameters={"T": T}))
    assert "dT = t1.T @ delta_2 + " in text, text


def test_a_gradient_of_a_leaf_is_not_dissolved_in_that_of_another():
    """dx = dt / x - dt t / x has db = dt / x within."""

    def loss(x, b):
        return sum(((v + a) / v).tanh() for v, a in zip(x, b))

    assert failures_on_a_batch(loss, [np.array(X), np.array(X)], 1) == {}


@pytest.mark.parametrize("number", [1, 2])
def test_what_a_number_leaves_has_a_name_in_the_slope_where_that_is_1(number):
    """The slope of a sigmoid is h (1 - h)."""

    def loss(x):
        return sum((number - z.sigmoid()).tanh() for z in scores(x))

    assert failures_on_a_batch(loss, [np.array(X)], 1) == {}
    assert ("* h * t1 / B" in function(lower(loss, X))) == (number == 1)


def test_a_power_over_a_weighted_sum_of_powers():
    def loss(x, q):
        powers = [z.exp() for z in scores(x)]
        return (powers[1] / dot(q, powers)).tanh()

    assert failures_on_a_batch(loss, [np.array(X), np.array(Q)], 1) == {}


def test_twice_a_sum_of_the_way_forward_is_not_that_sum():
    """dp - Σ dp p has Σ q p within, which has a name where the way forward has it once."""

    def loss(x, q):
        p = by_hand(x)
        return sum(a * b for a, b in [*zip(q, p)] * times).tanh()

    for times in (1, 2):
        assert failures_on_a_batch(loss, [np.array(X), np.array(Q)], 1) == {}
        named = "(q - t3[:, None])" in function(lower(loss, X, Q))
        assert named == (times == 1)


def test_what_is_read_by_a_table_too_is_not_dissolved():
    """Each sum has several shares in it, and is divided by one of them."""

    def loss(x):
        a = [score.sigmoid() for score in scores(x)]
        z = [sum(a[: i + 1]) + part * a[3 - i] for i, part in enumerate(a)]
        return sum((total / part) ** 2 for total, part in zip(z, a))

    assert failures_on_a_batch(loss, [np.ones(3)], 0) == {}


def test_what_is_added_at_places_is_not_dissolved_where_that_is_added_at_others():
    (w,) = values([0.5])

    def loss(x):
        scores = [w * a for a in x]
        lowest = [scores[i].min(score) for i, score in zip((0, 0, 2, 2, 4), scores)]
        return sum(sum([lowest[i]] * 6).tanh() for i in (0, 1, 2, 2, 3, 4))

    assert failures_on_a_batch(loss, [np.array([0.1, -0.2, 0.5, 0.4, 0.7])], 0) == {}


def test_what_is_near_the_largest_number_is_divided_before_it_is_added():
    (w,) = values([0.2])

    def loss(x):
        return (w * x).sigmoid() * (w * x) * 1.7e308

    for x in (2.0, 0.1):
        loss(Value(x)).backward(0.5)
    assert lower(loss, 0.1).value_and_grad([2.0, 0.1])[1]["w"] == pytest.approx(w.grad, rel=1e-12)


def test_an_adjoint_that_is_no_product_in_part_is_not_dissolved():
    """dp has what W sends to the first two probabilities beside what Q sends to all."""

    def loss(x):
        p = by_hand(x)
        return dot(p, Q) + sum(dot(row[:2], p[:2]).tanh() for row in W)

    assert failures_on_a_batch(loss, [np.array(X)], 1) == {}


def quotients(x, row):
    """Return a weighted sum of logarithms of powers, each divided by the sum of a row of them."""
    powers = [[(a * b).exp() for b in scores(x)] for a in scores(x)]
    totals = [sum(powers) for powers in powers]
    parts = [[p / totals[row(i, j)] for j, p in enumerate(r)] for i, r in enumerate(powers)]
    return sum(q.log() * w for part in parts for q, w in zip(part, Q))


@pytest.mark.parametrize(
    ("loss", "cancelled"),
    [
        (lambda x: quotients(x, lambda i, j: i), True),
        (lambda x: quotients(x, lambda i, j: j), False),  # of another row: may be any size
        (lambda x: sum((v.exp() / sum(w.exp() for w in x[:2])).log() * v for v in x), False),
        (lambda x: sum((v * v / sum(w * w for w in x)).log() * v for v in x), False),
        (lambda x: sum((1 - v).exp() * v for v in x), False),  # no more than v
    ],
)
def test_only_what_is_never_infinite_cancels(loss, cancelled):
    program = lower(loss, X)
    arrays = program.lowered.arrays.arrays
    assert bool(adjoints_known.known_of(arrays).bounded) == cancelled
    assert failures_on_a_batch(loss, (np.array(X),), 3) == {}


@pytest.mark.parametrize(
    ("loss", "is_picked"),
    [
        (lambda x, ys: -dot(one_hot(ys[0], 4), by_hand(x)).log(), True),
        (lambda x, ys: -dot(one_hot(ys[0], 4), [z.exp() for z in scores(x)]).log(), False),
        (lambda x, ys: dot(one_hot(ys[0], 4), by_hand(x)) / dot(one_hot(ys[1], 4), Q), False),
        (lambda x, ys: -(dot(one_hot(ys[0], 4), by_hand(x)) + Q[0]).log(), False),
        (lambda x, ys: -sum(dot(one_hot(y, 4), by_hand(x)) for y in ys).log(), False),
        (lambda x, ys: -sum(a * b * c for a, b, c in zip(picks(ys), by_hand(x), Q)).log(), False),
    ],
)
def test_what_a_one_hot_picks_is_divided_by_itself_only(loss, is_picked):
    """Numbers that may be infinite, another's pick, more than what is picked are not it."""
    assert failures_on_a_batch(loss, [np.array(X), np.array([2, 0])], 1) == {}
    picked = re.search(r"\(t\d - one_hot\) / B", function(lower(loss, X, [2, 0])))
    assert bool(picked) == is_picked


def test_what_is_picked_in_a_row_is_not_divided_by_that_of_another():
    """In four rows of four classes, u[i,j] / t[j] beside one_hot[i,j] is not 1."""

    def loss(xs, ys):
        return sum(dot(one_hot(y, 4), by_hand(x)).tanh() for x, y in zip(xs, ys))

    arrays = lower(loss, [X] * 4, [2, 0, 3, 1]).lowered.arrays.arrays
    known = adjoints_known.known_of(arrays)
    one_hots = next(a for a in arrays if a.lookup)
    total = next(a for a in known.sums if one_hots in [read.array for read in a.reads])
    share = next(read.array for read in total.reads if read.array is not one_hots)
    for along, count in ((0, 2), (1, 0)):
        divisor = divided_by(renamed(total.whole, {0: along}))
        term = Term((one_hots.whole, share.whole, divisor), share.axes)
        assert len(adjoints_known.picked(term, known)) == count


def test_one_hot_and_what_it_picks_are_told_by_the_sum_itself():
    def loss(x, y, other, ids):
        p, powers = by_hand(x), [z.exp() for z in scores(x)]
        several = sum(a * b for i in ids for a, b in zip(one_hot(i, 4), p))
        pairs = (one_hot(y, 4), p), (one_hot(y, 4), powers), (one_hot(other, 4), p)
        return sum(dot(*pair).tanh() for pair in pairs) + several.tanh()

    arrays = lower(loss, X, 2, 0, [1, 3]).lowered.arrays.arrays
    known = adjoints_known.known_of(arrays)
    totals = {frozenset(read.array for read in t.reads): a for a, t in known.sums.items()}
    rows, hot, other = (a for a in arrays if a.lookup)
    powers = next(a for a in arrays if a.formula and a.formula.op == "exp")
    share = next(a for a in known.bounded if a.formula and a.shape == (4,))

    def removed(one_hot, u, *of, beside=()):
        divisor = divided_by(totals[frozenset(of)].whole)
        term = Term((*(a.whole for a in (*beside, one_hot, u)), divisor), u.axes)
        return [
            read.array for factor in adjoints_known.picked(term, known) for read in factor.reads
        ]

    assert removed(hot, share, hot, share) == [totals[frozenset((hot, share))], share]
    assert removed(hot, share, hot, share, beside=[other]) == removed(hot, share, hot, share)
    assert removed(hot, share, other, share) == []  # which another one picks
    assert removed(other, share, hot, share) == []
    assert removed(hot, powers, hot, powers) == []  # which may be infinite
    assert removed(hot, powers, hot, share) == []
    assert removed(rows, share, rows, share) == []  # of several


def picks(ys):
    return [a + b for a, b in zip(one_hot(ys[0], 4), one_hot(ys[1], 4))]


def test_a_gradient_that_is_dissolved_is_a_part_of_the_line_it_went_to():
    loss, sample, line = BOOK["of a class"]
    program = lower(loss, *sample)
    there = 1 + next(n for n, text in enumerate(program.source.splitlines()) if line in text)
    powers = [v for v in program.graph.values if v._op == "exp"]
    spots = {program.line_of_gradient(power)[:3] for power in powers}
    assert spots == {("within", "delta", there)}


def test_what_cancels_leaves_no_line_that_nothing_uses():
    w = values([0.7])[0]
    text = function(lower(lambda x: sum((a * w).tanh() * a.sigmoid() / a.sigmoid() for a in x), X))
    names = re.findall(r"^    (\w+) = ", text, re.M)
    assert [name for name in names if len(re.findall(rf"\b{name}\b", text)) < 2] == [], text


def weighed_by_class(x, y, q):
    total = logsumexp(scores(x))
    return sum(a * (b * (total - z)) for a, b, z in zip(one_hot(y, 4), q, scores(x)))


def squares_and_products(x, a, b):
    h = [z.tanh() for z in scores(x)]
    return sum(v * q * q for v, q in zip(h, b)) + sum(v * p * q for v, p, q in zip(h, a, b))


@pytest.mark.parametrize(
    ("loss", "sample"),
    [
        (weighed_by_class, (X, 2, Q)),  # Σj one_hot[j] q[j] is not 1
        (squares_and_products, (X, Q, Q)),  # b b and b a have one b in common
    ],
)
def test_what_is_taken_out_of_terms_is_what_each_has(loss, sample):
    assert failures_on_a_batch(loss, [*map(np.asarray, sample)], 1) == {}


# random


def shares(rng, rows):
    """Return the rows, each divided by a sum of its own, or of all rows, or by their neighbours."""
    kind = rng.randrange(7)
    if kind == 6:
        halves = [[v.sigmoid() for v in row] for row in rows]
        if rng.random() < 0.3:
            return [[logistic(h, v) for h, v in zip(*pair)] for pair in zip(halves, rows)]
        return [[h.log() * v - (1 - h).log() for h, v in zip(*pair)] for pair in zip(halves, rows)]
    if kind == 0:
        return [softmax(row) for row in rows]
    if kind == 1:
        return [[v - logsumexp(row) for v in row] for row in rows]
    powers = [[v.tanh().exp() for v in row] for row in rows]
    if kind == 2:
        totals = [sum(column) for column in zip(*powers)]
        return [[p / t for p, t in zip(row, totals)] for row in powers]
    if kind == 3:
        return [[p / (sum(row) + 1) for p in row] for row in powers]
    if kind == 4:
        return [[a / b for a, b in zip(row, [*row[1:], row[0]])] for row in powers]
    return [[p / sum(row) for p in row] for row in powers]


def standard(rng, rows):
    """Return the rows, centred or of one size or both."""
    if rng.random() < 0.7:
        rows = [[v - mean(row) for v in row] for row in rows]
    if rng.random() < 0.3:
        return rows
    return [[v / (mean([w * w for w in row]) + 0.1).sqrt() for v in row] for row in rows]


def mixed(rng, rows):
    """Return the rows times numbers, themselves or one another, or mixed with softmax of scores."""
    kind = rng.randrange(4)
    if kind == 0:
        return [[v * w for v, w in zip(row, W[0] * 2)] for row in rows]
    if kind == 1:
        return [[2 * v + v * v for v in row] for row in rows]
    if kind == 2:
        return [[v / w - u for v, w, u in zip(row, W[1][:1] * 9, row[::-1])] for row in rows]
    weights = [softmax([dot(row, other) for other in rows]) for row in rows]
    return [[dot(w, column) for column in zip(*rows)] for w in weights]


def picked(rng, rows, q, y, w):
    """Return one of the losses that rows of scores have."""
    kind = rng.randrange(12)
    if kind > 7:
        return chosen(rng, rows, w)
    if kind == 7:
        return mean([cross_entropy(row, n % len(row)) for n, row in enumerate(rows)])
    if kind == 0:
        return -sum(dot(q, log_softmax(row)) for row in rows)
    if kind == 1:
        return mean([b * cross_entropy(row, one_hot(y, len(row))) for row, b in zip(rows, w)])
    if kind == 2:
        return -sum(dot(q, [p.log() for p in softmax(row)]) for row in rows)
    if kind == 3:
        return -dot(q, log_softmax(rows[0])) + rows[-1][0] * w[0]
    if kind == 4:
        return sum(logsumexp(row) - b * row[-1] for row, b in zip(rows, w))
    if kind == 5:
        return sum((v - b) ** 2 for row, b in zip(rows, w) for v in row)
    return sum(dot(q, row) for row in rows) ** 2 / 3


def chosen(rng, rows, w):
    """Return a loss of the probability of one class of each row, which the code names."""
    classes = [rng.randrange(len(row)) for row in rows]
    shares = [softmax(row)[c] for row, c in zip(rows, classes)]
    kind = rng.randrange(6)
    if kind == 0:
        return -mean([b * p.log() for b, p in zip(w, shares)])
    if kind == 1:
        return sum(-(p * p).log() + p for p in shares)
    if kind == 2:
        return mean([-(p.log()) + 0.1 * dot(row, row) for p, row in zip(shares, rows)])
    if kind == 3:
        return -(shares[0] / shares[-1]).log() - shares[0].log() * w[-1]
    if kind == 4:
        return -mean([(p + 0.1).log() * (1 - p) ** 2 for p in shares])  # a focal loss
    return -mean([p.log() for p in shares])


def ratios(rng):
    """Return a random loss of quotients of rows, and a sample."""
    count, size, steps = rng.choice((1, 2, 3, 5)), rng.randint(2, 4), rng.randint(0, 3)
    plan = [(rng.choice([shares, standard, mixed]), rng.random()) for _ in range(steps)]
    last, divided = rng.random(), rng.random() < 0.3

    def loss(x, q, y, w):
        rows, total = x, 0
        for step, seed in plan:
            rows = step(random.Random(seed), rows)
            total = total + rows[0][-1] * w[-1]  # read by something else too
        value = picked(random.Random(last), rows, q, y, w)
        return (value + total * 0.1) / (1 + w[0] * w[0]) if divided else value

    x = np.round([[rng.gauss(0, 1) for _ in range(size)] for _ in range(count)], 1)
    return loss, (x, x[0] ** 2, np.array(rng.randrange(size)), np.full(count, 0.5))


@pytest.mark.parametrize("seed", range(8))
def test_random_losses_of_quotients(seed):
    for number in range(15 * seed, 15 * seed + 15):
        loss, sample = ratios(random.Random(number))
        assert failures_on_a_batch(loss, sample, number) == {}, number
