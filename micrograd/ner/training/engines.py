"""Two engines with one interface: every batch in arrays, or every sample a graph of Values."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from micrograd.core.modes import scope
from micrograd.engine import Value
from micrograd.ner.model.features import Ids
from micrograd.ner.model.graphs import loss_of
from micrograd.ner.model.losses import LOSSES, Judged, Rule, Target
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


Engine = Callable[[Arrays, Batch], Gradients]


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

    def judged(self, arrays: Arrays, batch: Batch) -> tuple[Pass, Judged]:
        """Go forward: the pass, and the loss of every sample."""
        x = gather(self.shape, arrays, batch.ids)
        run = forward(self.shape, x if batch.mask is None else x * batch.mask, arrays)
        return run, LOSSES[self.loss](run.s, batch.target, self.rule, arrays)

    def __call__(self, arrays: Arrays, batch: Batch) -> Gradients:
        """Evaluate the batch; windows whose scores get no gradient do not go backward."""
        run, judged = self.judged(arrays, batch)
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
        return Gradients(mean, active, dense, scatter(self.shape, batch.ids[chosen], dx))


@dataclass
class ScalarEngine:
    """Record every sample as a graph of Values and walk it backward, unless its loss is 0."""

    shape: Shape
    loss: str
    rule: Rule

    def __call__(self, arrays: Arrays, batch: Batch) -> Gradients:
        """Evaluate the batch, sample by sample."""
        leaves = Leaves(self.shape, arrays)
        found = [self._sample(leaves, batch, sample) for sample in self._samples(batch)]
        active = [loss for loss in found if loss.data > 0]
        for loss in active:
            loss.backward()
        count = len(found)
        mean, share = sum(loss.data for loss in found) / count, len(active) / count
        return Gradients(mean, share, *(leaves.gradients(count) if active else ()))

    def record(self, arrays: Arrays, batch: Batch, names: Mapping[str, Sequence[str]]) -> Value:
        """Record the loss of the first sample, the rows of its tables named, for a picture."""
        return self._sample(Leaves(self.shape, arrays, names), batch, self._samples(batch)[0])

    def _samples(self, batch: Batch) -> list[list[int]]:
        """Number the windows of every sample: a pair, one alone, a sentence."""
        windows = range(len(batch.ids))
        if self.shape.kind == "margin":
            return [list(pair) for pair in zip(windows, windows[len(windows) // 2 :])]
        if self.shape.kind != "sequence":
            return [[one] for one in windows]
        ends = np.cumsum(batch.target.lengths).tolist()
        return [list(windows[end - n : end]) for end, n in zip(ends, batch.target.lengths)]

    def _sample(self, leaves: Leaves, batch: Batch, sample: list[int]) -> Value:
        masks = [None if batch.mask is None else batch.mask[one].tolist() for one in sample]
        windows = [inputs(leaves.window(batch.ids[one]), mask) for one, mask in zip(sample, masks)]
        tags = [] if self.shape.kind == "margin" else batch.target.tags[sample].tolist()
        rule, dense = self.rule, leaves.dense
        return loss_of(self.shape, self.loss, windows, tags, dense, rule.delta, rule.legal)


class Leaves:
    """The parameters as Values: whole arrays, and of the tables the rows that are looked up.

    With `names`, the forms of every table, the rows get scopes and labels for a picture.
    """

    def __init__(
        self, shape: Shape, arrays: Arrays, names: Mapping[str, Sequence[str]] | None = None
    ) -> None:
        self.arrays, self.names = arrays, names
        self.rows: dict[str, dict[int, list[Value]]] = {name: {} for name, _ in shape.tables}
        self.dense = {name: _values(name, a) for name, a in arrays.items() if name not in self.rows}

    def window(self, ids: Ids) -> list[list[Value]]:
        """Give the rows of one window, in `gather`'s order; equal ids share their Values."""
        return [self._row(t, i) for word in ids.tolist() for t, i in zip(self.rows, word)]

    def _row(self, table: str, number: int) -> list[Value]:
        rows = self.rows[table]
        if number not in rows:
            data = self.arrays[table][number].tolist()
            rows[number] = (
                self._named(self.names[table][number], table, data)
                if self.names
                else [Value(x) for x in data]
            )
        return rows[number]

    def _named(self, form: str, table: str, data: list[float]) -> list[Value]:
        with scope(f"word {form}" if table == "E" else f"{table} {form}"):
            return _labelled(f"{form} ", data)

    def gradients(self, count: int) -> tuple[Arrays, dict[str, Rows]]:
        """Give the gradients, divided by `count`; of the tables, of the rows that have one."""
        dense = {
            name: np.reshape([v.grad for v in _flat(values)], self.arrays[name].shape) / count
            for name, values in self.dense.items()
        }
        return dense, {table: self._gradients(table, count) for table in self.rows}

    def _gradients(self, table: str, count: int) -> Rows:
        found = {number: [v.grad for v in row] for number, row in self.rows[table].items()}
        found = {number: row for number, row in found.items() if any(row)}
        gradient = np.reshape(list(found.values()), (len(found), self.arrays[table].shape[1]))
        return Rows(np.array(list(found), np.int64), gradient / count)


def _values(name: str, array: Floats) -> list[Any]:
    with scope(name):
        if array.ndim == 1:
            return _labelled(name, array.tolist())
        return [_labelled(f"{name}{i},", row) for i, row in enumerate(array.tolist())]


def _labelled(name: str, data: list[float]) -> list[Value]:
    return [Value(number, label=f"{name}{place}") for place, number in enumerate(data)]


def _flat(values: list[Any]) -> list[Value]:
    return values if isinstance(values[0], Value) else [v for row in values for v in row]
