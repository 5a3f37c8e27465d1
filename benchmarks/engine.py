"""The eager engine against the `micrograd` package from PyPI, and what its nodes cost.

    python benchmarks/engine.py [--original FOLDER] [--repeats N] [--speed | --facts]

FOLDER is where `pip install --target FOLDER micrograd` put the original; without it the script
makes a temporary one. The engines run in child processes, some steps each in turn: in one process
the nodes of one engine would be what the cyclic collector of the other has to visit. The first
step of a turn is not counted: it brings back into the caches what the others drove out. Times
are CPU times of the process. Each engine runs with the cyclic collector as Python starts it, woken
every 700 objects, with `gc.set_threshold(7000)`, run by hand once a step, and off; each ratio is to
the original with the same collector. Off is no way to train the original: its nodes are in cycles
with their closures, so that nothing of a step, some 50 MB, is freed, nor paid for.
"""

from __future__ import annotations

import argparse
import copy
import gc
import pickle
import random
import statistics
import subprocess
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from micrograd.engine import Value

HERE = Path(__file__).resolve()
COUNTED = 3  # steps of a turn, after the first
COLLECTORS = {"as it is": 0, "7,000": 7000, "by hand": -1, "off": -1}
AIMS = {
    ("elementary", "as it is"): 12,
    ("fused", "as it is"): 50,
    ("elementary", "by hand"): 3.5,
    ("fused", "by hand"): 11,
    ("elementary", "off"): 3.5,
    ("fused", "off"): 11,
}
clock = time.process_time


def step(model, points, targets, collect: bool = False) -> tuple[float, float, float]:
    """Run one step of the moons demo; return the seconds of forward, of backward, and of all."""
    from micrograd.engine import Value

    start = clock()
    scores = [model(list(map(Value, point))) for point in points]
    losses = [(1 + -target * score).relu() for target, score in zip(targets, scores)]
    penalty = 1e-4 * sum(p * p for p in model.parameters())
    loss = sum(losses) * (1.0 / len(losses)) + penalty
    forward = clock()
    model.zero_grad()
    loss.backward()
    backward = clock()
    for p in model.parameters():
        p.data -= 0.1 * p.grad
    del scores, losses, penalty, loss
    if collect:
        gc.collect()
    return forward - start, backward - forward, clock() - start


def serve(folder: str, kind: str, collector: str) -> None:
    """Run the steps of a turn of the engine in `folder` for every line read; print their times."""
    sys.path.insert(0, folder)
    if (threshold := COLLECTORS[collector]) < 0:
        gc.disable()
    elif threshold:
        gc.set_threshold(threshold)
    from micrograd.nn import MLP

    random.seed(1337)
    model = MLP(2, [16, 16, 1], **({"fused": True} if kind == "fused" else {}))
    points = [(random.gauss(0, 1), random.gauss(0, 1)) for _ in range(100)]
    targets = [1.0 if x * y > 0 else -1.0 for x, y in points]
    given = model, points, targets, collector == "by hand"
    for _ in sys.stdin:
        step(*given)
        for _ in range(COUNTED):
            print(*step(*given), flush=True)


class Child:
    """An engine in a process of its own."""

    def __init__(self, folder: Path, kind: str, collector: str) -> None:
        command = [sys.executable, str(HERE), "--serve", str(folder), kind, collector]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def turn(self) -> list[list[float]]:
        """Return the milliseconds of the steps of a turn."""
        self.process.stdin.write("turn\n")
        self.process.stdin.flush()
        lines = [self.process.stdout.readline() for _ in range(COUNTED)]
        return [[1e3 * float(seconds) for seconds in line.split()] for line in lines]

    def close(self) -> None:
        self.process.stdin.close()
        self.process.wait()


@contextmanager
def original(folder: str | None) -> Iterator[Path]:
    """Give the folder of the original, installed for the occasion if need be."""
    if folder:
        yield Path(folder).resolve()
        return
    with tempfile.TemporaryDirectory() as made:
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", made]
        subprocess.run([*pip, "micrograd"], check=True)
        yield Path(made)


def speed(folder: Path, repeats: int) -> None:
    """Print the times of a step of each engine, and how often the original's they are."""
    own = HERE.parents[1]
    folders = {"original": folder, "elementary": own, "fused": own}
    children = {
        (kind, collector): Child(folders[kind], kind, collector)
        for collector in COLLECTORS
        for kind in folders
    }
    times = {name: child.turn()[:0] for name, child in children.items()}  # a turn to warm up
    for _ in range(repeats):
        for name, child in children.items():
            times[name] += child.turn()
    for child in children.values():
        child.close()
    print("forward + backward + update of MLP(2, [16, 16, 1]) on 100 points, ms")
    heads = "".join(f"{head:>9}" for head in ("forward", "backward", "step", "fastest", "ratio"))
    print(f"{'engine':12}{'collector':10}{heads}  wanted")
    for name, rows in times.items():
        report(name, rows, times["original", name[1]])


def report(name: tuple[str, str], rows: list[list[float]], originals: list[list[float]]) -> None:
    forward, backward, whole = map(statistics.median, zip(*rows))
    ratio = statistics.median(row[-1] for row in originals) / whole
    wanted = f">= {AIMS[name]}" if name in AIMS else ""
    fastest = min(row[-1] for row in rows)
    print(
        f"{name[0]:12}{name[1]:10}{forward:9.1f}{backward:9.1f}{whole:9.1f}{fastest:9.1f}"
        f"{ratio:9.1f}  {wanted}"
    )


def facts() -> None:
    """Print what nodes cost in memory, and what a very long chain takes."""
    print(f"bytes per op with its constant leaf: {bytes_per_op():.0f} (wanted: <= 450)")
    before, after = growth(100)
    what = "memory after dropping 100 graphs of 65,000 nodes, collector off"
    print(f"{what}: {before:,} -> {after:,} bytes (wanted: no growth)")
    for name, seconds in long_chain(1_000_000):
        print(f"chain of 1,000,000 nodes, {name}: {seconds:.2f} s")


def bytes_per_op(count: int = 10_000) -> float:
    """Return the bytes that `Value(i) * 2.0` adds for the product and the leaf of 2.0."""
    from micrograd.engine import Value

    operands = [Value(float(i)) for i in range(count)]
    kept: list[Value] = [operands[0]] * count
    tracemalloc.start()
    for i, operand in enumerate(operands):
        kept[i] = operand * 2.0
    used, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return used / count


def growth(graphs: int, nodes: int = 65_000) -> tuple[int, int]:
    """Return the bytes in use after the first and after the last of `graphs` dropped graphs."""
    from micrograd.engine import Value

    gc.collect()
    gc.disable()
    tracemalloc.start()
    used = []
    for _ in range(graphs):
        total = Value(1.0)
        for _ in range(nodes // 2):
            total = total * 1.0
        total.backward()
        del total
        used.append(tracemalloc.get_traced_memory()[0])
    tracemalloc.stop()
    gc.enable()
    return used[0], used[-1]


def long_chain(length: int) -> Iterator[tuple[str, float]]:
    """Yield what is done with a chain of `length` nodes, and the seconds it takes."""
    chain: list[Value] = []
    for name, do in {
        "forward": lambda: chain.append(sines(length)),
        "backward": lambda: chain[0].backward(),
        "replay": lambda: chain[0].forward(),
        "deepcopy": lambda: copy.deepcopy(chain[0]),
        "pickle and back": lambda: pickle.loads(pickle.dumps(chain[0])),
        "repr": lambda: repr(chain[0]),
        "free": chain.clear,
    }.items():
        start = clock()
        do()
        yield name, clock() - start


def sines(length: int) -> Value:
    from micrograd.engine import Value

    out = Value(0.5)
    for _ in range(length):
        out = out.sin()
    return out


def main() -> None:
    if sys.argv[1:2] == ["--serve"]:
        serve(*sys.argv[2:])
        return
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--original", help="folder with the `micrograd` package from PyPI")
    parser.add_argument("--repeats", type=int, default=7, help="turns of every engine")
    only = parser.add_mutually_exclusive_group()
    only.add_argument("--speed", action="store_true", help="print the times only")
    only.add_argument("--facts", action="store_true", help="print memory and the long chain only")
    options = parser.parse_args()
    if not options.facts:
        with original(options.original) as folder:
            speed(folder, options.repeats)
    if not options.speed:
        sys.path.insert(0, str(HERE.parents[1]))
        facts()


if __name__ == "__main__":
    main()
