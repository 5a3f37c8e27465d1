"""Programs and libraries that turn DOT and SVG into other formats, where they are installed."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from html import unescape

from micrograd.render.text import width

TIME_LIMIT = 20.0  # seconds for an external layout
SCALE, MOST_PIXELS = 2.0, 16_000  # of a PNG; cairo's images end at 32,767 a side
CAIRO_FORMATS = ("png", "pdf")
SQUEEZED = re.compile(
    r'<text ([^>]*) textLength="([\d.]+)" lengthAdjust="spacingAndGlyphs"([^>]*)'
    r'font-size="([\d.]+)px"([^>]*)>([^<]*)</text>'
)
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
        missing, remedy = f"CairoSVG ({error})", "pip install 'micrograd-graph[png]'"
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
    image: bytes = convert(bytestring=SQUEEZED.sub(_smaller, svg).encode(), scale=scale)
    return image


def _smaller(text: re.Match[str]) -> str:
    """Return a squeezed text in smaller letters: CairoSVG squeezes none."""
    before, room, between, size, after, content = text.groups()
    fitting = float(size) * float(room) / width(unescape(content), float(size))
    return f'<text {before}{between}font-size="{fitting:.2f}px"{after}>{content}</text>'


def _say_once(text: str) -> None:
    if text not in _said:
        _said.add(text)
        print(f"micrograd: {text}", file=sys.stderr)
