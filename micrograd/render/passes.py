"""The numbers of a backward pass over a graph, taken from the engine's own steps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from micrograd.graph import Graph

Edge = tuple[int, int, int]  # operand, user, position


@dataclass(eq=False)
class Passes:
    """Hold the gradient of every node reached, and both factors' product of every edge.

    `problem` says where the pass ended early; what lies behind has no gradient.
    """

    gradients: dict[int, float] = field(default_factory=dict)
    locals: dict[Edge, float] = field(default_factory=dict)
    contributions: dict[Edge, float] = field(default_factory=dict)
    problem: str = ""

    def contribution(self, edges: Sequence[Edge]) -> float | None:
        """Return the sum of what `edges` hand back, None where one has not been walked."""
        found = [self.contributions[edge] for edge in edges if edge in self.contributions]
        return sum(found[1:], found[0]) if found and len(found) == len(edges) else None


def backward_pass(graph: Graph, seed: float = 1.0) -> Passes:
    """Return the numbers of the backward pass from the graph's root; change no `grad`.

    Raises ValueError where the graph has several roots.
    """
    if len(graph.roots) != 1:
        raise ValueError(
            f"a picture has one result, and this graph has {len(graph.roots)} roots; "
            "give the one to differentiate"
        )
    passes, root = Passes(), graph.roots[0]
    passes.gradients[root] = seed
    try:
        for step in graph.values[root].steps(seed):
            operand, user = graph.ids[step.operand], graph.ids[step.node]
            passes.gradients[operand] = step.total
            passes.locals[operand, user, step.position] = step.local
            passes.contributions[operand, user, step.position] = step.contribution
    except (ArithmeticError, ValueError) as error:
        passes.problem = str(error)
    return passes
