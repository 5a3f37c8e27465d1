"""What the lines of a file with one token per line are: one rule, found per file and kept.

A line is a token, an empty line after a sentence, a comment, or the border of a document. Columns
are separated by TABs where most lines hold one, else by runs of blanks.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Iterable, Set
from dataclasses import dataclass, replace
from typing import NamedTuple

from micrograd.encodings import BOM
from micrograd.printing import counted

BLANKS = " \t\r"
TAB = "\t"
MARKS = ("#", ";", "$")  # what a comment begins with
DOCUMENT_NAME = "-DOCSTART-"
_COLUMNS = {
    TAB: re.compile(rf"(?:^{BOM}*|(?<=\t)) *([^ \t]*(?: +[^ \t]+)*)"),
    " ": re.compile(rf"((?!{BOM})[^ \t]+)"),
}
_COMMENT = re.compile(r"#\s|;|\$\s")
_TAGGED = re.compile(r"(?i:[BIESLUM][-_]\S|.+[-_][BIESLUM]$|[OBIES]$)")
_HEADER = re.compile("(?i:(word|token|form|text)s? ((ner|ne|bio|iob)?[-_]?(tag|label)s?|ner))")
_DOCUMENT = re.compile(rf"{DOCUMENT_NAME}(\s|$)|# newdoc\b")
_KEYED = re.compile(r"#\s*\S+ =(\s|$)|# (new(doc|par)|id)\b")  # of CoNLL-U, and MultiCoNER
BORDER, DOCUMENT, COMMENT = "border", "document", "comment"


class Token(NamedTuple):
    """A word and its tag; `faults` say what `--repair` mends: what, its kind, and how."""

    word: str
    tag: str
    faults: tuple[tuple[str, str, str], ...] = ()


@dataclass(frozen=True)
class Layout:
    """The rule of one file: separator, number of columns, where word and tag stand.

    `tags` are those of the lines that can only be tokens, `first` is such a line's number.
    """

    separator: str
    columns: int
    word: int
    tag: int | None
    tags: Set[str]
    first: int

    def split(self, line: str) -> list[str]:
        """Split a line into columns; Unicode spaces stay inside the words."""
        return [line[start:end] for start, end in self.places(line)]

    def places(self, line: str) -> list[tuple[int, int]]:
        """Give where the columns of a line begin and end."""
        return [m.span(1) for m in _COLUMNS[self.separator].finditer(line.rstrip(BLANKS))]

    def check(self, path: str) -> None:
        """Raise ValueError with file:line where the file lacks the word's or the tag's column."""
        at = f"{path}:{self.first}"
        if self.tag is not None and self.columns == 1:
            raise ValueError(f"{at}: one column; the tag column is missing")
        if self.columns:
            self.check_column(self.word, at, "word ")
            self.check_column(self.tag, at, "tag ")

    def check_column(self, column: int | None, at: str, kind: str = "") -> None:
        """Raise ValueError where the file has no such column."""
        if column is not None and not -self.columns <= column < self.columns:
            columns = counted(self.columns, "column") + " between TABs" * (self.separator == TAB)
            raise ValueError(
                f"{at}: no {kind}column {column}; the file has {columns}, counted from 0"
            )

    def meaning(self, line: str) -> Token | str:
        """Say what a line is: a token, or one of BORDER, DOCUMENT, COMMENT.

        ValueError for another number of columns, but for a tag that is missing at the end.
        """
        row, line = self.split(line), line.lstrip(BOM)
        if not any(row):
            return BORDER
        if _DOCUMENT.match(line) or DOCUMENT_NAME in row:
            return DOCUMENT
        if self._is_comment(line, row):
            return COMMENT
        return self._token(line, row)

    def _token(self, line: str, row: list[str]) -> Token:
        shown, faults = repr(line.strip(BLANKS)[:60]), []
        if len(row) == self.columns - 1 and self.tag in (-1, self.columns - 1):
            _, blank, end = row[-1].rpartition(" ")
            if blank and (end in self.tags or (len(end) > 1 and _TAGGED.match(end))):
                raise ValueError(f"a blank where the file has a TAB, before the tag: {shown}")
            row = [*row, ""]
        if len(row) != self.columns:
            raise ValueError(
                f"{counted(len(row), 'column')} where the file has {self.columns}: {shown}"
            )
        word, tag = row[self.word], "O" if self.tag is None else row[self.tag]
        if _HEADER.fullmatch(f"{word} {tag}"):
            raise ValueError(f"{word!r}, {tag!r}: the names of columns, no token; remove the line")
        if not word:
            faults.append(("the word column is empty", "empty words", "keeps it so"))
        if not tag:
            faults.append((f"no tag: {shown}", "lines without a tag", "reads it as O"))
        return Token(word, sys.intern(tag or "O"), tuple(faults))

    def _is_comment(self, line: str, row: list[str]) -> bool:
        """Say whether a line that could be one does not look like the tokens."""
        line = line.rstrip(BLANKS)
        if not _COMMENT.match(line):
            return line.startswith("#") and len(row) not in (self.columns, self.columns - 1)
        if len(row) != self.columns:
            return len(line) > 1
        if self.tag is None or self.separator == TAB:
            return bool(_KEYED.match(line))
        return row[self.tag] not in self.tags and not _TAGGED.match(row[self.tag])

    def replaced(self, line: str, tag: str, column: int | None) -> str:
        """Give a token's line with the tag in its column, or appended where the line lacks it."""
        if " " in tag and self.separator == " " and self.columns > 1:
            raise ValueError(f"{tag!r} has a blank, as between the file's columns: put TABs there")
        places = self.places(line)
        if column is not None and len(places) == self.columns:
            start, end = places[column]
            return line[:start] + tag + line[end:]
        end = len(line.rstrip(BLANKS))
        return f"{line[:end]}{self.separator if self.columns > 1 else TAB}{tag}{line[end:]}"


def find_layout(lines: Iterable[str], word: int, tag: int | None) -> Layout:
    """Find the rule of a file: most of its lines that can only be tokens follow it."""
    begun = ((n, line.lstrip(BOM)) for n, line in enumerate(lines, 1))
    full = [(n, line) for n, line in begun if line.strip(BLANKS)]
    sure = [(n, line) for n, line in full if not line.startswith((*MARKS, DOCUMENT_NAME))] or full
    counts = Counter(line for _, line in sure)
    tabs = sum(count for line, count in counts.items() if TAB in line.rstrip(BLANKS))
    first = sure[0][0] if sure else 0
    layout = Layout(TAB if 2 * tabs > len(sure) else " ", 0, word, tag, frozenset(), first)
    rows = [(layout.split(line), count) for line, count in counts.items()]
    sizes = Counter[int]()
    for row, count in rows:
        sizes[len(row)] += count
    columns = max(sizes, key=sizes.__getitem__, default=0)
    whole = [row for row, _ in rows if len(row) == columns]
    tags = {row[tag] for row in whole if tag is not None and -columns <= tag < columns}
    return replace(layout, columns=columns, tags=tags)
