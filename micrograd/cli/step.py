"""`micrograd step`: both passes of an expression, or of a Value in a Python file, step by step."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING, Any

from micrograd.cli import reading
from micrograd.cli.parser import file_name, refuse
from micrograd.cli.streams import note

if TYPE_CHECKING:
    from micrograd.engine import Value
    from micrograd.lowering.program import Program


def add_parser(subparsers: Any) -> None:
    """Register the command."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "step",
        help="step through the forward and backward pass of an expression",
        description='Step through EXPR, such as "(x + y) * max(y, z)" --at x=1,y=2,z=0, or through '
        "the Value NAME of a Python file: in the terminal, or as a page with -o. "
        "Keys: → or Enter next, ← or b back, g N go to step N, q quit. Where the output is no "
        "terminal the whole transcript is printed.",
        examples=(
            'micrograd step "(x + y) * max(y, z)" --at x=1,y=2,z=0',
            'micrograd step "tanh(w * x + b)" --at w=2,x=1,b=-1 -o neuron.html',
            "micrograd step lesson.py:loss --program",
        ),
    )
    parser.add_argument(
        "value",
        metavar="EXPR|FILE.py:NAME",
        nargs="?",
        help="what to step through (nothing: writes the playground, a page to type into)",
    )
    parser.add_argument("--at", default="", metavar="x=1,y=2", help="the values of the inputs")
    parser.add_argument(
        "-o",
        "--output",
        type=file_name,
        metavar="PAGE.html",
        help="write a page that steps in a browser",
    )
    parser.add_argument(
        "--language",
        choices=("en", "zh"),
        default="en",
        help="of the sentences in the terminal (default en)",
    )
    parser.add_argument(
        "--program",
        action="store_true",
        help="lower the graph, and show the line of array code that each step is in",
    )
    parser.set_defaults(func=run)


def run(options: argparse.Namespace) -> int:
    """Show the steps, or write the page."""
    from micrograd.stepper import save_page
    from micrograd.stepper.terminal import Walkthrough, takes_codes

    language = options.language != "en"
    refuse({"--language": options.output and language}, "the page lets its reader choose")
    if options.output:
        _page_named(options.output)
    if options.value is None:
        idle = {"--at": options.at, "--program": options.program, "--language": language}
        refuse(idle, "the playground begins with its own example")
        return write_playground(options.output or "play.html")
    root = reading.root(options)
    program = _lowered(root) if options.program else None
    if options.output:
        note(f"wrote {save_page(root, options.output, program=program)}")
        return 0
    walkthrough = Walkthrough(root, options.language, program=program)
    if sys.stdin.isatty() and sys.stdout.isatty():
        single = takes_codes(sys.stdout)  # else it sends lines, and clears nothing
        (walkthrough.interact_by_keys if single else walkthrough.interact)()
    else:
        walkthrough.transcript()
    return 0


def write_playground(path: str) -> int:
    """Write the page to type expressions into. Raises ValueError for a name that is no page's."""
    from micrograd.files import atomic_write
    from micrograd.stepper.document import play_page

    _page_named(path)
    note(f"wrote {atomic_write(path, play_page())}")
    return 0


def _page_named(path: str) -> None:
    if not path.lower().endswith((".html", ".htm")):
        raise ValueError(
            f"{path}: the steps are written as a page; end the name in .html (micrograd draw "
            "writes them as equations, .tex, and as moving pictures, .gif)"
        )


def _lowered(root: Value) -> Program:
    from micrograd.lowering import lower

    return lower(root)
