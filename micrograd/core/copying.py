"""Deep copies and pickles of whole graphs, without recursion."""

from __future__ import annotations

import copy
import threading
from collections.abc import Iterable
from typing import Any
from weakref import ref

from micrograd.core.modes import described
from micrograd.core.order import REWIRED, next_index, topological_order

Node = Any  # a Value: this module stands below the one that defines it

_SEEN: Any = "the nodes copied"  # a key of the memo, of which those of others are numbers
_SLOTS = ("data", "grad", "scope", "_operation", "_x", "_y")


def deep_copy(root: Node, memo: dict[int, Any]) -> Node:
    """Copy `root` and all it depends on; what `memo` has already is shared.

    Raises TypeError where a node's backward step is a function of the user's.
    """
    seen = memo.setdefault(_SEEN, set())  # by copies of other nodes into the same memo
    new = [node for node in topological_order(root, seen=seen) if id(node) not in memo]
    _refuse_functions(new)
    for node in new:
        memo[id(node)] = object.__new__(type(node))
    for node in new:
        slots = [_copied(getattr(node, slot), memo) for slot in _SLOTS]
        restore(memo[id(node)], (slots, {}))
    for node in new:  # what users attached may refer to any node: it is copied last
        if node.__dict__:
            memo[id(node)].__dict__.update(copy.deepcopy(node.__dict__, memo))
    return memo[id(root)]


def _copied(slot: Any, memo: dict[int, Any]) -> Any:
    """Return a slot with copies for its nodes; tuples that nodes share stay shared."""
    if isinstance(slot, tuple):
        if id(slot) not in memo:
            memo[id(slot)] = type(slot)(memo[id(node)] for node in slot)
        return memo[id(slot)]
    return memo[id(slot)] if hasattr(slot, "_operation") else slot


def _refuse_functions(nodes: Iterable[Node]) -> None:
    """Raise TypeError for a `_backward` assigned by hand: a copy of it would serve the original."""
    for node in nodes:
        if getattr(node._operation, "function", None):
            raise TypeError(
                f"cannot copy or pickle {described(node)}: its _backward is a function that works "
                "on this node and its operands; build the graph anew instead"
            )


class _Below(list[Any]):
    """The nodes below one that is being pickled: operands are in the memo before their users."""

    ids: frozenset[int] = frozenset()
    session: _Session

    def __reduce__(self) -> tuple[Any, ...]:
        return list, (), None, iter(self)


class _Session:
    """The nodes that one pickler has listed, while it lives: its memo holds its lists."""

    def __init__(self) -> None:
        self.seen: set[Node] = set()


class _ListEnd:
    """Pickled behind a list of `_Below`: from here on its nodes are in the pickler's memo."""

    def __reduce__(self) -> tuple[Any, ...]:
        _lists().pop()
        return _ListEnd, ()


# A node's pickle lists the nodes below it first, and these are themselves pickled by their operands
# alone while the list is being written. What the pickler has listed before is in no other list, so
# of many nodes in a list of the user's each is walked to once. Lists and sessions are known by weak
# references: those of a pickle that failed go with the pickler that held them.
_pending = threading.local()


def _lists() -> list[ref[_Below]]:
    """Return the lists that this thread is writing, one within another."""
    _pending.lists = [below for below in getattr(_pending, "lists", ()) if below() is not None]
    return _pending.lists  # type: ignore[no-any-return]


def reduced(node: Node) -> tuple[Any, ...]:
    """Return what pickle and copy.copy save of `node`.

    Raises TypeError where its backward step is a function of the user's.
    """
    _refuse_functions([node])
    state = [getattr(node, slot) for slot in _SLOTS], node.__dict__
    make = object.__new__, (type(node),)
    if any(id(node) in below().ids for below in _lists()):  # type: ignore[union-attr]
        return *make, (state,)
    session: _Session | None = getattr(_pending, "session", lambda: None)()
    if session is None or node in session.seen:  # of another pickler: this one has no such node
        session = _Session()
        _pending.session = ref(session)
    below = _Below(topological_order(node, seen=session.seen)[:-1])
    below.ids, below.session = frozenset(map(id, below)), session
    _lists().append(ref(below))
    return *make, (below, _ListEnd(), state)


def restore(node: Node, state: tuple[Any, ...]) -> None:
    """Fill `node`, just made, from the state that `reduced` saved."""
    slots, attached = state
    for slot, content in zip(_SLOTS, slots):
        setattr(node, slot, content)
    # An attribute of an operand may refer to this node, which is then filled before the operand.
    known = all(hasattr(operand, "_index") for operand in node._operation.parents(node))
    node._index = next_index() if known else REWIRED
    node.__dict__.update(attached)
    if node._hook:
        node._backward = node._hook  # in another process nobody knows of it yet
