"""Differentiation on index notation: from arrays to the arrays that are their adjoints.

Where `out[i] = Σj a[i,j] b[j]`, whatever reads `b` at j adds `Σi dout[i] a[i,j]` to `db[j]`:
upstream × local, summed over the variables that the operand lacks, added where it was read (L5).
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from micrograd.core.formulas import FLOATS
from micrograd.lowering.adjoints.known import known_of
from micrograd.lowering.adjoints.places import own_variables, read_where
from micrograd.lowering.adjoints.simplify import Simpler, dissolves, simpler
from micrograd.lowering.adjoints.terms import equal, factors_of
from micrograd.lowering.arrays.ir import (
    COMPUTED,
    LEAVES,
    ONE,
    Array,
    Choice,
    Factor,
    First,
    Formula,
    Read,
    Rows,
    Scale,
    Term,
)
from micrograd.lowering.arrays.reads import flat_places, number_of, used, without_idle


@dataclass(frozen=True, eq=False)
class Adjoints:
    """The arrays of the backward pass, users before operands.

    `gradients` tells the array of each wanted leaf, `upstream` what the adjoint of each other
    array is over its variables: one that is a number or only repeats another has no array.
    `into` tells of an adjoint that is dissolved, and so not among the arrays, in which it is.
    """

    arrays: tuple[Array, ...]
    gradients: Mapping[Array, Array]
    upstream: Mapping[Array, Term]
    into: Mapping[Array, Array]


def adjoints(arrays: Sequence[Array], loss: Array, wanted: Iterable[Array]) -> Adjoints:
    """Return the adjoints that the gradients of the `wanted` leaves need; `arrays` end in `loss`.

    A wanted leaf that the loss does not depend on has a gradient of 0.
    """
    backward = _Backward(arrays, wanted)
    backward.parts[loss] = [Term((), ())]
    for array in reversed(arrays):
        if array in backward.needed:
            backward.visit(array)
    made = tuple(array for array in backward.arrays if array not in backward.into)
    return Adjoints(
        made,
        MappingProxyType(backward.gradients),
        MappingProxyType(backward.upstream),
        MappingProxyType(backward.into),
    )


class _Backward:
    """Collect the contributions to each array's adjoint."""

    def __init__(self, arrays: Sequence[Array], wanted: Iterable[Array]) -> None:
        self.parts: dict[Array, list[Term]] = {}
        self.arrays: list[Array] = []
        self.gradients: dict[Array, Array] = {}
        self.upstream: dict[Array, Term] = {}
        self.into: dict[Array, Array] = {}
        self.readers = defaultdict[Array, set[Array]](set)
        self.known = known_of(arrays)
        self.needed = set(wanted)
        for array in arrays:
            if any(read.array in self.needed for read in array.reads) and not _stops(array):
                self.needed.add(array)

    def visit(self, array: Array) -> None:
        """Add up what an array's users gave; hand it on to what the array reads."""
        given = self.parts.pop(array, [])
        self._reads(array, given, now=False)
        way = self._simpler(array, given)
        terms, dissolved = tuple(way.terms), way.dissolved
        same = _repeated(array, terms)
        if array.kind in LEAVES:
            adjoint = self._shared(array, same) if same else None
            adjoint = self.gradients[array] = adjoint or self._array(array, terms)
            self.known.terms.pop(adjoint, None)  # a result stays
            self.into |= dict.fromkeys(dissolved, adjoint)
        elif terms:
            upstream = same or Term((self._array(array, terms).whole,), array.axes)
            self.upstream[array] = upstream
            self.into |= {d: read.array for d in dissolved for read in upstream.reads}
            for term in array.terms:
                self._through(array, term, upstream)

    def _simpler(self, array: Array, terms: list[Term]) -> Simpler:
        """Return an adjoint's terms as a person would write them."""
        way = simpler(array, terms, self.known, self.readers) or Simpler(terms)
        for adjoint in way.dissolved:
            self._reads(adjoint, adjoint.terms, now=False)
        for made in way.arrays:
            self._keep(made)
        return way

    def _reads(self, reader: Array, terms: Iterable[Term], now: bool = True) -> None:
        """Note what reads what the terms of a reader read; or, if not `now`, no longer."""
        change = set.add if now else set.discard
        for array in {read.array for term in terms for read in term.reads}:
            change(self.readers[array], reader)

    def _shared(self, leaf: Array, same: Term) -> Array | None:
        """Return the adjoint that a leaf's gradient is equal to, unless another leaf has it."""
        for read in same.reads:
            adjoint = read.array
            whole = adjoint.whole.same(read) and adjoint.axes == leaf.axes
            if whole and adjoint.of is not None and adjoint not in self.gradients.values():
                return adjoint
        return None

    def _array(self, array: Array, terms: tuple[Term, ...]) -> Array:
        adjoint = Array(COMPUTED, array.shape, array.nodes, array.batched, terms, of=array)
        self._keep(adjoint)
        return adjoint

    def _keep(self, adjoint: Array) -> None:
        """Keep an adjoint, and its terms for those that read it."""
        self.arrays.append(adjoint)
        self._reads(adjoint, adjoint.terms)
        if terms := dissolves(adjoint, adjoint.terms):
            self.known.terms[adjoint] = terms

    def _through(self, array: Array, term: Term, upstream: Term) -> None:
        """Hand the upstream gradient, times the other factors, to what each factor reads."""
        above: Iterable[Factor] = upstream.factors
        if isinstance(term.at, Read):
            above = [read_where(read, array, term.at, term.sizes) for read in upstream.reads]
        for n, factor in enumerate(term.factors):
            others = (*above, *term.factors[:n], *term.factors[n + 1 :])
            for place, local, number in _locals(array, factor):
                target = place.table if isinstance(place, Rows) else place.array
                if target in self.needed and target is not None:
                    scale = upstream.scale.times(*term.scale).times(number)
                    kept = array.vars if isinstance(place, Rows) else place.every
                    contribution = _contribution((*others, *local), term, kept, scale, place)
                    _give(self.parts.setdefault(target, []), contribution)
                    self._reads(target, [contribution])


def _stops(array: Array) -> bool:
    """Return whether nothing goes back through an array, as through x.detach()."""
    return all(
        isinstance(factor, Formula) and set(factor.local) == {"0"}
        for term in array.terms
        for factor in term.factors
    )


def _give(parts: list[Term], term: Term) -> None:
    """Add a contribution; one that is there already is doubled: the other operand of x * x."""
    for n, other in enumerate(parts):
        if equal(other, term) and other.scale.batch == term.scale.batch:
            value = other.scale.value + term.scale.value
            parts[n] = replace(other, scale=other.scale._replace(value=value))
            return
    parts.append(term)


def _contribution(
    factors: tuple[Factor, ...], term: Term, kept: tuple[int, ...], scale: Scale, at: Read | Rows
) -> Term:
    """Return scale × product of factors, summed over what is not `kept`, as a term at a place."""
    numbers = list(map(number_of, factors))
    scale = scale.times(math.prod(n for n in numbers if n is not None))
    factors = tuple(factor for factor, n in zip(factors, numbers) if n is None)
    every, sizes = (*term.kept, *term.summed), term.sizes
    summed = tuple(axis for axis in every if axis[0] not in kept)
    return without_idle(Term(factors, tuple((v, sizes[v]) for v in kept), summed, scale, at))


Local = tuple["Read | Rows", tuple[Factor, ...], float]


def _locals(array: Array, factor: Factor) -> Iterator[Local]:
    """Yield what a factor reads, and its local gradient: factors and a number."""
    if isinstance(factor, Formula):
        letters = dict(factor.letters) | {"out": array.whole}
        for (_, read), text in zip(factor.letters, factor.local):
            formula = Formula(factor.op, text, factor.k, tuple(letters.items()))
            number = _number(formula)
            if number is None:
                yield read, *factors_of(formula)
            elif number:  # 0 is what detach() stops
                yield read, (), number
    elif isinstance(factor, Choice):
        yield from _routes(array, factor)
    elif isinstance(factor, (Read, Rows)):
        yield factor, (), 1.0


def _number(formula: Formula) -> float | None:
    """Return the number that a formula is, where it needs none but numbers of the code."""
    numbers = {letter: number_of(read) for letter, read in used(formula).items()}
    if None in numbers.values():
        return None
    compiled = FLOATS.compile(formula.text, "x, y, k, out")
    try:
        return float(compiled(numbers.get("x"), numbers.get("y"), formula.k, None))
    except (ArithmeticError, ValueError, TypeError):
        return None


def _routes(array: Array, choice: Choice) -> Iterator[Local]:
    """Yield what a choice reads: the first element that equals what was chosen gets everything."""
    marks: tuple[Factor, ...] = ()
    if choice.before is not None:
        letters = (("x", choice.before), ("out", array.whole))
        won, lost = (
            Formula(choice.op, f"where(x == out, {yes}, {no})", None, letters)
            for yes, no in ((1, 0), (0, 1))
        )
        yield choice.before, (won,), 1.0
        marks = (lost,)
    if axes := tuple(axis for axis in choice.axes if axis[0] in choice.read.vars):
        marks = (*marks, First(choice.read, array.whole, axes))  # of several elements
    yield choice.read, marks, 1.0


def _repeated(array: Array, terms: tuple[Term, ...]) -> Term | None:
    """Return an adjoint that is a number, or the same as another one, along all of its axes."""
    if _is_even(array, terms):
        return Term((), array.axes, scale=terms[0].scale)
    own = own_variables(array, terms[0]) if len(terms) == 1 and not terms[0].summed else None
    if own is None:
        return None
    factors, scale = terms[0].factors, terms[0].scale
    if not factors:
        return Term((), array.axes, scale=scale)
    read = factors[0]
    if len(factors) > 1 or not isinstance(read, Read) or not read.plain or scale != ONE:
        return None
    index = tuple(i._replace(var=own[i.var]) for i in read.index)
    return Term((replace(read, index=index),), array.axes)


def _is_even(array: Array, terms: tuple[Term, ...]) -> bool:
    """Return whether terms give every element of an array one number, once."""
    places = list[int]()
    for term in terms:
        if term.factors or term.scale != terms[0].scale or not isinstance(term.at, Read):
            return False
        sizes: dict[int, Any] = term.sizes
        places += flat_places(term.at, sizes).ravel().tolist()
    return sorted(places) == [*range(array.size)]
