"""Run irregular graphs by numba: loops over the nodes of each level and operation.

A batch is the inner loop: the values of a node for all samples lie side by side.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from micrograd.lowering.columns import CODES, NAMES, WEIGHTED, Floats
from micrograd.lowering.level_executor import LevelArrays, made
from micrograd.lowering.levels import Levels
from micrograd.lowering.numba_executor import Run, jit
from micrograd.ops import BY_NAME

_KERNELS: dict[tuple[frozenset[int], bool], tuple[Any, Any]] = {}
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
    return made(levels, kind, _CompiledRun)


class _CompiledRun(LevelArrays):
    def __init__(self, levels: Levels, leaves: Mapping[str, Floats], size: int) -> None:
        super().__init__(levels, leaves, size)
        self.table = _table(levels)
        self.passes = _kernels(frozenset(np.unique(levels.op).tolist()), bool(self.tail))

    def forward(self) -> None:
        self.passes[0](*self.table, self.v)

    def backward(self) -> None:
        self.adjoint[:] = 0.0
        self.adjoint[self.levels.root] = self.seed
        self.passes[1](*self.table, self.v, self.adjoint)


def _table(levels: Levels) -> tuple[Any, ...]:
    groups = levels.groups()
    op = np.array([CODES[g.op] for g in groups], np.int64)
    first, last = (np.array([getattr(g, n) for g in groups], np.int64) for n in ("first", "last"))
    small = [c.astype(np.int32) for c in (levels.x, levels.y)]
    return op, first, last, *small, levels.k, levels.start, levels.term.astype(np.int32)


def _kernels(codes: frozenset[int], batched: bool) -> tuple[Any, Any]:
    if (codes, batched) not in _KERNELS:
        names, sample = sorted(codes - {0, WEIGHTED}), ", s" * batched
        _KERNELS[codes, batched] = (
            jit(_forward_text(names, sample), "forward"),
            jit(_backward_text(names, sample), "backward"),
        )
    return _KERNELS[codes, batched]


def _forward_text(codes: list[int], s: str) -> str:
    """Return the forward pass; `s` is what follows a node's number in brackets."""
    lines = [f"def forward({_ARGUMENTS}):", "    for g in range(len(op)):",
             "        o, a, b = op[g], first[g], last[g]", f"        if o == {WEIGHTED}:",
             "            for i in range(a, b):", *_each(s, 4, f"v[i{s}] = 0.0"),
             "                for j in range(start[i], start[i + 1]):",
             *_each(s, 5, f"v[i{s}] += v[term[j]{s}]")]  # fmt: skip
    for code in codes:
        lines += [f"        elif o == {code}:", "            for i in range(a, b):",
                  *_each(s, 4, f"v[i{s}] = {_formula(BY_NAME[NAMES[code]].value, s)}")]  # fmt: skip
    return "\n".join(lines)


def _backward_text(codes: list[int], s: str) -> str:
    lines = [f"def backward({_ARGUMENTS}, d):", "    for g in range(len(op) - 1, -1, -1):",
             "        o, a, b = op[g], first[g], last[g]", f"        if o == {WEIGHTED}:",
             "            for i in range(a, b):",
             "                for j in range(start[i], start[i + 1]):",
             *_each(s, 5, f"d[term[j]{s}] += d[i{s}]")]  # fmt: skip
    for code in codes:
        lines += [f"        elif o == {code}:", "            for i in range(a, b):"]
        for letter, local in zip("xy", BY_NAME[NAMES[code]].local):
            lines += _each(s, 4, f"d[{letter}[i]{s}] += d[i{s}] * ({_formula(local, s)})")
    return "\n".join(lines)


def _each(s: str, depth: int, statement: str) -> list[str]:
    """Return a statement, done for every sample where there is a batch."""
    indent = "    " * depth
    if not s:
        return [indent + statement]
    return [f"{indent}for s in range(v.shape[1]):", f"{indent}    {statement}"]


def _formula(text: str, s: str) -> str:
    """Return a formula on the values of node i."""
    tree = _Conditional().visit(ast.parse(text, mode="eval"))
    element = {"x": f"v[x[i]{s}]", "y": f"v[y[i]{s}]", "k": "k[i]", "out": f"v[i{s}]"}
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id in element:
            node.id = element[node.id]
    return ast.unparse(tree)
