"""What a Module holds: the search for Values, Modules and random generators in its attributes.

A generator is what has a `getstate`, as Python's have, or a `bit_generator`, as NumPy's. The search
goes into lists, tuples, deques, dicts, NumPy arrays of objects, Modules, and what is no Module but
has a `parameters()`, which says what is in it. What it does not go into, such as sets, keys of
dicts, objects of other classes, functions, iterators and attributes of the class, is looked through
for parameters that nobody would train or save.
"""

from __future__ import annotations

import gc
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Set, ValuesView
from functools import partial
from types import FunctionType, GeneratorType, ModuleType
from typing import Any

from micrograd.core.kinds import LEAF
from micrograd.engine import Value
from micrograd.printing import shorten

Path = tuple[Any, ...]  # how to get at an item: (the path of what holds it, its key there), or ()
# Kinds that refer to no parameter: most attributes are of them.
PLAIN = {bool, int, float, complex, str, bytes, type(None), range, type, ModuleType}


class Search:
    """Find what a Module holds, each once, by path; `unsearched` are the items not gone into.

    Where only what is `trained` counts, a `parameters()` that the class of a Module within
    overrides says what is in it.
    """

    def __init__(self, root: Any, module_class: Any, trained: bool = False) -> None:
        self.root, self.module_class, self.trained = root, module_class, trained
        self.items: dict[int, tuple[Path, Any]] = {id(root): ((), root)}
        self.unsearched: list[tuple[Path, Any]] = []
        self._entered: set[int] = set()
        self._collect((), attributes(root))
        modules = [(path, m) for path, m in self.items.values() if isinstance(m, module_class)]
        self.unsearched += _classes(modules)

    def _collect(self, path: Path, entries: Iterable[tuple[Any, Any]]) -> None:
        for key, item in entries:
            if item.__class__ in PLAIN or id(item) in self.items:
                continue
            if isinstance(item, Value):
                if item._operation is LEAF:
                    self.items[id(item)] = (path, key), item
            elif isinstance(item, self.module_class):
                self.items[id(item)] = (path, key), item
                said = self.trained and self.overrides(item)
                entries = enumerate(item.parameters()) if said else attributes(item)
                self._collect((path, key), entries)
            elif hasattr(item, "getstate") or hasattr(item, "bit_generator"):
                self.items[id(item)] = (path, key), item
            elif callable(getattr(item, "parameters", None)) and self._holds_others(item):
                self._collect((path, key), enumerate(item.parameters()))
            elif (inner := _entries(item)) is None:
                self.unsearched.append(((path, key), item))
            elif id(item) not in self._entered:
                self._entered.add(id(item))
                self._collect((path, key), inner)
                if isinstance(item, Mapping):
                    self.unsearched.append(((path, key), item.keys()))

    def _holds_others(self, item: Any) -> bool:
        # a trainer, whose parameters() are its model's, may be in an attribute of the model
        held = _within(item, (Value, self.module_class))
        return any(
            id(part) not in self.items
            for part in held
            if isinstance(part, (Value, self.module_class))
        )

    def overrides(self, item: Any) -> bool:
        """Tell whether this is a Module with a `parameters()` of its own."""
        ours = self.module_class
        return isinstance(item, ours) and type(item).parameters is not ours.parameters

    def check(self) -> None:
        """Raise TypeError where a parameter is in what the search does not go into."""
        for path, item in self.unsearched:
            if isinstance(item, (GeneratorType, map)):
                raise TypeError(
                    f"{type(self.root).__name__}.{name(path)} is a {type(item).__name__}: what it "
                    "makes is made once and kept nowhere; keep a list of it"
                )
            self.check_known(_within(item, (Value, self.module_class)), path, item)

    def check_known(self, items: Iterable[Any], path: Path, holder: Any) -> None:
        """Raise TypeError where there is a leaf or a Module among `items` that is not known."""
        for item in items:
            leaf = isinstance(item, Value) and item._operation is LEAF
            if (leaf or isinstance(item, self.module_class)) and id(item) not in self.items:
                raise TypeError(
                    f"{type(self.root).__name__}.{name(path)} is a {type(holder).__name__} that "
                    f"holds {shorten(item)}, which would be neither trained nor saved: "
                    "parameters are looked for in lists, tuples, dicts, arrays and Modules. Keep "
                    "it in one of them, or make it a number if it is none"
                )


def name(path: Path) -> str:
    """Return a path as text: "layers.0.w"."""
    parts: list[str] = []
    while path:
        path, key = path
        parts.append(str(key))
    return ".".join(reversed(parts))


def attributes(module: Any) -> list[tuple[str, Any]]:
    """Return the attributes of one Module by name, those that begin with an underscore left out."""
    slots = [slot for kind in type(module).__mro__ for slot in _slots(kind)]
    pairs = [(slot, getattr(module, slot)) for slot in slots if hasattr(module, slot)]
    return [pair for pair in (*pairs, *vars(module).items()) if not pair[0].startswith("_")]


def _classes(modules: Iterable[tuple[Path, Any]]) -> list[tuple[Path, Any]]:
    """Return the classes of Modules that a user wrote: an attribute there is one for all."""
    kinds = {kind: path for path, item in modules for kind in type(item).__mro__[:-1]}
    own = [pair for pair in kinds.items() if not pair[0].__module__.startswith("micrograd.")]
    return [((path, f"class {kind.__name__}"), kind) for kind, path in own]


def _entries(item: Any) -> Iterable[tuple[Any, Any]] | None:
    """Return the entries of a container that the search goes into, by key; None of others."""
    if isinstance(item, (list, tuple, deque)):
        return enumerate(item)
    if isinstance(item, Mapping):
        return item.items()
    if hasattr(item, "dtype") and hasattr(item, "ndim"):
        return _elements(item) if item.dtype == object else ()
    return None


def _elements(array: Any) -> Iterator[tuple[str, Any]]:
    import numpy as np

    for place in np.ndindex(array.shape):
        yield ".".join(map(str, place)), array[place]


def _within(item: Any, ends: tuple[type, ...]) -> Iterator[Any]:
    """Yield all that an item of an unknown kind refers to, each once; go into no `ends`."""
    seen, waiting = {id(item)}, [item]
    while waiting:
        for part in _parts(waiting.pop()):
            if part.__class__ not in PLAIN and id(part) not in seen:
                seen.add(id(part))
                yield part
                if not isinstance(part, ends):
                    waiting.append(part)


def _parts(item: Any) -> list[Any]:
    if isinstance(item, (Set, ValuesView)):
        return list(item)
    if isinstance(item, Iterator):
        return gc.get_referents(item)  # without taking anything from it
    if isinstance(item, type):
        return [part for part in vars(item).values() if not isinstance(part, FunctionType)]
    if isinstance(item, partial):
        return [item.func, *item.args, *item.keywords.values()]
    if (entries := _entries(item)) is not None:
        return [part for _, part in entries]
    cells = [_contents(cell) for cell in getattr(item, "__closure__", None) or ()]
    defaults = getattr(item, "__defaults__", None) or ()
    named = getattr(item, "__kwdefaults__", None) or {}
    slots = [slot for kind in type(item).__mro__ for slot in _slots(kind)]
    owner = getattr(item, "__self__", None)  # of a bound method, also of Python's own
    values = [getattr(item, slot, None) for slot in slots]
    own = [*values, *getattr(item, "__dict__", {}).values()]
    return [*cells, *defaults, *named.values(), owner, *own]


def _slots(kind: type) -> list[str]:
    slots = vars(kind).get("__slots__", ())
    named = [slots] if isinstance(slots, str) else list(slots)
    return [slot for slot in named if not slot.startswith("__")]


def _contents(cell: Any) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # it is not filled yet
        return None
