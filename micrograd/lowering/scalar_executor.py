"""Run narrow graphs, such as long chains, node by node: an array of one element is no gain."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from micrograd.lowering.columns import NAMES, WEIGHTED
from micrograd.lowering.ir import CONSTANT, INPUT, PARAMETER
from micrograd.lowering.levels import Levels
from micrograd.ops import BY_NAME, FLOATS

Run = Callable[..., Any]
Step = Callable[[list[float], int, int, int, Any], None]
_STEPS: dict[str, tuple[Step, Callable[..., None]]] = {}
NARROW = 4  # nodes per group, on average


def narrow(levels: Levels) -> bool:
    """Return whether the groups hold so few nodes that arrays do not pay."""
    inner = len(levels.op) - int((levels.level == 0).sum())
    return not levels.leaves(INPUT) and inner < NARROW * len(levels.groups())


def maker(levels: Levels, kind: str) -> Callable[..., Run]:
    """Return a function of the batch size and the leaves' arrays that makes the runner."""
    steps = _program(levels)
    wanted = [(a, levels.slots[a.name]) for a in levels.leaves(PARAMETER)]

    def make(size: int, leaves: Mapping[str, Any]) -> Run:
        held = [(leaves[a.name], levels.slots[a.name])
                for group in (PARAMETER, CONSTANT) for a in levels.leaves(group)]  # fmt: skip
        start = np.zeros(len(levels.op))
        start[levels.number_slots] = levels.numbers

        def run() -> tuple[float, dict[str, Any]]:
            for data, slots in held:
                start[slots[slots >= 0]] = data.ravel()[slots.ravel() >= 0]
            v = start.tolist()
            for forward, _, o, i, j, k in steps:
                forward(v, o, i, j, k)
            if kind not in (INPUT, PARAMETER):
                return v[levels.root], {}
            d = [0.0] * (len(v) + 1)
            d[levels.root] = 1.0
            for _, backward, o, i, j, k in reversed(steps):
                backward(v, d, o, i, j, k)
            return v[levels.root], {
                array.name: np.array([d[s] for s in slots.ravel().tolist()]).reshape(array.shape)
                for array, slots in wanted
            }

        return run

    return make


def _program(levels: Levels) -> list[Any]:
    """Return (forward, backward, node, x, y, k) per node; a sum has its terms in place of x."""
    program = []
    columns = (levels.op, levels.x, levels.y, levels.k, levels.start[:-1], levels.start[1:])
    for o, (op, x, y, k, first, last) in enumerate(zip(*(c.tolist() for c in columns))):
        if op == WEIGHTED:
            program.append((_sum, _sum_backward, o, levels.term[first:last].tolist(), 0, None))
        elif op:
            program.append((*_steps(NAMES[op]), o, x, y, int(k) if k == k and k == int(k) else k))
    return program


def _sum(v: list[float], o: int, terms: Any, j: int, k: Any) -> None:
    v[o] = sum([v[t] for t in terms])


def _sum_backward(v: list[float], d: list[float], o: int, terms: Any, j: int, k: Any) -> None:
    upstream = d[o]
    for t in terms:
        d[t] += upstream


def _steps(op: str) -> tuple[Any, Any]:
    """Return the two steps of an operation, its formulas written in."""
    if op not in _STEPS:
        row = BY_NAME[op]
        binary = row.arity == 2
        reads = "x, y = v[i], v[j]" if binary else "x = v[i]"
        forward = f"def step(v, o, i, j, k):\n    {reads}\n    v[o] = {FLOATS.rewritten(row.value)}"
        lines = [f"    d[{place}] += upstream * ({FLOATS.rewritten(text)})"
                 for place, text in zip("ij", row.local)]  # fmt: skip
        backward = "\n".join(["def step(v, d, o, i, j, k):", f"    {reads}",
                              "    upstream, out = d[o], v[o]", *lines])  # fmt: skip
        _STEPS[op] = FLOATS.define(forward, "step"), FLOATS.define(backward, "step")
    return _STEPS[op]
