"""Where the row of an operation is checked: points of its domain, some in every branch."""

from __future__ import annotations

import ast
import random
from collections.abc import Callable, Iterable
from typing import Any

from micrograd.core.formulas import FLOATS, Letters
from micrograd.ops import BY_NAME, FUNCTIONS, Row

POINTS = 25  # of its domain, at which a row is checked
LOOKED = 2000  # at how many for a branch that those did not take


def points(row: Row, k: float | None) -> Iterable[list[float]]:
    """Yield seeded random points of the row's domain, none within 0.01 of a corner.

    More of them where that many meet no example of a branch. Raises ValueError where hardly any
    point is that far from all corners, and where an expression for them has no value.
    """
    draw = random.Random(row.name)
    kinks = [FLOATS.compile(kink, "x, y, k") for kink in row.kinks]
    branch, seen, count = _branch(row, k), set(), 0
    for drawn in range(1000 * POINTS):
        if count >= POINTS and drawn >= LOOKED:
            return
        point = [draw.uniform(low, high) for low, high in row.domain]
        try:
            apart = all(abs(kink(*[*point, None][:2], k)) > 0.01 for kink in kinks)
        except (ArithmeticError, ValueError) as error:
            at = ", ".join(f"{letter} = {x:.3g}" for letter, x in zip("xy", point))
            raise ValueError(
                f"{row.name}: its kinks, {', '.join(row.kinks)}, have no value at {at}; write what "
                "has one all over the domain"
            ) from error
        if apart:
            taken = branch(point)
            if count < POINTS or taken not in seen:
                count += 1
                yield point
            seen.add(taken)
    if count < POINTS:
        raise ValueError(f"{row.name}: its kinks, {', '.join(row.kinks)}, fill its domain")


def _branch(row: Row, k: float | None) -> Callable[[list[float]], tuple[Any, ...]]:
    """Return what tells the outcome of every comparison in a row's formulas at a point."""
    texts = dict.fromkeys(text for formula in (row.value, *row.local) for text in _tests(formula))
    value, tests = FLOATS.value(row), [FLOATS.compile(text) for text in texts]

    def outcome(test: Callable[..., Any], operands: list[Any]) -> Any:
        try:
            return test(*operands, k, value(*operands, k))
        except (ArithmeticError, ValueError):
            return None

    return lambda point: tuple(outcome(test, [*point, None][:2]) for test in tests)


def _tests(formula: str) -> Iterable[str]:
    """Yield what a formula compares, within abs, a largest or smallest, and rows it calls too."""
    for node in ast.walk(ast.parse(formula, mode="eval")):
        match node:
            case ast.Compare():
                yield ast.unparse(node)
            case ast.Call(func=ast.Name(id="maximum" | "minimum"), args=[a, b]):
                yield f"({ast.unparse(a)}) > ({ast.unparse(b)})"
            case ast.Call(func=ast.Name(id="abs"), args=[a]):
                yield f"({ast.unparse(a)}) > 0"
            case ast.Call(func=ast.Name(id=name), args=[a]) if name not in FUNCTIONS:
                of = Letters({"x": ast.unparse(a)})
                tests = _tests(BY_NAME[name].value)
                yield from (ast.unparse(of.visit(ast.parse(test, mode="eval"))) for test in tests)
