"""The standard streams as they may be: closed, full, without a reader, or of few characters."""

from __future__ import annotations

import codecs
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import TextIOBase
from typing import Any

from micrograd.printing import one_line

# What a stream of few characters shows instead; other characters are spelled out, as \u03c3 is.
PLAIN = {
    "∂": "d",
    "×": "*",
    "·": "*",
    "−": "-",
    "–": "-",
    "→": "->",
    "Σ": "sum",
    "σ": "sigma",
    "…": "...",
    "∇": "grad",
    "≠": "!=",
    "│": "|",
    "─": "-",
    "“": '"',
    "”": '"',
    "’": "'",
    "✓": "ok",
    "✗": "x",
}


def _plainly(error: UnicodeError) -> tuple[str | bytes, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    lacking = error.object[error.start : error.end]
    return "".join(PLAIN.get(c, c.encode("unicode_escape").decode()) for c in lacking), error.end


codecs.register_error("plainly", _plainly)


class Closed(TextIOBase):
    """Stand for a stream that was closed before the program began."""

    def __init__(self, name: str, remedy: str) -> None:
        self.text = f"standard {name} is closed; {remedy}"

    def _refuse(self, *_: Any) -> Any:
        raise OSError(self.text)

    read = write = readline = readable = _refuse

    @property
    def buffer(self) -> Closed:
        """Return the stream itself, which reads no bytes either."""
        return self

    def isatty(self) -> bool:
        """Tell that nobody looks."""
        return False


def prepare() -> None:
    """Put stand-ins where streams are closed; let no character stop an output, and no width."""
    if not os.environ.get("COLUMNS", "80").strip("0"):  # of a terminal that does not know it
        del os.environ["COLUMNS"]  # which rich would fill 0 columns for
    for number in (0, 1, 2):  # a file opened later must not get the number of a stream
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    if sys.stdin is None:
        sys.stdin = Closed("input", "name a file to read")
    if sys.stdout is None:
        sys.stdout = Closed("output", "name a file to write, or open it")
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="plainly")


def write_document(text: str) -> None:
    """Write what programs read, as a picture or JSON, to standard output: UTF-8, as in a file."""
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace")
    sys.stdout.write(text)


def note(text: str) -> None:
    """Say on standard error what was done; where nobody can read it, the work stands."""
    with suppress(OSError, ValueError):
        print(one_line(text), file=sys.stderr, flush=True)


def give_up_output() -> None:
    """Send what standard output still holds nowhere, so that the end of the program is quiet."""
    with suppress(OSError, ValueError, AttributeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


class _Lasting(TextIOBase):
    """Pass on what is written until the stream fails, then go on in silence."""

    def __init__(self, stream: Any) -> None:
        self.stream = stream
        self.failure: OSError | None = None

    def write(self, text: str) -> int:
        self._tried(self.stream.write, text)
        return len(text)

    def flush(self) -> None:
        self._tried(self.stream.flush)

    def _tried(self, do: Any, *arguments: Any) -> None:
        if self.failure is None:
            try:
                do(*arguments)
            except OSError as error:
                self.failure = error

    def isatty(self) -> bool:
        return bool(self.stream.isatty())

    def fileno(self) -> int:
        return int(self.stream.fileno())

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return str(getattr(self.stream, "encoding", None) or "utf-8")


@contextmanager
def lasting_output() -> Iterator[None]:
    """Finish the block even if its report can no longer be shown; then say so, by OSError."""
    outer, lasting = sys.stdout, _Lasting(sys.stdout)
    sys.stdout = lasting
    try:
        yield
    finally:
        sys.stdout = outer
    lasting.flush()
    if lasting.failure is not None:
        raise lasting.failure


@contextmanager
def guest() -> Iterator[None]:
    """Let a user's file run: what it prints goes to standard error, its folder stays its own."""
    output, arguments, folder = sys.stdout, sys.argv, os.getcwd()
    sys.stdout, sys.argv = sys.stderr, sys.argv[:1]
    try:
        yield
    finally:
        sys.stdout, sys.argv = output, arguments
        os.chdir(folder)
