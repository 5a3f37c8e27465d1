"""The engine: numbers that remember how they were computed, and the chain rule over that record.

A `Value` keeps its operands and its operation. `backward()` visits the nodes from the result to
the leaves; each gives every operand its contribution, upstream gradient × local gradient.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from operator import length_hint
from typing import TYPE_CHECKING, Any, NamedTuple

from micrograd.core.asked import ASKED, answer
from micrograd.core.checks import is_list
from micrograd.core.copying import deep_copy, reduced, restore
from micrograd.core.handmade import Handmade, Operands, name_of, operands_of, operation_of
from micrograd.core.kinds import (
    ELEMENTARY,
    LEAF,
    Operation,
    check_up_to_date,
    explain,
    recompute,
)
from micrograd.core.modes import MODE, check_contributions, mode, record_as
from micrograd.core.numbers import data_of, grad_of, number
from micrograd.core.operators import MADE_OF, derive, derived
from micrograd.core.order import next_index, reset_interior, rewire, topological_order
from micrograd.core.recording import (
    checked_sweep,
    compiled_method,
    compiled_sum_of_products,
    compiled_weighted_sum,
    finish_step,
    sweep,
)
from micrograd.ops import ROWS, STOPPED, Row, for_each_row
from micrograd.printing import counted, shorten

__all__ = ["Constant", "Inputs", "Step", "Value", "topological_order", "weighted_sum"]

if TYPE_CHECKING:
    from micrograd.core.declared import Declared
else:
    Declared = object


_NONE: tuple[Value, ...] = ()  # these very objects: nothing was said, the case of most leaves
_UNNAMED = ""


class Value(Declared):
    """Hold one number, its gradient, and how it was computed.

        x, y = Value(2.0, label="x"), Value(3.0, label="y")
        f = x * y + x.tanh()
        f.backward()
        x.grad                # ∂f/∂x = y + 1 - tanh(x) ** 2 = 3.0706...

    `data` is the number, and may be assigned; `forward()` then computes the others anew. `grad` is
    what `backward()` has added up here, 0.0 before. `label` is the name in pictures and in lowered
    code, `scope` the part of a model where the Value was made, `parents` are its operands.

    Values and numbers take + - * / **, -x and abs(x); < <= > >= compare their data, == tells
    whether both are the same object, and `x += y` makes a new Value. The other operations are the
    methods below, in which x and y are the operands, k is a constant and out the result.

    An operation of one's own is a formula, checked at once: see `micrograd.register`. Or a node
    made by hand: `out = Value(x.data ** 3, (x,), "cube")`, whose `out._backward` is then assigned a
    function that adds to `x.grad`; or `Value(8.0, (x,), (12.0,))`, with one slope per child.
    Raises TypeError where `data` is not one real number, ValueError for another number of slopes.
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
    constant = False  # a number of the user's code, whose gradient nobody asks for
    _k: Any = None  # a constant, or the bias of a weighted sum: few nodes have one
    _named: str | None = None  # what a program called the operation of a node
    _hook: Callable[[], object] | None = None  # what a program made the `_backward` of a leaf
    _hooked = False  # whether any leaf has one, or any class a `grad` of its own
    _overridden = False  # whether a class of a program's own has operators or data of its own

    if TYPE_CHECKING:
        _x: Any
        _y: Any

        def __setattr__(self, name: str, value: Any) -> None: ...  # users add attributes

    def __init__(
        self,
        data: Any,
        _children: Iterable[Value] = _NONE,
        _op: Any = _UNNAMED,
        label: str = _UNNAMED,
    ) -> None:
        self.data = data if data.__class__ is float else number(data)
        self.grad = 0.0
        self.scope = mode().scope
        self._operation: Operation = LEAF
        self._x = self._y = None
        self._index = next_index()
        if label is not _UNNAMED:
            self.label = name_of(label)
        if _op is not _UNNAMED or _children is not _NONE:
            operands = operands_of(_children, ordered=is_list(_op))
            self._operation = operation_of(_op, len(operands))
            self._x = None if self._operation is LEAF else operands

    def __init_subclass__(cls, **options: Any) -> None:
        """Derive the other operators of a class with its own +, * or ** from these.

        One with an `__init__` of its own, which need not call ours, gets leaves that are complete.
        """
        super().__init_subclass__(**options)
        Value._overridden |= derive(cls, Value)
        if not cls.__module__.startswith("micrograd."):  # those of a trace keep what is assigned
            Value._hooked |= cls.grad is not Value.grad  # type: ignore[misc]
        if "__init__" in vars(cls) and cls.__new__ is object.__new__:
            cls.__new__ = _complete  # type: ignore[method-assign, assignment]

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

        The slopes are those at the operands' data as they are now: where leaves were edited, call
        `forward()` first; `detect_anomaly()` tells where somebody did not.
        Raises DomainError at a node without a slope (sqrt at 0), ValueError under `no_grad()` and
        at a node made by hand whose slope is nowhere; leaves then hold a part of their gradients.
        """
        if not mode().recording and not MODE.recording:
            raise ValueError(
                "backward() under no_grad(): nothing is recorded there to go back "
                "through; call it after the block"
            )
        order = reset_interior(self)
        self.grad = grad_of(self) + number(seed)
        backpropagate(order)

    def steps(self, seed: float = 1.0) -> Iterator[Step]:
        """Yield what `backward()` does, contribution by contribution; change no `grad`."""
        gradient = {self: number(seed)}
        for node in reversed(topological_order(self)):
            upstream = gradient.setdefault(node, 0.0)
            if mode().checking:
                check_up_to_date(node)
                check_contributions(node, upstream)
            for position, (operand, (local, contribution)) in enumerate(
                zip(node.parents, contributions(node, upstream))
            ):
                total = gradient[operand] = gradient.get(operand, 0.0) + contribution
                yield Step(node, operand, position, local, upstream, contribution, total)

    def forward(self) -> float:
        """Compute every node anew, after leaves were edited; return the new data."""
        recompute(topological_order(self))
        return self.data

    def _forget(self) -> None:
        """Become a leaf: made under `no_grad()`."""
        rewire(self, ())

    def detach(self) -> Value:
        """Return a leaf with the same data: a constant, wherever it goes.

        While a function is traced it is a node that hands no gradient on, so that a program has
        the data of every sample there.
        """
        if report := mode().on_detach:
            return report(self)  # type: ignore[no-any-return]
        leaf = Value(self.data, label=self.label)
        leaf.constant = True
        return leaf

    def pow(self, k: Value | float = 2) -> Value:
        """Return x ** k, of a number or a Value k."""
        return self.power(k) if isinstance(k, Value) else _pow(self, k)

    def __pow__(self, other: Value | float) -> Value:
        return NotImplemented if is_array(other) else self.pow(other)

    def __rpow__(self, other: float) -> Value:
        return Constant(other) ** self

    def __pos__(self) -> Value:
        return self

    def __lt__(self, other: Value | float) -> bool:
        return NotImplemented if is_array(other) else compared(self) < compared(other)

    def __le__(self, other: Value | float) -> bool:
        return NotImplemented if is_array(other) else compared(self) <= compared(other)

    def __gt__(self, other: Value | float) -> bool:
        return NotImplemented if is_array(other) else compared(self) > compared(other)

    def __ge__(self, other: Value | float) -> bool:
        return NotImplemented if is_array(other) else compared(self) >= compared(other)

    # A number is what `.data` is: taken in silence, it would leave the graph.

    def __float__(self) -> float:
        raise TypeError(
            f"must be real number, not {type(self).__name__}: write v.data for the number, or "
            "v.exp(), v.log(), ... for an operation that gradients go through"
        )

    def __int__(self) -> int:
        raise TypeError(f"int() takes a number, not '{type(self).__name__}': write int(v.data)")

    __trunc__ = __int__

    def __round__(self, ndigits: int | None = None) -> float:
        raise TypeError(
            f"round() takes a number, not {type(self).__name__}: write round(v.data, 2)"
        )

    def conjugate(self) -> Value:
        """Return x, which is real: NumPy asks for it in var() and std()."""
        return self

    def __format__(self, spec: str) -> str:
        return format(self.data, spec) if spec else repr(self)

    def __repr__(self) -> str:
        return f"Value(data={self.data}, grad={self.grad or 0})"

    # What programs written for micrograd read and assign.

    @property
    def _op(self) -> str:
        return self._operation.symbol(self) if self._named is None else self._named

    @_op.setter
    def _op(self, name: str) -> None:
        self._named = name_of(name, "the name of an operation")

    @property
    def _prev(self) -> set[Value]:
        shown = Operands(self.parents)
        shown.node = self
        return shown

    @_prev.setter
    def _prev(self, parents: Iterable[Value]) -> None:
        by_hand = self._operation is LEAF or isinstance(self._operation, Handmade)
        rewire(self, operands_of(parents, ordered=not by_hand))

    @property
    def _backward(self) -> Callable[[], object]:
        if self._operation is LEAF:
            return self._hook or (lambda: None)
        return partial(self._operation.bprop, self)

    @_backward.setter
    def _backward(self, function: Callable[[], object]) -> None:
        if not callable(function) and function is not None:  # None: to be pickled, or freed
            raise TypeError(f"_backward is a function without arguments, not {shorten(function)}")
        base = self._operation
        if base is LEAF:  # it stays one, which keeps its gradient and may be a parameter
            self._hook, Value._hooked = function, Value._hooked or bool(function)
            return
        self._operation = Handmade(
            self._op, base.base if isinstance(base, Handmade) else base, function
        )

    # Copies and pickles take the whole graph along, without recursion.

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        return deep_copy(self, memo)

    def __reduce_ex__(self, protocol: Any) -> tuple[Any, ...]:
        return reduced(self)

    def __setstate__(self, state: Any) -> None:
        restore(self, state[-1])


def _complete(kind: type[Value], *_: Any, **__: Any) -> Value:
    leaf = object.__new__(kind)
    Value.__init__(leaf, 0.0)
    return leaf


record_as(Value)
for _name in ("data", "grad"):  # the slots, also where a class has others by their names
    setattr(Value, f"_{_name}", vars(Value)[_name])


class Constant(Value):
    """A number that stood beside a Value in the user's code: nobody asks for its gradient."""

    __slots__ = ()
    constant = True


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
    weights: Sequence[Value],
    inputs: Sequence[Value | float],
    bias: Value | None = None,
    scope: str | None = None,
) -> Value:
    """Return Σ wᵢxᵢ + b as one node. Raises ValueError where the lengths differ."""
    for numbers in (weights, inputs):
        if not is_list(numbers):
            raise TypeError(f"weighted_sum takes a list of numbers, not {shorten(numbers)}")
    if len(weights) != len(inputs):
        raise ValueError(f"{counted(len(weights), 'weight')} for {counted(len(inputs), 'input')}")
    pairs = tuple(map(operand, weights)), Inputs(map(operand, inputs))
    return record_weighted_sum(*pairs, None if bias is None else operand(bias), scope)


def operand(other: Any) -> Value:
    """Return `other` as a Value: a number becomes a constant leaf."""
    return other if isinstance(other, Value) else Constant(other)


def is_array(other: object) -> bool:
    """Tell whether NumPy has to apply an operator element by element."""
    return bool(getattr(other, "ndim", 0))


def compared(other: Value | float) -> float:
    """Return the data to compare; tell whoever traces the graph that data was looked at."""
    report = mode().on_comparison
    if report:
        report()
    return data_of(other) if isinstance(other, Value) else number(other)


def backpropagate(order: Sequence[Value]) -> None:
    """Have every node, the last of an order first, add to its operands' gradients."""
    nodes = reversed(order)
    while length_hint(nodes):
        try:
            (checked_sweep if mode().checking else sweep)(nodes)
        except (ArithmeticError, ValueError, TypeError) as error:
            # the node taken last: as many are left before it. It may go on without a constant
            failed = order[length_hint(nodes)]
            finish_step(failed, error)


def contributions(node: Value, upstream: float) -> list[tuple[float, float]]:
    """Return (local gradient, contribution) for every operand; change no gradient."""
    try:
        return list(node._operation.contributions(node, upstream))
    except (ArithmeticError, ValueError) as error:
        explain(error, node, "slope")


# Of a tuple of weights, Inputs as many, a bias or None, and a scope or None.
record_weighted_sum: Callable[..., Value] = compiled_weighted_sum(Value)


def _reflected(row: Row) -> Callable[..., Value]:
    function = getattr(operator, row.operator)  # so that an operator of a program's own counts

    def reflected(x: Any, y: Any) -> Value:
        return function(operand(y), x)  # type: ignore[no-any-return]

    reflected.__name__ = f"__r{row.operator}__"
    reflected.__qualname__ = f"Value.{reflected.__name__}"
    reflected.__doc__ = f"Return {row.shown.translate(_SWAPPED)}."
    return reflected


_SWAPPED = str.maketrans("xy", "yx")


@for_each_row
def _install(row: Row) -> None:
    """Give Value the method of `row`, and its operators, which leave arrays to NumPy."""
    if row.name not in vars(Value) or row.name in ASKED:
        setattr(Value, row.name, compiled_method(ELEMENTARY[row.name], Value, Constant))
    if not row.operator:
        return
    method = compiled_method(ELEMENTARY[row.name], Value, Constant, f"__{row.operator}__")
    setattr(Value, f"__{row.operator}__", method)
    if row.arity == 2:
        setattr(Value, f"__r{row.operator}__", _reflected(row))


def _follow_assigned() -> None:
    """Have -x, x - y and x / y, which micrograd makes of + * and **, follow others put there."""
    made = derived(Value)
    for row in (row for row in ROWS if f"__{row.operator}__" in MADE_OF):
        name = f"__{row.operator}__"
        method = compiled_method(ELEMENTARY[row.name], Value, Constant, name, derived=made[name])
        setattr(Value, name, method)


_follow_assigned()
answer(Value)

# What `total + w * x` in a loop records, without the detour over the operators.
sum_of_products: Callable[..., Value] = compiled_sum_of_products(Value)
_pow: Callable[[Value, Any], Value] = compiled_method(ELEMENTARY["pow"], Value, Constant)
stopped: Callable[[Value], Value] = compiled_method(ELEMENTARY[STOPPED.name], Value, Constant)
