"""Mutation testing: small faults are put into a module, one at a time; do its tests see them?

    python benchmarks/mutation.py                       60 mutants, out of all modules named below
    python benchmarks/mutation.py micrograd/optim --count 20 --seed 3
    python benchmarks/mutation.py micrograd/graph.py --tests tests/test_graph.py

A mutant changes one comparison, operator, number, truth value or return, or leaves out one call. It
lives in a copy of the project in a temporary folder; the tree itself is never touched. Printed are
the mutants that no test noticed, with the place and the change, to be judged by a person: is a test
missing, or does the change make no difference? Mutants that run too long count as killed.
"""

from __future__ import annotations

import argparse
import ast
import difflib
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parent.parent
ENGINE = ["engine", "random_graphs", "derivatives", "copying", "drop_in", "lecture_errors", "graph"]
STATE = ["checkpoint", "training_files"]
SUITES = {  # what begins so: the tests that belong to it; the longest beginning counts
    "micrograd/engine.py": ENGINE,
    "micrograd/core": ENGINE,
    "micrograd/ops.py": ["ops", *ENGINE],
    "micrograd/derivatives.py": ["derivatives"],
    "micrograd/gradcheck": ["gradcheck"],
    "micrograd/optim": ["optim_rules", "optim_torch", "defaults"],
    "micrograd/training": ["training_loop", "training_resume", "training_files", "defaults"],
    "micrograd/checkpoint": STATE,
    "micrograd/files.py": ["files", "training_files"],
    "micrograd/losses.py": ["losses", "defaults"],
    "micrograd/schedules.py": ["schedules", "defaults"],
    "micrograd/init.py": ["init"],
    "micrograd/preprocessing.py": ["preprocessing", "defaults"],
    "micrograd/nn": ["nn_search", "nn_networks", "nn_embedding", "defaults", *STATE],
    "micrograd/ner/judging/scoring.py": ["ner_conll", "ner_schemes", "ner_tagger"],
    "micrograd/ner/text": ["ner_conll", "ner_schemes"],
    "micrograd/lowering": ["lowering_*"],
}
COMPARISONS: dict[type, list[type]] = {
    ast.Lt: [ast.LtE, ast.GtE],
    ast.LtE: [ast.Lt, ast.Gt],
    ast.Gt: [ast.GtE, ast.LtE],
    ast.GtE: [ast.Gt, ast.Lt],
    ast.Eq: [ast.NotEq],
    ast.NotEq: [ast.Eq],
    ast.Is: [ast.IsNot],
    ast.IsNot: [ast.Is],
    ast.In: [ast.NotIn],
    ast.NotIn: [ast.In],
}
OPERATORS: dict[type, type] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.Pow: ast.Mult,
    ast.FloorDiv: ast.Div,
    ast.Mod: ast.Mult,
    ast.MatMult: ast.Mult,
    ast.BitAnd: ast.BitOr,
}


class Mutant(NamedTuple):
    """A module with one fault in it: where, and the text before and after, without comments."""

    path: Path
    line: int
    before: str
    after: str

    def __str__(self) -> str:
        lines = difflib.unified_diff(self.before.split("\n"), self.after.split("\n"), n=0)
        changed = [line for line in lines if line[0] in "+-" and line[:3] not in ("+++", "---")]
        return "\n".join([f"{self.path}:{self.line}", *(f"    {line}" for line in changed)])


class Site(NamedTuple):
    """A place in a module where there can be a fault: the number of a node, and of its change."""

    path: Path
    node: int
    change: int


def sites(folder: Path, path: Path) -> list[Site]:
    """Return the places of all mutants of a module."""
    nodes = enumerate(_code(_parsed(folder / path)))
    return [Site(path, i, change) for i, node in nodes for change in range(len(_changes(node)))]


def mutant_at(folder: Path, site: Site) -> Mutant:
    """Return the module with the fault of `site`."""
    tree = _parsed(folder / site.path)
    before = ast.unparse(tree)
    node = list(_code(tree))[site.node]
    _changes(node)[site.change]()
    return Mutant(site.path, getattr(node, "lineno", 0), before, ast.unparse(tree))


def _parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def _code(tree: ast.AST) -> Iterator[ast.AST]:
    """Yield the nodes that are executed: no annotations, no docstrings, no text."""
    for name, field in ast.iter_fields(tree):
        if name in ("annotation", "returns", "type_params"):
            continue
        for node in field if isinstance(field, list) else [field]:
            if isinstance(node, ast.AST) and not isinstance(node, (ast.JoinedStr, ast.Raise)):
                yield node
                yield from _code(node)


def _changes(node: ast.AST) -> list:
    """Return the functions that each put one fault into `node`."""

    def put(name: str, value: object):
        return lambda: setattr(node, name, value)

    if isinstance(node, ast.Compare):
        return [
            put("ops", [kind(), *node.ops[1:]]) for kind in COMPARISONS.get(type(node.ops[0]), [])
        ]
    if isinstance(node, (ast.BinOp, ast.AugAssign)) and type(node.op) in OPERATORS:
        return [put("op", OPERATORS[type(node.op)]())] * (not _is_text(node))
    if isinstance(node, ast.BoolOp):
        return [put("op", ast.Or() if isinstance(node.op, ast.And) else ast.And())]
    if isinstance(node, ast.Constant) and isinstance(node.value, bool):
        return [put("value", not node.value)]
    if isinstance(node, ast.Constant) and isinstance(node.value, (int, float)):
        return [put("value", node.value + 1), put("value", 2 * node.value)]
    if isinstance(node, (ast.If, ast.IfExp, ast.While)):
        return [put("test", ast.UnaryOp(ast.Not(), node.test))]
    if isinstance(node, ast.Return) and not isinstance(node.value, (type(None), ast.Constant)):
        return [put("value", ast.Constant(None))]
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        return [put("value", ast.Constant(None))]
    return []


def _is_text(node: ast.AST) -> bool:
    """Return whether an operator joins text: such mutants only change messages."""
    parts = [node.left, node.right] if isinstance(node, ast.BinOp) else [node.value]
    text = (ast.JoinedStr, ast.List, ast.ListComp)
    return any(
        isinstance(part, text) or isinstance(getattr(part, "value", None), str) for part in parts
    )


def suite(path: Path, folder: Path) -> list[str]:
    """Return the test files that belong to a module. Raises SystemExit where there are none."""
    beginnings = [start for start in SUITES if str(path.as_posix()).startswith(start)]
    if not beginnings:
        raise SystemExit(f"{path}: no tests are named for it; say which by --tests")
    names = SUITES[max(beginnings, key=len)]
    return [str(file) for name in names for file in sorted(folder.glob(f"tests/test_{name}.py"))]


def passes(folder: Path, tests: list[str], limit: float) -> bool:
    """Return whether all tests pass in the copy within `limit` seconds."""
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *tests]
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
    parser.add_argument("--seconds", type=float, help="limit of a mutant (3 × whole tests + 10)")
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
    limits: dict[tuple[str, ...], float] = {}
    for number, mutant in enumerate(mutants, 1):
        tests = chosen.tests or suite(mutant.path, folder)
        if tuple(tests) not in limits:
            limits[tuple(tests)] = chosen.seconds or _limit(folder, tests)
        file = folder / mutant.path
        whole = file.read_text(encoding="utf-8")
        file.write_text(mutant.after, encoding="utf-8")
        alive = passes(folder, tests, limits[tuple(tests)])
        file.write_text(whole, encoding="utf-8")
        said = f"LIVES {mutant}" if alive else f"killed {mutant.path}:{mutant.line}"
        print(f"{number}/{len(mutants)} {said}", flush=True)
        if alive:
            yield mutant


def _limit(folder: Path, tests: list[str]) -> float:
    """Return how long mutants may take. Raises SystemExit where the tests fail without a fault."""
    began = time.monotonic()
    if not passes(folder, tests, 1800):
        raise SystemExit(f"these tests fail as they are: {' '.join(tests)}")
    return 3 * (time.monotonic() - began) + 10


if __name__ == "__main__":
    main()
