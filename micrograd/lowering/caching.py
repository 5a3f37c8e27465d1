"""Lowered graphs by structure: the graph of the next batch need not be lowered again."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np

from micrograd.lowering.canonical import Canonical
from micrograd.lowering.columns import Bools, Ints
from micrograd.lowering.ir import Array

T = TypeVar("T")
KEPT = 32
_CACHE: OrderedDict[bytes, object] = OrderedDict()


def cached(key: bytes, make: Callable[[], T]) -> T:
    """Return what was made under an equal key, else make it."""
    if key not in _CACHE:
        _CACHE[key] = make()
        if len(_CACHE) > KEPT:
            _CACHE.popitem(last=False)
    _CACHE.move_to_end(key)
    return _CACHE[key]  # type: ignore[return-value]


def structure(form: Canonical, given: Sequence[Array], trainable: Bools, reduce: str) -> bytes:
    """Return a digest of all that the code of a program depends on: not the data of leaves."""
    columns = form.columns
    digest = hashlib.blake2b()
    for column in (columns.op, columns.x, columns.y, columns.k, columns.wide_start, columns.wide_w,
                   columns.wide_x, columns.wide_bias, columns.scope, form.literal,
                   trainable):  # fmt: skip
        digest.update(np.ascontiguousarray(column).view(np.uint8).data)
    numbers = [columns.values[i].data for i in np.flatnonzero(form.literal).tolist()]
    labels = [(i, columns.values[i].label) for i in np.flatnonzero(columns.labelled).tolist()]
    place = {array: i for i, array in enumerate(given)}
    arrays = [(a.name, a.stem, a.kind, a.shape, a.batched, a.table and place[a.table],
               [(place[o.array], o.index, _bytes(o.table)) for o in a.operands])
              for a in given]  # fmt: skip
    for array in given:
        digest.update(_bytes(array.nodes))
    digest.update(repr((numbers, labels, columns.scopes, arrays, reduce, form.root)).encode())
    return digest.digest()


def _bytes(table: Ints | None) -> bytes:
    return b"" if table is None else table.tobytes()


def forget() -> None:
    """Empty the cache."""
    _CACHE.clear()
