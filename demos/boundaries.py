"""The linear boundaries of a softmax classifier, and a network's, on the same points (L10).

Both give p(y|x) by softmax and are trained on the cross-entropy averaged over all points, each
lowered to an array program. Prints their accuracy, and draws the regions of the three classes:

    python demos/boundaries.py [boundaries.svg]
"""

from __future__ import annotations

import random
import sys
from typing import Any

import numpy as np

from micrograd import Value, no_grad
from micrograd.losses import cross_entropy
from micrograd.lowering import lower
from micrograd.nn import MLP, SoftmaxClassifier
from micrograd.optim import Adam

CLASSES = 3


def spirals(each: int, noise: float = 0.15) -> tuple[Any, Any]:
    """Return points on three arms of a spiral, and their classes."""
    rng = np.random.default_rng(10)
    radius = np.tile(np.linspace(0.1, 1, each), CLASSES)
    labels = np.repeat(np.arange(CLASSES), each)
    angle = 4 * radius + labels * 2 * np.pi / CLASSES + rng.normal(0, noise, len(radius))
    return radius[:, None] * np.column_stack([np.cos(angle), np.sin(angle)]), labels


def models() -> dict[str, Any]:
    """Return the softmax classifier, and the network with a hidden layer before the softmax."""
    random.seed(10)
    return {
        "softmax classifier": SoftmaxClassifier(2, CLASSES, fused=True),
        "neural network, 16 hidden units": MLP(2, [16, CLASSES], activation="tanh", fused=True),
    }


def train(model: Any, points: Any, labels: Any, steps: int) -> float:
    """Train the model on all points at once; return its last loss."""
    targets = np.eye(CLASSES)[labels]
    program = lower(lambda x, q: cross_entropy(model(x), q), points[0], targets[0])
    optimizer = Adam(dict(program.parameters), lr=0.05)
    for _ in range(steps):
        loss, gradients = program.value_and_grad(points, targets)
        optimizer.step(gradients)
    program.write_back()
    return loss


def predicted(model: Any, points: Any) -> Any:
    """Return the class of every point: the largest logit's."""
    with no_grad():
        return np.array([_largest(model(point)) for point in points.tolist()])


def _largest(logits: list[Value]) -> int:
    return max(range(CLASSES), key=lambda c: logits[c].data)


def draw(fitted: dict[str, tuple[Any, float]], points: Any, labels: Any, path: str) -> None:
    """Draw the points over the regions of the classes, a panel for each model."""
    from figures import STYLES, panels, save

    side = np.linspace(-1.3, 1.3, 80)
    grid = np.stack(np.meshgrid(side, side), -1)
    figure, axes = panels(len(fitted), 1, 4.2, 4.2)
    for panel, (name, (model, accuracy)) in zip(axes, fitted.items()):
        regions = predicted(model, grid.reshape(-1, 2)).reshape(80, 80)
        panel.contourf(side, side, regions, [-0.5, 0.5, 1.5, 2.5], colors=["0.95", "0.82", "0.68"])
        for c, style in enumerate(STYLES[:CLASSES]):
            panel.plot(*points[labels == c].T, **style | {"linestyle": ""}, label=f"class {c + 1}")
        panel.set(title=f"{name}: {accuracy:.0%}", xlabel="x₁", ylabel="x₂", aspect="equal")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=CLASSES)
    save(figure, path)


def main(path: str | None = None, each: int = 80, steps: int = 400) -> dict[str, float]:
    """Train both; print loss and accuracy and return the accuracies; draw where a path is given."""
    points, labels = spirals(each)
    fitted = {}
    print(f"{'':33}parameters   cross-entropy   accuracy")
    for name, model in models().items():
        loss = train(model, points, labels, steps)
        accuracy = float((predicted(model, points) == labels).mean())
        fitted[name] = model, accuracy
        print(f"{name:33}{len(model.parameters()):10d} {loss:15.4f} {accuracy:10.1%}")
    print("Straight lines cannot part the arms of a spiral; the hidden layer bends the boundary.")
    if path:
        draw(fitted, points, labels, path)
    return {name: accuracy for name, (_, accuracy) in fitted.items()}


if __name__ == "__main__":
    main(*sys.argv[1:2])
