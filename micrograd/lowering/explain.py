"""What lowering made of a graph: the passes with counts, or the form after one of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from micrograd.lowering import passes
from micrograd.lowering.arrays.ir import Array
from micrograd.lowering.arrays.notation import written
from micrograd.lowering.code.kinds import Printer
from micrograd.lowering.code.text import line
from micrograd.lowering.irregular.levels import Group, Levels, places
from micrograd.lowering.scalars.columns import Ints, ScalarGraph
from micrograd.lowering.trace.declared import INPUT, PARAMETER
from micrograd.ops import WEIGHTED_SUM
from micrograd.printing import counted, shorten

REPLAYED = (
    "too narrow for arrays: the scalar engine itself replays the graph, forward() and backward(), "
    "which is faster than the text; the text is what exports write"
)


def names() -> list[str]:
    """Return the names of the passes, as they stand."""
    return [step.name for step in passes.PASSES]


def explained(forms: Any, replayed: bool = False) -> str:
    """Return the passes with counts, and which scalar nodes became which line."""
    graph, arrays = forms["graph"], forms["arrays"]
    lines = ["pass      what it made", *_passes(forms), "", str(graph)]
    if isinstance(arrays, Levels):
        return "\n".join([*lines, *[REPLAYED] * replayed, *_levels(arrays, graph)])
    code = forms["inlined"]
    leaves = arrays.leaves(INPUT) + arrays.leaves(PARAMETER)
    lines.append(f"became {counted(len(leaves), 'array')} of inputs and parameters, and the lines:")
    lines += [_row(forms, f"{code.names[a]}  # {a.sizes}", {a}) for a in leaves]
    for statement in code.forward:
        inside = {a for a in arrays.arrays if code.line_of(a) is statement.array}
        lines.append(_row(forms, line(statement, Printer(code.names)), inside))
    return "\n".join(lines)


def form_after(forms: Any, name: str) -> str:
    """Return the form after a pass as text. Raises ValueError for a pass that there is not."""
    if name not in names():
        raise ValueError(f"no pass is called {shorten(name)}; give {', '.join(names())} or calls")
    form = forms.get(name)
    if form is None:
        return "this graph fits no arrays: it has no such form; see the pass arrays"
    if name in ("arrays", "adjoints") and not isinstance(forms["arrays"], Levels):
        shown = forms["arrays"].arrays if name == "arrays" else form.arrays
        return str(written(shown, forms["inlined"].names))
    return str(form)


def _passes(forms: Any) -> Iterator[str]:
    graph, arrays, code = forms["graph"], forms["arrays"], forms["inlined"]
    counts = {"graph": f"{len(graph)} scalar nodes", "chains": str(forms["chains"])}
    if isinstance(arrays, Levels):
        counts["arrays"] = f"{len(arrays.groups)} groups of nodes, level by level"
    else:
        computed = [array for array in arrays.arrays if array.terms]
        counts["arrays"] = f"{len(computed)} arrays in index notation"
        counts["adjoints"] = f"{len(forms['adjoints'].arrays)} adjoints in index notation"
        counts["code"] = f"{len(forms['code'].statements)} statements"
        counts["inlined"] = f"{len(code.statements)} statements"
    counts["text"] = f"{len(forms['text'].source.splitlines())} lines, the text that runs"
    for name in names():
        if forms.get(name) is not None:
            yield f"{name:<9} {counts.get(name, '')}".rstrip()


def _levels(levels: Levels, graph: ScalarGraph) -> list[str]:
    """Return the rows of leaves, and of operations: those with the biggest groups first."""
    groups: dict[str, list[Group]] = {}
    for group in sorted(levels.groups, key=lambda g: g.first - g.last):
        groups.setdefault(group.op, []).append(group)
    return [
        "too irregular for an array for each: became the places of one array v, the leaves",
        *(_leaf(levels, graph, array) for array in levels.arrays),
        "and, level by level, groups of nodes of one operation; those with the biggest first:",
        "   nodes  groups  biggest  operation",
        *(_operation(op, members) for op, members in groups.items()),
    ]


def _leaf(levels: Levels, graph: ScalarGraph, array: Array) -> str:
    slots = levels.slots[array]
    used = slots[slots >= 0]
    unused = f"; {len(slots) - len(used)} without effect" if len(used) < len(slots) else ""
    where = f"; {places(used.min(), used.max())}" if len(used) else ""
    text = f"{levels.names[array]}  # {array.sizes}"
    return f"  {text}{where}{unused}{_scopes(graph, array.nodes[array.nodes >= 0])}"


def _operation(op: str, groups: list[Group]) -> str:
    nodes, first, last = sum(g.last - g.first for g in groups), groups[0].first, groups[0].last
    name = "sum" if op == WEIGHTED_SUM.name else op
    return f"{nodes:8} {len(groups):7} {last - first:8}  {name}: {places(first, last - 1)}"


def _row(forms: Any, text: str, arrays: set[Array]) -> str:
    graph, form = forms["graph"], forms["arrays"]
    numbers = [n for n, array in enumerate(form.arrays) if array in arrays]
    ids = np.flatnonzero(np.isin(form.array_of, numbers))
    if not len(ids):
        return f"  {text}"
    nodes = f"{len(ids)} nodes, v{ids.min()} to v{ids.max()}" if len(ids) > 1 else f"v{ids[0]}"
    return f"  {text}; {nodes}{_scopes(graph, ids)}"


def _scopes(graph: ScalarGraph, ids: Ints) -> str:
    scopes = list(
        dict.fromkeys(graph.scopes[s] for s in graph.scope[ids].tolist() if graph.scopes[s])
    )
    return f"; {scopes[0]}{' ...' if len(scopes) > 1 else ''}" if scopes else ""
