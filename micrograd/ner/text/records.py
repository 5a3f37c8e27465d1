"""Texts with spans, as annotation tools write them: JSON lines, or one JSON list.

doccano {"text", "label": [[start, end, type]]}, Label Studio {"data": {"text"}, "annotations":
[{"result": [{"value": {"start", "end", "labels"}}]}]}, spaCy {"text", "entities" | "spans" |
"ents": [...]} or [text, {"entities": [...]}]. Offsets count characters, the end is not included.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from micrograd.ner.text import tokens
from micrograd.ner.text.foreign import from_json
from micrograd.ner.text.notation import Repairs
from micrograd.ner.text.schemes import Span, encode
from micrograd.ner.text.sentence import Corpus, Sentence

LISTS = ("label", "labels", "entities", "spans", "ents")
STARTS, ENDS = ("start", "start_offset"), ("end", "end_offset")
TYPES = ("label", "type", "labels", "entity_group")


def are_records(text: str) -> bool:
    """Say whether a file holds texts with spans: its first record has a text."""
    start = text.lstrip("\ufeff \n\r\t")[:1]
    if start not in ("{", "["):
        return False
    try:
        first = next(_records(text, ""))[1]
    except (ValueError, StopIteration):
        return False
    return _text_of(first) is not None


def parse(text: str, path: str, repair: bool = False) -> Corpus:
    """Read the records, one document each. ValueError with file:line for spans that cannot be.

    A text is cut into words, at the borders of its spans too.
    """
    sentences: list[Sentence] = []
    repairs = Repairs(path, repair)
    for document, (line, record) in enumerate(_records(text, path)):
        content = _text_of(record)
        if content is None:
            raise ValueError(f"{path}:{line}: a record without a text: {str(record)[:60]}")
        kept: list[Span] = []
        for span in sorted(_spans(record, f"{path}:{line}"), key=lambda s: (s.start, -s.end)):
            _check(span, content, f"{path}:{line}")
            if kept and span.start < kept[-1].end:
                what = f"{span} lies over {kept[-1]}"
                repairs(line, what, "spans over others", "keeps the longer of the two")
            else:
                kept.append(span)
        sentences += _tagged(content, kept, line, document)
    return Corpus(sentences, path, notes=repairs.notes())


def _records(text: str, path: str) -> Iterator[tuple[int, Any]]:
    text = text.removeprefix("\ufeff")
    if text.lstrip().startswith("["):
        try:
            whole = from_json(text)
            if not (len(whole) == 2 and isinstance(whole[0], str)):
                yield from ((number, record) for number, record in enumerate(whole, 1))
                return
        except ValueError:
            pass
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip():
            try:
                yield number, from_json(line)
            except ValueError as error:
                raise ValueError(f"{path}:{number}: no JSON: {error}") from None


def _text_of(record: Any) -> str | None:
    if isinstance(record, list) and len(record) == 2 and isinstance(record[0], str):
        return record[0]
    if not isinstance(record, dict):
        return None
    content = record.get("text", record.get("data"))
    content = content.get("text") if isinstance(content, dict) else content
    return content if isinstance(content, str) else None


def _spans(record: Any, at: str) -> Iterator[Span]:
    shown = record
    try:
        for item in _items(record):
            shown = item
            yield _span(item)
    except (AttributeError, LookupError, TypeError, ValueError, OverflowError):
        what = f"{at}: no span: {str(shown)[:60]}"
        raise ValueError(f"{what}; expected start, end, type") from None


def _items(record: Any) -> list[Any]:
    if isinstance(record, list):
        record = record[1]
    for annotation in record.get("annotations", record.get("completions", ()))[:1]:
        return [one["value"] for one in annotation.get("result", ()) if "start" in one["value"]]
    return next((list(record[name] or ()) for name in LISTS if name in record), [])


def _span(item: Any) -> Span:
    start, end, kind = (
        [_named(item, names) for names in (STARTS, ENDS, TYPES)]
        if isinstance(item, dict)
        else item[:3]
    )
    kind = kind[0] if isinstance(kind, list) else kind
    span = Span(int(start), int(end), kind)
    if not isinstance(kind, str) or not kind or span[:2] != (start, end) or start is True:
        raise ValueError
    return span


def _named(item: dict[str, Any], names: Sequence[str]) -> Any:
    return item[next((name for name in names if name in item), names[0])]


def _check(span: Span, content: str, at: str) -> None:
    if not 0 <= span.start < span.end <= len(content):
        raise ValueError(f"{at}: {span} is not inside its text of {len(content)} characters")


def _tagged(content: str, spans: list[Span], line: int, document: int) -> Iterator[Sentence]:
    borders = [border for span in spans for border in (span.start, span.end)]
    for sentence in tokens.sentences(content, borders):
        inside = []
        for start, end, kind in spans:
            places = [n for n, (a, b) in enumerate(sentence.offsets) if start <= a and b <= end]
            if places:
                inside.append(Span(places[0], places[-1] + 1, kind))
        tags = encode(inside, len(sentence.words))
        numbers = [line] * len(tags)
        yield Sentence(sentence.words, tags, numbers, document, sentence.offsets)
