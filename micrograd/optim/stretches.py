"""Arrays that a rule moves together, or in blocks, where it takes every number by itself.

Of small arrays its calls are the time: those that lie side by side in one vector are moved by one,
and what is remembered of them lies side by side too. Of large ones it is the memory for what the
rule makes on its way: they are moved in blocks, which stay in the processor's cache.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, MutableMapping, Sequence
from itertools import combinations, pairwise
from operator import is_
from typing import Any

import numpy as np

from micrograd.optim.gradients import is_array, keep_own
from micrograd.printing import shorten

BLOCK = 16384  # numbers: 128 kB, and some of them are at work at once
States = Mapping[str, dict[str, Any]]


class InPlace(MutableMapping[str, Any]):
    """Arrays by name that stay where they are: what is assigned is copied into them."""

    def __init__(self, arrays: Mapping[str, Any]) -> None:
        self._arrays = arrays

    def __getitem__(self, name: str) -> Any:
        if name not in self._arrays:
            raise KeyError(self._unknown(name))
        return self._arrays[name]

    def __setitem__(self, name: str, numbers: Any) -> None:
        """Copy numbers into an array: so `arrays["W"] -= 0.1 * dW` moves it where it lies."""
        if name not in self._arrays:
            raise KeyError(self._unknown(name))
        array = self._arrays[name]
        try:
            given = np.asarray(numbers)
        except ValueError:
            raise ValueError(
                f"{name} has the shape {array.shape}, and this is ragged: {shorten(numbers)}"
            ) from None
        if given.shape != array.shape:
            raise ValueError(
                f"{name} has the shape {array.shape}, what is assigned has {given.shape}"
            )
        if given.dtype.kind not in "biuf" or hasattr(numbers, "mask"):
            raise TypeError(
                f"{name} is made of real numbers, not {shorten(numbers)}; of a Value, give the data"
            )
        array[...] = given

    def _unknown(self, name: str) -> str:
        return f"there is no array {name!r}; there are {', '.join(self._arrays) or 'none'}"

    def __delitem__(self, name: str) -> None:
        raise TypeError(f"{name} stays: what runs reads it; train a part of the arrays by a dict")

    def __iter__(self) -> Iterator[str]:
        return iter(self._arrays)

    def __len__(self) -> int:
        return len(self._arrays)

    def __repr__(self) -> str:
        return repr(self._arrays)


def side_by_side(arrays: Mapping[str, Any]) -> dict[str, Any]:
    """Return copies that are views of one vector: a rule can run once for all of them."""
    vector = np.concatenate([np.zeros(0), *(array.ravel() for array in arrays.values())])
    ends = np.cumsum([array.size for array in arrays.values()], dtype=int)
    parts = np.split(vector, ends[:-1])
    return {name: part.reshape(array.shape) for (name, array), part in zip(arrays.items(), parts)}


class Stretch:
    """Parameters in a row, and their states as one: `memory` by slot, behind views by name."""

    def __init__(
        self, arrays: Mapping[str, Any], slots: Iterable[str], numbers: Sequence[str]
    ) -> None:
        self.names, self.numbers = [*arrays], numbers
        ends = np.cumsum([array.size for array in arrays.values()])
        self.size = int(ends[-1])
        self.memory = {slot: np.empty(self.size) for slot in slots}
        self._views = [
            (slot, name, part.reshape(arrays[name].shape))
            for slot, memory in self.memory.items()
            for name, part in zip(arrays, np.split(memory, ends[:-1]))
        ]

    def whole(self, states: States) -> bool:
        """Return whether the numbers of all parameters are the same."""
        for key in self.numbers:
            numbers = [states[name][key] for name in self.names]
            if numbers.count(numbers[0]) != len(numbers):
                return False
        return True

    def lay(self, states: States) -> dict[str, Any]:
        """Return the states as one; those that have been replaced are laid side by side again."""
        for slot, name, view in self._views:
            state = states[name]
            if state[slot] is not view:
                view[...] = state[slot]
                state[slot] = view
        first = states[self.names[0]]
        return {**self.memory, **{key: first[key] for key in self.numbers}}

    def keep(self, now: Mapping[str, Any], states: States) -> None:
        """Take over what the states have become."""
        changed = [slot for slot, memory in self.memory.items() if now[slot] is not memory]
        ours = set(map(id, self.memory.values()))  # one slot may become what another was
        new = [now[slot].copy() if id(now[slot]) in ours else now[slot] for slot in changed]
        for slot, state in zip(changed, new):
            self.memory[slot][...] = state
        numbers = {key: now[key] for key in self.numbers}
        for name in self.names:
            states[name].update(numbers)


def _in_a_row(
    names: Iterable[str], states: States, numbers: Sequence[str], before: Mapping[str, str]
) -> list[list[str]]:
    """Return names, those together that follow each other and whose `numbers` are the same."""
    rows: list[list[str]] = []
    for name in names:
        last = rows[-1][-1] if rows else name
        alike = all(states[last][key] == states[name][key] for key in numbers)
        if alike and before.get(name) == last:
            rows[-1].append(name)
        else:
            rows.append([name])
    return rows


class Vectors:
    """Find the parameters of an optimiser that lie side by side, once; a copy finds its own."""

    def __init__(self) -> None:
        self._arrays: list[Any] = []
        self._before: dict[str, str] = {}  # which parameter lies right before another
        self._known: dict[tuple[str, ...], tuple[Stretch, Any]] = {}
        self._last: tuple[list[str], list[tuple[Stretch, Any]]] = [], []

    def __reduce__(self) -> Any:
        return Vectors, ()

    def move(self, optimizer: Any, gradients: dict[str, Any], options: Sequence[Any]) -> None:
        """Move large arrays in blocks, each stretch at once; take their gradients out of all."""
        parameters, states, group = optimizer.parameters, optimizer.state, optimizer._group_of
        for name in [n for n, g in gradients.items() if _is_large(parameters[n], g, states[n])]:
            now = options[group[name]]
            _move_in_blocks(optimizer, parameters[name], gradients.pop(name), states[name], now)
        for stretch, x in self._of(optimizer, gradients):
            state = stretch.lay(states)
            gradient = np.concatenate([gradients.pop(name) for name in stretch.names], axis=None)
            new = _ruled(optimizer, x, gradient, state, options[group[stretch.names[0]]])
            keep_own(state, x)
            x[...] = new
            stretch.keep(state, states)

    def _of(self, optimizer: Any, gradients: Mapping[str, Any]) -> list[tuple[Stretch, Any]]:
        """Return the stretches that these gradients can move, and where their parameters lie."""
        arrays = [*optimizer.parameters.values()]
        if len(arrays) != len(self._arrays) or not all(map(is_, arrays, self._arrays)):
            self._arrays, self._before = arrays, _neighbours(optimizer)
            self._known.clear()
            self._last = [], []
        before, state = self._before, optimizer.state
        names = [name for name in optimizer.parameters if _is_floats(gradients.get(name))]
        if not names:
            return []
        if names != self._last[0] or not all(one.whole(state) for one, _ in self._last[1]):
            numbers = [key for key in state[names[0]] if key not in optimizer.slots]
            rows = _in_a_row(names, state, numbers, before)
            self._last = names, [self._laid(optimizer, row, numbers) for row in rows if row[1:]]
        return self._last[1]

    def _laid(self, optimizer: Any, names: list[str], numbers: list[str]) -> tuple[Stretch, Any]:
        key = tuple(names)
        if key not in self._known:
            arrays = {name: optimizer.parameters[name] for name in names}
            stretch = Stretch(arrays, optimizer.slots, numbers)
            self._known[key] = stretch, _vector(arrays[names[0]], stretch.size)
        return self._known[key]


def _ruled(optimizer: Any, x: Any, gradient: Any, state: dict[str, Any], options: Any) -> Any:
    """Return the new x. Raises TypeError where the rule remembers what is of some numbers only."""
    declared = set(state)
    new = optimizer.rule(x, gradient, state, options)
    if undeclared := state.keys() - declared:
        raise TypeError(
            f"{type(optimizer).__name__} is elementwise and remembers {', '.join(undeclared)}, "
            "which its slots do not name; name it there, or leave elementwise away"
        )
    return new


def _is_large(x: Any, gradient: Any, state: Mapping[str, Any]) -> bool:
    """Return whether an array is moved in blocks: one of many floats, remembered as such."""
    if gradient.__class__ is not np.ndarray or gradient.size <= BLOCK:
        return False
    arrays = [x, gradient, *filter(is_array, state.values())]
    apart = len({*map(id, arrays)}) == len(arrays)
    return apart and all(_is_floats(array) and array.shape == x.shape for array in arrays)


def _move_in_blocks(
    optimizer: Any, x: Any, gradient: Any, state: dict[str, Any], options: Any
) -> None:
    before = dict(state)
    rows = max(1, BLOCK * len(x) // x.size)
    for start in range(0, len(x), rows):
        at = slice(start, start + rows)
        own, given = x[at], {k: v[at] if is_array(v) else v for k, v in before.items()}
        now = dict(given)
        new = _ruled(optimizer, own, gradient[at], now, options)
        changed = {key: kept for key, kept in now.items() if kept is not given[key]}
        keep_own(changed, own, *filter(is_array, given.values()))
        own[...] = new
        for key, kept in changed.items():
            if is_array(given[key]):
                given[key][...] = kept
            else:
                state[key] = kept


def check_apart(arrays: Mapping[str, Any]) -> None:
    """Raise ValueError where two arrays share numbers, as views of one do."""
    for (one, x), (other, y) in combinations(arrays.items(), 2):
        if np.may_share_memory(x, y) and np.shares_memory(x, y):  # the first looks at ends only
            raise ValueError(
                f"the arrays of parameters {one} and {other} share numbers, which would be moved "
                "twice; give each number in one array"
            )


def _vector(first: Any, size: int) -> Any:
    """Return as many numbers from the `first` parameter on, as a part of the vector it lies in."""
    start = (_address(first) - _address(first.base)) // first.itemsize
    return first.base.reshape(-1)[start : start + size]


def _neighbours(optimizer: Any) -> dict[str, str]:
    named = list(optimizer.parameters.items())
    group = optimizer._group_of
    return {
        name: before
        for (before, x), (name, y) in pairwise(named)
        if _is_floats(x) and _is_floats(y) and group[before] == group[name] and _touch(x, y)
    }


def _touch(x: Any, y: Any) -> bool:
    """Return whether y begins where x ends, in one vector."""
    whole = x.base
    return (
        _is_floats(whole)
        and whole is y.base
        and all(part.flags.c_contiguous for part in (x, y, whole))
        and _address(x) + x.nbytes == _address(y)
    )


def _is_floats(array: Any) -> bool:
    return array.__class__ is np.ndarray and bool(array.dtype == np.float64)


def _address(array: Any) -> int:
    return int(array.__array_interface__["data"][0])
