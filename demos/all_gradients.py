"""All gradients together cost as much as the loss; one parameter at a time costs far more (L15).

Counts operations and measures CPU time for growing networks: of the forward pass, of the backward
pass, which gives every gradient at once, and of differences, two forward passes per parameter.

    python demos/all_gradients.py [all_gradients.svg]
"""

from __future__ import annotations

import random
import sys
from collections.abc import Callable
from typing import NamedTuple

from timing import cpu_seconds

from micrograd import Value, no_grad, topological_order
from micrograd.losses import binary_hinge
from micrograd.nn import MLP

WIDTHS = (2, 4, 8, 16, 32, 64, 128)


class Costs(NamedTuple):
    """Operations and seconds of the passes; the seconds of differences only of small graphs."""

    parameters: int
    forward: int
    backward: int
    differences: int
    forward_time: float = 0.0
    backward_time: float = 0.0
    differences_time: float | None = None


def network(width: int) -> tuple[MLP, Callable[[], Value]]:
    """Return a tanh network, and its loss for one input."""
    random.seed(15)
    model = MLP(8, [width, width, 1], "tanh")
    x = [random.uniform(-1, 1) for _ in range(8)]
    return model, lambda: binary_hinge(model(x), 1)


def differences(loss: Callable[[], Value], parameters: list[Value], h: float = 1e-5) -> list[float]:
    """Return the slope by each parameter, from two forward passes each."""

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


def counted(width: int) -> Costs:
    """Return the operations: nodes forward, contributions (upstream × local) backward."""
    model, loss = network(width)
    root, parameters = loss(), len(model.parameters())
    forward = sum(bool(node.parents) for node in topological_order(root))
    backward = sum(1 for _ in root.steps())
    return Costs(parameters, forward, backward, 2 * parameters * forward)


def timed(width: int, most: int) -> Costs:
    """Return the costs with CPU times; those of differences up to `most` operations."""
    costs, (model, loss) = counted(width), network(width)
    slow = None
    if costs.differences <= most:
        slow = cpu_seconds(lambda: differences(loss, model.parameters()), 0)
    forward, backward = cpu_seconds(loss), cpu_seconds(loss().backward)
    return costs._replace(forward_time=forward, backward_time=backward, differences_time=slow)


def table(costs: list[Costs]) -> None:
    """Print operations and milliseconds."""
    print(f"{'':>10}{'operations':>25}{'':>12}{'CPU time in ms':>25}")
    print(f"{'parameters':>10}" + 2 * f"{'forward':>10}{'backward':>10}{'differences':>14}")
    for c in costs:
        slow = f"{1e3 * c.differences_time:14.1f}" if c.differences_time else f"{'-':>14}"
        print(f"{c.parameters:10d}{c.forward:10d}{c.backward:10d}{c.differences:14.1e}"
              f"{1e3 * c.forward_time:10.2f}{1e3 * c.backward_time:10.2f}{slow}")  # fmt: skip
    print("Backward does at most two operations for each of forward's, however many parameters.")


def draw(costs: list[Costs], path: str) -> None:
    """Draw operations and times against the size of the graph."""
    from figures import STYLES, panels, save

    figure, axes = panels(2, width=5, height=4)
    sizes, passes = [c.forward for c in costs], ("forward", "backward", "differences")
    for name, style in zip(passes, STYLES):
        axes[0].loglog(sizes, [getattr(c, name) for c in costs], label=name, **style)
        times = [getattr(c, f"{name}_time") for c in costs]
        axes[1].loglog(sizes, [t or float("nan") for t in times], label=name, **style)
    axes[0].set(title="operations for all gradients", ylabel="operations")
    axes[1].set(title="CPU time (differences: small graphs only)", ylabel="CPU seconds")
    for panel in axes:
        panel.set(xlabel="size of the graph: operations of the forward pass")
        panel.legend(loc="upper left")
    save(figure, path)


def main(path: str | None = None, widths: tuple[int, ...] = WIDTHS,
         most: int = 10**7) -> list[Costs]:  # fmt: skip
    """Print the table; draw the figure where a path is given; return the costs."""
    costs = [timed(width, most) for width in widths]
    table(costs)
    if path:
        draw(costs, path)
    return costs


if __name__ == "__main__":
    main(*sys.argv[1:2])
