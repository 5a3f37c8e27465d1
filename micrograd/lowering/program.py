"""Programs: a lowered graph with the data of its leaves, ready to run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np

from micrograd.lowering.columns import Floats
from micrograd.lowering.ir import CONSTANT, INPUT, PARAMETER
from micrograd.lowering.lowered import Lowered
from micrograd.lowering.namespaces import NUMPY
from micrograd.lowering.source import forward_text, value_and_grad_text


class Program:
    """Run a lowered graph on batches; `parameters` are arrays to be updated in place.

    `constants` are the other leaves of the graph: data of a recorded batch, to be overwritten in
    place. `write_back()` copies the parameters to the Values they came from.
    """

    def __init__(self, lowered: Lowered, leaves: Mapping[str, Any]) -> None:
        self.lowered, self._leaves = lowered, leaves
        data = {name: np.array([v.data for v in values.ravel().tolist()]).reshape(values.shape)
                for name, values in leaves.items()}  # fmt: skip
        names = {kind: [a.name for a in lowered.leaves(kind) if a.data is None]
                 for kind in (INPUT, PARAMETER, CONSTANT)}  # fmt: skip
        self.parameters = MappingProxyType({name: data[name] for name in names[PARAMETER]})
        self.constants = MappingProxyType({name: data[name] for name in names[CONSTANT]})
        self.inputs = names[INPUT]
        self._compiled: dict[str, Callable[..., Any]] = {}

    @property
    def source(self) -> str:
        """Return both passes as readable array code."""
        return value_and_grad_text(self.lowered, self.lowered.lines(False))

    def __call__(self, *batch: Any) -> float:
        """Return the loss of a batch."""
        if "forward" not in self._compiled:
            text = forward_text(self.lowered, self.lowered.lines(False))
            self._compiled["forward"] = self._define(text, "forward")
        return float(self._compiled["forward"](*self._arguments(batch)))

    def value_and_grad(self, *batch: Any, wrt_inputs: bool = False) -> tuple[float, dict[str, Any]]:
        """Return the loss of a batch and its gradients by name."""
        name = f"grad {wrt_inputs}"
        if name not in self._compiled:
            text = value_and_grad_text(self.lowered, self.lowered.lines(wrt_inputs))
            self._compiled[name] = self._define(text, "value_and_grad")
        value, gradients = self._compiled[name](*self._arguments(batch))
        return float(value), gradients

    def write_back(self) -> None:
        """Copy the parameters to the Values of the graph."""
        for name, data in self.parameters.items():
            for value, number in zip(self._leaves[name].ravel().tolist(), data.ravel().tolist()):
                value.data = number

    def _define(self, text: str, name: str) -> Callable[..., Any]:
        scope = NUMPY | self.lowered.data
        exec(compile(text, "<lowered program>", "exec"), scope)
        return scope[name]  # type: ignore[no-any-return]

    def _arguments(self, batch: tuple[Any, ...]) -> list[Floats]:
        inputs = [np.asarray(x, float) for x in batch]
        return [*inputs, *self.parameters.values(), *self.constants.values()]
