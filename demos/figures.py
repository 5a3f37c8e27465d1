"""How the demos' figures look: one style, and lines told apart without colour."""

from __future__ import annotations

import os
from typing import Any

from matplotlib.figure import Figure

BLUE, ORANGE, PURPLE, GREEN, GREY = "#0a5ea8", "#b54708", "#6d3fc0", "#0f6b3f", "#6b7280"
STYLES = [
    {"color": color, "linestyle": line, "marker": marker, "markersize": 4}
    for color, line, marker in zip(
        (BLUE, ORANGE, PURPLE, GREEN, GREY, "#111827", "#a3195b"),
        ("-", "--", "-.", ":", "-", "--", "-."),
        "osD^vxP",
    )
]


def panels(columns: int = 1, rows: int = 1, width: float = 4.6, height: float = 3.4) -> Any:
    """Return a figure and its axes as a list, row by row."""
    figure = Figure(figsize=(width * columns, height * rows), layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False).ravel().tolist()
    for panel in axes:
        panel.grid(alpha=0.25)
        panel.spines[["top", "right"]].set_visible(False)
    return figure, axes


def save(figure: Figure, path: str | os.PathLike[str]) -> None:
    """Write the figure (.png, .svg or .pdf, by the name's ending) and say so."""
    figure.savefig(path, dpi=120)
    print(f"wrote {path}")
