"""From arrays to statements: forward, one assignment per array, and backward, one per adjoint."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from micrograd.lowering import choices, gathers
from micrograd.lowering import expr as ex
from micrograd.lowering.expr import Assign, Expr
from micrograd.lowering.formulas import expression
from micrograd.lowering.ir import (
    BATCH,
    CHOICE,
    ELEMENT,
    LEAVES,
    LOOKUP,
    NUMBER,
    Array,
    Operand,
    Term,
)
from micrograd.lowering.names import TEMPORARY
from micrograd.lowering.tensors import (
    Constants,
    Sizes,
    Tensor,
    aligned,
    axes,
    by_piece,
    combined,
    contract,
    filled,  # fmt: skip
    pieces,
    selection,
    sizes_of,
    view,
    whole,
)
from micrograd.ops import BY_NAME


def letters(array: Array, constants: Constants) -> dict[str, Expr]:
    """Return what x, y and out are in the formulas of an elementary array."""
    views = [view(operand, sizes_of(array), constants) for operand in array.operands]
    named = {letter: aligned(t, axes(array)) for letter, t in zip("xy", views)}
    return named | {"out": whole(array)}


def value(array: Array, constants: Constants) -> Expr:
    """Return the expression that defines an array."""
    if array.kind == ELEMENT:
        return expression(BY_NAME[array.op].value, array.k, letters(array, constants))
    if array.kind == CHOICE:
        return choices.chosen(array, constants)
    if array.kind == LOOKUP:
        return gathers.looked_up(array, constants)
    parts = [_term(array, term, constants) for term in _products_first(array.terms)]
    total = parts[0]
    for part in parts[1:]:
        total = combined("+", total, part, axes(array))
    return aligned(total, axes(array))


def _products_first(terms: Iterable[Term]) -> list[Term]:
    """Order the terms as they are written: products, single arrays, numbers."""
    return sorted(terms, key=lambda term: (term.b is None, not term.summed,
                                           term.a.array.kind == NUMBER))  # fmt: skip


def _term(array: Array, term: Term, constants: Constants) -> Tensor:
    sizes = sizes_of(array, term)
    a = view(term.a, sizes, constants)
    b = Tensor(ex.num(1), ()) if term.b is None else view(term.b, sizes, constants)
    if term.segments is None:
        return contract(a, b, axes(array), [var for var, _ in term.summed], sizes)
    flat = combined("*", a, b, ((BATCH,) if array.batched else ()) + (0,))
    return pieces(array, term, flat, constants, ex.segment_sum)


class Backward:
    """Collect the contributions to each array's adjoint, users before operands."""

    def __init__(self, arrays: list[Array], wanted: set[str], constants: Constants) -> None:
        self.arrays, self.constants = arrays, constants
        self.parts: dict[Array, list[Tensor]] = {}
        self.rows: dict[Array, tuple[Expr, ...]] = {}  # by table: ids, what its rows get, ids, ...
        self.needed: set[Array] = set()
        for array in arrays:
            if array.name in wanted or any(
                a in self.needed for a in (array.table, *(o.array for o in array.reads))
            ):
                self.needed.add(array)
        self.lines: list[Assign] = []
        self.renamed: dict[str, Expr] = {}  # adjoints that pass on unchanged to a better name
        self.gradients: dict[str, str] = {}
        self.adjoints: dict[str, Tensor] = {}  # by array: what its adjoint is called

    def run(self, root: Array, seed: Tensor, adjoint_name: dict[Array, str]) -> None:
        """Write the statements of the backward pass."""
        self.parts[root] = [seed]
        for array in reversed(self.arrays):
            if array not in self.needed:
                continue
            upstream = self._adjoint(array, adjoint_name[array])
            if array.kind in LEAVES:
                self.gradients[array.name] = self._gradient(array, upstream, adjoint_name[array])
            elif upstream is not None:
                self.adjoints[array.name] = upstream
                self._through(array, upstream)
            if array.kind == LOOKUP and upstream is not None:
                self._to_rows(array, upstream, adjoint_name[array])
        self.lines = renamed(self.lines, self.renamed)
        self.adjoints = {name: Tensor(t.expr.replaced(self.renamed), t.vars)
                         for name, t in self.adjoints.items()}  # fmt: skip

    def _adjoint(self, array: Array, name: str) -> Tensor | None:
        """Sum the contributions and give the sum a name; a plain number needs none."""
        parts = self.parts.pop(array, None)
        if parts is None:
            return None
        total = parts[0]
        for part in parts[1:]:
            total = combined("+", total, part, axes(array))
        made_here = _is_named(total.expr, {line.name for line in self.lines}.__contains__)
        written = array.kind in (*LEAVES, LOOKUP)  # by a line of its own, in any case
        passes_on = made_here and (not written or total.vars == axes(array))
        if passes_on and TEMPORARY.match(total.expr.attr) and not TEMPORARY.match(name):
            self.renamed.setdefault(total.expr.attr, ex.ref(name, total.expr.shape))
        if _is_named(total.expr) or ex.is_number(total.expr) or written:
            return total
        self.lines.append(Assign(name, total.expr))
        return Tensor(ex.ref(name, total.expr.shape), total.vars)

    def _gradient(self, array: Array, total: Tensor | None, name: str) -> str:
        pairs = self.rows.get(array, ())
        sparse = pairs and total is None
        total = Tensor(ex.num(0), ()) if total is None else total
        dense = filled(total, axes(array), sizes_of(array))
        if pairs:
            dense = gathers.gradient(array, pairs, None if sparse else dense)
        self.lines.append(Assign(name, dense))
        if not pairs:
            self.adjoints[array.name] = Tensor(ex.ref(name, dense.shape), axes(array))
        return name

    def _through(self, array: Array, upstream: Tensor) -> None:
        if array.kind == ELEMENT:
            names = letters(array, self.constants)
            for operand, text in zip(array.operands, BY_NAME[array.op].local):
                if operand.array in self.needed and text != "0":
                    local = _tensor(expression(text, array.k, names), array)
                    self._contribute(operand, upstream, local, sizes_of(array), axes(array))
        if array.kind == CHOICE:
            for operand, part, local, sizes, over in choices.routed(
                array, upstream, self.constants
            ):
                self._maybe(operand, part, local, sizes, over)
            return
        for term in array.terms:
            sizes = sizes_of(array, term)
            if term.segments is not None:
                self._through_segments(array, term, upstream, sizes)
            else:
                over = axes(array) + tuple(var for var, _ in term.summed)
                self._through_term(term, upstream, sizes, over)

    def _to_rows(self, array: Array, upstream: Tensor, name: str) -> None:
        """Give the adjoint of what was looked up to the rows of its table."""
        assert array.table is not None
        given = filled(upstream, axes(array), sizes_of(array))
        if not _is_named(given):
            self.lines.append(Assign(name, given))
            given = ex.ref(name, given.shape)
        self.adjoints[array.name] = Tensor(given, axes(array))
        pair = (gathers.chosen(array, self.constants), given)
        self.rows[array.table] = self.rows.get(array.table, ()) + pair

    def _through_segments(self, array: Array, term: Term, upstream: Tensor, sizes: Sizes) -> None:
        batch = (BATCH,) if array.batched else ()
        taken = by_piece(array, term, upstream, self.constants)
        self._through_term(term, taken, sizes, (*batch, 0))

    def _through_term(self, term: Term, upstream: Tensor, sizes: Sizes,
                      over: tuple[int, ...]) -> None:  # fmt: skip
        one = Tensor(ex.num(1), ())
        a, b = term.a, term.b
        if b is None:
            return self._maybe(a, upstream, one, sizes, over)
        views = [view(operand, sizes, self.constants) for operand in (a, b)]
        if views[0] == views[1]:  # a square: both contributions are the same
            twice = Tensor(ex.binary("*", ex.num(2), views[0].expr), views[0].vars)
            return self._maybe(a, upstream, twice, sizes, over)
        self._maybe(a, upstream, views[1], sizes, over)
        return self._maybe(b, upstream, views[0], sizes, over)

    def _maybe(self, operand: Operand, upstream: Tensor, local: Tensor, sizes: Sizes,
               over: tuple[int, ...]) -> None:  # fmt: skip
        if operand.array in self.needed:
            self._contribute(operand, upstream, local, sizes, over)

    def _contribute(self, operand: Operand, upstream: Tensor, local: Tensor, sizes: Sizes,
                    every: tuple[int, ...]) -> None:  # fmt: skip
        """Sum upstream × local over the variables that the operand lacks; put it in place."""
        kept = ((BATCH,) if operand.array.batched else ()) + operand.vars
        over = [var for var in every if var not in kept]
        part = contract(upstream, local, kept, over, sizes)
        self.parts.setdefault(operand.array, []).append(self._placed(operand, part, sizes))

    def _placed(self, operand: Operand, part: Tensor, sizes: Sizes) -> Tensor:
        """Return a contribution as one to the whole array that the operand reads."""
        array = operand.array
        batch = tuple(v for v in part.vars if v == BATCH)
        front = tuple(sizes[v] for v in batch)
        result = batch + tuple(range(len(array.shape)))
        if operand.table is not None:
            every = filled(part, batch + operand.vars, sizes)
            flat = ex.scatter(every, self.constants.named(operand.table), array.size, len(batch))
            return Tensor(ex.reshape(flat, front + array.shape), result)
        chosen = selection(operand, sizes)
        if all(item == ex.ALL for item in chosen):
            if operand.split is None:
                axis = {var: i for i, var in enumerate(operand.vars)} | {BATCH: BATCH}
                return Tensor(part.expr, tuple(axis[v] for v in part.vars))
            every = filled(part, batch + operand.vars, sizes)
        elif all(item == ex.ALL or n == 1 for item, n in zip(chosen, operand.shape)):
            every = filled(part, batch + operand.vars, sizes)
        else:
            inner = filled(part, batch + operand.vars, sizes)
            every = ex.embed(inner, (ex.ALL,) * len(batch) + chosen, front + operand.shape)
        return Tensor(ex.reshape(every, front + array.shape), result)


def _is_named(e: Expr, like: Callable[[str], object] = bool) -> bool:
    return e.kind == "ref" and bool(like(e.attr))


def renamed(lines: Iterable[Assign], names: dict[str, Expr]) -> list[Assign]:
    """Return the statements with other names."""
    new = {old: expr.attr for old, expr in names.items()}
    found = (Assign(new.get(line.name, line.name), line.expr.replaced(names)) for line in lines)
    return [line for line in found if not (line.expr.kind == "ref" and line.expr.attr == line.name)]


def _tensor(e: Expr, array: Array) -> Tensor:
    """Give an expression over the axes of an array their variables; size 1 means it lacks one."""
    vars = axes(array)[len(axes(array)) - len(e.shape) :]
    sizes = sizes_of(array)
    repeated = [i for i, (n, v) in enumerate(zip(e.shape, vars)) if n == 1 and sizes[v] != 1]
    if not repeated:
        return Tensor(e, vars)
    key = tuple(0 if i in repeated else ex.ALL for i in range(len(vars)))
    e = _without(e, repeated) or ex.indexed(e, key)
    return Tensor(e, tuple(v for i, v in enumerate(vars) if i not in repeated))


def _without(e: Expr, axes: list[int]) -> Expr | None:
    """Return an expression without axes of size 1, where all its parts got them by an index."""
    if e.kind == "index":
        put_in = [i for i, item in enumerate(e.attr) if item is None]
        only = all(item in (None, ex.ALL) for item in e.attr)
        return e.args[0] if only and put_in == axes else None
    if e.kind not in ("bin", "call", "neg", "not"):
        return None
    parts = [a if not a.shape else _without(a, axes) for a in e.args]
    if any(part is None or (part.shape and len(a.shape) != len(e.shape))
           for part, a in zip(parts, e.args)):  # fmt: skip
        return None
    shape = tuple(n for i, n in enumerate(e.shape) if i not in axes)
    return Expr(e.kind, tuple(part for part in parts if part is not None), e.attr, shape)
