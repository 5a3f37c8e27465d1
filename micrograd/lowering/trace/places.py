"""Where in the user's code a trace is."""

from __future__ import annotations

import sys
from typing import Any


def ours(frame: Any) -> bool:
    name = str(frame.f_globals.get("__name__", "")).partition(".")[0]
    return name == "micrograd" or frame.f_code.co_filename.startswith("<row ")


def user_line() -> str:
    """Return the line of the user's code that led here."""
    frame = sys._getframe(1)
    while frame.f_back and ours(frame):
        frame = frame.f_back
    return f"{frame.f_code.co_filename}:{frame.f_lineno}"
