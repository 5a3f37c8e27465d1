"""Mutants: copies of a module with one small fault each.

A mutant changes one comparison, operator, number, truth value or return, or leaves out one call.
"""

from __future__ import annotations

import ast
import difflib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

COMPARISONS: dict[type, list[type]] = {
    ast.Lt: [ast.LtE, ast.GtE],
    ast.LtE: [ast.Lt, ast.Gt],
    ast.Gt: [ast.GtE, ast.LtE],
    ast.GtE: [ast.Gt, ast.Lt],
    ast.Eq: [ast.NotEq],
    ast.NotEq: [ast.Eq],
    ast.Is: [ast.IsNot],
    ast.IsNot: [ast.Is],
    ast.In: [ast.NotIn],
    ast.NotIn: [ast.In],
}
OPERATORS: dict[type, type] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.Pow: ast.Mult,
    ast.FloorDiv: ast.Div,
    ast.Mod: ast.Mult,
    ast.MatMult: ast.Mult,
    ast.BitAnd: ast.BitOr,
}


class Mutant(NamedTuple):
    """A module with one fault in it: where, and the text before and after, without comments.

    `start` is the line where the statement with the fault begins.
    """

    path: Path
    start: int
    line: int
    before: str
    after: str

    def __str__(self) -> str:
        lines = difflib.unified_diff(self.before.split("\n"), self.after.split("\n"), n=0)
        changed = [line for line in lines if line[0] in "+-" and line[:3] not in ("+++", "---")]
        return "\n".join([f"{self.path}:{self.line}", *(f"    {line}" for line in changed)])


class Site(NamedTuple):
    """A place in a module where there can be a fault: the number of a node, and of its change."""

    path: Path
    node: int
    change: int


def sites(folder: Path, path: Path) -> list[Site]:
    """Return the places of all mutants of a module."""
    nodes = enumerate(_code(_parsed(folder / path)))
    return [Site(path, i, change) for i, node in nodes for change in range(len(_changes(node)))]


def mutant_at(folder: Path, site: Site) -> Mutant:
    """Return the module with the fault of `site`."""
    tree = _parsed(folder / site.path)
    before = ast.unparse(tree)
    node = list(_code(tree))[site.node]
    start, line = _start(tree, node), getattr(node, "lineno", 0)
    _changes(node)[site.change]()
    return Mutant(site.path, start, line, before, ast.unparse(tree))


def _start(tree: ast.Module, node: ast.AST) -> int:
    """Return the line where the smallest statement around `node` begins."""
    statements = (part for part in ast.walk(tree) if isinstance(part, ast.stmt))
    return max(part.lineno for part in statements if node in ast.walk(part))


def _parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def _code(tree: ast.AST) -> Iterator[ast.AST]:
    """Yield the nodes that are executed: no annotations, no docstrings, no text."""
    for name, field in ast.iter_fields(tree):
        if name in ("annotation", "returns", "type_params"):
            continue
        for node in field if isinstance(field, list) else [field]:
            if isinstance(node, ast.AST) and not isinstance(node, (ast.JoinedStr, ast.Raise)):
                yield node
                yield from _code(node)


def _changes(node: ast.AST) -> list:
    """Return the functions that each put one fault into `node`."""

    def put(name: str, value: object):
        return lambda: setattr(node, name, value)

    if isinstance(node, ast.Compare):
        return [
            put("ops", [kind(), *node.ops[1:]]) for kind in COMPARISONS.get(type(node.ops[0]), [])
        ]
    if isinstance(node, (ast.BinOp, ast.AugAssign)) and type(node.op) in OPERATORS:
        return [put("op", OPERATORS[type(node.op)]())] * (not _is_text(node))
    if isinstance(node, ast.BoolOp):
        return [put("op", ast.Or() if isinstance(node.op, ast.And) else ast.And())]
    if isinstance(node, ast.Constant) and isinstance(node.value, bool):
        return [put("value", not node.value)]
    if isinstance(node, ast.Constant) and isinstance(node.value, (int, float)):
        return [put("value", n) for n in sorted({node.value + 1, 2 * node.value} - {node.value})]
    if isinstance(node, (ast.If, ast.IfExp, ast.While)):
        return [put("test", ast.UnaryOp(ast.Not(), node.test))]
    if isinstance(node, ast.Return) and not isinstance(node.value, (type(None), ast.Constant)):
        return [put("value", ast.Constant(None))]
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        return [put("value", ast.Constant(None))]
    return []


def _is_text(node: ast.AST) -> bool:
    """Return whether an operator joins text: such mutants only change messages."""
    parts = [node.left, node.right] if isinstance(node, ast.BinOp) else [node.value]
    text = (ast.JoinedStr, ast.List, ast.ListComp)
    return any(
        isinstance(part, text) or isinstance(getattr(part, "value", None), str) for part in parts
    )
