"""The network and its losses: both forms alike, gradients by central difference, sparse rows."""

import numpy as np
import pytest

from micrograd.engine import weighted_sum
from micrograd.graph import snapshot
from micrograd.lowering import lower
from micrograd.ner.model import losses, network, paths
from micrograd.ner.model.config import SAMPLERS, Config, defaults
from micrograd.ner.model.losses import LOSSES, Target
from micrograd.ner.model.network import initial
from micrograd.ner.model.windows import Windows
from micrograd.ner.tagger import Tagger
from micrograd.ner.text.sentence import Sentence
from micrograd.ner.training import sampling
from micrograd.ner.training.engines import ArrayEngine, Batch, Leaves, ScalarEngine
from micrograd.ner.training.sampling import Epochs
from micrograd.optim.gradients import Rows

ROWS = {"E": 9, "C": 5, "F": 6}
LABELS = ["O", "B-X", "I-X", "E-X", "S-X"]
MOVES = paths.legal(LABELS, "BIOES")
LEGAL = [[0, 4, 0], [1, 2, 3, 0], [4], [1, 3], [0]]


def config_of(loss, **changes):
    kind, _, name = loss.partition(" ")
    sizes = {"width": 3, "dim": 3, "case_dim": 2, "affix_dim": 2, "hidden": 4}
    return Config(kind, name or "margin", features=("case", "shape"), **{**sizes, **changes})


def outputs_of(config):
    return 1 if config.kind == "margin" else len(LABELS)


def batch_of(config, seed=0, count=None, mask=False):
    """Give windows in which words occur twice, and in both windows of a pair."""
    rng = np.random.default_rng(seed)
    tags, lengths = [], []
    if config.kind == "sequence":
        sentences = [LEGAL[i] for i in rng.integers(0, len(LEGAL), count or 3)]
        tags, lengths = [tag for tags in sentences for tag in tags], list(map(len, sentences))
    elif config.kind != "margin":
        tags = rng.integers(0, outputs_of(config), count or 3).tolist()
    windows = len(tags) or 2 * (count or 3)
    ids = np.stack(
        [rng.integers(0, min(4, rows), (windows, config.width)) for rows in ROWS.values()], axis=2
    ).astype(np.int32)
    drops = rng.integers(0, 2, (windows, config.window_inputs)) * 2.0 if mask else None
    return Batch(ids, Target(np.array(tags, np.intp), lengths), drops)


def arrays_of(config, seed=1):
    rng = np.random.default_rng(seed)
    start = initial(config, outputs_of(config), ROWS, rng)
    return {name: array + rng.normal(0, 0.5, array.shape) for name, array in start.items()}


def dense(found, arrays):
    """Write the sparse rows as whole tables."""
    out = {name: np.zeros_like(array) for name, array in arrays.items()}
    for name, gradient in found.arrays.items():
        if isinstance(gradient, Rows):
            np.add.at(out[name], gradient.indices, gradient.rows)
        else:
            out[name] = gradient
    return out


@pytest.mark.parametrize("average", [False, True])
@pytest.mark.parametrize("loss", LOSSES)
def test_gradients_equal_central_differences(loss, average):
    config = config_of(loss, average=average)
    arrays, batch = arrays_of(config), batch_of(config, mask=True)
    engine = ArrayEngine(config, MOVES)
    ours, step = dense(engine(arrays, batch), arrays), 1e-5
    assert any(gradient.any() for gradient in ours.values())
    for name, array in arrays.items():
        numeric = np.zeros_like(array)
        for place in np.ndindex(array.shape):
            old = array[place]
            array[place] = old + step
            high = engine(arrays, batch).loss
            array[place] = old - step
            low = engine(arrays, batch).loss
            array[place] = old
            numeric[place] = (high - low) / (2 * step)
        assert ours[name] == pytest.approx(numeric, abs=1e-8), name


@pytest.mark.parametrize("activation", network.ACTIVATIONS)
@pytest.mark.parametrize("loss", LOSSES)
def test_graphs_of_values_equal_the_arrays(loss, activation):
    for seed in range(6):
        config = config_of(loss, activation=activation, average=seed == 5)
        arrays, batch = arrays_of(config, seed), batch_of(config, seed, 4, mask=seed % 2 == 0)
        engines = (kind(config, MOVES) for kind in (ScalarEngine, ArrayEngine))
        one, other = (engine(arrays, batch) for engine in engines)
        assert other.loss == pytest.approx(one.loss, abs=1e-13)
        assert other.active == one.active
        ours, theirs = dense(one, arrays), dense(other, arrays)
        for name, array in ours.items():
            assert theirs[name] == pytest.approx(array, abs=1e-13), name


@pytest.mark.parametrize("average", [False, True])
@pytest.mark.parametrize("activation", network.ACTIVATIONS)
def test_lowering_derives_the_network_s_backward_pass(activation, average):
    """The array program of Σ upstream · score is what `backward` computes by hand (L6)."""
    config = config_of("softmax", activation=activation, average=average)
    arrays, rng = arrays_of(config), np.random.default_rng(0)
    dense_arrays = {n: a for n, a in arrays.items() if n not in ROWS}
    leaves = Leaves(config, arrays).dense

    def scores(x, upstream):
        return weighted_sum(upstream, network.forward(config, x, leaves).s)

    x = rng.normal(size=(7, config.window_inputs))
    upstream = rng.normal(size=(7, outputs_of(config)))
    program = lower(scores, x[0], upstream[0], parameters=leaves)
    loss, gradients = program.value_and_grad(x, upstream, wrt_inputs=True)
    run = network.forward(config, x, arrays)
    ours, dx = network.backward(config, run, arrays, upstream / 7)
    assert loss == pytest.approx((run.s * upstream).sum() / 7)
    assert set(ours) == set(dense_arrays)
    for name, gradient in ours.items():
        assert gradients[name] == pytest.approx(gradient, abs=1e-12), name
    assert gradients["x"] == pytest.approx(dx, abs=1e-12)
    assert gradients["upstream"] == pytest.approx(run.s / 7, abs=1e-12)


def test_only_rows_in_the_windows_change():
    config = config_of("margin", delta=99.0)
    arrays, batch = arrays_of(config), batch_of(config)
    found = ArrayEngine(config)(arrays, batch)
    assert set(found.arrays["E"].indices.tolist()) == set(batch.ids[:, :, 0].ravel().tolist())


@pytest.mark.parametrize("kind", [ScalarEngine, ArrayEngine])
def test_a_quiet_pair_changes_nothing(kind):
    config = config_of("margin", delta=0.0)
    arrays = arrays_of(config)
    arrays["u"][:] = 0
    found = kind(config)(arrays, batch_of(config))
    assert found == (0.0, 0, {})


def test_lecture_shape():
    arrays = initial(Config(dim=4, features=(), hidden=8), 1, ROWS, np.random.default_rng(0))
    assert {name: array.shape for name, array in arrays.items()} == {
        "E": (9, 4),
        "W": (8, 20),
        "b": (8,),
        "u": (8,),
    }
    assert not arrays["b"].any()


def test_scatter_is_gather_s_transpose():
    config, rng = config_of("softmax"), np.random.default_rng(3)
    arrays, ids = arrays_of(config), batch_of(config, 1, 4).ids
    upstream = rng.normal(size=(4, config.window_inputs))
    rows = network.scatter(config, ids, upstream)
    for name, array in arrays.items():
        if name not in ROWS:
            continue
        change = rng.normal(size=array.shape)
        moved = network.gather(config, arrays | {name: array + change}, ids)
        table = np.zeros_like(array)
        np.add.at(table, rows[name].indices, rows[name].rows)
        by_inputs = (upstream * (moved - network.gather(config, arrays, ids))).sum()
        assert (table * change).sum() == pytest.approx(by_inputs)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"kind": "crf"}, "unknown model 'crf'"),
        ({"activation": "gelu"}, "unknown activation 'gelu'"),
        ({"width": 4}, "window width 4"),
        ({"hidden": 0}, "hidden is 1 or more, not 0"),
        ({"delta": -1.0}, "delta -1.0: it may not be below 0"),
        ({"dropout": 1.0}, "dropout 1.0: it must be 0 or more, and below 1"),
        ({"features": ("colour",)}, "unknown feature 'colour'"),
        ({"loss": "hinge"}, "unknown loss of a sequence 'hinge'"),
        ({"case_dim": 0}, "case_dim is 1 or more, not 0"),
        ({"delta": float("nan")}, "delta is a finite number, not nan"),
        ({"dropout": "0"}, "dropout is a finite number, not '0'"),
    ],
)
def test_impossible_configurations(options, message):
    with pytest.raises(ValueError, match=message):
        Config(**options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"average": "yes"}, "average is True or False, not 'yes'"),
        ({"label": 5}, "label is text, not 5"),
        ({"width": 5.0}, "width is a whole number, not 5.0"),
    ],
)
def test_configurations_of_another_kind(options, message):
    with pytest.raises(TypeError, match=message):
        Config(**options)


def test_capitals_have_vectors_of_their_own_length():
    tables = Config(features=("case", "shape"), case_dim=3, affix_dim=7).tables
    assert tables == (("E", 10), ("C", 3), ("F", 7))


@pytest.mark.parametrize("features", ["case", {"case"}, [1], None])
def test_features_are_a_list_of_names(features):
    with pytest.raises(TypeError, match="features is a list of names, not "):
        Config(features=features)


def test_both_engines_move_the_same_rows_where_their_gradient_is_0():
    """Behind relu units that are off, and dropped inputs; SparseAdam moves such rows too."""
    config = Config(width=3, dim=2, hidden=2, features=("case",), case_dim=2, activation="relu")
    arrays = initial(config, 1, {"E": 6, "C": 5}, np.random.default_rng(0))
    arrays["b"] -= 9.0  # every unit is off
    ids = np.array([[[1, 1], [3, 3], [2, 2]], [[1, 1], [4, 3], [5, 4]]], np.int32)
    batch = Batch(ids, Target())
    found = [engine(config)(arrays, batch).arrays for engine in (ArrayEngine, ScalarEngine)]
    for table, numbers in (("E", [1, 2, 3, 4, 5]), ("C", [1, 2, 3, 4])):
        for gradients in found:
            rows = gradients[table]
            assert sorted({*rows.indices.tolist()}) == numbers and not np.any(rows.rows)


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("loss", ["margin", "multiclass", "sequence margin"])
def test_both_engines_leave_the_rows_of_windows_without_a_gradient(loss, seed):
    config = config_of(loss, delta=0.05)
    arrays, batch = arrays_of(config, seed), batch_of(config, seed)
    one, other = (
        engine(config, MOVES)(arrays, batch).arrays for engine in (ArrayEngine, ScalarEngine)
    )
    for table in ROWS.keys() & one.keys():
        assert {*one[table].indices.tolist()} == {*other[table].indices.tolist()}


@pytest.mark.parametrize(
    ("kind", "scopes", "labels"),
    [
        (
            "margin",
            ["true window", "corrupt window"],
            {"s", "s_c − s", "Δ + s_c − s", "J", "z0", "h1"},
        ),
        ("sequence", ["window 1", "window 2", "window 3"], {"J"}),
    ],
)
def test_what_is_drawn_of_a_sample_is_named(kind, scopes, labels):
    config = Config(kind, width=1, dim=2, hidden=2, features=())
    arrays = initial(config, 1 if kind == "margin" else 5, {"E": 6}, np.random.default_rng(0))
    count = len(scopes)
    ids = np.arange(3, 3 + count, dtype=np.int32)[:, None, None]
    target = Target() if kind == "margin" else Target(np.zeros(count, np.intp), [count])
    engine = ScalarEngine(config, np.ones((6, 6), bool))
    drawn = snapshot(engine.record(arrays, Batch(ids, target), {"E": list("abcdef")}))
    assert labels <= {*drawn.labels}
    tops = dict.fromkeys(scope.partition(" / ")[0] for scope in drawn.scopes)
    assert [top for top in tops if "window" in top] == scopes


def test_only_the_tables_are_looked_up():
    """A leaf for each number of a whole table would be made anew for every sample."""
    config = Config(dim=2, hidden=2, features=("case",))
    arrays = initial(config, 1, {"E": 5, "C": 5}, np.random.default_rng(0))
    leaves = Leaves(config, arrays)
    assert leaves.dense.keys() == {"W", "b", "u"} and leaves.rows == {"E": {}, "C": {}}


def test_the_plain_form_is_the_lectures_window():
    config, _ = defaults("softmax", plain=True)
    assert [table for table, _ in config.tables] == ["E"]
    assert (config.dropout, config.rare, config.viterbi) == (0.0, 0, False)


def cut(count=12):
    ids, kinds = np.arange(count + 2, dtype=np.int32)[:, None], np.arange(count + 2)
    places = np.clip(np.arange(count)[:, None] + np.arange(-1, 2), 0, count - 1)
    return Windows(ids, kinds, places, [4] * (count // 4))


def sampler_of(kind, windows, tags=(), rare=0, **options):
    """Give a sampler of a model that would cut these windows; no word is rare but by `rare`."""
    tagger = Tagger(Config(**options))
    tagger.windows, tagger.labels = lambda _: windows, ["O", "B-LOC"]
    return kind(tagger, [Sentence(["x"] * len(tags), tags)], rare)


@pytest.mark.parametrize("kind", SAMPLERS)
def test_pairs(kind):
    tags = ["B-LOC" if number in (2, 7) else "O" for number in range(12)]
    sampler = sampler_of(sampling.PairSampler, cut(), tags, corrupt=4, sampler=kind)
    sampler.draw(np.random.default_rng(0))
    ids = sampler.take(np.arange(8)).ids[:, :, 0]
    first, corrupt = ids[:8].tolist(), ids[8:].tolist()
    assert first.count([1, 2, 3]) == first.count([6, 7, 8]) == 4
    assert not {row[1] for row in corrupt} & {2, 7}
    for t, c in zip(first, corrupt, strict=True):
        assert (t[0] == c[0] and t[2] == c[2]) == (kind == "word" or t == c)
    assert len(sampler.take(np.array([1, 3])).ids) == 4


def test_every_sentence_once():
    sampler = sampler_of(sampling.SentenceSampler, cut(), ["O", "B-LOC"] * 6, scheme="BIO")
    sampler.draw(np.random.default_rng(0))
    batch = sampler.take(np.array([2, 0]))
    assert batch.ids[:, 1, 0].tolist() == [8, 9, 10, 11, 0, 1, 2, 3]
    assert batch.target.tags.tolist() == [0, 1] * 4 and batch.target.lengths == [4, 4]


def test_rare_words_are_unknown_half_of_the_time():
    ids = np.array([[5]] * 400 + [[6]] + [[7]] * 3 + [[1], [2]], np.int32)
    windows = Windows(ids, np.arange(406), np.arange(404)[:, None], [404])

    def epoch(rare, seed):
        sampler = sampler_of(Epochs, windows, rare=rare)
        sampler.draw(np.random.default_rng(seed))
        return sampler.windows

    drawn = [epoch(3, seed).rows()[:, 0, 0] for seed in range(200)]
    assert all((row[:400] == 5).all() and len(row) == 404 for row in drawn)
    share = np.mean([row[400:404] == 0 for row in drawn])
    assert 0.4 < share < 0.6
    assert epoch(0, 0) is windows


@pytest.mark.parametrize(
    ("tags", "kind", "message"),
    [
        (["O"] * 12, "window", "no token of the training file is of type LOC"),
        (["B-LOC"] * 12, "window", "every token .* of type LOC: .*; it takes names of it, and"),
        (["B-LOC", "O"] * 6, "noise", "unknown sampler 'noise'"),
    ],
)
def test_samplers_refuse(tags, kind, message):
    with pytest.raises(ValueError, match=message):
        sampler_of(sampling.PairSampler, cut(), tags, sampler=kind)
    with pytest.raises(ValueError, match="corrupt is 1 or more, not 0"):
        Config(corrupt=0)


def test_gradients_of_the_two_scores_of_a_pair():
    judged = losses.pair_margin(np.array([[0.2], [3.0], [0.1], [0.5]]), Target(), 1.0, None)
    assert judged.losses == pytest.approx([0.9, 0.0])
    assert judged.upstream.ravel().tolist() == [-1.0, 0.0, 1.0, 0.0]


@pytest.mark.parametrize("average", [False, True])
def test_words_multiplied_once_give_the_same_scores(average):
    config = config_of("softmax", average=average)
    arrays, rng = arrays_of(config), np.random.default_rng(0)
    ids = np.stack([rng.integers(0, rows, 6, np.intp) for rows in ROWS.values()], axis=1)
    kinds = rng.integers(0, 6, (20, config.width), np.intp)
    parts = network.products(config, arrays, ids)
    z = network.pre_activations(parts, kinds, arrays["b"])
    run = network.forward(config, network.gather(config, arrays, ids[kinds]), arrays)
    assert z == pytest.approx(run.z, abs=1e-12)
    assert network.above(config, None, z, arrays).s == pytest.approx(run.s, abs=1e-12)


@pytest.mark.parametrize("config", [3, {"dim": 4}, "margin", Config])
def test_a_tagger_is_made_of_a_config(config):
    with pytest.raises(TypeError, match="a tagger is made of a Config, not"):
        Tagger(config)
