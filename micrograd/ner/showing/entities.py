"""Entities in a text: where they are, how probable they are, and how they are shown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from micrograd.ner.text.schemes import spans
from micrograd.ner.text.sentence import Sentence
from micrograd.printing import printable

if TYPE_CHECKING:
    from rich.text import Text

STYLES = ("bold cyan", "bold magenta", "bold yellow", "bold green", "bold red", "bold blue")


class Entity(NamedTuple):
    """A name in a text: `text[start:end]`, its type, its probability."""

    type: str
    text: str
    start: int
    end: int
    probability: float

    def as_dict(self) -> dict[str, Any]:
        """Give the fields by name, the probability with four digits."""
        return self._asdict() | {"probability": round(self.probability, 4)}


def entities(text: str, sentence: Sentence) -> Iterator[Entity]:
    """Give the entities of a tagged sentence that was cut from `text`."""
    for span in spans(sentence.tags):
        start, end = sentence.offsets[span.start][0], sentence.offsets[span.end - 1][1]
        yield Entity(span.type, text[start:end], start, end, sentence.probability(span))


def record(text: str, found: Sequence[Entity]) -> dict[str, Any]:
    """Give a text and its entities as a JSON record, with doccano's list of spans beside them."""
    return {
        "text": text,
        "entities": [entity.as_dict() for entity in found],
        "label": [[entity.start, entity.end, entity.type] for entity in found],
    }


def numbered(types: Iterable[str], count: int) -> dict[str, int]:
    """Give every type one of `count` colours, in the order of their names."""
    return {kind: number % count for number, kind in enumerate(sorted(set(types)))}


def pieces(text: str, found: Iterable[Entity]) -> Iterator[tuple[str, Entity | None]]:
    """Cut a text behind its names: what stands before each, and the name; last what is left."""
    done = 0
    for entity in sorted(found, key=lambda entity: entity.start):
        yield text[done : entity.start], entity
        done = entity.end
    yield text[done:], None


def marked(text: str, found: Sequence[Entity], styles: dict[str, int] | None = None) -> Text:
    """Give a text with [bracketed TYPE] names, coloured where the terminal can."""
    from rich.text import Text

    out = Text()
    kinds = numbered((e.type for e in found), len(STYLES)) if styles is None else styles
    for part, entity in pieces(text, found):
        out.append(printable(part.replace("\r\n", "\n")))
        if entity:
            name = f"[{entity.text} {entity.type}]".replace("\r\n", "\n")
            out.append(printable(name), STYLES[kinds[entity.type]])
    return out
