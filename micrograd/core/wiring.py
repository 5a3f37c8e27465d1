"""Graphs wired by hand: other operands for a node that exists."""

from __future__ import annotations

from typing import Any

from micrograd.core.kinds import LEAF, Elementary, Handmade
from micrograd.core.modes import described
from micrograd.core.order import REWIRED

Node = Any  # a Value: this module stands below the one that defines it


def rewire(node: Node, parents: tuple[Node, ...]) -> None:
    """Give `node` other operands; without any it becomes a leaf.

    Raises ValueError where its operation takes another number of operands.
    """
    operation = node._operation
    if not parents:
        node._operation, node._x, node._y = LEAF, None, None
        if node._k is not None:
            del node._k
        return
    if not isinstance(operation, Elementary):
        node._operation, node._x = Handmade(node._op), parents
    elif len(parents) == operation.row.arity:
        node._x, node._y = parents if len(parents) == 2 else (parents[0], None)
    else:
        raise ValueError(
            f"{described(node)} takes {operation.row.arity} operands, not "
            f"{len(parents)}; assign a tuple with one Value for each"
        )
    node._index = REWIRED
