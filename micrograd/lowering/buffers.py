"""Statements as NumPy calls that write into buffers made once per batch size.

What a view shows of a parameter or a buffer stays true as its contents change, so views are made
once, with the buffers; only views of inputs are made at every call.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable

import numpy as np

from micrograd.lowering import choice_buffers, row_buffers, sum_buffers
from micrograd.lowering.allocation import Allocation
from micrograd.lowering.expr import CHOOSERS, COMPARISONS, Assign, B, Expr, shown_number
from micrograd.lowering.layout import contiguous, product, tall, truth
from micrograd.lowering.names import NUMPY
from micrograd.lowering.tanh import tanh
from micrograd.lowering.text import key_text, reshaped, shape_text, shown

_UFUNCS = {
    "+": "add", "-": "subtract", "*": "multiply", "/": "divide", "**": "power",
    "<": "less", "<=": "less_equal", ">": "greater", ">=": "greater_equal",
    "==": "equal", "!=": "not_equal", "abs": "absolute", **CHOOSERS,
}  # fmt: skip
_VIEWS = ("index", "transpose", "reshape", "broadcast")
_POWERS = {2: "multiply({0}, {0}, {1})", 0.5: "sqrt({0}, {1})", -1: "divide(_one, {0}, {1})"}
CALLED = {name: getattr(np, name) for name in NUMPY} | {"tanh": tanh}


class Buffered(Allocation):
    """Write statements as calls. `setup` runs once, `body` at every call."""

    def write(self, e: Expr, out: str) -> None:
        """Write what computes one expression into `out`, an array that exists."""
        self._begin(e)
        self._into(e, out)

    def statement(self, line: Assign, reuse: str | None = None) -> None:
        """Write one statement; `reuse` names a buffer of its shape that nobody reads any more."""
        if not line.expr.shape:
            self._begin(line.expr)
            self.body.append(f"{line.name} = {self._scalar(line.expr)}")
            return
        self._house(line, reuse)
        number = _number(line.expr)
        if number is None:
            self.write(line.expr, line.name)
        else:
            self._begin(number)
            self.body.append(f"{line.name}[...] = {self._scalar(number)}")

    def inputs(self, names: Collection[str], ids: Collection[str]) -> None:
        """Copy the inputs that are stacked to their places; `ids` are whole numbers."""
        for name, stack in self.stacks.items():
            if stack.members[0] in names:
                kind = "int64" if stack.members[0] in ids else "float64"
                self._allocate(name, stack.whole, kind=kind, plain=True)
                for place, member in enumerate(stack.members):
                    part = self._hoisted(f"{name}[{B} * {place}:{B} * {place + 1}]")
                    self.body.append(f"copyto({part}, {member})")

    # Operands: a name, a number made once, a view, or a computed buffer.

    def _operand(self, e: Expr, out: str | None = None) -> str:
        if e.kind == "num":
            return self._hoisted(f"array({shown_number(e.attr)}, float64)")
        if e.kind == "ref":
            return str(e.attr)
        if not e.shape:
            return f"({self._scalar(e)})"
        if e.kind in _VIEWS:
            return self._view(e)
        if e in self.shared:
            return self.shared[e]
        return self._into(e, out)

    def _operands(self, args: Iterable[Expr], hint: str | None = None) -> list[str]:
        """Return all operands; `hint` is for the first. What one is in, the next leaves alone."""
        names = []
        for e in args:
            names.append(self._operand(e, hint))
            self._hold(names[-1])
            hint = None
        del self.held[len(self.held) - len(names) :]
        return names

    def _hold(self, name: str) -> None:
        self.held.append(self.base.get(name, name))

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
        view = self._hoisted(text) if name in self.fixed else text
        self.base[view] = self.base.get(name, name)
        return view

    def _scalar(self, e: Expr) -> str:
        """Return the text of an expression of one number."""
        if e.kind in ("num", "ref"):
            return shown(e)
        if e.kind in ("sum", "mean"):
            return sum_buffers.whole_sum(self, e)
        if e.kind == "choice":
            return f"{_UFUNCS[e.attr[0]]}.reduce({self._operand(e.args[0])}, None)"
        if e.kind == "matmul":
            return f"dot({', '.join(self._operands(e.args))})"
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

    # Computed arrays.

    def _into(self, e: Expr, out: str | None) -> str:
        """Compute an array, into `out` where it is given; return the buffer's name."""
        if out in self.fixed - self.columnwise and e.kind == "reshape" and product(e.args[0]):
            self._into(e.args[0], self._reshaped(str(out), e.args[0].shape))
            return str(out)
        if e.kind in _VIEWS or e.kind in ("ref", "num") or not e.shape:
            source = self._operand(e)
            out = out or self._buffer(e.shape)
            self.body.append(f"copyto({out}, {source})")
            return out
        result = getattr(self, f"_{e.kind}")(e, out)
        self.shared[e] = result
        return result  # type: ignore[no-any-return]

    def _bin(self, e: Expr, out: str | None) -> str:
        a, b = e.args
        hint = out if a.shape == e.shape and not truth(a) and not truth(e) else None
        left = self._operand(a, hint)
        hint = out if left != out and b.shape == e.shape and not truth(b) and not truth(e) else None
        self._hold(left)
        right = self._operand(b, hint)
        self.held.pop()
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
        if "_one" not in self.fixed:
            self.setup.append("_one = array(1.0)")
            self.fixed.add("_one")

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
        names = self._operands(e.args, hint)
        target = self._target(e, out, *zip(names, e.args))
        # By keyword: NumPy deprecated a third position for maximum and minimum.
        self.body.append(f"{_UFUNCS.get(e.attr, e.attr)}({', '.join(names)}, out={target})")
        return target

    def _where(self, e: Expr, out: str | None) -> str:
        condition, yes, no = self._operands(e.args)
        target = self._target(e, out)
        self.body.append(f"copyto({target}, {no})")
        self.body.append(f"copyto({target}, {yes}, where={condition})")
        return target

    def _take(self, e: Expr, out: str | None) -> str:
        source = self._operand(e.args[0])
        target = self._target(e, out)
        axis = len(e.args[0].shape) - 1
        rows = self._buffer(e.shape, plain=True) if target in self.columnwise else target
        self.body.append(f"{source}.take({e.attr}, {axis}, {rows}, 'clip')")
        if rows != target:
            self.body.append(f"copyto({target}, {rows})")
        return target

    _lookup, _add_rows = row_buffers.lookup, row_buffers.add_rows
    _matmul, _einsum, _sum = sum_buffers.matmul, sum_buffers.einsum, sum_buffers.total
    _segments, _scatter = sum_buffers.segments, sum_buffers.scatter

    _choice = choice_buffers.choice
    _segment_choice = choice_buffers.segment_choice
    _first_true = choice_buffers.first_true
    _segment_first_true = choice_buffers.segment_first_true

    def _embed(self, e: Expr, out: str | None) -> str:
        out = self._zeros(e, out)
        place = f"{out}[{key_text(e.attr[0])}]"
        if e.args[0].shape:
            inner = self._operand(e.args[0])  # not written there at once: dot wants whole rows
            self.body.append(f"copyto({self._hoisted(place)}, {inner})")
        else:
            self.body.append(f"{place} = {self._scalar(e.args[0])}")
        return out


def _number(e: Expr) -> Expr | None:
    """Return the number in an array of one element; None where more than arithmetic is done."""
    if not e.shape:
        return e
    if e.kind == "reshape" and not e.args[0].shape:
        return e.args[0]
    parts = [_number(a) for a in e.args] if e.kind in ("bin", "neg") else [None]
    return None if None in parts else Expr(e.kind, tuple(filter(None, parts)), e.attr, ())


_VIEW_TEXT: dict[str, Callable[[Expr], str]] = {
    "index": lambda e: f"[{key_text(e.attr)}]",
    "transpose": lambda e: ".T" if e.attr == (1, 0) else f".transpose{e.attr}",
    "reshape": lambda e: f".reshape({reshaped(e.attr)})",
}
