"""Lower a scalar function, or a recorded graph, to a program over arrays."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from micrograd.engine import Value
from micrograd.graph import Graph
from micrograd.lowering.arrays.ir import Array
from micrograd.lowering.arrays.leaves import declared_array, looked_up, tables
from micrograd.lowering.arrays.names import check_declared
from micrograd.lowering.cache import cached, structure
from micrograd.lowering.passes import Lowered, run
from micrograd.lowering.program import OutputProgram, Program
from micrograd.lowering.scalars.columns import Bools, ScalarGraph, folded
from micrograd.lowering.trace.declared import CONSTANT, INPUT, UPSTREAM, Declared, declared
from micrograd.lowering.trace.record import Trace, recorded, trace
from micrograd.printing import shorten

REDUCTIONS = ("mean", "sum")
BACKENDS = ("numpy", "c", "auto")


def lower(
    function: Callable[..., Any] | Value | Graph,
    *samples: Any,
    parameters: Any = None,
    names: Sequence[str] | None = None,
    reduce: str = "mean",
    backend: str = "numpy",
) -> Program:
    """Return the program of a function of one sample, or of a recorded loss.

    A function is traced on `samples`, nested lists of numbers; its program takes batches of them
    and returns the mean (or `reduce="sum"`) of their losses. `parameters` names the arrays to
    train; else they are the Values made before, named by labels and scopes, or by the variables
    and attributes that the function reads them from. `backend="c"` compiles the program
    (CompilerError where no compiler is); "auto" does so where it can, and else runs the text as
    "numpy" does.

    Of a function that returns nested lists of Values, the program returns an array; `reduce` says
    nothing then.
    """
    if reduce not in REDUCTIONS:
        raise ValueError(f"reduce={shorten(reduce)}; give one of {', '.join(REDUCTIONS)}")
    if backend not in BACKENDS:
        raise ValueError(f"backend={shorten(backend)}; give one of {', '.join(BACKENDS)}")
    with _collector_paused():
        traced = _traced(function, samples, names, parameters)
        several = any((a.name, a.kind) == (UPSTREAM, INPUT) for a in traced.arrays[len(samples) :])
        parts = _parts(traced, bool(parameters), "sum" if several else reduce)
        return (OutputProgram if several else Program)(*(*parts, backend))


@contextmanager
def _collector_paused() -> Iterator[None]:
    """Pause the cyclic collector: many nodes are made, none of them in a cycle.

    After it they count as old: else it would look through all of them at once.
    """
    enabled, frozen = gc.isenabled(), gc.get_freeze_count()
    try:  # Ctrl-C may come after any call
        gc.disable()
        yield
    finally:
        if enabled:
            gc.enable()
        if not frozen:
            gc.freeze()
            gc.unfreeze()


def _traced(
    function: Any, samples: tuple[Any, ...], names: Sequence[str] | None, parameters: Any
) -> Trace:
    if isinstance(function, Graph):
        function = function.values[function.roots[0]]
    if isinstance(function, Value):
        return recorded(function, samples, parameters)
    return trace(function, samples, names, parameters)


def _parts(traced: Trace, named: bool, reduce: str) -> tuple[Any, ...]:
    """Run the passes up to arrays, or take these from a graph of the same structure."""
    forms = run({"traced": traced}, "graph", "graph")
    graph: ScalarGraph = forms["graph"]
    arrays, values = _leaves(traced, graph, named)
    trainable = _trainable(graph, traced, named)
    known = trainable.copy()
    for array in arrays:
        known[array.nodes[array.nodes >= 0]] = True
    forms["graph"], numbers = folded(graph, (graph.op == 0) & ~known & _made(graph, traced))
    forms |= {
        "known": known,
        "numbers": numbers,
        "declared": arrays,
        "trainable": trainable,
        "reduce": reduce,
    }
    forms = run(forms, "chains", "chains")
    key = structure(forms["chains"], arrays, trainable, reduce)
    lowered = cached(key, lambda: Lowered(run(forms, "arrays", "arrays")["arrays"]))
    return lowered, _leaf_values(lowered, values, graph), graph, forms["chains"]


def _leaves(traced: Trace, graph: ScalarGraph, named: bool) -> tuple[list[Array], list[Any]]:
    """Return the arrays of leaves that are declared, drawn or looked up, and their Values."""
    ids = graph.leaves
    lookups = [x for x in traced.lookups if any(v in ids for row in x.rows.values() for v in row)]
    table = tables(lookups, traced, named)
    around = [g for g in traced.around if any(v in ids for v in g.values.ravel().tolist())]
    known = dict.fromkeys((*traced.arrays, *table.values(), *around))
    leaves = [*known, *_masks(graph, traced.batched)]
    check_declared([leaf.name for leaf in leaves if leaf.name])
    arrays = [declared_array(leaf, ids, traced.batched) for leaf in leaves]
    rows = looked_up(lookups, dict(zip(leaves, arrays)), table, ids)
    values = [leaf.values for leaf in leaves]
    return [*arrays, *(a for a, _ in rows)], [*values, *(v for _, v in rows)]


def _masks(graph: ScalarGraph, batched: bool) -> list[Declared]:
    """Return the masks that dropout drew: inputs, to be drawn for every call; else constants."""
    masks: dict[Any, dict[int, Value]] = {}
    for i in np.flatnonzero(graph.op == 0).tolist():
        draw, place = getattr(graph.values[i], "drawn", (None, 0))
        if draw is not None:
            masks.setdefault(draw, {})[place] = graph.values[i]
    names = ["mask"] if len(masks) == 1 else [f"mask{n + 1}" for n in range(len(masks))]
    kind = INPUT if batched else CONSTANT
    return [
        declared(name, kind, [values.get(i) or Value(1.0) for i in range(draw.size)])
        for name, (draw, values) in zip(names, masks.items())
    ]


def _trainable(graph: ScalarGraph, traced: Trace, named: bool) -> Bools:
    """Return which leaves are parameters: those there before the trace, or kept between calls.

    In a recorded loss they are those with a name. What detach() or dropout made is none.
    """
    leaf: Bools = graph.op == 0
    if named:
        return np.zeros(len(leaf), bool)
    for i in np.flatnonzero(leaf).tolist():
        value = graph.values[i]
        leaf[i] = not (getattr(value, "constant", False) or hasattr(value, "drawn"))
    if traced.start is None:
        named_scope = np.array([scope != "" for scope in graph.scopes])
        named_leaf: Bools = leaf & (graph.labelled | named_scope[graph.scope])
        return named_leaf
    for i in np.flatnonzero(leaf & (graph.index >= traced.start)).tolist():
        leaf[i] = graph.values[i] in traced.lasting
    return leaf


def _made(graph: ScalarGraph, traced: Trace) -> Bools:
    """Mark the nodes that a traced function makes at every call."""
    start = len(graph) and graph.index.max() + 1 if traced.start is None else traced.start
    made: Bools = graph.index >= start
    made[[graph.leaves[value] for value in traced.lasting & graph.leaves.keys()]] = False
    return made


def _leaf_values(lowered: Lowered, known: list[Any], graph: ScalarGraph) -> dict[str, Any]:
    """Return the Values of the leaf arrays by name; those of the first arrays are `known`."""
    values_of = {lowered.names[a]: values for a, values in zip(lowered.arrays.arrays, known)}
    for array in lowered.arrays.arguments:
        if lowered.names[array] not in values_of:
            values = np.empty(array.size, object)
            values[:] = [graph.values[i] for i in array.nodes.tolist()]
            values_of[lowered.names[array]] = values.reshape(array.shape)
    return values_of
