"""How expressions lie in memory, and which products are stacks of matrix products."""

from __future__ import annotations

from micrograd.lowering.expr import COMPARISONS, Expr, Shape

SHORT, TALL = 32, 64


def tall(shape: Shape) -> bool:
    """Return whether to store a matrix by columns: what is broadcast along its short rows would
    else be an inner loop of few steps."""
    if len(shape) != 2 or not isinstance(shape[1], int) or shape[1] > SHORT:
        return False
    return isinstance(shape[0], str) or shape[0] >= TALL


def truth(e: Expr) -> bool:
    """Return whether the elements are true or false."""
    return e.kind == "not" or (e.kind == "bin" and e.attr in COMPARISONS)


def product(e: Expr) -> bool:
    """Return whether `e` is a matrix product that is an array."""
    return e.kind == "matmul" and e.shape != ()


def contiguous(e: Expr) -> bool:
    """Return whether the elements lie row by row in memory, without gaps."""
    if e.kind == "index":
        kept = [item for item in e.attr if item is not None]
        whole = next((i for i, item in enumerate(kept) if not isinstance(item, int)), len(kept))
        return contiguous(e.args[0]) and all(item == (0, None, 1) for item in kept[whole:])
    return e.kind not in ("transpose", "broadcast")


def stacked_product(spec: str) -> list[tuple[tuple[int, ...], int | None]] | None:
    """Return how to see both operands and the result as stacks of matrices; None: it is none."""
    operands, out = spec.split("->")
    a, b = operands.split(",")
    stack = [v for v in out if v in a and v in b]
    rows, columns = [v for v in out if v not in b], [v for v in out if v not in a]
    inner = [v for v in a if v in b and v not in out]
    if len(rows) > 1 or len(columns) > 1 or len(inner) != 1 or len(stack + rows + inner) != len(a):
        return None
    if len(stack + columns + inner) != len(b):
        return None
    missing = None if rows and columns else -1 if rows else -2
    return [
        (tuple(map(a.index, stack + rows + inner)), None if rows else -2),
        (tuple(map(b.index, stack + inner + columns)), None if columns else -1),
        (tuple(map(out.index, stack + rows + columns)), missing),
    ]  # fmt: skip
