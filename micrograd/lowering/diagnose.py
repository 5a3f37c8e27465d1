"""Find, by the scalar engine, why a program has no finite result: the same error, node by node."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from micrograd.core.order import topological_order
from micrograd.engine import Value


def diagnose(
    root: Value, leaves: Mapping[str, Any], held: Mapping[str, Any], batch: Mapping[str, Any]
) -> None:
    """Raise the DomainError that the scalar engine raises on a batch; return if it has none.

    `leaves` are the Values of each leaf array, `held` and `batch` their data.
    """
    order = topological_order(root)
    kept = [(node, node.data) for node in order]
    try:
        for name, data in held.items():
            _set(leaves[name], data)
        for sample in _samples(batch):
            for name, data in sample.items():
                _set(leaves[name], data)
            root.forward()
            for node in order:
                node.local_gradients()
    finally:
        for node, data in kept:
            node.data = data


def _samples(batch: Mapping[str, Any]) -> Iterable[dict[str, Any]]:
    if not batch:
        return [{}]
    return (
        {name: data[i] for name, data in batch.items()}
        for i in range(len(next(iter(batch.values()))))
    )


def _set(values: Any, data: Any) -> None:
    for value, number in zip(values.ravel().tolist(), data.ravel().tolist()):
        value.data = number
