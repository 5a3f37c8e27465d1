"""Pictures as Mermaid flowcharts, which Markdown readers of many hosts draw."""

from __future__ import annotations

from micrograd.printing import counted
from micrograd.render.captions import caption, label, problem_of
from micrograd.render.passes import Passes
from micrograd.render.view import View

# What Mermaid draws, and what a page sets for more: a picture cannot, these are for initialize().
LIMITS = {"edge": (500, "maxEdges"), "character": (50_000, "maxTextSize")}


def to_mermaid(view: View, passes: Passes | None, backward: bool) -> str:
    """Return the picture of `view` as a flowchart, left to right."""
    lines = ["flowchart LR"]
    for place, box in enumerate(view.boxes):
        text = caption(view, box, passes)
        rows = [f"<b>{_text(text.name)}</b> {_text(text.note)}", f"value {_text(text.value)}"]
        if backward:
            rows.append(f"{_text(text.of)} {_text(text.gradient)}")
        lines.append(f'    n{place}["{"<br>".join(rows)}"]')
    for edge in view.edges:
        number = label(view, edge, passes if backward else None).contribution
        lines.append(
            f"    n{edge.source} -->{f'|{_quoted(number)}|' if number else ''} n{edge.target}"
        )
    if backward and (told := problem_of(passes)):
        lines.append(f'    problem["{_text(told)}"]')
    sizes = zip((len(view.edges), len("\n".join(lines))), LIMITS.items())
    lines[1:1] = [_told(number, *limit) for number, limit in sizes if number > limit[1][0]]
    return "\n".join([*lines, ""])


def _told(number: int, noun: str, limit: tuple[int, str]) -> str:
    """Return the comment on a picture that most readers will not draw."""
    most, name = limit
    return (
        f"    %% {counted(number, noun)}: Mermaid draws {most:,} at most, unless its page sets "
        f"{name}; a level of less detail has fewer"
    )


def _text(text: str) -> str:
    """Return a text whose every sign is a sign: no markup, no entity, no Markdown."""
    return "".join(map(_sign, text))


def _sign(c: str) -> str:
    if c.isalnum() or c in " +−·.,()∂/=":
        return c
    # A word joiner keeps \n from a new line, $$ from a formula, fa:fa-car from an icon.
    return f"#{ord(c)};" + "#8288;" * (c in "\\$:")


def _quoted(text: str) -> str:
    return f'"{_text(text)}"'
