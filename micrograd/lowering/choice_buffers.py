"""Choices, and who gets their gradients, as NumPy calls into buffers."""

from __future__ import annotations

from typing import Any

from micrograd.lowering.expr import CHOOSERS, Expr


def choice(writer: Any, e: Expr, out: str | None) -> str:
    """Write what chooses along an axis."""
    op, axis = e.attr
    source = writer._operand(e.args[0])
    target: str = writer._target(e, out)
    writer.body.append(f"{CHOOSERS[op]}.reduce({source}, {axis}, None, {target})")
    return target


def segment_choice(writer: Any, e: Expr, out: str | None) -> str:
    """Write what chooses in each piece of the last axis."""
    op, table = e.attr
    source = writer._operand(e.args[0])
    target: str = writer._target(e, out)
    starts = writer._hoisted(f"{table}[:-1].copy()")
    axis = len(e.shape) - 1
    writer.body.append(f"{CHOOSERS[op]}.reduceat({source}, {starts}, {axis}, None, {target})")
    return target


def first_true(writer: Any, e: Expr, _: str | None) -> str:
    """Write what marks the first true element along an axis."""
    hits, axis = _hits(writer, e), e.attr
    place = writer._buffer((*e.shape[:axis], *e.shape[axis + 1 :]), "int64", plain=True)
    front, behind = ":, " * axis, ", None" * (len(e.shape) - axis - 1)
    # the last one is it where no other is, so there it may as well be true
    last = writer._hoisted(f"{hits}[{front}-1:]")
    writer.body.append(f"copyto({last}, True)")
    writer.body.append(f"{hits}.argmax({axis}, {place})")
    count = writer._hoisted(f"arange({e.shape[axis]})[:{behind}]")
    held = writer._hoisted(f"{place}[{front}None]")
    target: str = writer._buffer(e.shape, "bool")
    writer.body.append(f"equal({count}, {held}, {target})")
    return target


def segment_first_true(writer: Any, e: Expr, _: str | None) -> str:
    """Write what marks the first true element of each piece."""
    hits, starts, axis = _hits(writer, e), e.attr, len(e.shape) - 1
    n, pieces = e.shape[-1], len(writer.tables[starts]) - 1
    place = writer._buffer(e.shape, "int64", plain=True)
    first = writer._buffer((*e.shape[:-1], pieces), "int64", plain=True)
    count, end = writer._hoisted(f"arange({n})"), writer._hoisted(f"{starts}[1:] - 1")
    begin = writer._hoisted(f"{starts}[:-1].copy()")
    owner = writer._hoisted(f"arange({pieces}).repeat({starts}[1:] - {starts}[:-1])")
    writer.body += [
        f"copyto({place}, {n})",
        f"copyto({place}, {count}, where={hits})",
        f"minimum.reduceat({place}, {begin}, {axis}, None, {first})",
        f"minimum({first}, {end}, out={first})",
        f"{first}.take({owner}, {axis}, {place}, 'clip')",
        f"equal({count}, {place}, {hits})",
    ]
    return hits


def _hits(writer: Any, e: Expr) -> str:
    """Compute which elements equal what was chosen, into a buffer of its own to be changed."""
    a, b = writer._operands(e.args[0].args)
    hits: str = writer._buffer(e.shape, "bool", plain=True)
    writer.body.append(f"equal({a}, {b}, {hits})")
    return hits
