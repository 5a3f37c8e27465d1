"""Functions made by functions: pickled and copied by how they were made, as closures cannot be."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
F = TypeVar("F", bound=Callable[..., Any])


class Remade:
    """Call `function`, which `maker` made of these arguments, and makes again of their copies."""

    def __init__(self, function: Any, maker: Any, arguments: Any, options: Any) -> None:
        self.function, self.maker = function, maker
        self.arguments, self.options = arguments, options
        self.__qualname__ = function.__qualname__

    def __call__(self, argument: Any) -> Any:
        return self.function(argument)

    def __repr__(self) -> str:
        given = [*map(repr, self.arguments), *(f"{k}={v!r}" for k, v in self.options.items())]
        return f"{self.maker.__name__.lstrip('_')}({', '.join(given)})"  # product of warm_up

    def __reduce__(self) -> tuple[Any, ...]:
        return again, (self.maker, self.arguments, self.options)


def again(maker: Any, arguments: Any, options: Any) -> Any:
    """Return what `maker` makes."""
    return maker(*arguments, **options)


def remade(maker: Callable[P, F]) -> Callable[P, F]:
    """Let what `maker`, a function of a module, returns be pickled and copied."""

    @wraps(maker)
    def make(*arguments: P.args, **options: P.kwargs) -> Any:
        return Remade(maker(*arguments, **options), make, arguments, options)

    return make
