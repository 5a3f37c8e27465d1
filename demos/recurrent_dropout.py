"""Dropout over time steps: one mask reused in a recurrent net, against a fresh one (L19).

hₜ = f(W [xₜ; mask ∘ hₜ₋₁] + b). With a fresh mask at each step what a unit remembers survives T
steps with probability pᵀ; variational dropout draws one mask for the whole sequence, and it
survives with probability p:

    python demos/recurrent_dropout.py recurrent_dropout.svg
"""

from __future__ import annotations

import random
from typing import Any, NamedTuple

import numpy as np
from stage import claim, run, t, table

from micrograd import Value, no_grad
from micrograd.nn import Dropout, Recurrent

P, UNITS, STEPS, SEQUENCES = 0.8, 16, 8, 50
FIGURE = (
    "Which units are dropped at each time step: fresh masks, and one mask",
    "每个时间步丢弃了哪些单元：每步新掩码，以及同一掩码",
)


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


class Measured(NamedTuple):
    """Which units were kept, (sequence, step, unit), by each kind."""

    fresh: Any
    reused: Any

    @property
    def survived(self) -> tuple[float, float]:
        """Return the share of units that were kept at all steps."""
        return tuple(float(kept.all(1).mean()) for kept in self)

    @property
    def expected(self) -> tuple[float, float]:
        """Return pᵀ and p."""
        return P**STEPS, P


def masks(variational: bool, seed: int) -> Any:
    """Run a recurrent network on several sequences."""
    random.seed(seed)
    dropout = Recorded(P, variational=variational, seed=seed)
    net = Recurrent(1, UNITS, dropout, fused=True)
    with no_grad():
        for _ in range(SEQUENCES):
            net([1.0] * STEPS)
    return np.array(dropout.used).reshape(SEQUENCES, STEPS, UNITS)


def measure(seed: int = 2) -> Measured:
    """Run both kinds."""
    return Measured(masks(False, seed), masks(True, seed))


def show(r: Measured) -> None:
    """Print how many units are kept."""
    table(
        [
            f"p = {P}",
            t("kept per step", "每步保留"),
            t("kept at all 8 steps", "8 步都保留"),
            t("expected", "期望"),
        ],
        *(
            [name, f"{kept.mean():.0%}", f"{s:.0%}", f"{e:.0%}"]
            for name, kept, s, e in zip(
                (
                    t("a fresh mask every step", "每步新掩码"),
                    t("one mask for all steps", "各步同一掩码"),
                ),
                r,
                r.survived,
                r.expected,
            )
        ),
    )


@claim(
    "A unit survives 8 fresh masks in {r.survived[0]:.0%} of the cases (p⁸ = {r.expected[0]:.0%}), "
    "one mask in {r.survived[1]:.0%} (p = {r.expected[1]:.0%}).",
    "单元经过 8 个新掩码后保留的比例为 {r.survived[0]:.0%}（p⁸ = {r.expected[0]:.0%}），"
    "同一掩码为 {r.survived[1]:.0%}（p = {r.expected[1]:.0%}）。",
)
def survival_is_a_power_of_p(r: Measured) -> bool:
    return STEPS == 8 and all(abs(a - b) < 0.06 for a, b in zip(r.survived, r.expected))


@claim(
    "The reused mask is the same at every step of a sequence, and another in the next sequence.",
    "重复使用的掩码在一个序列的各步中相同，换一个序列就不同。",
)
def one_mask_per_sequence(r: Measured) -> bool:
    same = (r.reused == r.reused[:, :1]).all()
    return bool(same) and len(np.unique(r.reused[:, 0], axis=0)) > SEQUENCES // 2


def draw(r: Measured) -> Any:
    """Draw the masks of one sequence, a row for each step."""
    from figures import panels

    figure, axes = panels(2)
    names = t("fresh masks (dark: dropped)", "每步新掩码（深色：丢弃）"), t("one mask", "同一掩码")
    for panel, name, kept in zip(axes, names, r):
        panel.pcolormesh(kept[0], cmap="gray", edgecolors="0.6", linewidth=1, vmin=-1)
        panel.set(title=name, xlabel=t("hidden unit", "隐藏单元"), ylabel=t("time step", "时间步"))
        panel.set_xticks(np.arange(0, UNITS, 3) + 0.5, np.arange(1, UNITS + 1, 3))
        panel.set_yticks(np.arange(STEPS) + 0.5, np.arange(1, STEPS + 1))
        panel.invert_yaxis()
        panel.grid(False)
    return figure


if __name__ == "__main__":
    run(__name__)
