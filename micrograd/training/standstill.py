"""Why a loss stands still: units of ReLU that give 0 for every example, so that none can learn."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from micrograd.engine import topological_order

EPOCHS = 10  # over which a loss has to move
LEAST = 1e-3  # by this share of itself
NAMED = 4  # units
REMEDY = (
    "Begin with another seed, more units, a smaller learning rate or leaky_relu: the gradient of a "
    "dead unit is 0, so its weights stay as they are"
)


def stands_still(losses: Sequence[float]) -> bool:
    """Tell whether the last losses are one, but for a small share, and not 0."""
    last = losses[-EPOCHS:]
    return len(last) == EPOCHS and max(last) > 0 and max(last) - min(last) <= LEAST * max(last)


def dead_units(losses: Iterable[Any]) -> tuple[list[str], int]:
    """Return the scopes of the ReLU units that are 0 throughout these graphs, and how many are.

    A unit is known by its scope, such as "layer 0 / neuron 2".
    """
    alive: dict[str, bool] = {}
    for loss in losses:
        for value in topological_order(loss):
            if value.scope and value._op == "ReLU":
                alive[value.scope] = alive.get(value.scope, False) or value.data > 0
    return sorted(scope for scope, lives in alive.items() if not lives), len(alive)


def remark(losses: Sequence[float], units: Callable[[], tuple[list[str], int]]) -> str:
    """Return what to say of losses that stand still where units are dead, else nothing."""
    dead, count = units()
    if not dead:
        return ""
    names = ", ".join(dead[:NAMED]) + (", …" if len(dead) > NAMED else "")
    return (
        f"the loss has stood still at {losses[-1]:.4g} for {EPOCHS} epochs, and {len(dead)} of "
        f"{count} ReLU units are dead, 0 for every example: {names}. {REMEDY}"
    )
