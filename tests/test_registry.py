"""Operations of one's own: checked when they are added, then as the engine's own everywhere."""

import copy
import math
import os
import pickle
import random
import subprocess
import sys
from pathlib import Path
from threading import Barrier, Thread

import numpy as np
import pytest

from micrograd import Value, grad, hessian, register
from micrograd.expressions import parse
from micrograd.gradcheck import gradcheck
from micrograd.lowering import lower
from micrograd.lowering.arrays.names import FUNCTION_OF
from micrograd.lowering.irregular.levels import Levels
from micrograd.nn import MLP
from micrograd.ops import BY_NAME, ROWS
from micrograd.render import render
from micrograd.stepper import page
from micrograd.stepper.javascript import rows_source
from micrograd.stepper.terminal import Walkthrough
from tests.bad_inputs import STOCK

SOFT = {"name": "own_soft", "value": "2*tanh(x/2)", "local": "1 - (out/2)**2"}
LENGTH = {"name": "own_length", "value": "sqrt(x * x + y * y)", "local": ("x / out", "y / out")}
BENT = {"name": "own_bent", "value": "where(x > 0, x, k * x)", "local": "where(x > 0, 1, k)"}


@pytest.fixture(autouse=True, scope="module")
def _own_rows():
    register(**SOFT), length(1, 1), bent(1)
    register("own_relu", "relu(x)", "where(x > 0, 1, 0)", kinks="x")


def soft(x):
    return register(**SOFT)(x)


def length(x, y):
    return register(**LENGTH, domain=((0.5, 2), (0.5, 2)))(x, y)


def bent(x, *k):
    return register(**BENT, constants=(0.5, 0.1), kinks="x")(x, *k)


def result(x, y):
    return length(soft(x), bent(y, 0.3)) * x


def test_an_operation_is_a_method_and_a_function():
    x = Value(0.7)
    assert x.own_soft().data == soft(0.7).data == 2 * math.tanh(0.35)
    assert x.own_soft()._op == "own_soft"
    assert length(3.0, Value(4.0)).data == x.own_length(0.0).data + 5.0 - 0.7
    assert bent(-2.0).data == -1.0 and bent(-2.0, 0.1).data == pytest.approx(-0.2)
    assert register(**SOFT).__name__ == "own_soft" and "own_soft(x)" in Value.own_soft.__doc__


def test_it_is_differentiated_twice():
    x, y = Value(0.7), Value(-0.4)
    f = result(x, y)
    assert gradcheck(f) and gradcheck(f, order=2)
    for name in ("own_soft", "own_length", "own_bent"):
        assert gradcheck(BY_NAME[name], order=2) and gradcheck(BY_NAME[name], method="complex")
    steps = grad(f, [x, y])
    f.backward()
    assert steps == [x.grad, y.grad]
    assert hessian(soft(x), [x])[0][0] == pytest.approx(-math.tanh(0.35) / math.cosh(0.35) ** 2 / 1)


def test_it_is_drawn_stepped_through_and_in_the_playground(capsys):
    x, y = Value(0.7, label="x"), Value(-0.4, label="y")
    f = result(x, y)
    assert "own_soft" in render(f).svg
    assert "own_soft:{value:" in rows_source(BY_NAME, told=True)
    assert len(page(f)) > 1000
    Walkthrough(f).transcript()
    assert "own_soft" in capsys.readouterr().out
    assert parse("own_length(own_soft(x), 2)", {"x": 1.0}).data == length(soft(1.0), 2.0).data


@pytest.mark.parametrize("name", ["x1", "y0", "out2", "x_y"])
def test_a_name_that_begins_as_a_letter_of_formulas_is_drawn_whole(name):
    own = register(name=name, value="2 * tanh(x / 2)", local="1 - (out / 2) ** 2")
    f = own(Value(0.7, label="a"))
    assert f">{name}(a)<" in render(f).svg and f"{name}(a)" in page(f)


@pytest.mark.parametrize("seed", range(3))
def test_it_is_lowered_with_equal_gradients(seed):
    draw = np.random.default_rng(seed)
    model = MLP(3, [4, 2], activation="own_soft")
    program = lower(lambda x: length(*model(x)) ** 2 + bent(x[0], 0.1), [0.1, 0.2, 0.3])
    samples = draw.uniform(-1, 1, (5, 3))
    loss, gradients = program.value_and_grad(samples)
    total = sum(length(*model(list(x))) ** 2 + bent(float(x[0]), 0.1) for x in samples) / 5
    model.zero_grad()
    total.backward()
    assert loss == pytest.approx(total.data, rel=1e-12)
    expected = [[w.grad for w in n.w] for n in model.layers[0].neurons]
    assert gradients["W1"] == pytest.approx(np.array(expected), rel=1e-11)
    assert "2 * tanh(z1 / 2)" in program.source


@pytest.mark.parametrize("backend", ["numpy", "auto"])
def test_one_whose_formula_gives_integers_is_lowered(backend):
    flat = register(name="own_flat", value="where(x > 0, 2, 3)", local="0", kinks="x")
    samples = [[0.5, 2.0], [-0.5, 4.0]]
    program = lower(lambda x: flat(x[0]) * x[1], samples[0], backend=backend)
    loss, gradients = program.value_and_grad(samples, wrt_inputs=True)
    assert loss == 8.0 and gradients["x"].tolist() == [[0.0, 1.0], [0.0, 1.5]]


def test_its_function_is_copied_and_pickled_with_what_holds_it():
    own = register(**SOFT)
    model = MLP(2, [3, 1], activation=own)
    for other in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert other([0.3, -0.4]).data == model([0.3, -0.4]).data
    assert repr(own) == "<operation own_soft: 2*tanh(x/2)>"
    assert own.__doc__ == "Return own_soft(x)." and "own_softNeuron(2)" in repr(model)


def test_copies_and_pickles_keep_it_where_it_is_known(tmp_path):
    f = result(Value(0.7), Value(0.4))
    for other in (copy.deepcopy(f), pickle.loads(pickle.dumps(f))):
        assert other.forward() == f.data
    file = tmp_path / "f.pickle"
    file.write_bytes(pickle.dumps(soft(Value(1.0))))
    code = f"import pickle; pickle.loads(open({str(file)!r}, 'rb').read())"
    root = str(Path(__file__).parent.parent)
    environment = os.environ | {"PYTHONPATH": root}
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment
    )
    assert "there is no operation 'own_soft' here: register it before loading" in run.stderr


def test_the_same_row_again_changes_nothing():
    again = register(**SOFT)
    assert again(0.3).data == soft(0.3).data
    with pytest.raises(ValueError, match="there is an operation own_soft already"):
        register("own_soft", "tanh(x)", "1 - out * out")


def test_a_pickle_is_of_the_formulas_that_it_was_made_with():
    kept = pickle.dumps(soft(Value(1.0)))
    for formula, other in ((b"2*tanh(x/2)", b"3*tanh(x/3)"), (b"(out/2)**2", b"(out/3)**2")):
        assert kept.count(formula) == 1
        with pytest.raises(ValueError, match=r"'own_soft' is 2\*tanh\(x/2\) here, and was .\*tanh"):
            pickle.loads(kept.replace(formula, other))
    kept = pickle.dumps(BY_NAME["own_soft"])
    with pytest.raises(ValueError, match="register this one before loading"):
        pickle.loads(kept.replace(b"2*tanh(x/2)", b"3*tanh(x/3)"))


@pytest.fixture
def names_given_back():
    """Let arrays of other tests have the names that texts call here."""
    before = FUNCTION_OF.copy()
    yield
    FUNCTION_OF.clear()
    FUNCTION_OF.update(before)


NAMES = ("number", "real", "held", "node", "hash", "erf", "gamma", "short", "cubed")


@pytest.mark.parametrize("name", NAMES)
def test_any_name_may_be_called_in_another_formula(name, names_given_back):
    far = NAMES.index(name)
    own = register(name, f"x * sigmoid(x) + {far}", "sigmoid(x) * (1 + x * (1 - sigmoid(x)))")
    user = register(f"of_{name}", f"3 * {name}(x)", "3 * sigmoid(x) * (1 + x * (1 - sigmoid(x)))")
    slope = register(f"by_{name}", f"2 * x + 0 * {name}(x)", f"2 + 0 * {name}(x)")
    x = Value(0.7, label="x")
    f = user(x) + own(x) + slope(x) + x**3  # in C a helper, too
    assert f.data == pytest.approx(4 * (x.silu().data + far) + 1.4 + 0.7**3, rel=1e-15)
    assert gradcheck(f) and gradcheck(f, order=2) and gradcheck(BY_NAME[f"of_{name}"], order=2)
    assert gradcheck(BY_NAME[f"of_{name}"], method="complex")
    f.backward()
    for backend in ("numpy", "auto"):
        program = lower(
            lambda x: user(x) + own(x) + slope(x) + x**3,
            0.1,
            names=[f"row_{name}"],
            backend=backend,
        )
        loss, gradients = program.value_and_grad([0.7], wrt_inputs=True)
        assert loss == pytest.approx(f.data, rel=1e-14)
        assert gradients[f"row_{name}"] == pytest.approx([x.grad], rel=1e-14)


def test_a_program_keeps_its_names_when_an_operation_of_the_same_formula_is_added():
    program = lower(lambda xs: (2 * xs[0]).silu() * xs[1], [0.1, 0.2])
    expected = program([[0.3, 0.4]])
    register("own_swish", "x * sigmoid(x)", "sigmoid(x) * (1 + x * (1 - sigmoid(x)))")
    module = {}
    exec(program.export("numpy"), module)
    assert module["forward"](np.array([[0.3, 0.4]])) == expected


def test_a_program_says_where_an_operation_has_no_value():
    inverse = register("own_inverse", "1 / x", "-out * out", domain=(0.5, 2))
    for backend in ("numpy", "auto"):
        program = lower(lambda xs: 3 * inverse(xs[0]), [1.0], backend=backend)
        assert program([[2.0], [-4.0]]) == 0.375
        with pytest.raises(ValueError, match=r"own_inverse\(x\) has no finite value at x = 0"):
            program([[2.0], [0.0]])


@pytest.mark.parametrize("backend", ["numpy", "auto"])
def test_so_does_one_that_no_grid_fits(backend):
    inverse = register("own_inverse", "1 / x", "-out * out", domain=(0.5, 2))

    def tangled(xs):
        draw, nodes = random.Random(1), [*xs, inverse(xs[0])]
        for _ in range(300):
            x, y = draw.choice(nodes), draw.choice(nodes)
            nodes.append(draw.choice([x + y, x * y, x.tanh()]))
        return sum(node.tanh() for node in nodes)

    program = lower(tangled, [1.0, 2.0, 3.0], backend=backend)
    assert isinstance(program.lowered.arrays, Levels)
    assert program([[0.5, 0.1, 0.2]]) == pytest.approx(
        tangled(list(map(Value, [0.5, 0.1, 0.2]))).data
    )
    with pytest.raises(ValueError, match=r"own_inverse\(x\) has no finite value at x = 0"):
        program([[0.0, 0.1, 0.2]])


def test_a_branch_that_is_not_taken_asks_the_engine_nothing(monkeypatch):
    bowl = register("own_bowl", "where(x > 0, x ** 2.5, 0)", "where(x > 0, 2.5 * x ** 1.5, 0)")
    program = lower(lambda xs: bowl(xs[0]), [1.0])
    monkeypatch.setattr(program, "diagnose", None)
    assert program([[4.0], [-4.0]]) == 16.0


def test_threads_that_add_an_operation_add_it_once():
    together, made = Barrier(8), []

    def add():
        together.wait()
        made.append(register("own_race", "3 * tanh(x / 3)", "1 - (out / 3) ** 2"))

    threads = [Thread(target=add) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 8 and [row.name for row in ROWS].count("own_race") == 1


def test_constants_are_numbers_of_numpy_too():
    own = register("own_numpy", "k * x", "k", constants=np.array([2, 3]))
    assert own(5.0).data == 10.0 and own(5.0, np.int64(4)).data == 20.0
    assert BY_NAME["own_numpy"].constants == (2.0, 3.0)


def test_a_corner_may_be_where_the_constant_says():
    formulas = "where(x > k, x - k, 0)", "where(x > k, 1, 0)"
    own = register("own_above", *formulas, constants=(1.0, 2.0), kinks="x - k")
    assert own(3.5).data == 2.5 and own(3.5, 2.0).data == 1.5


OTHER = {
    "local": {"local": "1 - (out / 2) ** 2 + 0 * x"},
    "domain": {"domain": (-1, 1)},
    "constants": {"value": "k * tanh(x / k)", "local": "1 - (out / k) ** 2", "constants": (2.0,)},
    "kinks": {"kinks": "x"},
    "needs": {"needs": "courage"},
}


@pytest.mark.parametrize("other", OTHER.values(), ids=OTHER)
def test_a_row_that_differs_anywhere_is_another_one(other):
    with pytest.raises(ValueError, match="there is an operation own_soft already"):
        register(**SOFT | other)


WRONG = {
    "letters of others": (
        {"name": "\u03c0"},
        "cannot name an operation: write letters from a to z",
    ),
    "k a truth": ({"value": "x * k", "local": "k", "constants": (True,)}, "True is no finite"),
    "domain of a point": ({"domain": (1, 1)}, "give low < high"),
    "domain of two": ({"domain": ((0, 1), (0, 1))}, "for 1 operand"),
    "not equal": ({"value": "where(x != 0, x, 0)"}, "where takes a comparison first"),
    "by keyword": ({"value": "tanh(x, out=x)"}, "is not allowed"),
    "out of itself": ({"value": "x + out"}, "uses out: it may use x"),
    "kinks of the result": ({"kinks": "out"}, "uses out: it may use x"),
    "a branch of abs": ({"value": "abs(x - 2.95)", "local": "-1"}, r"refused: own_bad\((3|2.9)"),
    "a branch of a row": ({"value": "relu(x - 2.95)", "local": "0"}, r"refused: own_bad\((3|2.9)"),
    "a branch of a branch": (
        {"value": "own_relu(2.95 + x)", "local": "1"},
        r"refused: own_bad\(-(3|2.9)",
    ),
    "kinks with no value": ({"kinks": "log(x)"}, "its kinks, log.x., have no value at x = -"),
    "slope": ({"local": "1 - out / 2"}, "refused: own_bad.*by its formula, the slope there is"),
    "almost": ({"local": "1.001 * (1 - (out/2)**2)"}, "refused"),
    "sign": ({"local": "(out/2)**2 - 1"}, "refused"),
    "constant": ({"local": "12345"}, "refused"),
    "no value": ({"value": "log(x)", "local": "1 / x"}, "no finite value at x = -.*domain="),
    "no slope": ({"value": "x", "local": "log(x)"}, "no finite slope at x = -.*domain="),
    "second operand": ({"value": "x * y", "local": "y"}, "uses y: for two operands"),
    "two slopes": ({"local": ("1", "1")}, "does not use y"),
    "three slopes": ({"local": ("1", "1", "1")}, "3 local gradients"),
    "no slopes": ({"local": ()}, "0 local gradients"),
    "None": ({"local": None}, "local=None: give a formula"),
    "number": ({"value": 3}, "value=3 is no text"),
    "constant k": ({"value": "x * k", "local": "k"}, "uses k: for a constant give"),
    "unused k": ({"constants": (1.0,)}, "does not use k"),
    "k of two": (
        {"value": "x * y * k", "local": ("y", "x"), "constants": (1.0,)},
        "two operands has no constant",
    ),
    "k no number": ({"value": "x * k", "local": "k", "constants": ("a",)}, "a is no finite"),
    "k nan": ({"value": "x * k", "local": "k", "constants": (math.nan,)}, "nan is no finite"),
    "k alone": ({"value": "x * k", "local": "k", "constants": 5}, "give sample values of k"),
    "name taken": ({"name": "tanh"}, "there is an operation tanh already"),
    "attribute": ({"name": "data"}, "'data' has a meaning already"),
    "method": ({"name": "backward"}, "'backward' has a meaning already"),
    "letter": ({"name": "x"}, "'x' has a meaning already"),
    "function": ({"name": "where"}, "'where' has a meaning already"),
    "keyword": ({"name": "lambda"}, "'lambda' has a meaning already"),
    "private": ({"name": "_soft"}, "cannot name an operation"),
    "nameless": ({"name": ""}, "cannot name an operation"),
    "no name": ({"name": None}, "name=None is no text"),
    "attribute read": ({"value": "x.__class__"}, "is not allowed in a formula"),
    "call": ({"value": "__import__('os')"}, "there is no function __import__"),
    "index": ({"value": "x[0]"}, "is not allowed"),
    "conditional": ({"value": "x if x > 0 else 0"}, "is not allowed"),
    "comparison": ({"value": "x > 0"}, "is not allowed"),
    "chain": ({"value": "where(0 < x < 1, x, 0)"}, "where takes a comparison"),
    "text": ({"value": "'x'"}, "is not allowed"),
    "truth": ({"value": "x + True"}, "is not allowed"),
    "too large": ({"value": "x * 9**9**9"}, r"write the number for 9 \*\* 9"),
    "infinite": ({"value": "x * 1e999"}, "no finite number"),
    "empty": ({"value": ""}, "is no formula"),
    "nested": ({"value": "(" * 240 + "x" + ")" * 240}, "is no formula"),
    "long": ({"value": "x" + "+x" * 1000}, "is no formula"),
    "not closed": ({"value": "tanh(x"}, "is no formula"),
    "unknown": ({"value": "tan(x) + zork(x)"}, "there is no function zork"),
    "of two": ({"value": "x * add(x)"}, "there is no function add"),
    "with a constant": ({"value": "pow(x)"}, "there is no function pow"),
    "operands": ({"value": "tanh(x, x)"}, "tanh takes 1 operand, not 2"),
    "domain of one": ({"domain": (1,)}, "give"),
    "domain text": ({"domain": "ab"}, "give"),
    "domain upside": ({"domain": (3, 1)}, "give low < high"),
    "domain nan": ({"domain": (math.nan, 1)}, "give"),
    "domain number": ({"domain": 5}, "give"),
    "kinks all over": ({"kinks": "x - x"}, "fill its domain"),
    "kinks number": ({"kinks": 5}, "kinks=5"),
    "needs": ({"needs": 3}, "needs=3 is no text"),
}


@pytest.mark.parametrize(("wrong", "said"), WRONG.values(), ids=WRONG)
def test_what_is_no_operation_is_refused(wrong, said):
    with pytest.raises((ValueError, TypeError), match=said) as caught:
        register(**SOFT | {"name": "own_bad"} | wrong)
    assert not STOCK.search(str(caught.value))
    assert "own_bad" not in BY_NAME and not hasattr(Value, "own_bad")


def test_blanks_around_a_formula_are_none_of_it():
    roomy = register("roomy", "  x * 2 ", " 2\t", kinks=" x - 40 ")
    assert (roomy(1.5).data, Value.roomy.__doc__) == (3.0, "Return roomy(x). Local gradient: 2.")


@pytest.mark.parametrize("text", ["x * 2 # twice", "(x\n* 2)", "#", "x * 2\n#"])
def test_a_formula_is_one_line_without_a_remark(text):
    with pytest.raises(ValueError, match="is no formula such as"):
        register("remarked", text, "2")
    with pytest.raises(ValueError, match="is no formula such as"):
        register("remarked", "x * 2", text)


@pytest.mark.parametrize("domain", [{0: 1, 1: 2}, {1, 2}, "ab", 3, None])
def test_a_domain_is_a_pair_or_a_list_of_pairs(domain):
    with pytest.raises(ValueError, match="give \\(low, high\\), or one such pair each"):
        register("bounded", "x * 2", "2", domain=domain)
