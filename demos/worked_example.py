"""The lectures' worked example, f = (x + y) · max(y, z) at x = 1, y = 2, z = 0 (L13, L14).

Downstream = upstream × local at each edge; where a value has several users, the contributions sum:
∂f/∂x = 2, ∂f/∂y = 3 + 2 = 5, ∂f/∂z = 0. + distributes an upstream gradient, max routes it, × switches
the values. Prints both passes step by step; the page steps through them in a browser:

    python demos/worked_example.py worked_example.html
"""

from __future__ import annotations

from typing import NamedTuple

from stage import claim, labelled, run, t

from micrograd import Step, Value, topological_order
from micrograd.stepper import save_page
from micrograd.stepper.terminal import Walkthrough

ENDING = ".html"


class Measured(NamedTuple):
    """f with its graph, its gradients by name, and the steps of the backward pass."""

    f: Value
    grads: dict[str, float]
    steps: list[Step]

    def contributions(self, name: str) -> list[float]:
        """Return what the value of this name received, edge by edge."""
        return [step.contribution for step in self.steps if step.operand.label == name]


def worked_example() -> Value:
    """Return f, with its inputs and its two parts a and b labelled."""
    x, y, z = Value(1, label="x"), Value(2, label="y"), Value(0, label="z")
    a, b = labelled(x + y, "a"), labelled(y.max(z), "b")
    return labelled(a * b, "f")


def measure() -> Measured:
    """Record the graph, and go back through it."""
    f = worked_example()
    f.backward()
    grads = {value.label: value.grad for value in topological_order(f)}
    return Measured(f, grads, list(f.steps()))


def show(r: Measured) -> None:
    """Print both passes."""
    Walkthrough(r.f, t("en", "zh")).transcript()


@claim(
    "f = {r.f.data:g}, ∂f/∂x = {r.grads[x]:g}, ∂f/∂y = {r.grads[y]:g}, ∂f/∂z = {r.grads[z]:g}.",
    "f = {r.f.data:g}，∂f/∂x = {r.grads[x]:g}，∂f/∂y = {r.grads[y]:g}，∂f/∂z = {r.grads[z]:g}。",
)
def the_lectures_numbers(r: Measured) -> bool:
    return (r.f.data, *(r.grads[name] for name in "xyz")) == (6, 2, 5, 0)


@claim(
    "y has two users, and what they send is summed: 2 + 3 = 5.",
    "y 有两个使用者，它们传回的相加：2 + 3 = 5。",
)
def gradients_of_several_users_sum(r: Measured) -> bool:
    return sorted(r.contributions("y")) == [2, 3] and r.grads["y"] == 5


@claim(
    "+ hands the same 2 to x and y; max gives y all of 3 and z nothing; × gives a the value of b "
    "and b that of a.",
    "+ 把同样的 2 交给 x 与 y；max 把 3 全给 y，z 什么也得不到；× 把 b 的值给 a，把 a 的值给 b。",
)
def distribute_route_switch(r: Measured) -> bool:
    plus = r.contributions("x") == [2] and 2 in r.contributions("y")
    routed = r.contributions("z") == [0] and 3 in r.contributions("y")
    return plus and routed and (r.grads["a"], r.grads["b"]) == (2, 3)


@claim("In every step downstream is upstream × local.", "每一步都有 下游 = 上游 × 局部。")
def downstream_is_upstream_times_local(r: Measured) -> bool:
    return all(step.contribution == step.upstream * step.local for step in r.steps)


def page(r: Measured, path: str) -> None:
    """Write the page."""
    save_page(r.f, path)


if __name__ == "__main__":
    run(__name__)
