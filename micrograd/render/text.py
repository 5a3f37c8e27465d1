"""Text as pictures show it: one clean line, of bounded length, of about known width."""

from __future__ import annotations

import html
import re
import unicodedata
from functools import lru_cache

RIGHT_TO_LEFT = ("R", "AL", "AN")
ISOLATE, END_OF_ISOLATE = "\u2068", "\u2069"
_NO_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")  # in no file of it
# Widths in ems of DejaVu Sans, the widest face that browsers fall back to.
_WIDTHS = {
    0.30: "ijl'",
    0.34: " .,/·|I",
    0.44: "tfr()[]-:;!",
    0.53: 'zsJ?"`',
    0.60: "ckvxy",
    0.79: "&DGHNOQUΗΘΝΟΠΦΨΩИКЛНОПЧπσφψϕдц",
    0.84: "w#^ωмыъДЦЪ",
    0.98: "mWM@%…—©®½¼¾æÆжшщљњфюΜМФЫ",
    1.15: "œŒЖШЩЮЉЊ",
}
_WIDTH = {character: width for width, characters in _WIDTHS.items() for character in characters}
_BOLD = 1.12


def line(text: str) -> str:
    """Return `text` in one line without characters that a file or a terminal would act on."""
    if text.isascii() and text.isprintable():
        return text.strip()
    return "".join(map(_visible, re.sub(r"\s+", " ", text))).strip()


def _visible(character: str) -> str:
    if character < " ":
        return chr(0x2400 + ord(character))  # the picture of a control character
    if unicodedata.category(character) in ("Cc", "Cs", "Cn") or character in _DIRECTIONS:
        return "\ufffd"
    return character


# Overrides and embeddings would turn round what stands after a label.
_DIRECTIONS = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"


def brief(text: str, length: int) -> str:
    """Return `text` in one line of at most `length` characters, isolated where it runs leftward."""
    clean = cut(line(text[: 20 * length]), length)
    leftward = not clean.isascii() and any(map(_runs_leftward, clean))
    return f"{ISOLATE}{clean}{END_OF_ISOLATE}" if leftward else clean


def cut(text: str, length: int) -> str:
    """Return a line of brief names in at most `length` characters; what isolates them stays."""
    if len(text) <= length:
        return text
    start = text[: length - 1]
    return start + "…" + END_OF_ISOLATE * (start.count(ISOLATE) - start.count(END_OF_ISOLATE))


def fitted(text: str, size: float, room: float) -> str:
    """Return a brief line cut until it is no wider than `room`, in bold."""
    lengths = range(len(text), 1, -1)
    cuts = (cut(text, length) for length in lengths)
    return next((each for each in cuts if width(each, size, bold=True) <= room), cut(text, 1))


def _runs_leftward(character: str) -> bool:
    return unicodedata.bidirectional(character) in RIGHT_TO_LEFT


def escaped(text: str) -> str:
    """Return `text` for XML and HTML, elements and attributes alike."""
    return html.escape(_NO_XML.sub("\ufffd", text), quote=True)


def width(text: str, size: float, bold: bool = False) -> float:
    """Return about how wide `text` is at the font size `size`."""
    return sum(map(_ems, text)) * size * (_BOLD if bold else 1.0)


@lru_cache(maxsize=4096)
def _ems(character: str) -> float:
    letter = unicodedata.normalize("NFD", character)[0]  # accents stand above it
    if letter in _WIDTH:
        return _WIDTH[letter]
    if unicodedata.combining(character) or character in (ISOLATE, END_OF_ISOLATE):
        return 0.0
    if unicodedata.east_asian_width(character) in "WF" or ord(character) > 0xFFFF:
        return 1.1
    if unicodedata.category(character) == "Sm":
        return 0.84
    return 0.7 if character.isupper() else 0.64
