"""A neuron, and the same neuron with its bias folded in (L1).

A neuron computes a = σ(wᵀx + b) = 1 / (1 + exp(−(wᵀx + b))). With a 1 appended to x the bias is
one more weight, a = σ([wᵀ b] · [x; 1]). The picture shows the graph of the second form, with the
gradients of a:

    python demos/neuron.py neuron.svg
"""

from __future__ import annotations

import math
import random
from typing import NamedTuple

from stage import claim, labelled, run, table

from micrograd import Value, weighted_sum
from micrograd.nn import Neuron
from micrograd.render import render

X = (0.5, -1.0)
ENDING = ".svg"


class Measured(NamedTuple):
    """a by both forms, the gradients of w and b by both, and a by the formula."""

    plain: list[float]
    folded: list[float]
    formula: float
    graph: Value

    @property
    def apart(self) -> float:
        """Return the largest difference between both forms."""
        return max(abs(a - b) for a, b in zip(self.plain, self.folded))


def inputs() -> list[Value]:
    """Return x as Values."""
    return [Value(x, label=f"x{i}") for i, x in enumerate(X, 1)]


def folded(unit: Neuron) -> tuple[list[Value], Value]:
    """Return [wᵀ b] of the neuron as one list of weights, and its output for [x; 1]."""
    weights = [labelled(p.detach(), name) for p, name in zip((*unit.w, unit.b), ("w1", "w2", "b"))]
    z = labelled(weighted_sum(weights, [*inputs(), Value(1, label="1")]), "z")
    return weights, labelled(z.sigmoid(), "a")


def measure(seed: int = 1) -> Measured:
    """Compute a and its gradients by both forms."""
    random.seed(seed)
    unit = Neuron(2, activation="sigmoid")
    unit.b.data = 0.25
    a = unit(inputs())
    weights, same = folded(unit)
    a.backward()
    same.backward()
    z = sum(w.data * x for w, x in zip(unit.w, X)) + unit.b.data
    plain = [a.data, *(p.grad for p in (*unit.w, unit.b))]
    return Measured(plain, [same.data, *(p.grad for p in weights)], 1 / (1 + math.exp(-z)), same)


def show(r: Measured) -> None:
    """Print value and gradients of both forms."""
    table(
        ["", "a", "∂a/∂w₁", "∂a/∂w₂", "∂a/∂b"],
        ["σ(wᵀx + b)", *(f"{x:.6f}" for x in r.plain)],
        ["σ([wᵀ b] · [x; 1])", *(f"{x:.6f}" for x in r.folded)],
    )


@claim(
    "Both forms have the same value and the same gradients: a bias is a weight of the input 1.",
    "两种写法的值与梯度都相同：偏置就是输入恒为 1 的权重。",
)
def a_bias_is_a_weight_of_the_input_1(r: Measured) -> bool:
    return r.apart < 1e-12


@claim(
    "The neuron's output is 1 / (1 + exp(−z)) = {r.formula:.6f}.",
    "神经元的输出就是 1 / (1 + exp(−z)) = {r.formula:.6f}。",
)
def the_output_is_the_sigmoid(r: Measured) -> bool:
    return abs(r.plain[0] - r.formula) < 1e-12


def page(r: Measured, path: str) -> None:
    """Draw the graph."""
    render(r.graph).save(path)


if __name__ == "__main__":
    run(__name__)
