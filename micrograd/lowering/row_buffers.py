"""Rows of tables as NumPy calls into buffers: nothing of a table's size is made or visited."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from micrograd.lowering.allocation import Allocation
from micrograd.lowering.expr import Assign, Expr
from micrograd.lowering.text import shape_text, shown


def lookup(writer: Any, e: Expr, out: str | None) -> str:
    """Write what copies the rows that ids choose."""
    target: str = writer._target(e, out)
    table, ids = map(shown, e.args)
    writer.body.append(f"{table}.take({ids}, 0, {target}, 'clip')")
    return target


def add_rows(writer: Any, e: Expr, out: str | None) -> str:
    """Write a dense gradient to which lookups add."""
    base, *pairs = e.args
    target: str = writer._target(e, out)
    found = writer._into(base, target)
    if found != target:
        writer.body.append(f"copyto({target}, {found})")
    for ids, rows in zip(pairs[::2], pairs[1::2]):
        writer.body.append(f"add.at({target}, {shown(ids)}, {writer._operand(rows)})")
    return target


def join(writer: Allocation, lines: Iterable[Assign]) -> None:
    """Let what several lookups give to the rows of one table lie in one buffer."""
    made = {line.name: line.expr.shape for line in lines}
    for line in (line for line in lines if line.expr.kind == "rows"):
        names = [rows.attr for rows in line.expr.args[2::2]]
        new = made.keys() - writer.parts.keys() - writer.stack_of.keys()
        if len(names) == 1 or len({*names} & new) < len(names):
            continue
        sizes = [" * ".join(map(str, made[name][:-1])) for name in names]
        joined = _joined(line)
        writer.setup.append(f"{joined} = empty(({' + '.join(sizes)}, {line.expr.shape[-1]}))")
        writer.fixed.add(joined)
        for i, name in enumerate(names):
            first, last = (" + ".join(sizes[:n]) for n in (i, i + 1))
            writer.parts[name] = f"{joined}[{first}:{last}].reshape({shape_text(made[name])})"


def sparse(writer: Allocation, line: Assign) -> str:
    """Return the line of a gradient: the ids one after the other, what the row of each gets."""
    _, *pairs = line.expr.args
    ids = [f"{shown(i)}.reshape(-1)" for i in pairs[::2]]
    rows = [f"{r.attr}.reshape(-1, {r.shape[-1]})" for r in pairs[1::2]]
    if len(ids) == 1:
        return f"{line.name} = Rows({ids[0]}, {rows[0]})"
    joined = _joined(line)
    held = joined if joined in writer.fixed else f"concatenate(({', '.join(rows)}))"
    return f"{line.name} = Rows(concatenate(({', '.join(ids)})), {held})"


def _joined(line: Assign) -> str:
    return f"_all_{line.name}"
