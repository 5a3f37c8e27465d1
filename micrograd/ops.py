"""Every operation of the engine, one row each.

A row is text. In a formula x and y are the operands, k is a constant fixed at the node and out is
the result. The engine compiles the text for floats (`micrograd.engine`), lowering prints it as
array code, the stepper shows it on the edges, the tests read it as complex numbers and as sympy.
Formulas may use + - * / **, comparisons, `where(condition, a, b)`, `maximum`, `minimum`, `abs`,
the functions of `FUNCTIONS`, and the name of any row.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

# What a formula may call besides the rows; every array library has them under the same names.
FUNCTIONS = ("exp", "log", "log1p", "sqrt", "sin", "cos", "tanh")


@dataclass(frozen=True, eq=False)
class Row:
    """Define one operation.

    `local` holds one local-gradient formula per operand, `domain` an interval per operand to
    sample in tests, `constants` sample values of k (the first is its default; empty: no k),
    `kinks` the expressions whose zeros are corners of the operation. `role` names what the
    operation does to an upstream gradient: it scales, distributes, switches or routes it. `needs`
    says, for error messages, where the operation has a value and what to do elsewhere.
    """

    name: str
    value: str
    local: tuple[str, ...]
    symbol: str
    shown: str
    domain: tuple[tuple[float, float], ...]
    kinks: tuple[str, ...] = ()
    constants: tuple[float, ...] = ()
    role: str = "scales"
    operator: str = ""
    needs: str = ""

    @property
    def arity(self) -> int:
        """Return the number of operands; 0 for the variadic weighted sum."""
        return len(self.domain)

    def __reduce__(self) -> tuple[Any, ...]:
        return _row_named, (self.name,)


REAL = (-3.0, 3.0)
POSITIVE = (0.25, 4.0)
POWER = "a base other than 0 for a negative power, above 0 for a fractional one, a finite result"
E = "exp(-abs(x))"  # never overflows: what makes sigmoid and softplus saturate

ROWS = (
    Row("add", "x + y", ("1", "1"), "+", "x + y", (REAL, REAL), role="distributes", operator="add"),
    Row("sub", "x - y", ("1", "-1"), "-", "x - y", (REAL, REAL), role="distributes",
        operator="sub"),
    Row("mul", "x * y", ("y", "x"), "*", "x * y", (REAL, REAL), role="switches", operator="mul"),
    Row("div", "x / y", ("1 / y", "-out / y"), "/", "x / y", (REAL, POSITIVE),
        operator="truediv", needs="a divisor other than 0"),
    Row("neg", "-x", ("-1",), "neg", "-x", (REAL,), operator="neg"),
    Row("pow", "x ** k", ("k * x ** where(k == 0, 1, k - 1)",), "**{k}", "x ** k", (POSITIVE,),
        constants=(2, 3, -1, 0.5, 0, 1), needs=POWER),
    Row("power", "x ** y",
        ("y * x ** where(y == 0, 1, y - 1)",
         "where(x > 0, out * log(where(x > 0, x, 1)), where(x == 0, 0, nan))"),
        "**", "x ** y", (POSITIVE, REAL), needs=POWER),
    Row("exp", "exp(x)", ("out",), "exp", "exp(x)", (REAL,),
        needs="x below 709.8; softmax, logsumexp and sigmoid never overflow"),
    Row("log", "log(x)", ("1 / x",), "log", "log(x)", (POSITIVE,),
        needs="x > 0; for probabilities use log_softmax, which never leaves it"),
    Row("sqrt", "sqrt(x)", ("0.5 / out",), "sqrt", "sqrt(x)", (POSITIVE,),
        needs="x >= 0, and x > 0 for a gradient; add a small constant under the root"),
    Row("abs", "abs(x)", ("where(x > 0, 1, where(x < 0, -1, 0))",), "abs", "|x|", (REAL,),
        kinks=("x",), operator="abs"),
    Row("sin", "sin(x)", ("cos(x)",), "sin", "sin(x)", (REAL,)),
    Row("cos", "cos(x)", ("-sin(x)",), "cos", "cos(x)", (REAL,)),
    Row("max", "maximum(x, y)", ("where(x >= y, 1, 0)", "where(x >= y, 0, 1)"), "max",
        "max(x, y)", (REAL, REAL), kinks=("x - y",), role="routes"),
    Row("min", "minimum(x, y)", ("where(x <= y, 1, 0)", "where(x <= y, 0, 1)"), "min",
        "min(x, y)", (REAL, REAL), kinks=("x - y",), role="routes"),
    Row("sigmoid", f"where(x >= 0, 1.0, {E}) / (1 + {E})", ("out * (1 - out)",), "sigmoid",
        "sigmoid(x)", (REAL,)),
    Row("tanh", "tanh(x)", ("1 - out * out",), "tanh", "tanh(x)", (REAL,)),
    Row("hard_tanh", "minimum(maximum(x, -1.0), 1.0)", ("where(abs(x) < 1, 1, 0)",), "hardtanh",
        "hard_tanh(x)", (REAL,), kinks=("x + 1", "x - 1")),
    Row("soft_sign", "x / (1 + abs(x))", ("(1 / (1 + abs(x))) ** 2",), "softsign", "soft_sign(x)",
        (REAL,)),
    Row("relu", "maximum(x, 0.0)", ("where(x > 0, 1, 0)",), "ReLU", "relu(x)", (REAL,),
        kinks=("x",)),
    Row("leaky_relu", "where(x > 0, x, k * x)", ("where(x > 0, 1, k)",), "LeakyReLU",
        "leaky_relu(x)", (REAL,), kinks=("x",), constants=(0.01, 0.2)),
    Row("softplus", f"maximum(x, 0.0) + log1p({E})", ("sigmoid(x)",), "softplus", "softplus(x)",
        (REAL,)),
)  # fmt: skip

# Σ wᵢxᵢ + b: one node per neuron. Its operands are w₁ x₁ w₂ x₂ … b; each wᵢ and xᵢ is to the
# other what the operands of a product are, and b that of a sum.
WEIGHTED_SUM = Row("weighted_sum", "x * y", ("y", "x", "1"), "Σ", "Σ w * x + b", (),
                   role="switches")  # fmt: skip

# What `detach()` records while a function is traced: the value goes on, no gradient comes back.
STOPPED = Row("detach", "x", ("0",), "detach", "detach(x)", (REAL,))

BY_NAME: dict[str, Row] = {row.name: row for row in (*ROWS, WEIGHTED_SUM, STOPPED)}


def _row_named(name: str) -> Row:
    return BY_NAME[name]


class DomainError(ValueError, ZeroDivisionError, OverflowError):
    """Report an operation asked for a value it does not have.

    Caught by whichever of Python's three names the caller expects.
    """


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
    """Use C's pow: a fractional power of a negative number raises, never turns complex."""

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.op, ast.Pow):
            return ast.Call(ast.Name("pow", ast.Load()), [node.left, node.right], [])
        return node


class RealComparisons(ast.NodeTransformer):
    """Compare real parts, for numbers whose imaginary part is an infinitesimal step."""

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        self.generic_visit(node)
        left, right = (f"({ast.unparse(side)}).real" for side in (node.left, *node.comparators))
        return ast.Compare(_parse(left), node.ops, [_parse(right)])


def _parse(text: str) -> ast.expr:
    return ast.parse(text, mode="eval").body


class Namespace:
    """Compile formulas over one kind of number.

    `functions` gives the functions of formulas by name; `forms` are rewritings of the syntax tree.
    A row's name that `functions` lacks means the row's own value formula.
    """

    def __init__(self, functions: Mapping[str, Any], *forms: ast.NodeTransformer) -> None:
        self.functions = dict(functions)
        self.forms = forms
        for row in ROWS:
            if row.arity == 1 and row.name not in self.functions:
                self.functions[row.name] = self.compile(row.value, "x, k=None")

    def rewritten(self, text: str) -> str:
        """Return the formula `text` as this kind of number evaluates it."""
        tree: ast.AST = _parse(text)
        for form in self.forms:
            tree = form.visit(tree)
        return ast.unparse(tree)

    def compile(self, text: str, arguments: str = "x, y, k, out") -> Callable[..., Any]:
        """Return the formula `text` as a function of `arguments`."""
        code = compile(f"lambda {arguments}: {self.rewritten(text)}", f"<formula {text}>", "eval")
        function: Callable[..., Any] = eval(code, self.functions)
        return function

    def define(self, source: str, name: str, **names: Any) -> Callable[..., Any]:
        """Return the function `name` that `source` defines over these functions and `names`."""
        scope = self.functions | names
        exec(compile(source, f"<row {name}>", "exec"), scope)
        function: Callable[..., Any] = scope[name]
        return function

    def value(self, row: Row) -> Callable[..., Any]:
        """Return the value of `row` as a function of x, y, k."""
        return self.compile(row.value, "x, y=None, k=None")

    def local(self, row: Row) -> tuple[Callable[..., Any], ...]:
        """Return the local gradients of `row`, one per operand, as functions of x, y, k, out."""
        return tuple(self.compile(text) for text in row.local)


FLOATS = Namespace(
    {"nan": math.nan, "pow": math.pow, "abs": abs}
    | {name: getattr(math, name) for name in FUNCTIONS},
    Branches(),
    FloatPowers(),
)


def specialise(text: str, k: float | None) -> str:
    """Return the formula `text` with the number `k` put in and arithmetic on numbers done."""
    return ast.unparse(_Folded(k).visit(_parse(text)))


class _Folded(ast.NodeTransformer):
    """Put k in, then fold what became constant: x ** (3 - 1) is x ** 2 to a reader."""

    def __init__(self, k: float | None) -> None:
        self.k = k

    def visit_Name(self, node: ast.Name) -> ast.AST:
        return _parse(repr(self.k)) if node.id == "k" and self.k is not None else node

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.op, ast.Pow) and _number(node.right) == 1:
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


def _number(*nodes: ast.expr) -> Any:
    """Return the last number when every node is one, else None."""
    try:
        return [ast.literal_eval(node) for node in nodes][-1]
    except ValueError:
        return None


def _evaluate(node: ast.expr) -> Any:
    expression = ast.fix_missing_locations(ast.Expression(node))
    return eval(compile(expression, "<constant>", "eval"), {})
