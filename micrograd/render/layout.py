"""Where boxes and edges go: a layered layout, left to right, without an external program.

    layout([Size("x", 150, 90), Size("f", 150, 90)], [Link("x", "f")]) -> Layout

A `Size` is one box; a `Link` goes from a box to a user, `port` is its place among the edges into
that user (top to bottom), `room` the width its labels need on a level stretch before the target.
`Layout.boxes[id]` is the (x, y, width, height) of a box, as wide as its column (x, y is the top
left corner), `Layout.paths[i]` the points of `links[i]`: the source's right side, two points for
every column passed, the start of the level stretch, and the target's left side. Same input, same
output; no recursion.

Ranks are longest paths, with sources moved next to their first user; an edge over several columns
gets an invisible box in each; columns are ordered by barycentre sweeps (Sugiyama, Tagawa and Toda
1981); heights follow by least squares under the order, which pooling adjacent violators solves.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from micrograd.render.ordering import Item, Span, entry_of, order

COLUMN_GAP = 64.0  # between the boxes of a column and the labels of the next
ROW_GAP = 26.0
DUMMY_GAP = 16.0
SOURCE_WEIGHT = 0.2  # of 1: sources give way to what they feed
LEAST_SWEEPS, MOST_SWEEPS = 4, 16
SWEPT = 16_000  # spans to visit in all sweeps together
MOST_DUMMIES = 20_000  # longer edges then run straight across; the picture is beyond reading


class Size(NamedTuple):
    """One box to place."""

    id: str
    width: float
    height: float


class Link(NamedTuple):
    """One edge to draw, from `source` to the `port`-th entry of `target`."""

    source: str
    target: str
    port: int = 0
    room: float = 0.0


class Layout(NamedTuple):
    """Where everything goes."""

    width: float
    height: float
    boxes: dict[str, tuple[float, float, float, float]]
    paths: list[list[tuple[float, float]]]


def layout(boxes: Sequence[Size], links: Sequence[Link]) -> Layout:
    """Place `boxes` and `links`; every link goes from an earlier box of the list to a later one."""
    ranks = _ranks(boxes, links)
    items = {box.id: Item(ranks[box.id], *box[1:], weight=SOURCE_WEIGHT) for box in boxes}
    columns: list[list[Item]] = [[] for _ in range(max(ranks.values(), default=0) + 1)]
    for item in items.values():
        columns[item.rank].append(item)
    chains = _chains(links, items, columns)
    sweeps = SWEPT // (1 + sum(map(len, chains)))
    sweeps = max(LEAST_SWEEPS, min(MOST_SWEEPS, sweeps))
    for link in links:
        items[link.target].weight = 1.0
    order(columns, sweeps)
    _set_ports(columns)
    height = _set_heights(columns, sweeps)
    lefts, stubs, width = _set_widths(columns, links, items)
    return Layout(
        width,
        height,
        {id: _frame(item, lefts[item.rank]) for id, item in items.items()},
        [_path(chain, lefts, stubs) for chain in chains],
    )


def _ranks(boxes: Sequence[Size], links: Sequence[Link]) -> dict[str, int]:
    ranks: dict[str, int] = {}
    into: dict[str, list[str]] = {box.id: [] for box in boxes}
    out: dict[str, list[str]] = {box.id: [] for box in boxes}
    for link in links:
        into[link.target].append(link.source)
        out[link.source].append(link.target)
    for box in boxes:
        ranks[box.id] = max((ranks[source] + 1 for source in into[box.id]), default=0)
    for box in boxes:
        if not into[box.id] and out[box.id]:
            ranks[box.id] = min(ranks[target] for target in out[box.id]) - 1
    return ranks


def _chains(
    links: Sequence[Link], items: dict[str, Item], columns: list[list[Item]]
) -> list[list[Span]]:
    """Cut every link into spans, with an invisible box in each column that it passes."""
    passed = sum(items[link.target].rank - items[link.source].rank - 1 for link in links)
    chains = []
    for link in links:
        source, target = items[link.source], items[link.target]
        stops = [source]
        if passed <= MOST_DUMMIES:
            stops += [Item(rank) for rank in range(source.rank + 1, target.rank)]
        for dummy in stops[1:]:
            columns[dummy.rank].append(dummy)
        chain = [Span(a, b, link.port) for a, b in zip(stops, [*stops[1:], target])]
        for span in chain:
            span.source.out.append(span)
            span.target.into.append(span)
        chains.append(chain)
    return chains


def _set_ports(columns: list[list[Item]]) -> None:
    for item in (item for column in columns for item in column):
        for spans, end in ((item.into, "enter"), (sorted(item.out, key=entry_of), "leave")):
            for i, span in enumerate(spans):
                setattr(span, end, item.height * ((i + 1) / (len(spans) + 1) - 0.5))


def _set_heights(columns: list[list[Item]], sweeps: int) -> float:
    """Set the middles of the items, near those of their neighbours; return the whole height."""
    for column in columns:
        _spread(column, [0.0] * len(column))
    for sweep in range(sweeps):
        for column in columns if sweep % 2 == 0 else reversed(columns):
            _spread(column, [_wish(item, sweep) for item in column])
    items = [item for column in columns for item in column]
    top = min((item.middle - item.height / 2 for item in items), default=0.0)
    for item in items:
        item.middle = round(item.middle - top, 1)
    return max((item.middle + item.height / 2 for item in items), default=0.0)


def _wish(item: Item, sweep: int) -> float:
    """Return the middle at which the edges of `item` run level, on average.

    The first sweeps look one way only, so that a column does not hold the next one back.
    """
    forward, both = sweep % 2 == 0, sweep > 3
    wish = total = 0.0
    if both or forward or not item.out:
        for span in item.into:
            weight = span.source.weight
            wish += weight * (span.source.middle + span.leave - span.enter)
            total += weight
    if both or not (forward and item.into):
        for span in item.out:
            weight = span.target.weight
            wish += weight * (span.target.middle + span.enter - span.leave)
            total += weight
    return wish / total if total else item.middle


def _spread(column: list[Item], wishes: list[float]) -> None:
    """Set middles nearest to `wishes`, in least squares, with no two items overlapping."""
    offset, offsets = 0.0, []
    for above, item in zip([None, *column], column):
        if above:
            gap = ROW_GAP if above.height and item.height else DUMMY_GAP
            offset += (above.height + item.height) / 2 + gap
        offsets.append(offset)
    blocks: list[tuple[float, float, int]] = []  # mean, weight, number of items
    for item, wish, offset in zip(column, wishes, offsets):
        mean, weight, number = wish - offset, item.weight, 1
        while blocks and blocks[-1][0] > mean:
            other, more, items = blocks.pop()
            mean = (mean * weight + other * more) / (weight + more)
            weight, number = weight + more, number + items
        blocks.append((mean, weight, number))
    means = [mean for mean, _, number in blocks for _ in range(number)]
    for item, mean, offset in zip(column, means, offsets):
        item.middle = mean + offset


def _set_widths(
    columns: list[list[Item]], links: Sequence[Link], items: dict[str, Item]
) -> tuple[list[float], list[float], float]:
    """Return each column's left side, the width of the level stretch before it, and the whole."""
    stubs = [0.0] * len(columns)
    for link in links:
        rank = items[link.target].rank
        stubs[rank] = max(stubs[rank], link.room)
    lefts, x = [], 0.0
    for rank, column in enumerate(columns):
        x += stubs[rank] + (_gap(column) if rank else 0.0)
        lefts.append(round(x, 1))
        x += max((item.width for item in column), default=0.0)
        for item in column:
            item.width = x - lefts[-1]
    return lefts, stubs, round(x, 1)


def _gap(column: list[Item]) -> float:
    """Return the gap before a column: wider where its edges climb."""
    climbs = [abs(s.source.middle - s.target.middle) for item in column for s in item.into]
    return COLUMN_GAP + min(120.0, max(climbs, default=0.0) / 5)


def _frame(item: Item, left: float) -> tuple[float, float, float, float]:
    return left, round(item.middle - item.height / 2, 1), round(item.width, 1), item.height


def _path(chain: list[Span], lefts: list[float], stubs: list[float]) -> list[tuple[float, float]]:
    first, last = chain[0], chain[-1]
    points = [(lefts[first.source.rank] + first.source.width, first.source.middle + first.leave)]
    for span in chain:
        item, y = span.target, span.target.middle + span.enter
        points.append((lefts[item.rank] - stubs[item.rank], y))
        points.append((lefts[item.rank] + (0 if span is last else item.width), y))
    return [(round(x, 1), round(y, 1)) for x, y in points]
