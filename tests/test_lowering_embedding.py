"""Lowered lookups: rows gathered by ids, gradients as rows, against the scalar engine."""

import random
import re
from itertools import pairwise

import numpy as np
import pytest

from micrograd.engine import Value
from micrograd.functions import dot, labelled
from micrograd.losses import cross_entropy, max_margin
from micrograd.lowering import lower
from micrograd.lowering.compare import compared, dense, like
from micrograd.lowering.trace.samples import as_values
from micrograd.nn import MLP, Embedding, one_hot
from micrograd.optim import SGD, AdaGrad, Adam, SparseAdam
from micrograd.optim.gradients import Rows
from micrograd.training import fit
from tests.lowering_models import values
from tests.test_lowering_graphs import assert_same


def seeded(*sizes, seed=0):
    random.seed(seed)
    return [Embedding(*size) for size in sizes]


def ids(*shape, rows, seed=1):
    return np.random.default_rng(seed).integers(0, rows, shape)


def joined(rows):
    return [v for row in rows for v in row]


def assert_equals_scalar_engine(program, loss, *batch):
    """Compare value and gradients with a graph of the whole batch."""
    losses = [loss(*map(as_values, sample)) for sample in zip(*batch)]
    total = sum(losses) * (1 / len(losses))
    leaves = {name: program.leaf_values(name).ravel().tolist() for name in program.parameters}
    for leaf in joined(leaves.values()):
        leaf.grad = 0.0
    total.backward()
    value, gradients = program.value_and_grad(*batch)
    assert value == program(*batch) == pytest.approx(total.data, rel=1e-12)
    assert_same(
        {name: dense(g, program.parameters[name].shape) for name, g in gradients.items()},
        {
            name: np.array([v.grad for v in leaf]).reshape(program.parameters[name].shape)
            for name, leaf in leaves.items()
        },
    )
    return gradients


def window(hidden=4, dim=3, width=5, rows=9):
    (embedding,) = seeded((rows, dim))
    net = MLP(width * dim, [hidden, 1], activation="tanh")

    def loss(ids, ids_c):
        s, s_c = (net(joined(embedding(i))) for i in (ids, ids_c))
        return max_margin(s, s_c)

    return loss, embedding


WINDOW = [0, 1, 2, 3, 4], [0, 1, 5, 3, 4]


def test_gradients_of_rows_are_floats_where_each_is_1():
    (E,) = seeded((5, 2))
    program = lower(lambda i: sum(E(i)), 0, reduce="sum")
    for wrt_inputs in (False, True):
        (gradient,) = program.value_and_grad([0, 1, 1], wrt_inputs=wrt_inputs)[1].values()
        assert gradient.rows.dtype == float and gradient.rows.tolist() == [[1, 1], [2, 2]]


def test_the_window_model_reads_like_the_notes():
    loss, _ = window()
    source = lower(loss, *WINDOW).source
    for line in (
        "def value_and_grad(ids, ids_c, E, W1, b1, W2, b2):",
        "x = E[ids]                                    # (B, 5, 3)",
        "x_c = E[ids_c]                                # (B, 5, 3)",
        "z1_c = x_c.reshape(-1, 15) @ W1.T + b1        # (B, 4)",
        "dx = (delta1 @ W1).reshape(-1, 5, 3)          # (B, 5, 3)",
        "dE = sparse_rows(E, ids_c, dx_c, ids, dx)     # (9, 3)",
        "'E': dE}",
    ):
        assert line in source


def test_gradients_are_rows_each_id_once():
    loss, _ = window()
    program = lower(loss, *WINDOW)
    x, x_c = ids(6, 5, rows=9), ids(6, 5, rows=9, seed=2)
    x[0] = 4  # one id all over a sample
    gradients = assert_equals_scalar_engine(program, loss, x, x_c)
    used = sorted({*x.ravel().tolist(), *x_c.ravel().tolist()})
    assert isinstance(gradients["E"], Rows) and gradients["E"].rows.shape == (len(used), 3)
    assert gradients["E"].indices.tolist() == used
    with_inputs = program.value_and_grad(x, x_c, wrt_inputs=True)[1]
    assert set(with_inputs) == {"E", "W1", "b1", "W2", "b2"}
    assert_equals_scalar_engine(program, loss, x[:1], x_c[:1])


def bigram(rows=6, dim=3):
    (embedding,) = seeded((rows, dim))
    net = MLP(dim, [rows])
    return lambda token, target: cross_entropy(net(embedding(token)), one_hot(target, rows))


def test_a_language_model_of_single_ids():
    loss = bigram()
    program = lower(loss, 1, 2)
    assert "x = E[token] " in program.source
    assert "one_hot = eye(6)[target] " in program.source
    tokens = ids(40, rows=5)
    gradients = assert_equals_scalar_engine(program, loss, tokens, ids(40, rows=6, seed=2))
    assert gradients["E"].indices.tolist() == sorted({*tokens.tolist()})


def test_an_input_named_x_is_not_shadowed():
    (embedding,) = seeded((3, 2))
    source = lower(lambda x, y: dot(embedding(x), y), 0, [1.0, 2.0]).source
    assert "e = E[x]" in source and "sparse_rows(E, x, de)" in source


def test_several_tables_and_one_table_by_two_inputs():
    words, cases = seeded((7, 4), (3, 4))

    def loss(word, case, other):
        total = [a + b + c for a, b, c in zip(words(word), cases(case), words(other))]
        return dot(total, words(word)).tanh()  # the same lookup again

    program = lower(loss, 1, 2, 3)
    assert list(program.parameters) == ["E_words", "E_cases"]
    batch = ids(8, rows=7), ids(8, rows=3), ids(8, rows=7, seed=5)
    gradients = assert_equals_scalar_engine(program, loss, *batch)
    assert gradients["E_words"].indices.tolist() == sorted({*batch[0].tolist(), *batch[2].tolist()})
    assert gradients["E_cases"].rows.shape == (3, 4)
    assert program.source.count("E_words[word]") == 1


def test_what_a_table_gets_is_not_written_over():
    (embedding,) = seeded((4, 3))

    def loss(i, y):
        return sum((v - target).tanh() for v, target in zip(embedding(i), y))

    program = lower(loss, 1, [0.1, 0.2, 0.3])
    batch = ids(6, rows=4), np.random.default_rng(0).normal(size=(6, 3))
    rows = assert_equals_scalar_engine(program, loss, *batch)["E"].rows
    gradients = program.value_and_grad(*batch, wrt_inputs=True)[1]  # of y: -dE, sample by sample
    np.testing.assert_array_equal(gradients["E"].rows, rows)
    added = np.zeros((4, 3))
    np.add.at(added, batch[0], -gradients["y"])
    np.testing.assert_allclose(added[gradients["E"].indices], rows, rtol=1e-12, atol=1e-15)


def test_one_array_is_what_several_lookups_get():
    one, two = seeded((4, 3), (5, 3))
    w = values([0.3, -0.2, 0.9])

    def loss(i, j, k):
        pairs = zip(one(i), two(j), two(k), w)
        return sum(((a + b) + (c - v)).tanh() for a, b, c, v in pairs)

    program = lower(loss, 1, 2, 0)
    batch = ids(6, rows=4), ids(6, rows=5), ids(6, rows=5, seed=9)
    assert_equals_scalar_engine(program, loss, *batch)


@pytest.mark.parametrize("chosen", [slice(0, 3), slice(1, 6, 2), [5, 0, 2], [4], slice(None)])
def test_some_of_the_ids_are_looked_up(chosen):
    (embedding,) = seeded((4, 2))
    u = values([0.3, -0.2, 0.5, 0.7, 0.1, 0.9])

    def loss(xs):
        xs = xs[chosen] if isinstance(chosen, slice) else [xs[i] for i in chosen]
        return sum(a * v.tanh() for a, row in zip(u, embedding(xs)) for v in row)

    program = lower(loss, [1, 2, 3, 0, 1, 2])
    batch = ids(5, 6, rows=4)
    unused = sorted({*range(6)} - {*np.atleast_1d(np.arange(6)[chosen]).tolist()})
    assert_equals_scalar_engine(program, loss, batch)
    batch[:, unused] = 99  # what is not looked up may be anything
    program(batch)


def test_ids_of_two_axes():
    (embedding,) = seeded((5, 2))

    def loss(xs):
        vectors = [[sum(column) for column in zip(*embedding(row))] for row in xs]
        return sum(dot(a, b) for a, b in pairwise(vectors))

    program = lower(loss, [[0, 1, 2], [3, 4, 0]])
    assert "E[xs]" in program.source and "(B, 2, 3, 2)" in program.source
    assert_equals_scalar_engine(program, loss, ids(4, 2, 3, rows=5))


def test_lookups_within_scopes_and_fixed_rows():
    from micrograd.core.modes import scope

    with scope("words 0"):
        (embedding,) = seeded((5, 3))

    def loss(token):
        with scope("step 1"):
            x = embedding(token)
        return dot(x, embedding(0)).tanh()  # row 0 for every sample: a dense gradient too

    program = lower(loss, 2)
    assert list(program.parameters) == ["E1"]
    gradients = assert_equals_scalar_engine(program, loss, ids(6, rows=5))
    assert gradients["E1"].shape == (5, 3) and "add_rows(" in program.source


def tied(rows=4, dim=3):
    (embedding,) = seeded((rows, dim))
    net = MLP(dim, [dim], activation=["tanh"])

    def loss(token, target):
        h = net(embedding(token))
        return cross_entropy([dot(row, h) for row in embedding.rows], one_hot(target, rows))

    return loss


def test_tied_output_weights_get_a_dense_gradient():
    loss = tied()
    program = lower(loss, 1, 2)
    gradients = assert_equals_scalar_engine(program, loss, ids(9, rows=4), ids(9, rows=4, seed=3))
    assert gradients["E"].shape == (4, 3)
    assert re.search(r"dE = add_rows\(.*, token, dx\) +# \(4, 3\)", program.source)
    assert "@ E.T" in program.source


def test_rows_of_several_ids_are_called_after_table_and_ids():
    V, U = Embedding(9, 3), Embedding(9, 3)

    def skip_gram(c, o, negative):
        v = V(c)
        others = sum((-dot(v, u)).sigmoid().log() for u in U(negative))
        return -dot(v, U(o)).sigmoid().log() - others

    text = lower(skip_gram, 1, 2, [3, 4]).source
    for line in ("v_c = V[c] ", "u_o = U[o] ", "u_negative = U[negative] "):
        assert line in text, text
    text = lower(lambda user_id, item_id: dot(V(user_id), U(item_id)), 1, 2).source
    assert "v_user = V[user_id] " in text and "u_item = U[item_id] " in text
    text = lower(lambda user_idx, item_idx: dot(V(user_idx), U(item_idx)), 1, 2).source
    assert "v_user = V[user_idx] " in text and "u_item = U[item_idx] " in text
    assert "x = E[token_id] " in lower(lambda token_id: sum(V(token_id)).tanh(), 1).source
    text = lower(lambda w_l, w_r, tag: dot(V(w_l), V(w_r)) + dot(U(tag), V(w_l)), 1, 2, 3).source
    for line in ("x_l = V[w_l] ", "x_r = V[w_r] ", "u_tag = U[tag] "):
        assert line in text, text
    E_words, E_tags, net = Embedding(9, 3), Embedding(4, 2), MLP(5, [3, 1], activation="tanh")
    text = lower(lambda words, tags: net(E_words(words) + E_tags(tags)) ** 2, 1, 2).source
    for line in ("x_words = E_words[words] ", "x_tags = E_tags[tags] ", "h1 = tanh(z1) "):
        assert line in text, text


def test_parameters_by_name_and_frozen_tables():
    loss, embedding = window()
    program = lower(loss, *WINDOW, parameters={"C": embedding.rows})
    batch = ids(3, 5, rows=9), ids(3, 5, rows=9, seed=2)
    assert list(program.parameters) == ["C"] and "x = C[ids]" in program.source
    value, gradients = program.value_and_grad(*batch)
    assert isinstance(gradients["C"], Rows)
    (u,) = values([[0.5, -0.3, 0.2]])
    frozen = lower(lambda i: dot(embedding(i), u), 1, parameters={"u": u})
    assert set(frozen.constants) == {"E"} and "dE" not in frozen.source
    assert_same(
        frozen.value_and_grad(ids(4, rows=9))[1],
        {"u": frozen.constants["E"][ids(4, rows=9)].mean(0)},
    )


class Tables:
    def __init__(self, *sizes):
        self.words, self.C = (Embedding(*size) for size in sizes)


def test_several_tables_are_called_as_the_function_calls_them():
    one, other, third = (Tables((4, 2), (3, 2)) for _ in range(3))
    labelled(third.words.rows, "V")
    computed = Embedding(3, 2)
    computed.rows = [[2 * v for v in row] for row in one.C.rows]

    def first(i, j):
        return dot(one.words(i), one.C(j)) + dot(one.C(i), one.C(2))

    def both(i, j):
        return dot(one.words(i), other.words(j)) + dot(computed(1), third.words(j))

    for loss, names in ((first, {"E_words", "C"}), (both, {"one_E_words", "other_E_words", "V"})):
        program = lower(loss, 1, 2)
        assert names <= {*program.parameters}
        assert_equals_scalar_engine(program, loss, ids(6, rows=3), ids(6, rows=3, seed=4))
    assert {*lower(first, 1, 2, parameters={"P": one.words.rows}).parameters} == {"P"}


def test_a_part_of_a_table_is_no_parameter_of_its_own():
    loss, embedding = window()
    with pytest.raises(ValueError, match=r"the parameter P holds .*P=embedding\.rows"):
        lower(loss, *WINDOW, parameters={"P": embedding.rows[:2]})


def test_a_lookup_that_the_loss_does_not_need():
    first, second = seeded((3, 2), (4, 2))

    def loss(i, j):
        second(j)
        return dot(first(i), first(i))

    program = lower(loss, 1, 2)
    assert list(program.parameters) == ["E_first"]
    assert_equals_scalar_engine(program, loss, ids(4, rows=3), ids(4, rows=4))


def test_a_table_made_while_tracing_is_a_constant():
    def loss(i):
        return dot(seeded((3, 2))[0](i), [1.0, 2.0])

    program = lower(loss, 1)
    assert not program.parameters and list(program.constants) == ["E"]
    assert program([2]) == pytest.approx(loss(2).data)


def test_irregular_graphs(irregular):
    for loss, sample in ((bigram(), (1, 2)), (tied(), (1, 2)), (window()[0], WINDOW)):
        program = lower(loss, *sample)
        assert "OPERATIONS = [" in program.source
        batch = [ids(5, *np.shape(s), rows=4, seed=i) for i, s in enumerate(sample)]
        gradients = assert_equals_scalar_engine(program, loss, *batch)
        assert set(program.value_and_grad(*batch, wrt_inputs=True)[1]) == set(gradients)


@pytest.mark.parametrize("target", ["numpy", "jax", "torch"])
def test_irregular_graphs_are_exported(target, irregular):
    library = pytest.importorskip(target)
    for loss, sample in ((bigram(), (1, 2)), (tied(), (1, 2)), (window()[0], WINDOW)):
        program = lower(loss, *sample)
        batch = [np.array(ids(5, *np.shape(s), rows=4, seed=i)) for i, s in enumerate(sample)]
        value, gradients = program.value_and_grad(*batch)
        scope: dict = {}
        exec(program.export(target), scope)
        leaves = [scope["LEAVES"][name] for name in (*program.parameters, *program.constants)]
        given = [library.tensor(x) if target == "torch" else x for x in batch]
        found, dense = scope["value_and_grad"](*given, *leaves)
        assert float(found) == pytest.approx(value, rel=1e-12)
        for name, gradient in gradients.items():
            if isinstance(gradient, tuple):
                table = np.zeros(program.parameters[name].shape)
                np.add.at(table, gradient.indices, gradient.rows)
                gradient = table
            np.testing.assert_allclose(np.asarray(dense[name]), gradient, rtol=1e-12, atol=1e-15)


def test_equal_structures_share_the_program_and_not_the_tables():
    programs = []
    for seed, token in ((1, 0), (2, 3)):
        (embedding,) = seeded((4, 2), seed=seed)
        loss = lambda i, e=embedding: dot(e(i), e(i))  # noqa: E731
        programs.append(lower(loss, token, names=["i"]))
        assert_equals_scalar_engine(programs[-1], loss, ids(5, rows=4))
    assert programs[0].lowered is programs[1].lowered
    (other,) = seeded((5, 2))
    assert lower(lambda i: dot(other(i), other(i)), 0).lowered is not programs[0].lowered


def test_structures_differ_by_which_table_is_looked_up():
    one, two = seeded((4, 2), (4, 2))
    batch = [ids(5, rows=4, seed=seed) for seed in range(3)]
    for third in (one, two):
        loss = lambda i, j, k, t=third: dot([a * b for a, b in zip(one(i), two(j))], t(k))  # noqa: E731
        assert_equals_scalar_engine(lower(loss, 1, 2, 3, names=["i", "j", "k"]), loss, *batch)


def test_the_graph_of_a_whole_batch_still_reads_rows_by_places():
    loss, embedding = window()
    x, x_c = ids(6, 5, rows=9), ids(6, 5, rows=9, seed=2)
    losses = [loss(*pair) for pair in zip(x, x_c)]
    root = sum(losses) * (1 / len(losses))
    program = lower(root)
    root.backward()
    value, gradients = program.value_and_grad()
    used = sorted({*x.ravel().tolist(), *x_c.ravel().tolist()})
    assert value == pytest.approx(root.data, rel=1e-12)
    assert_same(
        {"E": gradients["E"]}, {"E": np.array([[v.grad for v in embedding.rows[i]] for i in used])}
    )
    everything = lower(root, parameters={"E": embedding.rows}).value_and_grad()[1]["E"]
    assert everything.shape == (9, 3)
    np.testing.assert_allclose(everything[used], gradients["E"], rtol=1e-12, atol=1e-15)
    assert "x = E[i1].reshape(12, 15) " in program.source and "rows(" not in program.source


def test_what_a_table_gets_may_be_an_input():
    (embedding,) = seeded((4, 3))
    batch = ids(5, rows=4), np.random.default_rng(0).normal(size=(5, 3))
    program = lower(lambda i, y: dot(embedding(i), y), 1, [0.1, 0.2, 0.3], reduce="sum")
    gradient = program.value_and_grad(*batch)[1]["E"]
    added = np.zeros((4, 3))
    np.add.at(added, *batch)
    np.testing.assert_allclose(dense(gradient, (4, 3)), added, rtol=1e-15)
    assert not np.shares_memory(gradient.rows, batch[1])


def test_a_table_with_sparse_gradients_beside_one_with_dense_ones():
    sparse, shared = seeded((4, 2), (3, 2))

    def loss(i, js, y):
        x = [a + b + c for a, b, c in zip(sparse(i), sparse(js[2]), sparse(js[0]))]
        logits = [dot(row, x) for row in shared.rows]  # and looked up too: a dense gradient
        return sum(v * q for v, q in zip(logits, one_hot(y, 3))) * dot(shared(y), x).tanh()

    program = lower(loss, 1, [2, 3, 0], 2)
    batch = ids(6, rows=4), ids(6, 3, rows=4), ids(6, rows=3)
    gradients = assert_equals_scalar_engine(program, loss, *batch)
    used = {*batch[0].tolist(), *batch[1][:, [0, 2]].ravel().tolist()}
    assert gradients["E_sparse"].indices.tolist() == sorted(used)
    assert gradients["E_shared"].shape == (3, 2)


# Training.

SPARSE = [lambda p: SGD(p, lr=0.3), lambda p: AdaGrad(p, lr=0.1), lambda p: SparseAdam(p, lr=0.05)]


@pytest.mark.parametrize("make", SPARSE)
def test_training_equals_the_scalar_engine(make):
    loss, _ = window()
    program = lower(loss, *WINDOW)
    optimizer = make(dict(program.parameters))
    leaves = {n: program.leaf_values(n).ravel().tolist() for n in program.parameters}
    scalar = make(joined(leaves.values()))
    first = program.parameters["E"].copy()
    for seed in range(6):
        batch = ids(4, 5, rows=6, seed=seed), ids(4, 5, rows=6, seed=seed + 50)
        used = {*batch[0].ravel().tolist(), *batch[1].ravel().tolist()}
        scalar.zero_grad()
        losses = [loss(*map(as_values, pair)) for pair in zip(*batch)]
        (sum(losses) * (1 / len(losses))).backward()
        moved = [n != "E" or i // 3 in used for n, leaf in leaves.items() for i in range(len(leaf))]
        scalar.step([v.grad if m else None for v, m in zip(joined(leaves.values()), moved)])
        optimizer.step(program.value_and_grad(*batch)[1])
    for name, data in program.parameters.items():
        np.testing.assert_allclose(data.ravel(), [v.data for v in leaves[name]], rtol=0, atol=1e-9)
    assert (program.parameters["E"][:6] != first[:6]).all()
    np.testing.assert_array_equal(program.parameters["E"][6:], first[6:])
    program.parameters["E"][8] = 7.0
    program.write_back()
    assert program.leaf_values("E")[8, 2].data == 7.0


def test_rules_that_move_every_row_say_so():
    loss, _ = window()
    program = lower(loss, *WINDOW)
    gradients = program.value_and_grad([WINDOW[0]], [WINDOW[1]])[1]
    with pytest.raises(ValueError, match="rows of E .* use AdaGrad, SparseAdam or plain SGD"):
        Adam(dict(program.parameters)).step(gradients)


def test_fit_trains_a_lowered_language_model():
    loss = bigram()
    program = lower(loss, 0, 1)
    tokens = np.arange(60) % 6
    optimizer = AdaGrad(dict(program.parameters), lr=0.5)

    def step(batch):
        value, gradients = program.value_and_grad(tokens[batch], (tokens[batch] + 1) % 6)
        optimizer.step(gradients)
        return value

    history = fit(step, range(60), epochs=15, batch_size=10, progress=False)
    assert history["loss"][-1] < 0.05 < 1 < history["loss"][0]
    program.write_back()
    assert loss(5, 0).data < 0.1


def test_a_step_allocates_nothing_of_the_size_of_the_table():
    import tracemalloc

    (embedding,) = seeded((4000, 10))
    u = values(np.linspace(-1, 1, 10))
    program = lower(lambda i, j: dot(embedding(i), u) * dot(embedding(j), u), 1, 2)
    optimizer = AdaGrad(dict(program.parameters))
    batch = ids(8, rows=4000), ids(8, rows=4000, seed=3)
    for measured in (False, True):
        if measured:
            tracemalloc.start()
        optimizer.step(program.value_and_grad(*batch)[1])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4000 * 10 * 8 / 10


# Other ways out.


def test_comparing_draws_ids():
    (embedding,) = seeded((5, 2))
    net = MLP(3, [5])

    def loss(token, x, target):
        return cross_entropy(net([*embedding(token), x]), one_hot(target, 5))

    sample = 1, 0.3, 2
    program = lower(loss, *sample)
    batch, held, _ = like(program, loss, sample, 20)
    assert compared(program, loss, batch) < 1e-12 and not held
    program.parameters["E"][3] += 1  # and a table that is wrong somewhere is found
    assert compared(program, loss, batch) > 1e-3


def test_comparing_draws_ids_that_every_table_has():
    large, small = seeded((50, 2), (2, 2))

    def loss(i):
        return dot(small(i), large(i)) + dot(large(i), large(i))

    program = lower(loss, 1)
    assert compared(program, loss, like(program, loss, [1], 20)[0]) < 1e-12


def test_find_and_explain():
    loss, _ = window()
    program = lower(loss, *WINDOW)
    looked_up = program.leaf_values("x")
    assert looked_up.shape == (5, 3)
    assert program.find(looked_up[2, 1]) == ("x", 7)
    assert program.find(program.leaf_values("E")[8, 1]) == ("E", 25)
    with pytest.raises(ValueError, match="not in the graph"):
        program.find(Value(1.0))
    assert (
        "x = E[ids]                                    # (B, 5, 3); 15 nodes" in program.explain()
    )


@pytest.mark.parametrize("target", ["numpy", "jax", "torch"])
def test_exported_programs_give_dense_gradients(target):
    library = pytest.importorskip(target)
    for loss, sample in ((tied(), (1, 2)), (window()[0], WINDOW), (bigram(), (1, 2))):
        program = lower(loss, *sample)
        batch = [ids(5, *np.shape(s), rows=4, seed=i) for i, s in enumerate(sample)]
        value, gradients = program.value_and_grad(*batch)
        scope: dict = {}
        exec(program.export(target), scope)
        function = scope["value_and_grad"]
        if target == "jax":
            function = library.jit(function)
        if target == "torch":
            batch = [library.tensor(x) for x in batch]
        found, same = function(*batch, **scope["LEAVES"])
        assert float(found) == pytest.approx(value, rel=1e-12)
        assert float(scope["forward"](*batch, **scope["LEAVES"])) == pytest.approx(value, rel=1e-12)
        shapes = {name: data.shape for name, data in program.parameters.items()}
        assert_same(
            {n: np.asarray(g) for n, g in same.items()},
            {n: dense(g, shapes[n]) for n, g in gradients.items()},
        )


def test_looked_up_values_tell_their_lines():
    loss, _ = window()
    program = lower(loss, *WINDOW)
    lines = program.source.splitlines()
    row = [v for v in program.graph.values if program.line(v).name == "x" and not v.parents]
    assert [program.line(v).at for v in row] == [(i, j) for i in range(5) for j in range(3)]
    assert lines[program.line(row[0]).line - 1].strip().startswith("x = E[ids]")
    spot = program.line_of_gradient(row[0])
    assert spot.name == "dx" and lines[spot.line - 1].strip().startswith("dx = ")


def test_a_table_with_a_computed_row_is_none_of_parameters():
    """What its row is computed of has the gradient."""
    words, tags, w = Embedding(3, 2), Embedding(4, 2), Value(2.0)
    first = words.rows[1][0]
    words.rows[1][0] = w * first
    program = lower(lambda x: dot(words.rows[1], tags.rows[2]) * x, 1.0)
    assert all("words" not in name for name in program.parameters)
    gradients = program.value_and_grad([1.0])[1]
    assert any(g.shape == () and g == first.data * tags.rows[2][0].data for g in gradients.values())
