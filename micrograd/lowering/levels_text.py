"""Irregular programs as text: its length depends on the operations and leaves, not on the nodes.

What differs from graph to graph lies in the tables of `Levels.data`. JAX, whose arrays never
change, has its own way to store, and a loop that is compiled once for all groups.
"""

from __future__ import annotations

from micrograd.lowering import expr as ex
from micrograd.lowering.expr import Shape, binary, ref
from micrograd.lowering.formulas import expression
from micrograd.lowering.ir import CONSTANT, INPUT, LOOKUP, PARAMETER, Array
from micrograd.lowering.levels import Formula, Levels
from micrograd.lowering.lowered import LOSS
from micrograd.lowering.text import SHAPE_COLUMN, reshaped, shape_text, shown
from micrograd.ops import BY_NAME, WEIGHTED_SUM

WIDTH = 98
MOST_AT_ONCE = 1024  # entries that JAX takes in one turn of its loop

_OPERATIONS = """\
# An irregular graph. v holds the values of all nodes, leaves first, then level by level; d their
# gradients. A row of groups {groups} is (operation, first, last): nodes of one level, which do
# not need each other. Columns first:last of entries {entries} are the places in v of these nodes
# and of their operands: out, x, y; a sum has a column for every term. The last place is spare,
# for y where there is none and for leaves that the result does not depend on.
OPERATIONS = [  # the value of out; what its gradient d adds to the gradients of x and y"""
_PASSES = """\
def forward_pass(v):
    for op, first, last in groups.tolist():
        value, _ = OPERATIONS[op]
        out, x, y = entries[:, first:last]
        add_at(v, out, value(v[x], v[y]))             # @; adding to 0 is storing
    return v


def backward_pass(v, d):
    for op, first, last in reversed(groups.tolist()):
        _, added = OPERATIONS[op]
        out, x, y = entries[:, first:last]
        for operand, part in zip((x, y), added(d[out], v[x], v[y], v[out])):
            add_at(d, operand, part)                  # @
    return d
"""
_JAX_PASSES = """\
WIDTH = %d  # of the pieces that groups are cut into: one loop over all pieces is compiled


def pieces():
    cut = [(op, i, last) for op, first, last in groups.tolist() for i in range(first, last, WIDTH)]
    op, first, last = np.array(cut).T
    column = first[:, None] + np.arange(WIDTH)
    places = entries[:, np.minimum(column, last[:, None] - 1)]
    # what fills a piece up, and y where there is none, lie out of range: they are dropped
    places = np.where((column < last[:, None]) & (places >= 0), places, %d)
    return op, places.transpose(1, 0, 2)


PIECES = pieces()
VALUES = [value for value, _ in OPERATIONS]
ADDED = [lambda *a, added=added: (added(*a) * 2)[:2] for _, added in OPERATIONS]  # two of each


def forward_step(v, piece):
    op, (out, x, y) = piece
    return v.at[out].add(jax.lax.switch(op, VALUES, v[x], v[y]), mode="drop"), None


def backward_step(state, piece):
    (v, d), (op, (out, x, y)) = state, piece
    to_x, to_y = jax.lax.switch(op, ADDED, d[out], v[x], v[y], v[out])
    return (v, d.at[x].add(to_x, mode="drop").at[y].add(to_y, mode="drop")), None


def forward_pass(v):
    return jax.lax.scan(forward_step, v, PIECES)[0]


def backward_pass(v, d):
    return jax.lax.scan(backward_step, (v, d), PIECES, reverse=True)[0][1]
"""


class LevelsText:
    """Write the text of an irregular program for a target; `batched`: nodes have B values."""

    def __init__(self, levels: Levels, target: str = "numpy") -> None:
        self.levels, self.jax = levels, target == "jax"
        self.batched = bool(levels.leaves(INPUT))
        self.v, self.d = levels.free("v"), levels.free("d")
        self.arguments = [a for k in (INPUT, PARAMETER, CONSTANT) for a in levels.leaves(k)]

    def source(self) -> str:
        """Return the functions of both passes."""
        return "\n\n".join((self._operations(), self._passes(), self._value_and_grad()))

    def standalone(self) -> str:
        """Return the functions of both passes, and one of the forward pass alone."""
        forward = [*self._head("forward"), *self._forward(), f"    return {self._loss()}", ""]
        return "\n\n".join((self._operations(), self._passes(), "\n".join(forward),
                            self._value_and_grad()))  # fmt: skip

    def _operations(self) -> str:
        shapes = {name: shape_text(self.levels.data[name].shape) for name in ("groups", "entries")}
        return "\n".join(
            (_OPERATIONS.format(**shapes), *map(operation, self.levels.formulas), "]", "")
        )

    def _passes(self) -> str:
        if not self.jax:
            return _PASSES.replace("@", f"(n, {ex.B})" if self.batched else "(n,)")
        groups = len(self.levels.data["groups"])
        entries = self.levels.data["entries"].shape[1]
        mean = max(entries // max(groups, 1), 1)
        return _JAX_PASSES % (min(1 << mean.bit_length(), MOST_AT_ONCE), self.levels.size)

    def _head(self, name: str) -> list[str]:
        head = f"def {name}({', '.join(array.name for array in self.arguments)}):"
        first = next(iter(self.levels.leaves(INPUT)), None)
        return [head, f"    {ex.B} = len({first.name})"] if first else [head]

    def _forward(self) -> list[str]:
        v, size = self.v, self.levels.size
        shape = f"({size}, {ex.B})" if self.batched else f"{size}"
        return [
            _line(f"{v} = zeros({shape})", self._shape(size)),
            *(_line(f"{a.name} = {shown(e)}", e.shape) for a, e, _ in self.levels.lookups),
            *map(self._placed, self.levels.placed), *self._numbers(),
            f"    {v} = forward_pass({v})",
        ]  # fmt: skip

    def _numbers(self) -> list[str]:
        name, data = self.levels.free("numbers"), self.levels.data
        if name not in data:
            return []
        return [_line(self._set(self.v, self.levels.free("slots_of_numbers"), name),
                      data[name].shape)]  # fmt: skip

    def _value_and_grad(self) -> str:
        v, d = self.v, self.d
        parameters = self.levels.leaves(PARAMETER)
        seed = f"1 / {ex.B}" if self.batched and self.levels.reduce == "mean" else "1"
        gradients = {a.name: self.levels.free(f"d{a.name}") for a in parameters}
        results = ", ".join(f"{leaf!r}: {name}" for leaf, name in gradients.items())
        return "\n".join([
            *self._head("value_and_grad"), "    # forward", *self._forward(),
            _line(f"{LOSS} = {self._loss()}", ()), "    # backward",
            _line(f"{d} = zeros({v}.shape)", self._shape(self.levels.size)),
            f"    {self._set(d, str(self.levels.root), seed)}",
            f"    {d} = backward_pass({v}, {d})",
            *(_line(f"{gradients[a.name]} = {self._gradient(a)}", a.shape) for a in parameters),
            f"    return {LOSS}, {{{results}}}", "",
        ])  # fmt: skip

    def _shape(self, size: int) -> Shape:
        return (size, ex.B) if self.batched else (size,)

    def _loss(self) -> str:
        root = f"{self.v}[{self.levels.root}]"
        return f"{root}.{self.levels.reduce}()" if self.batched else root

    def _placed(self, array: Array) -> str:
        if array.kind in (INPUT, LOOKUP):
            value, shape = f"{array.name}.reshape({ex.B}, -1).T", self._shape(array.size)
        elif self.batched:
            value, shape = f"{array.name}.reshape(-1, 1)", (array.size, 1)
        else:
            value, shape = f"{array.name}.reshape(-1)", (array.size,)
        return _line(self._set(self.v, self.levels.free(f"{array.name}_slots"), value), shape)

    def _gradient(self, array: Array) -> str:
        """Return the gradient of a leaf; where it is looked up too, its rows are added to."""
        pairs = [f"{shown(ids)}, {self._rows(a)}" for a, _, ids in self.levels.lookups
                 if a.table is array]  # fmt: skip
        if not pairs:
            return self._dense(array)
        dense = array in self.levels.placed
        function, first = ("add_rows", self._dense(array)) if dense else ("rows", array.name)
        return f"{function}({first}, {', '.join(pairs)})"

    def _rows(self, array: Array) -> str:
        slots = self.levels.free(f"{array.name}_slots")
        return f"{self.d}[{slots}].T.reshape({reshaped((ex.B, *array.shape))})"

    def _dense(self, array: Array) -> str:
        text = f"{self.d}[{self.levels.free(f'{array.name}_slots')}]"
        text += ".sum(1)" if self.batched else ""
        if not array.shape:
            return f"{text}[0]"
        return text if len(array.shape) == 1 else f"{text}.reshape({reshaped(array.shape)})"

    def _set(self, name: str, key: str, value: str) -> str:
        """Return the statement that stores a value."""
        return f"{name} = {name}.at[{key}].set({value})" if self.jax else f"{name}[{key}] = {value}"


def _line(text: str, shape: Shape) -> str:
    return f"    {text:<{SHAPE_COLUMN}}  # {shape_text(shape)}"


def operation(formula: Formula) -> str:
    """Return the row of an operation: its value, and its contributions."""
    op, k = formula
    if op == WEIGHTED_SUM.name:
        return "    (lambda x, y: x, lambda d, x, y, out: (d,)),  # sum"
    row, names = BY_NAME[op], {letter: ref(letter, ("n",)) for letter in ("x", "y", "out", "d")}
    number = k if isinstance(k, float) else None
    if k == "y":
        names["k"] = names["y"]
    value = shown(expression(row.value, number, names))
    added = [shown(binary("*", names["d"], expression(text, number, names))) for text in row.local]
    added[0] += "," * (len(added) == 1)
    remark = f"{op}: y is its constant" if k == "y" else op
    line = f"    (lambda x, y: {value}, lambda d, x, y, out: ({', '.join(added)})),  # {remark}"
    if len(line) <= WIDTH:
        return line
    apart = ",\n         ".join(added)
    return f"    (lambda x, y: {value},  # {remark}\n     lambda d, x, y, out: ({apart})),"
