"""What pictures and pages say of small graphs, said in rows: the graph, what tells it, the text."""

import random
import re
import sys
from itertools import product, repeat
from pathlib import Path

import numpy as np
import pytest

from demos.worked_example import worked_example
from micrograd import Value, scope, weighted_sum
from micrograd.expressions import parse, point, read
from micrograd.graph import snapshot
from micrograd.nn import MLP
from micrograd.ops import ROWS
from micrograd.render import render
from micrograd.render.collapse import view
from micrograd.render.formulas import filled, pretty, shape
from micrograd.render.network import network_view
from micrograd.render.network_plan import plan
from micrograd.render.text import width
from micrograd.stepper import page, trace
from micrograd.stepper.document import _tight, notebook_page
from micrograd.stepper.equations import equations
from micrograd.stepper.expression import source_of, written_out
from micrograd.stepper.views import views
from tests.formula_reader import ARRAYS, number_of


def leaf(label="x", data=1.0):
    return Value(data, label=label)


def labelled(value, label):
    value.label = label
    return value


def within(name, label="w", data=2.0):
    with scope(name):
        return leaf(label, data)


def shared():
    """Return a product of three weights called w, two of them in a neuron 0."""
    places = ("layer 0 / neuron 0", "layer 0 / neuron 1", "layer 1 / neuron 0")
    first, second, third = map(within, places)
    with scope("layer 1 / neuron 0"):
        return labelled((first * leaf() + second * leaf("y")) * third, "L")


def sharing(label, *scopes):
    """Return the product of leaves of one label in several scopes."""
    first, second = (within(name, label) for name in scopes)
    return first * second


def of_constants():
    with scope("cell"):
        return Value(2.0) * 3


def one_product():
    return leaf("a") * leaf("b") + leaf("c") + leaf("d")


def products(count, *bias):
    weights, inputs = ([leaf(f"{name}{i}") for i in range(count)] for name in ("weight", "input"))
    return weighted_sum(weights, inputs, *bias)


def summed(weights, inputs, *bias):
    return weighted_sum([*map(leaf, weights)], [*map(leaf, inputs)], *map(leaf, bias))


def net(*sizes):
    inputs = [leaf(f"x{i}", 0.5) for i in range(sizes[0])]
    return MLP(sizes[0], list(sizes[1:]), activation="tanh")(inputs)


def svg(root, *options):
    return render(root, *options).svg


def network(root, mode="bprop"):
    return render(root, mode, "network").svg


def mermaid(root, mode="fprop"):
    return render(root, mode, "full").to_mermaid()


def tikz(root, mode="fprop"):
    return render(root, mode, "full").to_tikz()


def formula(root):
    return written_out(snapshot(root))


def half_named():
    a = labelled(leaf() * leaf("y"), "a")
    return labelled(a.tanh() + a, "f")


TOLD = [
    (shared, svg, "w: parameter of neuron 1 in layer 0 / neuron 1"),
    (shared, svg, "layer 0.neuron 0.w"),
    (of_constants, lambda root: svg(root, "fprop", "neuron"), ": 3 Values, drawn as 1 box<"),
    (shared, svg, ">neuron 1.w · y<"),
    (lambda: sharing("w", "a / b 0 / c 0", "a / b 1 / c 0"), svg, ">b 0.c 0.w<"),
    (lambda: sharing("weight of the input", "cell 0", "cell 1"), svg, ">c1.weight of the input<"),
    (lambda: sharing("weight of an input", "cell a", "cell b"), svg, ">cell a.weight of an i…<"),
    (lambda: leaf() * 2, svg, "<title>2: constant</title>"),
    (lambda: leaf() * leaf("y"), svg, "<title>v2 → x: 1 = upstream × y = 1</title>"),
    (lambda: within("a") * leaf(), svg, ">parameter of a<"),
    (lambda: products(0), lambda root: trace(root)["steps"][1]["sentence"], "v0 is 0; "),
    (lambda: weighted_sum([leaf("w" * 20)], [leaf("x" * 20)]), svg, ">Σ 1 product<"),
    (one_product, lambda root: svg(root, "fprop", "sums"), ">Σ 1 product + 2 more<"),
    (lambda: products(6), svg, ">Σ 6 products<"),
    (lambda: products(6, leaf("bias")), svg, ">Σ 6 products + bias<"),
    (lambda: leaf().tanh(), svg, 'width="47" height="20" rx="10" '),
    (lambda: leaf().tanh(), svg, 'width="152" height="20" rx="4" '),
    (lambda: leaf() + 1, mermaid, '["<b>x</b> input<br>value 1"]'),
    (lambda: leaf() + 1, mermaid, "n0 --> n2"),
    (lambda: leaf() + 1, lambda root: svg(root, "fprop"), 'height="66" rx="9"'),
    (lambda: leaf() + 1, svg, 'height="92" rx="9"'),
    (lambda: leaf() + 1, tikz, "\\begin{tikzpicture}[x=1pt, y=-1pt"),
    (lambda: leaf() + 1, tikz, "value\\hfill\\textcolor{mgvalue}{1}};"),
    (lambda: net(9, 2, 1), network, '<rect class="frame" x="0"'),
    (half_named, formula, "f = tanh(x · y) + x · y"),
    (lambda: leaf() - (leaf("y") - leaf("z")), formula, "x − (y − z)"),
    (lambda: leaf() / (leaf("y") / leaf("z")), formula, "x / (y / z)"),
    (lambda: leaf() + (leaf("y") + leaf("z")), formula, "x + y + z"),
    (lambda: leaf() - leaf("y") * leaf("z"), formula, "x − y · z"),
    (lambda: leaf() * leaf("y") * leaf("z"), formula, "x · y · z"),
    (lambda: leaf() / leaf("y") * leaf("z"), formula, "x / y · z"),
    (lambda: leaf() * leaf("y") / leaf("z"), formula, "x · y / z"),
    (lambda: leaf() / -leaf("y"), formula, "x / (−y)"),
    (lambda: summed("abcd", "pqrs", "e"), formula, "a · p + b · q + … + d · s + e"),
    (lambda: summed("abc", "pqr"), formula, "a · p + b · q + c · r"),
    (lambda: summed("w", "x"), svg, "→ w: 1 = upstream × x = 1<"),
    (lambda: summed("w", "x"), svg, "→ x: 1 = upstream × w = 1<"),
    (lambda: summed("w", "x", "b"), svg, "→ b: 1 = upstream × 1<"),
    (lambda: leaf("a + b") * leaf(), formula, "(a + b) · x"),
    (lambda: leaf("a*b") + leaf(), formula, "a*b + x"),
    (lambda: leaf("a + b") * leaf(), equations, r"(\text{a + b}) \cdot x"),
    (lambda: leaf("a*b") + leaf(), equations, r"= \text{a*b} + x"),
    (lambda: leaf("a*b") ** 2, equations, r"= (\text{a*b})^{2}"),
    (lambda: leaf("x²") ** 2, equations, r"= (\text{x$^{2}$})^{2}"),
    (lambda: leaf("-a") ** 2, equations, r"= (\text{-a})^{2}"),
    (lambda: leaf("a ≥ b") + leaf(), equations, r"= (\text{a $\ge$ b}) + x"),
    (lambda: leaf(data=-1.0).leaky_relu(0.2), formula, "leaky_relu(x, 0.2)"),
    (lambda: leaf(data=-1.0).leaky_relu(), formula, "leaky_relu(x)"),
]


@pytest.mark.parametrize("make, told, expected", TOLD)
def test_a_graph_is_told(make, told, expected):
    assert expected in told(make())


@pytest.mark.parametrize(
    "text",
    [
        "(x + 1) * y",
        "(x ** (-2.0)) + (y ** 3)",
        "tanh(x) * y",
        "s = x * y; a = tanh(s); f = a + s",
        "max(x, y) - 2",
        "(x ** 0.5) + leaky_relu(-y, 0.25)",
    ],
)
def test_an_expression_is_read_back_from_its_graph(text):
    assert source_of(snapshot(parse(text, {"x": 1.0, "y": 2.0}))) == (text, {"x": 1.0, "y": 2.0})


# What stands for an operand: names, numbers, formulas, labels that are formulas themselves.
OPERANDS = ["a", "2.5e−5", "−c", "a + b", "a − b", "a · b", "a / b", "−a · b", "a²", "−a²", "a^b"]
OPERANDS += ["a^(−c)", "2^a", "|c|", "(a + b) · c", "max(a, b)", "a if a > b else b", "−(a + b)"]
OPERANDS += ["a+b", "a*b", "a-b", "a/b", "a*b + c", "b⁻¹", "(a + b)²", "exp(a − b) + 1"]
AT = {"a": 1.7, "b": 0.6, "c": -1.3}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_a_formula_stands_for_its_number_whatever_its_operands_are_called(row):
    out = 0.75
    texts = [(row.value, shape(row.name, k)[0], k) for k in row.constants or (None,)]
    for k in row.constants or (None,):
        texts += [*zip(row.local, shape(row.name, k)[1], repeat(k))]
    seconds = OPERANDS if row.arity == 2 else ["a"]
    for (python, text, k), x, y in product(texts, OPERANDS, seconds):
        right = ARRAYS.compile(python)
        with np.errstate(all="ignore"):
            wanted = right(*(np.float64(number_of(name, AT)) for name in (x, y)), k, out)
        written = filled(text, [x, y], "out")
        found = number_of(written, AT | {"out": out})
        assert found == pytest.approx(float(wanted), rel=1e-5, nan_ok=True), written


@pytest.mark.parametrize("seed", range(4))
def test_a_title_stands_for_the_number_of_its_graph(seed):
    chooser, read = random.Random(seed), 0
    while read < 100:
        text = expression(chooser, 4)
        root = parse(text, {c: x for c, x in AT.items() if re.search(rf"\b{c}\b", text)})
        title = written_out(snapshot(root)).removeprefix("f = ")
        if title != "f":
            assert number_of(title, AT) == pytest.approx(root.data, rel=1e-4), (text, title)
            read += 1


def expression(chooser, depth):
    """Return a random expression; its values are real."""
    if not depth or chooser.random() < 0.1:
        return chooser.choice("aabbc")
    x, y = (expression(chooser, depth - 1) for _ in range(2))
    return chooser.choice(
        [f"({x} {sign} {y})" for sign in "+-*"]
        + [
            f"({x}) / (1 + exp({y}))",
            f"abs({x}) ** ({y} / 8)",
            f"-({x})",
            f"({x}) ** 2",
            f"max({x}, {y})",
        ]
        + [f"square({x})", f"abs({x})", f"tanh({x})", f"softplus({x}) ** -1", f"relu({x}) ** 3"]
    )


@pytest.mark.parametrize(
    ("python", "text"),
    [
        ("1 + where(x > 0, x, 2)", "1 + (x if x > 0 else 2)"),
        ("where(x > 0, x, 2) * y", "(x if x > 0 else 2) · y"),
        ("x * 1e-7 + 2.5e9", "x · 1e−7 + 2.5e9"),
        ("x - (y - 1e-12)", "x − (y − 1e−12)"),
    ],
)
def test_formulas_are_spelt_for_readers(python, text):
    assert pretty(python) == text


def test_what_no_expression_makes_has_none():
    assert source_of(snapshot(Value(8.0, (leaf(),), "cube"))) == ("", {})
    with scope("neuron"):
        assert source_of(snapshot(leaf() * 2.0)) == ("", {})  # reading it gives no scope
    assert source_of(snapshot(leaf("no name") * 2.0)) == ("", {})


def test_a_file_that_was_read_leaves_the_path_of_modules_as_it_was(tmp_path):
    (tmp_path / "graph.py").write_text("from micrograd import Value\nf = Value(1.0) * 2\n")
    before = [*sys.path]
    assert read(f"{tmp_path / 'graph.py'}:f", {}).data == 2.0 and sys.path == before


def test_one_product_in_a_sum_of_two_is_no_sum_of_products():
    folded = [
        view(snapshot(root), "sums")
        for root in (leaf() * leaf("y") + leaf("z"), leaf() * leaf("y") + leaf("z") * leaf("w"))
    ]
    assert [any(box.kind == "sum" for box in each.boxes) for each in folded] == [False, True]


def test_a_sum_that_is_the_second_term_of_another_is_a_sum_of_its_own():
    a, b, c, d, e, f = map(leaf, "abcdef")
    inner = a * b + c * d
    graph = snapshot(e * f + inner)
    sums = [box for box in view(graph, "sums").boxes if box.kind == "sum"]
    assert [{graph.values[m] for m in box.members} for box in sums] == [{*inner.parents, inner}]


def test_a_gradient_stands_in_a_plate_and_not_in_a_slim_one():
    few, many = network(net(3, 2, 1)), network(net(9, 2, 1))
    assert few.count('class="gradient"') == 3 + 3 and many.count('class="gradient"') == 3
    assert network(net(3, 2, 1), "fprop").count('class="gradient"') == 0
    assert few.count('class="value"') == 3 + 2 * 3 and many.count('class="value"') == 2 * 3


def test_many_pills_are_slim_and_edges_leave_them_in_their_middle():
    words = []
    for i in range(10):
        with scope(f"word {i}"):
            words += [leaf("first", 0.1 * i), leaf("second", 0.2 * i)]
    net = MLP(20, [2, 1], activation="tanh")
    seen = network_view(snapshot(net(words)))
    units = plan(seen).units
    assert [unit.height for unit in units if unit.kind == "slim"] == [19.0] * 10
    picture = network(net(words))
    assert picture.count('height="19" rx="9.5"') == 10
    ends = re.findall(r'<path class="line" d="M(\S+) (\S+)L', picture)
    pills = {(u.x + u.width / 2, u.y) for u in units if u.kind == "slim"}
    assert pills <= {(float(x), float(y)) for x, y in ends}


def test_a_slim_pill_has_no_room_for_a_gradient():
    words = [within(f"word {i}", "e", 0.1 * i) for i in range(10)]
    picture = network(MLP(10, [2, 1], activation="tanh")(words))
    assert picture.count('rx="9.5"') == 10 and picture.count('class="gradient"') == 3


def test_titles_of_both_passes_stand_above_their_pictures():
    picture = svg(leaf().tanh(), "both")
    tops = [float(y) for y in re.findall(r'<g transform="translate\(\S+ (\S+)\)"><text', picture)]
    alone = re.search(r'<g transform="translate\(\S+ (\S+)\)">', svg(leaf().tanh()))
    assert len(tops) == 2 and tops[0] == float(alone[1]) + 26


def test_the_rules_of_a_picture_are_those_of_its_parts():
    picture = svg(leaf().tanh(), "fprop")
    style = re.search("<style>(.*?)</style>", picture, re.S)[1]
    assert ".value" in style and ".neuron" not in style and ".slim" not in style
    assert "" not in style.strip().split("\n")


@pytest.mark.parametrize(
    "character, ems",
    [("a", 0.64), ("A", 0.7), ("中", 1.1), ("😀", 1.1), ("\u2068", 0.0), ("i", 0.3), ("ш", 0.98)],
)
def test_the_width_of_a_character(character, ems):
    assert width(character, 10) == 10 * ems


RANGES = [(32, 127), (0xC0, 0x100), (0x391, 0x3CA), (0x410, 0x450), (0x2200, 0x2270)]


def test_no_letter_is_wider_than_its_text_is_taken_for():
    """Measured in DejaVu Sans, the widest that a browser falls back to, which Matplotlib brings."""
    matplotlib = pytest.importorskip("matplotlib")
    fonts = pytest.importorskip("fontTools.ttLib")
    folder = Path(matplotlib.get_data_path()) / "fonts/ttf"
    for name, bold in (("DejaVuSans", False), ("DejaVuSans-Bold", True)):
        font = fonts.TTFont(folder / f"{name}.ttf")
        across, names, ems = font["hmtx"], font.getBestCmap(), font["head"].unitsPerEm
        drawn = [chr(code) for ends in RANGES for code in range(*ends) if code in names]
        real = {letter: across[names[ord(letter)]][0] / ems for letter in drawn}
        short = {c: x - width(c, 1, bold) for c, x in real.items() if x - width(c, 1, bold) > 0.04}
        assert len(drawn) > 300 and {*short} <= {*"ÐØ∭≔≕≪≫∯∰∠∡Ħ"}, short
        assert all(width(c, 1, bold) - x < 0.36 for c, x in real.items() if c < "Ā")


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: point("exp=1"), "exp cannot be the name of an input: it has a meaning already"),
        (lambda: point("if=1"), "if cannot be the name of an input: it has a meaning already"),
        (lambda: parse("x(2)", {"x": 1}), r"x is no function; to multiply by it write x \* \("),
        (lambda: parse("foo(2)", {}), "there is no function foo; there are add, sub"),
        (lambda: parse("x + ", {"x": 1}), "it is no expression at character"),
        (lambda: read(7, {}), "7 is no text; write one such as"),
        (lambda: page(leaf() + 1, walk="f"), "a walk is a Walk of its stops, not 'f'"),
        (lambda: page(leaf() + 1, title=7), "a title is a text, or texts by language, not 7"),
        (lambda: page(leaf() + 1, title={"zh": "a"}), "has one for 'en' at least"),
        (lambda: page(leaf() + 1, title={"en": 7}), "texts by language, not {'en': 7}"),
        (lambda: trace(leaf(), language="fr"), "there is no language 'fr'; give one of en, zh"),
        (lambda: trace(leaf(), language=["en"]), r"there is no language \['en'\]"),
        (
            lambda: render(leaf()).save("a.jpg"),
            "must be one of .svg, .png, .pdf, .html, .dot, .tikz, .mermaid, .tex, .gif, .mmd, ",
        ),
    ],
)
def test_a_mistake_is_told(call, message):
    with pytest.raises((TypeError, ValueError), match=message):
        call()


def test_a_title_is_for_all_languages_or_has_one_for_each():
    assert '"title":{"en":"A"}' in page(leaf() + 1, title="A")
    assert '"title":' not in page(leaf() + 1).split('id="data">')[1]


def test_a_page_has_the_parts_that_it_needs():
    plain, typed, wired = page(within("a") * leaf()), page(worked_example()), page(net(2, 2, 1))
    assert 'id="field"' in typed and 'id="field"' not in plain
    assert "network" in views(snapshot(net(2, 2, 1)))["views"]
    assert len(wired) > len(plain)
    assert views(snapshot(net(2, 2, 1)))["views"]["network"]["plan"]["spots"]


def test_scripts_are_packed_and_hold_what_a_page_needs():
    assert _tight("const a = b;\nlet c = 'x = y';  // told") == "const a=b;\nlet c = 'x = y'; "
    plain, wired = (notebook_page(snapshot(root)) for root in (worked_example(), net(2, 2, 1)))
    assert "class NetworkPicture" in wired and "class NetworkPicture" not in plain


def test_a_bias_and_a_factor_of_a_sum_are_told_apart():
    reasons = [
        step["reason"] for step in trace(products(2, leaf("b")))["steps"] if "reason" in step
    ]
    assert reasons.count("distributes") == 1 and reasons.count("switches") == 4
    reasons = [step["reason"] for step in trace(products(2))["steps"] if "reason" in step]
    assert reasons.count("switches") == 4 and "distributes" not in reasons


def test_equations_name_what_is_handed_on():
    assert r"\frac{\partial f}{\partial f} &= 1" in equations(snapshot(half_named()))
