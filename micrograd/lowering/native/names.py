"""Names of arrays that C can have."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from micrograd.ops import BY_NAME, FUNCTIONS

KEYWORDS = """auto break case char const continue default do double else enum extern float for goto
if inline int long register restrict return short signed sizeof static struct switch typedef union
unsigned void volatile while main run B s n i j k l p at sum best count share turn product memset
rint copysign isnan NAN INFINITY number wide pair maximum minimum square cube strange odd linux unix
LN2_HIGH LN2_LOW SHIFT WIDE ROWS DEEP TILE COLUMNS STATIC asm typeof bool true false y0 y1 yn j0 j1
jn gamma signgam nan inf"""


class CNames(dict[Any, str]):
    """The names of arrays as C can have them: those of the notes, in ASCII, none of C's own."""

    def __init__(self, names: Mapping[Any, str]) -> None:
        super().__init__()
        self.original = dict(names)
        self._taken = {*KEYWORDS.split(), *_math_names(), *BY_NAME}
        for item, name in names.items():
            self.enter(item, name)

    def enter(self, item: Any, name: str) -> None:
        """Give an array a name like the wanted one."""
        name = "".join(c if re.match(r"[A-Za-z0-9_]", c) else f"u{ord(c):x}" for c in name)
        name = re.sub(r"^(?=[\d_])", "v", name)
        while name in self._taken or re.fullmatch(r"(first|places|i)\d+|fast_.*|\w+_T", name):
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
