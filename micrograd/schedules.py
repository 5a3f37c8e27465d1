"""Learning rates that change (L23): each schedule is a function of the number of steps done.

SGD(params, lr=exponential(0.1, 0.01))         once a step
SGD(params, lr=by_epoch(step(0.1, 5), 200))    once an epoch of 200 steps
optimizer.lr = cosine(0.1, 1000)
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from numbers import Real
from typing import Any

from micrograd.core.checks import (
    check_finite,
    check_positive,
    check_state,
    is_count,
    is_finite,
    is_real,
)
from micrograd.core.remade import remade
from micrograd.printing import counted, shorten

__all__ = [
    "BY_NAME",
    "Plateau",
    "Schedule",
    "by_epoch",
    "composed",
    "constant",
    "cosine",
    "exponential",
    "inverse",
    "linear",
    "one_cycle",
    "step",
    "triangular",
    "warm_up",
]

Schedule = Callable[[float], float]


def _of_steps(schedule: Schedule) -> Schedule:
    """Return a schedule that says what is wrong where it is asked for the rate of no step."""

    def at(t: float) -> float:
        check_finite(t=t)
        if t < 0:
            raise ValueError(f"t, the number of steps done, is 0 or more, not {shorten(t)}")
        try:
            return schedule(t)
        except OverflowError:
            raise ValueError(f"the rate at step {shorten(t)} is too large for a float") from None

    return at


def _check_schedule(schedule: Any) -> None:
    if not callable(schedule):
        raise TypeError(f"a schedule is a function of the steps done, not {shorten(schedule)}")


@remade
def constant(rate: float) -> Schedule:
    """Return α₀."""
    check_finite(rate=rate)
    return _of_steps(lambda _: rate)


@remade
def step(rate: float, every: int, factor: float = 0.5) -> Schedule:
    """Return α₀ · factor^⌊t / every⌋: halved every k epochs, the notes' annealing."""
    check_finite(rate=rate, factor=factor)
    check_positive(every=every)
    return _of_steps(lambda t: rate * factor ** (t // every))


@remade
def exponential(rate: float, k: float) -> Schedule:
    """Return α₀ e^(−kt)."""
    check_finite(rate=rate, k=k)
    return _of_steps(lambda t: rate * math.exp(-k * t))


@remade
def inverse(rate: float, tau: float) -> Schedule:
    """Return α₀τ / max(t, τ): constant until τ, then as 1/t."""
    check_finite(rate=rate)
    check_positive(tau=tau)
    return _of_steps(lambda t: rate * tau / max(t, tau))


@remade
def linear(rate: float, last: float, steps: int) -> Schedule:
    """Return the straight line from `rate` at 0 to `last` at `steps`, and `last` after it."""
    check_finite(rate=rate, last=last)
    check_positive(steps=steps)
    return _of_steps(lambda t: rate + (last - rate) * t / steps if t < steps else last)


@remade
def cosine(rate: float, steps: int, last: float = 0.0) -> Schedule:
    """Return half a cosine from `rate` at 0 to `last` at `steps` (Loshchilov, Hutter 2017)."""
    check_finite(rate=rate, last=last)
    check_positive(steps=steps)
    return _of_steps(
        lambda t: last + (rate - last) * (1 + math.cos(math.pi * min(t, steps) / steps)) / 2
    )


@remade
def triangular(low: float, high: float, half: int) -> Schedule:
    """Return a rate that rises for `half` steps, falls for as many, and again (Smith 2017)."""
    check_finite(low=low, high=high)
    check_positive(half=half)
    return _of_steps(lambda t: low + (high - low) * (1 - abs(t / half % 2 - 1)))


@remade
def one_cycle(
    peak: float, steps: int, rise: float = 0.3, start: float = 25.0, end: float = 1e4
) -> Schedule:
    """Return one cycle: from peak/start up to the peak, and down to peak/start/end, by cosines.

    `rise` is the part of the steps that goes up (Smith and Topin 2018).
    """
    check_positive(start=start, end=end, peak=peak)
    check_finite(steps=steps, rise=rise)
    top = rise * steps - 1
    if not 0 < top < steps - 1:
        raise ValueError(
            f"a cycle of {counted(steps, 'step')} with a rise of {rise} has none to go up or down"
        )
    first = peak / start
    up, down = cosine(first, 1, peak), cosine(peak, 1, first / end)
    falling = steps - 1 - top
    return _of_steps(lambda t: up(t / top) if t <= top else down((t - top) / falling))


def warm_up(schedule: Schedule, steps: int, start: float = 0.0) -> Schedule:
    """Return `schedule` times a line from `start` to 1 over its first `steps` steps, maybe 0."""
    _check_schedule(schedule)
    check_finite(steps=steps)
    if steps == 0:
        return schedule
    return _product(linear(start, 1.0, steps), schedule)


@remade
def _product(factor: Schedule, schedule: Schedule) -> Schedule:
    return _of_steps(lambda t: factor(t) * schedule(t))


@remade
def composed(*parts: tuple[int, Schedule] | Schedule) -> Schedule:
    """Return schedules one after the other: (steps, schedule) pairs, the last without an end.

    Each counts its own steps from 0.
    """
    *ending, last = parts or (None,)
    pairs = [part for part in ending if isinstance(part, tuple) and len(part) == 2]
    if not callable(last) or len(pairs) < len(ending) or not all(callable(f) for _, f in pairs):
        raise ValueError("composed takes (steps, schedule) pairs, and a schedule as the last one")
    for steps, _ in pairs:
        check_finite(steps=steps)
        if steps < 0:
            raise ValueError(f"steps is 0 or more, not {shorten(steps)}")

    def at(t: float) -> float:
        for steps, schedule in pairs:
            if t < steps:
                return schedule(t)
            t -= steps
        return last(t)

    return _of_steps(at)


@remade
def by_epoch(schedule: Schedule, batches: int) -> Schedule:
    """Return `schedule` as a function of the epoch, for epochs of `batches` steps."""
    _check_schedule(schedule)
    check_positive(batches=batches)
    return _of_steps(lambda t: schedule(t // batches))


class Plateau:
    """Multiply the rate by `factor` where a loss has not improved for over `patience` reports.

    A loss improves where it is below the best by a relative `threshold`. Call `report(loss)`
    once an epoch; for a score that should rise, report its negative.
    """

    def __init__(
        self,
        rate: float,
        factor: float = 0.1,
        patience: int = 10,
        threshold: float = 1e-4,
        least: float = 0.0,
    ) -> None:
        check_finite(threshold=threshold, least=least)
        check_positive(rate=rate, factor=factor)
        if factor > 1 or least > rate:
            raise ValueError(
                f"a Plateau reduces its rate: factor {shorten(factor)} is at most 1, and "
                f"least {shorten(least)} "
                f"at most the rate, {rate!r}"
            )
        if not is_finite(patience) or patience < 0:
            raise ValueError(f"patience is a number of reports, 0 or more, not {shorten(patience)}")
        self.start = self.rate = rate
        self.factor, self.patience = factor, patience
        self.threshold, self.least = threshold, least
        self.best, self.waited = math.inf, 0

    def __call__(self, t: float) -> float:
        return self.rate

    def report(self, loss: float) -> None:
        """Take note of a loss; reduce the rate where it is time."""
        if not isinstance(loss, Real):
            raise TypeError(f"report takes a loss, a number, not {shorten(loss)}")
        if loss < self.best - self.threshold * (abs(self.best) if self.best < math.inf else 0):
            self.best, self.waited = loss, 0
            return
        self.waited += 1
        if self.waited > self.patience:
            self.rate, self.waited = max(self.rate * self.factor, self.least), 0

    def settings(self) -> dict[str, Any]:
        """Return how it was made."""
        names = ("start", "factor", "patience", "threshold", "least")
        return {"schedule": "Plateau"} | {name: getattr(self, name) for name in names}

    def state_dict(self) -> dict[str, Any]:
        """Return what reports have changed."""
        return {"rate": self.rate, "best": self.best, "waited": self.waited}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take over what `state_dict()` gave. Raises ValueError where it is none."""
        check_state(
            self, state, rate=lambda x: is_finite(x) and x >= 0, best=is_real, waited=is_count
        )
        self.rate, self.best, self.waited = state["rate"], state["best"], state["waited"]


@remade
def _decay(rate: float) -> Schedule:
    return _of_steps(lambda epoch: rate / (1 + 0.3 * epoch))


# Shapes of a run by name: of its first rate and how many epochs it has, functions of the epoch.
BY_NAME: Mapping[str, Callable[[float, int], Any]] = {
    "constant": lambda rate, _: constant(rate),
    "decay": lambda rate, _: _decay(rate),
    "halve": lambda rate, epochs: step(rate, max(1, epochs // 4)),
    "exponential": lambda rate, _: exponential(rate, 0.1),
    "inverse": lambda rate, epochs: inverse(rate, max(1, epochs // 4)),
    "linear": lambda rate, epochs: linear(rate, rate / 10, max(1, epochs)),
    "cosine": lambda rate, epochs: cosine(rate, max(1, epochs), rate / 100),
    "triangular": lambda rate, _: triangular(rate / 10, rate, 2),
    "one_cycle": lambda rate, epochs: one_cycle(rate, max(5, epochs)),
    "warm_up": lambda rate, _: warm_up(constant(rate), 3, 0.25),
    "plateau": lambda rate, _: Plateau(rate, 0.5, 1),
}
