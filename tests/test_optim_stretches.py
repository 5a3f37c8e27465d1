"""Arrays that lie side by side in one vector move as they do when each lies alone, bit by bit."""

import copy
import pickle
import random

import numpy as np
import pytest

from micrograd import Value
from micrograd.optim import BY_NAME, SGD, Adam, Optimizer, Rows, clip_norm, stretches
from micrograd.optim.stretches import Stretch
from micrograd.optim.stretches import side_by_side as in_one_vector

SHAPES = {"W1": (3, 4), "b1": (3,), "table": (5, 2), "none": (0, 2), "W2": (1, 3), "b2": (1,)}
CASES = [(kind, seed) for kind in BY_NAME.values() for seed in range(12)]


def side_by_side(rng):
    """Return named arrays in one vector, and the same ones each alone."""
    sizes = [int(np.prod(shape)) for shape in SHAPES.values()]
    gap = rng.randrange(2)  # numbers of nobody's, between the arrays
    vector = np.random.default_rng(rng.randrange(99)).normal(size=sum(sizes) + gap)
    parts = np.split(vector, np.cumsum([*sizes[:2], sizes[2] + gap, *sizes[3:]])[:-1])
    joined = {
        name: part[: int(np.prod(shape))].reshape(shape)
        for part, (name, shape) in zip(parts, SHAPES.items())
    }
    return joined, {name: array.copy() for name, array in joined.items()}


def groups(arrays, rng):
    if rng.randrange(2):
        return arrays
    names = [*arrays]
    cut = rng.randrange(1, len(names))
    parts = ({name: arrays[name] for name in part} for part in (names[:cut], names[cut:]))
    return [{"params": part, "scale": scale} for part, scale in zip(parts, (1.0, 0.5))]


def options_of(kind, rng):
    options = {"lr": rng.choice([0.1, lambda t: 0.1 / (t + 1)]), "dense": rng.random() < 0.5}
    options["weight_decay"] = rng.choice([0.0, 0.01])
    if kind is SGD:
        options |= {"momentum": rng.choice([0.0, 0.9]), "nesterov": rng.random() < 0.5}
    return options | {"clip": rng.choice([None, clip_norm(1.0)])}


def gradient(shape, name, dense, rng):
    draw = np.random.default_rng(rng.randrange(9999))
    if rng.random() < 0.15:
        return None
    if name == "table" and dense and rng.random() < 0.5:
        return Rows(np.array([1, 1, 3]), draw.normal(size=(3, 2)))
    return draw.normal(size=shape).astype(rng.choice([float, float, float, np.float32]))


@pytest.mark.parametrize("kind, seed", CASES)
def test_they_move_as_each_alone(kind, seed, monkeypatch):
    """Side by side, alone, and in blocks of few numbers."""
    rng = random.Random(seed)
    joined, alone = side_by_side(rng)
    in_blocks = {name: array.copy() for name, array in alone.items()}
    options, state = options_of(kind, rng), rng.getstate()
    runs = []
    for own, block in ((joined, 99), (alone, 99), (in_blocks, rng.randrange(1, 9))):
        monkeypatch.setattr(stretches, "BLOCK", block)
        rng.setstate(state)
        optimizer = kind(groups(own, rng), **options)
        for step in range(12):
            rows = options["dense"] or (kind.takes_rows and not options.get("momentum"))
            rows = rows and (options["dense"] or not options["weight_decay"])
            gradients = {n: gradient(s, n, rows, rng) for n, s in SHAPES.items()}
            if step == 4:
                optimizer.load_state_dict(optimizer.state_dict())
            if step == 6:
                optimizer = rng.choice([copy.deepcopy, lambda x: x])(optimizer)
            if step == 7:  # a parameter is another array from now on
                name = rng.choice([*SHAPES])
                optimizer.parameters[name] = optimizer.parameters[name].copy()
            if step == 8:
                name = rng.choice([*SHAPES])
                for slot in kind.slots:
                    optimizer.state[name][slot] = np.ones(SHAPES[name])
            if step == 9:  # a layer is started anew
                name = rng.choice([*SHAPES])
                optimizer.state[name] = optimizer._start(optimizer.parameters[name])
            optimizer.step(gradients)
        runs.append((optimizer.parameters, optimizer.state))
    for joined, alone, in_blocks in zip(*runs):
        for name in SHAPES:
            assert_same(joined[name], alone[name])
            assert_same(in_blocks[name], alone[name])


def assert_same(one, other):
    if isinstance(one, dict):
        assert one.keys() == other.keys()
        for key in one:
            assert_same(one[key], other[key])
    else:
        assert type(one) is type(other)
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("again", [copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))])
def test_a_copy_moves_arrays_of_its_own(again):
    joined, _ = side_by_side(random.Random(0))
    ones = {name: np.ones(shape) for name, shape in SHAPES.items()}
    optimizer = Adam(joined)
    optimizer.step(ones)
    other, before = again(optimizer), {name: x.copy() for name, x in joined.items()}
    other.step(ones)
    for name in SHAPES:
        np.testing.assert_array_equal(joined[name], before[name])
    optimizer.step(ones)
    for name in SHAPES:
        np.testing.assert_array_equal(joined[name], other.parameters[name])


@pytest.mark.parametrize("change", ["one", "all", "state"])
def test_what_lies_side_by_side_is_looked_at_again_where_it_changed(change):
    ones = {name: np.ones(shape) for name, shape in SHAPES.items()}
    runs = []
    for own in side_by_side(random.Random(5)):
        optimizer = Adam(own, lr=0.1)
        for _ in range(3):
            optimizer.step(ones)
            if change == "one":
                optimizer.parameters["W1"] = optimizer.parameters["W1"].copy()
            elif change == "all":  # side by side in another vector
                optimizer.parameters.update(
                    in_one_vector({name: optimizer.parameters[name] for name in SHAPES})
                )
            else:
                optimizer.state["b1"] = Adam([np.zeros(3)]).state["0"]
        runs.append(optimizer.parameters)
    for name in SHAPES:
        np.testing.assert_array_equal(runs[0][name], runs[1][name])


class Shifting(SGD):
    """A rule that remembers two gradients, the latter in the place of the former."""

    slots, elementwise = ("last", "before"), True

    def rule(self, x, g, s, o):
        step = g - 0.3 * s["last"] + 0.2 * s["before"]
        s["before"], s["last"] = s["last"], g
        return x - o.lr * step


class Remembering(Shifting):
    """A rule that remembers what it is given."""

    elementwise = True

    def rule(self, x, g, s, o):
        new = x - o.lr * g + 0.1 * (x - s["last"]) - 0.2 * s["before"]
        s["last"], s["before"] = x, g
        return new


@pytest.mark.parametrize("kind", [Shifting, Remembering])
def test_what_is_remembered_is_what_it_was(kind, monkeypatch):
    """Of arrays, side by side, alone, in blocks, whose gradients are overwritten; of numbers."""
    runs = []
    joined, alone = side_by_side(random.Random(3))
    values = {
        f"{name} {at}": Value(number)
        for name, array in alone.items()
        for at, number in enumerate(array.ravel().tolist())
    }
    in_blocks = {name: array.copy() for name, array in alone.items()}
    for own in (joined, alone, values, in_blocks):
        monkeypatch.setattr(stretches, "BLOCK", 2 if own is in_blocks else 99)
        optimizer, draw = kind(own, lr=0.1), np.random.default_rng(0)
        given = {name: np.empty(shape) for name, shape in SHAPES.items()}
        for _ in range(4):
            for array in given.values():
                array[...] = draw.normal(size=array.shape)
            single = {
                f"{name} {at}": number
                for name, array in given.items()
                for at, number in enumerate(array.ravel().tolist())
            }
            optimizer.step(single if own is values else given)
        numbers = [
            np.ravel(p if own is not values else p.data) for p in optimizer.parameters.values()
        ]
        runs.append(np.concatenate(numbers))
    np.testing.assert_array_equal(runs[0], runs[1])
    np.testing.assert_array_equal(runs[0], runs[2])
    np.testing.assert_array_equal(runs[0], runs[3])


class Averaging(Optimizer):
    """A rule that remembers what its slots do not name."""

    elementwise = True

    def rule(self, x, g, s, o):
        s["mean"] = 0.5 * s.get("mean", 0.0) + 0.5 * g
        return x - o.lr * s["mean"]


@pytest.mark.parametrize("block", [1, 99])
def test_what_an_elementwise_rule_remembers_is_named(block, monkeypatch):
    monkeypatch.setattr(stretches, "BLOCK", block)
    arrays = in_one_vector({"a": np.ones(3), "b": np.ones(2)})
    with pytest.raises(TypeError, match="Averaging .* remembers mean, .* name it there"):
        Averaging(arrays, lr=0.1, dense=True).step({"a": np.ones(3), "b": np.ones(2)})
    assert arrays["a"].tolist() == [1.0, 1.0, 1.0]


class Layerwise(Adam):
    """A rule that does not take every number by itself, by the side of one that does."""

    def rule(self, x, g, s, o):
        return super().rule(x, g / (abs(g).sum() + 1.0), s, o)


def patched(arrays, lr):
    optimizer = Adam(arrays, lr=lr)
    optimizer.rule = Layerwise.rule.__get__(Layerwise(arrays, lr=lr))
    return optimizer


@pytest.mark.parametrize("kind", [Layerwise, patched])
def test_a_rule_of_somebody_elses_sees_each_array_alone(kind):
    runs = []
    for own in side_by_side(random.Random(0)):
        optimizer = kind(own, lr=0.1)
        optimizer.step({name: np.ones(shape) for name, shape in SHAPES.items()})
        runs.append(own)
    for name in SHAPES:
        np.testing.assert_array_equal(runs[0][name], runs[1][name])


def test_one_call_moves_what_lies_in_a_row(monkeypatch):
    joined, _ = side_by_side(random.Random(3))
    calls, rule = [], SGD.rule
    monkeypatch.setattr(SGD, "rule", lambda *given: (calls.append(given[1].size), rule(*given))[1])
    SGD(joined).step({name: np.ones(shape) for name, shape in SHAPES.items()})
    assert sorted(calls) == [0, 4, 25]  # there is a gap behind the table


def test_a_stretch_hands_states_out_by_name():
    arrays = {"a": np.zeros(2), "b": np.zeros((1, 3))}
    states = {name: {"m": np.full(x.shape, 2.0), "t": 1} for name, x in arrays.items()}
    stretch = Stretch(arrays, ["m"], ["t"])
    now = stretch.lay(states)
    now["m"], now["t"] = now["m"] + np.arange(5), 2
    stretch.keep(now, states)
    assert states["a"]["m"].tolist() == [2, 3] and states["b"]["m"].tolist() == [[4, 5, 6]]
    assert states["a"]["t"] == states["b"]["t"] == 2


def every_second(vector):
    return {"x": vector[:2], "y": vector[2::2]}


def of_two_kinds(vector):
    return {"x": vector[:2].view(np.float32), "y": vector[2:]}


def backwards(vector):
    return {"x": vector[:3], "y": vector[5:2:-1]}


@pytest.mark.parametrize("cut", [every_second, of_two_kinds, backwards])
def test_what_only_begins_where_another_ends_moves_alone(cut):
    vector = np.arange(1.0, 7.0)
    together = cut(vector)
    alone = {name: array.copy() for name, array in together.items()}
    gradients = {name: np.arange(array.size) + 0.5 for name, array in together.items()}
    for arrays in (together, alone):
        SGD(arrays, lr=0.1).step(gradients)
    for name, array in together.items():
        np.testing.assert_array_equal(array, alone[name])
