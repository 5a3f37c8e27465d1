"""Functions of several Values, built on the rows. No sum of exponentials overflows.

Where the largest of the numbers is infinite, softmax and its logarithms are nan (∞ − ∞): leave out
what has probability 0 where that may be all there is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from micrograd.core.checks import check_list, is_list
from micrograd.engine import Value, operand, stopped
from micrograd.printing import counted, shorten

__all__ = ["dot", "log_softmax", "logsumexp", "mean", "softmax"]


def labelled(nested: Any, label: str) -> Any:
    """Label a Value, or those of nested lists by their places; return what was given.

    W2,0 is in W, and W2[1,0] in W2.
    """
    if not isinstance(label, str):
        raise TypeError(f"a label is text, not {shorten(label)}")
    for place, value in _placed(nested):
        numbers = ",".join(map(str, place))
        value.label = f"{label}[{numbers}]" if place and label[-1:].isdigit() else label + numbers
    return nested


def _placed(nested: Any, place: tuple[int, ...] = ()) -> Iterator[tuple[tuple[int, ...], Value]]:
    """Yield the Values of nested lists with their places."""
    if isinstance(nested, Value):
        yield place, nested
    elif not is_list(nested):
        raise TypeError(f"Values are labelled, and nested lists of them, not {shorten(nested)}")
    else:
        for i, part in enumerate(nested):
            yield from _placed(part, (*place, i))


def dot(xs: Sequence[Value | float], ys: Sequence[Value | float]) -> Value:
    """Return Σ xᵢyᵢ. Raises ValueError where the lengths differ or are 0."""
    if len(_some(xs, "dot")) != len(_some(ys, "dot")):
        raise ValueError(
            f"dot of {len(xs)} and {counted(len(ys), 'number')}; give as many of one as of other"
        )
    first, *products = (operand(x) * y for x, y in zip(xs, ys))
    return sum(products, first)


def mean(xs: Sequence[Value | float]) -> Value:
    """Return Σ xᵢ / n. Raises ValueError where there is none."""
    first, *rest = map(operand, _some(xs, "mean"))
    return sum(rest, first) / len(xs)


def logsumexp(xs: Sequence[Value | float]) -> Value:
    """Return log Σ exp xᵢ. Raises ValueError where there is none."""
    top = _largest(_some(xs, "logsumexp"))
    return top + _log_sum_exp([x - top for x in xs])


def softmax(xs: Sequence[Value | float]) -> list[Value]:
    """Return exp xᵢ / Σ exp x for every i (L10). Raises ValueError where there is none."""
    top = _largest(_some(xs, "softmax"))
    powers = [(x - top).exp() for x in xs]
    total = _total(powers)
    return [power / total for power in powers]


def log_softmax(xs: Sequence[Value | float]) -> list[Value]:
    """Return xᵢ − log Σ exp x for every i. Raises ValueError where there is none."""
    top = _largest(_some(xs, "log_softmax"))
    below = [x - top for x in xs]  # taken first: digits are lost beside a large top
    log_total = _log_sum_exp(below)
    return [x - log_total for x in below]


def _log_sum_exp(below: Sequence[Value]) -> Value:
    log: Value = _total([x.exp() for x in below]).log()
    return log


# Of one number too they are nodes of their own: a softmax of 1 is lowered in one array with those
# of 2, 3, ...


def _largest(xs: Sequence[Value | float]) -> Value:
    # As a node, not as a number: the graph can be replayed and lowered on other data. What it
    # would add to the gradients cancels, so none goes through it.
    top, *rest = map(operand, xs)
    for value in rest or [top]:
        top = top.max(value)
    return stopped(top)


def _total(xs: Sequence[Value]) -> Value:
    first, *rest = xs
    return sum(rest, first) if rest else 0.0 + first


def _some(xs: Sequence[Value | float], name: str) -> Sequence[Value | float]:
    check_list(name, xs)
    return xs
