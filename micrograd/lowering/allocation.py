"""The buffers that buffered programs write into: made once, shared where they are free."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Any

from micrograd.lowering.columns import Ints
from micrograd.lowering.expr import Assign, B, Expr, Shape
from micrograd.lowering.layout import tall, truth
from micrograd.lowering.stacking import Stack
from micrograd.lowering.text import reshaped, shape_text


class Allocation:
    """Collect what is made once: `setup` runs once, `body` at every call."""

    def __init__(self, fixed: set[str], tables: dict[str, Ints], results: Collection[str] = (),
                 stacks: Mapping[str, Stack] = MappingProxyType({})) -> None:  # fmt: skip
        self.results, self.stacks = results, stacks
        self.stack_of = {member: name for name, s in stacks.items() for member in s.members}
        self.parts: dict[str, str] = {}  # buffers that are parts of a larger one
        self.columnwise: set[str] = set()  # buffers that lie column by column
        self.setup: list[str] = []
        self.body: list[str] = []
        self.fixed = set(fixed)  # names whose object stays the same from call to call
        self.tables = tables
        self.scratch: set[str] = set()  # buffers that only the expression at hand uses
        self.held: list[str] = []  # buffers of operands that wait for those beside them
        self.base: dict[str, str] = {}  # what a view shows
        self.kinds: dict[str, tuple[Shape, str]] = {}
        self.pool: dict[tuple[Shape, str], list[str]] = {}
        self.root: Expr | None = None
        self.made: dict[str, str] = {}
        self.shared: dict[Expr, str] = {}

    def _begin(self, e: Expr) -> None:
        for name in self.scratch:
            self.pool.setdefault(self.kinds[name], []).append(name)
        self.scratch, self.shared, self.root = set(), {}, e

    def _allocate(self, name: str, shape: Shape, zero: bool = False, kind: str = "float64",
                  plain: bool = False) -> None:  # fmt: skip
        maker = "zeros" if zero else "empty"
        text = f"{maker}({shape_text(shape)}, {kind})"
        if tall(shape) and not plain:
            text = f"{maker}({shape_text(shape[::-1])}, {kind}).T"
            self.columnwise.add(name)
        self.setup.append(f"{name} = {text}")
        self.fixed.add(name)

    def _house(self, line: Assign, reuse: str | None) -> None:
        """Make the array of a statement: a part of a larger one, one no longer read, or a new."""
        name = line.name
        if name in self.stack_of:
            if self.stack_of[name] not in self.fixed:
                self._allocate_stack(self.stack_of[name], own_line=False)
        elif name in self.parts:
            self.setup.append(f"{name} = {self.parts[name]}")
        elif reuse:
            self.setup.append(f"{name} = {reuse}")
            self.columnwise |= {name} if reuse in self.columnwise else set()
            if name in self.stacks:
                self._members(name)
        elif name in self.stacks:
            self._allocate_stack(name, own_line=line.expr.kind != "lookup")
        else:
            plain = name in self.results or line.expr.kind == "lookup"
            self._allocate(name, line.expr.shape, plain=plain)
        self.fixed.add(name)

    def _allocate_stack(self, name: str, own_line: bool) -> None:
        """Make a stack; its members are views. Only what is computed whole may lie by columns."""
        stack = self.stacks[name]
        plain = not own_line or any(member in self.results for member in stack.members)
        self._allocate(name, stack.whole, plain=plain)
        self._members(name)

    def _members(self, name: str) -> None:
        for place, member in enumerate(self.stacks[name].members):
            self.setup.append(f"{member} = {name}[{B} * {place}:{B} * {place + 1}]")
            self.fixed.add(member)
            self.columnwise |= {member} if name in self.columnwise else set()

    def _hoisted(self, text: str) -> str:
        """Return the name of an object made once."""
        if text not in self.made:
            self.made[text] = f"_v{len(self.made)}"
            self.setup.append(f"{self.made[text]} = {text}")
            self.fixed.add(self.made[text])
        return self.made[text]

    def _buffer(self, shape: Shape, kind: str = "float64", plain: bool = False) -> str:
        free = self.pool.get((shape, kind)) if not plain else None
        if free:
            name = free.pop()
        else:
            name = f"_q{len(self.setup)}"
            self._allocate(name, shape, kind=kind, plain=plain)
            if plain:
                return name
            self.kinds[name] = shape, kind
        self.scratch.add(name)
        return name

    def _target(self, e: Expr, out: str | None, *operands: tuple[str, Expr]) -> str:
        """Return where to write: `out`, else a scratch operand of the same shape, else a buffer."""
        usable = [
            name
            for name, operand in operands
            if name in self.scratch
            and name not in self.held
            and operand.shape == e.shape
            and not truth(operand)
        ]
        target = out or next(iter(usable), None) or self._buffer(e.shape)
        self.shared = {e: name for e, name in self.shared.items() if name != target}
        return target

    def _zeros(self, e: Expr, out: str | None) -> str:
        """Return a buffer that only `e` writes to, so that its zeros stay."""
        if e is self.root and out:
            self.setup.append(f"{out}[...] = 0")
            return out
        name = f"_q{len(self.setup)}"
        self._allocate(name, e.shape, zero=True)
        return name

    def _turned(self, name: str) -> str:
        return self._hoisted(f"{name}.T") if name in self.fixed else f"{name}.T"

    def _reshaped(self, name: str, shape: tuple[Any, ...]) -> str:
        text = f"{name}.reshape({reshaped(shape)})"
        return self._hoisted(text) if name in self.fixed else text
