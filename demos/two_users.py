"""The general step δ⁽ᵏ⁾ → δ⁽ᵏ⁻¹⁾ in eight steps, for a unit that two others use (L5, L31).

δ⁽ᵏ⁻¹⁾ⱼ = f′(z⁽ᵏ⁻¹⁾ⱼ) Σᵢ δ⁽ᵏ⁾ᵢ W⁽ᵏ⁻¹⁾ᵢⱼ: the errors of both users meet at the unit and are summed.
The bias is written as a weight whose input is 1. The page steps through it:

    python demos/two_users.py two_users.html
"""

from __future__ import annotations

import random
from typing import Any, NamedTuple

from stage import claim, labelled, low, run, say, t

from micrograd import Value, grad, scope, weighted_sum
from micrograd.stepper import Stop, Walk, save_page

ENDING = ".html"
WORDS = [
    ("The error δ⁽³⁾₁ has arrived at z⁽³⁾₁.", "误差 δ⁽³⁾₁ 已到达 z⁽³⁾₁。"),
    (
        "Along the path to a⁽²⁾₁ it is multiplied by the weight W⁽²⁾₁₁.",
        "沿着通往 a⁽²⁾₁ 的路径，它乘以权重 W⁽²⁾₁₁。",
    ),
    ("a⁽²⁾₁ has received δ⁽³⁾₁ W⁽²⁾₁₁ so far.", "到此为止，a⁽²⁾₁ 收到 δ⁽³⁾₁ W⁽²⁾₁₁。"),
    (
        "a⁽²⁾₁ has a second user: the error δ⁽³⁾₂ comes back over W⁽²⁾₂₁.",
        "a⁽²⁾₁ 还有第二个使用者：误差 δ⁽³⁾₂ 经 W⁽²⁾₂₁ 传回来。",
    ),
    ("Both are summed: δ⁽³⁾₁ W⁽²⁾₁₁ + δ⁽³⁾₂ W⁽²⁾₂₁.", "两者相加：δ⁽³⁾₁ W⁽²⁾₁₁ + δ⁽³⁾₂ W⁽²⁾₂₁。"),
    ("For any number of users it is Σᵢ δ⁽³⁾ᵢ W⁽²⁾ᵢ₁.", "不论有几个使用者，都是 Σᵢ δ⁽³⁾ᵢ W⁽²⁾ᵢ₁。"),
    ("The sum is multiplied by the local gradient f′(z⁽²⁾₁).", "这个和再乘以局部梯度 f′(z⁽²⁾₁)。"),
    (
        "The error at z⁽²⁾₁ is δ⁽²⁾₁ = f′(z⁽²⁾₁) Σᵢ δ⁽³⁾ᵢ W⁽²⁾ᵢ₁.",
        "z⁽²⁾₁ 处的误差为 δ⁽²⁾₁ = f′(z⁽²⁾₁) Σᵢ δ⁽³⁾ᵢ W⁽²⁾ᵢ₁。",
    ),
]


class Network(NamedTuple):
    """J = a⁽³⁾₁ + a⁽³⁾₂, and the Values between it and the weights, layer by layer."""

    J: Value
    z: list[list[Value]]
    a: list[list[Value]]
    W: list[list[list[Value]]]


def network(seed: int) -> Network:
    """Record a 3-2-2 network of tanh units; the last weight of each is its bias, of the input 1."""
    rng = random.Random(seed)
    layers = [[Value(rng.uniform(-1, 1), label=f"a⁽¹⁾{low(j)}") for j in (1, 2, 3)]]
    zs, weights = [], []
    for here, above in ("¹²", "²³"):
        inputs = [*layers[-1], Value(1, label="1")]
        W = [
            [
                Value(rng.uniform(-1, 1), label=f"W⁽{here}⁾{low(i, j)}")
                for j in range(1, len(inputs) + 1)
            ]
            for i in (1, 2)
        ]
        with scope(f"layer {above}"):
            z = [weighted_sum(row, inputs) for row in W]
            zs.append([labelled(v, f"z⁽{above}⁾{low(i)}") for i, v in enumerate(z, 1)])
            layers.append([labelled(v.tanh(), f"a⁽{above}⁾{low(i)}") for i, v in enumerate(z, 1)])
        weights.append(W)
    return Network(labelled(layers[-1][0] + layers[-1][1], "J"), zs, layers, weights)


def recursion(net: Network) -> list[float]:
    """Return ∂J/∂W of every layer, each δ computed once from those above it."""
    delta, gradients = [1 - a.data**2 for a in net.a[2]], []
    for k in (1, 0):
        gradients.append([d * x for d in delta for x in (*(a.data for a in net.a[k]), 1.0)])
        sums = [sum(d * row[j].data for d, row in zip(delta, net.W[k])) for j in range(2)]
        delta = [(1 - a.data**2) * total for a, total in zip(net.a[k], sums)]
    return gradients[1] + gradients[0]


class Measured(NamedTuple):
    """The network, its eight steps, and the gradients by δ and by the engine."""

    net: Network
    steps: list[dict[str, Any]]
    notes: list[float]
    engine: list[float]


def walk(net: Network) -> Walk:
    """Return the eight steps."""
    (z2, _), (z31, z32), a = net.z[0], net.z[1], net.a[1][0]
    places = [(z31,), (z31, a), (z31, a), (z32, a), (a,), (a,), (a, z2), (z2,)]
    stops = [Stop({"en": en, "zh": zh}, *place) for (en, zh), place in zip(WORDS, places)]
    return Walk({"en": "a unit with two users", "zh": "有两个使用者的单元"}, stops)


def measure(seed: int = 4) -> Measured:
    """Take the steps, and compute every gradient twice."""
    net = network(seed)
    leaves = [w for W in net.W for row in W for w in row]
    return Measured(net, walk(net).steps(net.J), recursion(net), grad(net.J, leaves))


def show(r: Measured) -> None:
    """Print the steps."""
    for (en, zh), step in zip(WORDS, r.steps):
        say(f"{step['step']}. {t(en, zh)}\n   {step.get('contribution', step['gradient']):.6g}")


@claim(
    "Every ∂J/∂W⁽ᵏ⁾ᵢⱼ = δ⁽ᵏ⁺¹⁾ᵢ a⁽ᵏ⁾ⱼ is backward()'s, biases among them as weights of the input 1.",
    "每个 ∂J/∂W⁽ᵏ⁾ᵢⱼ = δ⁽ᵏ⁺¹⁾ᵢ a⁽ᵏ⁾ⱼ 都与 backward() 相同，偏置作为输入 1 的权重也在其中。",
)
def the_recursion_is_backward(r: Measured) -> bool:
    return len(r.notes) == 14 and all(abs(a - b) < 1e-15 for a, b in zip(r.notes, r.engine))


@claim(
    "The eighth step is δ⁽²⁾₁ as the engine has it, the sum of what both users sent.",
    "第八步就是引擎里的 δ⁽²⁾₁，即两个使用者传回之和。",
)
def the_eighth_step_is_delta(r: Measured) -> bool:
    (delta,) = grad(r.net.J, [r.net.z[0][0]])
    return len(r.steps) == 8 and abs(r.steps[-1]["gradient"] - delta) < 1e-15


def page(r: Measured, path: str) -> None:
    """Write the page."""
    save_page(r.net.J, path, "A unit with two users", walk(r.net))


if __name__ == "__main__":
    run(__name__)
