"""From index notation to statements: one assignment per array, forward and backward alike."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import reduce
from types import MappingProxyType
from typing import Any

import numpy as np

from micrograd.lowering.adjoints.differentiate import Adjoints
from micrograd.lowering.arrays.form import Arrays
from micrograd.lowering.arrays.ir import (
    ALL,
    BATCH,
    COMPUTED,
    FIXED,
    Array,
    Choice,
    Factor,
    First,
    Formula,
    Read,
    Rows,
    Term,
)
from micrograd.lowering.arrays.reads import brackets, is_range, number_of, selection, used
from micrograd.lowering.code.construct import binary, expression, indexed, reshape, where
from micrograd.lowering.code.contract import (
    MOST_IN_EYE,
    Indexed,
    Sizes,
    aligned,
    as_array,
    combined,
    contract,
    filled,
    reads,
    summed,
    together,
    unit,
)
from micrograd.lowering.code.expr import Assign, Expr, Range, Table, is_number, num, ref, whole
from micrograd.lowering.code.kinds import make
from micrograd.lowering.code.shared import shared
from micrograd.lowering.code.statements import Code, named
from micrograd.lowering.scalars.columns import Ints
from micrograd.lowering.trace.declared import CONSTANT
from micrograd.ops import BY_NAME

_VIEWS = ("reshape", "transpose", "index", "broadcast")


def code_of(arrays: Arrays, backward: Adjoints | None) -> Code:
    """Return the statements of arrays, and of their adjoints where gradients are wanted."""
    gradients = tuple(backward.gradients.items()) if backward else ()
    builder = Builder(frozenset((arrays.loss, *(adjoint for _, adjoint in gradients))))
    forward = builder.statements(array for array in arrays.arrays if array.kind == COMPUTED)
    behind = builder.statements(backward.arrays, full=False) if backward else []
    lines = list(shared((*forward, *behind), arrays.names))
    first = 1 + next(n for n, line in enumerate(lines) if line.array is arrays.loss)
    code = Code(
        tuple(arrays.arguments),
        tuple(array for array in arrays.leaves(CONSTANT) if array.data is not None),
        tuple(lines[:first]),
        tuple(lines[first:]),
        arrays.loss,
        gradients,
        backward is not None,
        tuple(builder.tables.values()),
        MappingProxyType(builder.adjoints),
        backward.into if backward else MappingProxyType({}),
    )
    return named(code, arrays.names, backward)


@dataclass
class Builder:
    """Write the statements of arrays; `tables` are the places that they read by.

    An adjoint that is the same along an axis lacks it, and one that is another array has no line:
    `adjoints` tells what each one is, and its variables. `results` are the arrays that a caller
    gets: new ones, of the full shape.
    """

    results: frozenset[Array] = frozenset()
    tables: dict[bytes, Table] = field(default_factory=dict)
    adjoints: dict[Array, Indexed] = field(default_factory=dict)

    def statements(self, arrays: Iterable[Array], full: bool = True) -> list[Assign]:
        """Return the statements that define the arrays, in their order; adjoints are not `full`."""
        lines = (self._statement(array, full) for array in arrays)
        return [line for line in lines if line is not None]

    def _statement(self, array: Array, full: bool) -> Assign | None:
        value = self._value(array)
        if array in self.results:
            return Assign(array, _fresh(value, array))
        if full:
            return Assign(array, as_array(filled(value, array.vars, dict(array.axes))))
        if value.expr.kind == "ref":
            self.adjoints[array] = value
            return None
        e = as_array(value.expr)
        self.adjoints[array] = Indexed(ref(array, e.shape), value.vars)
        return Assign(array, e)

    def _value(self, array: Array) -> Indexed:
        """Return the sum of an array's terms, over the variables that it depends on.

        The gradient of a table is sparse, unless the table is not only looked up.
        """
        parts, pairs = list[Indexed](), list[Expr]()
        for term in array.terms:
            part = self._term(array, term)
            if isinstance(term.at, Rows):
                vars = tuple(var for var, _ in term.kept)
                ids = self.read(term.at.ids, term.sizes)
                pairs += [aligned(ids, vars[:-1]), filled(part, vars, term.sizes)]
            else:
                parts.append(self._placed(array, term, part))
        laid = [*map(unit, together(parts, array.vars))] or [Indexed(num(0), ())]
        total = reduce(lambda x, y: combined("+", x, y, array.vars), laid)
        if not pairs:
            return total
        if parts:
            first = filled(total, array.vars, dict(array.axes))
            return Indexed(make("add_rows", (first, *pairs)), array.vars)
        assert array.of is not None
        return Indexed(make("rows", (whole(array.of), *pairs)), array.vars)

    def _term(self, array: Array, term: Term) -> Indexed:
        """Return scale · Σ product of factors, over the term's `kept` variables."""
        scale, parts = term.scale, []
        for factor in term.factors:
            part = self._factor(array, term, factor)
            if is_number(part.expr):
                scale = scale.times(part.expr.attr)
            else:
                parts.append(part)
        for var, size in term.summed:
            if not any(var in part.vars for part in parts):
                scale = scale.over(size)
        kept = tuple(var for var, _ in term.kept)
        if isinstance(term.at, Read) and term.at.table is not None:  # it lies as it is added
            *_, vars = self.brackets(array, term.at)
            kept = (*(var for var in kept if var not in vars), *vars)
        return contract(parts, kept, scale)

    def _factor(self, array: Array, term: Term, factor: Factor) -> Indexed:
        sizes = term.sizes
        if isinstance(factor, Read):
            return self.read(factor, sizes)
        if isinstance(factor, Formula):
            return self._formula(factor, sizes)
        if isinstance(factor, Rows):
            return Indexed(self.rows(array, factor), array.vars)
        if isinstance(factor, Choice):
            return self._choice(array, factor, sizes)
        return self._first(factor, sizes)

    def _formula(self, formula: Formula, sizes: Sizes) -> Indexed:
        reads = {letter: self.read(read, sizes) for letter, read in used(formula).items()}
        order = tuple(sorted({var for t in reads.values() for var in t.vars}))
        e = expression(formula.text, formula.k, {x: aligned(t, order) for x, t in reads.items()})
        return Indexed(e, order[len(order) - len(e.shape) :])

    def rows(self, array: Array, rows: Rows) -> Expr:
        """Return the rows that an array looks up; without a table, 1 at the id and 0 elsewhere."""
        ids = self.ids(array, rows)
        if rows.table is not None:
            return make("lookup", (whole(rows.table), ids))
        places = np.arange(array.shape[-1])
        if len(places) <= MOST_IN_EYE:
            return make("eye", (ids,), (len(places), None))
        every = ref(self.table(places), places.shape)
        row = indexed(ids, (*((ALL,) * len(ids.shape)), None))
        return where(binary("==", row, every), 1, 0)

    def ids(self, array: Array, rows: Rows) -> Expr:
        """Return the ids of the rows that an array looks up."""
        return aligned(self.read(rows.ids, dict(array.axes)), array.vars[:-1])

    def _choice(self, array: Array, choice: Choice, sizes: Sizes) -> Indexed:
        z = self.read(choice.read, sizes)
        chosen = [var for var, _ in choice.axes]
        z = summed(z, [var for var in z.vars if var not in chosen], choice.op)
        if choice.before is None:
            return z
        sides = (aligned(t, array.vars) for t in (self.read(choice.before, sizes), z))
        e = expression(BY_NAME[choice.op].value, None, dict(zip("xy", sides)))
        return Indexed(e, array.vars)

    def _first(self, first: First, sizes: Sizes) -> Indexed:
        """Return 1 where an element is the first to equal what was chosen, else 0."""
        z, out = self.read(first.read, sizes), self.read(first.out, sizes)
        vars = [var for var, _ in first.axes]
        hits = combined("==", z, out, z.vars if set(out.vars) < set(z.vars) else (*out.vars, *vars))
        mark = make("first_true", (hits.expr,), tuple(map(hits.vars.index, vars)))
        return Indexed(where(mark, 1, 0), hits.vars)

    def read(self, read: Read, sizes: Sizes) -> Indexed:
        """Return what is read of an array; the batch axis is in front."""
        array = read.array
        if (number := number_of(read)) is not None:
            return Indexed(num(number), ())
        own = self.adjoints.get(array) or Indexed(whole(array), array.vars)
        if read.table is None and read.split is None:
            key = {BATCH: ALL} | dict(enumerate(selection(read, sizes)))
            walked = {BATCH: BATCH} | {axis: i.var for axis, i in enumerate(read.index)}
            e = indexed(own.expr, tuple(key[v] for v in own.vars))
            return Indexed(e, tuple(walked[v] for v in own.vars if walked[v] != FIXED))
        e = filled(own, array.vars, dict(array.axes))
        batch = (BATCH,) if array.batched else ()
        front = e.shape[: len(batch)]
        if read.table is not None:
            shape, items, vars = self.brackets(array, read)
            e = make("take", (reshape(e, front + shape),), (ALL,) * len(batch) + items)
            return Indexed(e, batch + vars)
        parts = (ALL,) * len(batch) + selection(read, sizes)
        return Indexed(indexed(reshape(e, front + read.shape), parts), read.every)

    def _placed(self, array: Array, term: Term, part: Indexed) -> Indexed:
        """Return a term as a part of the whole array, added where `at` reads it."""
        at, sizes = term.at, term.sizes
        if not isinstance(at, Read):
            return part
        batch = tuple(v for v in part.vars if v == BATCH)
        front = tuple(sizes[v] for v in batch)
        result = batch + tuple(range(len(array.shape)))
        if at.table is not None:
            shape, items, vars = self.brackets(array, at)
            where = ((ALL,) * len(batch) + items, front + shape)
            kind = "embed" if len(np.unique(at.table)) == at.table.size else "scatter"
            alone = kind == "embed" and is_number(part.expr)
            values = part.expr if alone else as_array(filled(part, batch + vars, sizes))
            inner = make(kind, (values,), where)
            return Indexed(reshape(inner, front + array.shape), result)
        chosen = selection(at, sizes)
        if all(item == ALL for item in chosen) and at.split is None:
            axis = {var: i for i, var in enumerate(at.vars)} | {BATCH: BATCH}
            return Indexed(part.expr, tuple(axis[v] for v in part.vars))
        all_of_it = all(item == ALL or n == 1 for item, n in zip(chosen, at.shape))
        if all_of_it and not reads(part.expr):
            return Indexed(part.expr, ())
        inner = filled(part, batch + at.vars, sizes)
        if not all_of_it:
            inner = make("embed", (inner,), ((ALL,) * len(batch) + chosen, front + at.shape))
        return Indexed(reshape(inner, front + array.shape), result)

    def brackets(self, array: Array, read: Read) -> tuple[tuple[int, ...], Any, tuple[int, ...]]:
        """Return the shape that an array has to have for a table, what stands in brackets then, and
        the variables of what that reads."""
        assert read.table is not None
        shape, items, vars = brackets(array.shape, read.table, read.variables)
        several = sum(isinstance(item, np.ndarray) for item in items) > 1
        key = list[Any]()
        for item in items:
            if not isinstance(item, np.ndarray):
                key.append(item)
            else:
                even = several and is_range(item)
                key.append(Range(len(item), item.ndim - 1) if even else self.table(item))
        return shape, tuple(key), tuple(vars)

    def table(self, places: Ints) -> Table:
        """Return the table of some places; equal ones are one."""
        code = repr(places.shape).encode() + np.ascontiguousarray(places, np.intp).tobytes()
        return self.tables.setdefault(code, Table(places))


def _fresh(t: Indexed, array: Array) -> Expr:
    """Return what a caller gets: a new array of the full shape, which shows no other's elements."""
    e, full = aligned(t, array.vars), whole(array)
    if not full.shape and array.of is None:
        return e  # the loss, a number
    if e.shape != full.shape or not reads(e):
        return make("full", (e,), full.shape)
    return make("copy", (e,)) if _shown(e).kind == "ref" else e


def _shown(e: Expr) -> Expr:
    """Return what an expression only shows otherwise."""
    return _shown(e.args[0]) if e.kind in _VIEWS else e
