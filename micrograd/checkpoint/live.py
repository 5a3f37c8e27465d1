"""What training changes, copied from the objects that hold it, and put back into them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from typing import Any

from micrograd.core.numbers import number
from micrograd.engine import Value
from micrograd.optim.gradients import is_array
from micrograd.optim.optimizer import Optimizer
from micrograd.printing import shorten

UNFIT = "the state does not fit: "


def capture(item: Any) -> Any:
    """Return a copy of the state of `item`.

    It is an object with a `state_dict`, a random generator of Python or NumPy, an array, a
    Value, or a dict or list of such. Raises TypeError for anything else.
    """
    if hasattr(item, "state_dict"):
        return deepcopy(item.state_dict())  # it may be made of what training goes on to change
    if isinstance(item, Mapping):
        return {name: capture(part) for name, part in item.items()}
    if isinstance(item, (list, tuple)):
        return [capture(part) for part in item]
    if hasattr(item, "getstate"):
        return item.getstate()
    if hasattr(item, "bit_generator"):
        return item.bit_generator.state
    if is_array(item):
        return item.copy()
    if isinstance(item, Value):
        return item.data
    raise TypeError(f"{shorten(item)} has no state that can be kept ({type(item).__name__})")


def restore(item: Any, state: Any) -> None:
    """Put `item` into the `state` captured from its like.

    Raises ValueError, and changes nothing, where `state` does not fit.
    """
    before = capture(item)
    try:
        _restore(item, state)
    except Exception as error:  # generators and objects of others raise what they like
        _restore(item, before)
        raise ValueError(f"{UNFIT}{_told(error)}") from error


def check_kept(state: Any) -> None:
    """Raise ValueError where an optimiser in `state` moves what nothing else there keeps.

    Objects of others, with a `state_dict` of their own, may keep anything: none is raised then.
    """
    parts = [*_parts(state)]
    optimizers = [part for part in parts if isinstance(part, Optimizer)]
    held = set(map(id, parts))
    for part in parts:
        if optimizers and hasattr(part, "named_parameters"):
            named = getattr(part, "_stateful", part.named_parameters)  # with what was detached
            held.update(map(id, dict(named()).values()))
        elif hasattr(part, "state_dict") and not isinstance(part, Optimizer):
            return
    arrays = [part for part in parts if is_array(part)]
    for optimizer in optimizers:
        for name, parameter in optimizer.parameters.items():
            if id(parameter) not in held and not _shares(parameter, arrays):
                raise ValueError(
                    f"{type(optimizer).__name__} moves the parameter {name}, {shorten(parameter)}, "
                    "which state does not keep: a training that goes on, or back to its best "
                    "epoch, would have it as it is then; name in state what holds it"
                )


def _parts(state: Any) -> Iterator[Any]:
    """Yield what dicts and lists of a state hold."""
    if isinstance(state, Mapping):
        state = [*state.values()]
    if not isinstance(state, (list, tuple)):
        yield state
        return
    for part in state:
        yield from _parts(part)


def _shares(parameter: Any, arrays: Sequence[Any]) -> bool:
    """Return whether an array is part of another; of arrays that are not NumPy's it may be."""
    if not is_array(parameter):
        return False
    import numpy as np

    return any(not isinstance(a, np.ndarray) or np.may_share_memory(a, parameter) for a in arrays)


def _restore(item: Any, state: Any) -> None:
    if hasattr(item, "load_state_dict"):
        item.load_state_dict(state)
    elif isinstance(item, Mapping):
        _check_kind(state, Mapping, "names and their states")
        _check_names(set(item), set(state))
        for name, part in item.items():
            _restore_entry(name, part, state[name])
    elif isinstance(item, (list, tuple)):
        _check_kind(state, Sequence, "a list")
        _check_names(set(range(len(item))), set(range(len(state))))
        for place, (part, part_state) in enumerate(zip(item, state)):
            _restore_entry(place, part, part_state)
    elif hasattr(item, "setstate") or hasattr(item, "bit_generator"):
        _set_generator(item, state)
    elif is_array(item):
        _fill(item, state)
    else:
        item.data = number(state)


def _restore_entry(name: Any, item: Any, state: Any) -> None:
    try:
        _restore(item, state)
    except Exception as error:
        raise ValueError(f"{name}: {_told(error)}") from error


def _set_generator(item: Any, state: Any) -> None:
    try:
        if hasattr(item, "setstate"):
            item.setstate(_tuples(state))
        else:
            item.bit_generator.state = state
    except Exception as error:  # each says in words of its own what it met
        name = getattr(item, "__name__", f"a {type(item).__name__}")  # random is a module
        raise ValueError(f"{shorten(state)} is no state of {name}") from error


def _told(error: Exception) -> str:
    return f"it lacks {error}" if isinstance(error, KeyError) else str(error).removeprefix(UNFIT)


def _check_kind(state: Any, kind: type, what: str) -> None:
    if not isinstance(state, kind) or isinstance(state, str):
        raise ValueError(f"expected {what}, not {shorten(state)}")


def _check_names(expected: set[Any], there: set[Any]) -> None:
    lacking, extra = (sorted(map(str, part))[:3] for part in (expected - there, there - expected))
    wrong = [f"it lacks {', '.join(lacking)}"] * bool(lacking)
    wrong += [f"it has {', '.join(extra)} too much"] * bool(extra)
    if wrong:
        raise ValueError(" and ".join(wrong))


def _fill(array: Any, state: Any) -> None:
    expected = array.shape, array.dtype.str
    if not is_array(state) or (state.shape, state.dtype.str) != expected:
        form = (state.shape, state.dtype.str) if is_array(state) else shorten(state)
        raise ValueError(f"an array {expected} was expected, not {form}")
    array[...] = state


def _tuples(state: Any) -> Any:
    return tuple(map(_tuples, state)) if isinstance(state, (list, tuple)) else state
