"""Derivatives as results: gradients that are Values, Jacobians, Hessians. None touches `.grad`."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, Literal, overload

from micrograd.core.checks import check_flags, is_list
from micrograd.core.formulas import FLOATS, Branches, Compared, Namespace
from micrograd.core.handmade import Handmade
from micrograd.core.kinds import ELEMENTARY, Elementary
from micrograd.core.modes import check_recording, described
from micrograd.core.recording import compiled_method
from micrograd.engine import Constant, Value, operand, topological_order
from micrograd.ops import GREATER, NOT_LESS, OF_NUMBERS, ROWS, Row
from micrograd.printing import shorten

__all__ = ["grad", "hessian", "jacobian"]


@overload
def grad(y: Value, xs: Sequence[Value], create_graph: Literal[False] = False) -> list[float]: ...
@overload
def grad(y: Value, xs: Sequence[Value], create_graph: Literal[True]) -> list[Value]: ...
def grad(y: Value, xs: Sequence[Value], create_graph: bool = False) -> Any:
    """Return ∂y/∂x for every x, 0 where y does not depend on it.

    With `create_graph` the results are Values, which can be differentiated again; raises
    ValueError where a node's backward step is a function of the user's, and under `no_grad()`.
    """
    check_values("grad", (y,), xs)
    check_flags(create_graph=create_graph)
    if create_graph:
        check_recording("a gradient that can be differentiated again")
        return _gradients(y, xs)
    totals = {y: 1.0}
    totals.update((step.operand, step.total) for step in y.steps())
    return [totals.get(x, 0.0) for x in xs]


def jacobian(ys: Sequence[Value], xs: Sequence[Value]) -> list[list[float]]:
    """Return ∂yᵢ/∂xⱼ as a list of rows, one per y (L7)."""
    check_values("jacobian", ys, xs)
    return [grad(y, xs) for y in ys]


def hessian(y: Value, xs: Sequence[Value]) -> list[list[float]]:
    """Return ∂²y/∂xᵢ∂xⱼ as a list of rows."""
    check_values("hessian", (y,), xs)
    return jacobian(grad(y, xs, create_graph=True), xs)


def check_values(function: str, *several: Any) -> None:
    """Raise TypeError where one of `several` is no list of Values."""
    for values in several:
        if not is_list(values):
            raise TypeError(f"{function} takes the Values in a list, not {shorten(values)}")
        for value in values:
            if not isinstance(value, Value):
                raise TypeError(f"{function} takes Values, not {shorten(value)}")


def _gradients(y: Value, xs: Sequence[Value]) -> list[Value]:
    """Return ∂y/∂x for every x as a Value of its own, to be labelled and differentiated."""
    order = topological_order(y)
    adjoints, taken, gradients = _adjoints(order, xs), {*order}, []
    for x in xs:
        gradient = adjoints.get(x, 0.0)
        if not isinstance(gradient, Value):
            gradient = Value(gradient)
        elif gradient in taken:
            gradient = gradient * 1.0
        taken.add(gradient)
        gradients.append(gradient)
    return gradients


def _adjoints(order: Sequence[Value], xs: Sequence[Value]) -> dict[Value, Value | float]:
    """Go back through a graph as `backward()` does, with Values for the numbers.

    Only towards `xs`: slopes that nobody asked for need not exist.
    """
    wanted = set(xs)
    for node in order:
        if not wanted.isdisjoint(node.parents):
            wanted.add(node)
    adjoints: dict[Value, Value | float] = {order[-1]: 1.0}
    for node in reversed(order):
        if node not in adjoints:
            continue
        for position, parent in enumerate(node.parents):
            if parent in wanted:
                contribution = _product(adjoints[node], _local_value(node, position))
                known = adjoints.get(parent)
                adjoints[parent] = contribution if known is None else known + contribution
    return adjoints


def _product(upstream: Value | float, local: Value | float) -> Value | float:
    """Return upstream × local; a factor of 1, as of every sum, makes no node."""
    for one, other in ((upstream, local), (local, upstream)):
        if not isinstance(one, Value) and one == 1:
            return other
    return upstream * local


def _local_value(node: Value, position: int) -> Value | float:
    """Return the local gradient of `node` by one of its operands as a Value."""
    operation = node._operation
    if isinstance(operation, Handmade):
        raise ValueError(
            f"{described(node)} has no second derivative: it was made by hand; write it with the "
            "operations of Value"
        )
    if isinstance(operation, Elementary):
        local = _value_formulas(operation.row)[position]
        return local(node._x, node._y, node._k, node)  # type: ignore[no-any-return]
    pair, place = divmod(position, 2)  # of a weighted sum: w x w x ... b
    return 1.0 if pair == len(node._x) else (node._y, node._x)[place][pair]


@cache
def _value_formulas(row: Row) -> tuple[Any, ...]:
    return _VALUES.local(row)


def _function(name: str) -> Any:
    """Return the function `name` of a formula for Values, and for the numbers beside them."""
    number, method = FLOATS.functions[name], OF_NUMBERS.get(name, name)
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
        above = {ast.Gt: True, ast.GtE: True, ast.Lt: False, ast.LtE: False}.get(type(test.ops[0]))
        if above is None or not all(_operands(part) <= _border(test) for part in branches):
            return node
        sides = zip((above, not above), branches)
        branches = [Beyond(test, side).visit(b) if _operands(b) else b for side, b in sides]
        sign = ast.Constant(type(test.ops[0]).__name__)
        held = _call("_held", sign, test.left, *test.comparators)
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
    {"nan": FLOATS.functions["nan"], "abs": abs, "number": _number}
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
    Compared("number"),
)
