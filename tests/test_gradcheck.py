"""The checker: what it accepts, what it catches, what its report says."""

import dataclasses
import math
import random
import re

import pytest

from micrograd import Value, grad, ops, topological_order
from micrograd.gradcheck import METHODS, Report, gradcheck
from micrograd.gradcheck.claims import claims
from micrograd.gradcheck.report import _judged
from micrograd.nn import MLP, Dropout
from micrograd.ops import BY_NAME, ROWS, Row


def wrong_square(x):
    """x² whose backward step forgets the factor 2."""
    out = Value(x.data**2, (x,), "square")

    def backward():
        x.grad += x.data * out.grad

    out._backward = backward
    return out


def test_a_function_with_right_gradients_passes_by_every_method():
    for method in ("central", "one-sided", "complex"):
        report = gradcheck(lambda x, y: (x * y).tanh() + x / y, [0.7, 1.3], method=method)
        assert report, report


def test_a_wrong_backward_function_is_caught():
    report = gradcheck(wrong_square, [3.0])
    assert not report
    assert (report.entries[0].analytic, report.entries[0].kink) == (3.0, False)
    assert report.entries[0].numeric == pytest.approx(6.0)


def test_a_gradient_that_is_nan_does_not_agree():
    def nan_slope(x):
        out = Value(x.data, (x,), "nan")
        out._backward = lambda: setattr(x, "grad", math.nan)
        return out

    report = gradcheck(nan_slope, [1.0])
    assert not report
    assert math.isnan(report.worst.analytic)


def test_a_tiny_gradient_that_is_wrong_is_caught():
    assert not gradcheck(lambda x: wrong_square(x) * 1e-4, [1.0])
    assert gradcheck(lambda x: x * x * 1e-4, [1.0])


def test_a_corner_is_suspected_and_each_side_can_be_asked_for():
    report = gradcheck(lambda x: x.relu(), [0.0])
    assert not report
    assert report.entries[0].kink
    assert "kink suspected" in str(report)
    for corner in (lambda x: (1 - x).max(0), lambda x: (x - 1).max(0)):  # where f is 0
        assert gradcheck(corner, [1.0]).entries[0].verdict == "DIFFERS  kink suspected"
    assert gradcheck(lambda x: x.relu(), [0.0], method="one-sided", h=-1e-7)
    assert not gradcheck(lambda x: x.relu(), [0.0], method="one-sided", h=1e-7)
    for options in ({"h": 1e-4}, {"method": "complex"}):
        assert gradcheck(lambda x: x.relu() * 3, [0.0], **options).entries[0].kink


def test_steep_but_smooth_is_no_corner():
    assert not gradcheck(lambda x: (x * 5.0).tanh(), [0.1]).entries[0].kink


def test_branches_of_the_function_are_taken_at_every_number():
    report = gradcheck(lambda x: x * 2.0 if x.data < 1.0 else x * 3.0, [1.0])
    assert not report
    detached = gradcheck(lambda x: x * Value(x.data), [2.0])
    assert detached.entries[0].verdict == "DIFFERS"
    assert detached.entries[0].numeric == pytest.approx(4.0)
    for options in ({"method": "complex"}, {"order": 2}):  # of the recorded graph alone
        assert gradcheck(lambda x: x * Value(x.data), [2.0], **options)


def test_a_recorded_graph_is_checked_and_left_as_it_was():
    x, y = Value(0.3, label="x"), Value(0.8, label="y")
    root = (x * y).sigmoid() + 2.0 * x
    before = [node.data for node in topological_order(root)]
    for method in ("complex", "central", "one-sided"):
        report = gradcheck(root, method=method)
        assert report, report
        assert len(report.entries) == 3  # the constant 2 is a leaf too
        assert [node.data for node in topological_order(root)] == before
    assert x.grad == 0.0
    assert [e.name for e in gradcheck(root, [y]).entries] == ["y"]


def test_a_module_is_checked_by_inputs_and_parameters():
    model = MLP(3, [4, 2], activation="tanh")
    report = gradcheck(model, at=[0.1, -0.4, 0.9])
    assert report, report
    assert len(report.entries) == 3 + len(model.parameters())
    assert any("neuron 1 w2" in entry.name for entry in report.entries)


def test_a_row_of_ones_own_is_checked_before_it_is_used():
    def row(local):
        return Row("cube", "x ** 3", (local,), "cube", "cube(x)", ((-2.0, 2.0),))

    assert gradcheck(row("3 * x ** 2"))
    assert not gradcheck(row("3 * x"))
    with pytest.raises(ValueError, match="'cube' is not one of the engine's"):
        gradcheck(row("3 * x ** 2"), order=2)
    with pytest.raises(ValueError, match=r"cube: its kinks, x - x, fill its domain"):
        gradcheck(dataclasses.replace(row("3 * x ** 2"), kinks=("x - x",)))


@pytest.mark.parametrize(
    ("value", "wrong", "right"),
    [
        ("where(x > {0}, 2 * x, x * x)", "where(x > {0}, -2, 2 * x)", "where(x > {0}, 2, 2 * x)"),
        ("minimum(x, {0}) * 2", "2", "where(x > {0}, 0, 2)"),
        ("where(x > k, x, x * 3)", "3", "where(x > k, 1, 3)"),
    ],
)
def test_a_row_is_checked_in_branches_that_few_numbers_take(value, wrong, right):
    """As few as one in a hundred: where its points are by chance, a sign was not seen."""
    for border in (2.94, 2.9, 2.8):
        for name in "abc":
            f, bad, good = (text.format(border) for text in (value, wrong, right))
            options = {"constants": (border,)} if "k" in value else {}
            report = gradcheck(ops.row(name, f, good, kinks=(f"x - {border}",), **options))
            assert report and len(report.entries) in (25, 26)
            assert not gradcheck(ops.row(name, f, bad, kinks=(f"x - {border}",), **options))


def test_second_order_catches_a_wrong_hessian():
    assert gradcheck(lambda x, y: x**3 * y, [1.2, 0.7], order=2)
    with pytest.raises(ValueError, match="no second derivative"):
        gradcheck(wrong_square, [1.0], order=2)


def test_the_report_prints_as_a_table():
    text = str(gradcheck(wrong_square, [3.0]))
    head, line, summary = text.splitlines()
    assert head.split() == ["input", "at", "analytic", "numeric", "error"]
    assert line.split() == ["x0", "3", "3", "6", "5.0e-01", "DIFFERS"]
    assert summary == (
        "0 of 1 gradients agree (central, steps refined, relative error up to 1e-06; "
        "worst 5.0e-01 at x0)"
    )


def test_a_long_report_prints_the_worst():
    text = str(gradcheck(BY_NAME["pow"]))
    assert "... the 20 worst of 150" in text
    assert len(text.splitlines()) == 23
    whole = str(gradcheck(lambda *xs: sum(xs), [1.0] * 40))
    assert len(whole.splitlines()) == 42


def test_an_empty_report_is_no_success():
    assert not Report((), "central", 1e-5, 1e-6)
    assert str(Report((), "central", 1e-5, 1e-6)).endswith("relative error up to 1e-06)")


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((lambda x: x, [1.0], "newton"), ValueError, "method is one of central, one-sided"),
        ((3.0,), TypeError, "cannot check 3.0: give a function"),
        ((lambda x: x,), TypeError, r"at=\[numbers"),
        ((lambda x: 1.0, [1.0]), TypeError, "returned 1.0; return one Value"),
        (
            (wrong_square(Value(2.0)),),
            ValueError,
            "by hand.*check a function that builds",
        ),
        ((wrong_square, [2.0], "complex"), ValueError, "by hand.*a function.*, by differences"),
    ],
)
def test_what_cannot_be_checked_is_refused(arguments, error, message):
    target, at, *method = (*arguments, None)[:2] + arguments[2:]
    with pytest.raises(error, match=message):
        gradcheck(target, at, **({"method": method[0]} if method else {}))


@pytest.mark.parametrize(
    "options",
    [{"method": "complex", "order": 2}, {"method": ["central"]}, {"order": 1.0}, {"order": 3}],
)
def test_second_order_by_complex_step_is_refused(options):
    with pytest.raises(ValueError, match="cannot check order .* 2 not by complex step"):
        gradcheck(lambda x: x, [1.0], **options)


def claimed(f, *slopes):
    """Return the function f whose backward step hands on `slopes`."""
    return lambda *xs: Value(f(*(x.data for x in xs)), xs, slopes)


@pytest.mark.parametrize("power", range(-8, 9, 2))
@pytest.mark.parametrize(
    "function", [lambda x: x.log(), lambda x: x.sqrt(), lambda x: x**1.5, lambda x: 1 / x]
)
def test_the_step_follows_the_size_of_x(function, power):
    report = gradcheck(function, [3.0 * 10.0**power])
    assert report, report
    assert not report.entries[0].kink


@pytest.mark.parametrize("scale", [1e-10, 1.0, 1e10])
def test_there_is_no_absolute_floor(scale):
    assert gradcheck(claimed(lambda x: scale * x, scale), [1.0])
    report = gradcheck(claimed(lambda x: scale * x, 2 * scale), [1.0])
    assert not report
    assert report.entries[0].verdict == "DIFFERS"


@pytest.mark.parametrize("claim", [1e-6, 1e-4, 0.0, -1e-6])
def test_what_rounding_hides_is_not_certified(claim):
    report = gradcheck(claimed(lambda x, y: 1e-6 * x + 1e12 * y, claim, 1e12), [1.0, 1.0])
    assert not report
    hidden, plain = report.entries
    assert (hidden.verdict, plain.verdict) == ("cannot tell here", "")
    assert "x0: rounding: f is 1e+12" in str(report)
    assert "1 of 2 gradients agree, 1 cannot be told" in str(report)


def test_a_wrong_sign_beside_a_large_term_is_never_certified():
    for x in (1.0, 1e12):
        for claim in (-1.0, 100.0):
            assert not gradcheck(claimed(lambda x, y: x + 1e12 * y, claim, 1e12), [x, 1.0])


def test_a_dead_unit_beside_a_large_term_agrees():
    assert gradcheck(lambda x, y: x.relu() + 1e6 * y, [-1.0, 1.0])
    assert not gradcheck(claimed(lambda x, y: max(x, 0.0) + y, 1e-3, 1.0), [-1.0, 1.0])


def test_a_tiny_slope_is_not_certified_where_there_is_none():
    case = claimed(lambda x, y: 7.0 * max(y, abs(x)), 7.0, 1.6e-12)
    assert not gradcheck(case, [37.21, 36.98])
    assert gradcheck(lambda x, y: 7.0 * y.max(x.abs()), [37.21, 36.98])


def test_a_stationary_point_agrees_and_a_small_slope_there_does_not():
    assert gradcheck(lambda x: x**3 - 3 * x, [1.0])
    assert not gradcheck(claimed(lambda x: x**3 - 3 * x, 1e-6), [1.0])


@pytest.mark.parametrize("at", [3.0, 1e-6, 0.0])
def test_the_tolerance_is_the_relative_error_still_taken(at):
    for error, agrees in ((0.5e-6, True), (1.5e-6, False), (-1.5e-6, False)):
        assert bool(gradcheck(claimed(lambda x: 2.0 * x + 1.0, 2.0 * (1 + error)), [at])) == agrees
    report = gradcheck(claimed(lambda x: 2.0 * x, 2.2), [at], tolerance=0.2)
    assert report, report
    assert not gradcheck(claimed(lambda x: 2.0 * x, 2.2), [at], tolerance=0.05)


def through(dropout):
    return lambda *xs: sum(dropout(list(xs)))


def test_random_numbers_within_the_function_are_noticed():
    report = gradcheck(lambda x: x * random.random(), [1.0])
    assert not report
    assert "not repeatable: the same numbers gave" in str(report)
    calls = iter([2.0])  # another function at the first call only
    report = gradcheck(lambda x: x * next(calls, 3.0), [1.0])
    assert "the same numbers gave 2.0 and 3.0" in str(report)
    for seed in range(30):  # a few evaluations are equal by chance: not a dozen
        for units in (1, 8):
            report = gradcheck(through(Dropout(0.5, seed=seed)), [0.3] * units)
            assert all(entry.doubt.startswith("not repeatable") for entry in report.entries)


@pytest.mark.parametrize(
    ("function", "at", "kink"),
    [
        (lambda x: x.abs(), 0.0, True),
        (lambda x: (x - 0.7).relu() * 3 + x, 0.7, True),
        (lambda x: x.max(2.0), 2.0, True),
        (lambda x: x.hard_tanh(), 1.0, True),
        (lambda x: (x * 2).max(x * 2.0001).exp(), 0.0, True),
        (lambda x: (x * x * 1e4).min(x * 3) + x * 200, 0.0, True),
        (lambda x: (x * 50.0).tanh(), 0.01, False),
        (lambda x: x.sqrt(), 1e-3, False),
        (lambda x: (x * 1e3).sin(), 1.0, False),
        (lambda x: x * x, 0.0, False),
    ],
)
def test_a_corner_is_told_from_a_bend(function, at, kink):
    assert gradcheck(function, [at]).entries[0].kink == kink


@pytest.mark.parametrize("method", METHODS)
def test_no_corner_is_suspected_where_a_wave_is_narrow(method):
    for at in (1462778.9, 1371042.02, -2.65):
        function = (lambda x: x.cos()) if at > 0 else lambda x: (x.cosh() * -3).cosh().cos()
        assert not gradcheck(function, [at], method=method).entries[0].kink


def test_a_jump_is_no_slope():
    report = gradcheck(lambda x: x * 2.0 if x.data < 1.0 else x * 3.0, [1.0])
    assert report.entries[0].verdict.startswith("cannot tell here")
    assert "the differences do not settle" in str(report)
    nowhere = claimed(lambda x: 2 * x if x < 1 else 3 * x, math.nan)
    assert gradcheck(nowhere, [1.0]).entries[0].verdict == "DIFFERS"


def test_a_neighbour_without_a_value_fails_no_check():
    edge = math.nextafter(709.78, 709.0)
    assert gradcheck(lambda x: x.exp() * 1e-300, [edge])
    assert gradcheck(lambda x: (x - 1.0).log(), [1.0 + 1e-6])
    for beyond in (lambda x: math.log(-x), lambda x: 1 / 0.0, lambda x: math.exp(1e3 * x)):
        near = claimed(lambda x, beyond=beyond: beyond(x) if x > 1.1 else x * x, 2.0)
        assert gradcheck(near, [1.0])


def test_a_narrow_peak_is_not_overlooked():
    assert gradcheck(lambda x: (((x - 1 + 1e-7) ** 2) * -1e12).exp(), [1.0])
    assert gradcheck(lambda x: (x * 402.1238596594935).sin(), [1.0])  # 64 periods


def test_the_worst_is_the_largest_error_and_comes_first():
    report = gradcheck(claimed(lambda x, y, z: x + y + z, 1.0, 3.0, 1.5), [1.0, 1.0, 1.0])
    assert report.worst.name == "x1"
    many = [1.0] * 41
    slopes = [1.0 + i / 100 for i in range(41)]
    text = str(gradcheck(claimed(lambda *xs: sum(xs), *slopes), many))
    assert text.splitlines()[1].startswith("x40 ")


@pytest.mark.parametrize(
    "options",
    [{name: x} for name in ("h", "tolerance") for x in (0.0, math.nan, math.inf, "1e-3")]
    + [{"tolerance": -1.0}],
)
def test_a_step_or_tolerance_of_nothing_is_refused(options):
    with pytest.raises(ValueError, match="(h|tolerance) is a number (other than|above) 0"):
        gradcheck(lambda x: x, [1.0], **options)


@pytest.mark.parametrize(
    ("function", "at", "takes"),
    [
        (lambda x, y: x * y, [1.0], r"1 argument, but takes \(x, y\)"),
        (lambda x: x, [1.0, 2.0], r"2 arguments, but takes \(x\)"),
        (lambda *, x: x, [1.0], r"1 argument, but takes \(\*, x\)"),
        (MLP(2, [1]).parameters, [1.0], r"1 argument, but takes \(\)"),
    ],
)
def test_another_number_of_inputs_is_said(function, at, takes):
    with pytest.raises(TypeError, match="the function is called with " + takes):
        gradcheck(function, at)


def test_only_leaves_of_the_graph_can_be_checked():
    x = Value(2.0)
    inner = x * 3
    with pytest.raises(ValueError, match="a list of leaves, and Value.* is computed from others"):
        gradcheck(inner * inner, [x, inner])
    assert gradcheck(inner * inner, [x, Value(7.0)])  # nothing hangs on the other: its slope is 0


def test_the_table_of_a_notebook_has_all_three_verdicts():
    slopes = (1e-4, 1e12, 2.0)
    case = claimed(lambda x, y, z: 1e-6 * x + 1e12 * y + 1e12 * z, *slopes)
    report = gradcheck(case, [1.0, 1.0, 1.0])
    html = report._repr_html_()
    assert html.index("agrees</td>") < html.index("DIFFERS") < html.index("cannot tell")
    assert report.worst.name == "x0"
    assert "<td>agrees</td>" in html
    assert "<td>DIFFERS</td>" in html
    assert "<td>cannot tell here: rounding: f is 2e+12" in html


def test_what_cannot_be_told_is_among_the_worst():
    sure, unsure = lambda x: x * 1.0, lambda x: x * random.random()
    functions = [*[sure] * 25, unsure, *[sure] * 25]
    entries = tuple(gradcheck(function, [1.0]).entries[0] for function in functions)
    report = Report(entries, "central", None, 1e-6)
    assert str(report).splitlines()[1].endswith("cannot tell here")
    assert report._repr_html_().count("cannot tell here") == 1
    corner = gradcheck(lambda x: x.relu(), [0.0])
    assert "DIFFERS, kink suspected" in corner._repr_html_()


def scaled(factor):
    """Return a row of x² whose slope is wrong by a factor."""
    return Row("square", "x ** 2", (f"2 * x * {factor!r}",), "square", "square(x)", ((0.5, 2.0),))


@pytest.mark.parametrize(
    "method, tolerance", [("central", 1e-6), ("one-sided", 1e-4), ("complex", 1e-9)]
)
def test_each_method_has_its_tolerance(method, tolerance):
    for error, agrees in ((0.6, True), (-0.6, True), (1.5, False), (-1.5, False)):
        report = gradcheck(scaled(1 + error * tolerance), method=method)
        assert bool(report) == agrees, report
        assert report.tolerance == tolerance


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_every_row_agrees_by_complex_steps(row):
    report = gradcheck(row, method="complex")
    assert report, report
    assert len(report.entries) >= 25


@pytest.mark.parametrize("name", ["elu", "log2", "expm1", "div", "max"])
def test_second_derivatives_of_rows_agree(name):
    row = BY_NAME[name]
    report = gradcheck(row, order=2)
    assert report, report
    assert len(report.entries) == 25 * row.arity**2 * max(1, len(row.constants))


def test_a_flat_place_beside_a_corner_has_the_slope_0():
    for x in (1.0001, 1.01, 1.0552658128462493, 1.3, -1.0002, -1.07):
        for method in ("central", "one-sided", "complex"):
            report = gradcheck(lambda x: x.hard_tanh(), [x], method=method)
            assert report, report
            assert not gradcheck(claimed(lambda x: min(max(x, -1.0), 1.0), 1e-9), [x])


@pytest.mark.parametrize("slope", [1e-12, 1e-6, 1.0, 1e6, 1e12])
def test_complex_steps_are_exact_at_any_scale(slope):
    assert gradcheck(lambda x: (x * 0.7).sin() * slope, [1.3], method="complex")
    assert gradcheck(lambda x: (x * slope).sin(), [0.3 / slope], method="complex")
    long = gradcheck(lambda x: x.sin() * slope, [1.3], method="complex", h=0.5).entries[0]
    assert long.numeric == pytest.approx(slope * math.cos(1.3) * math.sinh(0.5) / 0.5)


def test_one_step_of_ones_own_cannot_tell_what_its_rounding_hides():
    claims = [(1.0, "cannot tell here"), (1e-7, "cannot tell here"), (1e-3, "DIFFERS")]
    for error, verdict in claims:
        h = 1e-6 if "tell" in verdict else 0.1
        case = claimed(lambda x: 1e6 + x * 1e-3, 1e-3 + error * 1e-3)
        entry = gradcheck(case, [1.0], h=h).entries[0]
        assert entry.verdict == verdict


def test_random_functions_at_all_scales_raise_no_alarm_and_get_no_false_certificate():
    mpmath = pytest.importorskip("mpmath", reason="compares with mpmath's derivatives")
    from benchmarks import gradcheck as against_mpmath

    with mpmath.workdps(against_mpmath.DIGITS):
        said = against_mpmath.run(60, 7, {"micrograd": against_mpmath.ours})
    assert said["micrograd, right"]["differs"] == 0
    assert said["micrograd, wrong"]["agrees"] == 0
    assert said["micrograd, right"]["agrees"] >= 55
    assert said["micrograd, wrong"]["differs"] >= 55


@pytest.mark.parametrize("slope", [math.inf, -math.inf])
@pytest.mark.parametrize("options", [{}, {"h": 1e-4}, {"method": "one-sided"}], ids=str)
def test_an_infinite_slope_agrees_with_none(slope, options):
    for f in (lambda x: x, lambda x: math.copysign(abs(x - 1) ** (1 / 3), x - 1)):
        report = gradcheck(claimed(f, slope), [1.0], **options)
        assert not report and report.entries[0].error == math.inf


@pytest.mark.parametrize("method", ["central", "one-sided"])
def test_what_was_rounded_to_nothing_is_no_mistake(method):
    for f, x in ((lambda x: x * x, 1e-200), (lambda x: x**3, 1e-120)):
        entry = gradcheck(f, [x], method=method).entries[0]
        assert entry.verdict == "cannot tell here" and "rounding" in entry.doubt
    assert gradcheck(lambda x: x * x, [1e-140], method=method)


@pytest.mark.parametrize("x", [math.nan, math.inf])
def test_a_point_that_is_not_finite_is_named_as_the_reason(x):
    for report in (gradcheck(lambda x: x * x, [x]), gradcheck(Value(x) * 2)):
        assert not report and "not finite" in report.entries[0].doubt


@pytest.mark.parametrize("h", [1e-101, -1e-310, 5e-324])
def test_a_complex_step_too_small_for_digits_is_refused(h):
    with pytest.raises(ValueError, match=f"a complex step of {h!r} leaves no digits.*1e-100"):
        gradcheck(lambda x, y: (x / y).sigmoid(), [0.2, 3.0], method="complex", h=h)


@pytest.mark.parametrize("h", [1e-100, -1e-100, 1e-20])
def test_the_smallest_complex_step_finds_small_slopes(h):
    assert gradcheck(lambda x, y: (1e-100 * x / y).sin(), [0.2, 3.0], method="complex", h=h)


@pytest.mark.parametrize(
    "function",
    [
        lambda x: (x + 1e10) - 1e10,
        lambda x: (x * 1e-9 + 1).log() * 1e9,
        lambda x: ((x + 1e7) ** 2 - 1e14) / 1e7,
    ],
)
@pytest.mark.parametrize("method", METHODS)
def test_what_was_rounded_on_the_way_counts_too(function, method):
    x = Value(0.3)
    for report in (gradcheck(function, [0.3], method=method), gradcheck(function(x), [x])):
        assert report.entries[0].agrees or report.entries[0].doubt
        assert not report.entries[0].kink


@pytest.mark.parametrize(
    ("function", "at", "options", "doubt"),
    [
        (lambda x: ((x + 1e10) - 1e10) ** 3, 0.3, {"order": 2}, "rounding.*goes into alone$"),
        (lambda x: (x + 1e10) - 1e10, 0.3, {"method": "complex"}, "below 3e-05.* alone$"),
        (lambda x: x * 1e-6 + 1e12, 1.0, {}, "rounding.* into alone$"),
        (lambda x: x * 1e-6 + 1e12, 1.0, {"h": 1e-3}, "slopes below [1-9].* alone$"),
        (claimed(lambda x: x + 1.0, 1.0), 1e-12, {}, "rounding.* into alone$"),
        (lambda x: x + 1.0, 1e-12, {}, "or by method='complex'$"),
        (lambda x: x.exp() - 1, 1e-14, {}, "rounding.*or by method='complex'$"),
        (lambda x: x.sin(), 1.0, {"h": 1e-30}, "h = 1e-30 is lost beside x = 1; leave h away$"),
        (lambda x: x**2.5, 0.0, {}, "no value on both sides.*or by method='one-sided'$"),
        (lambda x: x**1.5, 0.0, {}, "no value on both sides; check at another point$"),
        (lambda x: (1 - x) ** 2.5, 1.0, {"method": "one-sided"}, "no value to the right; .*point$"),
        (lambda x: x * 1e308 * 10, 1.0, {}, "f is inf at this point; check at another$"),
        (lambda x: x * math.nan, 1.0, {"method": "complex"}, "f is nan at this point"),
        # differences that shrink slowly, or not to the end, are no slope
        (lambda x: x**1.25, 0.0, {"method": "one-sided"}, "do not settle"),
        (lambda x: x**1.5, 0.0, {"method": "one-sided"}, "do not settle"),
        (claimed(lambda x: math.copysign(abs(x) ** 1.2, x) + x, 1.0), 0.0, {}, "do not settle"),
    ],
)
def test_what_cannot_be_told_has_its_true_reason_and_advice_that_works(
    function, at, options, doubt
):
    entry = gradcheck(function, [at], **options).entries[0]
    assert entry.verdict.startswith("cannot tell here"), entry
    assert re.search(doubt, entry.doubt), entry.doubt
    for method in METHODS:
        if f"method={method!r}" in entry.doubt:
            assert gradcheck(function, [at], method=method)


NEAR = {  # functions of u = x - 1, with a pole, a corner or an end at 0
    "pole": (lambda x: 1 / (x - 1), lambda u: -1 / u**2),
    "square": (lambda x: (x - 1) ** -2, lambda u: -2 / u**3),
    "root": (lambda x: (x - 1).sqrt(), lambda u: 0.5 / math.sqrt(u)),
    "log": (lambda x: (x - 1).log() + 3, lambda u: 1 / u),
    "corner": (lambda x: (x - 1).relu(), lambda u: 1.0),
    "flat": (lambda x: (1 - x).relu(), lambda u: 0.0),
    "corner of a sum": (lambda x: (x - 1).relu() + x * x, lambda u: 3 + 2 * u),
}


@pytest.mark.parametrize("method", ["central", "one-sided"])
@pytest.mark.parametrize("name", NEAR)
def test_a_right_gradient_beside_a_pole_or_corner_is_not_blamed(name, method):
    function, slope = NEAR[name]
    value = claimed_value(function)
    for k in range(2, 14):
        x = 1 + 10.0**-k
        right = slope(x - 1)
        for target in (function, claimed(value, right)):
            entry = gradcheck(target, [x], method=method).entries[0]
            assert entry.agrees or entry.doubt, entry
            assert entry.agrees or k > 8, entry
        for wrong in [right * factor for factor in (-1, 0, 2, 1.001)] if right else [-1e-3, 1.0]:
            entry = gradcheck(claimed(value, wrong), [x], method=method).entries[0]
            assert not entry.agrees and (k > 8 or not entry.doubt), entry


def claimed_value(function):
    """Return a function of Values as one of numbers."""
    return lambda x: function(Value(x)).data


HIDDEN = {  # what is computed with has fewer digits than the result: values, slopes, places
    "log(1 + exp(x))": (lambda x: math.log(1 + math.exp(x)), lambda x: 1 / (1 + math.exp(-x)), -1),
    "log(1 + x)": (lambda x: math.log(1 + x), lambda x: 1 / (1 + x), 0),
    "1 - cos(x)": (lambda x: 1 - math.cos(x), math.sin, 0),
    "exp(x) - 1": (lambda x: math.exp(x) - 1, math.exp, 0),
    "x + 1e8 - 1e8": (lambda x: x + 1e8 - 1e8, lambda x: 1.0, 0),
}


@pytest.mark.parametrize("method", ["central", "one-sided"])
@pytest.mark.parametrize("name", HIDDEN)
def test_digits_that_were_lost_within_f_neither_blame_nor_certify(name, method):
    value, slope, side = HIDDEN[name]
    draw = random.Random(name)
    told = []
    for _ in range(20):
        x = draw.uniform(-25, -5) if side else 10 ** draw.uniform(-6, -1)
        right = gradcheck(claimed(value, slope(x)), [x], method=method).entries[0]
        assert right.agrees or right.doubt, right
        for wrong in (0.0, 2 * slope(x), -slope(x)):
            entry = gradcheck(claimed(value, wrong), [x], method=method).entries[0]
            assert not entry.agrees, entry
            told.append(not entry.doubt)
    assert sum(told) >= 54


def test_a_step_of_ones_own_that_is_too_long_does_not_blame_a_right_gradient():
    entry = gradcheck(lambda x: x**3, [2.0], h=0.1).entries[0]
    assert entry.numeric == pytest.approx(12.01)
    assert entry.doubt.endswith("it has the slope claimed; leave h away, or by method='complex'")
    assert gradcheck(claimed(lambda x: x**3, 12.1), [2.0], h=0.1).entries[0].verdict == "DIFFERS"


@pytest.mark.parametrize("method, tolerance", [("central", 1e-10), ("one-sided", 1e-9)])
def test_extrapolated_differences_know_more_digits_than_a_single_one(method, tolerance):
    options = {"method": method, "tolerance": tolerance}
    for function in (lambda x: x.sin().exp(), lambda x: x.tanh() / x, lambda x: x.log() * x**3):
        assert gradcheck(function, [1.3], **options)
        x = Value(1.3)
        slope = grad(function(x), [x])[0] * (1 + 3 * tolerance)
        report = gradcheck(claimed(claimed_value(function), slope), [1.3], **options)
        assert report.entries[0].verdict == "DIFFERS"


@pytest.mark.parametrize("bias", [True, False])
def test_complex_steps_go_through_fused_neurons(bias):
    model = MLP(2, [3, 1], activation="tanh", fused=True, bias=bias)
    for i, parameter in enumerate(model.parameters()):
        parameter.data = 0.3 + 0.1 * i  # a bias of 0 is as good as none
    for method in METHODS:
        report = gradcheck(model, at=[0.4, -0.7], method=method)
        assert report, report


@pytest.mark.parametrize("k", [2, 3, 101, 150, -3, -101, 201.0])
@pytest.mark.parametrize("x", [-1.01, -0.9, 1.01])
def test_complex_steps_take_whole_powers_of_negative_numbers(x, k):
    assert gradcheck(lambda v: v**k, [x], method="complex")
    assert gradcheck(lambda v: v ** Value(k), [x], method="complex")


@pytest.mark.parametrize("row", [row for row in ROWS if row.arity == 1], ids=lambda row: row.name)
def test_complex_steps_compute_values_too_not_only_slopes(row):
    x = sum(row.domain[0]) * 0.5 + 0.2
    assert gradcheck(lambda x: (getattr(x, row.name)() * 0.1).sin(), [x], method="complex")


def test_where_f_is_not_finite_no_corner_is_suspected():
    assert gradcheck(lambda x: x * 1e308 * 10, [1.0]).entries[0].verdict == "cannot tell here"


@pytest.mark.parametrize("x", [7.7e15, 1e18, 1e20, 3.3e22])
@pytest.mark.parametrize("function", [lambda x: x.sin(), lambda x: (x * 3).cos().exp()])
def test_a_function_that_bends_between_two_floats_is_not_told_by_differences(function, x):
    assert gradcheck(function, [x]).entries[0].verdict.startswith("cannot tell here")
    assert gradcheck(function, [x], method="complex")


@pytest.mark.parametrize("method", METHODS)
def test_a_slope_is_none_of_0_because_f_is_steeper_elsewhere(method):
    f, x = (lambda x: (1 / x.cos()).exp()), 84701787.8958384  # e**4e6 a few steps on
    (claim,) = claims(f, [x], method, 1)
    tolerance = METHODS[method].tolerance
    wrong = claim._replace(analytic=claim.analytic * (1 + 5 * tolerance))
    assert not _judged(wrong, method, *METHODS[method]).agrees


@pytest.mark.parametrize("power", [101, 150])
def test_complex_steps_see_small_mistakes_of_steep_functions(power):
    (claim,) = claims(lambda x: x**power, [1.01], "complex", 1)
    assert _judged(claim, "complex", *METHODS["complex"]).agrees
    wrong = claim._replace(analytic=claim.analytic * (1 + 1e-8))
    assert not _judged(wrong, "complex", *METHODS["complex"]).agrees


def test_what_cancels_to_0_is_no_mistake_by_complex_steps():
    constants = (lambda x: x / x, lambda x: x * (1 / x), lambda x: (x * x).log() - 2 * x.log())
    pick = random.Random(5)
    for f in constants:
        for _ in range(20):
            entry = gradcheck(f, [10 ** pick.uniform(-8, 1)], method="complex").entries[0]
            assert entry.agrees or entry.doubt, entry
    entry = gradcheck(lambda x: (6 * x).exp(), [-119.6], method="complex").entries[0]
    assert entry.agrees or entry.doubt, entry  # a slope of 1e-311


@pytest.mark.parametrize(
    "function, x",
    [
        (lambda x: x.tan(), math.pi / 2),
        (lambda x: x.atanh(), 1 - 1e-16),
        (lambda x: x**0.5, 1e-18),
        (lambda x: x**0.5, 1e-310),
        (lambda x: 1 / x, 1e-30),
        (lambda x: x.exp().cos(), 309.5),
    ],
)
def test_a_complex_step_longer_than_a_pole_is_far_blames_no_right_gradient(function, x):
    entry = gradcheck(function, [x], method="complex").entries[0]
    assert entry.verdict.startswith("cannot tell here") and "method='central'" in entry.doubt


def test_a_side_that_is_flat_for_long_says_nothing_of_rounding():
    assert gradcheck(lambda x: (-x).cos().relu(), [2665542.4088505954])  # 0 there, and beside it


def test_a_slope_claimed_of_a_constant_is_refused_by_complex_steps():
    (claim,) = claims(lambda x: x - x, [1.5], "complex", 1)
    entry = _judged(claim._replace(analytic=0.5), "complex", *METHODS["complex"])
    assert entry.verdict == "DIFFERS"
