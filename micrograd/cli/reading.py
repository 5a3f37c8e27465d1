"""What a command was asked to read: a Value to show; a file that may be a model, or has tags."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from micrograd.cli.streams import guest
from micrograd.files import check_place

if TYPE_CHECKING:
    from micrograd.engine import Value
    from micrograd.ner.tagger import Tagger


def root(options: argparse.Namespace) -> Value:
    """Return the Value that EXPR|FILE.py:NAME and --at name. Raises ValueError where none is."""
    from micrograd.expressions import NoValueError, point, read

    if options.value and _is_point(options.value) and not _is_point(options.at):
        raise ValueError(f"the expression and its point are swapped: write {options.at!r} "
                         f"--at {options.value}")  # fmt: skip
    at = point(options.at)
    try:
        with guest():
            return read(options.value, at)
    except NoValueError as error:
        raise ValueError(str(error).replace("such as ", "such as --at ")) from None


def model(path: str) -> Tagger:
    """Return the tagger that `micrograd train` wrote to `path`."""
    from micrograd.files import file_errors
    from micrograd.ner.tagger import Tagger

    with file_errors(path):
        return Tagger.load(path)


def is_saved(path: str) -> bool:
    """Tell whether a file that can be read begins as a saved state does, so is no text to tag."""
    try:
        with open(path, "rb") as file:
            start = file.read(64)
    except OSError:
        return False
    return start.startswith(b"PK\x03\x04") or b'"micrograd state"' in start


def refuse_overwriting(outputs: Mapping[str, str | None], inputs: Iterable[str | None]) -> None:
    """Raise ValueError where the file of an option is read as well, or written twice."""
    taken = {os.path.realpath(path): "it is read as well" for path in inputs if path}
    for option, path in outputs.items():
        real = os.path.realpath(path or os.devnull)
        if real in taken and (os.path.isfile(real) or not os.path.exists(real)):
            raise ValueError(f"{option} would overwrite {path}: {taken[real]}; name another file")
        taken[real] = f"{option} writes it"


def check_outputs(outputs: Mapping[str, str | None], inputs: Iterable[str | None]) -> None:
    """Raise now, not after the work, what writing the files of options would raise."""
    refuse_overwriting(outputs, inputs)
    for path in filter(None, outputs.values()):
        check_place(path)


def add_types(group: Any) -> None:
    """Add the options that say which types of a file are read, and as what."""
    add = group.add_argument
    add("--map", action="append", type=_pair, default=[], metavar="A=B", help="rename a type")
    add("--drop", action="append", default=[], metavar="A", help="leave a type out")


def _pair(text: str) -> tuple[str, str]:
    old, sign, new = text.partition("=")
    if not sign or not old or not new:
        raise argparse.ArgumentTypeError(f"{text!r} is not OLD=NEW, such as GPE=LOC")
    return old, new


def _is_point(text: str) -> bool:
    from micrograd.expressions import point

    try:
        point(text)
    except ValueError:
        return False
    return True
