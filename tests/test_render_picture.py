"""Pictures say what the engine computed, in every format, the same every time."""

import html
import math
import random
import re
import sys
import xml.etree.ElementTree as ElementTree

import pytest

import micrograd.render.programs as programs
from micrograd import Value, no_grad, scope
from micrograd.derivatives import grad
from micrograd.engine import weighted_sum
from micrograd.expressions import parse
from micrograd.graph import snapshot
from micrograd.nn import MLP
from micrograd.render import Picture, render
from micrograd.render.collapse import view
from micrograd.render.elementary import unfolded_sums
from micrograd.render.formulas import filled, shape
from micrograd.render.numerals import shown
from micrograd.render.passes import backward_pass
from micrograd.render.sheet import DARK, LIGHT
from micrograd.render.svg import draw
from micrograd.render.text import brief, cut, line, width
from micrograd.stepper import trace
from micrograd.stepper.data import node_data
from tests.pictures import bad_graph, cairo, worked_example

SVG = "{http://www.w3.org/2000/svg}"


def network_output():
    random.seed(2)
    return MLP(3, [4, 4, 1])([1.0, 2.0, 3.0])


def elements(svg, name, *classes):
    tree = ElementTree.fromstring(svg)
    found = tree.iter(f"{SVG}{name}")
    return [e for e in found if set(classes) <= set(e.get("class", "").split())]


def texts(element):
    return {e.get("class"): e.text for e in element.iter(f"{SVG}text")}


def boxes(svg):
    return {e.get("data-box"): texts(e) for e in elements(svg, "g", "box")}


def chips(svg):
    return {
        e.get("data-edge"): {
            chip.get("class").split()[1]: "".join(chip.itertext())
            for chip in e.iter(f"{SVG}g")
            if "chip" in chip.get("class")
        }
        for e in elements(svg, "g", "edge")
    }


def test_the_worked_example():
    svg = render(worked_example()).svg
    found = boxes(svg)
    assert [found[str(id)]["name"] for id in range(6)] == ["x", "y", "z", "a", "b", "f"]
    assert [found[str(id)]["value"] for id in range(6)] == ["1", "2", "0", "3", "2", "6"]
    assert [found[str(id)]["gradient"] for id in range(6)] == ["2", "5", "0", "2", "3", "1"]
    assert [found[str(id)]["note"] for id in range(3, 6)] == ["x + y", "max(y, z)", "a · b"]
    edges = chips(svg)
    assert edges["1-4-0"] == {"local": "× 1 if y ≥ z else 0 = 1", "contribution": "3"}
    assert edges["3-5-0"] == {"local": "× b = 2", "contribution": "2"}
    assert edges["0-3-0"] == {"local": "× 1", "contribution": "2"}


def test_quotes_in_names_end_no_attribute():
    name = 'it\'s a "b" & <c>'
    with scope(name):
        root = Value(2.0, label="w") * Value(3.0, label="x")
    root.label = name
    (group,) = elements(render(root, level="neuron").svg, "g", "group")
    assert group.get("data-fold") == name
    image = re.search('<img alt="([^"]*)"', render(root)._repr_mimebundle_()["text/html"])[1]
    assert html.unescape(image).startswith(f"Computation graph of {name}, backward pass")


@pytest.mark.parametrize("seed", range(20))
def test_a_cut_line_isolates_what_it_isolated(seed):
    rng, isolate, end = random.Random(seed), "\u2068", "\u2069"
    words = [rng.choice(["ab + ", f"{isolate}שלום{end}", " · x"]) for _ in range(5)]
    for length in range(1, len("".join(words)) + 2):
        text = cut("".join(words), length)
        assert text.count(isolate) == text.count(end)
        assert len(text) <= length + ("…" in text) * text.endswith(end)


def test_the_forward_picture_shows_values_only():
    svg = render(worked_example(), "fprop").svg
    assert boxes(svg)["5"] == {"name": "f", "note": "a · b", "row": "value", "value": "6"}
    assert not any(chips(svg).values())


@pytest.mark.parametrize(
    ("text", "note", "local"),
    [
        ("pow_x ** 2", "pow_x²", "2 · pow_x = 6"),
        ("exp(out)", "exp(out)", "f = 20.09"),
        ("y ** 0.5", "y^0.5", "0.5 · y^(−0.5) = 0.2887"),
        ("abs(x)", "|x|", "1 if x > 0 else −…"),
        ("leaky_relu(y, 0.2)", "leaky_relu(y, 0.2)", "1 if y > 0 else 0.2 = 1"),
        ("y / 2", "y / 2", "1 / 2 = 0.5"),
        ("sigmoid(y)", "sigmoid(y)", "f · (1 − f) = 0.04518"),
    ],
)
def test_formulas_are_in_the_names_of_the_operands(text, note, local):
    name = re.search("pow_x|out|[xy](?!p)", text)[0]
    svg = render(parse(f"f = {text}", {name: 3})).svg
    (edge,) = (found for id, found in chips(svg).items() if id.startswith("0-"))
    assert [found["note"] for found in boxes(svg).values()][-1] == note
    assert edge["local"].startswith("× " + local.rstrip("…"))


@pytest.mark.parametrize(
    ("op", "x", "value", "local"),
    [
        ("abs", "−2", "|−2|", "1 if −2 > 0 else −1 if −2 < 0 else 0"),
        ("square", "1e−5", "(1e−5)²", "2 · 1e−5"),
        ("square", "−2", "(−2)²", "2 · (−2)"),
        ("atan", "−2", "atan(−2)", "1 / (1 + (−2) · (−2))"),
        ("silu", "−2", "silu(−2)", "sigmoid(−2) · (1 + (−2) · (1 − sigmoid(−2)))"),
        ("max", "−2", "max(−2, y)", "1 if −2 ≥ y else 0"),
        ("pow", "1e−5", "(1e−5)^k", "0 if k = 0 else k · (1e−5)^(k − 1)"),
        ("neg", "−2", "−(−2)", "−1"),
    ],
)
def test_numbers_have_brackets_where_they_would_run_into_the_formula(op, x, value, local):
    text, (first, *_) = shape(op, None)
    assert (filled(text, [x, "y"], "out"), filled(first, [x, "y"], "out")) == (value, local)


def test_both_passes_stand_one_above_the_other():
    svg = render(worked_example(), "both").svg
    assert len(elements(svg, "g", "box")) == 12
    assert [e.text for e in elements(svg, "text", "name")].count("fprop") == 1


def wide_numbers():
    """Return a root of ranges and names in its boxes that are as wide as they come."""
    with scope("a scope with quite a long name"):
        parts = [Value((-1) ** i * 1.2345e-7 / (i + 1), label=f"part number {i}") for i in range(6)]
    with scope("another scope, no shorter than that"):
        root = sum(part * part for part in parts)
    return root + 1e-7


def no_slope():
    return (Value(0.0, label="x" * 40) * 2).sqrt() + 1


SIZE_OF = {"name": 18, "note": 13, "row": 13, "value": 18, "gradient": 18}


@pytest.mark.parametrize("make", [worked_example, bad_graph, wide_numbers, no_slope])
@pytest.mark.parametrize("level", ["full", "neuron"])
def test_texts_leave_one_another_room(make, level):
    svg = render(make(), level=level).svg
    for box in elements(svg, "g", "box"):
        frame = next(e for e in box if e.get("class") == "frame")
        texts = [*box.iter(f"{SVG}text")]
        for left, right in zip(texts[::2], texts[1::2]):
            taken = sum(
                width(e.text or "", SIZE_OF[e.get("class")], e is texts[0]) for e in (left, right)
            )
            assert taken + 2 * 13 + 8 <= float(frame.get("width"))
    across, down = re.search(r'viewBox="0 0 (\d+) (\d+)"', svg).groups()
    told = elements(svg, "text", "problem")
    assert all(16 + width(e.text, 14) + 16 <= int(across) + 1 for e in told)
    heights = [float(e.get("y")) for e in told]
    assert heights == [heights[0] + 20 * i for i in range(len(heights))]
    assert bool(told) == (make is no_slope) and all(y < int(down) - 10 for y in heights)


@pytest.mark.parametrize("make", [worked_example, network_output, lambda: Value(1.0)])
@pytest.mark.parametrize("mode", ["fprop", "bprop", "both"])
def test_a_picture_ends_a_margin_beside_its_boxes(make, mode):
    tree = ElementTree.fromstring(render(make(), mode).svg)
    lefts, tops, rights, bottoms = [], [], [], []
    for panel in tree.iter(f"{SVG}g"):
        if moved := re.fullmatch(r"translate\((\S+) (\S+)\)", panel.get("transform", "")):
            for e in panel.iter(f"{SVG}rect"):
                if e.get("class") == "frame":
                    x, y, w, h = (float(e.get(k)) for k in ("x", "y", "width", "height"))
                    left, top = x + float(moved[1]), y + float(moved[2])
                    lefts, tops = [*lefts, left], [*tops, top]
                    rights, bottoms = [*rights, left + w], [*bottoms, top + h]
    ends = (min(lefts), min(tops), max(rights) + 16, max(bottoms) + 16)
    heading = 26 if mode == "both" else 0
    size = float(tree.get("width")), float(tree.get("height"))
    assert ends == pytest.approx((16, 16 + heading, *size), abs=0.51)


@pytest.mark.parametrize("make", [worked_example, network_output, bad_graph])
@pytest.mark.parametrize("level", ["full", "neuron"])
def test_edges_run_from_box_to_box_with_their_numbers_before_the_end(make, level):
    svg = render(make(), level=level).svg
    frames = {}
    for box in elements(svg, "g", "box"):
        frame = next(e for e in box if e.get("class") == "frame")
        x, y, w, h = (float(frame.get(k)) for k in ("x", "y", "width", "height"))
        frames[box.get("data-box")] = (x, y, x + w, y + h)
    for edge in elements(svg, "g", "edge"):
        source, target = (frames[id] for id in edge.get("data-edge").split("-")[:2])
        line, head = (next(e for e in edge if e.get("class") == k) for k in ("line", "head"))
        x, y = map(float, re.match(r"M(\S+) (\S+?)[HC]", line.get("d")).groups())
        assert x == pytest.approx(source[2], abs=0.11) and source[1] < y < source[3]
        (tip, above), low, high = (map(float, p.split(",")) for p in head.get("points").split())
        assert tip == target[0] and target[1] < above < target[3]
        assert [[*low], [*high]] == [[tip - 11, above - 5], [tip - 11, above + 5]]
        drawn = re.findall(r"[-\d.]+", line.get("d"))
        assert line.get("d").endswith(f"H{tip:g}") and f"{above:g}" in drawn
        chips = [{k: float(e.get(k)) for k in ("x", "y", "width")} for e in edge.iter(f"{SVG}rect")]
        ends = [tip - 13, *(chip["x"] for chip in chips)]
        assert [chip["x"] + chip["width"] + 5 for chip in chips] == pytest.approx(ends[:-1])
        assert [chip["y"] for chip in chips] == pytest.approx([above - 10] * len(chips))
        assert ends[-1] > x


@pytest.mark.parametrize("mode", ["fprop", "bprop"])
def test_no_two_chips_lie_over_one_another(mode):
    inputs = [Value(i + 0.5, label=f"x{i}") for i in range(4)]
    with scope("energy"):
        root = sum(x * x for x in inputs)
    svg = render(root, mode, "neuron").svg
    chip = r'class="chip \w+"><rect x="(\S+)" y="(\S+)" width="(\S+)" height="(\S+)"'
    places = [[*map(float, place)] for place in re.findall(chip, svg)]
    assert len(places) >= 4
    for i, (x, y, wide, high) in enumerate(places):
        assert all(x >= u + w or u >= x + wide or abs(y - v) >= high for u, v, w, _ in places[:i])


def test_without_a_pass_gradients_are_dashes():
    graph = snapshot(worked_example())
    svg = draw(view(graph), None)
    assert {texts["gradient"] for texts in boxes(svg).values()} == {"–"}
    assert not any(chips(svg).values())


def gradients(picture):
    """Return label and number of the last row of every box."""
    return re.findall(
        r'class="row" [^>]*>([^<]+)</text><text class="gradient" [^>]*>([^<]+)<', picture
    )


def test_grad_is_the_values_own_and_no_other_number():
    f = worked_example()
    assert dict(gradients(render(f).svg))["∂f/∂y"] == "5"
    assert [value.grad for value in snapshot(f).values] == [0.0] * 6
    f.backward()
    f.backward()
    names, numbers = zip(*gradients(render(f).svg))
    assert set(names) == {"grad"} and sorted(numbers) == sorted(["4", "10", "0", "2", "3", "1"])
    assert "grad" in render(f).to_dot() and "∂f/∂y" not in render(f).to_dot()


def test_gradients_that_leaves_have_of_another_graph_are_none_of_this_one_s():
    x = Value(3.0, label="x")
    (x * x).backward()
    f = x * 2.0
    f.label = "f"
    assert dict(gradients(render(f).svg)) == {"∂f/∂x": "2", "∂f/∂2": "3", "∂f/∂f": "1"}
    x.backward()
    assert gradients(render(x).svg) == [("grad", "7")]


def test_x_times_x_has_two_edges():
    edges = chips(render(parse("x * x", {"x": 3})).svg)
    assert edges == {port: {"local": "× x = 3", "contribution": "3"} for port in ("0-1-0", "0-1-1")}


@pytest.mark.parametrize("make", [network_output, worked_example])
def test_every_number_is_the_engine_s(make):
    root = make()
    graph = snapshot(root)
    svg = render(root, level="full").svg
    contributions = {
        f"{graph.ids[s.operand]}-{graph.ids[s.node]}-{s.position}": shown(s.contribution)
        for s in root.steps()
    }
    assert {id: found["contribution"] for id, found in chips(svg).items()} == contributions
    root.backward()
    expected = {str(graph.ids[v]): shown(v.grad) for v in graph.values}
    assert {id: found["gradient"] for id, found in boxes(svg).items()} == expected


def test_a_folded_box_shows_its_output_and_a_layer_a_range():
    root = network_output()
    graph = snapshot(root)
    neurons = view(graph, "neuron")
    found = boxes(render(root, level="neuron").svg)
    last = neurons.boxes[-1]
    assert found[last.id]["name"] == "neuron 0"
    assert found[last.id]["note"] == f"layer 2 → {graph.name(last.outputs[0])}"
    assert found[last.id]["value"] == shown(root.data)
    layer = view(graph, "layer").boxes[-2]
    numbers = [graph.data[id] for id in layer.outputs]
    text = boxes(render(root, level="layer").svg)[layer.id]
    assert text["note"] == f"{len(layer.members)} Values"
    assert text["value"] == f"{shown(min(numbers))} … {shown(max(numbers))}"


def test_edges_into_folded_boxes_show_one_gradient_or_a_count():
    root = network_output()
    graph, passes = snapshot(root), backward_pass(snapshot(root))
    edges = chips(render(root, level="layer").svg)
    first = edges["41-group71-0"]
    assert first == {"contribution": shown(passes.gradients[41]), "count": "4 edges"}
    assert edges["group71-group107-0"] == {"count": "16 edges"}
    assert graph.labels[41] == ""


def test_calls_of_the_same_layer_are_told_apart():
    random.seed(0)
    model = MLP(2, [3, 1])
    root = model([1, 2]) - model([3, 4])
    notes = [found["note"] for found in boxes(render(root, level="layer").svg).values()]
    calls = [note.partition(" → ")[0] for note in notes if "call" in note]
    assert calls == ["call 1 of 2"] * 2 + ["call 2 of 2"] * 2
    alone = [f["note"] for f in boxes(render(model([1, 2]), level="layer").svg).values()]
    assert not any("call" in note for note in alone)


def test_a_batch_says_which_sample_it_shows():
    random.seed(0)
    model = MLP(2, [3, 1])
    root = sum(model([float(i), 1.0]) ** 2 for i in range(100))
    notes = [found["note"] for found in boxes(render(root).svg).values()]
    assert "Σ · sample 1 of 100" in notes


def test_sums_of_products_say_what_they_hold():
    a, b, c = (Value(i + 1.0, label="abc"[i]) for i in range(3))
    notes = {f["note"] for f in boxes(render(a * b + b * c + a, level="sums").svg).values()}
    assert "Σ 2 products + a" in notes
    notes = {f["note"] for f in boxes(render(a + b + c + 1, level="sums").svg).values()}
    assert "Σ 4 terms" in notes
    notes = {f["note"] for f in boxes(render(a * b + b * c + a + b, level="sums").svg).values()}
    assert "Σ 2 products + 2 more" in notes


def test_many_inputs_and_long_weighted_sums_are_counted():
    random.seed(0)
    x = [Value(float(i), label=f"x{i}") for i in range(20)]
    found = [texts["note"] for texts in boxes(render(MLP(20, [8, 1], fused=True)(x)).svg).values()]
    assert "20 Values" in found
    alone = render(weighted_sum(x[:9], x[9:18])).svg
    assert boxes(alone)["18"]["note"] == "Σ 9 products"


def test_weighted_sums_unfold_to_the_same_numbers():
    weights = [Value(float(i), label=f"w{i}") for i in range(3)]
    inputs = [Value(i + 0.5, label=f"x{i}") for i in range(3)]
    z = weighted_sum(weights, inputs, Value(0.25, label="b"))
    z.label = "z"
    root = (z.leaky_relu(0.2) + weights[0] ** 2).tanh()
    graph = unfolded_sums(snapshot(root))
    assert "weighted_sum" not in graph.ops and graph.ops.count("mul") == 3
    assert graph.data[-1] == root.data
    assert graph.labels.count("z") == 1
    whole, apart = backward_pass(snapshot(root)), backward_pass(graph)
    for leaf in (*weights, *inputs):
        number = whole.gradients[snapshot(root).ids[leaf]]
        assert apart.gradients[graph.ids[leaf]] == pytest.approx(number, rel=1e-12)
    assert len(elements(render(root, unfold_sums=True).svg, "g", "box")) == len(graph)
    assert unfolded_sums(snapshot(weighted_sum([], []))).data == (0.0,)


def test_sums_that_are_unfolded_keep_the_gradients_of_a_backward_pass_before():
    x, w, b = (Value(i + 2.0, label="xwb"[i]) for i in range(3))
    root = weighted_sum([w, w], [x * x, x], b).tanh()
    root.backward()
    graph = unfolded_sums(snapshot(root))
    passes = backward_pass(graph)
    assert [*graph.grads] == pytest.approx([passes.gradients[id] for id in range(len(graph))])


@pytest.mark.parametrize("seed", range(20))
def test_random_graphs_unfold_to_the_same_function(seed):
    rng = random.Random(seed)
    leaves = [Value(rng.uniform(-1, 1), label=f"x{i}") for i in range(4)]
    values, products, adds = [*leaves], 0, 0
    for _ in range(10):
        pairs = rng.randint(1, 3)
        x, y = ([rng.choice(values) for _ in range(pairs)] for _ in range(2))
        bias = rng.choice([None, rng.choice(values)])
        values.append(rng.choice([weighted_sum(x, y, bias), x[0].tanh(), x[0].max(y[0])]))
    root = values[-1].max(values[-2]).max(values[-3])
    before = snapshot(root)
    for op, operands in zip(before.ops, before.operands):
        pairs, bias = divmod(len(operands), 2) if op == "weighted_sum" else (0, 1)
        products, adds = products + pairs, adds + pairs - 1 + bias
    after = unfolded_sums(before)
    counts = [after.ops.count(op) for op in ("weighted_sum", "mul", "add")]
    assert counts == [0, products, adds]
    gradients, others = backward_pass(before).gradients, backward_pass(after).gradients
    for leaf in leaves:
        if leaf in before.ids:
            assert others[after.ids[leaf]] == pytest.approx(gradients[before.ids[leaf]])
    again = after.values[-1]
    again.forward()
    assert again.data == pytest.approx(root.data)


@pytest.mark.parametrize("op", ["relu", "abs", "max", "detach", "leaky_relu"])
def test_sums_below_slopes_that_are_values_unfold(op):
    w, x = Value(2.0, label="w"), Value(3.0, label="x")
    z = weighted_sum([w, w], [x, 1.0], Value(0.5))
    y = getattr(z, op)(*[x] * (op == "max")) * z
    (slope,) = grad(y, [w], create_graph=True)
    graph = unfolded_sums(snapshot(slope))
    assert "weighted_sum" not in graph.ops and graph.data[-1] == slope.data
    graph.values[-1].forward()
    assert graph.values[-1].data == pytest.approx(slope.data)


def test_a_hand_made_node_below_an_unfolded_sum_stays():
    made = Value(2.0, (Value(4.0, label="x"),), (0.5,), label="made")
    graph = unfolded_sums(snapshot(weighted_sum([made], [made]).tanh()))
    assert made in graph.ids and "mul" in graph.ops


def test_a_sum_of_a_bias_alone_keeps_its_name_and_gradient():
    for bias in (None, Value(1.0)):
        root = weighted_sum([], [], bias)
        root.label = "z"
        root.tanh().backward()
        graph = unfolded_sums(snapshot(weighted_sum([root], [2.0])))
        id = graph.labels.index("z")
        assert (graph.data[id], graph.grads[id]) == (root.data, root.grad) and root.grad


def test_sums_that_are_unfolded_keep_the_numbers_of_the_recording():
    w, x = Value(2.0, label="w"), Value(3.0, label="x")
    root = (weighted_sum([w], [x]) ** 2).tanh()
    numbers = {*snapshot(root).data}
    w.data = x.data = 0.5  # as after a step of an optimiser
    graph = unfolded_sums(snapshot(root))
    assert numbers - {2.0, 3.0} <= {*graph.data} <= numbers | {0.5}


def test_sums_are_not_unfolded_where_nothing_is_recorded():
    root = weighted_sum([Value(2.0)], [3.0])
    with no_grad(), pytest.raises(ValueError, match=r"sums cannot be unfolded under no_grad\(\)"):
        render(root, unfold_sums=True)


def test_a_hand_made_node_above_an_unfolded_sum_is_refused():
    z = weighted_sum([Value(1.0)], [Value(2.0)])
    made = Value(2.0, (z,), "mine", label="made")
    with pytest.raises(ValueError, match="made was made by hand"):
        render(made, unfold_sums=True)
    assert boxes(render(made).svg)["3"]["note"] == "mine(v2)"


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (1.0, "1"),
        (-2.0, "−2"),
        (0.0, "0"),
        (-0.0, "0"),
        (0.5, "0.5"),
        (1 / 3, "0.3333"),
        (0.1 + 0.2, "0.3"),
        (123456.789, "123456.8"),
        (999999.0, "999999"),
        (1234567.0, "1.235e6"),
        (1e15, "1e15"),
        (1e-300, "1e−300"),
        (-1.5e-7, "−1.5e−7"),
        (0.00012345, "0.0001234"),
        (math.inf, "inf"),
        (-math.inf, "−inf"),
        (math.nan, "nan"),
        (5e-324, "4.941e−324"),
    ],
)
def test_numbers_are_short_but_true(number, text):
    assert shown(number) == text


def test_a_range_with_nan_in_it_is_nan():
    a, b, c = Value(math.nan, label="a"), Value(1.0), Value(2.0)
    parts = [Value(1.0, label=f"x{i}") for i in range(6)] + [a]
    with scope("block"):
        out = [part * b for part in parts]
    with scope("other"):
        total = sum(o * c for o in out)
    values = {found["value"] for found in boxes(render(total, level="neuron").svg).values()}
    assert "nan" in values and "1 … nan" not in values


def test_unusual_numbers_are_drawn():
    root = Value(math.nan, label="a") + Value(math.inf, label="b") * Value(-0.0) + Value(1e-300)
    values = {found["value"] for found in boxes(render(root).svg).values()}
    assert {"nan", "inf", "0", "1e−300"} <= values


def test_a_pass_that_ends_early_says_so():
    x = Value(0.0, label="x")
    svg = render(x.sqrt() * 2).svg
    assert boxes(svg)["0"]["gradient"] == "–"
    first, second = elements(svg, "text", "problem")
    assert first.text.startswith("the backward pass ends early: sqrt(x) has no finite slope")
    assert second.text.endswith("(node, sqrt(x = 0.0))")


@pytest.mark.parametrize("name", ["a\x01b", "\ufffe", "\ud83d", "L" * 5000, "]]>", "two\nlines"])
def test_names_of_any_characters_make_a_file_that_can_be_read(name):
    x = Value(0.0, label=name)
    with scope(f"net / {name}"):
        root = x.sqrt() * 2 + x  # its backward pass ends early, and the picture says where
    for level in ("full", "neuron"):
        tree = ElementTree.fromstring(render(root * 2, level=level).svg.encode())
        assert int(tree.get("width")) < 3000


@pytest.mark.parametrize("mode", ["fprop", "bprop", "both"])
def test_labels_are_text(mode):
    picture = render(bad_graph(), mode, level="full")
    tree = ElementTree.fromstring(picture.svg)
    tags = {element.tag.removeprefix(SVG) for element in tree.iter()}
    assert tags == {"svg", "title", "style", "rect", "g", "path", "polygon", "text"}
    names = {found["name"] for found in boxes(picture.svg).values()}
    assert {"a|b", '"];', "two lines and a tab", "😀🎉", "&lt;b&gt;", "名前"} <= names
    assert "<script>alert(1)</scr…" in names
    assert "L" * 21 + "…" in names
    assert any("L" * 10_000 in (title.text or "") for title in tree.iter(f"{SVG}title"))
    assert not re.search("[\0-\x08\u202e\ud800]", picture.svg)


def test_leftward_names_are_isolated_from_what_follows():
    assert brief("שלום", 20) == "\u2068שלום\u2069"
    assert brief("plain", 20) == "plain"
    assert line("a\x00b\u202ec") == "a\u2400b\ufffdc"
    x = Value(2.0, label="שלום")
    for level in ("full", "network"):
        svg = render(MLP(2, [2, 1])([x, x * x]), level=level).svg
        assert "\ufffd" not in svg and svg.count("\u2068") == svg.count("\u2069") > 1


def test_the_name_of_an_operation_is_one_short_line():
    x = Value(2.0)
    out = Value(4.0, (x,), "\x1b[31m\n" + "y" * 99)
    out._backward = lambda: None
    (note,) = (box["note"] for box in boxes(render(out).svg).values() if "(" in box["note"])
    assert note.startswith("␛[31m yyyy") and len(note) <= 26
    assert "\x1b" not in str(node_data(snapshot(out))) + trace(out)["steps"][1]["sentence"]


def test_widths_are_near_those_of_browsers():
    assert width("value", 10) == pytest.approx(29, rel=0.1)  # DejaVu Sans: 29.0
    assert width("名前", 10) > width("ab", 10) > width("il", 10)
    assert width("e\u0301", 10) == width("e", 10)


def test_the_same_graph_gives_the_same_bytes(tmp_path):
    for ending in ("svg", "dot", "html"):
        files = [render(network_output()).save(tmp_path / f"{i}.{ending}") for i in range(2)]
        assert files[0].read_bytes() == files[1].read_bytes()


def test_a_chain_of_a_hundred_thousand_nodes():
    x = Value(0.5)
    for _ in range(100_000):
        x = x.tanh()
    picture = render(x)
    assert repr(picture) == "Picture(100,001 Values, 12 boxes, 11 edges, bprop)"
    assert len(elements(picture.svg, "g", "box")) == 12


def test_colours_reach_the_contrast_of_readable_text():
    def luminance(colour):
        channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    for colours in (LIGHT, DARK):
        pairs = [
            (text, ground)
            for text in ("ink", "quiet", "value", "gradient")
            for ground in ("paper", "box", "sum-soft")
        ]
        pairs += [("gradient", "gradient-soft"), ("local", "local-soft")]
        for text, ground in pairs:
            high, low = sorted((luminance(colours[text]), luminance(colours[ground])))[::-1]
            assert (high + 0.05) / (low + 0.05) >= 4.5, (text, ground)


def test_unknown_options():
    x = Value(1.0)
    with pytest.raises(ValueError, match="no mode 'sideways'; give one of fprop, bprop, both"):
        render(x, "sideways")
    with pytest.raises(ValueError, match="no layout 'neato'"):
        render(x, layout="neato")
    with pytest.raises(ValueError, match="no mode 'sideways'"):
        draw(view(snapshot(x)), None, "sideways")
    with pytest.raises(TypeError, match=r"cannot draw 3\.0: give the Value"):
        render(3.0)
    with pytest.raises(ValueError, match="has 2 roots"):
        render(snapshot(x, Value(2.0)))
    assert isinstance(render(snapshot(x)), Picture)


def test_files_by_their_ending(tmp_path):
    picture = render(worked_example())
    assert picture.save(tmp_path / "x.svg").read_text(encoding="utf-8") == picture.svg
    assert picture.save(tmp_path / "x.DOT").read_text(encoding="utf-8") == picture.to_dot()
    assert picture.save(tmp_path / "x.html").read_text(encoding="utf-8").startswith("<!doctype")
    endings = r"\.svg, \.png, \.pdf, \.html, \.dot, \.tikz, \.mermaid, \.tex, \.gif, \.mmd, \.htm$"
    with pytest.raises(ValueError, match=f"the ending must be one of {endings}"):
        picture.save(tmp_path / "x.bmp")
    assert picture.save(tmp_path / "x.bmp", "svg").read_text(encoding="utf-8") == picture.svg
    with pytest.raises(OSError, match="nowhere"):
        picture.save(tmp_path / "nowhere" / "x.svg")


def test_a_picture_opens_what_it_is_told_to_open():
    root, opened = network_output(), ["layer 0", "layer 1 / neuron 2"]
    wanted = [box.members for box in view(snapshot(root), "layer", opened).boxes]
    closed = [box.members for box in view(snapshot(root), "layer").boxes]
    for given in (opened, tuple(opened), iter(opened)):
        picture = render(root, level="layer", unfolded=given)
        assert [box.members for box in picture.view.boxes] == wanted != closed


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"unfolded": "layer 0"}, TypeError, "unfolded is a list of scopes"),
        ({"unfolded": 3}, TypeError, "unfolded is a list of scopes.*, not 3"),
        ({"unfolded": ["layer 0", 1]}, TypeError, "unfolded is a list of scopes"),
        ({"mode": "both", "layout": "dot"}, ValueError, "in the built-in layout only"),
        ({"mode": "both", "level": "network"}, ValueError, "in the built-in layout only"),
        ({"level": "network", "unfolded": ["layer 0"]}, ValueError, "there is nothing to unfold"),
    ],
)
def test_options_that_exclude_each_other_are_refused(options, error, message):
    with pytest.raises(error, match=message):
        render(network_output(), **options)


@pytest.mark.parametrize("format", ["bmp", "mmd", ["svg"], None])
def test_a_format_that_there_is_not_is_told(format):
    with pytest.raises(ValueError, match=r"there is no format .*; give one of svg, png, pdf, html"):
        render(worked_example()).to(format)


def test_png_and_pdf(tmp_path):
    cairo()
    picture = render(worked_example(), "both")
    image = picture.save(tmp_path / "x.png").read_bytes()
    assert image[:8] == b"\x89PNG\r\n\x1a\n"
    size = re.search('width="(\\d+)" height="(\\d+)"', picture.svg)
    across, down = (int.from_bytes(image[i : i + 4], "big") for i in (16, 20))
    assert (across, down) == (2 * int(size[1]), 2 * int(size[2]))
    paper = picture.save(tmp_path / "x.pdf").read_bytes()
    box = re.search(rb"/MediaBox \[ 0 0 (\S+) (\S+) \]", paper)
    assert paper[:5] == b"%PDF-" and [float(x) / 0.75 for x in box.groups()] == [
        float(x) for x in size.groups()
    ]


def test_a_picture_too_wide_for_an_image_is_made_smaller(tmp_path):
    cairo()
    x = Value(0.5, label="x")
    for _ in range(55):
        x = x.tanh()
    image = render(x, "fprop").save(tmp_path / "x.png").read_bytes()
    assert int.from_bytes(image[16:20], "big") == programs.MOST_PIXELS


@pytest.mark.parametrize(
    ("fails", "remedy"),
    [
        ("ImportError", r'CairoSVG.*pip install "micrograd-graph\[png\]"'),
        ("OSError", "the cairo library: install libcairo2"),
    ],
)
def test_without_cairo_the_error_names_the_remedy(fails, remedy, tmp_path, monkeypatch):
    (tmp_path / "cairosvg.py").write_text(f"raise {fails}('cairo')")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "cairosvg", raising=False)
    with pytest.raises(ValueError, match=remedy):
        render(Value(1.0)).save(tmp_path / "x.png")
    assert not (tmp_path / "x.png").exists()


@pytest.mark.parametrize("seed", range(30))
def test_the_numbers_of_a_picture_are_those_of_the_engines_steps(seed):
    rng = random.Random(seed)
    values = [Value(rng.uniform(0.2, 2.0), label=f"x{i}") for i in range(4)]
    for _ in range(40):
        x, y = rng.choice(values), rng.choice(values)
        choose = rng.choice(["add", "mul", "sub", "max", "tanh", "relu", "sum"])
        if choose == "sum":
            values.append(weighted_sum([x, y], [y, x], rng.choice(values)))
        else:
            values.append(
                getattr(x, choose)(*([y] if choose in ("add", "mul", "sub", "max") else []))
            )
    root = values[-1] + values[-2]
    graph = snapshot(root)
    passes, gradients = backward_pass(graph), {root: 1.0}
    for step in root.steps():
        edge = graph.ids[step.operand], graph.ids[step.node], step.position
        gradients[step.operand] = step.total
        assert passes.local(edge) == step.local
        assert passes.contribution([edge]) == step.contribution
    assert passes.gradients == {graph.ids[value]: x for value, x in gradients.items()}
