"""What a Value may hold: one real number, as a float."""

from __future__ import annotations

from numbers import Real
from typing import Any

from micrograd.printing import shorten


def number(data: Any) -> float:
    """Return `data` as a float. Raises TypeError where it is not one real number."""
    if isinstance(data, Real):
        try:
            return float(data)
        except OverflowError:
            raise ValueError(f"a Value holds a float, and {shorten(data)} is too large") from None
        except TypeError:  # NumPy's durations are Integral, and no numbers for Python
            pass
    elif getattr(data, "ndim", None) == 0 and not getattr(data, "mask", False):
        return number(data.item())
    remedy = "give one real number"
    if hasattr(data, "_operation"):
        remedy = "it is one already; detach() makes a copy that remembers nothing"
    elif isinstance(data, (list, tuple)) or getattr(data, "ndim", 0) > 0:
        remedy = "make one Value for each element"
    raise TypeError(f"a Value cannot hold {shorten(data)} ({type(data).__name__}): {remedy}")


def grad_of(node: Any) -> float:
    """Return the gradient of a Value. Raises TypeError where what was assigned is no number."""
    if not isinstance(node.grad, Real):
        name = f"{node.label!r}" if node.label else "a node"
        raise TypeError(
            f"the grad of {name} is {shorten(node.grad)} ({type(node.grad).__name__}), not a "
            "number; set it to 0.0 before backward(), or call zero_grad()"
        )
    return node.grad  # type: ignore[return-value]


def constant(k: Any, shown: str) -> float:
    """Return the k of a formula as a float. Raises TypeError where it is no number."""
    try:
        return number(k)
    except TypeError:
        kind = type(k).__name__
        raise TypeError(f"the k of {shown} is one number, not {shorten(k)} ({kind})") from None


def data_of(operand: Any) -> float:
    """Return the data of a Value. Raises TypeError where something else than a number was assigned.

    NumPy's numbers are taken, as floats.
    """
    data = operand.data
    if data.__class__ is float:
        return data
    try:
        return number(data)
    except TypeError:
        name = f"{operand.label!r}" if operand.label else "a node"
        raise TypeError(
            f"the data of {name} is {shorten(data)} ({type(data).__name__}), not a number; "
            "assign one: v.data = 0.5, or the .data of another Value"
        ) from None
