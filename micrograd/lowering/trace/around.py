"""Which Values a function can read besides those it is called on: a trace watches them all."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import CodeType, FunctionType, MethodType, ModuleType
from typing import Any

from micrograd.engine import Value
from micrograd.lowering.trace.places import of_user
from micrograd.nn.search import PLAIN, parts

_NOTHING = PLAIN - {type}  # kinds of which none refers to a Value


def values_around(function: Callable[..., Any]) -> list[Value]:
    """Return the Values that a function can get at, and whatever it can call.

    By the names in the code, in closures and defaults, in containers, objects and classes; not by
    a name that is made as it runs, as in `globals()["w"]`, and not in the globals of libraries.
    """
    seen: dict[int, Any] = {}  # kept, so that no other object takes the id
    waiting: list[Any] = [function]
    found: list[Value] = []
    while waiting:
        item = waiting.pop()
        if id(item) in seen:
            continue
        seen[id(item)] = item
        if isinstance(item, Value):
            found.append(item)
        else:
            waiting += [part for part in _reached(item) if part.__class__ not in _NOTHING]
    return found


def _reached(item: Any) -> Iterator[Any]:
    if isinstance(item, type):
        if of_user({"__name__": item.__module__}):
            yield from (*vars(item).values(), *item.__bases__)
        return
    if item.__class__ not in (list, tuple):
        yield from parts(item)
    if isinstance(item, FunctionType):
        if of_user(item.__globals__):
            yield from _named(item.__globals__, set(names_in(item.__code__)))
    elif isinstance(item, (MethodType, staticmethod, classmethod)):
        yield item.__func__
    elif isinstance(item, property):
        yield from (item.fget, item.fset)
    elif item.__class__ in (list, tuple):
        yield from item
    else:
        yield type(item)


def _named(scope: dict[str, Any], names: set[str]) -> Iterator[Any]:
    """Yield what some names mean, in the modules too that they name."""
    for name in names & scope.keys():
        value = scope[name]
        if isinstance(value, ModuleType) and of_user(vars(value)):
            yield from _named(vars(value), names - {name})
        else:
            yield value


def names_in(code: CodeType) -> Iterator[str]:
    """Yield the names that some code reads, and the code within it: comprehensions, lambdas."""
    yield from code.co_names
    for part in code.co_consts:
        if isinstance(part, CodeType):
            yield from names_in(part)
