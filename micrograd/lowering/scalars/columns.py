"""A recorded graph as NumPy columns: what lowering computes on, some 0.5 µs per node to make."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from micrograd.core.handmade import Handmade
from micrograd.core.kinds import ELEMENTARY, LEAF, SUM_OF_PRODUCTS
from micrograd.core.modes import described
from micrograd.core.order import topological_order
from micrograd.engine import Value
from micrograd.ops import ROWS, STOPPED, WEIGHTED_SUM, Row, for_each_row

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

NAMES = ["", *(row.name for row in (*ROWS, WEIGHTED_SUM, STOPPED))]
CODES = {name: code for code, name in enumerate(NAMES)}
ADD, MUL, WEIGHTED = CODES["add"], CODES["mul"], CODES[WEIGHTED_SUM.name]
ROUTES = tuple(CODES[row.name] for row in ROWS if row.role == "routes")  # max, min
_CODE_OF: dict[Any, int] = {op: CODES[name] for name, op in ELEMENTARY.items()}
_CODE_OF |= {LEAF: 0, SUM_OF_PRODUCTS: WEIGHTED}


@for_each_row
def _give_code(row: Row) -> None:
    if row.name not in CODES:
        CODES[row.name] = _CODE_OF[ELEMENTARY[row.name]] = len(NAMES)
        NAMES.append(row.name)


NONE = -1  # the operand that a node does not have

_index = attrgetter("_index")


@dataclass(frozen=True, eq=False)
class ScalarGraph:
    """Hold a graph: ids are places in topological order, as in `graph.snapshot`.

    `op` holds codes (NAMES tells), `x` and `y` the operands' ids or NONE, `k` constants or nan.
    The weighted sums `wide` hold wide_w[i] × wide_x[i] for i from wide_start[n] to
    wide_start[n + 1], and wide_bias[n] or NONE.
    """

    values: list[Value]
    op: Ints
    x: Ints
    y: Ints
    k: Floats
    wide: Ints
    wide_start: Ints
    wide_w: Ints
    wide_x: Ints
    wide_bias: Ints
    index: Ints
    labelled: Bools
    scope: Ints
    scopes: list[str]
    root: int

    def __str__(self) -> str:
        counts = Counter(NAMES[code] or "leaf" for code in self.op.tolist())
        kinds = ", ".join(f"{count} {name}" for name, count in counts.most_common())
        return f"{len(self)} scalar nodes: {kinds}"

    def __len__(self) -> int:
        return len(self.values)

    def uses(self) -> Ints:
        """Count the uses of every node; the root has one more."""
        everything = (self.x, self.y, self.wide_w, self.wide_x, self.wide_bias)
        ids = np.concatenate([column[column >= 0] for column in everything])
        counts = np.bincount(ids, minlength=len(self))
        counts[self.root] += 1
        return counts


def scalar_graph(root: Value) -> ScalarGraph:
    """Read the graph below `root`. Raises ValueError at a node whose formula is unknown."""
    values = topological_order(root)
    index = np.fromiter(map(_index, values), np.int64, len(values))
    place = _Places(values, index)
    op = _codes(values)
    wide = np.flatnonzero(op == WEIGHTED)
    flat = np.flatnonzero((op > 0) & (op != WEIGHTED))
    x, y, k = _flat_operands(values, flat, place)
    scopes: dict[str, int] = {}
    return ScalarGraph(
        values,
        op,
        x,
        y,
        k,
        wide,
        *_wide_operands([values[i] for i in wide.tolist()], place),
        index,
        np.array([v.label != "" for v in values]),
        np.array([scopes.setdefault(v.scope, len(scopes)) for v in values]),
        list(scopes),
        place([root]).item(),
    )


class _Places:
    """Find nodes' ids by their creation index; where wiring by hand lost it, by identity."""

    def __init__(self, values: list[Value], index: Ints) -> None:
        self.ids: dict[Value, int] | None = None
        self.lowest, highest = int(index[0]), int(index[-1])
        if index.min() < 0 or highest - self.lowest > 64 * len(values) + 4096:
            self.ids = dict(zip(values, range(len(values))))
        else:
            self.table = np.full(highest - self.lowest + 1, NONE)
            self.table[index - self.lowest] = np.arange(len(values))

    def __call__(self, nodes: Iterable[Any]) -> Ints:
        if self.ids is not None:
            ids = self.ids
            return np.array([ids[n] for n in nodes], np.int64)
        return self.table[np.fromiter(map(_index, nodes), np.int64) - self.lowest]


def _codes(values: list[Value]) -> Ints:
    try:
        return np.array([_CODE_OF[v._operation] for v in values])
    except KeyError as error:
        made = next(v for v in values if isinstance(v._operation, Handmade))
        raise ValueError(
            f"cannot lower {described(made)}: it was made by hand, so only its "
            "backward step is known; build it from operations"
        ) from error


def _flat_operands(values: list[Value], flat: Ints, place: _Places) -> tuple[Ints, Ints, Floats]:
    x, y, k = (np.full(len(values), NONE), np.full(len(values), NONE), np.full(len(values), np.nan))
    nodes = [values[i] for i in flat.tolist()]
    x[flat] = place([n._x for n in nodes])
    binary = [n for n in nodes if n._y is not None]
    places = place([n for n in nodes if n._y is not None])
    y[places] = place([n._y for n in binary])
    constant = [n for n in nodes if n._k is not None]
    k[place(constant)] = [n._k for n in constant]
    return x, y, k


def _wide_operands(nodes: list[Any], place: _Places) -> tuple[Ints, Ints, Ints, Ints]:
    start = np.cumsum([0, *(len(n._x) for n in nodes)])
    return (
        start,
        place([w for n in nodes for w in n._x]),
        place([x for n in nodes for x in n._y]),
        _biases(nodes, place),
    )


def _biases(nodes: list[Any], place: _Places) -> Ints:
    biases = np.full(len(nodes), NONE)
    with_bias = [i for i, n in enumerate(nodes) if n._k is not None]
    biases[with_bias] = place([nodes[i]._k for i in with_bias])
    return biases
