"""Run irregular graphs by NumPy: gather, compute and store, level by level."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any

import numpy as np

from micrograd.lowering.batch import Ids
from micrograd.lowering.buffers import CALLED, Buffered
from micrograd.lowering.columns import Floats, Ints
from micrograd.lowering.expr import binary, ref
from micrograd.lowering.formulas import expression
from micrograd.lowering.ir import CONSTANT, INPUT, LOOKUP, PARAMETER
from micrograd.lowering.levels import Group, Levels
from micrograd.ops import BY_NAME
from micrograd.optim.gradients import Gradient, Rows

Run = Callable[..., Any]
_KERNELS: dict[Any, Callable[..., Any]] = {}


def maker(levels: Levels, kind: str) -> Callable[..., Run]:
    """Return a function of the batch size and the leaves' arrays that makes the runner."""
    return made(levels, kind, LevelRun)


def made(levels: Levels, kind: str, program: type[LevelArrays]) -> Callable[..., Run]:
    """Return what makes the runner of a `program`."""
    ids = Ids(levels.leaves(LOOKUP))
    wanted = levels.leaves(PARAMETER) + [
        a for a in levels.leaves(INPUT) if kind == INPUT and a.name not in ids.counts
    ]

    def make(size: int, leaves: Mapping[str, Any]) -> Run:
        held = program(levels, leaves, size)

        def run(*batch: Floats) -> tuple[float, dict[str, Floats]]:
            held.load(batch)
            held.forward()
            if kind in (INPUT, PARAMETER):
                held.backward()
                return held.loss(), {a.name: held.gradient(a.name, a.shape) for a in wanted}
            return held.loss(), {}

        return run

    return make


class LevelArrays(ABC):
    """Hold the values `v` and the adjoints of all slots; a batch has one more axis behind."""

    def __init__(self, levels: Levels, leaves: Mapping[str, Floats], size: int) -> None:
        self.levels, self.inputs = levels, [a.name for a in levels.leaves(INPUT)]
        self.held = {
            a.name: leaves[a.name] for k in (PARAMETER, CONSTANT) for a in levels.leaves(k)
        }
        self.ids = Ids(levels.leaves(LOOKUP))
        self.batched = {*self.inputs, *(array.name for array in levels.leaves(LOOKUP))}
        self.reached = {name for name, slots in levels.slots.items() if (slots >= 0).any()}
        self.batch: dict[str, Any] = {}
        self.tail = (size,) if self.inputs else ()
        self.seed = 1 / size if self.inputs and levels.reduce == "mean" else 1.0
        n = len(levels.op)
        self.v = np.zeros((n, *self.tail))
        self.v[levels.number_slots] = _column(levels.numbers, self.tail)
        self.adjoint = np.zeros((n, *self.tail))

    @abstractmethod
    def forward(self) -> None:
        """Fill `v`, operands before users."""

    @abstractmethod
    def backward(self) -> None:
        """Fill `adjoint`, users before operands."""

    def load(self, batch: tuple[Floats, ...]) -> None:
        """Put the leaves in their slots."""
        self.batch = dict(zip(self.inputs, batch))
        looked_up = self.ids.rows(self.batch, self.held)
        for name, data in {**self.batch, **looked_up, **self.held}.items():
            if name not in self.reached:
                continue
            slots = self.levels.slots[name]
            used = slots >= 0
            if name in self.batched:
                self.v[slots[used]] = data.reshape(len(data), -1).T[used]
            else:
                self.v[slots[used]] = _column(data.ravel()[used], self.tail)

    def loss(self) -> float:
        """Return the loss of the batch."""
        return float(self.v[self.levels.root].sum() * self.seed)

    def gradient(self, name: str, shape: tuple[int, ...]) -> Gradient:
        """Return the gradient of a leaf array, that of a table that is looked up as Rows."""
        pairs = self.ids.pairs(name, self.batch)
        if not pairs:
            return self._dense(name, shape)
        rows = [self._dense(array.name, array.shape).reshape(-1, shape[1]) for array, _ in pairs]
        found = Rows(np.concatenate([ids for _, ids in pairs]), np.concatenate(rows))
        if name not in self.reached:
            return found
        dense = self._dense(name, shape)
        np.add.at(dense, found.indices, found.rows)
        return dense

    def _dense(self, name: str, shape: tuple[int, ...]) -> Floats:
        slots = self.levels.slots[name]
        found = np.where(_column(slots >= 0, self.tail), self.adjoint[slots], 0.0)
        if name in self.batched:
            return np.ascontiguousarray(found.T).reshape(-1, *shape)
        return (found.sum(1) if self.tail else found).reshape(shape)


class LevelRun(LevelArrays):
    """Run a graph by NumPy, over buffers made once."""

    def __init__(self, levels: Levels, leaves: Mapping[str, Floats], size: int) -> None:
        super().__init__(levels, leaves, size)
        groups, n = levels.groups(), len(levels.op)
        self.edges = _Edges(groups, n, self.tail)
        self.steps = [self._step(group, start) for group, start in zip(groups, self.edges.places)]
        self.first = groups[0].first if groups else n

    def _step(self, group: Group, places: list[slice]) -> Any:
        shape = (group.last - group.first, *self.tail)
        out, upstream = self.v[group.first : group.last], self.adjoint[group.first : group.last]
        parts = [self.edges.contributions[place] for place in places]
        if group.starts is not None:
            x = np.empty((len(group.x), *self.tail))
            return group, x, None, *_sum_kernels(group.starts, x, out, upstream, parts[0])
        x, y = np.empty(shape), None if group.y is None else np.empty(shape)
        forward, backward = kernels(group.op, group.k)(shape, x, y, out, upstream, *parts)
        return group, x, y, forward, backward

    def forward(self) -> None:
        v = self.v
        for group, x, y, forward, _ in self.steps:
            v.take(group.x, 0, x, "clip")
            if y is not None:
                v.take(group.y, 0, y, "clip")
            forward()

    def backward(self) -> None:
        edges, adjoint = self.edges, self.adjoint
        edges.contributions[-1] = self.seed
        for group, _, _, _, backward in reversed(self.steps):
            edges.gather(group.first, group.last, adjoint)
            backward()
        edges.gather(0, self.first, adjoint)


class _Edges:
    """The contributions, one per operand of every node: written by user, read by operand."""

    def __init__(self, groups: list[Group], count: int, tail: tuple[int, ...]) -> None:
        parts: list[Ints] = []
        self.places: list[list[slice]] = []
        start = 0
        for group in groups:
            operands = [group.x] if group.y is None else [group.x, group.y]
            bounds = [start + i * len(group.x) for i in range(len(operands) + 1)]
            self.places.append([slice(a, b) for a, b in pairwise(bounds)])
            parts += operands
            start = bounds[-1]
        # the seed of the root is the last contribution; it stays the last when sorted by operand
        parts.append(np.array([count - 1]))
        operand = np.concatenate(parts)
        self.order = operand.argsort(kind="stable")
        self.start = np.searchsorted(operand[self.order], np.arange(count + 1))
        self.contributions = np.empty((len(operand), *tail))
        self.sorted = np.empty_like(self.contributions)

    def gather(self, first: int, last: int, adjoint: Floats) -> None:
        """Sum the contributions to the slots from first to last."""
        a, b = self.start[first], self.start[last]
        if b > a:
            part = self.sorted[a:b]
            self.contributions.take(self.order[a:b], 0, part, "clip")
            np.add.reduceat(part, self.start[first:last] - a, 0, None, adjoint[first:last])


def _sum_kernels(starts: Ints, x: Floats, out: Floats, upstream: Floats, dx: Floats
                 ) -> tuple[Callable[[], Any], Callable[[], Any]]:  # fmt: skip
    """Return the forward and backward step of sums of any length."""
    first = starts[:-1].copy()
    owner = np.repeat(np.arange(len(first)), np.diff(starts))
    return (lambda: np.add.reduceat(x, first, 0, None, out),
            lambda: upstream.take(owner, 0, dx, "clip"))  # fmt: skip


def kernels(op: str, k: float | None) -> Callable[..., Any]:
    """Return what makes the forward and backward step of an operation, over given buffers."""
    if (op, k) not in _KERNELS:
        scope: dict[str, Any] = dict(CALLED)
        exec(compile(_kernel_text(op, k), f"<level of {op}>", "exec"), scope)
        _KERNELS[op, k] = scope["make"]
    return _KERNELS[op, k]


def _kernel_text(op: str, k: float | None) -> str:
    row, shape = BY_NAME[op], ("n",)
    names = {letter: ref(letter, shape) for letter in ("x", "y", "out")}
    writer = Buffered({"x", "y", "out", "g", "dx", "dy"}, {})
    writer.write(expression(row.value, k, names), "out")
    forward, writer.body = writer.body, []
    for target, text in zip(("dx", "dy"), row.local):
        writer.write(binary("*", ref("g", shape), expression(text, k, names)), target)
    text = "\n".join([
        "def make(shape, x, y, out, g, dx=None, dy=None):",
        *(f"    {line}" for line in writer.setup),
        "    def forward():", *(f"        {line}" for line in forward or ["pass"]),
        "    def backward():", *(f"        {line}" for line in writer.body),
        "    return forward, backward",
    ])  # fmt: skip
    return text.replace("(n,)", "shape")


def _column(data: Any, tail: tuple[int, ...]) -> Any:
    return data[:, None] if tail else data
