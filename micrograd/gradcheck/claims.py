"""What a gradient check has to prove: by each input, which function has which slope."""

from __future__ import annotations

import cmath
import math
import sys
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from typing import Any, NamedTuple

from micrograd.core.checks import check_call, check_list
from micrograd.core.formulas import FLOATS, Branches, Compared, FloatPowers, Namespace
from micrograd.core.handmade import Handmade
from micrograd.core.modes import check_recording, described
from micrograd.derivatives import grad, hessian
from micrograd.engine import Value, topological_order
from micrograd.gradcheck.points import points
from micrograd.graph import Graph, snapshot
from micrograd.ops import BY_NAME, OF_NUMBERS, Row
from micrograd.printing import shorten

EPSILON = sys.float_info.epsilon


class Claim(NamedTuple):
    """Claim that `analytic` is the slope of `f` at `x`.

    `noise` is the rounding error of f there, absolute; `values` are what f was seen to be there;
    `of_complex` is f where it takes complex numbers.
    """

    name: str
    x: float
    analytic: float
    f: Callable[[Any], Any]
    noise: float
    values: tuple[str, ...] = ()
    of_complex: Callable[[Any], Any] | None = None


def claims(target: Any, at: Sequence[Any] | None, method: str, order: int) -> Iterable[Claim]:
    if isinstance(target, Row):
        return _row_claims(target, order)
    if isinstance(target, Value):
        leaves = [v for v in topological_order(target) if not v.parents] if at is None else at
        check_list("gradcheck's at", leaves)
        _check_leaves(leaves)
        return _graph_claims(_replayable(target, order), list(leaves), order)
    if not callable(target):
        raise TypeError(
            f"cannot check {shorten(target)}: give a function of Values, a module, the root "
            "of a graph, or an op row"
        )
    check_recording("gradcheck() of a function")
    if at is None:
        raise TypeError("say where to check the function: at=[numbers to call it with]")
    check_list("gradcheck's at", at)
    inputs = [Value(x, label=f"x{i}") for i, x in enumerate(at)]
    check_call("the function", target, *([inputs] if hasattr(target, "parameters") else inputs))
    if hasattr(target, "parameters"):
        root = _replayable(_weighted(target(inputs)), order)
        return _graph_claims(root, [*inputs, *target.parameters()], order)
    return _function_claims(target, inputs, method, order)


def _check_leaves(leaves: Sequence[Any]) -> None:
    """Raise TypeError where one is no Value, ValueError where it is computed from others."""
    for leaf in leaves:
        if not isinstance(leaf, Value):
            raise TypeError(f"of a graph, at is a list of its leaves, Values, not {shorten(leaf)}")
        if leaf.parents:
            raise ValueError(f"at is a list of leaves, and {shorten(leaf)} is computed from others")


def _weighted(outputs: Value | Sequence[Value]) -> Value:
    """Return one number that depends on every output in a way of its own."""
    if isinstance(outputs, Value):
        return outputs
    return sum((output * (i + 1) for i, output in enumerate(outputs)), Value(0.0))


def _function_claims(
    function: Callable[..., Value], inputs: list[Value], method: str, order: int
) -> Iterable[Claim]:
    """Claim what the graph of a call says of a function, which is called anew at every number.

    So branches are taken as they fall.
    """
    root = function(*inputs)
    if not isinstance(root, Value):
        raise TypeError(f"the function returned {shorten(root)}; return one Value")
    if method == "complex":
        _replayable(root, order)
    claims = list(_graph_claims(root, inputs, order))
    if method == "complex" or order == 2:
        return claims
    xs = [leaf.data for leaf in inputs]

    def along(i: int) -> Callable[[float], float]:
        return lambda x: function(*map(Value, [*xs[:i], x, *xs[i + 1 :]])).data

    seen = (repr(root.data),)
    return [claim._replace(f=along(i), values=seen) for i, claim in enumerate(claims)]


def _graph_claims(root: Value, leaves: list[Value], order: int) -> Iterable[Claim]:
    if order == 1:
        noise, known = _rounding(root), _handmade(root) is None
        for leaf, analytic in zip(leaves, grad(root, leaves)):
            f = _replayed(root, leaf)
            of_complex = f if known else None
            yield Claim(_name(leaf), leaf.data, analytic, f, noise, (), of_complex)
        return
    steps = list(root.steps())
    for row, first in zip(hessian(root, leaves), leaves):
        # what the gradient is computed with was rounded too
        noise = _rounding(grad(root, [first], create_graph=True)[0])
        noise += 8 * EPSILON * sum(abs(s.contribution) for s in steps if s.operand is first)
        for second, analytic in zip(leaves, row):
            f = _gradient_replayed(root, first, second)
            yield Claim(f"{_name(first)}, {_name(second)}", second.data, analytic, f, noise)


def _handmade(root: Value) -> Value | None:
    return next((v for v in topological_order(root) if isinstance(v._operation, Handmade)), None)


def _replayable(root: Value, order: int) -> Value:
    """Return the root; raise ValueError where a node of it cannot be computed at other numbers."""
    node = _handmade(root)
    if node is not None and order == 1:
        raise ValueError(
            f"{described(node)} was made by hand, so it cannot be computed again at other numbers; "
            "check a function that builds the graph, by differences"
        )
    return root


def _rounding(root: Value) -> float:
    """Return how far rounding may have moved the root: each node's, by what hangs on it."""
    adjoints = {root: 1.0} | {step.operand: step.total for step in root.steps()}
    return EPSILON * sum(abs(node.data * a) for node, a in adjoints.items() if node.parents)


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
                values[id] = _complex(row.name)(*(*given, None)[:2], graph.constants[id])
            else:
                bias = given.pop() if len(given) % 2 else 0.0
                values[id] = bias + sum(w * y for w, y in zip(given[::2], given[1::2]))
    return complex(values[-1])


def _row_claims(row: Row, order: int) -> Iterable[Claim]:
    """Claim the slope by every operand at points of the row's domain, away from its corners."""
    if order == 2 and BY_NAME.get(row.name) is not row:
        raise ValueError(
            f"the row {row.name!r} is not one of the engine's: only its first "
            "derivatives can be checked"
        )
    for k in row.constants or (None,):
        for point in points(row, k):
            yield from _second(row, point, k) if order == 2 else _first(row, point, k)


def _first(row: Row, point: list[float], k: float | None) -> Iterable[Claim]:
    value, out = FLOATS.value(row), FLOATS.value(row)(*(*point, None)[:2], k)
    complex_value = COMPLEX.value(row)
    for i, local in enumerate(FLOATS.local(row)):

        def f(x: Any, i: int = i) -> Any:
            operands = [*point[:i], x, *point[i + 1 :], None][:2]
            return (complex_value if isinstance(x, complex) else value)(*operands, k)

        analytic = float(local(*(*point, None)[:2], k, out))
        noise = 4 * EPSILON * (abs(out) + abs(point[i] * analytic))
        yield Claim(_place(row, point, k, "xy"[i]), point[i], analytic, f, noise, (), f)


def _second(row: Row, point: list[float], k: float | None) -> Iterable[Claim]:
    leaves = [Value(x, label=letter) for x, letter in zip(point, "xy")]
    arguments = leaves[1:] if k is None else [k]
    for claim in _graph_claims(getattr(leaves[0], row.name)(*arguments), leaves, 2):
        yield claim._replace(name=_place(row, point, k, claim.name))


def _place(row: Row, point: list[float], k: float | None, by: str) -> str:
    at = ", ".join(f"{x:.3g}" for x in point) + (f", k = {k:g}" if k is not None else "")
    return f"{row.name}({at}) by {by}"


def _power(x: Any, y: Any) -> Any:
    """Return x ** y; whole powers by the one of −x where x is negative: π, an angle, is rounded."""
    if x.real < 0 and not y.imag and y.real % 2 in (0, 1):
        return (-x) ** y * (1 - 2 * (y.real % 2))
    return x**y


COMPLEX = Namespace(
    {name: getattr(cmath, of, None) for name, of in OF_NUMBERS.items()}
    | {
        "expm1": lambda z: cmath.exp(z) - 1,
        "log1p": lambda z: cmath.log(1 + z),
        "log2": lambda z: cmath.log(z) / math.log(2),
        "abs": lambda z: z if z.real >= 0 else -z,
        "nan": cmath.nan,
        "_real": lambda z: z.real,
        "pow": _power,
    },
    Branches(),
    FloatPowers(),
    Compared("_real"),
)


@cache
def _complex(name: str) -> Callable[..., Any]:
    return COMPLEX.value(BY_NAME[name])
