"""What was found out about a graph, kept as long as the graph: many views ask for the same."""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from micrograd.core.modes import SEPARATOR
from micrograd.graph import Graph
from micrograd.render.batch import Batch

T = TypeVar("T")
_PART = re.compile(r"part\d+-\d+")

_FOUND: WeakKeyDictionary[Graph, dict[Hashable, Any]] = WeakKeyDictionary()


def kept(graph: Graph, key: Hashable, make: Callable[[], T]) -> T:
    """Return what `make` found out about a graph. It must not hold the graph itself."""
    found = _FOUND.setdefault(graph, {})
    if key not in found:
        found[key] = make()
    result: T = found[key]
    return result


def seen(graph: Graph, batch: Batch | None) -> tuple[Sequence[int], dict[int, list[int]]]:
    """Return the nodes that are drawn, and their users."""

    def found() -> tuple[Sequence[int], dict[int, list[int]]]:
        visible = _reachable(graph, batch) if batch else range(len(graph))
        return visible, _users(graph, visible)

    return kept(graph, ("seen", batch is None), found)


def is_part(graph: Graph, fold: str) -> bool:
    """Tell whether a fold can only be a part, and no scope of that name."""
    scopes = kept(graph, "scopes", lambda: set(graph.scopes))
    inside = fold + SEPARATOR
    return bool(_PART.fullmatch(fold)) and not any(
        f"{s}{SEPARATOR}".startswith(inside) for s in scopes
    )


def _users(graph: Graph, visible: Iterable[int]) -> dict[int, list[int]]:
    """Return the users of every visible node, one entry for each edge."""
    users: dict[int, list[int]] = {node: [] for node in visible}
    for user in list(users):
        for operand in graph.operands[user]:
            if operand in users:
                users[operand].append(user)
    return users


def _reachable(graph: Graph, batch: Batch) -> list[int]:
    """Return the nodes that are left when only one sample of the batch is drawn."""
    waiting, seen = list(graph.roots), set(graph.roots)
    while waiting:
        node = waiting.pop()
        for operand in graph.operands[node]:
            if operand not in seen and (operand, node) not in batch.dropped:
                seen.add(operand)
                waiting.append(operand)
    return sorted(seen)
