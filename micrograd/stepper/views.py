"""What the page draws: the views of a graph that it can show; it places the boxes itself."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from micrograd.graph import Graph
from micrograd.render.collapse import MOST_BOXES, view
from micrograd.render.network import LEVEL, network_view
from micrograd.render.network_plan import plan
from micrograd.render.view import Box, View

LEVELS = ("full", "neuron", "layer")  # offered where they differ from the automatic one
MOST_DRAWN = 150  # boxes of a view
MOST_WIRES = 600  # edges of a network
MOST_BOXES_IN_ALL = 1600  # of the views of one page; what would open beyond them stays folded
DEEPEST = 2  # boxes open at a time, one within the other


def views(graph: Graph) -> dict[str, Any]:
    """Return the views by key, and under "start" the key of the one to show first.

    A view's key is its level and what is unfolded; `opens` of a box is the key of the view with
    that box open, `closes` of a view the key of the view it was opened from. One box of a level is
    open at a time, and within it one more.
    """
    start, room = view(graph), MOST_BOXES_IN_ALL
    sights = [_Sight(seen, (), "") for seen in _levels(graph, start)]
    kept: dict[str, dict[str, Any]] = {}
    waiting: deque[Callable[[], _Sight | None]] = deque(partial(_itself, s) for s in sights)
    while waiting and room > 0:
        sight = waiting.popleft()()
        room -= len(sight.seen.boxes) if sight else MOST_DRAWN
        if sight and room >= 0:
            kept[sight.key] = sight.drawn()
            waiting.extend(sight.openings(graph))
    for found in kept.values():
        found["opens"] = [key if key in kept else "" for key in found["opens"]]
    kept |= {LEVEL: network} if (network := _network(graph)) else {}
    opening = LEVEL if LEVEL in kept and start.level == "parts" else _key(start.level, ())
    return {"start": opening, "views": kept}


def _key(level: str, unfolded: tuple[str, ...]) -> str:
    return "|".join((level, *unfolded))


@dataclass(frozen=True, eq=False)
class _Sight:
    """A view, what is unfolded in it, the folds around it, and the Values of what opened last."""

    seen: View
    unfolded: tuple[str, ...]
    parent: str
    around: frozenset[str] = frozenset()
    opened: frozenset[int] = frozenset()

    @property
    def key(self) -> str:
        return _key(self.seen.level, self.unfolded)

    def drawn(self) -> dict[str, Any]:
        """Return the page's data of the view."""
        opens = [self._opens(box.fold) for box in self.seen.boxes]
        told = _drawn(self.seen) | {"closes": self.parent, "opens": opens}
        return told | {"inside": self._inside()} if self.unfolded else told

    def _inside(self) -> list[int]:
        """Return the places of the boxes that were in the box opened last."""
        boxes = enumerate(self.seen.boxes)
        return [place for place, box in boxes if self.opened.issuperset(box.members)]

    def _opens(self, fold: str) -> str:
        """Return the key of the view in which `fold` is open instead of what is open beside it."""
        if not fold:
            return ""
        return _key(self.seen.level, (fold,) if fold in self.around else (*self.unfolded, fold))

    def openings(self, graph: Graph) -> Iterator[Callable[[], _Sight | None]]:
        """Yield, for each box that can be opened within what is open, what looks at it opened."""
        folds = frozenset(box.fold for box in self.seen.boxes if box.fold)
        if len(self.unfolded) < DEEPEST:
            for fold in sorted(folds - self.around):
                yield partial(self._opened, graph, fold, folds)

    def _opened(self, graph: Graph, fold: str, around: frozenset[str]) -> _Sight | None:
        try:
            inner = view(graph, self.seen.level, (*self.unfolded, fold))
        except ValueError:  # with more open, the parts of a graph are cut elsewhere
            return None
        if len(inner.boxes) > max(MOST_DRAWN, len(self.seen.boxes) + MOST_BOXES):
            return None
        held = frozenset(m for box in self.seen.boxes if box.fold == fold for m in box.members)
        return _Sight(inner, (*self.unfolded, fold), self.key, around, held)


def _itself(sight: _Sight) -> _Sight:
    return sight


def _network(graph: Graph) -> dict[str, Any] | None:
    """Return the network view and where it is drawn, None where there is none to take in."""
    try:
        seen = network_view(graph)
    except ValueError:
        return None
    if len(seen.boxes) > MOST_DRAWN or len(seen.edges) > MOST_WIRES:
        return None
    return network_data(seen)


def network_data(seen: View) -> dict[str, Any]:
    """Return the page's data of a network view, and where it is drawn."""
    places = plan(seen)
    told = {"size": places[:2], "units": places.units, "weights": places.weights}
    return _drawn(seen) | {
        "closes": "",
        "opens": [""] * len(seen.boxes),
        "plan": told | {"spots": places.spots},
    }


def _levels(graph: Graph, start: View) -> Iterator[View]:
    """Yield the automatic view and the other levels that differ from it and can be taken in."""
    yield start
    seen = {_members(start)}
    for level in LEVELS if len(graph) > len(start.boxes) or any(graph.scopes) else ():
        if level == "full" and len(graph) > MOST_DRAWN:
            continue
        other = view(graph, level)
        if len(other.boxes) <= MOST_DRAWN and _members(other) not in seen:
            seen.add(_members(other))
            yield other


def _members(seen: View) -> tuple[tuple[int, ...], ...]:
    return tuple(box.members for box in seen.boxes)


def _drawn(seen: View) -> dict[str, Any]:
    """Return a view as the page's data: its boxes, between which the page draws the edges."""
    return {"level": seen.level, "boxes": [_box(box) for box in seen.boxes]}


def _box(box: Box) -> dict[str, Any]:
    told: dict[str, Any] = {"kind": box.kind, "members": _runs(box.members)}
    if len(box.members) > 1:
        told |= {"outputs": box.outputs, "title": box.scope}
    if box.samples:
        told |= {"count": box.samples.total, "drawn": box.samples.drawn}
    return told


def _runs(members: Sequence[int]) -> list[int]:
    """Return ascending numbers as runs: first, length, first, length, ..."""
    runs: list[int] = []
    for member in members:
        if runs and runs[-2] + runs[-1] == member:
            runs[-1] += 1
        else:
            runs += [member, 1]
    return runs
