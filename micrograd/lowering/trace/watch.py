"""Values that say when somebody looks at their data, while a function is traced."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from inspect import getattr_static
from threading import Lock
from typing import Any

from micrograd.core.kinds import LEAF
from micrograd.core.order import topological_order
from micrograd.core.places import user_line
from micrograd.engine import Constant, Value

# Who looks at data to compute with it, to check it, or to show it. Anybody else takes a number
# away from the graph: the user's function, and micrograd's own functions that return floats.
_MAY_READ = frozenset(
    f"micrograd.{module}"
    for module in (
        "engine",
        "core.formulas",  # the methods of the rows
        "core.recording",  # which makes floats of their operands
        "core.modes",
        "core.numbers",
        "nn.embedding",
        "losses",
        "lowering.trace.lookups",
    )
)


def _checked(kind: type[Value], name: str) -> Any:
    """Return an attribute of a class, as a property that asks who reads it, or assigns data."""
    slot = getattr_static(kind, name)
    read, assign = slot.__get__, slot.__set__

    def checked(node: Value) -> Any:
        if sys._getframe(1).f_globals.get("__name__") not in _MAY_READ:
            _refuse(node, name)
        return read(node)

    def assigned(node: Value, number: Any) -> None:
        if sys._getframe(1).f_globals.get("__name__") not in _MAY_READ:
            _refuse(node, "assigned")
        assign(node, number)

    return property(checked, assigned if name == "data" else assign)


class _Asking:
    """What a watched Value says where a function would choose by its number.

    Of Values these say the same for every sample; of what parameters are in they say the same to
    the engine too.
    """

    __slots__ = ()

    def __eq__(self, other: object) -> Any:
        if other is not None:
            _refuse_choice(self, "compared by ==")
        return super().__eq__(other)

    def __bool__(self) -> bool:
        _refuse_choice(self, "taken for true or false")
        return True

    def _forget(self: Any) -> None:
        raise UntraceableError(
            f"{user_line()}: {_named(self)} is computed under no_grad() while the function is "
            "traced, so the program would hold this one sample's number for every sample; compute "
            "it as anything else, and call detach() on the result"
        )

    def forward(self: Any) -> float:
        _refuse(self, "data")
        return Value.forward(self)


def _watched_kind(kind: type[Value]) -> type[Value]:
    """Return the class that Values of a class change to while they are watched, and back."""
    if kind in _WATCHED:
        return _WATCHED[kind]
    own = {name: _checked(kind, name) for name in ("data", "grad")} | {"__hash__": kind.__hash__}
    watched = type("Watched", (_Asking, kind), {"__slots__": (), **own})
    _WATCHED[kind], _KIND_OF[watched] = watched, kind
    return watched


_WATCHED, _KIND_OF = dict[Any, type[Value]](), dict[Any, type[Value]]()
Watched: Any = _watched_kind(Value)


class Watching(list[Value]):
    """Take nodes, which are made Watched."""

    kind = Watched


class Sampled(Watched):  # type: ignore[misc]
    """An input of the sample, which no set or dict knows by its number either."""

    __slots__ = ()

    def __hash__(self) -> int:
        _refuse_choice(self, "looked up in a set or a dict")
        return Value.__hash__(self)


_KIND_OF[Sampled] = Value

# How many threads watch a Value beside the one that changed its class: the last changes it back.
_SHARED = Counter[Value]()
_LOCK = Lock()
_WATCHING: ContextVar[bool] = ContextVar("whether this thread traces", default=False)


@contextmanager
def watched(values: Iterable[Any], kind: type[Value] | None = None) -> Iterator[None]:
    """Refuse that the data of `values`, and of all Watched Values, is read in the block.

    Raises ValueError there, with the line of the user's code.
    """
    changed, outermost = list[Any](), not _WATCHING.get()
    try:
        _WATCHING.set(True)
        with _LOCK:
            for value in values:
                changed.append(value)
                if value.__class__ is Value:  # most, and tables have a million
                    value.__class__ = kind or Watched
                elif type(value) in _KIND_OF:
                    _SHARED[value] += 1
                else:
                    value.__class__ = kind or _watched_kind(type(value))
        yield
    finally:
        try:
            _change_back(changed, outermost)
        finally:  # again, where Ctrl-C broke in
            _change_back(changed, outermost)


def _change_back(changed: list[Any], outermost: bool) -> None:
    if outermost:
        _WATCHING.set(False)
    with _LOCK:
        while changed:
            value = changed[-1]
            if _SHARED and _SHARED[value]:
                _SHARED[value] -= 1
            else:
                value.__class__ = _KIND_OF.get(type(value), type(value))
            changed.pop()
        if not any(_SHARED.values()):
            _SHARED.clear()


class UntraceableError(ValueError):
    """Say what a program cannot follow, and where it stands."""


def _named(node: Value) -> str:
    """Return what a node is, without its numbers: those are of no sample of the user's."""
    if node.label:
        return f"'{node.label}'"
    if node.parents:
        return f"a result of {node._op}"
    return "an input" if isinstance(node, Sampled) else "an input or a parameter"


_INSTEAD = {
    "data": (
        "data of {} is read",
        "so the program would hold this one sample's number for every sample; compute with the "
        "Value itself: x.exp(), x.max(y), x.relu(); x.detach() stops the gradient, print(x) shows "
        "the number",
    ),
    "grad": (
        "gradient of {} is read",
        "so the program would hold this one sample's number for every sample; lower the loss "
        "alone: value_and_grad() of its program goes backward",
    ),
    "assigned": (
        "data of {} is assigned",
        "which no program does; make another Value, Value(0.5), or assign it before",
    ),
}


def _refuse(node: Value, name: str) -> None:
    if not _WATCHING.get():  # another thread, which traces nothing
        return
    what, remedy = _INSTEAD[name]
    what = what.format(_named(node))
    raise UntraceableError(f"{user_line()}: the {what} while the function is traced, {remedy}")


def _refuse_choice(node: Watched, how: str) -> None:
    """Refuse, to the user's code, what asks for a number that is a function of the sample alone."""
    asking = str(sys._getframe(2).f_globals.get("__name__"))
    if asking.startswith("micrograd.") or not _of_sample(node):
        return
    raise UntraceableError(
        f"{user_line()}: {_named(node)} is {how} while the function is traced, so the program "
        "would follow one branch for every sample; write the choice as an operation: y * a + (1 - "
        "y) * b for a y of 0 or 1, x.max(y), x.relu(); `is` tells whether two Values are one"
    )


def _of_sample(node: Value) -> bool:
    leaves = (v for v in topological_order(node) if v._operation is LEAF)
    return all(isinstance(leaf, (Sampled, Constant)) for leaf in leaves)
