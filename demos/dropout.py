"""Dropout: a unit is kept with probability p, and the expectation is matched at test (L19).

In training h ← mask ∘ h; the mask is 0 for a dropped unit, whose gradient is then 0 too. So that
h at test is E[h] in training, either multiply by p at test (the notes), or divide by p in training
(inverted dropout):

    python demos/dropout.py dropout.svg
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from stage import claim, run, t, table

from micrograd import Value, dot, grad
from micrograd.nn import Dropout

P = 0.8
H, U = (0.5, 1.0, -0.5, 2.0), (1.0, -2.0, 0.5, 1.5)
FIGURE = (
    "The mean output in training against the number of masks, and the output at test",
    "训练输出的平均随掩码数目的变化，以及测试时的输出",
)


class Kind(NamedTuple):
    """Outputs uᵀh in training, one for each mask, the output at test, and both kinds of gradient."""

    drawn: Any
    at_test: float
    kept: list[float]  # ∂(uᵀh)/∂h of units whenever they were kept
    dropped: list[float]

    @property
    def mean(self) -> float:
        """Return the mean output in training."""
        return float(self.drawn.mean())


class Measured(NamedTuple):
    """Both forms of dropout."""

    divide: Kind
    multiply: Kind


def sampled(inverted: bool, seed: int, samples: int) -> Kind:
    """Draw masks for h, and run both passes with each."""
    dropout, drawn, gradients = Dropout(P, inverted, seed=seed), [], []
    for _ in range(samples):
        h = [Value(x) for x in H]
        masked = dropout(h)
        out = dot(U, masked)
        drawn.append(out.data)
        gradients += [(v.data == 0, g) for v, g in zip(masked, grad(out, h))]
    sides = [[g for zero, g in gradients if zero is side] for side in (False, True)]
    return Kind(np.array(drawn), dot(U, dropout.eval()([Value(x) for x in H])).data, *sides)


def measure(seed: int = 1, samples: int = 3000) -> Measured:
    """Sample both forms."""
    return Measured(sampled(True, seed, samples), sampled(False, seed, samples))


def show(r: Measured) -> None:
    """Print what an output is in training and at test."""
    table(
        [f"uᵀh, p = {P}", t("mean in training", "训练时的平均"), t("at test", "测试时")],
        [t("÷ p in training", "训练时除以 p"), f"{r.divide.mean:.3f}", f"{r.divide.at_test:.3f}"],
        [t("× p at test", "测试时乘以 p"), f"{r.multiply.mean:.3f}", f"{r.multiply.at_test:.3f}"],
    )


@claim(
    "With either form the output at test is the mean of the outputs in training, within 5 %.",
    "两种形式下，测试时的输出都是训练时输出的平均，相差不超过 5 %。",
)
def expectation_is_matched(r: Measured) -> bool:
    return all(abs(kind.mean - kind.at_test) < 0.05 * abs(kind.at_test) for kind in r)


@claim(
    "A dropped unit's output is 0 and its gradient is 0: it is not updated in this step.",
    "被丢弃的单元输出为 0，梯度也为 0：这一步不更新它。",
)
def dropped_units_have_no_gradient(r: Measured) -> bool:
    return all(not any(kind.dropped) and all(kind.kept) and kind.dropped for kind in r)


def draw(r: Measured) -> Any:
    """Draw the running means."""
    from figures import STYLES, panels

    figure, (panel,) = panels()
    names = t("÷ p in training", "训练时除以 p"), t("× p at test", "测试时乘以 p")
    for kind, name, style in zip(r, names, STYLES):
        counts = np.arange(1, len(kind.drawn) + 1)
        panel.plot(counts, np.cumsum(kind.drawn) / counts, **style | {"marker": ""}, label=name)
        panel.axhline(kind.at_test, color=style["color"], linewidth=1.5)
        panel.text(
            3000, kind.at_test + 0.02, t("at test", "测试时") + f" {kind.at_test:.3f}", ha="right"
        )
    panel.set(
        xlabel=t("masks drawn", "掩码数目"),
        ylabel=t("mean of uᵀh so far", "uᵀh 到此为止的平均"),
        ylim=(0.6, 1.8),
        title=t(*FIGURE),
    )
    panel.legend()
    return figure


if __name__ == "__main__":
    run(__name__)
