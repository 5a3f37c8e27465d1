"""A text with its names as a self-contained HTML page, in its own spacing and paragraphs."""

from __future__ import annotations

import html
from collections.abc import Sequence

from micrograd.content_policy import digest
from micrograd.ner.showing.entities import Entity, numbered, woven
from micrograd.printing import printable

HUES = (205, 30, 275, 150, 350, 90)

STYLE = """
:root { color-scheme: light dark; background: Canvas; color: CanvasText; }
body { font: 1.05rem/1.9 system-ui, sans-serif; max-width: 46rem; margin: 2rem auto;
  padding: 0 1rem; }
h1 { font-size: 1.3rem; line-height: 1.3; }
.text { white-space: pre-wrap; overflow-wrap: anywhere; }
mark { padding: .15em .3em; border-radius: .3em; color: inherit;
  background: hsl(var(--hue) 70% 88%); border-bottom: 2px solid hsl(var(--hue) 60% 40%); }
mark .end { white-space: nowrap; }
mark small { font-size: .7em; font-weight: 700; margin-left: .35em; }
mark[title]:hover { outline: 1px dotted; }
@media (prefers-color-scheme: dark) { mark { background: hsl(var(--hue) 45% 24%); } }
@media print { body { margin: 0; } mark { -webkit-print-color-adjust: exact; } }
""" + "".join(f".kind{number} {{ --hue: {hue}; }}\n" for number, hue in enumerate(HUES))

PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<title>{title}</title><style>{style}</style></head><body>
<main><h1>{title}</h1>
{body}
</main></body></html>
"""


def page(text: str, found: Sequence[Entity], title: str) -> str:
    """Give a page of a text with its names marked, their probabilities on hover."""
    kinds = numbered((entity.type for entity in found), len(HUES))
    body = f'<p>{legend(kinds)}</p>\n<div class="text">{coloured(text, found, kinds)}</div>'
    return document(title, STYLE, body)


def document(title: str, style: str, body: str, images: str = "") -> str:
    """Give a whole page that loads nothing, or `images` from its own folder."""
    policy = f"default-src 'none'; style-src {digest(style)}{images}"
    return PAGE.format(title=escaped(title), style=style, body=body, policy=policy)


def escaped(text: str) -> str:
    """Write a text as HTML, signs that a page must not hold spelled out."""
    return html.escape(printable(text.replace("\r\n", "\n")))


def legend(kinds: dict[str, int]) -> str:
    """Name the types in their colours."""
    marks = (f'<mark class="kind{hue}">{escaped(kind)}</mark>' for kind, hue in kinds.items())
    return " ".join(marks) or "no names found"


def coloured(text: str, found: Sequence[Entity], kinds: dict[str, int]) -> str:
    """Give a text as HTML with its names marked."""
    out: list[str] = []
    woven(
        text,
        found,
        lambda part: out.append(escaped(part)),
        lambda entity: out.append(mark(entity, kinds[entity.type])),
    )
    return "".join(out)


def mark(entity: Entity, number: int) -> str:
    """Give a name with its type, which stays beside its last word."""
    before, space, last = entity.text.rpartition(" ")
    title = escaped(f"{entity.type}, probability {entity.probability:.2f}")
    return (
        f'<mark class="kind{number}" title="{title}">{escaped(before + space)}'
        f'<span class="end">{escaped(last)}<small>{escaped(entity.type)}</small></span>'
        "</mark>"
    )
