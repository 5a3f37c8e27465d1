"""Graphs that several tests of pictures draw."""

import pytest

from micrograd import Value
from micrograd.expressions import parse

BAD_LABELS = [
    "<script>alert(1)</script>",
    '"];',
    "a|b",
    'it\'s "quoted"',
    "two\nlines\tand a tab",
    "L" * 10_000,
    "שלום",
    "مرحبا",
    "😀🎉",
    "&lt;b&gt;",
    "\\N\\G{}<b>",
    "nul \0 bell \7",
    "-->",
    "]]>",
    "\u202eexe.txt",
    "<!--",
    "half \ud800",
    "名前",
    "Жёлтый Щит Ширина Юг",
    "{k} % $x",
    "</svg><img src=x onerror=alert(1)>",
]


def cairo():
    """Return the library that makes images, or skip the test."""
    try:
        import cairosvg
    except (ImportError, OSError):
        pytest.skip("CairoSVG, or the cairo library below it, is not installed")
    return cairosvg


def worked_example():
    return parse("(x + y) * max(y, z)", {"x": 1, "y": 2, "z": 0})


def bad_graph():
    values = [Value(float(i + 1), label=text) for i, text in enumerate(BAD_LABELS)]
    total = sum(values)
    total.label = BAD_LABELS[0]
    return total.max(values[1]) * values[2]
