"""Where code stands, in a file or in a cell of a notebook, and whose it is."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Mapping
from types import FunctionType, ModuleType
from typing import Any

_PYTHON = os.path.dirname(os.__file__) + os.sep  # copy, functools, statistics
_NO_FILE = ("<row ", "<formula ", "<frozen ")  # made by us, or in Python itself: collections.abc


def shell() -> Any:
    """Return the IPython that runs this, or None."""
    return getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()


def place(file: str, line: int) -> str:
    """Return a line of code as a person finds it: a cell has a number, and its file no reader."""
    running = shell()
    cell = running and running.compile.format_code_name(file)
    return f"{' '.join(cell)}, line {line}" if cell else f"{file}:{line}"


def line_of(error: BaseException) -> str:
    """Return the last line of the user's code that an error went through."""
    frames = traceback.walk_tb(error.__traceback__)
    places = [place(f.f_code.co_filename, line) for f, line in frames if not _ours(f)]
    return (places or [user_line()])[-1]


def user_line() -> str:
    """Return the line of the user's code that led here."""
    frame = sys._getframe(1)
    while frame.f_back and _ours(frame):
        frame = frame.f_back
    return place(frame.f_code.co_filename, frame.f_lineno)


def first_line(function: Any) -> str:
    """Return where a function begins, or its name."""
    code = getattr(getattr(function, "__func__", function), "__code__", None)
    return place(code.co_filename, code.co_firstlineno) if code else called(function)


def called(function: Any) -> str:
    """Return the name of what is called."""
    return getattr(function, "__name__", type(function).__name__)


def of_user(scope: Mapping[str, Any]) -> bool:
    """Return whether globals are a user's: not ours, not Python's, not a library's.

    Those of an installed package are, where something of ours is among them.
    """
    name = str(scope.get("__name__", ""))
    top, module = name.partition(".")[0], getattr(sys.modules.get(name), "__dict__", {})
    file = str(scope.get("__file__") or module.get("__file__") or "")
    if top == "micrograd" or top in sys.stdlib_module_names:
        return False
    return "-packages" not in file or any(map(_is_ours, [*scope.values(), *module.values()]))


def _is_ours(item: Any) -> bool:
    if isinstance(item, ModuleType):
        name = vars(item).get("__name__")
    else:
        name = (item if isinstance(item, (type, FunctionType)) else type(item)).__module__
    return str(name).partition(".")[0] == "micrograd"


def _ours(frame: Any) -> bool:
    name = str(frame.f_globals.get("__name__", "")).partition(".")[0]
    file = frame.f_code.co_filename
    of_python = file.startswith(_PYTHON) and "site-packages" not in file
    return name in ("micrograd", "numpy") or of_python or file.startswith(_NO_FILE)
