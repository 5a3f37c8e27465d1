"""The order of a graph: every operand before its users.

An operand is older than its users, so the nodes sorted by their index of creation are in order;
only where somebody wired a graph by hand does the order have to be searched.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import count
from operator import attrgetter
from typing import Any

from micrograd.core.handmade import Handmade
from micrograd.core.kinds import LEAF, Elementary
from micrograd.core.modes import described
from micrograd.printing import counted, shorten

next_index = count().__next__  # the index of a new node: an operand's is below its users'
REWIRED = -1  # the index of a node wired by hand: creation order says nothing about it
_index = attrgetter("_index")
_FLOATS_ARE_OBJECTS = float("0") is not float("0")  # on PyPy equal ones are the same

Node = Any  # a Value: this module stands below the one that defines it


def topological_order(*roots: Node, seen: set[Node | None] | None = None) -> list[Node]:
    """Return the nodes that `roots` depend on and `roots`, every operand before its users.

    Those in `seen` are left out, but of a graph wired by hand; those found are added to it.

    Raises ValueError where a graph wired by hand has a cycle, TypeError for what is no Value.
    """
    for root in roots:
        if not hasattr(root, "_operation"):
            raise TypeError(f"the nodes below Values are ordered; {shorten(root)} is none")
    waiting = list(dict.fromkeys(roots))
    order: list[Node] = []
    seen = set() if seen is None else seen
    seen.update((None, *roots))  # None: the operand a node does not have
    while True:  # with the test at its end Python 3.11 would not optimise it before the eighth call
        if not waiting:
            break
        node = waiting.pop()
        order.append(node)
        if isinstance(node._x, tuple):
            new = [p for p in dict.fromkeys(node.parents) if p not in seen]
            seen.update(new)
            waiting += new
            continue
        # The two flat slots, written out: a loop or a call per node would double the walk's time.
        parent = node._x
        if parent not in seen:
            seen.add(parent)
            waiting.append(parent)
        parent = node._y
        if parent not in seen:
            seen.add(parent)
            waiting.append(parent)
    order.sort(key=_index)  # an operand is older than its users
    return order if not order or order[0]._index >= 0 else depth_first_order(roots)


def reset_interior(root: Node) -> list[Node]:
    """Set to 0 the gradients below `root` that are no leaf's; return their nodes, in order.

    What `topological_order` does without the leaves, in half of its time. Every gradient is set
    to one and the same new float object. A node whose gradient is that very object was met
    before, so no set of the nodes seen is needed; where a class has a `grad` of its own one is.
    Leaves with a function of a program's own, which `backward()` calls, are in the order too.
    """
    if root._hooked or not _FLOATS_ARE_OBJECTS:
        return _reset_one_by_one(root)
    zero = float("0")
    waiting: list[Node] = []
    _meet([root], zero, waiting)
    order: list[Node] = []
    looked: set[int] = set()  # tuples of operands: neurons share theirs
    while True:  # as in `topological_order`
        if not waiting:
            break
        node = waiting.pop()
        order.append(node)
        parent, last = node._x, node._y
        if parent.__class__ is tuple:
            for operands in (parent, last or ()):
                if id(operands) not in looked:
                    looked.add(id(operands))
                    _meet(operands, zero, waiting)
            last = node._k
        # `_meet` for the two flat slots, written out
        elif parent is not None and parent.grad is not zero and parent._operation is not LEAF:
            parent.grad = zero
            waiting.append(parent)
        if last is not None and last.grad is not zero and last._operation is not LEAF:
            last.grad = zero
            waiting.append(last)
    order.sort(key=_index)
    if order and order[0]._index < 0:
        return [node for node in depth_first_order([root]) if node._operation is not LEAF]
    return order


def _reset_one_by_one(root: Node) -> list[Node]:
    order = topological_order(root)
    for node in order:
        if node._operation is not LEAF:
            node.grad = 0.0
    return [node for node in order if node._operation is not LEAF or node._hook]


def _meet(nodes: Iterable[Node], zero: float, waiting: list[Node]) -> None:
    for node in nodes:
        if node.grad is not zero and node._operation is not LEAF:
            node.grad = zero
            waiting.append(node)


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
        function = node.__dict__.pop("_hook", getattr(operation, "function", None))
        node._operation, node._x = Handmade(node._op, None, function), parents
    elif len(parents) == operation.row.arity:
        node._x, node._y = parents if len(parents) == 2 else (parents[0], None)
    else:
        raise ValueError(
            f"{described(node)} takes {counted(operation.row.arity, 'operand')}, not "
            f"{len(parents)}; assign a tuple with one Value for each"
        )
    node._index = REWIRED
