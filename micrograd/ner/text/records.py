"""Files of other kinds: texts with spans, which are read, and what is given by mistake.

Texts with spans are what annotation tools write, JSON lines, one record, or a list of them:

doccano {"text", "label": [[start, end, type]]}, Label Studio {"data": {"text"}, "annotations":
[{"result": [{"value": {"start", "end", "labels"}}]}]}, spaCy {"text", "entities" | "spans" |
"ents": [...]} or [text, {"entities": [...]}]. Offsets count characters, the end is not included.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from micrograd.encodings import BOM
from micrograd.ner.text import tokens
from micrograd.ner.text.notation import Repairs
from micrograd.ner.text.schemes import Span, encode
from micrograd.ner.text.sentence import Corpus, Sentence

LISTS = ("label", "labels", "entities", "spans", "ents")
REMEDY = "expected one token per line, its tag in a column after it, an empty line after a sentence"
_NUMBERED = re.compile(r"(?i:\"?sentence[ _]?(#|id|idx|no|number)\"?[\t ,;].*\b(word|token))")
_JSON = re.compile(r'\{\s*"[^"\n]*"\s*:|\[\s*[\[{]\s*"')
FIELDS = "start start_offset", "end end_offset", "label type labels entity_group"
_IGNORED = re.compile(r"\\n|\W")  # in what a span says of its text: blanks may be others


def are_records(text: str) -> bool:
    """Say whether a file holds texts with spans: its first record has a text."""
    try:
        return _text_of(next(_records(text, ""))[1]) is not None
    except (ValueError, StopIteration):
        return False


def parse(text: str, path: str, repair: bool = False) -> Corpus:
    """Read the records, one document each. ValueError with file:line for spans that cannot be.

    A text is cut into words, at the borders of its spans too.
    """
    sentences: list[Sentence] = []
    repairs, cut = Repairs(path, repair), 0
    for document, (line, record) in enumerate(_records(text, path)):
        at = f"{path}:{line}"
        content = _text_of(record)
        if content is None:
            raise ValueError(f"{at}: a record without a text: {str(record)[:60]}")
        if isinstance(record, dict) and record.get("answer") in ("reject", "ignore"):
            raise ValueError(f"{at}: its answer is {record['answer']!r}: leave the record out")
        kept: list[Span] = []
        for span, said in sorted(_spans(record, at), key=lambda s: (s[0].start, -s[0].end)):
            held = content[slice(*span[:2])]
            if span.start < 0 or span.end > len(content) or not held.strip():
                raise ValueError(f"{at}: {span} is not inside its text of {len(content)}, or blank")
            if isinstance(said, str) and _IGNORED.sub("", said) != _IGNORED.sub("", held):
                raise ValueError(f"{at}: {span} holds {held!r}, not {said!r}; an emoji counts as 1")
            if kept and span.start < kept[-1].end:
                what = f"{span} lies over {kept[-1]}"
                repairs(line, what, "spans over others", "keeps the longer of the two")
            else:
                kept.append(span)
        tagged = [*_tagged(content, kept, line)]
        sentences += [replace(one, document=document, path=path) for one in tagged]
        cut += sum(len(one.words) for one in tagged) - len(tokens.spans(content))
    said = [f"words cut at the borders of names, as those to tag are not: {cut:,}"] * bool(cut)
    return Corpus(sentences, path, notes=repairs.notes() + said)


def _records(text: str, path: str) -> Iterator[tuple[int, Any]]:
    with suppress(ValueError):
        whole = _from_json(text)
        several = isinstance(whole, list) and _text_of(whole) is None
        yield from enumerate(whole if several else [whole], 1)
        return
    for number, line in enumerate(re.split("\r\n?|\n", text), 1):  # U+2028 may be in a string
        if line.strip():
            try:
                yield number, _from_json(line)
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


def _spans(record: Any, at: str) -> Iterator[tuple[Span, Any]]:
    shown = record
    try:
        for item in _items(record):
            shown = item
            yield _span(item), item.get("text") if isinstance(item, dict) else None
    except (AttributeError, LookupError, TypeError, ValueError, OverflowError, StopIteration):
        expected = f"expected start, end and one type, in a list called {', '.join(LISTS)}"
        raise ValueError(f"{at}: no span: {str(shown)[:60]}; {expected}") from None


def _items(record: Any) -> list[Any]:
    record = record[1] if isinstance(record, list) else record
    if annotations := record.get("annotations", record.get("completions")):
        first = next(one for one in annotations if not one.get("was_cancelled"))
        return [v for one in first["result"] if "start" in (v := one.get("value", {}))]
    lists = [record[name] for name in LISTS if name in record]
    return next(filter(None, lists), lists[0] or [])


def _span(item: Any) -> Span:
    if isinstance(item, dict):
        item = [next(item[name] for name in names.split() if name in item) for names in FIELDS]
    start, end, kind = item[:3]
    (kind,) = kind if isinstance(kind, list) else [kind]
    span = Span(int(start), int(end), kind)
    if not isinstance(kind, str) or not kind or span[:2] != (start, end) or start is True:
        raise ValueError
    return span


def _tagged(content: str, spans: list[Span], line: int) -> Iterator[Sentence]:
    for sentence in _cut(content, spans):
        inside = []
        for start, end, kind in spans:
            places = [n for n, (a, b) in enumerate(sentence.offsets) if start <= a and b <= end]
            if places:
                inside.append(Span(places[0], places[-1] + 1, kind))
        tags = encode(inside, len(sentence.words))
        yield replace(sentence, tags=tags, lines=[line] * len(tags))


def _cut(content: str, spans: list[Span]) -> list[Sentence]:
    """Cut a text into sentences; none ends within a span, as after the ! of "Yahoo! Answers"."""
    out: list[Sentence] = []
    for one in tokens.sentences(content, [border for span in spans for border in span[:2]]):
        if any(span.start < one.offsets[0][0] < span.end for span in spans):
            before = out.pop()
            one = Sentence(before.words + one.words, offsets=[*before.offsets, *one.offsets])
        out.append(one)
    return out


def check_kind(lines: Sequence[str], path: str, columns: int) -> None:
    """Raise ValueError where the first lines are a table, XML or JSON."""
    begun = (line.lstrip(BOM).strip() for line in lines[:200])
    full = [(n, line) for n, line in enumerate(begun, 1) if line]
    kind = _kind([line for _, line in full[:20]], columns) if full else ""
    if kind:
        raise ValueError(f"{path}:{full[0][0]}: this looks like {kind}; {REMEDY}")


def _kind(head: list[str], columns: int) -> str:
    if head[0].startswith(("<?xml", "<!DOCTYPE", "<html")) or all(
        line.startswith("<") and line.endswith(">") for line in head
    ):
        return "XML or HTML"
    if _JSON.match("\n".join(head)):
        return "JSON"
    if _NUMBERED.match(head[0]):
        return f"a table, of sentences that are numbered ({head[0][:40]!r})"
    for sign, name, kinds in ((",", "commas", 2), (";", "semicolons", 1)):
        counts = {x.count(sign) if columns < 2 else x.split()[0][1:].endswith(sign) for x in head}
        if len(head) > 1 and min(counts) > 0 and len(counts) <= kinds:
            return f"CSV (columns separated by {name})"
    return ""


def _from_json(text: str) -> Any:
    try:
        return json.loads(text.lstrip(BOM))  # files with a mark of their own are joined
    except RecursionError:
        raise ValueError("nested too deep") from None
