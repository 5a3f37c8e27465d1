"""Recording and going back, written out: the methods of the rows, and the sweep of `backward()`.

The text of a row's method, of a weighted sum and of a sum of products is made from one template,
so a node is recorded in one place. It stands in line in each: a call or two for every operation
would be half of the operation's time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from itertools import accumulate
from textwrap import indent
from typing import Any

from micrograd.core.formulas import FLOATS
from micrograd.core.kinds import (
    ELEMENTARY,
    SUM_OF_PRODUCTS,
    Elementary,
    backward_source,
    check_up_to_date,
    domain_error,
    explain,
)
from micrograd.core.modes import (
    AnomalyError,
    check_contributions,
    check_value,
    described,
    live,
    mode,
)
from micrograd.core.numbers import constant, data_of, grad_of, number
from micrograd.core.operators import MADE_OF, by_operators
from micrograd.core.order import next_index
from micrograd.ops import Row

PARTLY = "leaves hold what backward() gave them before it failed here: set their grad to 0"
LONGEST = 72  # what a docstring says about slopes
Node = Any  # a Value: this module stands below the one that defines it

_RECORD = """
node = new(here.kind)
node._data = data
node._grad = 0.0
node.scope = {scope}
node._operation = operation
node._x = {x}
node._y = {y}
{constant}
node._index = next_index()
if here.special:
    if here.hook:
        here.hook(node)
    else:
        treat_specially(node)
"""
_METHOD = """
def {name}(x{parameters}):
{guard}
{coercion}
    here = mode()
    try:
        data = {value}
        if data.__class__ is not float{unseen}:
            settle({operands})
            data = number({value})
    except (ArithmeticError, ValueError, TypeError) as error:
        raise no_value(operation.row, {operands}, {k}) from error
{record}
    return node
"""
_OPERAND = """
    if y.__class__ is not Value and not isinstance(y, Value):
        {array}
        y = Constant(y)
"""
_LEFT_TO_NUMPY = 'if getattr(y, "ndim", 0): return NotImplemented'
_GUARD = """
    if {others}:
        return derived({operands})
"""
_CONSTANT = """
    if k.__class__ is not int and k.__class__ is not float:
        k = constant(k, operation.row.shown)
"""
_SUM_OF_PRODUCTS = """
def sum_of_products(weights, inputs, total, scope=None):
    ours = Value.__add__ is plus and Value.__mul__ is times and not Value._overridden
    if not ours and total is not None:
        return by_operators(weights, inputs, total, scope)
    here, first = mode(), total
    scope = here.scope if scope is None else scope
    try:
        before = total._data
        for weight, input in zip(weights, inputs):
            data, operation = weight._data * input._data, mul
{product}
            data, operation, product = before + data, add, node
{sum}
            total, before = node, data
    except TypeError:
        settle((*weights, *inputs, total))
        raise
    if total.data.__class__ is not float:
        settle((*weights, *inputs, first))
        compute_again(total, first, products(weights, inputs))
    return total
"""
_WEIGHTED_SUM = """
def weighted_sum(weights, inputs, bias, scope):
    here = mode()
    scope = here.scope if scope is None else scope
    try:
        data = 0.0 if bias is None else bias.data
        for weight, input in zip(weights, inputs):
            data = data + weight.data * input.data  # += would change an array of the user's
    except TypeError:
        settle((*weights, *inputs, bias))
        raise
    if data.__class__ is not float:
        settle((*weights, *inputs, bias))
        data = sums(bias, products(weights, inputs))[-1]
{record}
    return node
"""


def compiled_method(
    operation: Elementary,
    value_class: type,
    constant_class: type,
    operator: str = "",
    data: str = "data",
    derived: Callable[..., Any] | None = None,
) -> Callable[..., Any]:
    """Return the method of `value_class` that records `operation`; numbers become constants.

    As an `operator` it leaves arrays to NumPy, which applies it element by element. `read` gives
    the data of an operand, where they are not to be had as an attribute. Where a program has put
    others in place of the operators that micrograd makes this one of, it is `derived`.
    """
    row, name = operation.row, operator or operation.row.name
    # what a function gives is a float, whatever it took
    operands = [f"{letter}.{data}" for letter in "xy"[: row.arity]]
    parts = MADE_OF[operator] if derived else ()
    others = " or ".join(f"Value.{part} is not own{part}" for part in parts)
    unseen = "".join(f" or {operand}.__class__ is not float" for operand in operands)
    coercion = _OPERAND.format(array=_LEFT_TO_NUMPY if operator else "") if row.arity == 2 else ""
    source = _METHOD.format(
        name=name,
        value=FLOATS.rewritten(row.value, {name: f"{name}.{data}" for name in "xy"}),
        parameters=", y" if row.arity == 2 else ", k=default" if row.constants else "",
        guard=_GUARD.format(others=others, operands=", ".join("xy"[: row.arity])) if others else "",
        coercion=_CONSTANT if row.constants else coercion,
        operands="(x, y)" if row.arity == 2 else "(x,)",
        unseen=unseen if "(" in row.value else "",
        k="k" if row.constants else None,
        record=_record(4, *_SLOTS[row.arity], "node._k = k" if row.constants else "", "here.scope"),
    )
    default = row.constants[0] if row.constants else None
    names = {"operation": operation, "default": default, "Constant": constant_class}
    names |= {f"own{part}": getattr(value_class, part) for part in parts} | {"derived": derived}
    method = _defined(source, name, value_class, **names)
    method.__qualname__, method.__doc__ = f"{value_class.__name__}.{name}", _told(row)
    return method


def _told(row: Row) -> str:
    slopes = f" Local gradient: {', '.join(row.local)}."
    return f"Return {row.shown}." + slopes * (len(slopes) < LONGEST)


def compiled_sum_of_products(value_class: Any) -> Callable[..., Any]:
    """Return the function that records total + Σ wᵢxᵢ as the operators would, one by one.

    It leaves that to them where a program has operators of its own.
    """
    source = _SUM_OF_PRODUCTS.format(
        product=_record(12, "weight", "input"), sum=_record(12, "total", "product")
    )
    ours = {"plus": value_class.__add__, "times": value_class.__mul__, "by_operators": by_operators}
    return _defined(source, "sum_of_products", value_class, **_IN_LINE, **ours)


def compiled_weighted_sum(value_class: type) -> Callable[..., Any]:
    """Return the function that records Σ wᵢxᵢ + b as one node, from two tuples and b or None."""
    bias = "if bias is not None:\n    node._k = bias"
    source = _WEIGHTED_SUM.format(record=_record(4, "weights", "inputs", bias))
    return _defined(source, "weighted_sum", value_class, operation=SUM_OF_PRODUCTS)


_SLOTS = {1: ("x", "None"), 2: ("x", "y")}


def _record(depth: int, x: str, y: str, constant: str = "", scope: str = "scope") -> str:
    return indent(_RECORD.format(x=x, y=y, constant=constant, scope=scope), depth * " ")


def _defined(source: str, name: str, value_class: type, **names: Any) -> Callable[..., Any]:
    engine = {
        "mode": mode,
        "Value": value_class,
        "new": object.__new__,
        "next_index": next_index,
        "treat_specially": _treat_specially,
        "no_value": _no_value,
        "settle": _settle,
        "compute_again": _compute_again,
        "products": _products,
        "sums": _sums,
        "number": number,
        "constant": constant,
    }
    return FLOATS.define(source, name, **engine, **names)


def _no_value(row: Row, operands: tuple[Node, ...], k: float | None) -> Exception:
    """Return the error for operands whose data have no value, or are no numbers."""
    numbers = tuple(map(data_of, operands))
    known = [(letter, o) for letter, o in zip("xy", operands) if o.label or o.parents]
    return domain_error(
        row, numbers, k, "value", "; ".join(f"{letter} is {described(o)}" for letter, o in known)
    )


def _settle(operands: Iterable[Node]) -> None:
    """Make floats of the operands' data that are none.

    NumPy's numbers would round as their own type does, and so would the gradients.
    Raises TypeError where the data of one of the operands is no number.
    """
    for operand in operands:
        if operand is not None and operand.data.__class__ is not float:
            operand.data = data_of(operand)


def _products(weights: Iterable[Node], inputs: Iterable[Node]) -> list[float]:
    return [weight.data * input.data for weight, input in zip(weights, inputs)]


def _sums(first: Node | None, products: list[float]) -> list[float]:
    """Return what a sum of products is after each of them, added one by one."""
    return [*accumulate(products, initial=0.0 if first is None else first.data)]


def _compute_again(total: Node, first: Node, products: list[float]) -> None:
    """Put the numbers right of a recorded chain, first + Σ wᵢxᵢ."""
    sums = _sums(first, products)
    for product in reversed(products):
        total.data = sums.pop()
        if not total.parents:  # under no_grad()
            return
        total._y.data, total = product, total._x


def _treat_specially(node: Node) -> None:
    now = live()
    if now.on_node is not None:
        now.on_node.append(node)
    if now.checking:
        check_value(node)
    if not now.recording:
        node._forget()


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
_STEPS = {name: indent(backward_source(o.row), 12 * " ") for name, o in _IN_LINE.items()}
sweep = FLOATS.define(_SWEEP.format(**_STEPS), "sweep", **_IN_LINE)


def checked_sweep(nodes: Iterable[Node]) -> None:
    """Take the backward step of every node; look for edited data, and nan and inf in its gifts.

    Raises AnomalyError at the first.
    """
    for node in nodes:
        check_up_to_date(node)
        node._operation.bprop(node)
        check_contributions(node, node.grad)


def finish_step(node: Node, error: Exception) -> None:
    """Take the rest of a backward step that failed at a constant's slope, which nobody asked for.

    Raises what explains `error` where it failed at anything else.
    """
    _settle(node.parents)
    for part in (node, *node.parents):
        grad_of(part)
    if isinstance(error, AnomalyError):
        raise AnomalyError(f"{error}; {PARTLY}") from None
    operation, slopes = node._operation, []
    with suppress(ArithmeticError, ValueError):
        slopes = operation.demanded(node) if isinstance(operation, Elementary) else []
    if None not in slopes:
        explain(error, node, "slope", PARTLY)
    done = slopes.index(None) + 1
    for operand, local in list(zip(node.parents, slopes))[done:]:
        operand.grad += node.grad * (local or 0.0)
