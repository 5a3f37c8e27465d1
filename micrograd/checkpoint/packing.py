"""States as JSON has them, and back: exactly, or not at all.

Arrays are set aside for an npz file, or written into the JSON; tuples, arrays, nan and inf stand
under keys of their own, which no dict of a state may have.
"""

from __future__ import annotations

import math
import sys
import warnings
from collections.abc import Mapping
from typing import Any

from micrograd.printing import shorten

ARRAY, FLOAT, TUPLE = RESERVED = "__array__", "__float__", "__tuple__"
KINDS_JSON, KINDS_NPZ = "biuf", "biufcUSmM"  # the kinds of arrays that come back equal
DEPTH, BITS = 100, 10_000  # how deep states are nested, how long their integers are

Path = tuple[Any, ...]  # where an entry is: (the path of what holds it, its key there), or ()


def packed(item: Any, arrays: list[Any] | None, path: Path = (), depth: int = 0) -> Any:
    """Return `item` as JSON has it; arrays go to `arrays`, or into it where that is None.

    Raises TypeError or ValueError, naming the entry, where it could not come back equal.
    """
    if item is None or isinstance(item, (int, float, str)):
        return _atom(item, path)
    if depth > DEPTH:
        raise ValueError(f"{_name(path)} is nested deeper than {DEPTH} levels, or within itself")
    if isinstance(item, Mapping):
        return {_key(k, path): packed(v, arrays, (path, k), depth + 1) for k, v in item.items()}
    if isinstance(item, (list, tuple)):
        parts = [packed(v, arrays, (path, i), depth + 1) for i, v in enumerate(item)]
        return {TUPLE: parts} if isinstance(item, tuple) else parts
    if _is(item, "ndarray"):
        return _packed_array(item, arrays, path)
    if _is(item, "generic") and isinstance(item.item(), (int, float)):
        return _atom(item.item(), path)
    raise TypeError(
        f"{_name(path)} is a {type(item).__name__}, which cannot be written: a state is made of "
        "dicts, lists, tuples, numbers, text and arrays"
    )


def unpacked(item: Any, arrays: list[Any] | None) -> Any:
    """Return what `packed` made `item` of. Raises ValueError where it made no such thing."""
    try:
        return _unpacked(item, arrays)
    except (TypeError, ValueError, LookupError, OverflowError, MemoryError) as error:
        raise ValueError(f"this is no saved state: {error}") from None


def _atom(item: Any, path: Path) -> Any:
    if isinstance(item, float):
        return item if math.isfinite(item) else {FLOAT: repr(float(item))}
    if isinstance(item, str):
        return _text(item, path)
    if isinstance(item, int) and item.bit_length() > BITS:
        raise ValueError(f"{_name(path)} is an integer of {item.bit_length()} bits, too long")
    return item


def _text(text: str, path: Path) -> str:
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise ValueError(f"{_name(path)} is no text that can be written: {shorten(text)}")
    return text


def _key(name: Any, path: Path) -> str:
    if not isinstance(name, str):
        raise TypeError(
            f"{_name(path)} has the key {shorten(name)} ({type(name).__name__}); names that "
            "are written are text"
        )
    if name in RESERVED:
        raise ValueError(f"{_name(path)} has the key {shorten(name)}, which files use; rename it")
    return _text(name, (path, name))


def _packed_array(item: Any, arrays: list[Any] | None, path: Path) -> Any:
    kinds, what = (KINDS_JSON, "JSON") if arrays is None else (KINDS_NPZ, "an npz file")
    wide = arrays is None and item.dtype.itemsize > 8
    if item.dtype.kind not in kinds or wide or hasattr(item, "mask"):
        kind = "masked" if hasattr(item, "mask") else item.dtype
        raise TypeError(f"{_name(path)} is an array of the kind {kind}, which {what} cannot hold")
    if arrays is None:
        return {ARRAY: [item.dtype.str, list(item.shape), packed(item.ravel().tolist(), None)]}
    arrays.append(item)
    return {ARRAY: len(arrays) - 1}


def _unpacked(item: Any, arrays: list[Any] | None) -> Any:
    if isinstance(item, list):
        return [_unpacked(part, arrays) for part in item]
    if not isinstance(item, dict):
        return item
    if FLOAT in item:
        return float(item[FLOAT])
    if TUPLE in item:
        return tuple(_unpacked(item[TUPLE], arrays))
    if ARRAY not in item:
        return {name: _unpacked(part, arrays) for name, part in item.items()}
    return _unpacked_array(*item[ARRAY]) if arrays is None else arrays[item[ARRAY]]


def _unpacked_array(kind: str, shape: list[int], numbers: list[Any]) -> Any:
    import numpy as np

    dtype = np.dtype(kind)
    if dtype.kind not in KINDS_JSON:
        raise ValueError(f"no array of {shorten(kind)} is written as JSON")
    wanted = _unpacked(numbers, None)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # NumPy below 2 takes 300 for 44, and warns
        array = np.array(wanted, dtype=dtype)
    if any(x != y and x == x for x, y in zip(array.tolist(), wanted)):
        raise ValueError(f"{shorten(wanted)} are not the numbers of an array of {kind}")
    return array.reshape(shape)


def _is(item: Any, kind: str) -> bool:
    """Return whether `item` is a NumPy `kind`; NumPy is loaded where there is one."""
    numpy = sys.modules.get("numpy")
    return numpy is not None and isinstance(item, getattr(numpy, kind))


def _name(path: Path) -> str:
    parts: list[str] = []
    while path:
        path, key = path
        parts.append(str(key))
    return f"the entry {shorten('.'.join(reversed(parts)))}" if parts else "the state"
