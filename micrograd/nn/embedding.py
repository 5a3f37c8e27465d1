"""Tables of vectors, looked up by token or word ids (L8)."""

from __future__ import annotations

import numbers
import random
from typing import Any

from micrograd.core.checks import NO_LISTS, check_whole, is_several
from micrograd.core.modes import MODE, scope
from micrograd.engine import Value
from micrograd.nn.module import Module
from micrograd.printing import counted, shorten


class Embedding(Module):
    """Hold `count` vectors of `dim` numbers; `embedding(id)` is row id, a list of Values.

    An id is an int or a Value that holds a whole number. A sequence of ids gives the list of
    their rows. The numbers are drawn by `random.gauss(0, 1)`, row by row.
    """

    def __init__(self, count: int, dim: int) -> None:
        check_whole("the number of rows", count, 1)
        check_whole("the number of columns", dim, 1)
        self.rows = [_row(i, dim) for i in range(count)]

    def __call__(self, index: Any) -> Any:
        """Return the row of an id, or the list of the rows of several.

        Raises ValueError for an id that has no row, TypeError for what is no number or a float.
        """
        if _several(index):
            return [self(one) for one in index]
        row = self.rows[checked(index, len(self.rows), repr(self))]
        return _looked_up(self.rows, index, row)

    def __repr__(self) -> str:
        return f"Embedding({len(self.rows)}, {len(self.rows[0])})"


def one_hot(index: Any, count: int) -> Any:
    """Return `count` Values, 1 at `index` and 0 elsewhere; for a sequence, a list of such.

    It is the target of a class that only the data tell, which a lowered program takes as an id:
    `cross_entropy(logits, one_hot(target, 27))`. Raises what Embedding does.
    """
    if _several(index):
        return [one_hot(one, count) for one in index]
    check_whole("the number of classes", count, 1)
    chosen = checked(index, count, f"one_hot of {counted(count, 'class')}")
    return _looked_up(None, index, [Value(float(i == chosen)) for i in range(count)])


def checked(index: Any, count: int, of: str) -> int:
    """Return an id as an int. Raises ValueError or TypeError where there is no such id."""
    found: Any = index.data if isinstance(index, Value) else index
    if getattr(found, "ndim", None) == 0:
        found = found.item()
    whole: Any = numbers.Real if isinstance(index, Value) else numbers.Integral
    if isinstance(found, bool) or not isinstance(found, whole):
        raise TypeError(
            f"{of} takes an int as the id, or a Value that holds one, not {shorten(index)} "
            f"({type(index).__name__})"
        )
    if found != found // 1:
        raise ValueError(f"{of} takes whole numbers as ids, not {shorten(found)}")
    if not 0 <= found < count:
        from_end = "; there is no counting from the end" if found < 0 else ""
        raise ValueError(f"{of} has the ids 0 to {count - 1}, not {int(found)}{from_end}")
    return int(found)


def _row(i: int, dim: int) -> list[Value]:
    with scope(f"row {i}"):
        return [Value(random.gauss(0, 1), label=f"E{j}") for j in range(dim)]


def _several(index: Any) -> bool:
    return not isinstance(index, (str, Value, *NO_LISTS)) and is_several(index)


def _looked_up(rows: Any, index: Any, row: list[Value]) -> list[Value]:
    """Return a row, or what stands for it: whoever traces the graph is told which was looked up."""
    traced = MODE.on_lookup if isinstance(index, Value) else None
    return list((traced and traced(rows, index, row)) or row)
