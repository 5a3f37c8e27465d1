"""The passes of lowering, in order: from a recorded graph to the text of a program.

    graph     the recorded graph as columns of numbers
    chains    chains of + and max joined: sums of products, choices
    arrays    nodes of one kind together, in index notation: z1[i] = Σj x[j] W1[i,j] + b1[i]
    adjoints  their derivatives, in index notation
    code      index notation as array expressions, one line per array
    inlined   what no person would name, in the line that uses it
    text      the functions of a module

Each takes the forms before it, is checked, and can be printed. A graph that no grid fits has
Levels in place of arrays, and goes from there to its text.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

import numpy as np

from micrograd.lowering.arrays.check import check_arrays
from micrograd.lowering.arrays.differentiate import Adjoints, adjoints
from micrograd.lowering.arrays.group import Grouping, levels
from micrograd.lowering.arrays.ir import (
    BATCH,
    COMPUTED,
    FIXED,
    Array,
    B,
    Index,
    Read,
    Rows,
    Scale,
    Term,
)
from micrograd.lowering.arrays.leaves import leaf_arrays
from micrograd.lowering.arrays.names import Name, Names, named_after, wanted
from micrograd.lowering.arrays.notation import written
from micrograd.lowering.code.build import Builder
from micrograd.lowering.code.kinds import Printer
from micrograd.lowering.code.module import leaves_text, module
from micrograd.lowering.code.statements import Code, Inliner, check_code
from micrograd.lowering.code.text import function
from micrograd.lowering.irregular.levels import Levels, levelled
from micrograd.lowering.irregular.text import LevelsText
from micrograd.lowering.scalars.chains import Chains, chains
from micrograd.lowering.scalars.columns import Bools, Ints, scalar_graph
from micrograd.lowering.trace.declared import CONSTANT, INPUT, PARAMETER, wanted_leaves

FORWARD = "forward"  # what is wanted: the loss alone, or the gradients of each PARAMETER or INPUT
MOST_ARRAYS = 200  # and one more for every 500 nodes: beyond, a graph is taken for irregular
Forms = Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class Arrays:
    """A graph as arrays, operands before users, the loss last; `names` are those to be had.

    `array_of` and `place_of` tell where each scalar node went, in this and in any equal graph.
    """

    arrays: tuple[Array, ...]
    root: Read
    names: Mapping[Array, Name]
    array_of: Ints
    place_of: Ints

    @property
    def loss(self) -> Array:
        """Return the array of the loss of a batch."""
        return self.arrays[-1]

    def leaves(self, kind: str) -> list[Array]:
        """Return the leaf arrays of one kind, in order."""
        return [array for array in self.arrays if array.kind == kind]

    @property
    def operations(self) -> set[str]:
        """Return the names of the elementary operations."""
        return {array.formula.op for array in self.arrays if array.formula}

    def text(self, names: Mapping[Any, str]) -> str:
        """Return the arrays in index notation."""
        return written(self.arrays, names)

    def __str__(self) -> str:
        return self.text(Names(self.names))


@dataclass(frozen=True)
class Pass:
    """One step of lowering: `run` makes a form of those before it; `check` refuses a broken one."""

    name: str
    run: Callable[[Forms], Any]
    check: Callable[[Any, Forms], None] = lambda form, forms: None


def run(forms: Forms, first: str, last: str) -> dict[str, Any]:
    """Return the forms with those of the passes from `first` to `last`."""
    names = [step.name for step in PASSES]
    result = dict(forms)
    for step in PASSES[names.index(first) : names.index(last) + 1]:
        result[step.name] = step.run(MappingProxyType(result))
        if result[step.name] is not None:
            step.check(result[step.name], result)
    return result


def _graph(forms: Forms) -> Any:
    return scalar_graph(forms["nodes"])


def _chains(forms: Forms) -> Chains:
    return chains(forms["graph"], forms["known"])


def _arrays(forms: Forms) -> Arrays | Levels:
    """Group the nodes; sort those of an irregular graph by level."""
    form: Chains = forms["chains"]
    trainable: Bools = forms["trainable"]
    leaves = leaf_arrays(form, list(forms["declared"]), trainable)
    limit = MOST_ARRAYS + int(form.remaining.sum()) // 500
    grouping = Grouping(form, leaves, limit)
    level = np.array(levels(form))
    arrays = grouping.run(level)
    if arrays is None:
        plain = form.unchained()
        same = plain.remaining.sum() == form.remaining.sum()
        names = wanted(leaves, form.graph.values)
        return levelled(
            plain, level if same else np.array(levels(plain)), leaves, forms["reduce"], names
        )
    array = arrays[grouping.array[form.root]]
    places = np.unravel_index(grouping.place[form.root], array.shape) if array.shape else ()
    root = Read(array, tuple(Index(FIXED, int(place)) for place in places))
    every = (*arrays, loss_of(root, arrays, forms["reduce"]))
    names = wanted(every[:-1], form.graph.values) | {every[-1]: Name("loss")}
    return Arrays(
        every,
        root,
        MappingProxyType(names),
        grouping.array[grouping.merged_into],
        grouping.place[grouping.merged_into],
    )


def loss_of(root: Read, arrays: Sequence[Array], reduce: str) -> Array:
    """Return the loss of a batch: the mean, or the sum, of what its samples have as the root."""
    samples = any(array.batched for array in arrays)
    summed = ((BATCH, B),) if samples else ()
    scale = Scale(1.0, -1) if samples and reduce == "mean" else Scale()
    if samples and not root.array.batched and reduce == "mean":
        summed, scale = (), Scale()
    term = Term((root,), (), summed, scale)
    return Array(COMPUTED, (), np.zeros(0, np.int64), terms=(term,), name="loss")


def _adjoints(forms: Forms) -> Adjoints | None:
    arrays = forms["arrays"]
    if isinstance(arrays, Levels) or forms["wanted"] == FORWARD:
        return None
    ids = {array.lookup.ids.array for array in arrays.arrays if array.lookup}
    leaves = wanted_leaves(arrays.leaves, forms["wanted"], ids)
    return adjoints(arrays.arrays, arrays.loss, leaves)


def _check_adjoints(form: Adjoints, forms: Forms) -> None:
    check_arrays((*forms["arrays"].arrays, *form.arrays))


def _code(forms: Forms) -> Code | None:
    arrays, backward = forms["arrays"], forms["adjoints"]
    if isinstance(arrays, Levels):
        return None
    gradients = tuple(backward.gradients.items()) if backward else ()
    builder = Builder(frozenset((arrays.loss, *(adjoint for _, adjoint in gradients))))
    forward = builder.statements(array for array in arrays.arrays if array.kind == COMPUTED)
    behind = builder.statements(backward.arrays) if backward else []
    leaves = [array for kind in (INPUT, PARAMETER, CONSTANT) for array in arrays.leaves(kind)]
    code = Code(
        tuple(array for array in leaves if array.data is None),
        tuple(array for array in leaves if array.data is not None),
        tuple(forward),
        tuple(behind),
        arrays.loss,
        gradients,
        backward is not None,
        tuple(builder.tables.values()),
        MappingProxyType(builder.adjoints),
    )
    return _renamed(code, forms)


def _renamed(code: Code, forms: Forms) -> Code:
    """Return the code with names for all arrays, numbered in the order of the lines."""
    names, backward = forms["arrays"].names, forms["adjoints"]
    after = named_after(backward, names) if backward else {}
    lines = [line.array for line in code.statements]
    return replace(code, names=Names(names, code.tables, lines, after))


def _inlined(forms: Forms) -> Code | None:
    code: Code | None = forms["code"]
    if code is None:
        return None
    names = forms["arrays"].names
    results = {code.loss, *(adjoint for _, adjoint in code.gradients)}

    def keep(array: Array) -> bool:
        return array in results or (array.of is None and not names[array].temporary)

    inliner = Inliner(keep, Printer(code.names))
    lines = inliner.lines(list(code.statements))
    first = next(i for i, line in enumerate(lines) if line.array is code.loss) + 1
    shorter = replace(
        code,
        forward=tuple(lines[:first]),
        backward=tuple(lines[first:]),
        into=MappingProxyType(dict(inliner.into)),
    )
    return _renamed(shorter, forms)


def _check_code(code: Code, forms: Forms) -> None:
    check_code(code)


@dataclass(frozen=True, eq=False)
class Text:
    """The module that runs; `line_of` tells the line, from 1, that defines an array.

    `tables` are constants too long for it: arguments of its function.
    """

    source: str
    line_of: Mapping[Array, int]
    tables: Mapping[str, Any]

    def __str__(self) -> str:
        return self.source


def _text(forms: Forms) -> Text:
    """Write the module that runs."""
    if isinstance(forms["arrays"], Levels):
        return _irregular_text(forms["arrays"], forms["wanted"])
    code: Code = forms["inlined"]
    printer = Printer(code.names)
    data = constants(code)
    large = {name: table for name, table in data.items() if table.size > MOST_IN_TEXT}
    small = {name: table for name, table in data.items() if name not in large}
    written = function(_NAMES[code.with_gradients], code, printer, tuple(large))
    source = module(written.text, small)
    before = source[: source.index(written.text)].count("\n")
    lines = {array: line + before for array, line in written.line_of.items()}
    return Text(source, MappingProxyType(lines), MappingProxyType(large))


def _irregular_text(levels: Levels, wanted: str) -> Text:
    writer = LevelsText(levels)
    large = {name: table for name, table in levels.data.items() if table.size > MOST_IN_TEXT}
    small = {name: table for name, table in levels.data.items() if name not in large}
    body = (
        writer.forward(list(large))
        if wanted == FORWARD
        else writer.value_and_grad(wanted, list(large))
    )
    source = module(f"{writer.operations()}\n\n{body}", small)
    return Text(source, MappingProxyType({}), MappingProxyType(large))


def constants(code: Code) -> dict[str, Any]:
    """Return the constants and tables of places that a text needs, by name."""
    data: dict[str, Any] = {code.names[array]: array.data for array in code.constants}
    return data | {code.names[table]: table.places for table in code.tables}


def exported(forms: Forms, forward: Forms, target: str, leaves: Mapping[str, Any]) -> str:
    """Return a module with `forward` and `value_and_grad` that needs nothing but `target`.

    `leaves` are the present data of parameters and constants.
    """
    behind = leaves_text(target, leaves)
    summary = f"Lowered by micrograd to {target}."
    if isinstance(forms["arrays"], Levels):
        levels = forms["arrays"]
        writer = LevelsText(levels, target)
        body = (writer.operations(), writer.forward([]), writer.value_and_grad(PARAMETER, []))
        return module("\n\n".join(body), levels.data, target, behind, summary)
    data: dict[str, Any] = {}
    texts = []
    for code in (forward["inlined"], forms["inlined"]):
        printer = Printer(code.names, target)
        data |= constants(code)
        texts.append(function(_NAMES[code.with_gradients], code, printer).text)
    return module("\n\n".join(texts), data, target, behind, summary)


class Lowered:
    """The arrays of a graph, and what the later passes make of them for each wish: shared by equal
    graphs, in any thread."""

    def __init__(self, arrays: Arrays | Levels) -> None:
        self.arrays = arrays
        self.names = arrays.names if isinstance(arrays, Levels) else Names(arrays.names)
        self._forms: dict[str, Forms] = {}

    def forms(self, wanted: str) -> Forms:
        """Return the forms after the last pass; `wanted` is FORWARD, PARAMETER or INPUT."""
        if wanted not in self._forms:
            self._forms[wanted] = run(
                {"arrays": self.arrays, "wanted": wanted}, "adjoints", PASSES[-1].name
            )
        return self._forms[wanted]

    @property
    def lookups(self) -> list[tuple[Array, Rows]]:
        """Return the arrays of rows that are looked up, and which rows they are."""
        return [(a, a.lookup) for a in self.arrays.arrays if a.lookup is not None]


_NAMES = {False: "forward", True: "value_and_grad"}
MOST_IN_TEXT = 1000  # numbers of a table that stand in the text; longer ones are arguments

PASSES: tuple[Pass, ...] = (
    Pass("graph", _graph),
    Pass("chains", _chains),
    Pass(
        "arrays",
        _arrays,
        lambda form, forms: check_arrays(getattr(form, "arrays", ()), getattr(form, "loss", None)),
    ),
    Pass("adjoints", _adjoints, _check_adjoints),
    Pass("code", _code, _check_code),
    Pass("inlined", _inlined, _check_code),
    Pass("text", _text),
)
