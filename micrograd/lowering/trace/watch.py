"""Values that say when somebody looks at their data, while a function is traced."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from micrograd.core.modes import MODE, nodes_reported, reads_reported
from micrograd.engine import Value
from micrograd.lowering.trace.places import user_line

# Who looks at data to compute with it, to check it, or to show it. Anybody else takes a number
# away from the graph: the user's function, and micrograd's own functions that return floats.
_MAY_READ = frozenset(
    f"micrograd.{module}"
    for module in (
        "engine",
        "core.modes",
        "core.numbers",
        "nn.embedding",
        "losses",
        "lowering.trace.lookups",
    )
)
_SLOTS = {name: Value.__dict__[name] for name in ("data", "grad")}


def _watched(name: str) -> Any:
    slot = _SLOTS[name]

    def read(node: Value) -> Any:
        if on_read := MODE.on_read:
            on_read(node, name)
        return slot.__get__(node)

    return property(read, slot.__set__)


class Watched(Value):
    """A Value whose `data` and `grad` are watched. Nodes change to this class, and back."""

    __slots__ = ()

    data = _watched("data")
    grad = _watched("grad")


@contextmanager
def watched(values: Iterable[Value]) -> Iterator[None]:
    """Refuse that the data of `values`, and of all that is computed in the block, is read.

    Raises ValueError there, with the line of the user's code.
    """
    changed = [value for value in values if type(value) is Value]
    try:
        for value in changed:
            value.__class__ = Watched
        with reads_reported(_refuse), nodes_reported(_watch):
            yield
    finally:
        for value in changed:
            value.__class__ = Value


class UntraceableError(ValueError):
    """Say what a program cannot follow, and where it stands."""


def _watch(node: Value) -> None:
    if not MODE.recording:
        raise UntraceableError(
            f"{user_line()}: {_named(node)} is computed under no_grad() while the function is "
            "traced, so the program would hold this one sample's number for every sample; compute "
            "it as anything else, and call detach() on the result"
        )
    node.__class__ = Watched


def _named(node: Value) -> str:
    """Return what a node is, without its numbers: those are of no sample of the user's."""
    if node.label:
        return f"'{node.label}'"
    return f"a result of {node._op}" if node.parents else "an input or a parameter"


def _refuse(node: Value, name: str) -> None:
    caller = sys._getframe(2)
    if caller.f_code.co_filename.startswith("<row ") or (
        caller.f_globals.get("__name__") in _MAY_READ
    ):
        return
    what = "data" if name == "data" else "gradient"
    raise UntraceableError(
        f"{user_line()}: the {what} of {_named(node)} is read while the function is traced, so "
        "the program would hold this one sample's number for every sample; compute with the Value "
        "itself: x.exp(), x.max(y), x.relu(); x.detach() stops the gradient"
    )
