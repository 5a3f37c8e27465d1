"""Canonical form: chains of additions become sums of products, chains of max one choice.

`((b + w1 * x1) + w2 * x2)` is one SUM with the terms b, w1 × x1, w2 × x2; `a.max(b).max(c)` is one
CHOICE of the terms a, b, c. A chain ends where a node is used twice, carries a label, changes its
scope or takes in a bare number, so that what a person would name stays one node.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from micrograd.lowering.columns import ADD, MUL, NONE, ROUTES, Bools, Columns, Ints


@dataclass(frozen=True, eq=False)
class Canonical:
    """Hold the nodes that are left: leaves, elementary nodes, sums and choices.

    `sums` are the ids of the sums and choices; number n has the terms start[n] to start[n + 1],
    each a[i] × b[i], or a[i] alone where b[i] is NONE, in the order of the chain. `link` is the
    node of the graph that takes in the term. `live` marks the nodes that are left, `literal` the
    leaves that stand for a number in the code, `within` the node that a node is now part of.
    The 0 that Python's sum() begins with is dropped.
    """

    columns: Columns
    live: Bools
    literal: Bools
    x: Ints
    y: Ints
    sums: Ints
    start: Ints
    a: Ints
    b: Ints
    link: Ints
    within: Ints
    root: int

    def choices(self) -> Bools:
        """Mark which of `sums` are choices."""
        return np.isin(self.columns.op[self.sums], ROUTES)

    def unchained(self) -> Canonical:
        """Return the form with every link of a choice a node of its own again."""
        choice, links = self.choices(), np.isin(self.columns.op, ROUTES)
        lengths = np.diff(self.start)
        kept = np.repeat(~choice, lengths)
        start = np.append(0, np.cumsum(lengths[~choice]))
        within = np.where(links, np.arange(len(links)), self.within)
        return replace(self, live=self.live | links, sums=self.sums[~choice], start=start,
                       a=self.a[kept], b=self.b[kept], link=self.link[kept],
                       within=within)  # fmt: skip


def canonical(columns: Columns, known: Bools) -> Canonical:
    """Bring a graph into canonical form; `known` marks leaves that are inputs or parameters."""
    uses = columns.uses()
    literal = _literals(columns, uses, known)
    added = columns.op == ADD
    chained = added | np.isin(columns.op, ROUTES)
    inner = _inner_links(columns, uses, chained, literal)
    heads = _heads(inner, columns.x, chained)
    zeros = _zeros(columns, literal)
    owner, a, b, link, products, of = _terms(columns, uses, chained, inner, heads, zeros)
    sums, first = np.unique(owner, return_index=True)
    live = np.ones(len(columns), bool)
    live[inner] = False
    live[products] = False
    live &= _reached(columns, live & ~chained, a, b)
    heads[products] = of
    return Canonical(columns, live, literal, columns.x, columns.y, sums,
                     np.append(first, len(owner)), a, b, link, heads, columns.root)  # fmt: skip


def _literals(columns: Columns, uses: Ints, known: Bools) -> Bools:
    """Return the leaves made by the very operation that uses them: the 1 of `1 - x`."""
    literal = (columns.op == 0) & (uses == 1) & ~columns.labelled & ~known
    fresh = np.zeros(len(literal), bool)
    for operand in (columns.x, columns.y):
        user = np.flatnonzero(operand >= 0)
        near = columns.index[operand[user]] == columns.index[user] - 1
        fresh[operand[user[near]]] = True
    found: Bools = literal & fresh & (columns.index >= 0)
    return found


def _zeros(columns: Columns, literal: Bools) -> Bools:
    """Return the zeros that sums begin with."""
    zero = np.zeros(len(literal), bool)
    begins = columns.x[(columns.op == ADD) & literal[columns.x]]
    zero[begins] = [columns.values[i].data == 0 for i in begins.tolist()]
    return zero


def _followed(pointers: Ints) -> Ints:
    """Return where each chain of pointers ends, doubling the step."""
    while not np.array_equal(further := pointers[pointers], pointers):
        pointers = further
    return pointers


def _inner_links(columns: Columns, uses: Ints, chained: Bools, literal: Bools) -> Ints:
    """Return the nodes that are the left operand of the next one of a chain, and nothing else."""
    users = np.flatnonzero(chained)
    left, right = columns.x[users], columns.y[users]
    joined = (columns.op[left] == columns.op[users]) & (uses[left] == 1)
    joined &= ~columns.labelled[left] & ~literal[right]
    joined &= columns.scope[left] == columns.scope[users]
    inner: Ints = left[joined]
    return inner


def _heads(inner: Ints, x: Ints, chained: Bools) -> Ints:
    user = np.arange(len(chained))
    joined = np.zeros(len(chained), bool)
    joined[inner] = True
    users = np.flatnonzero(chained)
    users = users[joined[x[users]]]
    user[x[users]] = users
    return _followed(user)


def _terms(columns: Columns, uses: Ints, chained: Bools, inner: Ints, heads: Ints, zeros: Bools
           ) -> tuple[Ints, Ints, Ints, Ints, Ints, Ints]:  # fmt: skip
    """Return owner, a, b and link of every term, by owner; the products taken in, their owners."""
    x, y = columns.x, columns.y
    users = np.flatnonzero(chained)
    firsts = users[~np.isin(x[users], inner) & ~zeros[x[users]]]
    term = np.concatenate((x[firsts], y[users]))
    order = np.concatenate((firsts, users))
    taken = (columns.op[term] == MUL) & (uses[term] == 1) & ~columns.labelled[term]
    taken &= columns.op[order] == ADD
    a, b = np.where(taken, x[term], term), np.where(taken, y[term], NONE)
    has = columns.wide_bias >= 0
    wide = np.repeat(columns.wide, np.diff(columns.wide_start))
    owner = np.concatenate((heads[order], wide, columns.wide[has]))
    a = np.concatenate((a, columns.wide_w, columns.wide_bias[has]))
    b = np.concatenate((b, columns.wide_x, np.full(has.sum(), NONE)))
    by_owner = np.argsort(owner, kind="stable")
    link = np.concatenate((order, wide, columns.wide[has]))
    return (owner[by_owner], a[by_owner], b[by_owner], link[by_owner], term[taken],
            heads[order[taken]])  # fmt: skip


def _reached(columns: Columns, elements: Bools, a: Ints, b: Ints) -> Bools:
    """Mark the nodes that a node left uses, and the root: a 0 that began a sum is not one."""
    used = np.zeros(len(columns), bool)
    for operand in (columns.x[elements], columns.y[elements], a, b):
        used[operand[operand >= 0]] = True
    used[columns.root] = True
    return used
