"""Numeric slopes that say how far they can be trusted.

A difference has two errors: the step's own, which shrinks with it, and the rounding of f, which
grows as it shrinks. So steps are halved from the size of x downwards, the differences extrapolated
to step 0 (Richardson 1911), until what three steps say agrees; the disagreement, with the rounding
that f is known or seen to have, bounds the error. Much smaller steps then have to confirm it.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterator
from itertools import islice, pairwise, takewhile
from typing import Any, NamedTuple

EPSILON = sys.float_info.epsilon
LEAST = math.ulp(0.0)  # what is smaller was rounded to 0
START = 0.2371  # the largest step, relative to x: no fraction that a period may be a multiple of
SIDE_BY_SIDE = (2.0**-30, 2.0**-38, 2.0**-46)  # relative to x: f is straight over one of these
JUMP = 1e-3  # of f: no rounding is as large
HALVINGS = 44
FAR = 40  # quadruplings of the largest step, to look where f moves at all
ORDERS = 5  # columns of the extrapolation
CONFIRMING = tuple(2.0**-k for k in range(6, 54, 8))  # of the step that settled
CORNER = 0.6  # smooth: slopes left and right differ by a 64th at the next step; a corner: as much

# what a doubt begins with, where another method may tell
ROUNDING, NO_VALUE, FINER = "rounding", "f has no value", "f bends within the steps"
BESIDE = {"central": "on both sides", "right": "to the right", "left": "to the left"}


class Slope(NamedTuple):
    """A numeric slope; its true value is within `bound`. `scale` is how steeply f varies around.

    `doubt` says why it could not be had; `kink`: the slopes left and right differ; `flat`: f is
    the same number, bit for bit, around x, and not because it is too large to show x. What is
    within `loose` is no mistake for certain.
    """

    value: float
    bound: float
    scale: float = 0.0
    kink: bool = False
    doubt: str = ""
    flat: bool = False
    loose: float = 0.0


class Sample(NamedTuple):
    """Differences of f over one step: central, to the right and to the left; `noise` of each."""

    h: float
    central: float
    right: float
    left: float
    noise: float

    @property
    def gap(self) -> float:
        """Return by how much the slopes right and left differ, 0 where that may be rounding."""
        gap = abs(self.right - self.left)
        return gap if gap > 16 * self.noise else 0.0


class Function:
    """A function of one number around x, of values known to `noise`, absolutely."""

    def __init__(self, f: Callable[[Any], Any], x: float, noise: float) -> None:
        self.f, self.x, self.here = f, x, float(f(x))
        self.known = noise if math.isfinite(noise) else 0.0
        self.noise = max(self.known, 2 * EPSILON * abs(self.here), LEAST)
        moves = filter(None, map(self._first_move, (1, -1)))
        flat, move = min(moves, default=(math.inf, 0.0))  # the other side may be flat for longer
        self.noise = self.digits = max(self.noise, move)
        if flat < 3 * self.near(SIDE_BY_SIDE[-1]):
            self.noise = max(self.noise, self._scatter())

    def __call__(self, x: float) -> float:
        """Return f(x); nan where it has no finite value."""
        try:
            value = float(self.f(x))
        except (ArithmeticError, ValueError):
            return math.nan
        return value if math.isfinite(value) else math.nan

    def near(self, part: float) -> float:
        """Return a step of so much of the size of x."""
        return (abs(self.x) or START) * part

    def _move(self, step: float) -> float:
        return abs(self(self.x + step) - self.here)

    def _first_move(self, side: int) -> tuple[float, float] | None:
        """Return how far f is one number, and by how much it then moves; None where it does not.

        What f computes with was rounded by as much, perhaps far more than f itself. It was not
        where f begins to bend, and so moves by next to nothing, or jumps, and then moves no more.
        """
        flat, step = 0.0, math.ulp(self.x) if self.x else self.near(2.0**-100)
        while (move := self._move(side * step)) == 0:
            flat, step = step, 16 * step
            if step > self.near(START):
                return None
        while flat and move > 4 * self.noise and step - flat > flat * 2.0**-20 + math.ulp(self.x):
            middle = (flat + step) / 2
            if moved := self._move(side * middle):
                step, move = middle, moved
            else:
                flat = middle
        further = (self._move(side * step * 4.0**k) for k in range(1, 7))
        rounded = flat and move > self.noise and any(moved >= 2 * move for moved in further)
        return None if move != move else (flat, move if rounded else 0.0)

    def _scatter(self) -> float:
        """Return how far values side by side scatter: their third differences, of rounding alone.

        The least of several steps: where f itself bends within one, it does less within others.
        """
        least = math.inf
        for part in SIDE_BY_SIDE:
            row = [self(self.x + j * self.near(part)) for j in range(-3, 4)]
            if len({*row}) == 1:  # it says nothing of rounding
                continue
            for _ in range(3):
                row = [b - a for a, b in pairwise(row)]
            least = min(least, max((abs(t) for t in row if t == t), default=0.0) / 2)
            if least <= self.noise:
                break
        return least if least < math.inf else 0.0

    def sample(self, h: float) -> Sample:
        """Return the differences over h, each by the step as floats have it."""
        above, below = self.x + h, self.x - h
        right, left = self(above), self(below)
        largest = max(abs(right), abs(left), abs(self.here))
        noise = 2 * EPSILON * largest
        noise += self.noise * (min(largest / abs(self.here), 1e3) if self.here else 1.0)
        step = above - self.x or math.nan
        return Sample(
            h,
            (right - left) / ((above - below) or math.nan),
            (right - self.here) / step,
            (self.here - left) / ((self.x - below) or math.nan),
            noise / abs(step),
        )


def refined(f: Callable[[Any], Any], x: float, noise: float, side: str, enough: float) -> Slope:
    """Return the slope of f at x, refined until its bound is `enough` of it.

    `side` is the difference taken: "central", "right" or "left".
    """
    function = Function(f, x, noise)
    best = Slope(math.nan, math.inf)
    top = abs(x) * START or START
    samples: list[Sample] = []
    for slope, h in _settled(function, top, side, samples):
        if slope.bound < best.bound and _confirmed(function, slope, h, side):
            best = slope
        if best.bound <= enough * abs(best.value):
            break
        if samples[-1].noise > best.bound:
            break  # smaller steps can only be worse
    scale, flat = _scale(samples), best.value == 0 and _flat(function, samples[-1].h, side)
    bound, doubt = best.bound, _doubt(best.bound, function, samples, side)
    if not (scale or flat):
        bound = math.inf  # nothing was seen but rounding: sin(1e20) bends between two floats
    return Slope(best.value, bound, scale, _kink(function, samples), doubt, flat)


def _scale(samples: list[Sample]) -> float:
    """Return the steepest difference that is no rounding."""
    steep = [abs(slope) for s in samples for slope in s[2:4] if abs(slope) > 16 * s.noise]
    return max(steep, default=0.0)


def _flat(function: Function, h: float, side: str) -> bool:
    """Tell whether f is one number around x, or on its side: corners may be close by."""
    near = [function.sample(h * 0.5**k) for k in range(3)]
    level = all(s.right == 0 and (side == "right" or s.left == 0) for s in near)
    return level and not _absorbed(function, h)


def _absorbed(function: Function, h: float) -> bool:
    """Tell whether f looks constant for its size only: it then first moves by its rounding."""
    for k in range(1, FAR):
        for x in (function.x + h * 4.0**k, function.x - h * 4.0**k):
            change = abs(function(x) - function.here)
            if change > 0:
                return change <= 64 * function.noise
    return False


def _settled(
    function: Function, top: float, side: str, samples: list[Sample]
) -> Iterator[tuple[Slope, float]]:
    """Yield what three steps in a row agree on, with the smallest of them; keep all samples."""
    rows: list[list[float]] = []
    base = 4.0 if side == "central" else 2.0  # only even powers of h stand in a central difference
    for k in range(HALVINGS):
        sample = function.sample(top * 0.5**k)
        samples.append(sample)
        difference = getattr(sample, side)
        if difference != difference:
            rows = []
            continue
        row = [difference]
        for j, last in enumerate(rows[-1][: ORDERS - 1] if rows else ()):
            row.append(row[j] + (row[j] - last) / (base ** (j + 1) - 1))
        rows.append(row)
        if len(rows) < 3:
            continue
        columns = range(len(rows[-3]))
        yield min((_agreed(rows[-3:], j, sample.noise) for j in columns), key=_bound), sample.h


def _agreed(rows: list[list[float]], j: int, noise: float) -> Slope:
    first, second, third = (row[j] for row in rows)
    last, before = abs(third - second), abs(second - first)
    spread = max(last, before)
    if before > last > noise / 4:  # as a geometric series goes on: far, where it shrinks slowly
        spread = max(spread, 2 * last * last / (before - last))
    elif last >= before > 3 * noise:  # or does not end
        spread = math.inf
    return Slope(third, spread + 3 * noise)


def _bound(slope: Slope) -> float:
    return slope.bound


def _confirmed(function: Function, slope: Slope, h: float, side: str) -> bool:
    """Tell whether much smaller steps say no other slope."""
    error = abs(getattr(function.sample(h), side) - slope.value)
    for ratio in CONFIRMING:
        sample = function.sample(h * ratio)
        difference = getattr(sample, side)
        first_order = 0.0 if side == "central" else 4 * ratio * error
        if abs(difference - slope.value) > slope.bound + 4 * sample.noise + first_order:
            return False
    return True


def denied(claim: Any, numeric: float, side: str) -> bool:
    """Tell whether right beside x the slope is that of the claim rather than the numeric one.

    That is, over the three smallest steps at which the digits of f show the difference.
    """
    function = Function(claim.f, claim.x, claim.noise)
    function.noise, gap = function.digits, abs(claim.analytic - numeric)
    samples = (function.sample(function.near(0.5**k)) for k in range(110, 20, -1))
    telling = list(islice((s for s in samples if 16 * s.noise < gap), 3))
    nearer = [abs(getattr(s, side) - claim.analytic) < 0.75 * gap for s in telling]
    return bool(nearer) and all(nearer)


def _kink(function: Function, samples: list[Sample]) -> bool:
    """Tell whether the slopes left and right differ as much at the smallest steps as before."""
    smaller = (function.sample(samples[-1].h * 0.25**k) for k in range(1, HALVINGS // 2))
    gaps = [(s.h, s.gap) for s in (*samples, *takewhile(lambda s: s.gap, smaller)) if s.gap]
    h, gap = gaps[-1] if gaps else (1.0, 0.0)
    wider = [g for other, g in gaps if 3 <= other / h <= 80]
    return bool(wider) and gap > CORNER * max(wider)


def _doubt(bound: float, function: Function, samples: list[Sample], side: str) -> str:
    """Say why the slope is not known to less than `bound`."""
    if math.isfinite(bound) and function.noise <= max(
        JUMP * abs(function.here), 16 * function.known, LEAST
    ):
        return (
            f"{ROUNDING}: f is {function.here:.3g}, known to {function.noise:.0e}, which hides "
            f"slopes below {bound:.0e}; check what x goes into alone"
        )
    if all(getattr(s, side) != getattr(s, side) for s in samples):
        return f"{NO_VALUE} {BESIDE[side]}; check at another point"
    return "the differences do not settle: f jumps, or has a corner close by; move the point"


def fixed(f: Callable[[Any], Any], x: float, noise: float, h: float, side: str) -> Slope:
    """Return the difference over just the step h: only its rounding is known."""
    function = Function(f, x, noise)
    sample = function.sample(abs(h))
    kink = _kink(function, [function.sample(abs(h) * 4), sample])
    value = getattr(sample, side)
    bound = 3 * sample.noise if value == value else math.inf
    doubt = _doubt(bound, function, [sample], side)
    if x in (x + h, x - h):
        doubt = f"h = {h:g} is lost beside x = {x:g}; leave h away"
    return Slope(value, bound, 0.0, kink, doubt)


def complex_step(f: Callable[[Any], Any], x: float, noise: float, h: float) -> Slope:
    """Return Im f(x + ih) / h (Squire and Trapp 1998): no difference is taken, none cancels."""
    function = Function(f, x, noise)
    try:
        value, finer = (float(f(complex(x, step)).imag / step) for step in (h, h / 16))
    except (ArithmeticError, ValueError):
        doubt = f"f has no value at {x:g} + {h:g}i; check by method='central'"
        return Slope(math.nan, math.inf, doubt=doubt)
    samples = [function.sample((abs(x) * START or START) * 0.5**k) for k in range(0, 24, 4)]
    scale = _scale(samples)
    within = 4 * noise / max(abs(x), 1.0)  # what cancels in the slope was rounded as in f
    bound = max(64 * EPSILON * abs(value), within, LEAST / abs(h))
    loose = max(bound, 4 * noise / (abs(x) or 1.0))  # 1 / x, say, was rounded more where x is small
    doubt, bends = _doubt(loose, function, [], "central"), 2 * abs(value - finer)
    bends = bends if bends <= 0.1 * abs(finer) else math.inf
    if bends > bound:  # beside a pole, or the end of a root
        bound = bends
        doubt = f"{FINER}: give a smaller h than {h:g}, or check by method='central'"
    return Slope(value, bound, scale, _kink(function, samples), doubt, not value, loose)
