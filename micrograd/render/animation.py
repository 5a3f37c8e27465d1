"""A picture whose numbers come up as the passes compute them: as animated SVG, and as GIF."""

from __future__ import annotations

import re
from collections.abc import Callable
from io import BytesIO
from typing import NamedTuple

from micrograd.render.programs import by_cairo
from micrograd.render.view import View

SECONDS, PAUSE = 0.9, 3  # of a step; how many steps the end stays
MOST_PIXELS = 4_000  # a side of a GIF, which has a frame for every step
BOX = re.compile(r'(<g class="box [^>]*data-box="([^"]+)".*?</g>)', re.S)
EDGE = re.compile(r'<g class="edge" data-edge="([^"]+)">.*?\n', re.S)


class Timeline(NamedTuple):
    """When the value and the gradient of a box come up, and the numbers of an edge; by id."""

    values: dict[str, int]
    gradients: dict[str, int]
    edges: dict[str, int]
    steps: int


def timeline(view: View) -> Timeline:
    """Return both passes as times: every box forward, the seed, every edge backward."""
    computed = [box for box in view.boxes if box.kind not in ("leaf", "inputs", "parameters")]
    values = {box.id: time for time, box in enumerate(computed, 1)}
    time, edges = len(computed) + 1, dict[str, int]()
    gradients = {box.id: time for box in view.boxes}
    for place in reversed(range(len(view.boxes))):
        for edge in (edge for edge in view.edges if edge.target == place):
            time += 1
            edges[view.edge_id(edge)] = gradients[view.boxes[edge.source].id] = time
    return Timeline(values, gradients, edges, time)


def animated(svg: str, view: View) -> str:
    """Return the picture with its numbers coming up one after the other, again and again."""
    times = timeline(view)
    whole = times.steps + 1 + PAUSE

    def show(time: int) -> str:
        return (
            f'<animate attributeName="visibility" calcMode="discrete" values="hidden;visible" '
            f'keyTimes="0;{time / whole:.4f}" dur="{whole * SECONDS:g}s" '
            'repeatCount="indefinite"/>'
        )

    return _timed(svg, times, lambda time: ("", show(time) if time else ""))


def frame(svg: str, view: View, now: int) -> str:
    """Return the picture as it is at one time."""
    hidden = ' visibility="hidden"'
    return _timed(svg, timeline(view), lambda time: (hidden if time > now else "", ""))


def _timed(svg: str, times: Timeline, put: Callable[[int], tuple[str, str]]) -> str:
    """Return the picture with what `put(time)` gives: an attribute and an inner element."""

    def text(kind: str, group: str, time: int) -> str:
        attribute, inner = put(time)
        return re.sub(
            rf'<text class="{kind}"([^>]*)>([^<]*)</text>',
            rf'<text class="{kind}"\1{attribute}>\2{inner}</text>',
            group,
        )

    def box(match: re.Match[str]) -> str:
        value, gradient = times.values.get(match[2], 0), times.gradients[match[2]]
        return text("gradient", text("value", match[1], value), gradient)

    def edge(match: re.Match[str]) -> str:
        attribute, inner = put(times.edges[match[1]])
        return re.sub(
            r'<g class="chip (\w+)">', rf'<g class="chip \1"{attribute}>{inner}', match[0]
        )

    return EDGE.sub(edge, BOX.sub(box, svg))


def gif(svg: str, view: View) -> bytes:
    """Return the picture as an animated GIF. Raises ValueError where a library is missing."""
    try:
        from PIL import Image
    except ImportError as error:
        raise ValueError(
            'a gif needs Pillow and CairoSVG: pip install pillow "micrograd-graph[png]", or save '
            "as .svg with --format animated-svg"
        ) from error
    pictures = [
        Image.open(BytesIO(by_cairo(frame(svg, view, now), "png", MOST_PIXELS))).convert("RGB")
        for now in range(timeline(view).steps + 1)
    ]
    whole = pictures[-1].quantize()  # its palette serves all: finding one takes longer than drawing
    images = [picture.quantize(palette=whole, dither=Image.Dither.NONE) for picture in pictures]
    file, milliseconds = BytesIO(), round(1000 * SECONDS)
    durations = [milliseconds] * (len(images) - 1) + [milliseconds * (1 + PAUSE)]
    images[0].save(file, "GIF", save_all=True, append_images=images[1:], duration=durations, loop=0)
    return file.getvalue()
