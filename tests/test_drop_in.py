"""Programs, notebooks and tests written for karpathy's micrograd run unchanged."""

import copy
import math
import pickle
import random
import re
import runpy
import subprocess
import sys

import numpy as np
import pytest

from micrograd.engine import Value
from micrograd.lowering import lower
from micrograd.lowering.compare import compared
from micrograd.nn import MLP, Layer, Module, Neuron
from micrograd.ops import DomainError
from micrograd.render import draw_dot
from tests.conftest import ROOT, WHOLE


def expression(v):
    """The expression of micrograd's README, for Values or tensors."""
    a, b = v(-4.0), v(2.0)
    c = a + b
    d = a * b + b**3
    c += c + 1
    c += 1 + c + (-a)
    d += d * 2 + (b + a).relu()
    d += 3 * d + (b - a).relu()
    e = c - d
    f = e**2
    g = f / 2.0
    g += 10.0 / f
    return a, b, g


def test_the_expression_of_the_readme():
    a, b, g = expression(Value)
    g.backward()
    assert (f"{g.data:.4f}", f"{a.grad:.4f}", f"{b.grad:.4f}") == (
        "24.7041",
        "138.8338",
        "645.5773",
    )


def test_the_expression_of_the_readme_against_pytorch():
    torch = pytest.importorskip("torch", reason="compares with PyTorch")
    a, b, g = expression(Value)
    g.backward()

    def tensor(x):
        return torch.tensor(x, dtype=torch.float64, requires_grad=True)

    at, bt, gt = expression(tensor)
    gt.backward()
    assert g.data == pytest.approx(gt.item(), rel=1e-14)
    assert (a.grad, b.grad) == pytest.approx((at.grad.item(), bt.grad.item()), rel=1e-14)


def test_positional_and_keyword_arguments():
    x = Value(2.0, (), "", "x")
    assert (x.data, x.label, x._op, x._prev) == (2.0, "x", "", set())
    out = Value(6.0, (x, Value(3.0)), "*", "out")
    assert (out._op, out.label, len(out._prev)) == ("*", "out", 2)
    assert Value(data=-4).data == -4.0


def test_repr_is_micrograds():
    assert repr(Value(-4.0)) == "Value(data=-4.0, grad=0)"


def test_numpy_numbers_are_taken_as_floats():
    for number in (np.float64(1.5), np.float32(1.5), np.array(1.5), np.int64(1)):
        assert type(Value(number).data) is float
    assert (np.float64(2.0) * Value(3.0)).data == 6.0
    assert Value(np.ma.array(1.5)).data == 1.5
    for masked in (np.ma.masked, np.ma.array([1.0, 2.0], mask=[1, 0])[0], np.ma.array(1.0, mask=1)):
        with pytest.raises(TypeError, match="give one real number"):
            Value(2.0) + masked
    assert (Value(3.0) - np.float64(2.0)).data == 1.0
    assert [v.data for v in np.array([Value(1.0), Value(2.0)]) * 2.0] == [2.0, 4.0]


def test_numpy_functions_call_the_method_of_their_name():
    x = Value(0.5)
    assert (np.exp(x)._op, np.tanh(x)._op) == ("exp", "tanh")
    assert np.exp(x).data == math.exp(0.5)


UFUNCS = sorted({f.__name__ for f in vars(np).values() if isinstance(f, np.ufunc) and f.nin < 3})
NO_LOOP = (
    "not supported for the input types|unsupported operand|bad operand|enough dimensions|isnat"
)


@pytest.mark.parametrize("name", UFUNCS)
@pytest.mark.parametrize("numbers", [(0.5, 0.25), (1.5, 2.0)])
def test_functions_of_numpy_give_what_they_give_of_numbers_or_say_what_to_write(name, numbers):
    """Of a Value, of arrays and of lists; some have no loop over objects, which NumPy tells."""
    function = getattr(np, name)
    numbers = numbers[: function.nin]
    for made in (lambda x: x, lambda x: [x, x], lambda x: np.array([x])):
        try:
            found = function(*(made(Value(number)) for number in numbers))
        except DomainError:
            assert name in ("arccosh", "arcsin", "arccos", "arctanh")
        except (TypeError, ValueError) as error:
            ours = "has no .*: write .*there are add, sub|write v.data|write int"
            assert re.search(f"{ours}|{NO_LOOP}", str(error)), str(error)
        else:
            data = [v.data if isinstance(v, Value) else v for v in np.ravel(found)]
            if "logical" in name:  # the operand that decides, as Python has it
                data = list(map(bool, data))
            assert data == pytest.approx(np.ravel(function(*map(made, numbers))))


def test_what_numpy_asks_for_may_be_registered():
    """In a process of its own, since an operation stays."""
    program = """
import numpy as np
from micrograd import Value, register
register("cbrt", "exp(log(x) / 3)", "out / (3 * x)", domain=(0.5, 3))
x = Value(8.0)
np.sum(np.cbrt([x])).backward()
print(round(np.cbrt(x).data, 9), round(x.grad, 9), round(1 / 12, 9))
"""
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert ended.stdout.split() == ["2.0", "0.083333333", "0.083333333"], ended.stderr


def test_numpy_adds_multiplies_and_averages_arrays_of_values():
    numbers = np.array([[0.5, -1.0, 2.0], [1.5, 0.25, -3.0]])
    values = np.array([[*map(Value, row)] for row in numbers.tolist()])
    for of in (np.sum, np.mean, np.var, np.std, np.linalg.norm, lambda x: np.trace(x @ x.T)):
        assert of(values).data == pytest.approx(of(numbers), rel=1e-14)
    np.var(values).backward()
    slopes = np.vectorize(lambda v: v.grad)(values)
    assert slopes == pytest.approx(2 * (numbers - numbers.mean()) / 6, abs=1e-15)


def test_names_of_operations():
    x, y = Value(2.0), Value(3.0)
    made = [x + y, x * y, x**3, x**-1, x**0.5, x.relu(), x.tanh(), x.exp(), x.log()]
    names = ["+", "*", "**3", "**-1", "**0.5", "ReLU", "tanh", "exp", "log"]
    assert [node._op for node in made] == names
    assert x._op == ""


def test_identity_comparison_hash_and_order():
    a, b = Value(1.0), Value(1.0)
    assert a != b
    assert len({a, b, a}) == 2
    assert Value(1.0) < Value(2.0)
    assert Value(1.0) < 2
    assert Value(3.0) >= 3
    assert max(Value(1.0), Value(4.0)).data == 4.0


def test_what_a_value_must_not_have():
    for name in ("__len__", "__getitem__", "__iter__", "__array__"):
        assert not hasattr(Value, name)
    assert np.array([Value(1.0)]).dtype == object


@pytest.mark.parametrize(
    ("convert", "remedy"),
    [
        (float, r"not Value: write v.data for the number, or v.exp\(\)"),
        (math.exp, r"v.exp\(\), v.log\(\), ... for an operation that gradients go through"),
        (lambda v: math.pow(v, 2), "write v.data"),
        (np.float64, "write v.data"),
        (complex, "write v.data"),
        (math.floor, "write v.data"),
        (int, r"write int\(v.data\)"),
        (math.trunc, r"write int\(v.data\)"),
        (round, r"write round\(v.data, 2\)"),
        (lambda v: round(v, 2), r"write round\(v.data, 2\)"),
    ],
)
def test_a_value_is_not_taken_for_a_number_in_silence(convert, remedy):
    with pytest.raises(TypeError, match=remedy):
        convert(Value(1.0))


def test_a_format_formats_the_data():
    v = Value(2.0 / 3)
    assert (f"{v:.3f}", f"{v:8.1f}", f"{v:g}") == ("0.667", "     0.7", "0.666667")
    assert f"{v}" == str(v) == repr(v)


def test_plus_equals_rebinds_and_sum_works():
    a = Value(1.0)
    kept = a
    a += 2
    assert (kept.data, a.data) == (1.0, 3.0)
    assert sum([Value(1.0), Value(2.0)]).data == 3.0


def test_attributes_of_ones_own_can_be_set():
    p = Value(1.0)
    p.m, p.v = 0.0, 0.0
    p.color = "red"
    assert (p.m, p.v, p.color) == (0.0, 0.0, "red")


def test_a_backward_pass_written_by_the_student():
    """The lecture's own loop: a topological sort over `_prev`, then `_backward` of every node."""
    x, w, b = Value(2.0), Value(-3.0), Value(6.9)
    o = (x * w + b).tanh()
    topo, visited = [], set()

    def build_topo(v):
        if v not in visited:
            visited.add(v)
            for child in v._prev:
                build_topo(child)
            topo.append(v)

    build_topo(o)
    o.grad = 1.0
    for node in reversed(topo):
        node._backward()
    by_hand = (x.grad, w.grad, b.grad)
    x.grad = w.grad = b.grad = 0.0
    o.backward()
    assert by_hand == (x.grad, w.grad, b.grad)


def test_an_operation_written_by_the_student():
    """The lecture's tanh: a Value made with its children, and its `_backward` assigned."""

    def tanh(self):
        t = (math.exp(2 * self.data) - 1) / (math.exp(2 * self.data) + 1)
        out = Value(t, (self,), "tanh")

        def _backward():
            self.grad += (1 - t**2) * out.grad

        out._backward = _backward
        return out

    x = Value(0.8814)
    (tanh(x * 2.0) * 3.0).backward()
    assert x.grad == pytest.approx(6 * (1 - math.tanh(1.7628) ** 2))


def test_a_backward_function_assigned_to_a_node_replaces_its_own():
    x, y = Value(2.0), Value(3.0)
    out = x * y

    def straight_through():
        x.grad += out.grad

    out._backward = straight_through
    (out + x).backward()
    assert (x.grad, y.grad) == (2.0, 0.0)
    assert (out._op, out.parents) == ("*", (x, y))
    x.data = 5.0
    assert out.forward() == 15.0


def test_a_node_built_field_by_field():
    a, b = Value(2.0, label="a"), Value(3.0)
    out = Value(a.data * b.data)
    out._prev = {a, b}
    out._op = "times"

    def _backward():
        a.grad += b.data * out.grad
        b.grad += a.data * out.grad

    out._backward = _backward
    (out + 1.0).backward()
    assert (out._op, a.grad, b.grad) == ("times", 3.0, 2.0)


def test_operands_may_be_added_and_taken_away(own_operators):
    """A loss whose backward step is one for all logits, and that is hung into the graph then."""
    w = [Value(0.5), Value(-1.0)]
    logits = [weight * 2.0 for weight in w]
    loss = Value(1.5)
    loss._op = "cross-entropy"

    def _backward():
        for logit, slope in zip(logits, (0.25, -0.25)):
            logit.grad += slope * loss.grad

    loss._backward = _backward
    for logit in logits:
        loss._prev.add(logit)
    assert (loss._prev, loss._op, repr(Value(1.0)._prev)) == (set(logits), "cross-entropy", "set()")
    (loss * 4.0).backward()
    assert [weight.grad for weight in w] == [2.0, -2.0]
    loss._prev.remove(logits[0])
    loss._prev.discard(w[0])
    assert loss._prev == {logits[1]}
    logits[1]._prev.clear()
    loss.backward()
    assert [weight.grad for weight in w] == [2.0, -2.0]
    loss._prev |= set(w)
    loss._prev.update(logits)
    assert loss._prev == {*w, *logits}
    product = w[0] * w[1]
    product._prev.add(w[0])
    assert product._prev.pop() in product.parents
    assert copy.deepcopy(Value(1.0)._prev) == pickle.loads(pickle.dumps(Value(1.0)._prev)) == set()


def test_an_operation_can_be_renamed():
    x = Value(2.0)
    y = x * 3.0
    y._op, x._op = "triple", "input"
    y.backward()
    assert (y._op, x._op, x.grad) == ("triple", "input", 3.0)
    assert "triple" in draw_dot(y).source
    x.data = 5.0
    assert (y.forward(), copy.deepcopy(y)._op) == (15.0, "triple")
    with pytest.raises(TypeError, match="the name of an operation is text, not \\['a'"):
        y._op = ["a"]


@pytest.fixture(autouse=True)
def own_operators(monkeypatch):
    """Let a test's classes and operators count for the test only."""
    monkeypatch.setattr(Value, "_overridden", False)
    monkeypatch.setattr(Value, "_hooked", False)
    return monkeypatch


def rounded_product(x, y):
    y = y if isinstance(y, Value) else Value(y)
    out = type(x)(round(x.data * y.data, 1), (x, y), "round")

    def _backward():
        x.grad += y.data * out.grad
        y.grad += x.data * out.grad

    out._backward = _backward
    return out


@pytest.mark.parametrize("nin", [1, 3])
def test_a_neuron_uses_the_operators_of_its_weights(own_operators, nin):
    class Rounded(Value):
        __mul__ = rounded_product

    neuron = Neuron(nin, nonlin=False)
    neuron.w, neuron.b = [Rounded(0.46) for _ in range(nin)], Value(1.0)
    x = Value(0.46)
    y = neuron([x] * nin)
    y.backward()
    assert (y.data, x.grad) == pytest.approx((1.0 + 0.2 * nin, 0.46 * nin), rel=1e-15)
    neuron.b = None
    assert neuron([x] * nin).data == pytest.approx(0.2 * nin)


def test_a_neuron_uses_operators_that_a_program_assigned(own_operators):
    random.seed(3)
    model = MLP(3, [4, 2])
    before, counted = [y.data for y in model([1.0, 2.0, 3.0])], []

    def counting(own):
        def operator(x, y):
            counted.append(own.__name__)
            return own(x, y)

        return operator

    for name in ("__add__", "__mul__"):
        own_operators.setattr(Value, name, counting(getattr(Value, name)))
    assert [y.data for y in model([1.0, 2.0, 3.0])] == before
    assert (counted.count("__add__"), counted.count("__mul__")) == (20, 20)
    assert (sum([Value(1.0), Value(2.0)]).data, len(counted)) == (3.0, 42)
    assert ((3 * Value(2.0)).data, len(counted)) == (6.0, 43)


@pytest.mark.parametrize(
    ("name", "own", "uses"),
    [
        (
            "__add__",
            lambda x, y: x.add(y).mul(10.0),
            {"a - b": -10.0, "a - 1": 10.0, "1 - a": -10.0},
        ),
        ("__mul__", lambda x, y: x.mul(y).add(0.5), {"-a": -1.5, "a - b": -0.5, "a / b": 1.1666}),
        ("__pow__", lambda x, k: x.pow(k).mul(9.0), {"a / b": 6.0, "1 / a": 4.5, "a / 2": 1.0}),
    ],
)
def test_operators_that_a_program_assigned_make_the_others(monkeypatch, name, own, uses):
    a, b = Value(2.0), Value(3.0)
    plain = {text: eval(text, {"a": a, "b": b}).data for text in uses}
    monkeypatch.setattr(Value, name, own)
    got = {text: eval(text, {"a": a, "b": b}).data for text in uses}
    assert got == pytest.approx(uses, rel=1e-4)
    monkeypatch.undo()
    assert {text: eval(text, {"a": a, "b": b}).data for text in uses} == plain


def test_operators_of_a_class_of_ones_own_make_its_nodes(own_operators):
    """As in micrograd, where -, / and what stands on the right are made of +, * and **."""

    class Own(Value):
        def __add__(self, other):
            return self.made(other, "+", self.data + Own.of(other).data)

        def __mul__(self, other):
            return self.made(other, "*", self.data * Own.of(other).data)

        def __pow__(self, k):
            return self.made(k, "**", self.data**k)

        def made(self, other, symbol, data):
            out = Own(data, (self, Own.of(other)), symbol)
            out._backward = lambda: calls.append(symbol)
            return out

        @staticmethod
        def of(number):
            return number if isinstance(number, Value) else Value(number)

    calls = []
    a, b = Own(2.0), Own(4.0)
    made = [a - b, a - 1, 1 - a, -a, a / b, a / 2, 2 / a, 2 + a, 2 * a, sum([a, b])]
    assert [type(node) for node in made] == [Own] * len(made)
    assert [node.data for node in made] == [-2.0, 1.0, -1.0, -2.0, 0.5, 1.0, 1.0, 4.0, 4.0, 6.0]
    assert {node._op for node in made} == {"+", "*"}
    plain = Value(1.0)  # what stands on the left decides, as without the class
    assert {type(node) for node in [plain + a, plain * a, plain - a, plain / a]} == {Value}
    made[0].backward()
    assert calls == ["+", "*"]


def test_what_a_class_of_ones_own_defines_stays(own_operators):
    class Own(Value):
        def __add__(self, other):
            return "sum"

        def __sub__(self, other):
            return "difference"

    class Heir(Own):
        def __mul__(self, other):
            return "product"

    for kind in (Own, Heir):
        assert (kind(1.0) + 1, 1 + kind(1.0), kind(1.0) - 1) == ("sum", "sum", "difference")
    assert (-Heir(1.0), 3 * Heir(1.0), Heir(1.0) / 2) == ("product",) * 3


def test_a_neuron_with_a_call_of_ones_own_takes_what_was_given(monkeypatch):
    class Biased(Neuron):
        def __call__(self, x):
            return super().__call__(x + [1.0])  # noqa: RUF005

    layer = Layer(2, 2)
    layer.neurons = [Biased(3, nonlin=False) for _ in range(2)]
    expected = [n.w[0].data * 5.0 + n.w[1].data * 6.0 + n.w[2].data for n in layer.neurons]
    assert [y.data for y in layer([5.0, 6.0])] == pytest.approx(expected)
    monkeypatch.setattr(Neuron, "__call__", lambda self, x: (type(x), len(list(x))))
    assert Layer(2, 2)([1.0, 2.0]) == [(list, 2)] * 2
    assert Layer(2, 2)(np.ones(2)) == [(np.ndarray, 2)] * 2
    assert [length for _, length in Layer(2, 2)(iter([1.0, 2.0]))] == [2, 2]


def test_a_backward_function_assigned_to_a_leaf_is_called():
    x, calls = Value(1.0), []
    x._backward = lambda: calls.append(x.grad)
    (x * 3.0).backward()
    assert calls == [3.0]


class SetsBackward(Value):
    """Assigns what micrograd's `__init__` does."""

    def __init__(self, data, _children=(), _op=""):
        super().__init__(data, _children, _op)
        self._backward = lambda: None


class OwnFields(Value):
    """Calls no `__init__` but its own."""

    def __init__(self, data, _children=(), _op=""):
        self.data, self.grad = data, 0
        self._backward = lambda: None
        self._prev, self._op = set(_children), _op


@pytest.mark.parametrize("kind", [SetsBackward, OwnFields])
def test_a_leaf_of_a_class_with_an_init_of_its_own(own_operators, kind):
    x = kind(2.0)
    for _ in range(2):
        (x * 3.0).backward()
    assert x.grad == 6.0  # added up, as a leaf's

    out = kind(x.data**3, (x,), "cube")

    def _backward():
        x.grad += 3 * x.data**2 * out.grad

    out._backward = _backward
    (out + x).backward()
    assert (x.grad, out.grad, out._op) == (19.0, 1.0, "cube")

    neuron = Neuron(1)
    neuron.w = [x]
    assert neuron.parameters() == [x, neuron.b]
    other = copy.deepcopy(neuron)
    assert (other.w[0].data, other.w[0] is x, type(other.w[0])) == (2.0, False, kind)


def test_a_class_may_make_a_property_of_its_gradient(own_operators):
    class Kept(Value):
        @property
        def grad(self):
            return self.kept * 1.0  # another object each time

        @grad.setter
        def grad(self, grad):
            self.kept = grad

        def __mul__(self, other):
            out = Kept(self.data * other.data, (self, other), "*")

            def _backward():
                self.grad += other.data * out.grad
                other.grad += self.data * out.grad

            out._backward = _backward
            return out

    x = Kept(2.0)
    square = x * x
    (square * square * (x * square)).backward()
    assert (x.grad, square.grad) == (7 * 2.0**6, 3 * 2.0 * 4.0**2)


def test_a_backward_function_may_be_assigned_before_the_operands(own_operators):
    x, out = Value(2.0), Value(6.0)

    def _backward():
        x.grad += 3 * out.grad

    out._backward = _backward
    out._prev = {x}
    (out * 2.0).backward()
    assert (x.grad, out.grad) == (6.0, 2.0)


def test_a_backward_function_may_call_the_one_before(own_operators):
    x, w = Value(2.0), Value(3.0)
    product, seen = x * w, []

    def wrapped(node, before):
        def _backward():
            seen.append(node.grad)
            before()

        return _backward

    for node in (product, x):
        node._backward = wrapped(node, node._backward)
    (product + x).backward()
    assert (seen, x.grad, w.grad) == ([1.0, 4.0], 4.0, 2.0)


def test_a_function_of_a_leaf_is_not_lowered(own_operators):
    w = Value(2.0, label="w")
    w._backward = lambda: setattr(w, "grad", w.grad / 2)
    with pytest.raises(ValueError, match="cannot lower 'w', leaf 2.0: its step was made by hand"):
        lower(lambda x: (w * x) ** 2, 3.0)


def test_a_graph_may_be_stripped_of_its_backward_functions(own_operators):
    """As programs do that save a graph: micrograd's cannot be pickled with its closures."""
    x = Value(2.0)
    cube = Value(8.0, (x,), "cube")
    cube._backward = lambda: None
    y = cube * x
    for node in (y, cube, x):
        node._backward = None
    saved = pickle.loads(pickle.dumps(y))
    assert (saved.data, saved._op, {p._op for p in saved._prev}) == (16.0, "*", {"", "cube"})
    assert "cube" in draw_dot(saved).source
    with pytest.raises(ValueError, match="nothing says what it hands on: assign its _backward"):
        saved.backward()
    with pytest.raises(TypeError, match="_backward is a function without arguments, not 'none'"):
        x._backward = "none"


seen_by_hook = []


def hook():
    seen_by_hook.append(1)


def test_a_function_of_a_leaf_is_called_where_its_pickle_is_loaded(own_operators):
    x = Value(2.0)
    x._backward = hook
    saved = pickle.dumps(x * 3.0)
    own_operators.setattr(Value, "_hooked", False)  # as in another process
    pickle.loads(saved).backward()
    assert seen_by_hook == [1]


def test_backward_of_a_leaf_can_be_called():
    x = Value(1.0)
    x._backward()
    x.backward()
    assert x.grad == 1.0


def test_neurons_layers_and_networks():
    random.seed(7)
    drawn = [random.uniform(-1, 1) for _ in range(2)]
    random.seed(7)
    neuron = Neuron(2)
    assert [w.data for w in neuron.w] == drawn
    assert (neuron.b.data, neuron.nonlin) == (0.0, True)
    assert neuron.parameters() == [*neuron.w, neuron.b]
    model = MLP(2, [3, 1])
    assert isinstance(model, Module)
    assert len(model.parameters()) == 13
    assert isinstance(model([1.0, -2.0]), Value)
    assert len(Layer(2, 3)([1.0, 2.0])) == 3
    assert str(MLP(2, [2, 1])) == (
        "MLP of [Layer of [ReLUNeuron(2), ReLUNeuron(2)], Layer of [LinearNeuron(2)]]"
    )
    model([1.0, 1.0]).backward()
    model.zero_grad()
    assert all(p.grad == 0 for p in model.parameters())


class Frozen(Neuron):
    def parameters(self):
        return self.w


class Remembering(Neuron):
    def __call__(self, x):
        self.seen = x
        return super().__call__(x)

    def parameters(self):
        return [self.b, *self.w]


class Scales:
    """A layer that is no Module."""

    def __init__(self):
        self.factors, self.limit = [Value(2.0), Value(3.0)], Value(9.0)

    def __call__(self, x):
        return [factor * value for factor, value in zip(self.factors, x)]

    def parameters(self):
        return self.factors


@pytest.mark.parametrize("layer", [[Frozen(2), Frozen(2)], [Remembering(2), Neuron(2)], Scales()])
def test_a_network_has_the_parameters_that_its_parts_give(layer):
    model = MLP(2, [2, 1])
    given = layer.parameters() if isinstance(layer, Scales) else []
    if isinstance(layer, Scales):
        model.layers[0] = layer
    else:
        model.layers[0].neurons = layer
        given = [p for neuron in layer for p in neuron.parameters()]
    model([Value(1.0), Value(2.0)]).backward()
    assert model.parameters() == [*given, *model.layers[1].parameters()]
    model.zero_grad()
    assert {p.grad for p in given} == {0.0}


class Weight(Value):
    def __init__(self, data, _children=(), _op=""):
        super().__init__(data, _children, _op)


class Half(Neuron):
    def __init__(self, nin, nonlin=True):
        super().__init__(nin, nonlin)
        self.b.data = 0.5


class Doubled(Layer):
    def __init__(self, nin, nout, **kwargs):
        super().__init__(nin, nout, **kwargs)
        for neuron in self.neurons:
            neuron.b.data = 2.0


@pytest.mark.parametrize(("own", "bias"), [(Half, 0.5), (Doubled, 2.0), (Weight, 0.0)])
def test_classes_put_into_micrograd_nn_are_used(monkeypatch, own, bias):
    from micrograd import nn

    monkeypatch.setattr(nn, own.__base__.__name__, own)
    random.seed(7)
    model = MLP(2, [2, 1])
    random.seed(7)
    drawn = [random.uniform(-1, 1) for _ in range(6)]
    assert (
        str(model) == "MLP of [Layer of [ReLUNeuron(2), ReLUNeuron(2)], Layer of [LinearNeuron(2)]]"
    )
    assert [w.data for w in model.weights()] == drawn
    neurons = [neuron for layer in model.layers for neuron in layer.neurons]
    assert [neuron.b.data for neuron in neurons] == [bias] * 3
    kinds = {type(item) for item in [*model.layers, *neurons, *model.parameters()]}
    assert own in kinds
    assert own.__base__ not in kinds
    if own is Half:
        with pytest.raises(TypeError, match="unexpected keyword argument 'bias'"):
            MLP(2, [1], bias=False)


def test_a_neuron_may_be_given_another_init(monkeypatch):
    def init(self, nin, nonlin=True):
        self.w, self.b, self.nonlin = [Value(1.0) for _ in range(nin)], Value(-4.0), nonlin

    monkeypatch.setattr(Neuron, "__init__", init)
    assert MLP(2, [1, 1])([1.0, 2.0]).data == -4.0


def test_bytes_are_inputs():
    neuron = Neuron(2, nonlin=False)
    neuron.w = [Value(2.0), Value(3.0)]
    assert neuron(bytes([7, 9])).data == 41.0


def test_what_only_refers_to_a_network_is_not_asked_for_parameters():
    class Trainer:
        def __init__(self, model):
            self.model = model

        def parameters(self):
            return self.model.parameters()

    model = MLP(2, [1])
    model.trainer = Trainer(model)
    assert model.parameters() == model.trainer.parameters() == model.layers[0].parameters()


class Weighing(Neuron):
    def __init__(self):
        self.weights = [Value(0.5), Value(-1.5)]

    def __call__(self, x):
        return sum(weight * value for weight, value in zip(self.weights, x)).tanh()


@pytest.mark.parametrize("own", [Scales(), [Weighing(), Weighing()]])
def test_a_network_with_parts_of_ones_own_is_lowered(own):
    model = MLP(2, [2, 1])
    if isinstance(own, Scales):
        model.layers.insert(0, own)
    else:
        model.layers[0].neurons = own

    def loss(x, y):
        return (model(x) - y) ** 2

    batch = [np.array([[0.5, -2.0], [1.5, 0.25]]), np.array([1.0, -1.0])]
    assert compared(lower(loss, [0.5, -2.0], 1.0), loss, batch) < 1e-12


def test_names_that_micrograds_modules_have():
    from micrograd import nn

    assert nn.Value is Value
    assert "Value" in nn.__all__


def test_a_wrong_number_of_inputs_is_refused():
    with pytest.raises(ValueError, match=r"takes 2 inputs, not 3"):
        MLP(2, [3, 1])([1.0, 2.0, 3.0])


@pytest.mark.parametrize("steps", [20, pytest.param(100, marks=WHOLE)])
def test_the_published_moons_training(steps):
    """The losses of micrograd's demo notebook: the published ones digit for digit."""
    moons = runpy.run_path(str(ROOT / "demos" / "moons.py"))
    losses = moons["train"](steps, show=False)
    assert losses[0] == 0.8958441028683222
    assert losses[19] == pytest.approx(0.1845374874688391, rel=1e-14)
    assert losses[99:] == [0.010978370135492717][: steps // 100]


def test_the_points_of_the_moons_demo_are_scikit_learns():
    datasets = pytest.importorskip("sklearn.datasets", reason="compares with scikit-learn")
    moons = runpy.run_path(str(ROOT / "demos" / "moons.py"))
    np.random.seed(1337)
    points, labels = moons["make_moons"](100, noise=0.1)
    np.random.seed(1337)
    expected, classes = datasets.make_moons(n_samples=100, noise=0.1)
    assert np.array_equal(points, expected)
    assert np.array_equal(labels, classes * 2 - 1)
