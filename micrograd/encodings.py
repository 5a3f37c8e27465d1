"""Find out how a file's bytes are encoded, or refuse: a guess that cannot fail is no guess."""

from __future__ import annotations

from micrograd.printing import shorten

__all__ = ["AUTO", "BOM", "PACKED", "check_unpacked", "decode"]

BOM = "\ufeff"
MARKED = ("utf-8", "utf-32-le", "utf-32-be", "utf-16-le", "utf-16-be")  # one's BOM begins another's
AUTO = "auto"
PACKED = {  # by what a file begins with
    b"PK\x03\x04": "an archive or a saved model, a .docx or .xlsx, not text",
    b"\xd0\xcf\x11\xe0": "a .doc or .xls: save it as text",
    b"{\\rtf": "a document with formats (RTF): save it as text",
    b"%PDF-1": "a PDF, not text",
    b"\x1f\x8b": "packed by gzip: unpack it",
    b"BZh9": "packed by bzip2: unpack it",
    b"\xfd7zXZ": "packed by xz: unpack it",
}
REMEDY = (
    "name the file's encoding by --encoding, such as cp1252 for western letters, "
    "cp1251 for Cyrillic, gb18030 for Chinese"
)
TOLD = (AUTO, "utf-16", "utf-32", "utf-8-sig")  # the file's first bytes say which it is


def decode(data: bytes, path: str, encoding: str = AUTO) -> tuple[str, str]:
    """Decode a file's bytes: its text, with its BOM, and the encoding that gives the bytes back.

    `auto` takes a BOM, UTF-8, or UTF-16 that shows by its zero bytes. ValueError with file:line
    for a byte that does not fit.
    """
    check_unpacked(data, path)
    name = _told(data) if encoding.lower().replace("_", "-") in TOLD else encoding
    try:
        text = data.decode(name)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ValueError(
            f"{path}:{line}: byte 0x{data[error.start]:02x} is not {name}; {REMEDY}"
        ) from None
    except (LookupError, UnicodeError):  # the latter from codecs for something else than text
        raise ValueError(f"unknown encoding {shorten(name)}; try utf-8, cp1252 or utf-16") from None
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise ValueError(f"{path}:{line}: a zero byte; not text, or name it by --encoding utf-16")
    return text, name


def check_unpacked(data: bytes, path: str) -> None:
    """Raise ValueError where the data of a file of text begin as those of a packed one do."""
    for start, what in PACKED.items():
        if data.startswith(start):
            raise ValueError(f"{path}: {what}")


def _told(data: bytes) -> str:
    """Name the encoding a file's first bytes tell; utf-8 where they tell none."""
    for name in MARKED:
        if data.startswith(BOM.encode(name)):
            return name
    head = data[:4096]
    for offset, name in ((1, "utf-16-le"), (0, "utf-16-be")):
        if head[offset::2].count(0) > len(head) / 5:
            return name
    return "utf-8"
