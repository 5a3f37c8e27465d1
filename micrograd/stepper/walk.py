"""A walk: chosen steps of a backward pass, in an order, with a lecturer's own words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from micrograd.engine import Value
from micrograd.graph import Graph
from micrograd.printing import shorten


class Stop(NamedTuple):
    """One stop: at `node`, or where `operand` is given, on the way from `node` to it.

    `words` holds the sentence by language ("en", "zh").
    """

    words: Mapping[str, str]
    node: Value
    operand: Value | None = None


@dataclass(frozen=True)
class Walk:
    """Hold a name by language, and stops.

    Stops on an edge name a node and one of its operands; a stop at a node shows its gradient.
    Raises ValueError where the name or a stop has no words in English.
    """

    name: Mapping[str, str]
    stops: Sequence[Stop]

    def __post_init__(self) -> None:
        for words in (self.name, *(stop.words for stop in self.stops)):
            if not isinstance(words, Mapping) or "en" not in words:
                raise ValueError(
                    "a walk and its stops have words by language, for 'en' at least, such as "
                    f"{{'en': 'the cost'}}, not {shorten(words)}"
                )

    def steps(self, root: Value, seed: float = 1.0) -> list[dict[str, Any]]:
        """Return the stops with the numbers of the engine's steps: what a page of it shows.

        A stop at a node has its `gradient`, with all its contributions; one on an edge upstream,
        local, contribution, and as `gradient` what the operand has got so far on the walk.
        Raises ValueError for a stop outside the graph.
        """
        way = _Way(root, seed)
        return [way.told(number, stop) for number, stop in enumerate(self.stops, 1)]

    def data(self, graph: Graph) -> dict[str, Any]:
        """Return the walk as the page's data."""
        return {"name": dict(self.name), "stops": [_place(graph, stop) for stop in self.stops]}


class _Way:
    """The contributions of a backward pass, handed on in the order of a walk."""

    def __init__(self, root: Value, seed: float) -> None:
        self.steps = list(root.steps(seed))
        self.gradients = {root: seed}
        self.handed: set[int] = set()

    def hand(self, i: int) -> None:
        """Hand on a contribution that was not yet."""
        if i not in self.handed:
            self.handed.add(i)
            operand, contribution = self.steps[i].operand, self.steps[i].contribution
            self.gradients[operand] = self.gradients.get(operand, 0.0) + contribution

    def told(self, number: int, stop: Stop) -> dict[str, Any]:
        told = {"step": number, "node": stop.node.label, "sentence": stop.words["en"]}
        if stop.operand is None:
            for i, step in enumerate(self.steps):
                if step.operand is stop.node:
                    self.hand(i)
            if stop.node not in self.gradients:
                raise _outside(stop)
            return told | {"gradient": self.gradients[stop.node]}
        for i, step in enumerate(self.steps):
            if step.node is stop.node and step.operand is stop.operand:
                self.hand(i)
                return told | {
                    "operand": stop.operand.label,
                    "upstream": step.upstream,
                    "local": step.local,
                    "contribution": step.contribution,
                    "gradient": self.gradients[step.operand],
                }
        raise _outside(stop)


def _place(graph: Graph, stop: Stop) -> dict[str, Any]:
    try:
        node = graph.ids[stop.node]
        position = stop.node.parents.index(stop.operand) if stop.operand else None
    except (KeyError, ValueError):
        raise _outside(stop) from None
    return {"node": node, "position": position, "words": dict(stop.words)}


def _outside(stop: Stop) -> ValueError:
    to = f" to {shorten(stop.operand)}" if stop.operand else ""
    return ValueError(
        f"the walk stops at {shorten(stop.node)}{to}, which the graph does not have; name its "
        "own Values"
    )
