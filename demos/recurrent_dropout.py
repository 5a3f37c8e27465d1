"""Dropout over time steps: one mask reused in a recurrent network, against a fresh one (L19).

Dropout is on the hidden state. With a fresh mask every step (naive) a unit is dropped sooner or
later; variational dropout draws one mask for a whole sequence. Prints how many units are kept all
the time, and draws the masks:

    python demos/recurrent_dropout.py [recurrent_dropout.svg]
"""

from __future__ import annotations

import random
import sys
from typing import Any

import numpy as np

from micrograd import Value, no_grad
from micrograd.nn import Dropout, Recurrent

P, UNITS = 0.8, 16


class Recorded(Dropout):
    """Dropout that keeps the masks it has used, to be shown."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.used: list[list[bool]] = []

    def mask(self, size: int) -> list[Value]:
        """Return the factors, and keep which of them are not 0."""
        factors = super().mask(size)
        self.used.append([factor.data > 0 for factor in factors])
        return factors


def masks(variational: bool, steps: int) -> Any:
    """Run a recurrent network on a sequence; return which units were kept, (step, unit)."""
    random.seed(2)
    dropout = Recorded(P, variational=variational, seed=2)
    with no_grad():
        Recurrent(1, UNITS, dropout)([1.0] * steps)
    return np.array(dropout.used)


def draw(kinds: dict[str, Any], path: str) -> None:
    """Draw the masks, a row for each step."""
    from figures import panels, save

    figure, axes = panels(len(kinds), 1, 5.0)
    for panel, (name, kept) in zip(axes, kinds.items()):
        panel.pcolormesh(kept, cmap="gray", edgecolors="0.6", linewidth=0.5, vmin=-1)
        panel.set(title=f"{name} (dark: dropped)", xlabel="hidden unit", ylabel="time step")
        panel.set_xticks(np.arange(0, UNITS, 3) + 0.5, np.arange(1, UNITS + 1, 3))
        panel.set_yticks(np.arange(len(kept)) + 0.5, np.arange(1, len(kept) + 1))
        panel.invert_yaxis()
        panel.grid(False)
    save(figure, path)


def main(path: str | None = None, steps: int = 8) -> dict[str, Any]:
    """Print how many units are kept; return the masks, and draw them where a path is given."""
    kinds = {
        "a fresh mask every step": masks(False, steps),
        "one mask for all steps": masks(True, steps),
    }
    print(f"{'':25}kept per step   kept at all {steps} steps   expected")
    for (name, kept), survival in zip(kinds.items(), (P**steps, P)):
        print(f"{name:25}{kept.sum(1).mean():13.1f}{kept.all(0).sum():15d} of {UNITS}"
              f"{survival * UNITS:11.1f}")  # fmt: skip
    print("What a unit remembers survives T fresh masks with probability p^T, a reused one with p.")
    if path:
        draw(kinds, path)
    return kinds


if __name__ == "__main__":
    main(*sys.argv[1:2])
