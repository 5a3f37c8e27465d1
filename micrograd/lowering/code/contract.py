"""Expressions whose axes carry variables, and sums of products over them."""

from __future__ import annotations

import string
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from micrograd.lowering.arrays.ir import ALL, BATCH, Scale
from micrograd.lowering.code.construct import binary, broadcast, indexed, reshape, total, transpose
from micrograd.lowering.code.expr import Expr, Shape, joint, num
from micrograd.lowering.code.kinds import make

Sizes = Mapping[int, Any]
Vars = tuple[int, ...]


class Indexed(NamedTuple):
    """An expression and the variable of each of its axes; a variable that it lacks is repeated."""

    expr: Expr
    vars: tuple[int, ...]


def aligned(t: Indexed, vars: tuple[int, ...]) -> Expr:
    """Return the expression with its axes in the order of `vars`, ready to be broadcast."""
    present = [v for v in vars if v in t.vars]
    moved = transpose(t.expr, tuple(t.vars.index(v) for v in present))
    if not present:
        return moved
    wanted = vars[vars.index(present[0]) :]
    if len(wanted) == len(present):
        return moved
    return indexed(moved, tuple(ALL if v in t.vars else None for v in wanted))


def filled(t: Indexed, vars: tuple[int, ...], sizes: Sizes) -> Expr:
    """Return the expression with all of `vars` as axes, repeated along those it lacks."""
    return broadcast(aligned(t, vars), tuple(sizes[v] for v in vars))


def combined(op: str, a: Indexed, b: Indexed, vars: tuple[int, ...]) -> Indexed:
    """Return a op b, element by element, with axes in the order of `vars`."""
    kept = tuple(v for v in vars if v in a.vars or v in b.vars)
    return Indexed(binary(op, aligned(a, kept), aligned(b, kept)), kept)


def summed(t: Indexed, keep: Iterable[int], kind: str = "sum") -> Indexed:
    """Sum over the axes whose variable is not in `keep`, or take the largest or smallest."""
    keep = set(keep)
    axes = tuple(i for i, v in enumerate(t.vars) if v not in keep)
    return Indexed(total(t.expr, axes, kind), tuple(v for v in t.vars if v in keep))


def scaled(t: Indexed, scale: Scale) -> Indexed:
    """Return scale × t: `2 * t / B`."""
    e, size = binary("*", num(scale.value), t.expr), make("batch", ())
    for _ in range(abs(scale.batch)):
        e = binary("*" if scale.batch > 0 else "/", e, size)
    return Indexed(e, t.vars)


def contract(factors: list[Indexed], kept: tuple[int, ...], scale: Scale) -> Indexed:
    """Return scale · Σ product of factors, summed over all variables of theirs but `kept`."""
    if not factors:
        return scaled(Indexed(num(1), ()), scale)
    every = tuple(dict.fromkeys((*kept, *(v for t in factors for v in t.vars))))
    while len(factors) > 2:
        factors = [combined("*", factors[0], factors[1], every), *factors[2:]]
    if len(factors) == 1:
        return _reduced(factors[0], kept, scale)
    a, b = factors
    a, b = (summed(t, {*kept, *other.vars}) for t, other in ((a, b), (b, a)))
    common = tuple(v for v in a.vars if v in b.vars and v not in kept)
    if not common:
        return scaled(combined("*", a, b, kept), scale)
    if not any((v in a.vars) != (v in b.vars) for v in kept):
        return _reduced(combined("*", a, b, (*kept, *common)), kept, scale)
    return scaled(_product(a, b, common, kept), scale)


def _reduced(t: Indexed, kept: tuple[int, ...], scale: Scale) -> Indexed:
    """Sum over what is not kept; a sum over the samples, divided by their number, is a mean."""
    if scale.batch == -1 and [v for v in t.vars if v not in kept] == [BATCH]:
        return scaled(summed(t, kept, "mean"), scale.times(1, 1))
    return scaled(summed(t, kept), scale)


def _product(a: Indexed, b: Indexed, common: Vars, kept: Vars) -> Indexed:
    """Return Σ a b over the `common` variables: as one of matrices, or of stacks of matrices.

    Stacks are multiplied by `@` where each side has one variable of its own, and one is summed
    over; else it takes an einsum.
    """
    front = tuple(v for v in kept if v in a.vars and v in b.vars)
    order = tuple(v for v in kept if v in a.vars or v in b.vars)
    if front and order[-1] not in b.vars:
        a, b = b, a
    rows, columns = (tuple(v for v in kept if v in one.vars and v not in front) for one in (a, b))
    if not front:
        left = aligned(a, rows + common)
        if len(common) > 1:
            left = _joined(a, common, rows)
            left = transpose(left, (1, 0)) if rows else left
        product = make("matmul", (left, _joined(b, common, columns)))
        return Indexed(reshape(product, _sizes(a, b, rows + columns)), rows + columns)
    if not len(rows) == len(columns) == len(common) == 1 or order[-1] in front:
        return Indexed(_einsum(a, b, order), order)
    sides = aligned(a, front + rows + common), aligned(b, front + common + columns)
    return Indexed(aligned(Indexed(make("matmul", sides), front + rows + columns), order), order)


def _joined(t: Indexed, common: Vars, free: Vars) -> Expr:
    """Return `t` as a matrix, or a vector: the axes of `common` as one, then those of `free`."""
    e, n = aligned(t, common + free), len(common)
    return reshape(e, tuple(map(joint, (e.shape[:n], e.shape[n:])))[: 2 if free else 1])


def _einsum(a: Indexed, b: Indexed, order: Vars) -> Expr:
    letter = dict(zip(dict.fromkeys((*order, *a.vars, *b.vars)), string.ascii_lowercase[8:]))
    if BATCH in letter:
        letter[BATCH] = "b"
    *sides, out = ("".join(letter[v] for v in vars) for vars in (a.vars, b.vars, order))
    return make("einsum", (a.expr, b.expr), (f"{','.join(sides)}->{out}", _sizes(a, b, order)))


def _sizes(a: Indexed, b: Indexed, vars: Vars) -> Shape:
    size = dict(zip(a.vars, a.expr.shape)) | dict(zip(b.vars, b.expr.shape))
    return tuple(size[v] for v in vars)
