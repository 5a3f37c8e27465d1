"""Which scalar nodes became which array, both ways."""

from __future__ import annotations

from collections import Counter

import numpy as np

from micrograd.core.modes import described
from micrograd.engine import Value
from micrograd.lowering.columns import MUL, NAMES, Columns, Ints
from micrograd.lowering.ir import INPUT, NUMBER, PARAMETER, Array
from micrograd.lowering.levels import Group, Levels
from micrograd.lowering.lowered import Lowered
from micrograd.lowering.text import line, shape_text
from micrograd.ops import WEIGHTED_SUM


def explained(lowered: Lowered | Levels, graph: Columns) -> str:
    """Return a table of the arrays, and how many nodes of each operation there were."""
    lines = [f"{len(graph)} scalar nodes: {_histogram(graph)}"]
    if isinstance(lowered, Levels):
        return "\n".join([*lines, *_levels(lowered, graph)])
    count = len(lowered.leaves(INPUT) + lowered.leaves(PARAMETER))
    lines.append(f"became {count} arrays of inputs "
                 "and parameters, and the lines:")  # fmt: skip
    arrays = [a for a in lowered.arrays if a.kind in (INPUT, PARAMETER)]
    lines += [_row(lowered, graph, _named(a), {a.name}) for a in arrays]
    passes = lowered.passes(PARAMETER)
    for statement in passes.forward:
        inside = {name for name, at in passes.line_of.items() if at == statement.name}
        lines.append(_row(lowered, graph, line(statement), inside))
    return "\n".join(lines)


def _named(array: Array) -> str:
    return f"{array.name}  # {shape_text(('B', *array.shape) if array.batched else array.shape)}"


def _levels(levels: Levels, graph: Columns) -> list[str]:
    """Return the rows of leaves, and of operations: those with the biggest groups first."""
    groups: dict[str, list[Group]] = {}
    for group in sorted(levels.groups(), key=lambda g: g.first - g.last):
        groups.setdefault(group.op, []).append(group)
    return [
        "too irregular for an array for each: became the places of one array v, the leaves",
        *(_leaf(levels, graph, array) for array in levels.arrays),
        "and, level by level, groups of nodes of one operation; those with the biggest first:",
        "   nodes  groups  biggest  operation",
        *(_operation(op, members) for op, members in groups.items()),
    ]


def _leaf(levels: Levels, graph: Columns, array: Array) -> str:
    places = levels.slots[array.name]
    used = places[places >= 0]
    unused = f"; {len(places) - len(used)} without effect" if len(used) < len(places) else ""
    where = f"; {_places(used.min(), used.max())}" if len(used) else ""
    return f"  {_named(array)}{where}{unused}{_scopes(graph, array.nodes[array.nodes >= 0])}"


def _places(first: int, last: int) -> str:
    return f"v[{first}]" + (f" to v[{last}]" if last > first else "")


def _operation(op: str, groups: list[Group]) -> str:
    nodes, first, last = sum(g.last - g.first for g in groups), groups[0].first, groups[0].last
    name = "sum" if op == WEIGHTED_SUM.name else op
    return f"{nodes:8} {len(groups):7} {last - first:8}  {name}: {_places(first, last - 1)}"


def found(lowered: Lowered | Levels, graph: Columns, wanted: Value) -> tuple[str, int]:
    """Return the name of the line that computes a Value, or of its leaf array, and its place."""
    try:
        id = graph.values.index(wanted)
    except ValueError:
        raise ValueError(f"{described(wanted)} is not in the graph of this program") from None
    within = lowered.slot if isinstance(lowered, Levels) else lowered.array_of
    if within[id] < 0:
        raise ValueError(f"{described(wanted)} is not in the program: it is a 0 that was added")
    if isinstance(lowered, Levels):
        return lowered.free("v"), _place(lowered, graph, id)
    array = lowered.arrays[int(lowered.array_of[id])]
    if array.kind == NUMBER:
        raise ValueError(f"{described(wanted)} is in no array: it is a number of the code")
    name = array.name
    return lowered.passes(PARAMETER).line_of.get(name, name), int(lowered.place_of[id])


def _place(levels: Levels, graph: Columns, id: int) -> int:
    place = int(levels.slot[id])
    if graph.op[id] != MUL or levels.op[place] == MUL:
        return place
    operands = levels.slot[[graph.x[id], graph.y[id]]]  # of a product that is a term of this sum
    terms = levels.term[levels.start[place] : levels.start[place + 1]]
    terms = terms if len(terms) else np.array([levels.x[place], levels.y[place]])
    same = (levels.x[terms] == operands[0]) & (levels.y[terms] == operands[1])
    return int(terms[same & (levels.op[terms] == MUL)][0])


def _histogram(graph: Columns) -> str:
    counts = Counter(NAMES[code] or "leaf" for code in graph.op.tolist())
    return ", ".join(f"{count} {name}" for name, count in counts.most_common())


def _row(lowered: Lowered, graph: Columns, text: str, names: set[str]) -> str:
    numbers = [n for n, array in enumerate(lowered.arrays) if array.name in names]
    ids = np.flatnonzero(np.isin(lowered.array_of, numbers))
    if not len(ids):
        return f"  {text}"
    nodes = f"{len(ids)} nodes, v{ids.min()} to v{ids.max()}" if len(ids) > 1 else f"v{ids[0]}"
    return f"  {text}; {nodes}{_scopes(graph, ids)}"


def _scopes(graph: Columns, ids: Ints) -> str:
    found = list(
        dict.fromkeys(graph.scopes[s] for s in graph.scope[ids].tolist() if graph.scopes[s])
    )
    return f"; {found[0]}{' ...' if len(found) > 1 else ''}" if found else ""
