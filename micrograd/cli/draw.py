"""`micrograd draw`: the picture of an expression, or of a Value in a Python file."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from micrograd.cli import reading
from micrograd.cli.parser import file_name, refuse
from micrograd.cli.streams import note, write_document
from micrograd.graph import snapshot
from micrograd.ops import WEIGHTED_SUM
from micrograd.render.captions import MODES
from micrograd.render.picture import FORMATS, LAYOUTS, LEVELS, format_of

if TYPE_CHECKING:
    from micrograd.render.picture import Picture

_ALL = ("--mode", "--level", "--unfold", "--layout")
_PANEL = ("--layout", "--mode both")
_MOVING = ("--mode", "--layout"), "the passes come up one by one in one layout"
# What options a format has no use for, and why.
IDLE = {
    "html": (_ALL, "a page steps through the whole graph; draw an .svg"),
    "tex": (_ALL, "the equations are both passes of the whole graph"),
    "dot": (_PANEL, "a .dot file is laid out by the program that reads it, in one panel"),
    "mermaid": (
        _PANEL,
        "a Mermaid flowchart is laid out by the program that reads it, in one panel",
    ),
    "tikz": (_PANEL, "a tikzpicture is one panel in the built-in layout"),
    "animated-svg": _MOVING,
    "gif": _MOVING,
}

ENDINGS_OF = {"animated-svg": "svg", "tikz": "tex"}  # other endings that suit a format


def add_parser(subparsers: Any) -> None:
    """Register the command."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "draw",
        help="draw the computation graph of an expression",
        description='Draw the graph of EXPR, such as "(x + y) * max(y, z)" --at x=1,y=2,z=0, '
        "or of the Value NAME of a Python file.",
        examples=(
            'micrograd draw "(x + y) * max(y, z)" --at x=1,y=2,z=0 -o graph.svg',
            'micrograd draw "-x * y" --at x=1,y=2 --mode fprop > graph.svg',
            'micrograd draw lesson.py:loss --level neuron --unfold "layer 0" -o loss.html',
        ),
    )
    parser.add_argument("value", metavar="EXPR|FILE.py:NAME", help="what to draw")
    parser.add_argument("--at", default="", metavar="x=1,y=2", help="the values of the inputs")
    parser.add_argument(
        "-o",
        "--output",
        type=file_name,
        metavar="FILE",
        help=".svg, .png, .pdf, .gif, .html, .dot, .tikz, .mmd, .tex (default: standard output)",
    )
    parser.add_argument(
        "--format",
        choices=[*FORMATS],
        default="",
        help="the format, where the file's ending does not say it (tex: the passes as equations; "
        "animated-svg, gif: the numbers come up as the passes compute them)",
    )
    parser.add_argument(
        "--mode",
        choices=MODES,
        default="bprop",
        help="values (fprop), values and gradients (bprop, the default), or both",
    )
    parser.add_argument(
        "--level",
        choices=LEVELS,
        default="auto",
        help="how far to collapse the graph (default auto: by its size; "
        "network: neurons as circles)",
    )
    parser.add_argument(
        "--unfold",
        action="append",
        default=[],
        metavar="SCOPE",
        help='open this scope, such as "layer 0 / neuron 1", or folded box',
    )
    parser.add_argument("--unfold-sums", action="store_true", help="write weighted sums out")
    parser.add_argument(
        "--layout",
        choices=LAYOUTS,
        default=LAYOUTS[0],
        help="who places the boxes (dot: Graphviz, where it is installed)",
    )
    parser.set_defaults(func=run)


def run(options: argparse.Namespace) -> int:
    """Draw the picture and write it."""
    from micrograd.render import render

    root = reading.root(options)
    if options.unfold_sums and WEIGHTED_SUM.name not in snapshot(root).ops:
        refuse({"--unfold-sums": True}, "the graph holds no weighted sum")
    picture = render(
        root, options.mode, options.level, options.unfold, options.layout, options.unfold_sums
    )
    _refuse_idle(options, picture)
    if options.output:
        _check_ending(options.output, options.format)
        note(f"wrote {picture.save(options.output, options.format)}")
        return 0
    image = picture.to(options.format or "svg")
    if isinstance(image, bytes):
        raise ValueError(f"a {options.format} picture needs a file: name it with -o")
    write_document(image)
    return 0


def _check_ending(path: str, format: str) -> None:
    ending = format_of(path)
    if format and ending in FORMATS and ending not in (format, ENDINGS_OF.get(format)):
        raise ValueError(
            f"--format {format} is not what the ending of {path} says: give one of "
            "them, or make them the same"
        )


def _refuse_idle(options: argparse.Namespace, picture: Picture) -> None:
    from micrograd.render.notebook import MOST_STEPPED

    format = options.format or (format_of(options.output) if options.output else "svg")
    given = {
        "--mode": options.mode != "bprop",
        "--mode both": options.mode == "both",
        "--level": options.level != "auto",
        "--unfold": options.unfold,
        "--layout": options.layout != LAYOUTS[0],
    }
    idle, reason = IDLE.get(format, ((), ""))
    if format != "html" or len(picture.view.graph) <= MOST_STEPPED:  # a larger one is a picture
        refuse({name: given[name] for name in idle}, reason)
    if picture.view.level == "full":
        refuse(
            {"--unfold": options.unfold},
            "the whole graph is drawn, so nothing is folded; "
            "fold it by --level neuron, for example",
        )
