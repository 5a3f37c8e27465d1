"""How far exp, log, log1p and tanh of compiled programs are from the true numbers.

    python benchmarks/elementwise.py [--points 1000000] [--seed 0]

Each is computed by the loop of vectors that programs have, on random points over all that it takes
and near where it changes its ways, and compared with mpmath in 40 digits. Printed is the largest
error in units in the last place of the right number, and where it is: wanted is at most 2.
"""

from __future__ import annotations

import argparse
import ctypes
import sys
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from micrograd.lowering.native.c import helpers
from micrograd.lowering.native.compiler import loaded

MOST = 2.0  # units in the last place
FUNCTIONS = ("exp", "log", "log1p", "tanh")


def compiled() -> dict[str, Callable[[Any], Any]]:
    """Return the functions, of arrays."""
    text = (files(helpers) / "mathematics.c").read_text(encoding="utf-8")
    loops = [
        f"void {name}_of(long n, const double *restrict x, double *restrict y) "
        f"{{ for (long i = 0; i < n; i++) y[i] = fast_{name}(x[i]); }}"
        for name in FUNCTIONS
    ]
    library = loaded("\n".join(["#include <math.h>", text, *loops]))

    def of(name: str) -> Callable[[Any], Any]:
        def function(x: Any) -> Any:
            x = np.ascontiguousarray(x, np.float64)
            y = np.empty_like(x)
            pointers = (ctypes.c_void_p(a.__array_interface__["data"][0]) for a in (x, y))
            getattr(library, f"{name}_of")(ctypes.c_long(len(x)), *pointers)
            return y

        return function

    return {name: of(name) for name in FUNCTIONS}


def points(name: str, count: int, seed: int) -> Any:
    """Return points over all that a function takes: of every size, and where it is used most."""
    rng = np.random.default_rng(seed)
    part = count // 4
    sizes = 10.0 ** rng.uniform(-300, 300, part)
    if name == "exp":
        parts = [rng.uniform(-745, 709.7, part), rng.normal(0, 5, part), rng.uniform(-1, 1, part)]
        return np.concatenate(
            [*parts, rng.choice([-1, 1], part) * 10.0 ** rng.uniform(-20, 2.8, part)]
        )
    if name == "tanh":
        parts = [rng.uniform(-25, 25, part), rng.normal(0, 1, part), rng.uniform(-0.4, 0.4, part)]
        return np.concatenate(
            [*parts, rng.choice([-1, 1], part) * 10.0 ** rng.uniform(-20, 2, part)]
        )
    near = 1 + rng.normal(0, 0.1, part)
    if name == "log":
        return np.abs(
            np.concatenate([sizes, near, rng.uniform(0.5, 2, part), rng.exponential(1, part)])
        )
    small = 10.0 ** rng.uniform(-20, 0, part)
    return np.concatenate([sizes, small, rng.uniform(0, 1, part), -small * 0.999])


def errors(x: Any, y: Any, right: Callable[[Any], Any]) -> Any:
    """Return the errors of y in units in the last place of the right numbers."""
    import mpmath

    mpmath.mp.dps = 40
    exact = [right(mpmath.mpf(number)) for number in x.tolist()]
    rounded = np.array([float(number) for number in exact])
    apart = np.array([float(mpmath.mpf(b) - a) for a, b in zip(exact, y.tolist())])
    return np.abs(apart) / np.spacing(np.abs(rounded))


def worst(name: str, count: int, seed: int) -> tuple[float, float]:
    """Return the largest error of a function, and where it is."""
    import mpmath

    x = points(name, count, seed)
    wrong = errors(x, compiled()[name](x), getattr(mpmath, name))
    place = int(np.argmax(wrong))
    return float(wrong[place]), float(x[place])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--points", type=int, default=1_000_000, help="of each function")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    for name in FUNCTIONS:
        error, x = worst(name, options.points, options.seed)
        missed = "" if error <= MOST else "   NOT REACHED"
        print(f"{name:6} {error:5.2f} ulp at {x!r}   wanted <= {MOST:g}{missed}", flush=True)


if __name__ == "__main__":
    main()
