"""What one call of a function cannot show for every sample: refused with its line, or followed."""

import copy
import math
import pickle
import random
import re
import sys
import threading
import warnings
from collections import namedtuple
from itertools import count, pairwise

import numpy as np
import pytest

from micrograd import Value, grad, hessian, jacobian, mean, no_grad
from micrograd.engine import Constant
from micrograd.functions import dot
from micrograd.lowering import lower
from micrograd.lowering.trace.around import around
from micrograd.lowering.trace.watch import watched
from micrograd.nn import MLP, Dropout, Embedding, Layer, Module, SoftmaxClassifier, one_hot
from tests.lowering_models import values

RNG = np.random.default_rng(0)
W, SCALE = values([0.5, -0.3]), Value(2.0)
STATE = {"calls": 0, "kept": []}
NUMBERS = iter(range(1000))
NET = SoftmaxClassifier(2, 3)
MLP_FUSED = MLP(2, [3, 2], fused=True)


def counted(x):
    STATE["calls"] += 1
    return x[0] * STATE["calls"]


def under_no_grad(x):
    with no_grad():
        target = x[0] * W[0]
    return target * x[1]


def remembering(x):
    STATE["kept"].append(x[0] * W[0])
    return STATE["kept"][0] * x[1]


def gradients_of(x):
    y = x[0] * x[1]
    y.backward()
    return y * x[0].grad


KEPT = {}


def kept_by_a_call_that_fails(x, part):
    """Keep an input or a result where no name of the code leads; fail before it is used."""
    now = (x[0], x[0].exp())
    total = now[0] + now[1]
    before, globals()["KEPT"]["part"] = globals()["KEPT"].get("part", now[part]), now[part]
    return total * x[1].log() + before


def swapped(a, b):
    """Compute the same operations, in the first call of a and b, then of a and a."""
    STATE["calls"] += 1
    return a * (b if STATE["calls"] % 2 else a)


def turned(x, a, b):
    STATE["calls"] += 1
    a, b = (a, b) if STATE["calls"] % 2 else (b, a)
    return x[0] * a + x[1] * b


def or_raises(read):
    """Return what is read, or raise an error of one's own, as a program that checks may."""
    try:
        return read()
    except ValueError as error:
        raise RuntimeError("there is no number") from error


READS = {
    "an input": lambda x: x[0] * x[1].data,
    "a result that takes the same branch": lambda x: x[0] if (x[0] * W[0]).data > 1e6 else x[1],
    "a parameter of the graph": lambda x: x[0] * W[0] * W[0].data,
    "a parameter beside the graph": lambda x: x[0] * SCALE.data,
    "into a function of math": lambda x: x[0] * math.exp(x[0].data),
    "into a new Value": lambda x: x[0] * Value(x[1].data),
    "by getattr": lambda x: x[0] * getattr(x[1], "data"),  # noqa: B009
    "a copy": lambda x: x[0] * copy.deepcopy(x[1]),
    "a pickle": lambda x: x[0] * pickle.loads(pickle.dumps(x[1])),
    "a row looked up": lambda x: x[0] * TABLE(x[2])[0].data,
    "a one-hot": lambda x: x[0] * one_hot(x[2], 3)[0].data,
    "the gradient": gradients_of,
    "a prediction": lambda x: x[0] * NET.predict(x[:2]),
    "a second derivative": lambda x: x[0] * hessian(x[0] ** 3 * x[1], x)[0][1],
    "a slope that goes by the number": lambda x: grad((x[0] * x[0] + 1) ** x[1], x, True)[0],
    "slopes": lambda x: x[0] * (x[0] * x[1]).local_gradients()[0],
    "a step": lambda x: x[0] * next((x[0] * x[1]).steps()).local,
    "what is tried": lambda x: x[0] * or_raises(lambda: x[1].data),
    "computed anew": lambda x: x[0] * (x[0] * W[0]).forward(),
    "under no_grad()": under_no_grad,
}
DEPENDS = {
    "random": lambda x: x[0] * random.random(),
    "random of NumPy": lambda x: x[0] * float(np.random.rand()),
    "a generator of one's own": lambda x: x[0] * RNG.uniform(),
    "a random exponent": lambda x: x[0] ** random.randint(2, 10**9),
    "a random operand": lambda x: x[random.randrange(2)] * W[0] + x[random.randrange(2)].exp(),
    "a counter": counted,
    "an iterator": lambda x: x[0] * next(NUMBERS),
    "what an earlier call computed": remembering,
    "the text of a Value": lambda x: x[0] * float(repr(x[1]).split("=")[1].split(",")[0]),
    "the number of terms": lambda x: sum(x[i % 2] for i in range(1 + next(NUMBERS))),
    "an input that was kept": lambda x: x[0] * KEPT.setdefault("x", x[1]),
    "a result that was kept": lambda x: x[0] * KEPT.setdefault("y", x[1].exp()),
    "an input of a call that failed": lambda x: kept_by_a_call_that_fails(x, 0),
    "a result of a call that failed": lambda x: kept_by_a_call_that_fails(x, 1),
    "a result in the place of its like": lambda x: swapped(x[0].exp(), x[1].exp()),
    "leaves in another order": lambda x: turned(x, Value(2.0), Value(3.0)),
    "a new table every time": lambda x: sum(Embedding(3, 2)(x[2])) * x[0],
}
TABLE = Embedding(3, 2)


@pytest.mark.parametrize("function", [pytest.param(f, id=name) for name, f in READS.items()])
def test_a_number_read_is_refused_with_its_line(function):
    with pytest.raises(
        ValueError,
        match=r"test_lowering_tracing\.py:\d+: .*"
        "(is read|no_grad).*(detach|goes backward)",
    ):
        lower(function, [0.1, 0.2, 1])
    line = int(refusal(function).partition(".py:")[2].partition(":")[0])
    first = function.__code__.co_firstlineno
    assert first <= line <= first + 3


Pair = namedtuple("Pair", "left right")
REMEDIES = {
    "a place in an array": (lambda x: x[0, 1] * SCALE, [[1.0, 2.0]], "x[0][1]"),
    "a method of arrays": (lambda x: x.sum() * SCALE, np.ones((2, 2)), "sum(x)"),
    "a field": (lambda x: x.left * SCALE, Pair(1.0, 2.0), "nested lists"),
    "rounded": (lambda x: round(x) * SCALE, 1.5, "chooses nothing"),
    "an index": (lambda x: W[x] * SCALE, 1, "one_hot(y, count)"),
    "a key": (lambda x: {1: SCALE}[x], 1, "one_hot(y, count)"),
    "a function of math": (lambda x: math.exp(x) * SCALE, 1.0, "x.exp()"),
    "gradients": (lambda x: grad(x * SCALE, [x])[0] * x, 1.0, "create_graph=True"),
    "slopes": (lambda x: jacobian([x * SCALE], [x])[0][0] * x, 1.0, "create_graph=True"),
    "a step": (lambda x: float(x > 0) * SCALE, 1.0, "register()"),
}


@pytest.mark.parametrize("name", REMEDIES)
def test_what_a_trace_cannot_follow_is_refused_with_its_line_and_a_remedy(name):
    function, sample, remedy = REMEDIES[name]
    line = function.__code__.co_firstlineno
    with pytest.raises(ValueError, match=rf"tracing\.py:{line}: .*{re.escape(remedy)}"):
        lower(function, sample)


def test_errors_of_a_function_that_are_its_own_stay_as_they_are():
    with pytest.raises(AttributeError, match="^'dict' object has no attribute 'sum'$"):
        lower(lambda x: {}.sum() * x, 1.0)
    with pytest.raises(AttributeError, match="^'list' object has no attribute 'left'$"):
        lower(lambda x: [1.0].left * x, 1.0)
    with pytest.raises(TypeError, match="not str$"):
        lower(lambda x: sys.path["first"] * x, 1.0)
    with pytest.raises(IndexError, match="^list index out of range$"):
        lower(lambda x: x[2], [1.0, 2.0])


def assigning(x, place):
    """Assign the data of an input, a parameter, or a result."""
    node = (x[0], SCALE, x[0] * SCALE)[place]
    node.data = 2.0
    return node * x[1]


@pytest.mark.parametrize("place", range(3))
def test_a_number_assigned_is_refused_with_its_line(place):
    line = assigning.__code__.co_firstlineno + 3
    with pytest.raises(ValueError, match=rf"tracing\.py:{line}: the data of .* is assigned while"):
        lower(lambda x: assigning(x, place), [0.1, 0.2])
    SCALE.data = 3.0
    assert SCALE.data == 3.0  # by anybody, again
    SCALE.data = 2.0


def appending(x):
    x.append(Value(1.0))
    return dot(x, [SCALE, *W])


def swapping(x):
    x[0], x[1] = x[1] * 2.0, x[0]
    return x[0] * W[0] + x.pop().tanh()


@pytest.mark.parametrize("function", [appending, swapping])
def test_a_function_may_change_its_lists(function):
    program = lower(function, [0.1, 0.2])
    assert program([[0.3, -0.4]]) == pytest.approx(function(values([0.3, -0.4])).data, rel=1e-12)


@pytest.mark.parametrize("function", [pytest.param(f, id=name) for name, f in DEPENDS.items()])
def test_what_differs_in_a_second_call_is_refused(function):
    random.seed(3)
    STATE["kept"].clear()
    KEPT.clear()
    with pytest.raises(ValueError, match=r"test_lowering_tracing\.py:\d+: .*called again"):
        lower(function, [0.1, 0.2, 1])


PYTHONS, OLDER = random.Random(1), np.random.RandomState(1)


@pytest.mark.parametrize(
    "draw",
    [
        random.random,
        lambda: np.random.random(),
        RNG.random,
        lambda: PYTHONS.random(),
        OLDER.random_sample,
        random.Random(2).random,
    ],
)
def test_what_is_drawn_is_refused_where_two_calls_do_the_same(draw):
    with pytest.raises(ValueError, match=r"tracing\.py:\d+: <lambda> draws .*a third call may"):
        lower(lambda x: x[0] * W[0] if draw() < 2 else x[1], [0.1, 0.2])


def test_random_numbers_that_are_the_same_for_every_call_are_no_chance():
    def seeded(x):
        random.seed(3)
        return x[0] * random.random()

    unused = random.Random(4), random.SystemRandom()  # which has no state
    program = lower(lambda x: (unused, seeded(x))[1], [0.1])
    assert program([[2.0]]) == pytest.approx(seeded([2.0]))


def refusal(function):
    with pytest.raises(ValueError) as caught:
        lower(function, [0.1, 0.2, 1])
    return str(caught.value)


def test_a_function_that_can_be_called_once():
    numbers = iter([1.0])
    with pytest.raises(ValueError, match="called a second time on the same sample, raises StopI"):
        lower(lambda x: x * next(numbers), 0.5)


def test_lower_under_no_grad():
    with no_grad(), pytest.raises(ValueError, match=r"lower\(\) under no_grad\(\)"):
        lower(lambda x: x * 2, 0.5)


def equal_to_backward(function, parameters, sample, batch):
    program = lower(function, sample)
    value, gradients = program.value_and_grad(batch, wrt_inputs=True)
    inputs = [values(row) for row in batch]
    for p in parameters:
        p.grad = 0.0
    loss = mean([function(x) for x in inputs])
    loss.backward()
    assert value == pytest.approx(loss.data, rel=1e-12)
    wanted = [[v.grad for v in row] for row in inputs]
    np.testing.assert_allclose(gradients[program.inputs[0]], wanted, rtol=1e-12, atol=1e-15)
    for name in program.parameters:
        leaves = program.leaf_values(name)
        expected = np.array([v.grad for v in leaves.ravel()]).reshape(leaves.shape)
        np.testing.assert_allclose(gradients[name], expected, rtol=1e-12, atol=1e-15)
    return program


@pytest.mark.parametrize(
    "function",
    [
        lambda x: x[0] * x[0].detach(),
        lambda x: dot(W, x) * dot(W, x).tanh().detach() + x[1],
        lambda x: W[0].detach() * x[0] + W[1] * x[1].exp(),
        lambda x: (dot(W, x) - (dot(W, x) * 2).detach()) ** 2,
        lambda x: dot(W, x).detach() * x[0] * W[0],
        lambda x: dot([w.detach() for w in W], x) * W[0] + dot(W, [v.detach() for v in x]),
        lambda x: x[0] * x[1].detach().detach(),
    ],
)
def test_detach_is_a_stopped_gradient_of_the_running_value(function):
    equal_to_backward(function, W, [0.1, 0.2], RNG.normal(size=(5, 2)))


def test_what_detach_made_is_no_parameter():
    target = [w.detach() for w in W]
    program = lower(lambda x: (dot(W, x) - dot(target, x)) ** 2, [0.1, 0.2])
    assert list(program.parameters) == ["W"] and list(program.constants)
    program = lower((Value(2.0, label="w") * Value(3.0, label="t").detach()) ** 2)
    assert list(program.parameters) == ["w"] and list(program.constants)


@pytest.mark.parametrize("before", [0, 1, 2])
@pytest.mark.parametrize("variational", [True, False])
def test_a_mask_is_an_input_whenever_it_was_drawn(before, variational):
    net, drop = MLP(2, [3, 1]), Dropout(0.5, variational=variational, seed=1)

    def loss(x):
        return net.layers[1](drop(net.layers[0](x)))

    for _ in range(before):
        loss([0.1, 0.2])
    program = lower(loss, [0.1, 0.2])
    assert program.inputs == ["x", "mask"]
    assert list(program.parameters) == ["W1", "b1", "W2", "b2"]
    assert program([[0.1, 0.2]], [[0.0] * 3]) == net.layers[1].neurons[0].b.data


def test_a_mask_of_a_recorded_loss_is_a_constant():
    drop = Dropout(0.5, seed=1)
    program = lower(
        dot(drop(values([1.0, 2.0, 3.0])), [Value(0.1 * i, label=f"w{i}") for i in range(3)])
    )
    assert list(program.parameters) == ["w"] and "mask" in program.constants


def test_all_of_a_mask_is_asked_for_where_the_loss_needs_a_part():
    drop = Dropout(0.5, seed=1)
    program = lower(lambda x: drop(x)[0], [1.0, 2.0, 3.0])
    assert program([[1.0, 2.0, 3.0]], [[2.0, 0.0, 0.0]]) == 2.0


def test_a_value_called_mask_is_what_made_it():
    mask = [Value(0.5, label=f"mask{i}") for i in range(2)]
    assert list(lower(lambda x: dot(mask, x), [0.1, 0.2]).parameters) == ["mask"]


class Lazy(Module):
    """Makes its weights at the first call, and keeps them."""

    weights = None

    def __call__(self, x):
        if self.weights is None:
            self.weights = values([random.random() for _ in x])
        return dot(self.weights, x)


def kept_parts(x):
    """Return what the first call keeps, in another order of making in the second."""
    if "rows" not in STATE:
        STATE["rows"] = [w * 2 for w in W]
    return dot(STATE["rows"], x[:2])


def test_what_the_first_call_keeps_may_be_made_in_another_order():
    STATE.pop("rows", None)
    assert lower(kept_parts, [0.1, 0.2])([[1.0, 2.0]]) == pytest.approx(2 * (0.5 - 0.3 * 2))


@pytest.mark.parametrize("parts", [(0, 1), (0, 2), (2, 0)])
def test_what_is_taken_from_elsewhere_is_compared_to_its_leaves(parts):
    w = Value(1.0)
    others = [w * 2.0, w + 1.0, Value(2.0)]  # equal numbers
    turns = iter([*parts, parts[1]])
    with pytest.raises(ValueError, match="the graph is another one"):
        lower(lambda x: x * others[next(turns)], 2.0)


def test_what_was_made_by_hand_and_is_not_needed_says_nothing():
    w, v = Value(2.0), Value(3.0)

    def function(x):
        unused = x * v
        unused._backward = lambda: None
        return x * w

    assert lower(function, 0.5)([4.0]) == 8.0


def test_a_leaf_with_a_step_of_its_own_is_not_lowered(monkeypatch):
    monkeypatch.setattr(Value, "_hooked", False)
    w = Value(2.0)
    w._backward = lambda: None
    with pytest.raises(ValueError, match="made by hand"):
        lower(lambda x: x * w, 0.5)


def keeping(rng, seen):
    """Return a random function of two numbers that keeps some Values from call to call.

    They are kept where no name of its code leads, or in `seen`.
    """
    kinds = ["+", "*", "tanh", "half", "log", "first", "last", "made"]
    steps = [(rng.choice(kinds), rng.random(), rng.random()) for _ in range(rng.randint(3, 8))]

    def function(x):
        pool, kept = [*x, SCALE], globals()["KEPT"] if seen is None else seen
        for place, (kind, a, b) in enumerate(steps):
            u, v = (pool[int(part * len(pool))] for part in (a, b))
            if kind == "first":
                u = kept.setdefault(place, u)
            elif kind == "last":
                u, kept[place] = kept.get(place, u), u
            elif kind == "made":
                u = kept.setdefault(place, Value(0.3))
            elif kind == "log":
                u = pool[place % 2].log()
            else:
                u = {"+": u + v, "*": u * v, "tanh": u.tanh(), "half": u * 0.5 + 1}[kind]
            pool.append(u)
        return pool[-1] * pool[-2] + pool[-3]

    return function


def test_a_program_of_a_function_that_keeps_values_is_right_or_told():
    """Also where the second call fails on other numbers, behind what it kept."""
    programs = 0
    for seed in range(150):
        KEPT.clear()
        rng = random.Random(seed)
        function = keeping(rng, {} if seed % 2 else None)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                program = lower(function, [rng.uniform(0.2, 1), rng.uniform(0.2, 1)])
        except (ValueError, RuntimeWarning) as error:
            assert re.search("called again|from call to call", str(error))
            continue
        programs += 1
        for _ in range(3):
            sample = [rng.uniform(0.2, 1), rng.uniform(0.2, 1)]
            assert program([sample]) == pytest.approx(function(values(sample)).data, rel=1e-12)
    assert 50 < programs < 130


class KeepingCount:
    """Count calls in ways that functions have: the third one may be another."""

    calls = 0

    def __init__(self):
        self.n, self.log, self.inner, self.array = 0, [], {"n": 0}, np.zeros(1)
        self.pair, self.numbers, self.count = (0, 0), iter([2, 2, 3]), count(1)
        self.out = self.before = None
        self.data, self.large = [0.5] * 30, np.zeros(1_000_000)

    def __call__(self, x):
        self.n += 1
        return x[0] * (2 if self.n < 3 else 3)

    def of_the_class(self, x):
        KeepingCount.calls += 1
        return x[0] * W[0]

    def in_a_dict(self, x):
        self.inner["n"] += 1
        return x[0] * W[0]

    def by_a_list(self, x):
        self.log.append(x[0] * W[0])
        return self.log[-1] * (2 if len(self.log) < 3 else 3)

    def in_an_array(self, x):
        self.array[0] += 1
        return x[0] * W[0]

    def in_data(self, x):
        self.data[3] += 1
        return x[0] * W[0]

    def in_a_file(self, x):
        self.large[3] += 1
        return x[0] * W[0]

    def in_a_tuple(self, x):
        self.pair = (self.pair[0] + 1, 0)
        return x[0] * W[0]

    def by_an_iterator(self, x):
        return x[0] * next(self.numbers)

    def by_a_count(self, x):
        return x[0] * min(1, next(self.count))

    def keeping_the_last_but_one(self, x):
        self.before, self.out, earlier = self.out, x[0] * W[0], self.before
        return x[0] * W[0] if earlier is None else x[0]

    def keeping_the_last(self, x):
        self.out = x[0] * W[0]
        return self.out

    def keeping_the_first(self, x):
        return x[0] * self.inner.setdefault("scale", 3.0)


def counting_globally(x):
    global CALLS
    CALLS += 1
    return x[0] * W[0]


def counting_as_an_attribute(x):
    counting_as_an_attribute.calls += 1
    return x[0] * W[0]


def counting_in_a_closure():
    calls = 0

    def function(x):
        nonlocal calls
        calls += 1
        return x[0] * W[0]

    return function


def counting_in_a_default(x, calls=[0]):  # noqa: B006
    calls[0] += 1
    return x[0] * W[0]


CALLS = counting_as_an_attribute.calls = 0
COUNTS = {
    "an object": KeepingCount(),
    "a class": KeepingCount().of_the_class,
    "a dict": KeepingCount().in_a_dict,
    "a list": KeepingCount().by_a_list,
    "an array": KeepingCount().in_an_array,
    "data": KeepingCount().in_data,
    "a tuple": KeepingCount().in_a_tuple,
    "an iterator": KeepingCount().by_an_iterator,
    "itertools": KeepingCount().by_a_count,
    "a Value": KeepingCount().keeping_the_last_but_one,
    "a global": counting_globally,
    "an attribute": counting_as_an_attribute,
    "a closure": counting_in_a_closure(),
    "a default": counting_in_a_default,
}


@pytest.mark.parametrize("function", [pytest.param(f, id=name) for name, f in COUNTS.items()])
def test_a_function_that_counts_its_calls_is_told(function):
    with pytest.warns(RuntimeWarning, match=r"a later call may do something else") as told:
        lower(function, [0.1, 0.2])
    assert told[0].filename == __file__


@pytest.mark.filterwarnings("error")
def test_a_function_that_keeps_no_count_is_not():
    lower(KeepingCount().keeping_the_last, [0.1, 0.2])
    lower(KeepingCount().keeping_the_first, [0.1, 0.2])
    lower(KeepingCount().in_a_file, [0.1, 0.2])  # too large to be looked at


def test_an_object_that_was_asked_for_its_dict_has_not_changed():
    """It refers to its attributes; once somebody asked, another thread too, to their dict."""
    kept = KeepingCount()
    function = lambda x: x[0] * kept.n  # noqa: E731
    before = around(function)
    assert vars(kept) and before.changed(around(function)) == ""
    kept.n += 1
    assert before.changed(around(function)) == "0 to 1"


def test_what_calls_kept_is_left_as_it_was():
    kept = []

    def function(x):
        kept.append([Value(0.5), x[0] * W[0]])
        kept[-1].append(kept[-1][1] * kept[-1][0])
        return kept[-1][2] + x[1]

    with pytest.warns(RuntimeWarning, match="from call to call, 1 to 2, so"):
        lower(function, [0.1, 0.2])
    for leaf, product, scaled in kept:
        out = scaled * product
        assert out.parents == (scaled, product) and out._index > scaled._index > product._index
        out.backward()
        assert leaf.grad == pytest.approx(product.data**2)
    (_, _, first), (leaf, product, second) = kept
    (second * first).backward()  # of both calls together
    assert leaf.grad == pytest.approx(product.data**2 + product.data * first.data)


def test_what_a_call_makes_of_the_first_one_is_in_order():
    kept = []

    def function(x):
        kept.append(kept[0] * x[0] if kept else (x[0] * W[0] * 2.0).tanh())
        return kept[-1]

    with pytest.raises(ValueError, match="the graph is another one"):
        lower(function, [0.1, 0.2])
    W[0].grad = 0.0
    kept[1].backward()
    factor = kept[1].data / kept[0].data
    assert W[0].grad == pytest.approx(factor * (1 - kept[0].data ** 2) * 0.2)


@pytest.mark.parametrize("one", [lambda: Value(2.0), lambda: SCALE])
def test_one_leaf_is_not_two(one):
    calls = []

    def function(x):
        calls.append(x)
        two = one()
        return (two if len(calls) == 1 else Value(2.0)) * x[0] + two * x[0]

    with pytest.raises(ValueError, match="the graph is another one"):
        lower(function, [0.1, 0.2])


def test_weights_made_at_the_first_call_are_parameters():
    program = lower(Lazy(), [0.1, 0.2])
    assert list(program.parameters) == ["weights"]


def test_parameters_and_random_numbers_are_as_before():
    net = MLP(2, [3, 1])
    random.seed(5)
    first = random.random()
    random.seed(5)
    lower(lambda x: net(x), [0.1, 0.2])
    assert random.random() == first
    assert {type(p) for p in net.parameters()} == {Value}
    with pytest.raises(ValueError, match="is read"):
        lower(lambda x: net(x) * net.parameters()[0].data, [0.1, 0.2])
    assert {type(p) for p in net.parameters()} == {Value}
    assert net.parameters()[0].data is not None


class Attention(Module):
    """Layers and matrices by the names of a person."""

    def __init__(self):
        self.W_query, self.key = Layer(2, 2, nonlin=False), Layer(2, 2, nonlin=False)
        self.mix = [values(RNG.normal(size=2)) for _ in range(2)]

    def __call__(self, x):
        hidden = [q * k for q, k in zip(self.W_query(x), self.key(x))]
        return sum(dot(row, hidden).tanh() for row in self.mix)


@pytest.mark.parametrize(
    "function",
    [
        lambda m: m,
        lambda m: m.__call__,
        lambda m: lambda x: m(x),
        lambda m: lambda x: m(x) * 2,
    ],
)
def test_attributes_of_modules_name_arrays(function):
    program = lower(function(Attention()), [0.1, 0.2])
    assert set(program.parameters) == {"W_query", "b_query", "W_key", "b_key", "mix"}


class Unit:
    """A neuron of a program's own, with its weights in a class that is no Module."""

    def __init__(self, nin):
        self.w, self.b = values(RNG.normal(size=nin)), Value(0.5)

    def __call__(self, x):
        return (dot(self.w, x) + self.b).tanh()


class Units:
    def __init__(self, nin, nout):
        self.units = [Unit(nin) for _ in range(nout)]

    def __call__(self, x):
        return [unit(x) for unit in self.units]


class Network:
    def __init__(self, *sizes):
        self.layers = [Units(*pair) for pair in pairwise(sizes)]
        self.twin = self

    def __call__(self, x):
        for layer in self.layers:
            x = layer(x)
        return sum(x)


class Affine(Module):
    def __init__(self, nin, nout):
        self.weight, self.bias = matrix(nout, nin), values(RNG.normal(size=nout))

    def __call__(self, x):
        return applied(self.weight, self.bias, x)


class Pair(Module):
    def __init__(self):
        self.fc1, self.fc2 = Affine(2, 3), Affine(3, 2)

    def __call__(self, x):
        return sum(self.fc2(self.fc1(x)))


def of_arrays():
    W, b = np.array(matrix(3, 2)), np.array(values(RNG.normal(size=3)))
    kernels = [np.array(matrix(2, 2)) for _ in range(2)]
    return lambda x: (W @ np.array(x) + b).sum() + sum((k @ np.array(x)).sum() for k in kernels)


def of_dicts():
    W = {key: matrix(2, 2) for key in "if"}
    b = {key: values(RNG.normal(size=2)) for key in "if"}
    return lambda x: sum(sum(applied(W[key], b[key], x)) for key in W)


def of_odd_places():
    unit, state = Unit(2), {"_": Value(0.5), "a.b": values([0.25])}
    unit.parts = [Unit(2), values([0.5, 0.75]), {"v": Value(0.1)}]

    def function(x):
        first, second, third = unit.parts
        return unit(x) * first(x) + dot(second, x) * third["v"] * sum(state["a.b"])

    return function


def of_two_models():
    G, D = Network(2, 2), Network(2, 2)
    return lambda x: G(x) * D(x)


def of_two_networks():
    G, D = MLP(2, [2, 2]), MLP(2, [1])
    return lambda x: D(G(x))


@pytest.mark.parametrize(
    ("made", "shapes"),
    [
        (
            of_two_networks,
            {"G_W1": (2, 2), "G_b1": (2,), "G_W2": (2, 2), "G_b2": (2,)}
            | {"D_W1": (1, 2), "D_b1": (1,)},
        ),
        (lambda: Network(2, 3, 1), {"W1": (3, 2), "b1": (3,), "W2": (1, 3), "b2": (1,)}),
        (lambda: Unit(2), {"w": (2,), "b": ()}),
        (
            lambda: (lambda net: lambda x: net.layers[0](x)[1] ** 2)(Network(2, 3)),
            {"W1": (3, 2), "b1": (3,)},
        ),
        (
            Pair,
            {"fc1_weight": (3, 2), "fc1_bias": (3,), "fc2_weight": (2, 3), "fc2_bias": (2,)},
        ),
        (of_arrays, {"W": (3, 2), "b": (3,), "kernels": (2, 2, 2)}),
        (of_dicts, {"W_i": (2, 2), "W_f": (2, 2), "b_i": (2,), "b_f": (2,)}),
        (
            of_odd_places,
            {"w": (2,), "b": (), "w1": (2,), "b1": (), "parts2": (2,), "v3": (), "a_b": (1,)},
        ),
        (
            of_two_models,
            {f"{net}_{name}1": s for net in "GD" for name, s in {"W": (2, 2), "b": (2,)}.items()},
        ),
    ],
)
def test_weights_in_objects_arrays_and_dicts_are_arrays_of_their_names(made, shapes):
    function, sample = made(), [0.1, 0.2]
    program = lower(function, sample)
    assert {name: data.shape for name, data in program.parameters.items()} == shapes
    result = function([Value(number) for number in sample])
    result.backward()
    gradients = program.value_and_grad([sample])[1]
    for name in shapes:
        expected = [value.grad for value in np.ravel(program.leaf_values(name)).tolist()]
        assert np.ravel(gradients[name]).tolist() == pytest.approx(expected, rel=1e-13, abs=1e-15)


def test_numbers_in_objects_are_not_walked_one_by_one():
    unit = Unit(2)
    unit.data, unit.itself = [[0.5] * 1000] * 3000, {"unit": unit}
    unit.itself["again"] = unit.itself
    program = lower(lambda x: unit(x), [0.1, 0.2])
    assert list(program.parameters) == ["w", "b"]


@pytest.mark.parametrize(
    "data", [[([0.5, 1.0], 2)], ((0, 1), 2), [[], None, (True, [])], {"pair": ((), 1j)}]
)
def test_numbers_beside_lists_are_no_parameters(data):
    w = [Value(0.5), Value(-0.5)]
    program = lower(lambda x: dot(w, x) * len(data), [0.1, 0.2])
    assert list(program.parameters) == ["w"]


def matrix(rows, columns, label=None):
    return [
        [Value(RNG.normal(), label=label and f"{label}{i},{j}") for j in range(columns)]
        for i in range(rows)
    ]


def applied(W, b, x):
    return [dot(row, x).tanh() + v for row, v in zip(W, b)]


def test_keys_that_are_no_names_become_names():
    state = {"layer0.attn_wq": matrix(2, 2), "layer0.b": values([0.1, 0.2]), "3d": values([1.0])}

    def loss(x):
        return sum(applied(state["layer0.attn_wq"], state["layer0.b"], x)) * state["3d"][0]

    for options in ({}, {"parameters": state}):
        program = lower(loss, [0.1, 0.2], **options)
        assert {"layer0_attn_wq", "layer0_b", "p3d"} == set(program.parameters)
        assert program.parameters["layer0_attn_wq"].shape == (2, 2)


def test_lists_of_tuples_and_of_dicts():
    layers = [(matrix(3, 2), values([0.1] * 3)), (matrix(2, 3), values([0.2] * 2))]
    blocks = [{"wq": matrix(2, 2), "b": values([0.1, 0.2])} for _ in range(2)]

    def loss(x):
        for W, b in layers:
            x = applied(W, b, x)
        for block in blocks:
            x = applied(block["wq"], block["b"], x)
        return sum(x)

    names = {f"layers_{i}_{j}" for i in range(2) for j in range(2)}
    names |= {f"blocks_{i}_{key}" for i in range(2) for key in ("wq", "b")}
    for options in ({}, {"parameters": {"layers": layers, "blocks": blocks}}):
        program = lower(loss, [0.1, 0.2], **options)
        assert set(program.parameters) == names
        assert program.parameters["layers_1_0"].shape == (2, 3)


def test_labels_with_two_numbers_give_the_shape():
    P = matrix(3, 4, "P")

    def loss(x):
        return sum((P[i][j] * x[i]).tanh() for i in range(2) for j in range(3))

    shapes = {k: v.shape for k, v in lower(loss, [0.1, 0.2, 0.3]).parameters.items()}
    assert shapes == {"P": (3, 4)}
    recorded = sum((P[i][j] * (i + 1.5)).tanh() * P[i][j - 1] for j in range(4) for i in range(3))
    program = lower(recorded)
    assert program.parameters["P"].shape == (3, 4)
    assert [v.label for v in program.leaf_values("P")[1]] == ["P1,0", "P1,1", "P1,2", "P1,3"]


def test_a_trace_leaves_other_threads_alone():
    net, sample = MLP(2, [8, 1], activation="tanh"), [0.1, 0.2]
    expected = net(sample).data
    stop, wrong = threading.Event(), []

    def compute():
        while not stop.is_set():
            try:
                out = net(sample)
                if out.data != expected or (out.data > 0) is not (expected > 0):
                    wrong.append(out.data)
                net.parameters()[0].data  # noqa: B018
            except Exception as error:
                wrong.append(error)

    thread = threading.Thread(target=compute)
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    thread.start()
    try:
        for _ in range(10):
            lower(lambda x: net(x), sample)
    finally:
        stop.set()
        thread.join()
        sys.setswitchinterval(interval)
    assert not wrong


class Plain(Value):
    pass


class Slotted(Value):
    __slots__ = ("note",)


class Counting(Value):
    reads = 0

    @property
    def data(self):
        self.reads += 1
        return Value.data.__get__(self)

    @data.setter
    def data(self, data):
        Value.data.__set__(self, data)


@pytest.mark.parametrize("kind", [Value, Plain, Slotted, Counting])
def test_values_of_any_class_are_watched(kind):
    w = kind(2.0, label="w")
    for function in (lambda x: x[0] * w.data, lambda x: x[0] * w * (w.data > 1)):
        with pytest.raises(
            ValueError, match="the data of 'w' is read while the function is traced"
        ):
            lower(function, [1.0])
    program = lower(lambda x: x[0] * w, [1.0])
    assert type(w) is kind and w.data == 2.0
    assert program.value_and_grad([[3.0]])[1]["w"] == 3.0


@pytest.mark.parametrize("first_leaves_first", [True, False])
def test_two_threads_watch_the_parameters_of_one_network(first_leaves_first):
    inside, leave, w = threading.Event(), threading.Event(), Value(1.0)

    def watch():
        with watched([w, w]):
            inside.set()
            leave.wait(10)

    thread = threading.Thread(target=watch)
    thread.start()
    inside.wait(10)
    with watched([w]):
        if first_leaves_first:
            leave.set()
            thread.join()
        with pytest.raises(ValueError, match="is read while the function is traced"):
            w.data  # noqa: B018
    leave.set()
    thread.join()
    assert type(w) is Value and w.data == 1.0


def test_a_number_of_the_code_is_one_where_other_threads_make_nodes_too(monkeypatch):
    def loss(x):
        return (1 - x[0]) * 3 + 0.5 * x[1]

    alone = lower(loss, [0.1, 0.2])
    made = Constant.__init__

    def interrupted(self, data):
        made(self, data)
        Value(0.0)  # as another thread may

    monkeypatch.setattr(Constant, "__init__", interrupted)
    program = lower(loss, [0.1, 0.2])
    assert program.source == alone.source and not program.constants


# What asks an input for its number without a word: of Values the answer is always the same.
CHOICES = {
    "==": lambda x, y: W[0] * x if y == 1 else -x,
    "!=": lambda x, y: W[0] * x if y != 1.0 else -x,
    "== of two inputs": lambda x, y: W[0] * x if y == x else -x,
    "== of a result": lambda x, y: W[0] * x if 2 * y - 1 == x + 1 else -x,
    "truth": lambda x, y: W[0] * x if y else -x,
    "truth of a result": lambda x, y: W[0] * x if y - 1 else -x,
    "and": lambda x, y: y and W[0] * x,
    "not": lambda x, y: x * (not y) * W[0],
    "any": lambda x, y: W[0] * x if any([x, y]) else -x,
    "in a tuple": lambda x, y: W[0] * x if y in (1, 2) else -x,
    "in a set": lambda x, y: W[0] * x if y in {1, 2} else -x,
    "in a dict": lambda x, y: {0: W[0] * x}.get(y, -x),
    "in a list": lambda x, y: W[0] * x * [1.0, 2.0].count(y),
    "in a set of inputs": lambda x, y: W[0] * len({x, y}),
    "the sum of none": lambda x, y: sum(x for n in range(3) if n == y),
    "the largest of an array": lambda x, y: np.max(np.array([W[0] * x, y])),
    "of an array": lambda x, y: (W[0] * x * (np.array([y, x]) == 1)).sum(),
}


@pytest.mark.parametrize("kind", CHOICES)
def test_a_choice_by_the_number_of_an_input_is_refused(kind):
    with pytest.raises(ValueError, match=rf"{__file__}:\d+: .* while the function is traced"):
        lower(CHOICES[kind], 1.0, 1)


@pytest.mark.parametrize(
    "function",
    [
        lambda x, y: W[0] * x if y is not None else -x,
        lambda x, y: W[0] * x if y != None else -x,  # noqa: E711
        lambda x, y: W[0] * x if SCALE else -x,
        lambda x, y: W[0] * x if SCALE in W else -x,
        lambda x, y: sum({W[0]: x, W[1]: y}.values()),
        lambda x, y: (W[0] * x) or y,
    ],
)
def test_what_asks_whether_values_are_there_is_lowered(function):
    value = function(Value(2.0), Value(3.0))
    assert lower(function, 1.0, 1)([2.0], [3.0]) == value.data


def test_numbers_that_a_function_makes_values_of_are_written_in_the_text():
    w = values(RNG.normal(size=3))

    def loss(x):
        total = Value(0.0)
        for weight, number in zip(w, x):
            total += weight * number
        return Value(1.0) / (Value(1) + (-total).exp()) + Value(0.25, label="c")

    program = lower(loss, [0.1, 0.2, 0.3])
    assert list(program.constants) == ["c"]  # what a label names stays an argument
    assert "t1 = exp(-z)" in program.source


def shaped(x, t):
    return (x[0] * 3.0 - t) ** 2 / (1.0 + abs(x[1])) - (-x[1] + 4.0) / x[0] * 1.0


@pytest.mark.parametrize("name", ["add", "sub", "mul", "truediv", "neg", "abs", "pow", "rsub"])
def test_an_operator_put_in_the_place_of_values_own_is_followed(name, monkeypatch):
    before = getattr(Value, f"__{name}__")
    with monkeypatch.context() as replaced:
        replaced.setattr(Value, f"__{name}__", lambda *operands: before(*operands).add(0.25))
        program = lower(shaped, [0.5, 0.7], 1.0)
        x, t = [1.5, -0.3], 0.4
        assert program(np.array([x]), np.array([t])) == pytest.approx(
            shaped(values(x), Value(t)).data
        )
    plain = lower(shaped, [0.5, 0.7], 1.0)
    assert plain(np.array([x]), np.array([t])) == pytest.approx(shaped(values(x), Value(t)).data)


@pytest.mark.parametrize(
    "function",
    [
        lambda x: x * x if type(x) is Value else x**3,
        lambda x: x * (2.0 if x.__class__ is Value else 3.0),
        lambda x: {Value: Value.tanh}[type(x)](x),
    ],
)
def test_a_function_that_asks_for_the_type_of_an_input_is_told_what_to_ask(function):
    with pytest.raises(ValueError, match=r"isinstance\(x, Value\)"):
        lower(function, 0.5)
    program = lower(lambda x: x * x if isinstance(x, Value) else x**3, 0.5)
    assert program([3.0]) == 9.0


def test_numpy_s_functions_of_inputs_are_lowered():
    def function(x):
        return np.sum(np.arcsin(x) * np.fabs(x[0]) + np.arctan(x[1]))

    program, rows = lower(function, np.array([0.25, 0.5])), np.array([[0.5, -0.125], [-0.3, 0.7]])
    expected = [np.sum(np.arcsin(r) * abs(r[0]) + np.arctan(r[1])) for r in rows]
    assert program(rows) == pytest.approx(np.mean(expected))
