"""Read a command line: one line for a mistake, which names the option and what was meant."""

from __future__ import annotations

import argparse
import math
import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any, NoReturn

from micrograd.expressions import finite
from micrograd.printing import shorten

COLUMNS = (-999, 999)  # of a table, from 0; -1 is the last
_TERM = re.compile(r"-[\w.(]")
_SAYINGS = (
    (r"^argument COMMAND: there is no", "there is no command"),
    (r"^argument ([^:]+): ", r"\1: "),
    (r"expected one argument", "a value must follow it"),
    (r"expected at least one argument", "at least one value must follow it"),
    (r"not allowed with argument (.*)", r"it excludes \1; choose one"),
    (r"ignored explicit argument (.*)", r"it takes no value, but got \1"),
    (r"the following arguments are required: (.*)", r"\1 is missing"),
)


class UsageError(ValueError):
    """Report a command line that cannot be used, with the command it was for."""

    def __init__(self, command: str, text: str) -> None:
        super().__init__(text)
        self.command = command


class _Once(argparse._StoreAction):
    """Store the value of an option; refuse a second one, which would replace it in silence."""

    given = False

    def __call__(self, parser: Any, namespace: Any, values: Any, name: str | None = None) -> None:
        if self.given:
            all_in_one = f", as {self.metavar}" if "," in str(self.metavar) else ""
            raise argparse.ArgumentError(self, f"it is given twice; give it once{all_in_one}")
        self.given = True
        super().__call__(parser, namespace, values, name)


class Parser(argparse.ArgumentParser):
    """Parse the arguments of one command, in the words of the project; show examples in its help.

    Options are spelled in full: a beginning that happens to be unique today would be another
    option's tomorrow.
    """

    def __init__(self, examples: Sequence[str] = (), **options: Any) -> None:
        super().__init__(allow_abbrev=False, **options)
        self.examples = examples
        self.register("action", None, _Once)

    def format_help(self) -> str:
        """Return the help, with the examples below."""
        lines = "".join(f"  {example}\n" for example in self.examples)
        return super().format_help() + (f"\nexamples:\n{lines}" if lines else "")

    def error(self, message: str) -> NoReturn:
        """Raise UsageError in the project's words."""
        unknown = message.removeprefix("unrecognized arguments: ")
        if unknown != message:
            message = self._unknown(unknown)
        for pattern, words in _SAYINGS:
            message = re.sub(pattern, words, message)
        raise UsageError(self.prog, f"{message}; see {self.prog} --help")

    def _print_message(self, message: str, file: Any = None) -> None:
        sys.stdout.write(message)  # argparse's own hides a full or closed stream

    def _unknown(self, arguments: str) -> str:
        first = arguments.split(" ")[0]
        if not first.startswith("-"):
            point = "--at" in self._option_string_actions and "=" in first
            return f"{arguments!r} is one argument too many" + f" (is --at {first} meant?)" * point
        name = first.partition("=")[0]
        if name in self._option_string_actions:
            return f"{name} stands behind --, where no option is read: write it before"
        return f"there is no option {name}{meant(name, self._option_string_actions)}"

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        if action.choices is not None and value not in action.choices:
            known = list(action.choices)
            text = f"there is no {value!r}{meant(value, known)}; there are {', '.join(known)}"
            raise argparse.ArgumentError(action, text)

    def arranged(self, arguments: Sequence[str]) -> list[str]:
        """Return the arguments in the order and the form that argparse takes.

        Options follow what stands alone, so `evaluate MODEL --format csv FILE` has both its files.
        Values that only look like options are marked: the -inf in `--rate -inf` and, where the
        command takes an expression, the -x*y in `draw '-x*y'`.
        """
        alone: list[str] = []
        options: list[str] = []
        expected = any("EXPR" in str(action.metavar) for action in self._actions)
        for place, argument in enumerate(arguments):
            if argument == "--":
                return [*alone, *options, *arguments[place:]]
            value = bool(options) and self._takes_value(options[-1])
            if value and _is_number(argument):
                options[-1] += f"={argument}"
                continue
            if expected and not value and self._is_term(argument):
                argument = f" {argument}"  # what holds a blank is never taken for an option
            known = argument.partition("=")[0] in self._option_string_actions
            (options if known or value else alone).append(argument)
            expected = expected and (value or argument.startswith("-"))
        return [*alone, *options]

    def _takes_value(self, argument: str) -> bool:
        action = self._option_string_actions.get(argument)
        return action is not None and action.nargs is None

    def _is_term(self, argument: str) -> bool:
        option = argument in self._option_string_actions or re.match(r"-o(?![*+^) -])", argument)
        return bool(_TERM.match(argument)) and not option


def meant(name: str, known: Iterable[str]) -> str:
    """Return " (is X meant?)" for the known name nearest to `name`, or nothing."""
    lower = {other.lower(): other for other in known}
    near = get_close_matches(name.lower(), lower, 1)
    return f" (is {lower[near[0]]} meant?)" if near else ""


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def whole(least: int, most: int, odd: bool = False) -> Callable[[str], int]:
    """Return the reader of a whole number from `least` to `most`."""

    def read(text: str) -> int:
        digits = re.fullmatch(r"[+-]?\d{1,30}", text.strip(), re.ASCII)
        if not digits or not least <= int(text) <= most or (odd and int(text) % 2 == 0):
            kind = f"{'an odd' if odd else 'a'} whole number from {least:,} to {most:,}"
            raise argparse.ArgumentTypeError(f"{shorten(text)} is not {kind}")
        return int(text)

    return read


def number(least: float, most: float = math.inf, above: bool = False) -> Callable[[str], float]:
    """Return the reader of a finite number from (or `above`) `least` to `most`."""

    def read(text: str) -> float:
        value = finite(text)
        if value is None or not least <= value <= most or (above and value == least):
            bounds = f"above {least:g}" if above else f"from {least:,} to {most:,}"
            raise argparse.ArgumentTypeError(f"{shorten(text)} is not a finite number {bounds}")
        return value

    return read


def encoding(text: str) -> str:
    """Read the name of an encoding that turns bytes into text."""
    if text == "auto":  # it is found out from the file
        return text
    try:
        b"ab".decode(text)
    except UnicodeDecodeError:  # of an encoding that takes more than two bytes to a character
        return text
    except (LookupError, ValueError):
        raise argparse.ArgumentTypeError(
            f"{text!r} is not the encoding of a text; try utf-8, latin-1 or utf-16"
        ) from None
    return text


def file_name(text: str) -> str:
    """Read the name of a file or folder, which has at least one character."""
    if not text.strip():
        raise argparse.ArgumentTypeError("the name is empty; name a file or folder")
    return text


def refuse(options: Mapping[str, object], reason: str) -> None:
    """Raise ValueError for the first option that was set, by name, where none has an effect."""
    for name, value in options.items():
        if value:
            raise ValueError(f"{name} has no effect here: {reason}")
