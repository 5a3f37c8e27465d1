"""Parameters by the names that a function reads them by: W1, b1, u of the program around it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from inspect import getattr_static
from types import FunctionType
from typing import Any

from micrograd.engine import Value
from micrograd.lowering.trace.around import names_in
from micrograd.lowering.trace.declared import (
    PARAMETER,
    Declared,
    arrays_in,
    declared,
    python_name,
)
from micrograd.nn import Layer, Module

_NUMBERS = re.compile(r"[\d_.,\s\[\]()]*\d[\])]*$")
_MEMBER = re.compile(r"^neuron \d+$")  # of a layer with no name of its own


def parameters_around(function: Callable[..., Any]) -> list[Declared]:
    """Return the nested lists of Values that a function, or one it calls, reads.

    Of two that share Values the one with more axes stays, then the smaller one. Where labels name
    the Values, a vector is left to what gathers leaves by their labels.
    """
    arrays: dict[str, Declared] = {}
    entered: set[Any] = set()
    for name, nested in _read(function, set()):
        for part_name, part in _parts(name, nested, entered):
            array = _array(part_name, part)
            if array is not None:
                arrays.setdefault(part_name, array)
    ranked = sorted(arrays.values(), key=lambda g: (-g.values.ndim, g.values.size))
    held: set[Value] = set()
    kept = set()
    for array in ranked:
        values = array.values.ravel().tolist()
        if len(set(values)) == len(values) and held.isdisjoint(values):
            held.update(values)
            kept.add(array)
    return [array for array in arrays.values() if array in kept]


def _parts(name: str, nested: Any, entered: set[Any]) -> Iterator[tuple[str, Any]]:
    """Yield the arrays of what a function reads: nested lists, and the attributes of modules."""
    if isinstance(nested, Module):
        own = not type(nested).__module__.startswith("micrograd.")  # the others name theirs
        if own and id(nested) not in entered:
            entered.add(id(nested))
            for attribute, part in vars(nested).items():
                yield from _attribute(attribute, part, entered)
    elif isinstance(nested, (list, tuple)):
        try:
            yield from arrays_in(name, nested)
        except ValueError:  # a key that cannot be in a name
            return
    else:
        yield name, nested


def _attribute(name: str, part: Any, entered: set[Any]) -> Iterator[tuple[str, Any]]:
    """Yield W_query and b_query of a module's own layer `query` or `W_query`."""
    if not isinstance(part, Layer):
        yield from _parts(name, part, entered)
        return
    weights = re.match(r"[Ww](_?)(?=[a-z0-9]|$)", name)
    rest = name[weights.end() :] if weights else name
    gap = weights[1] if weights else "_"
    yield name if weights else f"W_{name}", [list(neuron.w) for neuron in part.neurons]
    biases = [neuron.b for neuron in part.neurons]
    if all(isinstance(b, Value) for b in biases):
        yield f"b{gap}{rest}", biases


def _read(function: Any, seen: set[Any]) -> Iterator[tuple[str, Any]]:
    """Yield what a function reads from around it, by name, and what the functions read there do."""
    if not isinstance(function, FunctionType):  # a method, or an object that can be called
        owner = getattr(function, "__self__", function)
        if isinstance(owner, Module):
            yield "", owner
        else:
            yield from getattr(owner, "__dict__", {}).items()
        function = getattr(function, "__func__", getattr_static(type(owner), "__call__", None))
    if not isinstance(function, FunctionType) or function in seen:
        return
    seen.add(function)
    for name, value in _surroundings(function):
        if isinstance(value, FunctionType):
            yield from _read(value, seen)
        elif isinstance(value, dict):
            yield from _entries(value)
        else:
            yield name, value


def _entries(entries: Mapping[Any, Any]) -> Iterator[tuple[str, Any]]:
    """Yield the entries of a dict, and of dicts in it, by their keys."""
    for key, part in entries.items():
        if isinstance(key, str) and re.search(r"\w", key):
            if isinstance(part, Mapping):
                yield from ((f"{key}_{name}", inner) for name, inner in _entries(part))
            else:
                yield python_name(key), part


def _surroundings(function: FunctionType) -> Iterator[tuple[str, Any]]:
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or ()):
        try:
            yield name, cell.cell_contents
        except ValueError:  # not bound yet
            continue
    for name in dict.fromkeys(names_in(function.__code__)):
        if name in function.__globals__:
            yield name, function.__globals__[name]


def _array(name: str, nested: Any) -> Declared | None:
    first = nested
    while isinstance(first, (list, tuple)) and first:
        first = first[0]
    if not isinstance(first, Value):
        return None
    try:
        array = declared("", PARAMETER, nested, stem=name)
    except ValueError:  # ragged, or not of Values alone
        return None
    values = array.values.ravel().tolist()
    if any(v.parents or getattr(v, "constant", False) or hasattr(v, "drawn") for v in values):
        return None
    if not any(v.label or v.scope for v in values) or (
        name.startswith(("W", "b")) and (_MEMBER.search(first.scope))
    ):
        return array
    return _labelled(array, values)


def _labelled(array: Declared, values: list[Value]) -> Declared | None:
    """Return a matrix whose Values are labelled alike, P0,1 beside P1,0, by that label."""
    stems = {_NUMBERS.sub("", v.label) for v in values}
    alike = len(stems) == 1 and not any(v.scope for v in values)
    return replace(array, stem=stems.pop()) if alike and array.values.ndim > 1 else None
