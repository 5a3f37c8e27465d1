"""What a task is, and the comparisons that its check is made of."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np


class RefusedError(Exception):
    """Say why an answer is not right yet, in a sentence that helps."""


class Task(NamedTuple):
    """A function to write: its head and what it is to do, the reference, and the check."""

    name: str
    head: str
    ask: str
    reference: str  # the body
    check: Callable[[Any], None]

    def source(self, body: str) -> str:
        """Return the file of an answer with this body."""
        lines = "\n".join(f"    {line}" if line else "" for line in body.splitlines())
        return f'def {self.head}:\n    """{self.ask}"""\n{lines}\n'

    @property
    def template(self) -> str:
        """Return the file that a student begins with."""
        return "import math\n\nimport numpy as np\n\n\n" + self.source("raise NotImplementedError")

    @property
    def function(self) -> str:
        """Return the name of the function."""
        return self.head.split("(")[0]


def copies(*arrays: Any) -> list[Any]:
    """Return arrays that an answer may change: the check needs them as they were."""
    return [array.copy() for array in arrays]


def near(got: Any, expected: Any, what: str, hint: str = "", tolerance: float = 1e-6) -> None:
    """Refuse an answer that is another number or array; the hint says what to look at."""
    if got is None:
        raise RefusedError(f"{what} is missing: nothing is returned. {hint}")
    try:
        got_array = np.asarray(got, float)
    except (TypeError, ValueError):
        raise RefusedError(f"{what} should be numbers, not {got!r}") from None
    expected = np.asarray(expected, float)
    if got_array.shape != expected.shape:
        raise RefusedError(f"{what} has the shape {got_array.shape}, not {expected.shape}. {hint}")
    if not np.allclose(got_array, expected, rtol=tolerance, atol=tolerance):
        raise RefusedError(
            f"{what} is {np.round(got_array, 6)}, not {np.round(expected, 6)}. {hint}"
        )
