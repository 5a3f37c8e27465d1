"""What is switched on around a computation: recording, checking for nan and inf, the scope name."""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ContextDecorator, contextmanager
from typing import Any

_PACKAGE = os.path.dirname(os.path.dirname(__file__)) + os.sep
SEPARATOR = " / "  # between the scopes of a path


class _Mode:
    """Hold the switches; `special` is on while a new node needs more than being recorded."""

    __slots__ = ("recording", "checking", "special", "scope", "on_comparison", "on_lookup")

    def __init__(self) -> None:
        self.recording, self.checking, self.special, self.scope = True, False, False, ""
        self.on_comparison: Callable[[], None] | None = None
        self.on_lookup: Callable[[Any, Any, Any], Any] | None = None


MODE = _Mode()


class AnomalyError(ValueError):
    """Report the first nan or inf of a computation, and the operation that made it."""


class _Switch(ContextDecorator):
    """Set one switch for a block or a function; blocks may be nested."""

    def __init__(self, name: str, value: bool) -> None:
        self.name, self.value = name, value
        self.outer: list[bool] = []

    def __enter__(self) -> None:
        self.outer.append(getattr(MODE, self.name))
        self._set(self.value)

    def __exit__(self, *exception: object) -> None:
        self._set(self.outer.pop())

    def _set(self, value: bool) -> None:
        setattr(MODE, self.name, value)
        MODE.special = MODE.checking or not MODE.recording


def no_grad() -> _Switch:
    """Record nothing in a block or a decorated function: its results are leaves."""
    return _Switch("recording", False)


def detect_anomaly() -> _Switch:
    """Raise AnomalyError where an operation of a block or its backward pass makes nan or inf."""
    return _Switch("checking", True)


@contextmanager
def scope(name: str) -> Iterator[None]:
    """Give the nodes made in the block the scope `name`, within the scope around it."""
    outer = MODE.scope
    MODE.scope = f"{outer}{SEPARATOR}{name}" if outer else name
    try:
        yield
    finally:
        MODE.scope = outer


def comparisons_reported(report: Callable[[], None]) -> AbstractContextManager[None]:
    """Call `report` whenever two Values are compared in the block.

    A program traced on one sample cannot follow a branch that depends on data.
    """
    return _reported("on_comparison", report)


def lookups_reported(report: Callable[[Any, Any, Any], Any]) -> AbstractContextManager[None]:
    """Call `report(rows, index, row)` whenever a Value chooses one of `rows` in the block.

    `rows` are the table, None for the rows of an identity matrix, `row` the one chosen. `report`
    returns the Values that stand for it, or None.
    """
    return _reported("on_lookup", report)


@contextmanager
def _reported(hook: str, report: Callable[..., Any]) -> Iterator[None]:
    outer = getattr(MODE, hook)
    setattr(MODE, hook, report)
    try:
        yield
    finally:
        setattr(MODE, hook, outer)


def described(node: Any) -> str:
    """Return a node's name for messages: label, scope and formula with the operands' values."""
    name = f"'{node.label}'" if node.label else "node"
    where = f" in {node.scope}" if node.scope else ""
    if not node.parents:
        return f"{name}{where}, leaf {node.data!r}"
    operands = ", ".join(f"{p.label + ' = ' if p.label else ''}{p.data!r}" for p in node.parents)
    return f"{name}{where}, {node._op}({operands})"


def check_value(node: Any) -> None:
    """Raise AnomalyError where a new node holds nan or inf; remember the line that made it."""
    frame = sys._getframe(1)
    while frame.f_back and frame.f_code.co_filename.startswith((_PACKAGE, "<row ")):
        frame = frame.f_back
    node.made_at = f"{frame.f_code.co_filename}:{frame.f_lineno}"
    if not math.isfinite(node.data):
        raise AnomalyError(f"{node.data} was made by {described(node)}, at {node.made_at}")


def check_contributions(node: Any) -> None:
    """Raise AnomalyError where a node hands nan or inf to an operand."""
    for operand, (local, contribution) in zip(
        node.parents, node._operation.contributions(node, node.grad)
    ):
        if not math.isfinite(contribution):
            made_at = getattr(node, "made_at", "")
            raise AnomalyError(
                f"the gradient that {described(node)} gives to {described(operand)} is "
                f"{contribution}: upstream {node.grad} x local {local}"
                + (f"; the node was made at {made_at}" if made_at else "")
            )
