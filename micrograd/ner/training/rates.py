"""The schedules and optimisers a tagger can be trained with, by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from micrograd import optim, schedules
from micrograd.ner.model.config import check_name
from micrograd.optim.optimizer import Optimizer

SCHEDULES: Mapping[str, Callable[[float, int], Any]] = {
    "constant": lambda rate, _: schedules.constant(rate),
    "decay": lambda rate, _: lambda epoch: rate / (1 + 0.3 * epoch),
    "halve": lambda rate, epochs: schedules.step(rate, max(1, epochs // 4)),
    "exponential": lambda rate, _: schedules.exponential(rate, 0.1),
    "inverse": lambda rate, epochs: schedules.inverse(rate, max(1, epochs // 4)),
    "linear": lambda rate, epochs: schedules.linear(rate, rate / 10, max(1, epochs)),
    "cosine": lambda rate, epochs: schedules.cosine(rate, max(1, epochs), rate / 100),
    "triangular": lambda rate, _: schedules.triangular(rate / 10, rate, 2),
    "one_cycle": lambda rate, epochs: schedules.one_cycle(rate, max(5, epochs)),
    "warm_up": lambda rate, _: schedules.warm_up(schedules.constant(rate), 3, 0.25),
    "plateau": lambda rate, _: schedules.Plateau(rate, 0.5, 1),
}


def schedule(name: str, rate: float, epochs: int, updates: int) -> Any:
    """Give the rate as a function of the updates done, `updates` to an epoch.

    ValueError for a name that is none, or a rate that is not above 0.
    """
    check_name("schedule", name, SCHEDULES)
    if not rate > 0:
        raise ValueError(f"learning rate {rate}: it must be above 0")
    found = SCHEDULES[name](rate, epochs)
    return found if isinstance(found, schedules.Plateau) else schedules.by_epoch(found, updates)


def optimizer(name: str, arrays: Mapping[str, Any], lr: Any) -> Optimizer:
    """Make the optimiser of this name, which takes rows of tables; ValueError if there is none."""
    check_name("optimizer", name, optim.BY_NAME)
    kind = optim.BY_NAME[name]
    options: dict[str, Any] = {} if kind.takes_rows else {"dense": True}
    return kind(dict(arrays), lr=lr, **options)
