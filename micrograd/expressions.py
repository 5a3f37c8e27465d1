"""Values from text: expressions, read against the names of the op rows.

An expression is parsed, never run: it may hold numbers, names, + - * / **, the rows' functions,
and several assignments separated by `;` or newlines: "a = x + y; b = max(y, z); f = a * b".
"""

from __future__ import annotations

import ast
import keyword
import math
import re
import string
import sys
import unicodedata
from collections.abc import Callable, Mapping
from functools import reduce

from micrograd import near_misses
from micrograd.engine import Value, operand, topological_order
from micrograd.ops import BY_NAME, ROWS
from micrograd.printing import shorten
from micrograd.user_files import load

__all__ = ["file_and_name", "finite", "load", "parse", "point", "read"]

OPERATORS: dict[type[ast.AST], Callable[..., Value]] = {
    ast.Add: lambda x, y: x + y,
    ast.Sub: lambda x, y: x - y,
    ast.Mult: lambda x, y: x * y,
    ast.Div: lambda x, y: x / y,
    ast.Pow: lambda x, y: x**y,
    ast.USub: lambda x: -x,
    ast.UAdd: lambda x: x,
}
_FILE = re.compile(r"(?s)(.+\.py):(\w+)\s*")
_LETTERS = [c for c in string.ascii_lowercase if c not in "fxyz"]


class NoValueError(ValueError):
    """Report a name in an expression that the point says nothing of."""


def read(text: str, at: Mapping[str, float]) -> Value:
    """Return the Value that `text` names: an expression at the point `at`, or FILE.py:NAME.

    Raises ValueError where the text cannot be understood, OSError where the file cannot be read.
    """
    path, name = file_and_name(text)
    if not path:
        return parse(text, at)
    if at:
        raise ValueError(f"{text} is a Value already: it takes no values for {', '.join(at)}")
    value: Value = load(path, name)
    return value


def file_and_name(text: str) -> tuple[str, str]:
    """Return what FILE.py:NAME names; of an expression two empty texts."""
    _check_text(text)
    file = _FILE.fullmatch(text)
    return (file[1], file[2]) if file else ("", "")


def point(text: str) -> dict[str, float]:
    """Return `x=1,y=2` as a mapping.

    Raises ValueError where an item is not name=number, the number is not finite, or a name is
    there twice.
    """
    _check_text(text)
    at: dict[str, float] = {}
    for item in filter(None, (part.strip() for part in text.split(","))):
        name, equals, number = (part.strip() for part in item.partition("="))
        value = finite(number)
        if not equals or not name.isidentifier() or value is None:
            raise ValueError(
                f"{item[:80]!r} is not name=number{_not_finite(number)}; write the point as x=1,y=2"
            )
        name = _as_read(name)
        if keyword.iskeyword(name) or name in BY_NAME:
            raise ValueError(f"{name} cannot be the name of an input: it has a meaning already")
        if name in at:
            raise ValueError(f"{name} is given twice in {text[:80]!r}; give it one value")
        at[name] = value
    return at


def finite(text: str) -> float | None:
    """Return the finite number that `text` is in plain digits, or None."""
    try:
        value = float(text) if text.isascii() and "_" not in text else math.nan
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _as_read(name: str) -> str:
    """Return a name as Python reads it: a keyboard's µ is the Greek μ, e and its accent are é."""
    return unicodedata.normalize("NFKC", name)


def _not_finite(number: str) -> str:
    try:
        return f", for {number} is not finite" if not math.isfinite(float(number)) else ""
    except ValueError:
        return ""


def _check_text(text: object) -> None:
    if not isinstance(text, str):
        raise TypeError(f"{shorten(text)} is no text; write one such as '(x + y) * max(y, z)'")


def parse(text: str, at: Mapping[str, float]) -> Value:
    """Return the Value of an expression, its inputs labelled, its results named a, b, ..., f.

    Raises ValueError where the text is not an expression, a name has no value, or `at` has more.
    """
    _check_text(text)
    if not isinstance(at, Mapping) or not all(isinstance(name, str) for name in at):
        raise TypeError(f"the point is a dict of numbers by name, not {shorten(at)}")
    try:
        result = _Reader(text, {_as_read(name): number for name, number in at.items()}).run()
    except (RecursionError, MemoryError):
        raise ValueError(
            "the expression is nested too deeply; name its parts: a = ...; b = ...; f = a * b"
        ) from None
    _name_results(result, set(at))
    return result


class _Reader:
    """Walk an expression's syntax tree; arithmetic on numbers alone is done at once."""

    def __init__(self, text: str, at: Mapping[str, float]) -> None:
        self.text, self.at = text.strip(), at
        self.values = {name: Value(number, label=name) for name, number in at.items()}
        self.used: set[str] = set()

    def run(self) -> Value:
        result: Value | float | None = None
        statements = self._statements()
        for statement in statements:
            if isinstance(statement, ast.Expr) and statement is not statements[-1]:
                part = self._source(statement)
                raise ValueError(
                    f"{part} stands alone and nothing uses it; name it, part = {part}, "
                    "or write one expression in one line"
                )
            result = self._statement(statement)
        unused = sorted(set(self.at) - self.used)
        if unused:
            verb = "does" if len(unused) == 1 else "do"
            names = ", ".join(unused)
            raise ValueError(f"{names} got a value but {verb} not occur in {shorten(self.text)}")
        if result is None:
            raise ValueError("the expression is empty; write one such as '(x + y) * max(y, z)'")
        return operand(result)

    def _statements(self) -> list[ast.stmt]:
        try:
            return near_misses.parsed(self.text).body
        except (SyntaxError, ValueError) as error:
            if "nested" in str(error):
                raise RecursionError from None
            column = getattr(error, "offset", None) or 0
            where = f" at character {column}" if column else ""
            remedy = near_misses.likely(self.text) or "; write one such as '(x + y) * max(y, z)'"
            raise ValueError(
                f"cannot read {self.text[:200]!r}: it is no expression{where}{remedy}"
            ) from None

    def _statement(self, statement: ast.stmt) -> Value | float:
        if isinstance(statement, ast.Expr):
            return self._value(statement.value)
        targets = statement.targets if isinstance(statement, ast.Assign) else []
        if len(targets) != 1 or not isinstance(targets[0], ast.Name):
            raise self._refused(statement)
        name, result = targets[0].id, self._value(statement.value)  # type: ignore[attr-defined]
        if name in self.values:
            raise ValueError(f"{name} is given twice in {shorten(self.text)}; use another name")
        result = result if isinstance(result, Value) else Value(result)
        if not result.label:
            result.label = name
        self.values[name] = result
        return result

    def _value(self, tree: ast.expr) -> Value | float:
        if isinstance(tree, ast.Constant) and type(tree.value) in (int, float):
            if tree.value > (most := sys.float_info.max):  # type: ignore[operator]
                raise ValueError(f"{self._source(tree)} is too large; numbers go up to {most:.3g}")
            return tree.value  # type: ignore[return-value]
        if isinstance(tree, ast.Name):
            return self._named(tree.id)
        if isinstance(tree, ast.BinOp) and type(tree.op) in OPERATORS:
            operands = self._value(tree.left), self._value(tree.right)
            return _applied(OPERATORS[type(tree.op)], *operands)
        if isinstance(tree, ast.UnaryOp) and type(tree.op) in OPERATORS:
            return _applied(OPERATORS[type(tree.op)], self._value(tree.operand))
        if isinstance(tree, ast.Call) and isinstance(tree.func, ast.Name) and not tree.keywords:
            return self._call(tree.func.id, [self._value(argument) for argument in tree.args])
        raise self._refused(tree)

    def _named(self, name: str) -> Value:
        if name not in self.values:
            if "·" in name:  # which Python takes for a letter
                product = name.replace("·", " * ")
                raise NoValueError(f"{name} has no value; to multiply write {product}")
            hint = near_misses.near_name(name, list(self.values))
            point = "" if hint.startswith(",") else f", such as {name}=1"
            raise NoValueError(f"{name} has no value; give the point{point}{hint}")
        self.used.add(name)
        return self.values[name]

    def _call(self, name: str, arguments: list[Value | float]) -> Value | float:
        row = BY_NAME.get(name)
        if row is None or row not in ROWS:
            if name in self.values:
                raise ValueError(f"{name} is no function; to multiply by it write {name} * (...)")
            near = near_misses.near_function(name) or f"; there are {_functions()}"
            raise ValueError(f"there is no function {name}{near}")
        most = 2 if row.constants else row.arity
        if name in ("max", "min") and len(arguments) > 2:
            return reduce(lambda x, y: self._call(name, [x, y]), arguments)
        if not row.arity <= len(arguments) <= most:
            takes = f"{row.arity} operand{'s'[: row.arity - 1]}"
            takes += " and perhaps a number" if row.constants else ""
            raise ValueError(f"{name} takes {takes}, not {len(arguments)}")
        if row.constants and isinstance(arguments[-1], Value) and len(arguments) == 2:
            raise ValueError(f"the second argument of {name} must be a number")
        return _applied(lambda x, *rest: getattr(x, name)(*rest), *arguments)

    def _source(self, tree: ast.AST) -> str:
        return (ast.get_source_segment(self.text, tree) or type(tree).__name__)[:80]

    def _refused(self, tree: ast.AST) -> ValueError:
        remedy = near_misses.likely(self.text) or (
            "; it may hold numbers, names, + - * / **, assignments and the functions "
            + _functions()
        )
        return ValueError(f"{self._source(tree)!r} is not allowed in an expression{remedy}")


def _functions() -> str:
    return ", ".join(row.name for row in ROWS)


def _applied(function: Callable[..., Value], *operands: Value | float) -> Value | float:
    first, *rest = operands
    result = function(operand(first), *rest)
    return result if any(isinstance(x, Value) for x in operands) else result.data


def _name_results(root: Value, taken: set[str]) -> None:
    """Call the root f and the other results a, b, c, ... where the letters reach."""
    order = topological_order(root)
    taken |= {value.label for value in order}
    if root.parents and not root.label and "f" not in taken:
        root.label = "f"
    results = [value for value in order if value.parents and not value.label]
    letters = [letter for letter in _LETTERS if letter not in taken]
    if len(results) <= len(letters):
        for value, letter in zip(results, letters):
            value.label = letter
