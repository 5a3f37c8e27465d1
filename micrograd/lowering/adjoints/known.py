"""What adjoints are made simpler by: what arrays are called, and which never are infinite."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeGuard

import numpy as np

from micrograd.lowering.adjoints.places import places_where
from micrograd.lowering.adjoints.terms import along, is_divisor, is_plain, like, renamed
from micrograd.lowering.arrays.ir import BATCH, ONE, Array, Factor, Formula, Read, Term
from micrograd.lowering.arrays.reads import coordinates, number_of


@dataclass(frozen=True)
class Known:
    """What terms are made simpler by: adjoints, by their terms, all over their own variables.

    Of the way forward: sums of products; quotients, with what is divided, and by what; what 1 - u
    is called; and what is never infinite.
    """

    terms: dict[Array, list[Term]]
    sums: dict[Array, Term]
    quotients: list[tuple[Array, Read, Read]]
    complements: dict[Array, Read]
    bounded: set[Array]

    def names(self, terms: Sequence[Term]) -> bool:
        """Return whether there can be a name for a part of some terms, or what cancels."""
        above, below = _sides(terms)
        quotients = any(x.array in above and y.array in below for _, x, y in self.quotients)
        complements = any(is_complement(factor) for term in terms for factor in term.factors)
        return quotients or bool(above & below) or complements


def cancels(terms: Iterable[Term], others: Iterable[Term]) -> bool:
    """Return whether some terms may have a factor that others are divided by."""
    return not _sides(terms)[0].isdisjoint(_sides(others)[1])


def _sides(terms: Iterable[Term]) -> tuple[set[Array], set[Array]]:
    """Return the arrays that terms have as factors, and those that they are divided by."""
    above, below = set[Array](), set[Array]()
    for factor in (factor for term in terms for factor in term.factors):
        if isinstance(factor, Read):
            above.add(factor.array)
        elif is_divisor(factor):
            below.add(factor.reads[0].array)
    return above, below


def known_of(arrays: Sequence[Array]) -> Known:
    """Return what is known before there are adjoints."""
    alone = {array: array.terms[0] for array in arrays if len(array.terms) == 1}
    sums = {array: term for array, term in alone.items() if term.summed and term.scale == ONE}
    known = Known({}, sums, [], {}, set())
    for array in arrays:
        formula = array.formula
        read = dict(formula.letters) if formula else {}
        if formula is None:
            finite = known.bounded.issuperset(read.array for read in array.reads)
            bounded = _is_one_hot(array) or (finite and array in sums)
        elif formula.text == "x / y":
            known.quotients.append((array, read["x"], read["y"]))
            bounded = _is_share(array, read["x"], read["y"])
        elif formula.text == "x - y" and number_of(read["x"]) == 1 and _is_like(read["y"], array):
            own = {i.var: axis for axis, i in enumerate(read["y"].index)}
            known.complements[read["y"].array] = renamed(array.whole, own)
            bounded = read["y"].array in known.bounded
        else:
            bounded = formula.op == "sigmoid"
        known.bounded.update([array] if bounded else [])
    return known


def picked(term: Term, known: Known) -> list[Factor]:
    """Return u[j] and 1 / t of a term where t = Σj one_hot[j] u[j]: beside one_hot[j] they are 1.

    Where t is 0 the engine has no slope; u is never infinite.
    """
    for divisor in filter(is_divisor, term.factors):
        t = divisor.reads[0]
        total = known.sums.get(t.array) if t.plain and t.array in known.bounded else None
        if not total or total.at or len(total.summed) > 1:
            continue
        for one_hot in (f for f in term.factors if is_plain(f) and _is_one_hot(f.array)):
            places = {**along(t), total.summed[0][0]: one_hot.vars[-1]}
            found = [like(renamed(factor, places), term.factors) for factor in total.factors]
            if one_hot in found and None not in found:
                return [divisor, *(f for f in found if f and f is not one_hot)]
    return []


def _is_like(read: Read, array: Array) -> bool:
    """Return whether all of an array is read, its axes in any order."""
    return read.plain and sorted(zip(read.every, read.array.sizes)) == sorted(array.axes)


def _is_share(quotient: Array, over: Read, under: Read) -> bool:
    """Return whether a quotient is of powers, and of the sum of all in the same row of them."""
    part, term = over.array, under.array.terms[0] if len(under.array.terms) == 1 else None
    power = part.formula is not None and part.formula.op == "exp"
    if not (power and term and term.scale == ONE and len(term.factors) == 1):
        return False
    (read,) = term.factors
    if not is_plain(read) or read.array is not part:
        return False
    if tuple(term.sizes[i.var] for i in read.index) != part.shape:
        return False
    every = np.arange(quotient.size).reshape(quotient.shape)
    above = coordinates(part.shape, places_where(over, quotient, every))
    below = coordinates(under.array.shape, places_where(under, quotient, every))
    kept = {i.var: axis for axis, i in enumerate(read.index) if i.var < len(below)}
    return all(np.array_equal(below[var], above[axis]) for var, axis in kept.items())


def walked(read: Read, factor: Factor) -> dict[int, int]:
    """Return the variables of `factor` by those of `read`, if both read the same so."""
    if not isinstance(factor, Read) or factor.array is not read.array:
        return {}
    own = dict(zip(read.vars, factor.vars)) | {BATCH: BATCH}
    return own if renamed(read, own).same(factor) else {}


def _is_one_hot(array: Array) -> bool:
    return array.lookup is not None and array.lookup.table is None


def is_complement(factor: Factor) -> TypeGuard[Formula]:
    return isinstance(factor, Formula) and factor.text in ("1 - x", "1 - y", "1 - out")
