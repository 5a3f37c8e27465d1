"""A program as statements, what the printer writes line by line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from micrograd.lowering.adjoints.differentiate import Adjoints
from micrograd.lowering.arrays.form import BrokenProgramError
from micrograd.lowering.arrays.ir import Array
from micrograd.lowering.arrays.names import Name, Names
from micrograd.lowering.code.contract import Indexed
from micrograd.lowering.code.expr import Assign, Table
from micrograd.lowering.code.kinds import Printer


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


def named(code: Code, names: Mapping[Array, Name], backward: Adjoints | None) -> Code:
    """Return the code with names for all arrays, numbered in the order of the lines."""
    after = named_after(backward, names) if backward else {}
    lines = [line.array for line in code.statements]
    return replace(code, names=Names(names, code.tables, lines, after))


def named_after(adjoints: Adjoints, names: Mapping[Array, Name]) -> dict[Array, Array]:
    """Return the array whose adjoint each adjoint is called: delta1 of z1 (L6), dW1 of W1.

    One of what nobody would name is called after another array whose adjoint is equal to it.
    """
    after = {adjoint: adjoint.of or adjoint for adjoint in adjoints.arrays}
    equals = [(array, read) for array, term in adjoints.upstream.items() for read in term.reads]
    equals += [(leaf, gradient.whole) for leaf, gradient in adjoints.gradients.items()]
    for array, read in equals:
        of = after.get(read.array)
        if of and of in names and names[of].temporary and not names[array].temporary:
            after[read.array] = array
    return after
