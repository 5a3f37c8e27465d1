"""Run narrow graphs, such as long chains, node by node: an array of one element is no gain."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from micrograd.core.formulas import FLOATS
from micrograd.lowering.columns import NAMES, WEIGHTED
from micrograd.lowering.ir import CONSTANT, INPUT, PARAMETER
from micrograd.lowering.levels import Levels
from micrograd.ops import BY_NAME, WEIGHTED_SUM

Run = Callable[..., Any]
_PASSES: dict[tuple[str, ...], tuple[Callable[..., None], Callable[..., None]]] = {}
NARROW = 4  # nodes per group, on average


def narrow(levels: Levels) -> bool:
    """Return whether the groups hold so few nodes that arrays do not pay."""
    inner = len(levels.op) - int((levels.level == 0).sum())
    return not levels.leaves(INPUT) and inner < NARROW * len(levels.groups())


def maker(levels: Levels, kind: str) -> Callable[..., Run]:
    """Return a function of the batch size and the leaves' arrays that makes the runner."""
    steps, forward, backward = _program(levels)
    behind = steps[::-1]
    wanted = [(a, levels.slots[a.name]) for a in levels.leaves(PARAMETER)]

    def make(_: int, leaves: Mapping[str, Any]) -> Run:
        held = [(leaves[a.name], levels.slots[a.name])
                for group in (PARAMETER, CONSTANT) for a in levels.leaves(group)]  # fmt: skip
        start = np.zeros(len(levels.op))
        start[levels.number_slots] = levels.numbers

        def run() -> tuple[float, dict[str, Any]]:
            for data, slots in held:
                start[slots[slots >= 0]] = data.ravel()[slots.ravel() >= 0]
            v = start.tolist()
            forward(steps, v)
            if kind not in (INPUT, PARAMETER):
                return v[levels.root], {}
            d = [0.0] * (len(v) + 1)
            d[levels.root] = 1.0
            backward(behind, v, d)
            return v[levels.root], {
                array.name: np.array([d[s] for s in slots.ravel().tolist()]).reshape(array.shape)
                for array, slots in wanted
            }

        return run

    return make


def _program(levels: Levels) -> tuple[list[Any], Callable[..., None], Callable[..., None]]:
    """Return (operation, node, x, y, k) per node, and the passes; a sum has its terms as x."""
    codes, counts = np.unique(levels.op[levels.op > 0], return_counts=True)
    number = {int(codes[i]): n for n, i in enumerate(np.argsort(-counts).tolist())}
    program: list[tuple[int, int, Any, int, Any]] = []
    columns = (levels.op, levels.x, levels.y, levels.k, levels.start[:-1], levels.start[1:])
    for o, (op, x, y, k, first, last) in enumerate(zip(*(c.tolist() for c in columns))):
        if op == WEIGHTED:
            program.append((number[op], o, levels.term[first:last].tolist(), 0, None))
        elif op:
            program.append((number[op], o, x, y, int(k) if k == k and k == int(k) else k))
    return program, *_passes(tuple(NAMES[code] for code in number))


def _passes(ops: tuple[str, ...]) -> tuple[Callable[..., None], Callable[..., None]]:
    """Return both passes over a program of the operations given, their formulas written in."""
    if ops not in _PASSES:
        head = "    for n, o, i, j, k in program:\n        if n < 0: pass\n"
        forward = "".join(_case(n, op, _forward(op)) for n, op in enumerate(ops))
        backward = "".join(_case(n, op, _backward(op)) for n, op in enumerate(ops))
        forward = f"def forward(program, v):\n{head}{forward}"
        backward = f"def backward(program, v, d):\n{head}{backward}"
        _PASSES[ops] = FLOATS.define(forward, "forward"), FLOATS.define(backward, "backward")
    return _PASSES[ops]


def _case(number: int, op: str, lines: list[str]) -> str:
    if op != WEIGHTED_SUM.name:
        lines = ["x, y = v[i], v[j]" if BY_NAME[op].arity == 2 else "x = v[i]", *lines]
    return f"        elif n == {number}:\n" + "".join(f"            {line}\n" for line in lines)


def _forward(op: str) -> list[str]:
    if op == WEIGHTED_SUM.name:
        return ["v[o] = sum([v[t] for t in i])"]
    return [f"v[o] = {FLOATS.rewritten(BY_NAME[op].value)}"]


def _backward(op: str) -> list[str]:
    if op == WEIGHTED_SUM.name:
        return ["upstream = d[o]", "for t in i: d[t] += upstream"]
    return ["upstream, out = d[o], v[o]", *(
        f"d[{place}] += upstream * ({FLOATS.rewritten(text)})"
        for place, text in zip("ij", BY_NAME[op].local)
    )]  # fmt: skip
