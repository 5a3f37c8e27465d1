"""Tag schemes IO, IOB1, BIO and BIOES: detect, convert, find what is illegal, read spans."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from micrograd.core.checks import check_name

SCHEMES = ("IO", "IOB1", "BIO", "BIOES")
LETTERS = {"B": "B", "I": "I", "E": "E", "S": "S", "L": "E", "U": "S", "M": "I"}
EXPECTED = "expected O, or one of B- I- E- S- (L- U- M-) and a type"
IN_BIO = {"E": "I", "S": "B"}
LOOKED_UP = 10_000  # tags, and pairs and triples of them, whose answers are kept


class Span(NamedTuple):
    """One entity: tokens `start` up to (not including) `end`, and its type."""

    start: int
    end: int
    type: str


@lru_cache(LOOKED_UP)
def split_tag(tag: str) -> tuple[str, str]:
    """Split `B-LOC` into `("B", "LOC")` and `O` into `("O", "")`.

    The letters of BILOU and BMES are read as those of BIOES. ValueError for anything else.
    """
    if tag == "O":
        return "O", ""
    prefix, _, label = tag.partition("-")
    if not label or prefix not in LETTERS:
        raise ValueError(f"unknown tag {tag[:60]!r}: {EXPECTED}")
    return LETTERS[prefix], label


@lru_cache(LOOKED_UP)
def _continues(before: str, here: str) -> bool:
    (letter, label), (next_letter, next_label) = split_tag(before), split_tag(here)
    return letter in "BI" and next_letter in "IE" and label == next_label


def spans(tags: Sequence[str]) -> list[Span]:
    """Read the entities by conlleval's rules, which accept every tag sequence.

    An entity goes on while B or I is followed by I or E of the same type; anything else
    that is not O starts a new one. Holds for all four schemes.
    """
    pairs = enumerate(zip(["O", *tags], [*tags, "O"]))
    borders = [place for place, (before, here) in pairs if not _continues(before, here)]
    runs = pairwise(borders)
    return [Span(a, b, split_tag(tags[a])[1]) for a, b in runs if tags[a] != "O"]


def encode(entities: Iterable[Span], length: int, scheme: str = "BIO") -> list[str]:
    """Write non-overlapping entities as `length` tags of the scheme."""
    tags, before = ["O"] * length, Span(0, 0, "")
    for span in sorted(entities):
        start, end, label = span
        letters = _letters(end - start, before[1:] == (start, label), scheme)
        tags[start:end] = [f"{letter}-{label}" for letter in letters]
        before = span
    return tags


def _letters(count: int, touching: bool, scheme: str) -> str:
    """Give the letters of an entity of so many tokens; `touching` follows one of its own type."""
    if scheme == "BIOES":
        return "S" if count == 1 else f"B{'I' * (count - 2)}E"
    check_name("tag scheme", scheme, SCHEMES)
    first = "B" if scheme == "BIO" or (scheme == "IOB1" and touching) else "I"
    return first + "I" * (count - 1)


def convert(tags: Sequence[str], scheme: str) -> list[str]:
    """Write the entities that conlleval's rules read from `tags` in another scheme."""
    return encode(spans(tags), len(tags), scheme)


def detect(sequences: Iterable[Sequence[str]]) -> str:
    """Name the scheme that the tags of a whole file fit best.

    E and S occur in BIOES only; without B the file is IO; between IOB1 and BIO the one
    that the fewer entity starts contradict. A file without entities counts as BIO.
    """
    pairs: Counter[tuple[str, str]] = Counter()
    for tags in sequences:
        pairs.update(zip(["O", *tags], tags))
    seen, starting = set(), Counter[str]()
    for (before, here), count in pairs.items():
        letter, label = split_tag(here)
        seen.add(letter)
        if split_tag(before)[1] != label:
            starting[letter] += count
    if seen & {"E", "S"}:
        return "BIOES"
    if "I" in seen and "B" not in seen:
        return "IO"
    return "IOB1" if starting["I"] > starting["B"] else "BIO"


def illegal(tags: Sequence[str], scheme: str) -> list[int]:
    """Give the positions whose tag the scheme writes in another way; BIO may have E and S."""
    own = map(in_bio, tags) if scheme == "BIO" else tags
    pairs = enumerate(zip(own, convert(tags, scheme)))
    return [i for i, (tag, legal) in pairs if tag != legal and split_tag(tag) != split_tag(legal)]


@lru_cache(LOOKED_UP)
def in_bio(tag: str) -> str:
    """Write a tag of a legal sequence of BIOES, or BIO, in BIO."""
    letter, label = split_tag(tag)
    return f"{IN_BIO.get(letter, letter)}-{label}" if label else "O"


def follows(before: str, here: str, scheme: str) -> bool:
    """Say whether `here` may stand after `before`, O standing for the border of a sentence.

    `scheme` is BIO or BIOES.
    """
    if split_tag(here)[0] in "IE":
        return _continues(before, here)
    return scheme == "BIO" or split_tag(before)[0] not in "BI"


def strict_spans(tags: Sequence[str], scheme: str = "BIO") -> list[Span]:
    """Read only the entities all of whose tags are legal in the scheme; BIO may have E and S."""
    wrong = {*illegal(tags, scheme)}
    return [span for span in spans(tags) if wrong.isdisjoint(range(span.start, span.end))]
