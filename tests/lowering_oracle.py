"""What a program is compared with: the scalar engine's `backward()`, sample by sample."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Sequence
from inspect import signature
from typing import Any, NamedTuple

import numpy as np

from micrograd import Value, topological_order
from micrograd.lowering import Program

CLOSE = 1e-12
LAST_DIGIT = 4 * 2.0**-52 / CLOSE  # of 1, in units of what is let pass
LINEAR = ("+", "-", "neg")

Arrays = dict[str, Any]


class Right(NamedTuple):
    """The loss and its gradients by name, and the sizes of what was added up for each of them."""

    loss: float
    gradients: Arrays
    size: float
    sizes: Arrays


def as_values(sample: Any) -> Any:
    """Return a sample as nested lists of fresh Values."""
    if isinstance(sample, np.ndarray):
        return as_values(sample.tolist())
    if isinstance(sample, Iterable):
        return [as_values(part) for part in sample]
    return Value(sample)


def shaped(function: Callable[[Value], float], values: Any) -> Any:
    """Return the array of `function` of each Value of nested lists or an object array."""
    values = np.asarray(values, object)
    return np.array([function(v) for v in values.ravel().tolist()], float).reshape(values.shape)


def by_engine(
    program: Program,
    loss: Callable[..., Value] | None = None,
    batch: Sequence[Any] = (),
    reduce: str = "mean",
) -> Right:
    """Return what `backward()` gives for each sample, averaged or added up.

    Where there is no `loss` of a sample, the graph is the recorded one. Inputs of whole numbers
    are ids and have no gradient.
    """
    samples = [list(map(as_values, sample)) for sample in zip(*batch)] if loss else [[]]
    share = 1 / len(samples) if reduce == "mean" else 1.0
    leaves = {name: program.leaf_values(name) for name in program.parameters}
    for values in leaves.values():
        for value in values.ravel().tolist():
            value.grad = 0.0
    sizes: dict[Value, float] = {}
    total, size = 0.0, 0.0
    for sample in samples:
        root = loss(*sample) if loss else program.root
        root.backward(share)
        forward = forward_sizes(root)
        add_sizes(root, share, forward, sizes)
        total, size = total + share * root.data, size + share * forward[root]
    inputs = zip(program.inputs, zip(*samples), batch)
    leaves |= {name: list(column) for name, column, x in inputs if not holds_ids(x)}
    return Right(
        total,
        {name: shaped(lambda v: v.grad, x) for name, x in leaves.items()},
        size,
        {name: shaped(lambda v: sizes.get(v, 0.0), x) for name, x in leaves.items()},
    )


def holds_ids(x: Any) -> bool:
    return np.asarray(x).dtype.kind in "iu"


def forward_sizes(root: Value) -> dict[Value, float]:
    """Return the size of what each Value is the sum of: nothing that was added cancels."""
    sizes: dict[Value, float] = {}
    for node in topological_order(root):
        doubt = doubt_of(node, sizes)
        parts = [sizes[x] * (abs(d) + doubt) for x, d in zip(node.parents, node.local_gradients())]
        sizes[node] = max(abs(node.data), sum(parts))
    return sizes


def doubt_of(node: Value, forward: dict[Value, float]) -> float:
    """Return what a local gradient may be off by, where it follows the operands.

    It has a last digit of 1, as 1 - tanh^2 does, and of the size of its operands.
    """
    if node._op in LINEAR:
        return 0.0
    return LAST_DIGIT * (1 + sum(forward[x] for x in node.parents))


def add_sizes(
    root: Value, share: float, forward: dict[Value, float], sizes: dict[Value, float]
) -> None:
    """Add to each leaf the size of what its gradient is the sum of: no contribution cancels."""
    own = {root: share}
    for node in reversed(topological_order(root)):
        upstream = own.get(node, 0.0)
        if not node.parents:
            sizes[node] = sizes.get(node, 0.0) + upstream
        doubt = doubt_of(node, forward)
        for operand, local in zip(node.parents, node.local_gradients()):
            own[operand] = own.get(operand, 0.0) + upstream * (abs(local) + doubt)


def by_program(program: Program, batch: Sequence[Any]) -> tuple[float, Arrays]:
    """Return what the program gives, the gradients of its inputs too."""
    loss, gradients = program.value_and_grad(*batch, wrt_inputs=bool(program.inputs))
    return loss, {name: dense(g, program, name) for name, g in gradients.items()}


def by_native(program: Program, batch: Sequence[Any]) -> tuple[float, Arrays]:
    """Return what the same program gives as compiled C."""
    return in_c(natively(program), batch)


def in_c(native: Program, batch: Sequence[Any]) -> tuple[float, Arrays]:
    """Return what a compiled program gives; the loss alone has to be that with gradients."""
    loss, gradients = by_program(native, batch)
    assert close(native(*batch), loss)
    return loss, gradients


def repeated(right: Right, times: int, reduce: str, inputs: Sequence[str]) -> Right:
    """Return what is right for a batch that is there several times over."""
    share = 1 / times if reduce == "mean" else 1.0

    def whole(name: str, x: Any) -> Any:
        if name in inputs:
            return np.concatenate([x * share] * times)
        return x * share * times

    return Right(
        right.loss * share * times,
        {name: whole(name, x) for name, x in right.gradients.items()},
        right.size * share * times,
        {name: whole(name, x) for name, x in right.sizes.items()},
    )


def natively(program: Program) -> Program:
    """Return the same program compiled."""
    parts = program.lowered, program._leaves, program.graph, program._chains
    return type(program)(*parts, backend="c")


def close(a: float, b: float) -> bool:
    return bool(a == b or abs(a - b) <= CLOSE * abs(b) or (a != a and b != b))


def dense(gradient: Any, program: Program, name: str) -> Any:
    """Return a gradient as an array, the rows of a table put in their places."""
    if not isinstance(gradient, tuple):
        return np.asarray(gradient)
    whole = np.zeros(program.parameters[name].shape)
    np.add.at(whole, *gradient)
    return whole


def by_export(
    program: Program, batch: Sequence[Any], target: str = "numpy"
) -> tuple[float, Arrays]:
    """Return what an export gives when it is executed."""
    module: dict[str, Any] = {}
    exec(program.export(target), module)
    batch, leaves = [np.asarray(x) for x in batch], module.get("LEAVES", {})
    loss, gradients = module["value_and_grad"](*map(taken_by(target), batch), **leaves)
    assert close(float(module["forward"](*map(taken_by(target), batch), **leaves)), float(loss))
    return float(loss), {name: np.asarray(g) for name, g in gradients.items()}


def taken_by(target: str) -> Callable[[Any], Any]:
    """Return what makes an array one of the library that an export is for."""
    if target == "torch":
        return importlib.import_module("torch").tensor
    return importlib.import_module("jax.numpy" if target == "jax" else "numpy").asarray


def by_source(program: Program, batch: Sequence[Any]) -> tuple[float, Arrays]:
    """Return what the printed source gives when it is executed, with the arrays it asks for."""
    module: dict[str, Any] = {}
    exec(program.source, module)
    function = module["value_and_grad"]
    arrays = {**getattr(program, "tables", {}), **program.parameters, **program.constants}
    arrays |= {name: np.asarray(x) for name, x in zip(program.inputs, batch)}
    loss, gradients = function(**{name: arrays[name] for name in signature(function).parameters})
    return float(loss), {name: dense(g, program, name) for name, g in gradients.items()}


def difference(result: tuple[float, Arrays], right: Right, close: float = CLOSE) -> str:
    """Say how a loss with gradients differs from the right one; nothing where it does not.

    A result without the gradients of inputs is compared without.
    """
    loss, gradients = result
    if unequal(loss, right.loss, right.size, close):
        return f"loss {loss!r}, backward() gives {right.loss!r}"
    for name, wanted in right.gradients.items():
        if name not in gradients:
            continue
        if gradients[name].shape != wanted.shape:
            return f"gradient of {name}: shape {gradients[name].shape}, not {wanted.shape}"
        if unequal(gradients[name], wanted, right.sizes[name], close):
            return f"gradient of {name}: {gradients[name].tolist()}, not {wanted.tolist()}"
    return ""


def unequal(result: Any, wanted: Any, size: Any, close: float) -> bool:
    return not np.all(np.abs(result - wanted) <= close * size)
