"""What a function can read besides what it is called on: a trace watches all Values there."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterable, Iterator
from types import CodeType, FunctionType, ModuleType
from typing import Any

import numpy as np

from micrograd.lowering.trace.places import of_user
from micrograd.nn.search import PLAIN

NOTHING = PLAIN - {type}  # kinds of which none refers to a Value


def around(function: Callable[..., Any], *kinds: type) -> list[Any]:
    """Return the objects of some kinds that a function can get at, and whatever it can call.

    By the names in the code, in closures and defaults, in containers, objects and classes; not by
    a name that is made as it runs, as in `globals()["w"]`, and not in the globals of libraries.
    """
    seen: dict[int, Any] = {}  # kept, so that no other object takes the id
    waiting: list[Any] = [function]
    found: list[Any] = []
    while waiting:
        item = waiting.pop()
        if id(item) in seen:
            continue
        seen[id(item)] = item
        if isinstance(item, kinds):
            found.append(item)
        else:
            waiting += [part for part in _reached(item) if part.__class__ not in NOTHING]
    return found


def _reached(item: Any) -> Iterable[Any]:
    """Return what an item refers to; no code of its own runs: a lazy dict would load its files."""
    if isinstance(item, type):
        own = of_user({"__name__": item.__module__})
        return (*vars(item).values(), *item.__bases__) if own else ()
    if isinstance(item, FunctionType):
        named = _named(item.__globals__, set(names_in(item.__code__)))
        held = item.__closure__, item.__defaults__, item.__kwdefaults__, item.__dict__
        return (*held, *named) if of_user(item.__globals__) else held
    if isinstance(item, np.ndarray):
        return item.ravel().tolist() if item.dtype == object else ()
    return gc.get_referents(item)


def _named(scope: dict[str, Any], names: set[str]) -> Iterator[Any]:
    """Yield what some names mean, in the modules too that they name."""
    for name in names & scope.keys():
        value = scope[name]
        if isinstance(value, ModuleType) and of_user(vars(value)):
            yield from _named(vars(value), names - {name})
        else:
            yield value


def names_in(code: CodeType) -> Iterator[str]:
    """Yield the names that some code reads."""
    for part in codes_in(code):
        yield from part.co_names


def codes_in(code: CodeType) -> Iterator[CodeType]:
    """Yield some code, and the code within it: comprehensions, lambdas."""
    yield code
    for part in code.co_consts:
        if isinstance(part, CodeType):
            yield from codes_in(part)
