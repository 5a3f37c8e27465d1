"""What networks have in common: parameters with names, and a switch for training."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path as FilePath
from types import BuiltinFunctionType, FunctionType
from typing import Any, TypeVar

from micrograd.checkpoint import capture, digest, load_state, restore, save_state
from micrograd.core.checks import check_flags
from micrograd.engine import Value
from micrograd.nn.search import Path, Search, attributes
from micrograd.nn.search import name as name_of
from micrograd.optim.gradients import is_array
from micrograd.optim.options import called

Self = TypeVar("Self", bound="Module")
SWITCHED = ("training", "scope")  # attributes on which no result of a training depends
BIASES = ("b", "bias")  # the attributes that penalties leave out


class Module:
    """Hold parameters: every leaf Value in an attribute, or in a container or Module there.

    A container is a list, tuple, deque, dict or NumPy array of Values; parameters in anything else
    raise TypeError. An attribute whose name begins with an underscore holds none. A Value that was
    detached is a constant: it is saved, and not trained.
    """

    training = True

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"  # rather than an address, in messages and notebooks

    def _repr_html_(self) -> str:
        from micrograd.displays import table_html

        named = self.named_parameters().items()
        rows = [(name, p.data, p.grad) for name, p in named]
        return table_html(("parameter", "value", "grad"), rows, repr(self))

    def parameters(self) -> list[Value]:
        """Return the parameters, each once; a Module within that overrides this gives its own."""
        return [held for _, held in self._held(trained=True) if is_parameter(held)]

    def named_parameters(self) -> dict[str, Value]:
        """Return the parameters by name, such as "layers.0.neurons.3.w.1"."""
        return {name: held for name, held in self._stateful().items() if is_parameter(held)}

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
        check_flags(training=training)
        for module in self.modules():
            module.training = bool(training)
        return self

    def eval(self: Self) -> Self:
        """Switch this Module and those within to prediction; return it."""
        return self.train(False)

    def state_dict(self) -> dict[str, Any]:
        """Return what training changes, by name: parameters, and states of random generators.

        Raises TypeError where a parameter would be left out, ValueError where two have one name.
        """
        self._check_overridden()
        return {name: capture(item) for name, item in self._stateful().items()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take over what `state_dict()` gave.

        Raises ValueError, and changes nothing, where `state` is another network's.
        """
        restore(self._stateful(), state)

    def settings(self) -> dict[str, Any]:
        """Return what makes this network, but its state, by name: "layers.0.activation".

        These are numbers, text, flags, arrays by a digest and functions by their names, in
        attributes whose name does not begin with an underscore.
        """
        modules = [(path, held) for path, held in self._held() if isinstance(held, Module)]
        return {
            name_of((path, key)): plain
            for path, module in modules
            for key, item in attributes(module)
            if key not in SWITCHED and (plain := _as_setting(item)) is not None
        }

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
        """Return what training changes by name. Raises ValueError where two have one name."""
        pairs = [(name_of(path), item) for path, item in self._held()]
        items = [(own, item) for own, item in pairs if not isinstance(item, Module)]
        named = dict(items)
        if len(named) < len(items):
            twice = next(own for own, item in items if named[own] is not item)
            raise ValueError(f"{type(self).__name__} has two items named {twice}")
        return named

    def _held(self, trained: bool = False) -> Iterable[tuple[Path, Any]]:
        """Return this Module, and the Modules, leaf Values and random generators within."""
        search = Search(self, Module, trained)
        search.check()
        return search.items.values()

    def _check_overridden(self) -> None:
        """Raise TypeError where a `parameters()` of one's own gives what the search misses."""
        search = Search(self, Module)
        for path, module in [*search.items.values()]:
            if search.overrides(module):
                inner = (path, "parameters()")
                search.check_known(module.parameters(), inner, "list")


def is_parameter(held: Any) -> bool:
    """Tell whether this is a Value to be trained: what was detached is a constant."""
    return isinstance(held, Value) and not held.constant


def _as_setting(item: Any) -> Any:
    """Return an attribute as settings have it; None of what is no setting."""
    if isinstance(item, (bool, int, float, str)):
        return item if item == item else repr(item)  # nan would be another run's
    if isinstance(item, (list, tuple)) and item and all(_as_setting(x) is not None for x in item):
        return [_as_setting(x) for x in item]
    if isinstance(item, (FunctionType, BuiltinFunctionType, type)):
        return called(item)
    return digest(item) if is_array(item) and item.dtype.kind != "O" else None
