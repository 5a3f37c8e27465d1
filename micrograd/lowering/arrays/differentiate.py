"""Differentiation on index notation: from arrays to the arrays that are their adjoints.

Where `out[i] = Σj a[i,j] b[j]`, whatever reads `b` at j adds `Σi dout[i] a[i,j]` to `db[j]`:
upstream × local, summed over the variables that the operand lacks, added where it was read (L5).
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np

from micrograd.core.formulas import FLOATS, specialise
from micrograd.lowering.arrays.axes import flat_places
from micrograd.lowering.arrays.ir import (
    BATCH,
    COMPUTED,
    FIXED,
    LEAVES,
    Array,
    Axis,
    Choice,
    Factor,
    First,
    Formula,
    Read,
    Rows,
    Scale,
    Size,
    Term,
)
from micrograd.lowering.scalars.columns import Ints
from micrograd.lowering.trace.declared import NUMBER


@dataclass(frozen=True, eq=False)
class Upstream:
    """The adjoint of an array over the array's own variables: scale × what is read, if anything."""

    scale: Scale
    read: Read | None = None

    @property
    def factors(self) -> tuple[Read, ...]:
        """Return what is read, as factors of a term."""
        return () if self.read is None else (self.read,)


@dataclass(frozen=True, eq=False)
class Adjoints:
    """The arrays of the backward pass, users before operands.

    `gradients` tells the array of each wanted leaf, `upstream` what the adjoint of each other
    array is: one that only repeats another, or is a number, has no array of its own.
    """

    arrays: tuple[Array, ...]
    gradients: Mapping[Array, Array]
    upstream: Mapping[Array, Upstream]


def adjoints(arrays: Sequence[Array], loss: Array, wanted: Iterable[Array]) -> Adjoints:
    """Return the adjoints that the gradients of the `wanted` leaves need; `arrays` end in `loss`.

    A wanted leaf that the loss does not depend on has a gradient of 0.
    """
    backward = _Backward(arrays, wanted)
    backward.parts[loss] = [Term((), ())]
    for array in reversed(arrays):
        if array in backward.needed:
            backward.visit(array)
    gradients = MappingProxyType(backward.gradients)
    return Adjoints(tuple(backward.arrays), gradients, MappingProxyType(backward.upstream))


class _Backward:
    """Collect the contributions to each array's adjoint."""

    def __init__(self, arrays: Sequence[Array], wanted: Iterable[Array]) -> None:
        self.parts: dict[Array, list[Term]] = {}
        self.arrays: list[Array] = []
        self.gradients: dict[Array, Array] = {}
        self.upstream: dict[Array, Upstream] = {}
        self.needed = set(wanted)
        for array in arrays:
            if any(read.array in self.needed for read in array.reads):
                self.needed.add(array)

    def visit(self, array: Array) -> None:
        """Add up what an array's users gave; hand it on to what the array reads."""
        terms = tuple(self.parts.pop(array, ()))
        if array.kind in LEAVES:
            self.gradients[array] = self._gradient(array, terms)
        elif terms:
            upstream = self.upstream[array] = self._upstream(array, terms)
            for term in array.terms:
                self._through(array, term, upstream)

    def _gradient(self, leaf: Array, terms: tuple[Term, ...]) -> Array:
        """Return the array of a gradient: an adjoint that is equal, unless another leaf has it."""
        same = _repeated(leaf, terms)
        if same is not None and same.scale == Scale() and same.read is not None:
            adjoint = same.read.array
            whole = same.read.same(adjoint.whole) and adjoint.shape == leaf.shape
            own = adjoint.of is not None and adjoint not in self.gradients.values()
            if whole and own and adjoint.batched == leaf.batched:
                return adjoint
        return self._array(leaf, terms)

    def _array(self, array: Array, terms: tuple[Term, ...]) -> Array:
        adjoint = Array(COMPUTED, array.shape, array.nodes, array.batched, terms, of=array)
        self.arrays.append(adjoint)
        return adjoint

    def _upstream(self, array: Array, terms: tuple[Term, ...]) -> Upstream:
        same = _repeated(array, terms)
        return same or Upstream(Scale(), self._array(array, terms).whole)

    def _through(self, array: Array, term: Term, upstream: Upstream) -> None:
        if len(term.factors) == 2 and term.factors[0].reads[0].same(term.factors[1]):
            doubled = replace(upstream, scale=upstream.scale.times(2))  # a square: both are equal
            self._to_factor(array, term, doubled, 0)
            return
        for n in range(len(term.factors)):
            self._to_factor(array, term, upstream, n)

    def _to_factor(self, array: Array, term: Term, upstream: Upstream, n: int) -> None:
        """Hand the upstream gradient, times the other factors, to what one factor reads."""
        factor, others = term.factors[n], term.factors[:n] + term.factors[n + 1 :]
        by_piece = upstream if term.pieces is None else _by_piece(array, term.pieces, upstream)
        for place, local, summed, number in _locals(array, term, factor):
            target = place.table if isinstance(place, Rows) else place.array
            if target in self.needed and target is not None:
                above, sizes = by_piece, term.sizes | dict(summed)
                if place is getattr(factor, "before", None):  # read at the array's own variables
                    above, sizes = upstream, dict(array.axes)
                factors = (*above.factors, *others, *local)
                scale = above.scale.times(*term.scale).times(number)
                kept = array.vars if isinstance(place, Rows) else place.every
                contribution = _contribution(factors, sizes, kept, scale, place)
                _give(self.parts.setdefault(target, []), contribution)


def _give(parts: list[Term], term: Term) -> None:
    """Add a contribution; one that is there already is doubled: the other operand of x * x."""
    for n, other in enumerate(parts):
        if _equal(other, term) and other.scale.batch == term.scale.batch:
            parts[n] = replace(
                other, scale=other.scale._replace(value=other.scale.value + term.scale.value)
            )
            return
    parts.append(term)


def _equal(a: Term, b: Term) -> bool:
    """Return whether two terms are the same products of reads, summed and added alike."""
    if (a.kept, a.summed, len(a.factors)) != (b.kept, b.summed, len(b.factors)) or not a.factors:
        return False
    reads = zip((*a.factors, a.at), (*b.factors, b.at))
    return all(isinstance(x, Read) and x.same(y) for x, y in reads)


def _contribution(
    factors: tuple[Factor, ...],
    sizes: Mapping[int, int | Size],
    kept: tuple[int, ...],
    scale: Scale,
    place: Read | Rows,
) -> Term:
    """Return scale × product of factors, summed over what is not `kept`, as a term at a place."""
    numbers = [number for factor in factors if (number := number_of(factor)) is not None]
    scale = scale.times(math.prod(numbers))
    factors = tuple(factor for factor in factors if number_of(factor) is None)
    read = {var for factor in factors for part in factor.reads for var in part.every}
    summed = []
    for var, size in sizes.items():
        if var in read and var not in kept:
            summed.append((var, size))
        elif var not in kept:  # the same for every value of the variable
            scale = scale.over(size)
    return Term(factors, tuple((var, sizes[var]) for var in kept), tuple(summed), scale, place)


Local = tuple["Read | Rows", tuple[Factor, ...], tuple[Axis, ...], float]


def _locals(array: Array, term: Term, factor: Factor) -> Iterator[Local]:
    """Yield what a factor reads, and its local gradient: factors, variables these add, a number."""
    if isinstance(factor, Read):
        yield factor, (), (), 1.0
    elif isinstance(factor, Formula):
        letters = (*factor.letters, ("out", array.whole))
        for (_, read), text in zip(factor.letters, factor.local):
            number = _number(text, factor.k, letters)
            if number is None and text in dict(letters):
                yield read, (dict(letters)[text],), (), 1.0
            elif number is None:
                yield read, (Formula(factor.op, text, factor.k, letters),), (), 1.0
            elif number:  # 0 is what detach() stops
                yield read, (), (), number
    elif isinstance(factor, Rows):
        if factor.table is not None:
            yield factor, (), (), 1.0
    elif isinstance(factor, Choice):
        yield from _routes(array, term, factor)


def _number(text: str, k: float | None, letters: Iterable[tuple[str, Read]]) -> float | None:
    """Return the number that a formula is, where it needs none but numbers of the code."""
    used = set(re.findall(r"\w+", specialise(text, k)))
    numbers = {letter: number_of(read) for letter, read in letters if letter in used}
    if any(number is None for number in numbers.values()):
        return None
    try:
        return float(
            FLOATS.compile(text, "x, y, k, out")(numbers.get("x"), numbers.get("y"), k, None)
        )
    except (ArithmeticError, ValueError, TypeError):
        return None


def number_of(factor: Factor) -> float | None:
    """Return the number of the code that a factor is, if it is one."""
    if not isinstance(factor, Read) or factor.array.kind != NUMBER:
        return None
    return float(np.asarray(factor.array.data)[factor.index[0].start])


def _routes(array: Array, term: Term, choice: Choice) -> Iterator[Local]:
    """Yield what a choice reads: the first element that equals what was chosen gets everything."""
    lost: tuple[Factor, ...] = ()
    if choice.before is not None:
        letters = (("x", choice.before), ("out", array.whole))
        won, lost = (
            (Formula(choice.op, f"where(x == out, {yes}, {no})", None, letters),)
            for yes, no in ((1, 0), (0, 1))
        )
        yield choice.before, won, (), 1.0
    if choice.axis is None:
        assert term.pieces is not None
        out = _by_piece(array, term.pieces, Upstream(Scale(), array.whole)).read
        assert out is not None
        lost = tuple(_formula_by_piece(array, term.pieces, factor) for factor in lost)
        yield choice.read, (*lost, First(choice.read, out, None)), (), 1.0
    elif choice.axis[0] in choice.read.vars:
        yield (
            choice.read,
            (*lost, First(choice.read, array.whole, choice.axis)),
            (choice.axis,),
            1.0,
        )
    else:  # the same element again and again
        yield choice.read, lost, (), 1.0


def _formula_by_piece(array: Array, pieces: Ints, factor: Factor) -> Factor:
    assert isinstance(factor, Formula)
    letters = tuple(
        (letter, _read_by_piece(array, pieces, read)) for letter, read in factor.letters
    )
    return replace(factor, letters=letters)


def _by_piece(array: Array, pieces: Ints, upstream: Upstream) -> Upstream:
    """Give every term of a ragged sum the value of the sum that it belongs to."""
    if upstream.read is None:
        return upstream
    return replace(upstream, read=_read_by_piece(array, pieces, upstream.read))


def _read_by_piece(array: Array, pieces: Ints, read: Read) -> Read:
    places = flat_places(read, dict(enumerate(array.shape)))
    own = range(len(array.shape))
    moved = places.transpose([read.vars.index(var) for var in own if var in read.vars])
    shape = [array.shape[var] if var in read.vars else 1 for var in own]
    every = np.broadcast_to(moved.reshape(shape), array.shape).reshape(-1)
    return Read(read.array, table=np.repeat(every, np.diff(pieces)), variables=(0,))


def _repeated(array: Array, terms: tuple[Term, ...]) -> Upstream | None:
    """Return an adjoint that is a number, or the same as another one, along all of its axes."""
    terms = _numbers_added(terms)
    if len(terms) != 1 or terms[0].summed or len(terms[0].factors) > 1:
        return None
    (term,) = terms
    own = own_variables(array, term)
    if own is None:
        return None
    if not term.factors:
        return Upstream(term.scale)
    (read,) = term.factors
    if not isinstance(read, Read) or not _plain(read) or term.scale != Scale():
        return None
    return Upstream(
        Scale(), replace(read, index=tuple(i._replace(var=own[i.var]) for i in read.index))
    )


def _numbers_added(terms: tuple[Term, ...]) -> tuple[Term, ...]:
    """Return terms that are plain numbers, all over the same array, as one."""
    same = {(term.scale.batch, len(term.factors), len(term.summed)) for term in terms}
    places = [term.at for term in terms]
    all_over = all(isinstance(at, Read) and _plain(at) for at in places) or places == [None]
    if len(terms) < 2 or same not in ({(0, 0, 0)}, {(-1, 0, 0)}, {(1, 0, 0)}) or not all_over:
        return terms
    total = Scale(sum(term.scale.value for term in terms), terms[0].scale.batch)
    return (replace(terms[0], scale=total),)


def own_variables(array: Array, term: Term) -> dict[int, int] | None:
    """Return an array's variable for each of a term's; None where it is not added all over."""
    if term.at is None:
        return {var: var for var, _ in term.kept}
    place = term.at
    if isinstance(place, Rows) or not _plain(place) or place.shape != array.shape:
        return None
    sizes = term.sizes
    if any(sizes[i.var] != n for i, n in zip(place.index, array.shape)):
        return None
    return {i.var: axis for axis, i in enumerate(place.index)} | {BATCH: BATCH}


def _plain(read: Read) -> bool:
    """Return whether every axis is walked from its beginning, one by one."""
    return (
        read.table is None
        and read.split is None
        and all(i.var != FIXED and (i.start, i.step) == (0, 1) for i in read.index)
    )
