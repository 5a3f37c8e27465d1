"""Run a scalar function once, on Values, and say which leaves are inputs and parameters."""

from __future__ import annotations

import inspect
import re
import traceback
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from micrograd.core.modes import comparisons_reported, lookups_reported
from micrograd.engine import Value
from micrograd.lowering.trace.declared import INPUT, PARAMETER, Declared, declared
from micrograd.lowering.trace.lookups import Lookup, Lookups
from micrograd.lowering.trace.parameters import parameters_around
from micrograd.lowering.trace.places import ours, user_line
from micrograd.ops import DomainError

# What Python and NumPy say to a Value in place of an integer: in brackets, in int() and range().
_CHOOSES = re.compile(r"indices must be integers|indices must be of integer|valid indices|"
                      r"int\(\) .*'Value'|'Value' object cannot be interpreted")  # fmt: skip
_NO_CHOICE = (
    "While the function is traced, a number of the sample chooses nothing, or the program would "
    "choose the same for every sample; look rows up by micrograd.nn.Embedding, give a class as "
    "nn.one_hot(y, count)"
)
_COMPUTES = re.compile(r"must be (a )?real number, not '?Value|argument must be .* not 'Value'")


class Trace(NamedTuple):
    """What a graph is lowered from: the loss, the arrays given, and where the trace began.

    Leaves made before `start` are parameters, unless `parameters` names those.
    """

    root: Value
    arrays: list[Declared]
    start: int | None
    batched: bool
    lookups: Sequence[Lookup] = ()
    around: Sequence[Declared] = ()  # parameters by the names that the function reads them by


def trace(function: Callable[..., Any], samples: Sequence[Any], names: Sequence[str] | None,
          parameters: Any) -> Trace:  # fmt: skip
    """Record `function` on one sample. Raises ValueError where it branches on a Value."""
    names = list(names) if names is not None else _argument_names(function, len(samples))
    if len(names) != len(samples):
        raise ValueError(f"{len(names)} names ({', '.join(names)}) for {len(samples)} samples")
    marker = Value(0.0)
    inputs = [as_values(sample) for sample in samples]
    arrays = [declared(name, INPUT, x) for name, x in zip(names, inputs)]
    lookups = Lookups(arrays)
    with comparisons_reported(_refuse), lookups_reported(lookups):
        root = _called_on(function, inputs)
    if not isinstance(root, Value):
        raise ValueError(f"{_called(function)} returned {_described(root)}; a loss to lower is "
                         "one Value: the loss of one sample")  # fmt: skip
    around = [] if parameters else parameters_around(function, names)
    return Trace(root, arrays + given_parameters(parameters), marker._index, True,
                 list(lookups.recorded.values()), around)  # fmt: skip


def given_parameters(parameters: Any) -> list[Declared]:
    """Return the arrays of a dict of nested lists of Values."""
    return [declared(name, PARAMETER, nested) for name, nested in dict(parameters or {}).items()]


def _argument_names(function: Callable[..., Any], count: int) -> list[str]:
    try:
        arguments = [p for p in inspect.signature(function).parameters.values()
                     if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]  # fmt: skip
    except (TypeError, ValueError):
        arguments = []
    names = [p.name for p in arguments[:count]]
    return names + [f"x{i + 1}" for i in range(len(names), count)]


def as_values(sample: Any) -> Any:
    """Return a sample as nested lists of fresh Values."""
    if isinstance(sample, Value):
        return Value(sample.data, label=sample.label)
    if isinstance(sample, np.ndarray):
        return as_values(sample.tolist())
    if isinstance(sample, Iterable):
        return [as_values(part) for part in sample]
    return Value(sample)


def _called_on(function: Callable[..., Any], inputs: Sequence[Any]) -> Any:
    """Call the function; its numeric errors name its line.

    Raises ValueError where it takes a Value for a number.
    """
    try:
        return function(*inputs)
    except DomainError as error:
        raise DomainError(f"{_line_of(error)}: {error}") from error
    except (TypeError, LookupError) as error:
        if _CHOOSES.search(str(error)) or isinstance(next(iter(error.args), 0), Value):
            remedy = _NO_CHOICE
        elif _COMPUTES.search(str(error)):
            remedy = "Write it as an operation of the Value: x.exp(), x.log(), x.tanh()"
        else:
            raise
        raise ValueError(f"{_line_of(error)}: {error}. {remedy}") from error


def _line_of(error: BaseException) -> str:
    """Return the last line of the user's code that an error went through."""
    frames = traceback.walk_tb(error.__traceback__)
    places = [f"{f.f_code.co_filename}:{line}" for f, line in frames if not ours(f)]
    return (places or [user_line()])[-1]


def _refuse() -> None:
    raise ValueError(
        f"{user_line()}: two Values are compared while the function "
        "is traced, so the program would follow this one sample's branch for every sample; write "
        "the choice as an operation: x.max(y), x.min(y), x.relu(), x.abs()"
    )


def _called(function: Callable[..., Any]) -> str:
    return getattr(function, "__name__", type(function).__name__)


def _described(root: Any) -> str:
    if isinstance(root, (list, tuple)):
        return f"a {type(root).__name__} of {len(root)}"
    return f"{root!r} ({type(root).__name__})"
