"""How high each node stands above the leaves: nodes of one height can be one array."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from micrograd.lowering.scalars.chains import SUBTRACTED, Chains
from micrograd.lowering.scalars.columns import Bools, Ints


def levels(chains: Chains) -> Ints:
    """Return the height of every node above the leaves, 0 for those that are gone."""
    graph, owner = chains.graph, chains.owner
    inner = graph.op > 0
    left, place = np.flatnonzero(chains.remaining & inner), np.zeros(len(inner), np.intp)
    place[left] = np.arange(len(left))
    alone = left[np.isin(left, chains.sums, invert=True)]
    user = np.concatenate((alone, alone, owner, owner))
    operand = np.concatenate((graph.x[alone], graph.y[alone], chains.a, chains.b))
    edges = np.flatnonzero((operand >= 0) & inner[operand])
    edges = edges[np.argsort(user[edges], kind="stable")]
    height = [1] * len(left)
    for i, j in zip(place[user[edges]].tolist(), place[operand[edges]].tolist()):
        if height[i] <= height[j]:
            height[i] = height[j] + 1
    level = np.zeros(len(inner), np.intp)
    level[left] = height
    return level


def together(chains: Chains, level: Ints, parameters: Iterable[Ints]) -> Ints | None:
    """Return heights at which what several steps do with their results stands together.

    None where no parameter is used at several heights, as by the steps of a recurrent network.
    There nodes wait that stand with more of their kind when they do, and all that uses them.
    """
    known = np.zeros(len(level) + 2, bool)  # NONE and SUBTRACTED are none
    for nodes in parameters:
        known[nodes[nodes >= 0]] = True
    a, b = chains.a, chains.b
    if not _at_several(level[chains.owner], np.where(known[b], b, a), known[a] != known[b]):
        return None
    edges = _edges(chains, level, known)
    latest = np.full(len(level), level.max())
    for user, operand, _ in reversed(edges):
        np.minimum.at(latest, operand, latest[user] - 1)
    left = np.flatnonzero(chains.remaining)
    kind = _kinds(chains, known[:SUBTRACTED], edges)[left]
    now, then = (_alike(kind, height[left]) for height in (level, latest))
    waits = latest == level
    waits[left] |= then > now
    for user, operand, _ in reversed(edges):
        np.logical_and.at(waits, operand, waits[user])
    return np.where(waits & chains.remaining & (level > 0), latest, level)


def _edges(chains: Chains, level: Ints, known: Bools) -> list[tuple[Ints, Ints, Bools]]:
    """Return users and their operands, a pair of columns for the users of each height.

    And whether an operand tells what kind its user is: what a parameter multiplies does not.
    """
    a, b, owner = chains.a, chains.b, chains.owner
    chained = np.isin(np.arange(len(level)), chains.sums)
    alone = np.flatnonzero(chains.remaining & ~chained)
    user = np.concatenate((alone, alone, owner, owner))
    operand = np.concatenate((chains.graph.x[alone], chains.graph.y[alone], a, b))
    tells = np.concatenate((alone >= 0, alone >= 0, known[a] | ~known[b], known[b] | ~known[a]))
    small = np.min_scalar_type(level.max())  # which NumPy sorts by counting
    order = np.argsort(level[user].astype(small), kind="stable")
    order = order[operand[order] >= 0]
    begins = np.flatnonzero(np.diff(level[user[order]])) + 1
    return [*zip(*(np.split(column[order], begins) for column in (user, operand, tells)))]


def _at_several(height: Ints, parameter: Ints, used: Bools) -> bool:
    """Return whether terms of several heights have one parameter, beside what is none."""
    order = np.lexsort((height[used], parameter[used]))
    parameter, height = parameter[used][order], height[used][order]
    return bool(((parameter[1:] == parameter[:-1]) & (height[1:] != height[:-1])).any())


def _kinds(
    chains: Chains, known: Bools, edges: list[tuple[Ints, Ints, Bools]]
) -> NDArray[np.uint64]:
    """Return a number per node, alike for the same operations of the same parameters."""
    mixed = np.arange(len(known), dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    kind = np.where(known, mixed, mixed[chains.graph.op % len(mixed)] >> np.uint64(7))
    for user, operand, tells in edges:
        np.add.at(kind, user[tells], kind[operand[tells]] * np.uint64(0xBF58476D1CE4E5B9))
    return kind


def _alike(kind: NDArray[np.uint64], height: Ints) -> Ints:
    """Return how many of a kind stand at the height of each node."""
    mixed = kind + height.astype(np.uint64) * np.uint64(0x94D049BB133111EB)
    _, which, counts = np.unique(mixed, return_inverse=True, return_counts=True)
    return counts[which]
