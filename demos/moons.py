"""Train the published two-moons classifier of micrograd: an MLP of 337 parameters, hinge loss, SGD.

One node for each neuron; with --plain one for each sum and product, in the published order, to the
published digits, which takes five times as long:

    python demos/moons.py
    python demos/moons.py m.svg

The second draws the boundary that it learns over the points.
"""

from __future__ import annotations

import random
from collections.abc import Callable

import numpy as np

from micrograd import Value, no_grad
from micrograd.nn import MLP


def make_moons(samples: int, noise: float) -> tuple[np.ndarray, np.ndarray]:
    """Return points (samples, 2) and labels -1 or 1, drawn as scikit-learn's make_moons does."""
    half = samples // 2
    outer, inner = np.linspace(0, np.pi, half), np.linspace(0, np.pi, samples - half)
    points = np.vstack(
        [
            np.column_stack([np.cos(outer), np.sin(outer)]),
            np.column_stack([1 - np.cos(inner), 1 - np.sin(inner) - 0.5]),
        ]
    )
    labels = np.repeat([-1, 1], [half, samples - half])
    order = np.arange(samples)
    np.random.shuffle(order)
    return points[order] + np.random.normal(scale=noise, size=points.shape), labels[order]


def loss(model: MLP, points: np.ndarray, labels: np.ndarray) -> tuple[Value, float]:
    """Return max-margin loss plus L2 penalty, and the accuracy."""
    scores = [model(list(map(Value, point))) for point in points]
    hinges = [(1 + -label * score).relu() for label, score in zip(labels, scores)]
    data_loss = sum(hinges) * (1.0 / len(hinges))
    penalty = 1e-4 * sum(p * p for p in model.parameters())
    right = [(label > 0) == (score.data > 0) for label, score in zip(labels, scores)]
    return data_loss + penalty, sum(right) / len(right)


def begin(fused: bool = False, seed: int = 1337) -> tuple[MLP, np.ndarray, np.ndarray]:
    """Return the network, the points (100, 2) and their labels, by the published seed."""
    np.random.seed(seed % 2**32)
    random.seed(seed)
    points, labels = make_moons(100, noise=0.1)
    return MLP(2, [16, 16, 1], fused=fused), points, labels


def train(steps: int = 100, fused: bool = False, show: bool = True) -> list[float]:
    """Train with the published learning rates; return the loss of every step."""
    return learn(*begin(fused), steps, show)


def learn(
    model: MLP,
    points: np.ndarray,
    labels: np.ndarray,
    steps: int = 100,
    show: bool = True,
    note: Callable[[float], None] = lambda loss: None,
) -> list[float]:
    """Train `model`; return the loss of every step, which `note` gets before parameters move."""
    losses = []
    for step in range(steps):
        total, accuracy = loss(model, points, labels)
        model.zero_grad()
        total.backward()
        note(total.data)
        for p in model.parameters():
            p.data -= (1.0 - 0.9 * step / 100) * p.grad
        losses.append(total.data)
        if show and (step % 10 == 0 or step == steps - 1):
            print(f"step {step:3d}   loss {total.data:.16f}   accuracy {accuracy:.0%}")
    return losses


def draw(
    model: MLP, points: np.ndarray, labels: np.ndarray, losses: list[float], path: str
) -> None:
    """Write a picture of where the score changes its sign, over the points, and of the loss.

    The ending of `path` chooses the format: .svg, .png or .pdf.
    """
    from figures import BLUE, ORANGE, panels, save

    figure, (plane, curve) = panels(2)
    (left, low), (right, high) = points.min(0) - 0.4, points.max(0) + 0.4
    x, y = np.meshgrid(np.linspace(left, right, 60), np.linspace(low, high, 60))
    with no_grad():
        scores = [model([*pair]).data for pair in zip(x.ravel().tolist(), y.ravel().tolist())]
    grid = np.reshape(scores, x.shape)
    bounds = [min(grid.min(), 0.0) - 1, 0.0, max(grid.max(), 0.0) + 1]
    plane.contourf(x, y, grid, levels=bounds, colors=[ORANGE, BLUE], alpha=0.15)
    plane.contour(x, y, grid, levels=[0.0], colors="black", linewidths=3)
    for label, colour, marker, name in ((1, BLUE, "o", "1"), (-1, ORANGE, "s", "−1")):
        plane.scatter(*points[labels == label].T, c=colour, marker=marker, s=60, label=name)
    plane.legend(title="label")
    plane.set(title="boundary, after the last step", xlabel="x₁", ylabel="x₂")
    curve.plot(losses, color=BLUE, linewidth=3)
    curve.set(title="loss", xlabel="step", yscale="log")
    about = "The boundary of a network of 337 parameters between two moons, and its loss by step."
    save(figure, path, "Two moons", about)


if __name__ == "__main__":
    from stage import failures, figure_file, parser_of

    parser = parser_of(__doc__)
    parser.add_argument("--plain", action="store_true", help="a node for each sum and product")
    about = ".svg, .png or .pdf"
    parser.add_argument("picture", nargs="?", metavar="PICTURE", type=figure_file, help=about)
    options = parser.parse_args()
    task = begin(fused=not options.plain)
    course = learn(*task)
    if options.picture:
        with failures():
            draw(*task, course, options.picture)
