"""Time pictures: python benchmarks/render.py. Targets: 500 nodes 0.3 s, 10,000 collapsed 5 s."""

from __future__ import annotations

import random
import time

from micrograd import Value
from micrograd.nn import MLP
from micrograd.render import render


def random_graph(nodes: int) -> Value:
    """Return a graph of so many nodes, a third of them leaves, each used near by."""
    chooser = random.Random(0)
    unused = [Value(chooser.uniform(0.5, 1.5), label=f"x{i}") for i in range(nodes // 3)]
    recent = unused[-60:]
    operations = nodes - len(unused)
    joining = [True] * (len(unused) - 1) + [False] * (operations - len(unused) + 1)
    chooser.shuffle(joining)
    for joins in joining:
        first = unused.pop(0)
        second = unused.pop(0) if joins and unused else chooser.choice(recent)
        unused.append(getattr(first, chooser.choice(("add", "mul", "max")))(second))
        recent = [*recent[-59:], unused[-1]]
    return unused[-1]


def network(seed: int = 0) -> Value:
    """Return the output of a network whose graph has about 500 nodes."""
    random.seed(seed)
    return MLP(6, [12, 8, 1])([random.random() for _ in range(6)])  # type: ignore[no-any-return]


def batch(samples: int) -> Value:
    """Return the loss of a network over so many samples."""
    random.seed(0)
    network = MLP(3, [4, 4, 1])
    inputs = [[random.random() for _ in range(3)] for _ in range(samples)]
    return sum(((network(x) - 1) ** 2 for x in inputs), Value(0.0))


def chain(length: int) -> Value:
    """Return a chain of so many operations."""
    x = Value(1.0)
    for _ in range(length):
        x = x.tanh()
    return x


def main() -> None:
    """Print a line for every case."""
    cases = {
        "random graph, 500 nodes in full": (random_graph(500), "full"),
        "network of some 500 nodes in full": (network(), "full"),
        "batch of 125 samples, collapsed": (batch(125), "auto"),
        "random graph, 10,000 nodes collapsed": (random_graph(10_000), "auto"),
        "chain, 100,000 nodes collapsed": (chain(100_000), "auto"),
    }
    for name, (root, level) in cases.items():
        start = time.perf_counter()
        picture = render(root, level=level)
        size = len(picture.svg)
        seconds = time.perf_counter() - start
        print(f"{name:40} {seconds:6.3f} s  {picture}  {size / 1000:,.0f} kB")


if __name__ == "__main__":
    main()
