"""Arguments that are numbers, checked where they are given, by name."""

from __future__ import annotations

import math
from numbers import Real
from typing import Any


def check_finite(**numbers: Any) -> None:
    """Raise ValueError where a number is not finite, or is none."""
    for name, number in numbers.items():
        if not isinstance(number, Real) or not math.isfinite(number):
            raise ValueError(f"{name} is a finite number, not {number!r}")


def check_positive(**numbers: Any) -> None:
    """Raise ValueError where a number is not above 0 and finite."""
    check_finite(**numbers)
    for name, number in numbers.items():
        if not number > 0:
            raise ValueError(f"{name} is above 0, not {number!r}")
