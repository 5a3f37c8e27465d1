"""What is switched on around a computation: recording, checking for nan and inf, the scope name.

Blocks switch it, and each context (a thread, a task of asyncio) has blocks of its own. A block is
known to its context by a weak reference: the `with` statement alone keeps it alive, so that one
which Ctrl-C tore out of its own entry or exit counts no more.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import ContextDecorator
from contextvars import ContextVar
from functools import wraps
from typing import Any
from weakref import ref

from micrograd.core.places import user_line
from micrograd.printing import shorten

SEPARATOR = " / "  # between the scopes of a path


class AnomalyError(ValueError):
    """Report the first nan or inf of a computation, and the operation that made it."""


class Mode:
    """Hold what the blocks of one context add up to; another block makes another Mode.

    `special` is on while a new node needs more than being recorded, `hook` appends to `on_node`
    where that is all it needs. `kind` is the class of new nodes: that of `on_node`, or the usual.
    """

    __slots__ = (
        "blocks",
        "recording",
        "checking",
        "special",
        "scope",
        "on_comparison",
        "on_lookup",
        "on_detach",
        "on_node",
        "hook",
        "kind",
    )
    usual: Any = None  # Value, which stands above

    def __init__(self, blocks: tuple[ref[Block], ...] = ()) -> None:
        self.recording, self.checking, self.scope = True, False, ""
        self.on_comparison: Callable[[], None] | None = None
        self.on_lookup: Callable[[Any, Any, Any], Any] | None = None
        self.on_detach: Callable[[Any], Any] | None = None
        self.on_node: Any = None
        self.blocks = tuple(block for block in blocks if block())
        for block in self.blocks:
            if alive := block():
                setattr(self, alive.field, alive.value(self))
        unusual = self.checking or not self.recording
        self.special = unusual or self.on_node is not None
        self.hook = None if unusual else getattr(self.on_node, "append", None)
        self.kind = getattr(self.on_node, "kind", Mode.usual)


_PLAIN = Mode()
_current: ContextVar[Mode] = ContextVar("micrograd mode", default=_PLAIN)
mode = _current.get  # for code that runs for every node; others read MODE


def record_as(kind: type) -> None:
    """Make new nodes of a class, where no block says otherwise."""
    Mode.usual = _PLAIN.kind = kind


def live() -> Mode:
    """Return the mode of this context, without blocks that ended untold."""
    now = mode()
    for block in now.blocks:
        if block() is None:
            _current.set(Mode(now.blocks))
            return mode()
    return now


class _Here:
    """Read what is switched on in the current context."""

    def __getattr__(self, name: str) -> Any:
        return getattr(live(), name)


MODE = _Here()


class Block(ContextDecorator):
    """Switch one field of the mode for a block or a function; blocks may be nested or overlap.

    `value` makes the field's value of the mode that the blocks around add up to.
    """

    def __init__(self, field: str, value: Callable[[Mode], Any]) -> None:
        self.field, self.value = field, value

    def __enter__(self) -> None:
        # a block that Ctrl-C tore out of its exit ends where it goes
        _current.set(Mode((*mode().blocks, ref(self, lambda _: live()))))

    def __exit__(self, *exception: object) -> None:
        blocks = list(mode().blocks)
        if ref(self) in blocks:
            del blocks[-1 - blocks[::-1].index(ref(self))]
        _current.set(Mode(tuple(blocks)))

    def _recreate_cm(self) -> Block:
        return Block(self.field, self.value)

    def __call__(self, function: Any) -> Any:
        """Return `function` run under the block; a generator between its yields only."""
        if inspect.isgeneratorfunction(function):
            return wraps(function)(lambda *a, **k: _Steps(function(*a, **k), self._recreate_cm))
        if inspect.isasyncgenfunction(function):
            return wraps(function)(lambda *a, **k: _Awaits(function(*a, **k), self._recreate_cm))
        if not inspect.iscoroutinefunction(function):
            return super().__call__(function)

        @wraps(function)
        async def run(*arguments: Any, **named: Any) -> Any:
            with self._recreate_cm():
                return await function(*arguments, **named)

        return run


class _Steps(Generator[Any, Any, Any]):
    """Run each step of a generator in a block; what its user does in between is outside."""

    def __init__(self, generator: Generator[Any, Any, Any], block: Callable[[], Block]) -> None:
        self.generator, self.block = generator, block

    def send(self, value: Any) -> Any:
        with self.block():
            return self.generator.send(value)

    def throw(self, *error: Any) -> Any:
        with self.block():
            return self.generator.throw(*error)


class _Awaits(AsyncGenerator[Any, Any]):
    """Do so for an asynchronous generator."""

    def __init__(self, generator: AsyncGenerator[Any, Any], block: Callable[[], Block]) -> None:
        self.generator, self.block = generator, block

    async def asend(self, value: Any) -> Any:
        with self.block():
            return await self.generator.asend(value)

    async def athrow(self, *error: Any) -> Any:
        with self.block():
            return await self.generator.athrow(*error)


def no_grad() -> Block:
    """Record nothing in a block or a decorated function: its results are leaves."""
    return Block("recording", lambda _: False)


def detect_anomaly() -> Block:
    """Raise AnomalyError where an operation of a block or its backward pass makes nan or inf.

    And where `backward()`, `steps()` or `grad()` meets a node whose operands' data were edited
    after it was computed.
    """
    return Block("checking", lambda _: True)


def scope(name: str) -> Block:
    """Give the nodes made in the block the scope `name`, within the scope around it."""
    if not isinstance(name, str):
        raise TypeError(f"a scope has a name, a text, not {shorten(name)}")
    return Block("scope", lambda m: f"{m.scope}{SEPARATOR}{name}" if m.scope else name)


def scope_path(path: str) -> Block:
    """Give the nodes made in the block the scope `path`, whatever is around it."""
    return Block("scope", lambda _: path)


def comparisons_reported(report: Callable[[], None]) -> Block:
    """Call `report` whenever a Value is compared in the block.

    A program traced on one sample cannot follow a branch that depends on data.
    """
    return Block("on_comparison", lambda _: report)


def lookups_reported(report: Callable[[Any, Any, Any], Any]) -> Block:
    """Call `report(rows, index, row)` whenever a Value chooses one of `rows` in the block.

    `rows` are the table, None for the rows of an identity matrix, `row` the one chosen. `report`
    returns the Values that stand for it, or None.
    """
    return Block("on_lookup", lambda _: report)


def detachments_reported(report: Callable[[Any], Any]) -> Block:
    """Let `report(node)` return what `node.detach()` gives in the block."""
    return Block("on_detach", lambda _: report)


def nodes_reported(made: Any) -> Block:
    """Append every node that an operation makes in the block; nodes are of the list's `kind`."""
    return Block("on_node", lambda _: made)


def check_recording(what: str) -> None:
    """Raise ValueError under `no_grad()`, where nodes are made without what they depend on."""
    if not live().recording:
        raise ValueError(f"{what} under no_grad(): nothing is recorded there; call it outside")


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
    node.made_at = user_line()
    if not math.isfinite(node.data):
        raise AnomalyError(f"{node.data} was made by {described(node)}, at {node.made_at}")


def check_contributions(node: Any, upstream: float) -> None:
    """Raise AnomalyError where a node hands nan or inf to an operand."""
    for operand, (local, contribution) in zip(
        node.parents, node._operation.contributions(node, upstream)
    ):
        if not math.isfinite(contribution):
            made_at = getattr(node, "made_at", "")
            raise AnomalyError(
                f"the gradient that {described(node)} gives to {described(operand)} is "
                f"{contribution}: upstream {upstream} x local {local}"
                + (f"; the node was made at {made_at}" if made_at else "")
            )
