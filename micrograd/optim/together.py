"""Small arrays as parts of one long one, which a rule takes at once."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from typing import Any

MOST = 4096  # numbers of an array; copying more takes longer than another call of the rule


def is_small(item: Any) -> bool:
    """Return whether `item` is an array of few doubles of NumPy."""
    numpy: Any = sys.modules.get("numpy")
    return bool(
        numpy and type(item) is numpy.ndarray and item.dtype == numpy.float64 and item.size <= MOST
    )


def joined(arrays: Sequence[Any]) -> Any:
    """Return the numbers of some arrays one after the other."""
    import numpy as np

    return np.concatenate([array.reshape(-1) for array in arrays])


def parted(whole: Any, like: Sequence[Any]) -> Iterator[Any]:
    """Yield the parts of what `joined` gave, in the shapes of the arrays `like`."""
    start = 0
    for array in like:
        yield whole[start : start + array.size].reshape(array.shape)
        start += array.size
