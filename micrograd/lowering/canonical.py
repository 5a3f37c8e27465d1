"""Canonical form: chains of additions become sums of products.

`((b + w1 * x1) + w2 * x2)` is one SUM with the terms b, w1 × x1, w2 × x2. A chain ends where a
node is used twice, carries a label, changes its scope or adds a bare number, so that what a
person would name stays one node.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from micrograd.lowering.columns import ADD, MUL, NONE, WEIGHTED, Bools, Columns, Ints


@dataclass(frozen=True, eq=False)
class Canonical:
    """Hold the nodes that are left: leaves, elementary nodes and sums.

    `sums` are the ids of the sums; sum n has the terms start[n] to start[n + 1], each
    a[i] × b[i], or a[i] alone where b[i] is NONE. `live` marks the nodes that are left, `literal`
    the leaves that stand for a number in the code. `alias[i]` is the node that stands for node i.
    """

    columns: Columns
    live: Bools
    literal: Bools
    alias: Ints
    x: Ints
    y: Ints
    sums: Ints
    start: Ints
    a: Ints
    b: Ints
    root: int


def canonical(columns: Columns, known: Bools) -> Canonical:
    """Bring a graph into canonical form; `known` marks leaves that are inputs or parameters."""
    uses = columns.uses()
    literal = _literals(columns, uses, known)
    alias = _aliases(columns, literal)
    x, y = _resolved(alias, columns.x), _resolved(alias, columns.y)
    added = (columns.op == ADD) & (alias == np.arange(len(alias)))
    inner = _inner_additions(columns, x, y, uses, added, literal)
    heads = _heads(inner, x, added)
    owner, a, b, products = _terms(columns, alias, x, y, uses, added, inner, heads)
    sums, first = np.unique(owner, return_index=True)
    live = alias == np.arange(len(alias))
    live[inner] = False
    live[products] = False
    root = int(alias[columns.root])
    live &= _reached(live, x, y, a, b, root)
    return Canonical(columns, live, literal, alias, x, y, sums, np.append(first, len(owner)),
                     a, b, root)  # fmt: skip


def _resolved(alias: Ints, ids: Ints) -> Ints:
    return np.where(ids < 0, NONE, alias[ids])


def _literals(columns: Columns, uses: Ints, known: Bools) -> Bools:
    """Return the leaves made by the very operation that uses them: the 1 of `1 - x`."""
    literal = (columns.op == 0) & (uses == 1) & ~columns.labelled & ~known
    fresh = np.zeros(len(literal), bool)
    for operand in (columns.x, columns.y):
        user = np.flatnonzero(operand >= 0)
        near = columns.index[operand[user]] == columns.index[user] - 1
        fresh[operand[user[near]]] = True
    return literal & fresh & (columns.index >= 0)


def _aliases(columns: Columns, literal: Bools) -> Ints:
    """Let 0 + v, where Python's sum() begins, be v."""
    alias = np.arange(len(literal))
    added = np.flatnonzero(columns.op == ADD)
    x, y = columns.x[added], columns.y[added]
    zero = literal[x] & np.array([columns.values[i].data == 0 for i in x.tolist()], bool)
    zero &= ~columns.labelled[added]
    alias[added[zero]] = y[zero]
    return _followed(alias)


def _followed(pointers: Ints) -> Ints:
    """Return where each chain of pointers ends, doubling the step."""
    while not np.array_equal(further := pointers[pointers], pointers):
        pointers = further
    return pointers


def _inner_additions(columns: Columns, x: Ints, y: Ints, uses: Ints, added: Bools,
                     literal: Bools) -> Ints:  # fmt: skip
    """Return the additions that are the left operand of the next one, and nothing else."""
    users = np.flatnonzero(added)
    left, right = x[users], y[users]
    joined = added[left] & (uses[left] == 1) & ~columns.labelled[left] & ~literal[right]
    joined &= columns.scope[left] == columns.scope[users]
    return left[joined]


def _heads(inner: Ints, x: Ints, added: Bools) -> Ints:
    user = np.arange(len(added))
    joined = np.zeros(len(added), bool)
    joined[inner] = True
    users = np.flatnonzero(added)
    users = users[joined[x[users]]]
    user[x[users]] = users
    return _followed(user)


def _terms(columns: Columns, alias: Ints, x: Ints, y: Ints, uses: Ints, added: Bools,
           inner: Ints, heads: Ints) -> tuple[Ints, Ints, Ints, Ints]:  # fmt: skip
    """Return owner, a and b of every term, sorted by owner, and the products taken in."""
    users = np.flatnonzero(added)
    firsts = users[~np.isin(x[users], inner)]
    term = np.concatenate((x[firsts], y[users]))
    order = np.concatenate((firsts, users))
    taken = (columns.op[term] == MUL) & (uses[term] == 1) & ~columns.labelled[term]
    a, b = np.where(taken, x[term], term), np.where(taken, y[term], NONE)
    lengths = np.diff(columns.wide_start)
    bias = columns.wide_bias
    has = bias >= 0
    owner = np.concatenate((heads[order], np.repeat(columns.wide, lengths), columns.wide[has]))
    a = np.concatenate((a, _resolved(alias, columns.wide_w), _resolved(alias, bias[has])))
    b = np.concatenate((b, _resolved(alias, columns.wide_x), np.full(has.sum(), NONE)))
    by_owner = np.argsort(owner, kind="stable")
    return owner[by_owner], a[by_owner], b[by_owner], term[taken]


def _reached(live: Bools, x: Ints, y: Ints, a: Ints, b: Ints, root: int) -> Bools:
    """Mark the nodes that a live node uses, and the root: a 0 that began a sum is not one."""
    used = np.zeros(len(live), bool)
    for operand in (x[live], y[live], a, b):
        used[operand[operand >= 0]] = True
    used[root] = True
    return used


__all__ = ["WEIGHTED", "Canonical", "canonical"]
