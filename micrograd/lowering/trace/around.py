"""What a function can read besides what it is called on: a trace watches all Values there.

And whether it changes the numbers there, as one that counts its calls.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextvars import ContextVar
from itertools import count, zip_longest
from operator import length_hint
from types import CodeType, FunctionType, ModuleType
from typing import Any, NamedTuple
from weakref import ref

import numpy as np

from micrograd.core.places import of_user
from micrograd.nn.search import PLAIN

NOTHING = PLAIN - {type}  # kinds of which none refers to a Value
ITERATORS = {type(iter(kind())) for kind in (list, tuple, dict, set, str, bytes)}
ITERATORS |= {type(iter(range(0))), type(reversed([]))}  # what others are made of
MANY, LARGE = 20, 1_000_000
NUMBERS = {bool, int, float, complex, str, bytes}


class Around(NamedTuple):
    """What a function can get at: the objects of some kinds, and numbers, texts and lengths."""

    found: list[Any]
    numbers: list[Any]

    def changed(self, later: Around) -> str:
        """Return the first number that is another one later, and what it is then; else nothing."""
        pairs = zip_longest(self.numbers, later.numbers)
        changes = (f"{was!r:.40} to {now!r:.40}" for was, now in pairs if was is not now != was)
        return next(changes, "")


def around(function: Callable[..., Any], *kinds: type) -> Around:
    """Return what a function can get at, and whatever it can call; nothing of what is found.

    By the names and texts in the code, in closures and defaults, in containers, objects and
    classes; not by a name that is made as it runs, and not in the globals of libraries.
    """
    seen: dict[int, Any] = {}  # kept, so that no other object takes the id
    waiting: list[Any] = [function]  # no Value: a large table has a million
    result = Around([], [])
    while waiting:
        item = waiting.pop()
        if id(item) in seen:
            continue
        seen[id(item)] = item
        parts = [*_reached(item)]
        result.numbers.extend((len(parts), *_state(item)))
        if len(parts) > MANY and {*map(type, parts)} <= NUMBERS:  # data, told by one number
            result.numbers.append(f"numbers {hash(tuple(parts)):x}")
            continue
        result.numbers.extend(part for part in parts if part.__class__ in NUMBERS)
        others = [part for part in parts if part.__class__ not in NOTHING]
        result.found.extend(part for part in others if isinstance(part, kinds))
        waiting += [part for part in others if not isinstance(part, kinds)]
    return result


def _state(item: Any) -> tuple[Any, ...]:
    """Return what tells how far an iterator of Python's is, and what numbers an array holds.

    A large array, which may be a file's, is data, and not looked at.
    """
    if isinstance(item, np.ndarray) and item.dtype != object and item.size < LARGE:
        return (f"array {hash(item.tobytes()):x}",)
    if isinstance(item, count):
        return (repr(item),)
    return (length_hint(item),) if type(item) in ITERATORS else ()


def _reached(item: Any) -> Iterable[Any]:
    """Return what an item refers to; no code of its own runs: a lazy dict would load its files."""
    if isinstance(item, type):
        own = of_user({"__name__": item.__module__})
        return (*vars(item).values(), *item.__bases__, type(item)) if own else ()
    if isinstance(item, FunctionType):
        words = _words_in(item.__code__)
        read = *named(item.__globals__, words), *named(sys.modules, words)  # imported within
        held = item.__closure__, item.__defaults__, item.__kwdefaults__, item.__dict__
        return (*held, *(value for _, value in read)) if of_user(item.__globals__) else held
    if item.__class__ in (list, tuple):
        return item
    if isinstance(item, np.ndarray):
        return item.ravel().tolist() if item.dtype == object else ()
    if isinstance(item, (ref, ContextVar)):
        return (item() if isinstance(item, ref) else item.get(None),)
    own = object.__getattribute__(item, "__dict__") if type(item).__dictoffset__ else {}
    known = {id(own), *map(id, own.values())}  # it refers to either, from when one asked for it
    return (*own.values(), *(part for part in gc.get_referents(item) if id(part) not in known))


def named(scope: Mapping[str, Any], names: Iterable[str]) -> Iterator[tuple[str, Any]]:
    """Yield names and what they mean, in the modules too that they name."""
    for name in (name for name in names if name in scope):
        value = scope[name]
        if isinstance(value, ModuleType) and of_user(vars(value)):
            yield from named(vars(value), [other for other in names if other != name])
        else:
            yield name, value


def _words_in(code: CodeType) -> set[str]:
    """Return the names that some code reads, and its texts: `getattr(module, "w")` reads one."""
    constants = (part for inner in codes_in(code) for part in inner.co_consts)
    return {*names_in(code), *(part for part in constants if part.__class__ is str)}


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
