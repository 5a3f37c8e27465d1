"""How tags are written: B-X, B_X, X-B, X_B, bare labels X, or B and I without a type.

Found once per file from all its tags; inside the package every tag is written B-X, and the
sequences are those of one scheme (`schemes`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from micrograd.ner.text import schemes
from micrograd.ner.text.schemes import LETTERS
from micrograd.ner.text.sentence import Corpus, Sentence

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


@dataclass
class Repairs:
    """What was repaired: per kind how often, and where first; without `allowed`, an error."""

    path: str
    allowed: bool
    kinds: dict[str, tuple[int, str]] = field(default_factory=dict)

    def __call__(self, line: int, what: str, kind: str, remedy: str, times: int = 1) -> None:
        """Count repairs of a kind. ValueError with file:line where none is allowed."""
        if not self.allowed:
            raise ValueError(f"{self.path}:{line}: {what}; --repair {remedy}")
        count, first = self.kinds.get(kind, (0, f"{self.path}:{line}: {what}"))
        self.kinds[kind] = count + times, first

    def notes(self) -> list[str]:
        """Say what was repaired."""
        return [f"repaired: {n:,} {kind}; first {at}" for kind, (n, at) in self.kinds.items()]


def normalise(
    corpus: Corpus, scheme: str | None = "BIO", repair: bool = False, tags: str = ""
) -> Corpus:
    """Find the notation and the scheme of a corpus, check them, and convert, in place."""
    said_scheme, said_notation = _said(tags)
    repairs = Repairs(corpus.path, repair)
    _read_tags(corpus, said_notation, repairs)
    corpus.scheme = said_scheme or schemes.detect(sentence.tags for sentence in corpus)
    if scheme is not None:
        _check_sequences(corpus, repairs)
        as_wanted = scheme == corpus.scheme and not said_scheme and not repairs.kinds
        for sentence in () if as_wanted else corpus:
            sentence.tags = schemes.convert(sentence.tags, scheme)
    corpus.notes += repairs.notes()
    return corpus


def _said(tags: str) -> tuple[str | None, str | None]:
    scheme = written = None
    for part in filter(None, tags.split(",")):
        name = {"BILOU": "BIOES", "IOBES": "BIOES", "IOB2": "BIO"}.get(part.upper(), part)
        if name.upper() in schemes.SCHEMES:
            scheme = name.upper()
        elif name in NOTATIONS:
            written = name
        else:
            known = ", ".join((*schemes.SCHEMES, *NOTATIONS))
            raise ValueError(f"unknown tags {part!r}: expected some of {known}")
    return scheme, written


def _read_tags(corpus: Corpus, said: str | None, repairs: Repairs) -> None:
    """Write every tag as B-X. ValueError with file:line for what is no tag."""
    every = dict.fromkeys(tag for sentence in corpus for tag in sentence.tags)
    used = NOTATIONS[said] if said else find(every)
    corpus.written = used.name
    known = {tag: "O" if outside(tag) else used.read(tag) for tag in every}
    if all(tag == new for tag, new in known.items()):
        return
    for sentence in corpus:
        for position, tag in enumerate(sentence.tags):
            sentence.tags[position] = known[tag] or _lone(tag, used, sentence, position, repairs)


def _lone(tag: str, used: Notation, sentence: Sentence, position: int, repairs: Repairs) -> str:
    """Read a bare label among tags that have letters."""
    label, line = NOTATIONS["X"].read(tag), sentence.line(position)
    unknown = f"unknown tag {tag[:60]!r}"
    if label is None or used.name == "X":
        raise ValueError(
            f"{repairs.path}:{line}: {unknown}: expected O, or one of B- I- E- S- "
            "(L- U- M-) and a type; name the tag column, or how tags are written by --tags"
        )
    repairs(line, unknown, "labels without a letter", "reads such labels as entities")
    return label


def _check_sequences(corpus: Corpus, repairs: Repairs) -> None:
    for sentence in corpus:
        for position in schemes.illegal(sentence.tags, corpus.scheme):
            repairs(
                sentence.line(position),
                f"{sentence.tags[position]} may not stand here in {corpus.scheme}",
                "tags out of sequence",
                "reads them by conlleval's rules",
            )


def rename(corpus: Corpus, types: Mapping[str, str], drop: Collection[str]) -> None:
    """Rename entity types and leave some out, in place; the tags are written in BIO."""
    if not types and not drop:
        return
    for sentence in corpus:
        kept = (span for span in schemes.spans(sentence.tags) if span.type not in drop)
        new = [span._replace(type=types.get(span.type, span.type)) for span in kept]
        sentence.tags = schemes.encode(new, len(sentence.tags), "BIO")
