"""The models as scalar graphs: values by hand, gradients by central difference, sparse rows."""

import numpy as np
import pytest

from micrograd.ner.model import embedding, models
from micrograd.ner.model.embedding import Places
from micrograd.ner.model.models import Shape, initial
from micrograd.ner.model.windows import Windows
from micrograd.ner.training import sampling
from micrograd.ner.training.batch import Batch
from micrograd.ner.training.engines import LoweredEngine, ScalarEngine

WORDS = 9


def shape_of(kind, **sizes):
    return Shape(
        kind,
        **{"dim": 3, "case_dim": 2, "hidden": 4, "outputs": 1 if kind == "margin" else 3, **sizes},
    )


def batch_of(shape, count=3, seed=0, equal=False):
    """Give windows in which words occur twice, and in both windows of a pair."""
    rng = np.random.default_rng(seed)
    roles = []
    for _ in range(models.windows_per_sample(shape)):
        words = rng.integers(0, 4 if equal else WORDS, (count, shape.width)).astype(np.int32)
        cases = rng.integers(0, 5, (count, shape.width)).astype(np.int32)
        roles.append(Places(words, cases))
    if shape.kind == "margin":
        return Batch(roles)
    return Batch(roles, np.eye(shape.outputs)[rng.integers(0, shape.outputs, count)])


def arrays_of(shape, seed=1):
    rng = np.random.default_rng(seed)
    return {
        name: array + rng.normal(0, 0.5, array.shape)
        for name, array in initial(shape, WORDS, rng).items()
    }


def mean_loss(shape, arrays, batch):
    return ScalarEngine(shape)(arrays, batch).loss


def dense(found, arrays):
    """Write the sparse rows as whole tables."""
    out = dict(found.dense)
    for name, rows in found.rows.items():
        out[name] = np.zeros_like(arrays[name])
        np.add.at(out[name], rows.indices, rows.rows)
    return out


@pytest.mark.parametrize("average", [False, True])
@pytest.mark.parametrize("kind", models.MODELS)
def test_gradients_equal_central_differences(kind, average):
    shape = shape_of(kind, average=average)
    arrays, batch = arrays_of(shape), batch_of(shape, equal=True)
    ours = dense(ScalarEngine(shape)(arrays, batch), arrays)
    assert set(ours) == set(arrays)
    step = 1e-5
    for name, array in arrays.items():
        numeric = np.zeros_like(array)
        for place in np.ndindex(array.shape):
            old = array[place]
            array[place] = old + step
            high = mean_loss(shape, arrays, batch)
            array[place] = old - step
            low = mean_loss(shape, arrays, batch)
            array[place] = old
            numeric[place] = (high - low) / (2 * step)
        assert ours[name] == pytest.approx(numeric, abs=1e-8), name


@pytest.mark.parametrize("count", [1, 5, 40])
@pytest.mark.parametrize("average", [False, True])
@pytest.mark.parametrize("kind", models.MODELS)
def test_engines_agree(kind, average, count):
    shape = shape_of(kind, average=average)
    arrays, batch = arrays_of(shape), batch_of(shape, count, seed=4, equal=True)
    lowered = LoweredEngine(shape)
    for seed in (4, 5):
        batch = batch_of(shape, count, seed, equal=True)
        one, other = ScalarEngine(shape)(arrays, batch), lowered(arrays, batch)
        assert other.loss == pytest.approx(one.loss, abs=1e-14)
        assert other.active == one.active
        ours, theirs = dense(one, arrays), dense(other, arrays)
        for name, array in ours.items():
            assert theirs[name] == pytest.approx(array, abs=1e-13), name


def test_only_rows_in_the_windows_change():
    shape = shape_of("margin", delta=99.0)
    arrays, batch = arrays_of(shape), batch_of(shape, 2)
    found = ScalarEngine(shape)(arrays, batch)
    used = {word for places in batch.windows for word in places.words.ravel().tolist()}
    assert found.rows["E"].indices.tolist() == sorted(used)
    assert len(used) < WORDS


def test_lecture_shape():
    shape = Shape(dim=4, case_dim=0, hidden=8)
    arrays = initial(shape, WORDS, np.random.default_rng(0))
    assert {name: array.shape for name, array in arrays.items()} == {
        "E": (WORDS, 4),
        "W": (8, 20),
        "b": (8,),
        "u": (8,),
    }
    assert not arrays["b"].any()


@pytest.mark.parametrize("kind", models.MODELS)
@pytest.mark.parametrize("average", [False, True])
@pytest.mark.parametrize("activation", models.ACTIVATIONS)
def test_array_outputs_are_those_of_the_graph(kind, average, activation):
    shape = shape_of(kind, average=average, activation=activation)
    arrays, batch = arrays_of(shape), batch_of(shape)
    losses = [ScalarEngine(shape)(arrays, batch.take(slice(n, n + 1))).loss for n in range(3)]
    out = [
        models.outputs(shape, embedding.gather(shape, arrays, places), arrays)
        for places in batch.windows
    ]
    if kind == "margin":
        expected = np.maximum(0, shape.delta - out[0] + out[1])
    elif kind == "softmax":
        shares = np.exp(out[0]) / np.exp(out[0]).sum(1, keepdims=True)
        expected = -np.log((shares * batch.targets).sum(1))
    else:
        right = (out[0] * batch.targets).sum(1, keepdims=True)
        expected = (np.maximum(0, shape.delta + out[0] - right) * (1 - batch.targets)).sum(1)
    assert losses == pytest.approx(expected)


@pytest.mark.parametrize("engine", [ScalarEngine, LoweredEngine])
def test_a_quiet_pair_changes_nothing(engine):
    shape = shape_of("margin", delta=0.0)
    arrays, batch = arrays_of(shape), batch_of(shape, 1)
    arrays["u"][:] = 0
    found = engine(shape)(arrays, batch)
    assert (found.loss, found.active, found.dense, found.rows) == (0.0, 0, {}, {})


def test_scatter_gives_every_occurrence():
    shape = shape_of("margin", width=3)
    rng = np.random.default_rng(3)
    batch = batch_of(shape, 4, equal=True)
    gradients = [rng.normal(size=(4, shape.window_inputs)) for _ in batch.windows]
    rows = embedding.scatter(shape, batch.windows, gradients)
    for name, width, start in (("E", 3, 0), ("C", 2, 3)):
        table = np.zeros((WORDS, width))
        for places, gradient in zip(batch.windows, gradients, strict=True):
            ids = places.words if name == "E" else places.cases
            parts = gradient.reshape(4, 3, 5)[:, :, start : start + width]
            np.add.at(table, ids, parts)
        found = np.zeros_like(table)
        np.add.at(found, rows[name].indices, rows[name].rows)
        assert found == pytest.approx(table)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"kind": "crf"}, "unknown model 'crf'"),
        ({"activation": "gelu"}, "unknown activation 'gelu'"),
        ({"width": 4}, "window width 4"),
        ({"hidden": 0}, "hidden 0: it must be 1 or more"),
        ({"delta": -1.0}, "delta -1.0: neither may be below 0"),
    ],
)
def test_impossible_shapes(options, message):
    with pytest.raises(ValueError, match=message):
        Shape(**options)


def cut(count=12):
    ids = np.arange(count * 3, dtype=np.int32).reshape(count, 3)
    return Windows(ids, ids % 5, [count])


@pytest.mark.parametrize("kind", sampling.SAMPLERS)
def test_pairs(kind):
    true = np.zeros(12, bool)
    true[[2, 7]] = True
    sampler = sampling.PairSampler(cut(), true, 4, kind, "LOC")
    batch = sampler.epoch(np.random.default_rng(0))
    assert len(batch) == len(sampler) == 8
    rows = batch.windows[0].words.tolist()
    assert rows.count([6, 7, 8]) == rows.count([21, 22, 23]) == 4
    corrupt = batch.windows[1].words
    centres = {3 * row + 1 for row in range(12)} - {7, 22}
    assert set(corrupt[:, 1].tolist()) <= centres
    if kind == "word":
        assert corrupt[:, [0, 2]].tolist() == batch.windows[0].words[:, [0, 2]].tolist()
    else:
        assert (corrupt[:, 2] - corrupt[:, 0] == 2).all()
    again = sampler.epoch(np.random.default_rng(0))
    assert (again.windows[1].words == corrupt).all()
    assert len(batch.take(slice(0, 3))) == 3


def test_every_window_once():
    sampler = sampling.WindowSampler(cut(), ["O", "B"] * 6, ["O", "B"])
    batch = sampler.epoch(np.random.default_rng(0))
    assert sorted(batch.windows[0].words[:, 1].tolist()) == list(range(1, 36, 3))
    for word, target in zip(batch.windows[0].words[:, 1], batch.targets, strict=True):
        assert target.tolist() == ([1, 0] if (word // 3) % 2 == 0 else [0, 1])


@pytest.mark.parametrize(
    ("true", "corrupt", "kind", "message"),
    [
        (np.zeros(12, bool), 5, "window", "no token of the training file is of type LOC"),
        (np.ones(12, bool), 5, "window", "every token of the training file is of type LOC"),
        (np.arange(12) < 2, 0, "window", "0 corrupt windows"),
        (np.arange(12) < 2, 5, "noise", "unknown sampler 'noise'"),
    ],
)
def test_samplers_refuse(true, corrupt, kind, message):
    with pytest.raises(ValueError, match=message):
        sampling.PairSampler(cut(), true, corrupt, kind, "LOC")
