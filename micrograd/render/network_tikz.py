"""The network view as TikZ: what network_svg draws, in the measures of TeX."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from micrograd.render.captions import caption, problem_of
from micrograd.render.network_plan import Plan, Unit, ends, middle_of, plan
from micrograd.render.network_svg import numbers_of, told_of
from micrograd.render.numerals import shown
from micrograd.render.passes import Passes
from micrograd.render.tikz import Page, tex
from micrograd.render.view import Box, View

SCALE = 0.62  # points of TeX, whose footnotes are smaller than letters of the SVG


def network_to_tikz(view: View, passes: Passes, backward: bool) -> str:
    """Return the network as a tikzpicture; it needs xcolor and tikz, no library."""
    places = plan(view)
    gradients = passes.gradients if backward else {}
    page = Page(SCALE * places.width, SCALE * places.height)
    lines = [
        *_edges(view, places, page),
        *(
            line
            for box, unit in zip(view.boxes, places.units)
            for line in _unit(view, box, unit, gradients, page)
        ),
    ]
    return page.written(lines, problem_of(passes) if backward else "")


def _edges(view: View, places: Plan, page: Page) -> Iterator[str]:
    """Yield the lines, and over all of them the weights."""
    for edge in view.edges:
        begin, end = ends(places.units[edge.source], places.units[edge.target])
        yield rf"\draw[mgline, very thin] {_at(page, *begin)} -- {_at(page, *end)};"
    for weight, spot in zip(places.weights, places.spots):
        if spot and weight >= 0:
            number = tex(shown(view.graph.data[weight]))
            yield (
                r"\node[draw=mglocal, fill=white, rounded corners=2pt, text=mglocal, "
                rf"inner sep=2pt] at {_at(page, *spot)} {{{number}}};"
            )


def _unit(
    view: View, box: Box, unit: Unit, gradients: Mapping[int, float], page: Page
) -> Iterator[str]:
    """Yield the nodes of a unit: its frame with the numbers in it, and the name of a neuron."""
    name = tex(f"Σ · {box.samples}" if box.samples else caption(view, box, None).name)
    wide, high = SCALE * unit.width, SCALE * unit.height
    at = _at(page, unit.x, middle_of(unit))
    if unit.kind in ("neuron", "dot"):
        told = zip(("value", "value", "gradient"), told_of(view, box, unit, gradients))
        rows = r" \\ ".join(_coloured(*row) for row in told) if unit.kind == "neuron" else ""
        yield (
            r"\node[circle, draw=mgline, fill=mgbox, inner sep=0pt, align=center, "
            rf"minimum size={wide:g}pt] at {at} {{{rows}}};"
        )
        if unit.kind == "neuron":
            top = _at(page, unit.x, middle_of(unit) - unit.width / 2)
            yield rf"\node[anchor=south, inner sep=2pt] at {top} {{\textbf{{{name}}}}};"
        return
    numbers = [(kind, n) for kind, _, n in numbers_of(view.graph, box, unit, gradients)]
    rows = r" \\ ".join(rf"\hfill{_coloured(*number)}" for number in numbers)
    yield (
        rf"\node[draw=mgline, fill=mgbox, rounded corners={min(12.0, high / 2):g}pt, "
        rf"inner sep=0pt, text width={wide - 12:g}pt, minimum width={wide:g}pt, "
        rf"minimum height={high:g}pt] at {at} {{\textbf{{{name}}}{rows}}};"
    )


def _at(page: Page, x: float, y: float) -> str:
    return page.at(SCALE * x, SCALE * y)


def _coloured(colour: str, text: str) -> str:
    return rf"\textcolor{{mg{colour}}}{{{tex(text)}}}"
