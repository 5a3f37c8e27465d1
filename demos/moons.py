"""Train the published two-moons classifier of micrograd: an MLP of 337 parameters, hinge loss, SGD.

One node for each neuron; with --plain one for each sum and product, in the published order, to the
published digits, which takes five times as long:

    python demos/moons.py
"""

from __future__ import annotations

import argparse
import random

import numpy as np

from micrograd.engine import Value
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


def train(steps: int = 100, fused: bool = False, show: bool = True) -> list[float]:
    """Train with the published seeds and learning rates; return the loss of every step."""
    np.random.seed(1337)
    random.seed(1337)
    points, labels = make_moons(100, noise=0.1)
    model = MLP(2, [16, 16, 1], fused=fused)
    losses = []
    for step in range(steps):
        total, accuracy = loss(model, points, labels)
        model.zero_grad()
        total.backward()
        for p in model.parameters():
            p.data -= (1.0 - 0.9 * step / 100) * p.grad
        losses.append(total.data)
        if show and (step % 10 == 0 or step == steps - 1):
            print(f"step {step:3d}   loss {total.data:.16f}   accuracy {accuracy:.0%}")
    return losses


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--plain", action="store_true", help="a node for each sum and product")
    train(fused=not parser.parse_args().plain)
