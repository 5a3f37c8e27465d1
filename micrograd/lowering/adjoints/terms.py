"""Terms over an array's own variables, their factors, and these with other variables."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any, NamedTuple, TypeGuard

from micrograd.core.formulas import specialise
from micrograd.lowering.arrays.ir import ONE, Factor, First, Formula, Read, Scale, Term
from micrograd.lowering.arrays.reads import moderate, used, without_idle

Variables = Mapping[int, int]
DIVIDED = "1 / y"


class Product(NamedTuple):
    """Some factors, a number, and terms that are added at some places, whose factors it has too."""

    factors: tuple[Factor, ...]
    scale: Scale = ONE
    places: tuple[Term, ...] = ()

    def times(self, other: Product) -> Product:
        """Return the product of two."""
        factors, scale, places = other
        return Product((*self.factors, *factors), self.scale.times(*scale), (*self.places, *places))


def divided_by(read: Read) -> Formula:
    """Return 1 / read."""
    return Formula("div", DIVIDED, None, (("y", read),))


def is_divisor(factor: Factor) -> TypeGuard[Formula]:
    return isinstance(factor, Formula) and factor.text == DIVIDED


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


def along(read: Read) -> Variables:
    """Return the variables that a plain read has along the axes of its array."""
    return {axis: i.var for axis, i in enumerate(read.index)}


def renamed(factor: Any, own: Variables) -> Any:
    """Return a factor with other variables."""
    if isinstance(factor, Read):
        index = tuple(i._replace(var=own.get(i.var, i.var)) for i in factor.index)
        variables = tuple(own.get(var, var) for var in factor.variables)
        return replace(factor, index=index, variables=variables)
    if isinstance(factor, Formula):
        letters = tuple((letter, renamed(read, own)) for letter, read in factor.letters)
        return replace(factor, letters=letters)
    read, out = renamed(factor.read, own), renamed(factor.out, own)
    return First(read, out, tuple((own[var], size) for var, size in factor.axes))


def is_plain(factor: Factor) -> TypeGuard[Read]:
    return isinstance(factor, Read) and factor.plain


def like(factor: Factor, others: Iterable[Factor]) -> Factor | None:
    """Return the first of some factors that is equal to one."""
    return next((other for other in others if same(other, factor)), None)


def parted(term: Term) -> tuple[tuple[Factor, ...], tuple[Factor, ...]]:
    """Return the factors that depend on what a term sums over, and the others."""
    over = {var for var, _ in term.summed}
    inner = tuple(f for f in term.factors if over & variables_of([f]))
    return inner, tuple(f for f in term.factors if f not in inner)


def variables_of(factors: Iterable[Factor]) -> set[int]:
    return {var for factor in factors for read in factor.reads for var in read.every}


def without_one_hots(term: Term) -> Term:
    """Return a term without Σj one_hot[j], which is 1, and without sums of what never changes."""
    for factor in filter(is_plain, term.factors):
        rows, others = factor.array.lookup, tuple(f for f in term.factors if f is not factor)
        axis = (factor.index[-1].var, factor.shape[-1]) if rows and rows.table is None else None
        if axis in term.summed and axis[0] not in variables_of(others):
            left = tuple(other for other in term.summed if other != axis)
            return without_one_hots(replace(term, factors=others, summed=left))
    return without_idle(term)
