"""Which nodes share a box: a graph seen at a level, as boxes and merged edges.

    view(graph, level="auto", unfolded=()) -> View

Levels: "full" draws every node; "sums" folds each sum of products into one box; "neuron" draws
one box per innermost scope and call; "layer" one per scope around those and call; "parts" cuts
what that leaves into a dozen boxes; "auto" takes the first of these that is small enough, and of
a network with layers their level. At
every level but "full" a batch shows one sample. `unfolded` names what is to be open: a scope
("layer 0 / neuron 1") or the id of a box. `Box.fold` is the name that opens that box.

A `Box` has a stable id: "7" for node 7 alone, else its kind and the last of its `members` ("sum7",
"group7"; "part3-7" with the first too); `outputs` are the members used outside. An `Edge` goes
between the boxes with the places `source` and `target` in `View.boxes`; its members are graph
edges (operand, user, position). Boxes stand in an order in which every edge goes forward.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from micrograd.core.modes import SEPARATOR
from micrograd.graph import LEAF, Graph
from micrograd.printing import shorten
from micrograd.render.batch import Samples, find_batch
from micrograd.render.memory import is_part, kept, seen
from micrograd.render.sums import find_sums
from micrograd.render.view import Box, View, joined

__all__ = ["LEVELS", "MOST_BOXES", "Box", "View", "view"]

LEVELS = ("auto", "full", "sums", "neuron", "layer", "parts")
FEW = 20  # Values of a network that need no folding
FULL_LIMIT = 60  # up to so many Values are drawn in full
MOST_BOXES, MOST_EDGES = 40, 80  # of a collapsed picture
MOST_INPUTS = 4  # leaves without a scope, used by the same boxes, that are drawn one by one
PARTS = 12  # that a graph of more boxes is cut into: a row of them can still be read
SCOPED = ("neuron", "layer", "parts")  # the levels that fold by scope


def view(graph: Graph, level: str = "auto", unfolded: Iterable[str] = ()) -> View:
    """Return `graph` at `level`. Raises ValueError where there is no such level or fold."""
    if level not in LEVELS:
        raise ValueError(f"there is no level {shorten(level)}; give one of {', '.join(LEVELS)}")
    folder = _Folder(graph, frozenset(unfolded))
    result = folder.view(_automatic(graph) if level == "auto" else level)
    missing = sorted(folder.unfolded - folder.opened)
    if missing and result.level != "full":
        raise ValueError(
            f"there is nothing to unfold under {missing[0]!r}; give a scope such as "
            "'layer 0 / neuron 1', or the id of a folded box"
        )
    return result


def _automatic(graph: Graph) -> str:
    """Return the first level whose picture can be taken in; a network's layers come before all."""
    layered = len(graph) > FEW and any(SEPARATOR in scope for scope in graph.scopes)
    if len(graph) <= FULL_LIMIT and not layered:
        return "full"
    folder = _Folder(graph, frozenset())
    for level in ("layer",) if layered else ("sums", "neuron", "layer"):
        boxes = len(set(folder.grouped(level)[0].values()))
        if boxes <= MOST_BOXES and len(folder.view(level).edges) <= MOST_EDGES:
            return level
    return "parts"


class _Folder:
    """Fold one graph at the level asked for."""

    def __init__(self, graph: Graph, unfolded: frozenset[str]) -> None:
        self.graph, self.unfolded = graph, unfolded
        self.opened: set[str] = set()
        batch = kept(graph, "batch", lambda: find_batch(graph))
        fold = f"sum{batch.members[-1]}" if batch else ""
        self.batch = batch if batch and not self._open(fold) else None
        self.batch_unfolded = unfolded & {fold}
        self.visible, self.users = seen(graph, self.batch)

    def view(self, level: str) -> View:
        if level == "full":
            self.batch = None
            self.visible, self.users = seen(self.graph, None)
        boxes = self._in_parts() if level == "parts" else self.boxes(level)
        return joined(self.graph, level, boxes)

    def _open(self, fold: str) -> bool:
        """Tell whether `fold` is to be unfolded, or something within it."""
        found = [u for u in self.unfolded if u == fold or u.startswith(fold + SEPARATOR)]
        self.opened.update(u for u in found if u == fold)
        return bool(found)

    def grouped(self, level: str) -> tuple[dict[int, int], dict[int, str]]:
        """Return the group of every visible node, and the scope it is grouped by."""
        keys = self._keys(level)
        groups = self._calls(keys)
        if level != "full":
            self._fold_sums(groups, keys)
        return groups | self._homes(groups, keys, level), keys

    def boxes(self, level: str) -> list[Box]:
        """Return the boxes of a level, in no order; what parts are open does not matter to them."""
        unfolded = frozenset(u for u in self.unfolded if not is_part(self.graph, u))
        key = ("boxes", level, unfolded)
        boxes, opened = kept(self.graph, key, lambda: self._boxes(level))
        self.opened |= opened
        return boxes

    def _boxes(self, level: str) -> tuple[list[Box], frozenset[str]]:
        """Return the boxes of a level, and which folds are open in them."""
        opened, self.opened = self.opened, set()
        groups, keys = self.grouped(level)
        held: dict[int, list[int]] = {}
        for node in self.visible:
            held.setdefault(groups[node], []).append(node)
        boxes = _numbered([self._box(members, keys) for members in held.values()])
        opened, self.opened = self.opened, opened
        return boxes, frozenset(opened)

    def _keys(self, level: str) -> dict[int, str]:
        """Return the scope by which every visible node is grouped; "" for a node on its own."""
        scopes = {self.graph.scopes[node] for node in self.visible}
        cut = _cuts(scopes, level) if level not in ("full", "sums") else dict.fromkeys(scopes, "")
        keys = {scope: self._deepened(scope, key) for scope, key in cut.items()}
        return {node: keys[self.graph.scopes[node]] for node in self.visible}

    def _deepened(self, scope: str, key: str) -> str:
        """Return the first of `key` and the longer beginnings of `scope` that is not unfolded."""
        while key and self._open(key):
            longer = scope[len(key) + len(SEPARATOR) :].split(SEPARATOR)[0]
            key = f"{key}{SEPARATOR}{longer}" if longer else ""
        return key

    def _calls(self, keys: dict[int, str]) -> dict[int, int]:
        """Return for every node that is no leaf its group, named by the group's first node.

        A group is one call: a run of nodes of one key; a scope entered again starts a new call.
        """
        if not any(keys.values()):
            return {node: node for node in self.visible if self.graph.ops[node] != LEAF}
        groups: dict[int, int] = {}
        first, key, scope, left = -1, "", "", set[str]()
        for node in self.visible:
            if self.graph.ops[node] == LEAF:
                continue
            here = self.graph.scopes[node]
            if not keys[node] or keys[node] != key or here in left:
                first, key, left = node, keys[node], set()
            elif here != scope and not here.startswith(scope + SEPARATOR):
                left.add(scope)
            scope = here
            groups[node] = first
        return groups

    def _fold_sums(self, groups: dict[int, int], keys: dict[int, str]) -> None:
        """Put each sum of products, and the sum over a batch, in one group."""
        key = ("sums", self.batch is None)
        sums = kept(self.graph, key, lambda: find_sums(self.graph, self.users))
        for members in [*sums, *filter(None, [self.batch and self.batch.members])]:
            alone = not any(keys[node] for node in members)
            if alone and not self._open(f"sum{members[-1]}"):
                groups.update(dict.fromkeys(members, members[-1]))

    def _homes(self, groups: dict[int, int], keys: dict[int, str], level: str) -> dict[int, int]:
        """Return the group of every leaf: that of its only user, else one for its like."""
        homes: dict[int, int] = {}
        alike: dict[object, list[int]] = {}
        for leaf in (node for node in self.visible if self.graph.ops[node] == LEAF):
            around = frozenset(groups[user] for user in self.users[leaf])
            if len(around) == 1 and self._absorbs(min(around), leaf, groups, keys):
                homes[leaf] = min(around)
            else:
                alike.setdefault(keys[leaf] or around, []).append(leaf)
        for kind, leaves in alike.items():
            folds = isinstance(kind, str) or (level in SCOPED and len(leaves) > MOST_INPUTS)
            folds = folds and not self._open(f"inputs{leaves[-1]}")
            homes.update((leaf, -1 - leaves[0] if folds else leaf) for leaf in leaves)
        return homes

    def _absorbs(self, home: int, leaf: int, groups: dict[int, int], keys: dict[int, str]) -> bool:
        """Tell whether a leaf is drawn in its users' box: a parameter, or a constant used once."""
        graph = self.graph
        if keys[home] and keys[leaf]:
            return True
        constant = not graph.labels[leaf] and len(self.users[leaf]) == 1
        folded = any(groups.get(operand) == home for operand in graph.operands[home])
        return constant and (bool(keys[home]) or (folded and not graph.data[leaf]))

    def _box(self, members: list[int], keys: dict[int, str]) -> Box:
        last, nodes = members[-1], tuple(members)
        if len(members) == 1:
            kind = "leaf" if self.graph.ops[last] == LEAF else "node"
            return Box(str(last), kind, nodes, self._outputs(nodes), samples=self._samples(nodes))
        leaves = all(self.graph.ops[member] == LEAF for member in members)
        scope = fold = keys[last]
        if scope:
            kind = "parameters" if leaves else "group"
            name = f"{kind}{last}"
        else:
            kind, scope = "inputs" if leaves else "sum", ""
            name = fold = f"{kind}{last}"
        return Box(name, kind, nodes, self._outputs(nodes), scope, fold, self._samples(nodes))

    def _samples(self, members: tuple[int, ...]) -> Samples | None:
        """Return how many samples there are, where `members` hold the sum over them."""
        return self.batch.samples if self.batch and self.batch.members[-1] in members else None

    def _outputs(self, members: tuple[int, ...]) -> tuple[int, ...]:
        if len(members) == 1 and self.users[members[0]]:
            return members
        inside, graph = set(members), self.graph
        return tuple(m for m in members if m in graph.roots or not inside.issuperset(self.users[m]))

    def _last(self, box: Box) -> int:
        """Return by what to order boxes: their last node, for leaves just before the first user."""
        last = max((m for m in box.members if self.graph.ops[m] != LEAF), default=-1)
        if last >= 0:
            return 2 * last
        users = [user for member in box.members for user in self.users[member]]
        return 2 * min(users, default=0) - 1

    def _in_parts(self) -> list[Box]:
        """Return the parts of the graph, and the boxes of those that are open.

        Parts are cut before anything else is unfolded: a part stays what it is when, in another
        one, a box opens.
        """
        closed = _Folder(self.graph, self.batch_unfolded)
        in_order = kept(
            self.graph,
            ("in order", self.batch_unfolded),
            lambda: sorted(closed.boxes("parts"), key=closed._last),
        )
        boxes = self._parts(in_order)
        parts = [box for box in boxes if box.kind == "part"]
        within = {member for part in parts for member in part.members}
        drawn = [box for box in self.boxes("parts") if not within.issuperset(box.members)]
        taken = {member for box in drawn for member in box.members}
        rest = [tuple(m for m in part.members if m not in taken) for part in parts]
        return drawn + [
            p._replace(members=m, samples=self._samples(m)) for p, m in zip(parts, rest) if m
        ]

    def _parts(self, boxes: list[Box]) -> list[Box]:
        """Join neighbouring boxes until few are left, or until what is unfolded is open."""
        if len(boxes) <= MOST_BOXES:
            return boxes
        size = -(-len(boxes) // PARTS)
        parts = []
        for start in range(0, len(boxes), size):
            chunk = boxes[start : start + size]
            part = self._part(chunk)
            parts += self._parts(chunk) if self._open(part.fold) else [part]
        return parts

    def _part(self, boxes: list[Box]) -> Box:
        if len(boxes) == 1:
            return boxes[0]
        key = ("part", self.batch_unfolded, boxes[0].id, boxes[-1].id)
        return kept(self.graph, key, lambda: self._joined(boxes))

    def _joined(self, boxes: list[Box]) -> Box:
        members = tuple(sorted(member for box in boxes for member in box.members))
        fold = f"part{members[0]}-{members[-1]}"
        return Box(fold, "part", members, self._outputs(members), "", fold, self._samples(members))


def _numbered(boxes: list[Box]) -> list[Box]:
    """Say of every group which call of its scope it is, where there are several."""
    calls: dict[str, list[Box]] = {}
    for box in boxes:
        if box.kind == "group":
            calls.setdefault(box.scope, []).append(box)
    places = {box.id: (i, len(same)) for same in calls.values() for i, box in enumerate(same, 1)}
    repeated = {id: place for id, place in places.items() if place[1] > 1}
    return [
        box._replace(call=repeated[box.id][0], calls=repeated[box.id][1])
        if box.id in repeated
        else box
        for box in boxes
    ]


def _cuts(scopes: Collection[str], level: str) -> dict[str, str]:
    """Return the key of every scope: itself, or at level "layer" what is around the innermost."""
    if level == "neuron":
        return {scope: scope for scope in scopes}
    around = {scope.rpartition(SEPARATOR)[0] for scope in scopes}
    inner = {scope for scope in scopes if SEPARATOR in scope and scope not in around}
    return {s: s.rpartition(SEPARATOR)[0] if s in inner else s for s in scopes}
