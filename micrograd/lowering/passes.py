"""The passes of lowering, in order: from a recorded graph to the text of a program.

    graph     the recorded graph as columns of numbers
    chains    chains of + and max joined: sums of products, choices
    arrays    nodes of one kind together, in index notation: z1[i] = Σj x[j] W1[i,j] + b1[i]
    adjoints  their derivatives, in index notation
    code      index notation as array expressions, one line per array, or layout of several
    inlined   what no person would name, in the line that uses it
    text      the functions of a module

Each takes the forms before it, is checked, and can be printed. A graph that no grid fits has
Levels in place of arrays, and goes from there to its text.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from micrograd.lowering.adjoints.differentiate import Adjoints, adjoints
from micrograd.lowering.arrays.form import Arrays, arrays_of, check_arrays
from micrograd.lowering.arrays.group import MOST_FILLED, Grouping
from micrograd.lowering.arrays.ir import Array, Rows
from micrograd.lowering.arrays.leaves import leaf_arrays
from micrograd.lowering.arrays.names import TEMPORARY, Name, Names, wanted
from micrograd.lowering.code import text
from micrograd.lowering.code.build import code_of
from micrograd.lowering.code.inline import inlined
from micrograd.lowering.code.statements import Code, check_code
from micrograd.lowering.irregular import text as irregular
from micrograd.lowering.irregular.levels import Levels, levelled
from micrograd.lowering.scalars.chains import Chains, chains
from micrograd.lowering.scalars.columns import ADD, Ints, check_known
from micrograd.lowering.scalars.heights import levels, together
from micrograd.lowering.trace.declared import FORWARD, OUTPUT, PARAMETER

MOST_ARRAYS = 200  # and one more for every 500 nodes: beyond, a graph is taken for irregular
Forms = Mapping[str, Any]


@dataclass(frozen=True)
class Pass:
    """One step of lowering: `run` makes a form of those before it; `check` refuses a broken one.

    A `regular` step makes nothing of a graph that no grid fits.
    """

    name: str
    run: Callable[[Forms], Any]
    check: Callable[[Any, Forms], object] = lambda form, forms: None
    regular: bool = False


def run(forms: Forms, first: str, last: str) -> dict[str, Any]:
    """Return the forms with those of the passes from `first` to `last`."""
    names = [step.name for step in PASSES]
    result = dict(forms)
    for step in PASSES[names.index(first) : names.index(last) + 1]:
        skipped = step.regular and isinstance(result["arrays"], Levels)
        form = result[step.name] = None if skipped else step.run(MappingProxyType(result))
        if form is not None:
            step.check(form, result)
    return result


def _arrays(forms: Forms) -> Arrays | Levels:
    """Group the nodes; sort those of an irregular graph by level."""
    form: Chains = forms["chains"]
    leaves = leaf_arrays(form, list(forms["declared"]), forms["trainable"])
    level = levels(form)
    if grouping := _grouped(form, leaves, level):
        return arrays_of(grouping, forms["reduce"])
    if (form.graph.op[form.recorded_by] != ADD).any():  # a level has operations of two
        form = chains(form.graph, forms["known"], forms["numbers"], (ADD,))
        level = levels(form)
    return levelled(form, level, leaves, forms["reduce"], wanted(leaves, form.graph.values))


def _grouped(form: Chains, leaves: list[Array], level: Ints) -> Grouping | None:
    """Return the nodes in the fewest arrays: by height, or so that steps wait for one another."""
    most = MOST_ARRAYS + int(form.remaining.sum()) // 500
    if level.max() > max(most, MOST_FILLED):
        return None
    parameters = [leaf.nodes for leaf in leaves if leaf.kind == PARAMETER]
    heights = together(form, level, parameters)
    done: list[Grouping] = []
    if heights is not None:
        waited = Grouping(form, leaves, most)
        done = [waited] if waited.run(heights, steps=True) else []
    if heights is None or waited.longer or (heights != level).any():  # else it is the same
        plain = Grouping(form, leaves, most)
        done = [plain, *done] if plain.run(level) else done
    return min(done, key=lambda grouping: len(grouping.arrays), default=None)


def _adjoints(forms: Forms) -> Adjoints | None:
    if forms["wanted"] == FORWARD:
        return None
    arrays: Arrays = forms["arrays"]
    return adjoints(arrays.arrays, arrays.loss, arrays.wanted(forms["wanted"]))


def _code(forms: Forms) -> Code:
    return code_of(forms["arrays"], forms["adjoints"])


def _inlined(forms: Forms) -> Code:
    return inlined(forms["code"], forms["arrays"].names, forms["adjoints"])


def _text(forms: Forms) -> text.Text:
    if isinstance(forms["arrays"], Levels):
        return irregular.text_of(forms["arrays"], forms["wanted"])
    return text.text_of(forms["inlined"])


def _check_arrays(form: Arrays | Adjoints | Levels, forms: Forms) -> None:
    """Check the arrays of one pass or of both."""
    if not isinstance(form, Levels):
        before = forms["arrays"].arrays if isinstance(form, Adjoints) else ()
        check_arrays((*before, *form.arrays), forms["arrays"].loss)


def _check_code(code: Code, forms: Forms) -> None:
    check_code(code)


PASSES: tuple[Pass, ...] = (
    Pass("graph", lambda forms: forms["traced"].graph, lambda form, _: check_known(form)),
    Pass("chains", lambda forms: chains(forms["graph"], forms["known"], forms["numbers"])),
    Pass("arrays", _arrays, _check_arrays),
    Pass("adjoints", _adjoints, _check_arrays, regular=True),
    Pass("code", _code, _check_code, regular=True),
    Pass("inlined", _inlined, _check_code, regular=True),
    Pass("text", _text),
)


class Lowered:
    """The arrays of a graph, and what the later passes make of them for each wish: shared by equal
    graphs, in any thread."""

    def __init__(self, arrays: Arrays | Levels) -> None:
        self.arrays = arrays
        self.names = arrays.names if isinstance(arrays, Levels) else Names(arrays.names)
        self._forms: dict[str, Forms] = {}

    def forms(self, wanted: str) -> Forms:
        """Return the forms after the last pass; `wanted` is FORWARD, OUTPUT, PARAMETER or INPUT."""
        if wanted not in self._forms:
            forms = {"arrays": self.arrays, "wanted": wanted}
            if wanted == OUTPUT and isinstance(self.arrays, Arrays):
                forms = {"arrays": outputs_of(self.arrays), "wanted": FORWARD}
            self._forms[wanted] = run(forms, "adjoints", PASSES[-1].name)
        return self._forms[wanted]

    @property
    def lookups(self) -> list[tuple[Array, Rows]]:
        """Return the arrays of rows that are looked up, and which rows they are."""
        return [(a, a.lookup) for a in self.arrays.arrays if a.lookup is not None]


def outputs_of(form: Arrays) -> Arrays:
    """Return the arrays of what a function returned: ∂ Σ upstream · output / ∂ upstream."""
    (upstream,) = form.wanted(OUTPUT)
    back = adjoints(form.arrays, form.loss, [upstream])
    every, outputs = (*form.arrays, *back.arrays), back.gradients[upstream]
    needed = {outputs, *form.given(form.arguments, OUTPUT)}
    for array in reversed(every):
        if array in needed:
            needed.update(read.array for read in array.reads)
    own = dict.fromkeys(back.arrays, TEMPORARY) | {outputs: Name(OUTPUT)}
    arrays = tuple(array for array in every if array in needed)
    return replace(form, arrays=arrays, names=MappingProxyType({**form.names, **own}))


def exported(forms: Forms, forward: Forms, target: str, leaves: Mapping[str, Any]) -> str:
    """Return a module with `forward` and `value_and_grad` that needs nothing but `target`.

    `leaves` are the present data of parameters and constants.
    """
    if isinstance(forms["arrays"], Levels):
        return irregular.export_of(forms["arrays"], forward["wanted"], target, leaves)
    return text.export_of((forward["inlined"], forms["inlined"]), target, leaves)
