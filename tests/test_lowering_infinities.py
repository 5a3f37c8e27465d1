"""Infinite and nan data: a program gives what the engine gives; one exception is named here."""

from math import inf, isnan, nan

import numpy as np
import pytest

from micrograd.engine import Value
from micrograd.lowering import lower
from micrograd.nn import Embedding
from micrograd.ops import ROWS, DomainError
from micrograd.registry import register
from tests.irregular_models import METHODS

PLACES = [(inf, 0.5), (-inf, 0.5), (nan, 0.5), (0.5, inf), (0.5, -inf), (inf, inf), (-inf, inf)]
PLACES += [(0.0, inf), (0.0, -inf), (-0.0, nan), (inf, 0.0), (-inf, -0.0), (nan, 0.0), (2.0, nan)]
# (-inf) ** 0.5 is inf in C and Python; NumPy takes the square root of an array instead: nan.
ROOT = ("pow", 0.5)


def applied(row, k):
    """Return the function of two operands that a row is; the second is added where it has one."""
    method = METHODS.get(row.name, row.name)

    def function(x, y):
        if row.arity == 2:
            return getattr(x, method)(y)
        return getattr(x, method)(*([] if k is None else [k])) + y * 0.5

    return function


def inside(row):
    """Return a number to lower a row at."""
    low, high = row.domain[0]
    return 0.5 if low <= 0.5 <= high else (low + high) / 2


CASES = [(row, k) for row in ROWS for k in (row.constants or (None,))]


def result(run):
    """Return numbers, or what the DomainError says of the formula."""
    try:
        return run()
    except DomainError as error:
        return str(error).partition(" (node")[0]


@pytest.mark.parametrize(("row", "k"), CASES, ids=lambda x: getattr(x, "name", x))
@pytest.mark.parametrize("data", PLACES, ids=str)
def test_a_program_gives_what_the_engine_gives(row, k, data):
    function = applied(row, k)
    assert_equal(lower(function, inside(row), 0.5), function, (row.name, k) == ROOT, data)


def assert_equal(program, function, is_root, data):
    """Compare a program with the engine at one place, the named exception apart."""

    def engine():
        x, y = map(Value, data)
        out = function(x, y)
        out.backward()
        return out.data, x.grad, y.grad

    def array():
        value, gradients = program.value_and_grad(*([v] for v in data), wrt_inputs=True)
        return value, *(float(gradients[name][0]) for name in program.inputs)

    right, ours = result(engine), result(array)
    if is_root and data[0] == -inf:
        assert right[0] == inf and isnan(ours[0])
        assert ours[1:] == right[1:]
    elif isinstance(right, str):
        assert ours == right
    else:
        np.testing.assert_allclose(ours, right, rtol=1e-14)  # exp differs by NumPy


def test_overflow_on_the_way_is_told_by_the_engine():
    program = lower(lambda x: x.exp() * 0 + 1, 0.5)
    with pytest.raises(DomainError, match=r"exp\(x\) has no finite value at x = 1000"):
        program([1000.0])
    assert isnan(program([inf]))  # as in the engine: exp(inf) is inf, and inf * 0 is nan
    assert isnan((Value(inf).exp() * 0 + 1).data)


def test_a_diagnosis_leaves_every_value_as_it_was_rows_that_the_sample_did_not_use_too():
    table = Embedding(3, 1)
    for number, (value,) in enumerate(table.rows, 1):
        value.data = float(number)
    program = lower(lambda i, x: (table(i)[0] * x).log(), 0, 1.0, parameters={"E": table.rows})
    before = [row[0].data for row in table.rows]
    program.parameters["E"][:] = [[5.0], [6.0], [7.0]]
    with pytest.raises(DomainError, match=r"x = -7"):
        program([2], [-1.0])
    assert [row[0].data for row in table.rows] == before


LARGE_NUMBERS = [
    lambda x: 1e200 * (x[0] * x[1]),
    lambda x: 1e200 * -(x[0] * x[1]),
    lambda x: 1e-200 * (x[0] / x[1]),
    lambda x: 1e200 * (1e-200 * x[0] * 1e300 * x[1]),
    lambda x: 1e200 * ((x[0].tanh() * 1e150) * (x[1] * 1e-200)),
]


@pytest.mark.parametrize("function", LARGE_NUMBERS)
@pytest.mark.parametrize("backend", ["numpy", "auto"])
def test_large_numbers_are_multiplied_where_they_stand(function, backend):
    program = lower(function, [0.5, 0.25], backend=backend)
    for x in ([1e200, 1e-300], [1e-300, 1e-200], [3.0, 1e-310]):
        expected = function([*map(Value, x)]).data
        assert program([x]) == pytest.approx(expected, rel=1e-12, abs=0)


def test_a_large_number_of_an_operation_stays_where_it_is_multiplied():
    """1e200 * (x * x).sum() would be 0 at 1e-200, as 2e200 * (x * x) of the slope would."""
    large = register("large_square", "1e200 * x * x", "2e200 * x")
    weights = [Value(1.0), Value(0.5)]
    program = lower(lambda x: sum(large(w * x) for w in weights), 1.0, parameters={"w": weights})
    loss, gradients = program.value_and_grad([1e-200])
    assert loss == pytest.approx(1.25e-200, rel=1e-12, abs=0)
    np.testing.assert_allclose(gradients["w"], [2e-200, 1e-200], rtol=1e-12)


def shares_of_large_numbers(x, w):
    total = sum(v.tanh() + 2 for v in x)
    return sum(1e200 * v * v for v in [v / total * 1e-200 for v in x]) / w


def test_a_slope_with_a_large_number_is_no_part_of_another():
    """Its number would come behind: Σ 1e200 t · t overflows, the engine has it times 1e-200."""
    program = lower(shares_of_large_numbers, [0.5, 0.25], 1.0)
    x, w = [Value(1e-150), Value(1e200)], Value(1e150)
    shares_of_large_numbers(x, w).backward()
    _, gradients = program.value_and_grad([[1e-150, 1e200]], [1e150], wrt_inputs=True)
    np.testing.assert_allclose(gradients["x"][0], [v.grad for v in x], rtol=1e-12)
