"""Adjoints as a book writes them: a common factor once, a quotient by its name.

    ds[i] = -Σj dy[i,j] y[i,j] / s[i]         of s[i] = Σj u[i,j]
    du[i,j] = dy[i,j] / s[i] + ds[i]          of y[i,j] = u[i,j] / s[i]
    dz[i,j] = du[i,j] u[i,j]                  of u[i,j] = exp(z[i,j])

are dz[i,j] = (dy[i,j] - Σj dy[i,j] y[i,j]) y[i,j], the slope of softmax; in the same way that of
cross-entropy becomes softmax(z) - q (L28). An adjoint that is a product is dissolved for it in the
terms that read it, where nothing else does.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np

from micrograd.lowering.adjoints.known import Known, cancels, is_complement, picked, walked
from micrograd.lowering.adjoints.places import factor_where, own_term
from micrograd.lowering.adjoints.terms import (
    Product,
    along,
    divided_by,
    equal,
    is_divisor,
    is_plain,
    like,
    parted,
    renamed,
    without_one_hots,
)
from micrograd.lowering.arrays.ir import COMPUTED, ONE, Array, Factor, Read, Scale, Term
from micrograd.lowering.arrays.reads import moderate, used

MOST_DISSOLVED = 6  # adjoints: each doubles the ways to look at
Readers = Mapping[Array, set[Array]]


@dataclass(frozen=True)
class Simpler:
    """The terms of an adjoint, simpler; they read `arrays`, new ones, in place of `dissolved`."""

    terms: Sequence[Term]
    arrays: Sequence[Array] = ()
    dissolved: frozenset[Array] = frozenset()

    @property
    def written(self) -> list[Term]:
        """Return all terms, those of the new arrays too."""
        return [*self.terms, *(term for array in self.arrays for term in array.terms)]

    @property
    def reads(self) -> Iterator[Array]:
        """Yield what is read."""
        return (read.array for term in self.written for read in term.reads)

    def length(self, left: Mapping[Array, int]) -> tuple[int, int]:
        """Return how many factors there are, with those that adjoints have that are `left`.

        Of equal ones what dissolves more is shorter.
        """
        kept = sum(count for adjoint, count in left.items() if adjoint not in self.dissolved)
        return kept + _length(self.written), -len(self.dissolved)


def _length(terms: Iterable[Term]) -> int:
    """Return how many factors there are; what is computed counts for several."""
    factors = [factor for term in terms for factor in term.factors]
    return sum(1 if isinstance(f, Read) or is_divisor(f) else 3 for f in factors)


def simpler(array: Array, terms: Sequence[Term], known: Known, readers: Readers) -> Simpler | None:
    """Return the terms of an array's adjoint with less, if there is a way to.

    `readers` tells what else reads an adjoint.
    """
    own = [term for given in terms if (term := own_term(array, given))]
    if len(own) < len(terms) or not any(term.factors for term in own):
        return None
    found, ways = _dissolvable(own, known.terms), list[Simpler]()
    every = [*own, *(term for adjoint in found for term in known.terms[adjoint])]
    if len(own) == 1 and not known.names(every):  # most: a product has nothing in common
        return None
    for count in range(len(found) + 1):
        for chosen in combinations(found, count):
            unread = all(readers[adjoint] <= {*chosen} for adjoint in chosen)
            if unread or (count == 1 and cancels(own, known.terms[chosen[0]])):
                way = _Way(chosen, known).simplified(array, own)
                if way and not unread:  # it stays for others
                    shorter = not way.arrays and _length(way.terms) < _length(own)
                    way = replace(way, dissolved=frozenset()) if shorter else None
                ways += [way] if way and way.dissolved.isdisjoint(way.reads) else []
    left = {adjoint: _length(known.terms[adjoint]) for adjoint in found}
    most = Simpler(own).length(left)[0] + 1  # a number in common takes one array more
    ways = [way for way in ways if way.length(left)[0] <= most]
    return min(ways, key=lambda way: way.length(left), default=None)


def dissolves(array: Array, terms: Sequence[Term]) -> list[Term]:
    """Return an adjoint's terms if they can stand in those that read it; else nothing.

    A product can, and a sum of products, but nothing that is only a product of matrices: the name
    of that would go.
    """
    own = [term for given in terms if (term := own_term(array, given))]
    if len(own) < len(terms) or not all(moderate(term.scale.value) for term in own):
        return []
    if len(own) > 1:
        return [] if any(term.summed for term in own) else own
    inner, outer = parted(own[0]) if own else ((), ())
    return own if outer or len(inner) < 2 else []


def _dissolvable(terms: Iterable[Term], known: Mapping[Array, list[Term]]) -> list[Array]:
    """Return the adjoints that terms read at their own variables, and those within these."""
    found: dict[Array, None] = {}
    waiting = [*terms]
    while waiting:
        for read in filter(is_plain, waiting.pop(0).factors):
            if read.array in known and read.array not in found:
                found[read.array] = None
                waiting += known[read.array]
    return [*found][:MOST_DISSOLVED]


class _Way:
    """One way to write terms: with the adjoints of `dissolved` in place of reads of them."""

    def __init__(self, dissolved: Sequence[Array], known: Known) -> None:
        self.dissolved, self.known = frozenset(dissolved), known
        self.arrays: list[Array] = []
        self.products: dict[Array, list[Term]] = {}  # of what is dissolved
        self.named = False  # whether something was found by its name
        self.cancelled = False
        self.longer = False  # whether a sum, of matrices often, has more factors than before
        self.lost = False  # whether something cannot be told where a term is added

    def simplified(self, array: Array, terms: Sequence[Term]) -> Simpler | None:
        """Return the terms of an array's adjoint; None where they are not simpler."""
        terms = [written for term in terms for written in self._written_out(array, term)]
        factored = self._factored(array, terms)
        sums = any(len(self.known.terms[adjoint]) > 1 for adjoint in self.dissolved)
        gain = self.cancelled or (not sums and (factored or self.named))
        if self.longer or self.lost or not gain or not any(term.factors for term in terms):
            return None  # numbers alone are no array
        return Simpler(factored or terms, self.arrays, self.dissolved)

    def _factored(self, array: Array, terms: Sequence[Term]) -> list[Term]:
        """Return what terms have in common, times a new array; nothing if there is nothing."""
        scale, common = _common(array, terms) if len(terms) > 1 else (ONE, ())
        if not common and scale == ONE:
            return []
        rest = [_without(array, term, scale, common) for term in terms]
        rest.sort(key=lambda term: term.scale.value < 0)  # p - q, not -q + p
        inner = self._array(array, rest)
        return [self._by_name(Term((*common, inner.whole), array.axes, (), scale))]

    def _array(self, like: Array, terms: Iterable[Term]) -> Array:
        nothing = np.zeros(0, np.intp)
        made = Array(COMPUTED, like.shape, nothing, like.batched, tuple(terms))
        self.arrays.append(made)
        return made

    def _written_out(self, array: Array, term: Term) -> list[Term]:
        """Return a term with what it reads of dissolved adjoints written in; of a sum several."""
        products = [Product((), term.scale)]
        for factor in term.factors:
            parts = [Product((factor,))]
            if is_plain(factor) and factor.array in self.dissolved:
                parts = [self._part(array, factor, t) for t in self._terms(factor.array)]
                self.longer |= len(parts) > 1 and bool(term.summed)
            products = [product.times(part) for product in products for part in parts]
        return [self._short(array, term, product) for product in products]

    def _part(self, array: Array, read: Read, term: Term) -> Product:
        """Return a term of a dissolved adjoint as a factor where that is read."""
        if term.at is None:
            own = along(read)
            return Product(tuple(renamed(factor, own) for factor in term.factors), term.scale)
        self.lost |= not read.same(read.array.whole) or read.array.axes != array.axes
        return Product((), term.scale, (term,))

    def _short(self, array: Array, term: Term, product: Product) -> Term:
        """Return a term that is another product, with as few factors as there need be."""
        whole = replace(term, factors=product.factors, scale=product.scale)
        if product.places:
            whole = self._at(array, whole, *product.places)
        simple = self._cancelled(self._by_name(self._complemented(without_one_hots(whole))))
        self.longer |= len(parted(simple)[0]) > len(parted(term)[0])
        return simple

    def _at(self, array: Array, term: Term, place: Term, *others: Term) -> Term:
        """Return a product with a term that is added at some places only: it is 0 elsewhere."""
        self.lost |= bool(others or term.summed or term.at)
        if self.lost:
            return term
        found = [factor_where(factor, array, place) for factor in term.factors]
        factors = tuple(factor for factor in found if factor is not None)
        self.lost |= len(factors) < len(found)
        assert isinstance(place.at, Read)
        return replace(
            place,
            factors=(*place.factors, *factors),
            scale=term.scale,
            at=replace(place.at, array=array),
        )

    def _terms(self, adjoint: Array) -> list[Term]:
        """Return a dissolved adjoint as products; what they sum becomes an array of its own."""
        if adjoint not in self.products:
            known = self.known.terms[adjoint]
            written = [t for term in known for t in self._written_out(adjoint, term)]
            self.products[adjoint] = [self._product(adjoint, t) if t.summed else t for t in written]
        return self.products[adjoint]

    def _product(self, adjoint: Array, term: Term) -> Term:
        """Return a sum as an array, of the way forward where that has it, times what is outside."""
        inner, outer = parted(term)
        total = Term(inner, term.kept, term.summed)
        array = next((a for a, term in self.known.sums.items() if equal(term, total)), None)
        array = array or self._array(adjoint, [total])
        return Term((array.whole, *outer), term.kept, (), term.scale)

    def _complemented(self, term: Term) -> Term:
        """Return a term with what the way forward calls 1 - u in place of it."""
        factors = tuple(self._complement(factor) or factor for factor in term.factors)
        return replace(term, factors=factors)

    def _complement(self, factor: Factor) -> Read | None:
        for read in used(factor).values() if is_complement(factor) else ():
            if read.plain and (known := self.known.complements.get(read.array)):
                self.named = True
                return renamed(known, along(read))  # type: ignore[no-any-return]
        return None

    def _cancelled(self, term: Term) -> Term:
        """Return a term without u · 1 / u, of a u that is never infinite.

        Where it is 0 the engine has no slope.
        """
        if gone := picked(term, self.known):
            term = replace(term, factors=tuple(f for f in term.factors if f not in gone))
            self.cancelled = True
        for factor in filter(is_plain, term.factors):
            others = [f for f in term.factors if f is not factor]
            bounded = factor.array in self.known.bounded
            if bounded and (over := like(divided_by(factor), others)):
                others.remove(over)
                self.cancelled = True
                return self._cancelled(replace(term, factors=tuple(others)))
        return term

    def _by_name(self, term: Term) -> Term:
        """Return a term with y in place of u · 1 / s, where the way forward has y = u / s."""
        for quotient, over, under in self.known.quotients:
            for factor in term.factors:
                own = walked(over, factor)
                sizes = {axis: term.sizes.get(var) for axis, var in own.items()}
                if own and all(sizes.get(axis) == n for axis, n in quotient.axes):
                    others = [f for f in term.factors if f is not factor]
                    if divisor := like(divided_by(renamed(under, own)), others):
                        others.remove(divisor)
                        self.named = True
                        whole = renamed(quotient.whole, own)
                        return self._by_name(replace(term, factors=(whole, *others)))
        return term


def _common(array: Array, terms: Sequence[Term]) -> tuple[Scale, tuple[Factor, ...]]:
    """Return the number and the factors that all terms have, outside of their sums."""
    values, batches = {abs(t.scale.value) for t in terms}, {t.scale.batch for t in terms}
    value = min(values) if len(values) == 1 else 1.0
    scale = Scale(value if moderate(value) else 1.0, min(batches) if len(batches) == 1 else 0)
    first, *others = sorted(terms, key=lambda term: term.at is not None)
    common = list[Factor]()
    for factor in () if first.at else parted(first)[1]:
        rest = [_without(array, term, ONE, (*common, factor)) for term in others]
        if all(len(new.factors) + len(common) < len(t.factors) for new, t in zip(rest, others)):
            common.append(factor)
    return scale, tuple(common)


def _without(array: Array, term: Term, scale: Scale, common: Iterable[Factor]) -> Term:
    """Return a term divided by a number, and by those of some factors that it has."""
    factors = [*term.factors]
    for factor in common:
        there = factor_where(factor, array, term)
        found = there and like(there, parted(replace(term, factors=tuple(factors)))[1])
        factors = [f for f in factors if f is not found]
    value, batch = term.scale.value / scale.value, term.scale.batch - scale.batch
    return replace(term, factors=tuple(factors), scale=Scale(value, batch))
