"""The terminal stepper in a real terminal: single keys and arrows."""

import os
import re
import select
import subprocess
import sys
import time
from pathlib import Path

import pytest

from micrograd.stepper import keys
from micrograd.stepper.keys import COMMAND_OF

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
    run = subprocess.Popen(command, stdin=inner, stdout=inner, stderr=inner, cwd=ROOT)
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


@pytest.mark.parametrize(
    ("sent", "line", "answer", "shown"),
    [
        ("n", "", "n", "> "),
        ("\x1b[B", "", "n", "> "),
        ("g", " 7", "g 7", "> g"),
        ("1", "2", "12", "> 1"),
        ("7", "", "7", "> 7"),
        ("x", "", "x", "> \n"),  # what it is told of stands on a line of its own
    ],
)
def test_what_a_key_asks_for(monkeypatch, capsys, sent, line, answer, shown):
    monkeypatch.setattr(keys, "_key", lambda: sent)
    monkeypatch.setattr("builtins.input", lambda: line)
    assert keys.ask_keys("> ") == answer
    assert capsys.readouterr().out == shown


def test_a_terminal_that_ends_sends_no_key(monkeypatch):
    terminal, inner = pty.openpty()
    with os.fdopen(inner) as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        monkeypatch.setattr(keys, "_sequence", lambda stream: "")
        with pytest.raises(EOFError):
            keys._posix_key()
    os.close(terminal)


def test_every_key_has_one_meaning():
    assert COMMAND_OF["\x1b[C"] == COMMAND_OF["\r"] == "n" and COMMAND_OF["\x1b[D"] == "b"
