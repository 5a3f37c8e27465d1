"""Two engines with one interface: every batch in arrays, or every sample a graph of Values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from micrograd.core.modes import scope
from micrograd.engine import Value
from micrograd.ner.model import losses
from micrograd.ner.model.features import Ids
from micrograd.ner.model.graphs import loss_of
from micrograd.ner.model.losses import Rule, Target
from micrograd.ner.model.network import (
    Arrays,
    Floats,
    Pass,
    Shape,
    backward,
    check_name,
    forward,
    gather,
    inputs,
    scatter,
)
from micrograd.optim.gradients import Rows

ENGINES = ("arrays", "scalar")


@dataclass(frozen=True)
class Batch:
    """Some samples: the ids of their windows (windows, width, tables), and what is wanted of them.

    Pairs: all true windows, then the corrupt ones. `mask` (windows, window_inputs) multiplies the
    inputs (dropout).
    """

    ids: Ids
    target: Target
    mask: Floats | None = None


@dataclass
class Gradients:
    """The mean loss of a batch, the share of samples that have one, and that mean's gradients.

    `dense` holds whole arrays; `rows` some rows of the tables, to be summed where one is there
    more than once; a name left out is all zeros.
    """

    loss: float
    active: float
    dense: Arrays = field(default_factory=dict)
    rows: dict[str, Rows] = field(default_factory=dict)


class Engine(Protocol):
    """Compute losses and gradients of a model."""

    def __call__(self, arrays: Arrays, batch: Batch) -> Gradients:
        """Evaluate the batch at the parameters given."""


def make_engine(kind: str, shape: Shape, loss: str, rule: Rule) -> Engine:
    """Make the engine of this name; ValueError if there is none."""
    check_name("engine", kind, ENGINES)
    return (ArrayEngine if kind == "arrays" else ScalarEngine)(shape, loss, rule)


@dataclass
class ArrayEngine:
    """Compute whole batches by `network.forward`, a loss of its scores, and `network.backward`."""

    shape: Shape
    loss: str
    rule: Rule

    def __call__(self, arrays: Arrays, batch: Batch) -> Gradients:
        """Evaluate the batch; windows whose scores get no gradient do not go backward."""
        x = gather(self.shape, arrays, batch.ids)
        run = forward(self.shape, x if batch.mask is None else x * batch.mask, arrays)
        judged = losses.LOSSES[self.loss](run.s, batch.target, self.rule, arrays)
        count = len(judged.losses)
        mean, active = float(judged.losses.sum()) / count, np.count_nonzero(judged.losses) / count
        back = judged.upstream.any(1)
        if not back.any():
            return Gradients(mean, active)
        chosen = slice(None) if back.all() else back
        run = Pass(*(part[chosen] for part in run))
        dense, dx = backward(self.shape, run, arrays, judged.upstream[chosen] / count)
        if batch.mask is not None:
            dx = dx * batch.mask[chosen]
        dense |= {name: gradient / count for name, gradient in judged.parameters.items()}
        rows = scatter(self.shape, batch.ids[chosen], dx)
        return Gradients(mean, active, dense, rows)


class ScalarEngine:
    """Record every sample as a graph of Values and walk it backward, unless its loss is 0."""

    def __init__(self, shape: Shape, loss: str, rule: Rule) -> None:
        self.shape, self.loss, self.rule = shape, loss, rule

    def __call__(self, arrays: Arrays, batch: Batch) -> Gradients:
        """Evaluate the batch, sample by sample."""
        leaves, rows = as_values(self.shape, arrays), TableRows(self.shape, arrays)
        found = [self._sample(leaves, rows, batch, sample) for sample in self._samples(batch)]
        active = [loss for loss in found if loss.data > 0]
        for loss in active:
            loss.backward()
        count = len(found)
        mean, share = sum(loss.data for loss in found) / count, len(active) / count
        if not active:
            return Gradients(mean, share)
        dense = {name: _gradient(values, arrays[name]) / count for name, values in leaves.items()}
        return Gradients(mean, share, dense, rows.gradients(count))

    def record(self, arrays: Arrays, batch: Batch, names: Mapping[str, Sequence[str]]) -> Value:
        """Record the loss of the first sample, the rows of its tables named, for a picture."""
        rows = TableRows(self.shape, arrays, names)
        first = next(iter(self._samples(batch)))
        return self._sample(as_values(self.shape, arrays), rows, batch, first)

    def _samples(self, batch: Batch) -> list[list[int]]:
        """Number the windows of every sample."""
        windows = range(len(batch.ids))
        if self.shape.kind == "margin":
            half = len(windows) // 2
            return [[one, half + one] for one in range(half)]
        if self.shape.kind != "sequence":
            return [[one] for one in windows]
        ends = np.cumsum(batch.target.lengths).tolist()
        return [list(windows[end - n : end]) for end, n in zip(ends, batch.target.lengths)]

    def _sample(
        self, leaves: dict[str, Any], rows: TableRows, batch: Batch, sample: list[int]
    ) -> Value:
        masks = [None if batch.mask is None else batch.mask[one].tolist() for one in sample]
        windows = [inputs(rows.window(batch.ids[one]), mask) for one, mask in zip(sample, masks)]
        tags = [] if self.shape.kind == "margin" else batch.target.tags[sample].tolist()
        rule = self.rule
        return loss_of(self.shape, self.loss, windows, tags, leaves, rule.delta, rule.legal)


def as_values(shape: Shape, arrays: Arrays) -> dict[str, Any]:
    """Give the dense parameters as lists, and lists of lists, of Values: the leaves of a graph."""
    tables = {name for name, _ in shape.tables}
    return {name: _named(name, a.tolist()) for name, a in arrays.items() if name not in tables}


def _named(name: str, data: list[Any]) -> list[Any]:
    with scope(name):
        if isinstance(data[0], float):
            return labelled(name, data)
        return [labelled(f"{name}{i},", row) for i, row in enumerate(data)]


def labelled(name: str, data: list[float]) -> list[Value]:
    """Give a Value per number, labelled name0, name1, ..."""
    return [Value(number, label=f"{name}{place}") for place, number in enumerate(data)]


def _gradient(values: list[Any], like: Floats) -> Floats:
    flat = values if like.ndim == 1 else [value for row in values for value in row]
    return np.array([value.grad for value in flat]).reshape(like.shape)


class TableRows:
    """The rows of the tables that some windows look up, as Values; equal ids share their Values.

    With `names`, the forms of every table, the Values get scopes and labels for a picture.
    """

    def __init__(
        self, shape: Shape, arrays: Arrays, names: Mapping[str, Sequence[str]] | None = None
    ) -> None:
        self.tables, self.arrays, self.names = [name for name, _ in shape.tables], arrays, names
        self.values: dict[tuple[str, int], list[Value]] = {}

    def window(self, ids: Ids) -> list[list[Value]]:
        """Give the rows of one window, in `gather`'s order."""
        return [self._row(t, i) for word in ids.tolist() for t, i in zip(self.tables, word)]

    def _row(self, table: str, number: int) -> list[Value]:
        if (table, number) not in self.values:
            data = self.arrays[table][number].tolist()
            self.values[table, number] = self._made(table, number, data)
        return self.values[table, number]

    def _made(self, table: str, number: int, data: list[float]) -> list[Value]:
        if self.names is None:
            return list(map(Value, data))
        form = self.names[table][number]
        with scope(f"word {form}" if table == "E" else f"{table} {form}"):
            return labelled(f"{form} ", data)

    def gradients(self, count: int) -> dict[str, Rows]:
        """Give the gradients of the rows that have one, divided by `count`."""
        return {table: self._rows(table, count) for table in self.tables}

    def _rows(self, table: str, count: int) -> Rows:
        found = {n: [v.grad for v in row] for (t, n), row in self.values.items() if t == table}
        found = {number: row for number, row in found.items() if any(row)}
        width = self.arrays[table].shape[1]
        gradient = np.array(list(found.values())).reshape(len(found), width)
        return Rows(np.array(list(found), np.int64), gradient / count)
