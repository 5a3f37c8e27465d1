"""Canonical form: chains of additions become sums of products.

`((b + w1 * x1) + w2 * x2)` is one SUM with the terms b, w1 × x1, w2 × x2. A chain ends where a
node is used twice, carries a label, changes its scope or adds a bare number, so that what a
person would name stays one node.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from micrograd.lowering.columns import ADD, MUL, NONE, Bools, Columns, Ints


@dataclass(frozen=True, eq=False)
class Canonical:
    """Hold the nodes that are left: leaves, elementary nodes and sums.

    `sums` are the ids of the sums; sum n has the terms start[n] to start[n + 1], each
    a[i] × b[i], or a[i] alone where b[i] is NONE. `live` marks the nodes that are left, `literal`
    the leaves that stand for a number in the code, `within` the node that a node is now part of.
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
    within: Ints
    root: int


def canonical(columns: Columns, known: Bools) -> Canonical:
    """Bring a graph into canonical form; `known` marks leaves that are inputs or parameters."""
    uses = columns.uses()
    literal = _literals(columns, uses, known)
    added = columns.op == ADD
    inner = _inner_additions(columns, uses, added, literal)
    heads = _heads(inner, columns.x, added)
    owner, a, b, products, of = _terms(columns, uses, added, inner, heads, _zeros(columns, literal))
    sums, first = np.unique(owner, return_index=True)
    live = np.ones(len(columns), bool)
    live[inner] = False
    live[products] = False
    live &= _reached(columns, live & ~added, a, b)
    heads[products] = of
    return Canonical(columns, live, literal, columns.x, columns.y, sums,
                     np.append(first, len(owner)), a, b, heads, columns.root)  # fmt: skip


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


def _inner_additions(columns: Columns, uses: Ints, added: Bools, literal: Bools) -> Ints:
    """Return the additions that are the left operand of the next one, and nothing else."""
    users = np.flatnonzero(added)
    left, right = columns.x[users], columns.y[users]
    joined = added[left] & (uses[left] == 1) & ~columns.labelled[left] & ~literal[right]
    joined &= columns.scope[left] == columns.scope[users]
    inner: Ints = left[joined]
    return inner


def _heads(inner: Ints, x: Ints, added: Bools) -> Ints:
    user = np.arange(len(added))
    joined = np.zeros(len(added), bool)
    joined[inner] = True
    users = np.flatnonzero(added)
    users = users[joined[x[users]]]
    user[x[users]] = users
    return _followed(user)


def _terms(columns: Columns, uses: Ints, added: Bools, inner: Ints, heads: Ints, zeros: Bools
           ) -> tuple[Ints, Ints, Ints, Ints, Ints]:  # fmt: skip
    """Return owner, a and b of every term, by owner; the products taken in, and their owners."""
    x, y = columns.x, columns.y
    users = np.flatnonzero(added)
    firsts = users[~np.isin(x[users], inner) & ~zeros[x[users]]]
    term = np.concatenate((x[firsts], y[users]))
    order = np.concatenate((firsts, users))
    taken = (columns.op[term] == MUL) & (uses[term] == 1) & ~columns.labelled[term]
    a, b = np.where(taken, x[term], term), np.where(taken, y[term], NONE)
    has = columns.wide_bias >= 0
    wide = np.repeat(columns.wide, np.diff(columns.wide_start))
    owner = np.concatenate((heads[order], wide, columns.wide[has]))
    a = np.concatenate((a, columns.wide_w, columns.wide_bias[has]))
    b = np.concatenate((b, columns.wide_x, np.full(has.sum(), NONE)))
    by_owner = np.argsort(owner, kind="stable")
    return owner[by_owner], a[by_owner], b[by_owner], term[taken], heads[order[taken]]


def _reached(columns: Columns, elements: Bools, a: Ints, b: Ints) -> Bools:
    """Mark the nodes that a node left uses, and the root: a 0 that began a sum is not one."""
    used = np.zeros(len(columns), bool)
    for operand in (columns.x[elements], columns.y[elements], a, b):
        used[operand[operand >= 0]] = True
    used[columns.root] = True
    return used
