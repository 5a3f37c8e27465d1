"""Pictures in notebooks and as pages.

The HTML is an image and a table, which notebooks show untrusted too; where scripts may run, the
step-through can be opened in the image's place.
"""

from __future__ import annotations

import base64
import gzip
import re
from typing import TYPE_CHECKING

from micrograd.graph import Graph
from micrograd.render.captions import caption
from micrograd.render.sheet import FONT, style, unstyled
from micrograd.render.svg import described
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
# Light and dark follow the notebook, not the system. The picture is light where no rule says so.
NOTEBOOKS = (
    "body[data-jp-theme-light=false]",
    ".vscode-dark",
    ".vscode-high-contrast",
    "html[theme=dark]",
    ".dark",
)
THEME = ",".join(f"{dark} .micrograd-figure img" for dark in NOTEBOOKS)
FIGURE = (
    '<figure class="micrograd-figure" style="margin:0;overflow-x:auto"><style>{theme}'
    "{{color-scheme:dark!important}}.micrograd-figure :is(td,th){{padding:.2em .6em}}</style>"
    '<img alt="{alt}" style="color-scheme:light;'
    'max-width:100%;min-width:{least}px" src="data:image/svg+xml;charset=utf-8,{image}">'
    "<details><summary>Table of values and gradients</summary>{table}</details>{stepper}</figure>"
)
STEPPER = (
    '<details data-page="{page}" data-letters="{letters}" ontoggle="{script}">'
    "<summary><b>Step through</b></summary><p>Trust this notebook to step through its graphs. "
    "Where a notebook runs no scripts, micrograd.stepper.save_page(value, 'steps.html') writes "
    "the page.</p></details>"
)
# Arrow heads: one that all lines show takes less room than one for each.
HEAD = (
    "<marker id='tip' markerUnits='userSpaceOnUse' markerWidth='11' markerHeight='10' refX='11' "
    "refY='5' orient='auto'><path class='head' d='M11 5L0 0V10Z'/></marker>"
)
CHIP = '<g class="chip[^>]*><rect[^>]*><text[^>]*>[^<]*</text></g>'
# The letters of base85, but for three that HTML has its own use for.
FREE = str.maketrans("&<>", ",.:")
LETTERS = (
    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;<=>?@^_`{|}~"
).translate(FREE)
# What opening it does: unfold the page, put it in the picture's place, as high as its content, and
# in the notebook's colours. It finds its place by itself: a graph may be displayed many times.
SWAP = """
if (!this.open || this.opened) return;
this.opened = true;
const details = this, figure = this.closest('figure'), frame = document.createElement('iframe');
const dark = () => {
  for (let e = figure; e; e = e.parentElement) {
    const [r, g, b, a] = getComputedStyle(e).backgroundColor.match(/[0-9.]+/g).map(Number);
    if (a !== 0) return r + g + b < 384;
  }
  return false;
};
const paint = root => { root.dataset.theme = dark() ? 'dark' : 'light'; };
const { page, letters } = this.dataset, bytes = new Uint8Array(Math.floor(page.length * 0.8));
for (let i = 0; 4 * i < bytes.length; i++) {
  const group = [...page.slice(5 * i, 5 * i + 5).padEnd(5, '~')];
  const number = group.reduce((sum, letter) => 85 * sum + letters.indexOf(letter), 0);
  for (let n = 0; n < 4; n++) bytes[4 * i + n] = number / 256 ** (3 - n);
}
const text = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'));
new Response(text).text().then(unfolded => {
  const embedded = unfolded.replace('<html', '<html class=embedded');
  frame.srcdoc = embedded.replace(' id=\\x22all\\x22 open', ' id=all');
  frame.title = 'Step-through';
  frame.style = 'width:100%;border:0;height:30rem;display:block';
  frame.onload = () => {
    const { documentElement: root, body } = frame.contentDocument;
    const { ResizeObserver } = frame.contentWindow;
    new ResizeObserver(() => { frame.style.height = body.offsetHeight + 'px'; }).observe(body);
    paint(root);
    for (const host of [document.documentElement, document.body])
      new MutationObserver(() => paint(root)).observe(host, { attributes: true });
  };
  figure.querySelector('img').replaceWith(frame);
  details.remove();
});
"""


def bundle(picture: Picture, text: str) -> dict[str, str]:
    """Return `picture` as HTML, and `text`."""
    return {"text/html": figure(picture), "text/plain": text}


def figure(picture: Picture) -> str:
    """Return the picture as an image, a table folded below, and the step-through to open."""
    return FIGURE.format(
        theme=THEME,
        alt=escaped(described(picture.view, picture.mode)),
        least=_least_width(picture.svg),
        image=_in_address(picture.svg),
        table=table(picture),
        stepper=_stepper(picture.view.graph),
    )


def _in_address(svg: str) -> str:
    """Return an SVG as a data address within an attribute, without what an image does not show."""
    head, sheet, body = svg.partition("</style>")
    if not sheet:  # Graphviz has drawn it
        return _quoted(svg[svg.index("<svg") :])
    body = unstyled(body)
    rules = re.sub(r"\.micrograd (?=\S)|\n|(?<=[{;:,}]) | (?=[{}])", "", style(body, light=True))
    shown = re.sub(r'<title>[^<]*</title>| data-\w+="[^"]*"| class="number"|\n', "", body)
    heads = ""
    if 'class="head"' in shown:
        shown = re.sub('<polygon class="head"[^>]*>', "", shown)
        shown = re.sub(f'<g class="edge">(<path[^>]*>(?:{CHIP})*)</g>', r"\1", shown)
        rules, heads = f"{rules}.line{{marker-end:url(#tip)}}", HEAD
    return _quoted(f"{head[: head.index('<title>')]}<style>{rules}</style>{heads}{shown}")


def _quoted(svg: str) -> str:
    """Return an SVG whose texts have no quotes for a data address within an attribute."""
    return svg.replace('"', "'").replace("%", "%25").replace("#", "%23").replace("&", "%26")


def _least_width(svg: str) -> int:
    """Return the width below which a picture scrolls and shrinks no further: half its own."""
    return int(re.findall(r'width="(\d+)', svg)[0]) // 2


def _stepper(graph: Graph) -> str:
    """Return what opens the step-through of a graph of some, but not too many operations."""
    if not any(graph.ops) or len(graph) > MOST_STEPPED:
        return ""
    from micrograd.stepper.document import notebook_page

    script = " ".join(line.strip() for line in SWAP.strip().splitlines())
    page = _packed(notebook_page(graph))
    return STEPPER.format(page=page, letters=LETTERS, script=escaped(script))


def _packed(text: str) -> str:
    """Return a text compressed, in letters that an attribute can hold: five for four bytes."""
    return base64.b85encode(gzip.compress(text.encode("utf-8"), mtime=0)).decode().translate(FREE)


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


def step_through(graph: Graph) -> str:
    """Return the step-through page of a graph that is small enough, else ""."""
    from micrograd.stepper import page

    return str(page(graph)) if len(graph) <= MOST_STEPPED else ""


def page(picture: Picture) -> str:
    """Return a whole page: the step-through, or the picture with its table."""
    title = escaped(described(picture.view, picture.mode))
    return step_through(picture.view.graph) or PAGE.format(
        title=title, font=FONT, svg=picture.svg, table=table(picture)
    )
