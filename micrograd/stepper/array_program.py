"""The array program that a graph became, as the page and the terminal show it beside the steps.

Whoever lowers a graph hands the program in; the stepper reads its text and asks it where a Value
and its gradient are.
"""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Protocol

from micrograd.core.modes import described
from micrograd.engine import Value
from micrograd.graph import Graph
from micrograd.printing import shorten
from micrograd.stepper.interface import INTERFACE, LINES, PROGRAM

WITH_ELEMENT = ("element", "term", "chosen", "shared", "routed")


class Spot(Protocol):
    """Where a Value or a gradient is in a program: `lowering.where.Location` tells the fields."""

    @property
    def how(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def line(self) -> int: ...
    @property
    def at(self) -> tuple[int, ...]: ...
    @property
    def batched(self) -> bool: ...


class ArrayProgram(Protocol):
    """What lowering a graph gives: its text, and the lines of Values and gradients."""

    @property
    def root(self) -> Value: ...
    @property
    def source(self) -> str: ...
    def line(self, value: Value) -> Spot: ...
    def line_of_gradient(self, value: Value) -> Spot: ...


def of_graph(program: ArrayProgram | None, graph: Graph) -> ArrayProgram | None:
    """Return the program. Raises ValueError for that of another graph, TypeError for no program."""
    root = graph.values[graph.roots[0]]
    if program is not None and not hasattr(program, "root"):
        raise TypeError(f"a program is what lower(...) returns, not {shorten(program)}")
    if program is not None and program.root is not root:
        raise ValueError(
            f"the program computes {described(program.root)}, and the steps end at "
            f"{described(root)}; step through program.root"
        )
    return program


def named(graph: Graph, program: ArrayProgram | None) -> Graph:
    """Return the graph, its nodes without a label called as the program calls them: W1[0, 2]."""
    if program is None:
        return graph
    found = zip(graph.values, graph.labels)
    return replace(graph, labels=tuple(label or _name(program.line(v)) for v, label in found))


def _name(spot: Spot) -> str:
    """Return the name of an element, "" for what is none."""
    if spot.how != "element":
        return ""
    return f"{spot.name}[{', '.join(map(str, spot.at))}]" if spot.at else spot.name


def program_data(program: ArrayProgram, graph: Graph) -> dict[str, Any]:
    """Return where every node is: its kind of spot, [how, line, name, batched], and which element.

    The spots of the values come first, then those of the gradients.
    """
    kinds: dict[tuple[str, int, str, bool], int] = {}
    columns = [
        _column([find(value) for value in graph.values], kinds)
        for find in (program.line, program.line_of_gradient)
    ]
    return {"kinds": [*kinds], "spots": columns}


def _column(spots: Sequence[Spot], kinds: dict[tuple[str, int, str, bool], int]) -> list[Any]:
    keys = [(spot.how, spot.line, spot.name, spot.batched) for spot in spots]
    return [
        [kinds.setdefault(key, len(kinds)) for key in keys],
        [", ".join(map(str, spot.at)) for spot in spots],
    ]


def listing(program: ArrayProgram) -> str:
    """Return the program as items of an HTML list, one per line, readable without a script."""
    return "".join(
        f"<li><code>{_code(line)}</code></li>" for line in program.source.rstrip().splitlines()
    )


def _code(line: str) -> str:
    """Return a line of code as HTML, the remark at its end in an element of its own."""
    code, mark, shape = line.partition("  # ")
    room = code[len(code.rstrip()) :]
    text = html.escape(code.rstrip())
    return f"{text}<i>{room}{mark}{html.escape(shape)}</i>" if mark and text else html.escape(line)


def told(spot: Spot, node: str, language: str) -> str:
    """Return the sentence that says what `node` is in its line, "" where nothing can be said."""
    if not spot.how or (node == spot.name and not spot.at):
        return ""
    key = spot.how if spot.at or spot.how not in WITH_ELEMENT else f"{spot.how}.whole"
    return LINES[language][key].format(
        node=node,
        name=spot.name,
        at=", ".join(map(str, spot.at)),
        batched=LINES[language]["batched"] if spot.batched else "",
    )


def code_row(program: ArrayProgram, spot: Spot, language: str) -> str:
    """Return the line of a spot with its number, "" where there is none."""
    if not spot.line:
        return ""
    code, mark, shape = program.source.splitlines()[spot.line - 1].strip().partition("  # ")
    number = PROGRAM[language]["line"].format(line=spot.line)
    told = f"{code.rstrip()}{mark}{shape}"
    return INTERFACE[language]["heading"].format(step=number, what=told)
