"""Dropout, and the mean of the networks it samples."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from micrograd.core.checks import check_flags, check_whole, generator, is_finite
from micrograd.core.modes import no_grad
from micrograd.engine import Value
from micrograd.nn.feedforward import inputs
from micrograd.nn.module import Module
from micrograd.printing import counted, shorten


class Dropout(Module):
    """Keep each unit with probability `p` in training, and all of them in prediction (L19).

    `inverted` divides by p in training; otherwise prediction multiplies by p, as in the notes.
    `variational` uses one mask for every call until `renew()`: for the time steps of a sequence.
    """

    def __init__(
        self,
        p: float = 0.5,
        inverted: bool = True,
        variational: bool = False,
        seed: int | None = None,
    ) -> None:
        if not is_finite(p) or not 0 < p <= 1:
            raise ValueError(
                f"the probability to keep a unit is above 0 and at most 1, not {shorten(p)}"
            )
        check_flags(inverted=inverted, variational=variational)
        self.p, self.inverted, self.rng = p, inverted, generator(seed)
        self.last = Mask() if variational else None

    def __call__(self, xs: Sequence[Value]) -> list[Value]:
        """Return `xs`, times the mask in training."""
        xs = inputs(xs)
        if not self.training:
            return list(xs) if self.inverted else [x * self.p for x in xs]
        return [x * mask for x, mask in zip(xs, self.mask(len(xs)))]

    def mask(self, size: int) -> list[Value]:
        """Return the factors of `size` units: 0 for the dropped ones."""
        if self.last is None:
            return _values(self._drawn(size))
        if not self.last.values:
            self.last.setstate(self._drawn(size))
        if (known := len(self.last.values)) != size:
            raise ValueError(f"the mask is for {counted(known, 'unit')}, not {size}; renew() first")
        return self.last.values

    def masks(self, samples: int, size: int) -> list[list[float]]:
        """Return fresh masks of several samples: what a lowered program takes as its mask."""
        check_whole("the number of samples", samples, 0)
        return [self._drawn(size) for _ in range(samples)]

    def _drawn(self, size: int) -> list[float]:
        check_whole("the number of units", size, 0)
        kept = 1 / self.p if self.inverted else 1.0
        return [kept if self.rng.random() < self.p else 0.0 for _ in range(size)]

    def __repr__(self) -> str:
        return f"Dropout({self.p})"

    def renew(self) -> None:
        """Forget the mask: a new sequence begins."""
        if self.last is not None:
            self.last.setstate([])


class Mask:
    """The factors drawn for a sequence: as the random generator, a part of the network's state."""

    def __init__(self) -> None:
        self.values: list[Value] = []

    def getstate(self) -> list[float]:
        """Return the factors."""
        return [value.data for value in self.values]

    def setstate(self, factors: Sequence[float]) -> None:
        """Take over factors; none where a sequence is to begin."""
        self.values = _values(list(factors))


class Draw:
    """What the factors of one mask have in common; lowering takes all `size` for one input."""

    def __init__(self, size: int) -> None:
        self.size = size


def _values(factors: list[float]) -> list[Value]:
    """Return the factors as leaves that know, by `drawn`, which mask they are of, and where."""
    draw = Draw(len(factors))
    mask = [Value(factor, label=f"mask{i}") for i, factor in enumerate(factors)]
    for i, value in enumerate(mask):
        value.drawn = draw, i
    return mask


def sampled(model: Module, x: Any, samples: int) -> list[list[float]]:
    """Return the outputs of `samples` networks drawn by dropout, for one input.

    Only dropout is switched to training, and back; a sequence goes on with the mask that it had.
    """
    if not hasattr(model, "modules"):
        raise TypeError(f"dropout is sampled in a Module, not in {shorten(model)}")
    dropouts = [module for module in model.modules() if isinstance(module, Dropout)]
    check_whole("the number of samples", samples, 1)
    if not dropouts:
        raise ValueError(f"there is no Dropout in {shorten(model)}, so all samples are the same")
    before = [(dropout.training, dropout.last) for dropout in dropouts]
    try:
        for dropout in dropouts:
            dropout.training, dropout.last = True, dropout.last and Mask()
        with no_grad():
            return [_sample(model, dropouts, x) for _ in range(samples)]
    finally:
        for dropout, kept in zip(dropouts, before):
            dropout.training, dropout.last = kept


def monte_carlo(model: Module, x: Any, samples: int = 50) -> tuple[list[float], list[float]]:
    """Return mean and standard deviation of each output over sampled networks (L19).

    The spread tells how sure the network is (Gal and Ghahramani 2016).
    """
    outputs = list(zip(*sampled(model, x, samples)))
    means = [sum(column) / samples for column in outputs]
    squares = [sum((y - m) ** 2 for y in column) for column, m in zip(outputs, means)]
    return means, [(square / samples) ** 0.5 for square in squares]


def _sample(model: Any, dropouts: list[Dropout], x: Any) -> list[float]:
    for dropout in dropouts:
        dropout.renew()
    return [value.data for value in inputs(model(x))]
