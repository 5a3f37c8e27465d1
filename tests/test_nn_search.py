"""Parameters are found wherever they are kept, or the attribute that hides them is named."""

import random
import types
from collections import OrderedDict, UserDict, UserList, deque
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from micrograd.engine import Value
from micrograd.lowering import lower
from micrograd.nn import MLP, Embedding, Layer, Module, Neuron
from micrograd.optim import SGD, Adam
from micrograd.training import descent, fit


class Holder(Module):
    """Hold whatever it is given as `held`."""

    def __init__(self, held):
        self.held = held

    def __call__(self, x):
        return x


def objects(*values):
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array


SEARCHED = {
    "list": list,
    "tuple": tuple,
    "deque": deque,
    "dict": lambda values: dict(enumerate(values)),
    "ordered": lambda values: OrderedDict((str(i), v) for i, v in enumerate(values)),
    "proxy": lambda values: types.MappingProxyType({str(i): v for i, v in enumerate(values)}),
    "user dict": lambda values: UserDict({str(i): v for i, v in enumerate(values)}),
    "array": lambda values: objects(*values),
    "grid": lambda values: objects(*values, *values).reshape(2, len(values)),
    "nested": lambda values: [{"a": (deque(values),)}],
    "array in a list": lambda values: [objects(*values)],
    "module": lambda values: Holder(values),
}


@pytest.mark.parametrize("make", SEARCHED.values(), ids=SEARCHED)
def test_parameters_are_found_named_saved_and_trained(make, tmp_path):
    values = [Value(1.0), Value(2.0)]
    model = Holder(make(values))
    assert model.parameters() == values
    assert list(model.named_parameters().values()) == values
    path = model.save(tmp_path / "m.npz")
    SGD(model.parameters(), lr=1.0).step([1.0, 1.0])
    assert [v.data for v in values] == [0.0, 1.0]
    model.load(path)
    assert [v.data for v in values] == [1.0, 2.0]


def test_elements_of_arrays_are_named_by_their_place():
    grid = objects(*map(Value, range(6))).reshape(2, 3)
    places = [f"held.{i}.{j}" for i in (0, 1) for j in range(3)]
    assert list(Holder(grid).named_parameters()) == places
    assert list(Holder(np.array(Value(1.0))).named_parameters()) == ["held."]


@dataclass
class Record:
    w: list = field(default_factory=list)


class Slotted:
    __slots__ = ("w",)

    def __init__(self, w):
        self.w = w


class Inner(Slotted):
    __slots__ = ("other", "unset")


def closure(value):
    return lambda z: z * value


def method(value):
    return Holder([value]).__call__


HIDDEN = {
    "set": lambda v: {v},
    "frozenset": lambda v: frozenset([v]),
    "user list": lambda v: UserList([v]),
    "object": lambda v: types.SimpleNamespace(w=v),
    "dataclass": lambda v: Record([v]),
    "slots": Slotted,
    "inherited slots": Inner,
    "closure": closure,
    "partial": lambda v: partial(max, v),
    "method": method,
    "method of a list": lambda v: [v].__getitem__,
    "deep": lambda v: [{"a": Record([Slotted({v})])}],
    "module in an object": lambda v: types.SimpleNamespace(body=Holder(v)),
    "array in a set's like": lambda v: Record([objects(v)]),
    "keys of a dict": lambda v: {v: 1.0},
    "values of a dict": lambda v: {"a": v}.values(),
    "default": lambda v: lambda z, w=v: z * w,
    "named default": lambda v: lambda z, *, w=v: z * w,
    "iterator": lambda v: iter([v]),
    "zip": lambda v: zip([v], [1.0]),
    "class": lambda v: type("Own", (Holder,), {"w": v})([]),
    "inherited class": lambda v: type("Own", (type("Above", (Holder,), {"w": [v]}),), {})([]),
}


USES = ["parameters", "named_parameters", "zero_grad", "state_dict", "eval"]


@pytest.mark.parametrize("make", HIDDEN.values(), ids=HIDDEN)
@pytest.mark.parametrize("use", USES)
def test_what_the_search_does_not_know_is_refused_with_the_attribute(make, use):
    model = Holder([Layer(1, 1), Holder(make(Value(1.0)))])
    with pytest.raises(TypeError, match=r"Holder\.held\.1\.held.* that holds .*, which would be"):
        getattr(model, use)()


@pytest.mark.parametrize(
    "make", [lambda: (Value(1.0) for _ in range(3)), lambda: map(Value, [1.0, 2.0])]
)
def test_what_makes_parameters_once_is_refused(make):
    with pytest.raises(TypeError, match=r"Holder\.held is a (generator|map): .*; keep a list"):
        Holder(make()).parameters()


class Distance(Module):
    """Measure how far w times x is from a target that was taken from another network."""

    def __init__(self):
        self.w, self.target = [Value(1.0), Value(0.5)], [Value(5.0).detach(), Value(2.0).detach()]

    def __call__(self, x):
        return sum((w * x - t) ** 2 for w, t in zip(self.w, self.target))


def test_what_was_detached_is_saved_and_not_trained(tmp_path):
    model, lowered = Distance(), lower(Distance(), 1.5)
    assert list(model.named_parameters()) == ["w.0", "w.1"] and model.parameters() == model.w
    assert {name: array.size for name, array in lowered.parameters.items()} == {"w": 2}
    optimizer = SGD(model.parameters(), lr=0.1)
    model(1.5).backward()
    optimizer.step()
    assert [t.data for t in model.target] == [5.0, 2.0] and model.w[0].data != 1.0
    step = descent(model, lambda batch: model(batch[0]), SGD([*model.w, *model.target]))
    fit(step, [1.5], 2, checkpoint=tmp_path / "run.npz", progress=False)  # asked for by name
    model.target[0].data = 7.0
    again = Distance().load(model.save(tmp_path / "model.json"))
    assert again.state_dict() == model.state_dict() and again.target[0].data == 7.0


def test_looking_takes_nothing_from_an_iterator():
    model = Holder([Value(1.0)])
    model.batches = iter([1.0, 2.0])
    assert len(model.parameters()) == 1 and list(model.batches) == [1.0, 2.0]


def test_parameters_in_slots_are_found():
    class Tight(Module):
        __slots__ = ("w", "unset", "_hidden")

        def __init__(self):
            self.w, self._hidden = Value(1.0), Value(2.0)

    assert list(Tight().named_parameters()) == ["w"]


def test_what_is_found_elsewhere_or_is_no_parameter_is_not_in_the_way():
    model = Holder([Value(1.0)])
    model.optimizer = Adam(model.parameters())
    model.same, model.step = {*model.held}, lambda: model.held
    model.data, model.table, model.text = [(1.0, 2.0)], np.zeros(3), {"a", "b"}
    model.cached = types.SimpleNamespace(out=model.held[0] * 2)
    model._hidden = {Value(5.0)}
    model.sums = {model.held[0]: 0.0}
    assert model.parameters() == model.held
    model.circle = model.held
    model.held.append(model.held)
    assert len(model.parameters()) == 1


@given(
    st.recursive(
        st.builds(Value, st.floats(-1, 1)),
        lambda part: (
            st.lists(part, max_size=3)
            | st.tuples(part)
            | st.dictionaries(st.text("ab"), part, max_size=2)
            | st.builds(Holder, part)
            | st.builds(Record, st.lists(part, max_size=2))
            | st.builds(lambda v: objects(*v), st.lists(part, max_size=2))
        ),
    )
)
def test_no_parameter_is_passed_over_in_silence(tree):
    everything = {id(leaf) for leaf in leaves_of(tree)}
    try:
        parameters = Holder(tree).parameters()
    except TypeError as error:
        assert "a Record that holds" in str(error)
    else:
        assert {id(p) for p in parameters} == everything


def leaves_of(tree):
    if isinstance(tree, Value):
        return [tree]
    parts = vars(tree) if hasattr(tree, "__dict__") else tree
    return [v for p in (parts.values() if isinstance(parts, dict) else parts) for v in leaves_of(p)]


def test_generators_of_numpy_are_state():
    model = Holder(np.random.default_rng(3))
    state = model.state_dict()
    drawn = model.held.random(3).tolist()
    model.load_state_dict(state)
    assert model.held.random(3).tolist() == drawn


def test_two_of_one_name_are_refused():
    model = Holder({1: Value(1.0), "1": Value(2.0)})
    assert len(model.parameters()) == 2
    for use in (model.named_parameters, model.state_dict):
        with pytest.raises(ValueError, match=r"two items named held\.1"):
            use()


class Overriding(Holder):
    """Give parameters of its own, as programs written for micrograd do."""

    def parameters(self):
        return [*self.held, self._extra]


def test_a_parameters_of_ones_own_must_not_give_what_is_not_saved(tmp_path):
    model = Overriding([Value(1.0)])
    model._extra = model.held[0]
    assert model.save(tmp_path / "m.json").exists()
    model._extra = Value(2.0)
    model.zero_grad()
    for outer, name in ((model, r"Overriding\."), (Holder([model]), r"Holder\.held\.0\.")):
        with pytest.raises(TypeError, match=rf"{name}parameters\(\) .* neither trained nor saved"):
            outer.save(tmp_path / "n.json")


@pytest.mark.parametrize("fused", [False, True])
@pytest.mark.parametrize("nin", [1, 3])
def test_neurons_without_bias(fused, nin):
    random.seed(3)
    model = MLP(nin, [3, 2], "tanh", fused=fused, bias=False)
    assert [name for name in model.named_parameters() if name.endswith(".b")] == []
    assert len(model.parameters()) == nin * 3 + 6 and len(model.weights()) == nin * 3 + 6
    x = [Value(0.3 * i - 0.4) for i in range(nin)]
    out = model(x)
    w1, w2 = ([[w.data for w in n.w] for n in layer.neurons] for layer in model.layers)
    hidden = np.tanh(np.array(w1) @ [v.data for v in x])
    np.testing.assert_allclose([o.data for o in out], np.array(w2) @ hidden, rtol=1e-14)
    sum(out).backward()
    expected = ((1 - hidden**2) * np.sum(w2, axis=0)) @ np.array(w1)
    np.testing.assert_allclose([v.grad for v in x], expected, rtol=1e-13)


def test_a_neuron_without_bias_records_products_and_sums_only():
    from micrograd.engine import topological_order

    nodes = topological_order(Neuron(3, nonlin=False, bias=False)([1.0, 2.0, 3.0]))
    assert sorted(node._op for node in nodes if node._op) == ["*", "*", "*", "+", "+"]
    assert Layer(2, 1, bias=False).neurons[0].b is None


def test_options_of_a_layer_work_in_a_network():
    model = MLP(2, [3, 1], nonlin=False)
    assert [n.nonlin for layer in model.layers for n in layer.neurons] == [False] * 4
    assert all(n.fused for layer in MLP(2, [2, 1], fused=True).layers for n in layer.neurons)
    with pytest.raises(TypeError, match="unexpected keyword argument 'colour'"):
        MLP(2, [2], colour="red")


@pytest.mark.parametrize("fused", [False, True])
def test_numbers_assigned_to_weights_and_bias_work(fused):
    neuron = Neuron(2, nonlin=False, fused=fused)
    first, second = neuron.w
    neuron.b = 0.5
    assert neuron([2.0, 3.0]).data == pytest.approx(2 * first.data + 3 * second.data + 0.5)
    neuron.w = [0.25, second]
    out = neuron([2.0, 3.0])
    out.backward()
    assert out.data == pytest.approx(0.5 + 3 * second.data + 0.5)
    assert (second.grad, neuron.parameters()) == (3.0, [second])


@pytest.mark.parametrize(
    "make, error, reason",
    [
        (lambda: MLP(2, 4), TypeError, r"takes its layers' sizes as a list, like \[4, 1\], not 4"),
        (lambda: MLP(2, "41"), TypeError, "not '41'"),
        (lambda: MLP(2, [4, 0]), ValueError, "the number of neurons is 1 or more, not 0"),
        (lambda: MLP(0, [4]), ValueError, "the number of inputs is 1 or more, not 0"),
        (lambda: Layer(2, 2.0), TypeError, r"the number of neurons is a whole number, not 2\.0"),
        (lambda: Neuron("2"), TypeError, "the number of inputs is a whole number, not '2'"),
        (lambda: Neuron(True), TypeError, "not True"),
        (lambda: Embedding(2, 2.5), TypeError, "the number of columns is a whole number, not 2.5"),
        (lambda: MLP(2, [2, 1], ["relu"]), ValueError, "1 activation for 2 layers"),
        (lambda: Adam(MLP(2, [1])), TypeError, r"not the MLP: pass its \.parameters\(\)"),
        (lambda: Adam(Value(1.0)), TypeError, "a list or dict of parameters, not Value"),
        (lambda: Adam("w"), TypeError, "not 'w'"),
        (lambda: Adam({Value(1.0)}), TypeError, "a list or dict of parameters, not {Value"),
        (lambda: Adam([1.0]), TypeError, r"a Value or an array, not 1\.0"),
        (lambda: Adam([[Value(1.0)]]), TypeError, "a Value or an array, not"),
        (lambda: Adam([MLP(2, [1])]), TypeError, "a Value or an array, not"),
        (lambda: Adam([Value(1.0) * 2]), TypeError, "a parameter is a leaf; .* is computed"),
    ],
)
def test_what_makes_no_network_or_optimiser_is_said(make, error, reason):
    with pytest.raises(error, match=reason):
        make()


@pytest.mark.parametrize("name", ["nonlin", "fused", "bias"])
@pytest.mark.parametrize("flag", ["tanh", None, 2, 0.0, [], np.array([1, 0])])
def test_a_switch_is_true_or_false(name, flag):
    with pytest.raises(TypeError, match=f"{name} is True or False, not "):
        MLP(2, [1], **{name: flag})


def test_switches_of_numpy_and_numbers_are_taken():
    assert repr(Neuron(1, nonlin=np.bool_(False))) == repr(Neuron(1, nonlin=0)) == "LinearNeuron(1)"
    assert repr(Neuron(1, nonlin=np.True_)) == repr(Neuron(1, nonlin=1)) == "ReLUNeuron(1)"


def test_sizes_of_numpy_are_ints():
    assert len(MLP(np.int64(2), np.array([3, 1])).parameters()) == 13


def test_a_network_of_arrays_of_values_trains():
    class Net(Module):
        def __init__(self):
            rng = np.random.default_rng(1)
            self.W = np.vectorize(Value, otypes=[object])(rng.normal(size=(1, 2)))

        def __call__(self, x):
            return (self.W @ np.array(x))[0]

    model = Net()
    step = descent(
        model,
        lambda batch: sum((model(x) - y) ** 2 for x, y in batch),
        SGD(model.parameters(), lr=0.05),
    )
    history = fit(step, [((1.0, 2.0), 3.0), ((2.0, -1.0), 1.0)], 60, progress=False)
    assert history["loss"][-1] < 1e-6 < history["loss"][0]


@pytest.mark.parametrize("fused", [False, True])
def test_a_network_without_bias_is_lowered(fused):
    random.seed(1)
    model = MLP(3, [4, 1], "tanh", fused=fused, bias=False)
    inputs = np.random.default_rng(0).normal(size=(5, 3))

    def loss(x):
        return (model(x) - 1) ** 2

    value, gradients = lower(loss, inputs[0]).value_and_grad(inputs)
    total = sum(loss(x.tolist()) for x in inputs) / 5
    total.backward()
    eager = [w.grad for layer in model.layers for n in layer.neurons for w in n.w]
    lowered = [*gradients["W1"].ravel(), *gradients["W2"].ravel()]
    assert set(gradients) == {"W1", "W2"} and value == pytest.approx(total.data, rel=1e-14)
    np.testing.assert_allclose(lowered, eager, rtol=1e-12)
