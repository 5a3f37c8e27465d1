"""Chains of max and min: one choice each, whose gradient goes to the first largest."""

import random
import re
from functools import reduce
from itertools import product
from math import nan, prod

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from micrograd.core.modes import scope
from micrograd.core.order import topological_order
from micrograd.engine import Value
from micrograd.functions import dot, log_softmax, logsumexp, softmax
from micrograd.losses import cross_entropy
from micrograd.lowering import lower
from micrograd.lowering.arrays.group import Grouping
from micrograd.lowering.scalars.chains import chains
from micrograd.lowering.scalars.columns import ADD, NAMES
from micrograd.lowering.scalars.heights import levels
from tests import lowering_models
from tests.lowering_fuzz import Ready, failures_of
from tests.lowering_models import forward, function, linear, matrix, values
from tests.lowering_oracle import by_engine
from tests.test_lowering_graphs import assert_same, by_text, make, scalar_gradients
from tests.test_lowering_models import assert_equals_scalar_engine, batches
from tests.test_lowering_passes import form_of, terms

CLOSE = 1e-12


def chain(op, xs):
    return reduce(lambda a, b: getattr(a, op)(b), xs)


def leaves(name, data):
    return [Value(v, label=f"{name}{i}") for i, v in enumerate(data)]


def lines_of(program):
    """Return the lines of both passes without their shapes."""
    lines = [line.partition("#")[0].strip() for line in function(program).splitlines()]
    return [line for line in lines if " = " in line and not line.startswith("B = ")]


# chains


def test_a_chain_of_max_is_one_choice_of_its_terms_in_order():
    x = leaves("x", (3, 1, 2, 4))
    root = chain("max", [x[2], x[0], x[3], x[1]])
    form = form_of(root)
    assert terms(form, root) == [("x2", None), ("x0", None), ("x3", None), ("x1", None)]
    assert form.remaining.sum() == 5 and str(form) == "5 nodes left; 0 sums; 1 choices"
    assert levels(form)[form.graph.root] == 1


def test_max_and_min_are_chains_of_their_own():
    x = leaves("x", range(4))
    root = x[0].max(x[1]).min(x[2]).min(x[3])
    form = form_of(root)
    assert len(form.sums) == 2 and levels(form)[form.graph.root] == 2


@pytest.mark.parametrize("op", ["max", "min"])
def test_a_choice_may_begin_with_0_as_sums_do(op):
    def largest(x):
        first = getattr(Value(0.0), op)(x[0])
        return getattr(first, op)(x[1]) * x[2]

    program = lower(largest, [-1.0, -2.0, 3.0])
    for x in ([-1.0, -2.0, 3.0], [1.0, 2.0, 3.0], [-1.0, 2.0, 1.0]):
        assert program([x]) == largest([*map(Value, x)]).data


@pytest.mark.parametrize("stop", ["label", "use", "scope", "number", "other side"])
def test_a_chain_ends_where_a_person_would_name_it(stop):
    x = leaves("x", range(3))
    with scope("inner"):
        inner = x[0].max(x[1])
    if stop == "label":
        inner.label = "top"
    with scope("other" if stop == "scope" else "inner"):
        right = 1.0 if stop == "number" else x[2]
        root = x[2].max(inner) if stop == "other side" else inner.max(right)
        root = root * inner if stop == "use" else root
    assert len(form_of(root).sums) == 2


def test_a_product_of_a_choice_stays_a_node():
    x = leaves("x", range(4))
    form = form_of((x[0] * x[1]).max(x[2] * x[3]))
    assert form.b.tolist() == [-1, -1] and form.remaining.sum() == 7


def test_chains_of_additions_alone_leave_every_link_of_a_choice():
    x = leaves("x", range(4))
    form = form_of(chain("max", x) + chain("min", x) + x[0])
    none = np.zeros(len(form.graph), bool)
    plain = chains(form.graph, none, none, (ADD,))
    assert plain.remaining.sum() == form.remaining.sum() + 4
    assert [NAMES[form.graph.op[i]] for i in plain.sums.tolist()] == ["add"]
    assert (plain.merged_into[plain.remaining] == np.flatnonzero(plain.remaining)).all()
    assert levels(plain)[plain.graph.root] == 4


# the text


W = matrix(random.Random(0), 4, 3)
(b,) = matrix(random.Random(1), 1, 4)
SCORES = {"W": W, "b": b}


def scores(x):
    return [s + c for s, c in zip(linear(x, W), b)]


SOFTMAX = """\
def value_and_grad(x, W, b):
    B = len(x)
    # forward
    z = x @ W.T + b                               # (B, 4)
    m = z.max(-1)                                 # (B,)
    t1 = exp(z - m[:, None])                      # (B, 4)
    t2 = t1.sum(-1)                               # (B,)
    t3 = t1[:, 1] / t2                            # (B,)
    loss = t3.mean()                              # ()
    # backward
    delta = (eye(4)[1] - t3[:, None]) / t2[:, None] * t1 / B  # (B, 4)
    db = delta.sum(0)                             # (4,)
    dW = delta.T @ x                              # (4, 3)
    return loss, {'b': db, 'W': dW}
"""
LOG_SOFTMAX = """\
def value_and_grad(x, t, W, b):
    B = len(x)
    # forward
    z = x @ W.T + b                               # (B, 4)
    m = z.max(-1)                                 # (B,)
    t1 = z - m[:, None]                           # (B, 4)
    t2 = exp(t1)                                  # (B, 4)
    t3 = t2.sum(-1)                               # (B,)
    t4 = -(t * (t1 - log(t3)[:, None])).sum(-1)   # (B,)
    loss = t4.mean()                              # ()
    # backward
    delta = ((t.sum(-1) / t3)[:, None] * t2 - t) / B  # (B, 4)
    db = delta.sum(0)                             # (4,)
    dW = delta.T @ x                              # (4, 3)
    return loss, {'b': db, 'W': dW}
"""
LOGSUMEXP = """\
def value_and_grad(x, W, b):
    B = len(x)
    # forward
    z = x @ W.T + b                               # (B, 4)
    m = z.max(-1)                                 # (B,)
    t1 = exp(z - m[:, None])                      # (B, 4)
    t2 = t1.sum(-1)                               # (B,)
    t3 = m + log(t2)                              # (B,)
    loss = t3.mean()                              # ()
    # backward
    delta = t1 / t2[:, None] / B                  # (B, 4)
    db = delta.sum(0)                             # (4,)
    dW = delta.T @ x                              # (4, 3)
    return loss, {'b': db, 'W': dW}
"""


def probability(x):
    return softmax(scores(x))[1]


def cross(x, t):
    return -sum(a * c for a, c in zip(t, log_softmax(scores(x))))


def log_total(x):
    return logsumexp(scores(x))


@pytest.mark.parametrize(
    ("loss", "text"),
    [
        (probability, SOFTMAX),
        (cross, LOG_SOFTMAX),
        (log_total, LOGSUMEXP),
    ],
)
def test_a_classifier_reads_like_the_notes(loss, text):
    samples = [[0.1] * 3, [0.25] * 4][: loss.__code__.co_argcount]
    program = lower(loss, *samples, parameters=SCORES)
    assert function(program) == text
    assert_equals_scalar_engine(program, loss, batches(*[(6, len(s)) for s in samples]))


def test_cross_entropy_of_a_recorded_batch():
    (x,) = batches((6, 3))
    losses = [cross_entropy(scores(values(row)), y) for row, y in zip(x, (0, 1, 2, 3, 1, 1))]
    root = sum(losses) / 6
    program = lower(root, parameters=SCORES)
    assert lines_of(program)[:7] == [
        "z = x @ W.T + b",
        "m = z.max(-1)",
        "t1 = z - m[:, None]",
        "t2 = exp(t1)",
        "t3 = t2.sum(-1)",
        "loss = (log(t3) - t1[arange(6), i1]).sum() / 6",
        "delta = (t2 / t3[:, None] - eye(4)[i1]) / 6",
    ]
    assert_same(program.value_and_grad()[1], scalar_gradients(root, program))


def test_the_smallest_is_chosen_by_min():
    x = leaves("x", (3.0, 1.0, 1.0))
    program = lower(chain("min", x) * 2.0)
    assert lines_of(program) == ["m = x.min()", "loss = m * 2", "dx = first_true(x == m, 0) * 2.0"]
    assert program.value_and_grad()[1]["x"].tolist() == [0, 2, 0]


def test_what_is_labelled_keeps_its_name():
    z = leaves("z", (1.0, 3.0, 2.0))
    top = chain("max", z)
    top.label = "top"
    assert "top = z.max()" in lower(sum((v - top).exp() for v in z)).source


def test_terms_of_several_arrays_are_taken_array_by_array():
    x, y = leaves("x", (1.0, 2.0, 3.0)), leaves("y", (3.0, 2.0))
    program = lower(chain("max", x + y))
    assert lines_of(program) == [
        "m = x.max()",
        "m_2 = maximum(m, y.max())",
        "loss = m_2",
        "dy = first_true(y == m_2, 0) * where(m == m_2, 0.0, 1.0)",
        "dx = first_true(x == m, 0) * where(m == m_2, 1.0, 0.0)",
    ]
    assert program.value_and_grad()[1]["x"].tolist() == [0, 0, 1]


def test_neighbours_are_compared_as_slices():
    z, w = leaves("z", (1.0, 2.0, 0.0, 3.0, 1.0)), leaves("w", (1.0, 2.0, 3.0, 4.0))
    program = lower(weighted("max", [z[i : i + 2] for i in range(4)], w))
    assert lines_of(program)[0] == "t1 = maximum(z[:4], z[1:])"
    program = lower(weighted("max", [z[i : i + 3] for i in range(3)], w))
    assert lines_of(program)[:2] == ["zs = z[i1]", "m = zs.max(-1)"]


def test_max_over_positions_is_along_their_axis():
    rng = random.Random(2)
    (u,) = matrix(rng, 1, 3)

    def pooled(xs):
        return sum(a * chain("max", column) for a, column in zip(u, zip(*xs)))

    program = lower(pooled, [[0.1] * 3] * 4, parameters={"u": u})
    assert lines_of(program)[0] == "m = xs.max(-2)"
    batch = np.random.default_rng(0).integers(0, 3, (5, 4, 3)).astype(float)  # many equal
    assert_equals_scalar_engine(program, pooled, [batch])
    whole = lower(
        lambda xs: chain("max", [v for row in xs for v in row]) * u[0],
        [[0.1] * 3] * 4,
        parameters={"u": u},
    )
    assert lines_of(whole)[0] == "m = xs.reshape(-1, 12).max(-1)"


def transformer(**sizes):
    """Return the transformer whose attention and loss use the package's own functions."""
    original = lowering_models.softmax
    lowering_models.softmax = softmax
    try:
        return lowering_models.transformer(**sizes)
    finally:
        lowering_models.softmax = original


def test_causal_attention_has_no_line_per_link():
    root, parameters = transformer(positions=8)
    program = lower(root, parameters=parameters)
    text = forward(program)
    assert len(text.splitlines()) <= 60
    assert re.search(r"\w+\[:, i\d+\]\.max\(-1\) +# \(", text)
    assert text.count(" = maximum(") <= 2  # of the activations
    assert "first_true(" not in function(program)  # no gradient goes through a largest score
    assert_same(program.value_and_grad()[1], scalar_gradients(root, program))


def test_choices_of_very_different_sizes_share_no_table():
    """A table has a column for every term of the longest."""
    x = leaves("x", [float(i * 7919 % 1000) for i in range(2000)])
    root = sum(chain("max", x[i : i + 2 + i % 3]) for i in range(500)) + chain("max", x)
    program = lower(root)
    places = [table.places.size for table in program.lowered.forms("parameter")["code"].tables]
    assert sum(places) < 10_000
    assert_same(program.value_and_grad()[1], scalar_gradients(root, program))


def test_a_long_chain_is_one_line():
    x = [Value(float(i * 7919 % 1000), label=f"x{i}") for i in range(5000)]
    root = chain("max", x) + chain("min", x)
    program = lower(root)
    assert lines_of(program)[:3] == ["m = x.max()", "m_2 = x.min()", "loss = m + m_2"]
    assert_same(program.value_and_grad()[1], scalar_gradients(root, program))


# gradients


def graphs(op):
    """Return (root, parameters) of chains with equal terms, nan, all orders and lengths."""
    rng = random.Random(5)
    for data in (
        (2, 1, 3),
        (3, 3, 1),
        (-1, -2, -1),
        (0, 0, 0, 0),
        (5, 5),
        (1, nan, 2),
        (nan, 1, 2),
        (1, 2, nan),
        (nan, nan),
        (float("inf"), 1, float("inf")),
    ):
        x = leaves("x", data)
        yield chain(op, x) * 3.0, {"x": x}
    z = leaves("z", [rng.choice((0, 1, 2, -1)) for _ in range(20)])
    w, y = leaves("w", (1, 2, 3, 4)), leaves("y", (1, 0, 2, 1))
    z[12].data = nan
    uneven = [z[i * (i + 1) // 2 : (i + 1) * (i + 2) // 2] for i in range(1, 5)]
    yield weighted(op, uneven, w), {"z": z, "w": w}
    yield weighted(op, [row[::-1] for row in uneven], w), {"z": z, "w": w}
    rows = [z[5 * i : 5 * i + 5] for i in range(4)]
    yield weighted(op, rows, w), {"z": z, "w": w}
    yield weighted(op, [row[::-1] for row in rows], w), {"z": z, "w": w}
    yield weighted(op, [rng.sample(row, 5) for row in rows], w), {"z": z, "w": w}
    yield weighted(op, zip(*rows), w), {"z": rows, "w": w}
    yield chain(op, [v for column in zip(*rows) for v in column]) * 2.0, {"z": rows}
    yield weighted(op, [z[i : i + 2] for i in range(4)], w), {"z": z, "w": w}  # overlapping
    yield weighted(op, [z[i : i + 3] for i in range(4)], w), {"z": z, "w": w}
    yield chain(op, [z[3]] * 3) * 2.0 + z[5].max(z[5]), {"z": z}  # the same one again
    yield weighted(op, [[z[0]] * 3, [z[1]] * 3], w), {"z": z, "w": w}
    for parts in (
        ([w[i], *row] for i, row in enumerate(uneven)),
        ([*row, w[i]] for i, row in enumerate(uneven)),
        ([*z[3 * i : 3 * i + 1 + i], w[i]] for i in range(4)),
        ([*z[3 * i : 3 * i + 1 + i], *w[: i + 1], y[i]] for i in range(4)),
        ([w[i], *row, *y[:2]] for i, row in enumerate(rows)),
        ([w[i], *rows[0]] for i in range(4)),
        ([w[i], y[i], z[i], w[3 - i]] for i in range(4)),
    ):
        yield weighted(op, parts, y), {"z": z, "w": w, "y": y}
    x, y = leaves("x", range(8)), leaves("y", (3, 3, 3))
    for first, single in ((0, 7), (7, 0)):  # a part of one term among parts of two
        parts = [x[first], x[2], y[0]], [x[single], y[1]], [x[4], x[6], y[2]]
        yield weighted(op, parts, w), {"x": x, "y": y, "w": w}
    for first, second in (
        ((1, 2), (2, 2)),
        ((3, 1), (3, 3)),
        ((nan, 1), (2, 2)),
        ((1, 1), (2, nan)),
    ):
        x, y = leaves("x", first), leaves("y", second)
        yield chain(op, x + y) * 2.0, {"x": x, "y": y}
        yield chain(op, [x[0], y[0], x[1], y[1]]) * 2.0, {"x": x, "y": y}
    yield getattr(chain(op, [Value(1.5), *rows[0]]), op)(2.0) * 2.0, {"z": rows}
    a = chain(op, z[:2])
    c = chain(op, [a, *z[2:4]])
    yield c * 2.0 + a * getattr(a, op)(z[2]), {"z": z}  # links used twice
    labelled = chain(op, z[:3])
    labelled.label = "top"
    yield chain(op, [labelled, *z[3:6]]) * 2.0, {"z": z}


def weighted(op, parts, weights):
    return sum(chain(op, part) * w for part, w in zip(parts, weights))


def assert_right(found, root, program):
    value, gradients = found
    assert float(value) == pytest.approx(root.data, rel=CLOSE, nan_ok=True)
    gradients = {name: np.asarray(g) for name, g in gradients.items()}
    right = scalar_gradients(root, program)
    assert set(gradients) == set(right)
    for name, gradient in right.items():
        np.testing.assert_allclose(gradients[name], gradient, rtol=CLOSE, atol=CLOSE)


def exported(program, target):
    """Return the value and the gradients of an exported program."""
    module: dict = {}
    exec(program.export(target), module)
    arguments = [module["LEAVES"][name] for name in (*program.parameters, *program.constants)]
    return module["value_and_grad"](*arguments)


@pytest.mark.parametrize("op", ["max", "min"])
def test_the_first_largest_gets_everything(op):
    for root, parameters in graphs(op):
        program = lower(root, parameters=parameters)
        assert_right(program.value_and_grad(), root, program)
        assert_right(program.value_and_grad(), root, program)  # nothing is left of the last
        assert program() == pytest.approx(root.data, nan_ok=True)


@pytest.mark.parametrize("target", ["numpy", "jax", "torch"])
def test_exported_choices(target):
    pytest.importorskip(target)
    every = [*graphs("min" if target == "numpy" else "max"), transformer(dims=4, positions=4)]
    for root, parameters in every[:: 4 if target == "jax" else 1]:  # JAX takes long to start
        program = lower(root, parameters=parameters)
        assert_right(exported(program, target), root, program)


def test_exported_choices_are_compiled_by_jax():
    jax = pytest.importorskip("jax")
    root, parameters = transformer(dims=4, positions=3)
    program = lower(root, parameters=parameters)
    module: dict = {}
    exec(program.export("jax"), module)
    assert_right(jax.jit(module["value_and_grad"])(**module["LEAVES"]), root, program)


def test_segments_of_every_sample_of_a_batch():
    (u,) = matrix(random.Random(3), 1, 4)

    def loss(x, y):
        tops = [chain("max", x[: i + 2]) for i in range(3)] + [chain("max", [y, *x[1:3]])]
        return sum(a * top for a, top in zip(u, tops)).tanh()

    program = lower(loss, [0.1] * 4, 0.3, parameters={"u": u})
    rng = np.random.default_rng(0)
    batch = [rng.integers(0, 3, shape).astype(float) for shape in ((6, 4), (6,))]
    assert_equals_scalar_engine(program, loss, batch)


def test_choices_for_two_inputs():
    def both(x, x_c):
        return logsumexp(scores(x)) + logsumexp(scores(x_c))

    program = lower(both, [0.1] * 3, [0.2] * 3, parameters=SCORES)
    assert {"m = z.max(-1)", "m_c = z_c.max(-1)"} <= {*lines_of(program)}
    assert_equals_scalar_engine(program, both, batches((5, 3), (5, 3)))


def test_a_choice_of_parameters_and_of_an_input():
    (w,) = matrix(random.Random(4), 1, 5)

    def loss(x):
        return chain("max", [x, *w]) * x + chain("min", w)

    program = lower(loss, 0.1, parameters={"w": w})
    assert "maximum(x, w.max())" in program.source
    assert_equals_scalar_engine(program, loss, [np.linspace(-1, 1, 7)])


def graph_of_chains(seed, size):
    """Record a random graph whose leaves are often equal and whose nodes often are chains."""
    rng = random.Random(seed)
    nodes = [Value(rng.choice((-1.0, 0.0, 0.5)), label=f"x{i}") for i in range(rng.randint(2, 9))]
    nodes += [Value(rng.choice((-1.0, 0.0, 0.5)), label=f"{c}") for c in "abc"]
    for _ in range(size):
        if rng.random() < 0.5:
            terms = rng.choices(nodes[-12:], k=rng.randint(1, 6))
            nodes.append(chain(rng.choice(("max", "min")), terms))
        else:
            nodes.append(make(rng, rng.choice(nodes), rng.choice(nodes), nodes))
    used = {p for node in nodes for p in node.parents}
    return sum(node.tanh() for node in nodes if node not in used)


def decided_by_rounding(root):
    """Return whether a digit lost decides who gets a gradient: sums may be taken in any order."""
    exact = set()
    for node in topological_order(root):
        row, parents = node._operation.row, node.parents
        if not parents or (set(parents) <= exact and row.role == "routes"):
            exact.add(node)
        elif row.kinks:
            x, *y = (p.data for p in parents)
            if any(abs(x - kink) < 1e-9 for kink in y or (-1, 0, 1)):
                return True
    return False


@given(st.integers(0, 10**6), st.integers(1, 20))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.filter_too_much])
def test_random_graphs_of_chains(seed, size):
    root = graph_of_chains(seed, size)
    assume(not decided_by_rounding(root))
    program = lower(root)
    assert_right(program.value_and_grad(), root, program)
    assert_right(exported(program, "numpy"), root, program)


# irregular graphs


def test_irregular_graphs_take_every_link_for_a_node(irregular):
    every = [*graphs("max"), *((graph_of_chains(seed, 20), None) for seed in range(8))]
    for root, parameters in every:
        program = lower(root, parameters=parameters)
        assert_right(program.value_and_grad(), root, program)
        assert_right(by_text(program), root, program)


def test_a_chain_through_ever_other_arrays_is_irregular(monkeypatch):
    def never(*args):
        raise AssertionError("an array was made")

    monkeypatch.setattr(Grouping, "_block", never)
    x, y = leaves("x", range(10)), leaves("y", range(10))
    root = chain("max", [(x, y)[i % 2][i * 7 % 10] for i in range(3000)])
    program = lower(root)
    assert "irregular" in program.explain()
    assert_right(program.value_and_grad(), root, program)


# explaining


def test_find_knows_the_links():
    z = [leaves(f"z{i}_", (1.0, 2.0, 3.0)) for i in range(2)]
    root = sum(chain("max", row).tanh() for row in z)
    program = lower(root)
    links = [v for v in program.graph.values if v._op == "max"]
    assert [program.find(v) for v in links] == [("m", 0), ("m", 0), ("m", 1), ("m", 1)]
    row = next(line for line in program.explain().splitlines() if "m = Z.max(-1)" in line)
    assert "4 nodes" in row
    arrays = program.lowered.arrays.arrays
    assert [array.choice.op for array in arrays if array.choice] == ["max"]


def test_find_knows_the_links_within_every_array():
    x, y = leaves("x", (1.0, 2.0, 3.0)), leaves("y", (3.0, 2.0))
    program = lower(chain("max", x + y))
    links = [v for v in program.graph.values if v._op == "max"]
    assert [program.find(v)[0] for v in links] == ["m", "m", "m_2", "m_2"]


# what these programs showed elsewhere


def test_a_temporary_that_is_an_adjoint_keeps_its_name():
    z, w = leaves("z", (1.0, 2.0, 3.0)), leaves("w", (3.0, 2.0, 1.0))
    for t in ([v + 0.0 for v in w], [v.max(a) for v, a in zip(w, z)]):
        root = sum(a.tanh() * b for a, b in zip(z, t))
        program = lower(root, parameters={"z": z, "w": w})
        assert_same(program.value_and_grad()[1], scalar_gradients(root, program))


def test_truths_times_integers_are_floats_under_pytorch():
    pytest.importorskip("torch")
    x, weights = values([1.0, -2.0]), matrix(random.Random(6), 3, 2)
    z = linear(x, weights)
    for root in (sum(v.relu() * 2 for v in z), sum(v.relu() for v in z), sum(abs(v) for v in z)):
        program = lower(root, parameters={"x": x, "W": weights})
        assert_right(exported(program, "torch"), root, program)


@pytest.mark.parametrize("rows, columns", [(91, 91), (5, 1700), (1, 9000), (9000, 1)])
def test_arrays_of_more_than_8192_elements(rows, columns):
    """Where NumPy's iterators fill their buffers a second time."""
    x = np.random.default_rng(0).normal(size=(rows, columns))

    def largest(x):
        return dot([reduce(Value.max, [v.tanh() for v in row]) for row in x], [*range(1, rows + 1)])

    loss, gradients = lower(largest, x.tolist()).value_and_grad([x], wrt_inputs=True)
    assert loss == pytest.approx((np.tanh(x).max(1) * np.arange(1, rows + 1)).sum(), rel=1e-12)
    at = np.arange(rows), x.argmax(1)
    right = np.zeros((rows, columns))
    right[at] = (1 - np.tanh(x[at]) ** 2) * np.arange(1, rows + 1)
    np.testing.assert_allclose(gradients["x"][0], right, rtol=1e-12)


# pooling


def pooling(rng):
    """Return a random loss of an image, the largest or smallest of windows of it, and an image."""
    rank, op = rng.randint(1, 3), rng.choice(["max", "min"])
    sizes, strides, counts = ([rng.randint(1, 3) for _ in range(rank)] for _ in range(3))
    shape = [s * (n - 1) + size for size, s, n in zip(sizes, strides, counts)]
    shape = [n + rng.randint(0, 1) for n in shape]
    window = [*product(*map(range, sizes))]
    if rng.random() < 0.3:
        window.sort(key=lambda place: place[::-1])  # down the columns first
    scale = values(np.array([rng.uniform(-1, 1) for _ in range(rng.choice([1, shape[-1]]))]))
    weights = [Value(rng.uniform(-1, 1), label=f"w{n}") for n in range(prod(counts))]
    rectified = rng.random() < 0.5

    def element(x, place):
        for at in place:
            x = x[at]
        x = x * scale[place[-1] % len(scale)]
        return x.relu() if rectified else x

    def loss(x):
        y = {place: element(x, place) for place in product(*map(range, shape))}
        corners = product(*(range(0, s * n, s) for s, n in zip(strides, counts)))
        pooled = [
            chain(op, [y[tuple(map(sum, zip(corner, place)))] for place in window])
            for corner in corners
        ]
        return dot(pooled, weights).tanh()

    return loss, np.round(rng.normalvariate(0, 1) + np.arange(prod(shape)) % 5 - 2.0, 1).reshape(
        shape
    )


@pytest.mark.parametrize("seed", range(4))
def test_random_pooling(seed):
    """Through every way that there is to run a program, with equal elements among the largest."""
    for number in range(10 * seed, 10 * seed + 10):
        rng = random.Random(number)
        loss, image = pooling(rng)
        program = lower(loss, image.tolist())
        draw = np.random.default_rng(number)
        batch = [draw.choice([-1.5, -0.5, 0.0, 0.5, 1.0, 2.0], (3, *image.shape)).tolist()]
        ready = Ready(program, None, batch, by_engine(program, loss, batch))
        assert failures_of(ready, ("notation", "program", "source", "export")) == {}, number


def test_places_with_gaps_are_listed_along_each_axis():
    def loss(x, w):
        return chain("max", [(x[i][j] * w).tanh() for i in (0, 1, 3, 4) for j in (0, 2, 3, 5)])

    program = lower(loss, np.zeros((5, 6)).tolist(), 0.5)
    assert "= x[(0,1,3,4)i,(0,2,3,5)j] * w" in program.explain("arrays")


def test_windows_of_an_image_are_axes():
    """The text has no table of places, in either order of the loops."""
    for step in (1, 2):
        for order in (product, lambda a, b: [(i, j) for j in b for i in a]):

            def loss(x, step=step, order=order):
                h = [[z.tanh() for z in row] for row in x]
                for row in h:
                    for z in row:
                        z.label = "h"
                pooled = [
                    chain("max", [h[a + i][b + j] for i, j in order(range(2), range(2))])
                    for a in (0, step)
                    for b in (0, step)
                ]
                return dot(pooled, pooled)

            program = lower(loss, np.arange(16.0).reshape(4, 4).tolist())
            assert "read_table" not in program.source and not program.tables
            assert re.search(r"max\w<2,\w<2 \w+\[2?i\+\w,2?j\+\w\]", program.explain("arrays"))
