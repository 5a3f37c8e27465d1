"""`micrograd draw`: the picture of an expression, or of a Value in a Python file."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from micrograd.render.captions import MODES
from micrograd.render.collapse import LEVELS
from micrograd.render.picture import FORMATS, LAYOUTS


def add_parser(subparsers: Any) -> None:
    """Register the command."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "draw", help="draw the computation graph of an expression",
        description="Draw the graph of EXPR, such as '(x + y) * max(y, z)' --at x=1,y=2,z=0, "
        "or of the Value NAME of a Python file.",
    )  # fmt: skip
    parser.add_argument("value", metavar="EXPR|FILE.py:NAME", help="what to draw")
    parser.add_argument("--at", default="", metavar="x=1,y=2", help="the values of the inputs")
    parser.add_argument(
        "-o",
        "--output",
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
        help="how far to collapse the graph (default auto: by its size)",
    )
    parser.add_argument(
        "--unfold",
        action="append",
        default=[],
        metavar="SCOPE",
        help="open this scope, such as 'layer 0 / neuron 1', or folded box",
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
    from micrograd.expressions import point, read
    from micrograd.render import render

    picture = render(
        read(options.value, point(options.at)), options.mode, options.level, options.unfold,
        options.layout, options.unfold_sums,
    )  # fmt: skip
    if options.output:
        print(f"wrote {picture.save(options.output, options.format)}", file=sys.stderr)
        return 0
    image = picture.to(options.format or "svg")
    if isinstance(image, bytes):
        raise ValueError(f"a {options.format} picture needs a file: name it with -o")
    sys.stdout.write(image)
    return 0
