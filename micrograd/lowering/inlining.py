"""Write what is used once, and what no person would name, into the line that uses it."""

from __future__ import annotations

from collections.abc import Callable

from micrograd.lowering.expr import Assign, Expr
from micrograd.lowering.names import uses
from micrograd.lowering.text import shown

LONGEST = 64  # characters of an expression
_ELEMENTWISE = ("ref", "bin", "call", "neg", "not", "sum", "index", "reshape", "transpose",
                "broadcast", "take", "scatter", "embed", "segments", "choice",
                "segment_choice")  # fmt: skip


def inlined(lines: list[Assign], keep: Callable[[str], bool]
            ) -> tuple[list[Assign], dict[str, str]]:  # fmt: skip
    """Return the statements with those that are used once written in; `keep` names stay.

    The second result tells, for what was written in, the name of the line that it is in.
    """
    counts = uses(e.attr for line in lines for e in line.expr.walk() if e.kind == "ref")
    waiting: dict[str, Expr] = {}
    into: dict[str, str] = {}
    result: list[Assign] = []
    for line in lines:
        expr = _put_in(line, waiting, result, into)
        if counts.get(line.name) == 1 and not keep(line.name) and len(shown(expr)) <= LONGEST:
            waiting[line.name] = expr
        else:
            result.append(Assign(line.name, expr))
    return result, into


def _put_in(line: Assign, waiting: dict[str, Expr], result: list[Assign], into: dict[str, str]
            ) -> Expr:  # fmt: skip
    """Write in what fits; give the rest its name after all."""
    names = [e.attr for e in line.expr.walk() if e.kind == "ref" and e.attr in waiting]
    expr = line.expr
    for name in names:
        longer = expr.replaced({name: waiting[name]})
        if line.expr.kind in _ELEMENTWISE and len(shown(longer)) <= LONGEST:
            expr = longer
            into[name] = line.name
        else:
            result.append(Assign(name, waiting[name]))
        del waiting[name]
    return expr
