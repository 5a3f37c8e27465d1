"""Small random losses over parts of their inputs, lowered and compared with `backward()`.

    python -m tests.lowering_fuzz 5000 --seed 7

counts what goes wrong by the way to run a program, and prints the first of each, made smaller, as
a module to paste. `--seed` is that of the first case; the next ones have the next seeds.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from typing import Any

from micrograd.lowering.native.compiler import available
from tests.fuzz_cases import Case
from tests.fuzz_draw import Draw
from tests.lowering_oracle import (
    Right,
    by_engine,
    by_export,
    by_native,
    by_program,
    by_source,
    difference,
)

WAYS: dict[str, Callable[..., Any]] = {
    "program": by_program,
    "source": by_source,
    "export": by_export,
}
if available():
    WAYS["c"] = by_native
TEXTS = ("program", "source", "export")  # what takes no compiler


def failures(case: Case, ways: Sequence[str] = tuple(WAYS)) -> dict[str, str]:
    """Return what goes wrong with a case, by the way to run it; "lower" where none can."""
    module: dict[str, Any] = {}
    try:
        exec(str(case), module)
    except Exception as error:
        return {"lower": described(error)}
    program, batch = module["program"], module["batch"]
    right = by_engine(program, module["loss"], batch, module["reduction"])
    wrong = {way: tried(run, program, batch, right) for way, run in WAYS.items() if way in ways}
    return {way: text for way, text in wrong.items() if text}


def tried(run: Callable[..., Any], program: Any, batch: Any, right: Right) -> str:
    try:
        return difference(run(program, batch), right)
    except Exception as error:
        return described(error)


def described(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"


def shrunk(case: Case, way: str) -> Case:
    """Return a smaller case that goes wrong the same way."""
    for other in case.smaller():
        if way in failures(other, (way,)):
            return shrunk(other, way)
    return case


def report(case: Case, way: str) -> str:
    """Say what goes wrong with a case, made smaller."""
    small = shrunk(case, way)
    return f"seed {case.seed}, {way}: {failures(small, (way,))[way]}\n\n{small}"


def main(arguments: list[str]) -> int:
    """Run cases, print what goes wrong, and return how many do."""
    parser = argparse.ArgumentParser(prog="python -m tests.lowering_fuzz")
    parser.add_argument("count", type=int, nargs="?", default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--shown", type=int, default=1, help="failures to print for each way")
    parser.add_argument("--ways", nargs="*", default=list(WAYS), choices=list(WAYS))
    options = parser.parse_args(arguments)
    wrong: dict[str, list[Case]] = {}
    for seed in range(options.seed, options.seed + options.count):
        case = Draw(seed).case()
        for way in failures(case, options.ways):
            wrong.setdefault(way, []).append(case)
    for way, cases in wrong.items():
        for case in cases[: options.shown]:
            print(f"{report(case, way)}\n{'-' * 80}")
    print(f"{options.count} random losses")
    for key, cases in wrong.items():
        print(f"{len(cases):6} wrong: {key}")
    return sum(map(len, wrong.values()))


if __name__ == "__main__":
    sys.exit(bool(main(sys.argv[1:])))
