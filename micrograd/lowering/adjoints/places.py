"""Where terms are added: over an array's own variables, or at some of its places."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from micrograd.lowering.adjoints.terms import renamed
from micrograd.lowering.arrays.ir import BATCH, Array, Factor, Formula, Read, Rows, Term
from micrograd.lowering.arrays.reads import coordinates, flat_places
from micrograd.lowering.arrays.reads import read as read_at
from micrograd.lowering.scalars.columns import Ints


def own_term(array: Array, term: Term) -> Term | None:
    """Return a term over an array's own variables, or a product at places of it; else None."""
    own = own_variables(array, term)
    if own is None:
        simple = all(isinstance(factor, (Read, Formula)) for factor in term.factors)
        return term if isinstance(term.at, Read) and simple and not term.summed else None
    over = {var: len(array.shape) + n for n, (var, _) in enumerate(term.summed)}
    new = own | over | {BATCH: BATCH}
    factors = tuple(renamed(factor, new) for factor in term.factors)
    return Term(factors, array.axes, tuple((new[v], n) for v, n in term.summed), term.scale)


def own_variables(array: Array, term: Term) -> dict[int, int] | None:
    """Return an array's variable for each of a term's; None where it is not added all over."""
    if term.at is None:
        return {var: var for var, _ in term.kept}
    place, sizes = term.at, term.sizes
    if isinstance(place, Rows) or not place.plain:
        return None
    if any(sizes[i.var] != n for i, n in zip(place.index, array.shape)):
        return None
    return {i.var: axis for axis, i in enumerate(place.index)}


def factor_where(factor: Factor, array: Array, term: Term) -> Factor | None:
    """Return what a factor over an array's own variables is where a term is added to that."""
    if not isinstance(term.at, Read):
        return factor
    if isinstance(factor, Read):
        return read_where(factor, array, term.at, term.sizes)
    if not isinstance(factor, Formula):
        return None
    letters = ((x, read_where(read, array, term.at, term.sizes)) for x, read in factor.letters)
    return replace(factor, letters=tuple(letters))


def read_where(read: Read, array: Array, at: Read, sizes: Mapping[int, Any]) -> Read:
    """Return what is read at an array's own variables as it is read where a term is added."""
    return read_at(read.array, places_where(read, array, flat_places(at, sizes)), at.vars)


def places_where(read: Read, array: Array, at: Ints) -> Ints:
    """Return the places that are read at an array's own variables, for some places of that."""
    own = coordinates(array.shape, at)
    places = flat_places(read, dict(enumerate(array.shape)))[tuple(own[v] for v in read.vars)]
    return np.broadcast_to(places, at.shape)
