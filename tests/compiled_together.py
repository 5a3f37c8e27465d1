"""Many compiled programs as one library: the start of a compiler takes longer than a program."""

from __future__ import annotations

import ctypes
import re
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from micrograd.lowering.native import run
from micrograd.lowering.native.c import active
from micrograd.lowering.native.compiler import FLAGS, compiler
from micrograd.lowering.passes import FORWARD
from micrograd.lowering.trace.declared import INPUT, PARAMETER

OWN = re.compile(r"^(?:static )?(?:inline |const )*(?:int|double) (\w+)[\[(]", re.M)


@contextmanager
def compiled_together(programs: Iterable[Any], folder: Path) -> Iterator[None]:
    """Have what `programs` run compiled at once, quickly, and not one by one.

    Samples without a gradient leave the blocks of small networks too.
    """
    worth, active.WORTH = active.WORTH, -1
    sources = [source for program in programs for source in _sources(program)]
    library = _library(dict.fromkeys(sources), folder)
    before = run.loaded
    run.loaded = library.__getitem__
    try:
        yield
    finally:
        run.loaded, active.WORTH = before, worth


def _sources(program: Any) -> list[str]:
    kinds = FORWARD, INPUT if program.inputs else PARAMETER
    return [program.native.module(kind).source for kind in kinds]


def _library(sources: Iterable[str], folder: Path) -> dict[str, Any]:
    """Return what stands for the library of each source."""
    shared: dict[str, None] = {}
    parts, names = [], {}
    for n, source in enumerate(sources):
        common, own = _divided(source)
        shared |= dict.fromkeys(common)
        names[source] = f"run_{n}"
        defined = sorted(set(OWN.findall(own)))
        renamed = [f"#define {name} {name}_{n}" for name in defined]
        parts += ["\n".join(renamed), own, "\n".join(f"#undef {name}" for name in defined)]
    text, library = folder / "together.c", folder / "together.so"
    text.write_text("\n\n".join([*shared, *parts]), encoding="utf-8")
    flags = [flag for flag in FLAGS if flag != "-O2"]
    words = [*compiler(), "-O1", *flags, "-march=native", str(text), "-o", str(library), "-lm"]
    subprocess.run(words, check=True)
    every = ctypes.CDLL(str(library))
    return {source: SimpleNamespace(run=every[name]) for source, name in names.items()}


def _divided(source: str) -> tuple[list[str], str]:
    """Return what all modules that need it have alike, piece by piece, and the rest."""
    pieces = [piece.strip() for piece in source.split("\n\n")]
    helpers = Path(active.__file__).with_name("helpers").glob("*.c")
    files = [p for path in helpers for p in path.read_text("utf-8").strip().split("\n\n")]
    common = [p for p in pieces if p.startswith("#") or p in files]
    return common, "\n\n".join(p for p in pieces if p not in common)
