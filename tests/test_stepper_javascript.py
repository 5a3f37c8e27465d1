"""The page's JavaScript against the engine, both made from the same rows."""

import math
import random
import re

import pytest

from micrograd import Value, topological_order, weighted_sum
from micrograd.core.formulas import FLOATS
from micrograd.graph import snapshot
from micrograd.ops import FUNCTIONS, ROWS
from micrograd.registry import _read
from micrograd.render.captions import names_of
from micrograd.render.formulas import filled, shape, with_names
from micrograd.render.numerals import shown
from micrograd.stepper import trace
from micrograd.stepper.data import page_data
from micrograd.stepper.javascript import expression, function, rows_source
from micrograd.stepper.plain import json_text
from tests.stepper_graphs import batch, every_row, network, node, worked_example

SPECIAL = [
    0.0,
    -0.0,
    1.0,
    -1.0,
    0.5,
    2.0,
    -2.0,
    1e-300,
    1e300,
    710.0,
    -710.0,
    math.inf,
    -math.inf,
    math.nan,
]
CALL = """
const text = v => (Object.is(v, -0) ? "-0" : String(v));
const told = f => { try { return text(f()); } catch (e) { return e.name; } };
answer(INPUT.map(([op, x, y, k]) => {
  const [X, Y, K] = [x, y, k].map(v => (v === null ? undefined : Number(v)));
  const value = told(() => ROWS[op].value(X, Y, K));
  return [value, ...ROWS[op].local.map(f => told(() => f(X, Y, K, Number(value))))];
}));
"""


def cases():
    random.seed(3)
    for row in ROWS:
        for k in row.constants or (None,):
            points = [[random.uniform(*i) for i in row.domain] for _ in range(40)]
            points += [[x, y][: row.arity] for x in SPECIAL for y in SPECIAL]
            for point in points:
                yield row, point[0], (point[1] if len(point) > 1 else None), k


def attempt(function, *arguments):
    try:
        return float(function(*arguments))
    except (ArithmeticError, ValueError):
        return None


def agree(ours, theirs):
    if ours is None:
        return theirs == "RangeError"
    if theirs == "RangeError":
        return False
    theirs = float(theirs)
    if math.isnan(ours) or math.isnan(theirs):
        return math.isnan(ours) and math.isnan(theirs)
    same_zero = ours != 0 or math.copysign(1, ours) == math.copysign(1, theirs)
    return math.isclose(ours, theirs, rel_tol=1e-14, abs_tol=5e-324) and same_zero


def test_every_row_has_the_values_and_slopes_of_the_engine():
    asked = list(cases())
    script = f"const ROWS={rows_source(row.name for row in ROWS)};{CALL}"
    data = [[row.name, x, y, k] for row, x, y, k in asked]
    answers = node(script, "engine.js", data=data)
    assert len(answers) == len(asked) > 4000
    wrong = []
    for (row, x, y, k), answer in zip(asked, answers):
        if row.name == "power" and x == 0 and y == -math.inf:
            continue  # Python 3.10 has no value there, later ones have inf
        value = attempt(FLOATS.value(row), x, y, k)
        ours = [value]
        if value is not None:
            ours += [attempt(local, x, y, k, value) for local in FLOATS.local(row)]
        wrong += [(row.name, x, y, k, o, a) for o, a in zip(ours, answer) if not agree(o, a)]
    assert not wrong, wrong[:10]


class Writer:
    """Write random formulas of all that `register` takes."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        rows = [row.name for row in ROWS if row.arity == 1 and not row.constants]
        self.functions = [*FUNCTIONS, "abs", *rows]

    def formula(self, depth):
        choose, part = self.random.choice, lambda: self.formula(depth - 1)
        if not depth or self.random.random() < 0.1:
            return choose(
                ["x", "y", "k", "out", "x", "y", "nan", "0", "2", "0.5", "1e-05", "3e+20"]
            )
        kind = self.random.random()
        if kind < 0.5:
            sign = choose(["+", "-", "*", "/", "**"])
            left = f"({part()})" if self.random.random() < 0.7 else part()
            return f"{left} {sign} {part()}" if sign != "**" else f"({left}) ** (x * 0 + {part()})"
        if kind < 0.6:
            return f"-{part()}"
        if kind < 0.8:
            return f"{choose(self.functions)}({part()})"
        if kind < 0.9:
            return f"{choose(['maximum', 'minimum'])}({part()}, {part()})"
        sign = choose(["<", "<=", ">", ">=", "=="])
        return f"where({part()} {sign} {part()}, {part()}, {part()})"


def test_formulas_of_ones_own_are_the_engines_in_the_page():
    writer, asked, ours = Writer(11), [], []
    for _ in range(400):
        text = writer.formula(3)
        _read("value", text, ("x", "y", "k", "out", "nan"))
        points = [[writer.random.choice([*SPECIAL, 0.3, -1.7]) for _ in "xyko"] for _ in range(6)]
        asked.append((text, points))
        ours += [attempt(FLOATS.compile(text), *point) for point in points]
    told = [f"[{function(text)},{json_text(points)}]" for text, points in asked]
    script = """
    const number = f => { try { return String(f()); } catch (e) { return e.name; } };
    const each = (f, points) => points.map(point => number(() => f(...point.map(Number))));
    answer(ASKED.flatMap(([f, points]) => each(f, points)));
    """
    theirs = node(script.replace("ASKED", f"[{','.join(told)}]"), "engine.js")
    texts = [(text, point) for text, points in asked for point in points]
    wrong = [
        (*one, o, t)
        for one, o, t in zip(texts, ours, theirs, strict=True)
        if not (close(o, t) if o is not None else t == "RangeError")
    ]
    assert not wrong, wrong[:3]
    assert sum(o is not None and math.isfinite(o) for o in ours) > 500


def close(ours, theirs):
    """Tell whether the two are one number but for the rounding of functions."""
    if theirs == "RangeError":
        return False
    same = math.isclose(ours, float(theirs), rel_tol=1e-9, abs_tol=1e-12)
    return same or (math.isnan(ours) and math.isnan(float(theirs)))


def test_rows_are_told_once_in_order_and_no_more_of_them_than_is_asked():
    names = ["tanh", "mul", "add", "mul", "", "weighted_sum", "nothing", "relu"]
    for asked in (names, names[::-1], [*names] * 3):
        text = rows_source(asked)
        assert re.findall(r"^\{?(\w+):\{value", text, flags=re.M) == ["add", "mul", "relu", "tanh"]
        assert "told" not in text
    assert rows_source(names, told=True).count("told:{") == 4


@pytest.mark.parametrize(
    "text", ["x and y", "x % y", "x // y", "x @ y", "not x", "+x", "x != y", "x < y < k", "x[0]"]
)
def test_formulas_that_have_no_form_are_refused(text):
    with pytest.raises(TypeError, match=rf"^'{re.escape(text)}' has no form in JavaScript"):
        expression(text)


PASSES = """
const nodes = nodesOf(INPUT);
const data = forwardPass(ROWS, nodes, nodes.map(n => (n.operands.length ? NaN : n.value)));
answer({ data, steps: backwardPass(ROWS, nodes, data, INPUT.root, Number(INPUT.seed)),
  recorded: recordOf(INPUT, nodes).steps, names: nodes.map(n => n.name) });
"""


def number_without_a_slope():
    """Return a root below which a number of the code, 0, has no slope: nobody asks for it."""
    return 0.0 ** Value(0.5, label="y") + 1.0


PASSED = [worked_example, every_row, batch, lambda: network(3, 3), number_without_a_slope]


@pytest.mark.parametrize("make", PASSED)
def test_both_passes_in_the_page_are_the_engines(make):
    root = make()
    graph = snapshot(root)
    data = page_data(graph, None, 1.0)
    script = f"const ROWS={rows_source(graph.ops)};{PASSES}"
    computed = node(script, "engine.js", "numbers.js", "formulas.js", "passes.js", data=data)
    steps = [[graph.ids[step.node], *step[2:]] for step in root.steps()]
    assert computed["recorded"] == steps and not data["handed"]
    assert computed["names"] == [*names_of(graph)]
    assert computed["data"] == pytest.approx(list(graph.data), rel=1e-13)
    assert [step[:2] for step in computed["steps"]] == [step[:2] for step in steps]
    ours = [number for step in steps for number in step[2:]]
    theirs = [number for step in computed["steps"] for number in step[2:]]
    assert theirs == pytest.approx(ours, rel=1e-12, abs=1e-15)


@pytest.mark.parametrize("k", [math.inf, -math.inf, math.nan])
def test_constants_that_are_not_finite_are_numbers_in_the_page(k):
    root = (Value(0.5, label="x") ** k).tanh()
    script = f"const ROWS={rows_source(['pow', 'tanh'])};" + PASSES.replace(
        "answer({ data,", "answer({ data: data.map(String),"
    )
    scripts = ("engine.js", "numbers.js", "formulas.js", "passes.js")
    computed = node(script, *scripts, data=page_data(snapshot(root), None, 1.0))
    ours = [value.data for value in topological_order(root)]
    assert [float(x) for x in computed["data"]] == pytest.approx(ours, nan_ok=True)


def test_formulas_are_filled_in_alike():
    names = ["x1", "−2", "1e−5", "−1e−5"]
    shapes = {
        text for row in ROWS for part in (shape(row.name, 2.0),) for text in (part[0], *part[1])
    }
    asked = [
        [text, [x, y], out]
        for text in sorted(shapes)
        for x in names
        for y in names
        for out in names
    ]
    script = "answer(INPUT.map(([text, operands, out]) => filled(text, operands, out)))"
    assert node(script, "engine.js", "formulas.js", data=asked) == [filled(*one) for one in asked]


def test_contributions_that_no_rule_gives_are_recorded():
    x, y = Value(2.0, label="x"), Value(3.0)
    cube = Value(8.0, (x, y), "cube", label="cube")

    def backward():
        x.grad += 12 * cube.grad + 5
        y.grad += math.nan

    cube._backward = backward
    root = cube * 0.0 + (cube * y + math.inf) * 0.0
    data = page_data(snapshot(root), None, -2.0)
    found = node(
        "answer(recordOf(INPUT, nodesOf(INPUT)).steps.map(s => s.map(String)))",
        "engine.js",
        "numbers.js",
        "formulas.js",
        "passes.js",
        data=data,
    )
    ids = snapshot(root).ids
    ours = [[ids[step.node], *step[2:]] for step in root.steps(-2.0)]
    theirs = [[float(number) for number in step] for step in found]
    same = [
        a == b or (a != a and b != b)
        for one, other in zip(ours, theirs)
        for a, b in zip(one, other)
    ]
    assert len(ours) == len(theirs) and all(same) and data["handed"]


def test_numbers_are_shown_alike():
    random.seed(5)
    numbers = [random.choice((-1, 1)) * 10 ** random.uniform(-12, 12) for _ in range(3000)]
    numbers += [i / 16 for i in range(-400, 400)] + [1.0625, 1000.25, 2.5e-7, 9.9995, 999999.96]
    numbers += [*SPECIAL, 1e6, 1e5, 123456.5, 0.0001, 1e-4 / 3, 5e-324, 1.7e308, 1e22, 1e23]
    theirs = node(
        "answer(INPUT.map(x => shown(Number(x))));", "engine.js", "numbers.js", data=numbers
    )
    assert theirs == [shown(x) for x in numbers]


TELL = """
const nodes = nodesOf(INPUT), record = recordOf(INPUT, nodes);
const view = { boxes: nodes.map(n => ({ kind: "node", members: [n.id] })) };
const told = {};
for (const language of ["en", "zh"]) {
  const model = { nodes, record, view, root: INPUT.root, language };
  const teller = new Teller(model, INPUT.words[language], INPUT.sentences[language]);
  const stops = stopsOf(view, nodes, record.steps, INPUT.root, "edge");
  const state = stateAt(stops, stops.length, record, nodes, true);
  told[language] = stops.map(stop => [teller.sentence(stop, state), stop.kind === "backward"
    ? localFormula(teller.step(stop.fire[0]).node, teller.step(stop.fire[0]).position,
        id => teller.name(id))
    : stop.kind === "forward"
      ? [id => teller.name(id), id => teller.numbers(id)].map(f => formula(nodes[stop.nodes[0]], f))
      : ""]);
}
answer(told);
"""
SCRIPTS = ("engine.js", "numbers.js", "formulas.js", "passes.js", "panel.js")


@pytest.mark.parametrize("make", [worked_example, every_row, batch])
def test_the_page_says_what_the_trace_says(make):
    root = make()
    told = node(TELL, *SCRIPTS, data=page_data(snapshot(root), None, 1.0))
    for language in ("en", "zh"):
        steps = trace(root, language=language)["steps"]
        ours = [
            [
                step["sentence"],
                [step["formula"], step["numbers"]]
                if step["kind"] == "forward"
                else step.get("formula", ""),
            ]
            for step in steps
        ]
        assert told[language] == ours


VIEWS = """
const nodes = nodesOf(INPUT), record = recordOf(INPUT, nodes);
const found = {};
for (const [key, view] of Object.entries(INPUT.views)) {
  for (const box of view.boxes)
    box.members = box.members.flatMap((first, i, runs) =>
      i % 2 ? [] : Array.from({ length: runs[i + 1] }, (_, n) => first + n));
  const stops = stopsOf(view, nodes, record.steps, INPUT.root, "edge");
  const state = stateAt(stops, stops.length, record, nodes, false);
  found[key] = { stops: stops.length, known: state.known.size,
    grads: nodes.map(n => state.grads.get(n.id)), handed: state.handed.size };
}
answer(found);
"""


@pytest.mark.parametrize("make", [batch, lambda: network(3, 3), lambda: network(8, 8, 3)])
def test_collapsed_views_end_with_the_gradients_of_backward(make):
    root = make()
    data = page_data(snapshot(root), None, 1.0)
    found = node(VIEWS, *SCRIPTS, data=data)
    root.backward()
    grads = [value.grad for value in topological_order(root)]
    assert len(found) > 1
    for key, state in found.items():
        assert state["grads"] == pytest.approx(grads, rel=1e-12, abs=1e-15), key
        assert state["known"] == len(grads) and state["handed"] == len(data["locals"])
        assert state["stops"] <= len(data["locals"]) + len(grads) + 2


def test_values_that_the_engine_refuses_are_refused_in_the_page():
    x = Value(2.0, label="x")
    data = page_data(snapshot(x.log()), None, 1.0)
    script = PASSES.replace("n.value)", "n.value - 2)").replace(
        "answer({", "answer({ failed: false,"
    )
    script = script.replace("const data", "try { const data") + (
        "} catch (e) { answer([e.name, e.message, e.node]); }"
    )
    script = f"const ROWS={rows_source(['log'])};" + script
    assert node(script, "engine.js", "numbers.js", "formulas.js", "passes.js", data=data) == [
        "RangeError",
        "value",
        1,
    ]


def test_a_factor_is_multiplied_by_the_other_factor_of_its_product():
    """What a local gradient is read off is underlined in the picture."""
    a, b, c, d, bias = (Value(float(n), label=letter) for n, letter in enumerate("abcde"))
    data = page_data(snapshot(weighted_sum([a, c], [b, d], bias)), None, 1.0)
    script = """
const nodes = nodesOf(INPUT), sum = nodes.at(-1);
answer(sum.operands.map((_, position) => suppliers(sum, position).map(id => nodes[id].name)));
"""
    operands = [data["nodes"][id][3] for id in data["nodes"][-1][1]]
    other = {"a": ["b"], "b": ["a"], "c": ["d"], "d": ["c"], "e": []}
    assert node(script, *SCRIPTS, data=data) == [other[name] for name in operands]


def test_a_local_gradient_is_read_off_what_its_formula_names():
    a, b = Value(2.0, label="a"), Value(3.0, label="b")
    product = a * b
    product.label = "p"
    root = product.tanh()
    root.label = "t"
    script = """
const nodes = nodesOf(INPUT), names = ids => [...new Set(ids)].map(id => nodes[id].name);
const from = node => node.operands.map((_, position) => names(suppliers(node, position)));
answer(nodes.filter(node => node.op).map(from));
"""
    told = node(script, *SCRIPTS, data=page_data(snapshot(root), None, 1.0))
    assert told == [[["b"], ["a"]], [["t"]]]


@pytest.mark.parametrize("count", range(1, 6))
def test_a_node_made_by_hand_is_told_alike(count):
    operands = tuple(Value(float(n), label=f"x{n}") for n in range(count))
    root = Value(8.0, operands, "mine", label="out")
    root._backward = lambda: None
    graph = snapshot(root)
    script = "const nodes = nodesOf(INPUT); answer(formula(nodes.at(-1), id => nodes[id].name));"
    told = node(script, *SCRIPTS, data=page_data(graph, None, 1.0))
    assert told == with_names(graph, count, names_of(graph))
