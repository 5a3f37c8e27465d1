"""The text of a program: functions with the shape of every line, in a module that runs."""

from __future__ import annotations

import hashlib
import linecache
import re
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from types import MappingProxyType
from typing import Any

import numpy as np

from micrograd.lowering.arrays.ir import Array
from micrograd.lowering.code.expr import Assign, Shape
from micrograd.lowering.code.kinds import Printer
from micrograd.lowering.code.module import module, ranges
from micrograd.lowering.code.statements import Code
from micrograd.lowering.scalars.columns import Ints
from micrograd.lowering.trace.declared import INPUT

WIDTH = 92
SHAPE_COLUMN = 44
MOST_IN_TEXT = 1000  # numbers of a table that stand in the text; longer ones are arguments


@dataclass(frozen=True, eq=False)
class Text:
    """The module that runs; `line_of` tells the line, from 1, that defines an array.

    `tables` are constants too long for it: arguments of its function.
    """

    source: str
    line_of: Mapping[Array, int]
    tables: Mapping[str, Any]

    def __str__(self) -> str:
        return self.source

    @cached_property
    def function(self) -> Callable[..., Any]:
        """Return the function that the text defines, compiled.

        Tracebacks, pdb and inspect.getsource show its lines, as long as the text lives.
        """
        name = f"<micrograd program {hashlib.sha256(self.source.encode()).hexdigest()[:12]}>"
        lines = self.source.splitlines(keepends=True)
        linecache.cache[name] = (len(self.source), None, lines, name)
        weakref.finalize(self, linecache.cache.pop, name, None)
        scope: dict[str, Any] = {"__name__": name}
        exec(compile(self.source, name, "exec"), scope)
        function: Callable[..., Any] = scope.get("value_and_grad") or scope["forward"]
        return function


def text_of(code: Code) -> Text:
    """Return the module that runs code."""
    data = {code.names[array]: array.data for array in code.constants}
    small, large = parted(data | {code.names[table]: table.places for table in code.tables})
    lines, line_of = function(code, Printer(code.names), large)
    source = module("\n".join((*lines, "")), small)
    before = source.count("\n") - len(lines)  # the function is the last of the module
    where = MappingProxyType({array: line + before for array, line in line_of.items()})
    return Text(source, where, MappingProxyType(large))


def export_of(codes: Iterable[Code], target: str, leaves: Mapping[str, Any]) -> str:
    """Return a module of the functions of codes that needs nothing but `target`."""
    data, places, texts = dict[str, Any](), dict[str, Any](), []
    for code in codes:
        names, fresh = dict(code.names), code.names.numbered("i")
        data |= {names[array]: array.data for array in code.constants}
        for table in code.tables:
            names[table] = _shared(places, table.places, chain([names[table]], fresh))
        texts.append("\n".join((*function(code, Printer(names, target))[0], "")))
    return module("\n\n".join(texts), data | places, target, leaves)


def _shared(places: dict[str, Any], table: Ints, names: Iterable[str]) -> str:
    """Return the name of an equal table, else one of `names` that is free: it has that now.

    Every function numbers its tables by itself.
    """
    for name, known in places.items():
        if np.array_equal(known, table):
            return name
    name = next(name for name in names if name not in places)
    places[name] = table
    return name


def parted(data: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the data that stand in the text, and those too large for it."""
    large = {n: t for n, t in data.items() if t.size > MOST_IN_TEXT and not ranges(t)}
    return {name: table for name, table in data.items() if name not in large}, large


def function(
    code: Code, printer: Printer, tables: Iterable[str] = ()
) -> tuple[list[str], dict[Array, int]]:
    """Return the lines of one function of both passes, or of the forward pass where code has no
    gradients, and in which line, from 1, an array is defined.

    `tables` are names of tables that the function takes as arguments.
    """
    loss = printer(code.loss)
    name = "value_and_grad" if code.with_gradients else "forward"
    lines = [*_wrapped(f"def {name}(", [*map(printer, code.arguments), *tables], "):")]
    line_of = dict.fromkeys(code.arguments, 1)
    lines += _batch_size(code, printer)
    for title, statements in (("forward", code.forward), ("backward", code.backward)):
        lines += [f"    # {title}"] if code.with_gradients else []
        line_of |= {s.array: n for n, s in enumerate(statements, len(lines) + 1)}
        lines += [f"    {line(statement, printer)}" for statement in statements]
    pairs = [f"{printer(leaf)!r}: {printer(adjoint)}" for leaf, adjoint in code.gradients]
    gradients = _wrapped(f"    return {loss}, {{", pairs, "}")
    return lines + (list(gradients) if code.with_gradients else [f"    return {loss}"]), line_of


def _batch_size(code: Code, printer: Printer) -> Iterator[str]:
    sizes = [f"len({printer(a)})" for a in code.arguments if a.kind == INPUT and a.batched]
    if any(re.search(r"\bB\b", printer(line.expr)) for line in code.statements):
        yield f"    B = {(sizes or ['1'])[0]}"


def _wrapped(head: str, parts: Sequence[str], tail: str) -> Iterator[str]:
    """Yield a line, broken behind commas of its parts where it is too long."""
    text, start = f"{head}{', '.join(parts)}{tail}", len(head)
    while len(text) > WIDTH and ", " in text[start:WIDTH]:
        cut = text.rindex(", ", start, WIDTH) + 1
        yield text[:cut]
        text, start = " " * 12 + text[cut:].lstrip(), 12
    yield text


def line(statement: Assign, printer: Printer) -> str:
    """Return a statement with the shape of its result in a comment."""
    text = f"{printer(statement.array)} = {printer(statement.expr)}"
    return commented(text, statement.expr.shape)


def commented(text: str, shape: Shape) -> str:
    """Return a statement with a shape in a comment."""
    return f"{text:<{SHAPE_COLUMN}}  # {shape}"
