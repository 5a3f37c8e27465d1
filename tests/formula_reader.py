"""Formulas for readers, b² · −c or 1 if x ≥ y else 0, read as the numbers they stand for."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from micrograd.core.formulas import Namespace
from micrograd.ops import FUNCTIONS, ROWS, Row

RAISED = {c: str(n) for n, c in enumerate("⁰¹²³⁴⁵⁶⁷⁸⁹")} | {"⁻": "-"}
SIGNS = {"·": "*", "−": "-", "≥": ">=", "≤": "<=", "≠": "!=", "^": "**", " = ": " == "}
FORMULAS = {name: getattr(np, name) for name in (*FUNCTIONS, "where", "maximum", "minimum")}
FORMULAS |= {"abs": np.abs, "nan": np.nan}
ARRAYS = Namespace(FORMULAS)
CALLED = FORMULAS | {"max": np.maximum, "min": np.minimum}


def _called(row: Row) -> Callable[..., Any]:
    """Return the function that a row's name stands for; a constant unsaid is the default."""
    value, constant = ARRAYS.value(row), (row.constants or (None,))[0]
    if row.constants:
        return lambda x, k=constant: value(x, None, k)
    return value


CALLED |= {row.name: _called(row) for row in ROWS if row.name not in CALLED}


def number_of(text: str, names: Mapping[str, float]) -> float:
    """Return the number that a formula in `names` stands for."""
    text = re.sub(f"[{''.join(RAISED)}]+", _power, text)
    for sign, python in SIGNS.items():
        text = text.replace(sign, python)
    text = re.sub(r"(?<![\w)])\|", "abs(", text).replace(
        "|", ")"
    )  # one that opens, one that closes
    wide = {name: np.float64(x) for name, x in names.items()}
    with np.errstate(all="ignore"):
        return float(eval(text, dict(CALLED), wide))


def _power(found: re.Match[str]) -> str:
    return f"**({''.join(RAISED[c] for c in found[0])})"
