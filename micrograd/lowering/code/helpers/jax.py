"""Helpers of programs that run under JAX, whose arrays never change; the others are NumPy's."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np

s_ = np.s_


def scatter(values: Any, shape: Any, key: Any) -> Any:
    """Return zeros with values added at key, where places may repeat."""
    return jnp.zeros(shape).at[key].add(values)


def embed(values: Any, shape: Any, key: Any) -> Any:
    """Return zeros with values at key."""
    return jnp.zeros(shape).at[key].set(values)


def add_rows(out: Any, *pairs: Any) -> Any:
    """Return out with values added to the rows of ids, for each pair of ids and values."""
    out = jnp.asarray(out)  # a leaf is an array of NumPy
    for ids, values in zip(pairs[::2], pairs[1::2]):
        out = out.at[ids].add(values)
    return out


def read_table(shape: Any, text: str) -> Any:
    """Return the integers of a text as an array."""
    return np.array([int(number) for number in text.split()]).reshape(shape)
