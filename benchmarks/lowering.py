"""Lowered programs against hand-written NumPy, JAX, PyTorch and the eager engine.

    python benchmarks/lowering.py [WORKLOAD ...] [--repeats N] [--small] [--without PEER ...]
                                  [--readme]

Workloads: moons, window-small, window-large, chain, random, attention; all of them by default.
All contenders run in this process, on one core and in one thread, in turn; a figure is the median
over the turns, of CPU time, so that other work on the machine does not count. Before anything is
timed, every contender's gradients are compared with those of `backward()`.
"""

from __future__ import annotations

import os

THREADS = ("OMP", "OPENBLAS", "MKL", "VECLIB")
os.environ.update({f"{library}_NUM_THREADS": "1" for library in THREADS})
os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
os.environ["TORCHINDUCTOR_COMPILE_THREADS"] = "1"

import argparse  # noqa: E402
import gc  # noqa: E402
import statistics  # noqa: E402
import sys  # noqa: E402
import time  # noqa: E402
import warnings  # noqa: E402
from collections.abc import Callable, Iterator  # noqa: E402
from importlib.util import find_spec  # noqa: E402
from inspect import signature  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import Any  # noqa: E402

import numpy as np  # noqa: E402

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import peers  # noqa: E402
import table  # noqa: E402
from workloads import FULL, SMALL, Workload, numbers  # noqa: E402

from micrograd import topological_order  # noqa: E402
from micrograd.lowering import Program, lower  # noqa: E402
from micrograd.lowering.native.compiler import available as available_compiler  # noqa: E402
from micrograd.lowering.native.compiler import compiler  # noqa: E402
from micrograd.lowering.trace.declared import INPUT, PARAMETER  # noqa: E402

Arrays = dict[str, Any]
BY_HAND = {"moons": peers.numpy_moons, "window": peers.numpy_window}
PACKED = {"moons": peers.packed_moons, "window": peers.packed_window}
LOSSES = {"moons": peers.moons_loss, "window": peers.window_loss}
BY_HAND_IN_C = ("moons", "window-small")  # peers.c has their sizes
NEEDS = {"JAX jit": "jax", "PyTorch": "torch", "torch.compile": "torch"}
EAGER_SAMPLES = 2  # of a workload without a graph of the whole: the others take as long
clock = time.process_time


def contenders(name: str, make: Callable[..., Workload], without: list[str]) -> Iterator[Any]:
    """Yield (contender, step, the part of the work that a step does)."""
    workload = make()
    arrays = {key: np.array(numbers(nested)) for key, nested in workload.parameters.items()}
    yield from in_c(name, workload, arrays)
    yield "lowered", lowered(workload), 1.0
    yield "the text", lowered(workload, only_text=True), 1.0
    family = name.split("-")[0]
    if family in LOSSES:
        yield "NumPy by hand", BY_HAND[family](arrays, *map(np.array, workload.batch)), 1.0
        yield "NumPy, packed", PACKED[family](arrays, *map(np.array, workload.batch)), 1.0
        yield from by_autograd(LOSSES[family], workload, arrays, without)
    yield "eager", *eager(workload)
    if family in LOSSES:
        yield "eager, fused", *eager(make(fused=True))


def in_c(name: str, workload: Workload, arrays: Arrays) -> Iterator[Any]:
    """Yield the lowered program as compiled C, and C written by hand."""
    if not available_compiler():
        print("  compiled, C by hand: left out, there is no C compiler")
        return
    program = program_of(workload, "c")
    batch = [np.array(column, float) for column in workload.batch]
    yield "compiled", called(program, batch, workload.wrt_inputs), 1.0
    yield "its C alone", bare_step(program, batch, workload.wrt_inputs), 1.0
    if name in BY_HAND_IN_C:
        named = dict(zip(("x", "x_c"), batch))
        family = name.partition("-")[0]
        yield (
            "C by hand",
            peers.c_step(compiler(), family, arrays, named, workload.wrt_inputs),
            1.0,
        )


def by_autograd(
    loss: Callable[..., Any], workload: Workload, arrays: Arrays, without: list[str]
) -> Iterator[Any]:
    names = workload.function.__code__.co_varnames
    batch = {name: np.array(column) for name, column in zip(names, workload.batch)}
    given = loss, arrays, batch, workload.wrt_inputs
    if available("JAX jit", without):
        yield "JAX jit", peers.jax_step(*given), 1.0
    if available("PyTorch", without):
        yield "PyTorch", peers.torch_step(*given), 1.0
    if available("torch.compile", without):
        yield "torch.compile", peers.torch_step(*given, compiled=True), 1.0


def available(contender: str, without: list[str]) -> bool:
    """Return whether to run a contender; say so where its library is missing."""
    if contender in without:
        return False
    if find_spec(NEEDS[contender]) is None:
        print(f"  {contender}: left out, {NEEDS[contender]} is not installed")
        return False
    return True


def program_of(workload: Workload, backend: str) -> Program:
    if workload.function is None:
        return lower(workload.record(), parameters=workload.parameters, backend=backend)
    sample = workload.samples[0]
    return lower(workload.function, *sample, parameters=workload.parameters, backend=backend)


def called(program: Program, batch: list[Any], wrt_inputs: bool) -> peers.Step:
    return lambda: program.value_and_grad(*batch, wrt_inputs=wrt_inputs)


def lowered(workload: Workload, only_text: bool = False) -> peers.Step:
    """Return a step of the lowered program, or of its text without the checks around it."""
    program = program_of(workload, "numpy")
    batch = [np.array(column) for column in workload.batch]
    step = text_step if only_text else called
    return step(program, batch, workload.wrt_inputs)


def text_step(program: Program, batch: list[Any], wrt_inputs: bool) -> peers.Step:
    """Return a step of the printed text alone: no input is checked, no warning silenced."""
    text = program.lowered.forms(INPUT if wrt_inputs else PARAMETER)["text"]
    scope: dict[str, Any] = {}
    exec(text.source, scope)
    function = scope["value_and_grad"]
    held = {**dict(zip(program.inputs, batch)), **program.parameters, **program.constants}
    arrays = [{**held, **text.tables}[name] for name in signature(function).parameters]
    return lambda: function(*arrays)


def bare_step(program: Program, batch: list[Any], wrt_inputs: bool) -> peers.Step:
    """Return a step of the compiled function alone, into arrays made once."""
    kind = INPUT if wrt_inputs else PARAMETER
    program.value_and_grad(*batch, wrt_inputs=wrt_inputs)
    function = program.native.function(kind)
    call, gradients = function.bound(batch)

    def step() -> tuple[float, Arrays]:
        call()
        return 0.0, gradients

    return step


def eager(workload: Workload) -> tuple[peers.Step, float]:
    """Return a step of the engine without gradients to compare, and the part it does."""

    def whole() -> tuple[float, Arrays]:
        workload.record().backward()
        return 0.0, {}

    def some() -> tuple[float, Arrays]:
        for loss, _ in zip(workload.losses(), range(EAGER_SAMPLES)):
            loss[0].backward(1.0 / len(workload.samples))
        return 0.0, {}

    if workload.record:
        return whole, 1.0
    return some, EAGER_SAMPLES / len(workload.samples)


def check(name: str, step: peers.Step, wanted: Arrays, tolerance: float) -> None:
    """Compare gradients with `backward()`. Raises SystemExit where they differ."""
    for key, gradient in step()[1].items():
        gradient, right = np.asarray(gradient), np.array(wanted[key])
        error = abs(gradient.reshape(right.shape) - right).max() / max(abs(right).max(), 1e-300)
        if not error <= tolerance:
            raise SystemExit(f"{name}: the gradient of {key} is off by {error:.1e}; nothing timed")


def timed(steps: dict[str, peers.Step], repeats: int) -> dict[str, float]:
    """Return the median seconds of every step, taken in turn."""
    counts = {}
    for name, step in steps.items():
        seconds = once(step, 1)
        counts[name] = max(1, min(1000, int(0.02 / max(seconds, 1e-7))))
    taken: dict[str, list[float]] = {name: [] for name in steps}
    for turn in range(repeats):
        for name, step in steps.items():
            if counts[name] > 1 or turn < 5:  # what takes longer than 10 ms needs fewer turns
                taken[name].append(once(step, counts[name]))
    return {name: statistics.median(seconds) for name, seconds in taken.items()}


def once(step: peers.Step, count: int) -> float:
    start = clock()
    for _ in range(count):
        step()
    return (clock() - start) / count


def run(
    name: str, make: Callable[..., Workload], repeats: int, without: list[str]
) -> dict[str, float]:
    """Check and time the contenders of one workload, and print its tables; return the seconds."""
    print(f"\n{name}")
    wanted = (make(fused=True) if name.startswith("window") else make()).gradients()[1]
    steps, parts = {}, {}
    for contender, step, part in contenders(name, make, without):
        check(
            contender,
            step,
            wanted,
            1e-12 if contender in ("lowered", "the text", "compiled", "its C alone") else 1e-9,
        )
        steps[contender], parts[contender] = step, part
    gc.collect()
    gc.freeze()  # the engine's collector would look through the graphs that others have lowered
    seconds = {c: s / parts[c] for c, s in timed(steps, repeats).items()}
    gc.unfreeze()
    print(f"  {'contender':16}{'per step':>12}   {'lowered takes':>13}")
    for contender, taken in seconds.items():
        print(f"  {contender:16}{shown(taken):>12}   {seconds['lowered'] / taken:>12.3g}x")
    for line in verdicts(name, seconds, operations(make())):
        print(f"  {line}", flush=True)
    return seconds


def operations(workload: Workload) -> int:
    """Return the number of nodes that are no leaves, of a workload's graph if it is small."""
    if not workload.record:
        return 0
    return sum(1 for node in topological_order(workload.record()) if node.parents)


def verdicts(name: str, seconds: dict[str, float], nodes: int) -> Iterator[str]:
    """Yield one line for each figure that the workload has to reach."""
    if "NumPy by hand" in seconds:
        limit = 1.10 if name == "window-large" else 1.25
        yield verdict("against NumPy by hand", seconds["lowered"] / seconds["NumPy by hand"], limit)
        for peer in ("JAX jit", "PyTorch", "torch.compile"):
            if peer in seconds:
                yield verdict(f"against {peer}", seconds["lowered"] / seconds[peer], 1.0)
    yield from verdicts_in_c(name, seconds, nodes)
    if name == "random":
        yield verdict("lowered, per node", seconds["lowered"] / nodes * 1e9, 60, "ns")
    if name == "chain":
        yield verdict("lowered against eager", seconds["lowered"] / seconds["eager"], 1.0)
    if name == "attention":
        times = seconds["eager"] / seconds["lowered"]
        yield verdict("lowered: times faster than eager", times, 200, most=False)


def verdicts_in_c(name: str, seconds: dict[str, float], nodes: int) -> Iterator[str]:
    """Yield one line for each figure that compiled programs have to reach."""
    if "compiled" not in seconds:
        return
    compiled, large = seconds["compiled"], name == "window-large"
    limits = {
        "NumPy by hand": 1.0 if large else 0.4,
        "JAX jit": 0.8 if large else 0.28,
        "torch.compile": 0.8 if large else 0.28,
    }
    for peer, limit in limits.items():
        if peer in seconds:
            yield verdict(f"compiled against {peer}", compiled / seconds[peer], limit)
    if "C by hand" in seconds:
        yield verdict("its C against C by hand", seconds["its C alone"] / seconds["C by hand"], 1.5)
    if name in ("random", "chain"):
        limit = {"random": 6, "chain": 10}[name]
        yield verdict("compiled, per node", compiled / nodes * 1e9, limit, "ns")
    if name == "attention":
        times = seconds["eager"] / compiled
        yield verdict("compiled: times faster than eager", times, 2500, most=False)


def verdict(what: str, figure: float, limit: float, unit: str = "x", most: bool = True) -> str:
    reached = figure <= limit if most else figure >= limit
    sign = "<=" if most else ">="
    missed = "" if reached else "   NOT REACHED"
    return f"{what:36}{figure:10.2f} {unit:2}  wanted {sign} {limit:g}{missed}"


def shown(seconds: float) -> str:
    return f"{seconds * 1e3:.2f} ms" if seconds >= 1e-3 else f"{seconds * 1e6:.1f} us"


def lowering_time(name: str, workload: Workload) -> None:
    """Print what lowering a recorded graph takes, and making its program ready to run."""
    root = workload.record()
    nodes = len(topological_order(root))
    start = clock()
    program = lower(root, parameters=workload.parameters)
    done = clock()
    program.value_and_grad()
    ready = clock()
    per_node = (done - start) / nodes * 1e6
    print(
        "  "
        + verdict(f"{name}: {nodes} nodes, per node", per_node, 4, "us")
        + f"   (then {ready - done:.2f} s to the end of the first step)"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("workloads", nargs="*", metavar="WORKLOAD", help=", ".join(FULL))
    parser.add_argument("--repeats", type=int, default=31, help="turns for every contender")
    parser.add_argument("--small", action="store_true", help="tiny sizes, to try the script")
    parser.add_argument("--readme", action="store_true", help="put the times into README")
    parser.add_argument(
        "--without",
        nargs="*",
        default=[],
        choices=list(NEEDS),
        metavar="PEER",
        help=f"leave out some of {', '.join(NEEDS)}",
    )
    options = parser.parse_args()
    unknown = set(options.workloads) - FULL.keys()
    if unknown:
        parser.error(f"unknown: {', '.join(unknown)}; there are {', '.join(FULL)}")
    if options.readme and (options.small or options.workloads):
        parser.error("--readme writes the whole table: of all workloads, in their full size")
    warnings.simplefilter("ignore")  # what compilers of other packages say about themselves
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    made = {name: (SMALL if options.small else FULL)[name] for name in options.workloads or FULL}
    print("lowering time, tracing not included")
    for name, make in made.items():
        if make().record:
            lowering_time(name, make())
    results = {
        name: run(name, make, options.repeats, options.without) for name, make in made.items()
    }
    if options.readme:
        table.write(results, options.repeats)


if __name__ == "__main__":
    main()
