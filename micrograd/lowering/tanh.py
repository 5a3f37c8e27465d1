"""tanh of large arrays, in half the time of np.tanh where SIMD gathers are slow.

tanh(c + r) = (tanh c + tanh r) / (1 + tanh c · tanh r), c the nearest of the points whose tanh
lies in a table, |r| ≤ STEP / 2. Relative error below 1e-15, as that of np.tanh.
"""

from __future__ import annotations

import math
import threading
from typing import Any

import numpy as np

from micrograd.lowering.columns import Floats, Ints

SMALL = 1024  # elements, below which the number of calls counts more
CHUNK = 8192  # elements: what is at hand stays in the cache
STEP, LIMIT = 1 / 128, 20.0  # tanh 20 is 1.0
_LAST = int(LIMIT / STEP)
_TABLE = np.array([math.tanh(i * STEP) for i in range(-_LAST, _LAST + 1)])
_ROUND = 1.5 * 2**52 * STEP  # added to a number, rounds it to a multiple of STEP
_FIRST = np.array(_ROUND - LIMIT).view(np.int64)  # its last bits then count the multiples
_ROUNDER, _LOW, _HIGH, _ONE = (np.array(v) for v in (_ROUND, -LIMIT, LIMIT, 1.0))
_CUBIC, _QUINTIC = np.array(-1 / 3), np.array(2 / 15)  # tanh r = r - r³/3 + 2r⁵/15 - ...


class _Scratch(threading.local):
    """Hold what lies between, of one thread."""

    def __init__(self) -> None:
        self.arrays = [np.empty(CHUNK) for _ in range(3)]
        self.places = np.empty(CHUNK, np.int64)


_SCRATCH = _Scratch()


def tanh(x: Any, out: Any = None) -> Any:
    """Return tanh x, written into `out` where it is given; the two may be the same array."""
    if out is None or x.size < SMALL or x.shape != out.shape:
        return np.tanh(x, out)
    if x.flags.c_contiguous and out.flags.c_contiguous:
        flat, result = x.reshape(-1), out.reshape(-1)
    elif x.flags.f_contiguous and out.flags.f_contiguous:
        flat, result = x.T.reshape(-1), out.T.reshape(-1)
    else:
        return np.tanh(x, out)
    for first in range(0, len(flat), CHUNK):
        part = slice(first, first + CHUNK)
        _chunk(flat[part], result[part])
    return out


def _chunk(x: Floats, r: Floats) -> None:
    """Write tanh x into r, its own remainder first."""
    n = len(x)
    c, s, table = (array[:n] for array in _SCRATCH.arrays)
    place: Ints = _SCRATCH.places[:n]
    np.maximum(x, _LOW, out=r)
    np.minimum(r, _HIGH, out=r)
    np.add(r, _ROUNDER, c)
    np.subtract(c.view(np.int64), _FIRST, place)
    _TABLE.take(place, 0, table, "clip")  # clipped for the sake of nan, which stays nan below
    np.subtract(c, _ROUNDER, c)
    np.subtract(r, c, r)
    np.multiply(r, r, s)
    np.multiply(s, _QUINTIC, c)
    np.add(c, _CUBIC, c)
    np.multiply(c, s, c)
    np.multiply(c, r, c)
    np.add(c, r, r)
    np.multiply(r, table, s)
    np.add(s, _ONE, s)
    np.add(r, table, r)
    np.divide(r, s, r)
