"""A second call of a function, on other numbers: what differs in it a program cannot follow.

A program does for every sample what one call did. So the second call is watched: no number may be
taken out of the graph, and the graph has to be the same, its constants too.
"""

from __future__ import annotations

import pickle
import random
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from operator import is_
from typing import Any, NamedTuple

import numpy as np

from micrograd.core.handmade import Handmade
from micrograd.core.kinds import LEAF
from micrograd.core.places import called, first_line
from micrograd.engine import Value
from micrograd.lowering.trace.around import around
from micrograd.lowering.trace.call import Call, Lines, call
from micrograd.lowering.trace.declared import values_in
from micrograd.lowering.trace.lookups import Lookup
from micrograd.lowering.trace.samples import varied
from micrograd.lowering.trace.watch import Sampled, UntraceableError, Watching, watched


class Variation(NamedTuple):
    """How the numbers of the second call differ; `sign` 0 leaves them as they are."""

    sign: int
    whole: bool
    said: str


GENERATORS = (random.Random, np.random.RandomState, np.random.Generator)

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


class Second(NamedTuple):
    """A watched second call, its sample, what is said of that one's numbers, and whether the
    function draws random numbers."""

    call: Call
    sample: Sequence[Any]
    said: str
    drawn: bool


def lasting(function: Callable[..., Any], values: Sequence[Any], first: Call) -> frozenset[Value]:
    """Call `function` a second time; return the leaves that both calls have: made before, or kept.

    No Value that it can get at may be read, in the graph or not. Raises ValueError, with the line
    where it is known, where a number is read, where the graph is another, and where random numbers
    are drawn, though it is the same. Warns of a function that keeps count.
    """
    leaves = [*first.graph.leaves]
    before = [v for v in leaves if v._index < first.start]
    surroundings = around(function, Value, *GENERATORS)
    found = surroundings.found
    generators = [g for g in found if not isinstance(g, (Value, random.SystemRandom))]
    watch = {*before, *(v for v in found if isinstance(v, Value))}
    second, sample, said, drawn = _second(function, first, values, watch, generators)
    others, difference = compare(first, second)
    if difference is not None:
        raise UntraceableError(_message(function, sample, first, difference, said))
    if drawn and not any(hasattr(leaf, "drawn") for leaf in leaves):
        raise UntraceableError(
            f"{first_line(function)}: {called(function)} draws random numbers, so a third call may "
            "do something else, though the second one did the same; draw them outside, and give "
            "them as inputs, and draw dropout by nn.Dropout"
        )
    later = around(function, Value, *GENERATORS)
    changed = surroundings.changed(later)
    computed = any(isinstance(v, Value) and v._operation is not LEAF for v in later.found)
    reached = {*map(id, later.found)}
    kept = reached.intersection(map(id, (*values_in(values), *(first.made if computed else ()))))
    if kept and not kept.issubset(map(id, second.graph.values)):  # which needs some that are kept
        changed = changed or "a Value of an earlier call"
    if changed:
        warnings.warn(
            f"{first_line(function)}: {called(function)} keeps what changes from call to call, "
            f"{changed}, so a later call may do something else than the first two, which its "
            "program does; give what counts as an input",
            RuntimeWarning,
            stacklevel=5,
        )
    tables = [a.table[0][0] for a, b in _lookups(first, second) if a.table and a.table is b.table]
    return frozenset(v for v in leaves if others.get(v, v) is v).union(tables)


def _second(
    function: Callable[..., Any],
    first: Call,
    values: Sequence[Any],
    watch: Iterable[Value],
    generators: Sequence[Any],
) -> Second:
    """Call the function on other numbers; `watch` must not be read, `generators` are looked at."""
    names = [leaves.name for leaves in first.inputs]
    for variation in VARIATIONS[bool(first.lookups.recorded) :]:  # ids are whole numbers
        sample = [varied(x, random.Random(7), variation.sign, variation.whole) for x in values]
        try:
            with watched(watch), watched(values_in(sample), Sampled), _random_numbers_apart():
                before = _next_numbers(generators)
                second = call(function, names, sample, Watching())
                drawn = _next_numbers(generators) != before
                return Second(second, sample, variation.said, drawn)
        except Exception as error:
            _raise_untraceable(error)
            last = error
    raise UntraceableError(
        f"{first_line(function)}: {called(function)}, called a second time on the same sample, "
        f"raises {type(last).__name__}: {last}. A program does the same for every sample: what it "
        "is made of is a function of the sample alone, and asks isinstance(x, Value), not type(x)"
    ) from last


def _raise_untraceable(error: BaseException | None) -> None:
    """Raise what was refused where an error came of it, as of a slope that read data."""
    while error is not None:
        if isinstance(error, UntraceableError):
            raise error
        error = error.__cause__ or error.__context__


@contextmanager
def _random_numbers_apart() -> Iterator[None]:
    """Let the block draw other random numbers than the program around it, before or after."""
    state, array_state = random.getstate(), np.random.get_state()
    try:
        yield
    finally:
        random.setstate(state)
        np.random.set_state(array_state)


def _next_numbers(generators: Sequence[Any]) -> bytes:
    """Return what random generators, and Python's and NumPy's own, draw next, as their states."""
    states = [
        g.bit_generator.state if isinstance(g, np.random.Generator) else g.__getstate__()
        for g in generators
    ]
    return pickle.dumps([random.getstate(), np.random.get_state(), states])


def compare(first: Call, second: Call) -> tuple[dict[Any, Any], Difference | None]:
    """Return which node of the second graph stands for which of the first, and where they differ.

    The graphs are walked from their results, operation by operation; of several differences the
    earliest counts, of an operation, its operands, or a constant.
    """
    pairs: dict[Any, Any] = {None: None, first.root: second.root}  # None: no second operand
    difference = None
    for one, another in _lookups(first, second):
        if not _same_lookup(one, another):
            return pairs, Difference(another.table[0][0] if another.table else second.root)
    roles, other_roles = _roles(first), _roles(second)
    draws: dict[Any, Any] = {}
    for x in reversed(first.graph.values):
        y = pairs.get(x)
        if y is None:  # below a difference
            continue
        if x._operation is LEAF is y._operation:
            role, other = roles.get(x), other_roles.get(y)
            if not _alike(x, y, role, other, draws):
                difference = Difference(y, None if role or other else (x.data, y.data))
        elif not _same_operation(x, y, pairs):
            difference = Difference(y)
    if difference is None and len(set(pairs.values())) < len(pairs):
        difference = Difference(second.root)  # one node stands for two
    return pairs, difference


def _lookups(first: Call, second: Call) -> Iterator[tuple[Lookup, Lookup]]:
    yield from zip(first.lookups.recorded.values(), second.lookups.recorded.values())


def _same_lookup(one: Lookup, another: Lookup) -> bool:
    """Return whether two lookups read the same ids, and one table, or one with equal numbers."""
    first, second = one.table, another.table
    same = first is second or (first and second and _numbers(first) == _numbers(second))
    return bool(same) and (one.ids.name, one.length) == (another.ids.name, another.length)


def _numbers(table: Any) -> list[list[float]]:
    return [[x.data for x in row] for row in table]


def _same_operation(x: Value, y: Value, pairs: dict[Any, Any]) -> bool:
    """Return whether two nodes are of one operation on operands that stand for each other."""
    operation, other = x._operation, y._operation
    if operation is not other and not (
        isinstance(operation, Handmade) and isinstance(other, Handmade)
    ):
        return False
    if x._x.__class__ is not tuple:  # the two flat slots, written out
        same = pairs.setdefault(x._x, y._x) is y._x and pairs.setdefault(x._y, y._y) is y._y
        return same and x._k == y._k
    operands, others = x.parents, y.parents
    return len(operands) == len(others) and all(
        map(is_, map(pairs.setdefault, operands, others), others)
    )


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
    what = "the graph is another one"
    if difference.numbers:
        what = "a number of the graph is {!r}, and {!r}".format(*difference.numbers)
    return (
        f"{line}: {what} when the function is called again {said}: it is drawn at random, or "
        "depends on more than the sample; a program would hold what this one call gave. Give "
        "such numbers as inputs, draw dropout by nn.Dropout, and ask not for type(x), which is "
        "another in the second call, but isinstance(x, Value)"
    )


def _line(function: Callable[..., Any], sample: Sequence[Any], first: Call) -> str:
    """Return the line that makes the first difference, found by a third call; else nothing."""
    lines = Lines()
    names = [leaves.name for leaves in first.inputs]
    again = [varied(x, random.Random(8), 0, False) for x in sample]
    try:
        third = call(function, names, again, lines)
    except Exception:
        return ""
    _, difference = compare(first, third)
    if difference is None:
        return ""
    users = (user for user in lines if difference.node in user.parents)
    return lines.get(difference.node) or lines.get(next(users, difference.node), "")
