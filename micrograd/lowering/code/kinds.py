"""Every kind of array expression, one row each: its shape, and how it is written.

`text` is what NumPy, JAX and PyTorch all read; where PyTorch spells it otherwise, `torch` is. What
the text calls by name is a function of the array library, or a helper of ours, which
`helpers/numpy.py`, `jax.py` and `torch.py` have as real code. `inline` says whether what is used
once may be written into an expression of this kind.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from micrograd.lowering.arrays.ir import ALL, Size
from micrograd.lowering.code.expr import OPERATORS, Expr, Range, Shape, Table

ATOM, UNARY, PRODUCT = 6, 4, 3
Args = tuple[Expr, ...]
Write = Callable[[Expr, "Printer"], str]


@dataclass(frozen=True)
class Kind:
    """One kind of array expression."""

    shape: Callable[[Args, Any], Shape]
    text: Write
    binding: Callable[[Expr], int] = lambda e: ATOM
    inline: bool = True
    torch: Write | None = None


def make(kind: str, args: Args, attr: Any = None) -> Expr:
    """Return an expression of a kind, with its shape."""
    return Expr(kind, args, attr, KINDS[kind].shape(args, attr))


# shapes


def _broadcast(args: Args, attr: Any) -> Shape:
    rank = max(len(a.shape) for a in args)
    padded = [(1,) * (rank - len(a.shape)) + a.shape for a in args]
    return tuple(next((n for n in sizes if n != 1), 1) for sizes in zip(*padded))


def _same(args: Args, attr: Any) -> Shape:
    return args[0].shape


def _without_axes(args: Args, axes: tuple[int, ...]) -> Shape:
    return tuple(n for i, n in enumerate(args[0].shape) if i not in axes)


def _matrix_product(args: Args, attr: Any) -> Shape:
    a, b = (arg.shape for arg in args)
    return (*max(a[:-2], b[:-2], key=len), *a[-2:-1], *b[1:][-1:])


def _index_shape(args: Args, key: tuple[Any, ...]) -> Shape:
    source, shape = list(args[0].shape), []
    for item in key:
        size = 1 if item is None else source.pop(0)
        if not isinstance(item, int):
            shape.append(size if item in (None, ALL) else len(range(*item)))
    return (*shape, *source)


def _taken_shape(args: Args, key: tuple[Any, ...]) -> Shape:
    """Return the shape of what is read by tables, which go together."""
    tables = (item.shape for item in key if isinstance(item, (Range, Table)))
    shape, looked = list[Any](), np.broadcast_shapes(*tables)
    first = next(axis for axis, item in enumerate(key) if item != ALL)
    for axis, (item, size) in enumerate(zip(key, args[0].shape)):
        shape += [size] if item == ALL else looked if axis == first else ()
    return tuple(shape)


# parts of texts


def axis_text(axis: int, rank: int) -> str:
    """Return an axis as a number: those behind the first are counted from the end."""
    return str(axis if axis == 0 else axis - rank)


def axes_text(axes: tuple[int, ...], rank: int) -> str:
    """Return several axes as a tuple, one as a number."""
    return str(axes) if len(axes) > 1 else axis_text(axes[0], rank)


def _key_text(key: tuple[Any, ...], shape: Shape, show: Printer) -> str:
    """Return what stands in brackets behind an array of the shape."""
    while len(key) > 1 and key[-1] == ALL and key[-2] is not None:
        key = key[:-1]
    sizes = iter(shape)
    return ", ".join(_item(x, show) if x is None else _item(x, show, next(sizes)) for x in key)


def _item(item: Any, show: Printer, size: int = 0) -> str:
    if not isinstance(item, tuple):
        return show(item) if isinstance(item, Table) else str(item)
    if item == ALL:
        return ":"
    start, stop, step = item
    end = "" if range(start, size, step) == range(start, stop, step) else stop
    return f"{start or ''}:{end}" + (f":{step}" if step != 1 else "")


def reshaped(shape: Shape) -> str:
    """Return the arguments of `reshape`; the axis with the batch is left to be found out."""
    return ", ".join("-1" if isinstance(n, Size) else str(n) for n in shape) or "()"


def _float(e: Expr) -> Expr:
    """Write a number as a float: an array of integers would be one, and in PyTorch a truth is."""
    return Expr("ref", (), repr(float(e.attr)), ()) if e.kind == "num" else e


# texts


def _num(e: Expr, show: Printer) -> str:
    value = float(e.attr)
    return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)


def _bin(e: Expr, show: Printer) -> str:
    rank = OPERATORS[e.attr].binding
    left, right = (rank + 1, UNARY) if e.attr == "**" else (rank, rank + 1)
    if rank == 1:  # a < b < c is another thing in Python
        left = right
    a, b = e.args
    if e.attr == "*" and a.truth != b.truth:
        a, b = _float(a), _float(b)
    return f"{show(a, left)} {e.attr} {show(b, right)}"


def _neg_binding(e: Expr) -> int:
    """Return how tightly -x binds: -x / y is as good as -(x / y), unless x is a truth."""
    left = e.args[0]
    if left.kind != "bin" or left.attr not in "*/":
        return UNARY
    while left.kind == "bin" and left.attr in "*/":
        left = left.args[0]
    return UNARY if left.truth else PRODUCT


def _call(e: Expr, show: Printer) -> str:
    args = e.args
    if e.attr == "where" and args[1].kind == args[2].kind == "num":
        args = (args[0], *map(_float, args[1:]))
    return f"{e.attr}({', '.join(map(show, args))})"


def _method(name: str, inside: Write = lambda e, show: "") -> Write:
    """Return the text of a method of the first argument, with what is in its brackets."""
    return lambda e, show: f"{show(e.args[0], ATOM)}.{name}({inside(e, show)})"


def _reduced(e: Expr, show: Printer) -> str:
    rank = len(e.args[0].shape)
    return "" if len(e.attr) == rank else axes_text(e.attr, rank)


def _transpose(e: Expr, show: Printer) -> str:
    if e.attr == (1, 0):
        return f"{show(e.args[0], ATOM)}.T"
    if e.attr == (*range(len(e.attr) - 2), len(e.attr) - 1, len(e.attr) - 2):
        return f"{show(e.args[0], ATOM)}.swapaxes(-1, -2)"
    return f"transpose({show(e.args[0])}, {e.attr})"


def _index(e: Expr, show: Printer) -> str:
    return f"{show(e.args[0], ATOM)}[{_key_text(e.attr, e.args[0].shape, show)}]"


def _laid(e: Expr, show: Printer) -> str:
    axis = f", {axis_text(e.attr, len(e.shape))}" if e.attr else ""
    return f"{e.kind}(({', '.join(map(show, map(_float, e.args)))}){axis})"


def _eye(e: Expr, show: Printer) -> str:
    size, place = e.attr
    row = show(e.args[0]) if e.args else _item(place, show)
    return f"eye({size})" if place == Range(size) else f"eye({size})[{row}]"


def _placed(e: Expr, show: Printer) -> str:
    key, shape = e.attr
    return f"{e.kind}({show(e.args[0])}, {shape}, s_[{_key_text(key, shape, show)}])"


KINDS: dict[str, Kind] = {
    "ref": Kind(lambda args, attr: attr, lambda e, show: show(e.attr)),
    "num": Kind(lambda args, attr: (), _num, lambda e: UNARY if e.attr < 0 else ATOM),
    "batch": Kind(lambda args, attr: (), lambda e, show: "B"),
    "bin": Kind(_broadcast, _bin, lambda e: OPERATORS[e.attr].binding),
    "neg": Kind(_same, lambda e, show: f"-{show(e.args[0], _neg_binding(e))}", _neg_binding),
    "not": Kind(_same, lambda e, show: f"~({show(e.args[0])})", lambda e: UNARY),
    "call": Kind(_broadcast, _call),
    "sum": Kind(_without_axes, _method("sum", _reduced)),
    "mean": Kind(_without_axes, _method("mean", _reduced), inline=False),
    "max": Kind(_without_axes, _method("max", _reduced), torch=_method("amax", _reduced)),
    "min": Kind(_without_axes, _method("min", _reduced), torch=_method("amin", _reduced)),
    "matmul": Kind(
        _matrix_product,
        lambda e, show: f"{show(e.args[0], PRODUCT)} @ {show(e.args[1], UNARY)}",
        lambda e: PRODUCT,
        inline=False,
    ),
    "einsum": Kind(
        lambda args, attr: attr[1],
        lambda e, show: f"einsum({e.attr[0]!r}, {', '.join(map(show, e.args))})",
        inline=False,
    ),
    "transpose": Kind(lambda args, order: tuple(args[0].shape[i] for i in order), _transpose),
    "reshape": Kind(lambda args, attr: attr, _method("reshape", lambda e, show: reshaped(e.attr))),
    "index": Kind(_index_shape, _index),
    "broadcast": Kind(
        lambda args, attr: attr,
        lambda e, show: f"broadcast_to({show(_float(e.args[0]))}, {e.shape})",
    ),
    "full": Kind(
        lambda args, attr: attr,
        lambda e, show: f"full({e.shape}, {show(_float(e.args[0]))})",
        inline=False,
    ),
    "copy": Kind(_same, _method("copy"), inline=False, torch=_method("clone")),
    "take": Kind(_taken_shape, _index),
    "scatter": Kind(lambda args, attr: attr[1], _placed),
    "embed": Kind(lambda args, attr: attr[1], _placed),
    "eye": Kind(
        lambda args, attr: (*getattr(args[0] if args else attr[1], "shape", ()), attr[0]),
        _eye,
    ),
    "stack": Kind(
        lambda args, axis: (*args[0].shape[:axis], len(args), *args[0].shape[axis:]),
        _laid,
    ),
    "concatenate": Kind(
        lambda args, axis: (
            *args[0].shape[:axis],
            sum(arg.shape[axis] for arg in args),
            *args[0].shape[axis + 1 :],
        ),
        _laid,
    ),
    "first_true": Kind(
        _same,
        lambda e, show: (
            f"{'first_true' if len(e.attr) == 1 else 'first_within'}"
            f"({show(e.args[0])}, {axes_text(e.attr, len(e.shape))})"
        ),
        inline=False,
    ),
    "lookup": Kind(
        lambda args, attr: (*args[1].shape, *args[0].shape[1:]),
        lambda e, show: f"{show(e.args[0])}[{show(e.args[1])}]",
        inline=False,
    ),
    "rows": Kind(
        _same, lambda e, show: f"{show.rows}({', '.join(map(show, e.args))})", inline=False
    ),
    "add_rows": Kind(
        _same, lambda e, show: f"add_rows({', '.join(map(show, e.args))})", inline=False
    ),
}


class Printer:
    """Write expressions as text, with the names of arrays and tables, for a `target`.

    The text that runs here (no target) has sparse gradients of tables, that of exports dense ones.
    """

    def __init__(self, names: Any, target: str = "") -> None:
        self.names, self.target = names, target

    def __call__(self, e: Any, binding: int = 0) -> str:
        """Return an expression as text; in brackets where it binds less tightly than `binding`."""
        if not isinstance(e, Expr):
            name: str = e if isinstance(e, str) else self.names[e]
            return name
        kind = KINDS[e.kind]
        write = kind.torch if self.target == "torch" and kind.torch else kind.text
        text = write(e, self)
        return text if kind.binding(e) >= binding else f"({text})"

    @property
    def rows(self) -> str:
        """Return what makes the gradient of a table: sparse here, dense in exports."""
        return "rows" if self.target else "sparse_rows"
