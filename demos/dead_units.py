"""Dead ReLUs, and units that begin equal and stay equal (L26).

Where z ≤ 0 for all inputs, f′(z) = 0 and a ReLU's weights get no gradient any more: one step too
large is enough. Leaky ReLU, f′(z) = k for z ≤ 0, goes on learning. Units with equal weights get
equal gradients, so they stay one unit, and one unit cannot do XOR:

    python demos/dead_units.py dead_units.svg
"""

from __future__ import annotations

import random
from typing import Any, NamedTuple

from stage import claim, run, t, table

from micrograd.init import initialise
from micrograd.losses import mse
from micrograd.nn import MLP
from micrograd.optim import SGD
from micrograd.schedules import Schedule, composed, constant

XOR = [((x, y), float(x * y)) for x in (-1, 1) for y in (-1, 1)]
UNITS, STEPS = 8, 200
FIGURE = (
    "Units without gradient, and different units, while training on XOR",
    "在 XOR 上训练时没有梯度的单元数，以及互不相同的单元数",
)
NAMES = {
    "relu": ("ReLU", "ReLU"),
    "killed": ("ReLU, first α = 3", "ReLU，第一步 α = 3"),
    "leaky": ("leaky ReLU, first α = 3", "leaky ReLU，第一步 α = 3"),
    "xavier": ("Xavier", "Xavier"),
    "half": ("all 0.5", "全 0.5"),
    "zero": ("all 0", "全 0"),
}


class Course(NamedTuple):
    """What happened at each step: the loss, the units without gradient, the different units."""

    loss: list[float]
    dead: list[int]
    different: list[int]


class Measured(NamedTuple):
    """The course of each training."""

    courses: dict[str, Course]


def train(model: MLP, rate: Schedule) -> Course:
    """Train the network on XOR by gradient descent."""
    optimizer, course = SGD(model.parameters(), lr=rate), Course([], [], [])
    hidden = model.layers[0].neurons
    for _ in range(STEPS):
        loss = mse([model(x) for x, _ in XOR], [y for _, y in XOR])
        model.zero_grad()
        loss.backward()
        course.loss.append(loss.data)
        course.dead.append(sum(not any(p.grad for p in unit.parameters()) for unit in hidden))
        course.different.append(len({tuple(p.data for p in unit.parameters()) for unit in hidden}))
        optimizer.step()
    return course


def relus(activation: str, first: float, seed: int) -> Course:
    """Train a network whose first step has this rate, and all others 0.05."""
    random.seed(seed)
    model = MLP(2, [UNITS, 1], activation, fused=True)
    return train(model, composed((1, constant(first)), constant(0.05)))


def begun(weight: float | None, seed: int) -> Course:
    """Train a tanh network with Xavier's weights, or all of them alike."""
    model = initialise(MLP(2, [UNITS, 1], "tanh", fused=True), "xavier_uniform", seed=seed)
    for value in model.weights() if weight is not None else []:
        value.data = weight
    return train(model, constant(0.2))


def measure(seed: int = 26) -> Measured:
    """Train all of them."""
    return Measured(
        {
            "relu": relus("relu", 0.05, seed),
            "killed": relus("relu", 3.0, seed),
            "leaky": relus("leaky_relu", 3.0, seed),
            "xavier": begun(None, seed),
            "half": begun(0.5, seed),
            "zero": begun(0.0, seed),
        }
    )


def show(r: Measured) -> None:
    """Print how it ends."""
    table(
        [
            "",
            t("dead units of 8", "8 个单元中失活"),
            t("different units", "互不相同的单元"),
            t("last loss", "最后损失"),
        ],
        *(
            [t(*NAMES[n]), c.dead[-1], c.different[-1], f"{c.loss[-1]:.3g}"]
            for n, c in r.courses.items()
        ),
    )


@claim(
    "One step too large kills ReLUs for good: {r.courses[killed].dead[10]} of 8 are dead after 10 "
    "steps, and none comes back.",
    "一步过大就让 ReLU 永久失活：10 步后 8 个中有 {r.courses[killed].dead[10]} 个失活，再没有恢复。",
)
def dead_units_stay_dead(r: Measured) -> bool:
    dead = r.courses["killed"].dead
    return dead[0] < dead[10] and dead[10] >= 1 and dead[10:] == sorted(dead[10:])


@claim("Leaky ones always have a gradient.", "leaky ReLU 始终有梯度。")
def leaky_units_never_die(r: Measured) -> bool:
    return not any(r.courses["leaky"].dead)


@claim(
    "Equal weights stay one unit, and it never learns XOR: the loss is {r.courses[half].loss[199]:.2f}; "
    "from Xavier's it is {r.courses[xavier].loss[199]:.0e}.",
    "相同的权重始终只是一个单元，学不会 XOR：损失停在 {r.courses[half].loss[199]:.2f}；从 Xavier 出发则为 "
    "{r.courses[xavier].loss[199]:.0e}。",
)
def equal_units_stay_equal(r: Measured) -> bool:
    equal = [r.courses[name] for name in ("half", "zero")]
    one = all({*c.different} == {1} and c.loss[-1] > 0.5 for c in equal)
    return one and r.courses["xavier"].different[-1] == UNITS and r.courses["xavier"].loss[-1] < 0.1


def draw(r: Measured) -> Any:
    """Draw dead units, different units, and the losses, steps as steps."""
    from figures import STYLES, panels

    figure, axes = panels(2, 2)
    for i, names in ((0, ("relu", "killed", "leaky")), (1, ("xavier", "half", "zero"))):
        counts, losses = axes[i], axes[2 + i]
        for name, style in zip(names, STYLES):
            course = r.courses[name]
            counts.step(range(STEPS), course[1 + i], where="post", markevery=20, **style)
            losses.plot(course.loss, label=t(*NAMES[name]), markevery=20, **style)
        counts.set(
            title=(t("dead units", "失活的单元"), t("different units", "互不相同的单元"))[i],
            ylim=(-0.5, 8.5),
            yticks=(0, 4, 8),
        )
        losses.set(xlabel=t("step", "步"), ylabel="J", ylim=(-0.1, 3))
        losses.legend(loc="upper right")
    return figure


if __name__ == "__main__":
    run(__name__)
