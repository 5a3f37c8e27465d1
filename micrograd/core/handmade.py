"""Nodes made by hand: what `Value(data, children, name)` and an assigned `_backward` are."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Set
from math import nan
from typing import Any

from micrograd.core.checks import is_list, is_several
from micrograd.core.kinds import LEAF, Operation
from micrograd.core.modes import described
from micrograd.core.numbers import number
from micrograd.printing import counted, shorten

Node = Any  # a Value: this module stands below the one that defines it


class Handmade(Operation):
    """A node whose backward step is a function of the user's, or that has none yet.

    `base` is the operation the node had before a function was assigned to its `_backward`.
    """

    def __init__(
        self, name: str, base: Operation | None = None, function: Callable[[], object] | None = None
    ) -> None:
        self.name, self.base, self.function = name, base, function
        self.computable = base is not None

    def __reduce__(self) -> tuple[Any, ...]:
        return Handmade, (self.name, self.base, self.function)

    def symbol(self, node: Node) -> str:
        return self.name

    def parents(self, node: Node) -> tuple[Node, ...]:
        return self.base.parents(node) if self.base else node._x

    def evaluate(self, node: Node) -> float:
        if self.base is None:
            raise ValueError(
                f"cannot compute {described(node)} again: it was made by hand, so only "
                "its backward step is known; build the graph anew instead"
            )
        return self.base.evaluate(node)

    def local_gradients(self, node: Node) -> tuple[float, ...]:
        return tuple(local for local, _ in self.contributions(node, 1.0))

    def bprop(self, node: Node) -> None:
        if self.function is not None:
            self.function()
        elif self.parents(node):
            raise ValueError(
                f"{described(node)} was made by hand, and nothing says what it hands on: assign "
                "its _backward, or give its local gradients: Value(data, children, (1.0, ...))"
            )

    def contributions(self, node: Node, upstream: float) -> Iterator[tuple[float, float]]:
        """Run the function on gradients put aside, and read off what it adds.

        An operand that occurs twice gets all of it at its first place. Of an upstream gradient of 0
        no local gradient can be read off: it is nan.
        """
        distinct = list(dict.fromkeys(self.parents(node)))
        kept = [(n, n.grad) for n in (node, *distinct)]
        try:
            for operand in distinct:
                operand.grad = 0.0
            node.grad = upstream
            self.bprop(node)
            added = {operand: operand.grad for operand in distinct}
        finally:
            for n, grad in kept:
                n.grad = grad
        for operand in self.parents(node):
            contribution = added.pop(operand, 0.0)
            yield (contribution / upstream if upstream else nan), contribution


class Operands(set[Any]):
    """The operands of `node`, as micrograd has them: a change here is one to the graph."""

    node: Node = None

    def __repr__(self) -> str:
        return repr(set(self))

    def add(self, operand: Node) -> None:
        """Add an operand."""
        self.update([operand])

    def update(self, *several: Iterable[Node]) -> None:
        """Add operands."""
        super().update(*several)
        self._write()

    def discard(self, operand: Node) -> None:
        """Take an operand away, if it is one."""
        super().discard(operand)
        self._write()

    def remove(self, operand: Node) -> None:
        """Take an operand away. Raises KeyError where it is none."""
        super().remove(operand)
        self._write()

    def clear(self) -> None:
        """Take all operands away."""
        super().clear()
        self._write()

    def _write(self) -> None:
        if self.node is not None and self != set(self.node.parents):
            self.node._prev = self


class Stated(Handmade):
    """A node made with its local gradients as numbers, `count` of them: one per operand."""

    def __init__(self, slopes: Iterable[Any], count: int) -> None:
        super().__init__("")
        self.slopes = tuple(map(number, slopes))
        if len(self.slopes) != count:
            raise ValueError(
                f"{counted(len(self.slopes), 'local gradient')} for {counted(count, 'operand')}: "
                "give one for each"
            )

    def __reduce__(self) -> tuple[Any, ...]:
        return Stated, (self.slopes, len(self.slopes))

    def local_gradients(self, node: Node) -> tuple[float, ...]:
        return self.slopes

    def bprop(self, node: Node) -> None:
        for operand, local in zip(self.parents(node), self.slopes):
            operand.grad += node.grad * local

    def contributions(self, node: Node, upstream: float) -> Iterator[tuple[float, float]]:
        return Operation.contributions(self, node, upstream)


def operation_of(given: Any, count: int) -> Operation:
    """Return the operation of a node with `count` operands: by name, or by local gradients.

    Raises TypeError where it is neither, ValueError for another number of gradients.
    """
    if isinstance(given, (str, type(None))):
        return Handmade(given or "") if given or count else LEAF
    if not is_list(given):
        raise TypeError(
            "an operation is said by its name, or by one local gradient for each child, not "
            f"{shorten(given)}"
        )
    return Stated(given, count) if count or len(given) else LEAF


def operands_of(children: Any, ordered: bool) -> tuple[Node, ...]:
    """Return the operands of a node.

    Raises TypeError where they are no Values, or several in a set, and their order counts.
    """
    listed = is_several(children) and not hasattr(children, "_operation")
    operands = tuple(children) if listed else None
    if operands is None or not all(hasattr(operand, "_operation") for operand in operands):
        raise TypeError(f"the operands of a node are a tuple of Values, not {shorten(children)}")
    if ordered and isinstance(children, Set) and len(children) > 1:
        raise TypeError(
            f"{shorten(children)} is a set, which keeps no order; the operands of this node are "
            "told apart by their order: give a tuple"
        )
    return operands


def name_of(label: Any, what: str = "a label") -> str:
    """Return a label as text; numbers are taken too. Raises TypeError for anything else."""
    if label.__class__ is str:
        return label
    if isinstance(label, (str, int, float, type(None))):
        return "" if label is None else str(label)
    raise TypeError(f"{what} is text, not {shorten(label)} ({type(label).__name__})")
