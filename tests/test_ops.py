"""Every row, from the table: its formulas against numbers, sympy, NumPy and PyTorch."""

import math
from dataclasses import replace
from itertools import product
from operator import attrgetter

import numpy as np
import pytest

from micrograd.core.formulas import FLOATS, Namespace, specialise
from micrograd.derivatives import hessian
from micrograd.engine import Value
from micrograd.gradcheck import gradcheck
from micrograd.ops import BY_NAME, FUNCTIONS, OF_NUMBERS, ROWS, DomainError

ROW_CASES = [pytest.param(row, id=row.name) for row in ROWS]
LOCAL_CASES = [
    pytest.param(row, i, id=f"{row.name}-{'xy'[i]}") for row in ROWS for i in range(row.arity)
]
SMOOTH = [row for row in ROWS if not row.kinks]


def points(row, count=12):
    """Yield points (x, y) of the row's domain and the constants k, spread evenly, off corners."""
    for k in row.constants or (None,):
        for i in range(count):
            place = [(i + 0.37) / count, ((i * 5) % count + 0.61) / count]
            x = [low + (high - low) * p for (low, high), p in zip(row.domain, place)]
            yield (*x, None)[:2], k


@pytest.mark.parametrize("row", ROW_CASES)
def test_local_gradients_agree_with_complex_step(row):
    report = gradcheck(row, method="complex", tolerance=1e-9)
    assert report, report


@pytest.mark.parametrize("row", ROW_CASES)
def test_local_gradients_agree_with_central_difference(row):
    report = gradcheck(row, method="central", tolerance=1e-6)
    assert report, report


@pytest.mark.parametrize("row", ROW_CASES)
def test_second_derivatives_agree_with_differences_of_gradients(row):
    report = gradcheck(row, order=2)
    assert report, report


@pytest.mark.parametrize(("row", "i"), LOCAL_CASES)
@pytest.mark.parametrize("method", ["central", "complex", "one-sided"])
def test_a_wrong_local_gradient_is_caught(row, i, method):
    for wrong in (f"({row.local[i]}) * 1.001", f"({row.local[i]}) + 0.01", "12345"):
        formulas = (*row.local[:i], wrong, *row.local[i + 1 :])
        report = gradcheck(replace(row, local=formulas), method=method)
        assert not report, f"{wrong} passed as the local gradient of {row.name}"


@pytest.mark.parametrize("row", ROW_CASES)
def test_the_method_of_value_computes_the_row(row):
    value, local = FLOATS.value(row), FLOATS.local(row)
    for (x, y), k in points(row):
        operands = [Value(x)] if y is None else [Value(x), Value(y)]
        node = getattr(operands[0], row.name)(*operands[1:], *([] if k is None else [k]))
        assert node.data == value(x, y, k)
        assert node.local_gradients() == tuple(f(x, y, k, node.data) for f in local)
        assert node.parents == tuple(operands)
        assert node._op == row.symbol.format(k=k)
        assert type(node.data) is float


@pytest.mark.parametrize("row", ROW_CASES)
def test_formulas_mean_the_same_for_arrays(row):
    names = (*FUNCTIONS, "abs", "where", "maximum", "minimum", "nan")
    arrays = Namespace({name: getattr(np, name) for name in names})
    for k in row.constants or (None,):
        cases = [operands for operands, c in points(row) if c == k]
        x = np.array([operands[0] for operands in cases])
        y = np.array([operands[1] for operands in cases], dtype=float)
        out = arrays.value(row)(x, y, k)
        expected = [FLOATS.value(row)(*operands, k) for operands in cases]
        np.testing.assert_allclose(out, expected, rtol=1e-14)
        for array, scalar in zip(arrays.local(row), FLOATS.local(row)):
            numbers = [scalar(*operands, k, o) for operands, o in zip(cases, expected)]
            np.testing.assert_allclose(array(x, y, k, out) + 0 * x, numbers, rtol=1e-13)


@pytest.mark.parametrize("row", [pytest.param(row, id=row.name) for row in ROWS])
def test_local_gradients_are_the_symbolic_derivatives(row):
    sympy = pytest.importorskip("sympy", reason="compares with symbolic derivatives")
    x, y = sympy.symbols("x y", real=True)
    functions = {
        name: getattr(sympy, OF_NUMBERS[name])
        for name in FUNCTIONS
        if name not in ("expm1", "log1p", "log2", "log10")
    }
    functions |= {
        "expm1": lambda t: sympy.exp(t) - 1,
        "log1p": lambda t: sympy.log(1 + t),
        "log2": lambda t: sympy.log(t) / sympy.log(2),
        "log10": lambda t: sympy.log(t) / sympy.log(10),
        "abs": sympy.Abs,
        "maximum": sympy.Max,
        "minimum": sympy.Min,
        "nan": sympy.nan,
        "where": lambda test, a, b: sympy.Piecewise((a, test), (b, True)),
    }
    symbolic = Namespace(functions | {"sigmoid": lambda t: 1 / (1 + sympy.exp(-t))})
    for k in row.constants or (None,):
        # sympy takes `k == 0` for structural equality, as intended, but not `y == 0`.
        local = [text.replace("y == 0", "False").replace("x == 0", "False") for text in row.local]
        out = symbolic.value(row)(x, y, k)
        for variable, text in zip((x, y), local):
            difference = sympy.diff(out, variable) - symbolic.compile(text)(x, y, k, out)
            for (px, py), _ in list(points(row, 5))[:5]:
                at = {x: px} if py is None else {x: px, y: py}
                assert abs(complex(difference.subs(at).evalf(30))) < 1e-12


TORCH_NAMES = {
    "power": "pow",
    "hard_tanh": "nn.functional.hardtanh",
    "soft_sign": "nn.functional.softsign",
    "leaky_relu": "nn.functional.leaky_relu",
    "softplus": "nn.functional.softplus",
    "max": "maximum",
    "min": "minimum",
    "elu": "nn.functional.elu",
    "gelu": "nn.functional.gelu",
    "silu": "nn.functional.silu",
}


def pytorchs(row, numbers, k):
    """Return the value and the slopes that PyTorch gives; skip where it has no such function."""
    torch = pytest.importorskip("torch", reason="compares with PyTorch")
    if row.name not in TORCH_NAMES and not hasattr(torch, row.name):
        pytest.skip(f"PyTorch has no {row.name}")  # sympy and complex numbers check it all the same
    function = attrgetter(TORCH_NAMES.get(row.name, row.name))(torch)
    tensors = [torch.tensor(n, dtype=torch.float64, requires_grad=True) for n in numbers]
    options = {"approximate": "tanh"} if row.name == "gelu" else {}
    out = function(*tensors, *([] if k is None else [k]), **options)
    out.backward()
    return [out.item(), *(tensor.grad.item() for tensor in tensors)]


def ours(row, numbers, k):
    """Return the value and the slopes that the engine gives, or the error that says it has none."""
    values = [Value(n) for n in numbers]
    try:
        node = getattr(values[0], row.name)(*values[1:], *([] if k is None else [k]))
        node.backward()
    except DomainError as error:
        return error
    return [node.data, *(value.grad for value in values)]


@pytest.mark.parametrize("row", ROW_CASES)
def test_values_and_gradients_are_pytorchs(row):
    for numbers, k in points(row):
        operands = [n for n in numbers if n is not None]
        right = pytorchs(row, operands, k)
        assert ours(row, operands, k) == pytest.approx(right, rel=1e-12, abs=1e-15)


INF, NAN = math.inf, math.nan
SIDES = [0.0, 1.0, 2.0, 0.5, 1e-300, 1e300, INF]
BORDERS = [*SIDES, *(-x for x in SIDES), NAN]
# Where PyTorch has something else; max and min have it at ties and nan.
OTHERWISE = {
    ("relu", NAN): [NAN, 0],  # its condition, x > 0, fails
    ("hard_tanh", NAN): [NAN, 0],
    ("elu", NAN): [NAN, NAN],
    ("soft_sign", INF): [NAN, 0],
    ("soft_sign", -INF): [NAN, 0],
    ("gelu", 1e300): [1e300, 1],
    ("gelu", -1e300): [0, 0],
    ("gelu", INF): [INF, 1],
    ("gelu", -INF): [NAN, 0],
    ("acosh", 1e300): [math.acosh(1e300), 1e-300],
}


def borders(row):
    """Yield all combinations of BORDERS, and constants k, at which PyTorch can be asked."""
    for k in row.constants or (None,):
        for numbers in product(BORDERS, repeat=row.arity):
            shared = row.name in ("max", "min") and not (
                numbers[0] < numbers[1] or numbers[0] > numbers[1]
            )
            root = row.name == "pow" and (*numbers, k) == (-INF, 0.5)  # C's pow gives inf
            if not shared and not root:
                yield numbers, k


@pytest.mark.parametrize("row", ROW_CASES)
def test_at_borders_infinity_and_nan_they_are_pytorchs_or_refused(row):
    otherwise = {repr(x): right for (name, x), right in OTHERWISE.items() if name == row.name}
    for numbers, k in borders(row):
        right, found = pytorchs(row, numbers, k), ours(row, numbers, k)
        if isinstance(found, DomainError):
            assert not all(map(math.isfinite, right)), (numbers, k)
        else:
            right = otherwise.get(repr(numbers[0]), right)
            assert found == pytest.approx(right, rel=1e-12, nan_ok=True), (numbers, k)


@pytest.mark.parametrize("x", [3.0, 0.5, -2.0])
def test_the_slope_of_a_power_0_has_slopes_itself(x):
    at = [Value(x), Value(0.0)]
    assert hessian(at[0] ** at[1], at)[0] == [0.0, 1 / x]


SATURATING = [
    *("sigmoid", "tanh", "softplus", "hard_tanh", "soft_sign", "relu"),
    *("elu", "gelu", "silu", "atan", "asinh"),
]


@pytest.mark.parametrize("name", SATURATING)
@pytest.mark.parametrize("x", [-1e308, -800.0, -40.0, 40.0, 800.0, 1e308])
def test_saturating_operations_never_overflow(name, x):
    value = Value(x)
    out = getattr(value, name)()
    out.backward()
    assert math.isfinite(out.data)
    assert math.isfinite(value.grad)


def test_sigmoid_and_softplus_keep_their_tails():
    assert Value(-745.0).sigmoid().data == pytest.approx(math.exp(-745.0))
    assert Value(-40.0).softplus().data == pytest.approx(math.exp(-40.0), rel=1e-12)
    assert Value(800.0).softplus().data == 800.0


def test_nan_goes_in_and_comes_out():
    nan = float("nan")
    for name in ("relu", "hard_tanh", "abs", "tanh", "sigmoid", "softplus", "leaky_relu"):
        assert math.isnan(getattr(Value(nan), name)().data), name
    for name in ("max", "min", "add", "mul"):
        assert math.isnan(getattr(Value(nan), name)(1.0).data), name
        assert math.isnan(getattr(Value(1.0), name)(nan).data), name


def test_at_a_tie_max_and_min_give_everything_to_their_first_operand():
    for name in ("max", "min"):
        x, y = Value(2.0), Value(2.0)
        getattr(x, name)(y).backward()
        assert (x.grad, y.grad) == (1.0, 0.0)


@pytest.mark.parametrize("name", ["relu", "abs"])
def test_at_their_corner_relu_and_abs_have_gradient_0(name):
    x = Value(0.0)
    getattr(x, name)().backward()
    assert x.grad == 0.0


@pytest.mark.parametrize(
    ("k", "formula"),
    [(3, "3 * x ** 2"), (2, "2 * x"), (0, "0"), (0.5, "0.5 * x ** (-0.5)")],
)
def test_specialise_puts_the_constant_in_and_folds(k, formula):
    assert specialise(BY_NAME["pow"].local[0], k) == formula


def test_specialise_leaves_what_is_not_constant():
    assert specialise("where(x > 0, 1, k)", 0.1) == "where(x > 0, 1, 0.1)"
    assert specialise("where(k == 0, x, y)", None) == "where(k == 0, x, y)"


def test_constants_left_out_are_those_of_the_papers():
    x = Value(-1.0)
    assert x.leaky_relu().data == -0.01
    assert x.elu().data == math.expm1(-1.0)
    assert x.pow().data == 1.0 and (Value(3.0).pow()).data == 9.0
