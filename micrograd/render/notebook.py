"""Pictures in notebooks and as pages.

The HTML is an image and a table, which notebooks show untrusted too; where scripts may run, one
puts the step-through in the image's place.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from typing import TYPE_CHECKING

from micrograd.graph import Graph
from micrograd.render.captions import caption
from micrograd.render.svg import FONT, described
from micrograd.render.text import escaped

if TYPE_CHECKING:
    from micrograd.render.picture import Picture

MOST_STEPPED = 500  # Values of a graph that a notebook offers to step through
PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<style>body {{ font-family: {font}; margin: 2rem; }} figure {{ margin: 0; overflow-x: auto; }}
td, th {{ padding: .2rem .8rem; text-align: right; }} th:first-child {{ text-align: left; }}
</style></head><body><h1>{title}</h1>
<figure>{svg}</figure>{table}</body></html>
"""
SWAP = """<script>(function () {{
var place = document.getElementById("{id}"), frame = document.createElement("iframe");
if (!place) return;
frame.srcdoc = {page};
frame.title = "Step-through"; frame.style = "width:100%;height:46rem;border:0";
place.querySelector("img").replaceWith(frame);
}})();</script>"""


def bundle(picture: Picture, text: str) -> dict[str, str]:
    """Return `picture` as HTML, and `text`."""
    return {"text/html": figure(picture) + swap(picture), "text/plain": text}


def figure(picture: Picture) -> str:
    """Return the picture as an image with the table folded below."""
    data = base64.b64encode(picture.svg.encode()).decode()
    alt = escaped(described(picture.view, picture.mode))
    return (
        f'<figure id="{_id(picture)}" style="margin:0;overflow-x:auto"><img alt="{alt}" '
        f'style="max-width:100%;min-width:{_least_width(picture.svg)}px" '
        f'src="data:image/svg+xml;base64,{data}"><details><summary>Table of values and gradients'
        f"</summary>{table(picture)}</details></figure>"
    )


def _least_width(svg: str) -> int:
    """Return the width below which a picture scrolls and shrinks no further: half its own."""
    width = re.search(r'width="(\d+)', svg)
    return int(width[1]) // 2 if width else 0


def _id(picture: Picture) -> str:
    return f"micrograd-{hashlib.sha256(picture.svg.encode()).hexdigest()[:12]}"


def table(picture: Picture) -> str:
    """Return the picture's boxes as an HTML table."""
    captions = [caption(picture.view, box, picture.passes) for box in picture.view.boxes]
    rows = "".join(
        f'<tr><th scope="row">{escaped(c.name)}</th><td>{escaped(c.note)}</td>'
        f"<td>{escaped(c.value)}</td><td>{escaped(c.gradient)}</td></tr>"
        for c in captions
    )
    head = "".join(f'<th scope="col">{name}</th>' for name in ("name", "what", "value", "gradient"))
    return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


def swap(picture: Picture) -> str:
    """Return the script that puts the step-through in the image's place, if there is one."""
    stepped = step_through(picture.view.graph)
    if not stepped:
        return ""
    # A "</script>" within the text would end the script that carries it.
    return SWAP.format(id=_id(picture), page=json.dumps(stepped).replace("<", "\\u003c"))


def step_through(graph: Graph) -> str:
    """Return the step-through page of a graph that is small enough, else ""."""
    try:
        from micrograd.stepper import page
    except ImportError:
        return ""
    return str(page(graph)) if len(graph) <= MOST_STEPPED else ""


def page(picture: Picture) -> str:
    """Return a whole page: the step-through, or the picture with its table."""
    title = escaped(described(picture.view, picture.mode))
    return step_through(picture.view.graph) or PAGE.format(
        title=title, font=FONT, svg=picture.svg, table=table(picture)
    )
