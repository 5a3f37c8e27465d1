"""The formulas of the op rows as array expressions."""

from __future__ import annotations

import ast
from collections.abc import Mapping

from micrograd.core.formulas import specialise
from micrograd.lowering.code.construct import binary, call, negative
from micrograd.lowering.code.expr import OPERATORS, Expr, num
from micrograd.ops import BY_NAME

_SYMBOLS = {operator.node: symbol for symbol, operator in OPERATORS.items()}


def expression(text: str, k: float | None, names: Mapping[str, Expr]) -> Expr:
    """Return a formula with its constant and its letters put in."""
    return _built(ast.parse(specialise(text, k), mode="eval").body, names)


def _built(node: ast.expr, names: Mapping[str, Expr]) -> Expr:
    if isinstance(node, ast.Constant):
        return num(node.value)  # type: ignore[arg-type]
    if isinstance(node, ast.Name):
        return names[node.id] if node.id in names else num(float(node.id))  # nan
    if isinstance(node, ast.UnaryOp):
        return negative(_built(node.operand, names))
    if isinstance(node, ast.BinOp):
        sides = (_built(node.left, names), _built(node.right, names))
        return binary(_SYMBOLS[type(node.op)], *sides)
    if isinstance(node, ast.Compare):
        sides = (_built(node.left, names), _built(node.comparators[0], names))
        return binary(_SYMBOLS[type(node.ops[0])], *sides)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        return _call(node.func.id, [_built(argument, names) for argument in node.args])
    raise ValueError(f"cannot read {ast.unparse(node)!r} in a formula of the op rows")


def _call(name: str, args: list[Expr]) -> Expr:
    if name in BY_NAME and BY_NAME[name].value != f"{name}(x)":  # a row made of other functions
        return expression(BY_NAME[name].value, None, dict(zip("xy", args)))
    return call(name, *args)
