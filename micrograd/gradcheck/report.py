"""Gradients checked against numbers: is what backward() computes the slope of the function?

The graph of a function, of a module or of a loss is checked leaf by leaf, an operation's row at
points of its domain. Central differences have an error of O(h²) and two forward passes for every
input (L17), so this is for checking, not for training; a complex step (Squire and Trapp 1998) has
no cancellation, and is exact to rounding where no operation has a corner.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from micrograd.gradcheck.claims import Question, questions


class Method(NamedTuple):
    """A way to a numeric slope: its step h, and the relative error still taken for agreement."""

    h: float
    tolerance: float


METHODS = {
    "central": Method(1e-5, 1e-6),
    "one-sided": Method(1e-7, 1e-4),
    "complex": Method(1e-20, 1e-9),
}
WORST = 20  # how many entries a long report prints


class Entry(NamedTuple):
    """One gradient checked: `error` is relative; `kink`: the slopes left and right differ."""

    name: str
    at: float
    analytic: float
    numeric: float
    error: float
    kink: bool
    agrees: bool


@dataclass(frozen=True)
class Report:
    """Hold what was compared. True only if something was, and all of it agrees."""

    entries: tuple[Entry, ...]
    method: str
    h: float
    tolerance: float

    def __bool__(self) -> bool:
        return bool(self.entries) and all(entry.agrees for entry in self.entries)

    @property
    def worst(self) -> Entry:
        """Return the entry with the largest error; nan counts as larger than any."""
        return max(self.entries, key=lambda e: e.error if e.error == e.error else float("inf"))

    def __str__(self) -> str:
        shown = self.entries
        if len(shown) > 2 * WORST:
            shown = tuple(sorted(shown, key=lambda e: (e.agrees, -e.error))[:WORST])
        width = max([5, *(len(e.name) for e in shown)])
        lines = [f"{'input':<{width}} {'at':>12} {'analytic':>15} {'numeric':>15} {'error':>9}"]
        for e in shown:
            verdict = "" if e.agrees else "  DIFFERS"
            verdict += "  kink suspected" if e.kink else ""
            lines.append(
                f"{e.name:<{width}} {e.at:>12.6g} {e.analytic:>15.9g} {e.numeric:>15.9g} "
                f"{e.error:>9.1e}{verdict}"
            )
        if len(shown) < len(self.entries):
            lines.append(f"... the {len(shown)} worst of {len(self.entries)}")
        return "\n".join([*lines, self._summary()])

    def _repr_html_(self) -> str:
        from micrograd.render.displays import table_html

        header = ("input", "at", "analytic", "numeric", "error", "verdict")
        rows = [(e.name, e.at, e.analytic, e.numeric, e.error,
                 ("agrees" if e.agrees else "DIFFERS") + (", kink suspected" if e.kink else ""))
                for e in sorted(self.entries, key=lambda e: (not e.agrees, e.error))]  # fmt: skip
        return table_html(header, rows, self._summary())

    def _summary(self) -> str:
        agree = sum(entry.agrees for entry in self.entries)
        worst = f"; worst {self.worst.error:.1e} at {self.worst.name}" if self.entries else ""
        return (
            f"{agree} of {len(self.entries)} gradients agree ({self.method}, h = {self.h:g}, "
            f"relative error up to {self.tolerance:g}{worst})"
        )


def gradcheck(
    target: Any,
    at: Sequence[Any] | None = None,
    *,
    method: str = "central",
    h: float | None = None,
    tolerance: float | None = None,
    order: int = 1,
) -> Report:
    """Compare the gradients of `target` with numeric ones; return the report.

    `target` is a function of Values, a module, the root of a recorded graph, or an op row. `at`
    gives the numbers to call a function or module with, or the leaves to check of a graph (all of
    them by default); a row is checked over its domain. `method` is "central" (f(x+h) − f(x−h))/2h,
    "one-sided" (f(x+h) − f(x))/h, or "complex" Im f(x+ih)/h; `METHODS` has each one's h and
    tolerance. A negative h makes the one-sided difference look left. `order=2` checks the Hessian
    by differences of gradients.
    Raises ValueError for another method or order, TypeError for another target.
    """
    if method not in METHODS or order not in (1, 2) or (order == 2 and method == "complex"):
        raise ValueError(
            f"cannot check order {order} by {method!r}: method is one of "
            f"{', '.join(METHODS)}, order 1 or 2, and 2 not by complex step"
        )
    h = h or METHODS[method].h
    tolerance = tolerance or METHODS[method].tolerance
    entries = [_answer(q, method, h, tolerance) for q in questions(target, at, method, order)]
    return Report(tuple(entries), method, h, tolerance)


def _answer(question: Question, method: str, h: float, tolerance: float) -> Entry:
    name, x, analytic, f = question
    here = abs(f(x))
    if method == "complex":
        numeric, noise = f(complex(x, h)).imag / h, 16 * sys.float_info.epsilon * max(1.0, here)
    else:
        back = h if method == "central" else 0.0
        numeric = (f(x + h) - f(x - back)) / (h + back)
        noise = 16 * sys.float_info.epsilon * max(1.0, here) / abs(h)
    # Differences below the rounding noise of f say nothing about the gradient.
    scale = max(abs(analytic), abs(numeric), noise / tolerance)
    error = abs(analytic - numeric) / scale
    return Entry(name, x, analytic, numeric, error, _kink(f, x), error <= tolerance)


def _kink(f: Callable[[Any], Any], x: float) -> bool:
    """Tell whether the slopes left and right of x differ by more than curvature explains."""
    h = METHODS["central"].h
    here, left, right = f(x), (f(x) - f(x - h)) / h, (f(x + h) - f(x)) / h
    noise = 16 * sys.float_info.epsilon * max(1.0, abs(here)) / h
    return bool(abs(right - left) > 1e-3 * max(abs(left), abs(right)) + noise)
