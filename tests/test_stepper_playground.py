"""Expressions typed into the page against Python's own reader, engine and layout."""

import keyword
import math
import random
from itertools import product

import pytest

from micrograd.core.formulas import specialise
from micrograd.expressions import parse
from micrograd.graph import snapshot
from micrograd.ops import ROWS
from micrograd.render.collapse import view
from micrograd.render.formulas import filled, pretty, shape
from micrograd.render.layout import Link, Size, layout
from micrograd.stepper.data import node_data
from micrograd.stepper.expression import written_out
from micrograd.stepper.interface import PLAYGROUND
from micrograd.stepper.javascript import rows_source
from tests.stepper_graphs import node
from tests.test_render_told import OPERANDS

SCRIPTS = (
    "engine.js",
    "numbers.js",
    "formulas.js",
    "passes.js",
    "grammar.js",
    "shapes.js",
    "reader.js",
    "ordering.js",
    "layout.js",
    "placing.js",
    "title.js",
)
READ = """
answer(INPUT.map(([text, at]) => {
  try {
    const nodes = readExpression(text, new Map(at.map(([name, x]) => [name, Number(x)])));
    const data = nodes.map(n => n.value), root = nodes.length - 1, view = fullView(nodes);
    let steps = null;
    const pass = () => backwardPass(ROWS, nodes, data, root, 1).map(step => step.map(String));
    try { steps = pass(); } catch (e) {}
    const far = turned => ({ measured: measured(view, turned), placed: placed(view, turned) });
    const told = nodes.map(n => ({ ...n, value: String(n.value), k: String(n.k ?? "None") }));
    return { nodes: told, steps, view, title: writtenOut(nodes, root, id => nodes[id].name),
      inputs: inputsOf(text), across: far(false), down: far(true) };
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error;
    return { refused: error.key };
  }
}));
"""


def read_in_page(asked):
    """Return what the page makes of every (expression, point)."""
    script = f"const ROWS={rows_source((row.name for row in ROWS), told=True)};{READ}"
    return node(script, *SCRIPTS, data=[[text, [*at.items()]] for text, at in asked])


NAMES = ["f", "b", "h", "part", "名前", "שלום", "a_name_of_more_than_22"]  # cut with a number


class Writer:
    """Write random expressions: every operator, function and way to name a part."""

    def __init__(self, number):
        self.random = random.Random(number)
        self.names = [f"{letter}{self.random.choice(['', '1', '_b'])}" for letter in "xyzwuv"]
        self.names = self.names[: self.random.randint(1, 6)]
        self.results = []

    def text(self):
        statements = []
        for number in range(self.random.choice([0, 0, 1, 3])):
            name = self.random.choice(NAMES) + f"{number or ''}"
            statements.append(f"{name} = {self.term(3)}")
            self.results.append(name)
        joined = self.random.choice(["; ", "\n", " ;\n", "  # a remark\n"])
        return joined.join([*statements, self.term(self.random.randint(1, 6))])

    def term(self, depth):
        choose = self.random
        if not depth or choose.random() < 0.12:
            return self.atom()
        kind = choose.choice("abbbbcccup")
        if kind == "a":
            return self.atom()
        if kind == "u":
            return f"{choose.choice('-+')}{self.term(depth - 1)}"
        if kind == "p":
            powers = ["2", "3", "-1", "0.5", "0", "1", "2.0", "1e-7", "12345.678", "-0.0"]
            power = choose.choice(powers)
            return f"({self.term(depth - 1)}) ** {power}"
        if kind == "b":
            sign = choose.choice(["+", "-", "*", "/", "**", "+", "-", "*"])
            left, right = self.term(depth - 1), self.term(depth - 1)
            return (
                f"({left}) {sign} ({right})" if choose.random() < 0.6 else f"{left} {sign} {right}"
            )
        return self.call(choose.choice(ROWS), depth)

    def call(self, row, depth):
        operands = [self.term(depth - 1) for _ in range(row.arity)]
        if row.name in ("max", "min") and self.random.random() < 0.3:
            operands.append(self.term(depth - 1))
        if row.constants and self.random.random() < 0.7:
            operands.append(self.random.choice(["2", "0.25", "3", "-1", "1e6"]))
        return f"{row.name}({', '.join(operands)})"

    def atom(self):
        known = self.names + self.results
        if self.random.random() < 0.8:
            return self.random.choice(known)
        return self.random.choice(["2", "0.5", "1_000", "3.", ".25", "1e-3", "0x1F", "7"])


def random_expressions(count):
    """Return so many (expression, point) that Python reads."""
    accepted, number = [], 0
    while len(accepted) < count:
        number += 1
        writer = Writer(number)
        text = writer.text()
        at = {
            name: writer.random.choice([writer.random.uniform(0.2, 3), -1.5, 2.0, 0.0])
            for name in writer.names
            if name in text
        }
        try:
            parse(text, at)
        except ValueError:
            continue
        accepted.append((text, at))
    return accepted


@pytest.fixture(scope="module")
def compared():
    asked = [*random_expressions(500), ("0 ** x", {"x": 0.5}), ("a = 0; a ** x", {"x": 0.5})]
    graphs = [snapshot(parse(text, at)) for text, at in asked]
    return [*zip(asked, graphs, read_in_page(asked))]


def same(ours, theirs):
    theirs = float(theirs)
    return math.isclose(ours, theirs, rel_tol=1e-12, abs_tol=1e-300) or (
        math.isnan(ours) and math.isnan(theirs)
    )


def test_expressions_become_the_same_nodes_with_the_same_words(compared):
    for (text, at), graph, page in compared:
        assert "refused" not in page, (text, at, page)
        told = node_data(graph)
        assert len(page["nodes"]) == len(graph), text
        for theirs, (kind, operands, value, *label) in zip(page["nodes"], told["nodes"]):
            ours = told["kinds"][kind]
            for key in set(ours) - {"k", "symbol"}:  # a constant's symbol has its number
                assert theirs[key] == (list(ours[key]) if key == "locals" else ours[key]), text
            assert theirs["k"] == str(ours.get("k")) or float(theirs["k"]) == ours["k"], text
            assert theirs["operands"] == list(operands), text
            assert same(value, theirs["value"]), text
            assert theirs["unnamed"] == (not label), text
            assert not label or theirs["name"] == label[0], text
        assert page["title"] == written_out(graph), text
        assert page["inputs"] == sorted(at, key=page["inputs"].index)


def test_both_passes_have_the_engines_numbers(compared):
    passed = 0
    for (text, _), graph, page in compared:
        try:
            ours = [[graph.ids[s.node], *s[2:]] for s in graph.values[-1].steps()]
        except ValueError:
            assert page["steps"] is None, text
            continue
        passed += 1
        assert len(page["steps"]) == len(ours), text
        for one, other in zip(ours, page["steps"]):
            assert all(map(same, one, other)), (text, one, other)
    assert passed > 400


def test_the_same_boxes_stand_in_the_same_places(compared):
    for (text, _), graph, page in compared:
        ours = view(graph, "full")
        assert [box["members"] for box in page["view"]["boxes"]] == [
            [*b.members] for b in ours.boxes
        ]
        assert [box["kind"] for box in page["view"]["boxes"]] == [box.kind for box in ours.boxes]
        links = [
            [e.source, e.target, [[user, place] for _, user, place in e.members]]
            for e in ours.edges
        ]
        assert page["view"]["edges"] == links, text
        for turned in (False, True):
            drawn = page["down" if turned else "across"]
            sizes, joins = drawn["measured"]
            placed = layout(
                [Size(str(i), *map(float, size)) for i, size in enumerate(sizes)],
                [Link(str(source), str(target), *rest) for source, target, *rest in joins],
            )
            assert [tuple(j[:3]) for j in joins] == [
                (e.source, e.target, e.port) for e in ours.edges
            ]
            order = -1 if turned else 1
            assert drawn["placed"]["size"] == [placed.width, placed.height][::order], text
            assert [box[:2] for box in drawn["placed"]["boxes"]] == [
                [*placed.boxes[str(i)][:2]][::order] for i in range(len(sizes))
            ], text
            assert drawn["placed"]["paths"] == [
                [[*point[::order]] for point in path] for path in placed.paths
            ], text


REFUSED = [
    "",
    "x +",
    "(x",
    "x)",
    "x y",
    "2x",
    "1__0",
    "012",
    "x..y",
    "'text'",
    "x[0]",
    "x.data",
    "f(x)",
    "max(x)",
    "max()",
    "pow(x, x)",
    "tanh(x, 2)",
    "x if x else x",
    "x < 1",
    "max(x > 1, x)",
    "lambda: x",
    "[x]",
    "{x}",
    "x, x",
    "(x, x)",
    "()",
    "a = b = x",
    "a += x",
    "a: x = 1",
    "x = 1",
    "a = x; a = x",
    "import os",
    "__import__('os')",
    "x @ x",
    "x // 2",
    "x % 2",
    "~x",
    "not x",
    "x and x",
    "True",
    "None",
    "1e999 * x",
    "1j * x",
    "9**9**9",
    "log(-1)",
    "x / 0 + x",
    "(-1)**0.5",
    "tanh(x)(x)",
    "tanh(*x)",
    "tanh(x=x)",
    "x\n  x",
    "a = x;; x",
    "; x",
    "x := 2",
    "x\\",
    "x ** ",
    "(" * 300 + "x" + ")" * 300,
    "x + " * 5000 + "x",
    "-" * 3000 + "x",
    "log(x - x)",
    "sqrt(0 - x)",
    "weighted_sum(x, x)",
    "detach(x)",
    "constructor(x)",
    "toString",
    "ROWS",
    "#",
    "x = ",
    "= x",
    "1_ * x",
    "0b2",
    "x\u00a0+ x",
    "“x”",
    "\u037a = x; \u037a",  # a letter whose plain form begins with a blank
    "x − 1",
    "exp(1000 * x)",
    "(a) = (x)) ",
    "y + x",
    "100" * 200 + "*x",
]
ACCEPTED = [
    "x",
    "x;",
    " x ",
    "(a) = x; a",
    "((x))",
    "tanh(x,)",
    "(tanh)(x)",
    "x**-1",
    "-x**2",
    "x ** 2 ** 3",
    "2 ** 3 * x",
    "+x",
    "a = x\nb = a * a\n\n# words\nb + a",
    "(x +\n  x)",
    "x + \\\n x",
    "max(x, 1, 2)",
    "0_0 + x",
    "00 + x",
    "1e5 * x",
    "0xff * x",
    "0b101 * x",
    "0o17 * x",
    "a = 3; a * x",
    "abs(-x) + relu(x)",
    "pow(x)",
    "leaky_relu(x)",
    "x-1",
    "x--1",
    "ｘ + 1",
    "x ** 1e300",
    "x/3/2",
    "٣ = x; ٣",
    "match = x; match + 1",
    "f = x + 1; f * f",
    "power(x, 2)",
    "x ** 0.0",
    "x ** -0",
    "שלום = x * 2; שלום + 1",
    "a_very_long_name_of_more_than_22_characters = x + 1; tanh(x)",
]


def test_what_python_refuses_the_page_refuses():
    for text, page in zip(REFUSED, read_in_page([(text, {"x": 1.0}) for text in REFUSED])):
        with pytest.raises(ValueError):
            parse(text, {"x": 1.0})
        assert "refused" in page, text


def test_results_are_called_by_letters_as_far_as_they_reach():
    asked = [("x" + " + 1" * count, {"x": 1.0}) for count in range(18, 28)]
    for (text, at), page in zip(asked, read_in_page(asked)):
        ours = [label for label in snapshot(parse(text, at)).labels if label]
        assert [told["name"] for told in page["nodes"] if not told["unnamed"]] == ours, text


def test_a_word_of_python_is_no_input():
    asked = [f"{word} * 2" for word in keyword.kwlist]
    script = "answer(INPUT.map(t => { try { return inputsOf(t); } catch (e) { return e.key; } }));"
    assert {*node(script, *SCRIPTS, data=asked)} == {"bad.syntax"}
    assert node(script, *SCRIPTS, data=["match * case + nan"]) == [["match", "case", "nan"]]


def test_what_python_reads_the_page_reads():
    for text, page in zip(ACCEPTED, read_in_page([(text, {"x": 1.5}) for text in ACCEPTED])):
        try:
            graph = snapshot(parse(text, {"x": 1.5}))
        except ValueError:
            assert "refused" in page, text
            continue
        assert "refused" not in page, (text, page)
        assert [float(n["value"]) for n in page["nodes"]] == pytest.approx(list(graph.data)), text


# Halfway between numbers of six digits, and operations that a user may register.
TIED = [1234565.0, 1234575.0, 123456.5, 999999.5, 12345650000.0, 2.0**-20, -1234565.0, 1e22]
TEXTS = ["constructor(x) * k", "toString(x) + valueOf(k, x)", "minimum(x, maximum(k, -x))", "k"]
SIGNS = (">", ">=", "<", "<=", "==")  # those of a row's formula
TEXTS += [f"where({x} {sign} 123456.5, x, k)" for x in "kx" for sign in SIGNS]


def test_formulas_with_a_number_are_written_alike():
    numbers = TIED + [random.Random(n).uniform(-1, 1) * 10**n for n in range(-9, 18)]
    texts = TEXTS + [text for row in ROWS if row.constants for text in (row.value, *row.local)]
    asked = [[text, k] for text in texts for k in numbers]
    written = node("answer(INPUT.map(([text, k]) => readable(text, k)));", *SCRIPTS, data=asked)
    assert written == [pretty(specialise(text, k)) for text, k in asked]


def test_formulas_are_filled_alike():
    texts = {
        text
        for row in ROWS
        for k in row.constants or (None,)
        for value, local in [shape(row.name, k)]
        for text in (value, *local)
    }
    asked = [[text, pair] for text in sorted(texts) for pair in product(OPERANDS, OPERANDS[::3])]
    ours = [filled(text, pair, "out") for text, pair in asked]
    assert ours == node(
        "answer(INPUT.map(([t, of]) => filled(t, of, 'out')));", *SCRIPTS, data=asked
    )


def test_what_has_no_value_is_named():
    script = (
        f"const ROWS={rows_source((row.name for row in ROWS), told=True)};"
        + """
answer(INPUT.map(text => {
  try { readExpression(text, new Map([["x", 1]])); }
  catch (error) { return [error.key, error.names.text]; }
}));
"""
    )
    asked = {"2 + log(x - 1) * 2": "log(x - 1)", "(x) / (x - x)": "(x) / (x - x)"}
    told = node(script, *SCRIPTS, data=[*asked])
    assert told == [["bad.point", text] for text in asked.values()]


def test_what_is_wrong_is_told_with_its_remedy():
    asked = {
        "x^2": ["bad.power", 2, None],
        "x + $": ["bad.character", 5, None],
        "max(x)": ["bad.count", None, 2],
        "elu(x, 1, 2)": ["bad.count", None, "1–2"],
        "exp(x, x)": ["bad.count", None, 1],
    }
    script = (
        f"const ROWS={rows_source((row.name for row in ROWS), told=True)};"
        + """
answer(INPUT.map(text => {
  try { readExpression(text, new Map([["x", 1]])); }
  catch (error) { return [error.key, error.names.at ?? null, error.names.takes ?? null]; }
}));
"""
    )
    assert node(script, *SCRIPTS, data=[*asked]) == [*asked.values()]
    for words in PLAYGROUND.values():
        assert "x**2" in words["bad.power"] and "{takes}" in words["bad.count"]


def test_texts_that_were_damaged_are_judged_alike():
    chooser = random.Random(11)
    asked = []
    for text, at in random_expressions(400):
        for _ in range(3):
            place = chooser.randrange(len(text) + 1)
            piece = chooser.choice(
                ["", "(", ")", "*", "-", "2", "x", ";", "\n", " ", ",", "=", ".", "e"]
            )
            asked.append((text[:place] + piece + text[place + chooser.choice([0, 1, 3]) :], at))
    for (text, at), page in zip(asked, read_in_page(asked)):
        try:
            ours = parse(text, at)
        except ValueError:
            assert "refused" in page, text
            continue
        assert "refused" not in page, (text, page)
        assert same(ours.data, page["nodes"][-1]["value"]), text
