"""The page that plays a recorded training: its boundary, its loss, its dead units, one sample."""

from __future__ import annotations

import base64
import math
import os
import sys
from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import Any

from micrograd.core.checks import check_finite, check_ordered
from micrograd.core.modes import SEPARATOR
from micrograd.engine import Value
from micrograd.files import atomic_write
from micrograd.graph import HANDMADE, LEAF, Graph, snapshot
from micrograd.ops import DomainError
from micrograd.printing import counted, shorten
from micrograd.render.network import LEVEL, network_view
from micrograd.render.view import Box, View, joined
from micrograd.stepper.data import page_data
from micrograd.stepper.document import assembled, titles_of
from micrograd.stepper.interface import TRAINING
from micrograd.stepper.javascript import rows_source
from micrograd.stepper.views import network_data
from micrograd.training import Recording

TITLE = {"en": "A training, step by step", "zh": "一次训练，逐步来看"}
INPUTS, TARGET, LOSS = ("x₁", "x₂"), "t", "loss"
DIGITS = 6  # of a recorded loss, which is drawn
CHECKED = 8  # frames in which the graphs of all points are compared, at most
Loss = Callable[[Value, Value], Value]


def training_page(
    recording: Recording,
    points: Sequence[Sequence[float]],
    targets: Sequence[float],
    loss: Loss,
    title: str | Mapping[str, str] = "",
    boundary: float | None = None,
) -> str:
    """Return the page that plays `recording`, as HTML that needs no other file.

    The network has two inputs and one output; `points` are (n, 2), `targets` (n,) two different
    numbers, and `loss(output, target)` is that of one point, for Values. The boundary is where the
    output is `boundary`: without it, halfway between the two targets. The page computes every
    number from the parameters, by the formulas of the operations. Raises ValueError where nothing
    was recorded, or the page could not compute what the network does.
    """
    inputs, aims = _checked(recording, points, targets)
    border = sum({*aims}) / 2 if boundary is None else boundary
    check_finite(boundary=border)
    if not callable(loss):
        raise TypeError(f"loss is a function of output and target, not {shorten(loss)}")
    with _put_back(recording):
        _put(recording, recording.frames[0][1])  # where it diverged it may have no value now
        sample = _Sample(recording.model, loss, inputs[0], aims[0])
        for step, numbers in recording.frames[:: len(recording.frames) // CHECKED + 1]:
            _put(recording, numbers)
            sample.check([*zip(inputs, aims)], step)
    data = page_data(sample.graph, None, 1.0)
    data["views"] = _folded(data["views"])
    if LEVEL in data["views"]:
        data["views"][LEVEL] = network_data(_loss_as_one(sample))
    data["start"] = LEVEL if LEVEL in data["views"] else data["start"]
    titles = data["title"] = titles_of(title) or TITLE
    data["training"] = {
        **sample.told(recording),
        "points": inputs,
        "targets": aims,
        "boundary": float(border),
        "losses": [_short(x) for x in recording.losses],
    }
    data["words"] = {name: words | TRAINING[name] for name, words in data["words"].items()}
    parts = {"training"} | ({"network"} if LEVEL in data["views"] else set())
    return assembled(data, rows_source(sample.graph.ops), titles["en"], {}, parts)


def save_training_page(
    recording: Recording,
    path: str | os.PathLike[str],
    points: Sequence[Sequence[float]],
    targets: Sequence[float],
    loss: Loss,
    title: str | Mapping[str, str] = "",
    boundary: float | None = None,
) -> Path:
    """Write `training_page(...)` to `path` and return it."""
    return atomic_write(path, training_page(recording, points, targets, loss, title, boundary))


@contextmanager
def _put_back(recording: Recording) -> Iterator[None]:
    """Evaluate the model, not training, at other parameters, and leave it as it was."""
    now = [parameter.data for parameter in recording.parameters]
    modules: list[Any] = getattr(recording.model, "modules", list)()
    training = [module.training for module in modules]  # each its own: some may be frozen
    try:
        for module in modules:
            module.training = False
        yield
    finally:
        _put(recording, now)
        for module, flag in zip(modules, training):
            module.training = flag


def _put(recording: Recording, numbers: Sequence[float]) -> None:
    for parameter, number in zip(recording.parameters, numbers):
        parameter.data = number


class _Sample:
    """The graph of one point's loss, in which the page puts other points and parameters."""

    def __init__(self, model: Any, loss: Loss, point: Sequence[float], target: float) -> None:
        self.model, self.loss = model, loss
        self.inputs = [Value(x, label=name) for x, name in zip(point, INPUTS)]
        self.target = Value(target, label=TARGET)
        self.output = _one(model(self.inputs), "the network gives")
        self.root = _one(loss(self.output, self.target), "loss(output, target) gives")
        self.root.label = self.root.label or LOSS
        self.graph: Graph = snapshot(self.root)
        if lost := [v.label for v in (*self.inputs, self.target) if v not in self.graph.ids]:
            raise ValueError(
                f"the loss does not depend on {', '.join(lost)}; nothing could be seen"
            )
        if HANDMADE in self.graph.ops:
            raise ValueError(
                "the graph has a node with a backward function of its own, which a page cannot "
                "compute; register() makes it an operation"
            )

    def check(self, samples: Sequence[tuple[Sequence[float], float]], step: int) -> None:
        """Raise ValueError unless every point's graph is this one, but for its numbers.

        A point without a value is passed over, but at the first step.
        """
        own = _form(self.graph, {*self.inputs, self.target})
        for number, (point, target) in enumerate(samples):
            inputs, aim = [Value(x) for x in point], Value(target)
            try:
                root = _one(self.loss(_one(self.model(inputs), ""), aim), "")
            except DomainError:
                if not step:
                    raise
                continue
            if _form(snapshot(root), {*inputs, aim}) != own:
                raise ValueError(
                    f"the graph of point {number} at step {step} has another form than that of "
                    "point 0 at step 0: the network or the loss chooses by the numbers; write it "
                    "with operations only, such as relu, max and where their slopes decide"
                )

    def told(self, recording: Recording) -> dict[str, Any]:
        """Return what the page has to know: where things are in the graph, and the frames."""
        ids = self.graph.ids
        here = [i for i, p in enumerate(recording.parameters) if p in ids]
        frames = [*recording.frames, (len(recording.losses), recording.now())]
        return {
            "inputs": [ids[value] for value in self.inputs],
            "target": ids[self.target],
            "output": ids[self.output],
            "parameters": [ids[recording.parameters[i]] for i in here],
            "units": [[id, layer] for id, layer in self._units()],
            "at": [number for number, _ in frames],
            "frames": _packed([[kept[i] for i in here] for _, kept in frames]),
        }

    def _units(self) -> Iterator[tuple[int, str]]:
        """Yield the last node of every innermost scope but the output's, and the scope's name."""
        scopes = self.graph.scopes
        last = {scope: id for id, scope in enumerate(scopes) if scope and self.graph.operands[id]}
        for scope, id in last.items():
            inner = any(other.startswith(scope + SEPARATOR) for other in last)
            if not inner and id != self.graph.ids[self.output]:
                yield id, scope


def _folded(views: Mapping[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return the views in which no box is open: the numbers of a training take the room."""
    kept = {key: seen for key, seen in views.items() if not seen["closes"]}
    return {key: seen | {"opens": [""] * len(seen["opens"])} for key, seen in kept.items()}


def _loss_as_one(sample: _Sample) -> View:
    """Return the network view with one box for the loss, all that the output and target go into."""
    graph, seen = sample.graph, network_view(sample.graph)
    after = _after(graph, {graph.ids[v] for v in (*sample.inputs, sample.target, sample.output)})
    loss = [box for box in seen.boxes if after.issuperset(box.members)]
    if len(loss) < 2:
        return seen
    members, root = tuple(sorted(m for box in loss for m in box.members)), graph.roots[0]
    one = Box(f"group{root}", "group", members, (root,), graph.name(root))
    return joined(graph, LEVEL, [*(box for box in seen.boxes if box not in loss), one])


def _after(graph: Graph, own: set[int]) -> set[int]:
    """Return the nodes that only the root depends on without one of `own` between."""
    users: dict[int, set[int]] = {}
    for operand, user, _ in graph.edges:
        users.setdefault(operand, set()).add(user)
    after: set[int] = set()
    for id in reversed(range(len(graph))):
        if id not in own and users.get(id, set()) <= after:
            after.add(id)
    return after


def _form(graph: Graph, changing: set[Value]) -> tuple[Any, ...]:
    """Return what two graphs have in common that differ in the numbers of some leaves only."""
    constants = [
        None if value in changing or op != LEAF else value.data
        for op, value in zip(graph.ops, graph.values)
    ]
    return graph.ops, graph.operands, graph.constants, constants


def _checked(recording: Any, points: Any, targets: Any) -> tuple[list[list[float]], list[float]]:
    if not isinstance(recording, Recording):
        raise TypeError(f"give the Recording of a training, not {shorten(recording)}")
    if not recording.losses:
        raise ValueError("nothing was recorded; call note(loss) in each step, or train by of(step)")
    check_ordered("the points", points)
    check_ordered("the targets", targets)
    try:
        inputs, aims = [[*map(float, point)] for point in points], [*map(float, targets)]
    except (TypeError, ValueError) as error:
        raise ValueError(
            "a page shows points of two numbers each, and the targets are numbers, not "
            f"{shorten(points)} and {shorten(targets)}"
        ) from error
    if len(inputs) != len(aims):
        raise ValueError(
            f"{counted(len(inputs), 'point')} and {counted(len(aims), 'target')}: "
            "give one for each point"
        )
    if any(len(point) != 2 for point in inputs):
        raise ValueError("a page shows points of two numbers each")
    if not all(map(math.isfinite, [*chain(*inputs), *aims])):
        raise ValueError("the points and targets are finite numbers")
    if len({*aims}) != 2:
        raise ValueError(f"a page shows two kinds of point; there are {len({*aims})} targets")
    return inputs, aims


def _one(out: Any, what: str) -> Value:
    if not isinstance(out, Value):
        raise ValueError(
            f"{what} {shorten(out)}, not one Value: a page shows a network with one output"
        )
    return out


def _packed(rows: Sequence[Sequence[float]]) -> str:
    """Return numbers as float32, least byte first, in letters."""
    numbers = array("f", [x for row in rows for x in row])
    if sys.byteorder == "big":
        numbers.byteswap()
    return base64.b64encode(numbers.tobytes()).decode()


def _short(x: float) -> float:
    return float(f"{x:.{DIGITS}g}")
