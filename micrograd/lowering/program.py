"""Programs: a lowered graph with the data of its leaves, ready to run."""

from __future__ import annotations

from collections.abc import Callable, Mapping, MutableMapping, Sequence
from contextlib import suppress
from functools import cached_property
from inspect import signature
from typing import Any, NoReturn

import numpy as np

from micrograd.engine import Value
from micrograd.files import atomic_write
from micrograd.lowering.batch import Inputs
from micrograd.lowering.code.text import Text
from micrograd.lowering.explain import explained, form_after
from micrograd.lowering.irregular.levels import Levels
from micrograd.lowering.native.export import exported as exported_c
from micrograd.lowering.native.run import chosen
from micrograd.lowering.passes import Lowered, exported
from micrograd.lowering.replay import check_sample, data_of, diagnose, narrow, replayed
from micrograd.lowering.scalars.chains import Chains
from micrograd.lowering.scalars.columns import Floats, ScalarGraph
from micrograd.lowering.trace.declared import (
    CONSTANT,
    FORWARD,
    INPUT,
    OUTPUT,
    PARAMETER,
    UPSTREAM,
    VJP,
)
from micrograd.lowering.train import Trainer
from micrograd.lowering.where import Location, Locations
from micrograd.ops import BY_NAME
from micrograd.optim.gradients import Rows
from micrograd.optim.stretches import InPlace, side_by_side


class Program:
    """Run a lowered graph on batches; `parameters` are arrays to be updated in place.

    `write_back()` copies them to the Values they came from, `refresh()` takes their numbers again.
    What runs is `source`, as it is printed; what a call returns is new.
    """

    _call_gives = FORWARD

    def __init__(
        self,
        lowered: Lowered,
        leaves: Mapping[str, Any],
        graph: ScalarGraph,
        chains: Chains,
        backend: str = "numpy",
    ) -> None:
        self.lowered, self.graph, self._chains = lowered, graph, chains
        self._leaves, form = InPlace(leaves), lowered.arrays
        data: dict[str, dict[str, Floats]] = {kind: {} for kind in (INPUT, PARAMETER, CONSTANT)}
        for array in form.arguments:
            name = lowered.names[array]
            data[array.kind][name] = data_of(leaves[name])
        self._parameters = InPlace(side_by_side(data[PARAMETER]))
        self._constants = InPlace(data[CONSTANT])
        self.inputs = [*data[INPUT]]
        shapes = [array.shape for array in form.leaves(INPUT)]
        self.arguments = Inputs(self.inputs, shapes, lowered.lookups, lowered.names)
        self.guarded = any(BY_NAME[op].watched for op in form.operations)
        self._flagged = any(BY_NAME[op].needs for op in form.operations)
        self._replayed = isinstance(form, Levels) and narrow(form)
        self._held = {**self.parameters, **self.constants}
        self._functions: dict[str, tuple[Callable[..., Any], list[Any]]] = {}
        self._checked: set[str] = set()
        self.native = chosen(backend, lowered, self._held)

    @property
    def parameters(self) -> MutableMapping[str, Floats]:
        """Return the arrays to train, changed in place: what runs reads them where they lie."""
        return self._parameters

    @property
    def constants(self) -> MutableMapping[str, Floats]:
        """Return the other leaves, data of a recorded batch, to be overwritten in place."""
        return self._constants

    @property
    def backend(self) -> str:
        """Return what runs the program: "c" or "numpy"."""
        return "c" if self.native else "numpy"

    @property
    def source(self) -> str:
        """Return the module whose `value_and_grad` runs: both passes as readable array code."""
        return self._text(PARAMETER).source

    @property
    def tables(self) -> Mapping[str, Any]:
        """Return the tables that are too long for the source: arguments of its function."""
        return self._text(PARAMETER).tables

    def __repr__(self) -> str:
        leaves = {"inputs": self.inputs, "parameters": [*self.parameters]}
        texts = (f"{kind} {', '.join(names)}" for kind, names in leaves.items() if names)
        return f"<{'; '.join([f'Program of {len(self.graph)} scalars', *texts, self.backend])}>"

    def __reduce__(self) -> NoReturn:
        """Refuse copies and pickles: what runs is bound to arrays where they lie."""
        raise TypeError(
            f"{self!r} cannot be copied or pickled; lower its function again, and take over "
            "what program.parameters hold; program.export() writes a module with their numbers"
        )

    def _repr_html_(self) -> str:
        from micrograd.displays import text_html

        return text_html(self.source)

    def __call__(self, *batch: Any) -> float:
        """Return the loss of a batch."""
        return self.run(FORWARD, self.arguments(batch))[0]

    def value_and_grad(self, *batch: Any, wrt_inputs: bool = False) -> tuple[float, dict[str, Any]]:
        """Return the loss of a batch and its gradients by name, `wrt_inputs` those of inputs too.

        A table that is only looked up has Rows as its gradient, an input of ids has none.
        """
        return self.run(INPUT if wrt_inputs else PARAMETER, self.arguments(batch))

    def export(self, target: str, path: str | None = None, main: bool = False) -> str:
        """Return a module with `forward` and `value_and_grad` that needs nothing but `target`:
        "numpy", "jax", "torch" or "c"; write it to `path` too, where that is given.

        Its LEAVES hold the parameters and constants as they are now; `forward` returns what a call
        does. It sets JAX or PyTorch to 64 bits for all, takes ids as arrays of integers, unchecked,
        gives dense gradients of tables. In C the arrays are arguments; with `main` the file is a
        program that runs the traced sample and prints loss and gradients. Raises ValueError for
        another target or `main` elsewhere.
        """
        forms, forward = map(self.lowered.forms, (PARAMETER, self._call_gives))
        if target == "c":
            sample = {name: data_of(self._leaves[name]) for name in self.inputs}
            text = exported_c(forms, forward, self._held, sample, main)
        elif main:
            raise ValueError(f'main=True is for export to "c", not to {target!r}')
        else:
            text = exported(forms, forward, target, self._held)
        if path is not None:
            atomic_write(path, text)
        return text

    def explain(self, after: str = "") -> str:
        """Return the passes with counts, and which scalar nodes became which line of the source.

        With the name of a pass, return what it made: "arrays" and "adjoints" are index notation, in
        which [i<2] is 1 where it holds, `at [0,j]` says where a term is added, and `place i of 96`
        counts elements row by row. "calls" is what runs: the text, or the C that is compiled.
        """
        if after == "calls":
            return self.native.told(PARAMETER) if self.native else self.source
        forms = {"graph": self.graph, "chains": self._chains, **self.lowered.forms(PARAMETER)}
        return form_after(forms, after) if after else explained(forms, self._replayed)

    def find(self, value: Value) -> tuple[str, int]:
        """Return the array that a Value of the graph went to, and its place there, row by row.

        A part of a sum went where the sum is. Raises ValueError where the Value is not in the
        graph, and for numbers that became part of the text.
        """
        try:
            return self._locations.place(value)
        except ValueError:
            for name in self.parameters:  # a row of a table that the traced sample did not use
                if value in (flat := self._leaves[name].ravel().tolist()):
                    return name, flat.index(value)
            raise

    @property
    def root(self) -> Value:
        """Return the loss of the traced sample, or the recorded one: what the program computes."""
        return self.graph.values[self.graph.root]

    def line(self, value: Value) -> Location:
        """Return the line of the source that computes a Value, and which element it is there.

        Raises ValueError where the Value is not in the graph.
        """
        return self._locations.forward(value)

    def line_of_gradient(self, value: Value) -> Location:
        """Return the line that computes the gradient of a Value; errors as of `line`."""
        return self._locations.gradient(value)

    @cached_property
    def _locations(self) -> Locations:
        return Locations(self.graph, self.lowered.forms(PARAMETER))

    def leaf_values(self, name: str) -> Any:
        """Return the Values of a leaf array, an object array of its shape; else KeyError."""
        return self._leaves[name]

    def write_back(self) -> None:
        """Copy the parameters to the Values of the graph."""
        for name, data in self.parameters.items():
            for value, number in zip(self._leaves[name].ravel().tolist(), data.ravel().tolist()):
                value.data = number

    def refresh(self) -> None:
        """Copy the Values' numbers, of another program's `write_back()` say, into the arrays."""
        for name, array in self._held.items():
            array[...] = data_of(self._leaves[name])

    def _text(self, kind: str) -> Text:
        return self.lowered.forms(kind)["text"]  # type: ignore[no-any-return]

    def run(self, kind: str, inputs: Sequence[Any]) -> tuple[float, dict[str, Any]]:
        """Return the loss and gradients of a kind; `inputs` are what `arguments` returns."""
        if self._replayed and not self.native:
            wanted = {} if kind == FORWARD else self.parameters
            return replayed(self.graph.values, self._leaves, self._held, wanted)
        if kind not in self._checked:
            self._checked.add(kind)
            check_sample(self, kind)
        if self._flagged and not self.native:
            with suppress(ArithmeticError, ValueError), np.errstate(all="raise", under="ignore"):
                return self._call(kind, inputs)
        loss, gradients, strange = (self.native or self._quietly)(kind, inputs)
        if strange and self.guarded:
            self.diagnose(inputs)
        return loss, gradients

    def _quietly(self, kind: str, inputs: Sequence[Floats]) -> tuple[float, dict[str, Any], bool]:
        with np.errstate(all="ignore"):
            loss, gradients = self._call(kind, inputs)
        strange = self.guarded and (self._flagged or not _finite(loss, gradients))
        return loss, gradients, strange

    def _call(self, kind: str, inputs: Sequence[Floats]) -> tuple[float, dict[str, Any]]:
        function, others = self._functions.get(kind) or self._bound(kind)
        result = function(*inputs, *others)
        if kind in (FORWARD, OUTPUT):
            return (float(result), {}) if kind == FORWARD else (0.0, {UPSTREAM: result})
        loss, gradients = result
        if self.arguments.lookups:
            gradients = {n: Rows(*g) if isinstance(g, tuple) else g for n, g in gradients.items()}
        return float(loss), gradients

    def _bound(self, kind: str) -> tuple[Callable[..., Any], list[Any]]:
        """Return the function of the text, and what it takes behind the inputs."""
        text = self._text(kind)
        held = {**self._held, **text.tables}
        others = [held[name] for name in signature(text.function).parameters if name in held]
        return self._functions.setdefault(kind, (text.function, others))

    def trainer(self, optimizer: Any) -> Trainer:
        """Return what trains the program by an optimiser of its `parameters`."""
        return Trainer(self, optimizer)

    def diagnose(self, inputs: Sequence[Any]) -> None:
        """Raise the DomainError that the scalar engine raises on a batch; return if it has none."""
        batch = dict(zip(self.inputs, inputs))
        batch |= self.arguments.rows(batch, self._held)
        diagnose(self.graph.values, self._leaves, self._held, batch)


class OutputProgram(Program):
    """Run a function of several Values on batches; return them as one array, the batch in front.

    It is lowered as Σ upstream · output, upstream being one more input, the last of `inputs`, which
    `value_and_grad` takes too: what backward sends to an input that is only multiplied by the
    outputs is the outputs.
    """

    _call_gives = OUTPUT

    def __call__(self, *batch: Any) -> Any:
        """Return the outputs of a batch."""
        return self.run(OUTPUT, self.arguments(batch, -1))[1][UPSTREAM]

    def vjp(self, *batch: Any, upstream: Any, wrt_inputs: bool = False) -> tuple[Any, Any]:
        """Return the outputs of a batch, and the gradients of Σ upstream · output by name."""
        inputs = self.arguments((*batch, upstream))
        gradients = self.run(INPUT if wrt_inputs else VJP, inputs)[1]
        return gradients.pop(UPSTREAM), gradients


def _finite(loss: float, gradients: Mapping[str, Any]) -> bool:
    return all(np.isfinite(getattr(x, "rows", x)).all() for x in (loss, *gradients.values()))
