"""The namespaces that programs run over: what their text may call."""

from __future__ import annotations

from typing import Any

import numpy as np

from micrograd.ops import FUNCTIONS


def scatter(values: Any, places: Any, size: int) -> Any:
    """Return zeros with `values` added at `places` of the last axis."""
    front = values.shape[: values.ndim - places.ndim]
    if not front:
        return np.bincount(places.ravel(), weights=values.ravel(), minlength=size)
    flat = values.reshape(-1, places.size)
    out = np.zeros((len(flat), size))
    np.add.at(out, (slice(None), places.ravel()), flat)
    return out.reshape(*front, size)


def segment_sum(values: Any, starts: Any) -> Any:
    """Sum the pieces of the last axis between one start and the next."""
    return np.add.reduceat(values, starts[:-1], axis=-1)


def embed(values: Any, shape: tuple[int, ...], key: Any) -> Any:
    """Return zeros of a shape with `values` at `key`."""
    out = np.zeros(shape)
    out[key] = values
    return out


NUMPY: dict[str, Any] = {
    name: getattr(np, name)
    for name in (*FUNCTIONS, "where", "maximum", "minimum", "abs", "einsum", "transpose",
                 "broadcast_to", "nan", "inf", "s_")
} | {"scatter": scatter, "segment_sum": segment_sum, "embed": embed}  # fmt: skip
