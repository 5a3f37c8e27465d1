"""The paths of the optimisers over one surface, and a row that is rarely touched (L24).

In a valley, 40 times as curved across as along, plain descent creeps, momentum rolls and swings,
and the adaptive rules begin with steps of one size in both directions. Beside it stands one row of
a table of word vectors, held by every tenth batch only: Adam goes on moving it in between,
SparseAdam and AdaGrad do not.

    python demos/optimisers.py [optimisers.svg]
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

from micrograd import Value
from micrograd.optim import SGD, AdaGrad, Adam, RMSProp, SparseAdam

Path = list[tuple[float, float, float]]  # x, y, the loss there
START = (-7.0, 1.6)
OPTIMISERS: dict[str, Any] = {
    "SGD": lambda p: SGD(p, lr=0.35),
    "momentum": lambda p: SGD(p, lr=0.1, momentum=0.8),
    "Nesterov": lambda p: SGD(p, lr=0.1, momentum=0.8, nesterov=True),
    "AdaGrad": lambda p: AdaGrad(p, lr=1.0),
    "RMSProp": lambda p: RMSProp(p, lr=0.15, decay=0.95),
    "Adam": lambda p: Adam(p, lr=0.5),
}
SPARSE = {"AdaGrad": AdaGrad, "Adam": Adam, "SparseAdam": SparseAdam}


def surface(x: Any, y: Any) -> Any:
    """Return the height of a valley along x, of Values or of arrays."""
    return 0.05 * x**2 + 2.0 * y**2


def path_of(name: str, steps: int) -> Path:
    """Return where the optimiser comes by, and the losses."""
    x, y = map(Value, START)
    optimizer, path = OPTIMISERS[name]([x, y]), []
    for _ in range(steps + 1):
        loss = surface(x, y)
        path.append((x.data, y.data, loss.data))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return path


def rare_row(name: str, steps: int, every: int = 10) -> list[float]:
    """Return a number of a table's row 1, pulled towards 1 whenever a batch holds it."""
    table = np.zeros((2, 1))
    optimizer, seen = SPARSE[name]({"E": table}, lr=0.1), []
    for step in range(steps):
        rows = np.array([1 if step % every == 0 else 0])
        gradient: Any = (rows, table[rows] - 1.0)  # of ½(E − 1)², for the rows in the batch
        if not optimizer.takes_rows:
            gradient = np.zeros_like(table)
            gradient[rows] = table[rows] - 1.0
        optimizer.step({"E": gradient})
        seen.append(float(table[1, 0]))
    return seen


def report(paths: dict[str, Path], rows: dict[str, list[float]]) -> None:
    """Print the losses on the way, and what happened to the row between two of its batches."""
    shown = [s for s in (0, 5, 10, 20, 40, 80) if s < len(paths["SGD"])]
    print(f"{'loss after step':<16}" + "".join(f"{step:10d}" for step in shown))
    for name, path in paths.items():
        print(f"{name:<16}" + "".join(f"{path[step][2]:10.1e}" for step in shown))
    print("The steep direction bounds SGD's rate, so along the valley it is the slowest.\n")
    for name, seen in rows.items():
        print(f"{name:<16}rare row after its batch {seen[0]:.3f}, nine batches on {seen[9]:.3f}")
    print("Only Adam over the whole table moves a row whose words were not seen.")


def draw(paths: dict[str, Path], rows: dict[str, list[float]], path: str) -> None:
    """Draw the paths over the surface, the losses, and the rare row."""
    from figures import STYLES, panels, save

    figure, axes = panels(3, width=5.2, height=4)
    x, y = np.meshgrid(np.linspace(-8, 3, 80), np.linspace(-2, 2, 80))
    axes[0].contour(x, y, surface(x, y), levels=np.geomspace(0.02, 8, 9), colors="#9ca3af",
                    linewidths=0.7)  # fmt: skip
    for (name, points), style in zip(paths.items(), STYLES):
        xs, ys, losses = zip(*points)
        axes[0].plot(xs, ys, label=name, linewidth=1.2, **style | {"markersize": 2.5})
        axes[1].semilogy(losses, label=name, markevery=10, **style)
    for (name, seen), style in zip(rows.items(), STYLES):
        axes[2].step(range(1, len(seen) + 1), seen, where="post", label=name, markevery=10, **style)
    axes[0].set(title="paths over 0.05 x² + 2 y²", xlabel="x", ylabel="y", ylim=(-2, 2))
    axes[1].set(title="loss on these paths", xlabel="step", ylabel="loss", ylim=(1e-6, 20))
    axes[2].set(title="a row held by every tenth batch", xlabel="step", ylabel="number in the row")
    axes[2].set(ylim=(0, 1.3))
    axes[0].legend(fontsize=8)
    axes[2].legend(fontsize=8, ncols=3, loc="upper left")
    save(figure, path)


def main(path: str | None = None, steps: int = 80) -> tuple[dict[str, Path], dict[str, Any]]:
    """Print the report; draw the figure where a path is given; return paths and rows."""
    paths = {name: path_of(name, steps) for name in OPTIMISERS}
    rows = {name: rare_row(name, steps) for name in SPARSE}
    report(paths, rows)
    if path:
        draw(paths, rows, path)
    return paths, rows


if __name__ == "__main__":
    main(*sys.argv[1:2])
