"""Batches: a sum over samples, of which a picture shows one of each kind."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Hashable
from functools import cache
from itertools import product
from typing import NamedTuple

from micrograd.graph import LEAF, Graph
from micrograd.render.sums import chain, joins

NUMBERS = re.compile(r"\d+")  # in names, where they count samples, or neurons


class Samples(NamedTuple):
    """How many samples of a batch are drawn, one of each kind, and how many there are."""

    drawn: int
    total: int

    def __str__(self) -> str:
        return f"{self.drawn} of {self.total}"


class Batch(NamedTuple):
    """A sum over alike terms: its adds, and the edges (operand, user) of what is not drawn."""

    members: tuple[int, ...]
    samples: Samples
    dropped: frozenset[tuple[int, int]]


def find_batch(graph: Graph) -> Batch | None:
    """Return the sum over the most samples, or None.

    Terms are samples where the same modules were called again: they compute the same from the
    same parameters (leaves with a scope and several users) and differ in other leaves only, in
    the numbers of their labels, and in which of a layer's outputs they choose, as classes do. A
    loss that goes another way for each class has several kinds of them.
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
            most = best.samples.total if best else 1
            best = _batch(graph, *_samples(*chained, kinds), kinds, most) or best
    return best


def _samples(adds: list[int], terms: list[int], kinds: _Kinds) -> tuple[list[int], list[int]]:
    """Return adds and terms without those of the first sample, where a sample is a sum itself."""
    alike = {*map(kinds.key, terms)}
    for i, add in enumerate(adds):
        if kinds.key(add) in alike:
            return adds[:i], [add, *terms[-i:]]
    return adds, terms


def _batch(
    graph: Graph, adds: list[int], terms: list[int], kinds: _Kinds, most: int
) -> Batch | None:
    """Return the batch of a sum, where it has more than `most` samples."""
    of_kind = defaultdict[Hashable, list[int]](list)
    for term in terms:
        if kinds.modular[term]:
            of_kind[kinds.key(term)].append(term)
    samples = [alike for alike in of_kind.values() if _are_samples(alike, kinds)]
    total = sum(map(len, samples))
    if total <= most:
        return None
    inside = set(adds)
    left_out = {term for _, *others in samples for term in others}
    dropped = {(o, user) for user in inside for o in graph.operands[user] if o in left_out}
    return Batch(tuple(sorted(adds)), Samples(len(samples), total), frozenset(dropped))


def _are_samples(terms: list[int], kinds: _Kinds) -> bool:
    """Return whether several terms of one kind are none twice, and of the same parameters."""
    several = 1 < len(terms) == len(set(terms))
    return several and len(set(map(kinds.parameters, terms))) == 1


class _Kinds:
    """Number the nodes so that alike computations have equal numbers, in one pass.

    Neurons of one layer are alike, so `key` has the first and the last parameter below, too.
    `modular[node]` tells whether modules with parameters were called below.
    """

    def __init__(self, graph: Graph, users: dict[int, list[int]]) -> None:
        self.graph = graph
        numbers: dict[Hashable, int] = {}
        self.own: set[int] = set()
        unnumbered = cache(lambda name: NUMBERS.sub("", name))
        self.of: list[int] = []
        self.modular: list[bool] = []
        self.first: list[int] = []
        self.last: list[int] = []
        for node, op in enumerate(graph.ops):
            operands, scope = graph.operands[node], graph.scopes[node]
            parameter = op == LEAF and bool(scope) and len(users[node]) > 1
            if parameter or (op == LEAF and scope and graph.labels[node]):
                self.own.add(node)
            own = [node] if node in self.own else []
            kind: Hashable = (
                op,
                graph.constants[node],
                unnumbered(scope),
                unnumbered(graph.labels[node]),
                *[self.of[o] for o in operands],
                parameter,
            )
            self.of.append(numbers.setdefault(kind, len(numbers)))
            self.first.append(min([*own, *(self.first[o] for o in operands)], default=len(users)))
            self.last.append(max([*own, *(self.last[o] for o in operands)], default=-1))
            called = self.last[node] >= 0 and op != LEAF and bool(scope)
            self.modular.append(called or any(self.modular[o] for o in operands))

    def key(self, node: int) -> tuple[int, int, int]:
        return self.of[node], self.first[node], self.last[node]

    def parameters(self, node: int) -> frozenset[int]:
        """Return all parameters below a node."""
        met, rest = {node}, [node]
        while rest:
            new = set(self.graph.operands[rest.pop()]) - met
            met |= new
            rest += new
        return frozenset(met & self.own)
