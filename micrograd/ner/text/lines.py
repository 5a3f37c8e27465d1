"""What the lines of a file with one token per line are: one rule, found per file and kept.

A line is a token, an empty line after a sentence, a comment, or the border of a document. Columns
are separated by TABs where most lines hold one, else by runs of blanks.
"""

from __future__ import annotations

import re
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from micrograd.printing import counted

BLANKS = " \t\r"
TAB = "\t"
DOCUMENTS = ("-DOCSTART-", "# newdoc")
_WORD = re.compile(r"[^ \t]+")
_COMMENT = re.compile(r"#\s|;|\$\s")
_TAGGED = re.compile(r"(?i:[BIESLUM][-_]\S|.+[-_][BIESLUM]$|[OBIES]$)")
_KEYED = re.compile(r"#\s*\S+ = |# new(doc|par)\b")  # the comments of CoNLL-U


BORDER, DOCUMENT, COMMENT = "border", "document", "comment"


class Token(NamedTuple):
    """A word and its tag; `faults` say what `--repair` mends: what, its kind, and how."""

    word: str
    tag: str
    faults: tuple[tuple[str, str, str], ...] = ()


@dataclass(frozen=True)
class Layout:
    """The rule of one file: separator, number of columns, where word and tag stand.

    `tags` are those of the lines that can only be tokens.
    """

    separator: str
    columns: int
    word: int
    tag: int | None
    tags: frozenset[str]

    def split(self, line: str) -> list[str]:
        """Split a line into columns; Unicode spaces stay inside the words."""
        return [line[start:end] for start, end in self.places(line)]

    def places(self, line: str) -> list[tuple[int, int]]:
        """Give where the columns of a line begin and end."""
        body = line.rstrip(BLANKS)
        if self.separator != TAB:
            return [match.span() for match in _WORD.finditer(body)]
        out, start = [], 0
        for column in body.split(TAB) if body else ():
            word, first = column.strip(" "), start + len(column) - len(column.lstrip(" "))
            out.append((first, first + len(word)))
            start += len(column) + 1
        return out

    def check_column(self, column: int | None, at: str, kind: str = "") -> None:
        """Raise ValueError where the file has no such column."""
        if column is not None and not -self.columns <= column < self.columns:
            raise ValueError(
                f"{at}: no {kind}column {column}; "
                f"the file has {counted(self.columns, 'column')}, counted from 0"
            )

    def meaning(self, line: str) -> Token | str:
        """Say what a line is: a token, or one of BORDER, DOCUMENT, COMMENT.

        ValueError for another number of columns, but for a tag that is missing at the end.
        """
        row = self.split(line)
        if not any(row):
            return BORDER
        if line.startswith(DOCUMENTS):
            return DOCUMENT
        if line[0] in "#;$" and self.is_comment(line, row):
            return COMMENT
        return self._token(line, row)

    def _token(self, line: str, row: list[str]) -> Token:
        shown, faults = repr(line.strip(BLANKS)[:60]), []
        if len(row) == self.columns - 1 and self.tag in (-1, self.columns - 1):
            row = [*row, ""]
        if len(row) != self.columns:
            raise ValueError(
                f"{counted(len(row), 'column')} where the file has {self.columns}: {shown}"
            )
        word, tag = row[self.word], "O" if self.tag is None else row[self.tag]
        if not word:
            faults.append(("the word column is empty", "empty words", "keeps it so"))
        if not tag:
            faults.append((f"no tag: {shown}", "lines without a tag", "reads it as O"))
        return Token(word, sys.intern(tag or "O"), tuple(faults))

    def is_comment(self, line: str, row: Sequence[str]) -> bool:
        """Say whether a line that could be one is a comment: it does not look like the tokens."""
        line = line.rstrip(BLANKS)
        if not _COMMENT.match(line):
            return line.startswith("#") and len(row) not in (self.columns, self.columns - 1)
        if len(row) != self.columns:
            return len(line) > 1
        if self.tag is None or self.separator == "\t":
            return bool(_KEYED.match(line))
        tag = row[self.tag]
        return tag not in self.tags and not _TAGGED.match(tag)

    def replaced(self, line: str, tag: str, column: int | None) -> str:
        """Give a token's line with the tag in a column, or appended; every other byte is kept.

        It is appended too where the line's own tag was missing.
        """
        places = self.places(line)
        if column is not None and len(places) == self.columns:
            start, end = places[column]
            return line[:start] + tag + line[end:]
        end = len(line.rstrip(BLANKS))
        return f"{line[:end]}{self.separator if self.columns > 1 else TAB}{tag}{line[end:]}"


def split_lines(text: str) -> list[str]:
    """Split a text at its line ends, \\r alone where there is no \\n; a \\r before \\n is kept."""
    return text.split("\n") if "\n" in text or "\r" not in text else text.split("\r")


def find_layout(lines: Iterable[str], word: int, tag: int | None) -> Layout:
    """Find the rule of a file: most of its lines that can only be tokens follow it."""
    full = {line: count for line, count in Counter(lines).items() if line.strip(BLANKS)}
    sure = {line: count for line, count in full.items() if only_token(line)} or full
    tabs = sum(count for line, count in sure.items() if "\t" in line.rstrip(BLANKS))
    layout = Layout("\t" if 2 * tabs > sum(sure.values()) else " ", 0, word, tag, frozenset())
    counts, tags = Counter[int](), defaultdict[int, set[str]](set)
    for line, count in sure.items():
        row = layout.split(line)
        counts[len(row)] += count
        if tag is not None and -len(row) <= tag < len(row):
            tags[len(row)].add(row[tag])
    columns = counts.most_common(1)[0][0] if counts else 0
    return Layout(layout.separator, columns, word, tag, frozenset(tags[columns]))


def only_token(line: str) -> bool:
    """Say whether a line that is not empty can be nothing but a token."""
    return line[0] not in "#;$" and not line.startswith(DOCUMENTS)
