"""A recorded graph as NumPy columns: what lowering computes on, some 0.5 µs per node to make."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, count
from operator import attrgetter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from micrograd.core.handmade import Handmade
from micrograd.core.kinds import ELEMENTARY, LEAF, SUM_OF_PRODUCTS
from micrograd.core.modes import described
from micrograd.engine import Value
from micrograd.ops import ROWS, UNCALLED, WEIGHTED_SUM, Row, for_each_row

Ints = NDArray[np.intp]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

NAMES = ["", *(row.name for row in (*ROWS, WEIGHTED_SUM, *UNCALLED))]
CODES = {name: code for code, name in enumerate(NAMES)}
ADD, SUB, MUL, WEIGHTED = (CODES[name] for name in ("add", "sub", "mul", WEIGHTED_SUM.name))
ROUTES = tuple(CODES[row.name] for row in ROWS if row.role == "routes")  # max, min
ARITHMETIC = tuple(CODES[name] for name in ("add", "sub", "mul", "div"))
_CODE_OF: dict[Any, int] = {op: CODES[name] for name, op in ELEMENTARY.items()}
_CODE_OF |= {LEAF: 0, SUM_OF_PRODUCTS: WEIGHTED}
_WITH_CONSTANT = [CODES[row.name] for row in ROWS if row.constants]


@for_each_row
def _give_code(row: Row) -> None:
    if row.name not in CODES:
        CODES[row.name] = _CODE_OF[ELEMENTARY[row.name]] = len(NAMES)
        NAMES.append(row.name)
        _WITH_CONSTANT.extend([CODES[row.name]] * bool(row.constants))


NONE = -1  # the operand that a node does not have

_x, _y, _k, _index, _label, _scope, _operation = map(
    attrgetter, ("_x", "_y", "_k", "_index", "label", "scope", "_operation")
)


@dataclass(frozen=True, eq=False)
class ScalarGraph:
    """Hold a graph: ids are places in topological order, as in `graph.snapshot`.

    `ids` finds them, NONE for None, the operand that a node does not have. `op` holds codes
    (NAMES tells), `x` and `y` the operands' ids or NONE, `k` constants or nan.
    The weighted sums `wide` hold wide_w[i] × wide_x[i] for i from wide_start[n] to
    wide_start[n + 1], and wide_bias[n] or NONE.
    """

    values: list[Value]
    ids: Mapping[Any, int]
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

    def __str__(self) -> str:
        counts = Counter(NAMES[code] or "leaf" for code in self.op.tolist())
        kinds = ", ".join(f"{count} {name}" for name, count in counts.most_common())
        return f"{len(self)} scalar nodes: {kinds}"

    def __len__(self) -> int:
        return len(self.values)

    @property
    def root(self) -> int:
        """Return the id of the result: it uses all others, so it is the last."""
        return len(self) - 1

    def uses(self) -> Ints:
        """Count the uses of every node; the root has one more."""
        everything = (self.x, self.y, self.wide_w, self.wide_x, self.wide_bias)
        ids = np.concatenate([column[column >= 0] for column in everything])
        counts = np.bincount(ids, minlength=len(self))
        counts[self.root] += 1
        return counts

    @cached_property
    def users(self) -> Ints:
        """Return which operations use each node: a bit for each."""
        users = np.zeros(len(self), np.int64)
        for operand in (self.x, self.y):
            user = np.flatnonzero(operand >= 0)
            np.bitwise_or.at(users, operand[user], 1 << self.op[user] % 63)
        return users


def scalar_graph(values: list[Value]) -> ScalarGraph:
    """Read a graph from its nodes, operands before users.

    Raises ValueError at a node whose formula is unknown.
    """
    op = _codes(values)
    wide = np.flatnonzero(op == WEIGHTED)
    sums, flat = [values[i] for i in wide.tolist()], np.flatnonzero(op != WEIGHTED)
    others = [values[i] for i in flat.tolist()] if sums else values
    ids: dict[Any, int] = dict(zip(values, range(len(values))))
    ids[None] = NONE

    def places(nodes: Iterable[Any]) -> Ints:
        return np.fromiter(map(ids.__getitem__, nodes), np.intp)

    x, y = np.full((2, len(values)), NONE)
    x[flat], y[flat] = places(map(_x, others)), places(map(_y, others))
    k, constant = np.full(len(values), np.nan), np.flatnonzero(np.isin(op, _WITH_CONSTANT))
    k[constant] = [values[i]._k for i in constant.tolist()]
    scopes = defaultdict[str, int](count().__next__)  # numbered as they come
    return ScalarGraph(
        values,
        ids,
        op,
        x,
        y,
        k,
        wide,
        np.cumsum([0, *(len(n._x) for n in sums)]),
        places(chain.from_iterable(map(_x, sums))),
        places(chain.from_iterable(map(_y, sums))),
        places(map(_k, sums)),
        np.fromiter(map(_index, values), np.intp),
        np.fromiter(map(bool, map(_label, values)), bool),
        np.fromiter(map(scopes.__getitem__, map(_scope, values)), np.intp),
        [*scopes],
    )


def _codes(values: list[Value]) -> Ints:
    known = {} if Value._hooked and any(v._hook for v in values) else _CODE_OF
    try:
        return np.fromiter(map(known.__getitem__, map(_operation, values)), np.intp)
    except KeyError as error:
        made = next(v for v in values if v._hook or isinstance(v._operation, Handmade))
        raise ValueError(
            f"cannot lower {described(made)}: its step was made by hand; build it of operations"
        ) from error
