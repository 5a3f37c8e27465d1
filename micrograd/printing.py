"""Text for people: what a terminal would obey is written out, not sent to it.

Labels, tags and words come out of files that others wrote; an escape sequence in one could recolour
a terminal, move its cursor, rename its window, or type into it.
"""

from __future__ import annotations

import os
import re
import textwrap
import unicodedata
from reprlib import Repr
from shutil import get_terminal_size
from typing import Any

__all__ = [
    "counted",
    "cut",
    "folded",
    "one_line",
    "printable",
    "shorten",
    "terminal_size",
    "unnumbered",
    "width",
    "wrapped",
]

FILLER = "\0"  # a column more: what is written holds no such character
LONGEST = 2_000  # characters of a message
SHOWN = 200  # of a value in it
_brief = Repr()
_brief.maxlevel, _brief.maxstring, _brief.maxother = 3, 60, 80
# Controls (C0, DEL, C1), the marks that turn the direction of writing, and what is no character.
_OBEYED = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066\u2067\ud800-\udfff\ufffe\uffff]"
)

# What is not divided: blanks; a wide character, or a word of others, with its punctuation.
_WIDE = "\u2e80-\uffef"
_PIECES = re.compile(rf"\s+|[（“]*(?:[{_WIDE}]|[^\s“{_WIDE}]+)[，。；：、！？）”]*|.")


_PLACE = re.compile(r"\s*([\[(][\d_.,\s]*\d[\])]\s*)+$|[\d_.,\s\[\]()]*\d$")


def unnumbered(label: str) -> str:
    """Return a label without the place at its end: W of W0,3, but W1 of W1[0, 3]."""
    return _PLACE.sub("", label)


def printable(text: str) -> str:
    r"""Return `text` with every character that a terminal would obey spelled out, as \x1b is."""
    return _OBEYED.sub(lambda match: match[0].encode("unicode_escape").decode(), text)


def counted(number: int, noun: str) -> str:
    """Return "1 epoch", "2 boxes", "1,000 epochs"."""
    ending = "" if number == 1 else "es" if noun.endswith(("s", "x")) else "s"
    return f"{number:,} {noun}{ending}"


def one_line(text: str) -> str:
    """Return `text` as one printable line of bounded length."""
    line = printable(" ".join(text.split()))
    return line if len(line) <= LONGEST else f"{line[:LONGEST]} …"


def cut(text: str) -> str:
    """Return the ends of a text, as much of it as a message shows."""
    return text if len(text) <= SHOWN else f"{text[: SHOWN * 3 // 4]} … {text[-SHOWN // 4 :]}"


def shorten(item: Any) -> str:
    """Return the repr of `item` as messages show it: of what is long the ends, never all."""
    try:
        return cut(re.sub(r"\n\s*", " ", _brief.repr(item)))  # an array is several lines
    except ValueError:  # Python writes no int of thousands of digits
        return f"a {type(item).__name__} of too many digits"


def width(text: str) -> int:
    """Return how many columns of a terminal the text takes: each character 0, 1 or 2."""
    wide = sum(unicodedata.east_asian_width(c) in "WF" for c in text)
    return len(text) + wide - sum(unicodedata.category(c) in ("Mn", "Me", "Cf") for c in text)


def wrapped(line: str, columns: int, indent: str, **options: Any) -> str:
    """Return a line as lines of at most `columns`; textwrap counts characters, not columns."""
    filled = "".join(character + FILLER * (width(character) - 1) for character in line)
    return textwrap.fill(filled, columns, subsequent_indent=indent, **options).replace(FILLER, "")


def terminal_size() -> os.terminal_size:
    """Return the columns and lines of the terminal, of one that does not know them 80 and 24."""
    columns, lines = get_terminal_size()
    return os.terminal_size((columns or 80, lines or 24))  # Python 3.10 takes 0 for an answer


def folded(line: str, columns: int, indent: str = "") -> str:
    """Return a line as lines of at most `columns`, but for words that are longer."""
    lines = [""]
    for piece in _PIECES.findall(line):
        if lines[-1].strip() and width(f"{lines[-1]}{piece}".rstrip()) > columns:
            lines.append(indent)
        lines[-1] += piece if lines[-1].strip() or len(lines) == 1 else piece.lstrip()
    return "\n".join(map(str.rstrip, lines))
