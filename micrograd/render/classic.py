"""The classic look: a record for every Value, an ellipse for every operation.

Code written for micrograd's notebooks calls `trace` and `draw_dot`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from micrograd.engine import Value
from micrograd.graph import snapshot
from micrograd.printing import shorten
from micrograd.render.numerals import MINUS, shown
from micrograd.render.programs import by_graphviz
from micrograd.render.text import brief

DIRECTIONS = ("LR", "TB")
LABEL = 60  # most characters of a label
# What means something in a record's label, or in any label of DOT.
_SPECIAL = str.maketrans({c: f"\\{c}" for c in '\\{}|<>"'} | {"&": "&amp;"})


def trace(root: Value) -> tuple[list[Value], list[tuple[Value, Value]]]:
    """Return the nodes below `root` and an (operand, user) pair for every edge, in order."""
    graph = snapshot(root)
    values = graph.values
    return list(values), [(values[operand], values[user]) for operand, user, _ in graph.edges]


def draw_dot(root: Value, format: str = "svg", rankdir: str = "LR") -> Any:
    """Return the graph below `root` as a `graphviz.Digraph`, with data and grad as they are now.

    Raises ValueError where `rankdir` is neither LR (left to right) nor TB (top to bottom).
    """
    if rankdir not in DIRECTIONS:
        raise ValueError(f"rankdir is {shorten(rankdir)}; give LR or TB")
    graph, dot = snapshot(root), _digraph(root, format, rankdir)
    for id, value in enumerate(graph.values):
        label = f"{_record(graph.labels[id])} | " if graph.labels[id] else ""
        text = f"{{ {label}data {_number(value.data)} | grad {_number(value.grad)} }}"
        dot.node(f"v{id}", text, shape="record")
        if graph.operands[id]:
            dot.node(f"op{id}", _plain(value._op))
            dot.edge(f"op{id}", f"v{id}")
    for operand, user, _ in graph.edges:
        dot.edge(f"v{operand}", f"op{user}")
    return dot


def _number(x: float) -> str:
    return shown(x).replace(MINUS, "-")  # the look that other programs know


def _record(text: str) -> str:
    return brief(text, LABEL).translate(_SPECIAL)


def _plain(text: str) -> str:
    """Return a label as DOT reads it: neither markup nor an escape."""
    return brief(text, LABEL).replace("\\", "\\\\").replace("&", "&amp;").replace("<", "&lt;")


def _digraph(root: Value, format: str, rankdir: str) -> Any:
    import graphviz

    class Digraph(graphviz.Digraph):  # type: ignore[misc]
        """Show the built-in picture in a notebook where no program draws DOT."""

        def _repr_mimebundle_(
            self,
            include: Iterable[str] | None = None,
            exclude: Iterable[str] | None = None,
            **_: Any,
        ) -> dict[str, str]:
            image = by_graphviz(self.source, "svg")
            if image is not None:
                return {"image/svg+xml": image.decode(), "text/plain": repr(root)}
            from micrograd.render.picture import mimebundle

            return mimebundle(root)

    return Digraph(format=format, graph_attr={"rankdir": rankdir})
