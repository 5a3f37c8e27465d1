"""Lower a scalar function, or a recorded graph, to a program over arrays."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from micrograd.engine import Value
from micrograd.graph import Graph
from micrograd.lowering.arrays.leaves import declared_array, leaf_arrays
from micrograd.lowering.arrays.lookups import looked_up, reached, tables
from micrograd.lowering.caching import cached, structure
from micrograd.lowering.canonical import Canonical, canonical
from micrograd.lowering.checking import check_arrays
from micrograd.lowering.columns import Bools, Columns, columns
from micrograd.lowering.grouping import Grouping, IrregularError, levels
from micrograd.lowering.ir import CONSTANT, INPUT, PARAMETER, Array
from micrograd.lowering.levels import Levels, levelled
from micrograd.lowering.lowered import Lowered
from micrograd.lowering.names import check_given, name_arrays
from micrograd.lowering.program import Program
from micrograd.lowering.tensors import Constants
from micrograd.lowering.trace.declared import Declared, declared
from micrograd.lowering.trace.record import Trace, given_parameters, trace

REDUCTIONS = ("mean", "sum")
BACKENDS = ("numpy", "numba")
MOST_ARRAYS = 200  # and one more for every 500 nodes: beyond, a graph is taken for irregular


def lower(function: Callable[..., Any] | Value | Graph, *samples: Any, parameters: Any = None,
          names: Sequence[str] | None = None, reduce: str = "mean",
          backend: str = "numpy") -> Program:  # fmt: skip
    """Return the program of a function of one sample, or of a recorded loss.

    A function is traced on `samples`, nested lists of numbers; its program takes batches of them
    and returns the mean (or `reduce="sum"`) of their losses. `parameters` names the arrays to
    train; else they are the Values made before, named by labels and scopes, or by the variables
    that the function reads them from.
    """
    if reduce not in REDUCTIONS:
        raise ValueError(f"reduce={reduce!r}; give one of {', '.join(REDUCTIONS)}")
    if isinstance(function, Graph):
        function = function.values[function.roots[0]]
    if isinstance(function, Value):
        traced = Trace(function, given_parameters(parameters), None, False)
    else:
        traced = trace(function, samples, names, parameters)
    if backend not in BACKENDS:
        raise ValueError(f"backend={backend!r}; give one of {', '.join(BACKENDS)}")
    graph = columns(traced.root)
    return _program(traced, graph, bool(parameters), reduce, backend)


def _program(traced: Trace, graph: Columns, named: bool, reduce: str, backend: str) -> Program:
    ids = dict(zip(graph.values, range(len(graph))))
    found = reached(traced.lookups, ids)
    table = tables(found, traced.arrays, traced.start, named)
    around = [g for g in traced.around if any(v in ids for v in g.values.ravel().tolist())]
    given = [*dict.fromkeys((*traced.arrays, *table.values(), *around)),
             *_masks(graph, traced.start)]  # fmt: skip
    check_given([g.name for g in given if g.name])
    arrays = [declared_array(g, ids, traced.batched) for g in given]
    rows = looked_up(found, dict(zip(given, arrays)), table, ids)
    arrays += [array for array, _ in rows]
    trainable = _trainable(graph, traced, named)
    known = trainable.copy()
    for array in arrays:
        known[array.nodes[array.nodes >= 0]] = True
    form = canonical(graph, known)
    key = structure(form, arrays, trainable, reduce)
    lowered = cached(key, lambda: _lowered(form, arrays, trainable, reduce))
    values = [*(g.values for g in given), *(values for _, values in rows)]
    return Program(lowered, _leaf_values(lowered, values, graph), graph, backend)


def _masks(graph: Columns, start: int | None) -> list[Declared]:
    """Return the masks that dropout drew during the trace: inputs, to be drawn for every call."""
    if start is None:
        return []
    drawn = np.flatnonzero(graph.labelled & (graph.op == 0) & (graph.index >= start))
    masks: list[list[Value]] = []
    for i in drawn.tolist():
        number = re.fullmatch(r"mask(\d+)", graph.values[i].label)
        if number and (number[1] == "0" or not masks):
            masks.append([])
        if number:
            masks[-1].append(graph.values[i])
    names = ["mask"] if len(masks) == 1 else [f"mask{n + 1}" for n in range(len(masks))]
    return [declared(name, INPUT, mask) for name, mask in zip(names, masks)]


def _trainable(graph: Columns, traced: Trace, named: bool) -> Bools:
    """Return which leaves are parameters: made before the trace, or with a name in the graph."""
    leaf = graph.op == 0
    if named:
        return np.zeros(len(leaf), bool)
    if traced.start is not None:
        older: Bools = leaf & (graph.index < traced.start)
        return older
    named_scope = np.array([scope != "" for scope in graph.scopes])
    named_leaf: Bools = leaf & (graph.labelled | named_scope[graph.scope])
    return named_leaf


def _lowered(form: Canonical, known: list[Array], trainable: Bools, reduce: str
             ) -> Lowered | Levels:  # fmt: skip
    leaves = leaf_arrays(form, known, trainable)
    grouping = Grouping(form, leaves, limit=MOST_ARRAYS + int(form.live.sum()) // 500)
    try:
        arrays = grouping.run()
    except IrregularError:
        name_arrays(leaves, form.columns.values)
        plain = form.unchained()
        level = grouping.level if plain.live.sum() == form.live.sum() else np.array(levels(plain))
        return levelled(plain, level, leaves, reduce)
    check_arrays(arrays)
    name_arrays(arrays, form.columns.values)
    root = arrays[grouping.array[form.root]]
    return Lowered(arrays, root, reduce, grouping.array[grouping.within],
                   grouping.place[grouping.within], Constants())  # fmt: skip


def _leaf_values(lowered: Lowered | Levels, known: list[Any], graph: Columns) -> dict[str, Any]:
    """Return the Values of the leaf arrays by name; those of the first arrays are `known`."""
    found = {array.name: values for array, values in zip(lowered.arrays, known)}
    for kind in (PARAMETER, CONSTANT):
        for array in lowered.leaves(kind):
            if array.name not in found and array.data is None:
                values = np.empty(array.size, object)
                values[:] = [graph.values[i] for i in array.nodes.tolist()]
                found[array.name] = values.reshape(array.shape)
    return found
