"""Temporaries inlined: an unnamed array that is used once, or only repeats another, has no line."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType

import numpy as np

from micrograd.lowering.adjoints.differentiate import Adjoints
from micrograd.lowering.arrays.ir import COMPUTED, Array
from micrograd.lowering.arrays.names import Name
from micrograd.lowering.code.construct import binary, indexed, led, negative, reshape, total
from micrograd.lowering.code.expr import Assign, Expr, is_number, num, ref
from micrograd.lowering.code.kinds import KINDS, Printer
from micrograd.lowering.code.statements import Code, named

LONGEST = 64  # characters of an expression


def inlined(code: Code, names: Mapping[Array, Name], backward: Adjoints | None) -> Code:
    """Return code with a line for its results, and for what `names` has a name for."""
    results = {code.loss, *(adjoint for _, adjoint in code.gradients)}

    def keep(array: Array) -> bool:
        return array in results or (array in names and not names[array].temporary)

    inliner = Inliner(keep, Printer(code.names))
    lines = inliner.lines(code.statements)
    first = next(i for i, line in enumerate(lines) if line.array is code.loss) + 1
    shorter = replace(
        code,
        forward=tuple(lines[:first]),
        backward=tuple(lines[first:]),
        into=MappingProxyType({**code.into, **inliner.into}),
    )
    return named(_numbers_moved(named(shorter, names, backward)), names, backward)


def _numbers_moved(code: Code) -> Code:
    """Return code in which the number that leads a temporary is in the only line that reads it.

    Where that has a number, and so one for both: t1 = 2 * a, b = t1 / 3.
    """
    lines, into = [*code.statements], dict(code.into)
    uses = Counter(array for line in lines for array in _refs(line.expr))
    for n, line in enumerate(lines):
        number, rest = led(line.expr)
        once = uses[line.array] == 1 and re.fullmatch(r"t\d+", code.names[line.array])
        if number in (1, -1) or not once:
            continue
        user = next(m for m, other in enumerate(lines) if line.array in _refs(other.expr))
        bare = Array(COMPUTED, line.array.shape, np.zeros(0, np.intp), line.array.batched)
        product = binary("*", num(number), ref(bare, rest.shape))
        moved = replaced(lines[user].expr, line.array, product)
        if _numbers(moved) <= _numbers(lines[user].expr):
            lines[n], lines[user] = Assign(bare, rest), Assign(lines[user].array, moved)
            into[line.array] = bare
    first = len(code.forward)
    forward, behind = tuple(lines[:first]), tuple(lines[first:])
    return replace(code, forward=forward, backward=behind, into=MappingProxyType(into))


def _numbers(e: Expr) -> int:
    return sum(map(is_number, e.walk()))


@dataclass
class Inliner:
    """Inline temporaries: an unnamed array that is used once joins the line that uses it.

    Write in what need not `keep` a line; `into` tells the array of the line it went to.
    """

    keep: Callable[[Array], bool]
    show: Callable[[Expr], str]
    into: dict[Array, Array] = field(default_factory=dict)

    def lines(self, lines: Sequence[Assign]) -> list[Assign]:
        """Return the statements with those that are used once written in."""
        uses = Counter(array for line in lines for array in _refs(line.expr))
        waiting: dict[Array, Expr] = {}
        result: list[Assign] = []
        for line in lines:
            expr = self._put_in(line, waiting, result)
            short = uses[line.array] == 1 and len(self.show(expr)) <= LONGEST
            if (short or expr.kind == "ref") and not self.keep(line.array):
                waiting[line.array] = expr
            else:
                result.append(Assign(line.array, expr))
        return result

    def _put_in(self, line: Assign, waiting: dict[Array, Expr], result: list[Assign]) -> Expr:
        """Write in what fits; give the rest a line after all."""
        expr = line.expr
        for array in [a for a in _refs(expr) if a in waiting]:
            longer, alias = replaced(expr, array, waiting[array]), waiting[array].kind == "ref"
            if alias or (KINDS[line.expr.kind].inline and len(self.show(longer)) <= LONGEST):
                expr = longer
                self.into[array] = line.array
            else:
                result.append(Assign(array, waiting[array]))
        return expr


def replaced(e: Expr, array: Array, by: Expr) -> Expr:
    """Return an expression with another one in place of an array, arithmetic done again."""
    if e.kind == "ref":
        return by if e.attr is array else e
    args = tuple(replaced(arg, array, by) for arg in e.args)
    if args == e.args:
        return e
    if e.kind == "bin":
        return binary(e.attr, *args)
    if e.kind == "neg":
        return negative(*args)
    if e.kind == "index":
        return indexed(args[0], e.attr)
    if e.kind in ("sum", "mean"):
        return total(args[0], e.attr, e.kind)
    return reshape(args[0], e.shape) if e.kind == "reshape" else replace(e, args=args)


def _refs(e: Expr) -> list[Array]:
    return [part.attr for part in e.walk() if part.kind == "ref"]
