"""Error sharing in a 4-2-1 network: the eight steps from the output down to ∂s/∂W⁽¹⁾₁₄ (L5).

The network has four inputs a⁽¹⁾, two hidden sigmoid units a⁽²⁾ = f(z⁽²⁾), z⁽²⁾ = W⁽¹⁾a⁽¹⁾ + b⁽¹⁾,
and one output s = a⁽³⁾ = z⁽³⁾, whose unit passes its input on. The notes' result is
∂s/∂W⁽¹⁾ᵢⱼ = δ⁽²⁾ᵢ a⁽¹⁾ⱼ with δ⁽²⁾ᵢ = f′(z⁽²⁾ᵢ) W⁽²⁾ᵢ. The page steps through it:

    python demos/error_sharing.py error_sharing.html
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from stage import claim, labelled, low, run, say, t

from micrograd import Value, grad, scope, weighted_sum
from micrograd.stepper import Stop, Walk, save_page

INPUTS = (0.5, -1.0, 0.25, 2.0)
HIDDEN = ((0.3, -0.2, 0.5, 0.1), (-0.4, 0.6, 0.2, -0.3))
BIASES = (0.05, -0.1)
OUTPUT = (0.8, -0.5)
ENDING = ".html"
WORDS = [
    ("An error signal of 1 starts at the output a⁽³⁾₁ = s.", "误差信号 1 从输出 a⁽³⁾₁ = s 出发。"),
    (
        "The output unit's local gradient is 1, so the error at z⁽³⁾₁ stays 1: δ⁽³⁾₁ = 1.",
        "输出单元的局部梯度为 1，所以 z⁽³⁾₁ 处的误差仍是 1：δ⁽³⁾₁ = 1。",
    ),
    (
        "At z⁽³⁾₁ the error 1 has to be shared among the units that fed it.",
        "误差到达 z⁽³⁾₁，要按权重分给为它提供输入的单元。",
    ),
    ("The share of a⁽²⁾₁ is δ⁽³⁾₁ × W⁽²⁾₁ = W⁽²⁾₁.", "a⁽²⁾₁ 分得 δ⁽³⁾₁ × W⁽²⁾₁ = W⁽²⁾₁。"),
    (
        "Across the hidden unit the error is multiplied by its local gradient f′(z⁽²⁾₁).",
        "穿过隐藏单元时，误差乘以局部梯度 f′(z⁽²⁾₁)。",
    ),
    (
        "So the error at z⁽²⁾₁ is f′(z⁽²⁾₁) W⁽²⁾₁, which is called δ⁽²⁾₁.",
        "于是 z⁽²⁾₁ 处的误差为 f′(z⁽²⁾₁) W⁽²⁾₁，记作 δ⁽²⁾₁。",
    ),
    (
        "The share of W⁽¹⁾₁₄ is that error times the input it was multiplied by, a⁽¹⁾₄.",
        "W⁽¹⁾₁₄ 分得的误差，是 δ⁽²⁾₁ 乘以前向时与它相乘的 a⁽¹⁾₄。",
    ),
    (
        "The gradient is ∂s/∂W⁽¹⁾₁₄ = a⁽¹⁾₄ f′(z⁽²⁾₁) W⁽²⁾₁.",
        "梯度为 ∂s/∂W⁽¹⁾₁₄ = a⁽¹⁾₄ f′(z⁽²⁾₁) W⁽²⁾₁。",
    ),
]


class Network(NamedTuple):
    """The Values of the network, labelled as in the notes."""

    s: Value
    z3: Value
    a2: list[Value]
    z2: list[Value]
    W1: list[list[Value]]
    b1: list[Value]
    a1: list[Value]
    W2: list[Value]


def network() -> Network:
    """Record the network's graph."""
    a1 = [Value(x, label=f"a⁽¹⁾{low(j)}") for j, x in enumerate(INPUTS, 1)]
    W1 = [
        [Value(w, label=f"W⁽¹⁾{low(i, j)}") for j, w in enumerate(row, 1)]
        for i, row in enumerate(HIDDEN, 1)
    ]
    b1 = [Value(b, label=f"b⁽¹⁾{low(i)}") for i, b in enumerate(BIASES, 1)]
    z2, a2 = [], []
    for i, (row, b) in enumerate(zip(W1, b1), 1):
        with scope(f"hidden unit {i}"):
            z2.append(labelled(weighted_sum(row, a1, b), f"z⁽²⁾{low(i)}"))
            a2.append(labelled(z2[-1].sigmoid(), f"a⁽²⁾{low(i)}"))
    W2 = [Value(w, label=f"W⁽²⁾{low(i)}") for i, w in enumerate(OUTPUT, 1)]
    z3 = labelled(weighted_sum(W2, a2), "z⁽³⁾₁")
    return Network(labelled(z3**1, "s"), z3, a2, z2, W1, b1, a1, W2)  # ** 1: slope 1


class Measured(NamedTuple):
    """The network, its eight steps, and ∂s/∂W⁽¹⁾ and ∂s/∂b⁽¹⁾ by the engine and by δ."""

    net: Network
    steps: list[dict[str, Any]]
    engine: list[float]
    notes: list[float]


def walk(net: Network) -> Walk:
    """Return the eight steps."""
    z, a, w = net.z2[0], net.a2[0], net.W1[0][3]
    places = [(net.s,), (net.s, net.z3), (net.z3,), (net.z3, a), (a, z), (z,), (z, w), (w,)]
    stops = [Stop({"en": en, "zh": zh}, *place) for (en, zh), place in zip(WORDS, places)]
    return Walk({"en": "error sharing", "zh": "误差分配"}, stops)


def measure() -> Measured:
    """Take the eight steps, and every gradient of the first layer."""
    net = network()
    leaves = [*(w for row in net.W1 for w in row), *net.b1]
    f = [1 / (1 + math.exp(-z.data)) for z in net.z2]
    delta = [a * (1 - a) * w for a, w in zip(f, OUTPUT)]
    notes = [*(d * x for d in delta for x in INPUTS), *delta]
    return Measured(net, walk(net).steps(net.s), grad(net.s, leaves), notes)


def show(r: Measured) -> None:
    """Print the steps, with their numbers."""
    for (en, zh), step in zip(WORDS, r.steps):
        factors = f" = {step['upstream']:g} × {step['local']:.4g}" if "local" in step else ""
        say(
            f"{step['step']}. {t(en, zh)}\n   {step.get('contribution', step['gradient']):.6g}{factors}"
        )


@claim(
    "The eighth step ends at ∂s/∂W⁽¹⁾₁₄ = {r.engine[3]:.6f}, which is backward()'s.",
    "第八步得到 ∂s/∂W⁽¹⁾₁₄ = {r.engine[3]:.6f}，与 backward() 相同。",
)
def the_eighth_step_is_the_gradient(r: Measured) -> bool:
    return len(r.steps) == 8 and abs(r.steps[-1]["gradient"] - r.engine[3]) < 1e-15


@claim(
    "All of W⁽¹⁾ has δ⁽²⁾ᵢ a⁽¹⁾ⱼ, and b⁽¹⁾ has δ⁽²⁾ᵢ: a bias is a weight whose input is 1.",
    "整个 W⁽¹⁾ 的梯度都是 δ⁽²⁾ᵢ a⁽¹⁾ⱼ，b⁽¹⁾ 的梯度是 δ⁽²⁾ᵢ：偏置就是输入为 1 的权重。",
)
def weights_and_biases_follow_from_delta(r: Measured) -> bool:
    return all(abs(a - b) < 1e-15 for a, b in zip(r.engine, r.notes))


def page(r: Measured, path: str) -> None:
    """Write the page."""
    save_page(r.net.s, path, "Error sharing in a 4-2-1 network", walk(r.net))


if __name__ == "__main__":
    run(__name__)
