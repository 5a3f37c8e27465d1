"""What made a run: its checkpoint holds it, and a run made otherwise does not go on from there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from micrograd.checkpoint import digest
from micrograd.optim.gradients import is_array
from micrograd.printing import shorten

ABSENT = "nothing"


def settings_within(state: Any, having: str = "settings") -> Any:
    """Return the settings of the objects in `state` that have such methods, nested as it is."""
    if hasattr(state, having) and callable(getattr(state, "settings", None)):
        return state.settings()
    if isinstance(state, Mapping):
        return {name: settings_within(part, having) for name, part in state.items()}
    if isinstance(state, (list, tuple)):
        return [settings_within(part, having) for part in state]
    return None


def data_digest(data: Any) -> str | None:
    """Return a digest of data made of numbers, text and arrays; None where it is of other things.

    Such data are told apart by their number alone.
    """
    try:
        data = data.to_numpy() if hasattr(data, "to_numpy") else data  # a table of pandas
        return digest(data if hasattr(data, "shape") else [data[i] for i in range(len(data))])
    except (TypeError, ValueError):
        return None


def differences(there: Any, here: Any, name: str = "") -> Iterator[tuple[str, str, str]]:
    """Yield what differs: its name, such as "optimizer.lr", and what it is there and here."""
    if isinstance(there, Mapping) and isinstance(here, Mapping):
        for key in {**there, **here}:
            inner = f"{name}.{key}" if name else key
            yield from differences(there.get(key, ABSENT), here.get(key, ABSENT), inner)
    elif all(isinstance(x, (list, tuple)) for x in (there, here)) and len(there) == len(here):
        for i, pair in enumerate(zip(there, here)):
            yield from differences(*pair, name=f"{name}.{i}")
    elif not _same(there, here):
        yield name, shorten(there), shorten(here)


def _same(there: Any, here: Any) -> bool:
    """Return whether two settings are one: arrays are by all their numbers, nan is nan."""
    if is_array(there) or is_array(here):
        return digest(there) == digest(here)
    return bool(there == here) or (there != there and here != here)
