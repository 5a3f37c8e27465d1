"""Batches: a sum over samples, of which a picture shows one."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Hashable
from itertools import product
from typing import NamedTuple

from micrograd.graph import LEAF, Graph
from micrograd.render.sums import chain, joins

NUMBERS = re.compile(r"\d+")  # in labels, where they count the samples


class Batch(NamedTuple):
    """A sum over alike terms: its adds, and the edges (operand, user) of all but one."""

    members: tuple[int, ...]
    samples: int
    dropped: frozenset[tuple[int, int]]


def find_batch(graph: Graph) -> Batch | None:
    """Return the sum over the most samples, or None.

    Terms are samples where the same modules were called again: they compute the same from the
    same parameters (leaves with a scope and several users) and differ in other leaves only, and
    in the numbers of their labels.
    """
    if not any(graph.scopes):  # no module was called, so none was called again
        return None
    users: dict[int, list[int]] = {node: [] for node in range(len(graph))}
    for operand, user, _ in graph.edges:
        users[operand].append(user)
    kinds = _Kinds(graph, users)
    best: Batch | None = None
    adds = (node for node, op in enumerate(graph.ops) if op == "add")
    for top, side in product(adds, (0, 1)):
        if not joins(graph, users, top, "add", side):
            chained = chain(graph, users, top, side)
            batch = _batch(graph, *_samples(*chained, kinds), kinds)
            if batch and (best is None or batch.samples > best.samples):
                best = batch
    return best


def _samples(adds: list[int], terms: list[int], kinds: _Kinds) -> tuple[list[int], list[int]]:
    """Return adds and terms without those of the first sample, where a sample is a sum itself."""
    alike = {kinds.of[term] for term in terms}
    for i, add in enumerate(adds):
        if kinds.of[add] in alike:
            return adds[:i], [add, *terms[-i:]]
    return adds, terms


def _batch(graph: Graph, adds: list[int], terms: list[int], kinds: _Kinds) -> Batch | None:
    counts = Counter(kinds.of[term] for term in terms if kinds.modular[term])
    if not counts:
        return None
    kind, count = counts.most_common(1)[0]
    samples = [term for term in terms if kinds.of[term] == kind]
    if count < 2 or len(set(samples)) < count:
        return None
    inside = set(adds)
    left_out = set(samples[1:])
    dropped = {(o, user) for user in inside for o in graph.operands[user] if o in left_out}
    return Batch(tuple(sorted(adds)), count, frozenset(dropped))


class _Kinds:
    """Number the nodes so that equal computations have equal numbers, in one pass.

    `modular[node]` tells whether modules with parameters were called below.
    """

    def __init__(self, graph: Graph, users: dict[int, list[int]]) -> None:
        numbers: dict[Hashable, int] = {}
        self.of: list[int] = []
        self.modular: list[bool] = []
        parametric: list[bool] = []
        for node, op in enumerate(graph.ops):
            operands = graph.operands[node]
            parameter = op == LEAF and bool(graph.scopes[node]) and len(users[node]) > 1
            kind: Hashable = (
                op,
                graph.constants[node],
                graph.scopes[node],
                NUMBERS.sub("", graph.labels[node]),
                *[self.of[o] for o in operands],
                node if parameter else -1,
            )
            self.of.append(numbers.setdefault(kind, len(numbers)))
            below = parameter or any(parametric[o] for o in operands)
            parametric.append(below)
            called = below and op != LEAF and bool(graph.scopes[node])
            self.modular.append(called or any(self.modular[o] for o in operands))
