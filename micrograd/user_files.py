"""Python files of the user: run, asked for what they name, and their failures told by line."""

from __future__ import annotations

import codecs
import os
import runpy
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from micrograd.engine import Value
from micrograd.files import read_bytes
from micrograd.graph import snapshot
from micrograd.printing import shorten

__all__ = ["failures_of", "load", "run_file"]

# Where our own code is: in the package, or made of a row or by lowering; "<string>" is a user's.
_OURS = (str(Path(__file__).parent) + os.sep, "<row ", "<formula ", "<micrograd ")
_AS_RUN = "<run_path>"  # what a file's functions have as their module
MOST_NAMED = 9  # Values or functions of a file in a message


def load(path: str, name: str, functions: bool = False) -> Any:
    """Run the Python file `path` and return its Value `name`; without a label it is called so.

    With `functions`, also a function. Raises OSError where there is no such file, ValueError where
    it fails or has no such Value.
    """
    names: dict[str, Any] = run_file(path)

    def fits(item: Any) -> bool:
        return isinstance(item, Value) or (
            functions and callable(item) and not isinstance(item, type)
        )

    found = names.get(name)
    if not fits(found):
        raise ValueError(_not_there(path, name, names, fits, functions))
    if isinstance(found, Value) and not found.label and name not in snapshot(found).labels:
        found.label = name
    return found


def _not_there(
    path: str, name: str, names: dict[str, Any], fits: Callable[[Any], bool], functions: bool
) -> str:
    kind = "Value or function" if functions else "Value"
    kept = "None" if names.get(name) is None else type(names[name]).__name__
    what = f"has {kept}, not a {kind}, as" if name in names else "has no"
    own = [other for other, item in names.items() if fits(item) and not _imported(item)]
    known = "its Values and functions are" if functions else "its Values are"
    listed = f"{known} {', '.join(own[-MOST_NAMED:])}" if own else f"there is no {kind} in it"
    return f"{path} {what} {shorten(name)}; {listed}"


def _imported(item: Any) -> bool:
    return hasattr(item, "__name__") and getattr(item, "__module__", "") != _AS_RUN


def run_file(path: str) -> dict[str, object]:
    """Run a Python file, its folder being importable, and return its names.

    Raises OSError where there is no such file, ValueError where it fails.
    """
    # A missing file is told apart from one that fails.
    if read_bytes(path).startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise ValueError(f"{path} is in UTF-16, which Python does not read; save it as UTF-8")
    folder = str(Path(path).resolve().parent)
    sys.path.insert(0, folder)
    try:
        return runpy.run_path(path, run_name=_AS_RUN)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        lines = [line for file, line in _places(error) if file == path]
        line = lines[-1] if lines else getattr(error, "lineno", 0) or 0
        raise ValueError(_failure(path, line, error)) from error
    finally:
        with suppress(ValueError):  # the file has removed it
            sys.path.remove(folder)


@contextmanager
def failures_of(path: str) -> Iterator[None]:
    """Tell what a function of a file raises as `run_file` tells it of the file: by its line.

    Raises ValueError for what went wrong there and not here.
    """
    try:
        yield
    except (OSError, MemoryError):
        raise
    except Exception as error:
        known = [(f, line) for f, line in _places(error) if f == path or f.startswith(_OURS)]
        lines = [line for file, line in known if file == path]
        if not lines or path in _text_of(error):
            raise
        if known[-1][0] == path:
            raise ValueError(_failure(path, lines[-1], error)) from error
        if not isinstance(error, (ValueError, TypeError)):  # a fault of ours
            raise
        raise ValueError(f"{path}:{lines[-1]}: {_text_of(error)}") from error


def _places(error: BaseException) -> list[tuple[str, int]]:
    """Return the files and lines that an error came through, without a look at their text."""
    frames = traceback.walk_tb(error.__traceback__)
    return [(frame.f_code.co_filename, line) for frame, line in frames]


def _failure(path: str, line: int | None, error: BaseException) -> str:
    return f"{path}:{line}: {type(error).__name__}: {_text_of(error)}"


def _text_of(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:  # the user's own class may fail in its __str__
        return "its text cannot be had"
