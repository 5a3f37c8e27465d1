"""Dropout: the expectation matched at test, and the mean and spread of sampled networks (L19).

Prints what an output is on average in training and what it is at test; what a trained network and
the mean of the networks sampled from it are worth; and their spread (Monte Carlo dropout):

    python demos/dropout.py [dropout.svg]
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

from micrograd import Value, dot, mean, no_grad
from micrograd.init import initialise
from micrograd.nn import Dropout, Layer, Module, monte_carlo, sampled
from micrograd.optim import Adam
from micrograd.schedules import cosine
from micrograd.training import descent, fit

P = 0.8


class Network(Module):
    """Two hidden layers of relu units, each followed by dropout."""

    def __init__(self, p: float, hidden: int = 16) -> None:
        self.first = Layer(1, hidden, fused=True)
        self.second = Layer(hidden, hidden, fused=True)
        self.last = Layer(hidden, 1, nonlin=False, fused=True)
        self.dropouts = [Dropout(p, seed=3), Dropout(p, seed=4)]
        initialise(self, "xavier_uniform", seed=1)
        for neuron, bias in zip(self.first.neurons, np.linspace(-1, 1, hidden).tolist()):
            neuron.b.data = bias

    def __call__(self, x: Any) -> Value:
        h = self.dropouts[0](self.first(x))
        return self.last(self.dropouts[1](self.second(h)))


def expectation(inverted: bool, samples: int) -> tuple[float, float]:
    """Return an output uᵀh with dropout on h: its mean over masks in training, and at test."""
    h, u = [Value(x) for x in (0.5, 1.0, -0.5, 2.0)], (1.0, -2.0, 0.5, 1.5)
    dropout = Dropout(P, inverted, seed=1)
    with no_grad():
        drawn = [dot(u, dropout(h)).data for _ in range(samples)]
        return sum(drawn) / samples, dot(u, dropout.eval()(h)).data


def data(count: int, seed: int) -> list[tuple[float, float]]:
    """Return points of y = sin 4x + noise, half of them left of a gap, half right of it."""
    rng = np.random.default_rng(seed)
    left, right = rng.uniform(-1, -0.3, count // 2), rng.uniform(0.2, 0.6, count - count // 2)
    x = np.concatenate([left, right])
    return list(zip(x.tolist(), (np.sin(4 * x) + rng.normal(0, 0.2, count)).tolist()))


def error(model: Network, points: list[tuple[float, float]]) -> Value:
    """Return the mean squared error."""
    return mean([(model(x) - y) ** 2 for x, y in points])


def trained(p: float, epochs: int) -> Network:
    """Return a network trained with its units kept with probability p, switched to prediction."""
    model, points = Network(p), data(20, seed=1)
    optimizer = Adam(model.parameters(), lr=cosine(0.02, epochs))
    step = descent(model, lambda batch: error(model, batch), optimizer)
    fit(step, points, epochs, batch_size=len(points), progress=False)
    return model.eval()


def show_expectation(samples: int) -> None:
    """Print that both kinds of dropout hand on at test what they did in training."""
    print(f"units kept with p = {P}        mean in training     at test")
    for name, inverted in (("divide by p in training", True), ("multiply by p at test", False)):
        print("{:27}{:20.3f}{:12.3f}".format(name, *expectation(inverted, samples)))
    print("Either way the output at test is the mean of the outputs in training.")


def show_ensemble(model: Network, samples: int) -> dict[str, float]:
    """Print and return the test errors of sampled networks, of their mean, of the full network."""
    points = data(60, seed=2)
    y = np.array([y for _, y in points])
    outputs = np.array([sampled(model, x, samples) for x, _ in points])[:, :, 0]
    with no_grad():
        full = error(model, points).data
    errors = {
        "one sampled network": float(((outputs - y[:, None]) ** 2).mean()),
        f"mean of {samples} sampled": float(((outputs.mean(1) - y) ** 2).mean()),
        "the full network": full,
    }
    print(f"\n{'':22}test error")
    for name, number in errors.items():
        print(f"{name:22}{number:10.4f}")
    print("The full network stands for the mean of all the networks that dropout can draw.")
    return errors


def show_spread(model: Network, samples: int) -> Any:
    """Print and return x, the full network's output, mean and spread of sampled networks."""
    grid = np.linspace(-1.5, 1.5, 41)
    rows = [[x, model(x).data, *(m[0] for m in monte_carlo(model, x, samples))] for x in grid]
    print("\n     x   full network   mean of sampled   spread")
    for x, full, middle, spread in rows[::8]:
        print(f"{x:6.2f}{full:15.3f}{middle:18.3f}{spread:9.3f}")
    print("The spread grows where there are no training points: the network says it is unsure.")
    return np.array(rows).T


def draw(rows: Any, path: str) -> None:
    """Draw the band of the sampled networks."""
    from figures import BLUE, ORANGE, panels, save

    figure, (band,) = panels(1, 1, 6.0, 4.0)
    x, full, middle, spread = rows
    band.fill_between(x, middle - 2 * spread, middle + 2 * spread, color=BLUE, alpha=0.2,
                      label="mean ± 2 deviations")  # fmt: skip
    band.plot(x, middle, color=BLUE, label="mean of sampled networks")
    band.plot(x, full, "--", color=ORANGE, label="full network at test")
    band.plot(*zip(*data(20, seed=1)), "ko", markersize=4, label="training points")
    band.set(title="Monte Carlo dropout", xlabel="x", ylabel="output", ylim=(-2.5, 5))
    band.legend(loc="upper left", fontsize=8)
    save(figure, path)


def main(path: str | None = None, epochs: int = 200, samples: int = 100) -> dict[str, float]:
    """Print the three tables and return the errors; draw the figure where a path is given."""
    show_expectation(30 * samples)
    model = trained(P, epochs)
    errors = show_ensemble(model, samples)
    rows = show_spread(model, samples)
    if path:
        draw(rows, path)
    return errors


if __name__ == "__main__":
    main(*sys.argv[1:2])
