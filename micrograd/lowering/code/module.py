"""Whole modules: the functions of a program, with all that they call, for NumPy, JAX or PyTorch."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

TARGETS = ("numpy", "jax", "torch")
HELPERS = Path(__file__).parent / "helpers"
MOST_LISTED = 100  # numbers of a table; more are written as text, which is read ten times faster
_HEADS = {
    "numpy": ("import numpy as np", "from numpy import {}"),
    "jax": ("import jax\nimport jax.numpy as jnp\nimport numpy as np", "from jax.numpy import {}"),
    "torch": ("import torch", "from math import {}"),
}
_SETTINGS = {
    "numpy": "",
    "jax": 'jax.config.update("jax_enable_x64", True)',
    "torch": "torch.set_default_dtype(torch.float64)",
}
# Data of the code itself stays NumPy's under JAX: they are constants to jax.jit.
ARRAYS = {"numpy": "np.array", "jax": "np.array", "torch": "torch.tensor"}
FLOAT64 = {"np.array": "float", "torch.tensor": "torch.float64"}


def module(
    functions: str,
    calls: Iterable[str],
    data: Mapping[str, Any],
    target: str = "numpy",
    behind: str = "",
    summary: str = "",
) -> str:
    """Return a module of `functions`, the helpers and library functions that they call, and data.

    `data` are the constants and tables of the code, `behind` is what stands after them.
    """
    helpers = _helpers(target)
    large = any(map(is_large, data.values()))
    wanted = {*calls, *(["read_table"] if large else [])}
    used = [name for name in helpers if name in _closure(wanted, helpers)]
    texts = [helpers[name] for name in used]
    array = ARRAYS[target]
    constants = [f"{name} = {as_text(array, value)}" for name, value in data.items()]
    parts = [
        f'"""{summary}"""' if summary else "",
        _head(wanted, used, [*texts, *constants, behind], target),
        *_spaced(texts),
        "\n".join(constants),
        behind,
        functions,
    ]
    return "\n\n".join(part.strip("\n") + "\n" for part in parts if part.strip())


def _head(wanted: set[str], used: list[str], texts: list[str], target: str) -> str:
    library, names = _HEADS[target]
    own = sorted(wanted - set(used))
    body = " ".join(texts)
    lines = []
    if "namedtuple" in body:
        lines.append("from collections import namedtuple")
    if target != "numpy" or re.search(r"\bnp\b", body):
        lines.append(library)
    if own:
        lines.append(names.format(", ".join(own)))
    setting = _SETTINGS[target]
    return "\n".join(lines) + (f"\n\n{setting}" if setting else "")


def _spaced(texts: list[str]) -> list[str]:
    """Return the helpers as blocks; lines that only rename a function stand together."""
    blocks: list[str] = []
    for text in texts:
        if (
            blocks
            and "\n" not in text
            and "\n" not in blocks[-1].strip("\n").split("\n", 9)[-1]
            and (not blocks[-1].startswith(("def", "class")))
        ):
            blocks[-1] += f"\n{text}"
        else:
            blocks.append(text)
    return [f"\n{block}" if block.startswith(("def", "class")) else block for block in blocks]


@cache
def _helpers(target: str) -> dict[str, str]:
    """Return the text of each helper, by name, in the order of their file."""
    source = (HELPERS / f"{target}.py").read_text(encoding="utf-8")
    helpers = {}
    for node in ast.parse(source).body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            name = node.name
        elif isinstance(node, ast.Assign):
            name = ast.unparse(node.targets[0])
        else:
            continue
        text = ast.get_source_segment(source, node) or ""
        helpers[name] = re.sub(r": (Any|int|str)\b(?=[,)]| =)| -> (Any|None)(?=:)", "", text)
    return helpers


def _closure(names: Iterable[str], helpers: Mapping[str, str]) -> set[str]:
    """Return the helpers named, and those that they use."""
    waiting, result = list(names), set()
    while waiting:
        name = waiting.pop()
        if name in helpers and name not in result:
            result.add(name)
            waiting += re.findall(r"\b[A-Za-z_]\w*\b", helpers[name])
    return result


def is_large(data: Any) -> bool:
    """Return whether a table is too long to be written as a list."""
    return bool(data.size > MOST_LISTED and np.issubdtype(data.dtype, np.integer))


def as_text(array: str, data: Any) -> str:
    """Return an array as code."""
    data = np.asarray(data)
    if is_large(data):
        numbers = re.sub("(.{90,99}) ", r"\1\n", " ".join(map(str, data.ravel().tolist())))
        return f'read_table({data.shape}, """\n{numbers}\n""")'
    kind = "" if np.issubdtype(data.dtype, np.integer) else f", dtype={FLOAT64[array]}"
    numbers = repr(data.tolist())
    if re.search(r"\b(nan|inf)\b", numbers):
        numbers = re.sub(r"\b(nan|inf)\b", r'float("\1")', numbers)
    return f"{array}({numbers}{kind})"


def leaves_text(target: str, leaves: Mapping[str, Any]) -> str:
    """Return the dict of the leaves' present data."""
    if target not in TARGETS:
        raise ValueError(f"export to {target!r}; give one of {', '.join((*TARGETS, 'c'))}")
    array = ARRAYS[target]
    rows = [
        f"    {name!r}: {as_text(array, np.asarray(data, float))}," for name, data in leaves.items()
    ]
    return "\n".join(["LEAVES = {", *rows, "}"]) if rows else "LEAVES = {}"
