"""Schedules: learning rates that change while training goes on (L23).

Annealing halves α every k epochs; α(t) = α₀ e^(−kt); α(t) = α₀τ / max(t, τ); cyclical rates go up
and down. A schedule is a function of the number of steps done, and is drawn as what it is, one
rate for each step:

    python demos/schedules.py schedules.svg
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from stage import claim, run, t, table

from micrograd import schedules as s

STEPS = 200
SCHEDULES: dict[str, s.Schedule] = {
    "constant": s.constant(0.6),
    "step": s.step(1.0, 50),
    "exponential": s.exponential(1.0, 0.02),
    "inverse": s.inverse(1.0, 40),
    "triangular": s.triangular(0.1, 1.0, 25),
    "linear": s.linear(1.0, 0.1, 160),
    "cosine": s.cosine(1.0, 160),
    "one_cycle": s.one_cycle(1.0, STEPS),
    "warm_up": s.warm_up(s.cosine(1.0, STEPS), 40),
    "composed": s.composed((80, s.constant(0.8)), s.inverse(0.8, 20)),
    "by_epoch": s.by_epoch(s.exponential(1.0, 0.4), 25),
}
FIGURE = (
    "Each schedule over 200 steps, drawn as steps",
    "各种学习率计划在 200 步内的取值，按阶梯画出",
)


class Measured(NamedTuple):
    """The rates of each schedule, step by step."""

    rates: dict[str, list[float]]


def plateau() -> list[float]:
    """Return the rates of a Plateau whose loss stops improving at step 60."""
    schedule, rates = s.Plateau(1.0, factor=0.5, patience=20), []
    for step in range(STEPS):
        rates.append(schedule(step))
        schedule.report(max(1.0 - step / 60, 0.0))
    return rates


def measure() -> Measured:
    """Ask every schedule for its rates."""
    rates = {name: [f(step) for step in range(STEPS)] for name, f in SCHEDULES.items()}
    return Measured(rates | {"Plateau": plateau()})


def show(r: Measured) -> None:
    """Print some rates of each."""
    places = (0, 25, 50, 100, 150, 199)
    table(
        [t("after step", "第几步"), *places],
        *([name, *(f"{rates[place]:.3f}" for place in places)] for name, rates in r.rates.items()),
    )


@claim(
    "Annealed, the rate is halved every 50 steps, and only then.",
    "退火：每 50 步减半一次，其余时候不变。",
)
def annealing_halves(r: Measured) -> bool:
    return r.rates["step"] == [0.5 ** (step // 50) for step in range(STEPS)]


@claim(
    "The exponential one is α₀ e^(−kt) at every step, the inverse one α₀τ / max(t, τ).",
    "指数计划在每一步都是 α₀ e^(−kt)，反比计划都是 α₀τ / max(t, τ)。",
)
def formulas_of_the_notes(r: Measured) -> bool:
    exponential = [math.exp(-0.02 * step) for step in range(STEPS)]
    inverse = [40 / max(step, 40) for step in range(STEPS)]
    pairs = [*zip(exponential, r.rates["exponential"]), *zip(inverse, r.rates["inverse"])]
    return all(abs(a - b) < 1e-12 for a, b in pairs)


@claim(
    "The cyclical one never leaves [0.1, 1] and comes back to its start every 50 steps.",
    "循环计划从不离开 [0.1, 1]，每 50 步回到起点。",
)
def cycles_come_back(r: Measured) -> bool:
    rates = r.rates["triangular"]
    inside = min(rates) >= 0.1 - 1e-12 and max(rates) <= 1 + 1e-12
    return inside and all(abs(a - b) < 1e-9 for a, b in zip(rates, rates[50:]))


@claim(
    "Plateau waits for the loss: it is halved first after step 60, where the loss stalls.",
    "Plateau 看损失行事：损失在第 60 步停滞之后才第一次减半。",
)
def plateau_waits_for_the_loss(r: Measured) -> bool:
    rates = r.rates["Plateau"]
    return rates[:61] == [1.0] * 61 and 0.5 in rates[61:]


def draw(r: Measured) -> Any:
    """Draw a panel for each schedule."""
    from figures import BLUE, SMALL, panels

    figure, axes = panels(4, 3)
    for panel, (name, rates) in zip(axes, r.rates.items()):
        panel.step(range(STEPS), rates, color=BLUE, where="post", linewidth=3)
        panel.set_title(name)
        panel.set(ylim=(0, 1.08), xticks=(0, 100, 200), yticks=(0, 0.5, 1))
        panel.tick_params(labelsize=SMALL)
    figure.supxlabel(t("step t", "第 t 步"))
    figure.supylabel(t("rate α", "学习率 α"))
    return figure


if __name__ == "__main__":
    run(__name__)
