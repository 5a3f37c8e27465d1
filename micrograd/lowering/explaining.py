"""Which scalar nodes became which array."""

from __future__ import annotations

from collections import Counter

import numpy as np

from micrograd.lowering.columns import NAMES, Columns
from micrograd.lowering.ir import INPUT, PARAMETER, Array
from micrograd.lowering.levels import Levels
from micrograd.lowering.lowered import Lowered
from micrograd.lowering.text import line, shape_text


def explained(lowered: Lowered | Levels, graph: Columns) -> str:
    """Return a table of the arrays, and how many nodes of each operation there were."""
    lines = [f"{len(graph)} scalar nodes: {_histogram(graph)}"]
    if isinstance(lowered, Levels):
        groups = lowered.groups()
        return "\n".join(
            [*lines, f"too irregular for arrays: {len(groups)} groups, level by level"]
        )
    count = len(lowered.leaves(INPUT) + lowered.leaves(PARAMETER))
    lines.append(f"became {count} arrays of inputs "
                 "and parameters, and the lines:")  # fmt: skip
    arrays = [a for a in lowered.arrays if a.kind in (INPUT, PARAMETER)]
    lines += [_row(lowered, graph, f"{a.name}  # {_shape(a)}", {a.name}) for a in arrays]
    passes = lowered.passes(PARAMETER)
    for statement in passes.forward:
        inside = {name for name, at in passes.line_of.items() if at == statement.name}
        lines.append(_row(lowered, graph, line(statement), inside))
    return "\n".join(lines)


def _shape(array: Array) -> str:
    return shape_text(("B", *array.shape) if array.batched else array.shape)


def _histogram(graph: Columns) -> str:
    counts = Counter(NAMES[code] or "leaf" for code in graph.op.tolist())
    return ", ".join(f"{count} {name}" for name, count in counts.most_common())


def _row(lowered: Lowered, graph: Columns, text: str, names: set[str]) -> str:
    numbers = [n for n, array in enumerate(lowered.arrays) if array.name in names]
    ids = np.flatnonzero(np.isin(lowered.array_of, numbers))
    if not len(ids):
        return f"  {text}"
    scopes = list(
        dict.fromkeys(graph.scopes[s] for s in graph.scope[ids].tolist() if graph.scopes[s])
    )
    where = f"; {scopes[0]}{' ...' if len(scopes) > 1 else ''}" if scopes else ""
    return f"  {text}; {len(ids)} nodes, v{ids.min()} to v{ids.max()}{where}"
