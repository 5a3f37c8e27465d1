"""Predicted against true entities: precision, recall and F1 as conlleval counts them, and mistakes.

Two other ways to count stand beside, by name.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import zip_longest
from typing import NamedTuple

from micrograd.ner.text.schemes import Span, spans, split_tag, strict_spans
from micrograd.ner.text.sentence import Sentence

Tags = Sequence[str]
KINDS = ("wrong type", "wrong border", "missed", "invented")  # of mistakes
FIELDS = ("precision", "recall", "f1", "right", "predicted", "true")


@dataclass
class Score:
    """Counts of one type or of all: right, predicted and true entities."""

    right: int = 0
    predicted: int = 0
    true: int = 0

    @property
    def precision(self) -> float:
        """Percent of the predicted entities that are right."""
        return 100 * self.right / self.predicted if self.predicted else 0.0

    @property
    def recall(self) -> float:
        """Percent of the true entities that were found."""
        return 100 * self.right / self.true if self.true else 0.0

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall, in percent."""
        total = self.predicted + self.true
        return 200 * self.right / total if total else 0.0

    def __str__(self) -> str:
        return f"P {self.precision:.2f} R {self.recall:.2f} F1 {self.f1:.2f}"


@dataclass(frozen=True)
class Average:
    """Precision, recall and F1 averaged over types, in percent."""

    precision: float
    recall: float
    f1: float


def numbers(row: Score | Average) -> dict[str, float]:
    """Give percentages and counts by name; an average has no counts."""
    return {name: getattr(row, name) for name in FIELDS if hasattr(row, name)}


@dataclass
class Report:
    """Scores by type, and over all types (micro average)."""

    mode: str
    types: dict[str, Score] = field(default_factory=dict)

    @property
    def overall(self) -> Score:
        """Sum the counts of all types."""
        return Score(*(sum(getattr(s, n) for s in self.types.values()) for n in FIELDS[3:]))

    @property
    def f1(self) -> float:
        """Give the overall F1 in percent."""
        return self.overall.f1

    @property
    def macro(self) -> Average:
        """Average over the types, each counting the same."""
        return self._average(lambda _: 1)

    @property
    def weighted(self) -> Average:
        """Average over the types, each counting as often as it is true."""
        return self._average(lambda score: score.true)

    def _average(self, weight: Callable[[Score], int]) -> Average:
        scores = self.types.values()
        total = sum(map(weight, scores)) or 1
        sums = (sum(weight(s) * getattr(s, name) for s in scores) for name in FIELDS[:3])
        return Average(*(number / total for number in sums))

    def __getitem__(self, label: str) -> Score:
        return self.types.get(label, Score())


def _compare(
    true: Iterable[Tags], predicted: Iterable[Tags], mode: str, read: Callable[[Tags], list[Span]]
) -> Report:
    right, guessed, wanted = Counter[str](), Counter[str](), Counter[str]()
    for number, (gold, guess) in enumerate(zip_longest(true, predicted, fillvalue=()), 1):
        if len(gold) != len(guess):
            raise ValueError(f"sentence {number}: {len(gold)} true tags, {len(guess)} predicted")
        a, b = set(read(gold)), set(read(guess))
        wanted.update(span.type for span in a)
        guessed.update(span.type for span in b)
        right.update(span.type for span in a & b)
    labels = sorted(wanted.keys() | guessed.keys())
    return Report(mode, {x: Score(right[x], guessed[x], wanted[x]) for x in labels})


def score(true: Iterable[Tags], predicted: Iterable[Tags]) -> Report:
    """Score entities by conlleval's rules; the tags may be of any scheme, legal or not."""
    return _compare(true, predicted, "conlleval", spans)


def strict_score(true: Iterable[Tags], predicted: Iterable[Tags], scheme: str = "BIO") -> Report:
    """Score only entities that are written legally in the scheme (seqeval's strict mode)."""
    return _compare(true, predicted, "strict", partial(strict_spans, scheme=scheme))


def token_score(true: Iterable[Tags], predicted: Iterable[Tags]) -> Report:
    """Score every token that is not O by its type alone; flatters long entities."""

    def read(tags: Tags) -> list[Span]:
        return [Span(i, i + 1, split_tag(tag)[1]) for i, tag in enumerate(tags) if tag != "O"]

    return _compare(true, predicted, "token level", read)


def only(tags: Tags, label: str | None) -> list[str]:
    """Set the tags of every type but `label` to O (`None` keeps all)."""
    return [tag if label in (None, split_tag(tag)[1]) else "O" for tag in tags]


class Error(NamedTuple):
    """One mistake, its sentence, and how sure the model was: the probability of what it said.

    `true` is None where nothing is, `predicted` where nothing was said.
    """

    kind: str
    words: list[str]
    true: Span | None
    predicted: Span | None
    place: str
    confidence: float

    def context(self, reach: int) -> tuple[str, str, str]:
        """Give the words predicted, or else those missed, with so many before and behind them."""
        start, end, _ = self.predicted or self.true or Span(0, 0, "")
        parts = self.words[max(0, start - reach) : start], self.words[start:end]
        before, name, after = map(" ".join, (*parts, self.words[end : end + reach]))
        return before, name, after

    def types(self) -> str:
        """Name the type, or both where they differ: true, then predicted."""
        kinds = [span.type for span in (self.true, self.predicted) if span]
        return " as ".join(dict.fromkeys(kinds))


def counted(errors: Iterable[Error]) -> str:
    """Say how many mistakes there are of each kind."""
    counts = Counter(error.kind for error in errors)
    return ", ".join(f"{counts[kind]} {kind}" for kind in KINDS)


def find(true: Sequence[Sequence[str]], tagged: Sequence[Sentence]) -> list[Error]:
    """List the mistakes of tagged sentences, those the model was surest of first.

    An entity predicted over a true one is of a wrong type where the borders agree, else of wrong
    borders; each true one stands against one predicted at most.
    """
    out: list[Error] = []
    for tags, one in zip(true, tagged):
        for kind, wanted, said in _pairs(spans(tags), spans(one.tags)):
            span = said or wanted
            assert span
            place = f"{one.path}:{one.line(span.start)}"
            out.append(Error(kind, one.words, wanted, said, place, one.probability(span)))
    return sorted(out, key=lambda error: -error.confidence)


def _pairs(
    true: Sequence[Span], predicted: Sequence[Span]
) -> Iterator[tuple[str, Span | None, Span | None]]:
    missed = [span for span in true if span not in predicted]
    for said in (span for span in predicted if span not in true):
        over = [span for span in missed if span.start < said.end and said.start < span.end]
        wanted = min(over, key=lambda span: span[:2] != said[:2], default=None)
        if wanted:
            missed.remove(wanted)
            yield "wrong type" if wanted[:2] == said[:2] else "wrong border", wanted, said
        else:
            yield "invented", None, said
    yield from (("missed", span, None) for span in missed)


def confusion(true: Iterable[Tags], predicted: Iterable[Tags]) -> Counter[tuple[str, str]]:
    """Count entities by (true type, predicted type) where their borders agree; O for none."""
    counts = Counter[tuple[str, str]]()
    for tags, guess in zip(true, predicted):
        wanted, said = ({span[:2]: span.type for span in spans(one)} for one in (tags, guess))
        places = wanted.keys() | said.keys()
        counts.update((wanted.get(at, "O"), said.get(at, "O")) for at in places)
    return counts
