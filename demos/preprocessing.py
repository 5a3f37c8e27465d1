"""Mean subtraction, normalisation and whitening of the same points, before and after (L21).

The statistics are those of the training set, and the test set is treated by them too. Prints what
becomes of mean, covariance and test set, and draws the points:

    python demos/preprocessing.py [preprocessing.svg]
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

from micrograd.preprocessing import MeanSubtraction, Normalisation, Whitening

KINDS: dict[str, tuple[Any, str]] = {  # and what its results are
    "as measured": (None, "{0} in {1}"),
    "mean subtraction": (MeanSubtraction, "{0} in {1}"),
    "normalisation": (Normalisation, "{0} in deviations"),
    "whitening (PCA)": (Whitening, "{2} principal axis"),
    "whitening (ZCA)": (lambda: Whitening("zca"), "{0}, whitened"),
}


def data(train: int, test: int) -> tuple[Any, Any]:
    """Return made-up flats: floor area in m² and rent in 100 €, which rise together."""
    rng = np.random.default_rng(1)
    area = rng.normal(80, 15, train + test)
    rent = 3 + 0.15 * area + rng.normal(0, 1.5, train + test)
    both = np.column_stack([area, rent])
    return both[:train], both[train:]


def prepared(train: Any, test: Any) -> dict[str, tuple[Any, Any]]:
    """Return both sets after each kind of preprocessing."""
    results = {}
    for name, (kind, _) in KINDS.items():
        fitted = kind().fit(train) if kind else None
        results[name] = (fitted.apply(train), fitted.apply(test)) if fitted else (train, test)
    return results


def covariance(points: Any) -> Any:
    """Return the covariance matrix, of the division by n that preprocessing uses."""
    return np.cov(points.T, bias=True)


def show(results: dict[str, tuple[Any, Any]]) -> None:
    """Print mean and covariance of the training set, and the mean of the test set."""
    print(f"{'':18}{'mean':>14}   {'variances':>16}   covariance   mean of the test set")
    for name, (train, test) in results.items():
        (a, b), (_, c) = covariance(train)
        numbers = np.round([*train.mean(0), a, c, b, *test.mean(0)], 2) + 0.0  # no -0.00
        print("{:18}{:7.2f}{:7.2f}   {:8.2f}{:8.2f}   {:10.2f}   {:9.2f}{:7.2f}"
              .format(name, *numbers))  # fmt: skip


def draw(results: dict[str, tuple[Any, Any]], path: str) -> None:
    """Draw the points of each kind, with the covariance of the training set."""
    from figures import BLUE, panels, save

    figure, axes = panels(len(results), 1, 3.2, 3.6)
    for panel, (name, (train, test)) in zip(axes, results.items()):
        panel.scatter(*train.T, s=12, color=BLUE, alpha=0.35, label="training set")
        panel.scatter(*test.T, s=34, color="black", marker="x", label="test set")
        (a, b), (_, c) = np.round(covariance(train), 2) + 0.0
        panel.set(title=f"{name}\ncovariance {a:.3g}, {b:.3g}; {b:.3g}, {c:.3g}")
        panel.axis("equal")
        label = KINDS[name][1]
        panel.set_xlabel(label.format("floor area", "m²", "1st"))
        panel.set_ylabel(label.format("rent", "100 €", "2nd"))
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=2)
    save(figure, path)


def main(path: str | None = None, train: int = 200, test: int = 30) -> None:
    """Print the table; draw the points where a path is given."""
    results = prepared(*data(train, test))
    show(results)
    print("The mean goes, then the units, then the correlation; the test set, treated by the\n"
          "training set's statistics, comes close to the same but not exactly there.")  # fmt: skip
    if path:
        draw(results, path)


if __name__ == "__main__":
    main(*sys.argv[1:2])
