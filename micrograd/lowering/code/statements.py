"""A program as statements, what the printer writes line by line, and its temporaries inlined."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from micrograd.lowering.arrays.check import BrokenProgramError
from micrograd.lowering.arrays.ir import Array
from micrograd.lowering.arrays.names import Names
from micrograd.lowering.code.construct import binary
from micrograd.lowering.code.contract import Indexed
from micrograd.lowering.code.expr import Assign, Expr, Table
from micrograd.lowering.code.kinds import KINDS, Printer


@dataclass(frozen=True)
class Code:
    """The lines of one pass or two; `gradients` pairs each wanted leaf with its adjoint.

    `arguments` are the leaves that the text takes, `constants` those that stand in it. `tables`
    are the places that lines read by. `adjoints` tells what the adjoints are that are no results.
    `into` tells, for an array that is written into the line of another, which one.
    """

    arguments: tuple[Array, ...]
    constants: tuple[Array, ...]
    forward: tuple[Assign, ...]
    backward: tuple[Assign, ...]
    loss: Array
    gradients: tuple[tuple[Array, Array], ...] = ()
    with_gradients: bool = True
    tables: tuple[Table, ...] = ()
    adjoints: Mapping[Array, Indexed] = field(default_factory=dict)
    into: Mapping[Array, Array] = field(default_factory=dict)
    names: Names = field(default_factory=lambda: Names({}))

    @property
    def statements(self) -> tuple[Assign, ...]:
        """Return the lines of both passes."""
        return self.forward + self.backward

    def line_of(self, array: Array) -> Array:
        """Return the array whose line computes an array."""
        while array in self.into:
            array = self.into[array]
        return array

    def __str__(self) -> str:
        show = Printer(self.names)
        return "\n".join(f"{show(line.array)} = {show(line.expr)}" for line in self.statements)


def check_code(code: Code) -> None:
    """Raise BrokenProgramError unless every array is defined once, before its use."""
    known = {*code.arguments, *code.constants}
    for line in code.statements:
        used = {e.attr for e in line.expr.walk() if e.kind == "ref" and isinstance(e.attr, Array)}
        if not used <= known:
            names = ", ".join(sorted(code.names.get(a, a.kind) for a in used - known))
            raise BrokenProgramError(f"{code.names.get(line.array)} uses {names} too early")
        if line.array in known:
            raise BrokenProgramError(f"{code.names.get(line.array)} is computed twice")
        known.add(line.array)
    if not {code.loss, *(adjoint for _, adjoint in code.gradients)} <= known:
        raise BrokenProgramError("a result is never computed")


LONGEST = 64  # characters of an expression


@dataclass
class Inliner:
    """Inline temporaries: an unnamed array that is used once joins the line that uses it.

    Write in what need not `keep` a line; `into` tells the array of the line it went to.
    """

    keep: Callable[[Array], bool]
    show: Callable[[Expr], str]
    into: dict[Array, Array] = field(default_factory=dict)

    def lines(self, lines: list[Assign]) -> list[Assign]:
        """Return the statements with those that are used once written in."""
        uses = Counter(array for line in lines for array in _refs(line.expr))
        waiting: dict[Array, Expr] = {}
        result: list[Assign] = []
        for line in lines:
            expr = self._put_in(line, waiting, result)
            once = uses[line.array] == 1 and not self.keep(line.array)
            if once and len(self.show(expr)) <= LONGEST:
                waiting[line.array] = expr
            else:
                result.append(Assign(line.array, expr))
        return result

    def _put_in(self, line: Assign, waiting: dict[Array, Expr], result: list[Assign]) -> Expr:
        """Write in what fits; give the rest a line after all."""
        expr = line.expr
        for array in [a for a in _refs(expr) if a in waiting]:
            longer = replaced(expr, array, waiting[array])
            if KINDS[line.expr.kind].inline and len(self.show(longer)) <= LONGEST:
                expr = longer
                self.into[array] = line.array
            else:
                result.append(Assign(array, waiting[array]))
            del waiting[array]
        return expr


def replaced(e: Expr, array: Array, by: Expr) -> Expr:
    """Return an expression with another one in place of an array, arithmetic done again."""
    if e.kind == "ref":
        return by if e.attr is array else e
    args = tuple(replaced(arg, array, by) for arg in e.args)
    if args == e.args:
        return e
    return binary(e.attr, *args) if e.kind == "bin" else Expr(e.kind, args, e.attr, e.shape)


def _refs(e: Expr) -> list[Array]:
    return [part.attr for part in e.walk() if part.kind == "ref" and isinstance(part.attr, Array)]
