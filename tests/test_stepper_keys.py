"""The terminal stepper in a real terminal: single keys and arrows."""

import os
import random
import re
import select
import subprocess
import sys
import time
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace

import pytest

from micrograd.stepper import keys
from micrograd.stepper.keys import COMMAND_OF, ESCAPE

pty = pytest.importorskip("pty")
ROOT = Path(__file__).parent.parent


def read_until(terminal, text, seconds=60):
    """Return what the terminal showed up to and with `text`."""
    shown, end = "", time.monotonic() + seconds
    while text not in shown:
        assert time.monotonic() < end, shown
        if select.select([terminal], [], [], 1)[0]:
            shown += os.read(terminal, 4096).decode("utf-8", "replace")
    return shown


@pytest.fixture
def stepping():
    terminal, inner = pty.openpty()
    command = [
        sys.executable,
        "-m",
        "micrograd",
        "step",
        "(x + y) * max(y, z)",
        "--at",
        "x=1,y=2,z=0",
    ]
    utf8 = os.environ | {"PYTHONIOENCODING": "utf-8"}
    run = subprocess.Popen(command, stdin=inner, stdout=inner, stderr=inner, cwd=ROOT, env=utf8)
    os.close(inner)
    yield terminal, run
    run.kill()
    run.wait()
    os.close(terminal)


def test_arrows_home_end_and_numbers(stepping):
    terminal, run = stepping
    read_until(terminal, "quit > ")
    for typed, heading in (
        ("\x1b[C", "2/11"),
        (" ", "3/11"),
        ("\x1b[D", "2/11"),
        ("\x1b[F", "11/11"),
        ("\x1b[5~", "10/11"),
        ("\x1b[H", "1/11"),
        ("8\n", "8/11"),
    ):
        os.write(terminal, typed.encode())
        shown = read_until(terminal, "quit > ")
        assert "\x1b[2J\x1b[H" in shown and heading in shown.partition("\x1b[2J")[2]
    plain = re.sub(r"\x1b\[[\d;]*m", "", shown)
    assert "∂f/∂y so far: 3, one more to come" in plain
    os.write(terminal, b"q")
    assert run.wait(30) == 0


def test_what_is_typed_ahead_stands_behind_the_prompt(stepping):
    terminal, _ = stepping
    read_until(terminal, "quit > ")
    os.write(terminal, b"g999\r")
    assert read_until(terminal, "quit > ").startswith("g999\r\nNo step 'g999': ")
    os.write(terminal, b"g99\x7f\x7f2\rn")
    shown = read_until(terminal, "3/11")
    assert shown.startswith("g99\b \b\b \b2\r\n") and "2/11" in shown


@pytest.mark.parametrize(
    ("sent", "answer", "shown"),
    [
        ("n", "n", "> "),
        ("\x1b[B", "n", "> "),
        ("g 7\n", "g 7", "> g 7\n"),
        ("12\r", "12", "> 12\n"),
        ("7\n", "7", "> 7\n"),
        ("7\x7f\x7f8\r", "78", "> 78\n"),  # the first key stays
        ("x", "x", "> \n"),  # what it is told of stands on a line of its own
    ],
)
def test_what_a_key_asks_for(monkeypatch, capsys, sent, answer, shown):
    typed = [sent] if sent in COMMAND_OF else [*sent]
    monkeypatch.setattr(keys, "_single_keys", nullcontext)
    monkeypatch.setattr(keys, "_key", lambda: typed.pop(0))
    assert keys.ask_keys("> ") == answer and not typed
    assert capsys.readouterr().out == shown


def test_keys_that_come_at_once_are_told_apart():
    """A key held down sends faster than it is read, also one that means nothing here."""
    unknown = [
        "\x1b[1;5C",
        "\x1b[3~",
        "\x1b[15~",
        "\x1b[[A",
        "\x1bOP",
        "\x1bx",
        "\x1b\x1b[C",
        "é",
        "学",
    ]
    known = [key for key in COMMAND_OF if key.isascii() and key != ESCAPE]
    typed = random.Random(4).choices(known + unknown, k=300)
    source, end = os.pipe()
    os.write(end, "".join(typed).encode())
    os.close(end)
    try:
        assert [keys._sequence(source) for _ in typed] == typed
    finally:
        os.close(source)


def test_escape_alone_is_a_key():
    source, end = os.pipe()  # which stays open: nothing comes after it
    os.write(end, ESCAPE.encode())
    assert COMMAND_OF[keys._sequence(source)] == "q"
    os.close(end)
    os.close(source)


@pytest.mark.parametrize(
    ("sent", "command"), [("\xe0K", "b"), ("\x00P", "n"), ("\xe0G", "g 1"), ("q", "q"), ("\r", "n")]
)
def test_keys_of_windows(monkeypatch, sent, command):
    typed = iter(sent)
    console = SimpleNamespace(getwch=lambda: next(typed))
    monkeypatch.setitem(sys.modules, "msvcrt", console)
    assert COMMAND_OF[keys._windows_key()] == command and not [*typed]


@pytest.mark.parametrize("sent", ["", "\x04"])
def test_a_terminal_that_ends_sends_no_key(monkeypatch, sent):
    terminal, inner = pty.openpty()
    with os.fdopen(inner) as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        monkeypatch.setattr(keys, "_sequence", lambda stream: sent)
        with pytest.raises(EOFError):
            keys._line("1")
    os.close(terminal)


def test_windows_passes_ctrl_c_on_as_a_key(monkeypatch):
    monkeypatch.setitem(sys.modules, "msvcrt", SimpleNamespace(getwch=lambda: "\x03"))
    monkeypatch.setattr(keys.os, "name", "nt")
    with pytest.raises(KeyboardInterrupt):
        keys.ask_keys("> ")


def test_every_key_has_one_meaning():
    assert COMMAND_OF["\x1b[C"] == COMMAND_OF["\r"] == "n" and COMMAND_OF["\x1b[D"] == "b"
