"""Random trainings, stopped in random batches and resumed, are the same as uninterrupted."""

import random
import signal
from contextlib import suppress
from functools import partial

import pytest

from micrograd import optim, schedules
from micrograd.nn import MLP, Dropout, Embedding, Module
from micrograd.training import EarlyStopping, Interrupted, descent, fit

SEEDS = 40
SCHEDULES = (
    schedules.constant,
    partial(schedules.step, every=3),
    partial(schedules.exponential, k=0.05),
    partial(schedules.inverse, tau=4),
    partial(schedules.linear, last=0.001, steps=15),
    partial(schedules.cosine, steps=15),
    lambda rate: schedules.warm_up(schedules.by_epoch(schedules.step(rate, 2), 3), 5),
)


class Tagger(Module):
    """An embedding, maybe dropout, and a network."""

    def __init__(self, rng):
        self.table = Embedding(4, 2)
        self.drop = Dropout(rng.choice([0.5, 0.8]), rng.random() < 0.5, rng.random() < 0.3, seed=5)
        self.dropped = rng.random() < 0.5
        self.network = MLP(2, [3, 1], rng.choice(["tanh", "relu", "sigmoid"]))

    def __call__(self, i):
        x = self.table(i)
        return self.network(self.drop(x) if self.dropped else x)


def press():
    signal.raise_signal(signal.SIGINT)  # Ctrl-C: the run goes on from the next batch


def crash():
    raise CrashError  # it goes on from the end of the last epoch


class CrashError(Exception):
    pass


class Training:
    """One training, drawn by a seed: whoever draws it again has the same."""

    def __init__(self, seed):
        rng = random.Random(seed)
        random.seed(seed)
        self.model = Tagger(rng)
        rule = optim.BY_NAME[rng.choice([name for name in optim.BY_NAME if name != "sparseadam"])]
        self.plateau = schedules.Plateau(0.1, 0.5, 0)
        self.watched = rng.random() < 0.3
        lr = self.plateau if self.watched else rng.choice([0.03, *(s(0.05) for s in SCHEDULES)])
        options = {"weight_decay": rng.choice([0.0, 0.01])}
        if rule is optim.SGD and rng.random() < 0.7:
            options |= {"momentum": 0.9, "nesterov": rng.random() < 0.5}
        clip = rng.choice([None, optim.clip_norm(0.5), optim.clip_value(0.1)])
        parameters = self.model.parameters()
        if rng.random() < 0.3:
            parameters = [{"params": parameters[:5], "lr": 0.01}, {"params": parameters[5:]}]
        self.optimizer = rule(parameters, lr=lr, clip=clip, **options)
        self.noise = rng.choice([0.0, 0.1])
        self.stop = rng.choice([None, EarlyStopping(patience=1), EarlyStopping("score", 2, "max")])
        self.data = [(rng.randrange(4), rng.uniform(-1, 1)) for _ in range(rng.randint(3, 9))]
        self.options = {"batch_size": rng.randint(1, 4), "seed": rng.choice([None, 0, 7])}
        self.epochs = rng.randint(1, 5)
        self.breaks = [(rng.randint(1, 12), rng.choice([press, crash])) for _ in range(3)]

    def loss(self, batch):
        noise = self.noise * random.random()
        return sum((self.model(i) - y + noise) ** 2 for i, y in batch) / len(batch)

    def run(self, stopped_at=None, by=None, **options):
        """Train; stop in one batch."""
        batches = 0

        def loss(batch):
            nonlocal batches
            batches += 1
            if batches == stopped_at:
                by()
            return self.loss(batch)

        history = fit(
            descent(self.model, loss, self.optimizer),
            self.data,
            self.epochs,
            evaluate=lambda: {"score": -abs(self.model.table.rows[0][0].data)},
            after_epoch=[lambda row: self.plateau.report(row["loss"])] if self.watched else [],
            stop=self.stop,
            progress=False,
            **self.options,
            **options,
        )
        return history.rows, history.stopped, self.numbers()

    def numbers(self):
        return self.model.state_dict(), self.optimizer.state_dict(), random.random()


@pytest.mark.parametrize("seed", range(SEEDS))
def test_a_resumed_training_is_the_uninterrupted_one(seed, tmp_path):
    whole = Training(seed).run()
    file = tmp_path / "run.json"
    for stop in Training(seed).breaks:
        with suppress(Interrupted, CrashError):
            Training(seed).run(*stop, checkpoint=file, resume=True)
    assert Training(seed).run(checkpoint=file, resume=True) == whole
