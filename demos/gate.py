"""A gate: forward computes and stores what backward needs; both by hand (L16, L34).

An operation knows its value and its local gradients. `forward(x, y)` returns the value and keeps
what backward will ask for; `backward(upstream)` returns downstream = upstream × local for each
input. A product keeps x and y, since ∂(xy)/∂x = y and ∂(xy)/∂y = x; a sigmoid keeps its output,
since σ′ = σ(1 − σ). Here is one network out of such gates, beside the engine's:

    python demos/gate.py gate.svg
"""

from __future__ import annotations

import math
import random
from typing import Any, NamedTuple

from stage import claim, labelled, run, t, table

from micrograd import Value
from micrograd.gradcheck import Report, gradcheck
from micrograd.render import render

ENDING = ".svg"


class Multiply:
    """The gate x · y."""

    def forward(self, x: float, y: float) -> float:
        """Return xy, and keep x and y."""
        self.kept = x, y
        return x * y

    def backward(self, upstream: float) -> tuple[float, ...]:
        """Return upstream × y and upstream × x."""
        x, y = self.kept
        return upstream * y, upstream * x


class Sigmoid:
    """The gate σ(z)."""

    def forward(self, z: float) -> float:
        """Return σ(z), and keep it."""
        self.kept = 1 / (1 + math.exp(-z))
        return self.kept

    def backward(self, upstream: float) -> tuple[float, ...]:
        """Return upstream × σ(1 − σ)."""
        return (upstream * self.kept * (1 - self.kept),)


class Forgetful(Multiply):
    """The product again, with the two inputs mixed up on the way back."""

    def backward(self, upstream: float) -> tuple[float, ...]:
        """Return the two parts in the wrong order."""
        return super().backward(upstream)[::-1]


def as_function(kind: Any) -> Any:
    """Return the gate as a function of Values, for the checker: a node with this backward step."""

    def function(*inputs: Value) -> Value:
        gate = kind()
        out = Value(gate.forward(*(v.data for v in inputs)), inputs, kind.__name__)

        def backward() -> None:
            for v, part in zip(inputs, gate.backward(out.grad)):
                v.grad += part

        out._backward = backward
        return out

    return function


class Measured(NamedTuple):
    """The checker's reports, and a = σ(w·x) with its gradients by gates and by the engine."""

    reports: dict[str, Report]
    gates: list[float]
    engine: list[float]
    graph: Value


def by_gates(w: float, x: float) -> list[float]:
    """Return a, ∂a/∂w and ∂a/∂x of a = σ(wx), by both passes through the gates."""
    multiply, sigmoid = Multiply(), Sigmoid()
    a = sigmoid.forward(multiply.forward(w, x))
    (dz,) = sigmoid.backward(1.0)
    return [a, *multiply.backward(dz)]


def measure(seed: int = 1) -> Measured:
    """Check both gates and a wrong one; compare both passes with the engine's."""
    rng = random.Random(seed)
    w, x = rng.uniform(-2, 2), rng.uniform(-2, 2)
    at = {Multiply: [w, x], Sigmoid: [w], Forgetful: [w, x]}
    reports = {kind.__name__: gradcheck(as_function(kind), at=point) for kind, point in at.items()}
    leaves = Value(w, label="w"), Value(x, label="x")
    a = labelled(labelled(leaves[0] * leaves[1], "z").sigmoid(), "a")
    a.backward()
    return Measured(reports, by_gates(w, x), [a.data, *(v.grad for v in leaves)], a)


def show(r: Measured) -> None:
    """Print the reports, and both results."""
    for name, report in r.reports.items():
        print(f"{name}\n{report}")
    table(
        ["a = σ(wx)", "a", "∂a/∂w", "∂a/∂x"],
        [t("gates by hand", "手写的门"), *(f"{x:.6f}" for x in r.gates)],
        [t("engine", "引擎"), *(f"{x:.6f}" for x in r.engine)],
    )


@claim(
    "The checker accepts both gates, and refuses the one that mixes its inputs up.",
    "检查器接受这两个门，并拒绝把输入弄反的那个。",
)
def the_checker_tells_them_apart(r: Measured) -> bool:
    return [bool(report) for report in r.reports.values()] == [True, True, False]


@claim(
    "Both passes through the gates give what the engine gives.",
    "经过这些门的两次传播与引擎的结果相同。",
)
def gates_are_the_engine(r: Measured) -> bool:
    return all(abs(a - b) < 1e-15 for a, b in zip(r.gates, r.engine))


def page(r: Measured, path: str) -> None:
    """Draw the graph of a = σ(wx)."""
    render(r.graph).save(path)


if __name__ == "__main__":
    run(__name__)
