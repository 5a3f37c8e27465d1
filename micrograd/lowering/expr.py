"""Array expressions with their shapes: what programs are printed from.

A shape holds numbers and, for the batch axis, the letter B. The constructors do arithmetic on
numbers at once and drop what changes nothing, so that no 1 * x is ever printed.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

B = "B"  # the size of the batch axis
Size = Any  # an int, B or a multiple of B
Shape = tuple[Size, ...]
COMPARISONS = ("<", "<=", ">", ">=", "==", "!=")


@dataclass(frozen=True)
class Expr:
    """One expression: `kind` says what is done to `args`, `attr` how."""

    kind: str
    args: tuple[Expr, ...]
    attr: Any
    shape: Shape

    def __post_init__(self) -> None:
        object.__setattr__(self, "_hash", hash((self.kind, self.args, self.attr, self.shape)))

    def __hash__(self) -> int:
        return self._hash  # type: ignore[attr-defined,no-any-return]

    def walk(self) -> Iterator[Expr]:
        """Yield this expression and those within, once per place."""
        yield self
        for arg in self.args:
            yield from arg.walk()

    def replaced(self, names: dict[str, Expr]) -> Expr:
        """Return the expression with the names given replaced."""
        if self.kind == "ref":
            return names.get(self.attr, self)
        if not any(arg.kind != "num" for arg in self.args):
            return self
        return Expr(self.kind, tuple(a.replaced(names) for a in self.args), self.attr, self.shape)


@dataclass(frozen=True)
class Assign:
    """Give the name `name` to an expression."""

    name: str
    expr: Expr


def ref(name: str, shape: Shape) -> Expr:
    """Name an array."""
    return Expr("ref", (), name, shape)


def num(value: float) -> Expr:
    """Write a number."""
    return Expr("num", (), value, ())


def broadcast_shape(*shapes: Shape) -> Shape:
    """Return the shape of an element-wise result."""
    rank = max(map(len, shapes), default=0)
    padded = [(1,) * (rank - len(s)) + s for s in shapes]
    return tuple(next((n for n in sizes if n != 1), 1) for sizes in zip(*padded))


def call(function: str, *args: Expr) -> Expr:
    """Apply a function element by element."""
    if function == "where" and args[0].kind == "num":
        return args[1] if args[0].attr else args[2]
    return Expr("call", args, function, broadcast_shape(*(a.shape for a in args)))


def negative(a: Expr) -> Expr:
    """Write -a."""
    if a.kind == "num":
        return num(-a.attr)
    return a.args[0] if a.kind == "neg" else Expr("neg", (a,), None, a.shape)


def binary(op: str, a: Expr, b: Expr) -> Expr:
    """Write a op b, element by element."""
    if a.kind == b.kind == "num" and (folded := _folded(op, a.attr, b.attr)) is not None:
        return folded
    simple = _SIMPLER[op](a, b) if op in _SIMPLER else None
    return simple or Expr("bin", (a, b), op, broadcast_shape(a.shape, b.shape))


def _folded(op: str, a: float, b: float) -> Expr | None:
    try:
        return num(eval(f"a {op} b", {}, {"a": a, "b": b}))
    except (ArithmeticError, ValueError):
        return None


def _is(e: Expr, value: float) -> bool:
    return e.kind == "num" and e.attr == value


def _add(a: Expr, b: Expr) -> Expr | None:
    if _is(a, 0) or _is(b, 0):
        return b if _is(a, 0) else a
    return binary("-", a, b.args[0]) if b.kind == "neg" else None


def _sub(a: Expr, b: Expr) -> Expr | None:
    if _is(b, 0):
        return a
    return binary("+", a, b.args[0]) if b.kind == "neg" else negative(b) if _is(a, 0) else None


def _mul(a: Expr, b: Expr) -> Expr | None:
    if _is(a, 1) or _is(b, 1):
        return b if _is(a, 1) else a
    if _is(a, -1) or _is(b, -1):
        return negative(b if _is(a, -1) else a)
    if a.kind == "neg" or b.kind == "neg":
        inner = [e.args[0] if e.kind == "neg" else e for e in (a, b)]
        return binary("*", *inner) if a.kind == b.kind else negative(binary("*", *inner))
    if a.kind == "num" and b.kind == "bin" and b.attr == "*" and b.args[0].kind == "num":
        return binary("*", num(a.attr * b.args[0].attr), b.args[1])
    for one, other in ((a, b), (b, a)):
        if other.kind == "bin" and other.attr == "/" and _is(other.args[0], 1) and not _mask(one):
            return binary("/", one, other.args[1])
    if _mask(a) and not _mask(b):
        return _masked(a, b)
    return _masked(b, a) if _mask(b) else None


def _mask(e: Expr) -> bool:
    return e.kind == "call" and e.attr == "where" and all(_number(a) for a in e.args[1:])


def _number(e: Expr) -> bool:
    return e.kind == "num"


def _masked(mask: Expr, e: Expr) -> Expr | None:
    """Write where(c, 1, 0) * e as c * e, and where(c, 0, 1) * e with ~c."""
    condition, yes, no = mask.args
    if e.kind == "bin" and e.attr == "/" and _is(e.args[0], 1) and _is(yes, 1) and _is(no, 0):
        return binary("/", condition, e.args[1])
    if _is(yes, 1) and _is(no, 0):
        return Expr("bin", (condition, e), "*", broadcast_shape(condition.shape, e.shape))
    if _is(yes, 0) and _is(no, 1):
        other = Expr("not", (condition,), None, condition.shape)
        return Expr("bin", (other, e), "*", broadcast_shape(condition.shape, e.shape))
    return None


def _div(a: Expr, b: Expr) -> Expr | None:
    if _is(b, 1):
        return a
    if a == b and a.kind == "ref" and not a.shape:
        return num(1)
    return negative(binary("/", a.args[0], b)) if a.kind == "neg" else None


def _pow(a: Expr, b: Expr) -> Expr | None:
    return a if _is(b, 1) else None


_SIMPLER = {"+": _add, "-": _sub, "*": _mul, "/": _div, "**": _pow}


def is_number(e: Expr) -> bool:
    """Return whether an expression has no arrays in it: 1 / B."""
    return all(part.attr == B for part in e.walk() if part.kind == "ref")


def transpose(a: Expr, order: tuple[int, ...]) -> Expr:
    """Permute the axes."""
    if order == tuple(range(len(order))):
        return a
    return Expr("transpose", (a,), order, tuple(a.shape[i] for i in order))


def reshape(a: Expr, shape: Shape) -> Expr:
    """Give `a` another shape."""
    return a if shape == a.shape else Expr("reshape", (a,), shape, shape)


def broadcast(a: Expr, shape: Shape) -> Expr:
    """Repeat `a` to the shape given."""
    return a if shape == a.shape else Expr("broadcast", (a,), shape, shape)


def indexed(a: Expr, key: tuple[Any, ...]) -> Expr:
    """Index with numbers, slices given as (start, stop, step), and None."""
    source, shape = list(a.shape), []
    for item in key:
        if item is None:
            shape.append(1)
            continue
        size = source.pop(0)
        if item == ALL:
            shape.append(size)
        elif isinstance(item, tuple):
            shape.append(len(range(*item)))
    shape += source
    if all(item == ALL for item in key):
        return a
    return Expr("index", (a,), key, tuple(shape))


ALL = (0, None, 1)


def total(a: Expr, axes: tuple[int, ...]) -> Expr:
    """Sum over axes."""
    if not axes:
        return a
    shape = tuple(n for i, n in enumerate(a.shape) if i not in axes)
    return Expr("sum", (a,), axes, shape)


def matmul(a: Expr, b: Expr) -> Expr:
    """Write a @ b, where b is a vector or a matrix."""
    return Expr("matmul", (a, b), None, a.shape[:-1] + b.shape[1:])


def einsum(spec: str, a: Expr, b: Expr, shape: Shape) -> Expr:
    """Write a sum of products that is no matrix product."""
    return Expr("einsum", (a, b), spec, shape)


def take(a: Expr, table: str, shape: tuple[int, ...], axis: int) -> Expr:
    """Gather the elements at the places `table` of the last axis, which is `axis`."""
    return Expr("take", (a,), table, a.shape[:axis] + shape)


def scatter(a: Expr, table: str, size: int, axis: int) -> Expr:
    """Add the elements of `a` at the places `table` of zeros; `axis` axes stand before them."""
    return Expr("scatter", (a,), (table, size), (*a.shape[:axis], size))


def embed(a: Expr, key: tuple[Any, ...], shape: Shape) -> Expr:
    """Put `a` at `key` into zeros."""
    return Expr("embed", (a,), (key, shape), shape)


def lookup(table: Expr, ids: Expr) -> Expr:
    """Write table[ids]: a row of the table for every id."""
    return Expr("lookup", (table, ids), None, (*ids.shape, *table.shape[1:]))


def rows(table: Expr, pairs: tuple[Expr, ...]) -> Expr:
    """Write the gradient of a table: ids, what is added to their rows, ids, ...; sparse."""
    return Expr("rows", (table, *pairs), None, table.shape)


def add_rows(a: Expr, pairs: tuple[Expr, ...]) -> Expr:
    """Write `a` with something added to some of its rows."""
    return Expr("add_rows", (a, *pairs), None, a.shape)


def segment_sum(a: Expr, starts: str, count: int) -> Expr:
    """Sum the pieces of the last axis that begin at `starts`."""
    return Expr("segments", (a,), starts, (*a.shape[:-1], count))


def shown_number(value: float) -> str:
    """Return a number as code."""
    if math.isnan(value) or math.isinf(value):
        return {"nan": "nan", "inf": "inf"}.get(repr(value), "-inf")
    return str(int(value)) if value == int(value) and abs(value) < 1e15 else repr(value)
