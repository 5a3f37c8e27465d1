"""Deep copies and pickles of whole graphs, without recursion."""

from __future__ import annotations

import copy
import threading
from typing import Any

from micrograd.engine import Value, _next_index, topological_order

_SLOTS = ("data", "grad", "scope", "_operation", "_x", "_y")


def deep_copy(root: Value, memo: dict[int, Any]) -> Value:
    """Copy `root` and all it depends on; what `memo` has already is shared.

    A `_backward` assigned by hand stays the same function, as functions do in deep copies.
    """
    new = [node for node in topological_order(root) if id(node) not in memo]
    for node in new:
        memo[id(node)] = Value.__new__(type(node))
    for node in new:
        slots = [_copied(getattr(node, slot), memo) for slot in _SLOTS]
        restore(memo[id(node)], (slots, {}))
    for node in new:  # what users attached may refer to any node: it is copied last
        if node.__dict__:
            memo[id(node)].__dict__.update(copy.deepcopy(node.__dict__, memo))
    return memo[id(root)]  # type: ignore[no-any-return]


def _copied(slot: Any, memo: dict[int, Any]) -> Any:
    """Return a slot with copies for its nodes; tuples that nodes share stay shared."""
    if isinstance(slot, tuple):
        if id(slot) not in memo:
            memo[id(slot)] = type(slot)(memo[id(node)] for node in slot)
        return memo[id(slot)]
    return memo[id(slot)] if isinstance(slot, Value) else slot


# A node's pickle lists the nodes below it first, so that its operands are in the pickler's memo by
# the time they are met. The nodes of that list are themselves pickled by their operands alone:
# `_pending.nodes` tells which, until `_ListEnd`, pickled last, says that the list is written.
_pending = threading.local()


class _ListEnd:
    def __reduce__(self) -> tuple[Any, ...]:
        _pending.nodes = frozenset()
        return _ListEnd, ()


def reduced(node: Value) -> tuple[Any, ...]:
    """Return what pickle and copy.copy save of `node`."""
    state = [getattr(node, slot) for slot in _SLOTS], node.__dict__
    make = Value.__new__, (type(node),)
    if id(node) in getattr(_pending, "nodes", ()):
        return *make, (state,)
    below = topological_order(node)[:-1]
    _pending.nodes = frozenset(map(id, below))
    return *make, (below, _ListEnd(), state)


def restore(node: Value, state: tuple[Any, ...]) -> None:
    """Fill `node`, just made, from the state that `reduced` saved."""
    slots, attached = state
    for slot, content in zip(_SLOTS, slots):
        setattr(node, slot, content)
    node._index = _next_index()
    node.__dict__.update(attached)
