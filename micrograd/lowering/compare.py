"""Compare a program with the scalar engine on random samples, of other signs and sizes."""

from __future__ import annotations

import inspect
import random
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from micrograd.core.order import topological_order
from micrograd.engine import Value
from micrograd.functions import dot
from micrograd.lowering.program import OutputProgram, Program
from micrograd.lowering.replay import data_of
from micrograd.lowering.trace.declared import INPUT, UPSTREAM, declared, values_in
from micrograd.lowering.trace.samples import as_values
from micrograd.optim.gradients import Rows


def sampled(function: Callable[..., Any], path: str, name: str) -> list[Any]:
    """Return the sample that the defaults of a function are; ValueError where one is missing."""
    every = inspect.signature(function).parameters.values()
    parameters = [p for p in every if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    needed = [*parameters, *(p for p in every if p.kind is p.KEYWORD_ONLY)]
    missing = [p.name for p in needed if p.default is p.empty]
    if missing:
        x = missing[0]
        own = inspect.isfunction(function)  # else a network, say
        example = f"{name}({x}=[0.1, 0.2])" if own else f"f({x}=[0.1, 0.2]): return {name}({x})"
        raise ValueError(
            f"{name} in {path} has no default for {', '.join(missing)}; write one "
            f"sample there, such as def {example}"
        )
    return [p.default for p in parameters]


def over_parameters(program: Program, loss: Any) -> tuple[Callable[..., Value], list[Any]]:
    """Return a loss without inputs as a function of the program's parameters, and what these are.

    `loss` is a recorded Value, or a function without arguments. A call moves the parameters.
    """
    arrays = program.parameters

    def moved(*given: Any) -> Value:
        for array, numbers in zip(arrays.values(), given):
            array[...] = np.reshape([v.data for v in values_in(numbers)], array.shape)
        program.write_back()
        root = loss if isinstance(loss, Value) else loss()
        root.forward()  # a function may use what was computed before it
        return root

    return moved, [array.tolist() for array in arrays.values()]


def weighted(
    program: Program, function: Callable[..., Any], samples: Sequence[Any]
) -> tuple[Callable[..., Any], list[Any]]:
    """Return what the program is of, and its sample: of outputs Σ upstream · output."""
    if not isinstance(program, OutputProgram):
        return function, [*samples]

    def total(*given: Any) -> Value:
        outputs, upstream = function(*given[:-1]), given[-1]
        return dot([*values_in(outputs)], [*values_in(upstream)])

    return total, [*samples, np.ones(program.leaf_values(UPSTREAM).shape).tolist()]


class Samples(NamedTuple):
    """A batch to compare on; `held` names the inputs that stay as they are, `near` those that
    were changed a little, since the function refuses what is far."""

    batch: list[Any]
    held: list[str]
    near: list[str]


def like(
    program: Program, function: Callable[..., Any], samples: Sequence[Any], count: int
) -> Samples:
    """Return a batch of `count` samples of other signs and sizes than the one given.

    Where the function refuses those, they are near the sample, or held: a distribution sums to 1.
    Raises ValueError where the program has inputs that the function draws itself.
    """
    names = [*(program.inputs or program.parameters)]
    if len(names) != len(samples):
        drawn = ", ".join(names[len(samples) :])
        raise ValueError(
            f"{drawn}: drawn anew at every call of the function; to compare, switch "
            "dropout off by eval()"
        )
    rng = np.random.default_rng(0)
    values = [declared(n, INPUT, as_values(x)).values for n, x in zip(names, samples)]
    batch = [np.repeat(data_of(x)[None], count, 0) for x in values]
    held, near = [], []
    for i, name in enumerate(names):
        rows = program.arguments.counts.get(name)
        for draw in (_ids,) if rows is not None else (_far, _near):
            drawn = draw(rng, batch[i], rows)
            if _accepts(function, [*batch[:i], drawn, *batch[i + 1 :]]):
                batch[i] = drawn
                if draw is _near:
                    near.append(name)
                break
        else:
            held.append(name)
    return Samples(batch, held, near)


def _ids(rng: np.random.Generator, x: Any, rows: int | None) -> Any:
    return rng.integers(0, rows, x.shape)


def _far(rng: np.random.Generator, x: Any, _rows: int | None) -> Any:
    """Return numbers of both signs, from a tenth of the sample's size to five times it."""
    size = np.maximum(np.abs(x), 0.5) * np.exp(rng.uniform(np.log(0.1), np.log(5), x.shape))
    return size * rng.choice([-1.0, 1.0], x.shape)


def _near(rng: np.random.Generator, x: Any, _rows: int | None) -> Any:
    return x * rng.uniform(0.8, 1.2, x.shape)


def _accepts(function: Callable[..., Any], batch: Sequence[Any]) -> bool:
    try:
        for sample in zip(*batch):
            function(*map(as_values, sample))
    except (ValueError, TypeError):
        return False
    return True


def compared(program: Program, function: Callable[..., Any], batch: Sequence[Any] = ()) -> float:
    """Return the largest difference of losses and gradients, each against its own scale.

    The scale of a number is the size of what was added up to it, Σ |contribution|: where large
    contributions cancel, what is left of them by rounding is no difference.
    """
    random.seed(0)
    count = len(batch[0]) if batch else 1
    losses = [function(*(as_values(x[i]) for x in batch)) for i in range(count)]
    value, gradients = program.value_and_grad(*batch)
    share = 1.0 if isinstance(program, OutputProgram) else 1 / count
    exact: dict[Value, float] = {}
    scale: dict[Value, float] = {}
    for loss in losses:
        _add_gradients(loss, share, exact, scale)
    total = sum(loss.data for loss in losses) * share
    size = sum(abs(node.data) for loss in losses for node in (loss, *loss.parents)) * share
    errors = [_difference(value, total, size)]
    for name, gradient in gradients.items():
        leaves = program.leaf_values(name)
        flat = leaves.ravel().tolist()
        wanted, sizes = (
            np.array([table.get(v, 0.0) for v in flat]).reshape(leaves.shape)
            for table in (exact, scale)
        )
        errors.append(_difference(dense(gradient, leaves.shape), wanted, sizes))
    return max(errors)


def _add_gradients(
    loss: Value, seed: float, exact: dict[Value, float], scale: dict[Value, float]
) -> None:
    """Add the gradients of one loss, and the sizes of all that is added up on the way to them."""
    gradient, size = {loss: seed}, {loss: abs(seed)}
    for node in reversed(topological_order(loss)):
        upstream, bound = gradient.pop(node, 0.0), size.pop(node, 0.0)
        if not node.parents:
            exact[node] = exact.get(node, 0.0) + upstream
            scale[node] = scale.get(node, 0.0) + bound
        for operand, local in zip(node.parents, node.local_gradients()):
            gradient[operand] = gradient.get(operand, 0.0) + upstream * local
            size[operand] = size.get(operand, 0.0) + bound * abs(local)


def dense(gradient: Any, shape: tuple[int, ...]) -> Any:
    """Return a gradient as an array, the rows of a table put in their places."""
    if not isinstance(gradient, Rows):
        return gradient
    whole = np.zeros(shape)
    np.add.at(whole, gradient.indices, gradient.rows)
    return whole


def _difference(a: Any, b: Any, scale: Any) -> float:
    """Return the largest |a − b| in units of the scale; where that is 0 both have to be 0.

    Raises nothing for nan: it equals nan, and is infinitely far from any number.
    """
    a, b, scale = np.broadcast_arrays(*(np.asarray(x, float) for x in (a, b, scale)))
    with np.errstate(all="ignore"):
        apart = np.where((a == b) | (np.isnan(a) & np.isnan(b)), 0.0, np.abs(a - b))
        apart = np.where(np.isnan(apart), np.inf, apart)
        units = np.where(apart == 0, 0.0, apart / np.where(scale > 0, scale, apart))
    return float(units.max()) if units.size else 0.0
