"""Error sharing in a 4-2-1 network: the eight steps from the output down to ∂s/∂W⁽¹⁾₁₄ (L5).

The network has four inputs a⁽¹⁾, two hidden sigmoid units a⁽²⁾ = f(z⁽²⁾), and one output
s = a⁽³⁾ = z⁽³⁾, whose unit passes its input on. Prints the steps, and writes the page that shows
them:

    python demos/error_sharing.py error_sharing.html
"""

import sys
from typing import NamedTuple

from micrograd import Value, scope, weighted_sum
from micrograd.stepper import Stop, Walk, save_page

INPUTS = (0.5, -1.0, 0.25, 2.0)
HIDDEN = ((0.3, -0.2, 0.5, 0.1), (-0.4, 0.6, 0.2, -0.3))
OUTPUT = (0.8, -0.5)


class Network(NamedTuple):
    """The Values that the eight steps pass through: everything towards W⁽¹⁾₁₄."""

    s: Value  # a⁽³⁾₁
    z3: Value
    a2: Value
    z2: Value
    w14: Value
    a4: Value
    w2: Value


def network() -> Network:
    """Return the network, its Values labelled as in the notes."""
    inputs = [Value(x, label=f"a⁽¹⁾{_low(j)}") for j, x in enumerate(INPUTS, 1)]
    weights = [
        [Value(w, label=f"W⁽¹⁾{_low(i)}{_low(j)}") for j, w in enumerate(row, 1)]
        for i, row in enumerate(HIDDEN, 1)
    ]
    sums, units = [], []
    for i, row in enumerate(weights, 1):
        with scope(f"hidden unit {i}"):
            sums.append(_named(weighted_sum(row, inputs), f"z⁽²⁾{_low(i)}"))
            units.append(_named(sums[-1].sigmoid(), f"a⁽²⁾{_low(i)}"))
    shared = [Value(w, label=f"W⁽²⁾{_low(i)}") for i, w in enumerate(OUTPUT, 1)]
    z3 = _named(weighted_sum(shared, units), "z⁽³⁾₁")
    s = _named(z3**1, "s")  # the output unit: slope 1
    return Network(s, z3, units[0], sums[0], weights[0][3], inputs[3], shared[0])


def walk(net: Network) -> Walk:
    """Return the eight steps."""
    words = [
        ("An error signal of 1 starts at the output a⁽³⁾₁ = s.",
         "误差信号 1 从输出 a⁽³⁾₁ = s 出发。"),
        ("The output unit's local gradient is 1, so the error at z⁽³⁾₁ stays 1: δ⁽³⁾₁ = 1.",
         "输出单元的局部梯度为 1，所以 z⁽³⁾₁ 处的误差仍是 1：δ⁽³⁾₁ = 1。"),
        ("At z⁽³⁾₁ the error 1 has to be shared among the units that fed it.",
         "误差到达 z⁽³⁾₁，要按权重分给为它提供输入的单元。"),
        ("The share of a⁽²⁾₁ is δ⁽³⁾₁ × W⁽²⁾₁ = W⁽²⁾₁.", "a⁽²⁾₁ 分得 δ⁽³⁾₁ × W⁽²⁾₁ = W⁽²⁾₁。"),
        ("Across the hidden unit the error is multiplied by its local gradient f′(z⁽²⁾₁).",
         "穿过隐藏单元时，误差乘以局部梯度 f′(z⁽²⁾₁)。"),
        ("So the error at z⁽²⁾₁ is f′(z⁽²⁾₁) W⁽²⁾₁, which is called δ⁽²⁾₁.",
         "于是 z⁽²⁾₁ 处的误差为 f′(z⁽²⁾₁) W⁽²⁾₁，记作 δ⁽²⁾₁。"),
        ("The share of W⁽¹⁾₁₄ is that error times the input it was multiplied by, a⁽¹⁾₄.",
         "W⁽¹⁾₁₄ 分得的误差，是 δ⁽²⁾₁ 乘以前向时与它相乘的 a⁽¹⁾₄。"),
        ("The gradient is ∂s/∂W⁽¹⁾₁₄ = a⁽¹⁾₄ f′(z⁽²⁾₁) W⁽²⁾₁.",
         "梯度为 ∂s/∂W⁽¹⁾₁₄ = a⁽¹⁾₄ f′(z⁽²⁾₁) W⁽²⁾₁。"),
    ]  # fmt: skip
    places = [(net.s,), (net.s, net.z3), (net.z3,), (net.z3, net.a2), (net.a2, net.z2), (net.z2,),
              (net.z2, net.w14), (net.w14,)]  # fmt: skip
    stops = [Stop({"en": en, "zh": zh}, *place) for (en, zh), place in zip(words, places)]
    return Walk({"en": "error sharing", "zh": "误差分配"}, stops)


def _named(value: Value, label: str) -> Value:
    value.label = label
    return value


def _low(number: int) -> str:
    return str(number).translate(str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉"))


if __name__ == "__main__":
    net = network()
    for step in walk(net).steps(net.s):
        factors = f" = {step['upstream']:g} × {step['local']:.4g}" if "local" in step else ""
        number = step.get("contribution", step["gradient"])
        print(f"{step['step']}. {step['sentence']}\n   {number:.6g}{factors}")
    for path in sys.argv[1:]:
        title = "Error sharing in a 4-2-1 network"
        print(f"wrote {save_page(net.s, path, title, walk(net))}")
