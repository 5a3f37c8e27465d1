"""The general step δ⁽ᵏ⁾ → δ⁽ᵏ⁻¹⁾ in eight steps, for a unit that two others use (L5, L31).

δ⁽ᵏ⁻¹⁾ⱼ = f′(z⁽ᵏ⁻¹⁾ⱼ) Σᵢ δ⁽ᵏ⁾ᵢ W⁽ᵏ⁻¹⁾ᵢⱼ: the errors of both users meet at the unit and are summed.
The bias is written as a weight whose input is 1. Then the products are counted: with every δ kept
and used again, and with the factors multiplied anew for each weight. The page steps through it:

    python demos/two_users.py two_users.html
"""

from __future__ import annotations

import random
from typing import Any, NamedTuple

from stage import claim, labelled, low, run, t, table

from micrograd import Value, grad, scope, weighted_sum
from micrograd.stepper import Stop, Walk, save_page

ENDING = ".html"
WORDS = [
    ("The error δ⁽³⁾₁ has arrived at z⁽³⁾₁.", "误差 δ⁽³⁾₁ 已到达 z⁽³⁾₁。"),
    ("Along the path to a⁽²⁾₁ it is multiplied by the weight W⁽²⁾₁₁.", "沿着通往 a⁽²⁾₁ 的路径，它乘以权重 W⁽²⁾₁₁。"),
    ("a⁽²⁾₁ has received δ⁽³⁾₁ W⁽²⁾₁₁ so far.", "到此为止，a⁽²⁾₁ 收到 δ⁽³⁾₁ W⁽²⁾₁₁。"),
    ("a⁽²⁾₁ has a second user: the error δ⁽³⁾₂ comes back over W⁽²⁾₂₁.",
     "a⁽²⁾₁ 还有第二个使用者：误差 δ⁽³⁾₂ 经 W⁽²⁾₂₁ 传回来。"),
    ("Both are summed: δ⁽³⁾₁ W⁽²⁾₁₁ + δ⁽³⁾₂ W⁽²⁾₂₁.", "两者相加：δ⁽³⁾₁ W⁽²⁾₁₁ + δ⁽³⁾₂ W⁽²⁾₂₁。"),
    ("For any number of users it is Σᵢ δ⁽³⁾ᵢ W⁽²⁾ᵢ₁.", "不论有几个使用者，都是 Σᵢ δ⁽³⁾ᵢ W⁽²⁾ᵢ₁。"),
    ("The sum is multiplied by the local gradient f′(z⁽²⁾₁).", "这个和再乘以局部梯度 f′(z⁽²⁾₁)。"),
    ("The error at z⁽²⁾₁ is δ⁽²⁾₁ = f′(z⁽²⁾₁) Σᵢ δ⁽³⁾ᵢ W⁽²⁾ᵢ₁.", "z⁽²⁾₁ 处的误差为 δ⁽²⁾₁ = f′(z⁽²⁾₁) Σᵢ δ⁽³⁾ᵢ W⁽²⁾ᵢ₁。"),
]  # fmt: skip


class Network(NamedTuple):
    """J = a⁽³⁾₁ + a⁽³⁾₂, and the Values between it and the weights, layer by layer."""

    J: Value
    z: list[list[Value]]
    a: list[list[Value]]
    W: list[list[list[Value]]]


def network(seed: int, sizes: tuple[int, ...] = (3, 2, 2)) -> Network:
    """Record tanh layers; the last weight of each unit is its bias, whose input is 1."""
    rng = random.Random(seed)
    layers, zs, weights = [[Value(rng.uniform(-1, 1), label=f"x{low(j + 1)}") for j in range(sizes[0])]], [], []
    for k, size in enumerate(sizes[1:], 1):
        inputs = [*layers[-1], Value(1, label="1")]
        W = [[Value(rng.uniform(-1, 1), label=f"W⁽{'⁰¹²³⁴⁵⁶'[k]}⁾{low(i, j)}") for j in range(1, len(inputs) + 1)]
             for i in range(1, size + 1)]  # fmt: skip
        with scope(f"layer {k}"):
            up = "⁰¹²³⁴⁵⁶"[k + 1]
            z = [labelled(weighted_sum(row, inputs), f"z⁽{up}⁾{low(i)}") for i, row in enumerate(W, 1)]
            layers.append([labelled(v.tanh(), f"a⁽{up}⁾{low(i)}") for i, v in enumerate(z, 1)])
        zs.append(z)
        weights.append(W)
    first, *rest = layers[-1]
    return Network(labelled(sum(rest, first), "J"), zs, layers, weights)


def kept(net: Network) -> tuple[list[list[float]], int]:
    """Return ∂J/∂W of every layer with each δ computed once; and the products that took."""
    delta, found, products = [1 - a.data**2 for a in net.a[-1]], [], 0
    for k in reversed(range(len(net.W))):
        inputs = [*(a.data for a in net.a[k]), 1.0]
        found.append([d * x for d in delta for x in inputs])
        products += len(delta) * len(inputs)
        if k:
            sums = [sum(d * row[j].data for d, row in zip(delta, net.W[k])) for j in range(len(net.a[k]))]
            products += len(sums) * (len(delta) + 1)
            delta = [(1 - a.data**2) * total for a, total in zip(net.a[k], sums)]
    return found[::-1], products


def recomputed(net: Network) -> int:
    """Return the products with the sum over all paths written out anew for every weight."""
    total, paths = 0, 1
    for k in reversed(range(len(net.W))):
        deeper = len(net.W) - 1 - k  # layers above, two factors each: f′ and W
        total += len(net.W[k]) * (len(net.a[k]) + 1) * paths * (2 * deeper + 1)
        paths *= len(net.W[k])
    return total


class Measured(NamedTuple):
    """The network of the eight steps, gradients by δ and by the engine, and counts by depth."""

    net: Network
    steps: list[dict[str, Any]]
    notes: list[float]
    engine: list[float]
    counts: dict[int, tuple[int, int]]


def walk(net: Network) -> Walk:
    """Return the eight steps."""
    (z2, _), (z31, z32), a = net.z[0], net.z[1], net.a[1][0]
    places = [(z31,), (z31, a), (a,), (z32, a), (a,), (a,), (a, z2), (z2,)]
    stops = [Stop({"en": en, "zh": zh}, *place) for (en, zh), place in zip(WORDS, places)]
    return Walk({"en": "a unit with two users", "zh": "有两个使用者的单元"}, stops)


def measure(seed: int = 4) -> Measured:
    """Take the steps; count the products for one to five hidden layers of 4 units."""
    net = network(seed)
    leaves = [w for W in net.W for row in W for w in row]
    deep = {d: network(seed, (4,) * (d + 2)) for d in range(1, 6)}
    counts = {d: (kept(one)[1], recomputed(one)) for d, one in deep.items()}
    notes = [g for layer in kept(net)[0] for g in layer]
    return Measured(net, walk(net).steps(net.J), notes, grad(net.J, leaves), counts)


def show(r: Measured) -> None:
    """Print the steps, and the counts."""
    for (en, zh), step in zip(WORDS, r.steps):
        print(f"{step['step']}. {t(en, zh)}\n   {step.get('contribution', step['gradient']):.6g}")
    table([t("hidden layers", "隐藏层数"), t("products, δ kept", "乘法次数，保留 δ"), t("written out", "逐路径重算")],
          *([d, *pair] for d, pair in r.counts.items()), left=0)  # fmt: skip


@claim("Every ∂J/∂W⁽ᵏ⁾ᵢⱼ = δ⁽ᵏ⁺¹⁾ᵢ a⁽ᵏ⁾ⱼ is backward()'s, biases among them as weights of the input 1.",
       "每个 ∂J/∂W⁽ᵏ⁾ᵢⱼ = δ⁽ᵏ⁺¹⁾ᵢ a⁽ᵏ⁾ⱼ 都与 backward() 相同，偏置作为输入 1 的权重也在其中。")
def the_recursion_is_backward(r: Measured) -> bool:
    return len(r.notes) == len(r.engine) and all(abs(a - b) < 1e-15 for a, b in zip(r.notes, r.engine))


@claim("The eighth step is δ⁽²⁾₁ as the engine has it, the sum of what both users sent.",
       "第八步就是引擎里的 δ⁽²⁾₁，即两个使用者传回之和。")
def the_eighth_step_is_delta(r: Measured) -> bool:
    return len(r.steps) == 8 and abs(r.steps[-1]["gradient"] - grad(r.net.J, [r.net.z[0][0]])[0]) < 1e-15


@claim("With δ kept the products grow by as much with every layer; written out they grow fourfold "
       "and more: {r.counts[5][0]} against {r.counts[5][1]} with five hidden layers.",
       "保留 δ 时，每多一层增加同样多的乘法；逐路径重算则每层增至四倍以上："
       "五个隐藏层时为 {r.counts[5][0]} 对 {r.counts[5][1]}。")  # fmt: skip
def keeping_delta_is_what_makes_it_cheap(r: Measured) -> bool:
    once, anew = zip(*r.counts.values())
    steps = {b - a for a, b in zip(once, once[1:])}
    return len(steps) == 1 and all(b > 4 * a for a, b in zip(anew, anew[1:]))


def page(r: Measured, path: str) -> None:
    """Write the page."""
    save_page(r.net.J, path, "A unit with two users", walk(r.net))


if __name__ == "__main__":
    run(__name__)
