"""The error of numeric gradients against their step h: why the checker uses 10⁻⁵ (L17).

Central: (f(x + h) − f(x − h)) / 2h, error O(h²). One-sided: (f(x + h) − f(x)) / h, error O(h).
Below a certain h both are lost to rounding, because two almost equal numbers are subtracted; a
complex step, Im f(x + ih) / h, subtracts nothing. The truth is backward()'s:

    python demos/difference_errors.py difference_errors.svg
"""

from __future__ import annotations

import math
import random
from typing import Any, NamedTuple

from stage import claim, run, t, table

from micrograd import Value
from micrograd.gradcheck import METHODS, gradcheck

STEPS = [10.0**-e for e in range(1, 15)]
ROUNDING = 2.0**-53  # of a float, relative
NAMES = {
    "central": ("central, O(h²)", "中心差分 O(h²)"),
    "one-sided": ("one-sided, O(h)", "单侧差分 O(h)"),
    "complex": ("complex step", "复数步长"),
}
FIGURE = (
    "The error of each numeric gradient against the step h",
    "各种数值梯度的误差随步长 h 的变化",
)


class Measured(NamedTuple):
    """Relative errors by method, one for each of STEPS."""

    errors: dict[str, list[float]]

    def fall(self, method: str) -> float:
        """Return the digits gained from h = 0.1 to h = 0.001, for each digit of h."""
        return math.log10(self.errors[method][0] / self.errors[method][2]) / 2

    @property
    def falls(self) -> dict[str, float]:
        """Return the digits gained by both differences."""
        return {"central": self.fall("central"), "one": self.fall("one-sided")}

    @property
    def best(self) -> dict[str, float]:
        """Return the h at which each difference is best."""
        return {name[:3]: STEPS[column.index(min(column))] for name, column in self.errors.items()}


def function(x: Value) -> Value:
    """Return tanh(x) eˣ, a function without corners."""
    return x.tanh() * x.exp()


def error(method: str, h: float, at: float) -> float:
    """Return how far the numeric gradient is from that of backward(), relative to it."""
    entry = gradcheck(function, at=[at], method=method, h=h).worst
    return abs(entry.numeric - entry.analytic) / abs(entry.analytic)


def measure(seed: int = 17) -> Measured:
    """Measure at a random point."""
    at = random.Random(seed).uniform(0.5, 1.0)
    return Measured({method: [error(method, h, at) for h in STEPS] for method in METHODS})


def show(r: Measured) -> None:
    """Print the errors."""
    table(
        ["h", *(t(*NAMES[m]) for m in r.errors)],
        *([f"{h:.0e}", *(f"{e:.1e}" for e in row)] for h, *row in zip(STEPS, *r.errors.values())),
    )


@claim(
    "A tenth of h takes {r.falls[central]:.1f} digits off the central error and "
    "{r.falls[one]:.1f} off the one-sided one.",
    "h 缩小到十分之一，中心差分的误差减少 {r.falls[central]:.1f} 位，单侧差分减少 {r.falls[one]:.1f} 位。",
)
def orders_are_two_and_one(r: Measured) -> bool:
    return abs(r.falls["central"] - 2) < 0.1 and abs(r.falls["one"] - 1) < 0.1


@claim(
    "The central difference is best near h = {r.best[cen]:.0e}, the one-sided one near "
    "{r.best[one]:.0e}; below, rounding takes over.",
    "中心差分在 h = {r.best[cen]:.0e} 附近最好，单侧差分在 {r.best[one]:.0e} 附近；再小就由舍入误差主导。",
)
def rounding_takes_over(r: Measured) -> bool:
    central, one = r.errors["central"], r.errors["one-sided"]
    places = 1e-7 < r.best["cen"] < 1e-4 and 1e-10 < r.best["one"] < 1e-6
    return places and central[-1] > 1e3 * min(central) and one[-1] > 1e3 * min(one)


@claim(
    "The complex step is exact to rounding from h = 1e-08 on.",
    "从 h = 1e-08 起，复数步长精确到舍入误差。",
)
def the_complex_step_is_safe(r: Measured) -> bool:
    return max(r.errors["complex"][7:]) < 1e-15


def draw(r: Measured) -> Any:
    """Draw the errors."""
    from figures import GREY, SMALL, STYLES, panels

    figure, (panel,) = panels()
    for (method, column), style in zip(r.errors.items(), STYLES):
        panel.loglog(STEPS, [max(e, ROUNDING) for e in column], label=t(*NAMES[method]), **style)
    panel.axvspan(1e-5, 1e-4, color=GREY, alpha=0.2, label=t("h of the notes", "讲义中的 h"))
    panel.axhline(ROUNDING, color=GREY, linewidth=1)
    panel.text(1e-14, 5 * ROUNDING, t("rounding", "舍入"), fontsize=SMALL)
    panel.set(
        xlabel="h", ylabel=t("relative error", "相对误差"), ylim=(3e-17, 1), title="f = tanh(x) eˣ"
    )
    panel.legend(loc="upper center")
    return figure


if __name__ == "__main__":
    run(__name__)
