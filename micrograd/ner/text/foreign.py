"""Files of other kinds given by mistake, called by their names."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

REMEDY = "expected one token per line, its tag in a column after it (CoNLL)"


def check(lines: Sequence[str], path: str, columns: int) -> None:
    """Raise ValueError where the first lines are CSV, XML, JSON or running text."""
    head = [line.strip() for line in lines[:200] if line.strip()][:20]
    if not head:
        return
    kind = _kind(head, columns)
    if kind:
        number = next(n for n, line in enumerate(lines, 1) if line.strip())
        raise ValueError(f"{path}:{number}: this looks like {kind}; {REMEDY}")


def _kind(head: list[str], columns: int) -> str:
    if head[0].startswith(("<?xml", "<!DOCTYPE", "<html")) or all(
        line.startswith("<") and line.endswith(">") for line in head
    ):
        return "XML or HTML"
    if _is_json(head):
        return "JSON"
    for sign, name, kinds in ((",", "commas", 2), (";", "semicolons", 1)):
        counts = {line.count(sign) for line in head}
        if columns < 2 and len(head) > 1 and min(counts) > 0 and len(counts) <= kinds:
            return f"CSV (columns separated by {name})"
    return ""


def _is_json(head: list[str]) -> bool:
    if head[0][0] not in "{[" or (len(head[0]) == 1 and (len(head) < 2 or head[1][0] not in '"{[')):
        return False
    try:
        value = from_json(head[0])
        return isinstance(value, dict) or any(isinstance(one, dict | list) for one in value)
    except ValueError:
        return len(head) > 1 and head[1][0] in '"{[' and head[0] in ("{", "[")


def from_json(text: str) -> Any:
    """Read JSON. ValueError for what is none, or is nested too deep to be read."""
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("nested too deep") from None
