"""Options of optimisers: numbers, schedules (functions of the steps done), schedules that learn."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from micrograd.core.checks import check_call, is_finite
from micrograd.printing import shorten

UNIT = ("beta1", "beta2", "decay")  # the options that are parts of 1
AMOUNTS = ("lr", "scale", "momentum", "weight_decay")  # below 0 a rule climbs, in silence


def check_option(name: str, option: Any) -> None:
    """Raise ValueError where an option is no finite number, divides by 0, or makes a rule climb."""
    if callable(option):
        check_call(f"the schedule of {name}", option, 0)
    elif not is_finite(option):
        raise ValueError(f"{name} is a finite number or a schedule, not {shorten(option)}")
    elif what := _wrong(name, float(option)):
        raise ValueError(f"{name} {what}, not {shorten(option)}")


def _wrong(name: str, number: float) -> str:
    """Return what an option has to be, where it is not."""
    if name in UNIT and not 0 <= number < 1:
        return "is 0 or more and below 1"
    if name in AMOUNTS and number < 0:
        return "is 0 or more"
    return "keeps a root from 0, so it is above 0" if name == "eps" and number <= 0 else ""


def current(name: str, option: Any, steps_done: int) -> float:
    """Return what an option is at this step, as a float: NumPy's would change what it multiplies.

    Raises ValueError where a schedule gives no finite number.
    """
    if not callable(option):
        return float(option)
    now = option(steps_done)
    what = _wrong(name, float(now)) if is_finite(now) else "is a finite number"
    if what:
        raise ValueError(
            f"{name} {what}, and its schedule gave {shorten(now)} at step {steps_done}"
        )
    return float(now)


def named(option: Any) -> Any:
    """Return an option as settings have it: a schedule by its settings, or its kind."""
    if not callable(option):
        return option
    if hasattr(option, "settings"):
        return option.settings()
    return type(option).__name__ if hasattr(option, "state_dict") else "a schedule"


def called(function: Any) -> Any:
    """Return a function as settings have it: by its name; what is none stays as it is."""
    if not callable(function):
        return function
    return getattr(function, "__qualname__", type(function).__qualname__)


def option_state(option: Any, steps_done: int) -> Any:
    """Return an option as a state has it: of a schedule, what it gave at some of the steps."""
    if hasattr(option, "state_dict"):
        return option.state_dict()
    if callable(option):
        return {"schedule": {str(t): float(option(t)) for t in _some_steps(steps_done)}}
    return option


def changed(name: str, option: Any, was: Any) -> str:
    """Return how a schedule differs from that of a state; nothing where the past is the same."""
    kinds = hasattr(option, "state_dict"), callable(option)
    past = was.get("schedule") if isinstance(was, Mapping) else None
    if kinds != (isinstance(was, Mapping) and past is None, isinstance(was, Mapping)):
        return f"{name} is {named(option)} here and was {shorten(was)}"
    for t, rate in (past or {}).items():
        if option(int(t)) != rate:
            return f"{name} was {rate!r} at step {t}, where it is {option(int(t))!r} here"
    return ""


def _some_steps(done: int) -> list[int]:
    """Return the first step, those at powers of two, and the last one of those done."""
    return sorted({0, *(2**i for i in range(done.bit_length())), done - 1} & set(range(done)))
