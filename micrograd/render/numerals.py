"""How a number is shown to a reader."""

from __future__ import annotations

import math
from decimal import Decimal

MINUS = "−"
DIGITS = 4  # significant digits shown
SMALL, LARGE = 1e-4, 1e6  # outside these a number is shown with an exponent


def shown(x: float) -> str:
    """Return `x` in about four digits: 0.3333, −2, 1234567 as 1.235e6, 1e−300, nan, inf.

    A zero has no sign to a reader, and a minus sign is one everywhere.
    """
    return _text(x).replace("-", MINUS) if x else "0"


def _text(x: float) -> str:
    if not math.isfinite(x):
        return str(x)
    if SMALL <= abs(x) < LARGE:
        return _trimmed(f"{x:.{max(1, DIGITS - 1 - Decimal(x).adjusted())}f}")
    mantissa, _, exponent = f"{x:.{DIGITS - 1}e}".partition("e")
    return f"{_trimmed(mantissa)}e{int(exponent)}"


def _trimmed(text: str) -> str:
    return text.rstrip("0").rstrip(".")
