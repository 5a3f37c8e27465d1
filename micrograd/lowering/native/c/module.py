"""A complete C module: what its function calls, its tables, the function, and how to enter it."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import numpy as np

from micrograd.lowering.arrays.ir import COMPUTED, Array
from micrograd.lowering.irregular.levels import Levels
from micrograd.lowering.native.c import helpers
from micrograd.lowering.native.c.function import Function, Task, sparse
from micrograd.lowering.native.c.tape import Tape
from micrograd.lowering.native.c.text import CNames, number
from micrograd.lowering.trace.declared import INPUT
from micrograd.ops import BY_NAME

WIDTH = 98
FAST = ("exp", "log", "log1p", "tanh")  # functions of ours that loops of vectors can call
OWN = {"fast_": "mathematics.c", "product(": "product.c", "alive(": "active.c"}
# The loops of a tape's many cases, each peeled, take twice as long to compile, and run no faster.
FEW_COPIES = '#pragma GCC optimize("no-peel-loops")\n'
STATIC = """#ifndef STATIC
#define STATIC static
#endif"""
ODD = """static int odd(const double *x, long count) {
    int any = 0;
    for (long i = 0; i < count; i++) any |= !(x[i] - x[i] == 0.0);
    return any;
}"""


@dataclass(frozen=True, eq=False)
class Module:
    """The text of a module, and what its function takes: leaves, then `results` to write to."""

    source: str
    arguments: tuple[Array, ...]
    results: tuple[Array, ...]
    sparse: Mapping[Array, tuple[Array, ...]]  # rows that are added to the gradient of a table
    gradients: Mapping[Array, Array]  # of leaves
    tables: tuple[Any, ...] = ()  # what the function reads besides


def layout(results: Iterable[Array]) -> tuple[dict[Array, int], int, int]:
    """Return where results lie, and where they end: behind the loss those that are no samples';
    behind these, to be multiplied by the number of samples, those of all samples.
    """
    place, end, samples = dict[Array, int](), 1, 0
    for array in results:
        place[array] = samples if array.batched else end
        if array.batched:
            samples += array.size
        else:
            end += array.size
    return place, end, samples


def task(forms: Any, name: str, sparse_rows: bool) -> tuple[Task, dict[Array, tuple[Array, ...]]]:
    """Return what a function computes, from the forms of index notation."""
    arrays, backward = forms["arrays"], forms["adjoints"]
    names = CNames(forms["inlined"].names)
    computed = [array for array in arrays.arrays if array.kind == COMPUTED]
    results: list[Array] = []
    rows: dict[Array, tuple[Array, ...]] = {}
    for adjoint in backward.arrays if backward else ():
        parts = sparse(adjoint) if sparse_rows else []
        for n, part in enumerate(parts):
            names.enter(part, f"{names[adjoint]}_rows{n + 1}")
        if parts:
            rows[adjoint] = tuple(parts)
        computed += parts or [adjoint]
    arguments = tuple(arrays.arguments)
    gradients = gradients_of(forms)
    for adjoint in (gradients[leaf] for leaf in (*arguments, arrays.loss.of) if leaf in gradients):
        results += rows.get(adjoint, [adjoint])
    results.sort(key=lambda array: array.batched)
    ids = {array.lookup.ids.array for array in computed if array.lookup}
    return Task(name, arguments, tuple(computed), arrays.loss, tuple(results), names, ids), rows


def module(forms: Any, name: str, sparse_rows: bool = True) -> Module:
    """Return the module that is compiled and run; without `sparse_rows` gradients of
    tables that arrays look up are whole."""
    if isinstance(forms["arrays"], Levels):
        tape = Tape(forms["arrays"], forms["wanted"], name, sparse=True)
        body, gradients, rows = tape.text(), tape.gradients, tape.rows
        source = FEW_COPIES + assembled(tape, body, "")
        tables_of = tuple(tape.tables.values())
        return Module(source, tape.task.arguments, tape.task.results, rows, gradients, tables_of)
    wanted, rows = task(forms, name, sparse_rows)
    guarded = {op for op in forms["arrays"].operations if BY_NAME[op].watched}
    function = Function(wanted, True, guarded, {})
    body = function.text()
    data = [array_text(*item) for item in data_of(function, forms).items()]
    source = assembled(function, body, "\n".join(data))
    return Module(source, wanted.arguments, wanted.results, rows, gradients_of(forms))


def gradients_of(forms: Any) -> Mapping[Any, Array]:
    """Return what the caller gets, by leaf; outputs are the gradient of what they are sent."""
    backward, loss = forms["adjoints"], forms["arrays"].loss
    gradients = backward.gradients if backward else {}
    return gradients if loss.of is None else {loss.of: loss}


def assembled(function: Function | Tape, body: str, data: str) -> str:
    """Return a module around a function."""
    called = function.formulas.called.values()
    fast = [re.sub(rf"\b({'|'.join(FAST)})\(", r"fast_\1(", x) for x in (*called, f"static {body}")]
    parts = [
        "#include <math.h>\n#include <string.h>",
        STATIC,
        ODD if function.guarded else "",
        *_used(OWN, "\n".join(fast)),
        "\n".join(fast[:-1]),
        data,
        fast[-1],
        entry(function),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _used(own: Mapping[str, str], text: str) -> list[str]:
    """Return the files of C that a text needs, by what it calls."""
    folder = files(helpers)
    return [(folder / own[name]).read_text(encoding="utf-8") for name in own if name in text]


def data_of(function: Function, forms: Any) -> dict[str, Any]:
    """Return the constants that a function reads, by name."""
    names = function.task.names
    constants = {names[array]: np.asarray(array.data) for array in forms["inlined"].constants}
    return dict(function.memory.tables.values()) | constants


def array_text(name: str, values: Any) -> str:
    """Return the definition of an array of numbers."""
    flat = np.asarray(values).ravel()
    kind = "int" if flat.dtype.kind == "i" else "double"
    texts = map(str if kind == "int" else number, flat.tolist())
    rows = textwrap.wrap(", ".join(texts), WIDTH - 4) or ["0"]
    if len(rows) == 1 and len(name) + len(rows[0]) < WIDTH - 30:
        return f"static const {kind} {name}[] = {{{rows[0]}}};"
    inner = "\n".join(f"    {row}" for row in rows)
    return f"static const {kind} {name}[{max(1, flat.size)}] = {{\n{inner}\n}};"


def entry(function: Function | Tape) -> str:
    """Return the function that Python calls: with leaves, where to put results, and the batch.

    It tells whether an operation that has no value everywhere gave a number that is not finite.
    """
    inputs = [a for a in function.task.arguments if a.kind == INPUT]
    leaves: list[Any] = [a for a in function.task.arguments if a.kind != INPUT]
    leaves += [
        item for _, item in function.parameters() if isinstance(item, str) and item[0] != "&"
    ]
    given: dict[Any, str] = {a: f"x{n}" for n, a in enumerate(inputs)}
    given |= {a: f"leaves[{n}]" for n, a in enumerate(leaves)}
    places, end, samples = layout(function.task.results)
    for array, place in places.items():
        given[array] = f"results + {end} + B * {place}" if array.batched else f"results + {place}"
    inputs_text = [f"void *x{n}" for n in range(len(inputs))]
    heads = ", ".join(["long B", "void **leaves", "double *results", *inputs_text])
    arguments = ", ".join(["B", *(given.get(x, x) for _, x in function.parameters())])
    loss = {"double": "results[0] = ", "void": "results[0] = 0.0, "}[function.task.kind]
    call = f"{loss}{function.task.name}({arguments});"
    size = f"{end} + B * {samples}"
    lines = [call, "return 0;"]
    if function.guarded:
        lines = ["int strange = 0;", call, f"return strange | odd(results, {size});"]
    return "\n".join((f"int run({heads}) {{", *(f"    {line}" for line in lines), "}"))
