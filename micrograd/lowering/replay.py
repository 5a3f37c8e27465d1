"""The scalar engine at the data of a program: it runs narrow graphs, and says what has no value.

A long chain is no faster as arrays: the engine replays it, node by node. And where an array
program meets what is not finite, the engine meets it too, and names the node.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from operator import attrgetter
from threading import Lock
from typing import Any, TypeVar

import numpy as np

from micrograd.core.kinds import recompute
from micrograd.core.order import topological_order
from micrograd.engine import Value, backpropagate
from micrograd.lowering.irregular.levels import Levels
from micrograd.lowering.scalars.columns import Floats
from micrograd.lowering.trace.declared import INPUT, OUTPUT, UPSTREAM

T = TypeVar("T")
NARROW = 4  # nodes per group, on average: for fewer an array of each is no gain
_data, _grad, _index = map(attrgetter, ("data", "grad", "_index"))
_LOCK = Lock()  # programs share Values, and several threads may run them


def narrow(levels: Levels) -> bool:
    """Return whether the groups hold so few nodes that arrays do not pay."""
    inner = len(levels.op) - int((levels.level == 0).sum())
    return not levels.leaves(INPUT) and inner < NARROW * (len(levels.bounds) - 1)


def replayed(
    graph: Sequence[Value],
    leaves: Mapping[str, Any],
    data: Mapping[str, Any],
    wanted: Mapping[str, Any],
) -> tuple[float, dict[str, Any]]:
    """Return the loss at the data of the leaves, and the gradients of those that are wanted.

    `graph` is all that the loss is made of, in order, itself the last.
    """

    def replay(nodes: Sequence[Value]) -> tuple[float, dict[str, Any]]:
        _set(leaves, data)
        recompute(nodes)
        loss = nodes[-1].data
        if wanted:
            for node in nodes:
                node.grad = 0.0
            nodes[-1].grad = 1.0
            backpropagate(nodes)
        return loss, {name: data_of(leaves[name], "grad") for name in wanted}

    return _restored(graph, [leaves[name] for name in data], replay)


def diagnose(
    graph: Sequence[Value],
    leaves: Mapping[str, Any],
    held: Mapping[str, Any],
    batch: Mapping[str, Any],
) -> None:
    """Raise the DomainError that the scalar engine raises on a batch; return if it has none.

    `leaves` are the Values of each leaf array, `held` and `batch` their data.
    """

    def replay(nodes: Sequence[Value]) -> None:
        _set(leaves, held)
        for i in range(len(next(iter(batch.values()), [0]))):
            _set(leaves, {name: data[i] for name, data in batch.items()})
            recompute(nodes)
            for node in nodes:
                node.local_gradients()

    _restored(graph, [leaves[name] for name in (*held, *batch)], replay)


def check_sample(program: Any, kind: str) -> None:
    """Warn where a program gives another loss than the engine on the sample that it was traced on.

    That is a fault of ours, or of what runs it: NumPy has had one.
    """
    sample = {name: data_of(program.leaf_values(name)) for name in program.inputs}
    given = [*sample.values()][: -1 if kind == OUTPUT else None]
    try:
        batch = program.arguments(tuple(x[None] for x in given), len(given))
        loss, gradients = program.run(kind, batch)
        loss = float(gradients[UPSTREAM].sum()) if kind == OUTPUT else loss
        if _agree(loss, program.root.data, 0.0):
            return
        held = {**program.parameters, **program.constants}
        rows = program.arguments.rows(dict(zip(program.inputs, batch)), held)
        data = {**held, **sample, **{name: row[0] for name, row in rows.items()}}
        leaves = {name: program.leaf_values(name) for name in data}
        again = partial(_evaluated, leaves, data)
        expected, size = _restored(program.graph.values, [*leaves.values()], again)
    except (ArithmeticError, ValueError):  # it has no value there, or no slope
        return
    if not _agree(loss, expected, size):
        warnings.warn(
            f"{program!r} gives {loss!r} on the sample that it was traced on, the engine gives "
            f"{expected!r}: what runs is wrong, unless a choice hangs on rounding. See what "
            "micrograd lower FILE.py:FUNCTION --check says, and report it",
            RuntimeWarning,
            stacklevel=4,
        )


def _agree(loss: float, expected: float, size: float) -> bool:
    """Return whether losses agree, up to the rounding of numbers of a size."""
    if loss == expected or (math.isnan(loss) and math.isnan(expected)):
        return True
    return abs(loss - expected) <= 1e-9 * abs(expected) + 1e-6 * size


def _evaluated(leaves: Any, data: Any, nodes: Sequence[Value]) -> tuple[float, float]:
    """Return the loss at the data of the leaves, and the largest number on the way to it."""
    _set(leaves, data)
    recompute(nodes)
    return nodes[-1].data, max(abs(node.data) for node in nodes)


def _restored(
    graph: Sequence[Value], leaves: list[Any], replay: Callable[[Sequence[Value]], T]
) -> T:
    """Call `replay` on the nodes of a graph; they and the leaves hold in the end what they did.

    No generator holds the lock: one that Ctrl-C tore out of its exit would keep it for ever.
    """
    wired = min(map(_index, graph)) < 0  # by hand, since it was lowered maybe
    nodes = topological_order(graph[-1]) if wired else graph
    known = [*nodes, *(value for values in leaves for value in values.ravel().tolist())]
    with _LOCK:
        kept = known, [*map(_data, known)], [*map(_grad, known)]
        try:
            return replay(nodes)
        finally:
            try:
                _put_back(*kept)
            except KeyboardInterrupt:
                _put_back(*kept)
                raise


def _put_back(nodes: list[Value], data: list[float], grads: list[float]) -> None:
    for node, number, grad in zip(nodes, data, grads):
        node.data, node.grad = number, grad


def _set(leaves: Mapping[str, Any], data: Mapping[str, Any]) -> None:
    for name, array in data.items():
        for value, number in zip(leaves[name].ravel().tolist(), array.ravel().tolist()):
            value.data, value.grad = number, 0.0


def data_of(values: Any, attribute: str = "data") -> Floats:
    """Return the numbers that an array of Values holds, or their gradients."""
    flat = map(attrgetter(attribute), values.ravel().tolist())
    return np.array([*flat], float).reshape(values.shape)
