"""How histories, checks, programs and modules show themselves in a notebook: plain HTML.

Tables and pre-formatted text, which notebooks show untrusted too, and a curve as an image.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape as escaped
from typing import Any

__all__ = ["curves_html", "table_html", "text_html"]

WIDTH, HEIGHT, EDGE = 420, 150, 6  # of a curve, in pixels
STROKES = ("#0a5ea8", "#b54708", "#6d3fc0", "#0f6b3f")  # over 3:1 on light and on dark paper
DASHES = ("", "7 3", "2 3", "9 3 2 3")  # lines are told apart without colour too
MOST_ROWS = 20


def text_html(text: str) -> str:
    """Return text whose lines and columns are kept."""
    return f'<pre style="line-height:1.35;overflow-x:auto">{escaped(text)}</pre>'


def table_html(header: Sequence[str], rows: Sequence[Iterable[Any]], caption: str = "") -> str:
    """Return a table; of many rows the last."""
    head = "".join(f'<th scope="col">{escaped(name)}</th>' for name in header)
    cut = len(rows) - MOST_ROWS
    body = "".join(
        f"<tr>{''.join(f'<td>{escaped(_cell(cell))}</td>' for cell in row)}</tr>"
        for row in rows[max(0, cut) :]
    )
    above = escaped(caption + (f" (the last {MOST_ROWS} of {len(rows)} rows)" if cut > 0 else ""))
    top = f"<caption>{above}</caption><thead><tr>{head}</tr></thead>"
    return f"<table>{top}<tbody>{body}</tbody></table>"


def _cell(cell: Any) -> str:
    return f"{cell:.6g}" if isinstance(cell, float) else str(cell)


def curves_html(columns: Mapping[str, Sequence[float]]) -> str:
    """Return every column as a line of one picture, each over its own range, with a legend."""
    points_of = {name: _points(column) for name, column in columns.items()}
    lines = [(name, points) for name, points in points_of.items() if len(points) > 1]
    drawn = "".join(
        f"<polyline fill='none' stroke='{STROKES[i % 4].replace('#', '%23')}' stroke-width='2' "
        f"stroke-dasharray='{DASHES[i % 4]}' points='{_written(points)}'/>"
        for i, (_, points) in enumerate(lines)
    )
    svg = (
        f"<svg xmlns='http://www.w3.org/2000/svg' width='{WIDTH}' height='{HEIGHT}'>"
        f"<rect width='100%25' height='100%25' fill='white'/>{drawn}</svg>"
    )
    names = ", ".join(name for name, _ in lines)
    return f'<img alt="Curves of {escaped(names)}" src="data:image/svg+xml;charset=utf-8,{svg}">'


def _points(column: Sequence[float]) -> list[tuple[float, float]]:
    finite = [y for y in column if abs(y) < float("inf")]
    low, high = min(finite, default=0.0), max(finite, default=1.0)
    across, down = WIDTH - 2 * EDGE, HEIGHT - 2 * EDGE
    return [
        (
            EDGE + across * i / max(1, len(column) - 1),
            EDGE + down * (high - y) / ((high - low) or 1.0),
        )
        for i, y in enumerate(column)
        if abs(y) < float("inf")
    ]


def _written(points: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
