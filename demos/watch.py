"""Train a small network on two moons, XOR or two spirals, and write a page that plays the training.

The page shows the boundary over the points, the loss, the units that are dead, and both passes of
any point at any step:

    python demos/watch.py xor xor.html
    python demos/watch.py moons moons.html
    python demos/watch.py spirals spirals.html

XOR by four units of ReLU stands still at a loss of 0.25, since two of them are dead; other first
parameters learn it:

    python demos/watch.py xor learnt.html --seed 3
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from typing import Any, NamedTuple

import moons
from stage import failures, file_of, parser_of, say, waiting

from micrograd import Value, mean
from micrograd.cli.parser import whole
from micrograd.losses import binary_hinge
from micrograd.nn import MLP
from micrograd.optim import SGD, Adam
from micrograd.stepper import save_training_page
from micrograd.training import Recording, descent, fit


class Course(NamedTuple):
    """A recorded training, the points and targets that it was for, and the loss of one point."""

    recording: Recording
    points: Any
    targets: Any
    loss: Callable[[Value, Value], Value]
    title: dict[str, str]


def squared(output: Value, target: Any) -> Value:
    """Return the squared error of one output."""
    return (output - target) ** 2


def xor(seed: int = 2) -> Course:
    """Train four units of ReLU on XOR, by the mean squared error of the four points."""
    points = [(0.0, 0.0), (0.0, 1.0), (1.0, 0.0), (1.0, 1.0)]
    targets = [0.0, 1.0, 1.0, 0.0]
    random.seed(seed)
    model = MLP(2, [4, 1])
    recording = trained(model, SGD(model.parameters(), lr=0.1), squared, points, targets, 300, 4, 3)
    title = {"en": "XOR by four units of ReLU", "zh": "四个 ReLU 单元学异或"}
    return Course(recording, points, targets, squared, title)


def two_moons(seed: int = 1337) -> Course:
    """Train micrograd's published network, by its own learning rates."""
    model, points, targets = moons.begin(fused=True, seed=seed)
    recording = Recording(model, every=2)
    with waiting():
        moons.learn(model, points, targets, show=False, note=recording.note)
    title = {"en": "Two moons by 337 parameters", "zh": "337 个参数学双月"}
    return Course(recording, points, targets, binary_hinge, title)


def spirals(seed: int = 0) -> Course:
    """Train two layers of twelve tanh units on two spirals of 50 points, by Adam."""
    random.seed(seed)
    points, targets = [], []
    for step in range(50):
        for arm in (0, 1):
            radius = 0.05 + 0.95 * step / 50
            angle = 2.5 * math.pi * radius + math.pi * arm
            points.append((radius * math.sin(angle), radius * math.cos(angle)))
            targets.append(2.0 * arm - 1)
    model = MLP(2, [12, 12, 1], activation="tanh", fused=True)
    optimizer = Adam(model.parameters(), lr=0.03)
    recording = trained(model, optimizer, binary_hinge, points, targets, 80, 20, 5)
    title = {"en": "Two spirals by two layers of tanh", "zh": "两层 tanh 学双螺旋"}
    return Course(recording, points, targets, binary_hinge, title)


def trained(
    model: MLP,
    optimizer: Any,
    loss: Callable[[Value, Value], Value],
    points: Any,
    targets: Any,
    epochs: int,
    batch_size: int,
    every: int,
) -> Recording:
    """Train by the mean loss of a batch; return the recording."""

    def mean_loss(batch: Any) -> Value:
        return mean([loss(model([*point]), target) for point, target in batch])

    recording = Recording(model, every)
    step = recording.of(descent(model, mean_loss, optimizer))
    with waiting():
        history = fit(step, [*zip(points, targets)], epochs, batch_size=batch_size, progress=False)
    if history.remark:
        say(history.remark)
    return recording


COURSES = {"moons": two_moons, "xor": xor, "spirals": spirals}

if __name__ == "__main__":
    parser = parser_of(__doc__)
    parser.add_argument("course", choices=COURSES)
    parser.add_argument("page", type=file_of(".html"), help="the page to write (.html)")
    parser.add_argument(
        "--seed", type=whole(0, 2**63 - 1), help="of the points and first parameters"
    )
    options = parser.parse_args()
    seed = {} if options.seed is None else {"seed": options.seed}
    course = COURSES[options.course](**seed)
    recording, points, targets, loss, title = course
    with failures():
        print("wrote", save_training_page(recording, options.page, points, targets, loss, title))
