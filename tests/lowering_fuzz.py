"""Small random losses over parts of their inputs, lowered and compared with `backward()`.

    python -m tests.lowering_fuzz 5000 --seed 7

counts what goes wrong by the way to run a program, and prints the first of each, made smaller, as
a module to paste. `--seed` is that of the first case; the next ones have the next seeds.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from micrograd.lowering import lower
from micrograd.lowering.native.compiler import available
from tests.compiled_together import compiled_together
from tests.fuzz_cases import Case
from tests.fuzz_draw import Draw
from tests.lowering_oracle import (
    Right,
    by_engine,
    by_export,
    by_program,
    by_source,
    difference,
    in_c,
    natively,
    repeated,
)
from tests.notation_reader import misread

TOGETHER = 100  # cases whose C is compiled at once
NATIVE = ("c", "blocks")  # a batch as it is, and many times over: samples are treated in blocks
SEVERAL = 67  # samples at least


def compared(run: Callable[..., Any]) -> Callable[..., str]:
    """Return what says how a way to run a program differs from what is right."""
    return lambda program, batch, right: difference(run(program, batch), right)


WAYS = {
    "notation": misread,
    "program": compared(by_program),
    "source": compared(by_source),
    "export": compared(by_export),
}
for library in ("jax", "torch"):
    if find_spec(library):
        WAYS[library] = compared(partial(by_export, target=library))
if available():
    WAYS["c"] = WAYS["blocks"] = compared(in_c)
TEXTS = ("program", "source", "export", "notation")  # what takes no compiler


class Ready(NamedTuple):
    """A case that was lowered, also to run natively, with what is right; or why it was not."""

    program: Any
    native: Any
    batch: Any
    right: Any
    reduction: str = "mean"
    error: str = ""


def ready(case: Case, ways: Sequence[str]) -> Ready:
    """Lower a case."""
    module: dict[str, Any] = {}
    try:
        exec(str(case), module)
    except Exception as error:
        return Ready(None, None, None, None, error=described(error))
    program, batch, reduction = (module[name] for name in ("program", "batch", "reduction"))
    right = by_engine(program, module["loss"], batch, reduction)
    native = natively(program) if set(ways) & set(NATIVE) else None
    return Ready(program, native, batch, right, reduction)


def failures(case: Case, ways: Sequence[str] = tuple(WAYS)) -> dict[str, str]:
    """Return what goes wrong with a case, by the way to run it; "lower" where none can."""
    return failures_of(ready(case, ways), ways)


def failures_of(case: Ready, ways: Sequence[str]) -> dict[str, str]:
    if case.error:
        return {"lower": case.error}
    wrong = {}
    for way in ways:
        program = case.native if way in NATIVE else case.program
        other = many(case) if way == "blocks" else case
        wrong[way] = tried(WAYS[way], program, other.batch, other.right)
    return {way: text for way, text in wrong.items() if text}


def failures_on_a_batch(
    loss: Callable[..., Any], sample: Sequence[Any], seed: int
) -> dict[str, str]:
    """Return what differs, by each way to run a text, of a loss lowered on a sample: arrays.

    Whole numbers are ids, of which there are none above the sample's.
    """
    program = lower(loss, *(x.tolist() for x in sample))
    draw = np.random.default_rng(seed)
    draws = (
        draw.integers(x.max() + 1, size=(3, *x.shape))
        if x.dtype.kind == "i"
        else draw.normal(size=(3, *x.shape))
        for x in sample
    )
    batch = [x.tolist() for x in draws]
    case = Ready(program, None, batch, by_engine(program, loss, batch))
    return failures_of(case, TEXTS)


def many(case: Ready) -> Ready:
    """Return a case with its batch many times over."""
    if not case.batch:
        return case
    times = 1 + SEVERAL // len(case.batch[0])
    batch = [[*x] * times for x in case.batch]
    right = repeated(case.right, times, case.reduction, case.program.inputs)
    return case._replace(batch=batch, right=right)


def tried(way: Callable[..., str], program: Any, batch: Any, right: Right) -> str:
    try:
        return way(program, batch, right)
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


def all_failures(cases: Sequence[Case], ways: Sequence[str]) -> list[dict[str, str]]:
    """Return what goes wrong with each of some cases, compiled together."""
    several = [ready(case, ways) for case in cases]
    native = [case.native for case in several if case.native]
    with (
        tempfile.TemporaryDirectory() as folder,
        compiled_together(native, Path(folder)) if native else nullcontext(),
    ):
        return [failures_of(case, ways) for case in several]


def main(arguments: list[str]) -> int:
    """Run cases, print what goes wrong, and return how many do."""
    parser = argparse.ArgumentParser(prog="python -m tests.lowering_fuzz")
    parser.add_argument("count", type=int, nargs="?", default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--shown", type=int, default=1, help="failures to print for each way")
    parser.add_argument("--ways", nargs="*", default=list(WAYS), choices=list(WAYS))
    options = parser.parse_args(arguments)
    wrong: dict[str, list[Case]] = {}
    end = options.seed + options.count
    for start in range(options.seed, end, TOGETHER):
        cases = [Draw(seed).case() for seed in range(start, min(end, start + TOGETHER))]
        for case, ways in zip(cases, all_failures(cases, options.ways)):
            for way in ways:
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
