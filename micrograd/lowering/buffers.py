"""Statements as NumPy calls that write into buffers made once per batch size.

What a view shows of a parameter or a buffer stays true as its contents change, so views are made
once, with the buffers; only views of inputs are made at every call.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

import numpy as np

from micrograd.lowering.columns import Ints
from micrograd.lowering.expr import B, COMPARISONS, Assign, Expr, Shape, shown_number
from micrograd.lowering.text import key_text, reshaped, shape_text, shown

_UFUNCS = {
    "+": "add", "-": "subtract", "*": "multiply", "/": "divide", "**": "power",
    "<": "less", "<=": "less_equal", ">": "greater", ">=": "greater_equal",
    "==": "equal", "!=": "not_equal", "abs": "absolute",
}  # fmt: skip
_VIEWS = ("index", "transpose", "reshape", "broadcast")
_POWERS = {2: "multiply({0}, {0}, {1})", 0.5: "sqrt({0}, {1})", -1: "divide(one, {0}, {1})"}
SHORT, TALL = 32, 64
NAMES = (*dict.fromkeys(_UFUNCS.values()), "negative", "logical_not", "copyto", "dot", "matmul",
         "einsum", "empty", "zeros", "ones", "array", "broadcast_to", "transpose", "errstate",
         "exp", "log", "log1p", "sqrt", "sin", "cos", "tanh", "maximum", "minimum", "vdot", "arange",
         "float64")  # fmt: skip


class Buffered:
    """Write statements as calls. `setup` runs once, `body` at every call."""

    def __init__(self, fixed: set[str], tables: dict[str, Ints],
                 results: Collection[str] = ()) -> None:  # fmt: skip
        self.results = results
        self.columnwise: set[str] = set()  # buffers that lie column by column
        self.setup: list[str] = []
        self.body: list[str] = []
        self.fixed = set(fixed)  # names whose object stays the same from call to call
        self.tables = tables
        self.scratch: set[str] = set()  # buffers that only the expression at hand uses
        self.kinds: dict[str, tuple[Shape, str]] = {}
        self.pool: dict[tuple[Shape, str], list[str]] = {}
        self.root: Expr | None = None
        self.made: dict[str, str] = {}
        self.shared: dict[Expr, str] = {}

    def write(self, e: Expr, out: str) -> None:
        """Write what computes one expression into `out`, an array that exists."""
        self._begin(e)
        self._into(e, out)

    def _begin(self, e: Expr) -> None:
        for name in self.scratch:
            self.pool.setdefault(self.kinds[name], []).append(name)
        self.scratch, self.shared, self.root = set(), {}, e

    def statement(self, line: Assign, reuse: str | None = None) -> None:
        """Write one statement; `reuse` names a buffer of its shape that nobody reads any more."""
        if not line.expr.shape:
            self._begin(line.expr)
            self.body.append(f"{line.name} = {self._scalar(line.expr)}")
            return
        if reuse:
            self.setup.append(f"{line.name} = {reuse}")
            self.columnwise |= {line.name} & {line.name if reuse in self.columnwise else ""}
        else:
            self._allocate(line.name, line.expr.shape, plain=line.name in self.results)
        self.fixed.add(line.name)
        self.write(line.expr, line.name)

    def _allocate(self, name: str, shape: Shape, zero: bool = False, kind: str = "float64",
                  plain: bool = False) -> None:  # fmt: skip
        maker = "zeros" if zero else "empty"
        text = f"{maker}({shape_text(shape)}, {kind})"
        if tall(shape) and not plain:
            text = f"{maker}({shape_text(shape[::-1])}, {kind}).T"
            self.columnwise.add(name)
        self.setup.append(f"{name} = {text}")
        self.fixed.add(name)

    def _hoisted(self, text: str) -> str:
        """Return the name of an object made once."""
        if text not in self.made:
            self.made[text] = f"v{len(self.made)}"
            self.setup.append(f"{self.made[text]} = {text}")
            self.fixed.add(self.made[text])
        return self.made[text]

    def _buffer(self, shape: Shape, kind: str = "float64", plain: bool = False) -> str:
        free = self.pool.get((shape, kind)) if not plain else None
        if free:
            name = free.pop()
        else:
            name = f"q{len(self.setup)}"
            self._allocate(name, shape, kind=kind, plain=plain)
            if plain:
                return name
            self.kinds[name] = shape, kind
        self.scratch.add(name)
        return name

    # Operands: a name, a number made once, a view, or a computed buffer.

    def _operand(self, e: Expr, out: str | None = None) -> str:
        if e.kind == "num":
            return self._hoisted(f"array({shown_number(e.attr)}, float64)".replace("nan", "float('nan')"))
        if e.kind == "ref":
            return str(e.attr)
        if not e.shape:
            return f"({self._scalar(e)})"
        if e.kind in _VIEWS:
            return self._view(e)
        if e in self.shared:
            return self.shared[e]
        return self._into(e, out)

    def _rows(self, e: Expr) -> str:
        """Return an operand that lies row by row, copied if need be."""
        if contiguous(e) and not tall(e.shape):
            return self._operand(e)
        name = self._buffer(e.shape, plain=True)
        self.body.append(f"copyto({name}, {self._operand(e)})")
        return name

    def _view(self, e: Expr) -> str:
        name = self._rows(e.args[0]) if e.kind == "reshape" else self._operand(e.args[0])
        text = name + _VIEW_TEXT[e.kind](e) if e.kind != "broadcast" else (
            f"broadcast_to({name}, {shape_text(e.attr)})")  # fmt: skip
        return self._hoisted(text) if name in self.fixed else text

    def _scalar(self, e: Expr) -> str:
        """Return the text of an expression of one number."""
        if e.kind in ("num", "ref"):
            return shown(e)
        if e.kind in ("sum", "mean"):
            return self._whole_sum(e)
        if e.kind == "matmul":
            return f"dot({', '.join(self._operand(a) for a in e.args)})"
        if e.kind in ("index", "reshape", "take", "scatter", "segments", "embed", "einsum"):
            return self._element(e)
        if e.kind == "call":
            if e.attr == "where":
                c, a, b = map(self._scalar, e.args)
                return f"({a} if {c} else {b})"
            return f"{_UFUNCS.get(e.attr, e.attr)}({', '.join(map(self._scalar, e.args))})"
        parts = [f"({self._scalar(a)})" for a in e.args]
        sign = {"neg": "-", "not": "not "}
        return f"{sign[e.kind]}{parts[0]}" if e.kind in sign else f"{parts[0]} {e.attr} {parts[1]}"

    def _element(self, e: Expr) -> str:
        if e.kind == "index":
            return f"{self._operand(e.args[0])}[{key_text(e.attr)}]"
        if e.kind == "reshape":
            return f"{self._operand(e.args[0])}.item()"
        return f"{self._into(e, None)}[()]"

    def _whole_sum(self, e: Expr) -> str:
        inner = e.args[0]
        over = f" / {B}" if e.kind == "mean" else ""
        if inner.kind == "bin" and inner.attr == "*" and inner.args[0].shape == inner.args[1].shape:
            if all(contiguous(a) and a.kind == "ref" and not tall(a.shape) for a in inner.args):
                flat = [f"{self._operand(a)}.reshape(-1)" for a in inner.args]
                names = [self._hoisted(t) if t.split(".")[0] in self.fixed else t for t in flat]
                return f"dot({', '.join(names)}){over}"
        return f"add.reduce({self._operand(inner)}, None){over}"

    # Computed arrays.

    def _into(self, e: Expr, out: str | None) -> str:
        """Compute an array, into `out` where it is given; return the buffer's name."""
        if e.kind in _VIEWS or e.kind in ("ref", "num") or not e.shape:
            source = self._operand(e)
            out = out or self._buffer(e.shape)
            self.body.append(f"copyto({out}, {source})")
            return out
        result = getattr(self, f"_{e.kind}")(e, out)
        self.shared[e] = result
        return result  # type: ignore[no-any-return]

    def _target(self, e: Expr, out: str | None, *operands: tuple[str, Expr]) -> str:
        """Return where to write: `out`, else a scratch operand of the same shape, else a buffer."""
        usable = [name for name, operand in operands
                  if name in self.scratch and operand.shape == e.shape and not _truth(operand)]
        target = out or next(iter(usable), None) or self._buffer(e.shape)
        self.shared = {e: name for e, name in self.shared.items() if name != target}
        return target

    def _zeros(self, e: Expr, out: str | None) -> str:
        """Return a buffer that only `e` writes to, so that its zeros stay."""
        if e is self.root and out:
            self.setup.append(f"{out}[...] = 0")
            return out
        name = f"q{len(self.setup)}"
        self._allocate(name, e.shape, zero=True)
        return name

    def _bin(self, e: Expr, out: str | None) -> str:
        a, b = e.args
        hint = out if a.shape == e.shape and not _truth(a) and not _truth(e) else None
        left = self._operand(a, hint)
        hint = out if left != out and b.shape == e.shape and not _truth(b) and not _truth(e) else None
        right = self._operand(b, hint)
        if e.attr in COMPARISONS:
            target = self._buffer(e.shape, "bool")
        else:
            target = self._target(e, out, (left, a), (right, b))
        if e.attr == "**" and b.kind == "num" and b.attr in _POWERS:
            self._one()
            self.body.append(_POWERS[b.attr].format(left, target))
        else:
            self.body.append(f"{_UFUNCS[e.attr]}({left}, {right}, {target})")
        return target

    def _one(self) -> None:
        if "one" not in self.fixed:
            self.setup.append("one = array(1.0)")
            self.fixed.add("one")

    def _neg(self, e: Expr, out: str | None) -> str:
        inner = self._operand(e.args[0], out)
        target = self._target(e, out, (inner, e.args[0]))
        self.body.append(f"negative({inner}, {target})")
        return target

    def _not(self, e: Expr, out: str | None) -> str:
        inner = self._operand(e.args[0])
        target = self._buffer(e.shape, "bool")
        self.body.append(f"logical_not({inner}, {target})")
        return target

    def _call(self, e: Expr, out: str | None) -> str:
        if e.attr == "where":
            return self._where(e, out)
        hint = out if e.args[0].shape == e.shape else None
        names = [self._operand(e.args[0], hint), *map(self._operand, e.args[1:])]
        target = self._target(e, out, *zip(names, e.args))
        # By keyword: NumPy deprecated a third position for maximum and minimum.
        self.body.append(f"{_UFUNCS.get(e.attr, e.attr)}({', '.join(names)}, out={target})")
        return target

    def _where(self, e: Expr, out: str | None) -> str:
        condition, yes, no = map(self._operand, e.args)
        target = self._target(e, out)
        self.body.append(f"copyto({target}, {no})")
        self.body.append(f"copyto({target}, {yes}, where={condition})")
        return target

    def _matmul(self, e: Expr, out: str | None) -> str:
        a, b = e.args
        target = self._target(e, out)
        left, right = self._operand(a), self._operand(b)
        if len(a.shape) > 2 and contiguous(a):
            left = self._reshaped(left, (-1, a.shape[-1]))
            rows = self._buffer(e.shape, plain=True) if target in self.columnwise else target
            flat = self._hoisted(f"{rows}.reshape({reshaped((-1, *e.shape[len(a.shape) - 1:]))})")
            self.body.append(f"dot({left}, {right}, {flat})")
            if rows != target:
                self.body.append(f"copyto({target}, {rows})")
        else:
            function = "dot" if len(a.shape) <= 2 else "matmul"
            if target in self.columnwise:
                left, right = self._turned(right), self._turned(left)
                self.body.append(f"dot({left}, {right}, {self._turned(target)})")
            else:
                self.body.append(f"{function}({left}, {right}, {target})")
        return target

    def _turned(self, name: str) -> str:
        return self._hoisted(f"{name}.T") if name in self.fixed else f"{name}.T"

    def _reshaped(self, name: str, shape: tuple[Any, ...]) -> str:
        text = f"{name}.reshape({reshaped(shape)})"
        return self._hoisted(text) if name in self.fixed else text

    def _sum(self, e: Expr, out: str | None) -> str:
        inner = e.args[0]
        source = self._operand(inner)
        target = self._target(e, out)
        if len(inner.shape) == 2 and contiguous(inner) and not _truth(inner):
            n = self._hoisted(f"ones({inner.shape[e.attr[0]]})")  # BLAS sums faster than a ufunc
            pair = f"{n}, {source}" if e.attr == (0,) else f"{source}, {n}"
            self.body.append(f"dot({pair}, {target})")
        else:
            axes = e.attr[0] if len(e.attr) == 1 else e.attr
            self.body.append(f"add.reduce({source}, {axes}, None, {target})")
        return target

    def _einsum(self, e: Expr, out: str | None) -> str:
        left, right = map(self._operand, e.args)
        target = self._target(e, out)
        plan = stacked_product(e.attr)
        if plan is None:
            self.body.append(f"einsum({e.attr!r}, {left}, {right}, out={target})")
            return target
        views = [self._transposed(name, *how) for name, how in zip((left, right, target), plan)]
        self.body.append(f"matmul({', '.join(views)})")
        return target

    def _transposed(self, name: str, order: tuple[int, ...], extra: int | None) -> str:
        text = name if order == tuple(range(len(order))) else f"{name}.transpose{order}"
        if extra is not None:
            text += "[..., None]" if extra == -1 else "[..., None, :]"
        return text if text == name else self._hoisted(text) if name in self.fixed else text

    def _take(self, e: Expr, out: str | None) -> str:
        source = self._operand(e.args[0])
        target = self._target(e, out)
        axis = len(e.args[0].shape) - 1
        rows = self._buffer(e.shape, plain=True) if target in self.columnwise else target
        self.body.append(f"{source}.take({e.attr}, {axis}, {rows}, 'clip')")
        if rows != target:
            self.body.append(f"copyto({target}, {rows})")
        return target

    def _segments(self, e: Expr, out: str | None) -> str:
        source = self._operand(e.args[0])
        target = self._target(e, out)
        starts = self._hoisted(f"{e.attr}[:-1].copy()")
        self.body.append(f"add.reduceat({source}, {starts}, {len(e.shape) - 1}, None, {target})")
        return target

    def _embed(self, e: Expr, out: str | None) -> str:
        out = self._zeros(e, out)
        place = f"{out}[{key_text(e.attr[0])}]"
        if e.args[0].shape:
            inner = self._operand(e.args[0])  # not written there at once: dot wants whole rows
            self.body.append(f"copyto({self._hoisted(place)}, {inner})")
        else:
            self.body.append(f"{place} = {self._scalar(e.args[0])}")
        return out

    def _scatter(self, e: Expr, out: str | None) -> str:
        """Sum what goes to one place by pieces, sorted once; each place is then written once."""
        table, size = e.attr
        places = self.tables[table].ravel()
        front = len(e.shape) - 1
        values = self._reshaped(self._rows(e.args[0]), (*e.shape[:-1], len(places)))
        distinct, starts = np.unique(np.sort(places), return_index=True)
        if len(distinct) < len(places):
            shape = (*e.shape[:-1], len(places))
            gathered = self._buffer(shape, plain=True)
            summed = self._buffer((*e.shape[:-1], len(distinct)), plain=True)
            order = self._hoisted(f"{table}.ravel().argsort(kind='stable')")
            self.body.append(f"{values}.take({order}, {front}, {gathered}, 'clip')")
            first = self._hoisted(f"array({starts.tolist()})")
            self.body.append(f"add.reduceat({gathered}, {first}, {front}, None, {summed})")
            values = summed
            where = self._hoisted(f"array({distinct.tolist()})")
        else:
            where = self._hoisted(f"{table}.ravel()")
        target = self._zeros(e, out)
        self.body.append(f"{target}[{':, ' * front}{where}] = {values}")
        return target


def tall(shape: Shape) -> bool:
    """Return whether to store a matrix by columns: what is broadcast along its short rows would
    else be an inner loop of few steps."""
    if len(shape) != 2 or not isinstance(shape[1], int) or shape[1] > SHORT:
        return False
    return shape[0] == B or (isinstance(shape[0], int) and shape[0] >= TALL)


def _truth(e: Expr) -> bool:
    return e.kind == "not" or (e.kind == "bin" and e.attr in COMPARISONS)


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
    return [
        (tuple(map(a.index, stack + rows + inner)), None if rows else -2),
        (tuple(map(b.index, stack + inner + columns)), None if columns else -1),
        (tuple(map(out.index, stack + rows + columns)), None if rows and columns else -1 if rows else -2),
    ]  # fmt: skip


_VIEW_TEXT: dict[str, Callable[[Expr], str]] = {
    "index": lambda e: f"[{key_text(e.attr)}]",
    "transpose": lambda e: ".T" if e.attr == (1, 0) else f".transpose{e.attr}",
    "reshape": lambda e: f".reshape({reshaped(e.attr)})",
}
