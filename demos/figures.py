"""How the demos' figures look: one slide of 1920 × 1080, read from the back row.

No text is below 24 pixels; lines can be told apart without colour.
"""

from __future__ import annotations

import math
import os
from io import BytesIO
from typing import Any

import matplotlib
from matplotlib import font_manager
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from micrograd.files import atomic_write

BLUE, ORANGE, PURPLE, GREEN, GREY = "#0a5ea8", "#b54708", "#6d3fc0", "#0f6b3f", "#6b7280"
STYLES = [
    {"color": color, "linestyle": line, "marker": marker, "markersize": 9, "linewidth": 3}
    for color, line, marker in zip(
        (BLUE, ORANGE, PURPLE, GREEN, GREY, "#111827", "#a3195b"),
        ("-", "--", "-.", ":", "-", "--", "-."),
        "osD^vxP",
    )
]
DPI, SIZE = 120, (16, 9)  # 1920 × 1080 pixels
TEXT = 18  # points: 30 pixels
SMALL = 15  # points: 25 pixels, for what is written into a panel
CHINESE = (
    "Noto Sans CJK",
    "Source Han Sans",
    "PingFang",
    "Microsoft YaHei",
    "SimHei",
    "WenQuanYi",
    "Noto Serif CJK",
    "Heiti",
)
SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def fonts() -> list[str]:
    """Return the fonts to write in: matplotlib's own, then one with Chinese where there is one."""
    names = {font.name for font in font_manager.fontManager.ttflist}
    known = sorted(
        names, key=lambda name: (not name.endswith("SC"), name)
    )  # simplified forms first
    chinese = [name for start in CHINESE for name in known if name.startswith(start)]
    return ["DejaVu Sans", *chinese[:1]]


def has_chinese() -> bool:
    """Tell whether this machine has a font with Chinese characters."""
    return len(fonts()) > 1


def panels(columns: int = 1, rows: int = 1, **grid: Any) -> Any:
    """Return a figure of a slide's size and its axes as a list, row by row."""
    matplotlib.rcParams.update(
        {
            "font.family": fonts(),
            "font.size": TEXT,
            "axes.titlesize": TEXT,
            "legend.fontsize": SMALL,
            "svg.hashsalt": "demos",
            "axes.unicode_minus": True,
        }
    )
    figure = Figure(figsize=SIZE, dpi=DPI, layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False, gridspec_kw=grid).ravel().tolist()
    for panel in axes:
        panel.grid(alpha=0.25)
        panel.spines[["top", "right"]].set_visible(False)
    return figure, axes


def power(x: float, _: int = 0) -> str:
    """Return a tick as it is read aloud: 0.01, 10, 10⁻⁶."""
    if not x or 0.01 <= abs(x) <= 1000:
        return f"{x:g}"
    exponent = math.floor(math.log10(abs(x)) + 1e-9)
    factor = x / 10.0**exponent
    times = "" if math.isclose(factor, 1) else f"{factor:.2g} · "
    return f"{times}10{str(exponent).translate(SUPERSCRIPTS)}"


def finished(figure: Figure) -> Figure:
    """Return the figure with the ticks of logarithmic axes written out."""
    for panel in figure.axes:
        for axis in (panel.xaxis, panel.yaxis):
            if axis.get_scale() == "log":
                low, high = axis.get_view_interval()
                if high < 100 * low:  # one power of ten alone would say too little
                    axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
                axis.set_major_formatter(FuncFormatter(power))
                axis.set_minor_formatter(NullFormatter())
    return figure


def signed(number: float) -> str:
    """Return a number as it is written on a board: +0.12, −3.00, 0.00."""
    text = f"{number:+.2f}"
    return "0.00" if float(text) == 0 else text.replace("-", "−")


def matrix(panel: Any, numbers: Any, title: str, largest: float, size: float = TEXT) -> None:
    """Draw a matrix of numbers, blue below 0 and orange above, each number written out."""
    import numpy as np

    shown = np.atleast_2d(numbers)
    panel.imshow(shown, cmap="PuOr_r", vmin=-1.6 * largest, vmax=1.6 * largest, aspect="auto")
    panel.set_title(title)
    panel.set_xticks([])
    panel.set_yticks([])
    panel.grid(False)
    for (i, j), number in np.ndenumerate(shown):
        panel.text(j, i, signed(number), ha="center", va="center", fontsize=size)


def save(figure: Figure, path: str | os.PathLike[str], title: str, alternative: str) -> None:
    """Write the figure, by the ending of the name; its alternative text goes with it."""
    kind = os.fspath(path).rpartition(".")[2].lower()
    facts: dict[str, Any] = {"Title": title}
    facts["Subject" if kind == "pdf" else "Description"] = alternative
    if kind in ("svg", "pdf"):
        facts["Date" if kind == "svg" else "CreationDate"] = None  # the same file each time
    picture = BytesIO()
    finished(figure).savefig(picture, format=kind, metadata=facts)
    atomic_write(path, picture.getvalue())
