"""Parameters as optimisers take them: a list, by name, or groups of them with options."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from numbers import Real
from typing import Any

from micrograd.core.checks import is_several
from micrograd.optim.gradients import is_array
from micrograd.printing import shorten


def grouped(params: Any) -> list[dict[str, Any]]:
    """Return `params` as groups, dicts with parameters under "params"."""
    if isinstance(params, Mapping):
        return [{"params": params}]
    listed = list(_listed(params))
    if all(isinstance(p, Mapping) for p in listed):
        return [_group(group) for group in listed]
    return [{"params": listed}]


def _group(group: Mapping[str, Any]) -> dict[str, Any]:
    if "params" not in group:
        raise ValueError(f"a group has its parameters under 'params', unlike {shorten(group)}")
    params = group["params"]
    return {**group, "params": params if isinstance(params, Mapping) else list(_listed(params))}


def _listed(params: Any) -> Iterable[Any]:
    """Return parameters. Raises TypeError where they are neither a list nor as good as one."""
    if hasattr(params, "parameters"):
        own = f".parameters{'()' * callable(params.parameters)}"
        kind = type(params).__name__
        raise TypeError(f"an optimiser takes parameters, not the {kind}: pass its {own}")
    if isinstance(params, (str, set, frozenset)) or not is_several(params):
        raise TypeError(f"an optimiser takes a list or dict of parameters, not {shorten(params)}")
    return params


def by_name(params: Any, offset: int) -> Iterable[tuple[str, Any]]:
    """Return parameters with their names; of a list they are numbers, from `offset` on."""
    if isinstance(params, Mapping):
        return params.items()
    return [(str(offset + i), parameter) for i, parameter in enumerate(params)]


def data_of(parameter: Any) -> Any:
    """Return what a rule moves: an array itself, the data of a Value. Raises TypeError."""
    if is_array(parameter):
        return parameter
    if getattr(parameter, "parents", ()):
        raise TypeError(f"a parameter is a leaf; {shorten(parameter)} is computed from others")
    if isinstance(parameter, Real) or not hasattr(parameter, "data"):  # NumPy's numbers have some
        raise TypeError(
            f"a parameter is a Value or an array, not {shorten(parameter)}; one array is a list of "
            "one, [array], and groups are a list: [{'params': [...], 'lr': 0.1}]"
        )
    return parameter.data
