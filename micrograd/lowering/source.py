"""Programs as text: a function of inputs, parameters and constants."""

from __future__ import annotations

from micrograd.lowering import expr as ex
from micrograd.lowering.expr import Assign
from micrograd.lowering.ir import INPUT
from micrograd.lowering.lowered import LOSS, Lines, Lowered
from micrograd.lowering.text import line

WIDTH = 92


def value_and_grad_text(lowered: Lowered, lines: Lines) -> str:
    """Return the text of both passes."""
    gradients = ", ".join(f"{leaf!r}: {name}" for leaf, name in lines.gradients.items())
    return "\n".join([
        _head("value_and_grad", lowered), *_batch_size(lowered, lines), "    # forward",
        *_body(lines.forward), "    # backward", *_body(lines.backward),
        *_wrapped(f"    return {LOSS}, {{{gradients}}}"), "",
    ])  # fmt: skip


def forward_text(lowered: Lowered, lines: Lines) -> str:
    """Return the text of the forward pass."""
    return "\n".join([_head("forward", lowered), *_batch_size(lowered, lines),
                      *_body(lines.forward), f"    return {LOSS}", ""])  # fmt: skip


def _head(name: str, lowered: Lowered) -> str:
    return f"def {name}({', '.join(lowered.arguments)}):"


def _batch_size(lowered: Lowered, lines: Lines) -> list[str]:
    """Return the line that says what B is, where a line needs it."""
    everything = [*lines.forward, *lines.backward]
    needs = any(_needs_b(statement) for statement in everything)
    batched = [array for array in lowered.leaves(INPUT) if array.batched]
    return [f"    B = len({batched[0].name})"] if needs and batched else []


def _needs_b(statement: Assign) -> bool:
    return any((e.kind == "ref" and e.attr == ex.B)
               or (e.kind in ("broadcast", "embed") and ex.B in e.shape)
               for e in statement.expr.walk())  # fmt: skip


def _body(lines: list[Assign]) -> list[str]:
    return [f"    {line(statement)}" for statement in lines]


def _wrapped(text: str) -> list[str]:
    lines = []
    while len(text) > WIDTH and ", " in text[8:WIDTH]:
        cut = text.rindex(", ", 0, WIDTH) + 1
        lines.append(text[:cut])
        text = " " * 12 + text[cut:].lstrip()
    return [*lines, text]
