"""Helpers of programs that run under NumPy."""

from __future__ import annotations

from collections import namedtuple
from typing import Any

import numpy as np

s_ = np.s_

Rows = namedtuple("Rows", "indices rows")


def full(shape: Any, value: Any) -> Any:
    """Return a new array of a shape, filled with a value."""
    return np.full(shape, value, float)


def scatter(values: Any, shape: Any, key: Any) -> Any:
    """Return zeros with values added at key, where places may repeat."""
    out = np.zeros(shape)
    places = np.arange(out.size).reshape(shape)[key]
    return np.bincount(places.ravel(), values.ravel(), out.size).reshape(shape)


def add_at(total: Any, places: Any, values: Any) -> None:
    """Add values to total at places, which may repeat."""
    np.add.at(total, places, values)


def embed(values: Any, shape: Any, key: Any) -> Any:
    """Return zeros with values at key."""
    out = np.zeros(shape)
    out[key] = values
    return out


def first_true(hits: Any, axis: int) -> Any:
    """Mark the first true element along an axis; the last, where none is, since one is nan."""
    hits = hits.swapaxes(axis, -1)
    count = np.arange(hits.shape[-1])
    place = np.where(hits, count, len(count) - 1).min(-1)
    return (count == place[..., None]).swapaxes(axis, -1)


def first_within(hits: Any, axes: Any) -> Any:
    """Mark the first true element of those along several axes, row by row."""
    last = tuple(range(-len(axes), 0))
    moved = np.moveaxis(hits, axes, last)
    marked = first_true(moved.reshape(*moved.shape[: last[0]], -1), -1)
    return np.moveaxis(marked.reshape(moved.shape), last, axes)


def add_rows(out: Any, *pairs: Any) -> Any:
    """Return out with values added to the rows of ids, for each pair of ids and values."""
    out = np.array(out)
    for ids, values in zip(pairs[::2], pairs[1::2]):
        np.add.at(out, ids, values)
    return out


def rows(table: Any, *pairs: Any) -> Any:
    """Return the gradient of a table: zeros with values added to the rows of ids."""
    return add_rows(np.zeros(table.shape), *pairs)


def sparse_rows(table: Any, *pairs: Any) -> Any:
    """Return the gradient of a table: the numbers of the rows that change, and their gradients."""
    ids = np.concatenate([ids.reshape(-1) for ids in pairs[::2]])
    values = np.concatenate([values.reshape(-1, table.shape[1]) for values in pairs[1::2]])
    order = ids.argsort(kind="stable")
    ids = ids[order]
    first = np.flatnonzero(np.concatenate(([True], ids[1:] != ids[:-1])))  # of equal ones
    return Rows(ids[first], np.add.reduceat(values[order], first))


def read_table(shape: Any, text: str) -> Any:
    """Return the integers of a text as an array."""
    return np.array([int(number) for number in text.split()]).reshape(shape)
