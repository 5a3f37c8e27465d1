"""Standalone files: a program's text with what it calls, under NumPy, JAX or PyTorch."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from micrograd.ops import FUNCTIONS

_CALLED = (*FUNCTIONS, "where", "maximum", "minimum", "abs", "einsum", "transpose", "broadcast_to",
           "zeros")  # fmt: skip
_KEYS = """class _Slices:
    def __getitem__(self, key):
        return key


s_ = _Slices()
"""

_NUMPY = {
    "scatter": '''def scatter(values, places, size):
    """Return zeros with values added at places of the last axis."""
    front = values.shape[: values.ndim - places.ndim]
    out = np.zeros((*front, size))
    np.add.at(out, (..., places), values)
    return out
''',
    "segment_sum": '''def segment_sum(values, starts):
    """Sum the pieces of the last axis between one start and the next."""
    return np.add.reduceat(values, starts[:-1], axis=-1)
''',
    "embed": '''def embed(values, shape, key):
    """Return zeros with values at key."""
    out = np.zeros(shape)
    out[key] = values
    return out
''',
    "add_at": '''def add_at(total, places, values):
    """Add values to total at places, which may repeat."""
    np.add.at(total, places, values)
''',
    "add_rows": '''def add_rows(out, *pairs):
    """Return out with values added to the rows of ids, for each pair of ids and values."""
    out = np.array(out)
    for ids, values in zip(pairs[::2], pairs[1::2]):
        np.add.at(out, ids, values)
    return out
''',
    "rows": '''def rows(table, *pairs):
    """Return the gradient of a table: zeros with values added to the rows of ids."""
    return add_rows(np.zeros(table.shape), *pairs)
''',
}

_JAX = {
    "scatter": '''def scatter(values, places, size):
    """Return zeros with values added at places of the last axis."""
    front = values.shape[: values.ndim - places.ndim]
    return jnp.zeros((*front, size)).at[..., places].add(values)
''',
    "segment_sum": '''def segment_sum(values, starts):
    """Sum the pieces of the last axis between one start and the next."""
    pieces = np.repeat(np.arange(len(starts) - 1), np.diff(starts))
    return jnp.zeros((*values.shape[:-1], len(starts) - 1)).at[..., pieces].add(values)
''',
    "embed": '''def embed(values, shape, key):
    """Return zeros with values at key."""
    return jnp.zeros(shape).at[key].set(values)
''',
    "add_rows": '''def add_rows(out, *pairs):
    """Return out with values added to the rows of ids, for each pair of ids and values."""
    for ids, values in zip(pairs[::2], pairs[1::2]):
        out = out.at[ids].add(values)
    return out
''',
    "rows": '''def rows(table, *pairs):
    """Return the gradient of a table: zeros with values added to the rows of ids."""
    return add_rows(jnp.zeros(table.shape), *pairs)
''',
}

_TORCH = {
    "scatter": '''def scatter(values, places, size):
    """Return zeros with values added at places of the last axis."""
    front = values.shape[: values.ndim - places.ndim]
    out = torch.zeros((*front, size), dtype=torch.float64)
    return out.index_add(-1, places.flatten(), values.reshape(*front, -1))
''',
    "segment_sum": '''def segment_sum(values, starts):
    """Sum the pieces of the last axis between one start and the next."""
    count = len(starts) - 1
    pieces = torch.repeat_interleave(torch.arange(count), starts.diff())
    out = torch.zeros((*values.shape[:-1], count), dtype=torch.float64)
    return out.index_add(-1, pieces, values)
''',
    "embed": '''def embed(values, shape, key):
    """Return zeros with values at key."""
    out = torch.zeros(shape, dtype=torch.float64)
    out[key] = torch.as_tensor(values, dtype=torch.float64)
    return out
''',
    "add_at": '''def add_at(total, places, values):
    """Add values to total at places, which may repeat."""
    total.index_add_(0, places, values)
''',
    "add_rows": '''def add_rows(out, *pairs):
    """Return out with values added to the rows of ids, for each pair of ids and values."""
    for ids, values in zip(pairs[::2], pairs[1::2]):
        out = out.index_add(0, ids.flatten(), values.reshape(-1, out.shape[1]))
    return out
''',
    "rows": '''def rows(table, *pairs):
    """Return the gradient of a table: zeros with values added to the rows of ids."""
    return add_rows(torch.zeros(table.shape, dtype=torch.float64), *pairs)
''',
}
_TENSORS = """def _of_tensors(function):
    def call(*values):
        return function(*(torch.as_tensor(v, dtype=torch.float64) for v in values))

    return call
"""
TARGETS = ("numpy", "jax", "torch")


def standalone(target: str, functions: str, leaves: Mapping[str, Any], tables: Mapping[str, Any],
               summary: str) -> str:  # fmt: skip
    """Return a module with `functions`, the tables they use, and the leaves' present data.

    Raises ValueError where the target is not one of TARGETS.
    """
    if target not in TARGETS:
        raise ValueError(f"export to {target!r}; give one of {', '.join(TARGETS)}")
    used = set(re.findall(r"\b[a-z_]\w*\b", functions))
    used |= {"add_rows"} if "rows" in used else set()
    helpers = {"numpy": _NUMPY, "jax": _JAX, "torch": _TORCH}[target]
    head = {"numpy": _numpy_head, "jax": _jax_head, "torch": _torch_head}[target]
    parts = [f'"""{summary}"""\n', head([name for name in _CALLED if name in used])]
    parts += [_KEYS] * ("s_" in used)
    parts += [text for name, text in helpers.items() if name in used]
    # under JAX too, data of the code itself stays NumPy's: constants to jax.jit
    array = "torch.tensor" if target == "torch" else "np.array"
    parts += [_READ_TABLE.replace("ARRAY", array)] * any(map(_is_large, tables.values()))
    parts += [_data(array, tables, leaves), functions]
    return "\n\n".join(part.strip("\n") for part in parts if part) + "\n"


FLOAT64 = {"np.array": "float", "torch.tensor": "torch.float64"}


def _numpy_head(used: list[str]) -> str:
    return f"import numpy as np\nfrom numpy import {', '.join([*used, 'inf', 'nan'])}"


def _jax_head(used: list[str]) -> str:
    names = ", ".join([*used, "inf", "nan"])
    imports = "import jax\nimport jax.numpy as jnp\nimport numpy as np"
    return f'{imports}\nfrom jax.numpy import {names}\n\njax.config.update("jax_enable_x64", True)'


_BROADCAST = """def broadcast_to(values, shape):
    return torch.as_tensor(values, dtype=torch.float64).broadcast_to(shape)
"""
_WHERE = """def where(condition, a, b):
    numbers = (torch.as_tensor(v, dtype=torch.float64) for v in (a, b))
    return torch.where(condition, *numbers)
"""
_OF_TORCH = {
    "where": _WHERE,
    "zeros": "zeros = torch.zeros",
    "einsum": "einsum = torch.einsum",
    "transpose": "transpose = torch.permute",
    "broadcast_to": _BROADCAST,
}


def _torch_head(used: list[str]) -> str:
    head = "import torch\nfrom math import inf, nan\n\ntorch.set_default_dtype(torch.float64)"
    names = [_OF_TORCH.get(name) or f"{name} = _of_tensors(torch.{name})" for name in used]
    return "\n\n".join([head, _TENSORS, "\n".join(names)])


def _data(array: str, tables: Mapping[str, Any], leaves: Mapping[str, Any]) -> str:
    lines = [f"{name} = {_as_text(data) if _is_large(data) else f'{array}({_listed(array, data)})'}"
             for name, data in tables.items()]  # fmt: skip
    if leaves:
        lines += ["LEAVES = {", *(f"    {name!r}: {array}({_listed(array, data)}),"
                                  for name, data in leaves.items()), "}"]  # fmt: skip
    return "\n".join(lines)


MOST_LISTED = 100  # numbers of a table; more are written as text, which is read ten times faster
_READ_TABLE = """def read_table(shape, text):
    return ARRAY([int(number) for number in text.split()]).reshape(shape)
"""


def _is_large(data: Any) -> bool:
    return bool(data.size > MOST_LISTED and np.issubdtype(data.dtype, np.integer))


def _as_text(data: Any) -> str:
    numbers = re.sub("(.{90,99}) ", r"\1\n", " ".join(map(str, data.ravel().tolist())))
    return f'read_table({data.shape}, """\n{numbers}\n""")'


def _listed(array: str, data: Any) -> str:
    kind = "" if np.issubdtype(np.asarray(data).dtype, np.integer) else f", dtype={FLOAT64[array]}"
    return repr(np.asarray(data).tolist()) + kind
