"""Single keys from a terminal, as the commands of the step-through."""

from __future__ import annotations

import os
import re
import select
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

ESCAPE = "\x1b"
COMMANDS = {
    "n": (
        "\r",
        "\n",
        " ",
        "n",
        ESCAPE + "[C",
        ESCAPE + "OC",
        ESCAPE + "[B",
        ESCAPE + "OB",
        ESCAPE + "[6~",
        "\xe0M",
        "\xe0P",
        "\xe0Q",
    ),
    "b": (
        "b",
        "\x7f",
        "\b",
        ESCAPE + "[D",
        ESCAPE + "OD",
        ESCAPE + "[A",
        ESCAPE + "OA",
        ESCAPE + "[5~",
        "\xe0K",
        "\xe0H",
        "\xe0I",
    ),
    "g 1": (ESCAPE + "[H", ESCAPE + "OH", ESCAPE + "[1~", "\xe0G"),
    "last": (ESCAPE + "[F", ESCAPE + "OF", ESCAPE + "[4~", "\xe0O"),
    "q": ("q", ESCAPE, "\x04"),
}
# Escape, or a sequence without its last letter: arrows, Delete, Ctrl and an arrow, a console's F1.
UNFINISHED = re.compile(rb"\x1b+([\[O]\[?[0-?]*)?")
COMMAND_OF = {key: command for command, keys in COMMANDS.items() for key in keys}


def ask_keys(prompt: str) -> str:
    """Return the command of the next key; after g or a digit the rest of a line is read."""
    with _single_keys():
        print(prompt, end="", flush=True)
        key = _key()
        if key == "g" or key.isdigit():
            return _line(key)
    if key not in COMMAND_OF:
        print()
    return COMMAND_OF.get(key, key)


def _line(typed: str) -> str:
    """Return what is typed up to Enter, and show it: keys typed ahead no terminal has shown."""
    first, shown = typed, typed
    while True:
        print(shown, end="", flush=True)
        key, shown = _key(), ""
        if key in ("\r", "\n"):
            print()
            return typed
        if key == "\x04":
            raise EOFError
        if key in ("\x7f", "\b") and typed != first:
            typed, shown = typed[:-1], "\b \b"
        elif len(key) == 1 and key.isprintable():
            typed, shown = typed + key, key


def _key() -> str:
    """Return what one key sends; Ctrl-C interrupts, the end of input raises EOFError."""
    key = _windows_key() if os.name == "nt" else _sequence(sys.stdin.fileno())
    if not key:
        raise EOFError
    if key == "\x03":  # Windows passes Ctrl-C on
        raise KeyboardInterrupt
    return key


@contextmanager
def _single_keys() -> Iterator[None]:
    """Have the terminal pass on each key as it is typed, and show none."""
    if os.name == "nt":
        yield
        return
    import termios
    import tty

    stream = sys.stdin.fileno()
    before = termios.tcgetattr(stream)

    def single(*_: object) -> None:
        tty.setcbreak(stream, termios.TCSADRAIN)  # keys typed ahead are kept

    resumed = signal.signal(signal.SIGCONT, single)  # after Ctrl-Z a shell gives back lines
    try:
        single()
        yield
    finally:
        signal.signal(signal.SIGCONT, resumed)
        termios.tcsetattr(stream, termios.TCSADRAIN, before)


def _sequence(stream: int) -> str:
    """Return one key, and leave those typed after it: one byte, or an escape sequence."""
    sent = os.read(stream, 1)
    while _more(sent) and select.select([stream], [], [], 0.05)[0]:
        sent += os.read(stream, 1)
    return sent.decode("utf-8", "replace")


def _more(sent: bytes) -> bool:
    """Return whether what was sent may be the beginning of a key: of a sequence, or of a letter."""
    if sent.startswith(ESCAPE.encode()):
        return bool(UNFINISHED.fullmatch(sent))
    return sent[:1] >= b"\xc0" and "\ufffd" in sent.decode("utf-8", "replace") and len(sent) < 4


def _windows_key() -> str:
    import msvcrt

    read: Callable[[], str] = msvcrt.getwch  # type: ignore[attr-defined]
    key = read()
    return "\xe0" + read() if key in ("\x00", "\xe0") else key
