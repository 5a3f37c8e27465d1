"""Which scalar nodes became which array, both ways."""

from __future__ import annotations

from collections import Counter

import numpy as np

from micrograd.engine import Value
from micrograd.lowering.columns import NAMES, Columns, Ints
from micrograd.lowering.ir import LEAVES, NUMBER, Array
from micrograd.lowering.levels import Levels
from micrograd.lowering.lowered import Lowered
from micrograd.lowering.statements import value
from micrograd.lowering.text import shape_text, shown
from micrograd.modes import described


def explained(lowered: Lowered | Levels, graph: Columns) -> str:
    """Return a table of the arrays, and how many nodes of each operation there were."""
    lines = [f"{len(graph)} scalar nodes: {_histogram(graph)}"]
    if isinstance(lowered, Levels):
        groups = lowered.groups()
        return "\n".join([*lines, f"too irregular for arrays: {len(groups)} groups, level by level"])
    computed = [array for array in lowered.arrays if array.kind not in LEAVES]
    lines.append(f"became {len(computed)} arrays:")
    for number, array in enumerate(lowered.arrays):
        if array.kind != NUMBER and array.data is None:
            lines.append(_row(lowered, graph, array, np.flatnonzero(lowered.array_of == number)))
    return "\n".join(lines)


def found(lowered: Lowered | Levels, graph: Columns, wanted: Value) -> tuple[str, int]:
    """Return the name of the array that a Value went to, and its place."""
    try:
        id = graph.values.index(wanted)
    except ValueError:
        raise ValueError(f"{described(wanted)} is not in the graph of this program") from None
    if isinstance(lowered, Levels):
        return "v", int(lowered.slot[id])
    return lowered.arrays[int(lowered.array_of[id])].name, int(lowered.place_of[id])


def _histogram(graph: Columns) -> str:
    counts = Counter(NAMES[code] or "leaf" for code in graph.op.tolist())
    return ", ".join(f"{count} {name}" for name, count in counts.most_common())


def _row(lowered: Lowered, graph: Columns, array: Array, ids: Ints) -> str:
    formula = array.kind if array.kind in LEAVES else shown(value(array, lowered.tables))
    shape = ("B", *array.shape) if array.batched else array.shape
    scopes = list(dict.fromkeys(graph.scopes[s] for s in graph.scope[ids].tolist() if graph.scopes[s]))
    where = f"; {scopes[0]}{' ...' if len(scopes) > 1 else ''}" if scopes else ""
    nodes = f"{len(ids)} nodes, v{ids.min()} to v{ids.max()}" if len(ids) else "not reached"
    return f"  {array.name:<8} {shape_text(shape):<12} {formula}    # {nodes}{where}"
