"""The order of boxes within the columns of a layered layout: few edges should cross."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from functools import reduce
from operator import add

DUMMY_WEIGHT = 4.0  # of 1: long edges are kept straight first


@dataclass(eq=False)
class Item:
    """A box or one invisible box of a long edge, within its column."""

    rank: int
    width: float = 0.0
    height: float = 0.0
    middle: float = 0.0
    place: float = 0.0
    weight: float = DUMMY_WEIGHT
    into: list[Span] = field(default_factory=list)
    out: list[Span] = field(default_factory=list)


@dataclass(eq=False)
class Span:
    """A piece of an edge between neighbouring columns; `leave` and `enter` are heights."""

    source: Item
    target: Item
    port: int = 0
    leave: float = 0.0  # both counted from the middle of the box
    enter: float = 0.0


def order(columns: list[list[Item]], sweeps: int) -> None:
    """Order every column so that few edges cross; keep the best order seen."""
    for item in (item for column in columns for item in column):
        item.into.sort(key=lambda span: span.port)
    _number(columns)
    best, fewest = [list(column) for column in columns], _crossings(columns)
    for sweep in range(sweeps):
        forward = sweep % 2 == 0
        for column in columns if forward else reversed(columns):
            column.sort(key=_from_operands if forward else _from_users)
            _number([column])
        crossings = _crossings(columns)
        if crossings < fewest:
            best, fewest = [list(column) for column in columns], crossings
    for column, kept in zip(columns, best):
        column[:] = kept
    _number(columns)


def _number(columns: list[list[Item]]) -> None:
    for column in columns:
        for place, item in enumerate(column):
            item.place = place


def _from_operands(item: Item) -> float:
    return _mean([span.source.place for span in item.into], item.place)


def _from_users(item: Item) -> float:
    return _mean([entry_of(span) for span in item.out], item.place)


def _mean(places: list[float], otherwise: float) -> float:
    # reduce, not sum: that one rounds otherwise from Python 3.12 on, and near ties would move
    return reduce(add, places) / len(places) if places else otherwise


def entry_of(span: Span) -> float:
    """Return where an edge enters, in places: ports share out the place of their box."""
    return span.target.place + (span.port + 1) / (len(span.target.into) + 1)


def _crossings(columns: list[list[Item]]) -> int:
    return sum(
        _inversions([e for item in column for e in sorted(map(entry_of, item.out))])
        for column in columns
    )


def _inversions(entries: list[float]) -> int:
    """Count the pairs out of order."""
    seen: list[float] = []
    total = 0
    for entry in entries:
        place = bisect_right(seen, entry)
        total += len(seen) - place
        seen.insert(place, entry)
    return total
