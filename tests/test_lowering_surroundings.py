"""Parameters that nobody named are called what the function calls them."""

import numpy as np

from micrograd import Value, dot
from micrograd.lowering import lower
from micrograd.nn import Layer
from tests.lowering_models import score, values

RNG = np.random.default_rng(0)
V, c = values(RNG.normal(size=(3, 2))), values(RNG.normal(size=3))


def layer(x):
    return [(dot(row, x) + c[i]).tanh() for i, row in enumerate(V)]


def drawn(*shape):
    return values(RNG.normal(size=shape))


def names(function, *samples, **options):
    return list(lower(function, *samples, **options).parameters)


def test_of_the_functions_around_it():
    W, b, u = drawn(3, 2), drawn(3), drawn(3)
    program = lower(lambda x: score(x, W, b, u), [0.1, 0.2])
    assert list(program.parameters) == ["W", "b", "u"]
    assert "z = x @ W.T + b" in program.source
    assert program.parameters["W"].shape == (3, 2)
    assert program.leaf_values("b").tolist() == b


def test_of_the_module_and_of_functions_called():
    assert names(lambda x: sum(layer(x)), [0.1, 0.2]) == ["V", "c"]


def test_of_a_dict_and_of_a_single_value():
    P, bias = {"W1": drawn(3, 2), "w2": drawn(3), 7: drawn(1)}, Value(0.5)

    def loss(x):
        return dot(P["w2"], [dot(row, x) for row in P["W1"]]) + bias + P[7][0]

    program = lower(loss, [0.1, 0.2])
    assert set(program.parameters) == {"W1", "w2", "bias", "b"}  # b: what no name is for
    assert program.parameters["bias"].shape == ()


class Model:
    """A model of one's own."""

    def __init__(self):
        self.W, self.size = drawn(3, 2), 3

    def __call__(self, x):
        return sum(dot(row, x) for row in self.W)

    def loss(self, x):
        return self(x) ** 2


def test_of_an_object():
    assert names(Model(), [0.1, 0.2]) == names(Model().loss, [0.1, 0.2]) == ["W"]


def test_what_shares_values_with_a_larger_shape_is_left_out():
    W, b = drawn(3, 2), drawn(3)
    everything, first = [v for row in W for v in row] + b, W[0]

    def loss(x):
        penalty = sum(w * w for w in everything)
        return sum(dot(row, x) + v for row, v in zip(W, b)) + dot(first, x) + penalty

    assert set(names(loss, [0.1, 0.2])) == {"W", "b"}


def test_what_is_not_a_parameter_or_has_a_name_of_its_own():
    model, unused, ragged, doubled = Layer(2, 2), drawn(2), [drawn(2), drawn(1)], drawn(1) * 2
    table = [[1.0, 2.0], [3.0]]

    def loss(x):
        if x is None:
            return later, unused
        return sum(model(x)) * table[0][1] + dot(ragged[0], x) + doubled[0] + ragged[1][0]

    found = names(loss, [0.1, 0.2])
    assert {"W", "unused", "ragged", "doubled"} & {*found} == {"W"}
    assert len(found) == 3  # W and b of the layer, and the rest
    later = None


def test_labels_go_before_the_names_around():
    weights = [Value(0.1 * i, label=f"w{i}") for i in range(3)]
    assert names(lambda x: dot(weights, x), [0.1, 0.2, 0.3]) == ["w"]


def test_names_that_are_taken_or_reserved():
    x = drawn(2)
    B = drawn(2)

    def loss(y):
        return dot(x, y) + dot(B, y)

    found = names(loss, [0.1, 0.2], names=["x"])
    assert "B" not in found and found.count("x") == 0 and found


def test_given_parameters_are_all_there_are():
    W, b, u = drawn(3, 2), drawn(3), drawn(3)
    assert names(lambda x: score(x, W, b, u), [0.1, 0.2], parameters={"A": W}) == ["A"]


def test_a_function_that_calls_itself():
    w = drawn(2)

    def power(x, n):
        return dot(w, x) if n == 0 else power(x, n - 1).tanh()

    assert names(lambda x: power(x, 3), [0.1, 0.2]) == ["w"]
