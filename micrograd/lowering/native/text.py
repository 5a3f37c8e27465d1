"""Loops and products of C as text."""

from __future__ import annotations

from collections.abc import Sequence

from micrograd.lowering.arrays.ir import Scale
from micrograd.lowering.native.formulas import number

LETTERS = ("i", "j", "k", "l", *(f"i{n}" for n in range(1, 30)))
SAMPLE = "n"  # of a block of samples


def loop(letter: str, extent: int | str, first: str = "0") -> str:
    """Return the head of a loop."""
    return f"for (int {letter} = {first}; {letter} < {extent}; {letter}++)"


def nest(heads: Sequence[str], body: Sequence[str]) -> list[str]:
    """Return loops around a body, each indented."""
    lines = list(body)
    for head in reversed(heads):
        inner = [f"    {line}" for line in lines]
        lines = [head, *inner] if _one(lines) else [f"{head} {{", *inner, "}"]
    return lines


def scope(lines: Sequence[str]) -> list[str]:
    """Return lines whose variables are their own."""
    return ["{", *(f"    {line}" for line in lines), "}"]


def _one(lines: Sequence[str]) -> bool:
    """Return whether lines are one statement: a loop with what it repeats."""
    return len(lines) == 1 or (
        lines[0].startswith("for") and all(line.startswith((" ", "}")) for line in lines[1:])
    )


def scale_text(scale: Scale) -> str:
    """Return what multiplies a term; nothing for 1."""
    batch = {0: "", 1: "(double)B", -1: "share"}[scale.batch]
    if scale.value == 1:
        return batch
    if not batch:
        return number(scale.value)
    return f"-{batch}" if scale.value == -1 else f"{number(scale.value)} * {batch}"


def multiplied(factors: Sequence[str]) -> str:
    """Return the product of expressions."""
    if len(factors) == 1:
        return factors[0]
    if factors and factors[0] == "-1.0":
        return f"-{multiplied(factors[1:])}" if len(factors) > 2 else f"-{bracketed(factors[1])}"
    return " * ".join(map(bracketed, factors)) or "1.0"


def bracketed(text: str) -> str:
    """Return an expression as a factor of a product."""
    depth, outer = 0, text.startswith("-")
    for before, c in zip("(" + text, text):
        depth += (c in "([") - (c in ")]")
        outer = outer or (depth == 0 and c in "+-?<>=/" and before != "e")
    return f"({text})" if outer else text
