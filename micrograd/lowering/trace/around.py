"""What a function can read besides what it is called on: a trace watches all Values there.

And whether it changes the numbers there, as one that counts its calls.
"""

from __future__ import annotations

import gc
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from itertools import zip_longest
from types import CodeType, FunctionType, ModuleType
from typing import Any

import numpy as np

from micrograd.lowering.trace.places import of_user
from micrograd.nn.search import PLAIN

NOTHING = PLAIN - {type}  # kinds of which none refers to a Value
NUMBERS = {bool, int, float, complex, str, type(None)}
CONTAINERS = {list, dict, set, deque}


class Around:
    """Find what a function can get at: `found` are the objects of some kinds.

    By the names in the code, in closures and defaults, in containers, objects and classes; not by
    a name that is made as it runs, as in `globals()["w"]`, and not in the globals of libraries.
    """

    def __init__(self, function: Callable[..., Any], *kinds: type) -> None:
        seen: dict[int, Any] = {}  # kept, so that no other object takes the id
        waiting: list[Any] = [function]
        self.found: list[Any] = []
        while waiting:
            item = waiting.pop()
            if id(item) in seen:
                continue
            seen[id(item)] = item
            if isinstance(item, kinds):
                self.found.append(item)
            else:
                waiting += [part for part in _reached(item) if part.__class__ not in NOTHING]
        self._holders = [item for item in seen.values() if not isinstance(item, kinds)]
        self._before = [*map(_plain, self._holders)]

    def changed(self) -> tuple[Any, Any] | None:
        """Return the first number or text that is another one than it was, and what it is now."""
        for item, before in zip(self._holders, self._before):
            if (now := _plain(item)) != before:
                return next(pair for pair in zip_longest(before, now) if pair[0] != pair[1])
        return None


def _plain(item: Any) -> list[Any]:
    """Return the numbers and texts that an item holds, of a container also how many items."""
    numbers = [part for part in _reached(item) if part.__class__ in NUMBERS]
    return [len(item), *numbers] if item.__class__ in CONTAINERS else numbers


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
