"""The largest or smallest along an axis, and who gets its gradient.

As in the engine, where `x.max(y)` gives all to x when both are equal: the first element that
equals what was chosen gets everything, and where there is none, since one is nan, the last does.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from micrograd.lowering import expr as ex
from micrograd.lowering.expr import Expr
from micrograd.lowering.ir import BATCH, Array, Operand
from micrograd.lowering.tensors import (
    Constants,
    Sizes,
    Tensor,
    aligned,
    axes,
    by_piece,
    combined,
    pieces,
    sizes_of,
    view,
    whole,
)

Share = tuple[Operand, Tensor, Tensor, Sizes, tuple[int, ...]]


def chosen(array: Array, constants: Constants) -> Expr:
    """Return the expression of a choice."""
    (term,) = array.terms
    z = view(term.a, sizes_of(array, term), constants)
    if term.segments is not None:
        z = pieces(array, term, z, constants, partial(_segment_choice, array.op))
    elif term.summed[0][0] in z.vars:
        axis = z.vars.index(term.summed[0][0])
        z = Tensor(_choice(array.op, z.expr, axis), z.vars[:axis] + z.vars[axis + 1 :])
    out = aligned(z, axes(array))
    for operand in array.operands:
        before = aligned(view(operand, sizes_of(array), constants), axes(array))
        out = ex.call(ex.CHOOSERS[array.op], before, out)
    return out


def routed(array: Array, upstream: Tensor, constants: Constants) -> Iterator[Share]:
    """Yield for what a choice reads: operand, upstream, local gradient, sizes, all variables."""
    every, out = axes(array), Tensor(whole(array), axes(array))
    for operand in array.operands:
        won = combined("==", view(operand, sizes_of(array), constants), out, every)
        yield operand, upstream, _where(won, 1, 0), sizes_of(array), every
        upstream = combined("*", upstream, _where(won, 0, 1), every)
    (term,) = array.terms
    sizes = sizes_of(array, term)
    z = view(term.a, sizes, constants)
    if term.segments is not None:
        every = ((BATCH,) if array.batched else ()) + (0,)
        out, upstream = (by_piece(array, term, t, constants) for t in (out, upstream))
        hits = combined("==", z, out, every)
        first = _segment_first_true(hits.expr, constants.named(term.segments))
        yield term.a, upstream, Tensor(first, hits.vars), sizes, every
    elif (var := term.summed[0][0]) in z.vars:
        yield term.a, upstream, _first(z, out, var), sizes, (*every, var)
    else:  # the same element again and again
        yield term.a, upstream, Tensor(ex.num(1), ()), sizes, every


def _first(z: Tensor, out: Tensor, var: int) -> Tensor:
    """Return 1 where `z` is the first over a variable that equals `out`, else 0."""
    vars = z.vars if set(out.vars) < set(z.vars) else (*out.vars, var)
    hits = combined("==", z, out, vars)
    return Tensor(_first_true(hits.expr, hits.vars.index(var)), hits.vars)


def _where(condition: Tensor, yes: int, no: int) -> Tensor:
    return Tensor(ex.call("where", condition.expr, ex.num(yes), ex.num(no)), condition.vars)


def _choice(op: str, a: Expr, axis: int) -> Expr:
    """Return the largest or smallest along an axis; `op` is max or min."""
    return Expr("choice", (a,), (op, axis), a.shape[:axis] + a.shape[axis + 1 :])


def _segment_choice(op: str, a: Expr, starts: str, count: int) -> Expr:
    """Return the largest or smallest of each piece of the last axis that begins at `starts`."""
    return Expr("segment_choice", (a,), (op, starts), (*a.shape[:-1], count))


def _first_true(hits: Expr, axis: int) -> Expr:
    """Write 1 at the first true element along an axis, at the last where none is; else 0."""
    return _one(Expr("first_true", (hits,), axis, hits.shape))


def _segment_first_true(hits: Expr, starts: str) -> Expr:
    """Write 1 at the first true element of each piece, at the last where none is; else 0."""
    return _one(Expr("segment_first_true", (hits,), starts, hits.shape))


def _one(condition: Expr) -> Expr:
    return ex.call("where", condition, ex.num(1), ex.num(0))
