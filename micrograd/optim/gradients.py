"""Gradients as optimisers take them: numbers, arrays, or some rows of a table; and clipping."""

from __future__ import annotations

import math
from collections.abc import Callable
from numbers import Real
from typing import Any, NamedTuple

from micrograd.core.checks import check_ordered, is_finite, is_real, is_several
from micrograd.core.remade import remade
from micrograd.printing import shorten

Gradient = Any  # a float, an array, or Rows


class Rows(NamedTuple):
    """The gradient of some rows of a table: the row numbers, each once, and their gradients."""

    indices: Any
    rows: Any

    def __mul__(self, factor: Any) -> Any:
        raise TypeError(
            "a gradient of some rows of a table is no array: table[g.indices] -= 0.1 * g.rows, or "
            "let optimizer.step(gradients) do it"
        )

    def __rmul__(self, factor: Any) -> Any:
        return self * factor


def is_array(item: Any) -> bool:
    """Return whether `item` is an array, whose numbers can be changed in place."""
    return hasattr(item, "ndim") and hasattr(item, "__setitem__")


def checked_gradient(name: str, data: Any, gradient: Gradient) -> Gradient:
    """Return `gradient`, its equal rows summed. Arrays of small floats or integers become wider.

    Raises ValueError where it does not fit `data`, TypeError where it is made of no real numbers.
    """
    if isinstance(gradient, tuple):
        if len(gradient) != 2:
            raise ValueError(
                f"the gradient of parameter {name} is Rows(indices, rows), not {shorten(gradient)}"
            )
        return _summed(name, data, *gradient)
    wide = _wide(name, gradient)
    expected, shape = getattr(data, "shape", ()), getattr(wide, "shape", ())
    if expected != shape:
        raise ValueError(f"parameter {name} has the shape {expected}, its gradient {shape}")
    return wide


def dense(data: Any, rows: Rows) -> Any:
    """Return the gradient of a whole table, in as many bits: `rows`, and 0 in the others."""
    table = zeros_like(data.astype(rows.rows.dtype))
    table[rows.indices] = rows.rows
    return table


def keep_own(state: dict[str, Any], *others: Any) -> None:
    """Copy what is remembered where it is an array that others change: a parameter, a gradient."""
    for name, kept in state.items():
        if any(kept is other for other in others):
            state[name] = kept.copy()


def zeros_like(array: Any) -> Any:
    """Return an array of zeros of the same form."""
    zeros = array.copy()
    zeros[...] = 0
    return zeros


def _wide(name: str, gradient: Any) -> Any:
    """Return a gradient whose squares neither overflow nor vanish for want of bits."""
    kind = getattr(getattr(gradient, "dtype", None), "kind", None)
    if not (is_real(gradient) if kind is None else kind in "fiub"):
        raise TypeError(
            f"the gradient of parameter {name} is a {type(gradient).__name__}, "
            f"{shorten(gradient)}; it is made of real numbers: of a Value, give the data"
        )
    narrow = kind is not None and (kind != "f" or gradient.dtype.itemsize < 4)
    return gradient.astype(float) if narrow and is_array(gradient) else gradient


def _summed(name: str, data: Any, indices: Any, rows: Any) -> Rows:
    import numpy as np

    at, rows = np.asarray(indices), _wide(name, np.asarray(rows))
    if not is_array(data) or at.ndim != 1 or rows.shape != (len(at), *data.shape[1:]):
        raise ValueError(
            f"parameter {name} has the shape {getattr(data, 'shape', ())}; "
            f"indices {at.shape} and rows {rows.shape} do not fit it"
        )
    if not len(at):
        return Rows(at.astype(int), rows)
    if at.dtype.kind not in "iu":
        raise TypeError(f"the rows of parameter {name} are told by ints, not {shorten(indices)}")
    order = at.argsort(kind="stable")
    ordered = at[order]
    if not 0 <= ordered[0] <= ordered[-1] < len(data):
        raise ValueError(
            f"parameter {name} has the rows 0 to {len(data) - 1}; there are "
            f"gradients for rows {ordered[0]} to {ordered[-1]}"
        )
    changes = ordered[1:] != ordered[:-1]
    if changes.all():
        return Rows(at, rows)
    starts = np.flatnonzero(np.append(True, changes))
    return Rows(ordered[starts], np.add.reduceat(rows[order], starts))


@remade
def clip_value(limit: float) -> Callable[[list[Gradient]], list[Gradient]]:
    """Return a function that moves every number of some gradients into [−limit, limit]."""
    _check_limit(limit)

    def clip(gradients: list[Gradient]) -> list[Gradient]:
        return [_each(g, lambda part: _bounded(part, limit)) for g in _listed(gradients)]

    clip.__qualname__ = f"clip_value({limit})"  # by which a checkpoint tells it from another
    return clip


@remade
def clip_norm(limit: float) -> Callable[[list[Gradient]], list[Gradient]]:
    """Return a function that scales gradients together so that their norm is at most `limit`.

    Gradients with inf or nan stay as they are, for the loss to show them.
    """
    _check_limit(limit)

    def clip(gradients: list[Gradient]) -> list[Gradient]:
        norm = gradient_norm(gradients)
        if not limit < norm < math.inf:
            return gradients
        return [_each(g, lambda part: part * (limit / norm)) for g in gradients]

    clip.__qualname__ = f"clip_norm({limit})"
    return clip


def gradient_norm(gradients: list[Gradient]) -> float:
    """Return the Euclidean norm of all numbers of `gradients`, whatever their size."""
    parts = [g.rows if isinstance(g, Rows) else g for g in _listed(gradients)]
    return math.hypot(*(_norm(p) if is_array(p) else p for p in parts))


def _listed(gradients: Any) -> list[Gradient]:
    """Return gradients as a list. Raises TypeError where they are no list of numbers or arrays."""
    check_ordered("gradients", gradients)
    if isinstance(gradients, (str, bytes)) or not is_several(gradients):
        raise TypeError(f"gradients are a list, one of each parameter, not {shorten(gradients)}")
    listed = list(gradients)
    for gradient in listed:
        if not (isinstance(gradient, (Rows, Real)) or is_array(gradient)):
            raise TypeError(f"a gradient is a number, an array or Rows, not {shorten(gradient)}")
    return listed


def _norm(array: Any) -> float:
    wide = abs(array.astype(float))
    top = float(wide.max(initial=0.0))
    if not 0 < top < math.inf:
        return top
    return top * math.sqrt(float(((wide / top) ** 2).sum()))


def _check_limit(limit: Any) -> None:
    real = isinstance(limit, Real) and (is_finite(limit) or limit == math.inf)
    if not real or not limit > 0:
        raise ValueError(f"gradients are clipped to a limit above 0, not {shorten(limit)}")


def _each(gradient: Gradient, change: Callable[[Any], Any]) -> Gradient:
    if isinstance(gradient, Rows):
        return Rows(gradient.indices, change(gradient.rows))
    return change(gradient)


def _bounded(part: Any, limit: float) -> Any:
    return part.clip(-limit, limit) if is_array(part) else min(max(part, -limit), limit)
