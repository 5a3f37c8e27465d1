"""The training loop, for scalar networks and array programs alike.

    history = fit(step, data, epochs=20, batch_size=32, seed=1,
                  evaluate=lambda: {"dev_f1": f1()},          # once an epoch
                  stop=EarlyStopping("dev_f1", best="max", patience=3),
                  checkpoint="run.npz", resume=True, state={"model": model, "optimizer": optimizer})
    history["loss"], history.save_csv("run.csv"), history.plot("run.png")

`step(batch)` trains on one batch and returns its loss, or a dict of numbers with a "loss";
`descent(model, loss, optimizer)` makes one for Values, `program.trainer(optimizer).on(x, y)` one
for a lowered program, of row numbers. A step that has `many(batches)` is given several at once, and
returns their losses, none behind one that is not finite. `data` is a sequence or an array; to batch
several arrays together, pass `range(n)`: then a batch is a list of row numbers. `state` is all that
training changes: objects with `state_dict` and `load_state_dict`, arrays, random generators, and
dicts and lists of them; Python's and NumPy's global generators are kept beside it. A run that was
killed goes on from the end of the last epoch, one stopped by Ctrl-C from the batch after the last:
in both the result is that of an uninterrupted run, bit for bit.

A checkpoint holds what made it as well: batches, seed, a digest of the data, and of a list `data`
that the step has, as one made by `on(x, y)`, the options of the optimisers in `state` and of
`stop`, and what `settings` names. A run made otherwise is refused.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from micrograd.checkpoint import check_kept, checked_path, restore
from micrograd.core.checks import check_call, check_flags, check_whole
from micrograd.engine import Value, topological_order
from micrograd.files import remove_leftovers
from micrograd.printing import shorten
from micrograd.training.history import History
from micrograd.training.progress import Interrupts, Progress
from micrograd.training.run import Numbers, Run, Step
from micrograd.training.settings import data_digest, differences, settings_within
from micrograd.training.stopping import EarlyStopping


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
    settings: Mapping[str, Any] | None = None,
    progress: bool = True,
) -> History:
    """Train for `epochs` epochs; return the history.

    Batches are shuffled by `seed`, not at all where it is None. Functions in `after_epoch` get
    the row of every epoch. Training ends early, with the reason in `history.stopped`, by `stop`
    or where the loss is no longer finite, which the progress shows. Where the loss of a `descent`
    stands still since units of ReLU are dead, or depends for no batch on anything that is trained,
    `history.remark` says so, and the progress. Ctrl-C raises Interrupted between two batches.
    `state` need not be named for a step of `descent`. `settings` are what else the result depends
    on: options by name, digests of files. Raises ValueError before training where there is nothing
    to train on, or to go on from.
    """
    if state is None:
        state = getattr(step, "state", None)
    _check_functions(step, stop, evaluate)
    check_flags(resume=resume, progress=progress)
    _check(data, epochs, batch_size, seed, checkpoint, resume, state)
    made_by: dict[str, Any] = {"examples": len(data), "batch_size": batch_size, "seed": seed}
    if checkpoint is not None:
        made_by |= {"data": data_digest(data), "state": settings_within(state)}
        made_by |= {"stop": settings_within(stop)}
        if isinstance(own := getattr(step, "data", None), (list, tuple)):  # `data` are its rows
            made_by |= {"data of the step": data_digest(own)}
        made_by |= _own_settings(settings, made_by)
    if checkpoint is not None or stop:
        check_kept(state)
    run = Run(
        step=step,
        data=data,
        epochs=epochs,
        batch_size=batch_size,
        seed=seed,
        evaluate=evaluate,
        after_epoch=_functions(after_epoch),
        stop=stop,
        checkpoint=checkpoint,
        state={} if state is None else state,
        settings=made_by,
    )
    if stop:
        stop.begin()
    run.check_writable()
    if checkpoint is not None:
        remove_leftovers(checkpoint)
        if resume and Path(checkpoint).exists():
            run.load()
    with Interrupts() as interrupts, Progress(progress, epochs) as shown:
        while run.epoch < epochs and not run.history.stopped:
            run.train_epoch(interrupts, shown)
    if stop and stop.kept is not None:
        restore(run.state, stop.kept)
    return run.history


def _own_settings(settings: Any, others: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of a user.

    Raises TypeError where they are no dict, ValueError where one would hide what fit notes itself.
    """
    if not isinstance(settings or {}, Mapping):
        raise TypeError(f"settings is a dict of options by name, not {shorten(settings)}")
    own = dict(settings or {})
    given = [name for name in others if name in own]
    if hidden := ", ".join(name for name in given if any(differences(own[name], others[name]))):
        raise ValueError(f"settings gives another {hidden} than fit notes; choose another name")
    return own


def _functions(after_epoch: Any) -> list[Callable[[Numbers], object]]:
    functions: list[Any] = list(after_epoch) if isinstance(after_epoch, Iterable) else [None]
    if not all(map(callable, functions)):
        raise TypeError(f"after_epoch is a list of functions, not {shorten(after_epoch)}")
    for function in functions:
        check_call("a function of after_epoch", function, "the row of an epoch")
    return functions


def _check_functions(step: Any, stop: Any, evaluate: Any) -> None:
    if not callable(step):
        raise TypeError(f"step is a function of a batch that trains on it, not {shorten(step)}")
    check_call("step", step, "a batch")
    if not isinstance(stop, (EarlyStopping, type(None))):
        raise TypeError(f"stop is an EarlyStopping, not {shorten(stop)}")
    if evaluate is not None and not callable(evaluate):
        raise TypeError(f"evaluate is a function that returns scores, not {shorten(evaluate)}")
    if evaluate is not None:
        check_call("evaluate", evaluate)


def _check(
    data: Any,
    epochs: int,
    batch_size: int,
    seed: int | None,
    checkpoint: Any,
    resume: bool,
    state: Any,
) -> None:
    """Raise what `fit` raises before it trains."""
    listed = hasattr(data, "__len__") and hasattr(data, "__getitem__")
    if not listed or isinstance(data, Mapping) or getattr(data, "ndim", 1) == 0:
        raise TypeError(f"data is a sequence or an array, not {shorten(data)}; list() it")
    check_whole("batch_size", batch_size, 1)
    check_whole("epochs", epochs, 1)
    if seed is not None:
        check_whole("seed", seed, 0)
    if len(data) == 0:
        raise ValueError("0 examples: nothing to train on")
    if checkpoint is None:
        if resume:
            raise ValueError("to resume, say from which checkpoint")
    elif checked_path(checkpoint) and state is None:
        raise ValueError(
            "a checkpoint without state= holds nothing to go on with; name all that training "
            'changes, such as state={"model": model, "optimizer": optimizer}'
        )


class Descent:
    """Go down the gradient of `loss(batch)`, a Value; `state` is what that changes.

    `trained` are the Values among it, `reached` says whether any loss so far depended on one.
    """

    reached: bool | None = None

    def __init__(self, model: Any, loss: Callable[[Any], Any], optimizer: Any) -> None:
        fits = hasattr(model, "train") and callable(loss) and hasattr(optimizer, "zero_grad")
        if not fits or isinstance(model, type) or isinstance(optimizer, type):
            raise TypeError(
                "descent takes a Module, its loss as a function of a batch, and an optimizer, not "
                f"{shorten((model, loss, optimizer))}"
            )
        self.model, self.loss, self.optimizer = model, loss, optimizer
        self.state = {"model": model, "optimizer": optimizer}
        known = getattr(optimizer, "parameters", {})  # an optimiser of one's own may have none
        trained = known.values() if isinstance(known, Mapping) else ()
        self.trained = [p for p in trained if isinstance(p, Value)]

    def __call__(self, batch: Any) -> float:
        """Train on a batch; return its loss."""
        if not self.model.training:
            self.model.train()
        self.optimizer.zero_grad()
        value = self.loss(batch)
        if not isinstance(value, Value):
            raise TypeError(f"the loss of a descent is a Value, not {shorten(value)}")
        if not self.reached:
            self.reached = not {*self.trained}.isdisjoint(topological_order(value))
        value.backward()
        self.optimizer.step()
        return float(value.data)

    def graphs(self, batches: Iterable[Any]) -> Iterator[Any]:
        """Yield the loss of every batch, of the network as it predicts; nothing is trained."""
        before = [(module, module.training) for module in self.model.modules()]
        self.model.eval()
        try:
            yield from map(self.loss, batches)
        finally:
            for module, training in before:
                module.training = training


def descent(model: Any, loss: Callable[[Any], Any], optimizer: Any) -> Step:
    """Return a step that goes down the gradient of `loss(batch)`, a Value."""
    return Descent(model, loss, optimizer)
