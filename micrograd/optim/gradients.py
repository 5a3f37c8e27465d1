"""Gradients as optimisers take them: numbers, arrays, or some rows of a table; and clipping."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

Gradient = Any  # a float, an array, or Rows


class Rows(NamedTuple):
    """The gradient of some rows of a table: the row numbers, each once, and their gradients."""

    indices: Any
    rows: Any


def is_array(item: Any) -> bool:
    """Return whether `item` is an array, whose numbers can be changed in place."""
    return hasattr(item, "ndim") and hasattr(item, "__setitem__")


def checked_gradient(name: str, data: Any, gradient: Gradient) -> Gradient:
    """Return `gradient`, its equal rows summed. ValueError where it does not fit `data`."""
    if isinstance(gradient, tuple):
        return _summed(name, data, *gradient)
    expected, found = getattr(data, "shape", ()), getattr(gradient, "shape", ())
    if expected != found:
        raise ValueError(f"parameter {name} has the shape {expected}, its gradient {found}")
    return gradient


def _summed(name: str, data: Any, indices: Any, rows: Any) -> Rows:
    import numpy as np

    at, rows = np.asarray(indices), np.asarray(rows)
    if not is_array(data) or at.ndim != 1 or rows.shape != (len(at), *data.shape[1:]):
        raise ValueError(f"parameter {name} has the shape {getattr(data, 'shape', ())}; "
                         f"indices {at.shape} and rows {rows.shape} do not fit it")  # fmt: skip
    if len(at) and not 0 <= at.min() <= at.max() < len(data):
        raise ValueError(f"parameter {name} has the rows 0 to {len(data) - 1}; there are "
                         f"gradients for rows {at.min()} to {at.max()}")  # fmt: skip
    order = at.argsort(kind="stable")
    ordered = at[order]
    changes = ordered[1:] != ordered[:-1]
    if changes.all():
        return Rows(at, rows)
    starts = np.flatnonzero(np.append(True, changes))
    return Rows(ordered[starts], np.add.reduceat(rows[order], starts))


def clip_value(limit: float) -> Callable[[list[Gradient]], list[Gradient]]:
    """Return a function that moves every number of some gradients into [−limit, limit]."""
    return lambda gradients: [_each(g, lambda part: _bounded(part, limit)) for g in gradients]


def clip_norm(limit: float) -> Callable[[list[Gradient]], list[Gradient]]:
    """Return a function that scales gradients together so that their norm is at most `limit`."""

    def clip(gradients: list[Gradient]) -> list[Gradient]:
        norm = gradient_norm(gradients)
        if not norm > limit:
            return gradients
        return [_each(g, lambda part: part * (limit / norm)) for g in gradients]

    return clip


def gradient_norm(gradients: list[Gradient]) -> float:
    """Return the Euclidean norm of all numbers of `gradients`."""
    parts = [g.rows if isinstance(g, Rows) else g for g in gradients]
    return math.sqrt(sum(float((p * p).sum()) if is_array(p) else p * p for p in parts))


def _each(gradient: Gradient, change: Callable[[Any], Any]) -> Gradient:
    if isinstance(gradient, Rows):
        return Rows(gradient.indices, change(gradient.rows))
    return change(gradient)


def _bounded(part: Any, limit: float) -> Any:
    return part.clip(-limit, limit) if is_array(part) else min(max(part, -limit), limit)
