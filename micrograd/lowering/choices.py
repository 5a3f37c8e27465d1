"""The largest or smallest along an axis, and who gets its gradient.

As in the engine, where `x.max(y)` gives all to x when both are equal: the first element that
equals what was chosen gets everything, and where there is none, since one is nan, the last does.
"""

from __future__ import annotations

from micrograd.lowering import expr as ex
from micrograd.lowering.tensors import Tensor, combined


def chosen(op: str, z: Tensor, var: int) -> Tensor:
    """Return the largest (`op` max) or smallest (min) over a variable."""
    if var not in z.vars:
        return z
    axis = z.vars.index(var)
    return Tensor(ex.choice(op, z.expr, axis), z.vars[:axis] + z.vars[axis + 1 :])


def first_chosen(z: Tensor, out: Tensor, var: int) -> Tensor:
    """Return 1 where `z` is the first over a variable that equals `out`, else 0."""
    vars = z.vars if set(out.vars) < set(z.vars) else (*out.vars, var)
    hits = combined("==", z, out, vars)
    return Tensor(ex.first_true(hits.expr, hits.vars.index(var)), hits.vars)


def where(condition: Tensor, yes: int, no: int) -> Tensor:
    """Return a number where a condition holds, and another one elsewhere."""
    return Tensor(ex.call("where", condition.expr, ex.num(yes), ex.num(no)), condition.vars)
