"""The learning curve as SVG: a panel for each scale, the kept epoch marked."""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import NamedTuple

from micrograd.training.history import History

WIDTH, HEIGHT, LEFT, BOTTOM, TOP = 300, 210, 44, 34, 40
TITLES = {
    "loss": "loss in training",
    "dev_loss": "loss on dev",
    "dev_f1": "entity F1 on dev, %",
    "active": "samples that still have a loss, %",
}
PANELS = (("loss", "dev_loss"), ("dev_f1",), ("active",))
STROKES = (("#0a5ea8", ""), ("#b54708", "6 3"))
STYLE = """
svg.curve { font: 11px system-ui, sans-serif; }
svg.curve text { fill: #555; } svg.curve .title { fill: currentColor; font-weight: 600; }
svg.curve .axis { stroke: #888; fill: none; } svg.curve .kept { stroke: #0f6b3f; }
"""


class Scale(NamedTuple):
    """Where a value goes: from `low` at `start` to `high` at `stop`."""

    low: float
    high: float
    start: float
    stop: float

    def __call__(self, value: float) -> float:
        share = (value - self.low) / ((self.high - self.low) or 1.0)
        return round(self.start + share * (self.stop - self.start), 1)


def curve(history: History, style: str = f"<style>{STYLE}</style>") -> str:
    """Draw the columns of a history that it has; with its `style` the picture stands alone."""
    panels = [[n for n in names if n in history.columns] for names in PANELS]
    panels = [names for names in panels if names]
    best = max(history.rows, key=lambda row: row.get("dev_f1", 0.0))
    kept = int(best["epoch"])
    parts = [_panel(history, names, n * WIDTH, kept) for n, names in enumerate(panels)]
    width = WIDTH * len(panels)
    said = f"Learning curve over {len(history)} epochs; epoch {kept} was kept"
    return (
        f'<svg class="curve" xmlns="http://www.w3.org/2000/svg" width="{width}" height="{HEIGHT}" '
        f'viewBox="0 0 {width} {HEIGHT}" role="img" aria-label="{said}">{style}'
        f"{''.join(parts)}</svg>"
    )


def _panel(history: History, names: Sequence[str], x: int, kept: int) -> str:
    values = [value for name in names for value in history[name]]
    low = 0.0 if min(values) < max(values) / 2 else min(values)
    high = max(values) if max(values) > low else low + 1.0
    across = Scale(1, max(len(history), 2), x + LEFT, x + WIDTH - 14)
    up = Scale(low, high, HEIGHT - BOTTOM, TOP)
    out = [_axes(across, up), _mark(across(kept), f"epoch {kept} is kept")]
    for n, (name, (colour, dash)) in enumerate(zip(names, STROKES)):
        points = " ".join(
            f"{across(row['epoch'])},{up(row[name])}" for row in history.rows if name in row
        )
        out.append(
            f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="1.8" '
            f'stroke-dasharray="{dash}"/>'
        )
        line = f'<line x1="{x + LEFT}" x2="{x + LEFT + 22}" y1="{11 + 14 * n}" y2="{11 + 14 * n}"'
        out.append(f'{line} stroke="{colour}" stroke-width="1.8" stroke-dasharray="{dash}"/>')
        out.append(_text(x + LEFT + 28, 15 + 14 * n, TITLES[name], "title", "start"))
    return "".join(out)


def _axes(across: Scale, up: Scale) -> str:
    left, right = across.start, across.stop
    path = f'<path class="axis" d="M{left},{TOP}V{up.start}H{right}"/>'
    numbers = [_text(left - 5, up(v) + 4, f"{v:.3g}", "", "end") for v in (up.low, up.high)]
    epochs = [_text(across(e), up.start + 14, f"{e:g}", "", "middle") for e in across[:2]]
    return (
        path
        + "".join(numbers + epochs)
        + _text((left + right) / 2, up.start + 28, "epoch", "", "middle")
    )


def _mark(x: float, title: str) -> str:
    return (
        f'<line class="kept" x1="{x}" x2="{x}" y1="{TOP}" y2="{HEIGHT - BOTTOM}" '
        f'stroke-dasharray="2 2"><title>{title}</title></line>'
        + _text(x + 3, TOP - 4, "kept", "", "start" if x % WIDTH < WIDTH - 50 else "end")
    )


def _text(x: float, y: float, content: str, kind: str, anchor: str) -> str:
    text = html.escape(content)
    return f'<text class="{kind}" x="{x:g}" y="{y:g}" text-anchor="{anchor}">{text}</text>'
