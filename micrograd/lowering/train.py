"""Training steps of a program: batch, gradient, update; natively where the program is."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from math import isfinite
from typing import TYPE_CHECKING, Any

import numpy as np

from micrograd.checkpoint import capture, restore
from micrograd.lowering.batch import as_numbers
from micrograd.lowering.native.rules import UntraceableError
from micrograd.lowering.native.trainer import NativeTraining
from micrograd.lowering.scalars.columns import Ints
from micrograd.lowering.trace.declared import PARAMETER
from micrograd.lowering.trace.samples import shown
from micrograd.optim import Optimizer

if TYPE_CHECKING:
    from micrograd.lowering.program import Program


class Trainer:
    """Move the parameters of a program by an optimiser of them: `trainer(*batch)` is one step.

    `trainer.on(*data)` makes a step for `training.fit(step, range(n), ...)`, whose batches are row
    numbers; it does many steps in one call. As `state` of a checkpoint it is parameters and
    optimiser, and names what runs the program. Raises ValueError where the optimiser moves other
    arrays than the program's.
    """

    def __init__(self, program: Program, optimizer: Any) -> None:
        self.program, self.optimizer = program, optimizer
        if not isinstance(optimizer, Optimizer):
            raise TypeError(f"trainer takes an optimiser, not {shown(optimizer)}")
        for name, array in optimizer.parameters.items():
            if program.parameters.get(name) is not array:
                raise ValueError(
                    f"the optimiser moves {name}, which is no parameter of this program; "
                    "make it of program.parameters"
                )
        self.native: NativeTraining | None = None
        self.remark = "the program runs its text"
        try:
            self.native = _in_c(program, optimizer)
        except UntraceableError as error:
            self.remark = str(error)

    def __repr__(self) -> str:
        return f"Trainer({self.program!r}, {self.optimizer!r})"

    def __call__(self, *batch: Any) -> float:
        """Do one step; return the loss before it."""
        inputs = self.program.arguments(batch)
        if self.native is None:
            return self._plainly(inputs)
        return self._steps([len(inputs[0]) if inputs else 1], None, inputs)[0]

    def on(self, *data: Any) -> Steps:
        """Return a step on some rows of the data. Raises what a call of the program raises."""
        return Steps(self, self.program.arguments(data))

    @property
    def state(self) -> Trainer:
        """Return itself: what training changes."""
        return self

    def settings(self) -> dict[str, Any]:
        """Return what made the numbers: the optimiser's settings, and what runs the program."""
        return {"backend": self.program.backend, **self.optimizer.settings()}

    def state_dict(self) -> dict[str, Any]:
        """Return the parameters and the optimiser's state."""
        state: dict[str, Any] = capture(self._parts())
        return state

    def load_state_dict(self, state: Any) -> None:
        """Take over what `state_dict()` gave."""
        restore(self._parts(), state)

    def _parts(self) -> dict[str, Any]:
        return {"parameters": dict(self.program.parameters), "optimizer": self.optimizer}

    def _plainly(self, inputs: Sequence[Any]) -> float:
        loss, gradients = self.program.run(PARAMETER, inputs)
        own = self.optimizer.parameters
        self.optimizer.step({name: g for name, g in gradients.items() if name in own})
        return loss

    def _steps(self, counts: Sequence[int], rows: Any, data: Sequence[Any]) -> list[float]:
        """Do native steps; where an operation gave no finite number, the engine may say why."""
        assert self.native is not None
        losses: list[float] = []
        while counts:
            done, ended = self.native(counts, rows, data, self.program.guarded)
            losses += done.tolist()
            start, end = sum(counts[: len(done) - 1]), sum(counts[: len(done)])
            if ended > 0:
                part = slice(None) if rows is None else rows[start:end]
                batch = [x[part] for x in data]
                self.program.diagnose(batch)
                _, ended = self.native([end - start], None, batch, False)  # it has no objection
            if ended < 0:
                break
            counts = counts[len(done) :]
            rows = None if rows is None else rows[end:]
        return losses


def _in_c(program: Program, optimizer: Any) -> NativeTraining | None:
    """Return whole steps as C; None where the program runs its text.

    Raises UntraceableError where the optimiser cannot be had in C.
    """
    if program.native is None:
        return None
    whole = all(group.get("dense") for group in optimizer.groups)
    module = program.native.module(PARAMETER, sparse_rows=not whole)
    return NativeTraining(module, program.native.held, program.lowered.names, optimizer)


class Steps:
    """A step on rows of data, by their numbers: for `training.fit`."""

    def __init__(self, trainer: Trainer, data: Sequence[Any]) -> None:
        self.trainer, self.data = trainer, data
        self.state = trainer.state

    def __call__(self, rows: Any) -> float:
        """Do one step on some rows; return the loss before it."""
        return self.many([rows])[0]

    def many(self, batches: Sequence[Sequence[int]]) -> list[float]:
        """Do a step on each batch; end behind a loss that is not finite. Return the losses."""
        size = len(self.data[0]) if self.data else 1  # a recorded loss is a sample of its own
        rows = [_row_numbers(part, size) for part in batches]
        every = np.concatenate([np.zeros(0, np.int64), *rows])
        wrong = every[(every < 0) | (every >= size)]
        if len(wrong):
            raise IndexError(f"there is no row {wrong[0]}: the data have {size}, 0 to {size - 1}")
        if self.trainer.native is None:
            return self._plainly(rows)
        return self.trainer._steps([*map(len, rows)], every, self.data)

    def write_back(self) -> None:
        """Write the arrays' numbers into the Values they stand for."""
        self.trainer.program.write_back()

    def _plainly(self, batches: Sequence[Ints]) -> list[float]:
        losses: list[float] = []
        for rows in batches:
            losses.append(self.trainer._plainly([x.take(rows, 0) for x in self.data]))
            if not isfinite(losses[-1]):
                break
        return losses


def _row_numbers(rows: Any, size: int) -> Ints:
    """Return a batch of rows as an array. Raises TypeError where it is none."""
    numbers = np.zeros(0)
    with suppress(TypeError, ValueError):  # samples, in place of their numbers
        numbers = as_numbers("rows", rows)
    if numbers.ndim != 1 or not len(numbers) or numbers.dtype.kind not in "iu":  # no mask
        raise TypeError(
            f"rows is {shown(rows)}; give a list of row numbers, one or more, 0 to {size - 1}"
        )
    return np.asarray(numbers, np.int64)
