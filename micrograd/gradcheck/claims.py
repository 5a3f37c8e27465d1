"""What a gradient check asks: for each input of a target, which function has which slope."""

from __future__ import annotations

import cmath
import random
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from micrograd.derivatives import grad, hessian
from micrograd.engine import Value, topological_order
from micrograd.graph import Graph, snapshot
from micrograd.ops import BY_NAME, FLOATS, FUNCTIONS, Branches, Namespace, RealComparisons, Row

POINTS = 25  # at how many points of its domain a row is checked


class Question(NamedTuple):
    """Ask whether `analytic` is the slope of `f` at `x`."""

    name: str
    x: float
    analytic: float
    f: Callable[[Any], Any]


def questions(target: Any, at: Sequence[Any] | None, method: str, order: int) -> Iterable[Question]:
    if isinstance(target, Row):
        return _row_questions(target, order)
    if isinstance(target, Value):
        leaves = [v for v in topological_order(target) if not v.parents] if at is None else at
        return _graph_questions(target, list(leaves), order)
    if not callable(target):
        raise TypeError(
            f"cannot check {target!r}: give a function of Values, a module, the root "
            "of a graph, or an op row"
        )
    if at is None:
        raise TypeError("say where to check the function: at=[numbers to call it with]")
    inputs = [Value(x, label=f"x{i}") for i, x in enumerate(at)]
    if hasattr(target, "parameters"):
        root = _weighted(target(inputs))
        return _graph_questions(root, [*inputs, *target.parameters()], order)
    return _function_questions(target, inputs, method, order)


def _weighted(outputs: Value | Sequence[Value]) -> Value:
    """Return one number that depends on every output in a way of its own."""
    if isinstance(outputs, Value):
        return outputs
    return sum((output * (i + 1) for i, output in enumerate(outputs)), Value(0.0))


def _function_questions(
    function: Callable[..., Value], inputs: list[Value], method: str, order: int
) -> Iterable[Question]:
    """Ask about a function by calling it anew each time: branches are taken as they fall."""
    root = function(*inputs)
    if not isinstance(root, Value):
        raise TypeError(f"the function returned {root!r}; return one Value")
    questions = list(_graph_questions(root, inputs, order))
    if method == "complex" or order == 2:
        return questions
    xs = [leaf.data for leaf in inputs]

    def along(i: int) -> Callable[[float], float]:
        return lambda x: function(*map(Value, [*xs[:i], x, *xs[i + 1 :]])).data

    return [question._replace(f=along(i)) for i, question in enumerate(questions)]


def _graph_questions(root: Value, leaves: list[Value], order: int) -> Iterable[Question]:
    if order == 1:
        for leaf, analytic in zip(leaves, grad(root, leaves)):
            yield Question(_name(leaf), leaf.data, analytic, _replayed(root, leaf))
        return
    for i, (row, first) in enumerate(zip(hessian(root, leaves), leaves)):
        for second, analytic in zip(leaves, row):
            f = _gradient_replayed(root, leaves[i], second)
            yield Question(f"{_name(first)}, {_name(second)}", second.data, analytic, f)


def _name(leaf: Value) -> str:
    return " ".join(filter(None, (leaf.scope, leaf.label))) or f"{leaf.data:g}"


def _replayed(root: Value, leaf: Value) -> Callable[[Any], Any]:
    """Return the graph's result as a function of one leaf, of real or complex numbers."""

    def f(x: Any) -> Any:
        if isinstance(x, complex):
            return _complex_value(snapshot(root), leaf, x)
        return _with_data(root, leaf, x, lambda: root.data)

    return f


def _gradient_replayed(root: Value, wanted: Value, leaf: Value) -> Callable[[float], float]:
    """Return ∂root/∂wanted as a function of one leaf."""
    return lambda x: _with_data(root, leaf, x, lambda: grad(root, [wanted])[0])


def _with_data(root: Value, leaf: Value, x: float, result: Callable[[], float]) -> float:
    """Replay the graph with x at the leaf, take the result, and put everything back."""
    kept, leaf.data = leaf.data, x
    try:
        root.forward()
        return result()
    finally:
        leaf.data = kept
        root.forward()


def _complex_value(graph: Graph, leaf: Value, x: complex) -> complex:
    values: list[Any] = list(graph.data)
    if leaf in graph.ids:
        values[graph.ids[leaf]] = x
    for id, operands in enumerate(graph.operands):
        if operands:
            row, given = BY_NAME[graph.ops[id]], [values[i] for i in operands]
            if row.arity:
                values[id] = _COMPLEX_VALUES[row.name](*(*given, None)[:2], graph.constants[id])
            else:
                bias = given.pop() if len(given) % 2 else 0.0
                values[id] = bias + sum(w * y for w, y in zip(given[::2], given[1::2]))
    return complex(values[-1])


def _row_questions(row: Row, order: int) -> Iterable[Question]:
    """Ask about every operand at points of the row's domain, away from its corners."""
    if order == 2 and BY_NAME.get(row.name) is not row:
        raise ValueError(
            f"the row {row.name!r} is not one of the engine's: only its first "
            "derivatives can be checked"
        )
    for k in row.constants or (None,):
        for point in _points(row):
            yield from _second(row, point, k) if order == 2 else _first(row, point, k)


def _first(row: Row, point: list[float], k: float | None) -> Iterable[Question]:
    value, out = FLOATS.value(row), FLOATS.value(row)(*(*point, None)[:2], k)
    complex_value = COMPLEX.value(row)
    for i, local in enumerate(FLOATS.local(row)):

        def f(x: Any, i: int = i) -> Any:
            operands = [*point[:i], x, *point[i + 1 :], None][:2]
            return (complex_value if isinstance(x, complex) else value)(*operands, k)

        analytic = float(local(*(*point, None)[:2], k, out))
        yield Question(_place(row, point, k, "xy"[i]), point[i], analytic, f)


def _second(row: Row, point: list[float], k: float | None) -> Iterable[Question]:
    leaves = [Value(x, label=letter) for x, letter in zip(point, "xy")]
    arguments = leaves[1:] if k is None else [k]
    for question in _graph_questions(getattr(leaves[0], row.name)(*arguments), leaves, 2):
        yield question._replace(name=_place(row, point, k, question.name))


def _place(row: Row, point: list[float], k: float | None, by: str) -> str:
    at = ", ".join(f"{x:.3g}" for x in point) + (f", k = {k:g}" if k is not None else "")
    return f"{row.name}({at}) by {by}"


def _points(row: Row) -> Iterable[list[float]]:
    """Yield seeded random points of the row's domain, none within 0.01 of a corner."""
    draw = random.Random(row.name)
    kinks = [FLOATS.compile(kink, "x, y=None") for kink in row.kinks]
    found = 0
    while found < POINTS:
        point = [draw.uniform(low, high) for low, high in row.domain]
        if all(abs(kink(*point)) > 0.01 for kink in kinks):
            found += 1
            yield point


COMPLEX = Namespace(
    {name: getattr(cmath, name) for name in FUNCTIONS if name != "log1p"}
    | {
        "log1p": lambda z: cmath.log(1 + z),
        "abs": lambda z: z if z.real >= 0 else -z,
        "nan": cmath.nan,
    },
    Branches(),
    RealComparisons(),
)
_COMPLEX_VALUES = {name: COMPLEX.value(row) for name, row in BY_NAME.items()}
