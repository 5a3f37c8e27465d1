"""Two engines with one interface: every batch in arrays, or every sample a graph of Values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, count
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from micrograd.core.modes import scope
from micrograd.engine import Value
from micrograd.functions import labelled
from micrograd.ner.model.config import Config
from micrograd.ner.model.features import TITLES
from micrograd.ner.model.losses import LOSSES, Judged, Target
from micrograd.ner.model.network import Arrays, Floats, Pass, backward, forward, gather, scatter
from micrograd.ner.model.paths import forbidding
from micrograd.ner.model.windows import Ids
from micrograd.optim.gradients import Rows


class Batch(NamedTuple):
    """Some samples: the ids of their windows (windows, width, tables), and what is wanted of them.

    Pairs: all true windows, then the corrupt ones. `mask` (windows, window_inputs) multiplies the
    inputs (dropout).
    """

    ids: Ids
    target: Target
    mask: Floats | None = None


class Gradients(NamedTuple):
    """The mean loss of a batch, the share of samples that have one, and that mean's gradients.

    Those of the tables are some rows, to be summed where one is there more than once; a name left
    out is all zeros.
    """

    loss: float
    active: float
    arrays: dict[str, Any]


@dataclass
class Engine:
    """What computes batches of a model; `legal` says which tag may follow which."""

    config: Config
    legal: NDArray[np.bool_] | None = None


class ArrayEngine(Engine):
    """Compute whole batches by `network.forward`, a loss of its scores, and `network.backward`."""

    def judged(self, arrays: Arrays, batch: Batch) -> tuple[Pass, Judged]:
        """Go forward: the pass, and the loss of every sample."""
        x = gather(self.config, arrays, batch.ids)
        run = forward(self.config, x if batch.mask is None else x * batch.mask, arrays)
        A = None if self.legal is None else forbidding(self.legal, arrays.get("A", 0.0))
        return run, LOSSES[self.config.loss_name].arrays(run.s, batch.target, self.config.delta, A)

    def __call__(self, arrays: Arrays, batch: Batch) -> Gradients:
        """Evaluate the batch; windows whose scores get no gradient do not go backward."""
        run, judged = self.judged(arrays, batch)
        n = len(judged.losses)
        mean, active = float(judged.losses.sum()) / n, np.count_nonzero(judged.losses) / n
        back = judged.upstream.any(1)
        if not back.any():
            return Gradients(mean, active, {})
        chosen = slice(None) if back.all() else back
        run = Pass(*(part[chosen] for part in run))
        dense, dx = backward(self.config, run, arrays, judged.upstream[chosen] / n)
        if batch.mask is not None:
            dx = dx * batch.mask[chosen]
        if judged.transitions is not None:
            dense["A"] = judged.transitions / n
        return Gradients(mean, active, {**dense, **scatter(self.config, batch.ids[chosen], dx)})


class ScalarEngine(Engine):
    """Record every sample as a graph of Values and walk it backward, unless its loss is 0."""

    def __call__(self, arrays: Arrays, batch: Batch) -> Gradients:
        """Evaluate the batch, sample by sample."""
        leaves = Leaves(self.config, arrays)
        found = [self._sample(leaves, batch, sample) for sample in self._samples(batch)]
        active = [loss for loss in found if loss.data > 0]
        for loss in active:
            loss.backward()
        n = len(found)
        mean, share = sum(loss.data for loss in found) / n, len(active) / n
        return Gradients(mean, share, leaves.gradients(n) if active else {})

    def record(self, arrays: Arrays, batch: Batch, names: Mapping[str, Sequence[str]]) -> Value:
        """Record the loss of the first sample, the rows of its tables named, for a picture."""
        return self._sample(Leaves(self.config, arrays, names), batch, self._samples(batch)[0])

    def _samples(self, batch: Batch) -> list[NDArray[np.intp]]:
        """Number the windows of every sample: a pair, one alone, a sentence."""
        windows = np.arange(len(batch.ids))
        if self.config.kind == "sequence":
            return np.split(windows, np.cumsum(batch.target.lengths)[:-1])
        return list(windows.reshape(2 if self.config.kind == "margin" else 1, -1).T)

    def _sample(self, leaves: Leaves, batch: Batch, sample: NDArray[np.intp]) -> Value:
        pair, config, scores = self.config.kind == "margin", self.config, []
        titles = ("true window", "corrupt window") if pair else map("window {}".format, count(1))
        inputs = [leaves.window(batch.ids[one]) for one in sample]
        for title, one, x in zip(titles, sample, inputs):
            if batch.mask is not None:
                x = [value * m for value, m in zip(x, batch.mask[one].tolist())]
            with scope(title):
                scores.append(forward(config, x, leaves.dense).s)
            leaves.windows.append((scores[-1], batch.ids[one].tolist()))
        tags = [] if pair else batch.target.tags[sample].tolist()
        A = leaves.dense.get("A")
        loss = LOSSES[config.loss_name].graph(scores, tags, config.delta, A, self.legal)
        loss.label = "J"
        return loss


class Leaves:
    """The parameters as Values: whole arrays, and of the tables the rows that are looked up.

    `names`, the forms of every table, label its rows, which else are labelled by their numbers.
    """

    def __init__(
        self, config: Config, arrays: Arrays, names: Mapping[str, Sequence[Any]] | None = None
    ) -> None:
        self.arrays, self.names = arrays, names or {}
        self.windows: list[tuple[list[Value], list[list[int]]]] = []  # their scores and ids
        self.rows: dict[str, dict[int, list[Value]]] = {name: {} for name, _ in config.tables}
        dense = {name: array for name, array in arrays.items() if name not in self.rows}
        self.dense = {name: _values(name, name, array) for name, array in dense.items()}

    def window(self, ids: Ids) -> list[Value]:
        """Give the inputs of one window, in `gather`'s order; equal ids share their Values."""
        rows = (self._row(t, i) for word in ids.tolist() for t, i in zip(self.rows, word))
        return [value for row in rows for value in row]

    def _row(self, table: str, number: int) -> list[Value]:
        rows = self.rows[table]
        if number not in rows:
            form = self.names[table][number] if self.names else number
            rows[number] = _values(
                f"{TITLES[table]} {form}", f"{form} ", self.arrays[table][number]
            )
        return rows[number]

    def gradients(self, count: int) -> dict[str, Any]:
        """Give the gradients / `count`; of tables, of the rows in windows whose scores have one."""
        every: dict[str, Any] = {n: np.array(_grads(v)) / count for n, v in self.dense.items()}
        reached = [ids for scores, ids in self.windows if any(s.grad for s in scores)]
        for (table, rows), column in zip(self.rows.items(), zip(*chain(*reached))):
            numbers = np.array([*dict.fromkeys(column)])
            gradient = np.array([_grads(rows[number]) for number in numbers.tolist()])
            every[table] = Rows(numbers, gradient / count)
        return every


def _grads(values: list[Any]) -> list[Any]:
    return [v.grad if isinstance(v, Value) else _grads(v) for v in values]


def _values(where: str, label: str, array: Floats) -> Any:
    with scope(where):
        return labelled(np.vectorize(Value, [object])(array).tolist(), label)


ENGINES: dict[str, type[ArrayEngine | ScalarEngine]] = {
    "arrays": ArrayEngine,
    "scalar": ScalarEngine,
}
