"""Networks: names, scopes, activations, fused sums, dropout, recurrence, classification."""

import copy
import math
import pickle
import random

import numpy as np
import pytest

from micrograd import losses
from micrograd.core.modes import no_grad, scope
from micrograd.engine import Value, topological_order
from micrograd.gradcheck import gradcheck
from micrograd.graph import snapshot
from micrograd.nn import MLP, Dropout, Layer, Module, Neuron, Recurrent, SoftmaxClassifier

from micrograd.nn import monte_carlo, sampled  # isort: skip


def square(z):
    return z * z


def seeded(seed, kind, *arguments, **options):
    random.seed(seed)
    return kind(*arguments, **options)


class Net(Module):
    """A network as a student writes it."""

    def __init__(self):
        self.first, self.rest = Layer(2, 3), {"out": [Neuron(3, nonlin=False)]}
        self.gain = Value(2.0)
        self.tied = self.first.neurons[0].w[0]
        self.last_output = None
        self._cache = Value(9.0)

    def __call__(self, x):
        self.last_output = self.gain * self.rest["out"][0](self.first(x))
        return self.last_output


def test_parameters_have_names_and_come_once():
    net = Net()
    net([1.0, 2.0])
    names = list(net.named_parameters())
    assert names[:3] == ["first.neurons.0.w.0", "first.neurons.0.w.1", "first.neurons.0.b"]
    assert names[-2:] == ["rest.out.0.b", "gain"]
    assert len(names) == 14
    assert net.parameters() == list(net.named_parameters().values())
    assert [type(m).__name__ for m in net.modules()] == ["Net", "Layer", *["Neuron"] * 4]


def test_weights_are_the_parameters_without_biases():
    model = MLP(2, [3, 1])
    assert len(model.weights()) == 9
    assert not any(p.label == "b" for p in model.weights())


def test_labels_and_scopes():
    model = MLP(2, [3, 1])
    neuron = model.layers[0].neurons[2]
    assert [p.label for p in neuron.parameters()] == ["w0", "w1", "b"]
    assert {p.scope for p in neuron.parameters()} == {"layer 0 / neuron 2"}
    out = model([1.0, 2.0])
    assert out.scope == "layer 1 / neuron 0"
    made = {node.scope for node in topological_order(out) if node.parents}
    assert made == {
        "layer 0 / neuron 0",
        "layer 0 / neuron 1",
        "layer 0 / neuron 2",
        "layer 1 / neuron 0",
    }
    assert Value(1.0).scope == ""


def test_scopes_nest():
    with scope("score"):
        model = MLP(2, [1])
        assert model([1.0, 2.0]).scope == "score / layer 0 / neuron 0"
        assert Value(1.0).scope == "score"
    with scope("window"):
        assert model([1.0, 2.0]).scope == "window / score / layer 0 / neuron 0"
        assert Neuron(1)(1.0).scope == "window"
    assert model([1.0, 2.0]).scope == "score / layer 0 / neuron 0"


def test_the_scope_is_put_back_after_an_error():
    def broken(_):
        raise RuntimeError("broken")

    with pytest.raises(RuntimeError, match="broken"):
        MLP(1, [1, 1], activation=broken)([1.0])
    assert Value(1.0).scope == ""


@pytest.mark.parametrize("activation", ["tanh", "sigmoid", "leaky_relu", "soft_sign", square])
@pytest.mark.parametrize("fused", [False, True])
def test_activations_by_name_and_callable(activation, fused):
    random.seed(5)
    model = MLP(3, [4, 2], activation=activation, fused=fused)
    assert gradcheck(model, at=[0.5, -0.3, 0.8])


def test_an_activation_for_every_layer():
    random.seed(5)
    model = MLP(2, [2, 2, 1], activation=["tanh", None, "sigmoid"])
    layers = "TanhNeuron(2), TanhNeuron(2)", "LinearNeuron(2), LinearNeuron(2)", "SigmoidNeuron(2)"
    assert str(model) == f"MLP of [{', '.join(f'Layer of [{layer}]' for layer in layers)}]"
    assert 0 < model([1.0, 1.0]).data < 1
    assert str(Neuron(1, activation=square)) == "squareNeuron(1)"
    with pytest.raises(ValueError, match="2 activations for 3 layers"):
        MLP(2, [2, 2, 1], activation=["tanh", "tanh"])
    for wrong in ("glu", "add", "weighted_sum"):
        with pytest.raises(ValueError, match=f"no activation '{wrong}'.*relu"):
            Neuron(2, activation=wrong)


def test_fused_neurons_compute_the_same_with_one_node_each():
    plain, fused = (seeded(8, MLP, 3, [5, 4, 1], fused=fused) for fused in (False, True))
    x = [0.3, -0.2, 0.9]
    first, second = plain(x), fused(x)
    assert first.data == second.data
    first.backward()
    second.backward()
    assert [p.grad for p in fused.parameters()] == pytest.approx(
        [p.grad for p in plain.parameters()]
    )
    made = [node for node in topological_order(second) if node.parents]
    assert [n._op for n in made].count("Σ") == 10
    assert len(made) == 10 + 9


def test_one_input_may_be_an_array_without_an_axis():
    model = MLP(1, [2, 1])
    for x in (np.array(0.5), *np.nditer(np.array([0.5]))):  # as loops over arrays give them
        assert model(x).data == model(0.5).data
    with pytest.raises(TypeError, match=r"sizes as a list, like \[4, 1\], not array\(2\)"):
        MLP(1, np.array(2))


def test_inputs_become_values_once():
    model = Layer(2, 3)
    outs = model(np.array([1.0, 2.0]))
    leaves = [n for n in topological_order(*outs) if not n.parents]
    assert len(leaves) == 2 + 9
    assert Neuron(2, fused=True)((1.0, 2)).data == pytest.approx(
        Neuron(2)((Value(1), 2)).data, abs=9
    )
    assert isinstance(MLP(1, [1, 1])(3.0), Value)
    assert isinstance(MLP(2, [1, 1])(iter([3.0, 1])), Value)


@pytest.mark.parametrize("fused", [False, True])
def test_a_wrong_number_of_inputs_names_the_neuron(fused):
    model = MLP(2, [3, 1], fused=fused)
    with pytest.raises(ValueError, match=r"ReLUN.* in layer 0 / neuron 0 takes 2 inputs, not 1"):
        model([1.0])
    with pytest.raises(ValueError, match=r"ReLUNeuron\(2\) takes 2 inputs, not 3"):
        Neuron(2)([1, 2, 3])


def test_copies_and_pickles_are_networks_of_their_own():
    model = MLP(2, [3, 1], activation="tanh", fused=True)
    for twin in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert twin([1.0, 2.0]).data == model([1.0, 2.0]).data
        twin.parameters()[0].data += 1
        assert twin([1.0, 2.0]).data != model([1.0, 2.0]).data


def test_training_mode_reaches_every_module():
    model = Recurrent(1, 2, dropout=Dropout(0.5))
    assert model.eval() is model
    assert not any(m.training for m in model.modules())
    model.train()
    assert all(m.training for m in model.modules())
    assert Net().modules()[1].training


def test_dropout_keeps_the_expectation_within_3_standard_errors():
    draws, x, p = 20_000, 1.5, 0.3
    for inverted in (True, False):
        dropout = Dropout(p, inverted=inverted, seed=6)
        outs = [dropout([Value(x)])[0].data for _ in range(draws)]
        mean = sum(outs) / draws
        deviation = math.sqrt(sum((out - mean) ** 2 for out in outs) / draws)
        expected = dropout.eval()([Value(x)])[0].data
        assert expected == pytest.approx(x if inverted else p * x)
        assert abs(mean - expected) < 3 * deviation / math.sqrt(draws)


def test_dropout_masks_are_zero_or_one_over_p_and_seeded():
    factors = [m.data for m in Dropout(0.25, seed=1).mask(200)]
    assert set(factors) == {0.0, 4.0}
    assert factors == [m.data for m in Dropout(0.25, seed=1).mask(200)]
    assert factors != [m.data for m in Dropout(0.25, seed=2).mask(200)]
    assert {m.data for m in Dropout(0.25, inverted=False, seed=1).mask(200)} == {0.0, 1.0}
    assert Dropout(1.0).mask(3)[0].data == 1
    state = random.getstate()
    Dropout(0.5)([Value(1.0)])
    assert random.getstate() == state


def test_dropout_passes_the_gradient_of_kept_units_only():
    xs, dropout = [Value(1.0) for _ in range(20)], Dropout(0.5, seed=3)
    outs = dropout(xs)
    sum(outs).backward()
    assert [x.grad for x in xs] == [out.data for out in outs]


def test_what_is_no_probability_to_keep_is_refused():
    for p in (0, -0.5, 1.5):
        with pytest.raises(ValueError, match="probability to keep"):
            Dropout(p)


def test_variational_dropout_has_one_mask_for_all_time_steps():
    class Watched(Dropout):
        def __call__(self, xs):
            outs = super().__call__(xs)
            used.append([out.parents[1].data for out in outs])
            return outs

    used = []

    def masks(variational):
        used.clear()
        cell = Recurrent(1, 8, dropout=Watched(0.5, variational=variational, seed=2))
        cell([[1.0], [2.0], [3.0], [4.0]])
        cell([[1.0], [2.0], [3.0], [4.0]])
        return list(used)

    same = masks(variational=True)
    assert same[0] == same[1] == same[2] == same[3]
    assert same[4] == same[5] == same[6] == same[7] != same[0]
    assert len({tuple(mask) for mask in masks(variational=False)}) > 4


def test_a_variational_mask_is_for_one_number_of_units():
    dropout = Dropout(0.5, variational=True)
    dropout([Value(1.0)] * 3)
    with pytest.raises(ValueError, match="for 3 units, not 2; renew"):
        dropout([Value(1.0)] * 2)
    dropout.renew()
    assert len(dropout([Value(1.0)] * 2)) == 2


class Dropped(Module):
    """A network with dropout between two layers."""

    def __init__(self):
        self.hidden, self.dropout = Layer(2, 12, activation="tanh"), Dropout(0.6, seed=7)
        self.out = Layer(12, 1, nonlin=False)

    def __call__(self, x):
        return self.out(self.dropout(self.hidden(x)))


def test_a_sequence_keeps_its_mask_while_networks_are_sampled():
    dropout, xs = Dropout(0.5, variational=True, seed=1), [Value(1.0)] * 8
    for _ in range(3):
        step = [x.data for x in dropout(xs)]
        assert len(set(map(tuple, sampled(dropout, xs, 20)))) > 10
        assert [x.data for x in dropout(xs)] == step
        dropout.renew()
    sampled(dropout, xs, 2)
    assert dropout.last.getstate() == []


def test_monte_carlo_prediction_averages_sampled_networks():
    random.seed(2)
    model = Dropped().eval()
    twin = copy.deepcopy(model)
    means, spreads = monte_carlo(model, [0.4, -0.9], samples=30)
    outputs = [out for (out,) in sampled(twin, [0.4, -0.9], 30)]
    assert len(set(outputs)) > 10
    assert means == [pytest.approx(sum(outputs) / 30)]
    assert spreads == [pytest.approx(np.std(outputs))]
    full = model([0.4, -0.9]).data
    (mean,), (spread,) = monte_carlo(model, [0.4, -0.9], samples=3000)
    assert abs(mean - full) < 3 * spread / math.sqrt(3000)
    assert not model.dropout.training
    with pytest.raises(ValueError, match="no Dropout"):
        monte_carlo(MLP(2, [1]), [1.0, 2.0])


def test_a_recurrent_cell_by_hand():
    random.seed(9)
    cell = Recurrent(2, 3)
    W = np.array([[w.data for w in neuron.w] for neuron in cell.layer.neurons])
    h, sequence = np.zeros(3), [[1.0, -1.0], [0.5, 2.0], [0.0, 0.3]]
    for x, states in zip(sequence, cell(sequence)):
        h = np.tanh(W @ np.concatenate([x, h]))
        np.testing.assert_allclose([s.data for s in states], h, rtol=1e-13)
    assert states[0].scope == "step 2 / neuron 0"
    begun = cell(sequence[1:], h=[Value(0.1)] * 3)[0]
    np.testing.assert_allclose(
        [s.data for s in begun], np.tanh(W @ [0.5, 2.0, 0.1, 0.1, 0.1]), rtol=1e-13
    )
    assert str(cell) == "Recurrent(2, 3)"
    assert isinstance(Recurrent(1, 1)([1.0, 2.0])[1][0], Value)


def test_a_recurrent_cell_follows_torch():
    torch = pytest.importorskip("torch")
    random.seed(9)
    cell, theirs = Recurrent(2, 3), torch.nn.RNN(2, 3, dtype=torch.float64)
    weights = [[w.data for w in neuron.w] for neuron in cell.layer.neurons]
    W = torch.tensor(weights, dtype=torch.float64)
    with torch.no_grad():
        theirs.weight_ih_l0.copy_(W[:, :2])
        theirs.weight_hh_l0.copy_(W[:, 2:])
        theirs.bias_ih_l0.zero_()
        theirs.bias_hh_l0.zero_()
    sequence = [[1.0, -1.0], [0.5, 2.0], [0.0, 0.3], [-1.0, 0.1]]
    last = sum(cell(sequence)[-1])
    last.backward()
    expected = theirs(torch.tensor(sequence, dtype=torch.float64))[1].sum()
    expected.backward()
    assert last.data == pytest.approx(expected.item(), rel=1e-12)
    ours = [[w.grad for w in neuron.w[2:]] for neuron in cell.layer.neurons]
    np.testing.assert_allclose(ours, theirs.weight_hh_l0.grad, rtol=1e-11)


def test_the_softmax_classifier():
    random.seed(1)
    model = SoftmaxClassifier(2, 3)
    p = [q.data for q in model.probabilities([0.5, -1.0])]
    assert sum(p) == pytest.approx(1)
    assert model.predict([0.5, -1.0]) == p.index(max(p))
    assert losses.cross_entropy(model([0.5, -1.0]), 1).data == pytest.approx(-math.log(p[1]))
    assert str(model) == "SoftmaxClassifier(2, 3)"
    assert model.layer.neurons[0].nonlin is False
    with pytest.raises(ValueError, match="the number of classes is 2 or more"):
        SoftmaxClassifier(2, 1)


def test_prediction_under_no_grad_records_nothing():
    with no_grad():
        out = MLP(2, [3, 1], fused=True)([1.0, 2.0])
    assert out.parents == ()


def test_a_snapshot_has_the_names_of_the_network():
    graph = snapshot(MLP(2, [2, 1], fused=True)([Value(1.0, label="x0"), Value(2.0, label="x1")]))
    assert {"w0", "w1", "b", "x0", "x1"} <= set(graph.labels)
    assert "layer 1 / neuron 0" in graph.scopes


@pytest.mark.parametrize(
    "activation, said",
    [("rleu", "'rleu'; is relu meant"), ("Tanh", "'Tanh'; is tanh meant"), (3, "3; give a")],
)
def test_an_activation_is_checked_though_no_layer_uses_it(activation, said):
    with pytest.raises(ValueError, match=f"there is no activation {said}"):
        MLP(2, [1], activation=activation)


class Table(list):
    """A DataFrame of pandas as it iterates: over the names of its columns."""

    ndim, iloc = 2, property(lambda self: None)


@pytest.mark.parametrize(
    "x", [{1.0, 2.0}, frozenset([1.0, 2.0]), {1.0: 0, 2.0: 0}, Table([0, 1])], ids=str
)
def test_inputs_and_sizes_come_in_an_order(x):
    for module in (MLP(2, [1]), Neuron(2), Layer(2, 3), Dropout(0.5)):
        with pytest.raises(TypeError, match="inputs are a list, not the"):
            module(x)
    with pytest.raises(TypeError, match="sizes as a list"):
        MLP(2, {4, 1})
    assert MLP(2, [1])({"a": 1.0, "b": 2.0}.values()).parents


def test_a_recurrent_cell_says_what_it_takes():
    cell = Recurrent(2, 3)
    for sequence, h in (([1.0, 2.0], None), ([[1.0, 2.0]], [0.0]), ([[1.0, 2.0, 3.0]], None)):
        with pytest.raises(ValueError, match=r"Recurrent\(2, 3\) takes 2 inputs at every step"):
            cell(sequence, h)


def test_no_module_shows_its_address():
    class Plain(Module):
        pass

    assert repr(Plain()) == "Plain()" and repr(Dropout(0.5)) == "Dropout(0.5)"


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: Recurrent(0, 2), ValueError, "the number of inputs is 1 or more, not 0"),
        (lambda: Recurrent(1, 0), ValueError, "the number of hidden units is 1 or more, not 0"),
        (lambda: Recurrent(1, "2"), TypeError, "number of hidden units is a whole number, not '2'"),
        (lambda: Recurrent(1, 2)(0.5), TypeError, "takes a sequence of inputs, not 0.5"),
        (lambda: Recurrent(1, 2)("ab"), TypeError, "takes a sequence of inputs, not 'ab'"),
    ],
)
def test_a_recurrent_layer_says_which_size_or_sequence_it_cannot_take(call, error, message):
    with pytest.raises(error, match=message):
        call()
