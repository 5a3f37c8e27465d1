"""Collapsing: every node drawn has one box, every edge goes forward, calls stay apart."""

import random
import weakref
from functools import reduce
from itertools import permutations

import pytest

from micrograd import Value, labelled, mean, scope
from micrograd.engine import weighted_sum
from micrograd.expressions import parse
from micrograd.graph import snapshot
from micrograd.losses import cross_entropy
from micrograd.nn import MLP, Layer
from micrograd.render import collapse
from micrograd.render.batch import find_batch
from micrograd.render.captions import caption
from micrograd.render.collapse import LEVELS, MOST_BOXES, PARTS, view


def network(sizes=(3, [4, 4, 1]), activation="relu"):
    random.seed(4)
    return MLP(*sizes, activation=activation)


def batch_loss(samples=5):
    model = network()
    losses = [(model([i, 1.0, 2.0]) - 1) ** 2 for i in range(samples)]
    return sum(losses) / samples


def pair():
    model = network()
    return (1 - model([1.0, 2.0, 3.0]) + model([1.0, 5.0, 3.0])).relu()


def one_leaf():
    return Value(3.0)


def square():
    return parse("x * x", {"x": 2})


def kinds(seen):
    return [box.kind for box in seen.boxes]


def checked(seen):
    """Check what holds of every view."""
    graph = seen.graph
    members = sorted(m for box in seen.boxes for m in box.members)
    assert members == [id for id in range(len(graph)) if seen.owners[id] >= 0]
    assert len({box.id for box in seen.boxes}) == len(seen.boxes)
    assert len({seen.edge_id(edge) for edge in seen.edges}) == len(seen.edges)
    for place, box in enumerate(seen.boxes):
        assert all(seen.owners[member] == place for member in box.members)
    drawn = sorted(member for edge in seen.edges for member in edge.members)
    across = [
        (operand, user, position)
        for operand, user, position in graph.edges
        if -1 not in (seen.owners[operand], seen.owners[user])
        and seen.owners[operand] != seen.owners[user]
    ]
    assert drawn == sorted(across)
    assert all(edge.source < edge.target for edge in seen.edges)
    return seen


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("make", [batch_loss, pair, one_leaf, square])
def test_every_level_is_sound(make, level):
    checked(view(snapshot(make()), level))


def test_x_times_x_has_two_edges():
    seen = view(snapshot(parse("x * x", {"x": 2})))
    assert [seen.edge_id(edge) for edge in seen.edges] == ["0-1-0", "0-1-1"]


def test_small_graphs_are_drawn_in_full():
    seen = view(snapshot(parse("(x + y) * max(y, z)", {"x": 1, "y": 2, "z": 0})))
    assert seen.level == "full" and [box.id for box in seen.boxes] == list("012345")


def test_a_network_folds_to_neurons_then_layers():
    graph = snapshot(network()([1.0, 2.0, 3.0]))
    assert checked(view(graph)).level == "layer"
    neurons = checked(view(graph, "neuron"))
    assert kinds(neurons) == ["leaf"] * 3 + ["group"] * 9
    assert [len(box.outputs) for box in neurons.boxes[3:]] == [1] * 9
    layers = checked(view(graph, "layer"))
    assert [box.scope for box in layers.boxes[3:]] == ["layer 0", "layer 1", "layer 2"]


def many_sums():
    """Return a graph whose sums are few boxes with many edges between them."""
    x = [Value(0.1 * i, label=f"x{i}") for i in range(10)]
    sums = [sum(a * b for a, b in zip(x, x[i:] + x[:i])) for i in range(9)]
    return sum(one.tanh() for one in sums)


@pytest.mark.parametrize(
    ("make", "level"),
    [
        (lambda: parse(" + ".join(["x * 2"] * 15), {"x": 1}), "full"),
        (lambda: MLP(2, [2, 1])([1.0, 2.0]), "layer"),
        (lambda: MLP(2, [1, 1])([1.0, 2.0]), "full"),
        (lambda: parse(" + ".join(["x * 2"] * 30), {"x": 1}), "sums"),
        (many_sums, "neuron"),
        (lambda: parse("+".join(["tanh(x * 2)"] * 60), {"x": 0.1}), "parts"),
    ],
)
def test_the_first_level_that_can_be_taken_in_is_drawn(make, level):
    assert checked(view(snapshot(make()))).level == level


def made_in(name):
    with scope(name):
        return Value(0.25, label="v")


def within_a_scope(make):
    """Return what `make` gives in a scope, for leaves made outside of it."""
    x, w, two = Value(1.0, label="x"), Value(3.0, label="w"), Value(2.0)
    with scope("other"):
        p = Value(0.5, label="p")
    with scope("cell"):
        return make(x, w, two, p)


@pytest.mark.parametrize(
    ("make", "drawn"),
    [
        (lambda x, w, two, p: (x.tanh() + w).tanh(), "leaf leaf group"),  # one call, whatever w is
        (lambda x, w, two, p: x.tanh() * two, "leaf group"),  # its constant is in it
        (lambda x, w, two, p: x.tanh() * two + two, "leaf leaf group"),  # that one is used twice
        (lambda x, w, two, p: x.tanh() * p, "leaf group"),
        (lambda x, w, two, p: (x.tanh() + made_in("gate")).tanh(), "leaf group"),
    ],
)
def test_what_a_call_takes_into_its_box(make, drawn):
    assert kinds(checked(view(snapshot(within_a_scope(make)), "neuron"))) == drawn.split()


def test_a_parameter_that_is_used_outside_of_scopes_is_a_box_of_its_own():
    with scope("cell"):
        w = Value(2.0, label="w")
    seen = checked(view(snapshot(w * Value(3.0, label="x")), "neuron"))
    assert kinds(seen) == ["leaf", "leaf", "node"]


def test_a_wide_network_goes_to_layers_by_itself():
    graph = snapshot(network((6, [30, 30, 1]))([1.0] * 6))
    seen = checked(view(graph))
    assert seen.level == "layer" and len(seen.boxes) <= MOST_BOXES


def test_a_chosen_part_is_unfolded():
    graph = snapshot(network()([1.0, 2.0, 3.0]))
    seen = checked(view(graph, "layer", ["layer 0 / neuron 1"]))
    scopes = [box.scope for box in seen.boxes if box.kind == "group"]
    assert scopes == [
        "layer 0 / neuron 0",
        "layer 0 / neuron 2",
        "layer 0 / neuron 3",
        "layer 1",
        "layer 2",
    ]
    inside = {graph.scopes[box.members[0]] for box in seen.boxes if box.kind == "node"}
    assert inside == {"layer 0 / neuron 1"}
    layer = checked(view(graph, "layer", ["layer 0"]))
    assert sum(box.scope.startswith("layer 0 / ") for box in layer.boxes) == 4


@pytest.mark.parametrize("level", ["neuron", "layer", "sums", "parts"])
def test_every_fold_opens(level):
    graph = snapshot(batch_loss())
    seen = view(graph, level)
    for box in seen.boxes:
        if box.fold:
            opened = checked(view(graph, level, [box.fold]))
            assert len(opened.boxes) >= len(seen.boxes)
            assert box not in opened.boxes


def test_unknown_levels_and_folds():
    graph = snapshot(network()([1.0, 2.0, 3.0]))
    with pytest.raises(ValueError, match="no level 'huge'; give one of auto, full"):
        view(graph, "huge")
    with pytest.raises(ValueError, match="nothing to unfold under 'layer 7'"):
        view(graph, "layer", ["layer 9", "layer 7", "layer 8"])
    assert view(graph, "full", ["layer 9"]).level == "full"  # nothing is folded there


def test_two_calls_of_a_network_stay_apart_and_share_parameters():
    seen = checked(view(snapshot(pair()), "layer"))
    boxes = [(box.kind, box.scope) for box in seen.boxes if box.scope]
    for layer in ("layer 0", "layer 1", "layer 2"):
        assert boxes.count(("group", layer)) == 2
        assert boxes.count(("parameters", layer)) == 1


def test_a_single_layer_called_twice_in_a_row_is_two_calls():
    random.seed(0)
    layer = MLP(2, [3]).layers[0]
    first, second = layer([1.0, 2.0]), layer([3.0, 4.0])
    seen = checked(view(snapshot(sum(first) * sum(second)), "layer"))
    assert kinds(seen).count("group") == 2


def test_a_scope_within_a_scope_does_not_split_a_call():
    x = Value(2.0, label="x")
    with scope("block"), scope("cell"):
        y = x * 2
        with scope("gate"):
            z = y.tanh()
        f = z + y
    seen = checked(view(snapshot(f), "layer"))
    assert kinds(seen) == ["leaf", "group"]


def test_a_batch_shows_one_sample():
    graph = snapshot(batch_loss(100))
    seen = checked(view(graph))
    total = next(box for box in seen.boxes if box.kind == "sum")
    assert total.samples == (1, 100)
    assert len(seen.boxes) < 25 and kinds(seen).count("group") == 3  # the layers of one
    assert seen.owners.count(-1) > 0.9 * len(graph)
    everything = checked(view(graph, "full"))
    assert -1 not in everything.owners


def _in_a_scope(losses):
    with scope("data"):
        total = sum(losses[1:], losses[0])
    return total + 1


def _used_twice(losses):
    total = sum(losses[1:], losses[0])
    return (total + 1) * total


@pytest.mark.parametrize("samples", [2, 3])
@pytest.mark.parametrize("make", [sum, _in_a_scope, _used_twice])
def test_every_picture_of_one_sample_says_so(make, samples):
    """The sum over two is one node; one in a scope is in that scope's box."""
    model = network()
    graph = snapshot(make([model([i, 1.0, 2.0]).relu() for i in range(samples)]))
    for level in LEVELS:
        seen = checked(view(graph, level))
        counts = [box.samples for box in seen.boxes if box.samples]
        assert counts == [(1, samples)] * (seen.level != "full"), level


def _beginning_with_the_first(losses):
    first, *rest = losses
    return sum(rest, first)


def _each_before_the_rest(losses):
    first, *rest = losses
    return reduce(lambda total, loss: loss + total, rest, first)


@pytest.mark.parametrize("total", [sum, _beginning_with_the_first, _each_before_the_rest])
@pytest.mark.parametrize("labels", ["", "loss", "y"])
def test_samples_are_counted_whatever_adds_them_up(total, labels):
    """A sample that ends in an addition is one of them, and so is one whose labels are counted."""
    model, losses = network(), []
    for i in range(5):
        y = model(labelled([Value(x) for x in (i, 1.0, 2.0)], f"x{i}"))
        loss = (y - 1) ** 2 + y.abs() + y.sin()
        y.label, loss.label = f"y{i}" * (labels == "y"), f"loss {i}" * (labels == "loss")
        losses.append(loss)
    graph = snapshot(total(losses))
    first = checked(view(graph, "neuron"))
    assert [box.samples for box in first.boxes if box.samples] == [(1, 5)]
    adds = find_batch(graph).members
    assert len(adds) == 4 + (total is sum)  # which begins with 0
    assert len({first.owners[add] for add in adds}) == 1
    shown = {node for box in first.boxes for node in box.members}
    assert sum(graph.ops[node] == "abs" for node in shown) == 1


def test_samples_of_several_classes_are_one_batch():
    """Each takes another output of the last layer."""
    model = MLP(2, [3, 3])
    losses = [cross_entropy(model([i, 1.0]), i % 3) for i in range(7)]
    first = checked(view(snapshot(mean(losses)), "neuron"))
    assert [box.samples for box in first.boxes if box.samples] == [(1, 7)]


@pytest.mark.parametrize("odd", [0, 1])
def test_a_loss_that_goes_another_way_for_each_class_shows_one_of_each(odd):
    """A kind of which there is one alone is no sample: it may be another loss beside."""
    model, losses = network(), []
    for i, y in enumerate([1, 0, 0, 1, 0, 1, 1] + [2] * odd):
        p = model([i, 1.0, 2.0]).sigmoid()
        losses.append(-p.log() if y == 1 else -(1 - p).log() if y == 0 else p)
    graph = snapshot(mean(losses))
    seen = checked(view(graph, "neuron"))
    (total,) = [box for box in seen.boxes if box.samples]
    assert total.samples == (2, 7)
    assert caption(seen, total, None).note == "Σ · 2 of 7 samples"
    drawn = {node for box in seen.boxes for node in box.members}
    assert sum(graph.ops[node] == "sigmoid" for node in drawn) == 2 + odd


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_outputs_of_modules_made_in_any_order_are_no_samples(order):
    made = {at: Layer(3, 3) for at in order}
    outputs = made[2](made[1](made[0]([1.0, 2.0, 3.0])))
    assert find_batch(snapshot(mean([(y - 1) ** 2 for y in outputs]))) is None


def test_the_part_that_holds_the_sum_says_how_many_samples_there_are():
    f = batch_loss(40)
    for _ in range(200):
        f = (f * f).tanh()
    graph = snapshot(f)
    folded = checked(view(graph, "parts"))
    (part,) = [box for box in folded.boxes if box.samples]
    assert part.kind == "part" and part.samples == (1, 40)
    opened = checked(view(graph, "parts", [part.fold]))
    assert [box.samples for box in opened.boxes if box.samples] == [(1, 40)]


@pytest.mark.parametrize("samples", [(3, 4), (4, 3), (2, 5), (5, 2)])
def test_the_sum_over_the_most_samples_shows_one_of_them(samples):
    first, second = map(batch_loss, samples)
    seen = checked(view(snapshot(first * 2 + second), "sums"))
    assert [box.samples for box in seen.boxes if box.samples] == [(1, max(samples))]


def test_one_term_added_several_times_is_no_batch():
    model = network()
    term, other = model([1.0, 2.0, 3.0]), model([3.0, 2.0, 1.0])
    seen = checked(view(snapshot((term + term + term) * other), "neuron"))
    assert not any(box.samples for box in seen.boxes) and -1 not in seen.owners


def test_opening_parts_folds_the_graph_once(monkeypatch):
    """What a page of a long chain takes: every view of it opens other parts."""
    f, folded = Value(1.0), []
    for _ in range(1000):
        f = (f * f).tanh()
    folds = collapse._Folder._boxes
    monkeypatch.setattr(
        collapse._Folder, "_boxes", lambda *given: folded.append(given[1]) or folds(*given)
    )
    graph = snapshot(f)
    for part in [box for box in view(graph, "parts").boxes if box.kind == "part"][:3]:
        view(graph, "parts", [part.fold])
    assert folded == ["parts"]


def test_products_with_one_parameter_are_no_samples():
    weight = network().layers[0].neurons[0].w[0]
    graph = snapshot(sum(weight * x for x in (Value(1.0), Value(2.0), Value(3.0))))
    assert not any(box.samples for box in view(graph, "sums").boxes)


def test_no_view_depends_on_the_views_before_it():
    graph = snapshot(batch_loss(3) + batch_loss(4) * 2)
    opened = [("sums", []), *(("sums", [b.fold]) for b in view(graph, "sums").boxes if b.fold)]
    assert len(opened) > 2
    for level, unfolded in [*opened, ("full", []), *reversed(opened)]:
        alone = view(snapshot(graph.values[-1]), level, unfolded)
        assert view(graph, level, unfolded).boxes == alone.boxes


@pytest.mark.parametrize("fold", ["", "nothing"])
def test_what_is_not_there_is_not_unfolded(fold):
    with pytest.raises(ValueError, match=f"nothing to unfold under '{fold}'"):
        view(snapshot(pair()), "neuron", [fold])


def test_neurons_are_no_samples():
    graph = snapshot(network()([1.0, 2.0, 3.0]))
    assert not any(box.samples for level in LEVELS for box in view(graph, level).boxes)


def test_hand_written_neurons_in_one_scope_are_no_samples():
    random.seed(1)
    x = Value(1.0, label="x")
    with scope("hidden"):
        weights = [(Value(random.random()), Value(random.random())) for _ in range(9)]
        hidden = [(x * w + 1).tanh() * u for w, u in weights]
    assert not any(box.samples for box in view(snapshot(sum(hidden)), "sums").boxes)


def test_a_sum_of_products_is_one_box():
    graph = snapshot(parse("tanh(a * x + b * y + c * z + d)", dict.fromkeys("axbyczd", 2.0)))
    folded = checked(view(_unlabelled(graph), "sums"))
    total = next(box for box in folded.boxes if box.kind == "sum")
    assert len(total.members) == 6
    assert len([edge for edge in folded.edges if folded.boxes[edge.target] == total]) == 7
    opened = checked(view(folded.graph, "sums", [total.fold]))
    assert len(opened.boxes) == len(folded.boxes) + 5


def _unlabelled(graph):
    for value in graph.values:
        if value.parents:
            value.label = ""
    return snapshot(graph.values[-1])


def test_what_has_a_name_or_another_user_is_not_folded_away():
    a, b, c, d = (Value(i, label=f"x{i}") for i in range(4))
    product = a * b
    named = c * d
    named.label = "named"
    seen = view(snapshot((product + named + a) * product), "sums")
    assert kinds(seen).count("sum") == 1
    total = next(box for box in seen.boxes if box.kind == "sum")
    assert len(total.members) == 2


def test_many_inputs_are_one_box():
    random.seed(0)
    x = [Value(float(i), label=f"x{i}") for i in range(20)]
    seen = checked(view(snapshot(MLP(20, [8, 1])(x))))
    inputs = next(box for box in seen.boxes if box.kind == "inputs")
    assert len(inputs.members) == 20
    opened = checked(view(seen.graph, seen.level, [inputs.fold]))
    assert kinds(opened).count("leaf") == 20


def test_a_deep_chain_is_cut_into_parts_that_open():
    x = Value(0.5)
    for _ in range(5000):
        x = x * 1.0001
    graph = snapshot(x)
    seen = checked(view(graph))
    assert seen.level == "parts" and len(seen.boxes) == PARTS
    opened = checked(view(graph, "parts", [seen.boxes[3].fold]))
    assert len(opened.boxes) == 2 * PARTS - 1


@pytest.mark.parametrize("length", range(40, 64))
def test_an_open_sum_comes_after_the_part_that_its_products_use(length):
    """A product that is older than the end of the part before it, which the product needs."""
    x = y = Value(0.5, label="x")
    for _ in range(length):
        x, y = x.tanh(), x
    product = x * y
    graph = snapshot(product + x.relu() + y)
    closed = checked(view(graph, "parts"))
    for box in closed.boxes:
        checked(view(graph, "parts", [box.fold] if box.fold else []))


def test_a_part_stays_what_it_is_when_a_box_opens_in_another():
    random.seed(0)
    x = [Value(float(i), label=f"x{i}") for i in range(20)]
    y = MLP(20, [8, 1])(x)
    for _ in range(150):
        y = y * 1.0001
    graph = snapshot(y)
    closed = view(graph, "parts")
    *_, last = (box for box in closed.boxes if box.kind == "part")
    first = closed.boxes[closed.owners[graph.scopes.index("layer 0 / neuron 0")]]
    opened = checked(view(graph, "parts", [first.fold]))
    inner = next(box for box in opened.boxes if box.kind == "group")
    deeper = checked(view(graph, "parts", [first.fold, inner.fold]))
    assert last in opened.boxes and last in deeper.boxes
    assert inner in opened.boxes and inner not in deeper.boxes


def test_weighted_sums_are_single_nodes():
    w, x = [Value(1.0), Value(2.0)], [Value(3.0), Value(4.0)]
    seen = checked(view(snapshot(weighted_sum(w, x, Value(1.0)))))
    assert len(seen.boxes) == 6 and len(seen.edges) == 5


def test_what_is_found_out_about_a_graph_is_kept_with_it_only(monkeypatch):
    graph = snapshot(parse("+".join(["tanh(x * 2)"] * 300), {"x": 0.1}))
    first = view(graph, "parts")
    fold = next(box.fold for box in first.boxes if box.kind == "part")
    opened = view(graph, "parts", (fold,))
    fresh = snapshot(graph.values[graph.roots[0]])
    assert view(fresh, "parts", (fold,)).boxes == opened.boxes
    assert view(graph, "parts").boxes == first.boxes
    asked = []
    monkeypatch.setattr(collapse, "find_batch", asked.append)
    view(graph, "neuron")
    assert not asked
    remembered = weakref.ref(graph)
    del graph, first, opened
    assert remembered() is None
