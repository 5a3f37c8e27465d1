"""The two rows that need no training: all O, and the names seen in training."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from micrograd.ner.text.schemes import Span, encode, spans
from micrograd.ner.text.sentence import Sentence


def all_outside(sentences: Iterable[Sentence]) -> list[list[str]]:
    """Tag every token O."""
    return [["O"] * len(sentence.words) for sentence in sentences]


class Lexicon:
    """The names of the training set, each with its most frequent type, matched longest first."""

    def __init__(self, sentences: Iterable[Sentence], label: str | None = None) -> None:
        counts: defaultdict[tuple[str, ...], Counter[str]] = defaultdict(Counter)
        for sentence in sentences:
            for start, end, kind in spans(sentence.tags):
                if label in (None, kind):
                    counts[tuple(sentence.words[start:end])][kind] += 1
        self.types = {name: kinds.most_common(1)[0][0] for name, kinds in counts.items()}
        self.longest = max(map(len, self.types), default=0)

    def predict(self, sentences: Iterable[Sentence]) -> list[list[str]]:
        """Tag each sentence in BIO."""
        return [
            encode(self._matches(sentence.words), len(sentence.words)) for sentence in sentences
        ]

    def _matches(self, words: Sequence[str]) -> list[Span]:
        found, start = [], 0
        while start < len(words):
            end = self._end(words, start)
            if end > start:
                found.append(Span(start, end, self.types[tuple(words[start:end])]))
            start = max(end, start + 1)
        return found

    def _end(self, words: Sequence[str], start: int) -> int:
        for end in range(min(len(words), start + self.longest), start, -1):
            if tuple(words[start:end]) in self.types:
                return end
        return start
