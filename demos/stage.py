"""What the demos stand on: two languages, claims that are checked, tables, and one command line.

A demo has `measure(...)`, which returns what was measured, `show(r)`, which prints it, claims about
it, and `draw(r)`, which returns a figure, or `page(r, path)`, which writes a page. `FIGURE` says in
both languages what is drawn. What a demo states in a sentence is a claim: a test recomputes it.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from inspect import signature
from pathlib import Path
from typing import Any

from micrograd.cli.parser import whole
from micrograd.cli.streams import give_up_output, prepare
from micrograd.files import check_place, file_errors
from micrograd.printing import folded, printable, terminal_size, width

# Times are of one thread, as a loop has; NumPy reads this when it is first imported.
os.environ.setdefault("OMP_NUM_THREADS", "1")

LANGUAGES = ("en", "zh")
PICTURES = (".svg", ".png", ".pdf")
_chosen = ["en"]


def speak(language: str) -> None:
    """Choose the language of everything that is printed and drawn from here on."""
    if language not in LANGUAGES:
        raise ValueError(f"there is no language {language!r}; give one of {', '.join(LANGUAGES)}")
    _chosen[0] = language


def t(en: str, zh: str) -> str:
    """Return the text in the chosen language."""
    return zh if _chosen[0] == "zh" else en


@dataclass(frozen=True)
class Claim:
    """A sentence about what was measured, r, with the numbers as fields, and its test."""

    name: str
    en: str
    zh: str
    holds: Callable[[Any], bool]

    def sentence(self, r: Any) -> str:
        """Return the sentence with its numbers; where it is not true of r, it says so."""
        text = t(self.en, self.zh).format(r=r)
        return text if self.holds(r) else t("NOT IN THIS RUN: ", "本次运行不成立：") + text


def claim(en: str, zh: str) -> Callable[[Callable[[Any], bool]], Claim]:
    """Turn a predicate into the claim that this sentence makes."""
    return lambda holds: Claim(holds.__name__, en, zh, holds)


def claims(demo: Any) -> list[Claim]:
    """Return the claims of a demo, in their order."""
    return [item for item in vars(demo).values() if isinstance(item, Claim)]


def fold(text: str) -> str:
    """Return prose in lines of the terminal, but for lines that begin with blanks, which are code.

    Where no terminal is written to it stays as it is.
    """
    if not sys.stdout.isatty():
        return text
    columns, lines = terminal_size().columns, re.sub(r"(?<=\S)\n(?=\S)", " ", text).split("\n")
    return "\n".join(x if x.startswith(" ") else folded(x, columns) for x in lines)


def say(*words: Any) -> None:
    """Print words as prose."""
    print(fold(printable(" ".join(map(str, words)))))


def low(*numbers: int) -> str:
    """Return indices as subscripts: W⁽¹⁾₁₄."""
    return "".join(map(str, numbers)).translate(str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉"))


def labelled(value: Any, label: str) -> Any:
    """Return the Value with this label."""
    value.label = label
    return value


def table(*rows: Sequence[Any], left: int = 1) -> None:
    """Print rows in columns, the first `left` columns flush left, the others flush right."""
    cells = [[str(cell) for cell in row] for row in rows]
    sizes = [max(map(width, column)) for column in zip(*cells)]
    for row in cells:
        gaps = [" " * (size - width(cell)) for size, cell in zip(sizes, row)]
        parts = [c + g if i < left else g + c for i, (c, g) in enumerate(zip(row, gaps))]
        print("  ".join(parts).rstrip())


def alternative(demo: Any, r: Any) -> str:
    """Return the text that stands for the figure: what it shows, and what can be seen there."""
    return " ".join([t(*demo.FIGURE) + t(".", "。"), *(c.sentence(r) for c in claims(demo))])


def perform(demo: Any, path: str | None = None, language: str = "en", **options: Any) -> Any:
    """Print what the demo measures and claims; draw it where a path is given; return it."""
    speak(language)
    with waiting():
        r = demo.measure(**options)
    demo.show(r)
    for one in claims(demo):
        say(one.sentence(r))
    if path and hasattr(demo, "draw"):
        from figures import save

        save(demo.draw(r), path, t(*demo.FIGURE), alternative(demo, r))
    if path and hasattr(demo, "page"):
        demo.page(r, written(demo, path)[-1])
    if path:
        print(t("wrote", "已写入"), printable(t(", ", "、").join(written(demo, path))))
    return r


def written(demo: Any, path: str) -> list[str]:
    """Return the files that a demo writes: this one, and beside a figure its page."""
    both = hasattr(demo, "draw") and hasattr(demo, "page")
    return [path, str(Path(path).with_suffix(".html"))] if both else [path]


@contextmanager
def waiting() -> Iterator[None]:
    """Say in the terminal that the block is at work, and take it back at its end."""
    text = t("computing ...", "正在计算……")
    shown = sys.stderr.isatty()
    if shown:
        print(text, end="", file=sys.stderr, flush=True)
    try:
        yield
    finally:
        if shown:
            print("\r" + " " * width(text), end="\r", file=sys.stderr, flush=True)


def parser_of(about: str | None) -> argparse.ArgumentParser:
    """Return a parser to begin with; whatever the streams are, what is printed can be written."""
    prepare()
    return argparse.ArgumentParser(
        description=fold(about or ""), formatter_class=argparse.RawDescriptionHelpFormatter
    )


def file_of(*endings: str) -> Callable[[str], str]:
    """Return what reads the name of a file to write, and refuses it before the work is done."""

    def file(path: str) -> str:
        if Path(path).suffix.lower() not in endings:
            raise argparse.ArgumentTypeError(f"{path!r} does not end in {' or '.join(endings)}")
        try:
            check_place(path)
        except OSError as error:
            raise argparse.ArgumentTypeError(str(error)) from error
        return path

    return file


def figure_file(path: str) -> str:
    """Read the name of a file for a figure."""
    file_of(*PICTURES)(path)
    if find_spec("matplotlib") is None:
        raise argparse.ArgumentTypeError('figures need matplotlib: pip install ".[plots]"')
    return path


@contextmanager
def failures() -> Iterator[None]:
    """Where a file cannot be read or written in the block, end with one line that says why."""
    try:
        yield
    except BrokenPipeError as error:  # who read what is printed, `head` say, has read enough
        give_up_output()
        raise SystemExit(1) from error
    except OSError as error:
        raise SystemExit(str(error)) from error


def named(path: str) -> Path:
    """Read the name of a folder; "", an unset variable of the shell, is not this folder."""
    if not path:
        raise argparse.ArgumentTypeError("'' names no folder; . is this one")
    return Path(path)


def folder(path: str) -> Path:
    """Make a folder, if there is none, and return it."""
    made = named(path)
    try:
        with file_errors(path):
            made.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    return made


def run(name: str) -> None:
    """Run the demo that is the module `name` from the shell."""
    demo = sys.modules[name]
    parser = parser_of(demo.__doc__)
    if hasattr(demo, "draw") or hasattr(demo, "page"):
        drawn = hasattr(demo, "draw")
        kind = figure_file if drawn else file_of(demo.ENDING)
        about = f"draw it to this file ({', '.join(PICTURES) if drawn else demo.ENDING})"
        parser.add_argument("path", nargs="?", type=kind, help=about)
    defaults = signature(demo.measure).parameters
    for name, known in getattr(demo, "OPTIONS", {}).items():
        default, most = defaults[name].default, known if isinstance(known, int) else None
        parser.add_argument(
            f"--{name}",
            type=whole(1, most) if most else type(default),
            default=default,
            choices=None if most else known,
            help=(f"from 1 to {most:,} " if most else "") + f"({default})",
        )
    parser.add_argument("--language", choices=LANGUAGES, default="en")
    options = vars(parser.parse_args())
    with failures():
        perform(demo, **options)
