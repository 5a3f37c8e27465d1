"""How tags are written: B-X, B_X, X-B, X_B, bare labels X, or B and I without a type.

Found once per file from all its tags; inside the package every tag is written B-X.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import NamedTuple

from micrograd.ner.text.schemes import LETTERS

NO_TYPE = "NAME"  # the type of entities that have none
_LABEL = re.compile(r"(?![A-Za-z][-_])[^\W\d_][\w./&+:' -]*")
Read = Callable[[str], str | None]


class Notation(NamedTuple):
    """A way to write tags, with an example as its name, and how to read it; None for no tag."""

    name: str
    read: Read


def _affixed(sign: str, last: bool) -> Read:
    def read(tag: str) -> str | None:
        parts = tag.rpartition(sign) if last else tag.partition(sign)
        letter, label = (parts[2], parts[0]) if last else (parts[0], parts[2])
        if letter.upper() not in LETTERS or not re.search(r"[^\W_]", label):
            return None
        return f"{LETTERS[letter.upper()]}-{label}"

    return read


def _bare(tag: str) -> str | None:
    return f"I-{tag}" if _LABEL.fullmatch(tag) else None


def _typeless(tag: str) -> str | None:
    return f"{LETTERS[tag.upper()]}-{NO_TYPE}" if tag.upper() in LETTERS else None


NOTATIONS = {
    notation.name: notation
    for notation in (
        Notation("B-X", _affixed("-", False)),
        Notation("B_X", _affixed("_", False)),
        Notation("X-B", _affixed("-", True)),
        Notation("X_B", _affixed("_", True)),
        Notation("B", _typeless),
        Notation("X", _bare),
    )
}


def find(tags: Iterable[str]) -> Notation:
    """Find how tags are written: the first notation that most of them are tags of.

    A label may hold a hyphen (`geo-loc`), but labels stand bare only where no tag has a letter.
    """
    others = [tag for tag in tags if not outside(tag)]
    counts = {n: sum(n.read(tag) is not None for tag in others) for n in NOTATIONS.values()}
    lettered = [n for n in counts if n.name != "X" and counts[n]]
    if not lettered:
        return NOTATIONS["X" if others else "B-X"]
    return max(lettered, key=counts.__getitem__)


def outside(tag: str) -> bool:
    """Say whether a tag is O, in either case."""
    return tag in ("O", "o")
