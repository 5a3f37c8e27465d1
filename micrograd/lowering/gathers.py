"""Rows gathered by ids, and the gradients of their tables: sparse, unless others add to them."""

from __future__ import annotations

import numpy as np

from micrograd.lowering import expr as ex
from micrograd.lowering.expr import Expr
from micrograd.lowering.ir import BATCH, Array
from micrograd.lowering.tensors import Constants, Sizes, aligned, view, whole


def looked_up(array: Array, constants: Constants) -> Expr:
    """Return the rows that ids choose; without a table, 1 at the id and 0 elsewhere."""
    ids = chosen(array, constants)
    if array.table is not None:
        return ex.lookup(whole(array.table), ids)
    every = ex.ref(constants.named(np.arange(array.shape[-1])), array.shape[-1:])
    row = ex.indexed(ids, (ex.ALL,) * len(ids.shape) + (None,))
    return ex.call("where", ex.binary("==", row, every), ex.num(1), ex.num(0))


def chosen(array: Array, constants: Constants) -> Expr:
    """Return the ids that an array looks up."""
    sizes: Sizes = {BATCH: ex.B, **dict(enumerate(array.shape))}
    vars = (BATCH, *range(len(array.shape) - 1))
    return aligned(view(array.operands[0], sizes, constants), vars)


def gradient(table: Array, pairs: tuple[Expr, ...], dense: Expr | None) -> Expr:
    """Return the gradient of a table: `pairs` are ids and what their rows get, ids, ..."""
    return ex.rows(whole(table), pairs) if dense is None else ex.add_rows(dense, pairs)
