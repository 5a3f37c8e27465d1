"""Draw a learning curve as an SVG picture, with nothing installed beside the package."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence

WIDTH, HEIGHT = 640, 360
LEFT, RIGHT, TOP, BOTTOM = 56, 16, 64, 48
LEGEND_STEP = 190
COLOURS = ("#0a5ea8", "#b54708", "#6d3fc0", "#0f6b3f")
DASHES = ("", "7 4", "2 4", "9 3 2 3")


def curve(title: str, series: Mapping[str, Sequence[float]], unit: str = "%") -> str:
    """Give the picture of one line per series, its values per epoch, from 0 to the largest.

    Lines differ by dash as well as by colour; each ends with its name and last value.
    """
    epochs = max(map(len, series.values()), default=0)
    top = _ceiling(max((v for values in series.values() for v in values), default=1.0))
    body = [_text(LEFT, 24, title, "start", 'font-weight="700" font-size="15"'), *_grid(top, unit)]
    body += _epochs(epochs)
    for number, (name, values) in enumerate(series.items()):
        body += _line(number, name, values, epochs, top, unit)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        f'width="{WIDTH}" height="{HEIGHT}" font-family="system-ui, sans-serif" font-size="12" '
        f'role="img"><title>{html.escape(title)}</title>'
        f'<rect width="100%" height="100%" fill="#fff"/>{"".join(body)}</svg>\n'
    )


def _ceiling(largest: float) -> float:
    for step in (1, 2, 5, 10, 20, 25, 40, 60, 80, 100):
        if largest <= step:
            return float(step)
    return largest


def _x(epoch: float, epochs: int) -> float:
    return LEFT + (WIDTH - LEFT - RIGHT) * (epoch - 1) / max(epochs - 1, 1)


def _y(value: float, top: float) -> float:
    return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * value / top


def _text(x: float, y: float, content: str, anchor: str, more: str = "") -> str:
    return (f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" {more}>'
            f"{html.escape(content)}</text>")


def _grid(top: float, unit: str) -> list[str]:
    out = []
    for part in range(5):
        value, y = top * part / 4, _y(top * part / 4, top)
        out.append(f'<path d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}" stroke="#ddd"/>')
        out.append(_text(LEFT - 8, y + 4, f"{value:g} {unit}", "end", 'fill="#444"'))
    return out


def _epochs(epochs: int) -> list[str]:
    step = max(1, -(-epochs // 12))
    ticks = [
        _text(_x(epoch, epochs), HEIGHT - BOTTOM + 18, str(epoch), "middle", 'fill="#444"')
        for epoch in range(1, epochs + 1, step)
    ]
    middle = (LEFT + WIDTH - RIGHT) / 2
    return [*ticks, _text(middle, HEIGHT - 8, "epoch", "middle", 'fill="#444"')]


def _line(
    number: int, name: str, values: Sequence[float], epochs: int, top: float, unit: str
) -> list[str]:
    colour, dash = COLOURS[number % len(COLOURS)], DASHES[number % len(DASHES)]
    points = [(_x(epoch, epochs), _y(value, top)) for epoch, value in enumerate(values, 1)]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    out = [f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2" '
           f'stroke-dasharray="{dash}"/>']
    out += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in points]
    left = LEFT + LEGEND_STEP * number
    label = f"{name}: {values[-1]:.2f} {unit}" if values else name
    sample = (f'<path d="M{left} 44h26" stroke="{colour}" stroke-width="2" '
              f'stroke-dasharray="{dash}"/>')
    return [*out, sample, _text(left + 32, 48, label, "start")]
