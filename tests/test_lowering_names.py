"""Names of arrays beside odd labels: every array has a line, and every line runs."""

import random
import re
from collections import namedtuple
from functools import partial
from types import ModuleType

import numpy as np
import pytest

from micrograd.engine import Value
from micrograd.functions import dot, labelled, mean
from micrograd.lowering import lower
from micrograd.lowering.arrays.names import FUNCTION_OF, RESERVED, Name, Names, _learn, parsed
from micrograd.nn import Embedding
from micrograd.ops import row
from tests.golden_models import MODELS
from tests.lowering_models import function, matrix, values
from tests.lowering_oracle import by_engine, by_source, difference
from tests.test_golden import made
from tests.test_lowering_graphs import assert_same, scalar_gradients

ODD = [
    *("t", "t0", "t1", "t2", "dt1", "i1", "ddensity", "d", "x", "dx", "delta", "delta1", "z1"),
    *("len", "B", "np", "exp", "loss", "sum", "forward", "Rows", "first_true", "sigmoid", "gelu"),
    *("c", "c1", "m", "_", "__"),
]


def assert_right(root, **options):
    """Compare gradients, of the program and of its text in a module of its own."""
    program = lower(root, **options)
    right = scalar_gradients(root, program)
    assert_same(program.value_and_grad()[1], right)
    scope: dict = {}
    exec(program.export("numpy"), scope)
    exported = scope["value_and_grad"](**scope["LEAVES"])[1]
    assert_same({name: np.asarray(g) for name, g in exported.items()}, right)
    return program


def defined(program):
    """Return the names that the lines of a program define, each once."""
    names = re.findall(r"^    (\w+) = ", function(program), re.MULTILINE)
    assert len(names) == len(set(names))
    return names


@pytest.mark.parametrize("label", ODD)
def test_labels_of_computed_nodes(label):
    x = [Value(0.3 * i - 0.4, label=f"x{i}") for i in range(4)]
    hidden = [v.tanh() * 2 for v in x]
    for n, node in enumerate(hidden):
        node.label = f"{label}[{n}]"
    total = dot(hidden, hidden).exp() + sum(h.sigmoid() for h in hidden)
    total.label = label
    names = defined(assert_right((total + 1).log()))
    assert not RESERVED - {"loss", "B"} & {*names}


@pytest.mark.parametrize("label", ODD)
def test_labels_of_leaves(label):
    x = [Value(0.3 * i - 0.4, label=f"{label}[{i}]") for i in range(3)]
    y = [Value(0.2 * i + 0.1, label=f"u{i}") for i in range(3)]
    assert_right(dot([v.sigmoid() for v in x], y).gelu())


def test_all_odd_labels_at_once():
    leaves = {
        label: [Value(0.1 * i + 0.05 * n, label=f"{label}[{i}]") for i in range(2)]
        for n, label in enumerate(ODD)
    }
    parts = []
    for label, pair in leaves.items():
        for i, v in enumerate(pair):
            node = (v * 0.5).sigmoid().gelu()
            node.label = f"{label}[{i}]"
            parts.append(node)
    assert_right(dot(parts, parts[1:] + parts[:1]))


def test_a_label_that_begins_with_d_keeps_its_line():
    rho = [Value(0.5 + 0.1 * i, label=f"rho{i}") for i in range(4)]
    mass = [Value(0.7 - 0.1 * i, label=f"mass{i}") for i in range(4)]
    density = [v * m for v, m in zip(rho, mass)]
    for i, node in enumerate(density):
        node.label = f"density{i}"
    names = defined(assert_right(dot(density, density) + sum(v.exp() for v in density)))
    assert "density" in names and "ddensity" in names
    for n, other in enumerate(rho):
        other.label = f"ddensity{n}"
    program = assert_right(dot(density, density) + sum(v.exp() for v in density))
    assert {"density", "ddensity_2"} <= {*defined(program)} and "ddensity" in program.parameters


def test_labels_that_are_one_name_to_python():
    """Python reads identifiers in NFKC: ℎ is h, and ﬁ is fi."""
    one = [Value(0.3 * i, label=f"h{i}") for i in range(3)]
    two = [Value(0.5 - 0.2 * i, label=f"\N{PLANCK CONSTANT}{i}") for i in range(3)]
    program = assert_right(dot(one, two).tanh() + dot(two, two))
    assert len(set(program.parameters)) == 2 and sum(map(len, program.parameters.values())) == 6
    with pytest.raises(ValueError, match="two arrays are named"):
        lower(dot(one, two), parameters={"h": one, "\N{PLANCK CONSTANT}": two})
    ligature = assert_right(
        dot(one, two), parameters={"\N{LATIN SMALL LIGATURE FI}": one, "g": two}
    )
    assert len(ligature.parameters) == 2


def two_layers(sizes, place):
    """Return a loss of two layers whose Values are labelled, and their arrays."""
    rng, (n, m, k) = random.Random(str(sizes)), sizes
    W1, W2, (b1,), (b2,) = (matrix(rng, *shape) for shape in ((m, n), (k, m), (1, m), (1, k)))
    arrays = {"W1": W1, "b1": b1, "W2": W2, "b2": b2}
    for name, array in arrays.items():
        if place is None:
            labelled(array, name)
        else:
            for i, part in enumerate(array):
                for j, value in enumerate(part) if name[0] == "W" else [(None, part)]:
                    value.label = name + (place * (1 if j is None else 2)).format(i, j)

    def loss(x):
        z1 = labelled([dot(row, x) + b for row, b in zip(W1, b1)], "z1")
        return mean([(dot(row, [z.tanh() for z in z1]) + b) ** 2 for row, b in zip(W2, b2)])

    return loss, arrays


@pytest.mark.parametrize("place", [None, "[{}]", "({})", " [{}]", "_{}"])
@pytest.mark.parametrize("sizes", [(2, 3, 4), (3, 3, 3), (2, 1, 2)])
def test_weights_keep_the_names_they_were_labelled_by(place, sizes):
    loss, arrays = two_layers(sizes, place)
    x = [0.1, -0.2, 0.3][: sizes[0]]
    ways = [lower(loss, x)]
    if place != "_{}":  # W1_0_1 may be W[1, 0, 1]
        ways.append(assert_right(mean([loss(x), loss(x[::-1])])))
        assert "z1 = " in ways[1].source
    for program in ways:
        assert {*program.parameters} == {*arrays}
        for name, array in arrays.items():
            assert program.leaf_values(name).ravel().tolist() == np.ravel(array).tolist()


def test_a_name_that_the_label_lacks_is_kept_only_where_it_is_one():
    """What a function reads as `rows` is still the W of its labels, and scalars are gathered."""
    rows, w1, w2 = [[Value(0.5), Value(0.1)], [Value(0.2), Value(0.3)]], Value(0.1), Value(0.2)
    labelled(rows, "W")
    w1.label, w2.label = "w1", "w2"
    parts = [Value(0.3, label="g"), Value(0.4, label="h")]
    program = lower(
        lambda x: dot(rows[0], x) * w1 + dot(rows[1], x) * w2 + parts[0] * parts[1], [1.0, 2.0]
    )
    assert {name: array.shape for name, array in program.parameters.items()} == {
        "W": (2, 2),
        "w": (2,),
        "g": (),
        "h": (),
    }


@pytest.mark.parametrize("name", MODELS)
def test_an_adjoint_is_named_after_what_has_a_line(name):
    """Where a text says dt3 it says t3, where it says dz it says z."""
    text = function(made(name).program)
    if "# forward" not in text or "forward_pass" in text:
        return
    head, forward, backward = re.split(r"# forward\n|# backward\n", text)
    known = set(re.findall(r"\w+", head)) | set(re.findall(r"^    (\w+) = ", forward, re.MULTILINE))
    for adjoint in re.findall(r"^    (\w+) = ", backward, re.MULTILINE):
        if re.fullmatch(r"t\d+(_\d+)?", adjoint):
            continue
        of = adjoint[1:] if not adjoint.startswith("delta") else f"z{adjoint[5:]}"
        assert of in known, (adjoint, text)


def test_names_are_numbered_where_they_are_taken():
    assert parsed("z1_c") == Name("z", "1", "_c") and str(parsed("rate0")) == "rate0"
    assert str(parsed("h_2")) == "h_2" and parsed("t") == Name("t")
    assert len(Names({})) == 0


@pytest.mark.parametrize(
    "labels, names", [(("p", "p"), True), (("p0", "p1"), True), (("p", "q"), False)]
)
def test_an_array_has_the_label_that_all_its_nodes_have(labels, names):
    w = [Value(0.5, label="w0"), Value(-0.25, label="w1")]
    parts = [v.tanh() for v in w]
    for part, label in zip(parts, labels):
        part.label = label
    lines = defined(assert_right(dot(parts, parts) + dot(parts, w)))
    assert ("p" in lines) is names and "q" not in lines


def test_a_function_of_the_text_names_no_input():
    with pytest.raises(ValueError, match="'sigmoid' cannot name an array: the program needs it"):
        lower(lambda x: x.sigmoid(), 0.5, names=["sigmoid"])


def test_an_operation_named_as_a_helper_is_written_out():
    own = row("stack", "x * sigmoid(x) - abs(x)", "1")
    _learn(own)
    assert own.value not in FUNCTION_OF


def test_a_hidden_unit_is_what_bends_z_not_minus_z():
    W, b = [[Value(0.1), Value(0.2)], [Value(0.3), Value(0.4)]], [Value(0.5), Value(0.6)]

    def loss(x):
        z = [dot(row, x) + bias for row, bias in zip(W, b)]
        return sum(1 / (1 + (-v).exp()) + v.tanh() for v in z)

    text = function(lower(loss, [1.0, 2.0]))
    assert "h = tanh(z)" in text and "exp(-z)" in text


@pytest.mark.parametrize(
    ("weights", "z"),
    [
        (["W1"], "z1"),
        (["W_enc"], "z_enc"),
        (["Wenc"], "z_enc"),
        (["Uq"], "z_q"),
        (["W_f", "U_f"], "z_f"),
        (["Wx", "Wh"], "z"),
        (["W_x", "W_h"], "z"),
        (["W_1"], "z_1"),
        (["W_1", "U_1"], "z_1"),
        (["Wq_2"], "z_q_2"),
        (["Ws"], "z"),
        (["W_Q"], "z_Q"),
        (["Weights"], "z_Weights"),
        (["head"], "z_head"),
        (["layer0_wq"], "z_layer0_q"),
        (["G_W1"], "z1_G"),
    ],
)
def test_what_weights_multiply_is_called_after_them(weights, z):
    rng = random.Random(0)
    held = {name: matrix(rng, 3, 2) for name in weights}

    def f(x):
        z = [sum(w * v for row in rows for w, v in zip(row, x)) for rows in zip(*held.values())]
        return sum(a.tanh() ** 2 for a in z)

    text = lower(f, [0.5, -1.0], parameters=held).source
    wanted = [f"{z} = ", f"h{z[1:]} = tanh({z})", f"delta{z[1:]} = "] if z else [" = tanh(x @ W"]
    for part in wanted:
        assert part in text, text


def test_a_sum_of_pre_activations_has_hidden_units_above_it():
    rng = random.Random(0)
    W_f, U_f = matrix(rng, 3, 2), matrix(rng, 3, 2)

    def f(x):
        parts = ([dot(row, x) for row in rows] for rows in (W_f, U_f))
        return sum(sum(both).tanh() for both in zip(*parts))

    text = lower(f, [0.5, -1.0]).source
    assert "h_f = tanh(z_f + z_f_2) " in text, text


def test_one_input_has_z_too_and_a_window_is_named_once():
    rng = random.Random(0)
    W1, W_enc, (b1,) = matrix(rng, 3, 1), matrix(rng, 3, 2), matrix(rng, 1, 3)
    text = lower(lambda x: sum((w * x[0] + b).tanh() for (w,), b in zip(W1, b1)), [0.5]).source
    assert "z1 = " in text and "h1 = tanh(z1) " in text, text
    text = lower(lambda x_enc: sum(dot(w, x_enc).tanh() for w in W_enc), [0.5, -1.0]).source
    assert "z_enc = x_enc @ W_enc.T " in text, text


def test_what_a_vector_of_weights_gives_is_z():
    w, b = [Value(0.5), Value(-1.0)], Value(0.25)
    text = lower(lambda x: (dot(w, x) + b).sigmoid(), [0.5, -1.0]).source
    assert "z = x @ w + b " in text and "h = sigmoid(z) " in text


def test_rows_of_a_table_z_are_no_pre_activations():
    Z, H = Embedding(4, 2), Embedding(4, 2)
    text = lower(lambda z, h: dot(Z(z), H(h)), 1, 2).source
    assert "dz_z = h_h / B " in text and "delta" not in text, text


Pair = namedtuple("Pair", "W b")


def layer(rng):
    W, b = matrix(rng, 3, 3), [Value(rng.random()) for _ in range(3)]
    return lambda x: affine(W, b, x)


def affine(W, b, x):
    return [(dot(w, x) + bias).tanh() for w, bias in zip(W, b)]


def by_defaults(rng):
    def f(x, W=matrix(rng, 3, 3), *, b=[Value(rng.random()) for _ in range(3)]):  # noqa: B006, B008
        return affine(W, b, x)

    return lambda x: f(x)


def by_factories(rng):
    enc, dec = layer(rng), layer(rng)
    return lambda x: dec(enc(x))


def by_list_of_functions(rng):
    layers = [layer(rng), layer(rng)]
    return lambda x: layers[1](layers[0](x))


def by_dict_of_functions(rng):
    net = {"enc": layer(rng), "dec": layer(rng)}
    return lambda x: net["dec"](net["enc"](x))


def by_object_of_functions(rng):
    class Net:
        def __init__(self):
            self.enc, self.dec = layer(rng), layer(rng)

        def __call__(self, x):
            return self.dec(self.enc(x))

    return Net()


def by_partial(rng):
    return partial(by_factories(rng))


def by_named_tuples(rng):
    enc, dec = (Pair(matrix(rng, 3, 3), [Value(rng.random()) for _ in range(3)]) for _ in "ed")
    return lambda x: affine(dec.W, dec.b, affine(enc.W, enc.b, x))


def by_class(rng):
    class Net:
        W, b = matrix(rng, 3, 3), [Value(rng.random()) for _ in range(3)]

    return lambda x: affine(Net.W, Net.b, x)


def by_method_that_was_read(rng):
    class Net:
        def __init__(self):
            self.W, self.b = matrix(rng, 3, 3), [Value(rng.random()) for _ in range(3)]

        def forward(self, x):
            return affine(self.W, self.b, x)

    forward = Net().forward
    return lambda x: forward(x)


def by_module(rng):
    module: dict = {"__name__": "__main__", "affine": affine, "weights": ModuleType("weights")}
    module["weights"].W, module["weights"].b = matrix(rng, 3, 3), [Value(0.5) for _ in range(3)]
    exec("def f(x): return affine(weights.W, weights.b, x)", module)
    return module["f"]


@pytest.mark.parametrize(
    ("made_by", "names"),
    [
        (by_defaults, "W b"),
        (by_factories, "enc_W enc_b dec_W dec_b"),
        (by_list_of_functions, "layers_0_W layers_0_b layers_1_W layers_1_b"),
        (by_dict_of_functions, "enc_W enc_b dec_W dec_b"),
        (by_object_of_functions, "enc_W enc_b dec_W dec_b"),
        (by_partial, "enc_W enc_b dec_W dec_b"),
        (by_named_tuples, "enc_W enc_b dec_W dec_b"),
        (by_class, "W b"),
        (by_method_that_was_read, "W b"),
        (by_module, "W b"),
    ],
)
def test_weights_are_called_as_what_holds_them_calls_them(made_by, names):
    net = made_by(random.Random(0))

    def loss(x):
        return sum(h**2 for h in net(x))

    program = lower(loss, [0.5, -1.0, 2.0])
    assert {*program.parameters} == {*names.split()}, program.source
    assert all(p.shape in ((3, 3), (3,)) for p in program.parameters.values())
    batch = [np.random.default_rng(0).normal(size=(4, 3))]
    assert not difference(by_source(program, batch), by_engine(program, loss, batch))


def test_a_method_of_a_value_is_lowered():
    assert "value_and_grad(x1, " in lower(Value(2.0).__mul__, 3.0, names=["x1"]).source


def test_weights_in_slots_and_in_classes_above_are_found_by_name():
    rng = random.Random(0)

    class Above:
        W_enc = matrix(rng, 3, 2)

    class Slots(Above):
        __slots__ = ("b_enc", "unset")

        def __init__(self):
            self.b_enc = values([0.5, -1.0, 0.25])

        def __call__(self, x):
            return sum((dot(row, x) + b).tanh() for row, b in zip(self.W_enc, self.b_enc))

    net = Slots()
    for f in (net, lambda x: net(x), lambda x: Slots.__call__(net, x)):
        text = lower(f, [0.5, -1.0]).source
        assert "z_enc = x @ W_enc.T + b_enc " in text, text


def test_what_squares_or_takes_a_logarithm_makes_no_hidden_units():
    W = matrix(random.Random(0), 3, 2)
    text = lower(lambda x: sum(dot(row, x) ** 2 for row in W), [0.5, -1.0]).source
    assert "(z ** 2)" in text and "h = " not in text, text


def test_parts_of_a_table_are_x_where_no_other_array_is():
    table = matrix(random.Random(0), 3, 4)
    pairs = [(0, 1), (0, 3), (2, 3), (1, 2), (1, 3)]

    def gram(x):
        return x[0] * sum(dot([r[a] for r in table], [r[b] for r in table]) for a, b in pairs)

    text = lower(gram, [0.5], parameters={"T": table}, names=["x"]).source
    assert "T_parts = T[:, i1] " in text and "T_parts * T_parts_2" in text, text
    text = lower(gram, [0.5], parameters={"T": table}, names=["y"]).source
    assert "x = T[:, i1] " in text, text
