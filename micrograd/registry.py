"""Operations of one's own: a row of formula text, checked, that joins the table while Python runs.

Formulas are read, never run as code: they hold what the rows of `ops` hold and nothing else.
"""

from __future__ import annotations

import ast
import keyword
import math
from collections.abc import Callable, Iterable, Sequence
from threading import Lock
from typing import Any

from micrograd.core.asked import ASKED
from micrograd.core.checks import is_finite, is_list
from micrograd.core.formulas import FLOATS
from micrograd.core.kinds import domain_error
from micrograd.engine import Value, operand
from micrograd.gradcheck import Report, gradcheck
from micrograd.gradcheck.points import points
from micrograd.ops import BY_NAME, FUNCTIONS, REAL, ROWS, Row, add, row
from micrograd.printing import counted, shorten

__all__ = ["register"]

ARITHMETIC = (ast.Add, ast.Sub, ast.Mult, ast.Div, ast.Pow)
COMPARISONS = (ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.Eq)
OF_ARRAYS = {"where": 3, "maximum": 2, "minimum": 2, "abs": 1}
LETTERS = ("x", "y", "k", "out", "nan")
RESERVED = (*FUNCTIONS, *OF_ARRAYS, *LETTERS)
HINTS = {
    "y": "for two operands give two local gradients, by x and by y",
    "k": "for a constant give sample values of it, as in constants=(1.0, 0.5)",
}
LONGEST = 500  # characters of a formula
_ADDING = Lock()  # of two threads that add the same operation, one does


def register(
    name: str,
    value: str,
    local: str | Sequence[str],
    *,
    domain: Sequence[Any] = (),
    constants: Sequence[float] = (),
    kinks: str | Sequence[str] = (),
    needs: str = "",
) -> Callable[..., Value]:
    """Add an operation to Value; return it as a function.

        soft = register(name="soft", value="2 * tanh(x / 2)", local="1 - (out / 2) ** 2")

    From then on `x.soft()` and `soft(x)` are recorded, drawn, stepped through, differentiated
    twice and lowered as the engine's own. In a formula x and y are the operands, k a constant of
    the node, whose sample values are `constants` (the first is its default), and out the result;
    `local` holds a local gradient for each operand. `domain`, (low, high) or one pair per operand,
    is where the slopes are checked (-3 to 3), `kinks` are expressions that are 0 at corners, and
    `needs` tells in errors where there is a value. The same row again changes nothing.
    Raises ValueError where the gradient checker finds another slope, where a formula has no value
    in the domain, and for names and formulas that cannot be; TypeError for what is no text.
    """
    formulas, known = _texts("local", local), _constants(constants)
    letters = ("x", "y")[: len(formulas)] + ("k",) * bool(known)
    _check_name(name)
    _check_letters(name, _read("value", value, (*letters, "nan")), letters)
    for text in formulas:
        _read("local", text, (*letters, "out", "nan"))
    corners = _texts("kinks", kinks)
    for text in corners:
        _read("kinks", text, (*letters, "nan"))
    new = row(
        name,
        value.strip(),
        *formulas,
        domain=_domain(domain, len(formulas)),
        constants=known,
        kinks=corners,
        needs=_text("needs", needs, "say where there is a value, as in 'x > 0'"),
        own=True,
    )
    with _ADDING:
        if name not in BY_NAME:
            _check_slopes(new)
            add(new)
        elif _columns(new) != _columns(BY_NAME[name]):
            raise ValueError(f"there is an operation {name} already: choose another name")
    return _Function(BY_NAME[name])


class _Function:
    """An operation as a function of Values or numbers; a pickle finds it where it is registered."""

    def __init__(self, row: Row) -> None:
        self.row = row
        self.__name__ = self.__qualname__ = row.name
        self.__doc__ = f"Return {row.shown}."

    def __call__(self, x: Value | float, *rest: Value | float) -> Value:
        result: Value = getattr(operand(x), self.row.name)(*rest)
        return result

    def __repr__(self) -> str:
        return f"<operation {self.row.name}: {self.row.value}>"

    def __reduce__(self) -> tuple[Any, ...]:
        return _Function, (self.row,)


def _columns(row: Row) -> tuple[Any, ...]:
    return row.value, row.local, row.domain, row.constants, row.kinks, row.needs


def _texts(option: str, given: Any) -> tuple[str, ...]:
    texts = (given,) if isinstance(given, str) else given
    if not isinstance(texts, (tuple, list)) or not all(isinstance(t, str) for t in texts):
        raise TypeError(
            f"{option}={shorten(given)}: give a formula as text, or a tuple of formulas"
        )
    if option == "local" and len(texts) not in (1, 2):
        raise ValueError(
            f"{counted(len(texts), 'local gradient')}: give one for x, or two, for x and y"
        )
    return tuple(text.strip() for text in texts)


def _text(option: str, given: Any, remedy: str) -> str:
    if isinstance(given, str):
        return given
    raise TypeError(f"{option}={shorten(given)} is no text: {remedy}")


def _constants(constants: Any) -> tuple[float, ...]:
    if not is_list(constants):
        raise TypeError(
            f"constants={shorten(constants)}: give sample values of k, as in (1.0, 0.5)"
        )
    return tuple(_number("constants", k) for k in constants)


def _check_name(name: Any) -> None:
    _text("name", name, "letters name an operation")
    if not (name.isidentifier() and name.isascii()) or name[0] == "_":
        raise ValueError(
            f"{shorten(name)} cannot name an operation: write letters from a to z, digits and _"
        )
    known, word = name in BY_NAME or name in ASKED, keyword.iskeyword(name)
    if not known and (hasattr(Value, name) or name in RESERVED or word):
        raise ValueError(f"{shorten(name)} has a meaning already: choose another name")


def _check_letters(name: str, tree: ast.expr, letters: Sequence[str]) -> None:
    """Refuse operands and constants that the value does not use."""
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    if letters == ("x", "y", "k"):
        raise ValueError(f"{name}: an operation of two operands has no constant k; write numbers")
    for letter in letters:
        if letter not in used:
            remedy = "leave constants= out" if letter == "k" else "give one local gradient each"
            raise ValueError(f"{name}: its value does not use {letter}; {remedy}")


def _read(option: str, text: Any, letters: Sequence[str]) -> ast.expr:
    """Return the tree of a formula. Raises ValueError where it holds anything else."""
    text = _text(option, text, "write a formula such as '2 * tanh(x / 2)'")
    shown = f"{option}={text[:80]!r}"
    try:
        if len(text) > LONGEST or "#" in text or "\n" in text.strip():
            raise ValueError
        tree: ast.expr = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise ValueError(f"{shown} is no formula such as '2 * tanh(x / 2)'") from None
    _check(tree, shown, letters)
    return tree


def _check(node: ast.AST, shown: str, letters: Sequence[str]) -> None:
    for part in _parts(node, shown, letters):
        _check(part, shown, letters)


def _parts(node: ast.AST, shown: str, letters: Sequence[str]) -> Iterable[ast.AST]:
    """Return what a node is made of. Raises ValueError where formulas have no such node."""
    match node:
        case ast.Name(id=name):
            if name in letters:
                return ()
            remedy = HINTS.get(name, f"it may use {', '.join(letters[:-1])}")
            raise ValueError(f"{shown} uses {name}: {remedy}")
        case ast.Constant(value=int() | float() as number) if not isinstance(number, bool):
            _number(shown, number)
            return ()
        case ast.UnaryOp(op=ast.USub()):
            return (node.operand,)
        case ast.BinOp() if isinstance(node.op, ARITHMETIC):
            if isinstance(node.op, ast.Pow) and not _names(node):
                raise ValueError(f"{shown}: write the number for {ast.unparse(node)[:40]}")
            return node.left, node.right
        case ast.Call(func=ast.Name(id=name), args=args, keywords=[]):
            return _arguments(name, args, shown)
    raise ValueError(
        f"{shown}: {ast.unparse(node)[:40]!r} is not allowed in a formula; it may hold numbers, "
        "letters, + - * / **, functions, and where(x > 0, a, b)"
    )


def _names(node: ast.AST) -> list[ast.Name]:
    return [part for part in ast.walk(node) if isinstance(part, ast.Name)]


def _arguments(name: str, args: list[ast.expr], shown: str) -> Iterable[ast.AST]:
    known = OF_ARRAYS | dict.fromkeys(FUNCTIONS, 1)
    known |= {row.name: 1 for row in ROWS if row.arity == 1 and not row.constants}
    if name not in known:
        raise ValueError(
            f"{shown}: there is no function {name} for it; there are {', '.join(known)}"
        )
    if len(args) != known[name]:
        raise ValueError(
            f"{shown}: {name} takes {counted(known[name], 'operand')}, not {len(args)}"
        )
    if name != "where":
        return args
    match args[0]:
        case ast.Compare(left=left, ops=[sign], comparators=[right]) if isinstance(
            sign, COMPARISONS
        ):
            return left, right, *args[1:]
    raise ValueError(f"{shown}: where takes a comparison first, as in where(x > 0, a, b)")


def _number(option: str, number: Any) -> float:
    if not is_finite(number) or isinstance(number, bool):
        raise ValueError(f"{option}: {str(number)[:40]} is no finite number")
    return float(number)


def _domain(domain: Any, arity: int) -> tuple[tuple[float, float], ...]:
    try:
        if not is_list(domain):
            raise TypeError
        pairs = domain if len(domain) else (REAL,) * arity
        pairs = pairs if hasattr(pairs[0], "__len__") else (pairs,)
        intervals = tuple((_number("domain", a), _number("domain", b)) for a, b in pairs)
    except (TypeError, KeyError, ValueError) as error:
        raise ValueError(
            f"domain={shorten(domain)}: give (low, high), or one such pair each"
        ) from error
    if len(intervals) != arity or any(low >= high for low, high in intervals):
        raise ValueError(f"domain={shorten(domain)}: give low < high for {arity} operand(s)")
    return intervals


def _check_slopes(row: Row) -> None:
    """Raise ValueError where the row has no value, or not the slopes that it claims."""
    for k in row.constants or (None,):
        for point in points(row, k):
            _try(row, (*point, None)[:2], k)
    report = gradcheck(row)
    if not report:
        raise ValueError(_refusal(row, report))


def _try(row: Row, operands: tuple[Any, ...], k: float | None) -> None:
    what = "value"
    try:
        out = FLOATS.value(row)(*operands, k)
        what = "slope"
        numbers = [out, *(local(*operands, k, out) for local in FLOATS.local(row))]
    except (ArithmeticError, ValueError, TypeError):
        numbers = [math.nan]
    if not all(map(math.isfinite, numbers)):
        raise domain_error(row, operands[: row.arity], k, what, "say where it has by domain=")


def _refusal(row: Row, report: Report) -> str:
    entry = min(report.entries, key=lambda e: (e.agrees, bool(e.doubt), -e.error))
    kink = "; is there a corner? name it by kinks=" if entry.kink else ""
    said = entry.doubt or f"the slope there is {entry.numeric:.6g}{kink}"
    return f"{row.name} is refused: {entry.name} is {entry.analytic:.6g} by its formula, {said}"
