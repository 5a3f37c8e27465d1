"""Expressions whose axes carry variables, and sums of products over them."""

from __future__ import annotations

import string
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

import numpy as np

from micrograd.lowering import expr as ex
from micrograd.lowering.columns import Ints
from micrograd.lowering.expr import Expr
from micrograd.lowering.grids import key
from micrograd.lowering.ir import BATCH, FIXED, NUMBER, Array, Index, Operand, Term

Sizes = Mapping[int, ex.Size]


class Tensor(NamedTuple):
    """An expression and the variable of each of its axes; a variable that it lacks is repeated."""

    expr: Expr
    vars: tuple[int, ...]


class Constants(dict[str, Ints]):
    """Tables of places, by name; equal ones have one name."""

    def named(self, table: Ints) -> str:
        """Return the name of a table."""
        for name, known in self.items():
            if np.array_equal(known, table):
                return name
        name = f"i{len(self) + 1}"
        self[name] = table
        return name


def whole(array: Array) -> Expr:
    """Return the name of an array, with its shape."""
    return ex.ref(array.name, ((ex.B,) if array.batched else ()) + array.shape)


def sizes_of(array: Array, term: Term | None = None) -> dict[int, ex.Size]:
    """Return the sizes of an array's variables, and of those summed over in a term."""
    sizes: dict[int, ex.Size] = dict(enumerate(array.shape))
    if array.batched:
        sizes[BATCH] = ex.B
    if term is not None:
        sizes |= dict(term.summed)
        if term.segments is not None:
            sizes[0] = int(term.segments[-1])
    return sizes


def axes(array: Array) -> tuple[int, ...]:
    """Return the variables of an array's axes, the batch in front."""
    return ((BATCH,) if array.batched else ()) + tuple(range(len(array.shape)))


def view(operand: Operand, sizes: Sizes, constants: Constants) -> Tensor:
    """Return what an operand reads; the batch axis is in front."""
    array = operand.array
    if array.kind == NUMBER:
        return Tensor(ex.num(float(np.asarray(array.data)[operand.index[0].start])), ())
    batch = (BATCH,) if array.batched else ()
    front = (ex.B,) * len(batch)
    if operand.table is not None:
        flat = ex.reshape(whole(array), (*front, array.size))
        taken = ex.take(flat, constants.named(operand.table), operand.table.shape, len(batch))
        return Tensor(taken, batch + operand.vars)
    base = ex.reshape(whole(array), front + operand.shape)
    return Tensor(ex.indexed(base, (ex.ALL,) * len(batch) + selection(operand, sizes)),
                  batch + operand.vars)  # fmt: skip


def selection(operand: Operand, sizes: Sizes) -> tuple[object, ...]:
    """Return the operand's indices as expressions hold them."""
    return tuple(_selected(i, n, sizes) for i, n in zip(operand.index, operand.shape))


def _selected(index: Index, size: int, sizes: Sizes) -> object:
    if index.var == FIXED:
        return index.start
    if (index.start, index.step) == (0, 1) and sizes[index.var] == size:
        return ex.ALL
    part = key(index, sizes)
    assert isinstance(part, slice)
    return (part.start, part.stop, part.step)


def aligned(t: Tensor, vars: tuple[int, ...]) -> Expr:
    """Return the expression with its axes in the order of `vars`, ready to be broadcast."""
    present = [v for v in vars if v in t.vars]
    moved = ex.transpose(t.expr, tuple(t.vars.index(v) for v in present))
    if not present:
        return moved
    wanted = vars[vars.index(present[0]) :]
    if len(wanted) == len(present):
        return moved
    return ex.indexed(moved, tuple(ex.ALL if v in t.vars else None for v in wanted))


def filled(t: Tensor, vars: tuple[int, ...], sizes: Sizes) -> Expr:
    """Return the expression with all of `vars` as axes, repeated along those it lacks."""
    return ex.broadcast(aligned(t, vars), tuple(sizes[v] for v in vars))


def combined(op: str, a: Tensor, b: Tensor, vars: tuple[int, ...]) -> Tensor:
    """Return a op b, element by element, with axes in the order of `vars`."""
    kept = tuple(v for v in vars if v in a.vars or v in b.vars)
    return Tensor(ex.binary(op, aligned(a, kept), aligned(b, kept)), kept)


def summed(t: Tensor, keep: Iterable[int]) -> Tensor:
    """Sum over the axes whose variable is not in `keep`."""
    keep = set(keep)
    axes = tuple(i for i, v in enumerate(t.vars) if v not in keep)
    return Tensor(ex.total(t.expr, axes), tuple(v for v in t.vars if v in keep))


def contract(a: Tensor, b: Tensor, keep: tuple[int, ...], over: Iterable[int],
             sizes: Sizes) -> Tensor:  # fmt: skip
    """Return Σ a · b over the variables `over`, the others kept; a missing one counts its size."""
    over = set(over)
    for var in sorted(over - set(a.vars) - set(b.vars)):
        small, large = sorted((a, b), key=lambda t: len(t.vars))
        a, b = Tensor(ex.binary("*", small.expr, _size(sizes[var])), small.vars), large
    kept = tuple(v for v in keep if v not in over)
    a, b = (summed(t, {*kept, *other.vars}) for t, other in ((a, b), (b, a)))
    common = tuple(v for v in a.vars if v in b.vars and v not in kept)
    if not common:
        return combined("*", a, b, kept)
    shared = tuple(v for v in kept if v in a.vars and v in b.vars)
    free_a = tuple(v for v in kept if v in a.vars and v not in shared)
    free_b = tuple(v for v in kept if v in b.vars and v not in shared)
    if not free_a and not free_b:
        product = combined("*", a, b, shared + common)
        return summed(product, shared)
    if shared:
        return _einsum(a, b, shared + free_a + free_b, kept)
    return _matrix_product(a, b, free_a, free_b, common)


def _size(size: ex.Size) -> Expr:
    return ex.ref(ex.B, ()) if size == ex.B else ex.num(size)


def _matrix_product(a: Tensor, b: Tensor, free_a: tuple[int, ...], free_b: tuple[int, ...],
                    common: tuple[int, ...]) -> Tensor:  # fmt: skip
    left, right = aligned(a, free_a + common), aligned(b, common + free_b)
    shape = left.shape[: len(free_a)] + right.shape[len(common) :]
    if len(common) > 1:
        left = _joined(a, free_a, common)
        right = _joined(b, free_b, common, behind=True)
    elif len(free_b) > 1:
        right = ex.reshape(right, (right.shape[0], joint(right.shape[1:])))
    return Tensor(ex.reshape(ex.matmul(left, right), shape), free_a + free_b)


def joint(shape: ex.Shape) -> ex.Size:
    """Return the size of several axes as one."""
    product = int(np.prod([n for n in shape if n != ex.B], dtype=np.int64))
    return product if ex.B not in shape else ex.B if product == 1 else f"{ex.B} * {product}"


def _joined(t: Tensor, free: tuple[int, ...], common: tuple[int, ...], behind: bool = False
            ) -> Expr:  # fmt: skip
    """Return `t` as a matrix, the axes of `common` joined: in front where they are so already."""
    front = aligned(t, common + free)
    n = len(common)
    rows, rest = joint(front.shape[:n]), tuple(front.shape[n:])
    if len(rest) > 1:
        rest = (joint(rest),)
    matrix = ex.reshape(front, (rows, *rest))
    return matrix if behind or not rest else ex.transpose(matrix, (1, 0))


def _einsum(a: Tensor, b: Tensor, out: tuple[int, ...], kept: tuple[int, ...]) -> Tensor:
    order = tuple(v for v in kept if v in out)
    letter = dict(zip(dict.fromkeys((*order, *a.vars, *b.vars)), string.ascii_lowercase[8:]))
    if BATCH in letter:
        letter[BATCH] = "b"
    spec = "->".join((",".join("".join(letter[v] for v in t.vars) for t in (a, b)),
                      "".join(letter[v] for v in order)))  # fmt: skip
    size = dict(zip(a.vars, a.expr.shape)) | dict(zip(b.vars, b.expr.shape))
    return Tensor(ex.einsum(spec, a.expr, b.expr, tuple(size[v] for v in order)), order)


def pieces(array: Array, term: Term, flat: Tensor, constants: Constants,
            each: Callable[[Expr, str, int], Expr]) -> Tensor:  # fmt: skip
    """Return what `each` makes of the pieces of an operand, as the axes of the array."""
    sizes = sizes_of(array, term)
    assert term.segments is not None
    kept = tuple(v for v in flat.vars if v == BATCH)
    made = each(filled(flat, (*kept, 0), sizes), constants.named(term.segments), array.size)
    shape = tuple(sizes[v] for v in kept) + array.shape
    return Tensor(ex.reshape(made, shape), kept + tuple(range(len(array.shape))))


def by_piece(array: Array, term: Term, t: Tensor, constants: Constants) -> Tensor:
    """Repeat what belongs to each element of a segmented array for all terms of its piece."""
    assert term.segments is not None
    of_piece = np.repeat(np.arange(array.size), np.diff(term.segments))
    front = (BATCH,) if BATCH in t.vars else ()
    sizes = sizes_of(array)
    full = filled(t, front + tuple(range(len(array.shape))), sizes)
    flat = ex.reshape(full, (*(sizes[v] for v in front), array.size))
    taken = ex.take(flat, constants.named(of_piece), of_piece.shape, len(front))
    return Tensor(taken, (*front, 0))
