"""The mistakes of a model, by kind: wrong type, wrong border, missed, invented."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from micrograd.ner.text.schemes import Span, spans
from micrograd.ner.text.sentence import Sentence

KINDS = ("wrong type", "wrong border", "missed", "invented")


class Error(NamedTuple):
    """One mistake, its sentence, and how sure the model was: the probability of what it said.

    `true` is None where nothing is, `predicted` where nothing was said.
    """

    kind: str
    words: list[str]
    true: Span | None
    predicted: Span | None
    line: int
    confidence: float

    @property
    def span(self) -> Span:
        """Give the words to look at: those predicted, or else those missed."""
        return self.predicted or self.true or Span(0, 0, "")

    def context(self, reach: int) -> tuple[str, str, str]:
        """Give the words to look at, with so many before and behind them."""
        start, end, _ = self.span
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
            line, confidence = one.line(span.start), one.probability(span)
            out.append(Error(kind, one.words, wanted, said, line, confidence))
    return sorted(out, key=lambda error: -error.confidence)


def _pairs(
    true: Sequence[Span], predicted: Sequence[Span]
) -> Iterable[tuple[str, Span | None, Span | None]]:
    missed = [span for span in true if span not in predicted]
    for said in predicted:
        if said in true:
            continue
        over = [span for span in missed if span.start < said.end and said.start < span.end]
        over.sort(key=lambda span: span[:2] != said[:2])
        if not over:
            yield "invented", None, said
            continue
        missed.remove(over[0])
        yield "wrong type" if over[0][:2] == said[:2] else "wrong border", over[0], said
    for span in missed:
        yield "missed", span, None


def confusion(
    true: Iterable[Sequence[str]], predicted: Iterable[Sequence[str]]
) -> Counter[tuple[str, str]]:
    """Count entities by (true type, predicted type) where their borders agree; O for none."""
    counts: Counter[tuple[str, str]] = Counter()
    for tags, guess in zip(true, predicted):
        wanted = {span[:2]: span.type for span in spans(tags)}
        said = {span[:2]: span.type for span in spans(guess)}
        places = wanted.keys() | said.keys()
        counts.update((wanted.get(at, "O"), said.get(at, "O")) for at in places)
    return counts
