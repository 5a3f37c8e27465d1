"""The leaves of a graph as arrays: inputs, parameters, constants, numbers, rows looked up.

Those declared as nested lists keep their shape. Parameters found in the graph are gathered by
scope and label: `w0`, `w1` in "layer 0 / neuron 3" lie in row 3 of W1.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import Any

import numpy as np

from micrograd.core.modes import SEPARATOR
from micrograd.engine import Value
from micrograd.lowering.arrays.axes import find_axes
from micrograd.lowering.arrays.ir import BATCH, COMPUTED, Array, Axis, B, Rows, Term
from micrograd.lowering.arrays.names import identifier, usable
from micrograd.lowering.arrays.reads import coordinates, read
from micrograd.lowering.scalars.chains import Chains
from micrograd.lowering.scalars.columns import NONE, Bools, Ints, ScalarGraph
from micrograd.lowering.trace.declared import CONSTANT, INPUT, NUMBER, PARAMETER, Declared
from micrograd.lowering.trace.lookups import Lookup
from micrograd.lowering.trace.record import Trace
from micrograd.printing import unnumbered

Key = tuple[str, str, str]  # kind, scope without the neuron, label without the number
_MEMBER = re.compile(r"(?:^|" + re.escape(SEPARATOR) + r")(?:neuron|row|unit) \d+$")
_WINDOW, _IDS = re.compile(r"_[a-z]\w*$"), re.compile(r"(?<=.)_(ids?|idx)$")


def declared_array(leaves: Declared, ids: Mapping[Value, int], batched: bool) -> Array:
    """Return declared leaves as an array, with the ids of its elements in the graph."""
    nodes = np.array([ids.get(v, NONE) for v in leaves.values.ravel().tolist()], np.intp)
    return Array(
        leaves.kind,
        leaves.values.shape,
        nodes,
        batched and leaves.kind == INPUT,
        name=leaves.name,
        stem=_usable(leaves.stem),
    )


def _usable(stem: str) -> str:
    """Return what to call an array by a name that is only wanted: B_ where the text needs B."""
    name = identifier(stem)
    return name if not name or usable(name) else f"{name}_"


def leaf_arrays(form: Chains, arrays: list[Array], trainable: Bools) -> list[Array]:
    """Return `arrays` with one more for every set of leaves that they lack."""
    graph = form.graph
    left = form.remaining & (graph.op == 0)
    for array in arrays:
        left[array.nodes[array.nodes >= 0]] = False
    numbers = np.flatnonzero(left & form.written_number & ~trainable)
    left[numbers] = False
    result, first_user = list(arrays), _first_users(form)
    for key, modules in _sets(graph, np.flatnonzero(left), trainable).items():
        for ids in modules.values():
            result += _parted(graph, key, np.array(ids), first_user)
    data = np.unique([graph.values[i].data for i in numbers.tolist()])
    return [*result, Array(NUMBER, data.shape, numbers, data=data)]


def _sets(graph: ScalarGraph, leaves: Ints, trainable: Bools) -> dict[Key, dict[int, list[int]]]:
    """Return leaves by kind, scope and label, those of each module apart.

    A second "neuron 0 / w0" means that another module of the same shape has begun.
    """
    sets: dict[Key, dict[int, list[int]]] = {}
    modules: dict[Any, list[set[Any]]] = {}  # by kind and scope: the names in each module
    for i in leaves.tolist():
        value, kind = graph.values[i], PARAMETER if trainable[i] else CONSTANT
        stem, scope = unnumbered(value.label), _MEMBER.sub("", value.scope)
        names = modules.setdefault((kind, scope), [set()])
        name = value.scope, value.label
        if name in names[-1] and scope != value.scope and stem != value.label:
            names.append(set())
        names[-1].add(name)
        sets.setdefault((kind, scope, stem), {}).setdefault(len(names), []).append(i)
    return sets


def _parted(graph: ScalarGraph, key: Key, ids: Ints, first_user: Ints) -> list[Array]:
    """Part one set of leaves by what uses them: weights from biases where nothing names them."""
    kind, _, stem = key
    user, role = first_user[ids], np.zeros(len(ids), np.intp)
    if not stem:  # by the operation and the operand's place at their first use
        role = graph.op[user] * 2 + (graph.x[user] == ids)
    parts = []
    for r in np.unique(role).tolist():
        part = ids[role == r]
        grid = _labelled_grid(graph, part) or (part, _shape(graph, part, first_user[part]))
        parts.append(Array(kind, grid[1], grid[0], stem=_stem(*key, grid[1])))
    return parts


def _labelled_grid(graph: ScalarGraph, ids: Ints) -> tuple[Ints, tuple[int, ...]] | None:
    """Return leaves labelled P0,0 P0,1 P1,0 ... in the order of their numbers, and the shape."""
    labels = [graph.values[i].label for i in ids.tolist()]
    places = [re.findall(r"\d+", label[len(unnumbered(label)) :]) for label in labels]
    rank = len(places[0])
    scopes = len(set(graph.scope[ids].tolist()))
    if scopes > 1 or rank < 2 or any(len(place) != rank for place in places):
        return None
    grid = np.array(places, np.intp)
    grid -= grid.min(axis=0)
    shape = tuple((grid.max(axis=0) + 1).tolist())
    flat = np.ravel_multi_index(tuple(grid.T), shape)
    if min(shape) == 1 or np.prod(shape) != len(ids) or len(set(flat.tolist())) != len(ids):
        return None
    return ids[np.argsort(flat)], shape


def _first_users(form: Chains) -> Ints:
    """Return the first node that uses each node; the root where none does."""
    graph = form.graph
    first = np.full(len(graph), len(graph))
    owner, every = form.owner, np.arange(len(first))
    for operand, user in ((graph.x, every), (graph.y, every), (form.a, owner), (form.b, owner)):
        has = (operand >= 0) & form.remaining[user]
        np.minimum.at(first, operand[has], user[has])
    first[first == len(first)] = graph.root
    return first


def _shape(graph: ScalarGraph, ids: Ints, user: Ints) -> tuple[int, ...]:
    """Return (rows, length): a row for each scope, or for each run of leaves used together."""
    scope = graph.scope[ids]
    member = bool(_MEMBER.search(graph.scopes[scope[0]]))
    if len(ids) == 1:
        return (1,) if member else ()
    for row in (scope, user):
        lengths = np.diff(np.flatnonzero(np.concatenate(([1], row[1:] != row[:-1], [1]))))
        if (lengths == lengths[0]).all() and lengths[0] > 1 and len(lengths) > 1:
            return len(lengths), int(lengths[0])
    return (1, len(ids)) if member and (scope == scope[0]).all() else (len(ids),)


def _stem(kind: str, scope: str, stem: str, shape: tuple[int, ...]) -> str:
    """Return the name of a parameter: W1 for the w of layer 0."""
    stem = identifier(stem) or ("w" if len(shape) == 2 and kind == PARAMETER else "")
    stem = stem.upper() if len(shape) == 2 and len(stem) == 1 else stem
    number = re.search(r"(\d+)$", scope.rpartition(SEPARATOR)[2])
    return f"{stem}{int(number[1]) + 1}" if number and stem else stem


# rows looked up: `x = E[ids]` for every sample


def _rows_array(
    lookup: Lookup, ids: Array, table: Array | None, nodes: Mapping[Value, int], stem: str
) -> tuple[Array, Any]:
    """Return the array of the rows looked up, and its Values by place."""
    places = np.array(sorted(lookup.rows))
    grid = find_axes(coordinates(ids.shape, places), len(places))
    flat = places[grid.order].reshape(grid.shape)
    operand = read(ids, flat, range(len(grid.shape)))
    values = np.empty((*grid.shape, lookup.length), object)
    values.reshape(-1)[:] = [v for place in flat.ravel().tolist() for v in lookup.rows[place]]
    known = np.array([nodes.get(v, NONE) for v in values.ravel().tolist()], np.intp)
    kept: tuple[Axis, ...] = ((BATCH, B), *enumerate(map(int, values.shape)))
    term = Term((Rows(table, operand),), kept)
    return Array(COMPUTED, values.shape, known, True, (term,), stem=stem), values


def looked_up(
    lookups: Sequence[Lookup],
    arrays: Mapping[Declared, Array],
    tables: Mapping[int, Declared],
    nodes: Mapping[Value, int],
) -> list[tuple[Array, Any]]:
    """Return the arrays of the rows and their Values, those of inputs and tables being `arrays`.

    Raises ValueError where an input is looked up and used as a number too.
    """
    x_is_free = all(leaves.name != "x" for leaves in arrays)
    looked = {_IDS.sub("", lookup.ids.name) for lookup in lookups if lookup.table}
    # Plain x is what the only ids look up, and of ids and ids_c the first:
    bare = {_WINDOW.sub("", of) for of in looked if len(looked) == 1 or _WINDOW.search(of)}
    result = []
    for lookup in lookups:
        ids = arrays[lookup.ids]
        table = arrays[tables[id(lookup.table)]] if lookup.table else None
        if (ids.nodes >= 0).any():
            raise ValueError(
                f"{ids.name} is looked up in a table and used as numbers too; give it "
                "to the function twice, once for each"
            )
        of_table = "one_hot" if table is None else (table.name or table.stem).lower()
        of = _IDS.sub("", ids.name)
        window = _WINDOW.search(of)  # the _c of ids_c goes on to what is looked up
        stem = of_table if table is None or not x_is_free else "x"
        if table and not window and of not in bare:  # v_c = V[c], u_o = U[o], x_tag = E[tag_ids]
            stem = of_table if re.fullmatch("[a-df-z]", of_table) else stem
            stem += f"_{of}"
        result.append(_rows_array(lookup, ids, table, nodes, stem + (window[0] if window else "")))
    return result


def tables(lookups: Iterable[Lookup], traced: Trace, named: bool) -> dict[int, Declared]:
    """Return the table of each lookup, by the identity of its rows: one of `arrays`, or a new one.

    Where parameters were `named`, a table that is none of them is a constant. Raises ValueError
    where one shares some of its Values with a parameter.
    """
    by_first = {id(g.values.flat[0]): g for g in (*traced.arrays, *traced.around) if g.values.size}
    result: dict[int, Declared] = {}
    for rows in (lookup.table for lookup in lookups if lookup.table):
        if id(rows) in result:
            continue
        first, shape = rows[0][0], (len(rows), len(rows[0]))
        table = by_first.get(id(first))
        if table is None or table.values.shape != shape or table.values[-1, -1] is not rows[-1][-1]:
            trained = not named and first in traced.lasting
            kind = PARAMETER if trained else CONSTANT
            stem = unnumbered(first.label)
            stem = stem and _stem(PARAMETER, _MEMBER.sub("", first.scope), stem, shape)
            values = np.fromiter(chain(*rows), object, shape[0] * shape[1]).reshape(shape)
            table = Declared("", kind, values, stem or "E")
            _check_separate(table, traced.arrays)
        result[id(rows)] = table
    return result


def _check_separate(table: Declared, arrays: Sequence[Declared]) -> None:
    own = set(table.values.ravel().tolist())
    for other in arrays:
        if other.kind == PARAMETER and not own.isdisjoint(other.values.ravel().tolist()):
            raise ValueError(
                f"the parameter {other.name} holds Values of a table that is looked up; give the "
                f"table whole, as {other.name}=embedding.rows"
            )
