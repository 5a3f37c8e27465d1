"""The text of a program's functions, with the shape of every line, and where each array is."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from micrograd.lowering.arrays.ir import Array
from micrograd.lowering.code.expr import Assign
from micrograd.lowering.code.kinds import Printer, shape_text
from micrograd.lowering.code.statements import Code
from micrograd.lowering.trace.declared import INPUT

WIDTH = 92
SHAPE_COLUMN = 44


@dataclass(frozen=True)
class Function:
    """A function as lines of text; `line_of` counts from 1 where an array is defined."""

    text: str
    line_of: dict[Array, int]


def function(name: str, code: Code, printer: Printer, tables: Sequence[str] = ()) -> Function:
    """Return one function of both passes, or of the forward pass where code has no gradients.

    `tables` are names of tables that the function takes as arguments.
    """
    writer = _Writer(printer)
    arguments = [printer(array) for array in code.arguments]
    writer.wrapped(f"def {name}(", [*arguments, *tables], "):")
    writer.line_of.update(dict.fromkeys(code.arguments, 1))
    sample = next((a for a in code.arguments if a.kind == INPUT and a.batched), None)
    if sample and any(re.search(r"\bB\b", printer(line.expr)) for line in code.statements):
        writer.lines.append(f"    B = len({printer(sample)})")
    if not code.with_gradients:
        writer.body(code.forward)
        writer.lines.append(f"    return {printer(code.loss)}")
    else:
        writer.lines.append("    # forward")
        writer.body(code.forward)
        writer.lines.append("    # backward")
        writer.body(code.backward)
        pairs = [f"{printer(leaf)!r}: {printer(adjoint)}" for leaf, adjoint in code.gradients]
        writer.wrapped(f"    return {printer(code.loss)}, {{", pairs, "}")
    return Function("\n".join((*writer.lines, "")), writer.line_of)


class _Writer:
    def __init__(self, printer: Printer) -> None:
        self.printer = printer
        self.lines: list[str] = []
        self.line_of: dict[Array, int] = {}

    def body(self, statements: Sequence[Assign]) -> None:
        for statement in statements:
            self.lines.append(f"    {line(statement, self.printer)}")
            self.line_of[statement.array] = len(self.lines)

    def wrapped(self, head: str, parts: Sequence[str], tail: str) -> None:
        """Write a line, broken behind commas where it is too long."""
        text = f"{head}{', '.join(parts)}{tail}"
        while len(text) > WIDTH and ", " in text[8:WIDTH]:
            cut = text.rindex(", ", 0, WIDTH) + 1
            self.lines.append(text[:cut])
            text = " " * 12 + text[cut:].lstrip()
        self.lines.append(text)


def line(statement: Assign, printer: Printer) -> str:
    """Return a statement with the shape of its result in a comment."""
    text = f"{printer(statement.array)} = {printer(statement.expr)}"
    return f"{text:<{SHAPE_COLUMN}}  # {shape_text(statement.expr.shape)}"
