"""The network view as SVG: circles with a, z and δ, weights on the edges."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import inf

from micrograd.graph import Graph
from micrograd.printing import counted
from micrograd.render.captions import caption, names_of
from micrograd.render.network_plan import WRITTEN, Plan, Unit, ends, middle_of, plan
from micrograd.render.numerals import shown
from micrograd.render.passes import Passes
from micrograd.render.svg import document, ending
from micrograd.render.text import escaped, fitted, width
from micrograd.render.view import Box, View

MARGIN = 24.0
ROWS = (("value", 53, 74), ("value", 70, 82), ("gradient", 87, 72))  # of a circle: height, room


def draw_network(view: View, passes: Passes, mode: str, adaptive: bool) -> str:
    """Return the network; `mode` "fprop" leaves δ and the gradients of inputs out."""
    places = plan(view)
    gradients = passes.gradients if mode != "fprop" else {}
    edges = [_edge(view, i, places) for i in range(len(view.edges))]
    units = [_unit(view, b, u, gradients) for b, u in zip(view.boxes, places.units)]
    body = "\n".join([*edges, *units])
    moved = f'<g class="network" transform="translate({MARGIN:g} {MARGIN:g})">{body}</g>'
    told, down, wide = ending(passes, mode, MARGIN, places.height + 2 * MARGIN)
    across = max(places.width, wide) + 2 * MARGIN
    root = names_of(view.graph)[view.graph.roots[0]]
    title = f"Network of {root}: {counted(len(view.boxes), 'unit')}"
    return document(across, down, title, "\n".join([moved, *told]), adaptive)


def _edge(view: View, place: int, places: Plan) -> str:
    edge, weight = view.edges[place], places.weights[place]
    (x, y), (u, v) = ends(places.units[edge.source], places.units[edge.target])
    line = f'<path class="line" d="M{x:g} {y:g}L{u:g} {v:g}"/>'
    head = f'<g class="edge" data-edge="{escaped(view.edge_id(edge))}">'
    if weight < 0:
        return f"{head}{line}</g>"
    number, spot = shown(view.graph.data[weight]), places.spots[place] if places.spots else None
    name = f"<title>{escaped(f'{names_of(view.graph)[weight]} = {number}')}</title>"
    return f"{head}{name}{line}{_chip(number, spot) if spot else ''}</g>"


def _chip(number: str, at: tuple[float, float]) -> str:
    (x, y), wide = at, min(7.6 * len(number) + 10, WRITTEN[0])
    return (
        f'<g class="chip local"><rect x="{x - wide / 2:g}" y="{y - 9:g}" width="{wide:g}" '
        f'height="18" rx="4"/>{_text("number", x, y + 4.6, number, WRITTEN[0] - 8, 13)}</g>'
    )


def _unit(view: View, box: Box, unit: Unit, gradients: Mapping[int, float]) -> str:
    text = caption(view, box, Passes(dict(gradients)))
    name, more = (f"Σ · {box.samples}", [text.note]) if box.samples else (text.name, [])
    title = "\n".join([text.more, *more, *told_of(view, box, unit, gradients), *_bias(view, unit)])
    return (
        f'<g class="box {box.kind} {unit.kind}" data-box="{escaped(box.id)}">'
        f"<title>{escaped(title)}</title>{_frame(unit)}"
        f"{''.join(_rows(view, box, unit, gradients, name))}</g>"
    )


def told_of(view: View, box: Box, unit: Unit, gradients: Mapping[int, float]) -> Iterator[str]:
    """Yield a, z and δ of a neuron: the rows of its circle."""
    if unit.z < 0:
        return
    data, out = view.graph.data, box.outputs[0]
    yield f"a {shown(data[out])}"
    yield f"z {shown(data[unit.z])}"
    if unit.z in gradients:
        yield f"δ {shown(gradients[unit.z])}"


def _bias(view: View, unit: Unit) -> list[str]:
    """Return the bias, which has no room in the circle."""
    if unit.b < 0:
        return []
    name = names_of(view.graph)[unit.b]
    return [f"{name} = {shown(view.graph.data[unit.b])}"]


def _frame(unit: Unit) -> str:
    if unit.kind in ("plate", "slim"):
        left, top = unit.x - unit.width / 2, unit.y - unit.height / 2
        size = f'width="{unit.width:g}" height="{unit.height:g}" rx="{min(19, unit.height / 2):g}"'
        return f'<rect class="frame" x="{left:g}" y="{top:g}" {size}/>'
    at = f'cx="{unit.x:g}" cy="{middle_of(unit):g}"'
    return f'<circle class="frame" {at} r="{unit.width / 2:g}"/>'


def _rows(
    view: View, box: Box, unit: Unit, gradients: Mapping[int, float], name: str
) -> Iterator[str]:
    if unit.kind == "dot":
        return
    if unit.kind == "neuron":
        top = unit.y - unit.height / 2
        yield _text("title", unit.x, top + 13, fitted(name, 14, unit.width + 20))
        rows = told_of(view, box, unit, gradients)
        for (kind, y, room), row in zip(ROWS, rows):
            yield _text(kind, unit.x, top + y, row, room)
        return
    numbers = numbers_of(view.graph, box, unit, gradients)
    left, right = unit.x - unit.width / 2 + 12, unit.x + unit.width / 2 - 12
    taken = max((width(number, 14) + 8 for _, _, number in numbers), default=0.0)
    yield _text("start", left, unit.y + 5, fitted(name, 14, right - left - taken))
    for kind, height, number in numbers:
        yield _text(kind, right, height, number)


def numbers_of(
    graph: Graph, box: Box, unit: Unit, gradients: Mapping[int, float]
) -> list[tuple[str, float, str]]:
    """Return the number that a box hands on, and below it the gradient where there is room."""
    if len(box.outputs) != 1:
        return []
    (out,) = box.outputs
    value, gradient = shown(graph.data[out]), gradients.get(out)
    if gradient is None or unit.kind != "plate":
        return [("value", unit.y + 5, value)]
    return [("value", unit.y - 2, value), ("gradient", unit.y + 14, shown(gradient))]


def _text(kind: str, x: float, y: float, content: str, room: float = inf, size: float = 14) -> str:
    """Return a text, squeezed where it is wider than its room."""
    squeezed = f' textLength="{room:g}" lengthAdjust="spacingAndGlyphs"'
    more = squeezed if width(content, size) > room else ""
    return f'<text class="{kind}" x="{x:g}" y="{y:g}"{more}>{escaped(content)}</text>'
