"""Read and write CoNLL-style files: one token per line, an empty line after each sentence."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from micrograd.files import atomic_write, read_bytes
from micrograd.ner.text import schemes
from micrograd.ner.text.sentence import Corpus, Sentence

LONGEST_LINE = 100_000
ARCHIVE = b"PK\x03\x04"  # what a zip file, and so a saved model, begins with
_BLANKS = " \t\r"


def decode(data: bytes, path: str, encoding: str = "utf-8") -> str:
    """Decode a file's bytes without a leading BOM; ValueError names the line that fails."""
    if data.startswith(ARCHIVE):
        raise ValueError(f"{path}: an archive or a saved model, not text with one token per line")
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ValueError(
            f"{path}:{line}: byte 0x{data[error.start]:02x} is not {encoding}; "
            "name the file's encoding, for example --encoding latin-1"
        ) from None
    except (LookupError, UnicodeError):  # the latter from codecs for something else than text
        raise ValueError(f"unknown encoding {encoding!r}; try utf-8, latin-1 or utf-16") from None
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise ValueError(f"{path}:{line}: a zero byte; not text, or name it by --encoding utf-16")
    return text.removeprefix("\ufeff").replace("\r\n", "\n")


def parse(
    text: str, path: str = "<text>", word_column: int = 0, tag_column: int | None = -1
) -> Corpus:
    """Read CoNLL text with its tags as they stand; `tag_column=None` reads words only.

    Columns are split at TABs in a line that holds one, else at runs of blanks. ValueError
    with file:line for an over-long line, a line with another number of columns, or no token.
    """
    reader = _Reader(path, word_column, tag_column)
    for number, line in enumerate(text.split("\n"), 1):
        reader.read(number, line)
    reader.end_sentence()
    if not reader.corpus.sentences:
        raise ValueError(f"{path}: no token in it; expected one token per line")
    return reader.corpus


class _Reader:
    """What is known after the lines read so far."""

    def __init__(self, path: str, word_column: int, tag_column: int | None) -> None:
        self.corpus = Corpus([], path)
        self.word_column, self.tag_column = word_column, tag_column
        self.columns = 0
        self.document = 0
        self.rows: list[list[str]] = []
        self.numbers: list[int] = []

    def read(self, number: int, line: str) -> None:
        if len(line) > LONGEST_LINE:
            raise ValueError(
                f"{self.corpus.path}:{number}: a line of {len(line):,} characters; "
                "is this a CoNLL file with one token per line?"
            )
        row = split_columns(line)
        if not row:
            self.end_sentence()
        elif row[0].startswith("-DOCSTART-"):
            self.end_sentence()
            self.document += 1
            self.corpus.marked = True
        elif row[0][0:1] != "#" or not self._is_comment(row):
            self._token(number, line, row)

    def _is_comment(self, row: list[str]) -> bool:
        """Say whether a line that begins with # is a comment: it does not look like a token's."""
        if self.columns and len(row) != self.columns:
            return True
        if self.tag_column is None and (self.columns or row[0] != "#" or len(row) == 1):
            return False
        try:
            schemes.split_tag(row[-1 if self.tag_column is None else self.tag_column])
        except (ValueError, IndexError):
            return len(row) > 1
        return False

    def _token(self, number: int, line: str, row: list[str]) -> None:
        if not self.columns:
            self.columns = len(row)
            self.corpus.separator = " " if len(row) > 1 and "\t" not in line else "\t"
            self._check_columns(number)
        if len(row) != self.columns:
            raise ValueError(
                f"{self.corpus.path}:{number}: {len(row)} columns where the lines before have "
                f"{self.columns}: {line.strip(_BLANKS)[:60]!r}; is the tag column missing?"
            )
        if not row[self.word_column]:
            raise ValueError(f"{self.corpus.path}:{number}: the word column is empty")
        self.rows.append(row)
        self.numbers.append(number)

    def _check_columns(self, number: int) -> None:
        if self.tag_column is not None and self.columns < 2:
            raise ValueError(f"{self.corpus.path}:{number}: one column; the tag column is missing")
        for name, column in (("word", self.word_column), ("tag", self.tag_column)):
            if column is not None and not -self.columns <= column < self.columns:
                raise ValueError(
                    f"{self.corpus.path}:{number}: no {name} column {column}; "
                    f"the line has {self.columns} columns, counted from 0"
                )

    def end_sentence(self) -> None:
        if not self.rows:
            return
        words = [row[self.word_column] for row in self.rows]
        tags = [] if self.tag_column is None else [row[self.tag_column] for row in self.rows]
        rows = self.rows if self.columns > 2 else None
        sentence = Sentence(words, tags, self.numbers, rows, self.document)
        self.corpus.sentences.append(sentence)
        self.rows, self.numbers = [], []


def split_columns(line: str) -> list[str]:
    """Split a line at TABs or blanks; Unicode spaces stay inside the words."""
    line = line.rstrip(_BLANKS)
    if "\t" in line:
        return [column.strip(" ") for column in line.split("\t")]
    return [column for column in line.split(" ") if column]


def read(
    path: str | os.PathLike[str],
    *,
    encoding: str = "utf-8",
    word_column: int = 0,
    tag_column: int | None = -1,
    repair: bool = False,
    scheme: str | None = "BIO",
) -> Corpus:
    """Read a CoNLL file, its tags converted once from the scheme detected to `scheme`.

    `scheme=None` leaves the tags, and their sequence, as they stand. ValueError with
    file:line for what `parse` refuses, for tags of no known scheme, and, unless `repair`,
    for labels without a prefix and illegal sequences.
    """
    text = decode(read_bytes(path), str(path), encoding)
    corpus = parse(text, str(path), word_column, tag_column)
    return corpus if tag_column is None else normalise(corpus, scheme, repair)


def normalise(corpus: Corpus, scheme: str | None = "BIO", repair: bool = False) -> Corpus:
    """Detect the scheme of a corpus, check it, and convert its tags to `scheme`, in place."""
    _check_tags(corpus, repair)
    corpus.scheme = schemes.detect(sentence.tags for sentence in corpus)
    if scheme is None:
        return corpus
    if not repair:
        _check_sequences(corpus)
    for sentence in corpus:
        if any(tag != "O" for tag in sentence.tags):
            sentence.tags = schemes.convert(sentence.tags, scheme)
    return corpus


def _check_tags(corpus: Corpus, repair: bool) -> None:
    known = {"O"}
    for sentence in corpus:
        for position, tag in enumerate(sentence.tags):
            if tag in known:
                continue
            if repair and tag and "-" not in tag:
                sentence.tags[position] = f"I-{tag}"
                continue
            try:
                schemes.split_tag(tag)
            except ValueError as error:
                where = f"{corpus.path}:{sentence.line(position)}"
                raise ValueError(f"{where}: {error}{_label_remedy(tag)}") from None
            known.add(tag)


def _label_remedy(tag: str) -> str:
    return "" if "-" in tag or not tag else "; --repair reads labels without a prefix as entities"


def _check_sequences(corpus: Corpus) -> None:
    bad = [
        (sentence.line(position), sentence.tags[position])
        for sentence in corpus
        for position in schemes.illegal(sentence.tags, corpus.scheme)
    ]
    if bad:
        line, tag = bad[0]
        raise ValueError(
            f"{corpus.path}:{line}: {tag} may not stand here in {corpus.scheme} "
            f"({len(bad)} such tags in the file); --repair reads them by conlleval's rules"
        )


def render(corpus: Corpus) -> str:
    """Write a corpus as CoNLL text, other columns kept, comments not."""
    out: list[str] = []
    separator, document = corpus.separator, 0
    for sentence in corpus:
        if corpus.marked and sentence.document != document:
            out += [f"-DOCSTART-{separator}O", ""]
        document = sentence.document
        out += [separator.join(row) for row in _rows(sentence)] + [""]
    return "\n".join(out) + "\n"


def _rows(sentence: Sentence) -> Iterator[list[str]]:
    for position, word in enumerate(sentence.words):
        kept = sentence.rows[position][:-1] if sentence.rows else [word]
        yield [*kept, sentence.tags[position]] if sentence.tags else kept


def write(corpus: Corpus, path: str | os.PathLike[str]) -> Path:
    """Write a corpus to a file, atomically."""
    return atomic_write(path, render(corpus))
