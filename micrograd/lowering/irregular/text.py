"""Irregular programs as text: its length depends on the operations and leaves, not on the nodes.

What differs from graph to graph lies in the tables of `Levels.data`. JAX, whose arrays never
change, has its own way to store, and a loop that is compiled once for all groups.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

from micrograd.lowering.arrays.ir import BATCH, Array, B
from micrograd.lowering.code.construct import binary, expression
from micrograd.lowering.code.expr import Shape, ref
from micrograd.lowering.code.kinds import Printer, reshaped
from micrograd.lowering.code.module import module
from micrograd.lowering.code.text import Text, commented, parted
from micrograd.lowering.irregular.levels import Levels
from micrograd.lowering.trace.declared import FORWARD, INPUT, OUTPUT, PARAMETER
from micrograd.ops import BY_NAME, WEIGHTED_SUM

WIDTH = 98
MOST_AT_ONCE = 1024  # entries that JAX takes in one turn of its loop

_OPERATIONS = """\
# An irregular graph. v holds the values of all nodes, leaves first, then level by level; d their
# gradients. A row of groups {} is (operation, first, last): nodes of one level, which do
# not need each other. Columns first:last of entries {} are the places in v of these nodes
# and of their operands: out, x, y; a sum has a column for every term. The last place is spare,
# for y where there is none and for leaves that the result does not depend on.
OPERATIONS = [  # the value of out; what its gradient d adds to the gradients of x and y"""
_PASSES = """\
def forward_pass(v, groups, entries):
    for op, first, last in groups.tolist():
        value, _ = OPERATIONS[op]
        out, x, y = entries[:, first:last]
        add_at(v, out, value(v[x], v[y]))             # @; adding to 0 is storing
    return v


def backward_pass(v, d, groups, entries):
    for op, first, last in reversed(groups.tolist()):
        _, added = OPERATIONS[op]
        out, x, y = entries[:, first:last]
        for operand, part in zip((x, y), added(d[out], v[x], v[y], v[out])):
            add_at(d, operand, part)                  # @
    return d
"""
_JAX_PASSES = """\
WIDTH = %d  # of the pieces that groups are cut into: one loop over all pieces is compiled


def cut_pieces(groups, entries):
    cut = [(op, i, last) for op, first, last in groups.tolist() for i in range(first, last, WIDTH)]
    op, first, last = np.array(cut).T
    column = first[:, None] + np.arange(WIDTH)
    places = entries[:, np.minimum(column, last[:, None] - 1)]
    # what fills a piece up, and y where there is none, lie out of range: they are dropped
    places = np.where((column < last[:, None]) & (places >= 0), places, %d)
    return op, places.transpose(1, 0, 2)


PIECES = cut_pieces(%s)
VALUES = [value for value, _ in OPERATIONS]
ADDED = [lambda *a, added=added: (added(*a) * 2)[:2] for _, added in OPERATIONS]  # two of each


def forward_step(v, piece):
    op, (out, x, y) = piece
    return v.at[out].add(jax.lax.switch(op, VALUES, v[x], v[y]), mode="drop"), None


def backward_step(state, piece):
    (v, d), (op, (out, x, y)) = state, piece
    to_x, to_y = jax.lax.switch(op, ADDED, d[out], v[x], v[y], v[out])
    return (v, d.at[x].add(to_x, mode="drop").at[y].add(to_y, mode="drop")), None


def forward_pass(v, groups, entries):
    return jax.lax.scan(forward_step, v, PIECES)[0]


def backward_pass(v, d, groups, entries):
    return jax.lax.scan(backward_step, (v, d), PIECES, reverse=True)[0][1]
"""


class LevelsText:
    """Write the text of an irregular program for a target; `batched`: nodes have B values."""

    def __init__(self, levels: Levels, target: str = "") -> None:
        self.levels, self.jax = levels, target == "jax"
        self.show = Printer(levels.names, target)
        self.batched = bool(levels.leaves(INPUT))
        self.size = len(levels.op) + 1  # a last place for NONE
        self.v, self.d = levels.free("v"), levels.free("d")
        self.tables = [levels.free("groups"), levels.free("entries")]

    def operations(self) -> str:
        """Return the table of operations, and the two passes over the groups."""
        groups, entries = (self.levels.data[name].shape for name in self.tables)
        head, rows = _OPERATIONS.format(groups, entries), map(operation, self.levels.operations)
        return "\n".join((head, *rows, "]\n\n", self._passes(groups[0], entries[1])))

    def _passes(self, groups: int, entries: int) -> str:
        if not self.jax:
            return _PASSES.replace("@", f"(n, {B})" if self.batched else "(n,)")
        mean = max(entries // max(groups, 1), 1)
        width = min(1 << mean.bit_length(), MOST_AT_ONCE)
        return _JAX_PASSES % (width, self.size, ", ".join(self.tables))

    def function(self, kind: str, tables: Iterable[str] = ()) -> str:
        """Return the function of the loss, and of the gradients that `kind` wants.

        `tables` are those that it takes as arguments.
        """
        name = "forward" if kind in (FORWARD, OUTPUT) else "value_and_grad"
        given = self.levels.given(self.levels.arguments, kind)
        head = f"def {name}({', '.join([*map(self.show, given), *tables])}):"
        size = [f"{B} = len({self.show(x)})" for x in given if x.kind == INPUT][:1]
        size = size or [f"{B} = 1"] * self.batched
        passes = [*self._forward(kind), f"return {self._loss()}"]
        body = [*size, *(passes if kind == FORWARD else self._both(kind))]
        return "\n".join([head, *(f"    {line}" for line in body), ""])

    def _both(self, kind: str) -> list[str]:
        v, d = self.v, self.d
        leaves = self.levels.wanted(kind)
        seed = f"1 / {B}" if self.batched and self.levels.reduce == "mean" else "1"
        gradients = {a: self.levels.free(f"d{self.show(a)}") for a in leaves}
        results = ", ".join(f"{self.show(leaf)!r}: {name}" for leaf, name in gradients.items())
        result = f"loss, {{{results}}}" if kind != OUTPUT else gradients[leaves[0]]
        return [
            "# forward",
            *self._forward(kind),
            commented(f"loss = {self._loss()}", ()),
            "# backward",
            commented(f"{d} = zeros({v}.shape)", self._shape(self.size)),
            self._set(d, str(self.levels.root), seed),
            f"{d} = backward_pass({v}, {d}, {', '.join(self.tables)})",
            *(commented(f"{gradients[a]} = {self._gradient(a)}", a.sizes) for a in leaves),
            f"return {result}",
        ]

    def _forward(self, kind: str) -> list[str]:
        v, size = self.v, self.size
        shape = f"({size}, {B})" if self.batched else f"{size}"
        return [
            commented(f"{v} = zeros({shape})", self._shape(size)),
            *(
                commented(f"{self.show(x.array)} = {self.show(x.value)}", x.value.shape)
                for x in self.levels.lookups
            ),
            *map(self._placed, self.levels.given(self.levels.placed, kind)),
            *self._numbers(),
            f"{v} = forward_pass({v}, {', '.join(self.tables)})",
        ]

    def _numbers(self) -> list[str]:
        name, data = self.levels.free("numbers"), self.levels.data
        if name not in data:
            return []
        text = self._set(self.v, self.levels.free("slots_of_numbers"), name)
        return [commented(text, data[name].shape)]

    def _shape(self, size: int) -> Shape:
        return (size, B) if self.batched else (size,)

    def _loss(self) -> str:
        root = f"{self.v}[{self.levels.root}]"
        return f"{root}.{self.levels.reduce}()" if self.batched else root

    def _slots(self, array: Array) -> str:
        return self.levels.free(f"{self.show(array)}_slots")

    def _placed(self, array: Array) -> str:
        name = self.show(array)
        if BATCH in array.vars:
            floats = ".double()" * (self.show.target == "torch")  # it stores no integers in v
            value, shape = f"{name}.reshape({B}, -1).T{floats}", self._shape(array.size)
        elif self.batched:
            value, shape = f"{name}.reshape(-1, 1)", (array.size, 1)
        else:
            value, shape = f"{name}.reshape(-1)", (array.size,)
        return commented(self._set(self.v, self._slots(array), value), shape)

    def _gradient(self, array: Array) -> str:
        """Return the gradient of a leaf; where it is looked up too, its rows are added to."""
        if array.batched:
            return self._of_samples(array)
        pairs = [
            f"{self.show(x.ids)}, {self._of_samples(x.array)}"
            for x in self.levels.lookups
            if x.rows.table is array
        ]
        if not pairs:
            return self._dense(array)
        dense = array in self.levels.placed
        function = "add_rows" if dense else self.show.rows
        first = self._dense(array) if dense else self.show(array)
        return f"{function}({first}, {', '.join(pairs)})"

    def _of_samples(self, array: Array) -> str:
        return f"{self.d}[{self._slots(array)}].T.reshape({reshaped((B, *array.shape))})"

    def _dense(self, array: Array) -> str:
        text = f"{self.d}[{self._slots(array)}]" + (".sum(1)" if self.batched else "")
        return text if len(array.shape) == 1 else f"{text}.reshape({reshaped(array.shape)})"

    def _set(self, name: str, key: str, value: str) -> str:
        return f"{name} = {name}.at[{key}].set({value})" if self.jax else f"{name}[{key}] = {value}"


def operation(op: str) -> str:
    """Return the row of an operation: its value, and its contributions."""
    if op == WEIGHTED_SUM.name:
        return "    (lambda x, y: x, lambda d, x, y, out: (d,)),  # sum"
    row, show = BY_NAME[op], Printer({})
    names = {letter: ref(letter, ("n",)) for letter in ("x", "y", "out", "d")}
    names["k"] = names["y"]
    value = show(expression(row.value, None, names))
    added = [show(binary("*", names["d"], expression(text, None, names))) for text in row.local]
    added[0] += "," * (len(added) == 1)
    remark = f"{op}: y is its constant" if row.constants else op
    text = f"    (lambda x, y: {value}, lambda d, x, y, out: ({', '.join(added)})),  # {remark}"
    if len(text) <= WIDTH:
        return text
    apart = ",\n         ".join(added)
    return f"    (lambda x, y: {value},  # {remark}\n     lambda d, x, y, out: ({apart})),"


def text_of(levels: Levels, wanted: str) -> Text:
    """Return the module that runs an irregular program; `wanted` are FORWARD or the gradients."""
    writer, (small, large) = LevelsText(levels), parted(levels.data)
    source = module(f"{writer.operations()}\n\n{writer.function(wanted, large)}", small)
    return Text(source, MappingProxyType({}), MappingProxyType(large))


def export_of(levels: Levels, forward: str, target: str, leaves: Mapping[str, Any]) -> str:
    """Return a module that needs nothing but `target`; `forward` is FORWARD or OUTPUT."""
    writer = LevelsText(levels, target)
    body = (writer.operations(), writer.function(forward), writer.function(PARAMETER))
    return module("\n\n".join(body), levels.data, target, leaves)
