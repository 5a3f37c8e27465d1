"""Samples and batches as a caller gives them: what is no number is named, with its place."""

from __future__ import annotations

import math
import random
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from numbers import Real
from typing import Any

from micrograd.engine import Value

DEEPEST = 30  # axes; NumPy has no more than 32 everywhere


def as_values(sample: Any, name: str = "the sample") -> Any:
    """Return a sample as nested lists of fresh Values.

    Raises TypeError or ValueError, with the place, for what is no number or an empty list, and
    for rows of different lengths.
    """
    numbers = plain(sample, name)
    _check_even(numbers, name)
    return _values(numbers)


def _values(part: Any) -> Any:
    if isinstance(part, list):
        return [_values(inner) for inner in part]
    return Value(part.data, label=part.label) if isinstance(part, Value) else Value(part)


def plain(part: Any, name: str, finite: bool = True, depth: int = 0) -> Any:
    """Return nested lists of numbers and Values; arrays of any library become lists.

    Raises TypeError or ValueError, with the place, for anything else.
    """
    if isinstance(part, Value):
        return part
    if isinstance(part, Real):
        return _number(part, name, finite)
    if depth > DEEPEST:
        raise ValueError(f"{name} is nested more than {DEEPEST} lists deep, or its own part")
    if not isinstance(part, (str, bytes, bytearray)) and hasattr(part, "tolist"):
        if getattr(part, "mask", None) is not None and getattr(part.mask, "any", bool)():
            raise ValueError(f"{name} is a masked array; fill what is masked by a number first")
        inner = part.tolist()
        return _refused(part, name) if inner is part else plain(inner, name, finite, depth + 1)
    if isinstance(part, Sequence) and not isinstance(part, (str, bytes, bytearray)):
        if not len(part):
            raise ValueError(f"{name} is empty; give one number or more")
        return [plain(p, f"{name}[{i}]", finite, depth + 1) for i, p in enumerate(part)]
    return _refused(part, name)


def _number(number: Any, name: str, finite: bool) -> float:
    try:
        data = float(number)
    except OverflowError:
        data, finite = math.inf, True
    if finite and not math.isfinite(data):
        raise ValueError(f"{name} is {str(number)[:20]}; give a finite number")
    return data


def _refused(part: Any, name: str) -> Any:
    if isinstance(part, Mapping):
        remedy = "give its parts as arguments of their own"
    elif isinstance(part, (Set, Iterator)) or (
        isinstance(part, Iterable) and not isinstance(part, (str, bytes, bytearray))
    ):
        remedy = "give list(...) of it: an order, and more than one reading"
    else:
        remedy = "give a number, or lists of numbers"
    raise TypeError(f"{name} is {shown(part)}; {remedy}")


def shown(thing: Any) -> str:
    """Return a short text for a thing of any kind, and its type."""
    text = repr(thing)
    return f"{text if len(text) <= 40 else text[:37] + '...'} ({type(thing).__name__})"


def _check_even(part: Any, name: str) -> tuple[int, ...]:
    """Return the shape. Raises ValueError where rows are of different lengths."""
    if not isinstance(part, list):
        return ()
    shapes = [_check_even(inner, f"{name}[{i}]") for i, inner in enumerate(part)]
    for i, shape in enumerate(shapes):
        if shape != shapes[0]:
            raise ValueError(
                f"{name} is ragged: {name}[0] has the shape {shapes[0]}, {name}[{i}] has "
                f"{shape}; give rows of one length, or each part as an argument of its own"
            )
    return (len(part), *shapes[0])


def batch_numbers(batch: Any, name: str) -> Any:
    """Return a batch as nested lists of numbers.

    Raises TypeError or ValueError for the first part that is none, for Values too.
    """
    numbers = plain(batch, name, finite=False)
    _check_even(numbers, name)
    if _holds_values(numbers):
        raise TypeError(
            f"{name} holds Values; a program takes numbers and gives gradients as arrays: give "
            "x.data for each x"
        )
    return numbers


def _holds_values(part: Any) -> bool:
    return isinstance(part, Value) or (isinstance(part, list) and any(map(_holds_values, part)))


def lists(part: Any) -> Any:
    """Return nested lists of the same Values."""
    return [*map(lists, part)] if isinstance(part, list) else part


def varied(values: Any, draw: random.Random, sign: int, whole: bool) -> Any:
    """Return fresh Values like nested lists of Values: of another size, of the other or same sign.

    With `sign` 0 they are as they were. Whole numbers, which may be ids or classes, are changed
    only where `whole` says so.
    """
    if isinstance(values, list):
        return [varied(inner, draw, sign, whole) for inner in values]
    number = values.data
    if sign and (whole or number != number // 1):
        number = sign * (number * draw.uniform(1.5, 3) + math.copysign(draw.uniform(0, 1), number))
    return Value(number, label=values.label)
