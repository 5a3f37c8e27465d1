"""Statements as NumPy calls that write into buffers made once per batch size.

What a view shows of a parameter or a buffer stays true as its contents change, so views are made
once, with the buffers; only views of inputs are made at every call.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable

import numpy as np

from micrograd.lowering import row_buffers
from micrograd.lowering.allocation import Allocation
from micrograd.lowering.expr import COMPARISONS, Assign, B, Expr, shown_number
from micrograd.lowering.layout import contiguous, product, stacked_product, tall, truth
from micrograd.lowering.names import NUMPY
from micrograd.lowering.tanh import tanh
from micrograd.lowering.text import key_text, reshaped, shape_text, shown

_UFUNCS = {
    "+": "add", "-": "subtract", "*": "multiply", "/": "divide", "**": "power",
    "<": "less", "<=": "less_equal", ">": "greater", ">=": "greater_equal",
    "==": "equal", "!=": "not_equal", "abs": "absolute",
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
            return self._whole_sum(e)
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

    def _whole_sum(self, e: Expr) -> str:
        inner = e.args[0]
        over = f" / {B}" if e.kind == "mean" else ""
        product = inner.kind == "bin" and inner.attr == "*"
        if product and inner.args[0].shape == inner.args[1].shape and all(map(_vector, inner.args)):
            return f"dot({', '.join(map(self._flat, inner.args))}){over}"
        if _vector(inner) or (len(inner.shape) == 1 and not truth(inner)):
            n = self._hoisted(f"ones({' * '.join(map(str, inner.shape))})")
            return f"dot({self._flat(inner)}, {n}){over}"  # BLAS sums faster than a ufunc
        return f"add.reduce({self._operand(inner)}, None){over}"

    def _flat(self, e: Expr) -> str:
        return self._operand(e) if len(e.shape) == 1 else self._reshaped(e.attr, (-1,))

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

    def _matmul(self, e: Expr, out: str | None) -> str:
        a, b = e.args
        target = self._target(e, out)
        left, right = self._operands((a, b))
        if len(a.shape) > 2 and contiguous(a):
            left = self._reshaped(left, (-1, a.shape[-1]))
            rows = self._buffer(e.shape, plain=True) if target in self.columnwise else target
            flat = self._hoisted(f"{rows}.reshape({reshaped((-1, *e.shape[len(a.shape) - 1 :]))})")
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

    def _sum(self, e: Expr, out: str | None) -> str:
        inner = e.args[0]
        whole_rows = contiguous(inner) and not truth(inner)
        source = self._operand(inner)
        target = self._target(e, out)
        leading = e.attr == tuple(range(len(inner.shape) - 1))
        if whole_rows and leading and len(inner.shape) > 1:
            n = self._hoisted(f"ones({' * '.join(map(str, inner.shape[:-1]))})")
            rows = source
            if len(inner.shape) > 2:
                rows = self._reshaped(source, (-1, inner.shape[-1]))
            self.body.append(f"dot({n}, {rows}, {target})")
        elif whole_rows and len(inner.shape) == 2:
            n = self._hoisted(f"ones({inner.shape[1]})")
            self.body.append(f"dot({source}, {n}, {target})")
        else:
            axes = e.attr[0] if len(e.attr) == 1 else e.attr
            self.body.append(f"add.reduce({source}, {axes}, None, {target})")
        return target

    def _einsum(self, e: Expr, out: str | None) -> str:
        left, right = self._operands(e.args)
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

    _lookup, _add_rows = row_buffers.lookup, row_buffers.add_rows

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
        table = e.attr[0]
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


def _vector(e: Expr) -> bool:
    """Return whether the elements can be seen as one vector."""
    if len(e.shape) == 1:
        return e.kind == "ref" or (e.kind == "index" and contiguous(e))
    return e.kind == "ref" and not tall(e.shape)


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
