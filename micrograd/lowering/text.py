"""Statements as the text of a program: plain array code over a namespace."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from micrograd.lowering.expr import ALL, COMPARISONS, Assign, B, Expr, Shape, shown_number

_RANK = {"+": 2, "-": 2, "*": 3, "/": 3, "@": 3, "**": 5} | dict.fromkeys(COMPARISONS, 1)
UNARY, ATOM = 4, 6
SHAPE_COLUMN = 44


def shown(e: Expr) -> str:
    """Return an expression as text."""
    return _KINDS[e.kind](e)


def shape_text(shape: Shape) -> str:
    """Return a shape as a tuple is written: (B, 8), (8,)."""
    return f"({', '.join(map(str, shape))}{',' if len(shape) == 1 else ''})"


def line(statement: Assign) -> str:
    """Return a statement with the shape of its result in a comment."""
    text = f"{statement.name} = {shown(statement.expr)}"
    return f"{text:<{SHAPE_COLUMN}}  # {shape_text(statement.expr.shape)}"


def _rank(e: Expr) -> int:
    if e.kind == "bin":
        return _RANK[e.attr]
    if e.kind == "num":
        return UNARY if e.attr < 0 else ATOM
    return {"matmul": 3, "neg": UNARY, "not": UNARY}.get(e.kind, ATOM)


def _within(e: Expr, rank: int) -> str:
    return shown(e) if _rank(e) >= rank else f"({shown(e)})"


def _binary(e: Expr) -> str:
    rank = _RANK[e.attr]
    left, right = (rank + 1, UNARY) if e.attr == "**" else (rank, rank + 1)
    if e.attr in COMPARISONS:
        left = right
    return f"{_within(e.args[0], left)} {e.attr} {_within(e.args[1], right)}"


def _matmul(e: Expr) -> str:
    return f"{_within(e.args[0], 3)} @ {_within(e.args[1], 4)}"


def _call(e: Expr) -> str:
    return f"{e.attr}({', '.join(map(shown, e.args))})"


def _sum(e: Expr) -> str:
    rank = len(e.args[0].shape)
    axes = ""
    if len(e.attr) < rank:
        axis = e.attr[0]
        one = len(e.attr) == 1
        axes = str(e.attr) if not one else str(axis if axis == 0 else axis - rank)
    return f"{_within(e.args[0], ATOM)}.sum({axes})"


def _transpose(e: Expr) -> str:
    if e.attr == (1, 0):
        return f"{_within(e.args[0], ATOM)}.T"
    return f"transpose({shown(e.args[0])}, {e.attr})"


def key_text(key: tuple[Any, ...]) -> str:
    """Return what stands in brackets."""
    while len(key) > 1 and key[-1] == ALL and key[-2] is not None:
        key = key[:-1]
    return ", ".join(map(_item, key))


def _item(item: Any) -> str:
    if not isinstance(item, tuple):
        return str(item)
    if item == ALL:
        return ":"
    start, stop, step = item
    return f"{start or ''}:{stop}" + (f":{step}" if step != 1 else "")


def reshaped(shape: Shape) -> str:
    """Return the arguments of `reshape`; the axis with the batch is left to be found out."""
    return ", ".join(str(n) if isinstance(n, int) else "-1" for n in shape)


def _take(e: Expr) -> str:
    front = ":, " if e.shape[0] == B and e.args[0].shape[0] == B else ""
    return f"{_within(e.args[0], ATOM)}[{front}{e.attr}]"


def _embed(e: Expr) -> str:
    return f"embed({shown(e.args[0])}, {shape_text(e.attr[1])}, s_[{key_text(e.attr[0])}])"


_KINDS: dict[str, Callable[[Expr], str]] = {
    "ref": lambda e: str(e.attr),
    "num": lambda e: shown_number(e.attr),
    "bin": _binary,
    "matmul": _matmul,
    "call": _call,
    "sum": _sum,
    "mean": lambda e: f"{_within(e.args[0], ATOM)}.mean()",
    "neg": lambda e: f"-{_within(e.args[0], UNARY)}",
    "not": lambda e: f"~({shown(e.args[0])})",
    "transpose": _transpose,
    "index": lambda e: f"{_within(e.args[0], ATOM)}[{key_text(e.attr)}]",
    "reshape": lambda e: f"{_within(e.args[0], ATOM)}.reshape({reshaped(e.attr)})",
    "broadcast": lambda e: f"broadcast_to({shown(e.args[0])}, {shape_text(e.attr)})",
    "einsum": lambda e: f"einsum({e.attr!r}, {', '.join(map(shown, e.args))})",
    "take": _take,
    "scatter": lambda e: f"scatter({shown(e.args[0])}, {e.attr[0]}, {e.attr[1]})",
    "segments": lambda e: f"segment_sum({shown(e.args[0])}, {e.attr})",
    "embed": _embed,
    "lookup": lambda e: f"{shown(e.args[0])}[{shown(e.args[1])}]",
    "rows": lambda e: f"rows({', '.join(map(shown, e.args))})",
    "add_rows": lambda e: f"add_rows({', '.join(map(shown, e.args))})",
}
