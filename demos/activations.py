"""Every activation with its derivative, read off the rows of `micrograd.ops` (L20).

An operation that is defined everywhere, never falls and has no slope above 1 can be a unit's
non-linearity; a row added to the table is drawn too. The slope is what a gradient is multiplied
by on its way back through the unit: where it is near 0, the unit is saturated.

    python demos/activations.py [activations.svg]
"""

from __future__ import annotations

import sys
from typing import Any

from micrograd import Value
from micrograd.ops import REAL, ROWS, Row

POINTS = [i / 40 for i in range(-200, 201)]


def curve(row: Row, points: list[float] = POINTS) -> list[tuple[float, float]]:
    """Return value and slope of the operation at each point, as the engine has them."""
    k = row.constants[-1:]  # a leak of 0.2 can be seen, the default of 0.01 cannot
    outs = [getattr(Value(x), row.name)(*k) for x in points]
    return [(out.data, out.local_gradients()[0]) for out in outs]


def activations() -> list[Row]:
    """Return the rows that can be a unit's non-linearity."""
    everywhere = [row for row in ROWS if row.domain == (REAL,)]
    return [row for row in everywhere if all(0 <= slope <= 1 for _, slope in curve(row))]


def name(row: Row) -> str:
    """Return the row's name, with its constant."""
    return f"{row.name}, k = {row.constants[-1]}" if row.constants else row.name


def table(rows: list[Row]) -> None:
    """Print values, and slopes at 0 and far from it."""
    print(f"{'activation':<20}{'f(-4)':>8}{'f(0)':>8}{'f(4)':>8}"
          f"{'f′(-4)':>9}{'f′(0)':>8}{'f′(4)':>8}   corners at the zeros of")  # fmt: skip
    for row in rows:
        values, slopes = zip(*curve(row, [-4.0, 0.0, 4.0]))
        numbers = "".join(f"{v:8.3f}" for v in values) + " " + "".join(f"{s:8.4f}" for s in slopes)
        print(f"{name(row):<20}{numbers}   {', '.join(row.kinks) or '-'}")
    print("Sigmoid and tanh let almost nothing back through at ±4; ReLU all or nothing.")


def draw(rows: list[Row], path: str) -> None:
    """Draw one panel for each row, and the legend in a last one."""
    from figures import BLUE, ORANGE, panels, save

    figure, axes = panels(4, len(rows) // 4 + 1, width=3.4, height=2.9)
    for panel, row in zip(axes, rows):
        values, slopes = zip(*curve(row))
        panel.plot(POINTS, values, color=BLUE, label="value f(x)")
        panel.plot(POINTS, slopes, color=ORANGE, linestyle="--", label="slope f′(x)")
        panel.set(title=name(row), ylim=(-1.4, 2.4), xlabel="x")
        panel.text(-5, 2.1, f"slope: {row.local[0]}", fontsize=8, family="monospace")
    for panel in axes[len(rows) :]:
        panel.axis("off")
    axes[len(rows)].legend(*axes[0].get_legend_handles_labels(), loc="center", frameon=False)
    save(figure, path)


def main(path: str | None = None) -> list[Any]:
    """Print the table; draw the figure where a path is given; return the rows."""
    rows = activations()
    table(rows)
    if path:
        draw(rows, path)
    return rows


if __name__ == "__main__":
    main(*sys.argv[1:2])
