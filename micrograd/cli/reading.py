"""What a command was asked to read: a Value to show; a file that may be a model, or has tags."""

from __future__ import annotations

import argparse
import os
import shlex
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from micrograd.cli.streams import guest
from micrograd.files import check_place

if TYPE_CHECKING:
    from micrograd.engine import Value
    from micrograd.ner.tagger import Tagger
    from micrograd.ner.text.sentence import Corpus


def root(options: argparse.Namespace) -> Value:
    """Return the Value that EXPR|FILE.py:NAME and --at name. Raises ValueError where none is."""
    from micrograd.expressions import NoValueError, point, read

    if options.value and _is_point(options.value) and not _is_point(options.at):
        raise ValueError(
            f"the expression and its point are swapped: write {options.at!r} --at {options.value}"
        )
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
    if not os.path.isfile(path):  # what is read of a pipe is gone
        return False
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


def rename_types(corpora: Sequence[Corpus], options: argparse.Namespace) -> None:
    """Rename types and leave some out as the options say. ValueError for one no corpus has."""
    from micrograd.ner.text.notation import rename
    from micrograd.ner.text.sentence import types_in

    seen = sorted({name for corpus in corpora for name in types_in(corpus)})
    named = [*(old for old, _ in options.map), *options.drop]
    for name in named:
        if name not in seen:
            known = ", ".join(seen) or "none at all"
            raise ValueError(f"--map or --drop {name}: no file has this type; they have {known}")
        if named.count(name) > 1:
            raise ValueError(f"--map or --drop {name}: it is named twice; name it once")
    for corpus in corpora:
        rename(corpus, dict(options.map), options.drop)


def only_in(here: str, types: Iterable[str], there: str, others: Iterable[str]) -> list[str]:
    """Say which types one place has and another has not: never found, or always wrong."""
    only = sorted({*types} - {*others})
    remedy = "--map A=B renames types, --drop A leaves one out"
    return [f"{' '.join(only)}: only in {here}, not in {there}; {remedy}"] if only else []


def quoted(path: str) -> str:
    """Return a path as a person types it into a shell, where it may hold blanks."""
    return f'"{path}"' if os.name == "nt" else shlex.quote(path)


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
