"""Tag schemes IO, IOB1, BIO and BIOES: detect, convert, find what is illegal, read spans."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

SCHEMES = ("IO", "IOB1", "BIO", "BIOES")
LETTERS = {"B": "B", "I": "I", "E": "E", "S": "S", "L": "E", "U": "S", "M": "I"}


class Span(NamedTuple):
    """One entity: tokens `start` up to (not including) `end`, and its type."""

    start: int
    end: int
    type: str


def split_tag(tag: str) -> tuple[str, str]:
    """Split `B-LOC` into `("B", "LOC")` and `O` into `("O", "")`.

    The letters of BILOU and BMES are read as those of BIOES. ValueError for anything else.
    """
    if tag == "O":
        return "O", ""
    prefix, dash, label = tag.partition("-")
    if not dash or not label or prefix not in LETTERS:
        raise ValueError(
            f"unknown tag {tag!r}: expected O, or one of B- I- E- S- (L- U- M-) and a type"
        )
    return LETTERS[prefix], label


def _continues(before: tuple[str, str], here: tuple[str, str]) -> bool:
    return before[0] in "BI" and here[0] in "IE" and before[1] == here[1]


def spans(tags: Sequence[str]) -> list[Span]:
    """Read the entities by conlleval's rules, which accept every tag sequence.

    An entity goes on while B or I is followed by I or E of the same type; anything else
    that is not O starts a new one. Holds for all four schemes.
    """
    found: list[Span] = []
    before, start = ("O", ""), 0
    for position, tag in enumerate([*tags, "O"]):
        here = split_tag(tag)
        if not _continues(before, here):
            if before[0] != "O":
                found.append(Span(start, position, before[1]))
            start = position
        before = here
    return found


def encode(entities: Iterable[Span], length: int, scheme: str = "BIO") -> list[str]:
    """Write non-overlapping entities as `length` tags of the scheme."""
    tags = ["O"] * length
    for start, end, label in sorted(entities):
        for position in range(start, end):
            tags[position] = f"{_prefix(tags, position, start, end, label, scheme)}-{label}"
    return tags


def _prefix(tags: list[str], position: int, start: int, end: int, label: str, scheme: str) -> str:
    first, last = position == start, position == end - 1
    if scheme == "BIO":
        return "B" if first else "I"
    if scheme == "BIOES":
        return ("S" if last else "B") if first else ("E" if last else "I")
    if scheme == "IOB1":
        touching = first and start > 0 and tags[start - 1].endswith(f"-{label}")
        return "B" if touching else "I"
    if scheme == "IO":
        return "I"
    raise ValueError(f"unknown tag scheme {scheme!r}: expected one of {', '.join(SCHEMES)}")


def convert(tags: Sequence[str], scheme: str) -> list[str]:
    """Write the entities that conlleval's rules read from `tags` in another scheme."""
    return encode(spans(tags), len(tags), scheme)


def detect(sequences: Iterable[Sequence[str]]) -> str:
    """Name the scheme that the tags of a whole file fit best.

    E and S occur in BIOES only; without B the file is IO; between IOB1 and BIO the one
    that the fewer entity starts contradict. A file without entities counts as BIO.
    """
    seen: set[str] = set()
    against_bio = against_iob1 = 0
    for tags in sequences:
        before = ("O", "")
        for tag in tags:
            here = split_tag(tag)
            seen.add(here[0])
            starts = before[0] == "O" or before[1] != here[1]
            against_bio += starts and here[0] == "I"
            against_iob1 += starts and here[0] == "B"
            before = here
    if seen & {"E", "S"}:
        return "BIOES"
    if "I" in seen and "B" not in seen:
        return "IO"
    return "IOB1" if against_bio > against_iob1 else "BIO"


def illegal(tags: Sequence[str], scheme: str) -> list[int]:
    """Give the positions whose tag may not stand there in the scheme."""
    parts = [("O", ""), *(split_tag(tag) for tag in tags), ("O", "")]
    triples = zip(parts, parts[1:], parts[2:], strict=False)
    return [
        i
        for i, (before, here, after) in enumerate(triples)
        if not _legal(before, here, after, scheme)
    ]


def _legal(
    before: tuple[str, str], here: tuple[str, str], after: tuple[str, str], scheme: str
) -> bool:
    prefix = here[0]
    if prefix == "O" or scheme == "IO":
        return prefix in "OI"
    if scheme == "IOB1":
        return prefix == "I" or (before[0] in "BI" and before[1] == here[1])
    if prefix in "IE" and not _continues(before, here):
        return False
    return scheme == "BIO" or prefix in "ES" or _continues(here, after)


def follows(before: str, here: str, scheme: str) -> bool:
    """Say whether `here` may stand after `before`, O standing for the border of a sentence.

    `scheme` is BIO or BIOES.
    """
    a, b = split_tag(before), split_tag(here)
    if b[0] in "IE":
        return _continues(a, b)
    return scheme == "BIO" or a[0] not in "BI"


def strict_spans(tags: Sequence[str], scheme: str = "BIO") -> list[Span]:
    """Read only the entities written legally: B- first and, in BIOES, E- or S- last."""
    kept = []
    for span in spans(tags):
        first, last = split_tag(tags[span.start])[0], split_tag(tags[span.end - 1])[0]
        closed = scheme != "BIOES" or (last == "E" if span.end - span.start > 1 else first == "S")
        if first in "BS" and closed:
            kept.append(span)
    return kept
