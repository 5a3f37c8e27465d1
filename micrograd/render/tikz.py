"""Pictures as TikZ, for papers and slides set in TeX."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from typing import NamedTuple

from micrograd.printing import cut
from micrograd.render.captions import Caption, caption, label, problem_of
from micrograd.render.layout import Link, Size, layout
from micrograd.render.passes import Passes
from micrograd.render.sheet import LIGHT
from micrograd.render.text import END_OF_ISOLATE, ISOLATE, width
from micrograd.render.view import View

WIDTH, HEIGHT, ROOM = 120.0, 64.0, 36.0  # of a box, and for the number on an edge, in points
MOST = 14_000.0  # of a picture: TeX ends at 16,383 points, and PDF before
SIZE = 7.0  # as wide as footnotes in TeX are, in the measure of `width`


def _greek(letter: str) -> str:
    """Return TeX's name of a Greek letter."""
    name = unicodedata.name(letter).split()[-1].replace("LAMDA", "LAMBDA")
    return name.lower() if letter.islower() else name.capitalize()


GREEK = {letter: _greek(letter) for letter in "αβγδεζηθικλμνξπρςστυφχψωΓΔΘΛΞΠΣΥΦΨΩ"}
SIGNS = {
    **{letter: f"\\{name} " for letter, name in GREEK.items()},
    "∂": r"\partial ",
    "∇": r"\nabla ",
    "∑": r"\sum ",
    "√": r"\surd ",
    "∞": r"\infty ",
    "ℓ": r"\ell ",
    "ϵ": r"\epsilon ",
    "ϕ": r"\phi ",
    "′": "'",
    "·": r"\cdot ",
    "⊙": r"\odot ",
    "−": "-",
    "×": r"\times ",
    "÷": r"\div ",
    "≥": r"\ge ",
    "≤": r"\le ",
    "≠": r"\ne ",
    "≈": r"\approx ",
    "∈": r"\in ",
    "→": r"\to ",
    "…": r"\dots ",
}
RAISED = dict(zip("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁽⁾ᵀⁿ", "0123456789+-()Tn"))
LOWERED = dict(zip("₀₁₂₃₄₅₆₇₈₉₊₋ₐₑₒₓₕₖₗₘₙₚₛₜᵢⱼᵣᵤᵥ", "0123456789+-aeoxhklmnpstijruv"))
ACCENTS = {"\u0302": "hat", "\u0303": "tilde", "\u0304": "bar", "\u0307": "dot", "\u0308": "ddot"}
SPECIAL = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "-": "-{}",  # before another one: both make a dash
    "|": r"\textbar{}",  # a dash in TeX's own fonts, as < and > are other marks
    "<": r"\textless{}",
    ">": r"\textgreater{}",
}
UNSEEN = dict.fromkeys(map(ord, (ISOLATE, END_OF_ISOLATE)))  # TeX would set them
COLOURS = ("value", "gradient", "local", "quiet", "box", "line")


class Page(NamedTuple):
    """How large a picture is, in points; where TeX has no such length it is drawn smaller."""

    width: float
    height: float

    @property
    def scale(self) -> float:
        return min(1.0, MOST / max(self.width, self.height))

    def at(self, x: float, y: float) -> str:
        """Return a place."""
        return f"({x * self.scale:g}, {y * self.scale:g})"

    def written(self, lines: Iterable[str], told: str) -> str:
        """Return the tikzpicture of some lines, and below them what is told."""
        smaller = f", scale={self.scale:g}" if self.scale < 1 else ""
        colours = (
            f"\\definecolor{{mg{name}}}{{HTML}}{{{LIGHT[name][1:].upper()}}}" for name in COLOURS
        )
        begin = (
            r"\begin{tikzpicture}[x=1pt, y=-1pt, >=latex, "
            rf"every node/.style={{font=\footnotesize{smaller}}}]"
        )
        below = (
            rf"\node[anchor=north west, text=mggradient, text width={3 * WIDTH:g}pt] "
            rf"at {self.at(0.0, self.height + 8)} {{{tex(told)}}};"
        )
        picture = [*colours, begin, *lines, *[below] * bool(told), r"\end{tikzpicture}", ""]
        return input_file("tikz", "\n".join(picture))


def to_tikz(view: View, passes: Passes | None, backward: bool) -> str:
    """Return the picture of `view` as a tikzpicture; it needs xcolor and tikz, no library."""
    entering = [
        sum(edge.target == place for edge in view.edges) for place in range(len(view.boxes))
    ]
    captions = [caption(view, box, passes) for box in view.boxes]
    sizes = [
        Size(str(i), _width(text, backward), max(HEIGHT, 18.0 * (n + 1)))
        for i, (text, n) in enumerate(zip(captions, entering))
    ]
    links = [Link(str(e.source), str(e.target), e.port, ROOM) for e in view.edges]
    placed = layout(sizes, links)
    page, lines = Page(placed.width, placed.height), []
    for place, text in enumerate(captions):
        rows = [
            rf"\textbf{{{tex(text.name)}}}\hfill\textcolor{{mgquiet}}{{{tex(text.note)}}}",
            rf"value\hfill\textcolor{{mgvalue}}{{{tex(text.value)}}}",
        ]
        if backward:
            rows.append(rf"{tex(text.of)}\hfill\textcolor{{mggradient}}{{{tex(text.gradient)}}}")
        x, y, wide, height = placed.boxes[str(place)]
        content = r" \\ ".join(rows)
        lines.append(
            rf"\node[draw=mgline, fill=mgbox, rounded corners, text width={wide - 8:g}pt, "
            rf"minimum height={height:g}pt] (n{place}) at {page.at(x + wide / 2, y + height / 2)} "
            rf"{{{content}}};"
        )
    for edge, path in zip(view.edges, placed.paths):
        number = label(view, edge, passes if backward else None).contribution
        chip = (
            rf" node[pos=0.5, fill=white, text=mggradient, inner sep=1pt] {{{tex(number)}}}"
            if number
            else ""
        )
        curve = page.at(*path[0])
        for (x, y), (u, v), end in zip(path[::2], path[1::2], path[2::2]):
            controls = f"controls {page.at((x + u) / 2, y)} and {page.at((x + u) / 2, v)}"
            curve += f" .. {controls} .. {page.at(u, v)} -- {page.at(*end)}"
        lines.append(rf"\draw[->, mgline] {curve}{chip};")
    return page.written(lines, problem_of(passes) if backward else "")


def input_file(package: str, content: str) -> str:
    """Return the file of some TeX, which says above it what it needs."""
    needs = [rf"% \usepackage{{{package}}}, and \input this file"]
    if letters := "".join(sorted({c for c in content if c > "ÿ" or c in "«»ÐÞðþ"})):
        needs.append(
            f"% pdflatex may have no {cut(letters)}: run lualatex or xelatex, with "
            r"\usepackage{fontspec} and \setmainfont{a font that has them}"
        )
    return "\n".join([*needs, content])


def _width(text: Caption, backward: bool) -> float:
    """Return the width of a box whose rows are single lines."""
    rows = [(text.name, text.note), ("value", text.value), (text.of, text.gradient)]
    shown = rows if backward else rows[:2]
    needed = max(width(left, SIZE, bold=True) + width(right, SIZE) for left, right in shown)
    return round(max(WIDTH, needed + 3 * SIZE))


def tex(text: str) -> str:
    """Return a text as TeX sets it: signs, accents, raised and lowered letters as mathematics."""
    text = text.translate(UNSEEN)
    text = re.sub(r"[\\{}$&#%_~^|<>]|-(?=-)", lambda m: SPECIAL.get(m[0], f"\\{m[0]}"), text)
    text = re.sub(f"([^\\W\\d_])([{''.join(ACCENTS)}])", _accented, text)
    text = re.sub(f"[{''.join(RAISED)}]+", lambda m: f"$^{{{_plain(m[0], RAISED)}}}$", text)
    text = re.sub(f"[{''.join(LOWERED)}]+", lambda m: f"$_{{{_plain(m[0], LOWERED)}}}$", text)
    return re.sub(f"[{''.join(SIGNS)}]", lambda m: f"${SIGNS[m[0]].strip()}$", text)


def _accented(match: re.Match[str]) -> str:
    return rf"$\{ACCENTS[match[2]]}{{{SIGNS.get(match[1], match[1]).strip()}}}$"


def _plain(text: str, digits: dict[str, str]) -> str:
    return "".join(digits[character] for character in text)
