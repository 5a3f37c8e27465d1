"""What several lines look up, lay out otherwise or multiply has a line of its own: heads are
`qs = transpose(q.reshape(-1, 16, 4, 4), (0, 2, 1, 3))`, windows `xs = x[:, i1]`, keys that every
step of a decoder attends to `t = keys @ W.T`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

import numpy as np

from micrograd.lowering.arrays.ir import COMPUTED, Array, B
from micrograd.lowering.arrays.names import TEMPORARY, Name, of_parts
from micrograd.lowering.code.expr import Assign, Expr, whole
from micrograd.lowering.code.kinds import make
from micrograd.lowering.trace.declared import PARAMETER

LAYOUTS = (["transpose", "reshape", "ref"], ["take", "ref"], ["take", "reshape", "ref"])
PRODUCTS = (["matmul", "ref", "ref"], ["matmul", "ref", "transpose", "ref"])


def shared(lines: Iterable[Assign], names: Mapping[Array, Name]) -> Iterator[Assign]:
    """Yield statements with one for each that is shared, before the first of those that read it."""
    lines = list(lines)
    count = Counter(_upright(e) for line in lines for e in line.expr.walk() if _is_long(e))
    arrays = {e: _array(e, names) for e, times in count.items() if times > 1}
    known = set[Expr]()
    for line in lines:
        for e in map(_upright, filter(_is_long, line.expr.walk())):
            if e in arrays and e not in known:
                known.add(e)
                yield Assign(arrays[e], e)
        yield Assign(line.array, _read(line.expr, arrays))


def _is_long(e: Expr) -> bool:
    """Return whether an expression takes long: of samples, of rows of a table, a product."""
    if e.kind not in ("transpose", "take", "matmul"):
        return False
    kinds = [part.kind for part in e.walk()]
    if kinds not in LAYOUTS:
        return kinds in PRODUCTS
    (of,) = e.args
    rows = e.kind == "take" and of.kind == "ref" and of.attr.kind == PARAMETER
    return rows or of.shape[:1] == (B,) == e.shape[:1]


def _upright(e: Expr) -> Expr:
    """Return a layout, or the one with its last two axes the other way round: the first of both."""
    return min(e, _turned(e), key=lambda e: e.attr) if e.kind == "transpose" else e


def _turned(e: Expr) -> Expr:
    *front, row, column = range(len(e.shape))
    if e.kind != "transpose":
        return make("transpose", (e,), (*front, column, row))
    return make("transpose", e.args, tuple(e.attr[axis] for axis in (*front, column, row)))


def _array(e: Expr, names: Mapping[Array, Name]) -> Array:
    """Return the array of a layout, called qs where that is of q, x where it is of a table E."""
    of, *others = (names.get(part.attr, TEMPORARY) for part in e.walk() if part.kind == "ref")
    plural = f"{of}s" if len(str(of)) == 1 and not (of.temporary or others) else ""
    stem = str(of_parts(of, names)) if plural.istitle() else plural
    batched = e.shape[:1] == (B,)
    return Array(COMPUTED, e.shape[batched:], np.zeros(0, np.intp), batched, stem=stem)


def _read(e: Expr, arrays: Mapping[Expr, Array]) -> Expr:
    """Return an expression with what has a line read by its name."""
    if _is_long(e) and _upright(e) in arrays:
        read = whole(arrays[_upright(e)])
        return read if e == _upright(e) else _turned(read)
    args = tuple(_read(arg, arrays) for arg in e.args)
    return e if args == e.args else replace(e, args=args)
