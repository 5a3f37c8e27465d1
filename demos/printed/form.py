"""What a slip is, and the ways to judge a printed formula."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from micrograd import Value
from micrograd.gradcheck import Report, gradcheck

POINTS = (-2.3, -0.7, 0.4, 0.8, 1.9)


class Outcome(NamedTuple):
    """Whether a form is accepted, and the report that says why."""

    accepted: bool
    report: str


class Slip(NamedTuple):
    """What is printed and what is right, each with a judge; `about` in both languages."""

    about: tuple[str, str]
    printed: str
    right: str
    judge_printed: Callable[[], Outcome]
    judge_right: Callable[[], Outcome]


def of_report(report: Report) -> Outcome:
    """Return the checker's word."""
    return Outcome(bool(report), str(report))


def handmade(value: Callable[..., float], slopes: Callable[..., Sequence[float]]) -> Any:
    """Return a function of Values with this value, whose backward step has these slopes."""

    def function(*inputs: Value) -> Value:
        numbers = [v.data for v in inputs]
        out = Value(value(*numbers), inputs, "form")

        def backward() -> None:
            for v, slope in zip(inputs, slopes(*numbers)):
                v.grad += slope * out.grad

        out._backward = backward
        return out

    return function


def slope(value: Callable[[float], float], derivative: Callable[[float], float]) -> Outcome:
    """Check a derivative at several points; report the point where it is worst."""
    function = handmade(value, lambda z: [derivative(z)])
    reports = [gradcheck(function, at=[z]) for z in POINTS]
    worst = max(reports, key=lambda report: report.worst.error)
    return Outcome(all(reports), str(worst))


def gradients(
    value: Callable[..., float], slopes: Callable[..., Sequence[float]], at: Sequence[float]
) -> Outcome:
    """Check the gradients of a function of several numbers."""
    return of_report(gradcheck(handmade(value, slopes), at=at))


def same(name: str, got: Any, expected: Any) -> Outcome:
    """Compare numbers with those of the engine."""
    import numpy as np

    got, expected = np.asarray(got, float), np.asarray(expected, float)
    agrees = got.shape == expected.shape and bool(np.allclose(got, expected, rtol=1e-6, atol=1e-9))
    rounded = [np.round(x, 6) + 0.0 for x in (got, expected)]  # no -0.
    shown = [np.array2string(x, precision=6, suppress_small=True) for x in rounded]
    return Outcome(agrees, f"{name}: {shown[0]}, expected {shown[1]}")


def running(source: str, **names: Any) -> Outcome:
    """Run a text as it is printed; the report is its error, or that it ran."""
    try:
        exec(compile(source, "<the notes>", "exec"), names)
    except Exception as error:
        return Outcome(False, f"{type(error).__name__}: {error}")
    return Outcome(True, "it runs")


def both(*outcomes: Outcome) -> Outcome:
    """Accept where all accept; report all."""
    return Outcome(all(o.accepted for o in outcomes), "\n".join(o.report for o in outcomes))
