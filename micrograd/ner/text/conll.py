"""Read and write CoNLL-style files: one token per line, an empty line after each sentence."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from micrograd.files import atomic_write, read_bytes
from micrograd.ner.text import encodings, foreign, notation, records, schemes
from micrograd.ner.text.lines import BLANKS, DOCUMENTS, Layout, find_layout, split_lines
from micrograd.ner.text.sentence import Corpus, Sentence, Source

BOM = "\ufeff"
LONGEST_LINE = 100_000
REMEMBERED = 100_000  # different lines that are split once only
FEW_BORDERS = 1_000  # tokens in one sentence that make a file without empty lines look odd


@dataclass
class Repairs:
    """What was repaired: per kind how often, and where first; without `allowed`, an error."""

    path: str
    allowed: bool
    kinds: dict[str, tuple[int, str]] = field(default_factory=dict)

    def __call__(self, line: int, what: str, kind: str, remedy: str) -> None:
        """Count a repair. ValueError with file:line where none is allowed."""
        if not self.allowed:
            raise ValueError(f"{self.path}:{line}: {what}; --repair {remedy}")
        count, first = self.kinds.get(kind, (0, f"{self.path}:{line}: {what}"))
        self.kinds[kind] = count + 1, first

    def notes(self) -> list[str]:
        """Say what was repaired."""
        return [f"repaired: {n:,} {kind}; first {at}" for kind, (n, at) in self.kinds.items()]


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
    repairs = Repairs(path, repair)
    reader = _Reader(path, layout, repairs)
    foreign.check(lines, path, layout.columns)
    for number, line in enumerate(lines, 1):
        reader.read(number, line)
    reader.end_sentence()
    if not reader.sentences:
        raise ValueError(f"{path}: no token in it; expected one token per line")
    end = "\n" if "\n" in text or "\r" not in text else "\r"
    source = Source(lines, layout, encoding, end, text[: text.startswith(BOM)])
    corpus = Corpus(reader.sentences, path, source=source)
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


class _Reader:
    """What is known after the lines read so far."""

    def __init__(self, path: str, layout: Layout, repairs: Repairs) -> None:
        self.path, self.layout, self.repairs = path, layout, repairs
        self.sentences: list[Sentence] = []
        self.document = 0
        self.words: list[str] = []
        self.tags: list[str] = []
        self.numbers: list[int] = []
        self.plain: dict[str, tuple[str, str]] = {}  # word and tag of lines that were read
        self.known: dict[str, str] = {}  # one object per tag

    def read(self, number: int, line: str) -> None:
        if pair := self.plain.get(line):
            self._add(number, *pair)
        else:
            self._read(number, line)

    def _read(self, number: int, line: str) -> None:
        row = self.layout.split(line)
        if not row or not any(row):
            self.end_sentence()
        elif line.startswith(DOCUMENTS):
            self.end_sentence()
            self.document += 1
        elif line[0] not in "#;$" or not self.layout.is_comment(line, row):
            self._token(number, line, row)

    def _token(self, number: int, line: str, row: list[str]) -> None:
        layout = self.layout
        if not self.numbers and not self.sentences:
            self._check_columns(number)
        whole = len(row) == layout.columns
        if not whole:
            row = self._completed(number, line, row)
        word, tag = row[layout.word], "O" if layout.tag is None else row[layout.tag]
        if not word:
            self.repairs(number, "the word column is empty", "empty words", "keeps it so")
        if not tag:
            self._untagged(number, line)
        pair = word, self.known.setdefault(tag or "O", tag or "O")
        if whole and word and tag and len(self.plain) < REMEMBERED:
            self.plain[line] = pair
        self._add(number, *pair)

    def _add(self, number: int, word: str, tag: str) -> None:
        self.words.append(word)
        self.numbers.append(number)
        if self.layout.tag is not None:
            self.tags.append(tag)

    def _completed(self, number: int, line: str, row: list[str]) -> list[str]:
        """Give a row its missing tag; ValueError for any other number of columns."""
        layout = self.layout
        last = layout.tag in (-1, layout.columns - 1)
        if len(row) != layout.columns - 1 or not last:
            raise ValueError(
                f"{self.path}:{number}: {len(row)} columns where the file has "
                f"{layout.columns}: {line.strip(BLANKS)[:60]!r}"
            )
        self._untagged(number, line)
        return [*row, "O"]

    def _untagged(self, number: int, line: str) -> None:
        what = f"no tag: {line.strip(BLANKS)[:60]!r}"
        self.repairs(number, what, "lines without a tag", "reads it as O")

    def _check_columns(self, number: int) -> None:
        layout = self.layout
        if layout.tag is not None and layout.columns < 2:
            raise ValueError(f"{self.path}:{number}: one column; the tag column is missing")
        for name, column in (("word", layout.word), ("tag", layout.tag)):
            if column is not None and not -layout.columns <= column < layout.columns:
                raise ValueError(
                    f"{self.path}:{number}: no {name} column {column}; "
                    f"the file has {layout.columns} columns, counted from 0"
                )

    def end_sentence(self) -> None:
        if self.words:
            self.sentences.append(Sentence(self.words, self.tags, self.numbers, self.document))
            self.words, self.tags, self.numbers = [], [], []


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


def normalise(
    corpus: Corpus, scheme: str | None = "BIO", repair: bool = False, tags: str = ""
) -> Corpus:
    """Find the notation and the scheme of a corpus, check them, and convert, in place."""
    said_scheme, said_notation = _said(tags)
    repairs = Repairs(corpus.path, repair)
    _read_tags(corpus, said_notation, repairs)
    corpus.scheme = said_scheme or schemes.detect(sentence.tags for sentence in corpus)
    if scheme is not None:
        _check_sequences(corpus, repairs)
        as_wanted = scheme == corpus.scheme and not said_scheme and not repairs.kinds
        for sentence in () if as_wanted else corpus:
            sentence.tags = schemes.convert(sentence.tags, scheme)
    corpus.notes += repairs.notes()
    return corpus


def _said(tags: str) -> tuple[str | None, str | None]:
    scheme = written = None
    for part in filter(None, tags.split(",")):
        name = {"BILOU": "BIOES", "IOBES": "BIOES", "IOB2": "BIO"}.get(part.upper(), part)
        if name.upper() in schemes.SCHEMES:
            scheme = name.upper()
        elif name in notation.NOTATIONS:
            written = name
        else:
            known = ", ".join((*schemes.SCHEMES, *notation.NOTATIONS))
            raise ValueError(f"unknown tags {part!r}: expected some of {known}")
    return scheme, written


def _read_tags(corpus: Corpus, said: str | None, repairs: Repairs) -> None:
    """Write every tag as B-X. ValueError with file:line for what is no tag."""
    every = dict.fromkeys(tag for sentence in corpus for tag in sentence.tags)
    used = notation.NOTATIONS[said] if said else notation.find(every)
    corpus.written = used.name
    known = {tag: "O" if notation.outside(tag) else used.read(tag) for tag in every}
    if all(tag == new for tag, new in known.items()):
        return
    for sentence in corpus:
        for position, tag in enumerate(sentence.tags):
            sentence.tags[position] = known[tag] or _bare(tag, used, sentence, position, repairs)


def _bare(
    tag: str, used: notation.Notation, sentence: Sentence, position: int, repairs: Repairs
) -> str:
    """Read a bare label among tags that have letters."""
    label, line = notation.NOTATIONS["X"].read(tag), sentence.line(position)
    if label is None or used.name == "X":
        raise ValueError(
            f"{repairs.path}:{line}: unknown tag {tag!r}: expected O, or one of B- I- E- S- "
            "(L- U- M-) and a type; name the tag column, or how tags are written by --tags"
        )
    repairs(
        line, f"unknown tag {tag!r}", "labels without a letter", "reads such labels as entities"
    )
    return label


def _check_sequences(corpus: Corpus, repairs: Repairs) -> None:
    for sentence in corpus:
        for position in schemes.illegal(sentence.tags, corpus.scheme):
            repairs(
                sentence.line(position),
                f"{sentence.tags[position]} may not stand here in {corpus.scheme}",
                "tags out of sequence",
                "reads them by conlleval's rules",
            )


def rename(corpus: Corpus, types: Mapping[str, str], drop: Collection[str]) -> None:
    """Rename entity types and leave some out, in place; the tags are written in BIO."""
    if not types and not drop:
        return
    for sentence in corpus:
        kept = (span for span in schemes.spans(sentence.tags) if span.type not in drop)
        new = [span._replace(type=types.get(span.type, span.type)) for span in kept]
        sentence.tags = schemes.encode(new, len(sentence.tags), "BIO")


def render(corpus: Corpus, column: int | None = None) -> str:
    """Write a corpus as CoNLL text.

    Of a corpus that was read, every line comes back as it was, but for the tag: it replaces the
    one in the column that was read, or in `column`, or is appended where no tags were read.
    """
    if corpus.source is None:
        return "".join(_plain(corpus))
    lines, layout = list(corpus.source.lines), corpus.source.layout
    column = layout.tag if column is None else column
    for sentence in corpus:
        for number, tag in zip(sentence.lines, sentence.tags):
            lines[number - 1] = _tagged(layout, lines[number - 1], tag, column)
    return corpus.source.bom + corpus.source.line_end.join(lines)


def check_column(corpus: Corpus, column: int | None) -> None:
    """Raise ValueError where a corpus that was read has no such column to put tags into."""
    columns = corpus.source.layout.columns if corpus.source else 0
    if column is not None and not -columns <= column < columns:
        raise ValueError(
            f"{corpus.path}: no column {column}; the file has {columns} columns, counted from 0"
        )


def _tagged(layout: Layout, line: str, tag: str, column: int | None) -> str:
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
