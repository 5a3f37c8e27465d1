"""Formula text compiled: a row's value and local gradients as functions of one kind of number.

The engine wants floats, the gradient checker complex numbers, second derivatives Values, the tests
arrays and sympy. Each is a `Namespace`: the functions that formulas call, and how their syntax is
rewritten for these numbers.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Mapping
from typing import Any

from micrograd.ops import OF_NUMBERS, Row, for_each_row


def _parse(text: str) -> ast.expr:
    return ast.parse(text, mode="eval").body


class Branches(ast.NodeTransformer):
    """Turn where, maximum and minimum into branches of plain Python.

    Only the branch that is taken may be evaluated, or log would meet the numbers it is guarded
    from; and a call for each would double the cost of a small operation.
    """

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        name, arguments = ast.unparse(node.func), node.args
        if name == "where":
            return ast.IfExp(*arguments)
        if name in ("maximum", "minimum"):
            a, b = (f"({ast.unparse(argument)})" for argument in arguments)
            order = ">=" if name == "maximum" else "<="
            # a nan is kept: in a it fails the last test, in b every test, and b is what is left
            return _parse(f"{a} if {a} {order} {b} or {a} != {a} else {b}")
        return node


class FloatPowers(ast.NodeTransformer):
    """Call pow: C's for floats, where a fractional power of a negative number raises."""

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.op, ast.Pow):
            return ast.Call(ast.Name("pow", ast.Load()), [node.left, node.right], [])
        return node


class Compared(ast.NodeTransformer):
    """Compare what `number` makes of both sides: of complex numbers the real part, say."""

    def __init__(self, number: str) -> None:
        self.number = number

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        self.generic_visit(node)
        left, right = (
            _parse(f"{self.number}({ast.unparse(side)})") for side in (node.left, *node.comparators)
        )
        return ast.Compare(left, node.ops, [right])


class Letters(ast.NodeTransformer):
    """Write other expressions for the letters x, y, k and out."""

    def __init__(self, expressions: Mapping[str, str]) -> None:
        self.expressions = expressions

    def visit_Name(self, node: ast.Name) -> ast.AST:
        return _parse(self.expressions[node.id]) if node.id in self.expressions else node


class Namespace:
    """Compile formulas over one kind of number.

    `functions` gives the functions of formulas by name; `forms` are rewritings of the syntax tree.
    A row's name that `functions` lacks means the row's own value formula: a function under a name
    that no code around it has, since an operation of the user's may be called float or node.
    """

    def __init__(self, functions: Mapping[str, Any], *forms: ast.NodeTransformer) -> None:
        self.functions = dict(functions)
        self.rows: dict[str, str] = {}
        self.forms = forms
        for_each_row(self._learn)

    def _learn(self, row: Row) -> None:
        if row.arity == 1 and row.name not in self.functions:
            self.functions[f"row_{row.name}"] = self.compile(row.value, "x, k=None")
            self.rows[row.name] = f"row_{row.name}"

    def rewritten(self, text: str, letters: Mapping[str, str] | None = None) -> str:
        """Return the formula `text` as this kind of number evaluates it.

        `letters` gives the expressions to write for x, y, k, out, where they are no variables.
        """
        tree: ast.AST = _parse(text)
        for form in (Letters(self.rows | dict(letters or {})), *self.forms):
            tree = form.visit(tree)
        return ast.unparse(tree)

    def compile(self, text: str, arguments: str = "x, y, k, out") -> Callable[..., Any]:
        """Return the formula `text` as a function of `arguments`."""
        code = compile(f"lambda {arguments}: {self.rewritten(text)}", f"<formula {text}>", "eval")
        function: Callable[..., Any] = eval(code, self.functions)
        return function

    def define(self, source: str, name: str, **names: Any) -> Callable[..., Any]:
        """Return the function `name` that `source` defines over these functions and `names`."""
        defined: dict[str, Any] = {}  # beside the functions: the method exp calls the function exp
        scope = {"__name__": __name__, **self.functions, **names}
        exec(compile(source, f"<row {name}>", "exec"), scope, defined)
        function: Callable[..., Any] = defined[name]
        return function

    def value(self, row: Row) -> Callable[..., Any]:
        """Return the value of `row` as a function of x, y, k."""
        return self.compile(row.value, "x, y=None, k=None")

    def local(self, row: Row) -> tuple[Callable[..., Any], ...]:
        """Return the local gradients of `row`, one per operand, as functions of x, y, k, out."""
        return tuple(self.compile(text) for text in row.local)


FLOATS = Namespace(
    {"nan": math.nan, "pow": math.pow, "abs": abs}
    | {name: getattr(math, number) for name, number in OF_NUMBERS.items()},
    Branches(),
    FloatPowers(),
)


def specialise(text: str, k: float | None) -> str:
    """Return the formula `text` with the number `k` put in and arithmetic on numbers done."""
    letters = {} if k is None else {"k": repr(k)}
    return ast.unparse(_Folded().visit(Letters(letters).visit(_parse(text))))


class _Folded(ast.NodeTransformer):
    """Fold what is constant: x ** (3 - 1) is x ** 2 to a reader."""

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.op, ast.Pow) and _number(node.right) == 1:
            return node.left
        if isinstance(node.op, ast.Mult) and _is_one(node.right):  # 1 * x ** 0
            return node.left
        return self._evaluated(node) if _number(node.left, node.right) is not None else node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        if ast.unparse(node.func) != "where" or not isinstance(node.args[0], ast.Compare):
            return node
        test = node.args[0]
        if _number(test.left, *test.comparators) is None:
            return node
        return node.args[1] if _evaluate(test) else node.args[2]

    def _evaluated(self, node: ast.expr) -> ast.expr:
        return _parse(repr(_evaluate(node)))


def _is_one(node: ast.expr) -> bool:
    """Return whether a formula is x ** 0: of 0, inf and nan that is 1 too."""
    return isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow) and _number(node.right) == 0


def _number(*nodes: ast.expr) -> Any:
    """Return the last number when every node is one, else None."""
    try:
        return [ast.literal_eval(node) for node in nodes][-1]
    except ValueError:
        return None


def _evaluate(node: ast.expr) -> Any:
    expression = ast.fix_missing_locations(ast.Expression(node))
    return eval(compile(expression, "<constant>", "eval"), {})
