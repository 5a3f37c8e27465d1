"""Recording and going back, written out: the methods of the rows, and the sweep of `backward()`.

The text of a row's method, of a weighted sum and of a sum of products is made from one template,
so a node is recorded in one place. It stands in line in each: a call or two for every operation
would be half of the operation's time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from textwrap import indent
from typing import Any

from micrograd.core.formulas import FLOATS
from micrograd.core.kinds import (
    ELEMENTARY,
    SUM_OF_PRODUCTS,
    Elementary,
    backward_source,
    domain_error,
)
from micrograd.core.modes import MODE, check_contributions, check_value, mode
from micrograd.core.order import next_index, rewire

Node = Any  # a Value: this module stands below the one that defines it

_RECORD = """
node = new(Value)
node.data = data
node.grad = 0.0
node.scope = {scope}
node._operation = operation
node._x = {x}
node._y = {y}
{constant}
node._index = next_index()
if here.special:
    treat_specially(node)
"""
_METHOD = """
def {name}(x{parameters}):
{coercion}
    here = mode()
    try:
        data = {value}
    except (ArithmeticError, ValueError) as error:
        raise domain_error(operation.row, {operands}, {k}, "value") from error
{record}
    return node
"""
_COERCION = """
    if y.__class__ is not Value and not isinstance(y, Value):
        if getattr(y, "ndim", 0):
            return NotImplemented  # an array of numbers works element by element
        y = Value(y)
"""
_SUM_OF_PRODUCTS = """
def sum_of_products(weights, inputs, total, scope=None):
    here = mode()
    scope = here.scope if scope is None else scope
    for weight, input in zip(weights, inputs):
        data, operation = weight.data * input.data, mul
{product}
        data, operation, product = total.data + data, add, node
{sum}
        total = node
    return total
"""
_WEIGHTED_SUM = """
def weighted_sum(weights, inputs, bias, scope):
    here = mode()
    scope = here.scope if scope is None else scope
    data = 0.0 if bias is None else bias.data
    for weight, input in zip(weights, inputs):
        data += weight.data * input.data
{record}
    return node
"""


def compiled_method(operation: Elementary, value_class: type) -> Callable[..., Any]:
    """Return the method of `value_class` that records `operation`."""
    row = operation.row
    binary = row.arity == 2
    default = row.constants[0] if row.constants else None
    source = _METHOD.format(
        name=row.name,
        value=FLOATS.rewritten(row.value, {"x": "x.data", "y": "y.data"}),
        parameters=", y" if binary else ", k=default" if row.constants else "",
        coercion=_COERCION if binary else "",
        operands="(x.data, y.data)" if binary else "(x.data,)",
        k="k" if row.constants else None,
        record=_record(
            4,
            "x",
            "y" if binary else "None",
            "node._k = k" if row.constants else "",
            "here.scope",
        ),
    )
    method = _defined(source, row.name, value_class, operation=operation, default=default)
    method.__qualname__ = f"{value_class.__name__}.{row.name}"
    method.__doc__ = f"Return {row.shown}."
    return method


def compiled_sum_of_products(value_class: type) -> Callable[..., Any]:
    """Return the function that records total + Σ wᵢxᵢ as the operators would, one by one."""
    source = _SUM_OF_PRODUCTS.format(
        product=_record(8, "weight", "input"), sum=_record(8, "total", "product")
    )
    return _defined(source, "sum_of_products", value_class, **_IN_LINE)


def compiled_weighted_sum(value_class: type) -> Callable[..., Any]:
    """Return the function that records Σ wᵢxᵢ + b as one node, from two tuples and b or None."""
    bias = "if bias is not None:\n    node._k = bias"
    source = _WEIGHTED_SUM.format(record=_record(4, "weights", "inputs", bias))
    return _defined(source, "weighted_sum", value_class, operation=SUM_OF_PRODUCTS)


def _record(depth: int, x: str, y: str, constant: str = "", scope: str = "scope") -> str:
    return indent(_RECORD.format(x=x, y=y, constant=constant, scope=scope), depth * " ")


def _defined(source: str, name: str, value_class: type, **names: Any) -> Callable[..., Any]:
    engine = {
        "mode": mode,
        "Value": value_class,
        "new": object.__new__,
        "next_index": next_index,
        "treat_specially": _treat_specially,
        "domain_error": domain_error,
    }
    return FLOATS.define(source, name, **engine, **names)


def _treat_specially(node: Node) -> None:
    if MODE.on_node:
        MODE.on_node(node)
    if MODE.checking:
        check_value(node)
    if not MODE.recording:
        rewire(node, ())


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
    """Take the backward step of every node, and look for nan and inf in what it gives."""
    for node in nodes:
        node._operation.bprop(node)
        check_contributions(node)
