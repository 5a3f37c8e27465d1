"""The course of a training: one row of numbers per epoch, as a table, a CSV file and a plot."""

from __future__ import annotations

import csv
import os
from collections.abc import Mapping
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any

from micrograd.core.checks import is_real
from micrograd.files import atomic_write, check_path
from micrograd.printing import counted, shorten

CHINESE = ("Microsoft YaHei", "PingFang SC", "Hiragino Sans GB", "SimHei", "WenQuanYi Zen Hei")
DATES: dict[str, Any] = {"png": {}, "svg": {"Date": None}, "pdf": {"CreationDate": None}}


class History:
    """Hold one dict of numbers per epoch, and in `stopped` why the training ended early.

    `remark` says why a loss stands still, where its graph shows it.
    """

    remark = ""

    def __init__(self, rows: list[dict[str, float]] | None = None, stopped: str = "") -> None:
        self.rows = [] if rows is None else rows
        if not isinstance(self.rows, list) or not all(map(is_row, self.rows)):
            raise TypeError(
                f"a history has a list of dicts of numbers, one an epoch, not {shorten(rows)}"
            )
        self.stopped = stopped

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, name: str) -> list[float]:
        """Return one column. Raises KeyError with the columns there are."""
        if name not in self.columns:
            raise KeyError(
                f"there is no column {shorten(name)}; there are {', '.join(self.columns)}"
            )
        return [row[name] for row in self.rows if name in row]

    @property
    def columns(self) -> list[str]:
        """Return the names of the columns, in the order in which they came up."""
        return list(dict.fromkeys(name for row in self.rows for name in row))

    def __repr__(self) -> str:
        row = self.rows[-1] if self.rows else {}
        said = (f"{k} {v if isinstance(v, int) else format(v, '.4g')}" for k, v in row.items())
        last = ", ".join(said) or "empty"
        stopped = f"; stopped: {self.stopped}" if self.stopped else ""
        return f"History({counted(len(self), 'epoch')}; last: {last}{stopped})"

    def _repr_html_(self) -> str:
        from micrograd.displays import curves_html, table_html

        names = [name for name in self.columns if name != "epoch"]
        columns = {name: [row.get(name) for row in self.rows] for name in names}
        rows = [[row.get(name, "") for name in self.columns] for row in self.rows]
        return curves_html(columns) + table_html(self.columns, rows, repr(self))

    def save_csv(self, path: str | os.PathLike[str]) -> Path:
        """Write the rows as CSV; every number can be read back exactly."""
        text = StringIO()
        writer = csv.DictWriter(text, self.columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(self.rows)
        return atomic_write(path, text.getvalue())

    def plot(self, path: str | os.PathLike[str] | None = None) -> Any:
        """Draw losses and other columns in a panel each; return the matplotlib Figure.

        With `path` the picture is written there too (.png, .svg, .pdf): the same bytes for the
        same history.
        """
        if path is not None:
            check_path(path)
        ending = Path(path or "").suffix[1:].lower() or "png"
        if ending not in DATES:
            raise ValueError(f"{path}: a plot is written as {', '.join(DATES)}, not as {ending}")
        figure = _figure(self)
        if path is not None:
            atomic_write(path, _picture(figure, ending))
        return figure


def is_row(row: Any) -> bool:
    """Tell whether these are numbers by name."""
    return isinstance(row, Mapping) and all(map(is_real, row.values()))


def _figure(history: History) -> Any:
    names = [name for name in history.columns if name != "epoch"]
    losses = [name for name in names if "loss" in name]
    panels = [panel for panel in (losses, [n for n in names if n not in losses]) if panel]
    if not panels:
        raise ValueError("the history is empty; there is nothing to draw")
    figure = _new_figure(figsize=(5 * len(panels), 3.5), layout="constrained")
    for axes, panel in zip(figure.subplots(1, len(panels), squeeze=False)[0], panels):
        for name, style in zip(panel, ("-o", "--s", "-.^", ":D", "-v", "--x") * len(panel)):
            numbered = enumerate(history.rows, 1)  # rows of a loop of one's own may have none
            points = [(row.get("epoch", n), row[name]) for n, row in numbered if name in row]
            label = name.replace("$", r"\$")  # a formula is between two
            axes.plot(*zip(*points), style, label=label, markersize=3)
        axes.set_xlabel("epoch")
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.grid(alpha=0.3)
        axes.legend(prop={"family": _families()})
    return figure


def _families() -> list[str]:
    """Return the fonts of names: the usual ones, and behind them one of Chinese signs."""
    from matplotlib import font_manager, rcParams

    known = {font.name for font in font_manager.fontManager.ttflist}
    chinese = sorted(name for name in known if "CJK" in name or name in CHINESE)
    return [*rcParams["font.family"], *chinese[:1]]


def _picture(figure: Any, ending: str) -> bytes:
    from matplotlib import rc_context

    picture = BytesIO()
    with rc_context({"svg.hashsalt": "micrograd"}):  # else the ids of an SVG are random
        figure.savefig(picture, format=ending, metadata=DATES[ending])
    return picture.getvalue()


def _new_figure(**options: Any) -> Any:
    """Return a Figure that shows itself in a notebook, where only those of pyplot do."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise ImportError('plots need matplotlib: pip install "micrograd-graph[plots]"') from None
    shown = type("Figure", (Figure,), {"_repr_png_": lambda figure: _picture(figure, "png")})
    return shown(**options)
