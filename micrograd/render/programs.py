"""Programs and libraries that turn DOT and SVG into other formats, where they are installed."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Set
from functools import cache
from html import unescape

from micrograd.printing import cut
from micrograd.render.text import END_OF_ISOLATE, ISOLATE, escaped, width

TIME_LIMIT = 20.0  # seconds for an external layout
SCALE, MOST_PIXELS = 2.0, 16_000  # of a PNG; cairo's images end at 32,767 a side
CAIRO_FORMATS = ("png", "pdf")
SQUEEZED = re.compile(
    r'<text ([^>]*) textLength="([\d.]+)" lengthAdjust="spacingAndGlyphs"([^>]*)'
    r'font-size="([\d.]+)px"([^>]*)>([^<]*)</text>'
)
TEXT = re.compile(r"<text ([^>]*)>([^<]*)</text>")
LEFTWARD = re.compile(f"{ISOLATE}([^{END_OF_ISOLATE}]*){END_OF_ISOLATE}")
STRAIGHT = re.compile(r"[^\u0590-\u08ff\s]+")  # what runs rightward in a text that runs leftward
UNSEEN = re.compile("[\u200b-\u200f\u2060-\u206f\ufe00-\ufe0f\ufeff]")  # joiners and selectors
FAMILY, WIDE = "system-ui", 0x2E80  # the font of a picture; where wide letters begin
_said: set[str] = set()


def by_graphviz(source: str, format: str) -> bytes | None:
    """Return a DOT program laid out by `dot`, else by pygraphviz; None where neither can.

    Then one line on stderr, once, says why.
    """
    if shutil.which("dot"):
        return _by_dot(source, format)
    try:
        import pygraphviz
    except ImportError:
        _say_once(
            "Graphviz is not installed, so the built-in layout draws this picture "
            "(to have it: install Graphviz, or pip install pygraphviz)"
        )
        return None
    try:
        image: bytes = pygraphviz.AGraph(string=source).draw(format=format, prog="dot")
    except (OSError, ValueError) as error:
        _say_once(f"pygraphviz failed ({error}), so the built-in layout draws instead")
        return None
    return image


def _by_dot(source: str, format: str) -> bytes | None:
    command = ["dot", f"-T{format}"]
    try:
        result = subprocess.run(
            command, input=source.encode(), capture_output=True, timeout=TIME_LIMIT, check=True
        )
    except subprocess.TimeoutExpired:
        _say_once(f"dot did not finish in {TIME_LIMIT:g} s, so the built-in layout draws instead")
    except (OSError, subprocess.CalledProcessError) as error:
        _say_once(f"dot failed ({error}), so the built-in layout draws instead")
    else:
        return result.stdout
    return None


def by_cairo(svg: str, format: str, most: int = MOST_PIXELS) -> bytes:
    """Return a picture of written-out colours as PNG, of at most so many pixels a side, or PDF.

    Raises ValueError where the library for it is not installed.
    """
    try:
        import cairosvg
    except (ImportError, OSError) as error:
        missing, remedy = f"CairoSVG ({error})", 'pip install "micrograd-graph[png]"'
        if isinstance(error, OSError):  # whose text tries every name that it may have
            missing, remedy = (
                "the cairo library",
                "install libcairo2 or cairo with the system's tools",
            )
        raise ValueError(
            f"a {format} picture needs {missing}: {remedy}, or save as .svg or .html, which need "
            "nothing"
        ) from error
    convert = {"png": cairosvg.svg2png, "pdf": cairosvg.svg2pdf}[format]
    largest = max(map(int, re.findall(r'(?:width|height)="(\d+)"', svg[:400])))
    scale = min(SCALE, most / largest) if format == "png" else 1.0
    boxed: set[str] = set()
    drawn = TEXT.sub(lambda text: _in_font(text, boxed), SQUEEZED.sub(_smaller, svg))
    if boxed:
        signs = cut("".join(sorted(boxed)))
        _say_once(f"no font here has {signs} and what is beside: boxes are drawn; save as .svg")
    image: bytes = convert(bytestring=drawn.encode(), scale=scale)
    return image


def _smaller(text: re.Match[str]) -> str:
    """Return a squeezed text in smaller letters: CairoSVG squeezes none."""
    before, room, between, size, after, content = text.groups()
    fitting = float(size) * float(room) / width(unescape(content), float(size))
    return f'<text {before}{between}font-size="{fitting:.2f}px"{after}>{content}</text>'


def _in_font(text: re.Match[str], boxed: set[str]) -> str:
    """Return a text as cairo draws it: from the left, in one font; `boxed` are signs that it lacks.

    It is the usual font, or another that lacks fewer.
    """
    content = UNSEEN.sub("", LEFTWARD.sub(_turned, unescape(text[2])))
    lost, family = _lacking("", content), ""
    if lost and len(other := _lacking(lost, content)) < len(lost):
        family, lost = f'font-family="{escaped(_font(lost)[0])}" ', other
    boxed.update(lost)
    return f"<text {family}{text[1]}>{escaped(content)}</text>"


def _turned(leftward: re.Match[str]) -> str:
    """Return what reads leftward in the order of its signs from the left; numbers stay."""
    return STRAIGHT.sub(lambda part: part[0][::-1], leftward[1][::-1])


def _lacking(known: str, signs: str) -> str:
    """Return the signs, each once, that the font for `known` ones lacks; "" is the usual one's."""
    return "".join(sorted(c for c in set(signs) if ord(c) not in _font(known)[1]))


@cache
def _font(signs: str) -> tuple[str, Set[int]]:
    """Return the font of this machine that has most of some signs, and which it has.

    Without fontconfig nobody knows: the usual one, which is said to have all but wide signs.
    """
    wanted = ":lang=zh-cn:charset=" + " ".join(f"{ord(c):x}" for c in signs) if signs else ""
    command = ["fc-match", "-f", "%{family[0]}\n%{charset}", f"{FAMILY}{wanted}"]
    try:
        found = subprocess.run(command, capture_output=True, timeout=TIME_LIMIT, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return FAMILY, {*range(WIDE)}
    family, _, places = found.decode("utf-8", "replace").partition("\n")
    ends = ([int(end, 16) for end in place.split("-")] for place in places.split())
    return family, {sign for end in ends for sign in range(end[0], end[-1] + 1)}


def _say_once(text: str) -> None:
    if text not in _said:
        _said.add(text)
        print(f"micrograd: {text}", file=sys.stderr)
