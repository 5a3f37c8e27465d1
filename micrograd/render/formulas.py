"""Formulas as a reader sees them: a row's text with names or numbers in place of its letters."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache

from micrograd.core.formulas import specialise
from micrograd.graph import Graph
from micrograd.ops import BY_NAME, WEIGHTED_SUM
from micrograd.render.numerals import MINUS
from micrograd.render.text import brief

SIGNS = {
    ast.Add: " + ",
    ast.Sub: " − ",
    ast.Mult: " · ",
    ast.Div: " / ",
    ast.Gt: " > ",
    ast.GtE: " ≥ ",
    ast.Lt: " < ",
    ast.LtE: " ≤ ",
    ast.Eq: " = ",
    ast.NotEq: " ≠ ",
}
BINDING = {ast.Add: 1, ast.Sub: 1, ast.Mult: 2, ast.Div: 2, ast.Pow: 4}
UNARY, ATOM = 3, 5
SUPERSCRIPTS = str.maketrans("−0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
LETTER = re.compile(r"(?<![A-Za-z0-9_])(?:out|x|y)(?![A-Za-z0-9_])")  # x² has no word boundary
ENCLOSED = re.compile(r"\([^()]*\)|\|[^|]*\|")
OPENED = re.compile(r"(?:[(|]|, |[≥>≤<=≠] |if |else )$")  # what stands before a whole argument
# How tightly a text binds that has one of these outside of its brackets: a label may have, too.
LOOSE = {
    " if | [≥>≤<=≠] ": 0,
    ".[-+−]": 1,
    "[·×*/]": 2,
    "^[-−]": 3,
    r"[\^⁻⁰¹²³⁴-⁹]|^[\d.]+e": 4,
}
# How tightly it has to bind between what stands before it and behind it.
BEFORE = {r"\^$": ATOM, "( / |−)$": UNARY, " [·−] $": 2, "( [+] |[≥>≤<=≠] |if )$": 1}
BEHIND = {r"^[\^⁻⁰¹²³⁴-⁹]": ATOM, "^ [·/] ": 2, "^ ([+−≥>≤<=≠] |if )": 1}
SYMBOL = 22  # most characters of one
TERMS = 3  # of a weighted sum that are written out


@lru_cache(maxsize=1024)
def shape(op: str, k: float | None) -> tuple[str, tuple[str, ...]]:
    """Return a row's value and local-gradient formulas for readers, in the letters x, y, out."""
    row = BY_NAME[op]
    k = 0.0 if k == 0 else k  # a zero has no sign to a reader
    value = row.shown
    if value == f"{op}(x)" and k not in (None, *row.constants[:1]):  # the default goes unsaid
        value = f"{op}(x, k)"
    value = value if "|" in value else pretty(specialise(value, k))
    return value, tuple(pretty(specialise(text, k)) for text in row.local)


def with_names(graph: Graph, id: int, names: Sequence[str]) -> str:
    """Return what a node computes, with names[i] standing for operand i."""
    op, operands = graph.ops[id], graph.operands[id]
    if op not in BY_NAME or op == WEIGHTED_SUM.name:
        return _variadic(op, [names[i] for i in operands], symbol_of(graph, id))
    text = shape(op, graph.constants[id])[0]
    return filled(text, [names[i] for i in operands], names[id])


def symbol_of(graph: Graph, id: int) -> str:
    """Return what a node's operation is called, in a few clean characters."""
    return brief(graph.values[id]._op, SYMBOL)


def local_formula(graph: Graph, id: int, position: int, names: Sequence[str]) -> str:
    """Return the local gradient of a node by one operand, as a formula in `names`."""
    op, operands = graph.ops[id], [names[i] for i in graph.operands[id]]
    if op == WEIGHTED_SUM.name:
        bias = position == len(operands) - 1 and len(operands) % 2
        return "1" if bias else operands[position ^ 1]
    if op not in BY_NAME:
        return ""
    return filled(shape(op, graph.constants[id])[1][position], operands, names[id])


def filled(text: str, operands: Sequence[str], out: str) -> str:
    """Return `text` with the operands' names for x, y and the node's own for out."""
    letters = {"out": out, **dict(zip("xy", operands))}
    return LETTER.sub(
        lambda at: _within(text[: at.start()], letters[at[0]], text[at.end() :]), text
    )


def _within(before: str, name: str, after: str) -> str:
    """Return a name or number for a letter: in brackets where it would run into its neighbours."""
    if not before and not after:
        return name
    needed = max(_level(BEFORE, before, 0), _level(BEHIND, after, 0))
    negative = name.startswith(MINUS) and not OPENED.search(before)
    twice = "|" in name and before.endswith("|")
    return f"({name})" if binding(name) < needed or negative or twice else name


def binding(text: str) -> int:
    """Return how tightly a text binds: ATOM for what cannot run into its neighbours."""
    text = re.sub(r"([\d.]e)[-+−]", r"\1", text)  # 1e−5 is no difference
    while (outside := ENCLOSED.sub("", text)) != text:
        text = outside
    return _level(LOOSE, text, ATOM)


def _level(levels: Mapping[str, int], text: str, other: int) -> int:
    return next((level for pattern, level in levels.items() if re.search(pattern, text)), other)


def _variadic(op: str, operands: list[str], symbol: str) -> str:
    if op != WEIGHTED_SUM.name:
        more = ", …" if len(operands) > TERMS else ""
        return f"{symbol or 'f'}({', '.join(operands[:TERMS])}{more})"
    terms = [filled("x · y", pair, "") for pair in zip(operands[::2], operands[1::2])]
    shown = terms if len(terms) <= TERMS else [*terms[: TERMS - 1], "…", terms[-1]]
    return " + ".join([*shown, *operands[len(terms) * 2 :]]) or "0"


def pretty(formula: str) -> str:
    """Return Python's spelling of a formula in a reader's: · ≥ ², and branches in words."""
    return _written(ast.parse(formula, mode="eval").body)[0]


def _written(node: ast.AST) -> tuple[str, int]:
    """Return the text and how tightly it binds."""
    match node:
        case ast.BinOp(op=ast.Pow()):
            return _power(node), BINDING[ast.Pow]
        case ast.BinOp():
            level = BINDING[type(node.op)]
            left, right = _bound(node.left, level), _bound(node.right, level + 1)
            if isinstance(node.op, ast.Mult) and left == "1":
                return _written(node.right)
            return left + SIGNS[type(node.op)] + right, level
        case ast.UnaryOp():
            return f"{MINUS}{_bound(node.operand, UNARY)}", UNARY
        case ast.Compare(ops=[sign], comparators=[right]):
            return _bound(node.left, 1) + SIGNS[type(sign)] + _bound(right, 1), 0
        case ast.Call():
            return _call(ast.unparse(node.func), node.args)
        case ast.Constant():
            return _number(ast.literal_eval(node))
    return ast.unparse(node), ATOM


def _number(x: float) -> tuple[str, int]:
    """Return a number in six digits, 1e−7 as readers write it."""
    text = re.sub("e([-+])0*", lambda sign: "e" + MINUS * (sign[1] == "-"), f"{x:g}")
    return text, BINDING[ast.Pow] if "e" in text else ATOM


def _bound(node: ast.AST, level: int) -> str:
    text, binding = _written(node)
    return text if binding >= level else f"({text})"


def _power(node: ast.BinOp) -> str:
    base, exponent = _bound(node.left, ATOM), _written(node.right)[0]
    if exponent == "0":
        return "1"
    if re.fullmatch(r"−?\d+", exponent):
        return base + exponent.translate(SUPERSCRIPTS)
    return f"{base}^{_bound(node.right, ATOM)}"


def _call(name: str, arguments: list[ast.expr]) -> tuple[str, int]:
    written: list[str] = [_written(argument)[0] for argument in arguments]
    special: dict[str, Callable[..., str]] = {
        "where": "{1} if {0} else {2}".format,
        "abs": "|{}|".format,
        "maximum": "max({}, {})".format,
        "minimum": "min({}, {})".format,
    }
    if name in special:
        if name == "where" and " if " in written[1]:
            written[1] = f"({written[1]})"
        return special[name](*written), 0 if name == "where" else ATOM
    return f"{name}({', '.join(written)})", ATOM
