"""Graphs that somebody wired by hand: other operands for a node, an order, a cycle named."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from micrograd.modes import described
from micrograd.operations import LEAF, Elementary, Handmade

REWIRED = -1  # the index of a node wired by hand: creation order says nothing about it

Node = Any  # a Value: this module stands below the one that defines it


def rewire(node: Node, parents: tuple[Node, ...]) -> None:
    """Give `node` other operands; without any it becomes a leaf.

    Raises ValueError where its operation takes another number of operands.
    """
    operation = node._operation
    if not parents:
        node._operation, node._x, node._y, node._k = LEAF, None, None, None
    elif not isinstance(operation, Elementary):
        node._operation, node._x = Handmade(node._op), parents
    elif len(parents) == operation.row.arity:
        node._x, node._y = parents if len(parents) == 2 else (parents[0], None)
    else:
        raise ValueError(
            f"{described(node)} takes {operation.row.arity} operands, not "
            f"{len(parents)}; assign a tuple with one Value for each"
        )
    node._index = REWIRED


def depth_first_order(roots: Iterable[Node]) -> list[Node]:
    """Return `roots` and the nodes below, every operand before its users, whatever their age.

    Raises ValueError where there is a cycle.
    """
    order: dict[Node, None] = {}
    for root in roots:
        if root not in order:
            _visit(root, order)
    return list(order)


def _visit(root: Node, order: dict[Node, None]) -> None:
    path = {root: iter(root.parents)}
    while path:
        node = next(reversed(path))
        parent = next((p for p in path[node] if p not in order), None)
        if parent is None:
            order[node] = None
            del path[node]
        elif parent in path:
            raise ValueError(_cycle([*path, parent]))
        else:
            path[parent] = iter(parent.parents)


def _cycle(path: list[Node]) -> str:
    cycle = path[path.index(path[-1]) :]
    shown = [described(node) for node in (cycle if len(cycle) < 8 else cycle[:6])]
    dots = "" if len(cycle) < 8 else f" uses ... ({len(cycle) - 1} nodes in all)"
    return (
        "the graph has a cycle, so no node can come first: "
        + " uses ".join(shown)
        + dots
        + "; give one of them other operands"
    )
