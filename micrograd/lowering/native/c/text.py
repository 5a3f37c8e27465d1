"""Formulas of the op rows, loops and products as C, and the names that C can have."""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from micrograd.core.formulas import specialise
from micrograd.lowering.arrays.ir import Scale
from micrograd.ops import BY_NAME, FUNCTIONS, OF_NUMBERS

_SIGNS: dict[type[ast.AST], tuple[str, int]] = {
    ast.Lt: ("<", 2),
    ast.LtE: ("<=", 2),
    ast.Gt: (">", 2),
    ast.GtE: (">=", 2),
    ast.Eq: ("==", 2),
    ast.NotEq: ("!=", 2),
    ast.Add: ("+", 3),
    ast.Sub: ("-", 3),
    ast.Mult: ("*", 4),
    ast.Div: ("/", 4),
}
_UNARY, _ATOM = 5, 6
_POWERS = {0.0: "1.0", 1.0: "{x}", 2.0: "squared({x})", 3.0: "cubed({x})"}
_POWERS |= {0.5: "sqrt({x})", -1.0: "(1.0 / {x})"}
C_NAMES = {**OF_NUMBERS, "abs": "fabs"}
HELPERS = {  # none is called square: <math.h> of small processors has that
    "squared": "static inline double squared(double x) { return x * x; }",
    "cubed": "static inline double cubed(double x) { return x * x * x; }",
    "maximum": "static inline double maximum(double a, double b) "
    "{ return a >= b || a != a ? a : b; }",
    "minimum": "static inline double minimum(double a, double b) "
    "{ return a <= b || a != a ? a : b; }",
}


def number(value: float) -> str:
    """Return a number as C."""
    if math.isnan(value):
        return "NAN"
    return ("-" if value < 0 else "") + "INFINITY" if math.isinf(value) else repr(float(value))


class Formulas:
    """Write formulas; `called` are the functions that they call, besides those of C."""

    def __init__(self) -> None:
        self.called: dict[str, str] = {}

    def text(self, formula: str, k: float | None, letters: Mapping[str, str]) -> str:
        """Return a formula with its constant, and expressions for its letters, put in."""
        return self._written(ast.parse(specialise(formula, k), mode="eval").body, letters)[0]

    def call(self, name: str, *arguments: str) -> str:
        """Return the call of a function of formulas."""
        if name in BY_NAME and BY_NAME[name].value != f"{name}(x)":
            body = self.text(BY_NAME[name].value, None, {"x": "x"})
            name = "row_" * BY_NAME[name].own + name  # erf is C's, cubed a helper
            self.called[name] = f"static inline double {name}(double x) {{ return {body}; }}"
        elif name in HELPERS:
            self.called[name] = HELPERS[name]
        return f"{C_NAMES.get(name, name)}({', '.join(arguments)})"

    def _written(self, node: ast.expr, letters: Mapping[str, str]) -> tuple[str, int]:
        """Return a syntax tree as C, and how tightly its last operation binds."""
        if isinstance(node, ast.Constant):
            return number(float(node.value)), _ATOM  # type: ignore[arg-type]
        if isinstance(node, ast.Name):
            return letters.get(node.id) or number(float(node.id)), _ATOM
        if isinstance(node, ast.UnaryOp):
            return f"-{self._within(node.operand, _UNARY + 1, letters)}", _UNARY
        if isinstance(node, ast.Compare):
            return self._binary(node.ops[0], node.left, node.comparators[0], letters)
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow):
            return self._power(node, letters), _ATOM
        if isinstance(node, ast.BinOp):
            return self._binary(node.op, node.left, node.right, letters)
        assert isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        arguments = [self._written(argument, letters)[0] for argument in node.args]
        if node.func.id == "where":
            return "({} ? {} : {})".format(*arguments), _ATOM
        return self.call(node.func.id, *arguments), _ATOM

    def _within(self, node: ast.expr, rank: int, letters: Mapping[str, str]) -> str:
        text, own = self._written(node, letters)
        return text if own >= rank and not text.startswith("-") else f"({text})"

    def _binary(
        self, op: ast.AST, left: ast.expr, right: ast.expr, letters: Mapping[str, str]
    ) -> tuple[str, int]:
        sign, rank = _SIGNS[type(op)]
        a, b = self._within(left, rank, letters), self._within(right, rank + 1, letters)
        return f"{a} {sign} {b}", rank

    def _power(self, node: ast.BinOp, letters: Mapping[str, str]) -> str:
        x = self._within(node.left, _ATOM, letters)
        exponent = self._written(node.right, letters)[0]
        try:
            form = _POWERS[float(exponent)]
        except (ValueError, KeyError):
            return f"pow({x}, {exponent})"
        self.called |= {name: text for name, text in HELPERS.items() if form.startswith(name)}
        return form.format(x=x)


LETTERS = ("i", "j", "k", "l", *(f"i{n}" for n in range(1, 30)))
SAMPLE = "n"  # of a block of samples


def loop(letter: str, extent: int | str, first: str = "0") -> str:
    """Return the head of a loop."""
    return f"for (int {letter} = {first}; {letter} < {extent}; {letter}++)"


def nest(heads: Sequence[str], body: Sequence[str]) -> list[str]:
    """Return loops around a body, each indented."""
    lines = list(body)
    for head in reversed(heads):
        inner = [f"    {line}" for line in lines]
        lines = [head, *inner] if _one(lines) else [f"{head} {{", *inner, "}"]
    return lines


def scope(lines: Sequence[str]) -> list[str]:
    """Return lines whose variables are their own."""
    return ["{", *(f"    {line}" for line in lines), "}"]


def _one(lines: Sequence[str]) -> bool:
    """Return whether lines are one statement: a loop with what it repeats."""
    return len(lines) == 1 or (
        lines[0].startswith("for") and all(line.startswith((" ", "}")) for line in lines[1:])
    )


def scale_text(scale: Scale) -> str:
    """Return what multiplies a term; nothing for 1."""
    batch = {0: "", 1: "(double)B", -1: "share"}[scale.batch]
    if scale.value == 1:
        return batch
    if not batch:
        return number(scale.value)
    return f"-{batch}" if scale.value == -1 else f"{number(scale.value)} * {batch}"


def multiplied(factors: Sequence[str]) -> str:
    """Return the product of expressions."""
    if len(factors) == 1:
        return factors[0]
    if factors and factors[0] == "-1.0":
        return f"-{multiplied(factors[1:])}" if len(factors) > 2 else f"-{bracketed(factors[1])}"
    return " * ".join(map(bracketed, factors)) or "1.0"


def bracketed(text: str) -> str:
    """Return an expression as a factor of a product."""
    depth, outer = 0, text.startswith("-")
    for before, c in zip("(" + text, text):
        depth += (c in "([") - (c in ")]")
        outer = outer or (depth == 0 and c in "+-?<>=/" and before != "e")
    return f"({text})" if outer else text


KEYWORDS = """auto break case char const continue default do double else enum extern float for goto
if inline int long register restrict return short signed sizeof static struct switch typedef union
unsigned void volatile while main run B s n i j k l p at sum best count share turn product memset
rint copysign isnan NAN INFINITY number wide pair maximum minimum squared cubed strange odd linux
unix LN2_HIGH LN2_LOW SHIFT WIDE ROWS DEEP EACH TILE TILES COLUMNS STATIC PLACE asm typeof bool calm
kept live all fewer alive small pack unpack INLINED true false y0 y1 yn j0 j1 jn gamma signgam nan
inf NULL EOF BUFSIZ MAXFLOAT DOMAIN SING OVERFLOW UNDERFLOW PLOSS TLOSS X_TLOSS alloca stdin stdout
stderr errno math_errhandling P_tmpdir alignas alignof and bitand bitor catch class compl concept
consteval constexpr constinit const_cast co_await co_return co_yield decltype delete dynamic_cast
explicit export friend mutable namespace new noexcept not nullptr operator or private protected
public reinterpret_cast requires static_assert static_cast template this thread_local throw try
typeid typename using virtual wchar_t xor"""
# How other names of ours end and begin, and macros of <math.h>, <string.h> and <stdio.h>.
ENDINGS = r"(first|places|i)\d+|\w+_T|\w+_MAX"
BEGINNINGS = r"\d|_|fast_|row_|HUGE|(M|FP|L|SEEK|MATH)_"


class CNames(dict[Any, str]):
    """The names of arrays as C can have them: those of the notes, in ASCII, not C's or `own`."""

    def __init__(self, names: Mapping[Any, str], own: str = "") -> None:
        super().__init__()
        self.original = dict(names)
        self._taken = {*KEYWORDS.split(), *_math_names(), *BY_NAME, *own.split()}
        for item, name in names.items():
            self.enter(item, name)

    def enter(self, item: Any, name: str) -> None:
        """Give an array a name like the wanted one."""
        name = "".join(c if re.match(r"[A-Za-z0-9_]", c) else f"u{ord(c):x}" for c in name)
        name = re.sub(rf"^(?={BEGINNINGS})", "v", name)
        while name in self._taken or re.fullmatch(ENDINGS, name):
            name += "_"
        self[item] = name
        self._taken.add(name)


def _math_names() -> set[str]:
    """Return what <math.h> may define for itself."""
    stems = """acos asin atan atan2 cbrt ceil cosh erf erfc exp2 expm1 fdim floor fma fmax fmin fmod
    frexp hypot ilogb ldexp lgamma logb lrint lround modf nextafter pow remainder remquo round
    scalbn sinh tan tgamma trunc drem significand abs div exit free malloc index"""
    every = {*stems.split(), *FUNCTIONS, "fabs", "pow"}
    return every | {f"{name}{end}" for name in every for end in "fl"}
