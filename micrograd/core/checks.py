"""Arguments checked where they are given, by name: numbers, Values, lists of them, functions."""

from __future__ import annotations

import math
from numbers import Real
from typing import Any


def check_finite(**numbers: Any) -> None:
    """Raise ValueError where a number is not finite, or is none."""
    for name, number in numbers.items():
        if not is_finite(number):
            raise ValueError(f"{name} is a finite number, not {number!r}")


def check_positive(**numbers: Any) -> None:
    """Raise ValueError where a number is not above 0 and finite."""
    check_finite(**numbers)
    for name, number in numbers.items():
        if not number > 0:
            raise ValueError(f"{name} is above 0, not {number!r}")


def is_finite(number: Any) -> bool:
    """Return whether `number` is a real number that a float holds."""
    try:
        return isinstance(number, Real) and math.isfinite(number)
    except OverflowError:  # an int that no float holds
        return False


def shown(x: Any) -> str:
    """Return what an error shows of an argument: short, on one line."""
    kind = "" if x is None else f"{type(x).__name__} "
    if isinstance(x, int) and x.bit_length() > 1000:  # Python refuses to write the longest
        return "an int beyond 1.8e308"
    return kind + " ".join(repr(x).split())[:60]


def check_values(name: str, *values: Any) -> None:
    """Raise TypeError where one of `values` is no Value."""
    for value in values:
        if isinstance(value, type) or not hasattr(value, "_operation"):
            raise TypeError(f"{name} takes Values, not {shown(value)}")


def check_list(name: str, xs: Any) -> Any:
    """Return a list, tuple or array of numbers or Values. Raises TypeError for anything else."""
    if isinstance(xs, (str, bytes, dict, set)) or not hasattr(xs, "__getitem__"):
        raise TypeError(f"{name} takes a list of numbers or Values, not {shown(xs)}")
    if not hasattr(xs, "__len__") or getattr(xs, "ndim", 1) != 1:
        raise TypeError(f"{name} takes a list of numbers or Values, not {shown(xs)}")
    return xs


def check_function(name: str, function: Any) -> None:
    """Raise TypeError where `function` cannot be called."""
    if not callable(function):
        raise TypeError(f"{name} is a function, not {shown(function)}")
