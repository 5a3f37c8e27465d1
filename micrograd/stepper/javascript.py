"""Op rows as JavaScript: the formulas that the page recomputes both passes with.

The text is made from the same formulas the engine compiles, so the two cannot drift apart.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable

from micrograd.ops import BY_NAME, FUNCTIONS, WEIGHTED_SUM, Row
from micrograd.stepper.plain import json_text
from micrograd.stepper.words import operation

_OPERATORS = {
    ast.Add: "({}+{})",
    ast.Sub: "({}-{})",
    ast.Mult: "({}*{})",
    ast.Div: "div({},{})",
    ast.Pow: "pow({},{})",
}
_COMPARISONS = {
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Eq: "===",
}


def rows_source(names: Iterable[str], told: bool = False) -> str:
    """Return a JavaScript object literal with the value and local gradients of the named rows.

    Each is a function of x, y, k, out; the runtime it needs is `engine.js`. With `told` every row
    also says what a page has to know that reads expressions: its formulas as text among it.
    """
    rows = (BY_NAME[name] for name in sorted(set(names)) if name in BY_NAME)
    return "{" + ",\n".join(_row(row, told) for row in rows if row is not WEIGHTED_SUM) + "}"


def _row(row: Row, told: bool) -> str:
    functions = f"value:{function(row.value)},local:[{','.join(map(function, row.local))}]"
    return f"{row.name}:{{{functions}{f',told:{json_text(_told(row))}' if told else ''}}}"


def _told(row: Row) -> dict[str, object]:
    constant = row.constants[0] if row.constants else None
    return {
        "arity": row.arity,
        "constant": constant,
        "word": operation(row.name, row.symbol),
        "role": row.role,
        "shown": row.shown,
        "local": list(row.local),
    }


def function(formula: str) -> str:
    """Return the formula as a JavaScript function of x, y, k, out."""
    return f"(x,y,k,out)=>{expression(formula)}"


def expression(formula: str) -> str:
    """Return the formula as a JavaScript expression. Raises TypeError where it has no such form."""
    return _translated(ast.parse(formula, mode="eval").body)


def _translated(node: ast.AST) -> str:
    match node:
        case ast.Constant():
            return repr(node.value)
        case ast.Name():
            return "NaN" if node.id == "nan" else node.id
        case ast.UnaryOp(op=ast.USub()):
            return f"(-{_translated(node.operand)})"
        case ast.BinOp() if type(node.op) in _OPERATORS:
            return _OPERATORS[type(node.op)].format(*map(_translated, (node.left, node.right)))
        case ast.Compare(ops=[sign], comparators=[right]) if type(sign) in _COMPARISONS:
            return f"({_translated(node.left)}{_COMPARISONS[type(sign)]}{_translated(right)})"
        case ast.Call(func=ast.Name(id=name)):
            return _call(name, [*map(_translated, node.args)])
    raise TypeError(
        f"'{ast.unparse(node)}' has no form in JavaScript; formulas may use what ops.py lists"
    )


def _call(name: str, arguments: list[str]) -> str:
    if name == "where":
        condition, first, second = arguments
        return f"({condition}?{first}:{second})"
    if name in (*FUNCTIONS, "abs", "maximum", "minimum"):
        return f"{name}({','.join(arguments)})"
    return f"({function(BY_NAME[name].value)})({','.join(arguments)})"
