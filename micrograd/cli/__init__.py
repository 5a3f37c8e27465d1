"""The `micrograd` command: one module per sub-command, each with `add_parser(subparsers)`."""

from __future__ import annotations

import importlib
import os
import sys
import traceback
from collections.abc import Sequence
from typing import Any

from micrograd.cli import streams
from micrograd.cli.parser import Parser, UsageError
from micrograd.files import GONE, worded

__all__ = ["main"]

COMMANDS = ("draw", "evaluate", "lower", "play", "step", "tag", "train")
USAGE_ERROR, FAULT, INTERRUPTED = 2, 70, 130
NEEDED = ("graphviz", "numpy", "rich")  # folders of modules, each: never a file of that name
REFUSALS = (ValueError, TypeError, OSError, ImportError)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code: 2 for input that cannot be used.

    70 is a fault of the package itself, 130 Ctrl-C. Whatever happens is told in one line.
    """
    streams.prepare()
    if arguments is None:
        # The process is the command's own. NumPy, not imported yet, would take a thread for each
        # processor; where these are shared, such threads wait for one another.
        os.environ.setdefault("OMP_NUM_THREADS", "1")
    try:
        return _run(sys.argv[1:] if arguments is None else arguments)
    except BrokenPipeError:  # whoever reads the output has seen enough
        streams.give_up_output()
        return 0
    except KeyboardInterrupt:
        return INTERRUPTED


def _run(arguments: Sequence[str]) -> int:
    command = "micrograd"
    try:
        os.getcwd()
    except OSError:
        return _refused(command, GONE, USAGE_ERROR)
    try:
        options = _parsed(arguments)
        command = options.command
        code: int = options.func(options)
        sys.stdout.flush()
        return code
    except SystemExit as end:  # after --help and --version
        if isinstance(end.__context__, BrokenPipeError):  # rich makes an exit of it, with code 1
            raise end.__context__ from None
        sys.stdout.flush()
        return 0
    except UsageError as error:
        return _refused(error.command, str(error), USAGE_ERROR)
    except BrokenPipeError:
        raise
    except MemoryError:
        return _refused(command, "there is not enough memory; choose smaller sizes", USAGE_ERROR)
    except REFUSALS as error:
        return _refused(command, _told(error), USAGE_ERROR)
    except Exception as error:
        if hidden := _hidden():
            return _refused(command, f"{error}; {hidden}", USAGE_ERROR)
        return _refused(command, _fault(error), FAULT)


def _refused(command: str, text: str, code: int) -> int:
    streams.note(f"{command}: {text}")
    return code


def _told(error: Exception) -> str:
    if isinstance(error, OSError) and error.errno is not None:
        if error.filename is not None:
            return worded(error.filename, error)
        streams.give_up_output()
        return f"standard output: {(error.strerror or 'it failed').lower()}"
    remedy = _hidden() if isinstance(error, ImportError) else ""
    if not remedy and isinstance(error, ImportError) and error.name in NEEDED:
        remedy = f"pip install {error.name}, or install micrograd anew, which brings it"
    return "; ".join(filter(None, (str(error) or type(error).__name__, remedy)))


def _hidden() -> str:
    """Name a file of the user's that was imported in place of a module that this needs."""
    library = os.path.dirname(os.__file__) + os.sep
    for name in (*NEEDED, *sorted(sys.stdlib_module_names)):
        file = getattr(sys.modules.get(name), "__file__", None) or ""
        if os.path.basename(file) == f"{name}.py" and not file.startswith(library):
            return f"{file} hides the module {name}; give the file another name"
    return ""


def _fault(error: Exception) -> str:
    last = traceback.extract_tb(error.__traceback__)[-1]
    place = f"{'/'.join(last.filename.split(os.sep)[-2:])}:{last.lineno}"  # many are __init__.py
    return (
        f"a fault of micrograd itself, {type(error).__name__} in {place}: {error}; "
        "please report it with the command"
    )


def _parsed(arguments: Sequence[str]) -> Any:
    """Return the options; the command's own parser reads what comes after its name."""
    parser, commands = _parsers()
    own = commands.get(arguments[0]) if arguments else None
    if own is None:
        return parser.parse_args(arguments)
    options = own.parse_args(own.arranged(arguments[1:]))
    options.command = own.prog
    return options


def _parsers() -> tuple[Parser, dict[str, Parser]]:
    from micrograd import __version__

    parser = Parser(
        prog="micrograd",
        description="Draw graphs, step through them, lower them, and train the window tagger.",
        examples=(
            'micrograd step "(x + y) * max(y, z)" --at x=1,y=2,z=0',
            'micrograd draw "tanh(w * x + b)" --at w=2,x=1,b=-1 -o neuron.svg',
            "micrograd train --out run",
            "micrograd draw --help",
        ),
    )
    parser.add_argument("--version", action="version", version=f"micrograd-graph {__version__}")
    subparsers: Any = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name in COMMANDS:
        importlib.import_module(f"{__name__}.{name}").add_parser(subparsers)
    return parser, dict(subparsers.choices)
