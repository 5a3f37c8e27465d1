"""Every choice of a tagger and of its training, with the defaults that were found to work."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from micrograd.ner.model.models import MODELS, Shape


@dataclass(frozen=True)
class Config:
    """What a tagger is; saved with it.

    `label` is the type the margin scorer separates from the rest, `delta` its margin,
    `corrupt` the number of corrupt windows per true one. `min_count` 2 turns words seen once
    into the unknown word, which so gets a trained vector.
    """

    kind: str = "margin"
    label: str = "LOC"
    scheme: str = "BIOES"
    width: int = 5
    dim: int = 10
    case_dim: int = 5
    hidden: int = 20
    activation: str = "tanh"
    average: bool = False
    delta: float = 1.0
    corrupt: int = 5
    sampler: str = "window"
    min_count: int = 2
    lower: bool = True
    fold_digits: bool = True
    frozen: bool = False

    def __post_init__(self) -> None:
        self.shape(1)
        if self.scheme not in ("BIO", "BIOES"):
            raise ValueError(f"unknown tag scheme {self.scheme!r} to train in: use BIO or BIOES")

    def shape(self, outputs: int) -> Shape:
        """Give the sizes of the model with so many outputs."""
        return Shape(
            self.kind,
            self.width,
            self.dim,
            self.case_dim,
            self.hidden,
            outputs,
            self.activation,
            self.delta,
            self.average,
        )


@dataclass(frozen=True)
class Training:
    """How a tagger is trained; the rate of epoch e is given by the schedule."""

    epochs: int = 20
    batch: int = 1
    optimizer: str = "sgd"
    rate: float = 0.1
    schedule: str = "decay"
    patience: int = 10
    engine: str = "lowered"
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("epochs", "batch", "patience"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} {getattr(self, name)}: it must be 1 or more")


def defaults(kind: str, **changes: Any) -> tuple[Config, Training]:
    """Give the configuration that suits a model, with some of its fields changed.

    The margin scorer is trained pair by pair, the classifiers in mini-batches of 64.
    """
    if kind == "margin":
        config, training = Config(), Training()
    elif kind in MODELS:
        config = Config(kind, dim=50, hidden=300)
        rate = 0.5 if kind == "softmax" else 0.2
        training = Training(batch=64, rate=rate, schedule="constant", epochs=12, patience=5)
    else:
        raise ValueError(f"unknown model {kind!r}: expected one of {', '.join(MODELS)}")
    own = {name: value for name, value in changes.items() if hasattr(config, name)}
    rest = {name: value for name, value in changes.items() if name not in own}
    return replace(config, **own), replace(training, **rest)
