"""The leaves of a graph as arrays: inputs, parameters, constants, numbers.

Those declared as nested lists keep their shape. Parameters found in the graph are gathered by
scope and label: `w0`, `w1` in "layer 0 / neuron 3" lie in row 3 of W1.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from micrograd.core.modes import SEPARATOR
from micrograd.engine import Value
from micrograd.lowering.canonical import Canonical
from micrograd.lowering.columns import NONE, Bools, Columns, Ints
from micrograd.lowering.ir import Array
from micrograd.lowering.names import identifier, unnumbered
from micrograd.lowering.trace.declared import CONSTANT, INPUT, NUMBER, PARAMETER, Declared

_MEMBER = re.compile(r"(?:^|" + re.escape(SEPARATOR) + r")(?:neuron|row|unit) \d+$")


def declared_array(leaves: Declared, ids: Mapping[Value, int], batched: bool) -> Array:
    """Return declared leaves as an array, with the ids of its elements in the graph."""
    nodes = np.array([ids.get(v, NONE) for v in leaves.values.ravel().tolist()], np.int64)
    return Array(
        leaves.kind,
        leaves.values.shape,
        nodes,
        batched and leaves.kind == INPUT,
        name=leaves.name,
        stem=leaves.stem,
    )


def leaf_arrays(canonical: Canonical, arrays: list[Array], trainable: Bools) -> list[Array]:
    """Return `arrays` with one more for every set of leaves that they lack."""
    columns = canonical.columns
    left = canonical.live & (columns.op == 0)
    for array in arrays:
        left[array.nodes[array.nodes >= 0]] = False
    numbers = left & canonical.literal & ~trainable
    left &= ~numbers
    result = list(arrays)
    first_user = _first_users(canonical)
    sets: dict[Any, list[int]] = {}
    for i in np.flatnonzero(left).tolist():
        sets.setdefault(_key(columns, i, bool(trainable[i])), []).append(i)
    begins: dict[Any, list[int]] = {}
    for (kind, scope, _), ids in sets.items():
        begins.setdefault((kind, scope), []).extend(_begins(columns, ids))
    for (kind, scope, stem), ids in sets.items():
        for part in np.split(ids, np.searchsorted(ids, sorted(set(begins[kind, scope])))):
            if len(part):
                result += _parted(columns, kind, scope, stem, part, first_user)
    return [*result, _literals(columns, np.flatnonzero(numbers))]


def _begins(columns: Columns, ids: list[int]) -> Iterator[int]:
    """Yield the first leaf of every module but the first.

    A second "neuron 0 / w0" means that another module of the same shape has begun.
    """
    seen: set[tuple[str, str]] = set()
    for i in ids:
        name = columns.values[i].scope, columns.values[i].label
        if name in seen and _MEMBER.search(name[0]) and unnumbered(name[1]) != name[1]:
            yield i
            seen = set()
        seen.add(name)


def _literals(columns: Columns, ids: Ints) -> Array:
    """Return the distinct numbers written in the code as one array."""
    data = np.array([columns.values[i].data for i in ids.tolist()])
    numbers = np.unique(data)
    return Array(NUMBER, numbers.shape, ids, data=numbers)


def _key(columns: Columns, i: int, trainable: bool) -> tuple[str, str, str]:
    value = columns.values[i]
    return (PARAMETER if trainable else CONSTANT, _MEMBER.sub("", value.scope),
            unnumbered(value.label))  # fmt: skip


def _parted(columns: Columns, kind: str, scope: str, stem: str, ids: Ints,
            first_user: Ints) -> list[Array]:  # fmt: skip
    """Part one set of leaves by what uses them: weights from biases where nothing names them."""
    use = first_user[ids]
    role = np.zeros(len(ids), np.int64) if stem else _roles(columns, ids, use)
    parts = []
    for r in np.unique(role).tolist():
        part = ids[role == r]
        shape = _shape(columns, part, first_user[part])
        parts.append(Array(kind, shape, part, stem=_stem(kind, scope, stem, shape)))
    return parts


def _roles(columns: Columns, ids: Ints, user: Ints) -> Ints:
    """Tell leaves apart by the operation and the operand's place at their first use."""
    role: Ints = columns.op[user] * 2 + (columns.x[user] == ids)
    return role


def _first_users(canonical: Canonical) -> Ints:
    columns = canonical.columns
    first = np.full(len(columns), len(columns))
    for operand in (canonical.x, canonical.y):
        users = np.flatnonzero((operand >= 0) & canonical.live)
        np.minimum.at(first, operand[users], users)
    lengths = np.diff(canonical.start)
    owner = np.repeat(canonical.sums, lengths)
    for operand in (canonical.a, canonical.b):
        has = operand >= 0
        np.minimum.at(first, operand[has], owner[has])
    first[first == len(columns)] = canonical.root
    return first


def _shape(columns: Columns, ids: Ints, user: Ints) -> tuple[int, ...]:
    """Return (rows, length): a row for each scope, or for each run of leaves used together."""
    if len(ids) == 1 and not _MEMBER.search(columns.scopes[columns.scope[ids[0]]]):
        return ()
    for row in (columns.scope[ids], user):
        starts = np.flatnonzero(np.append(True, row[1:] != row[:-1]))
        lengths = np.diff(np.append(starts, len(row)))
        if (lengths == lengths[0]).all() and lengths[0] > 1 and len(lengths) > 1:
            return len(lengths), int(lengths[0])
    if len(ids) > 1 and _MEMBER.search(columns.scopes[columns.scope[ids[0]]]):
        return (len(ids),) if len(set(columns.scope[ids].tolist())) > 1 else (1, len(ids))
    return (len(ids),)


def stem_of(value: Value, shape: tuple[int, ...]) -> str:
    """Return what to call a table of Values, one of which is given."""
    stem = unnumbered(value.label)
    return _stem(PARAMETER, _MEMBER.sub("", value.scope), stem, shape) if stem else ""


def _stem(kind: str, scope: str, stem: str, shape: tuple[int, ...]) -> str:
    """Return the name of a parameter: W1 for the w of layer 0."""
    stem = identifier(stem) or ("w" if len(shape) == 2 and kind == PARAMETER else "")
    stem = stem.upper() if len(shape) == 2 and len(stem) == 1 else stem
    number = re.search(r"(\d+)$", scope.rpartition(SEPARATOR)[2])
    return f"{stem}{int(number[1]) + 1}" if number and stem else stem
