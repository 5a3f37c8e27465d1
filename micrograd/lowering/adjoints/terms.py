"""Terms over an array's own variables, their factors, and these with other variables."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any

from micrograd.core.formulas import specialise
from micrograd.lowering.arrays.axes import moderate, used
from micrograd.lowering.arrays.ir import BATCH, Array, Factor, First, Formula, Read, Rows, Term

Variables = Mapping[int, int]
DIVIDED = "1 / y"


def divided_by(read: Read) -> Formula:
    """Return 1 / read."""
    return Formula("div", DIVIDED, None, (("y", read),))


def factors_of(formula: Formula) -> tuple[tuple[Factor, ...], float]:
    """Return a local gradient as factors and a number: -out / y as out, 1 / y and -1."""
    above, under, number = _split(formula.text, formula.k)
    reads, other = dict(formula.letters), replace(formula, k=None)
    factors = [reads[p] if p in reads else replace(other, text=p) for p in above]
    for part in under:
        whole = replace(other, text=f"1 / ({part})")
        factors.append(divided_by(reads[part]) if part in reads else whole)
    return tuple(factors), number


@lru_cache(256, typed=True)
def _split(text: str, k: float | None) -> tuple[list[str], list[str], float]:
    """Return what a formula multiplies, what it divides by, and a number."""
    above, under, number = list[str](), list[str](), 1.0
    text = specialise(text, k)
    waiting = [ast.parse(text, mode="eval").body]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
            waiting += [node.right, node.left]
        elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
            under.append(ast.unparse(node.right))
            waiting.append(node.left)
        elif isinstance(node, ast.UnaryOp):
            number = -number
            waiting.append(node.operand)
        elif isinstance(node, ast.Constant):
            if not moderate(node.value):  # type: ignore[arg-type]
                return [text], [], 1.0
            number *= float(node.value)  # type: ignore[arg-type]
        else:
            above.append(ast.unparse(node))
    return above, under, number


def same(a: Factor, b: Factor) -> bool:
    """Return whether two factors are equal by their form."""
    if isinstance(a, Formula) and isinstance(b, Formula):
        reads, others = used(a), used(b)
        return (a.text, a.k, reads.keys()) == (b.text, b.k, others.keys()) and all(
            reads[letter].same(others[letter]) for letter in reads
        )
    return isinstance(a, Read) and a.same(b)


def equal(a: Term, b: Term) -> bool:
    """Return whether two terms are the same products, summed and added alike, but for numbers."""
    if (a.kept, a.summed, len(a.factors)) != (b.kept, b.summed, len(b.factors)):
        return False
    there = a.at is b.at or (isinstance(a.at, Read) and a.at.same(b.at))
    return there and all(map(same, a.factors, b.factors))


def own_term(array: Array, term: Term) -> Term | None:
    """Return a term over an array's own variables; None where it is not added all over."""
    own = own_variables(array, term)
    if own is None or not all(isinstance(f, (Read, Formula, First)) for f in term.factors):
        return None
    if term.at is None:
        return term
    over = {var: len(array.shape) + n for n, (var, _) in enumerate(term.summed)}
    new = own | over | {BATCH: BATCH}
    factors = tuple(renamed(factor, new) for factor in term.factors)
    return Term(factors, array.axes, tuple((new[v], n) for v, n in term.summed), term.scale)


def own_variables(array: Array, term: Term) -> dict[int, int] | None:
    """Return an array's variable for each of a term's; None where it is not added all over."""
    if term.at is None:
        return {var: var for var, _ in term.kept}
    place, sizes = term.at, term.sizes
    if isinstance(place, Rows) or not place.plain or place.shape != array.shape:
        return None
    if any(sizes[i.var] != n for i, n in zip(place.index, array.shape)):
        return None
    return {i.var: axis for axis, i in enumerate(place.index)} | {BATCH: BATCH}


def along(read: Read) -> Variables:
    """Return the variables that a plain read has along the axes of its array."""
    return {axis: i.var for axis, i in enumerate(read.index)}


def renamed(factor: Any, own: Variables) -> Any:
    """Return a factor with other variables."""
    if isinstance(factor, Read):
        index = tuple(i._replace(var=own.get(i.var, i.var)) for i in factor.index)
        return replace(factor, index=index, variables=tuple(own[v] for v in factor.variables))
    if isinstance(factor, Formula):
        letters = tuple((letter, renamed(read, own)) for letter, read in factor.letters)
        return replace(factor, letters=letters)
    read, out = renamed(factor.read, own), renamed(factor.out, own)
    return First(read, out, tuple((own[var], size) for var, size in factor.axes))
