"""Chains: those of additions become sums of products, those of max or min one choice.

`((b + w1 * x1) + w2 * x2)` is one SUM with the terms b, w1 × x1, w2 × x2, `0 - a - b` one with the
terms -a, -b; `a.max(b).max(c)` is one CHOICE of the terms a, b, c. A chain ends where a node is
used twice, carries a label, changes its scope or takes in a bare number, so that what a person
would name stays one node. What a chain adds up that is a sum of products itself is part of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from micrograd.engine import Constant
from micrograd.lowering.scalars.columns import (
    ADD,
    MUL,
    NONE,
    ROUTES,
    SUB,
    Bools,
    Ints,
    ScalarGraph,
)

SUBTRACTED = -2  # in place of the other factor of a term


@dataclass(frozen=True, eq=False)
class Chains:
    """Hold the nodes that are left: leaves, elementary nodes, sums and choices.

    `sums` are the ids of the sums and choices; number n has the terms start[n] to start[n + 1],
    each a[i] × b[i], or a[i] where b[i] is NONE, -a[i] where it is SUBTRACTED, in the order of the
    chain. `recorded_by[i]` is the +, - or max of the recorded graph that takes term i. `remaining`
    marks the nodes that are left, `written_number` the leaves that stand for a number in the code,
    `merged_into` names the node that a node is now part of. The 0 of sum() is dropped.
    """

    graph: ScalarGraph
    remaining: Bools
    written_number: Bools
    sums: Ints
    start: Ints
    a: Ints
    b: Ints
    recorded_by: Ints
    merged_into: Ints

    def __str__(self) -> str:
        choices = np.isin(self.graph.op[self.sums], ROUTES)
        lengths = np.diff(self.start)[~choices].tolist()
        most = ", ".join(map(str, sorted(lengths, reverse=True)[:6])) + (
            ", ..." * (len(lengths) > 6)
        )
        sums = f"{len(lengths)} sums" + (f" of {most} terms" if lengths else "")
        return f"{int(self.remaining.sum())} nodes left; {sums}; {int(choices.sum())} choices"

    @property
    def owner(self) -> Ints:
        """Return whose each term is: the id of its sum or choice."""
        return np.repeat(self.sums, np.diff(self.start))

    def zeros(self) -> Bools:
        """Mark the 0s that are written in the code; NONE and SUBTRACTED, at the end, are none."""
        zeros = np.zeros(len(self.graph) + 2, bool)
        written = np.flatnonzero(self.written_number).tolist()
        zeros[[i for i in written if self.graph.values[i].data == 0]] = True
        return zeros


def chains(
    graph: ScalarGraph, known: Bools, numbers: Bools, ops: Sequence[int] = (ADD, SUB, *ROUTES)
) -> Chains:
    """Join the chains of `ops` in a graph; `known` marks leaves that are inputs or parameters.

    `numbers` marks those that a traced function makes at every call: the 0 of `total = Value(0)`.
    """
    uses = graph.uses()
    written_number = _literals(graph, uses, known) | numbers
    chained = np.isin(graph.op, ops)
    zeros = np.zeros(len(graph), bool)  # those that sums begin with
    begins = graph.x[np.isin(graph.op, (ADD, SUB)) & written_number[graph.x]]
    zeros[begins] = [graph.values[i].data == 0 for i in begins.tolist()]
    inner, outer = _joined(graph, uses, chained, zeros, written_number)
    chained &= graph.op != SUB  # one difference is no chain
    chained[inner] = chained[outer] = True
    heads = np.arange(len(graph))
    heads[inner] = outer
    sums, user = _sums_of_sums(graph, uses, _followed(heads), inner, zeros, written_number)
    heads[sums] = user
    inner = np.append(inner, sums)
    heads = _followed(heads)
    terms = _terms(graph, uses, chained, inner, zeros)
    owner = heads[terms.recorded_by]
    by_owner = np.argsort(owner, kind="stable")
    sums, first = np.unique(owner[by_owner], return_index=True)
    product = terms.product[terms.product >= 0]
    remaining = np.ones(len(graph), bool)
    remaining[inner] = False
    remaining[product] = False
    remaining &= _reached(graph, remaining & ~chained, terms.a, terms.b)
    heads[product] = owner[terms.product >= 0]
    return Chains(
        graph,
        remaining,
        written_number,
        sums,
        np.append(first, len(owner)),
        terms.a[by_owner],
        terms.b[by_owner],
        terms.recorded_by[by_owner],
        heads,
    )


def _literals(graph: ScalarGraph, uses: Ints, known: Bools) -> Bools:
    """Return the leaves made by the very operation that uses them: the 1 of `1 - x`."""
    written_number = (graph.op == 0) & (uses == 1) & ~graph.labelled & ~known
    fresh = np.zeros(len(written_number), bool)
    for operand in (graph.x, graph.y):
        user = np.flatnonzero(operand >= 0)
        leaf = operand[user]
        near = graph.index[leaf] == graph.index[user] - 1
        fresh[leaf[near]] = True
        for i in leaf[~near & (leaf == user - 1) & written_number[leaf]].tolist():
            fresh[i] |= isinstance(graph.values[i], Constant)  # a thread took the numbers between
    found: Bools = written_number & fresh & (graph.index >= 0)
    return found


def _followed(pointers: Ints) -> Ints:
    """Return where each chain of pointers ends, doubling the step."""
    while not np.array_equal(further := pointers[pointers], pointers):
        pointers = further
    return pointers


def _joined(
    graph: ScalarGraph, uses: Ints, chained: Bools, zeros: Bools, written_number: Bools
) -> tuple[Ints, Ints]:
    """Return the nodes that are the left operand of the next one of a chain, and that next one."""
    users = np.flatnonzero(chained)
    left, right = graph.x[users], graph.y[users]
    joined = (graph.op[left] == graph.op[users]) | _running(graph, uses, zeros, users)
    joined &= chained[left] & (uses[left] == 1)
    joined &= ~graph.labelled[left] & ~written_number[right]
    joined &= graph.scope[left] == graph.scope[users]
    return left[joined], users[joined]


def _running(graph: ScalarGraph, uses: Ints, zeros: Bools, users: Ints) -> Bools:
    """Mark the links of `loss + a - b` again and again, from its 0 on."""
    left = graph.x[users]
    before = graph.x[left]
    other = np.isin(graph.op[users], (ADD, SUB)) & np.isin(graph.op[left], (ADD, SUB))
    again = (graph.op[before] == graph.op[users]) & (uses[before] == 1)
    running: Bools = other & (again | zeros[before])
    return running


def _operands(
    graph: ScalarGraph, chained: Bools, inner: Ints, zeros: Bools
) -> tuple[Ints, Ints, Bools]:
    """Return the operands of all links that are no links, those links, and which are right ones."""
    links = np.flatnonzero(chained)
    begun = zeros[graph.x[links]] & ~np.isin(graph.op[links], ROUTES)  # max(0, x) needs its 0
    firsts = links[~np.isin(graph.x[links], inner) & ~begun]
    others = links[~np.isin(graph.y[links], inner)]
    link, right = np.append(firsts, others), np.arange(len(firsts) + len(others)) >= len(firsts)
    return np.where(right, graph.y[link], graph.x[link]), link, right


def _sums_of_sums(
    graph: ScalarGraph,
    uses: Ints,
    heads: Ints,
    inner: Ints,
    zeros: Bools,
    written_number: Bools,
) -> tuple[Ints, Ints]:
    """Return the sums of products that a chain adds up to leaves and products, and their users.

    Σi Σj is one sum, whoever wrote the loops; but not the sum of a vector W x, whose elements have
    weights in common, and not `a + (b + c)`, which rounds as it is written.
    """
    term, link, _ = _operands(graph, graph.op == ADD, inner, zeros)
    head, op = heads[link], graph.op[term]
    alone = (uses[term] == 1) & ~graph.labelled[term] & (graph.scope[term] == graph.scope[link])
    nested, product = alone & (op == ADD), alone & (op == MUL)
    leaf = (op == 0) & ~written_number[term]
    before = 0
    while nested.sum() != before:  # what is not taken in keeps what holds it from being so
        before = nested.sum()
        mixed, others = np.zeros((2, len(graph)), bool)
        others[head[~nested & ~product]] = True
        mixed[head[~nested & ~product & ~leaf]] = True
        nested &= ~mixed[head] & ~others[term]
    outer = np.full(len(graph), NONE)
    outer[term[nested]] = head[nested]
    within = product & (outer[head] >= 0)
    vectors = _with_common_factors(graph, term[within], head[within], outer)
    nested &= ~np.isin(head, vectors)
    return term[nested], link[nested]


def _with_common_factors(graph: ScalarGraph, products: Ints, sums: Ints, outer: Ints) -> Ints:
    """Return the `outer` chains of sums of products where two sums have a factor in common."""
    factors = np.append(graph.x[products], graph.y[products])
    sums = np.append(sums, sums)
    keys = outer[sums].astype(np.int64) * len(graph) + factors
    order = np.lexsort((sums, keys))
    keys, sums = keys[order], sums[order]
    common = (keys[1:] == keys[:-1]) & (sums[1:] != sums[:-1])
    found: Ints = outer[sums[1:][common]]
    return found


class Terms(NamedTuple):
    """The terms a × b, a or -a of all chains; `product` is the node that was taken in, or NONE."""

    a: Ints
    b: Ints
    recorded_by: Ints
    product: Ints


def _terms(graph: ScalarGraph, uses: Ints, chained: Bools, inner: Ints, zeros: Bools) -> Terms:
    """Return the operands of all links, products written out, and the terms of weighted sums."""
    x, y = graph.x, graph.y
    term, link, right = _operands(graph, chained, inner, zeros)
    taken = (graph.op[term] == MUL) & (uses[term] == 1) & ~graph.labelled[term]
    taken &= graph.op[link] == ADD
    alone = np.where(right & (graph.op[link] == SUB), SUBTRACTED, NONE)
    biased = graph.wide_bias >= 0
    wide = np.repeat(graph.wide, np.diff(graph.wide_start))
    none = np.full(len(wide) + biased.sum(), NONE)
    return Terms(
        np.concatenate((np.where(taken, x[term], term), graph.wide_w, graph.wide_bias[biased])),
        np.concatenate((np.where(taken, y[term], alone), graph.wide_x, none[len(wide) :])),
        np.concatenate((link, wide, graph.wide[biased])),
        np.concatenate((np.where(taken, term, NONE), none)),
    )


def _reached(graph: ScalarGraph, elements: Bools, a: Ints, b: Ints) -> Bools:
    """Mark the nodes that a node left uses, and the root: a 0 that began a sum is not one."""
    used = np.zeros(len(graph), bool)
    for operand in (graph.x[elements], graph.y[elements], a, b):
        used[operand[operand >= 0]] = True
    used[graph.root] = True
    return used
