"""What somebody meant who wrote x^2, 2x, sin x or sigma(x): ways to write mathematics elsewhere.

Each is rewritten as an expression has it, and offered only where the whole then is one.
"""

from __future__ import annotations

import ast
import re
import warnings
from difflib import get_close_matches
from pathlib import Path

from micrograd.ops import BY_NAME, ROWS

__all__ = ["likely", "near_function", "near_name", "parsed"]

# What other languages, libraries and books call the functions there are.
CALLED = {row.name: row.name for row in ROWS} | {
    "absolute": "abs",
    "fabs": "abs",
    "expo": "exp",
    "hardtanh": "hard_tanh",
    "htanh": "hard_tanh",
    "leakyrelu": "leaky_relu",
    "lrelu": "leaky_relu",
    "ln": "log",
    "logistic": "sigmoid",
    "logn": "log",
    "maximum": "max",
    "minimum": "min",
    "root": "sqrt",
    "sig": "sigmoid",
    "sigma": "sigmoid",
    "σ": "sigmoid",
    "softsign": "soft_sign",
    "tangens": "tanh",
    "tanhyp": "tanh",
    "cosine": "cos",
    "sine": "sin",
    "sqroot": "sqrt",
    "rectifier": "relu",
    "sqr": "square",
    "swish": "silu",
    "ln1p": "log1p",
    "lg": "log10",
    "tg": "tan",
    "arcsin": "asin",
    "arccos": "acos",
    "arctan": "atan",
    "arctg": "atan",
    "arcsinh": "asinh",
    "arccosh": "acosh",
    "arctanh": "atanh",
    "arsinh": "asinh",
    "arcosh": "acosh",
    "artanh": "atanh",
    "hinge": "relu",
}
# What has no function of its own.
WRITTEN = {
    "cube": "x ** 3",
    "exp2": "2 ** x",
    "logit": "log(x / (1 - x))",
    "mean": "(x + y) / 2",
    "relu6": "min(relu(x), 6)",
    "sum": "x + y",
    "expit": "sigmoid(x)",
    "dot": "x1 * y1 + x2 * y2",
}
CONSTANTS = {"pi": "3.141592653589793", "π": "3.141592653589793", "e": "2.718281828459045"}

LONGEST = 500  # characters of an expression that is looked at

_ANY_FUNCTION = "|".join(sorted(map(re.escape, {*CALLED, *WRITTEN}), key=len, reverse=True))
_REWRITINGS = (
    (r"[²³]", lambda m: "**2" if m[0] == "²" else "**3"),
    (r"\^", "**"),
    (r"[×·⋅∗•]", " * "),
    (r"[÷∕]", " / "),
    (r"[−–—]", "-"),
    (r"[\[{]", "("),
    (r"[\]}]", ")"),
    (r"\b(?:math|np|numpy|torch|jnp|cmath|F|nn)\.(?=\w)", ""),
    (r"(\w+)\.(\w+)\(\)", r"\2(\1)"),
    (r"√\s*(\w+)", r"sqrt(\1)"),
    (r"√\s*\(", "sqrt("),
    (r"\|([^|]+)\|", r"abs(\1)"),
    (r"^\s*\w+\([\w\s,]*\)\s*=(?!=)", ""),
    (r"(?<![=<>!])==(?!=)", "="),
    (r"([-+*/)].*)=\s*$", r"\1"),
    (rf"(?i)\b({_ANY_FUNCTION})\b(?=\s*\()", lambda m: _called(m[1])),
    (rf"(?i)\b({_ANY_FUNCTION})\s+([\w.]+)", lambda m: f"{_called(m[1])}({m[2]})"),
    (r"(?<![\w.(,])(\d+),(?!\d{3}\b)(\d+)", r"\1.\2"),
    (r"(?<![\w.])(\d+\.?\d*|\.\d+)\s*(?![eE][+-]?\d)([^\W\d]|\()", r"\1 * \2"),
    (r"\)\s*(?=[\w(])", ") * "),
    (r"\b([^\W\d]\w*)\s+(?=[^\W\d])", r"\1 * "),
)
_ALLOWED = (
    ast.Module,
    ast.Expr,
    ast.Assign,
    ast.Name,
    ast.Load,
    ast.Store,
    ast.BinOp,
    ast.UnaryOp,
    ast.Add,
    ast.Sub,
    ast.Mult,
    ast.Div,
    ast.Pow,
    ast.USub,
    ast.UAdd,
    ast.Constant,
    ast.Call,
)
_FILE_LIKE = re.compile(r"([^\s*()]*\.(?:py|ipynb|pyc|txt))\b(.*)", re.S)


def parsed(text: str | bytes) -> ast.Module:
    """Parse Python without its warnings, of 1or x and of '\\d', which are not for users."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ast.parse(text)


def likely(text: str) -> str:
    """Return "; write ...": the expression that `text` nearly is, or what it lacks; else ""."""
    if len(text) > LONGEST:
        return ""
    file = _FILE_LIKE.fullmatch(text.strip())
    if file:
        return _of_file(*file.groups())
    other = _rewritten(text)
    if other != text.strip() and _is_expression(other):
        return f"; write {other}"
    return _lacking(text)


def near_function(name: str) -> str:
    """Return "; is X meant?" for a function that there is not, or how it is written; else ""."""
    if name.lower() in WRITTEN:
        return f"; write {WRITTEN[name.lower()]}"
    return _is_meant(name, CALLED)


def near_name(name: str, known: list[str]) -> str:
    """Return what a name without a value may stand for: a constant, another name; else ""."""
    if name in CONSTANTS:
        power = ", or write exp(x) for e to the power of x" * (name == "e")
        return f", here {name}={CONSTANTS[name]}{power}"
    if name in CALLED:
        return f"; to call the function write {CALLED[name]}(...)"
    return _is_meant(name, dict(zip(known, known)))


def _is_meant(name: str, names: dict[str, str]) -> str:
    near = [other for other in names if sorted(other) == sorted(name.lower())]
    near = near or get_close_matches(name.lower(), names, 1, 0.6)
    return f"; is {names[near[0]]} meant?" if near else ""


def _called(name: str) -> str:
    return CALLED.get(name.lower(), name)


def _rewritten(text: str) -> str:
    text = text.strip()
    for pattern, other in _REWRITINGS:
        text = re.sub(pattern, other, text)
    return re.sub(r" +", " ", text).strip()


def _is_expression(text: str) -> bool:
    try:
        nodes = list(ast.walk(parsed(text)))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    calls = [node for node in nodes if isinstance(node, ast.Call)]
    functions = [node.func for node in calls]
    names = [n for n in nodes if isinstance(n, ast.Name) and n not in functions]
    return (
        all(isinstance(node, _ALLOWED) for node in nodes)
        and all(_is_call(node) for node in calls)
        and not any(name.id in CALLED for name in names)
    )


def _is_call(node: ast.Call) -> bool:
    row = BY_NAME.get(node.func.id) if isinstance(node.func, ast.Name) else None
    return row is not None and 0 < row.arity <= len(node.args)


def _lacking(text: str) -> str:
    text = text.strip()
    opened, closed = text.count("("), text.count(")")
    if opened != closed:
        return f"; a {')' if opened > closed else '('} is missing"
    if re.search(r"[-+*/,=]$", text):
        return f"; something is missing after {text[-1]!r}"
    if re.match(r"[*/,=]", text):
        return f"; something is missing before {text[0]!r}"
    return ""


def _of_file(path: str, rest: str) -> str:
    """Return how a Value of a file is named; the file is read for a name, never run."""
    if not path.endswith(".py"):
        return "; to show a Value of a Python file write FILE.py:NAME"
    names = re.findall(r"\w+", rest)[:1] or _assigned(path)[-1:] or ["NAME"]
    return f"; to show a Value of this file write {path}:{names[0]}"


# What a name may be of that is no Value.
_NO_VALUE = (
    *(ast.Constant, ast.Dict, ast.List, ast.Set, ast.Tuple, ast.Lambda),
    *(ast.DictComp, ast.ListComp, ast.SetComp, ast.JoinedStr),
)


def _assigned(path: str) -> list[str]:
    try:
        tree = parsed(Path(path).read_bytes())
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        return []
    return [
        target.id
        for statement in tree.body
        if isinstance(statement, ast.Assign) and not isinstance(statement.value, _NO_VALUE)
        for target in statement.targets
        if isinstance(target, ast.Name)
    ]
