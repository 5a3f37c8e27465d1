import json
import math
import re
import runpy
from fractions import Fraction
from html.parser import HTMLParser
from pathlib import Path

import pytest

from demos.error_sharing import network as four_two_one
from demos.error_sharing import walk
from micrograd import Value, scope, topological_order, weighted_sum
from micrograd.graph import snapshot
from micrograd.printing import printable
from micrograd.stepper import Stop, Walk, page, save_page
from micrograd.stepper.data import node_data
from micrograd.stepper.expression import written_out
from micrograd.stepper.views import MOST_BOXES_IN_ALL, views
from tests.stepper_graphs import batch, every_row, network, node, worked_example

DEMOS = Path(__file__).parent.parent / "demos"


class Parts(HTMLParser):
    """Collect the tags of a page, and the text of its scripts."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.scripts, self.inside = [], [], None
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self.inside = tag

    def handle_data(self, data):
        if self.inside == "script":
            self.scripts.append(data)

    def handle_endtag(self, tag):
        self.inside = None


def data_of(html):
    return json.loads(Parts(html).scripts[0], parse_constant=pytest.fail)


def test_the_worked_example_is_small_and_whole():
    html = page(worked_example())
    assert len(html.encode()) <= 80_000
    parts = Parts(html)
    assert not [attrs for _, attrs in parts.tags if {"src", "href", "action"} & set(attrs)]
    assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)|@import|url\(", html)
    assert "<title>f = (x + y) · max(y, z)</title>" in html
    assert data_of(html)["locals"] == [2, 3, 1, 0, 1, 1]


def test_the_same_graph_gives_the_same_bytes():
    assert page(network(3, 3)) == page(network(3, 3))
    assert page(every_row()) == page(every_row())


def test_it_is_written_to_a_file(tmp_path):
    path = save_page(worked_example(), tmp_path / "f.html", title="T & <b>")
    text = path.read_text("utf-8")
    assert text == page(worked_example(), "T & <b>")
    assert "<title>T &amp; &lt;b&gt;</title>" in text
    assert save_page(worked_example(), path).read_text("utf-8") == page(worked_example())
    with pytest.raises(OSError):
        save_page(worked_example(), tmp_path / "none" / "f.html")


@pytest.mark.parametrize("title", [{}, "", {"en": ""}, {"en": "", "zh": ""}])
def test_a_page_without_a_title_shows_the_formula(title):
    html = page(worked_example(), title)
    assert "title" not in data_of(html) and "<title>f = (x + y) · max(y, z)</title>" in html


@pytest.mark.parametrize("title", [{"zh": "图"}, {"en": "", "zh": "图"}, {"EN": "graph"}])
def test_a_title_by_language_has_an_english_one(title):
    with pytest.raises(ValueError, match=r"^a title by language has one for 'en' at least, not"):
        page(worked_example(), title)


@pytest.mark.parametrize("title", [None, 5, b"T", ["T"], {"en": 5}, {"en": "T", "zh": None}])
def test_a_title_is_text(title):
    with pytest.raises(TypeError, match=r"^a title is a text, or texts by language, not "):
        page(worked_example(), title)


@pytest.mark.parametrize("seed", [2, Fraction(2)])
def test_a_seed_is_any_real_number(seed):
    told = data_of(page(worked_example(), seed=seed))
    assert told == data_of(page(worked_example(), seed=2.0)) and told["seed"] == 2
    assert "playground" not in told and "playground" in data_of(page(worked_example(), seed=1))


@pytest.mark.parametrize(
    "label", ["</script><script>alert(1)</script>", "<!--", "@DATA@", '"];', "\ud800", "\u2028"]
)
def test_labels_stay_data(label):
    html = page(Value(1, label=label) * Value(2, label="x"), title=label)
    assert len(Parts(html).scripts) == 3
    assert data_of(html)["nodes"][0][2] == 1


def test_a_graph_of_several_roots_is_refused():
    x = Value(1)
    with pytest.raises(ValueError, match="2 roots"):
        page(snapshot(x + 1, x + 2))


def _labelled(value, label):
    value.label = label
    return value


def titles():
    x, y = Value(2, label="x"), Value(3, label="y")
    return [
        (x - (y - x), "x − (y − x)"),
        ((x + y) / (x / y), "(x + y) / (x / y)"),
        (-(x + y), "−(x + y)"),
        ((x + y) ** 2, "(x + y)²"),
        ((x * y).tanh() + 1, "tanh(x · y) + 1"),
        (x, "x"),
        (_labelled(sum(([x] * 50), y), "total"), "total"),
        ((x * y).max(x + y), "max(x · y, x + y)"),
    ]


@pytest.mark.parametrize("root, text", titles())
def test_titles(root, text):
    assert written_out(snapshot(root)) == text


def test_views_open_and_close():
    found = views(snapshot(network(3, 4)))
    kept = found["views"]
    assert found["start"] == "layer" and {"full", "neuron"} <= set(kept)
    for key, view in kept.items():
        assert all(opens in kept for opens in view["opens"] if opens)
        assert not view["closes"] or key in kept[view["closes"]]["opens"]
        assert len(view["boxes"]) == len(view["opens"])
    assert any(view["closes"].count("|") == 1 for view in kept.values())


def long_chain_of_tanh():
    x = Value(0.5, label="x")
    for _ in range(100):
        x = x.tanh()
    return x


def wired(neurons, inputs=3):
    """Return the sum of weighted sums outside of scopes."""
    x = [Value(0.1 * i, label=f"x{i}") for i in range(inputs)]
    h = [weighted_sum([Value(0.5) for _ in x], x, Value(0.1)).tanh() for _ in range(neurons)]
    return weighted_sum([Value(0.2) for _ in h], h)


@pytest.mark.parametrize(
    "make, start",
    [
        (lambda: wired(2), "full"),
        (lambda: wired(20), "network"),
        (long_chain_of_tanh, "parts"),
        (lambda: network(3, 4), "layer"),
    ],
)
def test_a_page_starts_with_the_view_that_can_be_taken_in(make, start):
    found = views(snapshot(make()))
    assert found["start"] == start and start in found["views"]


@pytest.mark.parametrize(
    "neurons, inputs, offered", [(146, 3, True), (147, 3, False), (121, 4, False)]
)
def test_a_network_of_too_many_units_or_edges_is_not_drawn_as_one(neurons, inputs, offered):
    assert ("network" in views(snapshot(wired(neurons, inputs)))["views"]) == offered


def one_scope():
    x, y = Value(2.0, label="x"), Value(3.0, label="y")
    with scope("cell"):
        return x * y + x.tanh()


@pytest.mark.parametrize(
    "make, levels",
    [
        (one_scope, {"full", "neuron"}),  # one layer would show the same boxes
        (lambda: network(1, 20, 1), {"layer", "neuron", "full", "network"}),
        (lambda: network(1, 160, 1), {"layer"}),
        (worked_example, {"full"}),
    ],
)
def test_levels_are_offered_that_differ_and_can_be_taken_in(make, levels):
    kept = views(snapshot(make()))["views"]
    assert {key for key, view in kept.items() if not view["closes"]} == levels


def long_chain():
    x = Value(0.5, label="x")
    for i in range(60):
        x = x.tanh() * 2 + x * (i + 1)
    return x


@pytest.mark.parametrize("make", [lambda: network(3, 4), lambda: network(6, 3), batch, long_chain])
def test_what_was_in_an_opened_box_is_marked(make):
    kept = views(snapshot(make()))["views"]
    held = {
        key: [
            {m for first, n in zip(runs[::2], runs[1::2]) for m in range(first, first + n)}
            for runs in (box["members"] for box in view["boxes"])
        ]
        for key, view in kept.items()
    }
    opened = [(key, view) for key, view in kept.items() if view["closes"]]
    assert opened
    for key, view in opened:
        fold = [opens == key for opens in kept[view["closes"]]["opens"]]
        (*folded,) = (members for members, one in zip(held[view["closes"]], fold) if one)
        within = [members <= set().union(*folded) for members in held[key]]
        assert view["inside"] == [i for i, one in enumerate(within) if one] != []


def test_the_views_of_a_large_graph_are_bounded():
    found = views(snapshot(network(12, 12, 3)))["views"]
    assert sum(len(view["boxes"]) for view in found.values()) <= MOST_BOXES_IN_ALL + 450


def test_a_deep_chain_has_a_page():
    x = Value(1.0, label="x")
    for _ in range(5_000):
        x = x + 0.5
    html = page(x)
    assert len(data_of(html)["nodes"]) == 10_001


@pytest.fixture
def error_sharing():
    net = four_two_one()
    return net, walk(net).steps(net.s)


def test_the_eight_steps_of_error_sharing(error_sharing):
    net, steps = error_sharing
    places = [(step["node"], step.get("operand")) for step in steps]
    assert places == [
        ("s", None),
        ("s", "z⁽³⁾₁"),
        ("z⁽³⁾₁", None),
        ("z⁽³⁾₁", "a⁽²⁾₁"),
        ("a⁽²⁾₁", "z⁽²⁾₁"),
        ("z⁽²⁾₁", None),
        ("z⁽²⁾₁", "W⁽¹⁾₁₄"),
        ("W⁽¹⁾₁₄", None),
    ]
    net.s.backward()
    slope = net.a2[0].data * (1 - net.a2[0].data)
    w2, a4 = net.W2[0].data, net.a1[3].data
    by_hand = [1, 1, 1, w2, slope * w2, slope * w2, a4 * slope * w2, a4 * slope * w2]
    assert [step["gradient"] for step in steps] == pytest.approx(by_hand, rel=1e-15)
    assert [step["gradient"] for step in steps] == [
        net.s.grad,
        net.z3.grad,
        net.z3.grad,
        net.a2[0].grad,
        net.z2[0].grad,
        net.z2[0].grad,
        net.W1[0][3].grad,
        net.W1[0][3].grad,
    ]
    assert [step["local"] for step in steps if "local" in step] == [
        1,
        net.W2[0].data,
        slope,
        net.a1[3].data,
    ]


def test_the_network_is_4_2_1(error_sharing):
    order = topological_order(error_sharing[0].s)
    assert sum(value.label.startswith("a⁽¹⁾") for value in order) == 4
    assert sum(value.label.startswith("W⁽¹⁾") for value in order) == 8
    assert sum(value.label.startswith("a⁽²⁾") for value in order) == 2
    assert sum(value._op == "sigmoid" for value in order) == 2


def test_the_page_walks_the_eight_steps(error_sharing):
    net, steps = error_sharing
    data = data_of(page(net.s, walk=walk(net)))
    script = """
    const nodes = nodesOf(INPUT), record = recordOf(INPUT, nodes), { steps } = record;
    const view = { boxes: nodes.map(n => ({ members: [n.id] })) };
    const stops = walkStops(INPUT.walk, view, nodes, steps, INPUT.root);
    answer(stops.map((stop, i) => {
      const state = stateAt(stops, i, record, nodes, true);
      const to = stop.fire.length && stop.kind === "backward"
        ? nodes[steps[stop.fire[0]][0]].operands[steps[stop.fire[0]][1]] : stop.place;
      return state.grads.get(to);
    }));
    """
    shown = node(script, "engine.js", "numbers.js", "formulas.js", "passes.js", data=data)
    assert shown == [step["gradient"] for step in steps]


@pytest.mark.parametrize(
    "name, line",
    [
        ("worked_example", "   ∂f/∂y = 5"),
        ("error_sharing", "   0.351721 = 0.175861 × 2"),
    ],
)
def test_the_demos_run(name, line, tmp_path, monkeypatch, capsys):
    path = tmp_path / "page.html"
    monkeypatch.setattr("sys.argv", [name, str(path)])
    runpy.run_path(str(DEMOS / f"{name}.py"), run_name="__main__")
    lines = capsys.readouterr().out.splitlines()
    assert line in lines and lines[-1] == printable(f"wrote {path}")
    assert path.read_text("utf-8").startswith("<!doctype html>")


def test_a_walk_begins_with_its_seed():
    x = Value(3.0, label="x")
    f = x * x
    seen = Walk({"en": "w"}, [Stop({"en": "a"}, f), Stop({"en": "b"}, f, x)]).steps(f, 2.0)
    assert seen[0]["gradient"] == seen[1]["upstream"] == 2 and seen[1]["contribution"] == 6


def test_a_walk_tells_apart_who_hands_to_the_same_operand():
    f = worked_example()
    x, y, _, a, b, _ = topological_order(f)
    way = Walk(
        {"en": "y"}, [Stop({"en": "1"}, b, y), Stop({"en": "2"}, a, y), Stop({"en": "3"}, x)]
    )
    told = way.steps(f)
    assert [(step["step"], step.get("contribution"), step["gradient"]) for step in told] == [
        (1, 3, 3),
        (2, 2, 5),
        (3, None, 2),
    ]


def test_a_stop_at_a_node_hands_on_nothing_of_the_others():
    f = worked_example()
    total, larger = f.parents
    words = {"en": "."}
    _, y = total.parents
    at_node, on_edge = Walk(words, [Stop(words, total), Stop(words, larger, y)]).steps(f)
    assert at_node["gradient"] == 2 and on_edge["gradient"] == on_edge["contribution"] == 3


@pytest.mark.parametrize(
    ("label", "called"),
    [
        ("", []),
        ("w", ["w"]),
        ("a b", ["a b"]),
        ("w" * 40, [f"{'w' * 21}…", "w" * 40]),  # cut, and whole so that it can be typed
        ("a " * 20, ["a a a a a a a a a a a…"]),  # no name that can be typed
    ],
)
def test_a_label_that_is_cut_is_told_whole_where_it_can_be_typed(label, called):
    leaf = Value(1.0, label=label)
    graph = snapshot(leaf + 0.5)
    assert node_data(graph)["nodes"][graph.ids[leaf]][3:] == called


def test_only_contributions_that_are_no_product_are_told():
    x, y = Value(math.inf, label="x"), Value(0.0, label="y")
    told = data_of(page((x * y) * Value(2.0, label="z")))  # nan × local is nan, as the product is
    assert told["handed"] == {}


def test_a_name_told_apart_by_its_scope_is_not_typed():
    leaves = []
    for place in ("neuron 0", "neuron 1"):
        with scope(place):
            leaves.append(Value(1.0, label="w"))
    graph = snapshot(leaves[0] * leaves[1])
    found = [node_data(graph)["nodes"][graph.ids[leaf]][3:] for leaf in leaves]
    assert found == [["neuron 0.w"], ["neuron 1.w"]]


@pytest.mark.parametrize("words", ["the cost", {"zh": "代价"}, {}])
def test_a_walk_without_english_words_is_refused(words):
    f = worked_example()
    for name, said in ((words, {"en": "1"}), ({"en": "w"}, words)):
        with pytest.raises(ValueError, match="for 'en' at least"):
            Walk(name, [Stop(said, f)])


def test_a_walk_outside_the_graph_is_refused():
    f, other = worked_example(), Value(1, label="other")
    for *place, named in ((other, "at .*=1.0"), (f, other, "at .*=6.0.* to .*=1.0")):
        lost = Walk({"en": "lost"}, [Stop({"en": ""}, *place)])
        with pytest.raises(ValueError, match=f"{named}.*, which the graph does not have"):
            lost.steps(f)
        with pytest.raises(ValueError, match=f"{named}.*, which the graph does not have"):
            page(f, walk=lost)


def test_a_batch_has_a_box_for_one_sample():
    found = views(snapshot(batch(30)))
    start = found["views"][found["start"]]
    assert [box["count"] for box in start["boxes"] if "count" in box] == [30]
