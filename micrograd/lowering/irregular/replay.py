"""Narrow graphs, such as long chains: the engine itself replays them, node by node."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from micrograd.core.order import topological_order
from micrograd.engine import Value
from micrograd.lowering.irregular.levels import Levels
from micrograd.lowering.trace.declared import INPUT

NARROW = 4  # nodes per group, on average: for fewer an array of each is no gain


def narrow(levels: Levels) -> bool:
    """Return whether the groups hold so few nodes that arrays do not pay."""
    inner = len(levels.op) - int((levels.level == 0).sum())
    return not levels.leaves(INPUT) and inner < NARROW * (len(levels.bounds) - 1)


def replayed(
    root: Value,
    leaves: Mapping[str, Any],
    data: Mapping[str, Any],
    wanted: Mapping[str, Any],
    gradients: bool,
) -> tuple[float, dict[str, Any]]:
    """Return the loss at the data of the leaves, and the gradients of those that are wanted.

    The Values keep what they hold.
    """
    nodes = topological_order(root)
    others = {v for name in data for v in leaves[name].ravel().tolist()} - set(nodes)
    kept = [(node, node.data, node.grad) for node in (*nodes, *others)]
    try:
        for name, array in data.items():
            for value, number in zip(leaves[name].ravel().tolist(), array.ravel().tolist()):
                value.data = number
                value.grad = 0.0
        loss = root.forward()
        if not gradients:
            return loss, {}
        root.backward()
        return loss, {name: _gradient(leaves[name]) for name in wanted}
    finally:
        for node, number, grad in kept:
            node.data, node.grad = number, grad


def _gradient(values: Any) -> Any:
    return np.array([v.grad for v in values.ravel().tolist()]).reshape(values.shape)
