"""A walk: chosen steps of a backward pass, in an order, with a lecturer's own words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from micrograd.engine import Step, Value
from micrograd.graph import Graph


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
    """

    name: Mapping[str, str]
    stops: Sequence[Stop]

    def steps(self, root: Value, seed: float = 1.0) -> list[dict[str, Any]]:
        """Return the stops with the numbers of the engine's steps: what a page of it shows.

        A stop at a node has its `gradient`; one on an edge upstream, local, contribution, and the
        operand's gradient so far as `gradient`. Raises ValueError for a stop outside the graph.
        """
        walked = list(root.steps(seed))
        gradients = {root: seed} | {step.operand: step.total for step in walked}
        return [_told(number, stop, walked, gradients) for number, stop in enumerate(self.stops, 1)]

    def data(self, graph: Graph) -> dict[str, Any]:
        """Return the walk as the page's data."""
        return {"name": dict(self.name), "stops": [_place(graph, stop) for stop in self.stops]}


def _told(
    number: int, stop: Stop, walked: list[Step], gradients: Mapping[Value, float]
) -> dict[str, Any]:
    told = {"step": number, "node": stop.node.label, "sentence": stop.words["en"]}
    if stop.operand is None:
        if stop.node not in gradients:
            raise _outside(stop)
        return told | {"gradient": gradients[stop.node]}
    for step in walked:
        if step.node is stop.node and step.operand is stop.operand:
            return told | {
                "operand": stop.operand.label,
                "upstream": step.upstream,
                "local": step.local,
                "contribution": step.contribution,
                "gradient": step.total,
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
    to = f" to {stop.operand!r}" if stop.operand else ""
    return ValueError(
        f"the walk stops at {stop.node!r}{to}, which the graph does not have; name its own Values"
    )
