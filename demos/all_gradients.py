"""All gradients together, against one parameter at a time (L15).

One sweep backward multiplies upstream × local once for each edge of the graph, and every ∂J/∂θ is
there. One parameter at a time, by a sweep of its own or by two forward passes, the work is that
many times as much. Operations are counted and CPU time is measured:

    python demos/all_gradients.py all_gradients.svg
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from typing import Any, NamedTuple

from stage import claim, run, t, table
from timing import cpu_seconds

from micrograd import Value, no_grad, topological_order
from micrograd.losses import binary_hinge
from micrograd.nn import MLP

WIDTHS = (2, 4, 8, 16, 32, 64)
TIMED = 10**6  # operations of differences that are waited for
FIGURE = (
    "Operations and CPU time for all gradients against the size of the graph",
    "求全部梯度的运算次数与 CPU 时间随图的大小变化",
)


class Costs(NamedTuple):
    """Operations and seconds; the seconds of differences of small graphs."""

    parameters: int
    forward: int
    backward: int
    differences: int
    seconds: tuple[float, float, float]


class Measured(NamedTuple):
    """The costs by width, and the largest difference between both kinds of gradient."""

    costs: list[Costs]
    apart: float
    most: float
    least: float


def network(width: int, seed: int) -> tuple[MLP, Callable[[], Value]]:
    """Return a tanh network, and its loss for one input."""
    random.seed(seed)
    model = MLP(8, [width, width, 1], "tanh")
    x = [random.uniform(-1, 1) for _ in range(8)]
    label = 1 if model(x).data < 0 else -1  # the wrong one: the loss is active
    return model, lambda: binary_hinge(model(x), label)


def differences(loss: Callable[[], Value], parameters: list[Value], h: float = 1e-5) -> list[float]:
    """Return (J(θ + h) − J(θ − h)) / 2h by each parameter, from two forward passes each."""

    def at(parameter: Value, data: float) -> float:
        parameter.data = data
        return loss().data

    slopes = []
    with no_grad():
        for p in parameters:
            here = p.data
            slopes.append((at(p, here + h) - at(p, here - h)) / (2 * h))
            p.data = here
    return slopes


def cost(width: int, seed: int) -> Costs:
    """Count the operations and take the times for one width."""
    model, loss = network(width, seed)
    root, parameters = loss(), model.parameters()
    forward = sum(bool(node.parents) for node in topological_order(root))
    backward = sum(1 for _ in root.steps())
    slow = 2 * len(parameters) * forward
    waited = cpu_seconds(lambda: differences(loss, parameters), 0) if slow < TIMED else float("nan")
    seconds = cpu_seconds(loss), cpu_seconds(root.backward), waited
    return Costs(len(parameters), forward, backward, slow, seconds)


def measure(seed: int = 15, widths: tuple[int, ...] = WIDTHS) -> Measured:
    """Count, time, and compare the gradients of the smallest network."""
    model, loss = network(widths[0], seed)
    loss().backward()
    pairs = zip((p.grad for p in model.parameters()), differences(loss, model.parameters()))
    costs = [cost(width, seed) for width in widths]
    ratios = [c.backward / c.forward for c in costs]
    return Measured(costs, max(abs(a - b) for a, b in pairs), max(ratios), min(ratios))


def show(r: Measured) -> None:
    """Print operations and milliseconds."""
    names = t("forward", "前向"), t("backward", "反向"), t("differences", "差分")
    table(
        [t("parameters", "参数"), *names, *(t("in ms", "毫秒") for _ in names)],
        *(
            [
                c.parameters,
                c.forward,
                c.backward,
                c.differences,
                *(t("not run", "未运行") if math.isnan(s) else f"{1e3 * s:.2f}" for s in c.seconds),
            ]
            for c in r.costs
        ),
        left=0,
    )


@claim(
    "Backward does between {r.least:.1f} and {r.most:.1f} products for each operation of forward, "
    "however many parameters there are.",
    "不论有多少参数，前向每做一次运算，反向做 {r.least:.1f} 到 {r.most:.1f} 次乘法。",
)
def backward_costs_as_forward(r: Measured) -> bool:
    return r.least > 1 and r.most <= 2


@claim(
    "Two passes per parameter cost 2 × parameters × forward: {r.costs[0].differences} operations "
    "already for {r.costs[0].parameters} parameters.",
    "每个参数两次前向，共 2 × 参数数 × 前向：{r.costs[0].parameters} 个参数就要 {r.costs[0].differences} 次运算。",
)
def differences_cost_passes(r: Measured) -> bool:
    return all(c.differences == 2 * c.parameters * c.forward for c in r.costs)


@claim(
    "Both ways find the same gradients, to 8 digits after the point.",
    "两种做法的梯度相同，小数点后 8 位一致。",
)
def both_find_the_same(r: Measured) -> bool:
    return r.apart < 1e-8


def draw(r: Measured) -> Any:
    """Draw operations and times against the size of the graph."""
    from figures import STYLES, panels

    figure, axes = panels(2)
    sizes, names = (
        [c.forward for c in r.costs],
        (t("forward", "前向"), t("backward", "反向"), t("differences", "差分")),
    )
    for i, (name, style) in enumerate(zip(names, STYLES)):
        axes[0].loglog(sizes, [c[i + 1] for c in r.costs], label=name, **style)
        axes[1].loglog(sizes, [c.seconds[i] for c in r.costs], label=name, **style)
    axes[0].set(
        title=t("operations", "运算次数"), xlabel=t("operations of forward", "前向的运算次数")
    )
    axes[1].set(
        title=t("CPU seconds", "CPU 秒"), xlabel=t("operations of forward", "前向的运算次数")
    )
    axes[0].legend(loc="upper left")
    return figure


if __name__ == "__main__":
    run(__name__)
