"""Parameters by the names that a function reads them by: W1, b1, u of the program around it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from inspect import getattr_static
from types import CodeType, FunctionType
from typing import Any

from micrograd.engine import Value
from micrograd.lowering.names import usable
from micrograd.lowering.trace.declared import PARAMETER, Declared, declared


def parameters_around(function: Callable[..., Any], taken: Collection[str]) -> list[Declared]:
    """Return the nested lists of Values without labels that a function, or one it calls, reads.

    Of two that share Values the one with more axes stays, then the smaller one. Names that are
    `taken`, or that a program cannot have, are left to what names unnamed leaves.
    """
    found: dict[str, Declared] = {}
    for name, nested in _read(function, set()):
        array = _array(name, nested) if usable(name) and name not in taken else None
        if array is not None:
            found.setdefault(name, array)
    ranked = sorted(found.values(), key=lambda g: (-g.values.ndim, g.values.size))
    held: set[Value] = set()
    kept = []
    for array in ranked:
        values = array.values.ravel().tolist()
        if len(set(values)) == len(values) and held.isdisjoint(values):
            held.update(values)
            kept.append(array.name)
    return [array for name, array in found.items() if name in kept]


def _read(function: Any, seen: set[Any]) -> Iterator[tuple[str, Any]]:
    """Yield what a function reads from around it, by name, and what the functions read there do."""
    if not isinstance(function, FunctionType):  # a method, or an object that can be called
        owner = getattr(function, "__self__", function)
        yield from getattr(owner, "__dict__", {}).items()
        function = getattr(function, "__func__", getattr_static(type(owner), "__call__", None))
    if not isinstance(function, FunctionType) or function in seen:
        return
    seen.add(function)
    for name, value in _surroundings(function):
        if isinstance(value, FunctionType):
            yield from _read(value, seen)
        elif isinstance(value, dict):
            yield from ((key, part) for key, part in value.items() if isinstance(key, str))
        else:
            yield name, value


def _surroundings(function: FunctionType) -> Iterator[tuple[str, Any]]:
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or ()):
        try:
            yield name, cell.cell_contents
        except ValueError:  # not bound yet
            continue
    for name in dict.fromkeys(_names(function.__code__)):
        if name in function.__globals__:
            yield name, function.__globals__[name]


def _names(code: CodeType) -> Iterator[str]:
    """Yield the names that some code reads, and the code within it: comprehensions, lambdas."""
    yield from code.co_names
    for part in code.co_consts:
        if isinstance(part, CodeType):
            yield from _names(part)


def _array(name: str, nested: Any) -> Declared | None:
    first = nested
    while isinstance(first, (list, tuple)) and first:
        first = first[0]
    if not isinstance(first, Value):
        return None
    try:
        array = declared(name, PARAMETER, nested)
    except ValueError:  # ragged, or not of Values alone
        return None
    plain = not any(v.label or v.scope or v.parents for v in array.values.ravel().tolist())
    return array if plain else None
