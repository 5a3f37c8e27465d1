"""Pictures as SVG: a View placed by the built-in layout.

    draw(view, passes, mode="bprop", adaptive=True) -> str

Elements: `<g class="box leaf" data-box="3" data-node="3">` (`data-node` on boxes of one node,
`data-fold` on those that can be opened) holds `.frame`, `.name`, `.note`, `.value`, `.gradient`;
`<g class="edge" data-edge="3-7-0">` holds `.line`, `.head` and the chips `.contribution`,
`.local`, `.count`, each a rect and a text. Boxes carry their kind as a class: leaf, node, sum,
group, parameters, inputs, part. Everything stands in `<svg class="micrograd">`. `adaptive` follows
the reader's dark setting by a style sheet; light is how the elements themselves look.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from textwrap import wrap

from micrograd.printing import counted, shorten
from micrograd.render.captions import MODES, Caption, Label, caption, label, names_of, problem_of
from micrograd.render.layout import Link, Size, layout
from micrograd.render.passes import Passes
from micrograd.render.sheet import FONT, style, styled
from micrograd.render.text import escaped, width
from micrograd.render.view import Box, Edge, View

MARGIN = 16.0
PAD = 13.0  # within a box
LEAST_WIDTH = 132.0
ROW = 26.0  # of a box, and the least distance of two labelled edges
COLUMNS = 100  # of why a pass ends early
CHIP, CHIP_GAP, HEAD = 20.0, 5.0, 13.0


def draw(view: View, passes: Passes | None, mode: str = "bprop", adaptive: bool = True) -> str:
    """Return the picture of `view`: values ("fprop"), values and gradients ("bprop"), or both.

    Raises ValueError where there is no such mode.
    """
    if mode not in MODES:
        raise ValueError(f"there is no mode {shorten(mode)}; give one of {', '.join(MODES)}")
    modes = ("fprop", "bprop") if mode == "both" else (mode,)
    panels = [_Panel(view, passes, each == "bprop") for each in modes]
    titles = [f'<text class="name" x="0" y="-10">{each}</text>' for each in modes]
    body, y, across = [], MARGIN, 0.0
    for title, panel in zip(titles, panels):
        y += 26 if mode == "both" else 0
        heading = title if mode == "both" else ""
        body.append(f'<g transform="translate({MARGIN:g} {y:g})">{heading}{panel.text()}</g>')
        y, across = y + panel.height + MARGIN, max(across, panel.width)
    told, y, wide = ending(passes, mode, MARGIN, y)
    body, across = [*body, *told], max(across, wide)
    return document(across + 2 * MARGIN, y, described(view, mode), "\n".join(body), adaptive)


def ending(passes: Passes | None, mode: str, x: float, y: float) -> tuple[list[str], float, float]:
    """Return the lines, below `y`, that say why a pass ends early, where they end, how wide."""
    lines = wrap(problem_of(passes), COLUMNS) if mode != "fprop" else []
    texts = [_text("problem", x, y + 6 + 20 * i, line) for i, line in enumerate(lines)]
    return texts, y + 20 * len(lines), max((width(line, 14) for line in lines), default=0.0)


def described(view: View, mode: str) -> str:
    """Return the picture in a sentence, for those who cannot see it."""
    graph = view.graph
    passes = {"fprop": "forward pass", "bprop": "backward pass", "both": "both passes"}[mode]
    drawn = counted(len(view.boxes), "box")
    boxes = f", drawn as {drawn}" if len(view.boxes) < len(graph) else ""
    result = names_of(graph)[graph.roots[0]]
    return f"Computation graph of {result}, {passes}: {counted(len(graph), 'Value')}{boxes}"


def document(across: float, down: float, title: str, body: str, adaptive: bool) -> str:
    """Return a whole SVG file of this size, with the style that the elements of `body` need."""
    across, down = round(across), round(down)
    body = f'<rect class="paper" width="{across}" height="{down}"/>\n{body}'
    sheet = f"<style>{style(body, light=False)}</style>\n" if adaptive else ""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="micrograd" role="img" '
        f'width="{across}" height="{down}" viewBox="0 0 {across} {down}" font-family="{FONT}">\n'
        f"<title>{escaped(title)}</title>\n{sheet}<g>{styled(body)}</g>\n</svg>\n"
    )


@dataclass(frozen=True)
class _Place:
    x: float
    y: float
    width: float
    height: float


class _Panel:
    """One drawing of a view: its boxes and edges measured, placed, and written."""

    def __init__(self, view: View, passes: Passes | None, backward: bool) -> None:
        self.view, self.backward = view, backward
        self.captions = [caption(view, box, passes) for box in view.boxes]
        self.labels = [label(view, edge, passes if backward else None) for edge in view.edges]
        into: list[list[Label]] = [[] for _ in view.boxes]
        for edge, text in zip(view.edges, self.labels):
            into[edge.target].append(text)
        sizes = [
            Size(box.id, self._width(text), self._height(entering))
            for box, text, entering in zip(view.boxes, self.captions, into)
        ]
        links = [
            Link(view.boxes[edge.source].id, view.boxes[edge.target].id, edge.port, _room(text))
            for edge, text in zip(view.edges, self.labels)
        ]
        self.layout = layout(sizes, links)
        self.width, self.height = self.layout.width, self.layout.height

    def _width(self, text: Caption) -> float:
        heading = width(text.name, 18, bold=True) + 18 + width(text.note, 13)
        rows = 62 + width(text.value, 18)
        if self.backward:
            rows = max(rows, max(62, width(text.of, 13) + 22) + width(text.gradient, 18))
        return round(max(LEAST_WIDTH, heading + 2 * PAD, rows + 2 * PAD))

    def _height(self, entering: list[Label]) -> float:
        chips = self.backward or any(text.edges for text in entering)
        rows = 92.0 if self.backward else 66.0
        return max(rows, (len(entering) + 1) * (ROW if chips else 9.0))

    def text(self) -> str:
        edges = map(self._edge, self.view.edges, self.labels, self.layout.paths)
        boxes = map(self._box, self.view.boxes, self.captions)
        return "\n".join([*edges, *boxes])

    def _edge(self, edge: Edge, text: Label, path: list[tuple[float, float]]) -> str:
        x, y = path[-1]
        tip = f"{x:g},{y:g} {x - 11:g},{y - 5:g} {x - 11:g},{y + 5:g}"
        more = f"<title>{escaped(text.more)}</title>" if text.more else ""
        return (
            f'<g class="edge" data-edge="{escaped(self.view.edge_id(edge))}">{more}'
            f'<path class="line" d="{_curve(path)}"/><polygon class="head" points="{tip}"/>'
            f"{''.join(_chips(text, x - HEAD, y))}</g>"
        )

    def _box(self, box: Box, text: Caption) -> str:
        place = _Place(*self.layout.boxes[box.id])
        node = f' data-node="{box.members[0]}"' if len(box.members) == 1 else ""
        fold = f' data-fold="{escaped(box.fold)}"' if box.fold else ""
        return (
            f'<g class="box {box.kind}" data-box="{escaped(box.id)}"{node}{fold}>'
            f"<title>{escaped(text.more)}</title>{_frames(box, place)}"
            f"{''.join(self._rows(text, place))}</g>"
        )

    def _rows(self, text: Caption, place: _Place) -> Iterable[str]:
        left, right, y = place.x + PAD, place.x + place.width - PAD, place.y + 25
        rows = [("value", "value", text.value), ("gradient", text.of, text.gradient)]
        yield _text("name", left, y, text.name)
        yield _text("note", right, y - 1, text.note)
        for i, (kind, name, number) in enumerate(rows if self.backward else rows[:1], 1):
            yield _text("row", left, y + i * ROW, name)
            yield _text(kind, right, y + i * ROW, number)


def _frames(box: Box, place: _Place) -> str:
    """Return the frame of a box; where one stands for several, a second one behind it."""
    size = f'width="{place.width:g}" height="{place.height:g}" rx="9"'
    frame = f'<rect class="frame" x="{place.x:g}" y="{place.y:g}" {size}/>'
    if box.kind in ("leaf", "node", "sum"):
        return frame
    return f'<rect class="behind" x="{place.x + 5:g}" y="{place.y + 5:g}" {size}/>{frame}'


def _text(kind: str, x: float, y: float, content: str) -> str:
    return f'<text class="{kind}" x="{x:g}" y="{y:g}">{escaped(content)}</text>'


def _room(text: Label) -> float:
    """Return the width of an edge's chips and its head."""
    return HEAD + sum(chip + CHIP_GAP for _, _, chip in _chip_widths(text))


def _chip_widths(text: Label) -> list[tuple[str, str, float]]:
    """Return (class, text, width) of an edge's chips, from the node back to the operand."""
    local = f"× {text.local}" if text.local else ""
    chips = (("local", local), ("count", text.edges), ("contribution", text.contribution))
    return [
        (kind, content, round(width(content, 13, bold=kind == "contribution") + 14))
        for kind, content in chips
        if content
    ]


def _chips(text: Label, right: float, y: float) -> Iterable[str]:
    for kind, content, chip in _chip_widths(text):
        right -= chip + CHIP_GAP
        corner = CHIP / 2 if kind == "contribution" else 4
        size = f'width="{chip:g}" height="{CHIP:g}" rx="{corner:g}"'
        written = _text("number", right + chip / 2, y + 4.6, content)
        yield (
            f'<g class="chip {kind}"><rect x="{right:g}" y="{y - CHIP / 2:g}" {size}/>{written}</g>'
        )


def _curve(points: list[tuple[float, float]]) -> str:
    """Return a path through `points` that is level at every one."""
    (x, y), *rest = points
    path = [f"M{x:g} {y:g}"]
    for next_x, next_y in rest:
        middle = round((x + next_x) / 2, 1)
        bend = f"C{middle:g} {y:g} {middle:g} {next_y:g} {next_x:g} {next_y:g}"
        path.append(f"H{next_x:g}" if next_y == y else bend)
        x, y = next_x, next_y
    return "".join(path)
