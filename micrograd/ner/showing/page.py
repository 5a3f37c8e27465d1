"""A text with its names as a self-contained HTML page, in its own spacing and paragraphs."""

from __future__ import annotations

import html
from collections.abc import Sequence
from importlib import resources

from micrograd.content_policy import digest
from micrograd.ner.showing.entities import Entity, numbered, woven
from micrograd.printing import printable

FOLDER = resources.files("micrograd.ner.showing")
COLOURS = 6  # of types, in page.css

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
    kinds = numbered((entity.type for entity in found), COLOURS)
    body = f'<p>{legend(kinds)}</p>\n<div class="text">{coloured(text, found, kinds)}</div>'
    return document(title, style("page.css"), body)


def style(*names: str) -> str:
    """Join the style sheets of these names."""
    return "".join(FOLDER.joinpath(name).read_text("utf-8") for name in names)


def document(title: str, styles: str, body: str, images: str = "") -> str:
    """Give a whole page that loads nothing, or `images` from its own folder."""
    policy = f"default-src 'none'; style-src {digest(styles)}{images}"
    return PAGE.format(title=escaped(title), style=styles, body=body, policy=policy)


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
