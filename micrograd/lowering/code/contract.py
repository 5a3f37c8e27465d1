"""Expressions whose axes carry variables, and sums of products over them."""

from __future__ import annotations

import string
from collections.abc import Collection, Iterable, Mapping
from fractions import Fraction
from itertools import combinations
from math import copysign, isfinite
from typing import Any, NamedTuple

from micrograd.lowering.arrays.ir import ALL, BATCH, Scale
from micrograd.lowering.arrays.reads import moderate
from micrograd.lowering.code.construct import (
    binary,
    broadcast,
    indexed,
    reshape,
    total,
    transpose,
)
from micrograd.lowering.code.expr import Expr, Range, Shape, is_number, joint, num
from micrograd.lowering.code.kinds import make

Sizes = Mapping[int, Any]
Vars = tuple[int, ...]
MOST_IN_EYE = 100  # rows: eye(n) has n * n numbers
SHORT, LARGEST = 9, 999  # characters of a decimal fraction; the divisor of another one
_ARRAYS = ("ref", "full", "stack", "concatenate", "scatter", "embed", "eye")


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
    return indexed(moved, tuple(ALL if v in t.vars else None for v in wanted))


def filled(t: Indexed, vars: tuple[int, ...], sizes: Sizes) -> Expr:
    """Return the expression with all of `vars` as axes, repeated along those it lacks."""
    return broadcast(aligned(t, vars), tuple(sizes[v] for v in vars))


def combined(op: str, a: Indexed, b: Indexed, vars: tuple[int, ...]) -> Indexed:
    """Return a op b, element by element, with axes in the order of `vars`."""
    kept = tuple(v for v in vars if v in a.vars or v in b.vars)
    return Indexed(binary(op, aligned(a, kept), aligned(b, kept)), kept)


def summed(t: Indexed, keep: Collection[int], kind: str = "sum") -> Indexed:
    """Sum over the axes whose variable is not in `keep`, or take the largest or smallest."""
    axes = tuple(i for i, v in enumerate(t.vars) if v not in keep)
    return Indexed(total(t.expr, axes, kind), tuple(v for v in t.vars if v in keep))


def together(parts: Iterable[Indexed], vars: Vars) -> list[Indexed]:
    """Add up the parts of an array at one place; lay parts that fill it side by side.

    `stack((a, b), 1)` needs no zeros, of which `embed` adds one array for each part.
    """
    added: dict[Any, Indexed] = {}
    for number, part in enumerate(parts):
        key = (_place(part.expr), part.vars) if _place(part.expr) else number
        added[key] = combined("+", added[key], part, vars) if key in added else part
    laid = [*added.values()]
    for axis in dict.fromkeys(map(_axis_of_part, laid)):
        group = [part for part in laid if _axis_of_part(part) == axis]
        if axis and (whole := _side_by_side(group, axis[0])):
            first = laid.index(group[0])
            others = [part for part in laid if _axis_of_part(part) != axis]
            laid = [*others[:first], whole, *others[first:]]
    return laid


def _place(e: Expr) -> tuple[Any, ...]:
    """Return where in an array an expression lies, () for one that is all of it."""
    return (e.attr, *_place(e.args[0])) if e.kind in ("embed", "scatter", "reshape") else ()


def _axis_of_part(t: Indexed) -> tuple[int, Vars, Shape] | None:
    """Return the axis of which `t` is a part, and what the whole array is; else nothing."""
    key, shape = t.expr.attr if t.expr.kind == "embed" else ((), ())
    axes = [axis for axis, item in enumerate(key) if item != ALL]
    if len(axes) != 1 or not _is_stretch(key[axes[0]]):
        return None
    return axes[0], t.vars, shape


def _is_stretch(item: Any) -> bool:
    return isinstance(item, int) or (isinstance(item, tuple) and item[2] == 1)


def unit(t: Indexed) -> Indexed:
    """Return a number at one place of an axis, or of each row, as that times 1 there: eye(4)[2]."""
    if t.expr.kind != "embed":
        return t
    (key, shape), (number,) = t.expr.attr, t.expr.args
    number = number.args[0] if number.kind in ("full", "broadcast") else number
    sizes = [part.attr for part in number.walk() if is_number(part)]
    axes = [axis for axis, item in enumerate(key) if item != ALL]
    *rows, place = (key[axis] for axis in axes)
    deep = len(getattr(place, "shape", ()))  # of how many axes the places are
    every = [Range(shape[axis], deep - 1 - n) for n, axis in enumerate(axes[:-1])]
    one, each = isinstance(place, int), deep > 0 and deep == len(rows)
    plain = not number.shape and not reads(number) and all(map(moderate, sizes))
    if not (plain and (one or each) and rows == every) or shape[axes[-1]] > MOST_IN_EYE:
        return t
    e = binary("*", number, make("eye", (), (shape[axes[-1]], place)))
    return Indexed(e, tuple(t.vars[axis] for axis in axes))


def _side_by_side(parts: list[Indexed], axis: int) -> Indexed | None:
    """Return parts along an axis as one; nothing where they leave gaps."""
    sides: list[tuple[int, int, Expr]] = []
    single = all(isinstance(part.expr.attr[0][axis], int) for part in parts)
    for part in parts:
        (key, _), e = part.expr.attr, part.expr.args[0]
        e = e if single and not e.shape else as_array(e)
        if isinstance(key[axis], int):
            behind = (ALL,) * (len(e.shape) - axis)
            e = e if single else indexed(e, (*key[:axis], None, *behind))
            sides.append((key[axis], key[axis] + 1, e))
        else:
            sides.append((*key[axis][:2], e))
    sides.sort(key=lambda side: side[0])
    starts, stops, args = zip(*sides)
    if starts != (0, *stops[:-1]) or stops[-1] != parts[0].expr.shape[axis]:
        return None
    return Indexed(make("stack" if single else "concatenate", args, axis), parts[0].vars)


def as_array(e: Expr) -> Expr:
    """Return an expression as an array, even where it is a number: others may reshape it."""
    value = e.args if e.kind == "broadcast" else (e,)
    return e if reads(e) else make("full", value, e.shape)


def reads(e: Expr) -> bool:
    """Return whether an expression reads an array, or makes one of numbers."""
    return any(part.kind in _ARRAYS for part in e.walk())


def scaled(t: Indexed, scale: Scale) -> Indexed:
    """Return scale × t: `2 * t / 3 / B`."""
    above, under = _fraction(scale.value)
    e = binary("/", binary("*", num(above), t.expr), num(under))
    size = make("batch", ())
    for _ in range(abs(scale.batch)):
        e = binary("*" if scale.batch > 0 else "/", e, size)
    return Indexed(e, t.vars)


def _fraction(value: float) -> tuple[float, float]:
    """Return a number as what a person would write: 2 / 3, not 0.6666666666666666."""
    fraction = Fraction(value if isfinite(value) else 0).limit_denominator(LARGEST)
    if len(repr(value)) < SHORT or float(fraction) != value:
        return value, 1
    if abs(fraction.numerator) >= 10 and len(repr(1 / value)) < SHORT:  # / 0.7, not 10 / 7
        return copysign(1, value), abs(1 / value)
    return fraction.numerator, fraction.denominator


def contract(factors: list[Indexed], kept: tuple[int, ...], scale: Scale) -> Indexed:
    """Return scale · Σ product of factors, summed over all variables of theirs but `kept`."""
    if not factors:
        return scaled(Indexed(num(1), ()), scale)
    every = tuple(dict.fromkeys((*kept, *(v for t in factors for v in t.vars))))
    while len(factors) > 2:
        one, other = _first_pair(factors, kept)
        alike = factors[one].vars == factors[other].vars
        order = factors[one].vars if alike else every  # as they lie
        product = combined("*", factors[one], factors[other], order)
        factors = [product if n == one else f for n, f in enumerate(factors) if n != other]
    if len(factors) == 1:
        return _reduced(factors[0], kept, scale)
    a, b = factors
    a, b = (summed(t, {*kept, *other.vars}) for t, other in ((a, b), (b, a)))
    common = tuple(v for v in a.vars if v in b.vars and v not in kept)
    if not common:
        order = a.vars if a.vars == b.vars else kept
        return scaled(combined("*", a, b, order), scale)
    if not any((v in a.vars) != (v in b.vars) for v in kept):
        order = a.vars if a.vars == b.vars else (*kept, *common)
        return _reduced(combined("*", a, b, order), kept, scale)
    return scaled(_product(a, b, common, kept), scale)


def _first_pair(factors: list[Indexed], kept: tuple[int, ...]) -> tuple[int, int]:
    """Return which two factors to multiply first: in a sum those alike, which leaves matrices."""
    if any(v not in kept for t in factors for v in t.vars):
        for one, other in combinations(range(len(factors)), 2):
            if factors[one].vars == factors[other].vars:
                return one, other
    return 0, 1


def _reduced(t: Indexed, kept: tuple[int, ...], scale: Scale) -> Indexed:
    """Sum over what is not kept; a sum over the samples, divided by their number, is a mean."""
    if scale.batch == -1 and [v for v in t.vars if v not in kept] == [BATCH]:
        return scaled(summed(t, kept, "mean"), scale.times(1, 1))
    return scaled(summed(t, kept), scale)


def _product(a: Indexed, b: Indexed, common: Vars, kept: Vars) -> Indexed:
    """Return Σ a b over the `common` variables: as one of matrices, or of stacks of matrices.

    Where both depend on a variable that is kept, stacks are multiplied by `@` where each side has
    one variable of its own, and one is summed over; else it takes an einsum.
    """
    front = tuple(v for v in kept if v in a.vars and v in b.vars)
    order = tuple(v for v in kept if v in a.vars or v in b.vars)
    if not front:
        return _of_matrices(a, b, common, order)
    if order[-1] not in b.vars:
        a, b = b, a
    rows, columns = (tuple(v for v in order if v in t.vars and v not in front) for t in (a, b))
    if not len(rows) == len(columns) == len(common) == 1 or order[-1] in front:
        return Indexed(_einsum(a, b, order), order)
    sides = aligned(a, front + rows + common), aligned(b, front + common + columns)
    return Indexed(aligned(Indexed(make("matmul", sides), front + rows + columns), order), order)


def _of_matrices(a: Indexed, b: Indexed, common: Vars, order: Vars) -> Indexed:
    """Return Σ a b, which have no variable of `order` in common: `x @ W.T`, `W @ X`, `x.T @ y`."""
    n = len(common)

    def awkward(sides: tuple[Indexed, Indexed]) -> tuple[bool, int]:
        left, right = sides
        moved = (left.vars[-n:] != common) + (right.vars[:n] != common)
        return _stack(left, order) is None, moved

    left, right = min(((a, b), (b, a)), key=awkward)
    rows, columns = (tuple(v for v in order if v in t.vars) for t in (left, right))
    stack = _stack(left, order) or ()
    behind = columns[len(stack) :]
    front = () if stack or left.vars[: len(rows) - 1] != rows[:-1] else rows[:-1]
    sides = (
        _matrices(left, front, rows[len(front) :], common),
        _matrices(right, stack, common, behind),
    )
    every = stack + rows + behind
    return Indexed(reshape(make("matmul", sides), _sizes(a, b, every)), every)


def _stack(left: Indexed, order: Vars) -> Vars | None:
    """Return the variables before those of the left side: of a stack of matrices on the right.

    None where no product has its axes in `order`.
    """
    rows = [v for v in order if v in left.vars]
    first = order.index(rows[0]) if rows else 0
    last = first + len(rows)
    in_a_row = [*order[first:last]] == rows and (not first or last < len(order))
    return order[:first] if in_a_row else None


def _matrices(t: Indexed, stack: Vars, first: Vars, second: Vars) -> Expr:
    """Return `t` as matrices, or vectors: behind `stack` the axes of `first` as one, of `second`.

    What lies the other way round is reshaped before: so nothing is copied.
    """
    if first and second and t.vars == stack + second + first:
        e = _matrices(t, stack, second, first)
        n = len(stack)
        return transpose(e, (*range(n), n + 1, n))
    e, n = aligned(t, stack + first + second), len(stack)
    parts = e.shape[n : n + len(first)], e.shape[n + len(first) :]
    return reshape(e, (*e.shape[:n], *(joint(part) for part in parts if part)))


def _einsum(a: Indexed, b: Indexed, order: Vars) -> Expr:
    letter = dict(zip(dict.fromkeys((*order, *a.vars, *b.vars)), string.ascii_lowercase[8:]))
    if BATCH in letter:
        letter[BATCH] = "b"
    *sides, out = ("".join(letter[v] for v in vars) for vars in (a.vars, b.vars, order))
    return make("einsum", (a.expr, b.expr), (f"{','.join(sides)}->{out}", _sizes(a, b, order)))


def _sizes(a: Indexed, b: Indexed, vars: Vars) -> Shape:
    size = dict(zip(a.vars, a.expr.shape)) | dict(zip(b.vars, b.expr.shape))
    return tuple(size[v] for v in vars)
