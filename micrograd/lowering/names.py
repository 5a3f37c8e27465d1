"""Names for arrays, as the lectures have them: x, W1, b1, z1, h1, u, s, J, delta1."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from keyword import iskeyword

from micrograd.engine import Value
from micrograd.lowering.ir import CHOICE, CONSTANT, ELEMENT, LEAVES, NUMBER, PARAMETER, SUM, Array
from micrograd.ops import BY_NAME, FUNCTIONS

_OTHERS = ("B", "where", "maximum", "minimum", "abs", "nan", "inf", "einsum", "transpose", "embed",
           "broadcast_to", "scatter", "segment_sum", "segment_max", "segment_min", "first_true",
           "segment_first_true", "zeros", "array", "loss", "s_", "sum", "rows", "add_rows",
           "Rows")  # fmt: skip
NUMPY = ("add", "subtract", "multiply", "divide", "power", "less", "less_equal", "greater",
         "greater_equal", "equal", "not_equal", "absolute", "negative", "logical_not", "copyto",
         "dot", "matmul", "einsum", "concatenate", "arange", "empty", "zeros", "ones", "array",
         "broadcast_to", "transpose", "errstate", "exp", "log", "log1p", "sqrt", "sin", "cos",
         "tanh", "maximum", "minimum", "float64", "int64", "nan", "inf")  # fmt: skip
RESERVED = frozenset((*FUNCTIONS, *_OTHERS, *NUMPY))
_NUMBERS = re.compile(r"[\d_.,\s\[\]()]*\d[\])]*$")
TABLE = re.compile(r"i\d+$")  # of places
TEMPORARY = re.compile(r"d?t\d+(_\d+)?$")  # what no person would name
_ACTIVATIONS = [row.name for row in BY_NAME.values() if row.arity == 1]


def check_given(names: Sequence[str]) -> None:
    """Raise ValueError where a program cannot have arrays of these names."""
    for name in names:
        if not name.isidentifier() or iskeyword(name):
            raise ValueError(f"{name!r} cannot name an array: it is no Python name")
        if not usable(name):
            raise ValueError(f"{name!r} cannot name an array: the program needs it for itself; "
                             "choose another name")  # fmt: skip
        if names.count(name) > 1:
            raise ValueError(f"two arrays are named {name!r}; name each differently")


def unnumbered(label: str) -> str:
    """Return a label without the numbers at its end: W of W0,3 and of W[0, 3]."""
    return _NUMBERS.sub("", label)


def identifier(text: str) -> str:
    """Return a text as a name of Python; nothing where it cannot be one."""
    name = re.sub(r"\W+", "_", text).strip("_")
    if not name.isidentifier():
        return ""
    return f"{name}_" if iskeyword(name) else name


def usable(name: str) -> bool:
    """Return whether a Python name is none that programs need for themselves."""
    own = TEMPORARY.match(name) or TABLE.match(name) or name.startswith("_")
    return not own and name not in RESERVED


def name_arrays(arrays: list[Array], values: list[Value]) -> None:
    """Give every array a name of its own."""
    taken = set(RESERVED) | {a.name for a in arrays if a.name}
    for array in arrays:
        if not array.name and array.kind != NUMBER:
            array.name = _free(_wanted(array, values), taken)
            taken.add(array.name)


def adjoint_names(arrays: list[Array]) -> dict[Array, str]:
    """Return the names of the adjoints: delta1 beside z1 (L6), dW1 beside W1."""
    taken = set(RESERVED) | {a.name for a in arrays}
    names = {}
    for array in arrays:
        delta = array.kind == SUM and re.fullmatch(r"z(\d*(_\w+)?)", array.name)
        names[array] = _free(f"delta{delta[1]}" if delta else f"d{array.name}", taken)
        taken.add(names[array])
    return names


def _free(wanted: str, taken: set[str]) -> str:
    """Return `wanted`, numbered if it is taken; `t` is always numbered."""
    if wanted not in taken and wanted != "t" and not TABLE.match(wanted):
        return wanted
    number, between = (1, "") if wanted in ("t", "c") else (2, "_")
    while f"{wanted}{between}{number}" in taken:
        number += 1
    return f"{wanted}{between}{number}"


def _wanted(array: Array, values: list[Value]) -> str:
    if array.kind in LEAVES or array.stem:
        return array.stem or _leaf(array)
    return _label(array, values) or _computed(array)


def _leaf(array: Array) -> str:
    rank = len(array.shape)
    if array.kind == PARAMETER:
        return "W" if rank == 2 else "b"
    return "x" if rank == 2 and array.kind == CONSTANT and array.data is None else "c"


def _label(array: Array, values: list[Value]) -> str:
    """Return what the labels of all elements begin with."""
    stems = {unnumbered(values[i].label) for i in array.nodes.tolist()}
    stem = stems.pop() if len(stems) == 1 else ""
    return stem if identifier(stem) == stem else ""


def _computed(array: Array) -> str:
    if array.kind == ELEMENT:
        of = array.operands[0].array.name
        hidden = len(array.operands) == 1 and of.startswith("z") and array.op in _ACTIVATIONS
        return f"h{of[1:]}" if hidden else "t"
    if array.kind == CHOICE:
        return "m" + _suffix(array.terms[0].a.array.name)
    for term in array.terms:
        if (
            term.b is not None
            and term.b.array.kind == PARAMETER
            and term.a.array is not term.b.array
        ):
            weights = re.fullmatch(r"([A-Z])(\d*)", term.b.array.name)
            vector = term.b.array.name == "u"
            if (weights or vector) and term.summed:
                letter, number = ("s", "") if vector else ("z", weights[2] if weights else "")
                return letter + number + _suffix(term.a.array.name)
    return "t"


def _suffix(name: str) -> str:
    """Return the _c of x_c, which goes on to all that is computed of it."""
    found = re.search(r"_[a-z]\w*$", name)
    return found[0] if found else ""


def uses(names: Iterable[str]) -> dict[str, int]:
    """Count the names."""
    counts: dict[str, int] = {}
    for name in names:
        counts[name] = counts.get(name, 0) + 1
    return counts
