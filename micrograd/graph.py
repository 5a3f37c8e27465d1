"""A frozen picture of a recorded graph: what the renderer, the stepper and lowering work from."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from micrograd.core.handmade import Handmade, name_of
from micrograd.engine import Value, topological_order
from micrograd.ops import BY_NAME

__all__ = ["HANDMADE", "LEAF", "Graph", "Node", "snapshot"]

LEAF = ""  # the operation of a leaf
HANDMADE = "handmade"  # the operation of a node whose backward step is the user's function


class Node(NamedTuple):
    """One node of a graph: `op` is a row's name, LEAF or HANDMADE; `operands` are ids."""

    id: int
    op: str
    symbol: str
    operands: tuple[int, ...]
    k: float | None
    data: float
    grad: float
    label: str
    scope: str


@dataclass(frozen=True, eq=False)
class Graph:
    """Hold a graph column by column; a node's id is its place in topological order.

    `values` are the Values the graph was taken from, `ids` finds a Value's id.
    """

    ops: tuple[str, ...]
    operands: tuple[tuple[int, ...], ...]
    constants: tuple[float | None, ...]
    data: tuple[float, ...]
    grads: tuple[float, ...]
    labels: tuple[str, ...]
    scopes: tuple[str, ...]
    values: tuple[Value, ...]
    ids: dict[Value, int]
    roots: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.ops)

    def __getitem__(self, id: int) -> Node:
        """Return the node of an id."""
        return Node(
            id,
            self.ops[id],
            self.values[id]._op,
            self.operands[id],
            self.constants[id],
            self.data[id],
            self.grads[id],
            self.labels[id],
            self.scopes[id],
        )

    @property
    def edges(self) -> tuple[tuple[int, int, int], ...]:
        """Return (operand, user, position among the user's operands) for every edge."""
        return tuple(
            (operand, user, position)
            for user, operands in enumerate(self.operands)
            for position, operand in enumerate(operands)
        )

    def name(self, id: int) -> str:
        """Return the node's label; without one a constant's number, else v and the id.

        Where a label is called so already, an underscore follows.
        """
        if self.labels[id]:
            return self.labels[id]
        if self.ops[id] == LEAF:
            return f"{self.data[id]:g}"
        return f"v{id}_" if f"v{id}" in self._given else f"v{id}"

    @cached_property
    def _given(self) -> frozenset[str]:
        return frozenset(self.labels)

    def formula(self, id: int) -> str:
        """Return what the node computes, in the names of its operands: `a * b`, `max(y, z)`."""
        op, operands = self.ops[id], self.operands[id]
        if op not in BY_NAME or not BY_NAME[op].arity:
            names = ", ".join(map(self.name, operands[:4])) + (", ..." if len(operands) > 4 else "")
            return f"{self.values[id]._op}({names})" if operands else ""
        names_of = dict(zip("xy", map(self.name, operands)), k=f"{self.constants[id]}")
        return re.sub(r"\b[xyk]\b", lambda letter: names_of[letter[0]], BY_NAME[op].shown)


def snapshot(*roots: Value) -> Graph:
    """Return the graph below `roots`. Raises ValueError where it was wired into a cycle."""
    values = topological_order(*roots)
    ids = dict(zip(values, range(len(values))))
    operations = [value._operation for value in values]
    return Graph(
        ops=tuple([_op_name(operation) for operation in operations]),
        operands=tuple([tuple([ids[p] for p in value.parents]) for value in values]),
        constants=tuple([None if isinstance(v._k, Value) else v._k for v in values]),
        data=tuple([value.data for value in values]),
        grads=tuple([value.grad for value in values]),
        labels=tuple([_seen(name_of(value.label)) for value in values]),
        scopes=tuple([value.scope for value in values]),
        values=tuple(values),
        ids=ids,
        roots=tuple(ids[root] for root in roots),
    )


def _seen(label: str) -> str:
    """Return a label, or "" for one of blanks: a picture has nothing to show of it."""
    return label if label.strip() else ""


def _op_name(operation: object) -> str:
    if isinstance(operation, Handmade):
        return HANDMADE
    row = operation.row  # type: ignore[attr-defined]
    return row.name if row else LEAF
