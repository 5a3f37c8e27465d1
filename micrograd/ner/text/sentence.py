"""What a tagged corpus is once it is in memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from micrograd.ner.text import schemes


@dataclass(slots=True)
class Sentence:
    """The words of a sentence, their tags (none in plain text), and where they were read."""

    words: list[str]
    tags: list[str] = field(default_factory=list)
    lines: Sequence[int] = ()
    rows: list[list[str]] | None = None
    document: int = 0

    def line(self, position: int) -> int:
        """Give the line number of a token, 0 where it came from no file."""
        return self.lines[position] if self.lines else 0


@dataclass(eq=False)
class Corpus:
    """Sentences in file order, with what the file looked like."""

    sentences: list[Sentence]
    path: str = "<memory>"
    scheme: str = "BIO"
    separator: str = "\t"
    marked: bool = False

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

    def types(self) -> list[str]:
        """List the entity types, sorted."""
        tags = {tag for sentence in self.sentences for tag in sentence.tags}
        return sorted({schemes.split_tag(tag)[1] for tag in tags} - {""})

    def describe(self) -> str:
        """Say in one line what was read."""
        return (
            f"{self.path}: {len(self):,} sentences, {self.tokens:,} tokens, "
            f"{self.documents:,} documents, read as {self.scheme}, "
            f"types {' '.join(self.types()) or 'none'}"
        )
