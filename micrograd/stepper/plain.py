"""Plain data as JSON that may stand inside a page."""

from __future__ import annotations

import json
import math
from typing import Any

WHOLE = 1e15  # below, a whole number is written without its ".0"
NAMES = {math.inf: "Infinity", -math.inf: "-Infinity"}


def json_text(data: Any) -> str:
    """Return `data` as strict JSON that may stand inside a script element.

    Whole numbers lose their ".0", which means nothing there; nan and the infinities become the
    strings that both JavaScript's Number and Python's float read.
    """
    text = json.dumps(_finite(data), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    # JSON holds these characters inside strings only, where their escapes mean the same.
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def _finite(data: Any) -> Any:
    if isinstance(data, float):
        if not math.isfinite(data):
            return NAMES.get(data, "NaN")
        return int(data) if data.is_integer() and 0 < abs(data) < WHOLE else data
    if isinstance(data, dict):
        return {key: _finite(item) for key, item in data.items()}
    return [*map(_finite, data)] if isinstance(data, (list, tuple)) else data
