"""Pictures as DOT, the language of Graphviz."""

from __future__ import annotations

from micrograd.render.captions import Caption, Label, caption, label, problem_of
from micrograd.render.passes import Passes
from micrograd.render.sheet import LIGHT
from micrograd.render.text import escaped
from micrograd.render.view import Edge, View

FONT = "Helvetica"


def to_dot(view: View, passes: Passes | None, backward: bool) -> str:
    """Return the picture of `view` as a DOT program, its boxes as tables."""
    import graphviz

    dot = graphviz.Digraph(
        "micrograd",
        graph_attr={"rankdir": "LR", "ordering": "in", "bgcolor": LIGHT["paper"]},
        node_attr={"shape": "plain", "fontname": FONT, "fontcolor": LIGHT["ink"]},
        edge_attr={"fontname": FONT, "fontsize": "11", "color": LIGHT["line"]},
    )
    if backward and (told := problem_of(passes)):
        dot.attr(label=f"<{_coloured(told, 'gradient')}>", fontname=FONT)
    for box in view.boxes:
        dot.node(box.id, _table(caption(view, box, passes), backward))
    for edge in view.edges:
        _add_edge(dot, view, edge, label(view, edge, passes if backward else None))
    return str(dot.source)


def _table(text: Caption, backward: bool) -> str:
    rows = [("value", text.value, "value")]
    if backward:
        rows.append((_text(text.of), text.gradient, "gradient"))
    cells = "".join(
        f'<TR><TD ALIGN="LEFT">{name}</TD><TD ALIGN="RIGHT">{_coloured(number, colour)}</TD></TR>'
        for name, number, colour in rows
    )
    head = f'<TD ALIGN="LEFT"><B>{_text(text.name)}</B></TD>'
    note = f'<TD ALIGN="RIGHT">{_coloured(text.note, "quiet")}</TD>'
    return (
        f'<<TABLE BORDER="1" CELLBORDER="0" STYLE="ROUNDED" COLOR="{LIGHT["line"]}" '
        f'BGCOLOR="{LIGHT["box"]}"><TR>{head}{note}</TR>{cells}</TABLE>>'
    )


def _add_edge(dot: object, view: View, edge: Edge, text: Label) -> None:
    parts = [
        (text.contribution, "gradient"),
        (text.local and f"× {text.local}", "local"),
        (text.edges, "quiet"),
    ]
    shown = " ".join(_coloured(part, colour) for part, colour in parts if part)
    dot.edge(  # type: ignore[attr-defined]
        view.boxes[edge.source].id, view.boxes[edge.target].id, label=f"<{shown}>" if shown else ""
    )


def _coloured(text: str, colour: str) -> str:
    return f'<FONT COLOR="{LIGHT[colour]}">{_text(text)}</FONT>'


def _text(text: str) -> str:
    # dot writes its own names for \N and \G, and reads a text that begins with ] as CDATA
    return escaped(text).replace("\\", "\\\\").replace("]", "&#93;") or " "
