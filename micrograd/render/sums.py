"""Sums of products: which adds and multiplies of a graph make one Σ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from micrograd.graph import Graph

Users = Mapping[int, Sequence[int]]


def find_sums(graph: Graph, users: Users) -> list[tuple[int, ...]]:
    """Return the nodes of every sum with two products or three terms, the sum itself last.

    An add or multiply joins where it has one user, no label, and the scope of the sum.
    """
    found = []
    for top in users:
        if graph.ops[top] == "add" and not joins(graph, users, top, "add", 0):
            adds, terms = chain(graph, users, top)
            products = [term for term in terms if joins(graph, users, term, "mul")]
            if len(products) > 1 or len(terms) > 2:
                found.append(tuple(sorted({*adds, *products})))
    return found


def chain(graph: Graph, users: Users, top: int, side: int = 0) -> tuple[list[int], list[int]]:
    """Return the adds of a sum, from `top` down its first operands, and its terms in order.

    `side` 1 goes down the second operands, and the terms are in the order they were added.
    """
    adds, terms, node = [], [], top
    while True:
        adds.append(node)
        operands = graph.operands[node]
        terms.append(operands[1 - side])
        node = operands[side]
        if not joins(graph, users, node, "add"):
            return adds, [node, *reversed(terms)]


def joins(graph: Graph, users: Users, node: int, op: str, side: int | None = None) -> bool:
    """Tell whether `node` is a part of the sum that uses it (as its operand 0 or 1)."""
    if graph.ops[node] != op or graph.labels[node] or len(users.get(node, ())) != 1:
        return False
    user = users[node][0]
    if graph.ops[user] != "add" or graph.scopes[user] != graph.scopes[node] or node in graph.roots:
        return False
    return side is None or graph.operands[user][side] == node
