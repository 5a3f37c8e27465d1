"""`micrograd lower`: the array program of a scalar function, a Value or an expression."""

from __future__ import annotations

import argparse
import sys
import warnings
from collections.abc import Sequence
from functools import partial
from typing import Any

from micrograd.cli import reading
from micrograd.cli.streams import guest, note, write_document
from micrograd.engine import Value
from micrograd.printing import printable

SAMPLES = 5  # checked on
CLOSE = 1e-9  # relative to what was added up


def add_parser(subparsers: Any) -> None:
    """Register the command."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "lower",
        help="turn a scalar function or a Value into an array program",
        description="Print the array program of what a Python file calls NAME: a Value, or a "
        "function of one sample, its argument defaults being a sample (lists of numbers), that "
        'returns a Value or lists of them; or of EXPR, such as "x * y" --at x=1,y=2.',
        examples=(
            "micrograd lower lesson.py:loss --check",
            "micrograd lower lesson.py:loss --after arrays",
            "micrograd lower lesson.py:loss --export jax > lesson_jax.py",
            'micrograd lower "tanh(w * x + b)" --at w=2,x=1,b=-1',
        ),
    )
    parser.add_argument("value", metavar="EXPR|FILE.py:NAME", help="what to lower")
    parser.add_argument("--at", default="", metavar="x=1,y=2", help="the values of EXPR's inputs")
    parser.add_argument(
        "--check",
        action="store_true",
        help=f"compare with the scalar engine on {SAMPLES} random samples of other signs and sizes",
    )
    parser.add_argument(
        "--explain", action="store_true", help="show which nodes became which array"
    )
    parser.add_argument(
        "--after",
        metavar="PASS",
        help="print what one pass made instead, such as arrays: the formulas in index notation",
    )
    parser.add_argument(
        "--export",
        choices=("numpy", "jax", "torch", "c"),
        help="print a standalone file for this library, or in C, instead; what else is asked for "
        "goes to standard error",
    )
    parser.add_argument(
        "--main",
        action="store_true",
        help="with --export c: a program that prints what the sample gives",
    )
    parser.set_defaults(func=run)


def run(options: argparse.Namespace) -> int:
    """Print the program, and what was asked for beside."""
    from micrograd.lowering import lower
    from micrograd.user_files import failures_of

    if options.after and options.export:
        raise ValueError("--after and --export print two things in one place; give one of them")
    if options.main and options.export != "c":
        raise ValueError("--main makes a program of what --export c prints; give both")
    function, samples, path = _asked(options)
    with failures_of(path), warnings.catch_warnings(record=True) as remarks:
        warnings.simplefilter("always", RuntimeWarning)
        program = lower(function, *samples)
    for remark in remarks:
        note(f"micrograd lower: {remark.message}")
    write_document(_document(program, options) + "\n")
    beside = sys.stderr if options.export else sys.stdout  # a file is what was exported alone
    if options.explain:
        print(printable(program.explain()), file=beside)
    if not options.check:
        return 0
    with failures_of(path):
        error, said = _checked(program, function, samples)
    print(*said, sep="\n", file=beside)
    return 0 if error <= CLOSE else 1


def _asked(options: argparse.Namespace) -> tuple[Any, Sequence[Any], str]:
    """Return what to lower, a Value or a function and its sample, and the file it is in."""
    from micrograd.expressions import file_and_name
    from micrograd.lowering.compare import sampled
    from micrograd.user_files import load

    path, name = file_and_name(options.value)
    if not path:
        return reading.root(options), (), path
    if options.at:
        raise ValueError(
            "--at goes with an expression: a Value has its numbers, a function its sample as the "
            "defaults of its arguments"
        )
    with guest():
        found = load(path, name, functions=True)
        return found, () if isinstance(found, Value) else sampled(found, path, name), path


def _checked(program: Any, function: Any, samples: Sequence[Any]) -> tuple[float, list[str]]:
    """Return the largest difference from the scalar engine, and what to say of it."""
    from micrograd.lowering.compare import compared, like, over_parameters, weighted
    from micrograd.lowering.trace.samples import as_values

    what = "samples"
    if program.inputs:
        function, samples = weighted(program, function, samples)
        batch, held, near = like(program, function, samples, SAMPLES)
        error = compared(program, function, batch)
    else:
        what = "points"
        moved, now = over_parameters(program, function)
        batch, held, near = like(program, moved, now, SAMPLES)
        points = [*zip(*batch)] or [()]
        error = max(compared(program, partial(moved, *map(as_values, x))) for x in points)
    said = [
        f"compared on {SAMPLES} {what} of both signs, of 0.1 to 5 times the size of the given",
        f"largest difference from the scalar engine: {error:.2g} of what was added up",
    ]
    if near:
        said.append(f"varied by a fifth, since the function refuses more: {', '.join(near)}")
    if held:
        said.append(f"not varied, since the function refuses other numbers: {', '.join(held)}")
    return error, said


def _document(program: Any, options: argparse.Namespace) -> str:
    """Return the text that was asked for."""
    if options.after:
        return printable(program.explain(options.after))
    if not options.export:
        return str(program.source)
    return str(program.export(options.export, main=options.main))
