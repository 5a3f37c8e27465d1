"""Sums and sums of products as NumPy calls into buffers: by BLAS, wherever that can."""

from __future__ import annotations

from typing import Any

import numpy as np

from micrograd.lowering.expr import B, Expr
from micrograd.lowering.layout import contiguous, stacked_product, tall, truth
from micrograd.lowering.text import reshaped


def whole_sum(writer: Any, e: Expr) -> str:
    """Return the text of a sum of all elements, or of their mean."""
    inner = e.args[0]
    over = f" / {B}" if e.kind == "mean" else ""
    product = inner.kind == "bin" and inner.attr == "*"
    if product and inner.args[0].shape == inner.args[1].shape and all(map(_vector, inner.args)):
        return f"dot({', '.join(_flat(writer, a) for a in inner.args)}){over}"
    if _vector(inner) or (len(inner.shape) == 1 and not truth(inner)):
        n = writer._hoisted(f"ones({' * '.join(map(str, inner.shape))})")
        return f"dot({_flat(writer, inner)}, {n}){over}"  # BLAS sums faster than a ufunc
    return f"add.reduce({writer._operand(inner)}, None){over}"


def _flat(writer: Any, e: Expr) -> str:
    name: str = writer._operand(e) if len(e.shape) == 1 else writer._reshaped(e.attr, (-1,))
    return name


def matmul(writer: Any, e: Expr, out: str | None) -> str:
    """Write a matrix product."""
    a, b = e.args
    target: str = writer._target(e, out)
    left, right = writer._operands((a, b))
    if len(a.shape) > 2 and contiguous(a):
        left = writer._reshaped(left, (-1, a.shape[-1]))
        rows = writer._buffer(e.shape, plain=True) if target in writer.columnwise else target
        flat = writer._hoisted(f"{rows}.reshape({reshaped((-1, *e.shape[len(a.shape) - 1 :]))})")
        writer.body.append(f"dot({left}, {right}, {flat})")
        if rows != target:
            writer.body.append(f"copyto({target}, {rows})")
    else:
        function = "dot" if len(a.shape) <= 2 else "matmul"
        if target in writer.columnwise:
            left, right = writer._turned(right), writer._turned(left)
            writer.body.append(f"dot({left}, {right}, {writer._turned(target)})")
        else:
            writer.body.append(f"{function}({left}, {right}, {target})")
    return target


def total(writer: Any, e: Expr, out: str | None) -> str:
    """Write a sum over some axes."""
    inner = e.args[0]
    whole_rows = contiguous(inner) and not truth(inner)
    source = writer._operand(inner)
    target: str = writer._target(e, out)
    leading = e.attr == tuple(range(len(inner.shape) - 1))
    if whole_rows and leading and len(inner.shape) > 1:
        n = writer._hoisted(f"ones({' * '.join(map(str, inner.shape[:-1]))})")
        rows = source
        if len(inner.shape) > 2:
            rows = writer._reshaped(source, (-1, inner.shape[-1]))
        writer.body.append(f"dot({n}, {rows}, {target})")
    elif whole_rows and len(inner.shape) == 2:
        n = writer._hoisted(f"ones({inner.shape[1]})")
        writer.body.append(f"dot({source}, {n}, {target})")
    else:
        axes = e.attr[0] if len(e.attr) == 1 else e.attr
        writer.body.append(f"add.reduce({source}, {axes}, None, {target})")
    return target


def einsum(writer: Any, e: Expr, out: str | None) -> str:
    """Write a sum of products: a stack of matrix products, where it is one."""
    left, right = writer._operands(e.args)
    target: str = writer._target(e, out)
    plan = stacked_product(e.attr)
    if plan is None:
        writer.body.append(f"einsum({e.attr!r}, {left}, {right}, out={target})")
        return target
    views = [_transposed(writer, name, *how) for name, how in zip((left, right, target), plan)]
    writer.body.append(f"matmul({', '.join(views)})")
    return target


def _transposed(writer: Any, name: str, order: tuple[int, ...], extra: int | None) -> str:
    text = name if order == tuple(range(len(order))) else f"{name}.transpose{order}"
    if extra is not None:
        text += "[..., None]" if extra == -1 else "[..., None, :]"
    if text != name and name in writer.fixed:
        text = writer._hoisted(text)
    return text


def segments(writer: Any, e: Expr, out: str | None) -> str:
    """Write sums of the pieces of the last axis."""
    source = writer._operand(e.args[0])
    target: str = writer._target(e, out)
    starts = writer._hoisted(f"{e.attr}[:-1].copy()")
    writer.body.append(f"add.reduceat({source}, {starts}, {len(e.shape) - 1}, None, {target})")
    return target


def scatter(writer: Any, e: Expr, out: str | None) -> str:
    """Sum what goes to one place by pieces, sorted once; each place is then written once."""
    table = e.attr[0]
    places = writer.tables[table].ravel()
    front = len(e.shape) - 1
    values = writer._reshaped(writer._rows(e.args[0]), (*e.shape[:-1], len(places)))
    distinct, starts = np.unique(np.sort(places), return_index=True)
    if len(distinct) < len(places):
        shape = (*e.shape[:-1], len(places))
        gathered = writer._buffer(shape, plain=True)
        summed = writer._buffer((*e.shape[:-1], len(distinct)), plain=True)
        order = writer._hoisted(f"{table}.ravel().argsort(kind='stable')")
        writer.body.append(f"{values}.take({order}, {front}, {gathered}, 'clip')")
        first = writer._hoisted(f"array({starts.tolist()})")
        writer.body.append(f"add.reduceat({gathered}, {first}, {front}, None, {summed})")
        values = summed
        where = writer._hoisted(f"array({distinct.tolist()})")
    else:
        where = writer._hoisted(f"{table}.ravel()")
    target: str = writer._zeros(e, out)
    writer.body.append(f"{target}[{':, ' * front}{where}] = {values}")
    return target


def _vector(e: Expr) -> bool:
    """Return whether the elements can be seen as one vector."""
    if len(e.shape) == 1:
        return e.kind == "ref" or (e.kind == "index" and contiguous(e))
    return e.kind == "ref" and not tall(e.shape)
