"""The step trace: both passes over a graph as plain data, one entry per step.

Every number comes from the engine's own record and `steps()`; readers of the trace compute none.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from micrograd.core.numbers import number
from micrograd.engine import Step, Value
from micrograd.graph import LEAF, Graph, snapshot
from micrograd.printing import shorten
from micrograd.render.captions import names_of
from micrograd.render.formulas import local_formula, symbol_of, with_names
from micrograd.render.numerals import shown
from micrograd.stepper.words import SENTENCES, operation, other, reason, sentence


def trace(root: Value | Graph, seed: float = 1.0, language: str = "en") -> dict[str, Any]:
    """Return both passes below `root` as plain data.

    `nodes` lists what was computed in topological order, `steps` the inputs, one step per node
    forward, the seed, and one step per contribution backward, with a sentence each in `language`
    ("en", "zh"); `left` counts the contributions that a gradient, `total`, still waits for.
    Raises ValueError for a graph of several roots, and for another language.
    """
    graph = one_root(root)
    seed = number(seed)
    if not isinstance(language, str) or language not in SENTENCES:
        raise ValueError(
            f"there is no language {shorten(language)}; give one of {', '.join(SENTENCES)}"
        )
    return {
        "root": graph.roots[0],
        "seed": seed,
        "nodes": [_node(graph, id) for id in range(len(graph))],
        "steps": _Teller(graph, language).steps(seed),
    }


def one_root(root: Value | Graph) -> Graph:
    """Return the graph of one root. Raises TypeError, or ValueError where there are several."""
    if isinstance(root, Value):
        return snapshot(root)
    if not isinstance(root, Graph):
        raise TypeError(
            f"cannot step through {shorten(root)}: give the Value at the end of a computation"
        )
    if len(root.roots) != 1:
        raise ValueError(
            f"a step-through has one result, and this graph has {len(root.roots)} "
            "roots; give the one to differentiate"
        )
    return root


def engine_steps(graph: Graph, seed: float) -> list[Step]:
    """Return the engine's steps below the root. Raises DomainError at a node without a slope."""
    return list(graph.values[graph.roots[0]].steps(seed))


def _node(graph: Graph, id: int) -> dict[str, Any]:
    node = graph[id]
    return {
        "id": id,
        "name": graph.name(id),
        "op": node.op,
        "operands": list(node.operands),
        "k": node.k,
        "formula": graph.formula(id),
        "value": node.data,
        "scope": node.scope,
    }


class _Teller:
    """Tell the steps of one graph in one language."""

    def __init__(self, graph: Graph, language: str) -> None:
        self.graph, self.language = graph, language
        self.names = names_of(graph)

    def steps(self, seed: float) -> list[dict[str, Any]]:
        graph, root = self.graph, self.graph.roots[0]
        told: list[dict[str, Any]] = [{"kind": "inputs", "sentence": self.say("inputs")}]
        told += [self.forward(id) for id in range(len(graph)) if graph.ops[id] != LEAF]
        start = self.say("seed", node=self.names[root], value=shown(seed))
        told.append({"kind": "seed", "node": root, "value": seed, "sentence": start})
        walked = engine_steps(graph, seed)
        told += map(self.backward, walked, *_counts(walked))
        return [{"step": number, **step} for number, step in enumerate(told, 1)]

    def say(self, key: str, **names: object) -> str:
        return sentence(self.language, key, **names)

    def forward(self, id: int) -> dict[str, Any]:
        graph, names = self.graph, self.names
        formula = with_names(graph, id, names)
        numbers = with_names(graph, id, [shown(x) for x in graph.data])
        text = self.say("forward", node=names[id], formula=formula, value=shown(graph.data[id]))
        return {
            "kind": "forward",
            "node": id,
            "operands": list(graph.operands[id]),
            "formula": formula,
            "numbers": numbers,
            "value": graph.data[id],
            "sentence": text,
        }

    def backward(self, step: Step, before: int, left: int) -> dict[str, Any]:
        """Tell a contribution; its operand got `before` others, `left` more are to come."""
        graph, ids = self.graph, self.graph.ids
        node, operand = ids[step.node], ids[step.operand]
        key = reason(graph.ops[node], step.position, len(graph.operands[node]), step.local)
        text = self.why(key, node, step)
        if left or before:
            sums = "sums" if not left else "sofar" if left == 1 else "sofar.more"
            text += self.say(sums, operand=self.names[operand], total=shown(step.total), count=left)
        return {
            "kind": "backward",
            "node": node,
            "operand": operand,
            "position": step.position,
            "upstream": step.upstream,
            "local": step.local,
            "formula": local_formula(graph, node, step.position, self.names),
            "contribution": step.contribution,
            "total": step.total,
            "first": not before,
            "left": left,
            "reason": key,
            "sentence": text,
        }

    def why(self, key: str, node: int, step: Step) -> str:
        graph, names = self.graph, self.names
        operands = graph.operands[node]
        factor = operands[other(step.position)] if key == "switches" else node
        return self.say(
            key,
            node=names[node],
            operand=names[operands[step.position]],
            other=names[factor],
            op=operation(graph.ops[node], symbol_of(graph, node)),
            local=shown(step.local),
        )


def _counts(steps: list[Step]) -> tuple[list[int], list[int]]:
    """Return of every step how many contributions its operand got before, and gets after it."""
    seen: Counter[Value] = Counter()
    before = []
    for step in steps:
        before.append(seen[step.operand])
        seen[step.operand] += 1
    return before, [seen[step.operand] - 1 - n for step, n in zip(steps, before)]
