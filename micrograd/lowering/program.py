"""Programs: a lowered graph with the data of its leaves, ready to run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from types import MappingProxyType
from typing import Any

import numpy as np

from micrograd.engine import Value
from micrograd.files import atomic_write
from micrograd.lowering import (
    level_executor,
    numba_executor,
    numba_levels,
    numpy_executor,
    scalar_executor,  # fmt: skip
)
from micrograd.lowering.batch import Ids
from micrograd.lowering.columns import Columns, Floats
from micrograd.lowering.diagnosis import diagnose
from micrograd.lowering.explaining import explained, found
from micrograd.lowering.exporting import standalone
from micrograd.lowering.ir import CONSTANT, INPUT, LOOKUP, PARAMETER
from micrograd.lowering.levels import Levels
from micrograd.lowering.levels_text import LevelsText
from micrograd.lowering.lowered import FORWARD, Lowered
from micrograd.lowering.numpy_executor import Run
from micrograd.lowering.source import forward_text, value_and_grad_text
from micrograd.lowering.spots import Spot, Spots
from micrograd.ops import BY_NAME

NUMBA = "numba"


class Program:
    """Run a lowered graph on batches; `parameters` are arrays to be updated in place.

    `constants` are the other leaves of the graph: data of a recorded batch, to be overwritten in
    place. `write_back()` copies the parameters to the Values they came from.
    """

    def __init__(self, lowered: Lowered | Levels, leaves: Mapping[str, Any],
                 graph: Columns, backend: str = "numpy") -> None:  # fmt: skip
        self.lowered, self._leaves, self.graph, self._backend = lowered, leaves, graph, backend
        data = {name: np.array([v.data for v in values.ravel().tolist()]).reshape(values.shape)
                for name, values in leaves.items()}  # fmt: skip
        names = {kind: [a.name for a in lowered.leaves(kind) if a.data is None]
                 for kind in (INPUT, PARAMETER, CONSTANT)}  # fmt: skip
        self.parameters = MappingProxyType({name: data[name] for name in names[PARAMETER]})
        self.constants = MappingProxyType({name: data[name] for name in names[CONSTANT]})
        self.inputs = names[INPUT]
        self.ids = Ids(lowered.leaves(LOOKUP))
        self._shapes = [a.shape for a in lowered.leaves(INPUT)]
        self._guarded = any(BY_NAME[op].needs for op in lowered.operations)
        self._runners: dict[tuple[str, int], Run] = {}

    @property
    def source(self) -> str:
        """Return both passes as readable array code."""
        if isinstance(self.lowered, Levels):
            return LevelsText(self.lowered).source()
        return value_and_grad_text(self.lowered, self.lowered.passes(PARAMETER))

    def __call__(self, *batch: Any) -> float:
        """Return the loss of a batch."""
        return self._run(FORWARD, batch)[0]

    def value_and_grad(self, *batch: Any, wrt_inputs: bool = False) -> tuple[float, dict[str, Any]]:
        """Return the loss of a batch and its gradients by name, `wrt_inputs` those of inputs too.

        A table that is only looked up has Rows as its gradient, an input of ids has none. The
        arrays of the gradients are overwritten by the next call.
        """
        return self._run(INPUT if wrt_inputs else PARAMETER, batch)

    def export(self, target: str, path: str | None = None) -> str:
        """Return a module with `forward` and `value_and_grad` that needs nothing but `target`:
        "numpy", "jax" or "torch"; write it to `path` too, where that is given.

        Its LEAVES hold the parameters and constants as they are now. It takes ids as an array of
        integers, does not check them, and gives dense gradients of tables. Raises ValueError for
        another target.
        """
        text = standalone(target, self._functions(target), {**self.parameters, **self.constants},
                          self.lowered.data, f"Lowered by micrograd to {target}.")  # fmt: skip
        if path is not None:
            atomic_write(path, text)
        return text

    def _functions(self, target: str) -> str:
        if isinstance(self.lowered, Levels):
            return LevelsText(self.lowered, target).standalone()
        return "\n\n".join((forward_text(self.lowered, self.lowered.passes(FORWARD)), self.source))

    def explain(self) -> str:
        """Return which scalar nodes became which array."""
        return explained(self.lowered, self.graph)

    def find(self, value: Value) -> tuple[str, int]:
        """Return the array that a Value of the graph went to, and its place there, row by row.

        A part of a sum went where the sum is. Raises ValueError where the Value is not in the
        graph, and for numbers that became part of the text.
        """
        try:
            return found(self.lowered, self.graph, value)
        except ValueError:
            for name in self.parameters:  # a row of a table that the traced sample did not use
                if value in (flat := self._leaves[name].ravel().tolist()):
                    return name, flat.index(value)
            raise

    @property
    def root(self) -> Value:
        """Return the loss of the traced sample, or the recorded one: what the program computes."""
        return self.graph.values[self.graph.root]

    def line(self, value: Value) -> Spot:
        """Return the line of the source that computes a Value, and which element it is there.

        Raises ValueError where the Value is not in the graph.
        """
        return self._spots.forward(value)

    def line_of_gradient(self, value: Value) -> Spot:
        """Return the line of the source that computes the gradient of a Value.

        Raises ValueError where the Value is not in the graph.
        """
        return self._spots.gradient(value)

    @cached_property
    def _spots(self) -> Spots:
        lines = None if isinstance(self.lowered, Levels) else self.lowered.passes(PARAMETER)
        return Spots(self.lowered, self.graph, lines, self.source)

    def leaf_values(self, name: str) -> Any:
        """Return the Values of a leaf array, as an object array of its shape."""
        return self._leaves[name]

    def write_back(self) -> None:
        """Copy the parameters to the Values of the graph."""
        for name, data in self.parameters.items():
            for value, number in zip(self._leaves[name].ravel().tolist(), data.ravel().tolist()):
                value.data = number

    def _run(self, kind: str, batch: tuple[Any, ...]) -> tuple[float, dict[str, Any]]:
        inputs, size = self._arguments(batch)
        run = self._runner(kind, size)
        if not self._guarded:
            value, gradients = run(*inputs)
            return float(value), gradients
        try:
            with np.errstate(divide="raise", over="raise", invalid="raise"):
                value, gradients = run(*inputs)
            if self._backend != NUMBA or _finite(value, gradients):
                return float(value), gradients
        except (ArithmeticError, ValueError):
            pass
        held = {**self.parameters, **self.constants}
        batch_of = dict(zip(self.inputs, inputs))
        batch_of |= self.ids.rows(batch_of, held)
        diagnose(self.root, self._leaves, held, batch_of)
        with np.errstate(all="ignore"):
            value, gradients = run(*inputs)
        return float(value), gradients

    def _runner(self, kind: str, size: int) -> Run:
        """Return what runs the passes of a `kind` on batches of a size."""
        if (kind, size) not in self._runners:
            makers, key = self.lowered.makers, f"{kind}, {self._backend}"
            if key not in makers:
                makers[key] = _maker(self.lowered, kind, self._backend)
            self._runners[kind, size] = makers[key](size, {**self.parameters, **self.constants})
        return self._runners[kind, size]

    def _arguments(self, batch: tuple[Any, ...]) -> tuple[list[Floats], int]:
        """Return the batch as arrays, and its size. Raises ValueError for other shapes."""
        if len(batch) != len(self._shapes):
            raise ValueError(f"{len(batch)} inputs; the program takes {len(self._shapes)}: "
                             f"{', '.join(self.inputs)}")  # fmt: skip
        inputs = [self.ids.array(name, x) for name, x in zip(self.inputs, batch)]
        size = len(inputs[0]) if inputs else 0
        for name, shape, x in zip(self.inputs, self._shapes, inputs):
            if x.shape[1:] != shape or len(x) != size:
                raise ValueError(
                    f"{name} has the shape {x.shape}; it must be {(size, *shape)}: a batch of "
                    f"samples of the traced shape, as many as of {self.inputs[0]}"
                )
        self.ids.check(dict(zip(self.inputs, inputs)))
        return inputs, size


def _finite(value: float, gradients: Mapping[str, Any]) -> bool:
    return bool(np.isfinite(value)) and all(
        np.isfinite(getattr(g, "rows", g)).all() for g in gradients.values()
    )


def _maker(lowered: Lowered | Levels, kind: str, backend: str) -> Callable[..., Run]:
    if isinstance(lowered, Levels):
        if backend == NUMBA:
            return numba_levels.maker(lowered, kind)
        if scalar_executor.narrow(lowered):
            return scalar_executor.maker(lowered, kind)
        return level_executor.maker(lowered, kind)
    passes = lowered.passes(kind)
    if backend == NUMBA:
        return numba_executor.compiled(lowered, passes)
    return numpy_executor.compiled(lowered, passes)
