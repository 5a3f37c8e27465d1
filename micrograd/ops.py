"""Every operation of the engine, one row each.

A row is text. In a formula x and y are the operands, k is a constant fixed at the node and out is
the result. The engine compiles the text for floats (`micrograd.engine`), lowering prints it as
array code, the stepper shows it on the edges, the tests read it as complex numbers and as sympy.
Formulas may use + - * / **, comparisons, `where(condition, a, b)`, `maximum`, `minimum`, `abs`,
the functions of `FUNCTIONS`, and the name of any row. Values and slopes at 0, infinity and nan are
PyTorch's, where the limit is not better; a condition fails at nan: relu is nan there, its slope 0.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

__all__ = [
    "BY_NAME",
    "FUNCTIONS",
    "GREATER",
    "NOT_LESS",
    "OF_NUMBERS",
    "REAL",
    "ROWS",
    "STOPPED",
    "UNCALLED",
    "WEIGHTED_SUM",
    "DomainError",
    "Row",
    "for_each_row",
]

# What a formula may call besides the rows; every array library has them under the same names.
FUNCTIONS = (
    *("exp", "expm1", "log", "log1p", "log2", "log10", "sqrt", "sin", "cos", "tan", "sinh", "cosh"),
    *("tanh", "arcsin", "arccos", "arctan", "arcsinh", "arccosh", "arctanh"),
)
# Mathematics of single numbers, in Python, C and JavaScript, says asin for arcsin.
OF_NUMBERS = {name: name.replace("arc", "a") for name in FUNCTIONS}


@dataclass(frozen=True, eq=False)
class Row:
    """Define one operation.

    `local` holds one local-gradient formula per operand, `domain` an interval per operand to
    sample in tests, `constants` sample values of k (the first is its default; empty: no k),
    `kinks` the expressions whose zeros are corners of the operation. `role` names what the
    operation does to an upstream gradient: it scales, distributes, switches or routes it. `needs`
    says, for error messages, where the operation has a value and what to do elsewhere; `own` are
    rows of the user's.
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
    own: bool = False

    @property
    def arity(self) -> int:
        """Return the number of operands; 0 for the variadic weighted sum."""
        return len(self.domain)

    @property
    def watched(self) -> bool:
        """Return whether programs ask the engine about a value that is not finite."""
        return self.own or bool(self.needs)

    @property
    def kept(self) -> tuple[str, ...]:
        """Return what a pickle holds: the name, and the formulas of a row of the user's."""
        return (self.name, self.value, *self.local) if self.own else (self.name,)

    def __reduce__(self) -> tuple[Any, ...]:
        return row_named, self.kept


REAL = (-3.0, 3.0)
POSITIVE = (0.25, 4.0)
INSIDE = (-0.9, 0.9)
POWER = "a base other than 0 for a negative power, above 0 for a fractional one, a finite result"
UNIT = "x from -1 to 1, and neither of them for a gradient"
E = "exp(-abs(x))"  # never overflows: what makes sigmoid and softplus saturate
GELU = "1.5957691216057308 * (x + 0.044715 * x * x * x)"  # 2 sqrt(2 / pi): Hendrycks, Gimpel 2016
GELU_SLOPE = "1.5957691216057308 * (1 + 0.134145 * x * x)"


def row(
    name: str,
    value: str,
    *local: str,
    symbol: str = "",
    shown: str = "",
    domain: tuple[tuple[float, float], ...] = (),
    operator: str = "",
    **rest: Any,
) -> Row:
    """Return a Row with what most of them share filled in: called by its name, on real operands."""
    called = value if operator else f"{name}({', '.join('xy'[: len(local)])})"
    domain = domain or (REAL,) * len(local)
    return Row(
        name, value, local, symbol or name, shown or called, domain, operator=operator, **rest
    )


ROWS = [
    row("add", "x + y", "1", "1", symbol="+", operator="add", role="distributes"),
    row("sub", "x - y", "1", "-1", symbol="-", operator="sub", role="distributes"),
    row("mul", "x * y", "y", "x", symbol="*", operator="mul", role="switches"),
    row(
        "div",
        "x / y",
        "1 / y",
        "-out / y",
        symbol="/",
        operator="truediv",
        domain=(REAL, POSITIVE),
        needs="a divisor other than 0",
    ),
    row("neg", "-x", "-1", operator="neg"),
    row(
        "pow",
        "x ** k",
        "where(k == 0, 0, k * x ** (k - 1))",
        symbol="**{k}",
        shown="x ** k",
        domain=(POSITIVE,),
        constants=(2, 3, -1, 0.5, 0, 1),
        needs=POWER,
    ),
    row(
        "power",
        "x ** y",
        # where y is 0: 0, as x ** 0 is 1 at nan and infinity too; as y / x, for the slope of this
        "where(y == 0, y / where(abs(x) > 0, x, 1), y * x ** (y - 1))",
        "where(x == 0, where(y >= 0, 0, -out), out * log(where(x > 0, x, nan)))",
        symbol="**",
        shown="x ** y",
        domain=(POSITIVE, REAL),
        needs=POWER,
    ),
    row(
        "exp", "exp(x)", "out", needs="x below 709.8; softmax, logsumexp and sigmoid never overflow"
    ),
    row(
        "log",
        "log(x)",
        "1 / x",
        domain=(POSITIVE,),
        needs="x > 0; for probabilities use log_softmax, which never leaves it",
    ),
    row(
        "sqrt",
        "sqrt(x)",
        "0.5 / out",
        domain=(POSITIVE,),
        needs="x >= 0, and x > 0 for a gradient; add a small constant under the root",
    ),
    row(
        "abs",
        "abs(x)",
        "where(x > 0, 1, where(x < 0, -1, 0))",
        shown="|x|",
        operator="abs",
        kinks=("x",),
    ),
    row("sin", "sin(x)", "cos(x)", needs="a finite x"),
    row("cos", "cos(x)", "-sin(x)", needs="a finite x"),
    row(
        "max",
        "maximum(x, y)",
        "where(x >= y, 1, 0)",
        "where(x >= y, 0, 1)",
        kinks=("x - y",),
        role="routes",
    ),
    row(
        "min",
        "minimum(x, y)",
        "where(x <= y, 1, 0)",
        "where(x <= y, 0, 1)",
        kinks=("x - y",),
        role="routes",
    ),
    row("sigmoid", f"where(x >= 0, 1.0, {E}) / (1 + {E})", "out * (1 - out)"),
    row("tanh", "tanh(x)", "1 - out * out"),
    row(
        "hard_tanh",
        "minimum(maximum(x, -1.0), 1.0)",
        "where(abs(x) < 1, 1, 0)",
        symbol="hardtanh",
        kinks=("x + 1", "x - 1"),
    ),
    row("soft_sign", "x / (1 + abs(x))", "(1 / (1 + abs(x))) ** 2", symbol="softsign"),
    row("relu", "maximum(x, 0.0)", "where(x > 0, 1, 0)", symbol="ReLU", kinks=("x",)),
    row(
        "leaky_relu",
        "where(x > 0, x, k * x)",
        "where(x > 0, 1, k)",
        symbol="LeakyReLU",
        kinks=("x",),
        constants=(0.01, 0.2),
    ),
    row("softplus", f"maximum(x, 0.0) + log1p({E})", "sigmoid(x)"),
    row(
        "elu",
        "where(x > 0, x, k * expm1(x))",
        "where(x > 0, 1, k * exp(x))",
        symbol="ELU",
        kinks=("x",),
        constants=(1.0, 0.5),
    ),
    # by the logistic function, as (1 + tanh(u)) / 2 = sigmoid(2 u); beyond 25 it is 0 or 1 exactly
    row(
        "gelu",
        f"x * sigmoid({GELU})",
        "where(x > 25, 1, where(x < -25, 0, "
        f"sigmoid({GELU}) * (1 + x * (1 - sigmoid({GELU})) * {GELU_SLOPE})))",
        symbol="GELU",
        shown="gelu(x)",
    ),
    row("silu", "x * sigmoid(x)", "sigmoid(x) * (1 + x * (1 - sigmoid(x)))", symbol="SiLU"),
    row("square", "x * x", "2 * x", shown="x ** 2"),
    row("expm1", "expm1(x)", "exp(x)", needs="x below 709.8"),
    row("log1p", "log1p(x)", "1 / (1 + x)", domain=((-0.75, 4.0),), needs="x > -1"),
    row("log2", "log2(x)", "1 / (x * log(2))", domain=(POSITIVE,), needs="x > 0"),
    row("log10", "log10(x)", "1 / (x * log(10))", domain=(POSITIVE,), needs="x > 0"),
    row("tan", "tan(x)", "1 + out * out", domain=((-1.25, 1.25),), needs="a finite x"),
    row("sinh", "sinh(x)", "cosh(x)", needs="x between -710.4 and 710.4"),
    row("cosh", "cosh(x)", "sinh(x)", needs="x between -710.4 and 710.4"),
    row("asin", "arcsin(x)", "1 / sqrt((1 - x) * (1 + x))", domain=(INSIDE,), needs=UNIT),
    row("acos", "arccos(x)", "-1 / sqrt((1 - x) * (1 + x))", domain=(INSIDE,), needs=UNIT),
    row("atan", "arctan(x)", "1 / (1 + x * x)"),
    row("asinh", "arcsinh(x)", "1 / sqrt(1 + x * x)"),
    row(
        "acosh",
        "arccosh(x)",
        "1 / (sqrt(x - 1) * sqrt(x + 1))",
        domain=((1.25, 4.0),),
        needs="x >= 1, and x > 1 for a gradient",
    ),
    row(
        "atanh",
        "arctanh(x)",
        "1 / ((1 - x) * (1 + x))",
        domain=(INSIDE,),
        needs="x between -1 and 1",
    ),
]

# Σ wᵢxᵢ + b: one node per neuron. Its operands are w₁ x₁ w₂ x₂ … b; each wᵢ and xᵢ is to the
# other what the operands of a product are, and b that of a sum.
WEIGHTED_SUM = Row(
    "weighted_sum", "x * y", ("y", "x", "1"), "Σ", "Σ w * x + b", (), role="switches"
)

# What `detach()` records while a function is traced: the value goes on, no gradient comes back.
STOPPED = Row("detach", "x", ("0",), "detach", "detach(x)", (REAL,))

# What slopes with corners are made of, where they are Values: relu's is x > 0.
GREATER = Row("greater", "where(x > y, 1.0, 0.0)", ("0", "0"), ">", "x > y", (REAL, REAL))
NOT_LESS = Row("not_less", "where(x >= y, 1.0, 0.0)", ("0", "0"), ">=", "x >= y", (REAL, REAL))

UNCALLED = (STOPPED, GREATER, NOT_LESS)  # recorded by micrograd itself: no method, no operator
BY_NAME: dict[str, Row] = {row.name: row for row in (*ROWS, WEIGHTED_SUM, *UNCALLED)}


_USES: list[Callable[[Row], None]] = []


def for_each_row(use: Callable[[Row], None]) -> None:
    """Call `use` with every row there is, and later with every row that is added."""
    _USES.append(use)
    for row in ROWS:
        use(row)


def add(row: Row) -> None:
    """Add a checked row of the user's to the table and to all that is made of it."""
    ROWS.append(row)
    BY_NAME[row.name] = row
    for use in _USES:
        use(row)


def row_named(name: str, *formulas: str) -> Row:
    """Return the row that a pickle has kept. Raises ValueError where there is no such row."""
    if name not in BY_NAME:
        raise ValueError(f"there is no operation {name!r} here: register it before loading")
    row = BY_NAME[name]
    if formulas and formulas != (row.value, *row.local):
        raise ValueError(
            f"the operation {name!r} is {row.value} here, and was {formulas[0]}, with the local "
            f"gradients {', '.join(formulas[1:])}: register this one before loading"
        )
    return row


class DomainError(ValueError, ZeroDivisionError, OverflowError):
    """Report an operation asked for a value it does not have.

    Caught by whichever of Python's three names the caller expects.
    """
