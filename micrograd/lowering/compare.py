"""Compare a program with the scalar engine on random samples."""

from __future__ import annotations

import inspect
import random
import runpy
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from micrograd.engine import Value
from micrograd.lowering.program import Program
from micrograd.lowering.trace.record import as_values
from micrograd.optim.gradients import Rows


def loaded(text: str) -> tuple[Callable[..., Any], list[Any]]:
    """Return the function that FILE.py:FUNCTION names, and the sample its defaults are.

    Raises ValueError where there is none, or an argument has no default; OSError for the file.
    """
    path, colon, name = text.rpartition(":")
    if not colon or not path.endswith(".py"):
        raise ValueError(f"{text!r} is not FILE.py:FUNCTION")
    function = _run(path).get(name)
    if not callable(function):
        kind = "has no" if function is None else f"has {type(function).__name__}, no function, as"
        raise ValueError(f"{path} {kind} {name}")
    parameters = inspect.signature(function).parameters.values()
    missing = [p.name for p in parameters if p.default is p.empty]
    if missing:
        raise ValueError(f"{name} in {path} has no default for {', '.join(missing)}; write one "
                         f"sample there, such as def {name}({missing[0]}=[0.1, 0.2])")  # fmt: skip
    return function, [p.default for p in parameters]


def _run(path: str) -> dict[str, Any]:
    Path(path).read_bytes()  # a missing file is told apart from one that fails
    try:
        return runpy.run_path(path)
    except Exception as error:
        lines = [f.lineno for f in traceback.extract_tb(error.__traceback__) if f.filename == path]
        line = lines[-1] if lines else getattr(error, "lineno", 0) or 0
        raise ValueError(f"{path}:{line}: {type(error).__name__}: {error}") from error


def like(program: Program, function: Callable[..., Any], samples: Sequence[Any], count: int
         ) -> tuple[list[Any], list[str]]:  # fmt: skip
    """Return a batch of `count` samples like the one given, and the inputs that stay as they are.

    These are the ones that the function refuses to vary: a distribution sums to 1. Raises
    ValueError where the program has inputs that the function draws itself.
    """
    if len(program.inputs) != len(samples):
        drawn = ", ".join(program.inputs[len(samples) :])
        raise ValueError(f"{drawn}: drawn anew at every call of the function; to compare, switch "
                         "dropout off by eval()")  # fmt: skip
    rng = np.random.default_rng(0)
    given = [np.repeat(np.asarray(sample)[None], count, 0) for sample in samples]
    batch, held = list(given), []
    for i, (name, sample) in enumerate(zip(program.inputs, samples)):
        drawn = _drawn(rng, sample, count, program.ids.counts.get(name))
        if _accepts(function, [*given[:i], drawn, *given[i + 1 :]]):
            batch[i] = drawn
        else:
            held.append(name)
    return batch, held


def _accepts(function: Callable[..., Any], batch: Sequence[Any]) -> bool:
    try:
        for sample in zip(*batch):
            function(*map(as_values, sample))
    except ValueError:
        return False
    return True


def compared(program: Program, function: Callable[..., Any], batch: Sequence[Any]) -> float:
    """Return the largest difference of losses and gradients, relative to the largest number."""
    random.seed(0)
    count = len(batch[0]) if batch else 1
    value, gradients = program.value_and_grad(*batch)
    leaves = {name: program.leaf_values(name) for name in gradients}
    for values in leaves.values():
        for parameter in values.ravel().tolist():
            parameter.grad = 0.0
    total = Value(0.0)
    for i in range(count):
        total = total + function(*(as_values(x[i]) for x in batch))
    (total / count).backward()
    errors = [_difference(value, total.data / count)]
    for name, values in leaves.items():
        scalar = np.array([v.grad for v in values.ravel().tolist()]).reshape(values.shape)
        errors.append(_difference(dense(gradients[name], scalar.shape), scalar))
    return max(errors)


def _drawn(rng: np.random.Generator, sample: Any, count: int, rows: int | None) -> Any:
    """Return samples like the one given; where they are ids, ids of any of the table's rows."""
    shape = (count, *np.shape(sample))
    if rows is not None:
        return rng.integers(0, rows, shape)
    return np.asarray(sample, float) + rng.normal(0, 0.1, shape)


def dense(gradient: Any, shape: tuple[int, ...]) -> Any:
    """Return a gradient as an array, the rows of a table put in their places."""
    if not isinstance(gradient, Rows):
        return gradient
    whole = np.zeros(shape)
    np.add.at(whole, gradient.indices, gradient.rows)
    return whole


def _difference(a: Any, b: Any) -> float:
    return float(np.max(np.abs(a - b)) / max(float(np.max(np.abs(b))), 1e-300))
