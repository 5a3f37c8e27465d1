"""The picture of a graph, and the formats it can be had in."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable
from functools import cached_property
from pathlib import Path

from micrograd.engine import Value, topological_order
from micrograd.files import atomic_write
from micrograd.graph import Graph, snapshot
from micrograd.printing import counted, shorten
from micrograd.render.animation import animated, gif
from micrograd.render.captions import MODES
from micrograd.render.collapse import LEVELS as FOLDED
from micrograd.render.collapse import MOST_BOXES, view
from micrograd.render.dot import to_dot
from micrograd.render.elementary import unfolded_sums
from micrograd.render.mermaid import to_mermaid
from micrograd.render.network import LEVEL as NETWORK
from micrograd.render.network import network_view
from micrograd.render.network_svg import draw_network
from micrograd.render.network_tikz import network_to_tikz
from micrograd.render.notebook import bundle, page
from micrograd.render.passes import Passes, backward_pass
from micrograd.render.programs import by_cairo, by_graphviz
from micrograd.render.svg import draw
from micrograd.render.tikz import to_tikz
from micrograd.render.view import View

LAYOUTS = ("built-in", "dot")
LEVELS = (*FOLDED, NETWORK)
MOST_VALUES = 20_000  # larger graphs show in a notebook as text; `render` draws them when asked


class Picture:
    """Hold a view of a graph with the numbers of its passes; draw it in the format asked for."""

    def __init__(self, view: View, passes: Passes, mode: str, layout: str) -> None:
        self.view, self.passes, self.mode, self.layout = view, passes, mode, layout

    @cached_property
    def svg(self) -> str:
        """Return the picture as SVG, which follows the reader's light or dark setting."""
        image = self._by_dot("svg")
        return image.decode() if image else self._drawn()

    def _drawn(self, adaptive: bool = True) -> str:
        drawing = draw_network if self.view.level == NETWORK else draw
        return drawing(self.view, self.passes, self.mode, adaptive)

    def to_dot(self) -> str:
        """Return the picture as a DOT program."""
        return to_dot(self.view, self.passes, self.mode != "fprop")

    def html(self) -> str:
        """Return a page: the step-through where that is installed, else picture and table."""
        return page(self)

    def save(self, path: str | os.PathLike[str], format: str = "") -> Path:
        """Write the picture; its format is `format`, else what the file's ending names.

        Return the path. Raises ValueError for another format or a missing library, OSError where
        it cannot write.
        """
        if not format and format_of(path) not in FORMATS:
            endings = ", ".join(f".{name}" for name in (*FORMATS, *ENDINGS) if "-" not in name)
            raise ValueError(f"cannot draw {str(path)!r}: the ending must be one of {endings}")
        return atomic_write(path, self.to(format or format_of(path)))

    def to(self, format: str) -> str | bytes:
        """Return the picture in one of FORMATS. Raises ValueError without it or its library."""
        _check_known("format", format, FORMATS)
        return FORMATS[format](self)

    def to_tikz(self) -> str:
        """Return the picture as a tikzpicture."""
        written = network_to_tikz if self.view.level == NETWORK else to_tikz
        return written(self.view, self.passes, self.mode != "fprop")

    def to_mermaid(self) -> str:
        """Return the picture as a Mermaid flowchart."""
        return to_mermaid(self.view, self.passes, self.mode != "fprop")

    def to_tex(self) -> str:
        """Return both passes as a chain of equations."""
        from micrograd.stepper.equations import equations

        return equations(self.view.graph)

    def animated_svg(self) -> str:
        """Return the picture with its numbers coming up as the passes compute them."""
        return animated(draw(self.view, self.passes), self.view)

    def gif(self) -> bytes:
        """Return the same as a GIF."""
        return gif(draw(self.view, self.passes, adaptive=False), self.view)

    def _image(self, format: str) -> bytes:
        image = self._by_dot(format)
        return image or by_cairo(self._drawn(adaptive=False), format)

    def _by_dot(self, format: str) -> bytes | None:
        return by_graphviz(self.to_dot(), format) if self.layout == "dot" else None

    def _repr_mimebundle_(
        self, include: Iterable[str] | None = None, exclude: Iterable[str] | None = None
    ) -> dict[str, str]:
        return bundle(self, repr(self))

    def __repr__(self) -> str:
        boxes, edges = len(self.view.boxes), len(self.view.edges)
        parts = (len(self.view.graph), "Value"), (boxes, "box"), (edges, "edge")
        return f"Picture({', '.join(counted(*part) for part in parts)}, {self.mode})"


FORMATS: dict[str, Callable[[Picture], str | bytes]] = {
    "svg": lambda picture: picture.svg,
    "png": lambda picture: picture._image("png"),
    "pdf": lambda picture: picture._image("pdf"),
    "html": Picture.html,
    "dot": Picture.to_dot,
    "tikz": Picture.to_tikz,
    "mermaid": Picture.to_mermaid,
    "tex": Picture.to_tex,
    "animated-svg": Picture.animated_svg,
    "gif": Picture.gif,
}
ENDINGS = {"mmd": "mermaid", "htm": "html"}


def _texts(unfolded: Iterable[str]) -> list[str]:
    """Return the scopes of a list. Raises TypeError where it is none of texts."""
    listed = isinstance(unfolded, Iterable) and not isinstance(unfolded, str)
    texts = [*unfolded] if listed else []
    if not listed or not all(isinstance(text, str) for text in texts):
        raise TypeError(
            f"unfolded is a list of scopes, such as ['layer 0'], not {shorten(unfolded)}"
        )
    return texts


def _check_known(what: str, given: str, known: Collection[str]) -> None:
    if not isinstance(given, str) or given not in known:
        raise ValueError(f"there is no {what} {shorten(given)}; give one of {', '.join(known)}")


def format_of(path: str | os.PathLike[str]) -> str:
    """Return the format that the ending of a file names, or the ending where it names none."""
    ending = Path(path).suffix[1:].lower()
    return ENDINGS.get(ending, ending)


def render(
    root: Value | Graph,
    mode: str = "bprop",
    level: str = "auto",
    unfolded: Iterable[str] = (),
    layout: str = "built-in",
    unfold_sums: bool = False,
) -> Picture:
    """Return the picture of the graph below `root`.

    `mode`: "fprop" shows values; "bprop" also gradients, and on every edge its contribution and
    local gradient with formula; "both" one above the other. `level` and `unfolded` collapse it
    (see `micrograd.render.collapse`), "network" draws layers of neurons as circles with weights on
    the edges (see `micrograd.render.network`), as boxes in DOT, Mermaid and animations;
    `unfold_sums` writes weighted sums out. `layout="dot"` has Graphviz place it where that is
    installed.
    The gradients are those of a backward pass from `root` with seed 1, which sets no `.grad`; where
    one of yours left gradients in the graph, its boxes show those, as "grad".
    Raises ValueError where an option has no such value, two of them exclude each other (both modes
    and Graphviz or a network, a network and something to unfold), or the graph has several roots.
    """
    options = (("mode", mode, MODES), ("level", level, LEVELS), ("layout", layout, LAYOUTS))
    for what, given, known in options:
        _check_known(what, given, known)
    scopes = _texts(unfolded)
    if mode == "both" and (layout == "dot" or level == NETWORK):
        raise ValueError("mode 'both' draws boxes in the built-in layout only")
    if level == NETWORK and (scopes or unfold_sums):
        raise ValueError("level 'network' folds nothing: there is nothing to unfold in it")
    graph = snapshot(root) if isinstance(root, Value) else root
    if not isinstance(graph, Graph):
        raise TypeError(f"cannot draw {shorten(root)}: give the Value at the end of a computation")
    graph = unfolded_sums(graph) if unfold_sums else graph
    seen = network_view(graph) if level == NETWORK else view(graph, level, scopes)
    return Picture(seen, backward_pass(graph), mode, layout)


def mimebundle(value: Value) -> dict[str, str]:
    """Return what a notebook shows for `value`: picture and table, and text where it is large."""
    try:
        if len(topological_order(value)) <= MOST_VALUES:
            picture = render(value)
            if len(picture.view.boxes) > MOST_BOXES:  # a row of parts can be read in a cell's width
                picture = render(picture.view.graph, level="parts")
            return bundle(picture, repr(value))
    except ValueError:  # a graph that somebody wired into a cycle
        pass
    return {"text/plain": repr(value)}
