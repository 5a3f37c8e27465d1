"""Vectorised back-propagation, derived from single numbers by lowering (L6).

The loss of a pair of windows, J = max(0, 1 − s + s_c) with s = uᵀ tanh(Wx + b), is written over
single numbers. The program that lowering prints is the notes' δ⁽ᵏ⁾ = f′(z⁽ᵏ⁾) ∘ (W⁽ᵏ⁾ᵀ δ⁽ᵏ⁺¹⁾) and
∇W⁽ᵏ⁾ = δ⁽ᵏ⁺¹⁾ a⁽ᵏ⁾ᵀ, each δ computed once, kept and used for W and b. The same from the shell:

    python demos/backprop_program.py
    micrograd lower demos/backprop_program.py:loss --check
"""

from __future__ import annotations

import random
from typing import Any

import numpy as np

from micrograd import Value, mean, topological_order
from micrograd.losses import max_margin
from micrograd.lowering import Program, lower
from micrograd.nn import MLP

random.seed(6)
SCORE = MLP(20, [8, 1], activation="tanh")
WINDOW, CORRUPT = ([random.uniform(-1, 1) for _ in range(20)] for _ in range(2))


def loss(x: Any = WINDOW, x_c: Any = CORRUPT) -> Value:
    """Return J of a window and a corrupt one, 20 numbers each."""
    return max_margin(SCORE(x), SCORE(x_c))


def differences(program: Program, batch: Any) -> dict[str, float]:
    """Return how far each gradient of the program is from that of backward()."""
    SCORE.zero_grad()
    mean([loss(*pair) for pair in zip(*batch.tolist())]).backward()
    _, found = program.value_and_grad(*batch)
    return {
        name: max(abs(v.grad - g) for v, g in zip(program.leaf_values(name).flat, gradient.flat))
        for name, gradient in found.items()
    }


def main(pairs: int = 10) -> tuple[Program, dict[str, float]]:
    """Print the program, and how its gradients compare; return both."""
    program = lower(loss, WINDOW, CORRUPT)
    print(program.source)
    apart = differences(program, np.random.default_rng(6).uniform(-1, 1, (2, pairs, 20)))
    print(f"{'gradient':<10}{'shape':<10}{'largest difference from backward()':>36}")
    for name, difference in apart.items():
        print(f"{'∇' + name:<10}{program.parameters[name].shape!s:<10}{difference:36.1e}")
    nodes, lines = len(topological_order(loss())), program.source.count("  # (")
    print(f"{nodes} Values for every pair of windows became {lines} lines for a batch of them.")
    return program, apart


if __name__ == "__main__":
    main()
