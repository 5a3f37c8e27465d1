"""Gradients checked against numbers: is what backward() computes the slope of the function?

The graph of a function, of a module or of a loss is checked leaf by leaf, an operation's row at
points of its domain. Central differences have an error of O(h²) and two forward passes for every
input (L17), so this is for checking, not for training; a complex step (Squire and Trapp 1998) has
no cancellation, and is exact to rounding where no operation has a corner.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from micrograd.core.checks import is_finite
from micrograd.gradcheck.claims import Claim, claims
from micrograd.gradcheck.slopes import (
    FINER,
    NO_VALUE,
    ROUNDING,
    Slope,
    complex_step,
    denied,
    fixed,
    refined,
)
from micrograd.printing import shorten


class Method(NamedTuple):
    """A way to a numeric slope: its step, None to refine it, and the relative error it may have."""

    h: float | None
    tolerance: float


METHODS = {
    "central": Method(None, 1e-6),
    "one-sided": Method(None, 1e-4),
    "complex": Method(1e-20, 1e-9),
}
LEAST_COMPLEX = 1e-100  # a step times a small slope would be rounded to a few bits, or to 0
ZERO = 1e-10  # of how steeply f varies: a slope below it is one of 0
REPEATS = 3  # evaluations at one point that have to be equal
EVALUATIONS = 12  # and of the whole target: fewer may be equal by chance, with one random unit
WORST = 20  # how many entries a long report prints
NOWHERE = "the point is not finite; check at another"


class Entry(NamedTuple):
    """One gradient checked: `error` is relative; `kink`: the slopes left and right differ.

    `doubt` says why nothing can be told here; the gradient then neither agrees nor differs.
    """

    name: str
    at: float
    analytic: float
    numeric: float
    error: float
    kink: bool
    agrees: bool
    doubt: str = ""

    @property
    def verdict(self) -> str:
        """Return what the report prints behind the numbers."""
        words = "cannot tell here" if self.doubt else "" if self.agrees else "DIFFERS"
        return "  ".join(filter(None, (words, "kink suspected" if self.kink else "")))


@dataclass(frozen=True)
class Report:
    """Hold what was compared. True only if something was, and all of it agrees."""

    entries: tuple[Entry, ...]
    method: str
    h: float | None
    tolerance: float

    def __bool__(self) -> bool:
        return bool(self.entries) and all(entry.agrees for entry in self.entries)

    @property
    def worst(self) -> Entry:
        """Return the entry with the largest error; nan counts as larger than any."""
        return max(self.entries, key=_size)

    def __str__(self) -> str:
        shown = self.entries
        if len(shown) > 2 * WORST:
            shown = tuple(sorted(shown, key=lambda e: (e.agrees, -_size(e)))[:WORST])
        width = max([5, *(len(e.name) for e in shown)])
        lines = [f"{'input':<{width}} {'at':>12} {'analytic':>15} {'numeric':>15} {'error':>9}"]
        for e in shown:
            lines.append(
                f"{e.name:<{width}} {e.at:>12.6g} {e.analytic:>15.9g} {e.numeric:>15.9g} "
                f"{e.error:>9.1e}  {e.verdict}".rstrip()
            )
        if len(shown) < len(self.entries):
            lines.append(f"... the {len(shown)} worst of {len(self.entries)}")
        doubts = dict.fromkeys(f"{e.name}: {e.doubt}" for e in shown if e.doubt)
        return "\n".join([*lines, *list(doubts)[:WORST], self._summary()])

    def _repr_html_(self) -> str:
        from micrograd.displays import table_html

        header = ("input", "at", "analytic", "numeric", "error", "verdict")
        rows = [
            (e.name, e.at, e.analytic, e.numeric, e.error, _judgement(e))
            for e in sorted(self.entries, key=lambda e: (not e.agrees, _size(e)))
        ]
        return table_html(header, rows, self._summary())

    def _summary(self) -> str:
        agree = sum(entry.agrees for entry in self.entries)
        doubtful = sum(bool(entry.doubt) for entry in self.entries)
        doubt = f", {doubtful} cannot be told" if doubtful else ""
        worst = f"; worst {self.worst.error:.1e} at {self.worst.name}" if self.entries else ""
        step = "steps refined" if self.h is None else f"h = {self.h:g}"
        return (
            f"{agree} of {len(self.entries)} gradients agree{doubt} ({self.method}, {step}, "
            f"relative error up to {self.tolerance:g}{worst})"
        )


def _size(entry: Entry) -> float:
    """Return the error to sort by: what could not be had counts as larger than any."""
    return entry.error if entry.error == entry.error else math.inf


def _judgement(entry: Entry) -> str:
    """Return the verdict in words, with the reason where nothing can be told."""
    words = "agrees" if entry.agrees else "cannot tell here" if entry.doubt else "DIFFERS"
    return words + ", kink suspected" * entry.kink + f": {entry.doubt}" * bool(entry.doubt)


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
    "one-sided" (f(x+h) − f(x))/h, or "complex" Im f(x+ih)/h. The steps of differences follow x and
    are refined until the slope is known to a part of `tolerance`, the relative error still taken
    for agreement; where it cannot be known an entry says why, and the report is not True. `h` takes
    this one step instead; a negative h makes the one-sided difference look left. `order=2` checks
    the Hessian by differences of gradients. A function is called anew at every number, so its own
    branches and detached numbers count; complex steps and `order=2` replay the graph recorded at
    `at`.
    Raises ValueError for another method or order, TypeError for another target.
    """
    known = isinstance(method, str) and method in METHODS
    known = known and isinstance(order, int) and order in (1, 2)
    if not known or (order == 2 and method == "complex"):
        raise ValueError(
            f"cannot check order {shorten(order)} by {shorten(method)}: method is one of "
            f"{', '.join(METHODS)}, order 1 or 2, and 2 not by complex step"
        )
    h = METHODS[method].h if h is None else h
    tolerance = METHODS[method].tolerance if tolerance is None else tolerance
    if not is_finite(tolerance) or not tolerance > 0:
        raise ValueError(f"tolerance is a number above 0, not {shorten(tolerance)}")
    if h is not None and (not is_finite(h) or h == 0):
        raise ValueError(f"h is a number other than 0, not {shorten(h)}")
    if h is not None and method == "complex" and abs(h) < LEAST_COMPLEX:
        raise ValueError(
            f"a complex step of {shorten(h)} leaves no digits of Im f; leave h away, for "
            f"1e-20 is exact, or give one of {LEAST_COMPLEX:g} or more"
        )
    every = list(claims(target, at, method, order))
    doubt = _unrepeatable(every)
    if doubt:  # of one input is of all: they are inputs of the same function
        nan = math.nan
        entries = [Entry(c.name, c.x, c.analytic, nan, nan, False, False, doubt) for c in every]
    else:
        entries = [_judged(claim, method, h, tolerance) for claim in every]
    return Report(tuple(entries), method, h, tolerance)


def _unrepeatable(claims: Sequence[Claim]) -> str:
    """Say which two values the same numbers gave; nothing where every evaluation gave one."""
    repeats = max(REPEATS, EVALUATIONS // max(1, len(claims)))
    for claim in claims:
        values = {repr(claim.f(claim.x)) for _ in range(repeats)} | set(claim.values)
        if len(values) > 1:
            return (
                f"not repeatable: the same numbers gave {' and '.join(sorted(values)[:2])}; take "
                "random numbers out: eval() of dropout, a seed within the function"
            )
    return ""


def _judged(claim: Claim, method: str, h: float | None, tolerance: float) -> Entry:
    """Compare one claim with the numeric slope; doubt it where that is not known well enough."""
    if not math.isfinite(claim.x):
        return Entry(*claim[:3], math.nan, math.nan, False, False, NOWHERE)
    here = float(claim.f(claim.x))
    if not math.isfinite(here):
        doubt = f"f is {here:g} at this point; check at another"
        return Entry(*claim[:3], math.nan, math.nan, False, False, doubt)
    slope = _slope(claim, method, h, tolerance)
    gap = abs(claim.analytic - slope.value)
    largest = max(abs(claim.analytic), abs(slope.value))
    error = min(gap, 2 * largest) / largest if 0 < largest < math.inf else gap
    near = gap <= tolerance * largest < math.inf  # an infinite slope is near none
    agrees = near and slope.bound <= tolerance * largest
    # a slope of 0 has no relative error: it is one beside how much f varies around x
    near_zero = claim.analytic == 0 if slope.flat else largest <= slope.bound <= ZERO * slope.scale
    agrees = agrees or near_zero
    error = error if near or not agrees else gap / (slope.scale or 1.0)
    if h is not None and method != "complex":  # one step of the user's: nothing vouches for it
        agrees = near
    blur = max(slope.bound, slope.loose)
    unknown = not math.isfinite(blur) or gap <= tolerance * largest + blur
    doubt = ""
    if not agrees and math.isfinite(claim.analytic):
        doubt = slope.doubt if unknown else _denied(claim, slope, method, h)
    doubt += _other_method(claim, method, doubt)
    return Entry(claim.name, claim.x, claim.analytic, slope.value, error, slope.kink, agrees, doubt)


def _denied(claim: Claim, slope: Slope, method: str, h: float | None) -> str:
    """Say so where smaller steps have the slope claimed: the numeric one is to blame, if any."""
    if method == "complex" or not denied(claim, slope.value, _side(method, h)):
        return ""
    remedy = "check at another point" if h is None else "leave h away"
    return f"{FINER}: right beside this point it has the slope claimed; {remedy}"


def _other_method(claim: Claim, method: str, doubt: str) -> str:
    """Advise a method, having tried that it can tell what this one cannot."""
    if method == "complex" or not doubt.startswith((ROUNDING, NO_VALUE, FINER)):
        return ""
    other = "one-sided" if doubt.startswith(NO_VALUE) else "complex"
    f = claim.of_complex if other == "complex" else claim.f
    if f is None or other == method:
        return ""
    try:
        tried = _judged(claim._replace(f=f), other, *METHODS[other])
    except (ArithmeticError, ValueError):
        return ""
    return "" if tried.doubt else f", or by method={other!r}"


def _side(method: str, h: float | None) -> str:
    return "central" if method == "central" else "left" if h is not None and h < 0 else "right"


def _slope(claim: Claim, method: str, h: float | None, tolerance: float) -> Slope:
    if method == "complex":
        return complex_step(claim.f, claim.x, claim.noise, h or math.nan)
    side = _side(method, h)
    if h is not None:
        return fixed(claim.f, claim.x, claim.noise, h, side)
    return refined(claim.f, claim.x, claim.noise, side, 0.1 * tolerance)
