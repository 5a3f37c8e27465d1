"""Statements as loops over single elements, for numba: nothing is allocated, little is stored."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from micrograd.lowering import choice_loops
from micrograd.lowering.expr import ALL, Assign, Expr, Shape, ref
from micrograd.lowering.text import reshaped

_REDUCTIONS = ("sum", "mean", "matmul", "einsum", "segments", "scatter", "embed", "add_rows",
               "choice", "segment_choice", "first_true", "segment_first_true")  # fmt: skip
_CHEAP = ("ref", "own", "index", "transpose", "take", "lookup", "num")
_POWERS = {0.5: "sqrt({0})", -0.5: "1 / sqrt({0})", -1: "1 / {0}", -1.5: "1 / ({0} * sqrt({0}))",
           2: "{0} * {0}", -2: "1 / ({0} * {0})"}  # fmt: skip
Places = Sequence[str]


class Loops:
    """Write statements as loops.

    All arrays made here lie one after the other in one vector _m, from `offsets` on; a function of
    many arrays would take long to compile and to call. `views` are leaves in another shape.
    """

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.shapes: dict[str, Shape] = {}
        self.offsets: dict[str, str] = {}
        self.views: dict[str, str] = {}
        self.count = 0
        self._used = (0, 0)  # numbers, and numbers per sample

    @property
    def space(self) -> str:
        """Return the length of _m."""
        return _linear(*self._used)

    def statement(self, line: Assign) -> None:
        """Write one statement; rows of a table are put together outside of the loops."""
        if line.expr.kind != "rows":
            self._store(line.name, line.expr)

    def _store(self, name: str, e: Expr) -> None:
        """Write what computes `e`; afterwards it is known by its name."""
        reduces = e.kind in _REDUCTIONS
        args = tuple(map(self._simple, e.args)) if reduces else ()
        root = Expr(e.kind, args, e.attr, e.shape) if reduces else self._simple(e)
        own = self._made(name, e.shape)
        if reduces:
            getattr(self, f"_{e.kind}")(own, root)
        else:
            at = self._for(e.shape)
            self._put(len(at), f"{scalar(own, at)} = {scalar(root, at)}")

    def _made(self, name: str, shape: Shape) -> Expr:
        """Return a new array, behind those made before."""
        self.offsets[name] = _linear(*self._used)
        self.shapes[name] = shape
        numbers, per_sample = self._used
        size, batched = _size(shape)
        self._used = (numbers, per_sample + size) if batched else (numbers + size, per_sample)
        return Expr("own", (), name, shape)

    def _simple(self, e: Expr) -> Expr:
        """Return an expression without sums within: they are stored under names of their own."""
        if e.kind in _REDUCTIONS:
            return self._stored(e)
        if e.kind == "ref" and e.attr in self.shapes:
            return Expr("own", (), e.attr, e.shape)
        args = tuple(map(self._simple, e.args))
        if e.kind == "reshape":
            base = args[0] if args[0].kind in ("ref", "own") else self._stored(args[0])
            if base.kind == "own":
                return Expr("own", (), base.attr, e.shape)
            return ref(self._view(base, e.shape), e.shape)
        return Expr(e.kind, args, e.attr, e.shape)

    def _stored(self, e: Expr) -> Expr:
        self.count += 1
        name = f"_q{self.count}"
        self._store(name, e)
        return Expr("own", (), name, e.shape)

    def _view(self, base: Expr, shape: Shape) -> str:
        text = f"{base.attr}.reshape({reshaped(shape) or '()'})"
        for name, known in self.views.items():
            if known == text:
                return name
        name = f"_w{len(self.views)}"
        self.views[name] = text
        return name

    def _put(self, depth: int, text: str) -> None:
        self.lines.append("    " * depth + text)

    def _for(self, shape: Shape, letter: str = "_i", depth: int = 0) -> list[str]:
        """Begin a loop per axis; return the loops' variables."""
        names = [f"{letter}{axis}" for axis in range(len(shape))]
        for axis, (name, size) in enumerate(zip(names, shape)):
            self._put(depth + axis, f"for {name} in range({size}):")
        return names

    def _cleared(self, own: Expr) -> None:
        at = self._for(own.shape)
        self._put(len(at), f"{scalar(own, at)} = 0.0")

    def _sum(self, own: Expr, e: Expr, over: str = "") -> None:
        inner = e.args[0]
        last = len(inner.shape) - 1
        if last not in e.attr and e.shape:  # add rows up, so that memory is read in order
            self._cleared(own)
            at = self._for(inner.shape)
            out = [v for axis, v in enumerate(at) if axis not in e.attr]
            self._put(len(at), f"{scalar(own, out)} += {scalar(inner, at)}")
            return
        out = self._for(e.shape)
        summed = [inner.shape[axis] for axis in e.attr]
        self._put(len(out), "_a = 0.0")
        js = self._for(tuple(summed), "_j", len(out))
        rest = iter(out)
        at = [js[e.attr.index(axis)] if axis in e.attr else next(rest) for axis in range(last + 1)]
        self._put(len(out) + len(js), f"_a += {scalar(inner, at)}")
        self._put(len(out), f"{scalar(own, out)} = _a{over}")

    def _mean(self, own: Expr, e: Expr) -> None:
        self._sum(own, e, f" / {e.args[0].shape[0]}")

    def _operand(self, e: Expr) -> Expr:
        """Return a factor that is cheap to read many times."""
        cheap = all(part.kind in _CHEAP for part in e.walk())
        return e if cheap else self._stored(e)

    def _matmul(self, own: Expr, e: Expr) -> None:
        a, b = map(self._operand, e.args)
        rows, inner, columns = a.shape[:-1], a.shape[-1], b.shape[1:]
        if columns and b.kind != "transpose":
            self._cleared(own)
            at = self._for(rows)
            self._put(len(at), f"for _k in range({inner}):")
            self._put(len(at) + 1, f"_a = {scalar(a, [*at, '_k'])}")
            self._put(len(at) + 1, f"for _j in range({columns[0]}):")
            self._put(len(at) + 2, f"{scalar(own, [*at, '_j'])} += _a * {scalar(b, ['_k', '_j'])}")
            return
        at = self._for(e.shape)
        self._put(len(at), "_a = 0.0")
        self._put(len(at), f"for _k in range({inner}):")
        left, right = scalar(a, [*at[: len(rows)], "_k"]), scalar(b, ["_k", *at[len(rows) :]])
        self._put(len(at) + 1, f"_a += {left} * {right}")
        self._put(len(at), f"{scalar(own, at)} = _a")

    def _einsum(self, own: Expr, e: Expr) -> None:
        operands, out = e.attr.split("->")
        a, b = operands.split(",")
        args = [self._operand(arg) for arg in e.args]
        size = dict(zip(a, args[0].shape)) | dict(zip(b, args[1].shape))
        at = dict(zip(out, self._for(e.shape)))
        inner = [v for v in dict.fromkeys(a + b) if v not in out]
        self._put(len(at), "_a = 0.0")
        at |= dict(zip(inner, self._for(tuple(size[v] for v in inner), "_j", len(at))))
        factors = [scalar(arg, [at[v] for v in letters]) for arg, letters in zip(args, (a, b))]
        self._put(len(at), f"_a += {' * '.join(factors)}")
        self._put(len(e.shape), f"{scalar(own, [at[v] for v in out])} = _a")

    def _segments(self, own: Expr, e: Expr) -> None:
        at = self._for(e.shape)
        self._put(len(at), "_a = 0.0")
        self._put(len(at), f"for _k in range({e.attr}[{at[-1]}], {e.attr}[{at[-1]} + 1]):")
        self._put(len(at) + 1, f"_a += {scalar(e.args[0], [*at[:-1], '_k'])}")
        self._put(len(at), f"{scalar(own, at)} = _a")

    def _read(self, e: Expr, at: Places) -> str:
        return scalar(e, at)

    _choice = choice_loops.choice
    _segment_choice = choice_loops.segment_choice
    _first_true = choice_loops.first_true
    _segment_first_true = choice_loops.segment_first_true

    def _scatter(self, own: Expr, e: Expr) -> None:
        self._cleared(own)
        at = self._for(e.args[0].shape)
        front = len(e.shape) - 1
        place = f"{e.attr[0]}[{', '.join(at[front:]) or '()'}]"
        self._put(len(at), f"{scalar(own, [*at[:front], place])} += {scalar(e.args[0], at)}")

    def _embed(self, own: Expr, e: Expr) -> None:
        self._cleared(own)
        at = self._for(e.args[0].shape)
        place = _indexed(e.attr[0], at)
        self._put(len(at), f"{scalar(own, place)} = {scalar(e.args[0], at)}")

    def _add_rows(self, own: Expr, e: Expr) -> None:
        base, *pairs = e.args
        at = self._for(base.shape)
        self._put(len(at), f"{scalar(own, at)} = {scalar(base, at)}")
        for ids, rows in zip(pairs[::2], pairs[1::2]):
            at = self._for(rows.shape)
            place = [scalar(ids, at[:-1]), at[-1]]
            self._put(len(at), f"{scalar(own, place)} += {scalar(rows, at)}")


def _element(name: str, at: Places) -> str:
    return f"{name}[{', '.join(at) or '()'}]"


def _own(e: Expr, at: Places) -> str:
    """Return the place of an element in _m."""
    flat = ""
    for size, i in zip(e.shape, at):
        flat = f"({flat}) * {size} + {i}" if flat else str(i)
    return f"_m[_o_{e.attr} + {flat or 0}]"


def _size(shape: Shape) -> tuple[int, bool]:
    """Return how many numbers there are, of one sample where there is a batch."""
    size, batched = 1, False
    for n in shape:
        batched |= isinstance(n, str)
        size *= n if isinstance(n, int) else int(n.partition("*")[2] or 1)
    return size, batched


def _linear(numbers: int, per_sample: int) -> str:
    return f"{numbers} + B * {per_sample}" if per_sample else str(numbers)


def scalar(e: Expr, at: Places) -> str:
    """Return the text of one element of an element-wise expression."""
    return _SCALARS[e.kind](e, at)


def _arg(e: Expr, at: Places) -> str:
    """Return the element of an operand that is broadcast."""
    own = at[len(at) - len(e.shape) :]
    return scalar(e, ["0" if n == 1 else i for n, i in zip(e.shape, own)])


def _indexed(key: Sequence[Any], at: Places) -> list[str]:
    """Return the place in the array that is indexed."""
    rest, place = list(at), []
    for item in key:
        if item is None:
            rest.pop(0)
        elif not isinstance(item, tuple):
            place.append(str(item))
        elif item == ALL:
            place.append(rest.pop(0))
        else:
            start, _, step = item
            place.append(f"{start} + {step} * {rest.pop(0)}")
    return place + rest


def _binary(e: Expr, at: Places) -> str:
    left, right = (f"({_arg(a, at)})" for a in e.args)
    if e.attr == "**" and e.args[1].kind == "num" and e.args[1].attr in _POWERS:
        return _POWERS[e.args[1].attr].format(left)
    return f"{left} {e.attr} {right}"


def _call(e: Expr, at: Places) -> str:
    args = [_arg(a, at) for a in e.args]
    if e.attr == "where":
        return f"(({args[1]}) if ({args[0]}) else ({args[2]}))"
    return f"{e.attr}({', '.join(args)})"


def _transposed(e: Expr, at: Places) -> str:
    place = [""] * len(at)
    for axis, i in zip(e.attr, at):
        place[axis] = i
    return scalar(e.args[0], place)


def _taken(e: Expr, at: Places) -> str:
    front = len(e.args[0].shape) - 1
    return scalar(e.args[0], [*at[:front], f"{e.attr}[{', '.join(at[front:]) or '()'}]"])


def _looked_up(e: Expr, at: Places) -> str:
    table, ids = e.args
    return scalar(table, [scalar(ids, at[:-1]), at[-1]])


_SCALARS: dict[str, Callable[[Expr, Places], str]] = {
    "ref": lambda e, at: _element(e.attr, at) if e.attr != "B" else "B",
    "own": _own,
    "num": lambda e, _: repr(float(e.attr)),
    "bin": _binary,
    "call": _call,
    "neg": lambda e, at: f"-({_arg(e.args[0], at)})",
    "not": lambda e, at: f"(not ({_arg(e.args[0], at)}))",
    "index": lambda e, at: scalar(e.args[0], _indexed(e.attr, at)),
    "transpose": _transposed,
    "take": _taken,
    "lookup": _looked_up,
    "broadcast": lambda e, at: _arg(e.args[0], at),
}  # fmt: skip
