"""Stack what one model computes of several inputs: two windows are one batch of twice the size.

`z1 = x @ W1.T + b1` and `z1_c = x_c @ W1.T + b1` become one line over the rows of x and of x_c,
and `delta1.T @ x + delta1_c.T @ x_c` one product. The text that people read stays as it is; this
is how NumPy runs it: fewer and larger products, and fewer calls.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial, reduce
from heapq import heapify, heappop, heappush
from typing import NamedTuple

from micrograd.lowering import expr as ex
from micrograd.lowering.expr import Assign, B, Expr
from micrograd.lowering.samples import adds_rows, batched, by_row

Members = tuple[str, ...]


class Stack(NamedTuple):
    """Hold the names whose rows lie one after the other, and the shape of each."""

    members: Members
    shape: ex.Shape

    @property
    def whole(self) -> ex.Shape:
        """Return the shape of all."""
        return f"{B} * {len(self.members)}", *self.shape[1:]


class Stacked(NamedTuple):
    """Hold lines, some of which compute whole stacks; others may fill them, member by member."""

    lines: list[Assign]
    stacks: dict[str, Stack]


class _Outline(NamedTuple):
    """What a line does to one part of the stacks, and the names in it that belong to none."""

    expr: Expr
    place: int
    loose: Members


def stacked(lines: list[Assign], inputs: Sequence[Expr]) -> Stacked:
    """Return the lines with those stacked that do the same to inputs of one shape."""
    for shape in dict.fromkeys(e.shape for e in inputs):
        alike = tuple(e.attr for e in inputs if e.shape == shape)
        if len(alike) > 1 and batched(Expr("ref", (), "", shape)):
            found = _Stacking(lines, alike, shape).result()
            if found is not None:
                return found
    return Stacked(lines, {})


class _Stacking:
    """Find what is computed alike from each of some inputs; `part` tells a name's stack and place.

    `joint` holds what computes all members of a stack at once.
    """

    def __init__(self, lines: list[Assign], inputs: Members, shape: ex.Shape) -> None:
        self.lines, self.count = lines, len(inputs)
        self.shapes = {line.name: line.expr.shape for line in lines}
        self.stacks: dict[str, Stack] = {}
        self.part: dict[str, tuple[str, int]] = {}
        self.joint: dict[str, Expr] = {}
        self._stack(inputs, shape)

    def _stack(self, members: Members, shape: ex.Shape) -> str:
        name = f"_all{len(self.stacks)}"
        self.stacks[name] = Stack(members, shape)
        self.part |= {member: (name, place) for place, member in enumerate(members)}
        return name

    def result(self) -> Stacked | None:
        """Return the stacked program; None where nothing is alike, or the order does not allow."""
        while self._found_more():
            pass
        if not self.joint:
            return None
        lines = _in_order(list(self._rewritten()), self.stacks)
        used = {e.attr for line in lines for e in line.expr.walk() if e.kind == "ref"}
        kept = {name: s for name, s in self.stacks.items() if name in used or name in self.joint}
        return Stacked(lines, kept) if lines else None

    def _found_more(self) -> bool:
        """Stack the lines that do the same to one part each; return whether there were any."""
        alike: dict[Expr, list[tuple[_Outline, str]]] = {}
        for line in self.lines:
            if batched(line.expr) and not self._is_joint(line.name) and by_row(line.expr):
                outline = self._outline(line.expr)
                if outline is not None:
                    alike.setdefault(outline.expr, []).append((outline, line.name))
        progress = [self._joined(group) for group in alike.values()]
        return any(progress)

    def _is_joint(self, name: str) -> bool:
        return name in self.part and self.part[name][0] in self.joint

    def _joined(self, group: list[tuple[_Outline, str]]) -> bool:
        """Stack the results of lines alike; or first what they use, where it is not stacked yet."""
        places = {outline.place: (outline, name) for outline, name in group}
        if len(places) != self.count:
            return False
        ordered = [places[place] for place in range(self.count)]
        loose = list(zip(*(outline.loose for outline, _ in ordered)))
        if loose:
            progress = [self._stack_new(members) for members in loose]
            return any(progress)
        name = self._stack_new(tuple(name for _, name in ordered))
        if name is not None:
            self.joint[name] = _widened(ordered[0][0].expr, self.count)
        return name is not None

    def _stack_new(self, members: Members) -> str | None:
        known = [self.part.get(member) for member in members]
        if any(known):
            whole = known[0][0] if known[0] else ""
            return whole if known == [(whole, place) for place in range(self.count)] else None
        if len(set(members)) < self.count or not all(m in self.shapes for m in members):
            return None
        return self._stack(members, self.shapes[members[0]])

    def _outline(self, e: Expr) -> _Outline | None:
        """Return an expression with stacks for parts; None without, or for parts of two places."""
        shapes = {r.attr: r.shape for r in e.walk() if r.kind == "ref" and batched(r)}
        places = {self.part[name][1] for name in shapes if name in self.part}
        if len(places) != 1:
            return None
        loose = tuple(name for name in shapes if name not in self.part)
        new = {name: f"?{i}" for i, name in enumerate(loose)}
        new |= {name: self.part[name][0] for name in shapes if name in self.part}
        outline = e.replaced({name: ex.ref(new[name], shape) for name, shape in shapes.items()})
        return _Outline(outline, places.pop(), loose)

    def _rewritten(self) -> Iterator[Assign]:
        """Yield a line per joint stack, at its first member, and the other lines, sums merged."""
        for line in self.lines:
            if not self._is_joint(line.name):
                yield Assign(line.name, self._merged(line.expr))
                continue
            name, place = self.part[line.name]
            if place == 0:
                yield Assign(name, self.joint[name])

    def _merged(self, e: Expr) -> Expr:
        """Merge terms that sum the rows of one part each into a sum of the rows of all."""
        if e.kind in ("rows", "add_rows"):
            table, *pairs = e.args
            merged = self._merged_pairs(list(zip(pairs[::2], pairs[1::2])))
            return Expr(e.kind, (self._merged(table), *merged), e.attr, e.shape)
        terms = list(_terms(e))
        if len(terms) < self.count:
            return e
        found: dict[Expr, dict[int, int]] = {}
        for number, term in enumerate(terms):
            outline = self._outline(term) if adds_rows(term) else None
            if outline is not None and not outline.loose:
                found.setdefault(outline.expr, {})[outline.place] = number
        for whole, at in found.items():
            if len(at) == self.count:
                first, *rest = at.values()
                terms[first] = _widened(whole, self.count)
                for number in rest:
                    terms[number] = ex.num(0)
        return reduce(partial(ex.binary, "+"), terms)

    def _merged_pairs(self, pairs: list[tuple[Expr, Expr]]) -> Iterator[Expr]:
        """Yield ids and what their rows get: all parts at once, where each part has its own."""
        outlines = [self._outline_of_pair(*pair) for pair in pairs]
        places: dict[tuple[Expr, Expr], set[int]] = {}
        for outline in filter(None, outlines):
            places.setdefault(outline[:2], set()).add(outline[2])
        for pair, found in zip(pairs, outlines):
            if found is None or len(places[found[:2]]) < self.count:
                yield from pair
            elif found[2] == 0:
                yield from (_widened(e, self.count) for e in found[:2])

    def _outline_of_pair(self, ids: Expr, rows: Expr) -> tuple[Expr, Expr, int] | None:
        a, b = self._outline(ids), self._outline(rows)
        if a is None or b is None or a.place != b.place or a.loose or b.loose:
            return None
        return a.expr, b.expr, a.place


def _terms(e: Expr) -> Iterator[Expr]:
    if e.kind == "bin" and e.attr == "+":
        yield from _terms(e.args[0])
        yield e.args[1]
    else:
        yield e


def _widened(e: Expr, count: int) -> Expr:
    """Return an expression over stacks, whose batch axis is `count` times as long."""
    shape = (f"{B} * {count}", *e.shape[1:]) if batched(e) else e.shape
    attr = shape if e.kind in ("reshape", "broadcast") else e.attr
    return Expr(e.kind, tuple(_widened(a, count) for a in e.args), attr, shape)


def _in_order(lines: list[Assign], stacks: dict[str, Stack]) -> list[Assign]:
    """Return the lines, each behind those it needs, else as they stood; none where that fails."""
    number = {line.name: n for n, line in enumerate(lines)}
    maker = {name: [n] for name, n in number.items()}
    for name, (members, _) in stacks.items():
        if name in number:
            maker |= {member: [number[name]] for member in members}
        else:
            maker[name] = [number[m] for m in members if m in number]
    users: list[list[int]] = [[] for _ in lines]
    missing = []
    for n, line in enumerate(lines):
        needed = {m for e in line.expr.walk() if e.kind == "ref" for m in maker.get(e.attr, ())}
        missing.append(len(needed))
        for m in needed:
            users[m].append(n)
    ready = [n for n, count in enumerate(missing) if not count]
    heapify(ready)
    ordered = []
    while ready:
        n = heappop(ready)
        ordered.append(lines[n])
        for user in users[n]:
            missing[user] -= 1
            if not missing[user]:
                heappush(ready, user)
    return ordered if len(ordered) == len(lines) else []
