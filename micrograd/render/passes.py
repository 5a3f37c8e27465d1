"""The numbers of a backward pass over a graph, taken from the engine's own steps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from micrograd.engine import contributions
from micrograd.graph import LEAF, Graph

Edge = tuple[int, int, int]  # operand, user, position


@dataclass(eq=False)
class Passes:
    """Hold the gradient of every node reached, and what it hands to each of its operands.

    `handed[id]` has the local gradient and the contribution, upstream × local, by position.
    `problem` says where the pass ended early; what lies behind has no gradient.
    """

    gradients: dict[int, float] = field(default_factory=dict)
    handed: dict[int, list[tuple[float, float]]] = field(default_factory=dict)
    problem: str = ""

    def local(self, edge: Edge) -> float | None:
        """Return the local gradient on an edge, None where it has not been walked."""
        _, user, position = edge
        return self.handed[user][position][0] if user in self.handed else None

    def contribution(self, edges: Sequence[Edge]) -> float | None:
        """Return the sum of what `edges` hand back, None where one has not been walked."""
        if not edges or any(user not in self.handed for _, user, _ in edges):
            return None
        first, *rest = [self.handed[user][position][1] for _, user, position in edges]
        return sum(rest, first)


def backward_pass(graph: Graph, seed: float = 1.0) -> Passes:
    """Return the numbers of the backward pass from the graph's root; change no `grad`.

    Raises ValueError where the graph has several roots.
    """
    if len(graph.roots) != 1:
        raise ValueError(
            f"a picture has one result, and this graph has {len(graph.roots)} roots; "
            "give the one to differentiate"
        )
    passes = Passes({graph.roots[0]: seed})
    try:
        _sweep(graph, passes)
    except (ArithmeticError, ValueError) as error:
        passes.problem = str(error)
    return passes


def _sweep(graph: Graph, passes: Passes) -> None:
    """Do what `Value.steps` does a node at a time, in a third of the time."""
    gradients, handed, values = passes.gradients, passes.handed, graph.values
    for id in range(len(graph) - 1, -1, -1):
        if graph.ops[id] == LEAF:
            continue
        handed[id] = pairs = contributions(values[id], gradients.get(id, 0.0))
        for operand, (_, contribution) in zip(graph.operands[id], pairs):
            gradients[operand] = gradients.get(operand, 0.0) + contribution
