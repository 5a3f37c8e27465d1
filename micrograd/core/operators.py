"""Operators of a program's own: what is derived from them, and the sums that use them.

micrograd has only +, * and ** as nodes; a class that overrides these has overridden all others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from micrograd.core.modes import mode, scope_path

Node = Any  # a Value: this module stands below the one that defines it

MADE_OF = {  # what each is made of in micrograd
    "__neg__": ("__mul__",),
    "__sub__": ("__add__", "__mul__"),
    "__truediv__": ("__mul__", "__pow__"),
}


def derive(kind: Any, value_class: Any) -> bool:
    """Derive the other operators of a class from its own +, * or **.

    Return whether a program's class has some, or data of its own: sums are made by operators then.
    """
    if {"__add__", "__mul__", "__pow__"}.isdisjoint(vars(kind)):
        return kind.data is not value_class.data and not kind.__module__.startswith("micrograd.")
    for name, operator in derived(value_class).items():
        if getattr(kind, name) is getattr(value_class, name):
            setattr(kind, name, operator)
    return True


def derived(value_class: Any) -> dict[str, Callable[..., Any]]:
    """Return the operators that micrograd makes of +, * and **, made of them."""

    def reflected(name: str, of_number: Callable[[Node, Any], Node]) -> Callable[..., Node]:
        # Python asks a subclass first: what stands on the left decides, as it does without one
        def operator(x: Node, y: Any) -> Node:
            return getattr(type(y), name)(y, x) if isinstance(y, value_class) else of_number(x, y)

        return operator

    return {
        "__neg__": lambda x: x * -1,
        "__sub__": lambda x, y: x + -y,
        "__truediv__": lambda x, y: x * (y**-1 if isinstance(y, value_class) else 1 / y),
        "__radd__": reflected("__add__", lambda x, y: x + y),
        "__rmul__": reflected("__mul__", lambda x, y: x * y),
        "__rsub__": reflected("__sub__", lambda x, y: -x + y),
        "__rtruediv__": reflected("__truediv__", lambda x, y: x**-1 * y),
    }


def by_operators(
    weights: Iterable[Node], inputs: Iterable[Node], total: Node, scope: str | None
) -> Node:
    """Return total + Σ wᵢxᵢ by the operators that the Values have."""
    with scope_path(mode().scope if scope is None else scope):
        for weight, input in zip(weights, inputs):
            total = total + weight * input
    return total
