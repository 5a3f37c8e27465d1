"""Read and write CoNLL-style files: one token per line, an empty line after each sentence."""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import cache, partial
from pathlib import Path
from typing import Any

from micrograd.files import atomic_write, read_bytes
from micrograd.ner.text import encodings, foreign, records
from micrograd.ner.text.lines import BLANKS, DOCUMENTS, Layout, find_layout, only_token, split_lines
from micrograd.ner.text.notation import Repairs, normalise, rename
from micrograd.ner.text.sentence import Corpus, Sentence, Source

BOM = "\ufeff"
LONGEST_LINE = 100_000
BORDER, DOCUMENT, COMMENT = "border", "document", "comment"
FEW_BORDERS = 1_000  # tokens in one sentence that make a file without empty lines look odd


def parse(
    text: str,
    path: str = "<text>",
    word_column: int = 0,
    tag_column: int | None = -1,
    repair: bool = False,
    encoding: str = "utf-8",
) -> Corpus:
    """Read CoNLL text with its tags as they stand; `tag_column=None` reads words only.

    The layout is found once (`lines.find_layout`). ValueError with file:line for an over-long
    line, another number of columns, and, unless `repair`, a line without a tag or a word; for a
    file that is CSV, XML or JSON; for one without a token.
    """
    lines = split_lines(text.removeprefix(BOM))
    _check_lengths(lines, path)
    layout = find_layout(lines, word_column, tag_column)
    foreign.check(lines, path, layout.columns)
    repairs = Repairs(path, repair)
    sentences = list(_sentences(lines, _Meanings(lines, layout, repairs)))
    if not sentences:
        raise ValueError(f"{path}: no token in it; expected one token per line")
    end = "\n" if "\n" in text or "\r" not in text else "\r"
    source = Source(lines, layout, encoding, end, text[: text.startswith(BOM)])
    corpus = Corpus(sentences, path, source=source)
    corpus.notes = [*repairs.notes(), *_oddities(corpus)]
    return corpus


def _check_lengths(lines: list[str], path: str) -> None:
    for number, line in enumerate(lines, 1):
        if len(line) > LONGEST_LINE:
            raise ValueError(
                f"{path}:{number}: a line of {len(line):,} characters; "
                "is this a CoNLL file with one token per line?"
            )


def _oddities(corpus: Corpus) -> list[str]:
    if len(corpus) == 1 and corpus.tokens >= FEW_BORDERS:
        return [f"no empty line: all {corpus.tokens:,} tokens are read as one sentence"]
    return []


class _Meanings(dict[str, "tuple[str, str] | str"]):
    """What the different lines of a file are: a word and its tag, or one of what ends no token."""

    def __init__(self, lines: list[str], layout: Layout, repairs: Repairs) -> None:
        self.layout, self.repairs = layout, repairs
        self.times = Counter(lines)
        self.first = dict(zip(reversed(lines), range(len(lines), 0, -1)))
        self._check_columns()
        for line in self.times:
            self[line] = self._meaning(line)

    def _meaning(self, line: str) -> tuple[str, str] | str:
        row = self.layout.split(line)
        if not any(row):
            return BORDER
        if line.startswith(DOCUMENTS):
            return DOCUMENT
        if line[0] in "#;$" and self.layout.is_comment(line, row):
            return COMMENT
        return self._token(line, row)

    def _token(self, line: str, row: list[str]) -> tuple[str, str]:
        layout = self.layout
        if len(row) != layout.columns:
            row = self._completed(line, row)
        word, tag = row[layout.word], "O" if layout.tag is None else row[layout.tag]
        if not word:
            self._repair(line, "the word column is empty", "empty words", "keeps it so")
        if not tag:
            self._untagged(line)
        return word, sys.intern(tag or "O")

    def _completed(self, line: str, row: list[str]) -> list[str]:
        """Give a row its missing tag; ValueError for any other number of columns."""
        layout = self.layout
        last = layout.tag in (-1, layout.columns - 1)
        if len(row) != layout.columns - 1 or not last:
            raise ValueError(
                f"{self.repairs.path}:{self.first[line]}: {len(row)} columns where the file has "
                f"{layout.columns}: {line.strip(BLANKS)[:60]!r}"
            )
        self._untagged(line)
        return [*row, "O"]

    def _untagged(self, line: str) -> None:
        what = f"no tag: {line.strip(BLANKS)[:60]!r}"
        self._repair(line, what, "lines without a tag", "reads it as O")

    def _repair(self, line: str, what: str, kind: str, remedy: str) -> None:
        self.repairs(self.first[line], what, kind, remedy, self.times[line])

    def _check_columns(self) -> None:
        layout, full = self.layout, [line for line in self.times if line.strip(BLANKS)]
        if not full:
            return
        first = next(filter(only_token, full), full[0])
        at = f"{self.repairs.path}:{self.first[first]}"
        if layout.tag is not None and layout.columns < 2:
            raise ValueError(f"{at}: one column; the tag column is missing")
        for name, column in (("word", layout.word), ("tag", layout.tag)):
            if column is not None and not -layout.columns <= column < layout.columns:
                raise ValueError(
                    f"{at}: no {name} column {column}; "
                    f"the file has {layout.columns} columns, counted from 0"
                )


def _sentences(lines: list[str], meanings: _Meanings) -> Iterator[Sentence]:
    """Join the tokens between borders; a comment is none."""
    tagged, document, start = meanings.layout.tag is not None, 0, 0
    pairs: list[Any] = []
    numbers: Sequence[int] = ()
    for stop in [n for n, line in enumerate(lines) if type(meanings[line]) is str] + [len(lines)]:
        pairs += map(meanings.__getitem__, lines[start:stop])
        here = range(start + 1, stop + 1)
        numbers = [*numbers, *here] if numbers else here
        start, border = stop + 1, meanings[lines[stop]] if stop < len(lines) else BORDER
        if border == COMMENT:
            continue
        if pairs:
            words, tags = map(list, zip(*pairs))
            yield Sentence(words, tags if tagged else [], numbers, document)
            pairs, numbers = [], ()
        document += border == DOCUMENT


def read(
    path: str | os.PathLike[str],
    *,
    encoding: str = encodings.AUTO,
    word_column: int = 0,
    tag_column: int | None = -1,
    repair: bool = False,
    scheme: str | None = "BIO",
    tags: str = "",
    types: Mapping[str, str] | None = None,
    drop: Collection[str] = (),
) -> Corpus:
    """Read a CoNLL file, or JSON lines of texts with spans, its tags converted to `scheme`.

    How tags are written and which scheme they follow is found out once per file, or said by
    `tags` (such as "IOB1" or "X-B,IO"). `types` renames entity types, `drop` leaves some out.
    `scheme=None` leaves the sequence of tags as it stands. ValueError with file:line for what
    `parse` refuses, for what is no tag, and, unless `repair`, for illegal sequences.
    """
    text, name = encodings.decode(read_bytes(path), str(path), encoding)
    if records.are_records(text):
        corpus = records.parse(text, str(path), repair)
    else:
        corpus = parse(text, str(path), word_column, tag_column, repair, name)
    if tag_column is None:
        return corpus
    corpus = normalise(corpus, scheme, repair, tags)
    rename(corpus, types or {}, drop)
    return corpus


def render(corpus: Corpus, column: int | None = None) -> str:
    """Write a corpus as CoNLL text.

    Of a corpus that was read, every line comes back as it was, but for the tag: it replaces the
    one in the column that was read, or in `column`, or is appended where no tags were read.
    """
    if corpus.source is None:
        return "".join(_plain(corpus))
    lines, layout = list(corpus.source.lines), corpus.source.layout
    column = layout.tag if column is None else column
    tagged = cache(partial(_tagged, layout, column))
    for sentence in corpus:
        for number, tag in zip(sentence.lines, sentence.tags):
            lines[number - 1] = tagged(lines[number - 1], tag)
    return corpus.source.bom + corpus.source.line_end.join(lines)


def check_column(corpus: Corpus, column: int | None) -> None:
    """Raise ValueError where a corpus that was read has no such column to put tags into."""
    columns = corpus.source.layout.columns if corpus.source else 0
    if column is not None and not -columns <= column < columns:
        raise ValueError(
            f"{corpus.path}: no column {column}; the file has {columns} columns, counted from 0"
        )


def _tagged(layout: Layout, column: int | None, line: str, tag: str) -> str:
    if column is not None and len(layout.split(line)) < layout.columns:
        column = None  # the line whose tag was missing
    return layout.replaced(line, tag, column)


def _plain(corpus: Corpus) -> Iterator[str]:
    document = corpus.sentences[0].document if corpus.sentences else 0
    for sentence in corpus:
        if sentence.document != document:
            yield "-DOCSTART-\tO\n\n"
        document = sentence.document
        rows = zip(sentence.words, sentence.tags) if sentence.tags else zip(sentence.words)
        yield "".join("\t".join(row) + "\n" for row in rows) + "\n"


def write(corpus: Corpus, path: str | os.PathLike[str]) -> Path:
    """Write a corpus to a file, atomically, in the encoding it was read in."""
    encoding = corpus.source.encoding if corpus.source else "utf-8"
    return atomic_write(path, render(corpus).encode(encoding))
