"""A training and where it is: what `fit` goes through, epoch by epoch, and its checkpoint."""

from __future__ import annotations

import math
import os
import random
import sys
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from micrograd.checkpoint import capture, file_content, load_state, restore, save_state
from micrograd.core.checks import are_texts, is_count
from micrograd.core.numbers import number as as_float
from micrograd.files import check_place
from micrograd.printing import counted, cut, shorten
from micrograd.training.history import History, is_row
from micrograd.training.progress import Interrupts, Progress
from micrograd.training.settings import differences, settings_within
from micrograd.training.standstill import remark, stands_still, unreached
from micrograd.training.stopping import EarlyStopping

Numbers = Mapping[str, float]
Step = Callable[[Any], Any]
AT_ONCE = 16  # batches between two looks at Ctrl-C, of a step that does many

# What a checkpoint holds of the run itself.
_FITS: dict[str, Callable[[Any], bool]] = {
    "unkept": are_texts,
    "epoch": is_count,
    "batch": is_count,
    "sums": is_row,
    "rows": lambda rows: isinstance(rows, list) and all(is_row(r) and "loss" in r for r in rows),
    "stopped": lambda text: isinstance(text, str),
}


class Interrupted(KeyboardInterrupt):
    """Report a training stopped by Ctrl-C, between two batches; `history` holds its epochs."""

    def __init__(self, message: str, history: History) -> None:
        super().__init__(message)
        self.history = history

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (*self.args, self.history)


@dataclass
class Run:
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
    settings: dict[str, Any]
    epoch: int = 0
    batch: int = 0
    sums: dict[str, float] = field(default_factory=dict)
    history: History = field(default_factory=History)
    unkept: list[str] = field(default_factory=list)  # names of settings that training changes

    def __post_init__(self) -> None:
        self.networks = self._networks() if self.checkpoint is not None else None

    def train_epoch(self, interrupts: Interrupts, shown: Progress) -> None:
        """Train on what is left of an epoch, evaluate, and write the checkpoint."""
        batches = self._batches()
        shown.start(self.epoch, len(batches), self.batch)
        while self.batch < len(batches):
            for chosen, result in self._steps(batches[self.batch :]):
                numbers = numbers_of(result)
                if other := self.sums and set(numbers) ^ set(self.sums):
                    raise ValueError(
                        "a step gives the same numbers for every batch, whose mean is that of the "
                        f"epoch; {cut(', '.join(sorted(other)))} was not among them every time"
                    )
                if not math.isfinite(numbers["loss"]):
                    at = f"epoch {self.epoch + 1}, batch {self.batch + 1}"
                    self.history.stopped = f"the loss was {numbers['loss']} in {at}"
                    shown.finish({"epoch": self.epoch + 1, **numbers})
                    return
                self.batch += 1
                for name, number in numbers.items():
                    self.sums[name] = self.sums.get(name, 0.0) + number * len(chosen)
                shown.advance(numbers)
            if interrupts.pending and self.batch < len(batches):
                self.save()
                self._leave()
        self._finish_epoch()
        shown.finish(self.history.rows[-1])
        self._watch(shown)
        self.save()
        if interrupts.pending:
            self._leave()

    def _steps(self, batches: list[Sequence[int]]) -> Iterable[tuple[Sequence[int], Any]]:
        """Train on the next batch, or on several where a step has `many`; return what it gave."""
        many = getattr(self.step, "many", None)
        if many is None:
            return [(batches[0], self.step(_take(self.data, batches[0])))]
        several = batches[:AT_ONCE]
        results = list(many([_take(self.data, chosen) for chosen in several]))
        if not 0 < len(results) <= len(several):
            raise ValueError(
                f"many(batches) gives the losses of its batches, here {len(several)}, up to "
                f"the first that is not finite, not {len(results)}"
            )
        return zip(several, results)

    def _finish_epoch(self) -> None:
        self.epoch += 1
        row = {"epoch": self.epoch, **{k: v / len(self.data) for k, v in self.sums.items()}}
        if self.evaluate:
            row |= _scores(self.evaluate(), row)
        self.batch, self.sums = 0, {}
        self.history.rows.append(row)
        for function in self.after_epoch:
            function(row)
        if self.stop:
            self.history.stopped = self.stop.report(row, self.state)

    def _watch(self, shown: Progress) -> None:
        """Say once, of a step that knows its graph, why the loss stands still, or will."""
        step: Any = self.step
        losses, trained = self.history["loss"], getattr(step, "trained", ())
        if self.history.remark or not hasattr(step, "graphs"):
            return
        if trained and getattr(step, "reached", None) is False:
            self.history.remark = f"the loss is {losses[-1]:.4g}, and {unreached(trained)}"
        elif stands_still(losses):
            generators = {"random": random, "numpy": _NumpyRandom()}
            parts = {"step": step.state, "state": self.state, **generators}
            with suppress(Exception):  # what predicts may give no graph: nothing is said then
                before = capture(parts)  # a loss may draw random numbers
                try:
                    self.history.remark = remark(losses, self._graphs(), trained)
                finally:
                    restore(parts, before)
        if self.history.remark:
            shown.say(self.history.remark)

    def _graphs(self) -> Iterable[Any]:
        order = range(len(self.data))
        batches = (order[i : i + self.batch_size] for i in range(0, len(order), self.batch_size))
        step: Any = self.step
        graphs: Iterable[Any] = step.graphs(_take(self.data, [*rows]) for rows in batches)
        return graphs

    def _batches(self) -> list[Sequence[int]]:
        """Cut the epoch's order into batches; it depends on seed and epoch alone."""
        order = list(range(len(self.data)))
        if self.seed is not None:
            random.Random(f"{self.seed} {self.epoch}").shuffle(order)
        return [order[i : i + self.batch_size] for i in range(0, len(order), self.batch_size)]

    def _leave(self) -> None:
        kept = f"; fit(..., resume=True) goes on from {self.checkpoint}" if self.checkpoint else ""
        raise Interrupted(f"stopped in epoch {self.epoch + (self.batch > 0)}{kept}", self.history)

    def save(self) -> None:
        """Write the checkpoint, if there is to be one."""
        if self.checkpoint is not None:
            self._warn_of_unkept()
            save_state(self.checkpoint, self._content())

    def _warn_of_unkept(self) -> None:
        """Say once of an attribute of a network that training changes it, and nothing keeps it."""
        for name, first, last in differences(self.networks, self._networks(), "state"):
            if name not in self.unkept:
                self.unkept.append(name)
                warnings.warn(
                    f"training changes {name} (it was {first}, now {last}), which the checkpoint "
                    "does not keep: a resumed training would begin with what the program sets. "
                    "Keep it in an array that is named in state=[...] too",
                    stacklevel=5,  # where fit is called
                )

    def _networks(self) -> Any:
        """Return the settings of networks alone: what others change, their own state keeps."""
        return settings_within(self.state, "named_parameters")

    def check_writable(self) -> None:
        """Raise now, not after an epoch, what `save` would raise: of the state, or its place."""
        if self.checkpoint is not None:
            check_place(self.checkpoint)
            file_content(self.checkpoint, self._content())

    def load(self) -> None:
        """Go on from the checkpoint. Raises ValueError where it is another run's."""
        saved = load_state(self.checkpoint)  # type: ignore[arg-type]
        needed = {"settings", *self._content()} - {"remark"}  # which came later
        if not isinstance(saved, dict) or not needed <= set(saved):
            what = "a saved state, but not the checkpoint of a fit"
            if isinstance(saved, dict) and {"settings", "epoch", "rows"} <= set(saved):
                what = "of an earlier version, whose fit kept less; begin anew without resume"
            raise ValueError(f"{self.checkpoint} is {what}")
        for name, fits in _FITS.items():
            if not fits(saved[name]):
                raise ValueError(
                    f"{self.checkpoint}: damaged: its {name} is {shorten(saved[name])}; begin anew "
                    "without resume"
                )
        self.unkept = saved["unkept"]
        wrong = differences(saved["settings"], self.settings)
        texts = [
            f"{n} {there} there, {here} here" for n, there, here in wrong if n not in self.unkept
        ]
        if texts:
            more = f"; and {len(texts) - 3} more" if len(texts) > 3 else ""
            raise ValueError(
                f"{self.checkpoint} is another run's: {'; '.join(texts[:3])}{more}. Resume as it "
                "began, or begin anew without resume"
            )
        if saved["epoch"] > self.epochs:
            raise ValueError(
                f"{self.checkpoint} has {counted(saved['epoch'], 'epoch')} behind it already; "
                f"{self.epochs} were asked for"
            )
        before = capture(self._parts())
        try:
            restore(self._parts(), {name: saved[name] for name in self._parts()})
            if self.stop and self.stop.kept is not None:  # what it goes back to at the end
                restore(self.state, self.stop.kept)
                restore(self.state, saved["state"])
        except ValueError as error:
            restore(self._parts(), before)
            raise ValueError(
                f"{self.checkpoint}: {error}. Resume as it began, or begin anew without resume"
            ) from error
        self.epoch, self.batch, self.sums = saved["epoch"], saved["batch"], saved["sums"]
        self.history = History(saved["rows"], saved["stopped"])
        self.history.remark = saved.get("remark", "")

    def _content(self) -> dict[str, Any]:
        return {
            **capture(self._parts()),
            "settings": self.settings,
            "unkept": self.unkept,
            "epoch": self.epoch,
            "batch": self.batch,
            "sums": self.sums,
            "rows": self.history.rows,
            "stopped": self.history.stopped,
            "remark": self.history.remark,
        }

    def _parts(self) -> dict[str, Any]:
        owners = [f for f in map(_owner, self.after_epoch) if hasattr(f, "state_dict")]
        return {
            "state": self.state,
            "stop": [self.stop] if self.stop else [],
            "after_epoch": owners,
            "random": random,
            "numpy": _NumpyRandom(),
        }


class _NumpyRandom:
    """Keep NumPy's global random generator, where NumPy is loaded."""

    __name__ = "numpy.random"  # in messages

    def getstate(self) -> Any:
        numpy = sys.modules.get("numpy")
        return numpy.random.get_state(legacy=False) if numpy else None

    def setstate(self, state: Any) -> None:
        if state is not None:
            import numpy as np

            np.random.set_state(state)


def _owner(function: Any) -> Any:
    """Return the object whose method `function` is, as in `after_epoch=[plateau.report]`."""
    return getattr(function, "__self__", function)


def _take(data: Any, chosen: Sequence[int]) -> Any:
    rows = getattr(data, "iloc", data)  # of a table of pandas; by the numbers it takes columns
    return rows[chosen] if hasattr(data, "shape") else [data[i] for i in chosen]


def numbers_of(result: Any) -> dict[str, float]:
    """Return what a step did, as numbers. Raises TypeError or ValueError where it says nothing."""
    numbers = dict(result) if isinstance(result, Mapping) else {"loss": result}
    names = ", ".join(map(str, numbers)) or "none"
    if "loss" not in numbers:
        raise ValueError(f"a step returns numbers with a 'loss'; there are {names}")
    if "epoch" in numbers or not all(isinstance(name, str) for name in numbers):
        raise ValueError(f"a step names its numbers by text, none of them epoch; there are {names}")
    return {name: _number(name, number) for name, number in numbers.items()}


def _number(name: str, number: Any) -> float:
    """Return a number of a step; a loss that was computed counts where it went backward."""
    if getattr(number, "parents", ()) and name == "loss" and not number.grad:
        raise ValueError(
            "the step returned a loss on which backward() was not called: it trains nothing; "
            "descent(model, loss, optimizer) makes a step of a loss, and a step that trains by "
            "other means returns loss.data"
        )
    return _float(number, f"a step returns its loss, or a dict of numbers with a 'loss'; {name}")


def _scores(scores: Any, row: Mapping[str, float]) -> dict[str, float]:
    """Return what `evaluate` gives. Raises TypeError or ValueError unless it is new numbers."""
    if not isinstance(scores, Mapping):
        raise TypeError(f"evaluate() returns a dict of numbers by name, not {shorten(scores)}")
    if not all(isinstance(name, str) for name in scores):
        raise TypeError(f"evaluate() names its numbers by text, unlike {shorten(scores)}")
    if twice := set(scores) & set(row):
        raise ValueError(
            f"evaluate() gives {', '.join(sorted(twice))}, which training gives already; "
            "choose another name, such as dev_loss"
        )
    return {k: _float(score, f"evaluate() returns numbers; {k}") for k, score in scores.items()}


def _float(number: Any, what: str) -> float:
    try:
        return as_float(number.data if hasattr(number, "backward") else number)
    except (TypeError, ValueError):
        raise TypeError(f"{what} is {shorten(number)}") from None
