"""What the leaves of a graph are: inputs, parameters, constants, declared array by array."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from micrograd.engine import Value

INPUT, PARAMETER, CONSTANT, NUMBER = "input", "parameter", "constant", "number"


@dataclass(frozen=True, eq=False)
class Declared:
    """Declare leaves to be one array of a kind; `values` are the Values by place.

    `name` is what the array has to be called; `stem` what to call it where that name is free.
    """

    name: str
    kind: str
    values: Any  # an object array
    stem: str = ""


def declared(name: str, kind: str, nested: Any) -> Declared:
    """Return nested lists of Values as one array. Raises ValueError where they are ragged."""
    values = np.array(nested, dtype=object)
    if any(not isinstance(v, Value) for v in values.ravel().tolist()):
        raise ValueError(
            f"{name} is ragged or holds something else than Values; give nested lists "
            "whose rows have one length, or each part under its own name"
        )
    return Declared(name, kind, values)
