"""What the leaves of a graph are: inputs, parameters, constants, declared array by array."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import count
from typing import Any

import numpy as np

from micrograd.engine import Value
from micrograd.lowering.trace.samples import DEEPEST, shown

INPUT, PARAMETER, CONSTANT, NUMBER = "input", "parameter", "constant", "number"
UPSTREAM = "upstream"  # the input that multiplies the outputs of a function that returns several
FORWARD = "forward"  # what is wanted: the loss alone, or the gradients of each PARAMETER or INPUT
OUTPUT, VJP = "outputs", "vjp"  # the outputs alone, or with the gradients of each PARAMETER


@dataclass(frozen=True, eq=False)
class Declared:
    """Declare leaves to be one array of a kind; `values` are the Values by place.

    `name` is what the array has to be called; `stem` what to call it where that name is free.
    """

    name: str
    kind: str
    values: Any  # an object array
    stem: str = ""


def declared(name: str, kind: str, nested: Any, stem: str = "") -> Declared:
    """Return nested lists of Values as one array. Raises ValueError where they are ragged."""
    return Declared(name, kind, _object_array(nested, name or stem), stem)


def _object_array(nested: Any, name: str) -> Any:
    shape = shape_of(nested)
    if shape is None:
        raise ValueError(
            f"{name} is ragged or holds something else than Values; give nested lists "
            "whose rows have one length, or each part under its own name"
        )
    values = np.empty(shape, object)
    values.reshape(-1)[:] = list(values_in(nested))
    return values


def listed(nested: Any) -> Any:
    """Return a NumPy array of objects as nested lists, anything else as it is."""
    return nested.tolist() if isinstance(nested, np.ndarray) and nested.dtype == "O" else nested


def shape_of(nested: Any, depth: int = 0) -> tuple[int, ...] | None:
    """Return the shape of nested lists of Values; None of ragged ones and of other things."""
    nested = listed(nested)
    if isinstance(nested, Value):
        return ()
    if depth > DEEPEST or not isinstance(nested, (list, tuple)):
        return None
    shapes = {() if part.__class__ is Value else shape_of(part, depth + 1) for part in nested}
    inner, *others = shapes or {()}
    return None if others or inner is None else (len(nested), *inner)


def values_in(nested: Any, depth: int = 0) -> Iterator[Value]:
    """Yield the Values of nested lists, one after the other."""
    nested = listed(nested)
    if isinstance(nested, Value):
        yield nested
    elif isinstance(nested, (list, tuple)) and depth <= DEEPEST:
        for part in nested:
            yield from (part,) if part.__class__ is Value else values_in(part, depth + 1)


def declared_parameters(parameters: Any) -> list[Declared]:
    """Return the arrays of a dict of nested lists of Values, also of lists or dicts of such.

    A name that is none of Python's becomes one: `layer0.wq` is `layer0_wq`. Raises TypeError or
    ValueError for what is no such dict, for an empty array, and for a Value in two arrays.
    """
    if parameters is None:
        return []
    if not isinstance(parameters, Mapping):
        raise TypeError(
            f"parameters={shown(parameters)}; give a dict of names and nested lists of Values: "
            'parameters={"W": W, "b": b}, or leave it out: weights that a function reads are found'
        )
    arrays = []
    for key, nested in parameters.items():
        if not isinstance(key, str):
            raise TypeError(f"{shown(key)} cannot name an array: give a str")
        for name, part in arrays_in(key if key.isidentifier() else python_name(key), nested):
            arrays.append(_parameter(name, part))
    _check_distinct(arrays)
    return arrays


def _parameter(name: str, nested: Any) -> Declared:
    array = declared(name, PARAMETER, nested)
    if not array.values.size:
        raise ValueError(f"{name} is empty; give Values, or leave it out")
    computed = [value for value in array.values.ravel().tolist() if value.parents]
    if computed:
        raise ValueError(
            f"{name} holds a result of {computed[0]._op}, which is computed, not trained; make it "
            "a Value(v.data), or give what it is computed from"
        )
    return array


def _check_distinct(arrays: list[Declared]) -> None:
    owner: dict[Value, str] = {}
    for array in arrays:
        for value in array.values.ravel().tolist():
            if other := owner.get(value):
                both = f"{other} and {array.name} share a Value"
                twice = f"{other} holds a Value twice" if other == array.name else both
                raise ValueError(f"{twice}; give each Value in one place of one array")
            owner[value] = array.name


def python_name(text: str) -> str:
    """Return a text as a name of Python: layer0_attn_wq for layer0.attn_wq.

    Raises ValueError where nothing of it can be in a name.
    """
    name = re.sub(r"\W+", "_", text).strip("_")
    name = f"p{name}" if name[:1].isdigit() else name
    if not name.isidentifier():
        raise ValueError(f"{text!r} cannot name an array: it is no Python name")
    return name


def arrays_in(name: str, nested: Any, depth: int = 0) -> Iterator[tuple[str, Any]]:
    """Yield the arrays of nested lists, tuples and dicts, with the names of their places.

    Lists that have a shape are one array, and so are rows of different lengths: `declared` says
    so. Others, of matrices and vectors or of dicts, are an array for each part: `layers_0_wq`.
    """
    if depth > DEEPEST:  # it may hold itself
        return
    if isinstance(nested, Mapping):
        for key, part in nested.items():
            yield from arrays_in(_joined(name, key), part, depth + 1)
    elif _mixed(nested):
        for key, part in zip(getattr(nested, "_fields", count()), nested):
            yield from arrays_in(_joined(name, key), part, depth + 1)
    else:
        yield name, nested


def _joined(name: str, key: Any) -> str:
    return python_name(f"{name}_{key}" if name else str(key))


def _mixed(nested: Any, depth: int = 0) -> bool:
    """Return whether something holds arrays of different shapes, or dicts, and not merely rows."""
    if depth > DEEPEST:
        return False
    if not isinstance(nested, (list, tuple)):
        return isinstance(nested, Mapping)
    shapes = {shape_of(part) for part in nested}
    if None in shapes:
        return any(_mixed(part, depth + 1) for part in nested)
    ranks = {len(shape or ()) for shape in shapes}
    return len(ranks) > 1 or (len(shapes) > 1 and max(ranks) > 1)
