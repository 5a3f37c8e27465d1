"""How histories, checks, programs and modules show themselves in a notebook: plain HTML.

Tables and pre-formatted text, which notebooks show untrusted too, and a curve as an image.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape as escaped
from math import isfinite
from typing import Any

from micrograd.printing import width

__all__ = ["curves_html", "table_html", "text_html"]

WIDTH, HEIGHT, EDGE = 420, 150, 6  # of a curve, in pixels
STROKES = ("#1f7ac0", "#c05a12", "#8a5fd0", "#25835a")  # 4:1 and more on white and on #111
DASHES = ("", "7 3", "2 3", "9 3 2 3")  # lines are told apart without colour too
MOST_ROWS = 20
ROOM = ".micrograd-table :is(td,th){padding:.2em .6em}"  # some notebooks leave none
XMLNS = "http://www.w3.org/2000/svg"


def text_html(text: str) -> str:
    """Return text whose lines and columns are kept.

    It gets the room of its longest line: JupyterLab breaks lines within words where there is less,
    and of an untrusted output it takes a width, but neither rules nor `white-space`.
    """
    room = 0.65 * max(map(width, text.split("\n")))  # a letter is some 0.6 em wide
    return (
        '<figure style="margin:0;overflow-x:auto">'
        f'<pre style="line-height:1.35;min-width:{room:.0f}em">{escaped(text)}</pre></figure>'
    )


def table_html(header: Sequence[str], rows: Sequence[Iterable[Any]], caption: str = "") -> str:
    """Return a table; of many rows the last."""
    head = "".join(f'<th scope="col">{escaped(name)}</th>' for name in header)
    cut = len(rows) - MOST_ROWS
    body = "".join(
        f"<tr>{''.join(f'<td>{escaped(_cell(cell))}</td>' for cell in row)}</tr>"
        for row in rows[max(0, cut) :]
    )
    above = escaped(caption + (f" (the last {MOST_ROWS} of {len(rows)} rows)" if cut > 0 else ""))
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    style = f"<style>{ROOM}</style>"
    return (
        f'<figure class="micrograd-table" style="margin:0">{style}'
        f"<figcaption>{above}</figcaption>{table}</figure>"
    )


def _cell(cell: Any) -> str:
    return f"{cell:.6g}" if isinstance(cell, float) else str(cell)


def curves_html(columns: Mapping[str, Sequence[float | None]]) -> str:
    """Return every column as a line of one picture, each over its own range, with a legend.

    Losses are over one range: which of them is above counts. What is None is passed over: not every
    epoch has every number.
    The picture has no paper of its own, and the legend is text: light and dark are the notebook's.
    """
    ranges: dict[str, list[float]] = {}
    for name, column in columns.items():
        ranges.setdefault(_range_of(name), []).extend(y for _, y in _finite(column))
    points_of = {name: _points(c, ranges[_range_of(name)]) for name, c in columns.items()}
    lines = [(name, points) for name, points in points_of.items() if len(points) > 1]
    if not lines:
        return ""
    drawn = "".join(_polyline(i, points) for i, (_, points) in enumerate(lines))
    svg = f"<svg xmlns='{XMLNS}' width='{WIDTH}' height='{HEIGHT}'>{drawn}</svg>"
    said = escaped(f"Curves of {', '.join(name for name, _ in lines)}")
    legend = "<br>".join(_entry(i, name, columns[name]) for i, (name, _) in enumerate(lines))
    return (
        f'<figure style="margin:0"><img alt="{said}" src="{_address(svg)}">'
        f"<figcaption>{legend}</figcaption></figure>"
    )


def _polyline(number: int, points: Sequence[tuple[float, float]]) -> str:
    written = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return f"<polyline {_stroke(number)} points='{written}'/>"


def _entry(number: int, name: str, column: Sequence[float | None]) -> str:
    """Return a column's entry in the legend: its line, its name, and its range."""
    line = f"<path {_stroke(number)} d='M0 5H32'/>"
    svg = f"<svg xmlns='{XMLNS}' width='32' height='10'>{line}</svg>"
    known = [y for y in column if y is not None]
    finite = [y for y in known if isfinite(y)]
    span = f"{_cell(known[0])} → {_cell(known[-1])}, least {_cell(min(finite))}"
    return (
        f'<img alt="" style="display:inline" src="{_address(svg)}"> {escaped(name)}: '
        f"{span}, greatest {_cell(max(finite))}"
    )


def _stroke(number: int) -> str:
    colour, dashes = STROKES[number % 4], DASHES[(number + number // 4) % 4]
    return f"fill='none' stroke='{colour}' stroke-width='2' stroke-dasharray='{dashes}'"


def _address(svg: str) -> str:
    return "data:image/svg+xml;charset=utf-8," + svg.replace("#", "%23")


def _range_of(name: str) -> str:
    return "loss" if "loss" in name else name


def _finite(column: Sequence[float | None]) -> list[tuple[int, float]]:
    return [(i, y) for i, y in enumerate(column) if y is not None and isfinite(y)]


def _points(column: Sequence[float | None], heights: Sequence[float]) -> list[tuple[float, float]]:
    low, high = min(heights, default=0.0), max(heights, default=0.0)
    across, down = WIDTH - 2 * EDGE, HEIGHT - 2 * EDGE
    return [
        (
            EDGE + across * i / max(1, len(column) - 1),
            EDGE + down * (high - y) / ((high - low) or 1.0),
        )
        for i, y in _finite(column)
    ]
