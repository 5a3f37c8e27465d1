"""Train a tagger: draw samples, ask the engine for gradients, step; keep the best epoch."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import partial
from itertools import zip_longest
from typing import Any

import numpy as np
from numpy.typing import NDArray

from micrograd import checkpoint as states
from micrograd import optim, schedules
from micrograd.core.checks import check_name, check_state, is_any, is_count, is_list, is_real
from micrograd.ner.model.config import Training
from micrograd.ner.text.sentence import Sentence, types_in
from micrograd.ner.training.engines import ENGINES, Batch
from micrograd.ner.training.judge import Judge
from micrograd.ner.training.sampling import make_sampler
from micrograd.ner.window_model import NUMBERS, WindowModel
from micrograd.printing import counted
from micrograd.training import EarlyStopping, fit
from micrograd.training.history import History

COLLAPSED = 10.0  # percent of samples still active
ALWAYS = ("softmax", "sequence likelihood")  # losses without a margin: every sample has one
Say = Callable[[str], None]


class Trainer:
    """Everything that training changes, and one step of it."""

    def __init__(self, tagger: WindowModel, train: Sequence[Sentence], training: Training) -> None:
        self.tagger, self.training = tagger, training
        _keep_freed_memory()
        config = tagger.config
        self.sampler = make_sampler(tagger, train, config.rare)
        check_name("engine", training.engine, ENGINES)
        self.engine = ENGINES[training.engine](config, tagger.moves)
        self.rate = schedule(training, -(-len(self.sampler) // training.batch))
        trained = {n: a for n, a in tagger.arrays.items() if n != "E" or not config.frozen}
        kind = optim.BY_NAME[training.optimizer]
        options: dict[str, Any] = {} if kind.takes_rows else {"dense": True}
        self.optimizer = kind(trained, lr=self.rate, **options)
        self._draw(0)

    def _draw(self, epoch: int) -> None:
        """Draw the samples of an epoch; they depend on seed and epoch alone."""
        self.epoch = epoch
        self.sampler.draw(np.random.default_rng([self.training.seed, epoch]))

    def step(self, numbers: NDArray[np.intp]) -> dict[str, float]:
        """Train on some samples of the epoch; give their mean loss and share of active ones."""
        batch = self._dropped(self.sampler.take(numbers), int(numbers[0]))
        found = self.engine(self.tagger.arrays, batch)
        if found.active:
            trained = self.optimizer.parameters
            self.optimizer.step({name: g for name, g in found.arrays.items() if name in trained})
        else:
            self.optimizer.steps_done += 1  # the schedule goes on, nothing moves
        if self.tagger.config.loss_name in ALWAYS:
            return {"loss": found.loss}
        return {"loss": found.loss, "active": 100 * found.active}

    def _dropped(self, batch: Batch, first: int) -> Batch:
        """Draw which inputs are dropped (L19); no two batches of an epoch begin alike."""
        p = self.tagger.config.dropout
        if not p:
            return batch
        rng = np.random.default_rng([self.training.seed, self.epoch, first])
        kept = rng.random((len(batch.ids), self.tagger.config.window_inputs), np.float32) >= p
        return batch._replace(mask=np.where(kept, 1 / (1 - p), 0.0))

    def next_epoch(self, dev_f1: float) -> None:
        """Draw anew after an epoch."""
        self._draw(self.epoch + 1)
        if isinstance(self.rate, schedules.Plateau):
            self.rate.report(-dev_f1)

    def state_dict(self) -> dict[str, Any]:
        """Give all that training has changed."""
        return {
            "arrays": states.capture(self.tagger.arrays),
            "numbers": [getattr(self.tagger, name) for name in NUMBERS],
            "optimizer": self.optimizer.state_dict(),
            "epoch": self.epoch,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take over what `state_dict` gave; ValueError where it is of another model."""
        check_state(self, state, arrays=is_any, optimizer=is_any, numbers=is_list, epoch=is_count)
        numbers = dict(zip_longest(NUMBERS, state["numbers"]))
        check_state(self.tagger, numbers, **dict.fromkeys(NUMBERS, is_real))
        states.restore(self.tagger.arrays, state["arrays"])
        vars(self.tagger).update(numbers)
        self.optimizer.load_state_dict(state["optimizer"])
        self._draw(int(state["epoch"]))


def schedule(training: Training, updates: int) -> Any:
    """Give the rate as a function of the updates done, `updates` to an epoch."""
    found = schedules.BY_NAME[training.schedule](training.rate, training.epochs)
    return found if isinstance(found, schedules.Plateau) else schedules.by_epoch(found, updates)


def _keep_freed_memory() -> None:
    """Let the C library keep what a batch frees for the next: a third of an epoch's time.

    glibc gives freed memory back to the system, which clears every page anew, until it has seen a
    large array freed: then it keeps twice as much. No page of this one is ever touched.
    """
    np.empty(3 << 20)


def train(
    tagger: WindowModel,
    sentences: Sequence[Sentence],
    dev: Sequence[Sentence],
    training: Training,
    *,
    pretrained: str | os.PathLike[str] | None = None,
    others: Sequence[Sentence] = (),
    checkpoint: str | os.PathLike[str] | None = None,
    resume: bool = False,
    say: Say = lambda _: None,
    progress: bool = False,
) -> History:
    """Start a tagger's parameters and train them; the best epoch on `dev` is kept.

    The history has the columns loss, for margins active (percent of samples with a loss),
    dev_loss and dev_f1.
    `checkpoint` is written after every epoch, and on Ctrl-C, which raises Interrupted.
    ValueError where there is nothing to learn, or the loss is no longer a number.
    """
    _check_tags(sentences, dev, tagger.label)
    if found := tagger.start(sentences, training.seed, pretrained, [*dev, *others]):
        say(found.describe())
    trainer, judge = Trainer(tagger, sentences, training), Judge(tagger, dev)
    say(_described(trainer, dev))
    with np.errstate(over="ignore", invalid="ignore"):  # fit stops at a loss that is no number
        history = fit(
            trainer.step,
            np.arange(len(trainer.sampler)),
            training.epochs,
            batch_size=training.batch,
            seed=training.seed,
            evaluate=partial(_evaluated, trainer, judge),
            stop=EarlyStopping("dev_f1", training.patience, "max"),
            checkpoint=checkpoint,
            resume=resume,
            state=trainer,
            settings=_settings(tagger, training, sentences, dev),
            progress=progress,
        )
    _check_outcome(history, training, say)
    return history


def _settings(
    tagger: WindowModel, training: Training, train: Sequence[Sentence], dev: Sequence[Sentence]
) -> dict[str, Any]:
    """Name what a run's result depends on; more epochs may follow, so their number is not there."""
    return {
        **asdict(tagger.config),
        **{name: value for name, value in asdict(training).items() if name != "epochs"},
        "labels": tagger.labels,
        "words": states.digest([forms.words for forms in tagger.vocabularies.values()]),
        "starting parameters": states.digest(tagger.arrays),
        "training sentences": states.digest([(s.words, s.tags) for s in train]),
        "dev sentences": states.digest([(s.words, s.tags) for s in dev]),
    }


def _described(trainer: Trainer, dev: Sequence[Sentence]) -> str:
    vocabulary = trainer.tagger.vocabulary
    rate = 100 * np.mean([vocabulary.id(word) == 0 for s in dev for word in s.words])
    return (
        f"{counted(len(trainer.sampler), 'sample')} an epoch, {counted(len(vocabulary), 'word')}; "
        f"{rate:.1f} % of the dev tokens are unknown words"
    )


def _evaluated(trainer: Trainer, judge: Judge) -> dict[str, float]:
    """Judge an epoch and begin the next; ValueError where the scores are no numbers."""
    try:
        f1 = judge.f1()
    except ValueError as error:
        raise ValueError(f"{error}; {_remedy(trainer.training)}. No model was written") from None
    trainer.next_epoch(f1)
    return judge.loss() | {"dev_f1": f1}


def _check_tags(train: Sequence[Sentence], dev: Sequence[Sentence], label: str | None) -> None:
    """Raise ValueError unless training and dev sentences hold what is to be learned."""
    for name, sentences in (("training", train), ("dev", dev)):
        kinds = types_in(sentences)
        if not kinds:
            raise ValueError(f"the {name} sentences hold no entity; there is nothing to learn from")
        if label and label not in kinds:
            raise ValueError(
                f"the {name} sentences hold no entity of type {label}; they have "
                f"{', '.join(kinds)}: choose another --type{' or --dev' * (name == 'dev')}"
            )


def _check_outcome(history: History, training: Training, say: Say) -> None:
    remedy = _remedy(training)
    losses = [row["loss"] for row in history.rows]
    if "loss was" in history.stopped or not np.isfinite(losses).all():
        what = history.stopped or f"the loss was {losses[-1]} in epoch {len(losses)}"
        raise ValueError(f"{what}; {remedy}. No model was written")
    if history.stopped:
        say(f"stopped after epoch {len(history)}: {history.stopped}")
    if collapsed(history):
        say(
            f"training has collapsed: the loss rose from {history['loss'][0]:.4g} to "
            f"{history['loss'][-1]:.4g}, with {history['active'][-1]:.0f} % of the samples active; "
            f"{remedy}"
        )


def _remedy(training: Training) -> str:
    rate = training.rate
    return f"the learning rate {rate:g} is too high for this model: try --rate {rate / 4:g}"


def collapsed(history: History) -> bool:
    """Say whether the loss rose, and samples that should grow quiet did not."""
    if "active" not in history.columns:
        return False
    loss, active = history["loss"], history["active"]
    return loss[-1] > loss[0] and active[-1] > COLLAPSED
