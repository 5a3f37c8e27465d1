"""Single keys from a terminal, as the commands of the step-through."""

from __future__ import annotations

import os
import select
import signal
import sys
from collections.abc import Callable

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
COMMAND_OF = {key: command for command, keys in COMMANDS.items() for key in keys}


def ask_keys(prompt: str) -> str:
    """Return the command of the next key; after g or a digit the rest of a line is read."""
    print(prompt, end="", flush=True)
    key = _key()
    if key == "g" or key.isdigit():
        print(key, end="", flush=True)
        return key + input()
    if key not in COMMAND_OF:
        print()
    return COMMAND_OF.get(key, key)


def _key() -> str:
    return (_windows_key if os.name == "nt" else _posix_key)()


def _posix_key() -> str:
    """Return what one key sends; Ctrl-C interrupts, the end of input raises EOFError."""
    import termios
    import tty

    stream = sys.stdin.fileno()
    before = termios.tcgetattr(stream)

    def single(*_: object) -> None:
        tty.setcbreak(stream, termios.TCSADRAIN)  # keys typed ahead are kept

    resumed = signal.signal(signal.SIGCONT, single)  # after Ctrl-Z a shell gives back lines
    try:
        single()
        key = _sequence(stream)
    finally:
        signal.signal(signal.SIGCONT, resumed)
        termios.tcsetattr(stream, termios.TCSADRAIN, before)
    if not key:
        raise EOFError
    return key


def _sequence(stream: int) -> str:
    """Return one key, and leave those typed after it: one byte, or an escape sequence."""
    sent = os.read(stream, 1)
    while _more(sent) and select.select([stream], [], [], 0.05)[0]:
        sent += os.read(stream, 1)
    return sent.decode("utf-8", "replace")


def _more(sent: bytes) -> bool:
    """Return whether what was sent may be the beginning of a key: of an arrow, or of a letter."""
    if sent.startswith(ESCAPE.encode()):
        return len(sent) == 1 or (
            sent.decode("utf-8", "replace") not in COMMAND_OF and len(sent) < 8
        )
    return sent[:1] >= b"\xc0" and "\ufffd" in sent.decode("utf-8", "replace") and len(sent) < 4


def _windows_key() -> str:
    import msvcrt

    read: Callable[[], str] = msvcrt.getwch  # type: ignore[attr-defined]
    key = read()
    return "\xe0" + read() if key in ("\x00", "\xe0") else key
