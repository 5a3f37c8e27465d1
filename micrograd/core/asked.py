"""What NumPy asks the elements of an array for, where its functions meet Values, by its names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from micrograd.ops import ROWS

OURS = {f"arc{name}": f"a{name}" for name in ("sin", "cos", "tan", "sinh", "cosh", "tanh")}
OURS["fabs"] = "abs"
RADIANS, DEGREES = "x * (math.pi / 180)", "x * (180 / math.pi)"
LACKING = {  # how each is written; nothing where it is a function of the number alone
    "arctan2": "(x / y).atan() where y > 0",
    "bit_count": "",
    "cbrt": "x ** (1 / 3) where x > 0",
    "deg2rad": RADIANS,
    "degrees": DEGREES,
    "exp2": "2 ** x",
    "fmod": "",
    "hypot": "(x ** 2 + y ** 2).sqrt()",
    "logical_xor": "",
    "rad2deg": DEGREES,
    "radians": RADIANS,
    "rint": "",
}
ASKED = {*OURS, *LACKING}


def answer(kind: Any) -> None:
    """Give a class of Values what NumPy asks for: its own methods, or words about one it lacks."""
    for name, own in OURS.items():
        setattr(kind, name, getattr(kind, own))
    for name, written in LACKING.items():
        setattr(kind, name, _refusal(name, written))


def _refusal(name: str, written: str) -> Callable[..., Any]:
    def refuse(*_: Any) -> Any:
        """Raise TypeError, which says what to write for this function of NumPy's. @private"""
        remedy = written or "x.data for the number, through which no gradient goes"
        raise TypeError(
            f"a Value has no {name}: write {remedy}, or register an operation of "
            f"that name; there are {', '.join(row.name for row in ROWS)}"
        )

    refuse.__name__ = name
    refuse.__qualname__ = f"Value.{name}"
    return refuse
