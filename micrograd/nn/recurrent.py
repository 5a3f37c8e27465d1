"""A recurrent cell, for what happens to gradients and to dropout over time steps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from micrograd.core.checks import check_ordered, is_several
from micrograd.core.modes import scope
from micrograd.engine import Value
from micrograd.nn.dropout import Dropout
from micrograd.nn.feedforward import Layer, check_size, inputs
from micrograd.nn.module import Module
from micrograd.printing import counted, shorten


class Recurrent(Module):
    """Compute hₜ = f(W [xₜ; hₜ₋₁] + b) for t = 1, 2, … (Elman 1990).

    `options` go to the Layer; its activation is tanh. `dropout` drops units of hₜ₋₁; a
    variational one drops the same units at every time step.
    """

    def __init__(
        self, nin: int, nhidden: int, dropout: Dropout | None = None, **options: Any
    ) -> None:
        check_size(nin, "inputs")
        check_size(nhidden, "hidden units")
        self.nin, self.nhidden, self.dropout = nin, nhidden, dropout
        self.layer = Layer(nin + nhidden, nhidden, **{"activation": "tanh"} | options)

    def __call__(
        self, sequence: Sequence[Any], h: Sequence[Value] | None = None
    ) -> list[list[Value]]:
        """Return hₜ for every input of `sequence`, beginning from `h`, or from 0."""
        check_ordered("the inputs of a sequence", sequence)
        if isinstance(sequence, (str, bytes)) or not is_several(sequence):
            raise TypeError(f"Recurrent takes a sequence of inputs, not {shorten(sequence)}")
        if self.dropout:
            self.dropout.renew()
        state = [Value(0.0) for _ in range(self.nhidden)] if h is None else h
        states = []
        for t, x in enumerate(sequence):
            with scope(f"step {t}"):
                state = self.step(x, state)
            states.append(state)
        return states

    def step(self, x: Any, h: Sequence[Value]) -> list[Value]:
        """Return the hidden state after one more input."""
        values, kept = inputs(x), inputs(self.dropout(h) if self.dropout else h)
        if (len(values), len(kept)) != (self.nin, self.nhidden):
            raise ValueError(
                f"{self!r} takes {counted(self.nin, 'input')} at every step, and "
                f"{self.nhidden} hidden units, not {len(values)} and {len(kept)}"
            )
        out = self.layer([*values, *kept])
        return [out] if isinstance(out, Value) else out

    def __repr__(self) -> str:
        return f"Recurrent({self.nin}, {self.nhidden})"
