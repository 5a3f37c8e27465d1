"""A second call of a function, followed along the nodes that the first one made."""

from __future__ import annotations

from typing import Any

from micrograd.core.kinds import ELEMENTARY, LEAF, SUM_OF_PRODUCTS
from micrograd.core.modes import mode
from micrograd.core.order import REWIRED, next_index
from micrograd.engine import Value
from micrograd.lowering.trace.watch import Watched, refuse_unrecorded

# Most operations. Their nodes have no constant, and asking for one that is not there is slow.
_PLAIN = frozenset(operation for operation in ELEMENTARY.values() if not operation.row.constants)


class Along:
    """Look for the like of every node of the second call, as it is made, in the first.

    A node takes the index of its like: so two Values are seen to stand for each other. `same` says
    whether all nodes were, so far, of one operation on operands that stand for each other, in one
    order. `leaves` gives, for a leaf of the first call, the one of the second: what they are, and
    hold, is not compared here. The first call and its inputs begin with the index `oldest`.
    """

    def __init__(self, made: list[Value], oldest: int) -> None:
        self.same, self.leaves = True, dict[Value, Value]()
        self._likes, self._oldest, self._second = iter(made), oldest, next_index()
        self._made: list[Value] = []

    def leave(self) -> None:
        """Let nothing stand for anything: the call failed, and may have kept some of it."""
        others = (node for like, node in self.leaves.items() if node is not like)
        for node in (*self._made, *others):
            node._index = REWIRED

    def look(self, node: Value) -> None:
        """Watch a new node. Raises UntraceableError under `no_grad()`."""
        node.__class__ = Watched
        self._made.append(node)
        like: Any = next(self._likes, node)
        x, y, like_x, like_y = node._x, node._y, like._x, like._y
        if not (  # as most nodes are
            node._operation is like._operation in _PLAIN
            and (x._index < self._oldest if x is like_x else x._index == like_x._index)
            and (
                y is None or (y._index < self._oldest if y is like_y else y._index == like_y._index)
            )
        ):
            if not mode().recording:
                refuse_unrecorded(node)
            if not (self.same and self._alike(node, like)):
                self.same, self._likes = False, iter(())
                return
        node._index = like._index

    def _alike(self, node: Value, like: Value) -> bool:
        if node._operation is not like._operation:
            return False
        operands, others = node.parents, like.parents
        flat = node._operation is not SUM_OF_PRODUCTS
        return (
            len(operands) == len(others)
            and not (flat and node._k != like._k)
            and all(map(self.stands_for, operands, others))
        )

    def stands_for(self, node: Value, like: Value) -> bool:
        """Return whether a node stands for `like` and for nothing else; leaves do from now on."""
        if node is not like and node._index == like._index:
            return True
        if not node._operation is LEAF is like._operation:
            return node is like and node._index < self._oldest
        fresh = node._index >= self._second and like._index >= self._oldest
        if not (fresh or node is like) or self.leaves.setdefault(like, node) is not node:
            return False
        node._index = like._index
        return True
