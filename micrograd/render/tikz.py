"""Pictures as TikZ, for papers and slides set in TeX."""

from __future__ import annotations

import re
import unicodedata

from micrograd.render.captions import caption, label, problem_of
from micrograd.render.layout import Link, Size, layout
from micrograd.render.passes import Passes
from micrograd.render.sheet import LIGHT
from micrograd.render.view import View

WIDTH, HEIGHT, ROOM = 120.0, 64.0, 36.0  # of a box, and for the number on an edge, in points


def _greek(letter: str) -> str:
    """Return TeX's name of a Greek letter."""
    name = unicodedata.name(letter).split()[-1].replace("LAMDA", "LAMBDA")
    return name.lower() if letter.islower() else name.capitalize()


GREEK = {letter: _greek(letter) for letter in "αβγδεζηθικλμνξπρςστυφχψωΓΔΘΛΞΠΣΥΦΨΩ"}
SIGNS = {
    **{letter: f"\\{name} " for letter, name in GREEK.items()},
    "∂": r"\partial ",
    "·": r"\cdot ",
    "−": "-",
    "×": r"\times ",
    "÷": r"\div ",
    "≥": r"\ge ",
    "≤": r"\le ",
    "→": r"\to ",
    "…": r"\dots ",
}
RAISED = dict(zip("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁽⁾", "0123456789-()"))
LOWERED = dict(zip("₀₁₂₃₄₅₆₇₈₉", "0123456789"))
SPECIAL = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "|": r"\textbar{}",  # a dash in TeX's own fonts, as < and > are other marks
    "<": r"\textless{}",
    ">": r"\textgreater{}",
}
COLOURS = ("value", "gradient", "local", "quiet", "box", "line")


def to_tikz(view: View, passes: Passes | None, backward: bool = True) -> str:
    """Return the picture of `view` as a tikzpicture; it needs xcolor and tikz, no library."""
    entering = [
        sum(edge.target == place for edge in view.edges) for place in range(len(view.boxes))
    ]
    sizes = [Size(str(i), WIDTH, max(HEIGHT, 18.0 * (n + 1))) for i, n in enumerate(entering)]
    links = [Link(str(e.source), str(e.target), e.port, ROOM) for e in view.edges]
    placed = layout(sizes, links)
    lines = [
        r"% \usepackage{tikz}, and \input this file",
        *(f"\\definecolor{{mg{name}}}{{HTML}}{{{LIGHT[name][1:].upper()}}}" for name in COLOURS),
    ]
    lines.append(
        r"\begin{tikzpicture}[x=1pt, y=-1pt, >=latex, every node/.style={font=\footnotesize}]"
    )
    for place, box in enumerate(view.boxes):
        text = caption(view, box, passes)
        rows = [
            rf"\textbf{{{tex(text.name)}}}\hfill\textcolor{{mgquiet}}{{{tex(text.note)}}}",
            rf"value\hfill\textcolor{{mgvalue}}{{{tex(text.value)}}}",
        ]
        if backward:
            rows.append(rf"{tex(text.of)}\hfill\textcolor{{mggradient}}{{{tex(text.gradient)}}}")
        x, y, width, height = placed.boxes[str(place)]
        content = r" \\ ".join(rows)
        lines.append(
            rf"\node[draw=mgline, fill=mgbox, rounded corners, text width={WIDTH - 8:g}pt, "
            rf"minimum height={height:g}pt] (n{place}) at ({x + width / 2:g}, {y + height / 2:g}) "
            rf"{{{content}}};"
        )
    for edge, path in zip(view.edges, placed.paths):
        number = label(view, edge, passes if backward else None).contribution
        chip = (
            rf" node[pos=0.5, fill=white, text=mggradient, inner sep=1pt] {{{tex(number)}}}"
            if number
            else ""
        )
        points = [f"({x:g}, {y:g})" for x, y in path]
        curve = f"{points[0]} to[out=0, in=180] " + " -- ".join(points[1:-1])
        lines.append(rf"\draw[->, mgline] {curve} -- {points[-1]}{chip};")
    if backward and (told := problem_of(passes)):
        wide = max(placed.width, 3 * WIDTH)
        lines.append(
            rf"\node[anchor=north west, text=mggradient, text width={wide:g}pt] "
            rf"at (0, {placed.height + 8:g}) {{{tex(told)}}};"
        )
    return "\n".join([*lines, r"\end{tikzpicture}", ""])


def tex(text: str) -> str:
    """Return a text as TeX sets it: signs and raised or lowered digits as mathematics."""
    text = re.sub(r"[\\{}$&#%_~^|<>]", lambda m: SPECIAL.get(m[0], f"\\{m[0]}"), text)
    text = re.sub(f"[{''.join(RAISED)}]+", lambda m: f"$^{{{_plain(m[0], RAISED)}}}$", text)
    text = re.sub(f"[{''.join(LOWERED)}]+", lambda m: f"$_{{{_plain(m[0], LOWERED)}}}$", text)
    return re.sub(f"[{''.join(SIGNS)}]", lambda m: f"${SIGNS[m[0]].strip()}$", text)


def _plain(text: str, digits: dict[str, str]) -> str:
    return "".join(digits[character] for character in text)
