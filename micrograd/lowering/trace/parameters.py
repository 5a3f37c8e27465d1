"""Parameters by the names that a function reads them by: W1, b1, u of the program around it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Container, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from inspect import getattr_static, signature
from types import FunctionType, MemberDescriptorType, MethodType
from typing import Any

from micrograd.core.places import of_user
from micrograd.engine import Value
from micrograd.lowering.trace.around import NOTHING, named, names_in
from micrograd.lowering.trace.declared import (
    PARAMETER,
    Declared,
    arrays_in,
    declared,
    listed,
    python_name,
    shape_of,
    values_in,
)
from micrograd.lowering.trace.samples import DEEPEST
from micrograd.nn import MLP, Embedding, Layer
from micrograd.printing import unnumbered

CALLED = (FunctionType, MethodType, partial)
Path = tuple[str, ...]  # of names: the variable, the attributes from there on

_MEMBER = re.compile(r"^(layer \d+ / )?neuron \d+$")  # of what has no name of its own


def parameters_around(function: Callable[..., Any]) -> list[Declared]:
    """Return the nested lists of Values that a function, or one it calls, reads.

    Where labels name the Values, a vector is left to what gathers leaves by their labels. Each is
    called as what holds it calls it: `W1`, or `encoder_W1` beside `decoder_W1`.
    """
    arrays, tables = dict[Path, Declared](), dict[Embedding, Path]()
    for place, part in _read(function, {}):
        if isinstance(part, Embedding):
            tables.setdefault(part, place)
        elif place not in arrays and (array := _array(place[-1], part)):
            arrays[place] = array
    for table, (*up, name) in tables.items() if len(tables) > 1 else ():  # one alone is E
        first, stem = table.rows[0][0], name if name[:1].isupper() else f"E_{name}"
        computed = any(v.parents for row in table.rows for v in row)
        if (first.label, first.scope) == ("E0", "row 0") and not computed:
            arrays.setdefault((*up, stem), declared("", PARAMETER, table.rows, stem=stem))
    arrays = _apart(arrays)
    labelled = {path for path, array in arrays.items() if array.stem != path[-1]}
    own = [path for path in arrays if path not in labelled]
    last = Counter(path[-1] for path in own)
    networks = {path[:-1] for path in own if _in_network(arrays[path])}
    alike = {path[:-1] for path in own if path[:-1] in networks and last[path[-1]] > 1}
    own = [path for path in own if path[:-1] not in networks - alike]
    named = [replace(arrays[path], stem=_name(path, own, alike)) for path in own]
    return [*named, *(arrays[path] for path in arrays if path in labelled)]


def _apart(arrays: dict[Path, Declared]) -> dict[Path, Declared]:
    """Return arrays that share no Value: of two the one with more axes, then the smaller one."""
    held, kept = set[Value](), set[Declared]()
    for array in sorted(arrays.values(), key=lambda g: (-g.values.ndim, g.values.size)):
        values = array.values.ravel().tolist()
        if len(set(values)) == len(values) and held.isdisjoint(values):
            held.update(values)
            kept.add(array)
    return {path: array for path, array in arrays.items() if array in kept}


def _in_network(array: Declared) -> bool:
    """Return whether Values are of a whole network, whose scopes tell W1 from W2."""
    member = _MEMBER.search(array.values.flat[0].scope)
    return bool(member and member[1])


def _name(path: Path, paths: Sequence[Path], alike: Container[Path]) -> str:
    """Return the last name; where others end so, with the last one before it that they lack.

    Of networks that are `alike` all arrays are called after their network.
    """
    others = [other for other in paths if other[-1] == path[-1] and other is not path]
    for before in range(2, len(path) + 1) if others or path[:-1] in alike else ():
        if all(other[-before:][:1] != path[-before:][:1] for other in others):
            return f"{path[-before]}_{path[-1]}"
    return "_".join(path) if others else path[-1]


def _parts(path: Path, nested: Any, entered: dict[int, Any]) -> Iterator[tuple[Path, Any]]:
    """Yield the arrays of what a function reads: nested lists, the attributes of objects."""
    nested = listed(nested)
    if isinstance(nested, dict) and id(nested) not in entered:
        entered[id(nested)] = nested
        for key, part in dict.items(nested):  # a lazy dict would load its files
            if isinstance(key, str) and re.search(r"[^\W_]", key):
                yield from _parts((*path, python_name(key)), part, entered)
    elif isinstance(nested, (list, tuple)):
        if not _may_hold(nested):
            return
        if any(map(_is_users, nested)):
            yield from _together(path, nested, entered)
            return
        for n, part in enumerate(nested):
            if isinstance(part, CALLED):
                yield (*path[:-1], f"{path[-1]}_{n}"), part
        with suppress(ValueError):  # a key that cannot be in a name
            yield from (((*path[:-1], name), part) for name, part in arrays_in(path[-1], nested))
    elif _is_users(nested) and id(nested) not in entered:
        entered[id(nested)] = nested
        for attribute, part in _attributes(nested):
            yield from _attribute((*path, attribute), part, entered)
    elif isinstance(nested, MLP):
        for i, layer in enumerate(nested.layers, 1):
            yield from _weights((*path, f"W{i}"), (*path, f"b{i}"), layer)
    elif isinstance(nested, (Value, Embedding, *CALLED)):
        yield path, nested


def _may_hold(nested: Any, depth: int = 0) -> bool:
    """Return whether nested lists hold anything but numbers: data of millions are left at once."""
    others = set(map(type, nested)) - NOTHING
    if not others <= {list, tuple} or depth >= DEEPEST:
        return bool(others)
    return any(_may_hold(part, depth + 1) for part in nested if type(part) in others)


def _is_users(item: Any) -> bool:
    """Return whether this is an object of a class of the user's; the others name their own."""
    kind = item if isinstance(item, type) else type(item)
    is_value = isinstance(item, (Value, *CALLED))
    return not is_value and of_user({"__name__": kind.__module__})


def _attributes(item: Any) -> Iterator[tuple[str, Any]]:
    """Yield the attributes of an object, and of its classes that are the user's."""
    yield from getattr(item, "__dict__", {}).items()
    for kind in filter(_is_users, (item if isinstance(item, type) else type(item)).__mro__):
        for name, part in vars(kind).items():
            if not isinstance(part, MemberDescriptorType):
                yield name, part
            elif not isinstance(item, type):  # one of its slots, which may be empty
                with suppress(AttributeError):
                    yield name, part.__get__(item)


def _together(path: Path, objects: Any, entered: dict[int, Any]) -> Iterator[tuple[Path, Any]]:
    """Yield the rows that objects hold, as the neurons of a layer do, as the matrix W.

    Else the arrays of each, numbered: W1, W2.
    """
    front, own = path[:-1], path[-1:]
    held = [{p: a for p, a in _parts(own, o, entered) if any(values_in(a))} for o in objects]
    each = [arrays for arrays in held if arrays]
    shapes = [[(place, shape_of(array)) for place, array in arrays.items()] for arrays in each]
    rows = all(s == shapes[0] for s in shapes) and all(
        shape is not None and len(shape) < 2 for s in shapes for _, shape in s
    )
    for number, (arrays, known) in enumerate(zip(each, shapes), 1):
        for place, shape in known:
            above, name = (*front, *place[:-1]), place[-1]
            if not rows:
                yield (*above, f"{name}{number}"), arrays[place]
            elif number == 1:
                matrix = shape and len(name) == 1
                yield (*above, name.upper() if matrix else name), [a[place] for a in each]


def _attribute(path: Path, part: Any, entered: dict[int, Any]) -> Iterator[tuple[Path, Any]]:
    """Yield W_query and b_query of an object's own layer `query` or `W_query`."""
    if not isinstance(part, Layer) or _is_users(part):
        yield from _parts(path, part, entered)
        return
    *up, name = path
    weights = re.match(r"[Ww](_?)(?=[a-z0-9]|$)", name)
    gap, rest = (weights[1], name[weights.end() :]) if weights else ("_", name)
    yield from _weights((*up, name if weights else f"W_{name}"), (*up, f"b{gap}{rest}"), part)


def _weights(W: Path, b: Path, layer: Any) -> Iterator[tuple[Path, Any]]:
    neurons = getattr(layer, "neurons", None) or [None]  # a layer of the user's may have others
    if all(hasattr(neuron, "w") and hasattr(neuron, "b") for neuron in neurons):
        yield W, [list(neuron.w) for neuron in neurons]
        if all(isinstance(neuron.b, Value) for neuron in neurons):
            yield b, [neuron.b for neuron in neurons]


def _read(function: Any, seen: dict[int, Any], up: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Yield the arrays that a function and those it calls read; `up` is before what is its own."""
    if id(function) in seen:
        return
    seen[id(function)] = function
    if isinstance(function, FunctionType):
        held = [*_surroundings(function, up)]
    else:  # a method, a partial, or an object that can be called
        owner = getattr(function, "__self__", function)
        called = getattr(function, "__func__", getattr_static(type(owner), "__call__", None))
        called = function.func if isinstance(function, partial) else called
        own = _is_users(owner) and not isinstance(owner, (list, tuple))
        held = [(up, part) for part in ((owner, called) if own else (called,))]
    for path, value in held:
        for place, part in _parts(path, value, {}):
            if isinstance(part, CALLED):
                yield from _read(part, seen, place)
            else:
                yield place, part


def _surroundings(function: FunctionType, up: Path) -> Iterator[tuple[Path, Any]]:
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or ()):
        with suppress(ValueError):  # not bound yet
            yield (*up, name), cell.cell_contents
    for name, given in signature(function, follow_wrapped=False).parameters.items():
        yield (*up, name), given.default
    for name, value in named(function.__globals__, dict.fromkeys(names_in(function.__code__))):
        yield (name,), value


def _array(name: str, nested: Any) -> Declared | None:
    first = next(values_in(nested), None)
    if first is None:
        return None
    try:
        array = declared("", PARAMETER, nested, stem=name)
    except ValueError:  # ragged, or not of Values alone
        return None
    values = array.values.ravel().tolist()
    if any(v.parents or getattr(v, "constant", False) or hasattr(v, "drawn") for v in values):
        return None
    stem, *others = {unnumbered(v.label) for v in values}
    alike = not others and not any(v.scope for v in values)
    known = not stem or (array.values.ndim > 0 and stem == unnumbered(name))
    if (alike and known) or (name.startswith(("W", "b")) and _MEMBER.search(first.scope)):
        return array  # W1 of W0,1 by its own name, which says more
    return replace(array, stem=stem) if alike and array.values.ndim > 1 else None
