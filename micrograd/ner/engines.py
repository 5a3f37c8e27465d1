"""Two engines with one interface; both get their gradients from the models' scalar losses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from micrograd.engine import Value
from micrograd.lowering import Program, lower
from micrograd.ner.batch import Batch, Engine, Gradients
from micrograd.ner.embedding import Floats, gather, scatter
from micrograd.ner.leaves import Leaves, TableLeaves
from micrograd.ner.models import LOSSES, TABLES, Arrays, Shape, outputs

ENGINES = ("lowered", "scalar")
WINDOWS = {"margin": ("true", "corrupt"), "softmax": ("x",), "multiclass": ("x",)}
LARGE, DOUBT = 16, 1e-3
INPUTS = ("true", "corrupt", "x", "target")


def make_engine(name: str, shape: Shape) -> Engine:
    """Make the engine of this name; ValueError if there is none."""
    if name not in ENGINES:
        raise ValueError(f"unknown engine {name!r}: expected one of {', '.join(ENGINES)}")
    return LoweredEngine(shape) if name == "lowered" else ScalarEngine(shape)


class ScalarEngine:
    """Record every sample as a graph of Values and walk it backward, unless its loss is 0."""

    def __init__(self, shape: Shape) -> None:
        self.shape = shape
        self.leaves: Leaves | None = None

    def __call__(self, arrays: Arrays, batch: Batch) -> Gradients:
        """Evaluate the batch, sample by sample."""
        leaves, tables = self._leaves(arrays), TableLeaves(arrays)
        total, active, count = 0.0, 0, len(batch)
        for number in range(count):
            loss = self._sample(leaves, tables, batch, number)
            total += loss.data
            if loss.data != 0.0:
                active += 1
                loss.backward()
                tables.note(batch.windows, number)
        if not active:
            return Gradients(0.0, 0)
        return Gradients(
            total / count, active, leaves.gradients(arrays, count), tables.rows(count)
        )

    def record(self, arrays: Arrays, batch: Batch, names: Sequence[str]) -> Value:
        """Record the loss of the first sample, its words named, for a picture."""
        return self._sample(self._leaves(arrays), TableLeaves(arrays, names), batch, 0)

    def _leaves(self, arrays: Arrays) -> Leaves:
        if self.leaves is None:
            self.leaves = Leaves(arrays)
        self.leaves.set(arrays)
        return self.leaves

    def _sample(self, leaves: Leaves, tables: TableLeaves, batch: Batch, number: int) -> Value:
        inputs = [tables.window(places, number) for places in batch.windows]
        if batch.targets is not None:
            inputs.append([Value(t) for t in batch.targets[number].tolist()])
        return LOSSES[self.shape.kind](self.shape, *inputs, **leaves.nested)


class LoweredEngine:
    """Run the array program that lowering makes of the scalar loss.

    The loss is traced on the first sample it is given; the program takes whole batches.
    """

    def __init__(self, shape: Shape) -> None:
        self.shape = shape
        self.program: Program | None = None

    def __call__(self, arrays: Arrays, batch: Batch) -> Gradients:
        """Evaluate the batch at once; where a margin is kept, nothing goes backward."""
        count = active = len(batch)
        inputs = [gather(self.shape, arrays, places) for places in batch.windows]
        if self.shape.kind != "softmax":
            order, active = self._active_first(inputs, batch.targets, arrays)
            if not active:
                return Gradients(0.0, 0)
            if active < count:
                batch, inputs = batch.take(order), [x[order] for x in inputs]
        loss, gradients = self._run(arrays, inputs, batch.targets)
        return self._gradients(batch, loss, gradients, active, len(batch) / count)

    def _active_first(
        self, inputs: list[Floats], targets: Floats | None, arrays: Arrays
    ) -> tuple[NDArray[np.int64], int]:
        """Number the samples that have a loss first, and count them; a forward pass tells.

        A large batch is looked through in single precision, with room for its error, and exactly
        only where that leaves a doubt: after some epochs nearly all samples are quiet.
        """
        chosen = np.arange(len(inputs[0]))
        if len(chosen) >= LARGE:
            dense = {n: array.astype(np.float32) for n, array in arrays.items() if n not in TABLES}
            rough = self._excess([x.astype(np.float32) for x in inputs], targets, dense)
            chosen = _first(rough > -DOUBT * (1 + np.abs(rough).max()))[0]
            inputs = [x[chosen] for x in inputs]
            targets = None if targets is None else targets[chosen]
        order, active = _first(self._excess(inputs, targets, arrays) > 0)
        return chosen[order], active

    def _excess(
        self, inputs: list[NDArray[Any]], targets: Floats | None, arrays: Mapping[str, NDArray[Any]]
    ) -> NDArray[Any]:
        """Compute by how much each sample breaks its margin: Δ + s_c − s, at the worst tag."""
        s = outputs(self.shape, np.concatenate(inputs), arrays)
        if targets is None:
            count = len(inputs[0])
            return np.asarray(s[count:] - s[:count] + self.shape.delta)
        right = (s * targets).sum(1, keepdims=True)
        return np.asarray(np.where(targets > 0, -np.inf, s - right + self.shape.delta).max(1))

    def _run(
        self, arrays: Arrays, inputs: list[Floats], targets: Floats | None
    ) -> tuple[float, Arrays]:
        given = inputs if targets is None else [*inputs, targets]
        if self.program is None:
            self.program = lowered(self.shape, arrays, [x[0] for x in given])
        for name, parameter in self.program.parameters.items():
            parameter[...] = arrays[name]
        return self.program.value_and_grad(*given, wrt_inputs=True)

    def _gradients(
        self, batch: Batch, loss: float, gradients: Arrays, active: int, share: float
    ) -> Gradients:
        """Turn gradients of the mean over some samples into those over all of the batch."""
        by_window = [gradients[name] for name in WINDOWS[self.shape.kind]]
        places = batch.windows
        dense = {name: gradients[name] for name in gradients if name not in INPUTS}
        if active < len(batch):
            by_window = [gradient[:active] for gradient in by_window]
            places = [p.take(slice(active)) for p in places]
        if share < 1:
            by_window = [gradient * share for gradient in by_window]
            dense = {name: gradient * share for name, gradient in dense.items()}
        return Gradients(loss * share, active, dense, scatter(self.shape, places, by_window))


def _first(wanted: NDArray[np.bool_]) -> tuple[NDArray[np.int64], int]:
    """Number the samples that are wanted first, and count them.

    Others fill up to a power of two: a program is prepared for every batch size it meets.
    """
    count = int(np.count_nonzero(wanted))
    size = 1 << (count - 1).bit_length() if count else 0
    return (~wanted).argsort(kind="stable")[:size], count


def lowered(shape: Shape, arrays: Arrays, sample: list[Floats]) -> Program:
    """Lower the model's scalar loss, traced on one sample."""
    leaves = Leaves(arrays).nested
    names = [*WINDOWS[shape.kind], "target"][:len(sample)]

    def loss(*inputs: list[Value]) -> Value:
        return LOSSES[shape.kind](shape, *inputs, **leaves)

    return lower(loss, *sample, parameters=leaves, names=names)
