"""A recorded graph as NumPy columns: what lowering computes on, some 0.4 µs per node to make."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import chain, count, repeat
from operator import attrgetter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from micrograd.core.handmade import Handmade
from micrograd.core.kinds import ELEMENTARY, LEAF, SUM_OF_PRODUCTS
from micrograd.core.modes import described
from micrograd.engine import Constant, Value
from micrograd.ops import ROWS, UNCALLED, WEIGHTED_SUM, Row, for_each_row

Ints = NDArray[np.intp]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

NAMES = ["", *(row.name for row in (*ROWS, WEIGHTED_SUM, *UNCALLED))]
CODES = {name: code for code, name in enumerate(NAMES)}
ADD, SUB, MUL, WEIGHTED = (CODES[name] for name in ("add", "sub", "mul", WEIGHTED_SUM.name))
ROUTES = tuple(CODES[row.name] for row in ROWS if row.role == "routes")  # max, min
_CODE_OF: dict[Any, int] = {op: CODES[name] for name, op in ELEMENTARY.items()}
_CODE_OF |= {LEAF: 0, SUM_OF_PRODUCTS: WEIGHTED}
_WITH_CONSTANT = [CODES[row.name] for row in ROWS if row.constants]


@for_each_row
def _give_code(row: Row) -> None:
    if row.name not in CODES:
        CODES[row.name] = _CODE_OF[ELEMENTARY[row.name]] = len(NAMES)
        NAMES.append(row.name)
        _WITH_CONSTANT.extend([CODES[row.name]] * bool(row.constants))


NONE = UNKNOWN = -1  # the operand that a node does not have, the code of what was made by hand

_x, _y, _k, _index, _label, _scope, _operation = map(
    attrgetter, ("_x", "_y", "_k", "_index", "label", "scope", "_operation")
)


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

    @cached_property
    def ids(self) -> dict[Value, int]:
        """Return the id of every node."""
        return dict(zip(self.values, count()))

    @cached_property
    def leaves(self) -> dict[Value, int]:
        """Return the id of every leaf."""
        return {self.values[i]: i for i in np.flatnonzero(self.op == 0).tolist()}

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


class Steps:
    """What a call made, operation by operation, whether its result needs it or not, as columns.

    `operands` are all left ones, then the right ones, those of weighted sums, and the result.
    """

    def __init__(self, made: list[Value], root: Value) -> None:
        self.made = made
        self.op = np.fromiter(map(_CODE_OF.get, map(_operation, made), repeat(UNKNOWN)), np.intp)
        self.flat = np.flatnonzero((self.op >= 0) & (self.op != WEIGHTED))
        sums = [made[i] for i in np.flatnonzero(self.op == WEIGHTED).tolist()]
        flat = [made[i] for i in self.flat.tolist()] if len(self.flat) < len(made) else made
        terms = (chain.from_iterable(map(column, sums)) for column in (_x, _y))
        columns = map(_x, flat), map(_y, flat), *terms, map(_k, sums)
        self.operands = np.fromiter(chain(*columns, [root]), object)
        self.lengths = np.array([len(n._x) for n in sums], np.intp)
        self.constant = np.flatnonzero(np.isin(self.op, _WITH_CONSTANT))
        self.k = np.array([made[i]._k for i in self.constant.tolist()], float)

    @cached_property
    def ids(self) -> Ints:
        """Return where the operands are among the nodes: those made, and behind them the leaves."""
        known = _addresses(np.fromiter((*self.made, None), object))
        taken, order = _addresses(self.operands), np.argsort(known, kind="stable")
        ids = order.take(np.searchsorted(known[order], taken), mode="clip")
        leaf = np.flatnonzero(known[ids] != taken)
        ids[ids == len(self.made)] = NONE
        ids[leaf] = len(self.made) + np.unique(taken[leaf], return_inverse=True)[1]
        return ids

    @cached_property
    def nodes(self) -> list[Value]:
        """Return what was made, and the leaves that it takes."""
        at = np.zeros(max(len(self.made), self.ids.max() + 1) + 1, np.intp)  # the last is of NONE
        at[self.ids] = np.arange(len(self.ids))
        return [*self.made, *self.operands[at[len(self.made) : -1]].tolist()]

    @cached_property
    def index(self) -> Ints:
        """Return when the nodes were made."""
        return np.fromiter(map(_index, self.nodes), np.intp)

    def graph(self) -> ScalarGraph | None:
        """Return what the result needs, in the order it was made.

        None where operations of others are among that, or some were made or wired by hand.
        """
        nodes, index = self.nodes, self.index
        in_order = index.min() >= 0 and (np.diff(index[: len(self.made)]) > 0).all()
        if (self.op < 0).any() or not in_order or not _are_leaves(nodes[len(self.made) :]):
            return None
        uses = np.bincount(self.ids + 1, minlength=len(nodes) + 1)[1:]
        unused = np.flatnonzero(uses == 0).tolist()
        place = dict(zip(nodes, count())) if unused else {}
        for i in unused:  # which grows
            for operand in map(place.__getitem__, nodes[i].parents):
                uses[operand] -= 1
                unused += [operand] * (not uses[operand])
        order = np.argsort(index, kind="stable")
        return self.selected(order[uses[order] > 0])

    def selected(self, order: Ints) -> ScalarGraph:
        """Return the graph of some of all nodes, in an order."""
        nodes = self.nodes
        number = np.full(len(nodes) + 1, NONE)  # the last is that of NONE
        number[order] = np.arange(len(order))
        op, k = np.zeros(len(nodes), np.intp), np.full(len(nodes), np.nan)
        op[: len(self.op)], k[self.constant] = self.op, self.k
        x, y = np.full((2, len(nodes)), NONE)
        lengths, terms = [len(self.flat)] * 2, [self.lengths.sum()] * 2
        ends = np.cumsum([*lengths, *terms, len(self.lengths)])
        x[self.flat], y[self.flat], w, v, bias, _ = np.split(number[self.ids], ends)
        wide = number[np.flatnonzero(op == WEIGHTED)]
        kept = np.repeat(wide >= 0, self.lengths)
        values = np.fromiter(nodes, object)[order].tolist()
        scopes = defaultdict[str, int](count().__next__)  # numbered as they come
        return ScalarGraph(
            values,
            op[order],
            x[order],
            y[order],
            k[order],
            wide[wide >= 0],
            np.cumsum([0, *self.lengths[wide >= 0]]),
            w[kept],
            v[kept],
            bias[wide >= 0],
            self.index[order],
            np.fromiter(map(bool, map(_label, values)), bool),
            np.fromiter(map(scopes.__getitem__, map(_scope, values)), np.intp),
            [*scopes],
        )


def scalar_graph(values: list[Value]) -> ScalarGraph:
    """Read a graph from its nodes, operands before users."""
    return Steps(values, values[-1]).selected(np.arange(len(values)))


def folded(graph: ScalarGraph, made: Bools) -> tuple[ScalarGraph, Bools]:
    """Return a graph with what is computed of numbers alone as a number, and which are numbers.

    Of those `made` a list, of which each is used as often, is none: a first state h is an array.
    """
    numbers = made & ~graph.labelled
    if not numbers.any():
        return graph, numbers
    uses = graph.uses()
    several = numbers & (uses > 1)
    for i in np.flatnonzero(several).tolist():
        several[i] = not isinstance(graph.values[i], Constant)
    numbers &= ~several | (np.bincount(uses[several], minlength=uses.max() + 1)[uses] < 2)
    inner = (graph.op > 0) & (graph.op != WEIGHTED) & ~graph.labelled
    known = [*numbers.tolist(), True]  # that of NONE
    operands = [*zip(graph.x.tolist(), graph.y.tolist())]
    for i in np.flatnonzero(inner).tolist():
        known[i] = all(known[j] for j in operands[i])
    found = np.array(known[:-1])
    x, y = np.where(found, NONE, graph.x), np.where(found, NONE, graph.y)
    return replace(graph, op=graph.op * ~found, x=x, y=y), found


def _are_leaves(nodes: Iterable[Value]) -> bool:
    return all(node._operation is LEAF for node in nodes)


def _addresses(objects: NDArray[Any]) -> Ints:
    """Return the `id` of every object of an array: it is what an array holds of them."""
    return np.frombuffer(objects.tobytes(), np.intp)


def check_known(graph: ScalarGraph) -> None:
    """Raise ValueError at a node whose formula is unknown."""
    if (graph.op < 0).any() or (Value._hooked and any(v._hook for v in graph.values)):
        made = next(v for v in graph.values if v._hook or isinstance(v._operation, Handmade))
        raise ValueError(
            f"cannot lower {described(made)}: its step was made by hand; build it of operations"
        )
