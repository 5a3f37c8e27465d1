"""The training loop, for scalar networks and array programs alike.

    history = fit(step, data, epochs=20, batch_size=32, seed=1,
                  evaluate=lambda: {"dev_f1": f1()},          # once an epoch
                  stop=EarlyStopping("dev_f1", best="max", patience=3),
                  checkpoint="run.npz", resume=True, state={"model": model, "optimizer": optimizer})
    history["loss"], history.save_csv("run.csv"), history.plot("run.png")

`step(batch)` trains on one batch and returns its loss, or a dict of numbers with a "loss";
`descent(model, loss, optimizer)` makes one for Values. `data` is a sequence or an array; to batch
several arrays together, pass `range(n)`: then a batch is a list of row numbers. `state` is all that
training changes: objects with `state_dict` and `load_state_dict`, arrays, random generators, and
dicts and lists of them; Python's and NumPy's global generators are kept beside it. A run that was
killed goes on from the end of the last epoch, one stopped by Ctrl-C from the batch after the last:
in both the result is that of an uninterrupted run, bit for bit.
"""

from __future__ import annotations

import math
import os
import random
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from micrograd.checkpoint import capture, checked_path, load_state, restore, save_state
from micrograd.training.history import History
from micrograd.training.progress import Interrupts, Progress

Numbers = Mapping[str, float]
Step = Callable[[Any], Any]


class Interrupted(KeyboardInterrupt):
    """Report a training stopped by Ctrl-C, between two batches; `history` holds its epochs."""

    def __init__(self, message: str, history: History) -> None:
        super().__init__(message)
        self.history = history


class EarlyStopping:
    """Stop when `monitor` has had no better value for `patience` epochs; go back to the best."""

    def __init__(self, monitor: str = "loss", patience: int = 5, best: str = "min") -> None:
        if best not in ("min", "max"):
            raise ValueError(f"best is 'min' or 'max', not {best!r}")
        self.monitor, self.patience, self.sign = monitor, patience, 1 if best == "min" else -1
        self.best, self.waited, self.kept = math.inf, 0, None

    def report(self, row: Numbers, state: Any) -> str:
        """Take note of an epoch; return why to stop, or nothing."""
        if self.monitor not in row:
            raise ValueError(f"early stopping watches {self.monitor!r}; there are {', '.join(row)}")
        value = self.sign * row[self.monitor]
        if value < self.best:
            self.best, self.waited, self.kept = value, 0, capture(state)
            return ""
        self.waited += 1
        done = self.waited >= self.patience
        return f"no better {self.monitor} for {self.waited} epochs" if done else ""

    def state_dict(self) -> dict[str, Any]:
        """Return the best value, the state then, and the epochs since."""
        return {"best": self.best, "waited": self.waited, "kept": self.kept}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take over what `state_dict()` gave."""
        self.best, self.waited, self.kept = state["best"], state["waited"], state["kept"]


def fit(
    step: Step,
    data: Any,
    epochs: int,
    *,
    batch_size: int = 32,
    seed: int | None = 0,
    evaluate: Callable[[], Numbers] | None = None,
    after_epoch: Iterable[Callable[[Numbers], object]] = (),
    stop: EarlyStopping | None = None,
    checkpoint: str | os.PathLike[str] | None = None,
    resume: bool = False,
    state: Any = None,
    progress: bool = True,
) -> History:
    """Train for `epochs` epochs; return the history.

    Batches are shuffled by `seed`, not at all where it is None. Functions in `after_epoch` get
    the row of every epoch. Training ends early, with the reason in `history.stopped`, by `stop`
    or where the loss is no longer finite. Ctrl-C raises Interrupted between two batches.
    """
    run = _Run(step, data, epochs, batch_size, seed, evaluate, list(after_epoch), stop, checkpoint,
               {} if state is None else state)  # fmt: skip
    if len(data) == 0 or batch_size < 1:
        raise ValueError(f"{len(data)} examples in batches of {batch_size}: nothing to train on")
    if resume and checkpoint is None:
        raise ValueError("to resume, say from which checkpoint")
    if checkpoint is not None and checked_path(checkpoint).exists() and resume:
        run.load()
    with Interrupts() as interrupts, Progress(progress, epochs) as shown:
        while run.epoch < epochs and not run.history.stopped:
            run.train_epoch(interrupts, shown)
    if stop and stop.kept is not None:
        restore(run.state, stop.kept)
    return run.history


def descent(model: Any, loss: Callable[[Any], Any], optimizer: Any) -> Step:
    """Return a step that goes down the gradient of `loss(batch)`, a Value."""

    def step(batch: Any) -> float:
        if not model.training:
            model.train()
        optimizer.zero_grad()
        value = loss(batch)
        value.backward()
        optimizer.step()
        return float(value.data)

    return step


@dataclass
class _Run:
    """Hold a training and where it is: epochs finished, batches done since, sums over them."""

    step: Step
    data: Any
    epochs: int
    batch_size: int
    seed: int | None
    evaluate: Callable[[], Numbers] | None
    after_epoch: list[Callable[[Numbers], object]]
    stop: EarlyStopping | None
    checkpoint: str | os.PathLike[str] | None
    state: Any
    epoch: int = 0
    batch: int = 0
    sums: dict[str, float] = field(default_factory=dict)
    history: History = field(default_factory=History)

    def train_epoch(self, interrupts: Interrupts, shown: Progress) -> None:
        """Train on what is left of an epoch, evaluate, and write the checkpoint."""
        batches = self._batches()
        shown.start(self.epoch, len(batches), self.batch)
        for chosen in batches[self.batch :]:
            numbers = _numbers(self.step(_take(self.data, chosen)))
            if not math.isfinite(numbers["loss"]):
                at = f"epoch {self.epoch + 1}, batch {self.batch + 1}"
                self.history.stopped = f"the loss was {numbers['loss']} in {at}"
                return
            self.batch += 1
            for name, number in numbers.items():
                self.sums[name] = self.sums.get(name, 0.0) + number * len(chosen)
            shown.advance(numbers)
            if interrupts.pending and self.batch < len(batches):
                self._leave()
        self._finish_epoch()
        shown.finish(self.history.rows[-1])
        if interrupts.pending:
            self._leave()

    def _finish_epoch(self) -> None:
        self.epoch += 1
        row = {"epoch": self.epoch, **{k: v / len(self.data) for k, v in self.sums.items()}}
        if self.evaluate:
            row |= self.evaluate()
        self.batch, self.sums = 0, {}
        self.history.rows.append(row)
        for function in self.after_epoch:
            function(row)
        if self.stop:
            self.history.stopped = self.stop.report(row, self.state)
        self.save()

    def _batches(self) -> list[Sequence[int]]:
        """Cut the epoch's order into batches; it depends on seed and epoch alone."""
        order = list(range(len(self.data)))
        if self.seed is not None:
            random.Random(f"{self.seed} {self.epoch}").shuffle(order)
        return [order[i : i + self.batch_size] for i in range(0, len(order), self.batch_size)]

    def _leave(self) -> None:
        self.save()
        kept = f"; fit(..., resume=True) goes on from {self.checkpoint}" if self.checkpoint else ""
        raise Interrupted(f"stopped in epoch {self.epoch + (self.batch > 0)}{kept}", self.history)

    def save(self) -> None:
        """Write the checkpoint, if there is to be one."""
        if self.checkpoint is not None:
            save_state(self.checkpoint, {"settings": self._settings(), **self._position(),
                                         **capture(self._parts())})  # fmt: skip

    def load(self) -> None:
        """Go on from the checkpoint. Raises ValueError where it is another run's."""
        saved = load_state(self.checkpoint)  # type: ignore[arg-type]
        if saved.get("settings") != self._settings():
            raise ValueError(f"{self.checkpoint} is another run's: it has {saved.get('settings')}, "
                             f"this one {self._settings()}")  # fmt: skip
        try:
            restore(self._parts(), {name: saved.get(name) for name in self._parts()})
        except ValueError as error:
            raise ValueError(f"{self.checkpoint}: {error}") from error
        self.epoch, self.batch, self.sums = saved["epoch"], saved["batch"], saved["sums"]
        self.history = History(saved["rows"], saved["stopped"])

    def _settings(self) -> dict[str, Any]:
        return {"examples": len(self.data), "batch_size": self.batch_size, "seed": self.seed}

    def _position(self) -> dict[str, Any]:
        return {"epoch": self.epoch, "batch": self.batch, "sums": self.sums,
                "rows": self.history.rows, "stopped": self.history.stopped}  # fmt: skip

    def _parts(self) -> dict[str, Any]:
        stateful = [f for f in map(_owner, self.after_epoch) if hasattr(f, "state_dict")]
        return {"state": self.state, "stop": [self.stop] if self.stop else [],
                "after_epoch": stateful, "random": random, "numpy": _NumpyRandom()}  # fmt: skip


class _NumpyRandom:
    """Keep NumPy's global random generator, where NumPy is loaded."""

    def state_dict(self) -> Any:
        numpy = sys.modules.get("numpy")
        return numpy.random.get_state(legacy=False) if numpy else None

    def load_state_dict(self, state: Any) -> None:
        if state is not None:
            import numpy as np

            np.random.set_state(state)


def _owner(function: Any) -> Any:
    """Return the object whose method `function` is, as in `after_epoch=[plateau.report]`."""
    return getattr(function, "__self__", function)


def _take(data: Any, chosen: Sequence[int]) -> Any:
    return data[chosen] if hasattr(data, "shape") else [data[i] for i in chosen]


def _numbers(result: Any) -> dict[str, float]:
    if isinstance(result, Mapping):
        return {name: float(number) for name, number in result.items()}
    return {"loss": float(getattr(result, "data", result))}
