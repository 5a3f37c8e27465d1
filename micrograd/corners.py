"""Slopes that are Values: the rows' local gradients over Values, to be differentiated again.

Where a slope has a corner, as relu's, the choice between its sides is made of Values as well, so
that it follows its operand: forward, backward, and in a lowered program.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable
from functools import cache
from typing import Any

from micrograd.core.formulas import FLOATS, Branches, Compared, Namespace
from micrograd.core.kinds import ELEMENTARY
from micrograd.core.recording import compiled_method
from micrograd.engine import Constant, Value, operand
from micrograd.ops import GREATER, NOT_LESS, OF_NUMBERS, ROWS, Row

__all__ = ["slopes"]


@cache
def slopes(row: Row) -> tuple[Callable[..., Any], ...]:
    """Return the local gradients of a row, one per operand, as functions of Values x, y, k, out."""
    return _VALUES.local(row)


def _function(name: str) -> Any:
    """Return the function `name` of a formula for Values, and for the numbers beside them."""
    number, method = FLOATS.compile(f"{name}(x)", "x"), OF_NUMBERS.get(name, name)
    return lambda x: getattr(x, method)() if isinstance(x, Value) else number(x)


def _number(x: Any) -> float:
    return x.data if isinstance(x, Value) else x


class Corners(ast.NodeTransformer):
    """Make a choice by an operand a sum of Values: what `where(x > 0, 1, 0)` gives follows x.

    Both branches are evaluated, one that has x in it at an x that belongs there. Where it has
    other operands, or no value there, the choice goes by the number.
    """

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        test, *branches = node.args
        if ast.unparse(node.func) != "where" or not isinstance(test, ast.Compare):
            return node
        sign = type(test.ops[0])
        if sign not in _COMPARE or not all(_operands(b) <= _border(test) for b in branches):
            return node
        above = sign in (ast.Gt, ast.GtE)
        sides = zip((above, not above), branches)
        branches = [Beyond(test, side).visit(b) if _operands(b) else b for side, b in sides]
        held = _call("_held", ast.Constant(sign.__name__), test.left, *test.comparators)
        return _call("_chosen", held, *(_lambda(branch) for branch in branches))


class Beyond(ast.NodeTransformer):
    """Keep the operand of a test on one side of its border."""

    def __init__(self, test: ast.Compare, above: bool) -> None:
        self.letter, self.border = ast.unparse(test.left), test.comparators[0]
        self.function = "_greatest" if above else "_least"

    def visit_Name(self, node: ast.Name) -> ast.AST:
        return _call(self.function, node, self.border) if node.id == self.letter else node


def _border(test: ast.Compare) -> set[str]:
    """Return the operand that a test compares with a number, if it does."""
    by_number = isinstance(test.left, ast.Name) and not any(map(_operands, test.comparators))
    return _operands(test.left) if by_number else set()


def _operands(part: ast.AST) -> set[str]:
    """Return the operands that a part of a formula has, but for those in tests; nan is one too."""
    if isinstance(part, ast.Call) and ast.unparse(part.func) == "_chosen":
        return set().union(*map(_operands, part.args[1:]))
    inner = set().union(*map(_operands, ast.iter_child_nodes(part)))
    return inner | ({part.id} & {"x", "y", "out", "nan"} if isinstance(part, ast.Name) else set())


def _call(name: str, *arguments: ast.expr) -> ast.Call:
    return ast.Call(ast.Name(name, ast.Load()), [*arguments], [])


def _lambda(body: ast.expr) -> ast.expr:
    return ast.Lambda(ast.arguments([], [], None, [], [], None, []), body)


_greater, _not_less = (
    compiled_method(ELEMENTARY[row.name], Value, Constant) for row in (GREATER, NOT_LESS)
)
_COMPARE: dict[type[ast.cmpop], tuple[Callable[..., Any], Callable[..., Any]]] = {
    ast.Gt: (operator.gt, _greater),
    ast.GtE: (operator.ge, _not_less),
    ast.Lt: (operator.lt, lambda x, y: _greater(y, x)),
    ast.LtE: (operator.le, lambda x, y: _not_less(y, x)),
}


def _held(sign: str, x: Any, y: Any) -> Any:
    """Return whether a comparison holds, as a Value of 1 or 0 where a Value is compared."""
    of_numbers, of_values = _COMPARE[getattr(ast, sign)]
    if isinstance(x, Value) or isinstance(y, Value):
        return of_values(operand(x), operand(y))
    return of_numbers(x, y)


def _chosen(held: Any, yes: Callable[[], Any], no: Callable[[], Any]) -> Any:
    """Return what one branch gives where a test holds, else the other."""
    if not isinstance(held, Value):
        return (yes if held else no)()
    try:
        a, b = yes(), no()
    except (ArithmeticError, ValueError):  # only the branch that is taken has a value
        return (yes if held.data else no)()
    if not isinstance(a, Value) and not isinstance(b, Value) and (a, b) == (1, 0):
        return held
    return held * a + (1 - held) * b


def _bounded(method: str, function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda x, y: getattr(x, method)(y) if isinstance(x, Value) else function(x, y)


_VALUES = Namespace(
    {"nan": FLOATS.functions["nan"], "abs": abs, "_number": _number}
    | {"_held": _held, "_chosen": _chosen}
    | {"_least": _bounded("min", min), "_greatest": _bounded("max", max)}
    | {
        row.name: _function(row.name)
        for row in ROWS
        if row.arity == 1 and not row.constants and row.name not in ("abs", "neg")
    }
    | {name: _function(name) for name in OF_NUMBERS},
    Corners(),
    Branches(),
    Compared("_number"),
)
