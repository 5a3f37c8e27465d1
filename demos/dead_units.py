"""Units that cannot learn: dead ReLUs, and units made equal by symmetric weights (L26).

A step too large can push a ReLU's input below 0 for every sample. Then its slope is 0, its
weights get no gradient, and it stays dead; a leaky ReLU goes on learning. And units that
begin with equal weights get equal gradients: a layer of them is one unit, and XOR needs two.

    python demos/dead_units.py [dead_units.svg]
"""

from __future__ import annotations

import random
import sys
from typing import NamedTuple

from micrograd.init import initialise
from micrograd.losses import mse
from micrograd.nn import MLP
from micrograd.optim import SGD
from micrograd.schedules import Schedule, composed, constant

XOR = [((x, y), float(x * y)) for x in (-1, 1) for y in (-1, 1)]
DEAD = {"ReLU": ("relu", 0.05), "ReLU, first α = 3": ("relu", 3.0),
        "leaky, first α = 3": ("leaky_relu", 3.0)}  # fmt: skip
SYMMETRIC = ("Xavier", "all 0.5", "all 0")


class Course(NamedTuple):
    """What happened at each step: the loss, the units without gradient, the different units."""

    loss: list[float]
    dead: list[int]
    different: list[int]


Courses = dict[str, Course]


def train(model: MLP, rate: Schedule, steps: int) -> Course:
    """Train the network on XOR by gradient descent."""
    optimizer, course = SGD(model.parameters(), lr=rate), Course([], [], [])
    hidden = model.layers[0].neurons
    for _ in range(steps):
        loss = mse([model(x) for x, _ in XOR], [y for _, y in XOR])
        model.zero_grad()
        loss.backward()
        course.loss.append(loss.data)
        course.dead.append(sum(not any(p.grad for p in unit.parameters()) for unit in hidden))
        course.different.append(len({tuple(p.data for p in unit.parameters()) for unit in hidden}))
        optimizer.step()
    return course


def dying(activation: str, first: float, units: int, steps: int) -> Course:
    """Return what happens to a network whose first step has this rate, and all others 0.05."""
    random.seed(26)
    model = MLP(2, [units, 1], activation, fused=True)
    return train(model, composed((1, constant(first)), constant(0.05)), steps)


def symmetric(start: str, units: int, steps: int) -> Course:
    """Return what happens to a tanh network that starts like this."""
    model = initialise(MLP(2, [units, 1], "tanh", fused=True), "xavier_uniform", seed=3)
    if start != "Xavier":
        for weight in model.weights():
            weight.data = float(start.removeprefix("all "))
    return train(model, constant(0.2), steps)


def table(dead: Courses, equal: Courses, units: int) -> None:
    """Print how it begins and ends."""
    print(f"{'':<20}{'dead units of ' + str(units):>24}{'different units':>18}{'loss':>18}")
    print(f"{'':<20}" + f"{'first':>12}{'last':>12}{'last':>18}" + f"{'first':>10}{'last':>8}")
    for name, c in {**dead, **equal}.items():
        print(f"{name:<20}{c.dead[0]:12d}{c.dead[-1]:12d}{c.different[-1]:18d}"
              f"{c.loss[0]:10.3f}{c.loss[-1]:8.3f}")  # fmt: skip
    print("One step too large kills ReLUs for good, leaky ones go on learning; equal weights stay\n"
          "one unit, and one unit cannot do XOR.")  # fmt: skip


def draw(dead: Courses, equal: Courses, path: str) -> None:
    """Draw dead units above, different units below, and the losses of both."""
    from figures import STYLES, panels, save

    figure, axes = panels(2, 2, width=5)
    for (left, right), courses, counted in zip(
        (axes[:2], axes[2:]), (dead, equal), ("dead", "different")
    ):
        for (name, course), style in zip(courses.items(), STYLES):
            left.plot(getattr(course, counted), label=name, markevery=20, **style)
            right.plot(course.loss, label=name, markevery=20, **style)
        left.set(title=f"hidden units: {counted}", xlabel="step", ylabel="units")
        right.set(title="loss on XOR", xlabel="step", ylabel="loss", ylim=(-0.1, 3))
        left.legend(fontsize=8, loc="center right")
    save(figure, path)


def main(path: str | None = None, units: int = 8, steps: int = 200) -> tuple[Courses, Courses]:
    """Print the table; draw the figure where a path is given; return the courses."""
    dead = {name: dying(*how, units, steps) for name, how in DEAD.items()}
    equal = {start: symmetric(start, units, steps) for start in SYMMETRIC}
    table(dead, equal, units)
    if path:
        draw(dead, equal, path)
    return dead, equal


if __name__ == "__main__":
    main(*sys.argv[1:2])
