"""A learning curve as SVG, without matplotlib: a panel for each scale, the kept epoch marked."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from math import isfinite, nan
from typing import NamedTuple

from micrograd.printing import counted
from micrograd.training.history import History

WIDTH, HEIGHT, LEFT, BOTTOM, TOP = 300, 220, 64, 34, 50
ROOM = 8  # letters of a number beside an axis
STROKES = (("first", "#0a5ea8", ""), ("second", "#b54708", "6 3"))
FONT = 'font-family="system-ui, sans-serif" font-size="11px" fill="#555"'
# In a dark page, lighter; alone, or where a program does not know light-dark, as in a light one:
# so the elements say themselves.
STYLE = """
svg.curve text { fill: light-dark(#555, #a3adb8); }
svg.curve .title { fill: currentColor; }
svg.curve .kept { stroke: light-dark(#0f6b3f, #7ee2a8); }
svg.curve .first { stroke: light-dark(#0a5ea8, #79b8ff); }
svg.curve .second { stroke: light-dark(#b54708, #ffb077); }
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


def curve(
    history: History, kept: int, titles: Mapping[str, str], style: str = f"<style>{STYLE}</style>"
) -> str:
    """Draw the columns that have a title, losses in one panel; mark the epoch that was `kept`.

    What is not finite is left out. With its `style` the picture stands alone.
    """
    names = [name for name in titles if name in history.columns]
    losses = [name for name in names if "loss" in name]
    panels = [losses] * bool(losses) + [[name] for name in names if name not in losses]
    parts = [_panel(history, panel, titles, n * WIDTH, kept) for n, panel in enumerate(panels)]
    width = WIDTH * len(panels)
    said = f"Learning curve over {counted(len(history), 'epoch')}; epoch {kept} was kept"
    return (
        f'<svg class="curve" xmlns="http://www.w3.org/2000/svg" width="{width}" height="{HEIGHT}" '
        f'viewBox="0 0 {width} {HEIGHT}" {FONT} role="img" aria-label="{said}">{style}'
        f"{''.join(parts)}</svg>"
    )


def _panel(
    history: History, names: Sequence[str], titles: Mapping[str, str], x: int, kept: int
) -> str:
    values = [value for name in names for value in history[name] if isfinite(value)] or [0.0]
    low = 0.0 if 0 <= min(values) < max(values) / 2 else min(values)
    high = max(values) if max(values) > low else low + 1.0
    across = Scale(1, max(len(history), 2), x + LEFT, x + WIDTH - 14)
    up = Scale(low, high, HEIGHT - BOTTOM, TOP)
    out = [_axes(across, up), _mark(across(kept), f"epoch {kept} is kept")]
    for n, (name, (kind, colour, dash)) in enumerate(zip(names, STROKES)):
        stroke = f'class="{kind}" stroke="{colour}" stroke-width="1.8" stroke-dasharray="{dash}"'
        rows = [row for row in history.rows if isfinite(row.get(name, nan))]
        points = [f"{across(row['epoch'])},{up(row[name])}" for row in rows]
        out.append(f'<polyline points="{" ".join(points)}" fill="none" {stroke}/>')
        if len(rows) == 1:  # no line comes of it
            at = f'cx="{across(rows[0]["epoch"])}" cy="{up(rows[0][name])}"'
            dot = f'class="{kind}" r="1.5" fill="none" stroke="{colour}" stroke-width="3"'
            out.append(f"<circle {at} {dot}/>")
        left, y = x + LEFT, 11 + 14 * n
        out.append(f'<line x1="{left}" x2="{left + 22}" y1="{y}" y2="{y}" {stroke}/>')
        out.append(_text(left + 28, y + 4, titles[name], "start", bold=True))
    return "".join(out)


def _axes(across: Scale, up: Scale) -> str:
    left, right = across.start, across.stop
    path = f'<path d="M{left},{TOP}V{up.start}H{right}" fill="none" stroke="#888"/>'
    ends = zip((up.start, up.stop), _ends(up))
    numbers = [_text(left - 5, y + 4, text, "end") for y, text in ends]
    epochs = [_text(across(e), up.start + 14, f"{e:g}", "middle") for e in across[:2]]
    return (
        path
        + "".join(numbers + epochs)
        + _text((left + right) / 2, up.start + 28, "epoch", "middle")
    )


def _ends(up: Scale) -> list[str]:
    """Return the ends of an axis as text: in 3 digits, or as many as tell them apart."""
    ends = (up.low + 0.0, up.high + 0.0)  # -0.0 is 0
    texts = [[f"{end:.{digits}g}" for end in ends] for digits in range(3, 8)]
    near = (up.high - up.low) / 20
    for pair in texts:
        if all(abs(float(t) - end) <= near and len(t) <= ROOM for t, end in zip(pair, ends)):
            return pair
    return texts[0]


def _mark(x: float, title: str) -> str:
    return (
        f'<line class="kept" x1="{x}" x2="{x}" y1="{TOP}" y2="{HEIGHT - BOTTOM}" '
        f'stroke="#0f6b3f" stroke-dasharray="2 2"><title>{title}</title></line>'
        + _text(x + 3, TOP - 4, "kept", "start" if x % WIDTH < WIDTH - 50 else "end")
    )


def _text(x: float, y: float, content: str, anchor: str, bold: bool = False) -> str:
    text, kind = html.escape(content), ' class="title" font-weight="600"' if bold else ""
    return f'<text{kind} x="{x:g}" y="{y:g}" text-anchor="{anchor}">{text}</text>'
