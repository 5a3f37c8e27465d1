"""Every kind of array expression, one row each: its shape, and how it is written.

`text` is what NumPy, JAX and PyTorch all read; where PyTorch spells it otherwise, `torch` is. What
the text calls by name is in `calls`: functions of the array library, or helpers of ours, which
`helpers/numpy.py`, `jax.py` and `torch.py` have, each as real code. `inline` says whether what is
used once may be written into an expression of this kind.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from micrograd.lowering.arrays.ir import Size
from micrograd.lowering.code.expr import ALL, COMPARISONS, Expr, Shape

ATOM, UNARY, PRODUCT = 6, 4, 3
ROWS = "rows"  # what makes the gradient of a table: sparse here, dense in exports
_BINDING = {"+": 2, "-": 2, "*": 3, "/": 3, "@": 3, "**": 5} | dict.fromkeys(COMPARISONS, 1)
Show = Callable[..., str]  # a Printer: writes an expression, given what is around it


@dataclass(frozen=True)
class Kind:
    """One kind of array expression."""

    shape: Callable[[tuple[Expr, ...], Any], Shape]
    text: Callable[[Expr, Show], str]
    calls: Callable[[Expr], tuple[str, ...]] = lambda e: ()
    binding: Callable[[Expr], int] = lambda e: ATOM
    inline: bool = True
    torch: Callable[[Expr, Show], str] | None = None


def make(kind: str, args: tuple[Expr, ...], attr: Any = None) -> Expr:
    """Return an expression of a kind, with its shape."""
    return Expr(kind, args, attr, KINDS[kind].shape(args, attr))


# shapes


def broadcast_shape(args: tuple[Expr, ...], attr: Any = None) -> Shape:
    """Return the shape of an element-wise result."""
    shapes = [a.shape for a in args]
    rank = max(map(len, shapes), default=0)
    padded = [(1,) * (rank - len(s)) + s for s in shapes]
    return tuple(next((n for n in sizes if n != 1), 1) for sizes in zip(*padded))


def _same(args: tuple[Expr, ...], attr: Any) -> Shape:
    return args[0].shape


def _given(args: tuple[Expr, ...], attr: Any) -> Shape:
    shape: Shape = attr
    return shape


def _without_axes(args: tuple[Expr, ...], axes: tuple[int, ...]) -> Shape:
    return tuple(n for i, n in enumerate(args[0].shape) if i not in axes)


def _index_shape(args: tuple[Expr, ...], key: tuple[Any, ...]) -> Shape:
    source, shape = list(args[0].shape), []
    for item in key:
        size = 1 if item is None else source.pop(0)
        if not isinstance(item, int):
            shape.append(size if item in (None, ALL) else len(range(*item)))
    return (*shape, *source)


def _pieces_shape(args: tuple[Expr, ...], attr: Any) -> Shape:
    return (*args[0].shape[:-1], len(attr[-1].places) - 1)


# texts


def _num(e: Expr, show: Show) -> str:
    value = e.attr
    if value != value or value in (float("inf"), float("-inf")):
        return str(float(value))
    return str(int(value)) if value == int(value) and abs(value) < 1e15 else repr(float(value))


def truth(e: Expr) -> bool:
    """Return whether the elements are true or false."""
    marks = ("first_true", "segment_first_true", "not")
    return e.kind in marks or (e.kind == "bin" and e.attr in COMPARISONS)


def _float(e: Expr) -> Expr:
    """Write a number as a float: of a truth and an integer, PyTorch makes an integer."""
    return Expr("ref", (), repr(float(e.attr)), ()) if e.kind == "num" else e


def _bin_binding(e: Expr) -> int:
    return _BINDING[e.attr]


def _bin(e: Expr, show: Show) -> str:
    rank = _BINDING[e.attr]
    left, right = (rank + 1, UNARY) if e.attr == "**" else (rank, rank + 1)
    if e.attr in COMPARISONS:
        left = right
    a, b = e.args
    if e.attr == "*" and truth(a) != truth(b):
        a, b = _float(a), _float(b)
    return f"{show(a, left)} {e.attr} {show(b, right)}"


def _neg_binding(e: Expr) -> int:
    """Return how tightly -x binds: -x / y is as good as -(x / y), unless x is a truth."""
    left = e.args[0]
    if left.kind != "bin" or left.attr not in "*/":
        return UNARY
    while left.kind == "bin" and left.attr in "*/":
        left = left.args[0]
    return UNARY if truth(left) else PRODUCT


def _call(e: Expr, show: Show) -> str:
    args = e.args
    if e.attr == "where" and args[1].kind == args[2].kind == "num":
        args = (args[0], *map(_float, args[1:]))
    return f"{e.attr}({', '.join(map(show, args))})"


def _reduced(e: Expr, show: Show) -> str:
    rank = len(e.args[0].shape)
    axes = ""
    if len(e.attr) < rank:
        axes = str(e.attr) if len(e.attr) > 1 else axis_text(e.attr[0], rank)
    return f"{show(e.args[0], ATOM)}.{e.kind}({axes})"


def axis_text(axis: int, rank: int) -> str:
    """Return an axis as a number: those behind the first are counted from the end."""
    return str(axis if axis == 0 else axis - rank)


def _choice(names: dict[str, str]) -> Callable[[Expr, Show], str]:
    def text(e: Expr, show: Show) -> str:
        op, axis = e.attr
        rank = len(e.args[0].shape)
        place = axis_text(axis, rank) if rank > 1 else ""
        return f"{show(e.args[0], ATOM)}.{names[op]}({place})"

    return text


def _transpose(e: Expr, show: Show) -> str:
    if e.attr == (1, 0):
        return f"{show(e.args[0], ATOM)}.T"
    return f"transpose({show(e.args[0])}, {e.attr})"


def key_text(key: tuple[Any, ...]) -> str:
    """Return what stands in brackets."""
    while len(key) > 1 and key[-1] == ALL and key[-2] is not None:
        key = key[:-1]
    return ", ".join(map(_item, key))


def _item(item: Any) -> str:
    if not isinstance(item, tuple):
        return str(item)
    if item == ALL:
        return ":"
    start, stop, step = item
    return f"{start or ''}:{stop}" + (f":{step}" if step != 1 else "")


def shape_text(shape: Shape) -> str:
    """Return a shape as a tuple is written: (B, 8), (8,)."""
    return f"({', '.join(map(str, shape))}{',' if len(shape) == 1 else ''})"


def reshaped(shape: Shape) -> str:
    """Return the arguments of `reshape`; the axis with the batch is left to be found out."""
    return ", ".join("-1" if isinstance(n, Size) else str(n) for n in shape) or "()"


def _take(e: Expr, show: Show) -> str:
    table, axis = e.attr
    return f"{show(e.args[0], ATOM)}[{':, ' * axis}{show(table)}]"


def _function(name: Callable[[Expr], str], *more: Callable[[Expr, Show], str]) -> Any:
    """Return the text of a call: the arguments, then what `more` writes."""

    def text(e: Expr, show: Show) -> str:
        return f"{name(e)}({', '.join([*map(show, e.args), *(part(e, show) for part in more)])})"

    return text


def _segment(e: Expr) -> str:
    return f"segment_{e.attr[0]}"


def _starts(e: Expr, show: Show) -> str:
    return show(e.attr[-1])


def _named(name: str) -> Callable[[Expr], str]:
    return lambda e: name


def _calls(*names: str) -> Callable[[Expr], tuple[str, ...]]:
    return lambda e: names


def _shape_of(e: Expr, show: Show) -> str:
    return shape_text(e.shape)


KINDS: dict[str, Kind] = {
    "ref": Kind(_given, lambda e, show: show(e.attr)),
    "num": Kind(
        lambda args, attr: (),
        _num,
        lambda e: (
            ("nan",)
            if e.attr != e.attr
            else ("inf",)
            if e.attr in (float("inf"), float("-inf"))
            else ()
        ),
        lambda e: UNARY if e.attr < 0 else ATOM,
    ),
    "batch": Kind(lambda args, attr: (), lambda e, show: "B"),
    "bin": Kind(broadcast_shape, _bin, binding=_bin_binding),
    "neg": Kind(
        _same, lambda e, show: f"-{show(e.args[0], _neg_binding(e))}", binding=_neg_binding
    ),
    "not": Kind(_same, lambda e, show: f"~({show(e.args[0])})", binding=lambda e: UNARY),
    "call": Kind(broadcast_shape, _call, lambda e: (e.attr,)),
    "sum": Kind(_without_axes, _reduced),
    "mean": Kind(_without_axes, _reduced, inline=False),
    "choice": Kind(
        lambda args, attr: _without_axes(args, attr[1:]),
        _choice({"max": "max", "min": "min"}),
        torch=_choice({"max": "amax", "min": "amin"}),
    ),
    "matmul": Kind(
        lambda args, attr: args[0].shape[:-1] + args[1].shape[1:],
        lambda e, show: f"{show(e.args[0], PRODUCT)} @ {show(e.args[1], UNARY)}",
        binding=lambda e: PRODUCT,
        inline=False,
    ),
    "einsum": Kind(
        lambda args, attr: attr[1],
        lambda e, show: f"einsum({e.attr[0]!r}, {', '.join(map(show, e.args))})",
        _calls("einsum"),
        inline=False,
    ),
    "transpose": Kind(
        lambda args, order: tuple(args[0].shape[i] for i in order),
        _transpose,
        lambda e: () if e.attr == (1, 0) else ("transpose",),
    ),
    "reshape": Kind(_given, lambda e, show: f"{show(e.args[0], ATOM)}.reshape({reshaped(e.attr)})"),
    "index": Kind(_index_shape, lambda e, show: f"{show(e.args[0], ATOM)}[{key_text(e.attr)}]"),
    "broadcast": Kind(_given, _function(_named("broadcast_to"), _shape_of), _calls("broadcast_to")),
    "full": Kind(
        _given,
        lambda e, show: f"full({shape_text(e.shape)}, {_num_or(e, show)})",
        _calls("full"),
        inline=False,
    ),
    "copy": Kind(
        _same,
        lambda e, show: f"{show(e.args[0], ATOM)}.copy()",
        inline=False,
        torch=lambda e, show: f"{show(e.args[0], ATOM)}.clone()",
    ),
    "take": Kind(lambda args, attr: args[0].shape[: attr[1]] + attr[0].places.shape, _take),
    "scatter": Kind(
        lambda args, attr: (*args[0].shape[: attr[2]], attr[1]),
        _function(
            _named("scatter"), lambda e, show: show(e.attr[0]), lambda e, show: str(e.attr[1])
        ),
        _calls("scatter"),
    ),
    "embed": Kind(
        lambda args, attr: attr[1],
        _function(_named("embed"), _shape_of, lambda e, show: f"s_[{key_text(e.attr[0])}]"),
        _calls("embed", "s_"),
    ),
    "segment_sum": Kind(
        _pieces_shape, _function(_named("segment_sum"), _starts), _calls("segment_sum")
    ),
    "segment_choice": Kind(_pieces_shape, _function(_segment, _starts), lambda e: (_segment(e),)),
    "first_true": Kind(
        _same,
        _function(_named("first_true"), lambda e, show: axis_text(e.attr, len(e.shape))),
        _calls("first_true"),
        inline=False,
    ),
    "segment_first_true": Kind(
        _same,
        _function(_named("segment_first_true"), _starts),
        _calls("segment_first_true"),
        inline=False,
    ),
    "lookup": Kind(
        lambda args, attr: (*args[1].shape, *args[0].shape[1:]),
        lambda e, show: f"{show(e.args[0])}[{show(e.args[1])}]",
        inline=False,
    ),
    "rows": Kind(
        _same,
        lambda e, show: f"{show(ROWS)}({', '.join(map(show, e.args))})",
        _calls("rows"),
        inline=False,
    ),
    "add_rows": Kind(_same, _function(_named("add_rows")), _calls("add_rows"), inline=False),
}


def _num_or(e: Expr, show: Show) -> str:
    """Write what fills an array: a number as a float, or the array would be one of integers."""
    return show(_float(e.args[0]))


class Printer:
    """Write expressions as text, with the names of arrays and tables, for a `target`.

    The text that runs here (no target) has sparse gradients of tables, that of exports dense ones.
    """

    def __init__(self, names: Any, target: str = "") -> None:
        self.names, self.target = names, target

    def __call__(self, e: Any, binding: int = 0) -> str:
        """Return an expression as text; in brackets where it binds less tightly than `binding`."""
        if e == ROWS:
            return self.rows
        if not isinstance(e, Expr):
            name: str = e if isinstance(e, str) else self.names[e]
            return name
        kind = KINDS[e.kind]
        write = kind.torch if self.target == "torch" and kind.torch else kind.text
        text = write(e, self)
        return text if kind.binding(e) >= binding else f"({text})"

    @property
    def rows(self) -> str:
        """Return what the gradient of a table is made by."""
        return "rows" if self.target else "sparse_rows"

    def calls(self, e: Expr) -> set[str]:
        """Return the functions that the text of an expression calls."""
        names = {name for part in e.walk() for name in KINDS[part.kind].calls(part)}
        return {self.rows if name == ROWS else name for name in names}
