"""Functions of several Values, built on the rows. None of them overflows."""

from __future__ import annotations

from collections.abc import Sequence

from micrograd.engine import Value, operand


def dot(xs: Sequence[Value | float], ys: Sequence[Value | float]) -> Value:
    """Return Σ xᵢyᵢ. Raises ValueError where the lengths differ or are 0."""
    if len(xs) != len(ys):
        raise ValueError(f"dot of {len(xs)} and {len(ys)} numbers; give as many of one as of other")
    first, *products = (operand(x) * y for x, y in zip(_some(xs, "dot"), ys))
    return sum(products, first)


def mean(xs: Sequence[Value | float]) -> Value:
    """Return Σ xᵢ / n. Raises ValueError where there is none."""
    first, *rest = map(operand, _some(xs, "mean"))
    return sum(rest, first) / len(xs)


def logsumexp(xs: Sequence[Value | float]) -> Value:
    """Return log Σ exp xᵢ, computed beside the largest x. Raises ValueError where there is none."""
    values = [operand(x) for x in _some(xs, "logsumexp")]
    top = _largest(values)
    first, *rest = ((x - top).exp() for x in values)
    total: Value = sum(rest, first)
    log: Value = total.log()
    return top + log


def softmax(xs: Sequence[Value | float]) -> list[Value]:
    """Return exp xᵢ / Σ exp x for every i (L10). Raises ValueError where there is none."""
    values = [operand(x) for x in _some(xs, "softmax")]
    top = _largest(values)
    powers = [(x - top).exp() for x in values]
    first, *rest = powers
    total = sum(rest, first)
    return [power / total for power in powers]


def log_softmax(xs: Sequence[Value | float]) -> list[Value]:
    """Return xᵢ − log Σ exp x for every i. Raises ValueError where there is none."""
    total = logsumexp(xs)
    return [x - total for x in xs]


def _largest(values: Sequence[Value]) -> Value:
    # As a node, not as a number: the graph can be replayed and lowered on other data. What it
    # adds to the gradients cancels.
    top = values[0]
    for value in values[1:]:
        top = top.max(value)
    return top


def _some(xs: Sequence[Value | float], name: str) -> Sequence[Value | float]:
    if not len(xs):
        raise ValueError(f"{name} of no numbers; give at least one")
    return xs
