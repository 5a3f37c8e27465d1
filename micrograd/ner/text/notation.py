"""How tags are written: B-X, B_X, X-B, X_B, bare labels X, or B and I without a type.

Found once per file from all its tags; inside the package every tag is written B-X, and the
sequences are those of one scheme (`schemes`).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from micrograd.ner.text import schemes
from micrograd.ner.text.sentence import Corpus
from micrograd.printing import counted

OUTSIDE = ("O", "o")
NO_TYPE = "NAME"  # the type of entities that have none
_UNSEEN = r"[\s\xad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]"
_TAGS = "(?i:.*[ |,;+](o|[bieslum][-_][^ ]+)( .*)?$)"  # a sentence to a line, nested names
_LETTER = "(?P<letter>[a-zA-Z])"
_TYPE = f"(?!{_UNSEEN}|{_TAGS})(?P<type>.+)(?<!{_UNSEEN})"
NOTATIONS = {
    "B-X": f"{_LETTER}-{_TYPE}",
    "B_X": f"{_LETTER}_{_TYPE}",
    "X-B": f"{_TYPE}-{_LETTER}",
    "X_B": f"{_TYPE}_{_LETTER}",
    "B": _LETTER,
    "X": r"(?P<type>(?!(?i:[a-z][-_:./ ]|.*[:./][bieslum]$))[^\W\d_][\w./&+:' -]*)",
}


def read(tag: str, notation: str) -> str | None:
    """Write as B-X a tag that is written so; None for what is no such tag."""
    if tag in OUTSIDE:
        return "O"
    match = re.fullmatch(NOTATIONS[notation], tag)
    if not match:
        return None
    parts = {"letter": "I", "type": NO_TYPE} | match.groupdict()
    letter = schemes.LETTERS.get(parts["letter"].upper())
    return f"{letter}-{parts['type']}" if letter and re.search(r"[^\W_]", parts["type"]) else None


def find(tags: Iterable[str]) -> str:
    """Find how tags are written: the first notation that most of them are tags of.

    A label may hold a hyphen (`geo-loc`), but labels stand bare only where no tag has a letter.
    """
    others = [tag for tag in tags if tag not in OUTSIDE]
    counts = {name: sum(read(tag, name) is not None for tag in others) for name in NOTATIONS}
    lettered = [name for name in counts if name != "X" and counts[name]]
    return max(lettered, key=counts.__getitem__, default="X" if others else "B-X")


@dataclass
class Repairs:
    """What was repaired: per kind how often, and where first; without `allowed`, an error."""

    path: str
    allowed: bool
    kinds: dict[str, tuple[int, str]] = field(default_factory=dict)
    comments: list[int] = field(default_factory=list)  # that may be tokens without a column

    def __call__(self, line: int, what: str, kind: str, remedy: str) -> None:
        """Count a repair. ValueError with file:line where none is allowed."""
        if not self.allowed:
            raise ValueError(f"{self.path}:{line}: {what}; --repair (repair=True) {remedy}")
        count, first = self.kinds.get(kind, (0, f"{self.path}:{line}: {what}"))
        self.kinds[kind] = count + 1, first

    def notes(self) -> list[str]:
        """Say what was repaired, and what was left out that need not be a comment."""
        said = [f"repaired: {n:,} {kind}; first {at}" for kind, (n, at) in self.kinds.items()]
        odd = f"{counted(len(self.comments), 'comment')} within a sentence, or begun by ; or $"
        return said + [f"{odd}; left out, first {self.path}:{n}" for n in self.comments[:1]]


def normalise(
    corpus: Corpus, scheme: str | None = "BIO", repair: bool = False, tags: str = ""
) -> Corpus:
    """Find the notation and the scheme of a corpus, check them, and convert, in place."""
    said_scheme, said_notation = _said(tags)
    repairs = Repairs(corpus.path, repair)
    spelled = _read_tags(corpus, said_notation, repairs)
    corpus.scheme = said_scheme or schemes.detect(sentence.tags for sentence in corpus)
    if scheme is not None:
        _check_sequences(corpus, spelled, repairs)
        for sentence in corpus:
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


def _read_tags(corpus: Corpus, said: str | None, repairs: Repairs) -> dict[str | None, str]:
    """Write every tag as B-X, and say what was one. ValueError with file:line for what is none."""
    every = dict.fromkeys(tag for sentence in corpus for tag in sentence.tags)
    corpus.written = said or find(every)
    others = every.keys() - {*OUTSIDE}
    fits = [name for name in NOTATIONS if len(name) > 1 and all(read(t, name) for t in others)]
    if len(fits) > 1 and not said and others:
        corpus.notes += [f"{max(others)!r} is {' or '.join(fits)}; taken as the first, or --tags"]
    known = {tag: read(tag, corpus.written) for tag in every}
    for sentence in corpus:
        for position, tag in enumerate(sentence.tags):
            new = known[tag] or _lone(tag, corpus.written, sentence.line(position), repairs)
            sentence.tags[position] = new
    if not said and corpus.written == "X" and "O" not in known.values():
        raise ValueError(
            f"{corpus.path}:{corpus.sentences[0].line(0)}: labels such as {next(iter(every))!r}, "
            "and nowhere O: name the tag column, or by --tags X take them as types"
        )
    return {new: tag for tag, new in known.items()}


def _lone(tag: str, written: str, line: int, repairs: Repairs) -> str:
    """Read a bare label among tags that have letters."""
    label, unknown = read(tag, "X"), f"unknown tag {tag[:60]!r}"
    if label is None or written == "X":
        raise ValueError(
            f"{repairs.path}:{line}: {unknown}: {schemes.EXPECTED}; "
            "name the tag column, or how tags are written by --tags"
        )
    repairs(line, unknown, "labels without a letter", "reads such labels as entities")
    return label


def _check_sequences(corpus: Corpus, spelled: Mapping[str | None, str], repairs: Repairs) -> None:
    for sentence in corpus:
        for position in schemes.illegal(sentence.tags, corpus.scheme):
            tag, line = sentence.tags[position], sentence.line(position)
            what = f"{spelled.get(tag, tag)} may not stand here in {corpus.scheme}"
            repairs(line, what, "tags out of sequence", "reads them by conlleval's rules")


def rename(corpus: Corpus, types: Mapping[str, str], drop: Collection[str]) -> None:
    """Rename entity types and leave some out, in place; the tags are written in BIO."""
    drop = [drop] if isinstance(drop, str) else drop
    if not types and not drop:
        return
    for sentence in corpus:
        kept = (span for span in schemes.spans(sentence.tags) if span.type not in drop)
        new = [span._replace(type=types.get(span.type, span.type)) for span in kept]
        sentence.tags = schemes.encode(new, len(sentence.tags))
