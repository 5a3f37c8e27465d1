"""Make array expressions as a person would write them: no 1 * x, no x + -y, no 2 / B * B."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from micrograd.core.formulas import specialise
from micrograd.lowering.arrays.ir import ALL, B
from micrograd.lowering.arrays.names import FUNCTION_OF
from micrograd.lowering.arrays.reads import moderate
from micrograd.lowering.code.expr import OPERATORS, Expr, Shape, is_number, num
from micrograd.lowering.code.kinds import make
from micrograd.ops import BY_NAME

PLACED = ("embed", "scatter", "reshape", "full")  # numbers that are laid elsewhere
_SYMBOLS = {operator.node: symbol for symbol, operator in OPERATORS.items()}


def call(function: str, *args: Expr) -> Expr:
    """Apply a function element by element."""
    if function == "where" and is_number(args[0]):
        return args[1] if args[0].attr else args[2]
    return make("call", args, function)


def where(condition: Expr, yes: float, no: float) -> Expr:
    """Write one number where a condition holds, another elsewhere."""
    return call("where", condition, num(yes), num(no))


def negative(a: Expr) -> Expr:
    """Write -a."""
    if is_number(a):
        return num(-a.attr)
    if a.kind == "bin" and a.attr == "-":
        return binary("-", *reversed(a.args))
    if _is_product(a) and (_begins_with_minus(a.args[0]) or _is_difference(a.args[0])):
        sides = negative(a.args[0]), a.args[1]
        return binary(a.attr, *sides) if a.kind == "bin" else make(a.kind, sides)
    if a.kind in PLACED and _begins_with_minus(a):
        return Expr(a.kind, (negative(a.args[0]),), a.attr, a.shape)
    return a.args[0] if a.kind == "neg" else make("neg", (a,))


def _is_product(a: Expr) -> bool:
    return a.kind == "matmul" or (a.kind == "bin" and a.attr in "*/")


def _begins_with_minus(a: Expr) -> bool:
    inner = (_is_product(a) or a.kind in PLACED) and _begins_with_minus(a.args[0])
    return inner or a.kind == "neg" or (is_number(a) and a.attr < 0)


def _is_difference(a: Expr) -> bool:
    inner = _is_product(a) and _is_difference(a.args[0])
    return inner or (a.kind == "bin" and a.attr == "-")


def binary(op: str, a: Expr, b: Expr) -> Expr:
    """Write a op b, element by element."""
    if is_number(a) and is_number(b):
        with suppress(ArithmeticError, ValueError):
            return num(OPERATORS[op].evaluate(a.attr, b.attr))
    a = _unrepeated(a, b)
    b = _unrepeated(b, a)
    simple = _SIMPLER[op](a, b) if op in _SIMPLER else None
    return simple or make("bin", (a, b), op)


def _unrepeated(a: Expr, other: Expr) -> Expr:
    """Return what `a` repeats, if an operation with the other repeats it anyway."""
    if a.kind != "broadcast":
        return a
    repeated = make("bin", (a.args[0], other)).shape == make("bin", (a, other)).shape
    return a.args[0] if repeated else a


def _add(a: Expr, b: Expr) -> Expr | None:
    if is_number(a, 0) or is_number(b, 0):
        return b if is_number(a, 0) else a
    if a.kind == b.kind and a.kind in PLACED and a.attr == b.attr:
        x, y = a.args[0], b.args[0]
        if x.shape == y.shape:  # what goes to the same places is added before
            return Expr(a.kind, (binary("+", x, y),), a.attr, a.shape)
    one, other = (a, b) if _begins_with_minus(b) else (b, a)  # y - x, not -x + y
    return binary("-", one, negative(other)) if _begins_with_minus(other) else None


def _sub(a: Expr, b: Expr) -> Expr | None:
    if is_number(b, 0):
        return a
    if _begins_with_minus(b):
        return binary("+", a, negative(b))
    return negative(b) if is_number(a, 0) else None


def _mul(a: Expr, b: Expr) -> Expr | None:
    if is_number(a, 1) or is_number(b, 1):
        return b if is_number(a, 1) else a
    if is_number(a, -1) or is_number(b, -1):
        return negative(b if is_number(a, -1) else a)
    if a.kind == "neg" or b.kind == "neg":
        inner = [e.args[0] if e.kind == "neg" else e for e in (a, b)]
        return binary("*", *inner) if a.kind == b.kind else negative(binary("*", *inner))
    if is_number(a) and moderate(a.attr) and b.kind == "bin" and b.attr in "*/":
        return binary(b.attr, binary("*", a, b.args[0]), b.args[1])
    number, rest = led(b)
    if number != 1 and not a.truth:
        return binary("*", num(number), binary("*", a, rest))
    for one, other in ((a, b), (b, a)):
        if _is_inverse(other) and not is_mask(one):
            return binary("/", binary("*", other.args[0], one), other.args[1])
    if _is_share(a):
        return binary("/", binary("*", a.args[0], b), a.args[1])
    if is_mask(a) and not is_mask(b):
        return _masked(a, b)
    return _masked(b, a) if is_mask(b) else None


def _is_share(e: Expr) -> bool:
    """Return whether an expression is divided by B last."""
    return e.kind == "bin" and e.attr == "/" and e.args[1].kind == "batch"


def _is_inverse(e: Expr) -> bool:
    """Return whether an expression is a number divided by something, or by several things."""
    above = e.args[0] if e.kind == "bin" and e.attr == "/" else e
    number = is_number(above) and moderate(above.attr)
    return above is not e and (number or _is_inverse(above))


def led(e: Expr) -> tuple[float, Expr]:
    """Return the number that leads a product, and the rest of it; 1 for one that stays there."""
    if e.kind == "neg":
        number, rest = led(e.args[0])
        return -number, rest
    if e.kind == "bin" and e.attr in "*/":
        first, second = e.args
        if e.attr == "*" and is_number(first) and moderate(first.attr):
            return first.attr, second
        number, rest = led(first)
        return number, binary(e.attr, rest, second) if number != 1 else e
    return 1, e


def is_mask(e: Expr) -> bool:
    """Return whether an expression chooses between two numbers."""
    return e.kind == "call" and e.attr == "where" and all(map(is_number, e.args[1:]))


def _masked(mask: Expr, e: Expr) -> Expr | None:
    """Write where(c, 1, 0) * e as c * e, and where(c, 0, 1) * e with ~c."""
    condition, yes, no = mask.args
    if e.truth or e.kind == "batch":  # of truths and integers NumPy would make no floats
        return None
    if is_number(yes, 1) and is_number(no, 0):
        return make("bin", (condition, e), "*")
    if is_number(yes, 0) and is_number(no, 1):
        return make("bin", (make("not", (condition,)), e), "*")
    return None


def _div(a: Expr, b: Expr) -> Expr | None:
    if is_number(b, 1):
        return a
    if is_mask(a) and [side.attr for side in a.args[1:]] == [1, 0] and b.kind in ("batch", "num"):
        return make("bin", (a.args[0], b), "/")
    if _is_share(a) and b.kind != "batch":
        return binary("/", binary("/", a.args[0], b), a.args[1])
    return negative(binary("/", a.args[0], b)) if a.kind == "neg" else None


_SIMPLER: dict[str, Callable[[Expr, Expr], Expr | None]] = {
    "+": _add,
    "-": _sub,
    "*": _mul,
    "/": _div,
    "**": lambda a, b: a if is_number(b, 1) else None,
}


def transpose(a: Expr, order: tuple[int, ...]) -> Expr:
    """Permute the axes."""
    return a if order == tuple(range(len(order))) else make("transpose", (a,), order)


def reshape(a: Expr, shape: Shape) -> Expr:
    """Give `a` another shape; that of a shape between says nothing."""
    a = a.args[0] if a.kind == "reshape" else a
    return a if shape == a.shape else make("reshape", (a,), shape)


def broadcast(a: Expr, shape: Shape) -> Expr:
    """Repeat `a` to the shape given."""
    return a if shape == a.shape else make("broadcast", (a,), shape)


def indexed(a: Expr, key: tuple[Any, ...]) -> Expr:
    """Index with numbers, slices given as (start, stop, step), and None."""
    if all(item == ALL for item in key):
        return a
    if all(item in (ALL, None) for item in key):
        if a.kind == "index":  # x[:, 0][:, None]
            return make("index", a.args, _with_axes(a, key))
        number, rest = led(a)
        if number != 1:
            return binary("*", num(number), indexed(rest, key))
        if a.kind == "bin" and a.attr == "/" and is_number(a.args[0]):
            return binary("/", a.args[0], indexed(a.args[1], key))
        if _is_inverse(a) and not a.args[1].shape:
            return binary("/", indexed(a.args[0], key), a.args[1])
    return make("index", (a,), key)


def _with_axes(a: Expr, key: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return what stands in the brackets of `a` with the new axes of a key put in."""
    rest, items = [*key], list[Any]()
    walked = sum(item is not None for item in a.attr)
    for item in (*a.attr, *(ALL,) * (len(a.args[0].shape) - walked)):
        if not isinstance(item, int):
            while rest and rest[0] is None:
                items.append(rest.pop(0))
            rest = rest[1:]
        items.append(item)
    return (*items, *rest)


def total(a: Expr, axes: tuple[int, ...], kind: str = "sum") -> Expr:
    """Sum over axes, or take their mean, their largest, their smallest."""
    if not axes:
        return a
    number, rest = led(a) if kind in ("sum", "mean") else (1, a)
    if number != 1 and not rest.truth:  # truths are added up to whole numbers
        return binary("*", num(number), total(rest, axes, kind))
    if kind == "sum" and axes == (0,) and a.shape[0] == B and a.kind == "bin" and a.attr == "/":
        above, under = a.args
        if under.kind == "batch" and not above.truth:  # of which PyTorch takes no mean
            return total(above, axes, "mean")
    if a.kind == kind == "sum":
        left = [axis for axis in range(len(a.args[0].shape)) if axis not in a.attr]
        return make(kind, a.args, tuple(sorted((*a.attr, *(left[axis] for axis in axes)))))
    return make(kind, (a,), axes)


# the formulas of the op rows


def expression(text: str, k: float | None, names: Mapping[str, Expr]) -> Expr:
    """Return a formula with its constant and its letters put in; some are functions by name."""
    if text in FUNCTION_OF:
        return _call(FUNCTION_OF[text], [names["x"]])
    return definition(text, k, names)


def definition(text: str, k: float | None, names: Mapping[str, Expr]) -> Expr:
    """Return a formula with its constant and its letters put in."""
    return _built(ast.parse(specialise(text, k), mode="eval").body, names)


def _built(node: ast.expr, names: Mapping[str, Expr]) -> Expr:
    if isinstance(node, ast.Constant):
        return num(node.value)  # type: ignore[arg-type]
    if isinstance(node, ast.Name):
        return names[node.id] if node.id in names else num(float(node.id))  # nan
    if isinstance(node, ast.UnaryOp):
        return negative(_built(node.operand, names))
    if isinstance(node, ast.BinOp):
        sides = (_built(node.left, names), _built(node.right, names))
        return binary(_SYMBOLS[type(node.op)], *sides)
    if isinstance(node, ast.Compare):
        sides = (_built(node.left, names), _built(node.comparators[0], names))
        return binary(_SYMBOLS[type(node.ops[0])], *sides)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        return _call(node.func.id, [_built(argument, names) for argument in node.args])
    raise ValueError(f"cannot read {ast.unparse(node)!r} in a formula of the op rows")


def _call(name: str, args: list[Expr]) -> Expr:
    if name not in BY_NAME or BY_NAME[name].value == f"{name}(x)":
        return call(name, *args)
    formula = BY_NAME[name].value  # of other functions
    named = FUNCTION_OF.get(formula) == name and any(part.kind == "ref" for part in args[0].walk())
    return call(name, *args) if named else definition(formula, None, dict(zip("xy", args)))
