"""Operations as nodes use them: the rows of `ops`, compiled for floats.

An operation knows a node's operands, computes its value, and gives its local gradients. It is
shared by all its nodes; what differs between nodes sits in their slots `_x`, `_y` and `_k`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from textwrap import indent
from typing import Any, NoReturn

from micrograd.core.modes import AnomalyError, check_contributions, described
from micrograd.ops import FLOATS, ROWS, WEIGHTED_SUM, DomainError, Row

Node = Any  # a Value: this module stands below the one that defines it


class Operation:
    """Stand for a leaf, and for what all kinds of operation have in common."""

    row: Row | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        return _leaf, ()

    def symbol(self, node: Node) -> str:
        """Return what `_op` shows."""
        return self.row.symbol.format(k=node._k) if self.row else ""

    def parents(self, node: Node) -> tuple[Node, ...]:
        """Return the operands of `node`, in order."""
        return ()

    def evaluate(self, node: Node) -> float:
        """Return the value of `node`, from its operands' data."""
        return float(node.data)

    def local_gradients(self, node: Node) -> tuple[float, ...]:
        """Return the local gradient of `node` by each of its operands."""
        return ()

    def bprop(self, node: Node) -> None:
        """Add to the gradient of every operand its contribution: upstream × local."""

    def contributions(self, node: Node, upstream: float) -> Iterator[tuple[float, float]]:
        """Yield (local gradient, contribution) for every operand; change no gradient."""
        for local in self.local_gradients(node):
            yield local, upstream * local


def backward_source(row: Row) -> str:
    """Return the statements of the backward step of a `node` of `row`; they load what they use."""
    formulas = [FLOATS.rewritten(text) for text in row.local]
    used = set(re.findall(r"\w+", " ".join(formulas)))
    operands = ("first", "second")[: row.arity]
    lines = ["upstream = node.grad"]
    lines += [f"{name} = node.{slot}" for name, slot in zip(operands, ("_x", "_y"))]
    reads = {"x": "first.data", "y": "second.data", "k": "node._k", "out": "node.data"}
    lines += [f"{letter} = {read}" for letter, read in reads.items() if letter in used]
    for operand, formula in zip(operands, formulas):
        contribution = "upstream" if formula == "1" else f"upstream * ({formula})"
        lines.append(f"{operand}.grad += {contribution}")
    return "\n".join(lines)


class Elementary(Operation):
    """Stand for an operation whose formulas are a row's.

    `bprop` is the same step as `contributions`, with the formulas written in: what runs when
    nobody looks. A test compares the two on random graphs.
    """

    row: Row

    def __init__(self, row: Row) -> None:
        self.row = row
        self.value = FLOATS.value(row)
        self.local = FLOATS.compile(f"({', '.join(row.local)},)")
        source = "def bprop(node):\n" + indent(backward_source(row), 4 * " ")
        self.bprop = FLOATS.define(source, "bprop")  # type: ignore[method-assign]

    def __reduce__(self) -> tuple[Any, ...]:
        return _elementary, (self.row.name,)


class Unary(Elementary):
    """An operation of one operand, and perhaps a constant k."""

    def parents(self, node: Node) -> tuple[Node, ...]:
        return (node._x,)

    def evaluate(self, node: Node) -> float:
        return self.value(node._x.data, None, node._k)  # type: ignore[no-any-return]

    def local_gradients(self, node: Node) -> tuple[float, ...]:
        return self.local(node._x.data, None, node._k, node.data)  # type: ignore[no-any-return]


class Binary(Elementary):
    """An operation of two operands."""

    def parents(self, node: Node) -> tuple[Node, ...]:
        return (node._x, node._y)

    def evaluate(self, node: Node) -> float:
        return self.value(node._x.data, node._y.data)  # type: ignore[no-any-return]

    def local_gradients(self, node: Node) -> tuple[float, ...]:
        x, y = node._x.data, node._y.data
        return self.local(x, y, None, node.data)  # type: ignore[no-any-return]


class WeightedSum(Operation):
    """Σ wᵢxᵢ + b: slots hold the tuple of weights, the tuple of inputs, and the bias or None."""

    row = WEIGHTED_SUM

    def __reduce__(self) -> tuple[Any, ...]:
        return _elementary, (self.row.name,)

    def parents(self, node: Node) -> tuple[Node, ...]:
        pairs = tuple(operand for pair in zip(node._x, node._y) for operand in pair)
        return pairs if node._k is None else (*pairs, node._k)

    def evaluate(self, node: Node) -> float:
        total: float = 0.0 if node._k is None else node._k.data
        for weight, x in zip(node._x, node._y):
            total += weight.data * x.data
        return total

    def local_gradients(self, node: Node) -> tuple[float, ...]:
        pairs = [local for w, x in zip(node._x, node._y) for local in (x.data, w.data)]
        return tuple(pairs) if node._k is None else (*pairs, 1.0)

    def bprop(self, node: Node) -> None:
        upstream = node.grad
        for weight, x in zip(node._x, node._y):
            weight.grad += upstream * x.data
            x.grad += upstream * weight.data
        if node._k is not None:
            node._k.grad += upstream


class Handmade(Operation):
    """A node whose backward step is a function of the user's, or that has none yet.

    `base` is the operation the node had before a function was assigned to its `_backward`.
    """

    def __init__(
        self, name: str, base: Operation | None = None, function: Callable[[], object] | None = None
    ) -> None:
        self.name, self.base, self.function = name, base, function

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

    def contributions(self, node: Node, upstream: float) -> Iterator[tuple[float, float]]:
        """Run the function on gradients put aside, and read off what it adds.

        An operand that occurs twice gets all of it at its first place.
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
            yield (contribution / upstream if upstream else 0.0), contribution


LEAF = Operation()
SUM_OF_PRODUCTS = WeightedSum()
ELEMENTARY: dict[str, Elementary] = {
    row.name: (Unary if row.arity == 1 else Binary)(row) for row in ROWS
}


# Most nodes of a network are products and sums: their steps are written into the loop, since a
# call takes as long as the step.
_SWEEP = """
def sweep(nodes):
    for node in nodes:
        operation = node._operation
        if operation is mul:
{mul}
        elif operation is add:
{add}
        else:
            operation.bprop(node)
"""
_IN_LINE = {name: ELEMENTARY[name] for name in ("mul", "add")}
sweep = FLOATS.define(
    _SWEEP.format(**{n: indent(backward_source(o.row), 12 * " ") for n, o in _IN_LINE.items()}),
    "sweep", **_IN_LINE,
)  # fmt: skip


def checked_sweep(nodes: Iterable[Node]) -> None:
    """Take the backward step of every node, and look for nan and inf in what it gives."""
    for node in nodes:
        node._operation.bprop(node)
        check_contributions(node)


def _leaf() -> Operation:
    return LEAF


def _elementary(name: str) -> Operation:
    return SUM_OF_PRODUCTS if name == WEIGHTED_SUM.name else ELEMENTARY[name]


def domain_error(
    row: Row, operands: tuple[float, ...], k: float | None, what: str, node: str = ""
) -> DomainError:
    """Return the error for a row that has no `what` (value, slope) at `operands`."""
    at = ", ".join(f"{letter} = {x!r}" for letter, x in zip("xy", operands))
    at += f", k = {k!r}" if k is not None else ""
    needs = f"; it needs {row.needs}" if row.needs else ""
    return DomainError(
        f"{row.shown} has no finite {what} at {at}{needs}" + (f" ({node})" if node else "")
    )


def explain(error: Exception, node: Node, what: str) -> NoReturn:
    """Raise the DomainError that says which node has no `what`; other errors as they are."""
    row = node._operation.row
    if row is None or isinstance(error, AnomalyError):
        raise error
    operands = tuple(parent.data for parent in node.parents)
    raise domain_error(row, operands, node._k, what, described(node)) from error
