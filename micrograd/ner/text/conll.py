"""Read and write CoNLL-style files: one token per line, an empty line after each sentence."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import cache, partial
from itertools import pairwise
from pathlib import Path

from micrograd import encodings
from micrograd.files import atomic_write, read_bytes
from micrograd.ner.text import records
from micrograd.ner.text.lines import BLANKS, COMMENT, DOCUMENT, Layout, Token, find_layout
from micrograd.ner.text.notation import Repairs, normalise, rename
from micrograd.ner.text.sentence import Corpus, Sentence, Source

LONGEST_LINE = 100_000
UNWRITABLE = "it is empty, begins or ends with a blank, or holds a TAB or a line's end"
_WRITABLE = re.compile(r"[^ \t\r\n\ufeff][^\t\r\n]*(?<! )")
FEW_BORDERS = 1_000, 200  # tokens, and those of a sentence on average, that look odd


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
    end = "\n" if "\n" in text else "\r"  # a \r before \n stays in its line
    lines = text.split(end)
    for number, line in enumerate(lines, 1):
        if len(line) > LONGEST_LINE:
            told = f"a line of {len(line):,} characters; expected one token per line"
            raise ValueError(f"{path}:{number}: {told}")
        if "\r" in line.rstrip(BLANKS):
            raise ValueError(f"{path}:{number}: a carriage return within the line; end all alike")
    layout = find_layout(lines, word_column, tag_column)
    records.check_kind(lines, path, layout.columns)
    layout.check(path)
    repairs = Repairs(path, repair)
    sentences = list(_sentences(lines, layout, repairs))
    if not sentences:
        raise ValueError(f"{path}: no token in it; expected one token per line")
    if layout.columns > 1 and _counted(sentences):
        raise ValueError(
            f"{path}:{layout.first}: word column {word_column} counts the tokens, 1 2 3; "
            "name the column of the words by --word-column"
        )
    source = Source(lines, layout, encoding, end)
    corpus = Corpus(sentences, path, source=source, notes=repairs.notes())
    if corpus.tokens >= FEW_BORDERS[0] and (mean := corpus.tokens // len(corpus)) >= FEW_BORDERS[1]:
        corpus.notes.append(f"few empty lines: a sentence has {mean:,} tokens on average")
    return corpus


def _sentences(lines: list[str], layout: Layout, repairs: Repairs) -> Iterator[Sentence]:
    """Join the tokens between borders; a comment is none."""
    meaning_of = cache(layout.meaning)
    tokens: dict[int, Token] = {}  # by their line's number
    document = 0
    for number, line in enumerate([*lines, ""], 1):
        try:
            meaning = meaning_of(line)
        except ValueError as error:
            raise ValueError(f"{repairs.path}:{number}: {error}") from None
        if isinstance(meaning, Token):
            tokens[number] = meaning
            for fault in meaning.faults:
                repairs(number, *fault)
        elif meaning == COMMENT:
            if tokens or not line.lstrip(encodings.BOM).startswith("#"):
                repairs.comments.append(number)
        else:
            if tokens:
                words, tags, _ = map(list, zip(*tokens.values()))
                own = tags if layout.tag is not None else []
                yield Sentence(words, own, [*tokens], document, path=repairs.path)
            tokens = {}
            document += meaning == DOCUMENT


def _counted(sentences: Iterable[Sentence]) -> bool:
    """Say whether most words are one more than the word before, as those of a column of numbers."""
    pairs = [pair for sentence in sentences for pair in pairwise(sentence.words)]
    steps = sum(a.isdecimal() and b == str(int(a[:9]) + 1) for a, b in pairs)
    return 2 * steps > len(pairs)


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
    corpus = normalise(corpus, scheme, repair, tags)
    rename(corpus, types or {}, drop)
    return corpus


def render(corpus: Corpus, column: int | None = None) -> str:
    """Write a corpus as CoNLL text.

    Of a corpus that was read, every line comes back as it was, but for the tag: it replaces the
    one in the column that was read, or in `column`, or is appended where no tags were read.
    ValueError for a column that it has not, and for a tag that would be two.
    """
    if corpus.source is None:
        return "".join(_plain(corpus))
    lines, layout = list(corpus.source.lines), corpus.source.layout
    layout.check_column(column, corpus.path)
    column = layout.tag if column is None else column
    tagged = cache(partial(layout.replaced, column=column))
    for sentence in corpus:
        for number, tag in zip(sentence.lines, sentence.tags):
            lines[number - 1] = tagged(lines[number - 1], tag)
    return corpus.source.line_end.join(lines)


def _plain(corpus: Corpus) -> Iterator[str]:
    for before, sentence in zip([*corpus.sentences[:1], *corpus], corpus):
        if sentence.document != before.document:
            yield "-DOCSTART-\tO\n\n"
        for word in sentence.words:
            if not _WRITABLE.fullmatch(word):
                raise ValueError(f"{word!r} cannot be written as a word: {UNWRITABLE}")
        rows = zip(sentence.words, sentence.tags) if sentence.tags else zip(sentence.words)
        yield "".join("\t".join(row) + "\n" for row in rows) + "\n"


def write(corpus: Corpus, path: str | os.PathLike[str]) -> Path:
    """Write a corpus to a file, atomically, in the encoding it was read in."""
    encoding = corpus.source.encoding if corpus.source else "utf-8"
    return atomic_write(path, render(corpus).encode(encoding))
