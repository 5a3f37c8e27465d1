"""Measure predictions in every named way, beside two rows that need no training."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from micrograd.ner.judging.scoring import (
    Error,
    Report,
    Score,
    Tags,
    confusion,
    find,
    only,
    score,
    strict_score,
    token_score,
)
from micrograd.ner.text.schemes import Span, convert, encode, spans
from micrograd.ner.text.sentence import Sentence


@dataclass
class Evaluation:
    """All measures of one set of predictions; `entities` is the headline."""

    entities: Report
    strict: Report
    tokens: Report
    confusion: Counter[tuple[str, str]]
    errors: list[Error]
    curve: list[tuple[float, Score]]
    average_precision: float | None = None
    pair_accuracy: float | None = None

    @property
    def f1(self) -> float:
        """Give the entity F1 by conlleval's rules, in percent."""
        return self.entities.f1


def evaluate(true: Sequence[Tags], tagged: Sequence[Sentence], scheme: str = "BIO") -> Evaluation:
    """Score sentences tagged in `scheme` by entity, strictly, by token and at every threshold."""
    predicted = [one.tags for one in tagged]
    return Evaluation(
        score(true, predicted),
        strict_score([convert(tags, scheme) for tags in true], predicted, scheme),
        token_score(true, predicted),
        confusion(true, predicted),
        find(true, tagged),
        curve(true, tagged),
    )


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


def baselines(
    train: Sequence[Sentence], test: Sequence[Sentence], label: str | None = None
) -> dict[str, Report]:
    """Score the two rows that need no training, on one type or all."""
    true = [only(sentence.tags, label) for sentence in test]
    return {
        "all O": score(true, [["O"] * len(tags) for tags in true]),
        "lexicon": score(true, Lexicon(train, label).predict(test)),
    }


def curve(true: Sequence[Tags], tagged: Sequence[Sentence]) -> list[tuple[float, Score]]:
    """Score the entities at least so probable, for every threshold that changes their number."""
    found: list[tuple[float, bool]] = []
    for tags, one in zip(true, tagged):
        known = set(spans(tags))
        found += [(one.probability(span), span in known) for span in spans(one.tags)]
    wanted = sum(len(spans(tags)) for tags in true)
    found.sort(reverse=True)
    out, right = [], 0
    for number, (probability, hit) in enumerate(found, 1):
        right += hit
        if number == len(found) or found[number][0] < probability:
            out.append((probability, Score(right, number, wanted)))
    return out
