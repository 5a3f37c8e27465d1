"""Arguments that are numbers, checked where they are given, by name."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterable, Mapping
from inspect import signature
from numbers import Integral, Real
from typing import Any, SupportsIndex, TypeGuard

from micrograd.printing import shorten

# What is taken by place comes in an order, and in full; the bytes of a text are no numbers.
NO_LISTS = (Mapping, set, frozenset, bytes, bytearray)


def check_finite(**numbers: Any) -> None:
    """Raise ValueError where a number is not finite, or is none."""
    for name, number in numbers.items():
        if not is_finite(number):
            raise ValueError(f"{name} is a finite number, not {shorten(number)}")


def is_finite(number: Any) -> bool:
    """Tell whether this is a real number that a float can hold, neither inf nor nan."""
    try:
        return isinstance(number, Real) and math.isfinite(number)
    except (OverflowError, TypeError):  # NumPy's durations are Integral
        return False


def check_positive(**numbers: Any) -> None:
    """Raise ValueError where a number is not above 0 and finite."""
    check_finite(**numbers)
    for name, number in numbers.items():
        if not number > 0:
            raise ValueError(f"{name} is above 0, not {shorten(number)}")


def check_whole(what: str, number: Any, least: int) -> None:
    """Raise TypeError where a number is no int, ValueError where it is below `least`."""
    if not is_whole(number):
        raise TypeError(f"{what} is a whole number, not {shorten(number)}")
    if number < least:
        raise ValueError(f"{what} is {least} or more, not {shorten(number)}")


def is_real(number: Any) -> bool:
    """Tell whether this is a real number that a float can hold; nan and the infinities are."""
    try:
        return isinstance(number, Real) and isinstance(float(number), float)
    except (OverflowError, TypeError):
        return False


def is_whole(number: Any) -> bool:
    """Tell whether this is an int, of Python or NumPy; flags and NumPy's durations are none."""
    kinds = isinstance(number, Integral) and isinstance(number, SupportsIndex)
    return kinds and not isinstance(number, bool)


def is_count(number: Any) -> bool:
    """Tell whether this is a whole number, 0 or more."""
    return is_whole(number) and int(number) >= 0


def check_name(what: str, name: str, known: Iterable[str]) -> None:
    """Raise ValueError, with the names there are, for one that is not known."""
    names = list(known)
    if name not in names:
        raise ValueError(f"unknown {what} {shorten(name)}: expected one of {', '.join(names)}")


def check_state(owner: object, state: Any, **fits: Callable[[Any], bool]) -> None:
    """Raise ValueError where `state` is no dict of these entries, or one of them does not fit."""
    kind = type(owner).__name__
    if not isinstance(state, Mapping) or set(state) != set(fits):
        raise ValueError(f"the state of this {kind} has {', '.join(fits)}, not {shorten(state)}")
    for name, fit in fits.items():
        if not fit(state[name]):
            raise ValueError(f"the state of this {kind} has the {name} {shorten(state[name])}")


def is_named(parts: Any) -> bool:
    """Tell whether this is a dict, of parts by name."""
    return isinstance(parts, Mapping)


def are_texts(parts: Any) -> bool:
    """Tell whether this is a list of texts, none of them twice."""
    texts = isinstance(parts, list) and all(isinstance(part, str) for part in parts)
    return texts and len(set(parts)) == len(parts)


def is_any(_: Any) -> bool:
    """Tell that anything fits: what is looked at elsewhere."""
    return True


def check_text(what: str, text: Any) -> None:
    """Raise TypeError where something that is read as a text is none."""
    if not isinstance(text, str):
        raise TypeError(f"{what} is text, not {shorten(text)}")


def check_shares(**numbers: Any) -> None:
    """Raise ValueError where a number is not one from 0 to 1."""
    check_finite(**numbers)
    for name, number in numbers.items():
        if not 0 <= number <= 1:
            raise ValueError(f"{name} is from 0 to 1, not {shorten(number)}")


def check_flags(**flags: Any) -> None:
    """Raise TypeError where one is neither True nor False: a word would count as True."""
    for name, flag in flags.items():
        plain = flag.item() if getattr(flag, "ndim", None) == 0 else flag
        if not isinstance(plain, int) or plain not in (0, 1):
            raise TypeError(f"{name} is True or False, not {shorten(flag)}")


def check_ordered(what: str, items: Any) -> None:
    """Raise TypeError for a set, bytes, a dict or a table of pandas: their names would count."""
    if isinstance(items, NO_LISTS) or (hasattr(items, "iloc") and items.ndim > 1):
        raise TypeError(f"{what} are a list, not the {type(items).__name__} {shorten(items)}")


def generator(seed: int | None) -> random.Random:
    """Return a random generator of its own. Raises what `check_whole` does for a seed."""
    if seed is None:
        return random.Random()
    check_whole("seed", seed, 0)
    return random.Random(int(seed))  # one of NumPy's is none for Python


def check_call(what: str, function: Callable[..., Any], *arguments: Any) -> None:
    """Raise TypeError where `function` cannot be called with so many arguments."""
    try:
        takes = signature(function)
    except (TypeError, ValueError):  # some functions written in C do not tell
        return
    try:
        takes.bind(*arguments)
    except TypeError:
        count = f"{len(arguments)} argument{'s' * (len(arguments) != 1)}"
        raise TypeError(f"{what} is called with {count}, but takes {takes}") from None


def check_list(function: str, numbers: Any) -> None:
    """Raise TypeError where `numbers` are no list or array, ValueError where there is none."""
    if not is_list(numbers):
        raise TypeError(f"{function} takes a list of numbers, not {shorten(numbers)}")
    if not len(numbers):
        raise ValueError(f"{function} of no numbers; give at least one")


def is_several(items: Any) -> TypeGuard[Iterable[Any]]:
    """Tell whether there is anything to iterate over; an array without an axis is one number."""
    return isinstance(items, Iterable) and getattr(items, "ndim", 1) != 0


def is_list(numbers: Any) -> bool:
    """Tell whether this is a list, tuple or array, of some length."""
    listed = hasattr(numbers, "__len__") and hasattr(numbers, "__getitem__")
    return (
        listed
        and not isinstance(numbers, (str, bytes, Mapping))
        and getattr(numbers, "ndim", 1) > 0
    )
