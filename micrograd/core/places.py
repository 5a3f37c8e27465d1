"""Where code stands: in a file, or in a cell of a notebook."""

from __future__ import annotations

import sys
from typing import Any


def shell() -> Any:
    """Return the IPython that runs this, or None."""
    return getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()


def place(file: str, line: int) -> str:
    """Return a line of code as a person finds it: a cell has a number, and its file no reader."""
    running = shell()
    cell = running and running.compile.format_code_name(file)
    return f"{' '.join(cell)}, line {line}" if cell else f"{file}:{line}"
