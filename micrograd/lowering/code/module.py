"""Whole modules: the functions of a program, with all that they call, for NumPy, JAX or PyTorch."""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Iterable, Mapping
from functools import cache, lru_cache
from importlib.resources import files
from itertools import groupby
from typing import Any, NamedTuple

import numpy as np

from micrograd.lowering.arrays.names import FUNCTION_OF
from micrograd.lowering.arrays.reads import steps
from micrograd.lowering.code.construct import definition
from micrograd.lowering.code.expr import ref
from micrograd.lowering.code.kinds import Printer

HELPERS = files("micrograd.lowering.code.helpers")
FEWEST_IN_RANGES = 6  # numbers of a table; fewer are read more easily one by one
MOST_LISTED = 100  # numbers of a table; more are written as text, which is read ten times faster


class Target(NamedTuple):
    """How a module for a library begins, and how it writes arrays."""

    head: str
    names: str
    setting: str
    array: str
    float64: str


_TARGETS = {
    "numpy": Target("import numpy as np", "from numpy import {}", "", "np.array", "float"),
    "jax": Target(
        "import jax\nimport jax.numpy as jnp\nimport numpy as np",
        "from jax.numpy import {}",
        '\n\njax.config.update("jax_enable_x64", True)',
        "np.array",  # data of the code itself stays NumPy's: they are constants to jax.jit
        "float",
    ),
    "torch": Target(
        "import torch",
        "from math import {}",
        "\n\ntorch.set_default_dtype(torch.float64)",
        "torch.tensor",
        "torch.float64",
    ),
}
TARGETS = tuple(_TARGETS)
_OF_PYTHON = {*dir(builtins), "np", "jnp", "jax", "torch"} - {"abs"}  # the library's abs is meant


def module(
    functions: str,
    data: Mapping[str, Any],
    target: str = "numpy",
    leaves: Mapping[str, Any] | None = None,
) -> str:
    """Return a module of `functions`, the helpers and library functions that they call, and data.

    `data` are the constants and tables of the code. With the present data of its `leaves` it needs
    nothing but `target`. Raises ValueError for another target.
    """
    behind = "" if leaves is None else _leaves_text(target, leaves)
    functions_of_rows = {name: _function(name, x, target) for x, name in FUNCTION_OF.items()}
    helpers = {**_helpers(target), **functions_of_rows}
    constants = "\n".join(f"{name} = {as_text(target, value)}" for name, value in data.items())
    wanted = free_names(functions) - {*data}
    wanted |= {"read_table"} if "read_table(" in constants else set()
    used = [name for name in helpers if name in _closure(wanted, helpers)]
    texts = [helpers[name] for name in used]
    wanted = wanted.union(*(free_names(functions_of_rows.get(name, "")) for name in used))
    parts = [
        "" if leaves is None else f'"""Lowered by micrograd to {target}."""',
        _head(wanted - {*used}, " ".join([*texts, constants, behind]), target),
        *_blocks(texts),
        constants,
        behind,
        functions,
    ]
    return "\n\n".join(part.strip("\n") + "\n" for part in parts if part.strip())


def _head(library: Iterable[str], body: str, target: str) -> str:
    head, names, setting, *_ = _TARGETS[target]
    lines = []
    if "namedtuple" in body:
        lines.append("from collections import namedtuple")
    if target != "numpy" or re.search(r"\bnp\b", body):
        lines.append(head)
    if library:
        lines.append(names.format(", ".join(sorted(library))))
    return "\n".join(lines) + setting


def _blocks(texts: Iterable[str]) -> list[str]:
    """Return the helpers as blocks; lines that only rename a function stand together."""
    blocks: list[str] = []
    for defined, group in groupby(texts, lambda text: text.startswith(("def", "class"))):
        lines = list(group)
        blocks += [f"\n{text}" for text in lines] if defined else ["\n".join(lines)]
    return blocks


@cache
def _helpers(target: str) -> dict[str, str]:
    """Return the text of each helper, by name; JAX shares NumPy's where it has none of its own."""
    own = _read_helpers(target)
    if target != "jax":
        return own
    shared = {n: re.sub(r"\bnp\.", "jnp.", text) for n, text in _read_helpers("numpy").items()}
    return shared | own


@lru_cache(256)
def _function(name: str, value: str, target: str) -> str:
    """Return the function of a row, as sigmoid."""
    text = Printer({}, target)(definition(value, None, {"x": ref("x", ())}))
    return f"def {name}(x):\n    return {text}"


def _read_helpers(target: str) -> dict[str, str]:
    source = HELPERS.joinpath(f"{target}.py").read_text(encoding="utf-8")
    lines, helpers = source.splitlines(), {}
    for node in ast.parse(source).body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef, ast.Assign)):
            name = ast.unparse(node.targets[0]) if isinstance(node, ast.Assign) else node.name
            text = "\n".join(lines[node.lineno - 1 : node.end_lineno])
            helpers[name] = re.sub(r": (Any|int|str)\b(?=[,)]| =)| -> (Any|None)(?=:)", "", text)
    return helpers


@lru_cache(256)
def free_names(text: str) -> frozenset[str]:
    """Return the names that code reads and does not make: what it calls of a library or of ours."""
    nodes = list(ast.walk(ast.parse(text)))
    names = [node for node in nodes if isinstance(node, ast.Name)]
    own = {node.id for node in names if isinstance(node.ctx, ast.Store)}
    own |= {node.arg for node in nodes if isinstance(node, ast.arg)}
    own |= {node.name for node in nodes if isinstance(node, (ast.FunctionDef, ast.ClassDef))}
    return frozenset({node.id for node in names} - own - _OF_PYTHON)


def _closure(names: Iterable[str], helpers: Mapping[str, str]) -> set[str]:
    """Return the helpers named, and those that they use."""
    waiting, result = list(names), set()
    while waiting:
        name = waiting.pop()
        if name in helpers and name not in result:
            result.add(name)
            waiting += free_names(helpers[name])
    return result


def as_text(target: str, data: Any) -> str:
    """Return an array as code."""
    data, (*_, array, float64) = np.asarray(data), _TARGETS[target]
    integers, library = np.issubdtype(data.dtype, np.integer), array.partition(".")[0]
    if text := ranges(data, library):
        return text
    if integers and data.size > MOST_LISTED:
        numbers = re.sub("(.{90,99}) ", r"\1\n", " ".join(map(str, data.ravel().tolist())))
        return f'read_table({data.shape}, """\n{numbers}\n""")'
    if not integers and data.size > 1 and not data.tobytes().strip(b"\0"):
        return f"{library}.zeros({data.shape if data.ndim > 1 else data.size}, dtype={float64})"
    numbers = re.sub(r"\b(nan|inf)\b", r'float("\1")', repr(data.tolist()))
    return f"{array}({numbers}{'' if integers else f', dtype={float64}'})"


def ranges(data: Any, library: str = "np") -> str:
    """Return integers that grow evenly along every axis as a sum of ranges; else nothing."""
    if data.size < FEWEST_IN_RANGES or not np.issubdtype(data.dtype, np.integer):
        return ""
    walk = steps(data, range(data.ndim))
    if walk is None or len(walk) < data.ndim:
        return ""
    parts = [str(data.flat[0])] if data.flat[0] else []
    for step, count, axis in walk:
        axes = f"[:{', None' * (data.ndim - axis - 1)}]" if axis < data.ndim - 1 else ""
        parts.append(("" if step == 1 else f"{step} * ") + f"{library}.arange({count}){axes}")
    return " + ".join(parts)


def _leaves_text(target: str, leaves: Mapping[str, Any]) -> str:
    if target not in TARGETS:
        raise ValueError(f"export to {target!r}; give one of {', '.join((*TARGETS, 'c'))}")
    form = "jnp.asarray({})" if target == "jax" else "{}"  # traced ids index JAX's arrays only
    rows = [f"    {name!r}: {form.format(as_text(target, data))}," for name, data in leaves.items()]
    return "\n".join(["LEAVES = {", *rows, "}"]) if rows else "LEAVES = {}"
