"""Pages of Markdown as programs: their blocks, run in order in a fresh folder."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tests.conftest import ROOT

BLOCK = re.compile(r"(?:^<!-- (\w+) -->\n)?^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
COPIED = ("micrograd", "demos", "benchmarks", "docs", "tests", "README.md")
QUICK = re.compile(r"(micrograd (step|draw|play|lower)|cat|x, y|from|loss|END)\b|\.")
# What reaches a registry, or takes minutes: CI does the first on its own, from nothing.
PROGRAMS = {
    "python": 'exec "{python}" "$@"',
    "micrograd": 'exec "{python}" -m micrograd "$@"',
    "jupytext": 'exec "{python}" -m jupytext "$@"',
    "python3": "exit 0",
    "pip": "exit 0",
    "pytest": "exit 0",
}


class Block(NamedTuple):
    """A block of code: the mark above it, its language, its text."""

    mark: str
    language: str
    text: str


def blocks(page: Path) -> list[Block]:
    """Return the blocks of a page, in order."""
    return [Block(*found) for found in BLOCK.findall(page.read_text("utf-8"))]


def fresh(folder: Path) -> Path:
    """Return a folder like a clone of this one, whose environment runs what is tested."""
    for name in COPIED:
        source, target = ROOT / name, folder / name
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(source, target, ignore=ignored) if source.is_dir() else shutil.copy(
            source, target
        )
    programs = folder / ".venv" / "bin"
    programs.mkdir(parents=True)
    (programs / "activate").write_text("")
    for name, text in PROGRAMS.items():
        (programs / name).write_text(f"#!/bin/sh\n{text.format(python=sys.executable)}\n")
        (programs / name).chmod(0o755)
    return folder


def shell(text: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run commands as a reader does who has switched the environment on."""
    path = f"{folder / '.venv' / 'bin'}{os.pathsep}{os.environ['PATH']}"
    modules = os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")])
    added = {"PATH": path, "PYTHONPATH": modules, "OMP_NUM_THREADS": "1", "NO_COLOR": "1"}
    added["PYTHONIOENCODING"] = "utf-8"
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", text],
        cwd=folder,
        env=os.environ | added,
        stdin=subprocess.DEVNULL,
        encoding="utf-8",
        capture_output=True,
        timeout=1800,
    )


def quick(block: Block) -> bool:
    """Tell whether every line of the block's commands takes a second or so."""
    return all(QUICK.match(line) for line in block.text.splitlines() if line)


def shown(block: Block) -> Iterator[tuple[str, list[str]]]:
    """Return the commands of a console block, with the runs of lines they are said to print."""
    for part in re.split(r"^\$ ", block.text, flags=re.MULTILINE)[1:]:
        command, _, output = part.partition("\n")
        yield command, [run.strip("\n") for run in re.split(r"^\.\.\.\n", output, flags=re.M)]


def expected(block: Block) -> list[str]:
    """Return the lines that a Python block says it prints: its comments."""
    return [line[2:] for line in block.text.splitlines() if line.startswith("# ")]
