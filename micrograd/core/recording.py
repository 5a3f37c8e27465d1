"""The methods of the rows, written out from their value formulas.

Recording a node stands here in line, as `engine._node` does it: a call or two for every operation
would be half of the operation's time.
"""

from __future__ import annotations

from collections.abc import Callable
from textwrap import indent
from typing import Any

from micrograd.core.kinds import ELEMENTARY, Elementary, domain_error
from micrograd.core.modes import MODE
from micrograd.ops import FLOATS

_RECORD = """
node = new(Value)
node.data = data
node.grad = 0.0
node.scope = MODE.scope
node._operation = operation
node._x = first
node._y = second
{constant}
node._index = next_index()
if MODE.special:
    treat_specially(node)
"""
_METHOD = """
def method(first{parameters}):
{coercion}
    x = first.data
    try:
        data = {value}
    except (ArithmeticError, ValueError) as error:
        raise domain_error(operation.row, {operands}, {k}, "value") from error
{record}
    return node
"""
_COERCION = """
    if second.__class__ is not Value and not isinstance(second, Value):
        if getattr(second, "ndim", 0):
            return NotImplemented  # an array of numbers works element by element
        second = Value(second)
    y = second.data
"""
_SUM_OF_PRODUCTS = """
def sum_of_products(weights, inputs, total):
    for first, second in zip(weights, inputs):
        data, operation = first.data * second.data, mul
{record}
        data, operation, first, second = total.data + data, add, total, node
{record}
        total = node
    return total
"""


def compiled_method(operation: Elementary, **names: Any) -> Callable[..., Any]:
    """Return the method of Value that records `operation`; `names` are the engine's own."""
    row = operation.row
    binary = row.arity == 2
    source = _METHOD.format(
        value=FLOATS.rewritten(row.value),
        parameters=", second" if binary else ", k=default" if row.constants else "",
        coercion=_COERCION if binary else "    second = None",
        operands="(x, y)" if binary else "(x,)",
        k="k" if row.constants else None,
        record=_record(4, "node._k = k" if row.constants else ""),
    )
    default = row.constants[0] if row.constants else None
    names |= {"operation": operation, "default": default, "domain_error": domain_error}
    method = FLOATS.define(source, "method", MODE=MODE, **names)
    method.__name__, method.__doc__ = row.name, f"Return {row.shown}."
    return method


def compiled_sum_of_products(**names: Any) -> Callable[..., Any]:
    """Return the function that records total + Σ wᵢxᵢ as the operators would, one by one."""
    source = _SUM_OF_PRODUCTS.format(record=_record(8))
    operations = {name: ELEMENTARY[name] for name in ("mul", "add")}
    return FLOATS.define(source, "sum_of_products", MODE=MODE, **operations, **names)


def _record(depth: int, constant: str = "") -> str:
    return indent(_RECORD.format(constant=constant), depth * " ")
