"""What a tagged corpus is once it is in memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from reprlib import repr as shorten

import numpy as np
from numpy.typing import NDArray

from micrograd.ner.text import schemes
from micrograd.ner.text.lines import Layout
from micrograd.printing import counted


@dataclass(slots=True)
class Sentence:
    """The words of a sentence, their tags (none in plain text), and where they were read.

    `path` and `lines` name the place; `offsets` say where each word begins and ends in the text
    it was cut from, `probabilities` how sure a model is of each tag.
    """

    words: list[str]
    tags: list[str] = field(default_factory=list)
    lines: Sequence[int] = ()
    document: int = 0
    offsets: Sequence[tuple[int, int]] = ()
    probabilities: NDArray[np.float64] | None = field(default=None, compare=False)
    path: str = field(default="", compare=False)

    def __post_init__(self) -> None:
        if isinstance(self.words, str) or not all(isinstance(word, str) for word in self.words):
            raise TypeError(f"words are a list of texts, not {shorten(self.words)}")
        if self.tags and len(self.tags) != len(self.words):
            raise ValueError(
                f"not as many tags, {shorten(self.tags)}, as words, {shorten(self.words)}"
            )

    def line(self, position: int) -> int:
        """Give the line number of a token, 0 where it came from no file."""
        return self.lines[position] if self.lines else 0

    def probability(self, span: schemes.Span) -> float:
        """Give the probability of an entity, that of its least probable tag; 1 if no model said."""
        sure = self.probabilities
        return 1.0 if sure is None else float(sure[span.start : span.end].min())

    def above(self, threshold: float) -> Sentence:
        """Leave out the entities whose probability is below a threshold."""
        kept = [span for span in schemes.spans(self.tags) if self.probability(span) >= threshold]
        return replace(self, tags=schemes.encode(kept, len(self.words)))


def types_in(sentences: Iterable[Sentence]) -> list[str]:
    """List the entity types that occur in sentences, sorted."""
    tags = {tag for sentence in sentences for tag in sentence.tags}
    return sorted({schemes.split_tag(tag)[1] for tag in tags} - {""})


@dataclass(eq=False)
class Source:
    """A file as it was read, so that it can be written back byte by byte."""

    lines: list[str]
    layout: Layout
    encoding: str
    line_end: str = "\n"


@dataclass(eq=False)
class Corpus:
    """Sentences in file order, with what the file looked like.

    `notes` say what a reader should know: what was repaired, what looks odd.
    """

    sentences: list[Sentence]
    path: str = "<memory>"
    scheme: str = "BIO"
    written: str = "B-X"
    source: Source | None = None
    notes: list[str] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.sentences)

    def __iter__(self) -> Iterator[Sentence]:
        return iter(self.sentences)

    @property
    def tokens(self) -> int:
        """Count the tokens."""
        return sum(len(sentence.words) for sentence in self.sentences)

    @property
    def documents(self) -> int:
        """Count the documents that have a sentence."""
        return len({sentence.document for sentence in self.sentences})

    def describe(self) -> str:
        """Say in a line what was read, and below it what should be known."""
        written = "" if self.written == "B-X" else f" (tags written {self.written})"
        first = (
            f"{self.path}: {counted(len(self), 'sentence')}, {counted(self.tokens, 'token')}, "
            f"{counted(self.documents, 'document')}, read as {self.scheme}{written}, "
            f"types {' '.join(types_in(self)) or 'none'}"
        )
        return "\n".join([first, *(f"   {note}" for note in self.notes)])
