"""Run statements by NumPy, with buffers that are made once for each batch size."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from micrograd.lowering.buffers import CALLED, Buffered
from micrograd.lowering.expr import Assign, B
from micrograd.lowering.ir import CONSTANT, INPUT, LOOKUP, PARAMETER
from micrograd.lowering.lowered import LOSS, Lines, Lowered
from micrograd.lowering.names import NUMPY
from micrograd.lowering.row_buffers import join, sparse
from micrograd.lowering.stacking import stacked
from micrograd.lowering.tensors import whole
from micrograd.optim.gradients import Rows

Run = Callable[..., Any]


def compiled(lowered: Lowered, lines: Lines) -> Callable[..., Run]:
    """Return a function of the batch size and the leaves' arrays that makes the runner."""
    text = buffered_text(lowered, lines)
    scope: dict[str, Any] = {"Rows": Rows}
    exec(compile(text, "<buffered program>", "exec"), scope)

    def make(size: int, leaves: Mapping[str, Any]) -> Run:
        return scope["make"](size, **leaves, **lowered.data, **CALLED)  # type: ignore[no-any-return]

    return make


def buffered_text(lowered: Lowered, lines: Lines) -> str:
    """Return the text of a function that makes the buffers and, with them, the runner."""
    inputs = [array.name for array in lowered.leaves(INPUT)]
    leaves = [array.name for kind in (PARAMETER, CONSTANT) for array in lowered.leaves(kind)]
    batches = [whole(array) for array in lowered.leaves(INPUT)]
    ids = {array.operands[0].array.name for array in lowered.leaves(LOOKUP)}
    everything, stacks = stacked([*lines.forward, *lines.backward], batches)
    results = set(lines.gradients.values())
    writer = Buffered({*leaves, *lowered.tables}, lowered.tables, results, stacks)
    writer.inputs(inputs, ids)
    join(writer, everything)
    rows = {r.attr for e in everything if e.expr.kind == "rows" for r in e.expr.args}
    owner = _reused(everything, {LOSS, *results, *rows}, writer.stack_of)
    for statement in everything:
        if statement.expr.kind == "rows":
            writer.body.append(sparse(writer, statement))
        else:
            writer.statement(statement, owner.get(statement.name))
    items = _gradients(writer, lines)
    arguments = ", ".join(dict.fromkeys([B, *leaves, *lowered.data, *NUMPY]))
    return "\n".join([
        f"def make({arguments}):",
        *(f"    {text}" for text in writer.setup),
        f"    gradients = {{{items}}}",
        f"    def run({', '.join(inputs)}):",
        *(f"        {text}" for text in writer.body),
        f"        return {LOSS}, gradients",
        "    return run",
    ])  # fmt: skip


def _gradients(writer: Buffered, lines: Lines) -> str:
    """Return the items of the dict of gradients; single numbers get an array each."""
    shapes = {line.name: line.expr.shape for line in lines.backward}
    rows = {line.name for line in lines.backward if line.expr.kind == "rows"}
    items = []
    for leaf, name in lines.gradients.items():
        held = name
        if name in rows:  # made anew by every call
            writer.body.append(f"gradients[{leaf!r}] = {name}")
            held = "None"
        elif not shapes[name]:
            held = f"_held_{name}"
            writer.setup.append(f"{held} = zeros(())")
            writer.body.append(f"{held}[()] = {name}")
        items.append(f"{leaf!r}: {held}")
    return ", ".join(items)


def _reused(lines: list[Assign], results: set[str], stack_of: Mapping[str, str]) -> dict[str, str]:
    """Return which statement may write over the buffer of its only operand."""
    results = results | {stack_of[name] for name in results if name in stack_of}
    last: dict[str, int] = {}
    for number, line in enumerate(lines):
        for e in line.expr.walk():
            if e.kind == "ref":
                last[stack_of.get(e.attr, e.attr)] = number
    made = {line.name: line.expr.shape for line in lines
            if line.name not in stack_of and line.name not in results}  # fmt: skip
    reused: dict[str, str] = {}
    for number, line in enumerate(lines):
        single = all(e.kind in ("ref", "num", "index") for e in line.expr.args)
        if line.expr.kind not in ("call", "bin", "neg") or line.expr.attr == "where" or not single:
            continue
        if line.name not in made:
            continue
        for e in line.expr.args:
            name, shape = e.attr, line.expr.shape
            if e.kind == "ref" and last.get(name) == number and made.get(name) == shape != ():
                reused[line.name] = name
                break
    return reused
