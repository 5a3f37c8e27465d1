"""The hinge J = Σ max(0, 1 + s_c − s) over k corrupt windows: its corner, its gradient (L4, L32).

max(0, ·) is continuous and has no derivative at its corner, s − s_c = 1: the slopes left and right
of it differ, −1 and 0, and the checker says so. For k corrupt windows per true one the gradients
add up, ∂J/∂s = −(number of active terms), ∂J/∂s_c = 1 for an active one and 0 for the others:

    python demos/hinge.py hinge.svg
"""

from __future__ import annotations

import random
from typing import Any, NamedTuple

import numpy as np
from stage import claim, run, say, t, table

from micrograd import Value, grad
from micrograd.gradcheck import Report, gradcheck
from micrograd.losses import max_margin

FIGURE = (
    "The hinge of one corrupt window, and the sum of five, against s",
    "一个假窗口的合页损失，以及五个之和，随 s 变化",
)
S_C = 0.5


def hinge(s: Value) -> Value:
    """Return J of one corrupt window whose score is S_C."""
    return max_margin(s, Value(S_C))


class Measured(NamedTuple):
    """The checker's reports at the corner and beside it; the k scores, and the gradients."""

    corner: Report
    beside: Report
    jump: float
    corrupt: list[float]
    s: list[float]
    active: list[int]
    ds: list[float]
    ds_c: list[list[float]]


def measure(seed: int = 0, k: int = 5) -> Measured:
    """Check the hinge, and count the gradients of k corrupt windows for several s."""
    rng = random.Random(seed)
    corrupt, across = [rng.uniform(-2, 2) for _ in range(k)], [x / 2 for x in range(-4, 9)]
    active, ds, ds_c = [], [], []
    for number in across:
        s, others = Value(number), [Value(c) for c in corrupt]
        first, *rest = grad(max_margin(s, others), [s, *others])
        active.append(sum(1 + c - number > 0 for c in corrupt))
        ds.append(first)
        ds_c.append(rest)
    tiny = 1e-9
    jump = hinge(Value(1 + S_C - tiny)).data - hinge(Value(1 + S_C + tiny)).data
    checks = gradcheck(hinge, at=[1 + S_C]), gradcheck(hinge, at=[S_C])
    return Measured(*checks, jump, corrupt, across, active, ds, ds_c)


def show(r: Measured) -> None:
    """Print both reports and the count."""
    say(t("at the corner, s − s_c = 1:", "在拐点 s − s_c = 1："))
    print(r.corner)
    say(t("beside it, s − s_c = 0:", "在拐点之外 s − s_c = 0："))
    print(r.beside)
    print("s_c =", ", ".join(f"{c:.2f}" for c in r.corrupt))
    table(
        ["s", t("active", "起作用的个数"), "∂J/∂s", "Σ ∂J/∂s_c"],
        *(
            [f"{s:.1f}", n, f"{d + 0:g}", f"{sum(c):g}"]
            for s, n, d, c in zip(r.s[::2], r.active[::2], r.ds[::2], r.ds_c[::2])
        ),
        left=0,
    )


@claim(
    "The hinge is continuous at its corner, and the checker suspects a kink there and only there.",
    "合页损失在拐点处连续；检查器在那里、也只在那里报告可能有拐点。",
)
def the_checker_reports_the_corner(r: Measured) -> bool:
    return abs(r.jump) < 1e-8 and r.corner.worst.kink and not r.beside.worst.kink


@claim(
    "∂J/∂s is always −(number of active corrupt windows).",
    "∂J/∂s 总是等于 −（起作用的假窗口个数）。",
)
def the_gradient_counts_the_active(r: Measured) -> bool:
    return r.ds == [-n for n in r.active] and len(set(r.active)) > 2


@claim(
    "Each active corrupt window gets 1, every other 0: they sum to the opposite of ∂J/∂s.",
    "每个起作用的假窗口得到 1，其余得到 0：它们之和与 ∂J/∂s 相反。",
)
def corrupt_windows_get_one_or_nothing(r: Measured) -> bool:
    return all({*row} <= {0, 1} and sum(row) == -d for row, d in zip(r.ds_c, r.ds))


def draw(r: Measured) -> Any:
    """Draw J against s, for one corrupt window and for all."""
    from figures import ORANGE, SMALL, STYLES, panels

    figure, axes = panels(2)
    grid = np.linspace(-2, 4, 301)
    axes[0].plot(grid, np.maximum(0, 1 + S_C - grid), **STYLES[0] | {"marker": ""})
    axes[0].plot([1 + S_C], [0], "o", color=ORANGE, markersize=14)
    axes[0].annotate(
        t("corner: slope −1 left, 0 right", "拐点：左边斜率 −1，右边 0"),
        (1 + S_C, 0),
        (-40, 120),
        textcoords="offset points",
        fontsize=SMALL,
        arrowprops={"arrowstyle": "->"},
    )
    axes[0].set(title=f"max(0, 1 + s_c − s), s_c = {S_C}", xlabel="s", ylabel="J")
    total = sum(np.maximum(0, 1 + c - grid) for c in r.corrupt)
    axes[1].plot(grid, total, **STYLES[0] | {"marker": ""})
    for s, n in zip(r.s[::2], r.active[::2]):
        axes[1].text(s, np.interp(s, grid, total) + 0.4, f"−{n}" if n else "0", fontsize=SMALL)
    axes[1].set(
        title=t("five corrupt windows: the numbers are ∂J/∂s", "五个假窗口：数字为 ∂J/∂s"),
        xlabel="s",
        ylabel="J",
    )
    return figure


if __name__ == "__main__":
    run(__name__)
