"""What networks have in common: parameters with names, and a switch for training."""

from __future__ import annotations

import os
import random
from collections.abc import Iterable
from pathlib import Path
from typing import Any, TypeVar

from micrograd.checkpoint import capture, load_state, restore, save_state
from micrograd.engine import Value
from micrograd.operations import LEAF

Self = TypeVar("Self", bound="Module")
BIASES = ("b", "bias")  # the attributes that penalties leave out


class Module:
    """Hold parameters: every leaf Value in an attribute, or in a list, dict or Module there.

    An attribute whose name begins with an underscore holds none.
    """

    training = True

    def parameters(self) -> list[Value]:
        """Return the parameters, each once."""
        return list(self.named_parameters().values())

    def named_parameters(self) -> dict[str, Value]:
        """Return the parameters by name, such as "layers.0.neurons.3.w.1"."""
        return {name: held for name, held in self._held().items() if isinstance(held, Value)}

    def weights(self) -> list[Value]:
        """Return the parameters that are no biases: those that penalties apply to."""
        named = self.named_parameters().items()
        return [p for name, p in named if name.rpartition(".")[2] not in BIASES]

    def modules(self) -> list[Module]:
        """Return this Module and those within, each once."""
        return [held for held in self._held().values() if isinstance(held, Module)]

    def zero_grad(self) -> None:
        """Set the gradient of every parameter to 0."""
        for parameter in self.parameters():
            parameter.grad = 0.0

    def train(self: Self, training: bool = True) -> Self:
        """Switch this Module and those within to training, where dropout drops; return it."""
        for module in self.modules():
            module.training = training
        return self

    def eval(self: Self) -> Self:
        """Switch this Module and those within to prediction; return it."""
        return self.train(False)

    def state_dict(self) -> dict[str, Any]:
        """Return what training changes, by name: parameters, and states of random generators."""
        return {name: capture(item) for name, item in self._stateful().items()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take over what `state_dict()` gave.

        Raises ValueError, and changes nothing, where `state` is another network's.
        """
        restore(self._stateful(), state)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the state to `path`, whose ending .json or .npz chooses the format."""
        return save_state(path, self.state_dict())

    def load(self: Self, path: str | os.PathLike[str]) -> Self:
        """Take over the state in the file `path`; return this Module.

        Raises ValueError, and changes nothing, where the file is damaged or another network's.
        """
        state = load_state(path)
        try:
            self.load_state_dict(state)
        except ValueError as error:
            raise ValueError(f"{path}: {error}") from error
        return self

    def _stateful(self) -> dict[str, Any]:
        return {name: h for name, h in self._held().items() if not isinstance(h, Module)}

    def _held(self) -> dict[str, Any]:
        """Return the Modules, leaf Values and random generators within, by name."""
        found: dict[int, tuple[str, Any]] = {}
        _collect("", self, found)
        return dict(found.values())


def _collect(name: str, item: Any, found: dict[int, tuple[str, Any]]) -> None:
    if isinstance(item, Value):
        if item._operation is LEAF:
            found.setdefault(id(item), (name, item))
    elif isinstance(item, (list, tuple)):
        _collect_all(name, enumerate(item), found)
    elif isinstance(item, dict):
        _collect_all(name, item.items(), found)
    elif isinstance(item, random.Random):
        found.setdefault(id(item), (name, item))
    elif isinstance(item, Module) and id(item) not in found:
        found[id(item)] = name, item
        public = (pair for pair in vars(item).items() if not pair[0].startswith("_"))
        _collect_all(name, public, found)


def _collect_all(
    name: str, items: Iterable[tuple[Any, Any]], found: dict[int, tuple[str, Any]]
) -> None:
    prefix = f"{name}." if name else ""
    for key, item in items:
        _collect(f"{prefix}{key}", item, found)
