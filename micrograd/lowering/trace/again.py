"""A second call of a function, on other numbers: what differs in it a program cannot follow.

A program does for every sample what one call did. So the second call is watched: no number may be
taken out of the graph, and the graph has to be the same, its constants too.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np

from micrograd.core.handmade import Handmade
from micrograd.core.kinds import LEAF
from micrograd.core.modes import nodes_reported
from micrograd.core.order import topological_order
from micrograd.engine import Value
from micrograd.lowering.trace.call import Call, call
from micrograd.lowering.trace.lookups import Lookup
from micrograd.lowering.trace.places import called, first_line, user_line
from micrograd.lowering.trace.samples import varied
from micrograd.lowering.trace.watch import UntraceableError, watched


class Variation(NamedTuple):
    """How the numbers of the second call differ; `sign` 0 leaves them as they are."""

    sign: int
    whole: bool
    said: str


# Tried in this order, until the function takes the numbers: some are ids, or add up to 1.
VARIATIONS = (
    Variation(-1, True, "on other numbers"),
    Variation(-1, False, "on other numbers"),
    Variation(1, False, "on other numbers"),
    Variation(0, False, "on the same sample"),
)


class Difference(NamedTuple):
    """Where the graph of another call differs first; `numbers` are those of a constant."""

    node: Value
    numbers: tuple[float, float] | None = None


def lasting(
    function: Callable[..., Any], values: Sequence[Any], first: Call, around: Iterable[Value]
) -> frozenset[Value]:
    """Call `function` a second time; return the leaves that both calls have: made before, or kept.

    `around` are Values that need not be in the graph and must not be read either. Raises
    ValueError, with the line where it is known, where a number is read or the graph is another.
    """
    nodes = topological_order(first.root)
    before = [v for v in nodes if v._index < first.start and not v.parents]
    second, sample, said = _second(function, first, values, [*before, *around])
    difference = compare(first, second)
    if difference is not None:
        raise UntraceableError(_message(function, sample, first, difference, said))
    kept = [a.table[0][0] for a, b in _lookups(first, second) if a.table and a.table is b.table]
    return frozenset(topological_order(second.root)).intersection(nodes).union(kept)


def _second(
    function: Callable[..., Any], first: Call, values: Sequence[Any], watch: Sequence[Value]
) -> tuple[Call, Sequence[Any], str]:
    """Return a watched call on other numbers, its sample, and what is said of these numbers."""
    names = [leaves.name for leaves in first.inputs]
    for variation in VARIATIONS:
        sample = [varied(x, random.Random(7), variation.sign, variation.whole) for x in values]
        try:
            with watched(watch), watched(_flat(sample)), _random_numbers_apart():
                return call(function, names, sample), sample, variation.said
        except UntraceableError:
            raise
        except Exception as error:
            last = error
    raise UntraceableError(
        f"{first_line(function)}: {called(function)}, called a second time on the same sample, "
        f"raises {type(last).__name__}: {last}. A program does the same for every sample, so what "
        "it is made of has to be a function of the sample alone"
    ) from last


def _flat(nested: Any) -> Iterator[Value]:
    if isinstance(nested, list):
        for part in nested:
            yield from _flat(part)
    else:
        yield nested


@contextmanager
def _random_numbers_apart() -> Iterator[None]:
    """Let the block draw other random numbers than the program around it, before or after."""
    state, array_state = random.getstate(), np.random.get_state()
    try:
        yield
    finally:
        random.setstate(state)
        np.random.set_state(array_state)


def compare(first: Call, second: Call) -> Difference | None:
    """Return the first difference of two graphs: of operations, operands, constants."""
    a, b = topological_order(first.root), topological_order(second.root)
    shared = set(b).intersection(a)
    roles, other_roles = _roles(first), _roles(second)
    for node in shared:
        if node in roles:
            return Difference(node)
    own, other = [v for v in a if v not in shared], [v for v in b if v not in shared]
    pairs = dict(zip(own, other))
    for one, another in _lookups(first, second):
        if not _same_lookup(one, another):
            return Difference(another.table[0][0] if another.table else second.root)
    draws: dict[Any, Any] = {}
    for x, y in zip(own, other):
        if x._operation is LEAF is y._operation:
            if _alike(x, y, roles.get(x), other_roles.get(y), draws):
                continue
            return Difference(y, (x.data, y.data))
        if not _same_operation(x, y, pairs):
            return Difference(y)
    return None if len(own) == len(other) else Difference(second.root)


def _lookups(first: Call, second: Call) -> Iterator[tuple[Lookup, Lookup]]:
    yield from zip(first.lookups.recorded.values(), second.lookups.recorded.values())


def _same_lookup(one: Lookup, another: Lookup) -> bool:
    """Return whether two lookups read the same ids, and one table, or one with equal numbers."""
    if (one.ids.name, one.length, not one.table) != (
        another.ids.name,
        another.length,
        not another.table,
    ):
        return False
    if one.table is another.table or not one.table:
        return True
    return all(
        [x.data for x in a] == [y.data for y in b] for a, b in zip(one.table, another.table)
    ) and len(one.table) == len(another.table)


def _same_operation(x: Value, y: Value, pairs: dict[Value, Value]) -> bool:
    operation, first, second = x._operation, x._x, x._y
    if operation is y._operation and first.__class__ is not tuple:
        same = pairs.get(first, first) is y._x
        same = same and (second is None or pairs.get(second, second) is y._y)
        return same and x._k == y._k
    both = isinstance(operation, Handmade) and isinstance(y._operation, Handmade)
    parents = [pairs.get(parent, parent) for parent in x.parents]
    return (both or operation is y._operation) and parents == list(y.parents)


def _alike(x: Value, y: Value, role: Any, other: Any, draws: dict[Any, Any]) -> bool:
    """Return whether leaves of two calls are the same for a program."""
    draw, other_draw = getattr(x, "drawn", None), getattr(y, "drawn", None)
    if role or other:
        return bool(role == other)
    if draw and other_draw:
        same_mask = draws.setdefault(draw[0], other_draw[0]) is other_draw[0]
        return same_mask and bool(draw[1] == other_draw[1])
    return not (draw or other_draw) and (x.data == y.data or x.data != x.data != y.data != y.data)


def _roles(recorded: Call) -> dict[Value, tuple[Any, ...]]:
    """Tell what the leaves are that a program has anew for every sample: array and place."""
    roles: dict[Value, tuple[Any, ...]] = {}
    for leaves in recorded.inputs:
        for place, value in enumerate(leaves.values.ravel().tolist()):
            roles[value] = leaves.name, place
    for number, lookup in enumerate(recorded.lookups.recorded.values()):
        for place, row in lookup.rows.items():
            for column, value in enumerate(row):
                roles[value] = number, place, column
    return roles


def _message(
    function: Callable[..., Any],
    sample: Sequence[Any],
    first: Call,
    difference: Difference,
    said: str,
) -> str:
    line = _line(function, sample, first) or f"{first_line(function)}: in {called(function)}"
    if difference.numbers:
        what = "a number of the graph is {!r}, and {!r}".format(*difference.numbers)
    else:
        what = "the graph is another one"
    return (
        f"{line}: {what} when the function is called again {said}: it is drawn at random, or "
        "depends on more than the sample; a program would hold what this one call gave. Give "
        "such numbers as inputs, and draw dropout by nn.Dropout"
    )


def _line(function: Callable[..., Any], sample: Sequence[Any], first: Call) -> str:
    """Return the line that makes the first difference, found by a third call; else nothing."""
    lines: dict[Value, str] = {}
    names = [leaves.name for leaves in first.inputs]
    again = [varied(x, random.Random(8), 0, False) for x in sample]
    try:
        with nodes_reported(lambda node: lines.setdefault(node, user_line())):  # type: ignore[arg-type]
            third = call(function, names, again)
    except Exception:
        return ""
    difference = compare(first, third)
    if difference is None:
        return ""
    users = (user for user in lines if difference.node in user.parents)
    return lines.get(difference.node) or lines.get(next(users, difference.node), "")
