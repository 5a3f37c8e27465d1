"""`micrograd play`: the playground, a page that draws and steps through what is typed into it."""

from __future__ import annotations

import argparse
from typing import Any

from micrograd.cli.parser import file_name


def add_parser(subparsers: Any) -> None:
    """Register the command."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "play",
        help="write a page to type expressions into",
        description="Write one file for a browser: type an expression, and its graph, both "
        "passes, formulas and what-if are there. It needs neither network nor Python.",
    )
    parser.add_argument(
        "-o",
        "--output",
        type=file_name,
        metavar="PAGE.html",
        default="play.html",
        help="the page to write (default play.html)",
    )
    parser.set_defaults(func=run)


def run(options: argparse.Namespace) -> int:
    """Write the page."""
    from micrograd.cli.step import write_playground

    return write_playground(options.output)
