"""Helpers of programs that run under JAX: arrays never change, and their shapes are known."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np

s_ = np.s_


def full(shape: Any, value: Any) -> Any:
    """Return a new array of a shape, filled with a value."""
    return jnp.full(shape, value, float)


def scatter(values: Any, places: Any, size: int) -> Any:
    """Return zeros with values added at places of the last axis."""
    front = values.shape[: values.ndim - places.ndim]
    return jnp.zeros((*front, size)).at[..., places].add(values)


def embed(values: Any, shape: Any, key: Any) -> Any:
    """Return zeros with values at key."""
    return jnp.zeros(shape).at[key].set(values)


def segment_sum(values: Any, starts: Any) -> Any:
    """Sum the pieces of the last axis between one start and the next."""
    pieces = np.repeat(np.arange(len(starts) - 1), np.diff(starts))
    return jnp.zeros((*values.shape[:-1], len(starts) - 1)).at[..., pieces].add(values)


def pieces(starts: Any) -> Any:
    """Return the places of each piece in a row of its own, the last one repeated to fill it."""
    places = starts[:-1, None] + np.arange(np.diff(starts).max())
    return np.minimum(places, starts[1:, None] - 1)


def segment_max(values: Any, starts: Any) -> Any:
    """Return the largest of each piece of the last axis between one start and the next."""
    return values[..., pieces(starts)].max(-1)


def segment_min(values: Any, starts: Any) -> Any:
    """Return the smallest of each piece of the last axis between one start and the next."""
    return values[..., pieces(starts)].min(-1)


def first_true(hits: Any, axis: int) -> Any:
    """Mark the first true element along an axis; the last, where none is, since one is nan."""
    hits = hits.swapaxes(axis, -1)
    count = jnp.arange(hits.shape[-1])
    place = jnp.where(hits, count, len(count) - 1).min(-1)
    return (count == place[..., None]).swapaxes(axis, -1)


def segment_first_true(hits: Any, starts: Any) -> Any:
    """Mark the first true element of each piece; the last, where none is, since one is nan."""
    count = jnp.arange(hits.shape[-1])
    place = segment_min(jnp.where(hits, count, len(count)), starts)
    place = jnp.minimum(place, starts[1:] - 1)
    owner = np.repeat(np.arange(len(starts) - 1), np.diff(starts))
    return count == place[..., owner]


def add_rows(out: Any, *pairs: Any) -> Any:
    """Return out with values added to the rows of ids, for each pair of ids and values."""
    out = jnp.asarray(out)  # a leaf is an array of NumPy
    for ids, values in zip(pairs[::2], pairs[1::2]):
        out = out.at[ids].add(values)
    return out


def rows(table: Any, *pairs: Any) -> Any:
    """Return the gradient of a table: zeros with values added to the rows of ids."""
    return add_rows(jnp.zeros(table.shape), *pairs)


def read_table(shape: Any, text: str) -> Any:
    """Return the integers of a text as an array."""
    return np.array([int(number) for number in text.split()]).reshape(shape)
