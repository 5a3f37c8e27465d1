"""Run statements by numba: one compiled function of loops, over arrays made once per batch size."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from micrograd.lowering.expr import B, Expr
from micrograd.lowering.ir import CONSTANT, INPUT, PARAMETER
from micrograd.lowering.loops import Loops
from micrograd.lowering.lowered import LOSS, Lines, Lowered
from micrograd.lowering.text import shown
from micrograd.ops import FUNCTIONS
from micrograd.optim.gradients import Rows

Run = Callable[..., Any]


def jit(text: str, name: str) -> Callable[..., Any]:
    """Compile the function `name` of a text of loops; sums may be taken in another order."""
    import numba

    def maximum(a: float, b: float) -> float:
        return a if a >= b or a != a else b

    def minimum(a: float, b: float) -> float:
        return a if a <= b or a != a else b

    scope: dict[str, Any] = {f: getattr(math, f) for f in FUNCTIONS}
    scope |= {"nan": math.nan, "inf": math.inf, "abs": abs}
    scope |= {f.__name__: numba.njit(f) for f in (maximum, minimum)}
    exec(compile(text, "<loops>", "exec"), scope)
    decorate = numba.njit(fastmath={"reassoc", "contract", "nsz"}, error_model="numpy")
    function: Callable[..., Any] = decorate(scope[name])
    return function


def compiled(lowered: Lowered, lines: Lines) -> Callable[..., Run]:
    """Return a function of the batch size and the leaves' arrays that makes the runner."""
    writer = Loops()
    for statement in (*lines.forward, *lines.backward):
        writer.statement(statement)
    inputs = [array.name for array in lowered.leaves(INPUT)]
    leaves = [array.name for kind in (PARAMETER, CONSTANT) for array in lowered.leaves(kind)]
    names = list(dict.fromkeys(["_m", B, *inputs, *leaves, *lowered.data, *writer.views]))
    offsets = [f"_o_{name} = {offset}" for name, offset in writer.offsets.items()]
    body = "\n".join(f"    {line}" for line in (*offsets, *writer.lines))
    function = jit(f"def run({', '.join(names)}):\n{body}\n", "run")

    def make(size: int, given: Mapping[str, Any]) -> Run:
        m = np.zeros(_at(writer.space, size))
        held: dict[str, Any] = {**given, **lowered.data, B: size, "_m": m}

        def array(name: str) -> Any:
            shape = [_at(n, size) for n in writer.shapes[name]]
            first = _at(writer.offsets[name], size)
            return m[first : first + math.prod(shape)].reshape(shape)

        rows = {line.name: line.expr for line in lines.backward if line.expr.kind == "rows"}
        sparse = {leaf: rows[name] for leaf, name in lines.gradients.items() if name in rows}
        gradients: dict[str, Any] = {leaf: array(name) for leaf, name in lines.gradients.items()
                                     if leaf not in sparse}  # fmt: skip
        made = {r.attr: array(r.attr) for e in sparse.values() for r in e.args[2::2]
                if r.attr in writer.shapes}  # fmt: skip
        loss = array(LOSS)

        def run(*batch: Any) -> tuple[Any, dict[str, Any]]:
            held.update(zip(inputs, batch))
            if dynamic or not views:
                views.update({name: _view(text, held) for name, text in writer.views.items()})
            function(*[views[n] if n in views else held[n] for n in names])
            for leaf, e in sparse.items():
                gradients[leaf] = _rows(e, {**made, **held})
            return loss[()], gradients

        views: dict[str, Any] = {}
        dynamic = any(text.split(".")[0] in inputs for text in writer.views.values())
        return run

    return make


def _at(text: Any, size: int) -> int:
    """Return a number that may depend on the batch size."""
    return int(eval(str(text), {B: size}))


def _rows(e: Expr, held: Mapping[str, Any]) -> Rows:
    """Put the sparse gradient of a table together from arguments and results of the loops."""
    _, *pairs = e.args
    ids = [_view(shown(i), held).reshape(-1) for i in pairs[::2]]
    rows = [held[r.attr].reshape(-1, r.shape[-1]) for r in pairs[1::2]]
    if len(ids) == 1:
        return Rows(ids[0], rows[0])
    return Rows(np.concatenate(ids), np.concatenate(rows))


def _view(text: str, held: Mapping[str, Any]) -> Any:
    return eval(text, {}, dict(held))
