"""The training loop: order, metrics, early stopping, interruption, exact resumption."""

import os
import random
import signal

import numpy as np
import pytest

from micrograd import losses
from micrograd.nn import MLP
from micrograd.optim import SGD, Adam
from micrograd.schedules import Plateau, cosine
from micrograd.training import Interrupted, descent, fit

POINTS = [((x / 4, y / 4), 1 if x * y > 0 else -1) for x in (-3, -1, 1, 3) for y in (-3, -1, 1, 3)]


class Scalar:
    """A small network trained on Values."""

    def __init__(self):
        random.seed(3)
        self.model = MLP(2, [4, 1], activation="tanh", fused=True)
        self.optimizer = Adam(self.model.parameters(), lr=cosine(0.1, 60))
        self.state = {"model": self.model, "optimizer": self.optimizer}
        self.step = descent(self.model, self.loss, self.optimizer)

    def loss(self, batch):
        hinges = [losses.binary_hinge(self.model(x), y) for x, y in batch]
        return sum(hinges) / len(hinges) + losses.l2(self.model, 1e-3)

    def numbers(self):
        return [p.data for p in self.model.parameters()]


class Arrays:
    """A linear model on arrays, with noise from three random generators."""

    def __init__(self):
        rng = np.random.default_rng(0)
        self.inputs = rng.normal(size=(16, 3))
        self.targets = self.inputs @ [1.0, -2.0, 0.5]
        self.parameters = {"w": np.zeros(3)}
        self.optimizer = SGD(self.parameters, lr=0.05, momentum=0.9)
        self.rng, self.plateau = np.random.default_rng(4), Plateau(0.05, 0.5, patience=0)
        self.optimizer.lr = self.plateau
        self.state = [self.parameters, self.optimizer, self.rng]

    def step(self, rows):
        noise = 0.01 * (random.random() + np.random.rand() + self.rng.normal())
        error = self.inputs[rows] @ self.parameters["w"] - self.targets[rows] + noise
        self.optimizer.step({"w": 2 * self.inputs[rows].T @ error / len(rows)})
        return {"loss": float((error**2).mean()), "worst": float(abs(error).max())}

    def numbers(self):
        return [*self.parameters["w"], *self.optimizer.state["w"]["velocity"]]


def run(kind, tmp_path, interrupted_at=None, epochs=6, **options):
    """Train a fresh `kind`; with `interrupted_at` press Ctrl-C in that batch."""
    random.seed(11)
    np.random.seed(11)
    task, done = kind(), []

    def step(batch):
        done.append(batch)
        if len(done) == interrupted_at:
            os.kill(os.getpid(), signal.SIGINT)
        return task.step(batch)

    data = POINTS if kind is Scalar else range(16)
    after = []
    if kind is Arrays:
        after = [lambda row: task.plateau.report(row["loss"])]
        task.state = [*task.state, task.plateau]
    history = fit(step, data, epochs, batch_size=5, seed=2, state=task.state, progress=False,
                  after_epoch=after, **options)  # fmt: skip
    return task.numbers(), history


@pytest.mark.parametrize("kind", [Scalar, Arrays])
@pytest.mark.parametrize("ending", ["json", "npz"])
@pytest.mark.parametrize("batch", [1, 4, 6, 24])
def test_interrupted_and_resumed_is_uninterrupted(kind, ending, batch, tmp_path):
    whole, whole_history = run(kind, tmp_path)
    file = tmp_path / f"run.{ending}"
    with pytest.raises(Interrupted, match="resume=True") as stopped:
        run(kind, tmp_path, interrupted_at=batch, checkpoint=file)
    assert len(stopped.value.history) == batch // 4
    resumed, history = run(kind, tmp_path, checkpoint=file, resume=True)
    assert resumed == whole
    assert history.rows == whole_history.rows
