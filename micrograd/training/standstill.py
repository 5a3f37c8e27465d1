"""Why a loss stands still: it depends on nothing that is trained, or its ReLU units are dead."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from micrograd.engine import topological_order
from micrograd.printing import counted

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


class Seen(NamedTuple):
    """The scopes of the ReLU units that are 0 throughout some graphs, and how many units there are.

    `reached` says whether the graphs have any of the Values that are trained.
    """

    dead: list[str]
    units: int
    reached: bool


def looked_at(losses: Iterable[Any], trained: Iterable[Any]) -> Seen:
    """Look at the graphs of losses; a unit is known by its scope, such as "layer 0 / neuron 2"."""
    alive: dict[str, bool] = {}
    trained, reached = set(map(id, trained)), False
    for loss in losses:
        order = topological_order(loss)
        reached = reached or not trained.isdisjoint(map(id, order))
        for value in order:
            if value.scope and value._op == "ReLU":
                alive[value.scope] = alive.get(value.scope, False) or value.data > 0
    return Seen(sorted(scope for scope, lives in alive.items() if not lives), len(alive), reached)


def unreached(trained: Sequence[Any]) -> str:
    """Return what to say of a loss whose graph has nothing that is trained."""
    return (
        f"it depends on none of the {counted(len(trained), 'parameter')} of the optimizer. Compute "
        "it from the network's Values, not from their .data or under no_grad(), and give the "
        "optimizer the parameters of that network"
    )


def remark(losses: Sequence[float], graphs: Iterable[Any], trained: Sequence[Any]) -> str:
    """Return what to say of losses that stand still, if their graphs show why."""
    dead, count, reached = looked_at(graphs, trained)
    still = f"the loss has stood still at {losses[-1]:.4g} for {EPOCHS} epochs"
    if trained and not reached:
        return f"{still}: {unreached(trained)}"
    if not dead:
        return ""
    names = ", ".join(dead[:NAMED]) + (", …" if len(dead) > NAMED else "")
    return (
        f"{still}, and {len(dead)} of {count} ReLU units are dead, 0 for every example: {names}. "
        f"{REMEDY}"
    )
