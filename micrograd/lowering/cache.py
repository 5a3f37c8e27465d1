"""Lowered graphs by structure: the graph of the next batch need not be lowered again."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import fields
from typing import Any, TypeVar

import numpy as np

from micrograd.lowering.arrays.ir import Array
from micrograd.lowering.scalars.chains import Chains
from micrograd.lowering.scalars.columns import Bools

T = TypeVar("T")
KEPT = 32
_CACHE: OrderedDict[bytes, object] = OrderedDict()


def cached(key: bytes, make: Callable[[], T]) -> T:
    """Return what was made under an equal key, else make it."""
    result = _CACHE.get(key)
    if result is None:
        result = _CACHE[key] = make()
    try:
        _CACHE.move_to_end(key)
        while len(_CACHE) > KEPT:
            _CACHE.popitem(last=False)
    except KeyError:  # another thread was quicker
        pass
    return result  # type: ignore[return-value]


def structure(form: Chains, declared: Sequence[Array], trainable: Bools, reduce: str) -> bytes:
    """Return a digest of all that the code of a program depends on: not the data of leaves."""
    graph, written = form.graph, form.written_number
    wide = graph.wide_start, graph.wide_w, graph.wide_x, graph.wide_bias
    columns = graph.op, graph.x, graph.y, graph.k, *wide, graph.scope, written, trainable
    numbers = [graph.values[i].data for i in np.flatnonzero(written).tolist()]
    labels = [(i, graph.values[i].label) for i in np.flatnonzero(graph.labelled).tolist()]
    parts = columns, numbers, labels, graph.scopes, tuple(declared), reduce, graph.root
    place = {array: i for i, array in enumerate(declared)}
    return hashlib.blake2b(repr(_described(parts, place)).encode()).digest()


def _described(item: Any, place: dict[Array, int]) -> Any:
    """Return all fields of an array, and of what it reads; arrays it reads as their places."""
    if isinstance(item, np.ndarray):
        return item.shape, hashlib.blake2b(np.ascontiguousarray(item).data).hexdigest()
    if isinstance(item, tuple):
        return [_described(part, place) for part in item]
    if not hasattr(item, "__dataclass_fields__"):
        return item
    return [
        place[value] if isinstance(value, Array) else _described(value, place)
        for value in (getattr(item, field.name) for field in fields(item))
    ]


def forget() -> None:
    """Empty the cache."""
    _CACHE.clear()
