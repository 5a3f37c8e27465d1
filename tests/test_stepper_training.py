"""The page that plays a training: what it is told, what it computes, what it refuses."""

import base64
import json
import math
import random
import re
from array import array

import pytest

from micrograd import Value
from micrograd.graph import snapshot
from micrograd.nn import MLP, Dropout, Module
from micrograd.ops import BY_NAME, ROWS
from micrograd.optim import SGD
from micrograd.stepper import save_training_page, training_page
from micrograd.stepper.data import node_data
from micrograd.stepper.interface import TRAINING
from micrograd.stepper.javascript import rows_source
from micrograd.stepper.training_page import TITLE
from micrograd.training import Recording
from micrograd.training.standstill import looked_at
from tests.stepper_graphs import node

POINTS = [(0.0, 0.0), (0.0, 1.0), (1.0, 0.0), (1.0, 1.0)]
TARGETS = [0.0, 1.0, 1.0, 0.0]
COLUMNS = ("engine.js", "numbers.js", "formulas.js", "passes.js", "columns.js")


def squared(output, target):
    return (output - target) ** 2


def recorded(steps=4, seed=2, **options):
    random.seed(seed)
    model = MLP(2, [4, 1], **options)
    recording = Recording(model, every=2)
    optimizer = SGD(model.parameters(), lr=0.1)
    for _ in range(steps):
        optimizer.zero_grad()
        loss = sum(squared(model(x), t) for x, t in zip(POINTS, TARGETS)) * 0.25
        loss.backward()
        recording.note(loss)
        optimizer.step()
    return recording


def data_of(text):
    return json.loads(re.search(r'id="data">(.*?)</script>', text, re.DOTALL)[1])


def test_the_page_holds_the_frames_and_where_they_belong():
    recording = recorded()
    told = data_of(training_page(recording, POINTS, TARGETS, squared))
    training = told["training"]
    assert training["at"] == [0, 2, 4]
    numbers = array("f", base64.b64decode(training["frames"]))
    count = len(training["parameters"])
    assert count == 17 and len(numbers) == 3 * count
    labels = [told["nodes"][id][3] for id in training["parameters"]]
    for frame, kept in enumerate([kept for _, kept in recording.frames] + [recording.now()]):
        assert sorted(numbers[frame * count : (frame + 1) * count]) == sorted(kept)
    names = [told["nodes"][id][3] for id in [*training["inputs"], training["target"]]]
    assert names == ["x₁", "x₂", "t"] and all(labels)
    assert training["boundary"] == 0.5 and told["seed"] == 1
    assert training["losses"] == pytest.approx(recording.losses, rel=1e-5)
    assert [name for _, name in training["units"]] == [f"layer 0 / neuron {i}" for i in range(4)]


def test_the_page_opens_on_the_network_and_no_box_opens():
    told = data_of(training_page(recorded(), POINTS, TARGETS, squared))
    assert told["start"] == "network" and told["title"] == TITLE
    assert len(told["views"]) > 1
    for seen in told["views"].values():
        assert not seen["closes"] and not any(seen["opens"])
    titled = data_of(training_page(recorded(), POINTS, TARGETS, squared, "XOR"))
    assert titled["title"] == {"en": "XOR"}


class Plain(Module):
    """No neuron in a scope, and a parameter that nothing uses."""

    def __init__(self):
        self.spare, self.a, self.b = Value(9.0), Value(0.5), Value(-0.25)

    def parameters(self):
        return [self.spare, self.a, self.b]

    def __call__(self, x):
        return (self.a * x[0] + self.b * x[1]).tanh()


def test_a_model_without_neurons_and_with_a_spare_parameter():
    recording = Recording(Plain(), every=1)
    for loss in (0.5, 0.25):
        recording.note(loss)
    told = data_of(training_page(recording, POINTS, TARGETS, squared))
    assert told["start"] == "full" and "network" not in told["views"]
    numbers = array("f", base64.b64decode(told["training"]["frames"]))
    assert [*numbers] == [0.5, -0.25] * len(told["training"]["at"])


def moved():
    """Return a recording of two steps, its parameters turned round between them."""
    recording = Recording(Plain())
    recording.note(0.5)
    recording.model.a.data = recording.model.b.data = -9.0
    recording.note(0.25)
    return recording


def test_a_loss_that_comes_to_choose_otherwise_is_refused():
    recording = moved()

    def chosen(output, target):
        return squared(output, target) if recording.model.a.data > 0 else abs(output - target)

    with pytest.raises(ValueError, match="point 0 at step 1 has another form"):
        training_page(recording, POINTS, TARGETS, chosen)
    assert recording.model.a.data == -9


def test_a_step_at_which_a_point_has_no_loss_is_played():
    def cross(output, target):
        return -(target * (output + 0.6).log())

    assert "frames" in data_of(training_page(moved(), POINTS, TARGETS, cross))["training"]


@pytest.mark.parametrize(
    ("loss", "kind"), [(squared, "group"), (lambda output, target: output * target, "node")]
)
def test_a_loss_of_one_node_stays_a_node(loss, kind):
    told = data_of(training_page(recorded(), POINTS, TARGETS, loss))
    assert told["views"]["network"]["boxes"][-1]["kind"] == kind


@pytest.mark.parametrize("options", [{}, {"activation": "tanh"}, {"fused": True}])
def test_the_page_computes_what_the_engine_does_at_every_point(options):
    recording = recorded(**options)
    model, rng = recording.model, random.Random(1)
    for parameter, single in zip(recording.parameters, recording.frames[1][1]):
        parameter.data = single
    points = [(rng.uniform(-2, 2), rng.uniform(-2, 2)) for _ in range(40)]
    inputs, target = [Value(0.3), Value(-0.4)], Value(0.25)
    graph = snapshot(squared(model(inputs), target))
    script = """
const nodes = nodesOf(INPUT), columns = new Columns(ROWS, nodes, INPUT.points.length);
const own = new Map(INPUT.inputs.map((id, i) => [id, Float64Array.from(INPUT.points, p => p[i])]));
columns.run(id => own.get(id) ?? nodes[id].value);
answer([...columns.of(nodes.length - 1)]);
"""
    told = node(
        f"const ROWS={rows_source(graph.ops)};{script}",
        *COLUMNS,
        data=node_data(graph)
        | {"points": points, "inputs": [graph.ids[value] for value in inputs]},
    )
    ours = [squared(model([*point]), Value(0.25)).data for point in points]
    assert told == pytest.approx(ours, rel=1e-12, abs=1e-12)


def test_the_page_computes_every_operation_over_many_points():
    rng, tasks, expected = random.Random(5), [], []
    for row in ROWS:
        xs = [rng.uniform(0.1, 0.9) + (row.name == "acosh") for _ in range(7)]
        constant = [2.0] if row.constants else []
        first = [Value(x) for x in xs]
        outs = [getattr(x, row.name)(*[0.7] * (row.arity - 1), *constant) for x in first]
        graph = snapshot(outs[0])
        tasks.append(node_data(graph) | {"xs": xs, "x": graph.ids[first[0]]})
        expected.append([out.data for out in outs])
    script = """
answer(INPUT.map(task => {
  const nodes = nodesOf(task), columns = new Columns(ROWS, nodes, task.xs.length);
  columns.run(id => id === task.x ? Float64Array.from(task.xs) : nodes[id].value);
  return [...columns.of(nodes.length - 1)];
}));
"""
    told = node(f"const ROWS={rows_source(BY_NAME)};{script}", *COLUMNS, data=tasks)
    for theirs, ours in zip(told, expected):
        assert theirs == pytest.approx(ours, rel=1e-12)


def test_a_place_without_a_value_does_not_stop_the_others():
    x = Value(1.0)
    graph = snapshot(x.log())
    script = f"""
const ROWS={rows_source(graph.ops)};
const nodes = nodesOf(INPUT), columns = new Columns(ROWS, nodes, 3);
columns.run(() => Float64Array.from([1, -1, 4]));
answer([...columns.of(1)].map(String));
"""
    told = node(script, *COLUMNS, data=node_data(graph))
    assert told[:2] == ["0", "NaN"] and float(told[2]) == pytest.approx(math.log(4.0))


def test_a_boundary_in_a_level_place_is_told_from_one_that_is_crossed():
    script = """
const wave = (i, size) => size * Math.sin(i % ACROSS);
const numbers = INPUT.map(size => Array.from({ length: ACROSS * DOWN }, (_, i) => wave(i, size)));
answer(numbers.map(some => contour(some, 0.01).map(path => path.split("M").length - 1)));
"""
    (crossed, none), (nothing, level) = node(script, *COLUMNS, "plane.js", data=[1.0, 0.001])
    assert crossed == level > 500 and none == nothing == 0


def test_the_loss_is_one_box_after_the_network():
    def hinge(output, target):
        return (1 - target * output).relu()

    told = data_of(training_page(recorded(), POINTS, [-1.0, 1.0, 1.0, -1.0], hinge))
    view, ids = told["views"]["network"], told["training"]
    kinds = [unit[0] for unit in view["plan"]["units"]]
    assert kinds.count("neuron") == 5 and kinds.count("plate") == 4  # x1, x2, t and the loss
    members = view["boxes"][-1]["members"]
    assert sum(members[1::2]) == 4 and view["boxes"][-1]["outputs"] == [told["root"]]
    inside = {i for first, n in zip(members[::2], members[1::2]) for i in range(first, first + n)}
    assert not inside & {ids["output"], ids["target"], *ids["inputs"], *ids["parameters"]}


def test_the_dead_are_those_that_fit_names():
    recording = recorded(300)
    losses = (squared(recording.model(x), t) for x, t in zip(POINTS, TARGETS))
    names = looked_at(losses, []).dead
    assert names == ["layer 0 / neuron 1", "layer 0 / neuron 3"]


def test_it_is_one_small_file_that_runs_its_own_script_only(tmp_path):
    path = save_training_page(recorded(), tmp_path / "t.html", POINTS, TARGETS, squared, "XOR")
    text = path.read_text("utf-8")
    assert len(text.encode()) <= 100_000 and "default-src 'none'" in text
    assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)|@import|url\(", text)
    assert {*TRAINING["en"]} == {*TRAINING["zh"]}


def test_dropout_is_off_on_the_page_and_on_again_after_it():
    class Dropped(Module):
        def __init__(self):
            self.inner, self.drop = MLP(2, [3, 1]), Dropout(0.5)

        def __call__(self, x):
            return self.inner(self.drop(x))

    random.seed(1)
    model = Dropped()
    recording = Recording(model)
    recording.note(1.0)
    first, second = (training_page(recording, POINTS, TARGETS, squared) for _ in range(2))
    assert first == second and model.training
    for top, part in ((True, False), (False, True)):
        model.training, model.drop.training = top, part
        assert training_page(recording, POINTS, TARGETS, squared) == first
        assert (model.training, model.drop.training) == (top, part)
    assert len(data_of(first)["nodes"]) == len(
        snapshot(squared(model.eval()([0.0, 0.0]), Value(0.0)))
    )


class Chooser(Module):
    def __init__(self):
        self.one, self.two = MLP(2, [1]), MLP(2, [2, 1])

    def __call__(self, x):
        return self.one(x) + self.two(x) * (1 if x[0] > 0.5 else 2)


def note(model):
    recording = Recording(model)
    recording.note(1.0)
    return recording


@pytest.mark.parametrize(
    "recording, points, targets, loss, said",
    [
        (Recording(MLP(2, [1])), POINTS, TARGETS, squared, "nothing was recorded"),
        (note(MLP(2, [1])), POINTS[:3], TARGETS, squared, "3 points and 4 targets"),
        (note(MLP(3, [1])), [(1, 2, 3)] * 4, TARGETS, squared, "points of two numbers"),
        (note(MLP(2, [1])), POINTS, [1.0] * 4, squared, "two kinds of point; there are 1"),
        (note(MLP(2, [1])), POINTS, [0.0, 1, 2, 1], squared, "two kinds of point; there are 3"),
        (note(MLP(2, [2])), POINTS, TARGETS, squared, "network gives .* not one Value"),
        (note(MLP(2, [1])), POINTS, TARGETS, lambda y, t: 1.0, r"loss\(output, target\) gives"),
        (note(MLP(2, [1])), POINTS, TARGETS, lambda y, t: y * y, "does not depend on t"),
        (note(Chooser()), POINTS, TARGETS, squared, "graph of point 2 at step 0 has another form"),
        (note(MLP(2, [1])), [(float("nan"), 1.0)] * 4, TARGETS, squared, "finite numbers"),
        (note(MLP(2, [1])), [1.0, 2.0, 3.0, 4.0], TARGETS, squared, r"points of two .* not \[1.0"),
        (note(MLP(2, [1])), POINTS, ["a", "b", "a", "b"], squared, r"targets are numbers, not"),
        (note(MLP(2, [1])), POINTS, [None] * 4, squared, r"targets are numbers, not"),
    ],
)
def test_what_a_page_cannot_show_is_said(recording, points, targets, loss, said):
    with pytest.raises(ValueError, match=said):
        training_page(recording, points, targets, loss)


def test_points_and_targets_are_lists():
    recording = note(MLP(2, [1]))
    with pytest.raises(TypeError, match="the points are a list, not the dict"):
        training_page(recording, dict(zip(POINTS, "abcd")), TARGETS, squared)
    with pytest.raises(TypeError, match="the targets are a list, not the set"):
        training_page(recording, POINTS[:2], {*TARGETS}, squared)


@pytest.mark.parametrize("boundary", [float("nan"), float("inf"), "0.5"])
def test_a_boundary_that_is_nowhere_is_refused(boundary):
    with pytest.raises(ValueError, match="boundary is a finite number"):
        training_page(note(MLP(2, [1])), POINTS, TARGETS, squared, boundary=boundary)


def test_a_recording_is_asked_for():
    with pytest.raises(TypeError, match="Recording of a training"):
        training_page(MLP(2, [1]), POINTS, TARGETS, squared)
    with pytest.raises(TypeError, match="loss is a function of output and target, not None"):
        training_page(note(MLP(2, [1])), POINTS, TARGETS, None)


def test_a_network_with_a_backward_of_its_own_is_refused():
    class Own(Module):
        def __init__(self):
            self.w = Value(1.0)

        def __call__(self, x):
            out = Value(x[0].data * self.w.data + x[1].data, (x[0], x[1], self.w), "own")
            out._backward = lambda: None
            return out

    with pytest.raises(ValueError, match="backward function of its own"):
        training_page(note(Own()), POINTS, TARGETS, squared)
