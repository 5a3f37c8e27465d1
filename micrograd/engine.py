"""The engine: numbers that remember how they were computed, and the chain rule over that record.

A `Value` keeps its operands and its operation. `backward()` visits the nodes from the result to
the leaves; each gives every operand its contribution, upstream gradient × local gradient.
"""

from __future__ import annotations

import numbers
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import count
from operator import length_hint
from typing import TYPE_CHECKING, Any, NamedTuple

from micrograd.core.kinds import (
    ELEMENTARY,
    LEAF,
    SUM_OF_PRODUCTS,
    Handmade,
    Operation,
    checked_sweep,
    explain,
    sweep,
)
from micrograd.core.modes import MODE, check_value
from micrograd.core.order import reset_interior
from micrograd.core.order import topological_order as topological_order
from micrograd.core.recording import compiled_method, compiled_sum_of_products
from micrograd.core.wiring import rewire
from micrograd.ops import ROWS, Row

_next_index = count().__next__


class Value:
    """Hold one number, its gradient, and how it was computed.

    Raises TypeError where `data` is not one real number.
    """

    # Operands sit in flat slots: a node is the only object of its operation that the cyclic
    # collector visits, and visits are what an engine of many small objects spends its time on.
    __slots__ = (
        "data",
        "grad",
        "scope",
        "_operation",
        "_x",
        "_y",
        "_index",
        "__dict__",
        "__weakref__",
    )
    label = ""
    _k: Any = None  # a constant, or the bias of a weighted sum: few nodes have one

    if TYPE_CHECKING:  # the methods of the rows, and attributes that users add
        _x: Any
        _y: Any

        def __getattr__(self, name: str) -> Any: ...
        def __setattr__(self, name: str, value: Any) -> None: ...
        def __add__(self, other: Value | float) -> Value: ...
        def __radd__(self, other: float) -> Value: ...
        def __sub__(self, other: Value | float) -> Value: ...
        def __rsub__(self, other: float) -> Value: ...
        def __mul__(self, other: Value | float) -> Value: ...
        def __rmul__(self, other: float) -> Value: ...
        def __truediv__(self, other: Value | float) -> Value: ...
        def __rtruediv__(self, other: float) -> Value: ...
        def __neg__(self) -> Value: ...
        def __abs__(self) -> Value: ...

    def __init__(
        self, data: Any, _children: Iterable[Value] = (), _op: str = "", label: str = ""
    ) -> None:
        self.data = data if data.__class__ is float else number(data)
        self.grad = 0.0
        self.scope = MODE.scope
        self._operation: Operation = LEAF
        self._x = self._y = None
        self._index = _next_index()
        if label:
            self.label = label
        if _op or _children:
            self._operation, self._x = Handmade(_op), tuple(_children)

    @property
    def parents(self) -> tuple[Value, ...]:
        """Return the operands, in order."""
        return self._operation.parents(self)

    def local_gradients(self) -> tuple[float, ...]:
        """Return ∂self/∂operand for every operand, from the operands' data as they are now."""
        try:
            return self._operation.local_gradients(self)
        except (ArithmeticError, ValueError) as error:
            explain(error, self, "slope")

    def backward(self, seed: float = 1.0) -> None:
        """Add ∂self/∂leaf to the `grad` of every leaf; set the `grad` of every other node.

        Raises DomainError at a node without a slope (sqrt at 0), ValueError under `no_grad()`.
        """
        if not MODE.recording:
            raise ValueError(
                "backward() under no_grad(): nothing is recorded there to go back "
                "through; call it after the block"
            )
        order = reset_interior(self)
        self.grad += float(seed)
        nodes = reversed(order)
        try:
            (checked_sweep if MODE.checking else sweep)(nodes)
        except (ArithmeticError, ValueError) as error:
            failed = order[length_hint(nodes)]  # the node taken last: as many are left before it
            explain(error, failed, "slope")

    def steps(self, seed: float = 1.0) -> Iterator[Step]:
        """Yield what `backward()` does, contribution by contribution; change no `grad`."""
        gradient = {self: float(seed)}
        for node in reversed(topological_order(self)):
            upstream = gradient.setdefault(node, 0.0)
            for position, (operand, (local, contribution)) in enumerate(
                zip(node.parents, contributions(node, upstream))
            ):
                total = gradient[operand] = gradient.get(operand, 0.0) + contribution
                yield Step(node, operand, position, local, upstream, contribution, total)

    def forward(self) -> float:
        """Compute every node anew, after leaves were edited; return the new data."""
        try:
            for node in topological_order(self):
                node.data = node._operation.evaluate(node)
        except (ArithmeticError, ValueError) as error:
            explain(error, node, "value")
        return self.data

    def detach(self) -> Value:
        """Return a leaf with the same data."""
        return Value(self.data, label=self.label)

    def __pow__(self, other: Value | float) -> Value:
        if isinstance(other, Value):
            return self.power(other)  # type: ignore[no-any-return]
        return self.pow(other if other.__class__ is int else number(other))  # type: ignore[no-any-return]

    def __rpow__(self, other: float) -> Value:
        return Value(other) ** self

    def __lt__(self, other: Value | float) -> bool:
        return bool(compared(self) < compared(other))

    def __le__(self, other: Value | float) -> bool:
        return bool(compared(self) <= compared(other))

    def __gt__(self, other: Value | float) -> bool:
        return bool(compared(self) > compared(other))

    def __ge__(self, other: Value | float) -> bool:
        return bool(compared(self) >= compared(other))

    def __repr__(self) -> str:
        return f"Value(data={self.data}, grad={self.grad or 0})"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        from micrograd.render.notebook import mimebundle

        return mimebundle(self)

    # What programs written for micrograd read and assign.

    @property
    def _op(self) -> str:
        return self._operation.symbol(self)

    @property
    def _prev(self) -> set[Value]:
        return set(self.parents)

    @_prev.setter
    def _prev(self, parents: Iterable[Value]) -> None:
        rewire(self, tuple(parents))

    @property
    def _backward(self) -> Callable[[], object]:
        return partial(self._operation.bprop, self)

    @_backward.setter
    def _backward(self, function: Callable[[], object]) -> None:
        base = self._operation
        self._operation = Handmade(
            self._op, base.base if isinstance(base, Handmade) else base, function
        )

    # Copies and pickles take the whole graph along, without recursion.

    def __deepcopy__(self, memo: dict[int, Any]) -> Value:
        from micrograd.core.copying import deep_copy

        return deep_copy(self, memo)

    def __reduce_ex__(self, protocol: Any) -> tuple[Any, ...]:
        from micrograd.core.copying import reduced

        return reduced(self)

    def __setstate__(self, state: Any) -> None:
        from micrograd.core.copying import restore

        restore(self, state[-1])


class Inputs(tuple[Value, ...]):
    """Operands known to be Values: made once, shared by the neurons of a layer."""

    __slots__ = ()


class Step(NamedTuple):
    """One contribution of a backward pass: `node` hands `upstream` × `local` to `operand`.

    `position` is the operand's place among the node's parents, `total` the operand's gradient
    with this contribution added.
    """

    node: Value
    operand: Value
    position: int
    local: float
    upstream: float
    contribution: float
    total: float


def weighted_sum(
    weights: Sequence[Value], inputs: Sequence[Value | float], bias: Value | None = None
) -> Value:
    """Return Σ wᵢxᵢ + b as one node. Raises ValueError where the lengths differ."""
    if len(weights) != len(inputs):
        raise ValueError(f"{len(weights)} weights for {len(inputs)} inputs")
    pairs = tuple(weights), inputs if isinstance(inputs, Inputs) else tuple(map(operand, inputs))
    total = 0.0 if bias is None else bias.data
    for weight, x in zip(*pairs):
        total += weight.data * x.data
    return _node(SUM_OF_PRODUCTS, total, *pairs, bias)


def number(data: Any) -> float:
    """Return `data` as a float. Raises TypeError where it is not one real number."""
    if isinstance(data, numbers.Real):
        return float(data)
    if getattr(data, "ndim", None) == 0:
        return number(data.item())
    remedy = "give one real number"
    if isinstance(data, Value):
        remedy = "it is one already; detach() makes a copy that remembers nothing"
    elif isinstance(data, (list, tuple)) or hasattr(data, "ndim"):
        remedy = "make one Value for each element"
    raise TypeError(f"a Value cannot hold {data!r} ({type(data).__name__}): {remedy}")


def operand(other: Any) -> Value:
    """Return `other` as a Value: a number becomes a constant leaf."""
    return other if isinstance(other, Value) else Value(other)


def compared(other: Value | float) -> float:
    """Return the data to compare; tell whoever traces the graph that data was looked at."""
    if MODE.on_comparison:
        MODE.on_comparison()
    return other.data if isinstance(other, Value) else other


def contributions(node: Value, upstream: float) -> list[tuple[float, float]]:
    """Return (local gradient, contribution) for every operand; change no gradient."""
    try:
        return list(node._operation.contributions(node, upstream))
    except (ArithmeticError, ValueError) as error:
        explain(error, node, "slope")


def _node(operation: Operation, data: float, x: Any, y: Any, k: Any) -> Value:
    """Make the node of one operation."""
    node = Value.__new__(Value)
    node.data = data
    node.grad = 0.0
    node.scope = MODE.scope
    node._operation, node._x, node._y = operation, x, y
    if k is not None:
        node._k = k
    node._index = _next_index()
    if MODE.special:
        _treat_specially(node)
    return node


def _treat_specially(node: Value) -> None:
    if MODE.checking:
        check_value(node)
    if not MODE.recording:
        rewire(node, ())


_names = {
    "Value": Value,
    "new": object.__new__,
    "next_index": _next_index,
    "treat_specially": _treat_specially,
}
# What `total + w * x` in a loop records, without the detour over the operators.
sum_of_products: Callable[[Sequence[Value], Sequence[Value], Value], Value]
sum_of_products = compiled_sum_of_products(**_names)


def _install(row: Row) -> None:
    """Give Value the method of `row`, and its operators."""
    method = compiled_method(ELEMENTARY[row.name], **_names)
    setattr(Value, row.name, method)
    if row.operator:
        setattr(Value, f"__{row.operator}__", method)
        if row.arity == 2:
            setattr(Value, f"__r{row.operator}__", lambda self, other: method(operand(other), self))


for _row in ROWS:
    _install(_row)
