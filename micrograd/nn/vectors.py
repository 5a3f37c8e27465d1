"""Read word vectors in GloVe's and word2vec's text formats and word2vec's binary one.

Files packed by gzip, or alone in a zip archive, are read as they are.
"""

from __future__ import annotations

import errno
import gzip
import itertools
import os
import zipfile
import zlib
from codecs import BOM_UTF8
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from micrograd.encodings import PACKED
from micrograd.files import file_errors
from micrograd.printing import counted, shorten

FOREIGN = {
    b"\xba\x16O/": "fastText's binary model (.bin): use the .vec file beside it",
    b"\x93NUMPY": "a NumPy array without words",
    b"\x80": "a pickle, which is not opened: it could run code",
} | PACKED
LONGEST_LINE = 1_000_000
FIGURES = 20  # of a count of rows, fewer
Row = tuple[str, str, NDArray[np.float32]]  # where it stands, its word, its numbers


@dataclass(frozen=True)
class Vectors:
    """The rows found for the words asked for, and how they were found."""

    width: int
    rows: dict[str, NDArray[np.float32]]
    asked: int
    other_case: int

    def describe(self) -> str:
        """Say the hit rate and how many words were found in other case only."""
        share = 100 * len(self.rows) / max(self.asked, 1)
        return (
            f"{len(self.rows):,} of {self.asked:,} words have a vector ({share:.1f} %), "
            f"{self.other_case:,} of them by their form in other case"
        )


def read_vectors(
    path: str | os.PathLike[str], words: Iterable[str], width: int | None = None
) -> Vectors:
    """Read the vectors of the given words only; the format is recognised.

    ValueError with the line where a row has another width, no numbers, or the file ends
    before the row that its header counts to, and where `width` is given and the file's is another.
    """
    wanted = list(dict.fromkeys(words))
    keys = {form for word in wanted for form in _forms(word)}
    found: dict[str, NDArray[np.float32]] = {}
    with file_errors(path), _packing_errors(path), ExitStack() as files:
        own, rows = _open(_unpacked(Path(path), files), str(path), keys)
        if width not in (None, own):
            raise ValueError(
                f"{path}: vectors of width {own}, but the model's is {width}; "
                f"ask for {counted(own, 'dimension')} or choose another file"
            )
        for where, word, row in rows:
            if not np.isfinite(row).all():
                raise ValueError(f"{where}: nan or inf among the numbers; the file is damaged")
            found.setdefault(word, row)
    hits = {word: next((f for f in _forms(word) if f in found), None) for word in wanted}
    result = {word: found[form] for word, form in hits.items() if form is not None}
    other = sum(form not in (None, word) for word, form in hits.items())
    return Vectors(own, result, len(wanted), other)


def _forms(word: str) -> tuple[str, str, str]:
    """Give the forms to look up in turn: as it is, in lower case, and with a capital."""
    return word, word.lower(), word.capitalize()


def _text_rows(file: BinaryIO, path: str, width: int, count: int, keys: set[str]) -> Iterator[Row]:
    rows = 0
    for number, line in enumerate(file, 2 if count else 1):
        where = f"{path}:{number}"
        rows += not line.isspace()
        parts = line.rsplit(None, width)  # a word may have blanks in it
        if not parts or (len(parts) == width and line[:1].isspace() and _is_number(parts[0])):
            continue  # no word, or one of blanks
        if len(parts) <= width:
            raise _wrong(where, f"{counted(len(parts) - 1, 'number')} after the word", width)
        if _is_number(parts[0].split()[-1]) and len(parts[0].split()) > 1:
            raise _wrong(where, "a number too many", width)
        word = parts[0].strip().decode("utf-8", "replace")
        if word in keys:
            try:
                with np.errstate(over="ignore"):  # what is inf is told
                    row = np.array([_number(part) for part in parts[1:]], np.float32)
            except ValueError:
                read = b" ".join(parts[1:4]).decode("utf-8", "replace")
                raise _wrong(where, f"no number among {shorten(read)}", width) from None
            yield where, word, row
    if rows < count:
        raise ValueError(f"{path}: ends after row {rows:,} of {count:,}; the file is cut short")


def _wrong(where: str, what: str, width: int) -> ValueError:
    return ValueError(f"{where}: {what}; expected {width} of them")


def _binary_rows(
    file: BinaryIO, path: str, width: int, count: int, keys: set[str]
) -> Iterator[Row]:
    for number in itertools.count(1):
        word, data = _binary_word(file), file.read(4 * width)
        if number > count and not word and not data:
            return  # rows that were added are read, as in a text
        if len(data) < 4 * width:
            last = max(number, count)
            raise ValueError(f"{path}: ends in row {number} of {last}; the file is cut short")
        if word in keys:
            yield f"{path}: row {number}", word, np.frombuffer(data, "<f4").copy()


@contextmanager
def _packing_errors(path: str | os.PathLike[str]) -> Iterator[None]:
    """Word what gzip and zip archives that cannot be read raise."""
    try:
        yield
    except (zipfile.BadZipFile, EOFError, zlib.error, OSError) as error:
        if getattr(error, "errno", None) not in (None, errno.EINVAL):  # of a place before its start
            raise
        raise ValueError(f"{path}: the archive is damaged; fetch it again, or unpack it") from None
    except (RuntimeError, NotImplementedError) as error:  # a password, an unknown compression
        raise ValueError(f"{path}: the archive cannot be read, {error}; unpack it") from None


def _unpacked(path: Path, files: ExitStack) -> BinaryIO:
    """Open a file, through gzip or zip if it is packed. ValueError for several files in one."""
    file: Any = files.enter_context(path.open("rb"))
    if not file.seekable():
        file = BytesIO(file.read())
    head = file.read(8)
    file.seek(0)
    if head.startswith(b"\x1f\x8b"):
        return files.enter_context(gzip.GzipFile(fileobj=file))  # type: ignore[return-value]
    if head.startswith(b"PK\x03\x04"):
        archive = files.enter_context(zipfile.ZipFile(file))
        names = [name for name in archive.namelist() if not name.endswith("/")]
        if len(names) != 1:
            raise ValueError(
                f"{path}: {len(names)} files in the archive ({', '.join(names[:4])}); "
                "unpack it, and name one of them"
            )
        return files.enter_context(archive.open(names[0]))  # type: ignore[return-value]
    for start, kind in FOREIGN.items():
        if head.startswith(start):
            raise ValueError(f"{path}: this is {kind}; expected vectors in text or word2vec's form")
    return file  # type: ignore[no-any-return]


def _number(part: bytes) -> float:
    if b"_" in part:  # which Python skips in a number
        raise ValueError
    return float(part)


def _is_number(part: bytes) -> bool:
    try:
        _number(part)
    except ValueError:
        return False
    return True


def _binary_word(file: BinaryIO) -> str:
    letters = bytearray()
    while (letter := file.read(1)) not in (b" ", b""):
        letters += letter
    return letters.lstrip(b"\n").decode("utf-8", "replace")


def _open(file: BinaryIO, path: str, keys: set[str]) -> tuple[int, Iterator[Row]]:
    """Recognise the format: give width and rows. A first line of two integers is a header."""
    begin = len(BOM_UTF8) if file.read(len(BOM_UTF8)) == BOM_UTF8 else 0
    file.seek(begin)
    fields = file.readline(LONGEST_LINE).split()
    header = len(fields) == 2 and all(x.isdigit() and len(x) < FIGURES for x in fields)
    count, width = map(int, fields) if header else (0, _trailing_numbers(fields))
    if not 1 <= width <= LONGEST_LINE:
        raise ValueError(f"{path}:1: no word vectors; expected a word and its numbers")
    start = file.tell() if header else begin
    binary = header and not _is_text_row(file.readline(LONGEST_LINE), width)
    file.seek(start)
    return width, (_binary_rows if binary else _text_rows)(file, path, width, count, keys)


def _is_text_row(line: bytes, width: int) -> bool:
    fields = line.split()
    return width <= _trailing_numbers(fields) if len(fields) > width else not line


def _trailing_numbers(fields: list[bytes]) -> int:
    return len(list(itertools.takewhile(_is_number, reversed(fields[1:]))))
