"""Initialisations: spreads, who gets what, and PyTorch's numbers from the same draws."""

import random
import statistics

import numpy as np
import pytest

from micrograd.init import RULES, drawn, initialise, spread
from micrograd.nn import MLP, Dropout, Layer, Module, Neuron, SoftmaxClassifier

VARIANCES = {
    "uniform": 1e-4 / 3,
    "normal": 1e-4,
    "xavier_uniform": 2 / 500,
    "xavier_normal": 2 / 500,
    "zero": 0.0,
}


@pytest.mark.parametrize("name", RULES)
def test_variance_of_arrays_and_of_networks(name):
    array = drawn(name, (200, 300), np.random.default_rng(0))
    assert array.shape == (200, 300)
    assert array.var() == pytest.approx(VARIANCES[name], rel=0.02)
    assert abs(array.mean()) <= 4 * (array.std() / array.size**0.5)
    network = initialise(SoftmaxClassifier(60, 40), name, seed=1)
    numbers = [w.data for w in network.weights()]
    expected = VARIANCES[name] * (5 if name.startswith("xavier") else 1)
    assert statistics.pvariance(numbers) == pytest.approx(expected, rel=0.1)


def test_uniform_stays_within_its_bounds():
    bound = (6 / 28) ** 0.5
    array = drawn("xavier_uniform", (8, 20), np.random.default_rng(0))
    assert 0.95 * bound < abs(array).max() <= bound
    assert abs(drawn("uniform", (50, 50), np.random.default_rng(0))).max() <= 0.01


def test_fans_are_those_of_each_layer_and_biases_are_zero():
    model = MLP(30, [20, 10])
    for parameter in model.parameters():
        parameter.data = 7.0
    assert initialise(model, "xavier_uniform", seed=2) is model
    for layer, fans in zip(model.layers, (50, 30)):
        largest = max(abs(w.data) for w in layer.weights())
        assert 0.95 * (6 / fans) ** 0.5 < largest <= (6 / fans) ** 0.5
        assert {neuron.b.data for neuron in layer.neurons} == {0.0}


def test_a_seed_gives_the_same_numbers_and_leaves_the_global_generator_alone():
    first, second = (initialise(MLP(3, [4, 1]), "xavier_normal", seed=5) for _ in range(2))
    assert [p.data for p in first.parameters()] == [p.data for p in second.parameters()]
    state = random.getstate()
    initialise(first, "normal", seed=5)
    assert random.getstate() == state
    initialise(first, "normal")
    assert random.getstate() != state


def test_neurons_outside_of_layers_are_drawn_and_numbers_stay():
    class Mixed(Module):
        def __init__(self):
            self.layer, self.out = Layer(2, 3), Neuron(3)

    model = Mixed()
    model.layer.neurons[0].w[0], model.layer.neurons[1].b = 5.0, 0.5
    before = [w.data for w in model.weights()]
    initialise(model, "xavier_uniform", seed=1)
    after = [w.data for w in model.weights()]
    assert len(after) == 8 and not set(before) & set(after)
    assert max(map(abs, after[5:])) <= (6 / 4) ** 0.5  # a Neuron is a layer of one
    assert (model.layer.neurons[0].w[0], model.layer.neurons[1].b) == (5.0, 0.5)
    assert initialise(Neuron(2), "zero").w[0].data == 0
    alone, of_a_layer = initialise(Neuron(3), "xavier_uniform", 1), Layer(3, 1)
    initialise(of_a_layer, "xavier_uniform", 1)
    assert [w.data for w in alone.w] == [w.data for w in of_a_layer.neurons[0].w]


@pytest.mark.parametrize("seed", [np.int64(3), np.uint8(3), np.array([3])[0]])
def test_seeds_of_numpy_are_ints(seed):
    first, second = (initialise(MLP(2, [1]), "normal", s).parameters() for s in (3, seed))
    assert [p.data for p in first] == [p.data for p in second]
    assert Dropout(0.5, seed=seed).masks(1, 9) == Dropout(0.5, seed=3).masks(1, 9)


def test_what_does_not_exist_is_refused():
    with pytest.raises(ValueError, match="there is no initialisation 'he'"):
        initialise(MLP(2, [1]), "he")
    with pytest.raises(ValueError, match="no neurons"):
        initialise(MLP(2, []), "zero")


@pytest.mark.parametrize("name", ["xavier_uniform", "xavier_normal"])
def test_pytorch_makes_the_same_of_the_same_draws(name):
    torch = pytest.importorskip("torch")
    theirs = torch.empty(8, 20, dtype=torch.float64)
    getattr(torch.nn.init, f"{name}_")(theirs, generator=torch.Generator().manual_seed(3))
    standard = torch.empty(8, 20, dtype=torch.float64)
    generator = torch.Generator().manual_seed(3)
    kind, first, second = spread(name, 20, 8)
    if kind == "uniform":
        ours = first + (second - first) * standard.uniform_(generator=generator)
    else:
        ours = first + second * standard.normal_(generator=generator)
    np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-16)


@pytest.mark.parametrize(("shape", "name"), [((3, 0), "fan_in"), ((0, 3), "fan_out")])
def test_weights_of_no_inputs_or_no_units_are_refused(shape, name):
    with pytest.raises(ValueError, match=f"{name} is 1 or more, not 0"):
        drawn("xavier_uniform", shape, np.random.default_rng(0))
