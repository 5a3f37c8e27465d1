"""Preprocessing (L21): statistics of the training set, applied to it and to everything else.

    whitening = Whitening().fit(train)
    train, test = whitening.apply(train), whitening.apply(test)
    whitening.undo(test)

Data are arrays (examples, features).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from micrograd.core.checks import is_finite
from micrograd.printing import counted, cut, shorten

__all__ = ["MeanSubtraction", "Normalisation", "Preprocessing", "Whitening"]

Floats = NDArray[np.float64]
LARGEST = 1e300  # of a number of the data: sums of more would overflow


class Preprocessing:
    """Subtract the mean of the training set: what all kinds of preprocessing begin with.

    Raises ValueError for what it was not fitted for: another number of features, nan, inf.
    """

    kept: tuple[str, ...] = ("mean",)
    mean: Floats

    def __repr__(self) -> str:
        given = [f"{k}={v!r}" for k, v in vars(self).items() if k not in self.kept]
        return f"{type(self).__name__}({', '.join(given)})"

    def fit(self, data: ArrayLike) -> Any:
        """Take the statistics of `data`; return self."""
        checked = _checked(data)
        mean = checked.mean(0)
        self.mean = mean + (checked - mean).mean(0)  # a long sum was rounded
        self._fit(checked - self.mean)
        return self

    def apply(self, data: ArrayLike) -> Floats:
        """Return `data`, preprocessed by the statistics of the training set."""
        return self._apply(self._fitting(data) - self.mean)

    def undo(self, data: ArrayLike) -> Floats:
        """Return what `apply` made `data` of; directions that were dropped are lost."""
        return self._undo(self._fitting(data)) + self.mean

    def state_dict(self) -> dict[str, Any]:
        """Return the statistics."""
        self._check_fitted()
        return {name: getattr(self, name) for name in self.kept}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take over what `state_dict()` gave. Raises ValueError where it is of something else."""
        _check_state(state)
        if set(state) != set(self.kept):
            raise ValueError(
                f"a {type(self).__name__} keeps {', '.join(self.kept)}, "
                f"not {cut(', '.join(map(str, state)))}"
            )
        arrays = {name: _statistics(name, part) for name, part in state.items()}
        features = {size for array in arrays.values() for size in array.shape}
        fits = all(array.ndim == 1 + (name == "axes") for name, array in arrays.items())
        if len(features) != 1 or not fits:
            shapes = ", ".join(f"{name} {array.shape}" for name, array in arrays.items())
            raise ValueError(f"a {type(self).__name__} keeps one number of features, not {shapes}")
        vars(self).update(arrays)

    def _fit(self, centred: Floats) -> None:
        """Take the statistics that are beyond the mean."""

    def _apply(self, centred: Floats) -> Floats:
        return centred

    def _undo(self, data: Floats) -> Floats:
        return data

    def _check_fitted(self) -> None:
        if not hasattr(self, "mean"):
            raise ValueError(f"this {type(self).__name__} has no statistics yet; fit(train) first")

    def _rounding(self) -> Floats:
        """Return how far from 0 rounding may leave the deviation of a constant feature."""
        return np.abs(self.mean) * np.finfo(float).eps * 8

    def _fitting(self, data: ArrayLike) -> Floats:
        self._check_fitted()
        checked = _checked(data)
        if checked.shape[1] != len(self.mean):
            raise ValueError(
                f"this {type(self).__name__} was fitted to {counted(len(self.mean), 'feature')}; "
                f"the data have {checked.shape[1]}"
            )
        return checked


class MeanSubtraction(Preprocessing):
    """Subtract the mean of every feature."""


class Normalisation(Preprocessing):
    """Subtract the mean, and divide by the standard deviation, of every feature.

    A feature that is constant in the training set becomes 0 there, and is not divided.
    """

    kept = ("mean", "deviation")
    deviation: Floats

    def _fit(self, centred: Floats) -> None:
        largest = np.abs(centred).max(0)
        scale = np.where(largest > 0, largest, 1.0)  # squares neither overflow nor vanish
        deviation = scale * np.sqrt(((centred / scale) ** 2).mean(0))
        self.deviation = np.where(deviation > self._rounding(), deviation, 1.0)

    def _apply(self, centred: Floats) -> Floats:
        return centred / self.deviation

    def _undo(self, data: Floats) -> Floats:
        return data * self.deviation


class Whitening(Preprocessing):
    """Rotate to the principal axes, by SVD, and scale each to variance 1.

    `kind` "zca" rotates back afterwards, so that data stay as close to the original as whitened
    data can be. An axis whose singular value is below `guard` times the largest carries noise
    only, and becomes 0.
    """

    kept = ("mean", "axes", "scale")
    axes: Floats
    scale: Floats

    def __init__(self, kind: str = "pca", guard: float = 1e-10) -> None:
        if kind not in ("pca", "zca"):
            raise ValueError(f"whitening is 'pca' or 'zca', not {shorten(kind)}")
        if not is_finite(guard) or not 0 <= guard < 1:
            raise ValueError(f"guard is 0 or more and below 1, not {shorten(guard)}")
        self.kind, self.guard = kind, guard

    def state_dict(self) -> dict[str, Any]:
        """Return the statistics, and what kind of whitening they are for."""
        return super().state_dict() | {"kind": self.kind}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take over what `state_dict()` gave. Raises ValueError where it was of another kind."""
        _check_state(state)
        kind = state.get("kind", self.kind)
        if not isinstance(kind, str) or kind != self.kind:
            raise ValueError(
                f"this is a whitening {self.kind!r}, and the state is of {shorten(kind)}"
            )
        super().load_state_dict({name: part for name, part in state.items() if name != "kind"})

    def _fit(self, centred: Floats) -> None:
        _, singular, self.axes = np.linalg.svd(
            centred, full_matrices=len(centred) < centred.shape[1]
        )
        deviation = np.zeros(len(self.axes))
        deviation[: len(singular)] = singular / np.sqrt(len(centred))
        noise = np.maximum(self.guard * deviation.max(), np.abs(self.axes) @ self._rounding())
        self.scale = np.where(deviation > noise, deviation, np.inf)

    def _apply(self, centred: Floats) -> Floats:
        white: Floats = centred @ self.axes.T / self.scale
        return white @ self.axes if self.kind == "zca" else white

    def _undo(self, data: Floats) -> Floats:
        white = data @ self.axes.T if self.kind == "zca" else data
        finite = np.where(np.isfinite(self.scale), self.scale, 0.0)
        return (white * finite) @ self.axes


def _statistics(name: str, part: Any) -> Floats:
    """Return a part of a state as an array of its own; what is divided by is above 0."""
    try:
        array = np.array(part, dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        array = np.array(np.nan)
    above = " above 0" if name in ("deviation", "scale") else ""
    if np.isnan(array).any() or (above and not (array > 0).all()):
        raise ValueError(f"the {name} of a state is made of numbers{above}, not {shorten(part)}")
    return array


def _check_state(state: Any) -> None:
    if not isinstance(state, Mapping):
        raise ValueError(f"a state is a dict, as state_dict() gives it, not {shorten(state)}")


def _checked(data: ArrayLike) -> Floats:
    try:
        if np.iscomplexobj(data):
            raise TypeError
        if isinstance(data, np.ma.MaskedArray):  # what is masked is not known
            data = np.ma.filled(data.astype(np.float64), np.nan)
        checked = np.asarray(data, dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        raise ValueError(
            f"preprocessing takes rows of numbers, equally many, not {shorten(data)}"
        ) from None
    if checked.ndim != 2 or 0 in checked.shape:
        raise ValueError(f"preprocessing takes (examples, features), not the shape {checked.shape}")
    bad = np.argwhere(~(np.abs(checked) < LARGEST))
    if len(bad):
        row, feature = bad[0]
        raise ValueError(
            f"example {row} has {checked[row, feature]} as feature {feature}; "
            "leave such examples out"
        )
    return checked
