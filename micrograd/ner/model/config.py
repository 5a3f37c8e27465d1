"""Every choice of a tagger and of its training, with the defaults that were measured best."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, get_type_hints

from micrograd import optim, schedules
from micrograd.core.checks import check_finite, check_flags, check_name, check_whole
from micrograd.ner.model.features import NAMES, WORDS, chosen

KINDS = ("margin", "softmax", "multiclass", "sequence")
ACTIVATIONS = ("tanh", "relu", "hard_tanh", "sigmoid")
SAMPLERS = ("window", "word")
LEAST = {"rare": 0, "seed": 0, "min_count": 0}  # of the others there is at least one


@dataclass(frozen=True)
class Config:
    """What a tagger is; saved with it.

    `label` is the type the margin scorer separates from the rest, `delta` its margin, `corrupt`
    the number of corrupt windows per true one; a sequence model's `loss` is margin or likelihood.
    `min_count` 2 turns words seen once into the unknown word; words seen up to `rare` times are
    unknown half of the time in training, and so are the inputs, with probability `dropout`, 0.
    `viterbi` lets a classifier give legal sequences of tags only.
    """

    kind: str = "margin"
    loss: str = "margin"
    label: str = "LOC"
    scheme: str = "BIOES"
    width: int = 5
    dim: int = 10
    features: tuple[str, ...] = ("case", "shape")
    case_dim: int = 5
    affix_dim: int = 5
    hidden: int = 20
    activation: str = "tanh"
    average: bool = False
    dropout: float = 0.0
    rare: int = 0
    viterbi: bool = True
    delta: float = 1.0
    corrupt: int = 5
    sampler: str = "window"
    min_count: int = 2
    lower: bool = True
    fold_digits: bool = True
    frozen: bool = False

    def __post_init__(self) -> None:
        names = self.features  # a text would be its letters
        if not isinstance(names, (list, tuple)) or not all(isinstance(x, str) for x in names):
            raise TypeError(f"features is a list of names, not {names!r}")
        object.__setattr__(self, "features", tuple(names))
        _check_kinds(self)
        if self.width % 2 == 0:
            raise ValueError(f"window width {self.width}: it must be odd: a word is its centre")
        check_name("model", self.kind, KINDS)
        check_name("activation", self.activation, ACTIVATIONS)
        check_name("sampler", self.sampler, SAMPLERS)
        chosen(self.features)
        check_name("loss of a sequence", self.loss, ("margin", "likelihood"))
        check_name("tag scheme to train in", self.scheme, ("BIO", "BIOES"))
        if not 0 <= self.dropout < 1:
            raise ValueError(f"dropout {self.dropout}: it must be 0 or more, and below 1")
        if self.delta < 0:
            raise ValueError(f"delta {self.delta}: it may not be below 0")

    @property
    def loss_name(self) -> str:
        """Name the loss in `LOSSES`."""
        return f"sequence {self.loss}" if self.kind == "sequence" else self.kind

    @cached_property
    def tables(self) -> tuple[tuple[str, int], ...]:
        """Give the tables that a word is looked up in, and how long their vectors are."""
        widths = {"case": self.case_dim}
        own = ((f.table, widths.get(f.name, self.affix_dim)) for f in chosen(self.features))
        return (WORDS, self.dim), *own

    @cached_property
    def word_inputs(self) -> int:
        """Count the numbers that describe one word of the window."""
        return sum(width for _, width in self.tables)

    @property
    def window_inputs(self) -> int:
        """Count the numbers that describe a window."""
        return self.width * self.word_inputs


@dataclass(frozen=True)
class Training:
    """How a tagger is trained: the rate follows the schedule, a batch has pairs or sentences."""

    epochs: int = 20
    batch: int = 1
    optimizer: str = "sgd"
    rate: float = 0.1
    schedule: str = "decay"
    patience: int = 10
    engine: str = "arrays"
    seed: int = 0

    def __post_init__(self) -> None:
        _check_kinds(self)
        check_name("optimizer", self.optimizer, optim.BY_NAME)
        check_name("schedule", self.schedule, schedules.BY_NAME)
        if not self.rate > 0:
            raise ValueError(f"learning rate {self.rate}: it must be above 0")


def _check_kinds(choices: Config | Training) -> None:
    """Raise TypeError or ValueError where a choice is of another kind, or too small."""
    for name, kind in get_type_hints(type(choices)).items():
        value = getattr(choices, name)
        if kind is bool:
            check_flags(**{name: value})
        elif kind is float:
            check_finite(**{name: value})
        elif kind is int:
            check_whole(name, value, LEAST.get(name, 1))
        elif kind is str and not isinstance(value, str):
            raise TypeError(f"{name} is text, not {value!r}")


# The lectures' window.
PLAIN: dict[str, Any] = {"features": (), "dropout": 0.0, "rare": 0, "viterbi": False}


def defaults(kind: str, plain: bool = False, **changes: Any) -> tuple[Config, Training]:
    """Give the configuration that suits a model, with some of its fields changed.

    The margin scorer is trained pair by pair, the others on mini-batches of sentences. `plain`
    leaves all but the words of the window away: the lectures' form (L37).
    """
    if kind == "margin":
        config, training = Config(), Training()
    else:
        config = Config(kind, dim=50, hidden=300, features=NAMES, affix_dim=10, dropout=0.5, rare=3)
        rate = 0.05 if kind == "sequence" else 0.02
        training = Training(20, 8, "adagrad", rate, "constant", patience=6)
    changes = (PLAIN if plain else {}) | changes
    own = {name: value for name, value in changes.items() if hasattr(config, name)}
    rest = {name: value for name, value in changes.items() if name not in own}
    return replace(config, **own), replace(training, **rest)
