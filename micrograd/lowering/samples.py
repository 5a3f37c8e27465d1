"""Which expressions treat every sample by itself, and which add up what the samples give."""

from __future__ import annotations

from collections.abc import Callable

from micrograd.lowering.expr import ALL, B, Expr


def batched(e: Expr) -> bool:
    """Return whether the first axis is that of the samples."""
    return e.shape[:1] == (B,)


def by_row(e: Expr) -> bool:
    """Return whether each sample's part of the result depends on that sample only."""
    if not all(map(by_row, e.args)):
        return False
    over = [batched(a) for a in e.args]
    if not any(over):
        return True
    return batched(e) and _BY_ROW.get(e.kind, _never)(e)


def adds_rows(e: Expr) -> bool:
    """Return whether an expression is a sum over the samples of what each contributes."""
    if batched(e) or not any(batched(part) for part in e.walk()):
        return False
    if e.kind in ("reshape", "neg", "transpose"):
        return adds_rows(e.args[0])
    if e.kind == "matmul":
        left, right = e.args
        return batched(right) and by_row(right) and (by_row(left) or _outer(left))
    if not all(map(by_row, e.args)):
        return False
    if e.kind == "einsum":
        operands, out = e.attr.split("->")
        return "b" not in out and all(
            not batched(a) or letters[0] == "b" for a, letters in zip(e.args, operands.split(","))
        )
    return e.kind == "sum" and 0 in e.attr


def _outer(e: Expr) -> bool:
    """Return whether this is the transpose in delta.T @ x."""
    return e.kind == "transpose" and e.attr == (1, 0) and batched(e.args[0]) and by_row(e.args[0])


def _never(_: Expr) -> bool:
    return False


def _elementwise(e: Expr) -> bool:
    return all(not batched(a) or len(a.shape) == len(e.shape) for a in e.args)


def _einsum(e: Expr) -> bool:
    operands, out = e.attr.split("->")
    return out[0] == "b" and all(
        not batched(a) or letters[0] == "b" for a, letters in zip(e.args, operands.split(","))
    )


_BY_ROW: dict[str, Callable[[Expr], bool]] = {
    "bin": _elementwise,
    "call": _elementwise,
    "neg": _elementwise,
    "not": _elementwise,
    "matmul": lambda e: not batched(e.args[1]),
    "sum": lambda e: 0 not in e.attr,
    "index": lambda e: e.attr[0] == ALL,
    "transpose": lambda e: e.attr[0] == 0,
    "reshape": lambda e: batched(e.args[0]),
    "lookup": lambda e: batched(e.args[1]),
    "take": lambda e: len(e.args[0].shape) > 1,
    "einsum": _einsum,
    "choice": lambda e: e.attr[1] > 0,
    "first_true": lambda e: e.attr > 0,
}
