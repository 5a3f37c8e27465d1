"""What networks have in common: parameters with names, and a switch for training."""

from __future__ import annotations

import os
import random
from collections.abc import Iterable
from pathlib import Path as FilePath
from typing import Any, TypeVar

from micrograd.checkpoint import capture, load_state, restore, save_state
from micrograd.core.kinds import LEAF
from micrograd.engine import Value

Self = TypeVar("Self", bound="Module")
Path = tuple[Any, ...]  # how to get at an item: (the path of what holds it, its key there), or ()
BIASES = ("b", "bias")  # the attributes that penalties leave out


class Module:
    """Hold parameters: every leaf Value in an attribute, or in a list, dict or Module there.

    An attribute whose name begins with an underscore holds none.
    """

    training = True

    def _repr_html_(self) -> str:
        from micrograd.render.displays import table_html

        named = self.named_parameters().items()
        rows = [(name, p.data, p.grad) for name, p in named]
        return table_html(("parameter", "value", "grad"), rows, repr(self))

    def parameters(self) -> list[Value]:
        """Return the parameters, each once."""
        return [held for _, held in self._held() if isinstance(held, Value)]

    def named_parameters(self) -> dict[str, Value]:
        """Return the parameters by name, such as "layers.0.neurons.3.w.1"."""
        return {name: held for name, held in self._stateful().items() if isinstance(held, Value)}

    def weights(self) -> list[Value]:
        """Return the parameters that are no biases: those that penalties apply to."""
        named = self.named_parameters().items()
        return [p for name, p in named if name.rpartition(".")[2] not in BIASES]

    def modules(self) -> list[Module]:
        """Return this Module and those within, each once."""
        return [held for _, held in self._held() if isinstance(held, Module)]

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

    def save(self, path: str | os.PathLike[str]) -> FilePath:
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
        return {_name(path): h for path, h in self._held() if not isinstance(h, Module)}

    def _held(self) -> Iterable[tuple[Path, Any]]:
        """Return this Module, and the Modules, leaf Values and random generators within."""
        found: dict[int, tuple[Path, Any]] = {id(self): ((), self)}
        _collect((), _attributes(self), found)
        return found.values()


def _attributes(module: Module) -> list[tuple[str, Any]]:
    return [pair for pair in vars(module).items() if not pair[0].startswith("_")]


def _collect(path: Path, items: Iterable[tuple[Any, Any]], found: dict[int, Any]) -> None:
    for key, item in items:
        if isinstance(item, Value):
            if item._operation is LEAF:
                found.setdefault(id(item), ((path, key), item))
        elif isinstance(item, (list, tuple)):
            _collect((path, key), enumerate(item), found)
        elif isinstance(item, dict):
            _collect((path, key), item.items(), found)
        elif isinstance(item, random.Random):
            found.setdefault(id(item), ((path, key), item))
        elif isinstance(item, Module) and id(item) not in found:
            found[id(item)] = (path, key), item
            _collect((path, key), _attributes(item), found)


def _name(path: Path) -> str:
    parts: list[str] = []
    while path:
        path, key = path
        parts.append(str(key))
    return ".".join(reversed(parts))
