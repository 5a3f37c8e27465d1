"""Array expressions with their shapes: what programs are printed from.

How an expression of a kind is written and what shape it has is one row of `kinds.KINDS`;
`construct` makes them.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from micrograd.lowering.arrays.ir import Array, Size
from micrograd.lowering.scalars.columns import Ints

Shape = tuple[Any, ...]  # of ints, and Sizes that grow with the batch


class Operator(NamedTuple):
    """An operator of two operands: how tightly it binds, what it gives, its node of Python."""

    binding: int
    evaluate: Callable[[Any, Any], Any]
    node: type[ast.AST]


OPERATORS = {
    "<": Operator(1, operator.lt, ast.Lt),
    "<=": Operator(1, operator.le, ast.LtE),
    ">": Operator(1, operator.gt, ast.Gt),
    ">=": Operator(1, operator.ge, ast.GtE),
    "==": Operator(1, operator.eq, ast.Eq),
    "!=": Operator(1, operator.ne, ast.NotEq),
    "+": Operator(2, operator.add, ast.Add),
    "-": Operator(2, operator.sub, ast.Sub),
    "*": Operator(3, operator.mul, ast.Mult),
    "/": Operator(3, operator.truediv, ast.Div),
    "**": Operator(5, operator.pow, ast.Pow),
}


@dataclass(frozen=True, eq=False)
class Table:
    """Places that a program reads by or adds to: a constant of its text."""

    places: Ints

    @property
    def shape(self) -> tuple[int, ...]:
        """Return the shape of what is read at them."""
        return self.places.shape


@dataclass(frozen=True)
class Range:
    """Places of an axis from its beginning, beside those that a table has of another.

    They lie along the first of as many axes as there are `behind`, and one.
    """

    size: int
    behind: int = 0

    def __str__(self) -> str:
        return f"arange({self.size})" + f"[:{', None' * self.behind}]" * bool(self.behind)

    @property
    def shape(self) -> tuple[int, ...]:
        """Return the shape of what is read at them."""
        return (self.size, *(1,) * self.behind)


@dataclass(frozen=True)
class Expr:
    """One expression: `kind` says what is done to `args`, `attr` how."""

    kind: str
    args: tuple[Expr, ...]
    attr: Any
    shape: Shape

    def walk(self) -> Iterator[Expr]:
        """Yield this expression and those within, once per place."""
        yield self
        for arg in self.args:
            yield from arg.walk()

    @property
    def truth(self) -> bool:
        """Return whether the elements are true or false."""
        compared = self.kind == "bin" and OPERATORS[self.attr].binding == 1
        return compared or self.kind in ("first_true", "not")

    @property
    def tables(self) -> tuple[Table, ...]:
        """Return the tables that this expression names, those within left out."""
        return tuple(part for part in _flat(self.attr) if isinstance(part, Table))


def _flat(attr: Any) -> Iterator[Any]:
    if isinstance(attr, tuple):
        for part in attr:
            yield from _flat(part)
    else:
        yield attr


@dataclass(frozen=True)
class Assign:
    """Define an array by an expression."""

    array: Array
    expr: Expr


def ref(array: Array | Table | str, shape: Shape) -> Expr:
    """Name an array."""
    return Expr("ref", (), array, shape)


def num(value: float) -> Expr:
    """Write a number."""
    return Expr("num", (), value, ())


def whole(array: Array) -> Expr:
    """Return the name of an array, with its shape."""
    return ref(array, array.sizes)


def is_number(e: Expr, value: float | None = None) -> bool:
    """Return whether an expression is a number, or the one given."""
    return e.kind == "num" and (value is None or e.attr == value)


def joint(shape: Shape) -> Any:
    """Return the size of several axes as one."""
    count, batched = 1, False
    for n in shape:
        batched |= isinstance(n, Size)
        count *= n.times if isinstance(n, Size) else n
    return Size(count) if batched else count
