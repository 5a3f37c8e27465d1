"""The network view: a circle per neuron, a weight per edge, however it was recorded."""

import math
import random
import re
import sys
from itertools import cycle, pairwise
from pathlib import Path
from types import SimpleNamespace
from xml.etree import ElementTree

import pytest

import micrograd.stepper
from micrograd import Value, scope, weighted_sum
from micrograd.graph import LEAF, snapshot
from micrograd.nn import MLP
from micrograd.render import render
from micrograd.render.collapse import view
from micrograd.render.network import bias_of, is_neuron, network_view
from micrograd.render.network_plan import ends, plan
from micrograd.render.network_svg import ROWS
from micrograd.render.numerals import shown
from micrograd.render.text import width as text_width
from micrograd.render.tikz import tex
from micrograd.stepper.views import views


def recorded(sizes, **options):
    random.seed(3)
    model = MLP(sizes[0], sizes[1:], activation="tanh", **options)
    root = model([Value(0.3 * i - 0.4, label=f"x{i}") for i in range(sizes[0])])
    root.label = "s"
    return model, root


@pytest.mark.parametrize("fused", [False, True])
def test_every_weight_stands_on_the_edge_that_it_multiplies(fused):
    model, root = recorded([4, 2, 1], fused=fused)
    graph = snapshot(root)
    seen = network_view(graph)
    weights = [graph.values[id] for id in plan(seen).weights]
    first, last = model.layers
    expected = [*first.neurons[0].w, *first.neurons[1].w, *last.neurons[0].w]
    assert sorted(map(id, weights)) == sorted(map(id, expected))
    assert [box.kind for box in seen.boxes[:4]] == ["leaf"] * 4 and len(seen.boxes) == 7


@pytest.mark.parametrize("fused", [False, True])
@pytest.mark.parametrize("first", [1, 2])
@pytest.mark.parametrize("inputs", [1, 2, 4, 5, 9])
def test_inputs_without_a_label_are_drawn_however_many_neurons_use_them(first, inputs, fused):
    model = MLP(inputs, [first, 2, 1], fused=fused)
    for xs in ([Value(0.5 * i + 1) for i in range(inputs)], [0.5 * i for i in range(inputs)]):
        graph = snapshot(model(xs))
        seen = network_view(graph)
        plates = [box for box in seen.boxes if not is_neuron(graph, box)]
        assert sum(len(box.members) for box in plates) == inputs
        assert len(plates) == (inputs if inputs <= 4 else 1)
        assert len(seen.boxes) - len(plates) == first + 2 + 1
        into = [e for e in seen.edges if seen.boxes[e.source] in plates]
        assert len(into) == first * len(plates)
        assert ElementTree.fromstring(render(graph, level="network").svg) is not None


def test_a_number_within_a_neuron_is_no_input():
    x, hidden = Value(2.0, label="x"), []
    for i in range(2):
        with scope(f"neuron {i}"):
            hidden.append((Value(0.5) * x + Value(0.1)) * 3.0)
    seen = network_view(snapshot(hidden[0] * hidden[1]))
    assert [box.kind for box in seen.boxes] == ["leaf", "group", "group", "node"]


@pytest.mark.parametrize("fused", [False, True])
def test_z_is_the_sum_and_a_its_activation(fused):
    _, root = recorded([3, 2, 1], fused=fused)
    root.backward()
    graph = snapshot(root)
    seen = network_view(graph)
    for box, unit in zip(seen.boxes, plan(seen).units):
        if not is_neuron(graph, box):
            assert unit.z == -1
        elif box.outputs[0] == graph.roots[0]:
            assert unit.z == box.outputs[0]
        else:
            a, z = graph.values[box.outputs[0]], graph.values[unit.z]
            assert a.parents == (z,) and z.tanh().data == a.data


@pytest.mark.parametrize("fused", [False, True])
@pytest.mark.parametrize(
    "activation",
    [
        lambda z: z.max(0.0),
        lambda z: z.tanh() * 2,
        lambda z: z * z,
        lambda z: z + z.tanh(),
        lambda z: 1 / (1 + (-z).exp()),
        lambda z: z * z.sigmoid(),
        lambda z: z,
    ],
)
def test_z_is_the_sum_whatever_the_activation_is_made_of(activation, fused):
    model = MLP(3, [2, 1], activation=activation, fused=fused)
    inputs = [Value(0.3 * i - 0.4, label=f"x{i}") for i in range(3)]
    root = model(inputs)
    graph = snapshot(root)
    z = [graph.data[u.z] for u in plan(network_view(graph)).units if u.z >= 0]
    for found, neuron in zip(z, model.layers[0].neurons):
        assert found == pytest.approx(sum(w.data * x.data for w, x in zip(neuron.w, inputs)))
    assert len(z) == 3


def test_a_unit_of_several_sums_has_no_z_of_its_own():
    x, cells = Value(0.5, label="x"), []
    for name in ("cell 0", "cell 1"):
        with scope(name):
            gate, value = Value(1.5, label="g") * x, Value(-2.0, label="w") * x
            cells.append(gate.sigmoid() * value.tanh())
    graph = snapshot(cells[0].max(cells[1]))
    assert {u.z for u in plan(network_view(graph)).units} == {-1, *map(graph.ids.get, cells)}


def test_the_picture_shows_a_z_delta_and_weights():
    _, root = recorded([4, 2, 1])
    root.backward()
    picture = render(root, level="network").svg
    graph = snapshot(root)
    seen = network_view(graph)
    for box, unit in zip(seen.boxes, plan(seen).units):
        if is_neuron(graph, box):
            z = graph.values[unit.z]
            for row in (f"z {shown(z.data)}", f"δ {shown(z.grad)}"):
                assert f">{row}</text>" in picture
    assert picture.count("<circle") == 3 and picture.count('class="chip local"') == 10
    width, height = map(int, re.search(r'viewBox="0 0 (\d+) (\d+)"', picture).groups())
    assert width <= 1280 and height <= 720
    assert "δ" not in render(root, "fprop", "network").svg


@pytest.mark.parametrize("mode", ["fprop", "bprop"])
@pytest.mark.parametrize("sizes", [[4, 2, 1], [2, 3, 3, 1], [30, 25, 3, 1], [1, 1, 1]])
def test_tikz_draws_what_the_svg_does(sizes, mode):
    _, root = recorded(sizes)
    root = (root - 1) ** 2  # whose edges have no weight
    root.backward()
    picture = render(root, mode, "network")
    tree, tikz = ElementTree.fromstring(picture.svg), picture.to_tikz()
    assert tikz.count(r"\node[circle") == picture.svg.count("<circle")
    assert tikz.count(" -- ") == len(picture.view.edges)
    number = re.compile(
        r"\\textcolor\{mg(value|gradient)\}\{(.*?)\}(?= |\})|text=mg(local).*\{(.*)\}"
    )
    written = [(a or c, b or d) for a, b, c, d in number.findall(tikz)]
    drawn = [
        ("local" if kind == "number" else kind, tex(text.text))
        for text in tree.iter(f"{SVG}text")
        if (kind := text.get("class")) in ("value", "gradient", "number")
    ]
    assert sorted(written) == sorted(drawn)
    assert "mggradient}{" not in tikz.split("begin{tikz")[1] or mode == "bprop"


SVG = "{http://www.w3.org/2000/svg}"


def extent(text):
    """Return left, top, right and bottom of a text, of what its capitals take."""
    kind, x, y = text.get("class"), float(text.get("x")), float(text.get("y"))
    size = float(text.get("font-size").removesuffix("px"))
    wide = float(text.get("textLength", text_width(text.text, size, kind in ("title", "start"))))
    before = {"middle": 0.5, "end": 1.0, None: 0.0}[text.get("text-anchor")]
    return x - wide * before, y - 0.73 * size, x + wide * (1 - before), y


def frame(shape):
    if shape.tag == f"{SVG}circle":
        x, y, r = (float(shape.get(name)) for name in ("cx", "cy", "r"))
        return x - r, y - r, x + r, y + r
    x, y, w, h = (float(shape.get(name)) for name in ("x", "y", "width", "height"))
    return x, y, x + w, y + h


@pytest.mark.parametrize("ends", [False, True])
@pytest.mark.parametrize("mode", ["fprop", "bprop"])
@pytest.mark.parametrize("sizes", [[2, 2, 1], [4, 3, 2, 1], [9, 4, 1], [3, 7, 1]])
def test_every_text_of_a_network_stands_in_its_place(sizes, mode, ends):
    chance = random.Random(f"{sizes}{mode}")
    model, _ = recorded(sizes)
    for weight in model.parameters():
        weight.data = chance.uniform(-1, 1) * 10 ** chance.choice((0, 0, 3, -3, -9))
    root = model([Value(0.3 * i - 0.4, label=f"x{i}") for i in range(sizes[0])])
    root = (root - root.data).sqrt() if ends else (root - 1) ** 2
    tree = ElementTree.fromstring(render(root, mode, "network").svg)
    frames = [frame(shape) for shape in tree.iter() if shape.get("class") == "frame"]
    for group in tree.iter(f"{SVG}g"):
        texts = [extent(text) for text in group.findall(f"{SVG}text")]
        if not texts or group.get("class") in (None, "network"):
            continue
        left, top, right, bottom = frame(
            next(e for e in group if e.tag in (f"{SVG}circle", f"{SVG}rect"))
        )
        middle, (first, above, last, below) = (top + bottom) / 2, texts[0]
        if "neuron" in group.get("class"):
            frames.append((left, top - 20, right, bottom))  # with its title
            assert top - 20 <= above and top - 8 < below < top - 3
            assert len(texts) == (4 if mode == "bprop" and not ends else 3)
            assert all(low[1] - high[3] >= 4 for high, low in pairwise(texts))
            for start, high, end, low in texts[1:]:
                reach = max(abs(high - middle), abs(low - middle))
                chord = math.sqrt((right - left) ** 2 / 4 - reach**2)
                assert start >= (left + right) / 2 - chord - 1
                assert end <= (left + right) / 2 + chord + 1
            continue
        assert (above + below) / 2 == pytest.approx(middle, abs=1)
        if "chip" in group.get("class"):
            assert 2 <= first - left <= 8 and 2 <= right - last <= 8
            assert top + 3 < above and below < bottom - 3
            continue
        assert first - left == pytest.approx(12) and last <= right - 12
        for start, high, end, low in texts[1:]:
            assert start > last and right - end == pytest.approx(12)
            assert top < high and low < bottom
        assert all(low[1] - high[3] >= 3 for high, low in pairwise(texts[1:]))
        if len(texts) == 2:
            assert (texts[1][1] + texts[1][3]) / 2 == pytest.approx(middle, abs=1)
    told = [extent(text) for text in tree.iter(f"{SVG}text") if text.get("class") == "problem"]
    assert bool(told) == (ends and mode == "bprop")
    lefts, tops, rights, bottoms = zip(*frames)
    width, height = float(tree.get("width")), float(tree.get("height"))
    assert min(lefts) == 0 <= min(tops) <= 4  # half a gap between neurons
    assert width == pytest.approx(max(max(rights) + 48, *(line[2] + 24 for line in told), 0), abs=1)
    assert 0 <= height - max(bottoms) - 48 - 20 * len(told) <= 4.5
    assert all(line[1] > max(bottoms) + 24 and line[3] < height - 12 for line in told)


def test_the_page_writes_the_rows_of_a_circle_where_the_picture_does():
    script = (Path(micrograd.stepper.__file__).parent / "browser/network.js").read_text("utf-8")
    heights, rooms = (
        [int(number) for number in re.search(pattern, script)[1].split(",")]
        for pattern in (r"\[(\d+, \d+, \d+)\]\.map", r"ROW_ROOM = \[(.*?)\]")
    )
    assert [*zip(heights, rooms)] == [row[1:] for row in ROWS]


def test_images_squeeze_texts_by_smaller_letters(monkeypatch):
    """CairoSVG draws them as wide as they are, over the circle around them."""
    model, _ = recorded([2, 3, 1])
    for weight, power in zip(model.parameters(), cycle((0, -3, -9))):
        weight.data = 0.123456 * 10**power
    root = model([Value(-1.0, label="x<1>"), Value(2.0, label="x&2")])
    taken = SimpleNamespace(svg2png=lambda bytestring, scale: bytestring, svg2pdf=None)
    monkeypatch.setitem(sys.modules, "cairosvg", taken)
    picture = render(root, level="network")
    before = ElementTree.fromstring(picture.svg).iter(f"{SVG}text")
    after = ElementTree.fromstring(picture.to("png")).iter(f"{SVG}text")
    squeezed = 0
    for wide, narrow in zip(before, after, strict=True):
        assert wide.text == narrow.text and not narrow.get("textLength")
        if room := wide.get("textLength"):
            squeezed += 1
            size = float(narrow.get("font-size").removesuffix("px"))
            assert text_width(narrow.text, size) == pytest.approx(float(room), rel=1e-2)
    assert squeezed > 3


def test_a_bias_that_was_made_before_all_else_is_told():
    bias, x = Value(0.5, label="bias"), Value(2.0, label="x")
    sums = [weighted_sum([Value(w, label="w")], [x], b) for w, b in ((1.0, bias), (2.0, None))]
    root = sums[0].tanh() * sums[1]
    assert snapshot(root).values[0] is bias
    assert render(root, level="network").svg.count("\nbias = 0.5</title>") == 1


def test_no_two_units_nor_weights_lie_over_one_another():
    fixed = ([4, 2, 1], [2, 4, 1], [2, 3, 3, 1], [4, 4, 4, 1], [3, 16, 16, 2], [12, 30, 1])
    chance = random.Random(1)
    drawn = [[chance.randint(1, 6) for _ in range(chance.randint(2, 4))] + [1] for _ in range(40)]
    for sizes in (*fixed, *drawn):
        _, root = recorded([*sizes[:-1], 1])
        places = plan(network_view(snapshot(root)))
        frames = [(u.x, u.y, u.width, u.height) for u in places.units]
        frames += [
            (*spot, 75.0, 22.0)
            for spot, weight in zip(places.spots, places.weights)
            if spot and weight >= 0
        ]
        for i, (x, y, w, h) in enumerate(frames):
            for u, v, width, height in frames[:i]:
                beside = abs(x - u) >= (w + width) / 2 or abs(y - v) >= (h + height) / 2
                assert beside, sizes


@pytest.mark.parametrize(
    ("sizes", "size", "kinds"),
    [
        # Plates, circles (88) and dots (13); between columns 310 where weights stand, else 64.
        ([4, 2, 1], (160 + 310 + 88 + 310 + 88, 2 * 116), "plate neuron"),
        ([2, 5, 5, 1], (160 + 310 + 13 + 310 + 13 + 310 + 88, 5 * 26 - 10.5), "plate dot neuron"),
        ([3, 45, 1], (160 + 64 + 13 * 3 + 44 * 2 + 64 + 88, 20 * 15.5), "plate dot neuron"),
        ([1, 3, 1], (160 + 310 + 88 + 310 + 88, 3 * 116), "plate neuron"),
    ],
)
def test_a_plan_fills_its_picture(sizes, size, kinds):
    seen = network_view(snapshot(recorded(sizes)[1]))
    places = plan(seen)
    assert places[:2] == pytest.approx(size) and {u.kind for u in places.units} == {*kinds.split()}
    sides = [
        (u.x - u.width / 2, u.x + u.width / 2, u.y - u.height / 2, u.y + u.height / 2)
        for u in places.units
    ]
    lefts, rights, tops, bottoms = map(list, zip(*sides))
    assert (min(lefts), max(rights)) == (0, places.width)
    assert min(tops) >= 0 and max(bottoms) <= places.height
    assert min(tops) + max(bottoms) == pytest.approx(places.height, abs=0.11)
    for column in {u.x for u in places.units if u.kind != "dot"}:
        y = [u.y for u in places.units if u.x == column]
        assert y[0] + y[-1] == pytest.approx(places.height, abs=0.11)
    if places.width < 600:
        assert places.spots == []  # a lot of edges
    for edge, spot in zip(seen.edges, places.spots):
        if spot:
            (x, y), (u, v) = ends(places.units[edge.source], places.units[edge.target])
            share = (spot[0] - x) / (u - x)
            assert 0.1 < share < 0.9 and spot[1] == pytest.approx(y + (v - y) * share, abs=0.2)


def test_weights_stand_at_a_share_of_the_way_that_differs_by_neuron():
    seen = network_view(snapshot(recorded([4, 2, 1])[1]))
    places, shares = plan(seen), {}
    for edge, spot in zip(seen.edges, places.spots):
        (x, _), (u, _) = ends(places.units[edge.source], places.units[edge.target])
        shares.setdefault(edge.target, []).append(round((spot[0] - x) / (u - x), 3))
    assert [*shares.values()] == [[0.125] * 4, [0.37] * 4, [0.125] * 2]


def test_inputs_stand_apart_beside_a_taller_column():
    units = plan(network_view(snapshot(recorded([4, 2, 1])[1]))).units
    assert [u.y for u in units if u.kind == "plate"] == [46.4, 92.8, 139.2, 185.6]
    units = plan(network_view(snapshot(recorded([2, 4, 1])[1]))).units
    assert [u.y for u in units if u.kind == "plate"] == pytest.approx([169.3, 294.7], abs=0.1)


def test_what_is_made_of_neurons_stands_after_them_and_what_is_not_before_its_use():
    _, root = recorded([2, 2, 1])
    doubled, late = root * 2, root.exp().exp().exp()
    graph = snapshot(doubled.max(late.max(Value(3.0, label="t").exp())))
    seen = network_view(graph)
    column = {box.members[-1]: u.x for box, u in zip(seen.boxes, plan(seen).units)}
    first = next(v for v in graph.values if v.parents == (root,) and v is not doubled)
    assert column[graph.ids[doubled]] == column[graph.ids[first]]
    made = next(v for v in graph.values if v.parents and v.parents[0].label == "t")
    assert column[graph.ids[made]] == column[graph.ids[late]]


@pytest.mark.parametrize(
    ("weights", "bias", "neuron"),
    [
        ("leaf leaf", (), True),
        ("leaf leaf", ("leaf",), True),
        ("leaf leaf", ("made",), True),
        ("leaf made", (), False),
        ("made leaf", ("leaf",), False),
        ("made made", ("leaf",), False),
        ("", ("leaf",), False),
    ],
)
def test_a_sum_outside_of_scopes_is_a_neuron_over_weights_that_are_leaves(weights, bias, neuron):
    def new(kind):
        leaf = Value(0.5, label="w")
        return leaf if kind == "leaf" else leaf.tanh()

    x = [Value(1.0, label="x"), Value(2.0, label="y")]
    total = weighted_sum([*map(new, weights.split())], x[: len(weights.split())], *map(new, bias))
    graph = snapshot(total.exp())
    (box,) = (b for b in view(graph, "full").boxes if b.members == (graph.ids[total],))
    assert is_neuron(graph, box) == neuron
    known = neuron and bias == ("leaf",)
    assert bias_of(graph, box) == (graph.ids[total.parents[-1]] if known else -1)


@pytest.mark.parametrize("fused", [False, True])
def test_the_bias_of_a_unit_is_that_of_its_neuron(fused):
    model, root = recorded([2, 2, 1], fused=fused)
    graph = snapshot(root)
    biases = [graph.values[u.b] for u in plan(network_view(graph)).units if u.z >= 0]
    assert biases == [neuron.b for layer in model.layers for neuron in layer.neurons]


def test_an_activation_whose_sum_has_another_user_is_no_part_of_the_neuron():
    x = Value(1.0, label="x")
    z1, z2 = (weighted_sum([Value(w, label="w")], [x]) for w in (0.5, 2.0))
    a1, a2 = z1.tanh(), z2.tanh()
    graph = snapshot((a1 * z1).max(a2))
    members = {tuple(graph.values[m] for m in box.members) for box in network_view(graph).boxes}
    assert {(z1,), (a1,)} <= members and any({z2, a2} <= {*held} for held in members)


def test_a_product_of_two_neurons_has_no_weight():
    _, root = recorded([2, 2, 1])
    hidden = [v for v in snapshot(root).values if v._op == "tanh"]
    seen = network_view(snapshot(hidden[0] * hidden[1] + root))
    weights = plan(seen).weights
    last = [seen.boxes[e.target].kind == "node" for e in seen.edges]
    assert [w for w, node in zip(weights, last) if node] == [-1] * sum(last) and any(last)


def test_a_layer_without_room_for_all_its_weights_shows_none():
    _, root = recorded([2, 5, 5, 1])
    seen = network_view(snapshot(root))
    places = plan(seen)
    into = {}
    for edge, spot in zip(seen.edges, places.spots):
        into.setdefault(places.units[edge.target].x, []).append(spot is not None)
    assert {all(layer) for layer in into.values()} == {True, False}
    assert all(all(layer) or not any(layer) for layer in into.values())


def test_a_long_number_is_squeezed_into_its_circle():
    _, root = recorded([2, 2, 1])
    for number, squeezed in ((0.5, 0), (-1.2345e-10, 3)):
        for value in snapshot(root).values:
            value.data = number
        svg = render(root, "fprop", level="network").svg
        row = f'textLength="82" lengthAdjust="spacingAndGlyphs"[^>]*>z {shown(number)}</text>'
        assert len(re.findall(row, svg)) == squeezed
        assert len(re.findall('textLength="(?:74|82)"', svg)) == 2 * squeezed


def test_weights_of_many_digits_stay_apart():
    model, root = recorded([3, 3, 2, 1])
    weights = [w for layer in model.layers for neuron in layer.neurons for w in neuron.w]
    for factor, squeezed in ((1.0, 0), (-1.2345e-110, len(weights))):
        for weight in weights:
            weight.data = 0.07 * factor
        svg = render(root, "fprop", level="network").svg
        chips = re.findall(r'class="chip local"><rect x="(\S+)" y="(\S+)" width="(\S+)"', svg)
        places = [tuple(map(float, chip)) for chip in chips]
        assert len(places) == len(weights) and svg.count('textLength="67"') == squeezed
        for i, (x, y, wide) in enumerate(places):
            assert all(x >= u + w or u >= x + wide or abs(y - v) >= 18 for u, v, w in places[:i])
        assert svg.count(f">{shown(weights[0].data)}</text>") == len(weights)


@pytest.mark.parametrize(
    "name", ["x", "a very long name of an input", "損失関数の長い名前です表示"]
)
@pytest.mark.parametrize("inputs", [3, 9])
def test_names_leave_numbers_their_room(name, inputs):
    values = [Value(-1.2345e-7, label=name) for _ in range(inputs)]
    with scope(name):
        hidden = MLP(inputs, [3, 1], activation="tanh")(values)
    svg = render((hidden - Value(-0.5, label=name)) ** 2, level="network").svg
    number = r'(?:<text class="value" x="(\S+)"[^>]*>([^<]*)</text>)?'
    pills = re.findall(rf'<text class="start" x="(\S+)"[^>]*>([^<]*)</text>{number}', svg)
    assert len(pills) == {3: 6, 9: 4}[inputs]
    for left, start, right, value in pills:
        room = float(right) - float(left) - text_width(value, 14) - 8 if right else 136
        assert text_width(start, 14, bold=True) <= room
        assert start[-1] != "…" or text_width(longer(name, start), 14, bold=True) > room
    titles = re.findall(r'<text class="title"[^>]*>([^<]*)</text>', svg)
    assert titles and all(text_width(title, 14, bold=True) <= 88 + 20 for title in titles)


@pytest.mark.parametrize(
    "label", ["z", "a name of twenty-two.", "illicit illicit illici", "損失関数の長い名前です表示"]
)
def test_a_circle_has_as_much_of_its_name_as_there_is_room_for(label):
    sums = [weighted_sum([Value(0.5)], [Value(1.0, label="x")]) for _ in range(2)]
    for z in sums:
        z.label = label
    svg = render(sums[0] * sums[1], level="network").svg
    title, other = re.findall(r'<text class="title"[^>]*>([^<]*)</text>', svg)
    assert title == other and text_width(title, 14, bold=True) <= 88 + 20
    assert title[-1] != "…" or text_width(longer(label, title), 14, bold=True) > 88 + 20


def longer(name, cut):
    """Return a name cut behind one more letter."""
    return f"{name[: len(cut)]}…" if len(cut) + 1 < len(name) else name


def test_a_sum_over_a_batch_says_that_one_sample_is_drawn():
    model, _ = recorded([2, 2, 1])
    loss = sum((model([float(i), 1.0]) - i) ** 2 for i in range(5))
    box = re.search('<g class="box sum plate".*?</g>', render(loss, level="network").svg, re.S)[0]
    assert ">Σ · 1 of 5</text>" in box and "\nΣ · sample 1 of 5</title>" in box
    assert f">{shown(loss.data)}</text>" in box


def test_a_folded_sum_shows_what_it_hands_on():
    model, root = recorded([2, 2, 1])
    penalty = sum(w * w for w in model.layers[0].neurons[0].w)
    svg = render(root + penalty, level="network").svg
    box = re.search('<g class="box sum plate".*?</g>', svg)[0]
    numbers = re.findall('class="(value|gradient)"[^>]*>([^<]*)<', box)
    assert numbers == [("value", shown(penalty.data)), ("gradient", "1")]


def test_weighted_sums_outside_of_scopes_are_neurons():
    import error_sharing

    net = error_sharing.network()
    graph = snapshot(net.s)
    seen = network_view(graph)
    places = plan(seen)
    circles = [box for box in seen.boxes if is_neuron(graph, box)]
    ids = [graph.ids[value] for value in (*net.a2, net.s)]
    assert [box.outputs[0] for box in circles] == ids and circles[-1].scope == "s"
    assert len(seen.boxes) == 7  # four inputs and three neurons: no weight, no bias has a box
    z = [u.z for u in places.units if u.kind == "neuron"]
    assert z == [graph.ids[value] for value in (*net.z2, net.z3)]
    assert [u.b for u in places.units if u.kind == "neuron"] == [
        *(graph.ids[b] for b in net.b1),
        -1,
    ]
    weights = {graph.values[id] for id in places.weights}
    assert weights == {*net.W1[0], *net.W1[1], *net.W2}
    assert "b⁽¹⁾₁ = 0.05" in render(net.s, level="network").svg


@pytest.mark.parametrize(
    ("neuron", "drawn"),
    [
        (lambda x, w, b, p: w * x + b, {"x"}),
        (lambda x, w, b, p: x * w + b, {"x", "w"}),  # which of the two is the input?
        (lambda x, w, b, p: w * x + p.tanh(), {"x", "p"}),
        (lambda x, w, b, p: w * x + b * x, {"x"}),
    ],
)
def test_only_weights_and_biases_have_no_box(neuron, drawn):
    """Leaves that several neurons share, each made in a scope of its own but the input."""
    leaves = [Value(1.0, label="x")]
    for name in "wbp":
        with scope(name):
            leaves.append(Value(2.0, label=name))
    hidden = []
    for name in ("neuron 0", "neuron 1"):
        with scope(name):
            hidden.append(neuron(*leaves).tanh())
    graph = snapshot(hidden[0] - hidden[1])
    seen = network_view(graph)
    labels = {graph.labels[m] for box in seen.boxes for m in box.members if graph.ops[m] == LEAF}
    assert labels == drawn


def test_what_stands_beside_neurons_stands_below_them():
    _, root = recorded([2, 3, 1])
    target = Value(1.0, label="t")
    loss = (root - target) ** 2
    graph = snapshot(loss)
    seen = network_view(graph)
    units = plan(seen).units
    place = next(i for i, box in enumerate(seen.boxes) if box.members == (graph.ids[target],))
    column = [u for u in units if u.kind == "neuron" and abs(u.x - units[place].x) < u.width]
    assert column and all(u.y + u.height / 2 < units[place].y for u in column)
    *_, before, last = sorted({(u.x - u.width / 2, u.x + u.width / 2) for u in units})
    assert last[0] - before[1] == 64  # no weight stands there


def test_what_is_no_network_says_so():
    x = Value(2.0, label="x")
    with pytest.raises(ValueError, match="no network to draw"):
        render(x * x + x, level="network")
    assert "network" not in views(snapshot(x * x))["views"]
    assert "network" in views(snapshot(recorded([2, 2, 1])[1]))["views"]


def test_a_pass_that_ends_early_says_so():
    _, root = recorded([2, 2, 1])
    svg = render((root - root.data).sqrt(), level="network").svg
    assert "the backward pass ends early: sqrt(x) has no finite slope" in svg
    assert "ends early" not in render(root, level="network").svg
