"""Two engines with one interface; both get their gradients from the models' scalar losses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from micrograd.engine import Value
from micrograd.lowering import Program, lower
from micrograd.ner.model.embedding import Floats, gather, scatter
from micrograd.ner.model.models import LOSSES, TABLES, Arrays, Shape, outputs
from micrograd.ner.training.batch import Batch, Engine, Gradients
from micrograd.ner.training.leaves import Leaves, TableLeaves

ENGINES = ("lowered", "scalar")
WINDOWS = {"margin": ("true", "corrupt"), "softmax": ("x",), "multiclass": ("x",)}
LARGE, DOUBT = 16, 1e-3
WEIGHT = "weight"
INPUTS = ("true", "corrupt", "x", "target", WEIGHT)


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
        return Gradients(total / count, active, leaves.gradients(arrays, count), tables.rows(count))

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
        count = len(batch)
        inputs = [gather(self.shape, arrays, places) for places in batch.windows]
        if self.shape.kind != "softmax":
            chosen = self._worth_running(inputs, batch.targets, arrays)
            if not len(chosen):
                return Gradients(0.0, 0)
            if len(chosen) < count:
                batch, inputs = batch.take(chosen), [x[chosen] for x in inputs]
        gradients = self._run(arrays, inputs, batch.targets)
        return self._gradients(batch, gradients, len(batch) / count)

    def _worth_running(
        self, inputs: list[Floats], targets: Floats | None, arrays: Arrays
    ) -> NDArray[np.int64]:
        """Number the samples that may have a loss, by a forward pass only.

        After some epochs nearly all samples are quiet, so a large batch is looked through in
        single precision, with room for its error. Others fill up to a power of two: a program is
        prepared for every batch size it meets.
        """
        if len(inputs[0]) < LARGE:
            wanted = self._excess(inputs, targets, arrays) > 0
        else:
            dense = {n: array.astype(np.float32) for n, array in arrays.items() if n not in TABLES}
            excess = self._excess([x.astype(np.float32) for x in inputs], targets, dense)
            wanted = excess > -DOUBT * (1 + np.abs(excess).max())
        count = int(np.count_nonzero(wanted))
        size = 1 << (count - 1).bit_length() if count else 0
        return (~wanted).argsort(kind="stable")[:size]

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

    def _run(self, arrays: Arrays, inputs: list[Floats], targets: Floats | None) -> Arrays:
        given = [*inputs, *([] if targets is None else [targets]), np.ones(len(inputs[0]))]
        if self.program is None:
            self.program = lowered(self.shape, arrays, [x[0] for x in given])
        for name, parameter in self.program.parameters.items():
            parameter[...] = arrays[name]
        return self.program.value_and_grad(*given, wrt_inputs=True)[1]

    def _gradients(self, batch: Batch, gradients: Arrays, share: float) -> Gradients:
        """Turn gradients of the mean over these samples into those over the whole batch."""
        losses = gradients[WEIGHT] * share
        by_window = [gradients[name] for name in WINDOWS[self.shape.kind]]
        dense = {name: gradients[name] for name in gradients if name not in INPUTS}
        places, active = batch.windows, losses != 0
        if share < 1:
            by_window = [gradient * share for gradient in by_window]
            dense = {name: gradient * share for name, gradient in dense.items()}
        if not active.all():
            by_window = [gradient[active] for gradient in by_window]
            places = [p.take(active) for p in places]
        rows = scatter(self.shape, places, by_window)
        return Gradients(float(losses.sum()), int(np.count_nonzero(active)), dense, rows)


def lowered(shape: Shape, arrays: Arrays, sample: list[Floats]) -> Program:
    """Lower the model's scalar loss, traced on one sample.

    Each sample's loss is multiplied by a weight, always 1, as the last input: the gradient of
    that weight is the sample's own loss, which the program's mean would not tell.
    """
    leaves = Leaves(arrays).nested
    target = ["target"] * (shape.kind != "margin")

    def loss(*inputs: Any) -> Value:
        weighted: Value = LOSSES[shape.kind](shape, *inputs[:-1], **leaves) * inputs[-1]
        return weighted

    names = [*WINDOWS[shape.kind], *target, WEIGHT]
    return lower(loss, *sample, parameters=leaves, names=names)
