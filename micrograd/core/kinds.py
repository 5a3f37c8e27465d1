"""Operations as nodes use them: the rows of `ops`, compiled for floats.

An operation knows a node's operands, computes its value, and gives its local gradients. It is
shared by all its nodes; what differs between nodes sits in their slots `_x`, `_y` and `_k`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from textwrap import indent
from typing import Any, NoReturn

from micrograd.core.formulas import FLOATS
from micrograd.core.modes import AnomalyError, described
from micrograd.core.numbers import data_of
from micrograd.ops import UNCALLED, WEIGHTED_SUM, DomainError, Row, for_each_row, row_named
from micrograd.printing import shorten

Node = Any  # a Value: this module stands below the one that defines it


class Operation:
    """Stand for a leaf, and for what all kinds of operation have in common."""

    row: Row | None = None
    computable = True  # whether `evaluate` gives a node's value

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
        return data_of(node)

    def local_gradients(self, node: Node) -> tuple[float, ...]:
        """Return the local gradient of `node` by each of its operands."""
        return ()

    def bprop(self, node: Node) -> None:
        """Add to the gradient of every operand its contribution: upstream × local."""
        if node._hook:
            node._hook()

    def contributions(self, node: Node, upstream: float) -> Iterator[tuple[float, float]]:
        """Yield (local gradient, contribution) for every operand; change no gradient."""
        for local in self.local_gradients(node):
            yield local, upstream * local


def backward_source(row: Row) -> str:
    """Return the statements of the backward step of a `node` of `row`."""
    reads = {"x": "x.data", "y": "y.data", "k": "node._k", "out": "node.data"}
    operands = "xy"[: row.arity]
    lines = ["upstream = node.grad", *(f"{letter} = node._{letter}" for letter in operands)]
    for letter, text in zip(operands, row.local):
        factor = "" if text == "1" else f" * ({FLOATS.rewritten(text, reads)})"
        lines.append(f"{letter}.grad += upstream{factor}")
    return "\n".join(lines)


def _of_constants(node: Node) -> bool:
    """Tell whether all leaves below are constants: nobody asks for a slope there."""
    seen, waiting = {node}, [node]
    while waiting:
        node = waiting.pop()
        if not (node.parents or node.constant):
            return False
        new = {*node.parents} - seen
        seen |= new
        waiting += new
    return True


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
        return _elementary, self.row.kept

    def demanded(self, node: Node) -> list[float | None]:
        """Return the local gradients one by one; None by what is of constants and has none."""
        slopes: list[float | None] = []
        operands = self.parents(node)
        data = (*(operand.data for operand in operands), None)[:2]
        for operand, local in zip(operands, FLOATS.local(self.row)):
            try:
                slopes.append(local(*data, node._k, node.data))
            except (ArithmeticError, ValueError):
                if not _of_constants(operand):
                    raise
                slopes.append(None)
        return slopes

    def local_gradients(self, node: Node) -> tuple[float, ...]:
        """Return the local gradients; 0 by a constant of the code that has none."""
        try:
            return self.all_slopes(node)
        except (ArithmeticError, ValueError):
            return tuple(slope or 0.0 for slope in self.demanded(node))

    def all_slopes(self, node: Node) -> tuple[float, ...]:
        """Return the local gradients by all operands, constants too."""
        raise NotImplementedError


class Unary(Elementary):
    """An operation of one operand, and perhaps a constant k."""

    def parents(self, node: Node) -> tuple[Node, ...]:
        return (node._x,)

    def evaluate(self, node: Node) -> float:
        return self.value(node._x.data, None, node._k)  # type: ignore[no-any-return]

    def all_slopes(self, node: Node) -> tuple[float, ...]:
        return self.local(node._x.data, None, node._k, node.data)  # type: ignore[no-any-return]


class Binary(Elementary):
    """An operation of two operands."""

    def parents(self, node: Node) -> tuple[Node, ...]:
        return (node._x, node._y)

    def evaluate(self, node: Node) -> float:
        return self.value(node._x.data, node._y.data)  # type: ignore[no-any-return]

    def all_slopes(self, node: Node) -> tuple[float, ...]:
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
            total = total + weight.data * x.data
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


LEAF = Operation()
SUM_OF_PRODUCTS = WeightedSum()


def _elementary_of(row: Row) -> Elementary:
    return (Unary if row.arity == 1 else Binary)(row)


ELEMENTARY = {row.name: _elementary_of(row) for row in UNCALLED}


@for_each_row
def _compile(row: Row) -> None:
    ELEMENTARY[row.name] = _elementary_of(row)


def _leaf() -> Operation:
    return LEAF


def _elementary(*kept: str) -> Operation:
    name = row_named(*kept).name
    return SUM_OF_PRODUCTS if name == WEIGHTED_SUM.name else ELEMENTARY[name]


def domain_error(
    row: Row, operands: tuple[float, ...], k: float | None, what: str, node: str = ""
) -> DomainError:
    """Return the error for a row that has no `what` (value, slope) at `operands`."""
    at = ", ".join(f"{letter} = {x!r}" for letter, x in zip("xy", operands))
    at += f", k = {shorten(k)}" if k is not None else ""
    needs = f"; it needs {row.needs}" if row.needs else ""
    return DomainError(
        f"{row.shown} has no finite {what} at {at}{needs}" + (f" ({node})" if node else "")
    )


def explain(error: Exception, node: Node, what: str, note: str = "") -> NoReturn:
    """Raise the DomainError that says which node has no `what`; other errors as they are.

    TypeError where an operand holds what is no number; `note` is said beside.
    """
    operands = tuple(map(data_of, node.parents))
    row = node._operation.row
    if row is None or isinstance(error, (AnomalyError, TypeError)):
        if note and hasattr(error, "add_note"):
            error.add_note(note)
        raise error
    name = "; ".join(filter(None, (described(node), note)))
    raise domain_error(row, operands, node._k, what, name) from error


def recompute(order: Iterable[Node]) -> None:
    """Compute nodes anew, every operand before its users. Raises DomainError as `explain` does."""
    try:
        for node in order:
            node.data = node._operation.evaluate(node)
    except (ArithmeticError, ValueError) as error:
        explain(error, node, "value")


def check_up_to_date(node: Node) -> None:
    """Raise AnomalyError where the operands' data give another value than the node holds."""
    if not node._operation.computable:
        return
    try:
        now = node._operation.evaluate(node)
    except (ArithmeticError, ValueError) as error:
        explain(error, node, "value")
    if now != node.data and not (now != now and node.data != node.data):
        raise AnomalyError(
            f"{described(node)} holds {node.data!r}, but its operands' data now give {now!r}: they "
            "were edited after it was computed; call forward() before backward()"
        )
