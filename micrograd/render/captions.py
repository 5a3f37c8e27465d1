"""What the boxes and edges of a picture say."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import NamedTuple

from micrograd.core.modes import SEPARATOR
from micrograd.graph import LEAF, Graph
from micrograd.ops import WEIGHTED_SUM
from micrograd.printing import counted
from micrograd.render.formulas import local_formula, with_names
from micrograd.render.memory import kept
from micrograd.render.numerals import shown
from micrograd.render.passes import Passes
from micrograd.render.text import brief, cut
from micrograd.render.view import Box, Edge, View

NAME, NOTE, LOCAL = 22, 26, 24  # most characters of each in a picture
TOLD = 400  # of why a backward pass ends early
TOOLTIP = 20_000  # of a tooltip, which gives a name in full
NOT_YET = "–"
MODES = ("fprop", "bprop", "both")


class Caption(NamedTuple):
    """The text of a box; `value` and `gradient` are numbers or ranges, `more` the tooltip.

    `of` says what the gradient is: "grad" is the Values' own, which a backward pass of the user
    left there; before any there is ∂f/∂x, which the picture's pass computes.
    """

    name: str
    note: str
    value: str
    gradient: str
    more: str
    of: str


class Label(NamedTuple):
    """The text of an edge: what it hands back, by which factor, or how many edges it stands for."""

    contribution: str
    local: str
    edges: str
    more: str


def problem_of(passes: Passes | None) -> str:
    """Return why a backward pass ends early, "" where it does not."""
    problem = passes.problem if passes else ""
    return brief(f"the backward pass ends early: {problem}", TOLD) if problem else ""


def names_of(graph: Graph) -> Sequence[str]:
    """Return the short names of the nodes by id, made when asked for."""
    return _Names(graph)


class _Names(Sequence[str]):
    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.shared = kept(graph, "shared labels", lambda: _shared_labels(graph))

    def __getitem__(self, id: int) -> str:  # type: ignore[override]
        graph = self.graph
        if graph.ops[id] == LEAF and not graph.labels[id]:
            return shown(graph.data[id])
        return brief(self._whole(id), NAME)

    def _whole(self, id: int) -> str:
        label, scope = self.graph.labels[id], self.graph.scopes[id]
        if label not in self.shared or not scope:
            return self.graph.name(id)
        parts = _told_apart(scope, self.shared[label])
        whole = ".".join([*parts, label])
        return whole if len(whole) <= NAME else ".".join([*map(_initialled, parts), label])

    def __len__(self) -> int:
        return len(self.graph)


def _shared_labels(graph: Graph) -> dict[str, set[str]]:
    """Return the scopes of every label that several of them have."""
    scopes: dict[str, set[str]] = {}
    for label, scope in zip(graph.labels, graph.scopes):
        if label:
            scopes.setdefault(label, set()).add(scope)
    return {label: places for label, places in scopes.items() if len(places) > 1}


def _told_apart(scope: str, scopes: Collection[str]) -> list[str]:
    """Return as many of a scope's last parts as tell it apart from the others."""
    parts = scope.split(SEPARATOR)
    for count in range(1, len(parts)):
        ending = parts[-count:]
        if sum(other.split(SEPARATOR)[-count:] == ending for other in scopes) == 1:
            return ending
    return parts


def _initialled(part: str) -> str:
    """Return "n1" for "neuron 1"."""
    word, _, number = part.rpartition(" ")
    return f"{word[:1]}{number}" if word and number.isdigit() else part


def caption(view: View, box: Box, passes: Passes | None) -> Caption:
    """Return what `box` says; a gradient that is not known is a dash."""
    graph = view.graph
    name, note = _TITLES[box.kind](graph, box)
    if box.samples:
        one = box.samples.drawn == 1
        note = f"Σ · sample {box.samples}" if one else f"Σ · {box.samples} samples"
    gradients: Mapping[int, float] = passes.gradients if passes else {}
    own = was_differentiated(graph)
    numbers = [
        graph.grads[id] if own else gradients[id] for id in box.outputs if own or id in gradients
    ]
    return Caption(
        name,
        note,
        _range([graph.data[id] for id in box.outputs]),
        _range(numbers),
        _tooltip(graph, box, note),
        "grad" if own else _derivative(graph, box),
    )


def was_differentiated(graph: Graph) -> bool:
    """Tell whether a backward pass has left gradients in the Values of a graph."""
    return kept(graph, "differentiated", lambda: any(_computed_grads(graph)))


def _computed_grads(graph: Graph) -> list[float]:
    """Return the gradients of results and root: a leaf may hold those of another graph."""
    return [
        grad
        for id, (op, grad) in enumerate(zip(graph.ops, graph.grads))
        if op != LEAF or id in graph.roots
    ]


def _derivative(graph: Graph, box: Box) -> str:
    names, root = names_of(graph), graph.roots[0]
    return (
        f"∂{names[root]}/∂{names[box.outputs[0]]}" if len(box.outputs) == 1 else f"∂{names[root]}"
    )


def _range(numbers: list[float]) -> str:
    """Return one number, or from where to where several lie."""
    if not numbers:
        return NOT_YET
    low, high = shown(min(numbers)), shown(max(numbers))
    if any(number != number for number in numbers):
        return "nan"
    return low if low == high else f"{low} … {high}"


def _tooltip(graph: Graph, box: Box, note: str) -> str:
    last = box.members[-1]
    if len(box.members) == 1:
        where = f" in {brief(graph.scopes[last], TOOLTIP)}" if graph.scopes[last] else ""
        return f"{brief(graph.name(last), TOOLTIP)}: {note}{where}"
    what = brief(box.scope or graph.name(last), TOOLTIP)
    return f"{what}: {_values(box)}, {len(box.outputs)} used outside"


def _leaf(graph: Graph, box: Box) -> tuple[str, str]:
    id = box.members[0]
    kind = "parameter" if graph.scopes[id] else "input" if graph.labels[id] else "constant"
    where = f" of {_last(graph.scopes[id])}" if graph.scopes[id] else ""
    return names_of(graph)[id], f"{kind}{where}"


def _node(graph: Graph, box: Box) -> tuple[str, str]:
    id, names = box.members[0], names_of(graph)
    formula = with_names(graph, id, names)
    if graph.ops[id] == WEIGHTED_SUM.name and len(formula) > NOTE:
        pairs, bias = divmod(len(graph.operands[id]), 2)
        more = f" + {names[graph.operands[id][-1]]}" if bias else ""
        formula = f"Σ {counted(pairs, 'product')}{more}"
    return names[id], cut(formula, NOTE)


def _sum(graph: Graph, box: Box) -> tuple[str, str]:
    name = names_of(graph)[box.members[-1]]
    products = sum(graph.ops[id] == "mul" for id in box.members)
    rest = [
        operand
        for id in box.members
        if graph.ops[id] == "add"
        for operand in graph.operands[id]
        if operand not in box.members
    ]
    if not products:
        return name, f"Σ {counted(len(rest), 'term')}"
    others = names_of(graph)[rest[0]] if len(rest) == 1 else f"{len(rest)} more"
    return name, f"Σ {counted(products, 'product')}" + (f" + {others}" if rest else "")


def _group(graph: Graph, box: Box) -> tuple[str, str]:
    """Name a call by its scope, and the one Value it hands on: other boxes' formulas use that."""
    parts = [_last(box.scope.rpartition(SEPARATOR)[0])]
    if box.calls:
        parts.append(f"call {box.call} of {box.calls}")
    elif len(box.outputs) != 1:
        parts.append(_values(box))
    note = " · ".join(filter(None, parts))
    one = f"→ {names_of(graph)[box.outputs[0]]}" if len(box.outputs) == 1 else ""
    return _last(box.scope), f"{note} {one}".strip()


def _parameters(_: Graph, box: Box) -> tuple[str, str]:
    return _last(box.scope), counted(len(box.members), "parameter")


def _inputs(_: Graph, box: Box) -> tuple[str, str]:
    return "inputs", _values(box)


def _part(graph: Graph, box: Box) -> tuple[str, str]:
    names = names_of(graph)
    return f"{names[box.members[0]]} … {names[box.members[-1]]}", _values(box)


_TITLES: dict[str, Callable[[Graph, Box], tuple[str, str]]] = {
    "leaf": _leaf,
    "node": _node,
    "sum": _sum,
    "group": _group,
    "parameters": _parameters,
    "inputs": _inputs,
    "part": _part,
}


def _last(scope: str) -> str:
    return brief(scope.rpartition(SEPARATOR)[2], NAME)


def _values(box: Box) -> str:
    return counted(len(box.members), "Value")


def label(view: View, edge: Edge, passes: Passes | None) -> Label:
    """Return what `edge` says: numbers where one gradient goes back along it, else a count."""
    graph, (first, *others) = view.graph, edge.members
    passes = passes or Passes()
    operands = {operand for operand, _, _ in edge.members}
    total = passes.contribution(edge.members) if len(operands) == 1 else None
    contribution = "" if total is None else shown(total)
    if others:
        return Label(contribution, "", f"{len(edge.members):,} edges", "")
    # Into a folded box the factor shown beside the box's own gradient would not make the product.
    exact = view.boxes[edge.target].kind in ("node", "sum")
    local = _local(graph, first, passes) if exact else ""
    names = names_of(graph)
    more = f"{names[first[1]]} → {names[first[0]]}: {contribution} = upstream × {local}"
    return Label(contribution, local, "", more if local else "")


def _local(graph: Graph, edge: tuple[int, int, int], passes: Passes) -> str:
    """Return the local gradient of an edge: its formula, and its number where they differ."""
    _, user, position = edge
    local = passes.local(edge)
    if local is None:
        return ""
    number = shown(local)
    formula = local_formula(graph, user, position, names_of(graph))
    if not formula or formula == number:
        return number
    return f"{cut(formula, LOCAL)} = {number}"
