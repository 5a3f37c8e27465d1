"""The linear boundaries of a softmax classifier, and a network's, on the same points (L10).

p(y|x) = exp(W_y·x) / Σ exp(W_c·x): where two classes are equally probable, (W_a − W_b)·x = 0, is a
straight line. With a hidden layer the same softmax stands on h = f(Wx + b), and the lines bend.
Both are trained on J = (1/N) Σ −log p(yᵢ|xᵢ), by their lowered programs:

    python demos/boundaries.py boundaries.svg
"""

from __future__ import annotations

import random
from typing import Any, NamedTuple

import numpy as np
from stage import claim, run, t, table

from micrograd import no_grad
from micrograd.losses import cross_entropy
from micrograd.lowering import lower
from micrograd.nn import MLP, SoftmaxClassifier
from micrograd.optim import Adam

CLASSES, SIDE = 3, np.linspace(-1.3, 1.3, 61)
FIGURE = (
    "The regions of three classes, by a softmax classifier and by a network",
    "三个类别的区域：softmax 分类器与神经网络",
)


class Fit(NamedTuple):
    """What one model came to: the loss, the accuracy, its regions on a grid."""

    parameters: int
    loss: float
    accuracy: float
    regions: Any


class Measured(NamedTuple):
    """The points with their classes, and both models."""

    points: Any
    labels: Any
    linear: Fit
    network: Fit


def spirals(seed: int, each: int, noise: float = 0.15) -> tuple[Any, Any]:
    """Return points on three arms of a spiral, and their classes."""
    rng = np.random.default_rng(seed)
    radius = np.tile(np.linspace(0.1, 1, each), CLASSES)
    labels = np.repeat(np.arange(CLASSES), each)
    angle = 4 * radius + labels * 2 * np.pi / CLASSES + rng.normal(0, noise, len(radius))
    return radius[:, None] * np.column_stack([np.cos(angle), np.sin(angle)]), labels


def fitted(model: Any, points: Any, labels: Any, steps: int) -> Fit:
    """Train the model on all points at once."""
    targets = np.eye(CLASSES)[labels]
    program = lower(lambda x, q: cross_entropy(model(x), q), points[0], targets[0])
    optimizer = Adam(dict(program.parameters), lr=0.05)
    for _ in range(steps):
        loss, gradients = program.value_and_grad(points, targets)
        optimizer.step(gradients)
    program.write_back()
    grid = np.stack(np.meshgrid(SIDE, SIDE), -1).reshape(-1, 2)
    accuracy = float((predicted(model, points) == labels).mean())
    regions = predicted(model, grid).reshape(len(SIDE), len(SIDE))
    return Fit(len(model.parameters()), float(loss), accuracy, regions)


def predicted(model: Any, points: Any) -> Any:
    """Return the most probable class of every point."""
    with no_grad():
        scores = [[logit.data for logit in model(point)] for point in points.tolist()]
    return np.argmax(scores, axis=1)


def measure(seed: int = 10, each: int = 60, steps: int = 400) -> Measured:
    """Train both on the same points."""
    points, labels = spirals(seed, each)
    random.seed(seed)
    linear = SoftmaxClassifier(2, CLASSES, fused=True)
    network = MLP(2, [16, CLASSES], activation="tanh", fused=True)
    fits = [fitted(model, points, labels, steps) for model in (linear, network)]
    return Measured(points, labels, *fits)


def show(r: Measured) -> None:
    """Print loss and accuracy."""
    names = t("softmax classifier", "softmax 分类器"), t("with 16 hidden units", "加 16 个隐藏单元")
    table(
        ["", t("parameters", "参数"), "J", t("accuracy", "正确率")],
        *(
            [n, f.parameters, f"{f.loss:.4f}", f"{f.accuracy:.1%}"]
            for n, f in zip(names, (r.linear, r.network))
        ),
    )


@claim(
    "Straight lines get {r.linear.accuracy:.0%} of the points right, bent ones "
    "{r.network.accuracy:.0%}.",
    "直线边界分对 {r.linear.accuracy:.0%} 的点，弯曲的边界分对 {r.network.accuracy:.0%}。",
)
def the_hidden_layer_bends_the_boundary(r: Measured) -> bool:
    return r.linear.accuracy < 0.75 and r.network.accuracy > 0.95


def draw(r: Measured) -> Any:
    """Draw the points over the regions."""
    from figures import STYLES, panels

    figure, axes = panels(2)
    names = t("softmax classifier", "softmax 分类器"), t("neural network", "神经网络")
    for panel, name, fit in zip(axes, names, (r.linear, r.network)):
        panel.contourf(
            SIDE, SIDE, fit.regions, [-0.5, 0.5, 1.5, 2.5], colors=["0.95", "0.82", "0.68"]
        )
        for c, style in enumerate(STYLES[:CLASSES]):
            panel.plot(*r.points[r.labels == c].T, **style | {"linestyle": ""})
        panel.set(title=f"{name}: {fit.accuracy:.0%}", xlabel="x₁", ylabel="x₂", aspect="equal")
    return figure


if __name__ == "__main__":
    run(__name__)
