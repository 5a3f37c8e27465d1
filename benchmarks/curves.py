"""How time and memory grow with the graph and with the batch, and what the machine can do.

    python benchmarks/curves.py [--most N] [--plot FILE.svg]

Prints, for graphs of 100 to N nodes (1,000,000 by default), the seconds and the bytes of forward,
backward, drawing and lowering, with the exponent of a line fitted to the logarithms: 1 is
proportional. Then the time per sample of a window model for batches of 1 to 1,024, as NumPy and
as C, beside the roofline: what a matrix product and a copy of this machine would take. Times are
CPU times of one thread. `--plot` draws both; it needs matplotlib.
"""

from __future__ import annotations

import os

os.environ.update({f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL")})

import argparse
import gc
import sys
import time
import tracemalloc
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from table import machine, shown
from workloads import moons, window

from micrograd import topological_order
from micrograd.lowering import cache, lower
from micrograd.lowering.native.compiler import available
from micrograd.render import render

HIDDEN_OF_MOONS, NODES_OF_A_POINT = 4, 81
BATCHES = [4**n for n in range(6)]
INPUTS, HIDDEN = 250, 300
clock = time.process_time
Curves = dict[str, list[tuple[float, float]]]


def graphs(most: int) -> Iterator[tuple[int, dict[str, float], dict[str, float]]]:
    """Yield the number of nodes, and the seconds and the bytes of each thing to do with them."""
    size = 100
    while size <= most:
        workload = moons(max(1, size // NODES_OF_A_POINT), HIDDEN_OF_MOONS)
        root = workload.record()
        count = len(topological_order(root))
        does: dict[str, Callable[[], Any]] = {
            "forward": workload.record,
            "backward": root.backward,
            "drawing": lambda root=root: render(root).svg,
            "lowering": lambda root=root, p=workload.parameters: lower(root, parameters=p).source,
        }
        yield count, *measured(does)
        size *= 10


def measured(does: dict[str, Callable[[], Any]]) -> tuple[dict[str, float], dict[str, float]]:
    """Return the least seconds of some runs, and the most bytes of one more, of each."""
    seconds, memory = {}, {}
    for name, do in does.items():
        seconds[name] = min(once(do) for _ in range(3))
        cache.forget()
        tracemalloc.start()
        do()
        memory[name] = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    return seconds, memory


def once(do: Callable[[], Any], count: int = 1) -> float:
    cache.forget()
    gc.collect()
    start = clock()
    for _ in range(count):
        do()
    return (clock() - start) / count


def exponent(curve: list[tuple[float, float]]) -> float:
    """Return the slope of a curve's logarithms."""
    return float(np.polyfit(*np.log(np.array(curve)).T, 1)[0])


def batches() -> Iterator[tuple[int, dict[str, float]]]:
    """Yield batch sizes, and the seconds per sample of the window model."""
    workload = window(nin=INPUTS, hidden=HIDDEN, pairs=1)
    backends = ("numpy", "c") if available() else ("numpy",)
    sample = workload.samples[0]
    programs = {
        {"numpy": "as NumPy", "c": "as C"}[backend]: lower(
            workload.function, *sample, parameters=workload.parameters, backend=backend
        )
        for backend in backends
    }
    rng = np.random.default_rng(0)
    for size in BATCHES:
        batch = [rng.normal(size=(size, INPUTS)) for _ in sample]
        count = max(1, 64 // size)
        times = dict[str, float]()
        for name, p in programs.items():
            do = partial(p.value_and_grad, *batch)
            times[name] = min(once(do, count) for _ in range(7)) / size
        yield size, times


def roofline() -> dict[str, float]:
    """Return the operations of a matrix product in a second, and the bytes of a copy."""
    a, b, c = (np.ones((512, 512)) for _ in range(3))
    large, other = np.ones(4_000_000), np.empty(4_000_000)
    product = min(once(lambda: np.dot(a, b, c)) for _ in range(9))
    copy = min(once(lambda: np.copyto(other, large)) for _ in range(9))
    return {"product": 2 * 512**3 / product, "copy": 2 * large.nbytes / copy}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--most", type=int, default=1_000_000, help="nodes of the largest graph")
    parser.add_argument("--plot", help="file to draw the curves to")
    options = parser.parse_args()
    print(machine())
    limits = roofline()
    product, copy = limits["product"] / 1e9, limits["copy"] / 1e9
    print(f"matrix product {product:.1f} GFlop/s, copy {copy:.1f} GB/s")
    by_size: Curves = {}
    memory: Curves = {}
    for count, seconds, space in graphs(options.most):
        told = ", ".join(
            f"{k} {shown(s, False)} {space[k] / 1e6:.3g} MB" for k, s in seconds.items()
        )
        print(f"{count:9,} nodes: {told}", flush=True)
        for name in seconds:
            by_size.setdefault(name, []).append((count, seconds[name]))
            memory.setdefault(name, []).append((count, space[name]))
    for name in by_size if len(by_size["forward"]) > 1 else ():
        grows = exponent(by_size[name]), exponent(memory[name])
        print("{}: time ~ n^{:.2f}, memory ~ n^{:.2f}".format(name, *grows))
    best = 2 * 4 * INPUTS * HIDDEN / limits["product"]  # of two windows, forward and back
    by_batch: Curves = {}
    for size, each in batches():
        told = ", ".join(f"{name} {shown(s, False)}" for name, s in each.items())
        print(
            f"batch {size:5}: per sample {told}; the products alone {shown(best, False)}",
            flush=True,
        )
        for name, seconds_each in each.items():
            by_batch.setdefault(name, []).append((size, seconds_each))
    if options.plot:
        draw(options.plot, by_size, by_batch, best)


def draw(path: str, by_size: Curves, by_batch: Curves, best: float) -> None:
    """Draw both families of curves, on logarithmic axes."""
    import matplotlib

    matplotlib.use("svg")
    from matplotlib import pyplot as plt

    plt.rcParams["svg.fonttype"] = "none"
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
    marks = iter("osD^")
    for name, curve in by_size.items():
        left.loglog(*zip(*curve), marker=next(marks), label=f"{name}, n^{exponent(curve):.2f}")
    left.set(xlabel="nodes", ylabel="seconds", title="graphs of the moons' loss")
    marks = iter("os")
    for name, curve in by_batch.items():
        right.loglog(*zip(*curve), marker=next(marks), label=name)
    right.axhline(best, color="gray", linestyle="--", label="matrix products alone")
    right.set(xlabel="batch", ylabel="seconds per sample", title=f"window, {INPUTS} to {HIDDEN}")
    for axes in (left, right):
        axes.grid(alpha=0.3)
        axes.legend()
    figure.savefig(path)


if __name__ == "__main__":
    main()
