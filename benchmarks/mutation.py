"""Mutation testing: small faults are put into a module, one at a time; do its tests see them?

    python benchmarks/mutation.py                       60 mutants, out of all modules named below
    python benchmarks/mutation.py micrograd/optim --count 20 --seed 3
    python benchmarks/mutation.py micrograd/graph.py --tests tests/test_graph.py

A mutant changes one comparison, operator, number, truth value or return, or leaves out one call. It
lives in a copy of the project in a temporary folder; the tree itself is never touched. A few of the
tests that ran its line come first (coverage says which), then all of them; the whole suite of the
module where the line runs outside of tests, as at import, or nowhere. Printed are the mutants that
no test noticed, with the place and the change, to be judged by a person: is a test missing, or does
the change make no difference? Mutants that run too long count as killed.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import NamedTuple

from coverage import CoverageData
from mutants import Mutant, mutant_at, sites

ROOT = Path(__file__).parent.parent
ENGINE = ["engine", "random_graphs", "derivatives", "copying", "drop_in", "lecture_errors", "graph"]
STATE = ["checkpoint", "training_files", "bad_calls", "bad_sweep"]
SUITES = {  # what begins so: the tests that belong to it; the longest beginning counts
    "micrograd/engine.py": ENGINE,
    "micrograd/core": ENGINE,
    "micrograd/core/formulas.py": ["ops", "functions", "lowering_kinds", *ENGINE],
    "micrograd/core/declared.py": ["declared"],
    "micrograd/core/checks.py": ["bad_sweep", "defaults", "training_loop", "nn_networks"],
    "micrograd/ops.py": ["ops", *ENGINE],
    "micrograd/derivatives.py": ["derivatives", "random_graphs", "modes", "bad_calls"],
    "micrograd/corners.py": ["derivatives"],
    "micrograd/gradcheck": ["gradcheck", "ops", "functions"],
    "micrograd/optim": ["optim_*", "states", "defaults"],
    "micrograd/training": ["training_*", "defaults"],
    "micrograd/checkpoint": STATE,
    "micrograd/files.py": ["files", *STATE],
    "micrograd/losses.py": ["losses", "defaults"],
    "micrograd/schedules.py": ["schedules", "defaults"],
    "micrograd/init.py": ["init"],
    "micrograd/preprocessing.py": ["preprocessing", "defaults"],
    "micrograd/nn": ["nn_search", "nn_networks", "nn_embedding", "defaults", *STATE],
    "micrograd/ner/judging/scoring.py": ["ner_conll", "ner_schemes", "ner_tagger"],
    "micrograd/ner/text": ["ner_conll", "ner_files", "ner_schemes"],
    "micrograd/lowering": ["lowering_*"],
}
FIRST = 12  # tests that ran the line, before all of them
FIRST_SECONDS = 90


class Measured(NamedTuple):
    """A test file as it passes: how long, and the tests that ran each (module, line).

    What ran outside of tests, at import or in a fixture, has the test "".
    """

    seconds: float
    ran: dict[tuple[str, int], set[str]]


def suite(path: Path, folder: Path) -> list[str]:
    """Return the test files that belong to a module. Raises SystemExit where there are none."""
    beginnings = [start for start in SUITES if str(path.as_posix()).startswith(start)]
    if not beginnings:
        raise SystemExit(f"{path}: no tests are named for it; say which by --tests")
    names = SUITES[max(beginnings, key=len)]
    return [str(file) for name in names for file in sorted(folder.glob(f"tests/test_{name}.py"))]


@cache
def measured(folder: Path, file: str) -> Measured:
    """Run a test file under coverage. Raises SystemExit where it fails without a fault."""
    began = time.monotonic()
    settings, data = folder / ".coveragerc", folder / ".coverage"
    source = folder / "micrograd"
    settings.write_text(f"[run]\ndynamic_context = test_function\nsource = {source}\n")
    runner = ["coverage", "run", f"--rcfile={settings}", f"--data-file={data}", "-m", "pytest"]
    if not passes(folder, [file], 1800, runner):
        raise SystemExit(f"these tests fail as they are: {file}")
    covered = CoverageData(str(data))
    covered.read()
    ran = defaultdict(set)
    for module in covered.measured_files():
        for line, contexts in covered.contexts_by_lineno(module).items():
            tests = {f"{file}::{name.rpartition('.')[2]}" if name else "" for name in contexts}
            ran[str(Path(module).relative_to(folder)), line] |= tests
    data.unlink()
    return Measured(time.monotonic() - began, ran)


def noticed(folder: Path, mutant: Mutant, files: list[str]) -> bool:
    """Return whether a test fails with the mutant in its place."""
    every = [measured(folder, file) for file in files]
    lines = range(mutant.start, mutant.line + 1)
    ran = {test for m in every for line in lines for test in m.ran[str(mutant.path), line]}
    tests = sorted(ran - {""})
    limit = 3 * sum(m.seconds for m in every) + 10
    first = sorted(random.Random(0).sample(tests, min(FIRST, len(tests))))
    rest = files if "" in ran or not ran else tests
    file = folder / mutant.path
    whole = file.read_text(encoding="utf-8")
    file.write_text(mutant.after, encoding="utf-8")
    try:
        few = rest != first and bool(first)
        stages = [(first, min(limit, FIRST_SECONDS))] * few + [(rest, limit)]
        return not all(passes(folder, *stage) for stage in stages)
    finally:
        file.write_text(whole, encoding="utf-8")


def passes(folder: Path, tests: list[str], limit: float, runner: list[str] | None = None) -> bool:
    """Return whether all tests pass in the copy within `limit` seconds."""
    options = ["-x", "-q", "-p", "no:cacheprovider"]
    command = [sys.executable, "-m", *(runner or ["pytest"]), *options, *tests]
    environment = os.environ | {
        "PYTHONPATH": str(folder),
        "PYTHONDONTWRITEBYTECODE": "1",
        "OMP_NUM_THREADS": "1",
    }
    process = subprocess.Popen(
        command,
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        preexec_fn=_limit_memory,
    )
    try:
        process.communicate(timeout=limit)
    except subprocess.TimeoutExpired:
        return False
    finally:
        _end(process)
    if process.returncode == 5:
        raise SystemExit(f"there are no tests in {' '.join(tests)}")
    return process.returncode == 0  # 4: not even the tests' own imports bear the fault


def _end(process: subprocess.Popen) -> None:
    """End what the tests started and left."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _limit_memory() -> None:
    """Let a mutant that fills the memory fail instead."""
    import resource

    resource.setrlimit(resource.RLIMIT_AS, (8 << 30, 8 << 30))


def copied(folder: Path) -> None:
    """Copy what tests need into `folder`."""
    ignored = shutil.ignore_patterns(".*", "__pycache__", "*.egg-info", "build", "dist")
    shutil.copytree(ROOT, folder, ignore=ignored, dirs_exist_ok=True)


def modules(names: list[str]) -> list[Path]:
    """Return the modules that are named, by file, folder, or beginning."""
    files: list[Path] = []
    for name in names:
        place = ROOT / name
        files += sorted(place.rglob("*.py")) if place.is_dir() else [place]
    return [file.relative_to(ROOT) for file in files if file.name != "__main__.py"]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="See how many small faults the tests notice.")
    parser.add_argument("modules", nargs="*", default=list(SUITES), help="files or folders")
    parser.add_argument("--count", type=int, default=60, help="mutants tried (60)")
    parser.add_argument("--seed", type=int, default=0, help="of their choice (0)")
    parser.add_argument("--tests", nargs="+", help="test files, instead of those that belong")
    return parser.parse_args()


def main() -> None:
    """Try mutants and print those that live."""
    chosen = _arguments()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        copied(folder)
        every = [site for path in modules(chosen.modules) for site in sites(folder, path)]
        sample = sorted(random.Random(chosen.seed).sample(every, min(chosen.count, len(every))))
        mutants = [mutant_at(folder, site) for site in sample]
        living = [*_living(folder, mutants, chosen)]
    killed = len(sample) - len(living)
    print(f"\n{killed} of {len(sample)} mutants killed ({len(every)} could be made); alive:")
    print("\n".join(map(str, living)) or "none")


def _living(folder: Path, mutants: list[Mutant], chosen: argparse.Namespace) -> Iterator[Mutant]:
    """Yield the mutants that no test notices."""
    for number, mutant in enumerate(mutants, 1):
        began = time.monotonic()
        killed = noticed(folder, mutant, chosen.tests or suite(mutant.path, folder))
        said = f"killed {mutant.path}:{mutant.line}" if killed else f"LIVES {mutant}"
        seconds = time.monotonic() - began
        print(f"{number}/{len(mutants)} {seconds:.0f} s: {said}", flush=True)
        if not killed:
            yield mutant


if __name__ == "__main__":
    main()
