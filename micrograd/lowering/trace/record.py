"""Trace a scalar function: record it on one sample, and say what the leaves of its graph are."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from micrograd.core.modes import MODE
from micrograd.core.order import topological_order
from micrograd.core.places import called
from micrograd.engine import Value
from micrograd.lowering.scalars.columns import ScalarGraph, scalar_graph
from micrograd.lowering.trace.again import lasting
from micrograd.lowering.trace.call import call
from micrograd.lowering.trace.declared import Declared, declared_parameters
from micrograd.lowering.trace.lookups import Lookup
from micrograd.lowering.trace.parameters import parameters_around
from micrograd.lowering.trace.samples import as_values, shown
from micrograd.printing import counted, shorten


class Trace(NamedTuple):
    """What is lowered: a graph, and the leaves declared.

    Leaves made before the trace began, at `start`, or kept from call to call (`lasting`), are
    parameters, unless `parameters` names those. A recorded loss has no start.
    """

    graph: ScalarGraph
    arrays: list[Declared]
    start: int | None
    batched: bool
    lookups: Sequence[Lookup] = ()
    around: Sequence[Declared] = ()  # parameters by the names that the function reads them by
    lasting: frozenset[Value] = frozenset()


def trace(
    function: Callable[..., Any],
    samples: Sequence[Any],
    names: Sequence[str] | None,
    parameters: Any,
) -> Trace:
    """Record `function` on one sample.

    Raises TypeError or ValueError, with the line of the user's code, for all that one call cannot
    show for every sample: branches, numbers read, random numbers, no_grad().
    """
    _check(function, samples)
    names = _names(function, samples, names)
    values = [as_values(sample, name) for sample, name in zip(samples, names)]
    given = declared_parameters(parameters)
    first = call(function, names, values, [])
    kept = lasting(function, values, first)
    around = [] if parameters else parameters_around(function)
    lookups = list(first.lookups.recorded.values())
    return Trace(first.graph, first.inputs + given, first.start, True, lookups, around, kept)


def recorded(root: Value, samples: Sequence[Any], parameters: Any) -> Trace:
    """Return a recorded loss as a trace. Raises ValueError where samples are given beside."""
    if samples:
        raise ValueError(
            f"{counted(len(samples), 'sample')} beside a recorded loss, which has its numbers; "
            "give the function that computes the loss of a sample, to lower it for batches"
        )
    graph = scalar_graph(topological_order(root))
    return Trace(graph, declared_parameters(parameters), None, False)


def _check(function: Any, samples: Sequence[Any]) -> None:
    if not callable(function):
        raise TypeError(
            f"lower takes a function of one sample, or a Value, not {shown(function)}; for "
            "example lower(lambda x: x[0] * x[1], [0.1, 0.2])"
        )
    if not MODE.recording:
        raise ValueError(
            "lower() under no_grad(): nothing is recorded there; call it outside of the block"
        )
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        return
    try:
        signature.bind(*samples)
    except TypeError:
        raise TypeError(
            f"{called(function)}{signature} does not take {counted(len(samples), 'sample')}; give "
            "one for each argument: lower(f, [0.1, 0.2], 1.0)"
        ) from None


def _names(
    function: Callable[..., Any], samples: Sequence[Any], names: Sequence[str] | None
) -> list[str]:
    if names is None:
        return _argument_names(function, len(samples))
    names = [names] if isinstance(names, str) else list(names)
    wrong = [name for name in names if not isinstance(name, str)]
    if wrong:
        raise TypeError(
            f"names={shorten(names)}: {shown(wrong[0])} is no name; give one str per sample"
        )
    if len(names) != len(samples):
        given, many = counted(len(names), "name"), counted(len(samples), "sample")
        raise ValueError(f"{given} ({', '.join(names)}) for {many}")
    return names


def _argument_names(function: Callable[..., Any], count: int) -> list[str]:
    try:
        arguments = [
            p
            for p in inspect.signature(function).parameters.values()
            if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)
        ]
    except (TypeError, ValueError):
        arguments = []
    names = [p.name for p in arguments[:count]]
    return names + [f"x{i + 1}" for i in range(len(names), count)]
