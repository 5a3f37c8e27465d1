"""How sure a network is: the spread of the networks that dropout draws from it (L19).

By the Bayesian reading of dropout the sampled networks f(x, θₘ) are samples of what the network
could be; their mean is the prediction, (1/M) Σ f(x, θₘ), and their deviation, √Var f(x, θₘ), tells how far it can
be trusted. The training points lie in two groups with a gap between them:

    python demos/uncertainty.py uncertainty.svg
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from sampled_networks import UNITS, P, data, trained
from stage import claim, run, t, table

from micrograd.nn import Dropout

FIGURE = (
    "Monte Carlo dropout: mean and spread of sampled networks, inside and outside the data",
    "蒙特卡罗 dropout：抽样网络的平均与散布，数据之内与之外",
)
LEFT, RIGHT, GAP = -1.0, 0.6, (-0.3, 0.2)


class Measured(NamedTuple):
    """Mean and spread on a grid of x, and the training points."""

    x: Any
    mean: Any
    spread: Any
    points: Any

    def at(self, *places: float) -> float:
        """Return the mean of the spreads at these places."""
        return float(np.interp(places, self.x, self.spread).mean())

    @property
    def outside(self) -> list[float]:
        """Return the spread at growing distances from the outermost points."""
        return [self.at(LEFT - d, RIGHT + d) for d in (0.1, 0.5, 1.0)]

    @property
    def gap(self) -> float:
        """Return the spread in the middle of the gap."""
        return self.at(sum(GAP) / 2)

    @property
    def on_points(self) -> float:
        """Return the mean spread on the training points."""
        return self.at(*self.points[0])

    @property
    def dip(self) -> float:
        """Return the mean of the sampled networks at the bottom of the sine."""
        return float(np.interp(-np.pi / 8, self.x, self.mean))


def measure(seed: int = 1, samples: int = 400) -> Measured:
    """Train with dropout, then sample networks."""
    model, grid = trained(seed), np.linspace(-2, 1.6, 181)
    outs = model.outputs(grid, np.array(Dropout(P, seed=seed + 30).masks(samples, UNITS)))
    return Measured(grid, outs.mean(0), outs.std(0), data(40, seed + 10))


def show(r: Measured) -> None:
    """Print every tenth point of the grid."""
    table(
        ["x", t("mean", "平均"), t("spread", "散布")],
        *(
            [f"{x:.1f}", f"{m:.3f}", f"{s:.3f}"]
            for x, m, s in zip(r.x[::15], r.mean[::15], r.spread[::15])
        ),
        left=0,
    )


@claim(
    "The mean follows the dip of the sine at x = −π/8: {r.dip:.2f}, where the sine is −1.",
    "平均曲线跟上了正弦在 x = −π/8 的谷底：{r.dip:.2f}，正弦值为 −1。",
)
def the_dip_is_fitted(r: Measured) -> bool:
    return abs(r.dip + 1) < 0.4


@claim(
    "Outside of the points the spread grows with the distance: {r.outside[0]:.2f} at 0.1, "
    "{r.outside[1]:.2f} at 0.5, {r.outside[2]:.2f} at 1.0.",
    "在训练点的范围之外，散布随距离增大：相距 0.1 时 {r.outside[0]:.2f}，"
    "0.5 时 {r.outside[1]:.2f}，1.0 时 {r.outside[2]:.2f}。",
)
def spread_grows_outside(r: Measured) -> bool:
    near, middle, far = r.outside
    return r.on_points < middle < far and near < middle


@claim(
    "In the gap it is {r.gap:.2f}, on the points {r.on_points:.2f}: a gap need not show.",
    "缺口处的散布为 {r.gap:.2f}，训练点上为 {r.on_points:.2f}：缺口不一定看得出来。",
)
def a_gap_need_not_show(r: Measured) -> bool:
    return r.gap < r.on_points


def draw(r: Measured) -> Any:
    """Draw the band of the sampled networks."""
    from figures import BLUE, GREY, SMALL, panels

    figure, (panel,) = panels()
    panel.fill_between(
        r.x,
        r.mean - 2 * r.spread,
        r.mean + 2 * r.spread,
        color=BLUE,
        alpha=0.2,
        label=t("mean ± 2 deviations", "平均 ± 2 倍标准差"),
    )
    panel.plot(
        r.x, r.mean, color=BLUE, linewidth=4, label=t("mean of sampled networks", "抽样网络的平均")
    )
    panel.plot(r.x, np.sin(4 * r.x), ":", color=GREY, linewidth=3, label="sin 4x")
    panel.plot(*r.points, "k.", markersize=14, label=t("training points", "训练点"))
    panel.axvspan(*GAP, color=GREY, alpha=0.12)
    panel.text(sum(GAP) / 2, -2.7, t("gap", "缺口"), ha="center", fontsize=SMALL)
    panel.set(
        xlabel="x", ylabel="y", ylim=(-3, 6), title=t("Monte Carlo dropout", "蒙特卡罗 dropout")
    )
    panel.legend(loc="upper right")
    return figure


if __name__ == "__main__":
    run(__name__)
