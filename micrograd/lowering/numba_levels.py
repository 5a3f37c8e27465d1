"""Run irregular graphs by numba: loops over the nodes of each level and operation."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from micrograd.lowering import level_executor
from micrograd.lowering.columns import CODES, NAMES, NONE, WEIGHTED, Floats
from micrograd.lowering.ir import CONSTANT, INPUT, PARAMETER
from micrograd.lowering.levels import Levels
from micrograd.lowering.numba_executor import Run, jit
from micrograd.ops import BY_NAME

_KERNELS: dict[frozenset[int], tuple[Any, Any]] = {}
_ARGUMENTS = "op, first, last, x, y, k, start, term, v"


class _Conditional(ast.NodeTransformer):
    """Write where as a branch, and what rows there are as their formulas."""

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        assert isinstance(node.func, ast.Name)
        name = node.func.id
        if name == "where":
            return ast.IfExp(*node.args)
        if name in BY_NAME and BY_NAME[name].value != f"{name}(x)":
            return self.visit(ast.parse(BY_NAME[name].value, mode="eval").body)  # type: ignore[no-any-return]
        return node


def maker(levels: Levels, kind: str) -> Callable[..., Run]:
    """Return a function of the batch size and the leaves' arrays that makes the runner."""
    if levels.leaves(INPUT):
        return level_executor.maker(levels, kind)

    def make(_: int, leaves: Mapping[str, Any]) -> Run:
        held = [(a, leaves[a.name], levels.slots[a.name])
                for group in (PARAMETER, CONSTANT) for a in levels.leaves(group)]  # fmt: skip
        table, v, adjoint = _table(levels), np.zeros(len(levels.op)), np.zeros(len(levels.op))
        forward, backward = _kernels(frozenset(np.unique(levels.op).tolist()))
        v[levels.number_slots] = levels.numbers

        def run() -> tuple[float, dict[str, Floats]]:
            for _array, data, slots in held:
                v[slots[slots >= 0]] = data.ravel()[slots.ravel() >= 0]
            forward(*table, v)
            if kind not in (INPUT, PARAMETER):
                return v[levels.root], {}
            adjoint[:] = 0.0
            adjoint[levels.root] = 1.0
            backward(*table, v, adjoint)
            return v[levels.root], {
                array.name: np.where(slots >= 0, adjoint[slots], 0.0).reshape(array.shape)
                for array, _, slots in held
                if array.kind == PARAMETER
            }

        return run

    return make


def _table(levels: Levels) -> tuple[Any, ...]:
    groups = levels.groups()
    op = np.array([CODES[g.op] for g in groups], np.int64)
    first, last = (np.array([getattr(g, n) for g in groups], np.int64) for n in ("first", "last"))
    small = [c.astype(np.int32) for c in (levels.x, levels.y)]
    return op, first, last, *small, levels.k, levels.start, levels.term.astype(np.int32)


def _kernels(codes: frozenset[int]) -> tuple[Any, Any]:
    if codes not in _KERNELS:
        names = sorted(codes - {0, WEIGHTED})
        _KERNELS[codes] = (
            jit(_forward_text(names), "forward"),
            jit(_backward_text(names), "backward"),
        )
    return _KERNELS[codes]


def _forward_text(codes: list[int]) -> str:
    lines = [f"def forward({_ARGUMENTS}):", "    for g in range(len(op)):",
             "        o, a, b = op[g], first[g], last[g]", f"        if o == {WEIGHTED}:",
             "            for i in range(a, b):", "                total = 0.0",
             "                for j in range(start[i], start[i + 1]):",
             "                    total += v[term[j]]", "                v[i] = total"]  # fmt: skip
    for code in codes:
        lines += [f"        elif o == {code}:", "            for i in range(a, b):",
                  f"                v[i] = {_formula(BY_NAME[NAMES[code]].value)}"]  # fmt: skip
    return "\n".join(lines)


def _backward_text(codes: list[int]) -> str:
    lines = [f"def backward({_ARGUMENTS}, d):", "    for g in range(len(op) - 1, -1, -1):",
             "        o, a, b = op[g], first[g], last[g]", f"        if o == {WEIGHTED}:",
             "            for i in range(a, b):",
             "                for j in range(start[i], start[i + 1]):",
             "                    d[term[j]] += d[i]"]  # fmt: skip
    for code in codes:
        lines += [f"        elif o == {code}:", "            for i in range(a, b):"]
        for letter, local in zip("xy", BY_NAME[NAMES[code]].local):
            lines.append(f"                d[{letter}[i]] += d[i] * ({_formula(local)})")
    return "\n".join(lines)


def _formula(text: str) -> str:
    """Return a formula on the values of node i."""
    tree = _Conditional().visit(ast.parse(text, mode="eval"))
    element = {"x": "v[x[i]]", "y": "v[y[i]]", "k": "k[i]", "out": "v[i]"}
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id in element:
            node.id = element[node.id]
    return ast.unparse(tree)


__all__ = ["NONE", "maker"]
