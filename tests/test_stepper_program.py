"""The line of array code that a node became: the spots, and what page and terminal show of them."""

import io
import random
import re
from functools import reduce
from html import unescape

import pytest

from micrograd import Value, dot
from micrograd.cli import main
from micrograd.expressions import parse
from micrograd.graph import snapshot
from micrograd.stepper import page
from micrograd.stepper.array_program import _code, named, program_data, told
from micrograd.stepper.interface import LINES, PROGRAM
from micrograd.stepper.terminal import Walkthrough
from tests.fuzz_draw import Draw
from tests.lowering_models import all_to_all_attention, transformer, window_model
from tests.stepper_graphs import batch, every_row, network, node

np = pytest.importorskip("numpy", reason="numpy is not installed")

from micrograd.lowering import lower  # noqa: E402
from micrograd.lowering.irregular.levels import Levels  # noqa: E402
from micrograd.nn import Embedding  # noqa: E402

SAMPLE = [0.5, -0.3, 0.8, 0.1], [-0.2, 0.4, 0.3, -0.6]


def window():
    loss, parameters = window_model(inputs=4, hidden=3)
    return lower(loss, *SAMPLE, parameters=parameters)


def attention():
    loss, parameters = all_to_all_attention()
    return lower(loss, [[0.1, 0.2, -0.3, 0.4]] * 3, parameters=parameters)


def words():
    loss, parameters = transformer()
    return lower(loss, parameters=parameters)


def expression():
    return lower(parse("(x + y) * max(y, z) + 3 * log(y)", {"x": 1, "y": 2, "z": 0}))


def rows():
    """Return a program in which the elements of a row share one gradient."""
    xs, ys = (
        [Value(0.3 * i - 0.5, label=f"{name}{i}") for i in range(n)]
        for name, n in (("x", 3), ("y", 4))
    )
    return lower(sum((sum((x * y).tanh() for y in ys) + x) ** 2 for x in xs))


PROGRAMS = [
    rows,
    window,
    attention,
    words,
    expression,
    *(lambda make=make: lower(make()) for make in (batch, every_row, lambda: network(3, 4))),
]


def names_within(program):
    """Run both passes of a program on its own sample; return every array by its name."""
    head = re.sub(r"    return loss, \{[^}]*\}", "    return locals()", program.export("numpy"))
    module = {}
    exec(head, module)
    names = [*program.inputs, *program.parameters, *program.constants]
    inputs = [
        np.array(
            [v.data for v in leaves.ravel()], int if name in program.arguments.counts else float
        )
        for name, leaves in zip(program.inputs, map(program.leaf_values, program.inputs))
    ]
    inputs = [x.reshape(1, *program.leaf_values(n).shape) for n, x in zip(program.inputs, inputs)]
    held = {**dict(zip(program.inputs, inputs)), **program.parameters, **program.constants}
    return module["value_and_grad"](*(held[name] for name in names))


def element(arrays, spot):
    array = np.asarray(arrays[spot.name])
    return array[(0,) * spot.batched + spot.at]


def written(name):
    """Return the number that stands in place of an array, in a batch of one; None for a name."""
    digits = re.fullmatch(r"(-?[\d.e+-]+)?(?: ?B|/B)?", name)
    return digits and float(digits[1] or 1)


def spots_seen(program):
    """Compare what the program says of all its nodes with its arrays; return how they are there."""
    arrays, lines = names_within(program), program.source.splitlines()
    program.root.backward()
    seen = set()
    for value in program.graph.values:
        for spot, number in (
            (program.line(value), value.data),
            (program.line_of_gradient(value), value.grad),
        ):
            seen.add(spot.how)
            if spot.how in ("element", "shared", "slot"):
                assert element(arrays, spot) == pytest.approx(number, rel=1e-12, abs=1e-12)
            if spot.how == "routed" and number:
                assert number == pytest.approx(written(spot.name) or element(arrays, spot))
            if spot.how == "number":
                assert number == pytest.approx(written(spot.name), rel=1e-11)
            if lines[spot.line - 1].startswith("def value_and_grad("):
                assert re.search(rf"\b{spot.name}\b", program.source.partition("def value")[2])
            elif spot.line:
                assert lines[spot.line - 1].strip().startswith(f"{spot.name} = ")
    return seen


@pytest.mark.parametrize("make", PROGRAMS)
def test_the_named_element_of_the_named_line_is_the_value_and_the_gradient(make):
    assert {"element", "shared"} <= spots_seen(make())


def test_lines_of_random_programs():
    seen = set()
    for seed in range(30, 90):
        module = {}
        exec(str(Draw(seed).case()), module)
        if not isinstance(module["program"].lowered.arrays, Levels):
            seen |= spots_seen(module["program"])
    assert seen >= {"element", "term", "chosen", "within", "shared", "routed", "number", "nowhere"}


def test_the_gradient_of_a_table_that_is_looked_up_beside_is_a_part():
    E = Embedding(3, 2)
    program = lower(lambda i: sum(dot(row, E(i)).tanh() for row in E.rows), 1)
    row = next(v for v in program.graph.values if v is E.rows[1][0])
    assert program.line_of_gradient(row)[:2] == ("term", "dE")


def test_a_gradient_of_what_is_computed_once_for_several_is_a_part():
    w = [Value(0.5), Value(2.0)]

    def loss(x):
        first, second = dot(w, x), dot(w, x)
        return first.exp() * 2 + second.tanh()

    program = lower(loss, [0.5, 1.0])
    twice = [v for v in program.graph.values if program.line(v).name == "z"]
    assert {told(program.line(v), "v", "en") for v in twice} >= {
        "v is z, for one sample of the batch.",
        "v equals z, for one sample of the batch.",
    }
    told_of = {told(program.line_of_gradient(v), "δ", "en") for v in twice}
    assert told_of == {"δ is part of the sum delta, for one sample of the batch."}
    least = lower(lambda x: reduce(Value.min, x).exp(), [3.0, 2.0, 1.0])
    chosen = {told(least.line(v), "v", "en") for v in least.graph.values if v._op == "min"}
    assert "v is part of the choice m, for one sample of the batch." in chosen


def irregular():
    """Return a graph whose nodes have operands from anywhere before them."""
    rng = random.Random(3)
    nodes = [Value(rng.uniform(-1, 1), label=f"x{i}") for i in range(50)]
    for _ in range(1500):
        x, y = rng.choice(nodes), rng.choice(nodes)
        nodes.append(rng.choice([x + y, x * y, x.tanh(), x.tanh().exp()]))
    return sum(nodes[-200:])


def test_nodes_of_an_irregular_graph_are_slots_without_a_line():
    program = lower(irregular())
    assert isinstance(program.lowered.arrays, Levels)
    leaf = next(v for v in program.graph.values if v.label == "x3")
    spot = program.line(leaf)
    assert program.line_of_gradient(leaf) == spot._replace(name="d")
    assert (spot.how, spot.name, spot.line) == ("slot", *program.find(leaf)[:1], 0)
    assert spot.at == program.find(leaf)[1:]
    assert spots_seen(program) == {"slot", "term", ""}
    text = told(spot, "x3", "en")
    assert text == f"x3 is element {spot.at[0]} of v: this graph is too irregular for array lines."
    assert told(spot._replace(how="", at=()), "x3", "en") == ""


def test_what_the_program_leaves_out_is_said():
    program = window()
    zero = next(v for v in program.graph.values if program.line(v).how == "nowhere")
    assert zero.data == 0 and program.line_of_gradient(zero).how == "nowhere"
    x = program.leaf_values("x")[2]
    assert program.line(x) == ("element", "x", 4, (2,), True)
    assert program.line_of_gradient(x).how == "nowhere"
    text = told(program.line_of_gradient(x), "∂J/∂x[2]", "en")
    assert text == "The program leaves ∂J/∂x[2] out: no parameter needs it."


def test_a_value_of_another_graph_is_refused():
    for ask in (window().line, window().line_of_gradient):
        with pytest.raises(ValueError, match="is not in the graph of this program"):
            ask(Value(1.0))


def test_steps_and_program_are_of_one_graph():
    program = expression()
    other = parse("x * y", {"x": 1, "y": 2})
    for show in (page, Walkthrough):
        with pytest.raises(ValueError, match="step through program.root"):
            show(other, program=program)
    page(snapshot(program.root), program=program)


def test_the_text_of_the_program_stands_in_the_page_without_a_script():
    program = expression()
    html = page(program.root, program=program)
    lines = re.findall(r"<li><code>(.*?)</code></li>", html)
    texts = [unescape(re.sub("</?i>", "", line)) for line in lines]
    assert texts == program.source.splitlines()
    assert "&gt;= z" in html and "'unsafe" not in html and ">= z" not in html.split("<script")[0]


@pytest.mark.parametrize(
    ("line", "html"),
    [
        ("z = x < y", "z = x &lt; y"),
        ("z = x @ W  # (B, 8)", "z = x @ W<i>  # (B, 8)</i>"),
        ("z = x @ W      # (B, 8)", "z = x @ W<i>      # (B, 8)</i>"),
        ("    # forward", "    # forward"),  # no remark at a line's end: it stands out
        ("", ""),
    ],
)
def test_a_remark_at_the_end_of_a_line_steps_back(line, html):
    assert _code(line) == html


def test_a_page_without_a_program_has_nothing_of_it():
    html = page(expression().root)
    for trace in ("array program", "Program", '"spots"', '"lines"', 'id="lines"', "column.line"):
        assert trace not in html


def test_nodes_without_a_label_are_called_as_the_program_calls_them():
    program = window()
    graph = named(snapshot(program.root), program)
    names = dict(zip(graph.values, graph.labels))
    assert names[program.leaf_values("W1")[2, 1]] == "W1[2, 1]"
    assert names[program.leaf_values("x_c")[3]] == "x_c[3]"
    assert names[program.root] == "J" and {"s", "s_c", "h1[0]", "z1_c[2]"} <= {*graph.labels}
    assert all(v.label in ("", "J", "s", "s_c") for v in graph.values)
    assert not [label for label in graph.labels if label.endswith("[]")]
    within = [v for v in graph.values if program.line(v).how != "element" and not v.label]
    assert within and {names[v] for v in within} == {""}


def test_both_languages_say_the_same_things():
    for words in (LINES, PROGRAM):
        assert words["en"].keys() == words["zh"].keys()
        for key, text in words["en"].items():
            assert {*re.findall(r"\{\w+\}", text)} == {*re.findall(r"\{\w+\}", words["zh"][key])}


@pytest.mark.parametrize("make", [window, expression, attention])
def test_the_page_says_what_the_terminal_says(make):
    program = make()
    graph = snapshot(program.root)
    said = {
        language: [
            told(find(v), f"n{i}", language)
            for find in (program.line, program.line_of_gradient)
            for i, v in enumerate(graph.values)
        ]
        for language in LINES
    }
    script = """
    const asked = new Program(INPUT.program, { children: [] });
    const said = words => [VALUES, GRADIENTS].flatMap(pass =>
      INPUT.program.spots[pass][0].map((_, id) => asked.told(pass, id, `n${id}`, words)));
    answer({ en: said(INPUT.lines.en), zh: said(INPUT.lines.zh) });
    """
    head = "const $ = () => ({ addEventListener() {}, children: [] });\nconst DATA = { program: "
    data = {"program": program_data(program, graph), "lines": LINES}
    scripts = ("numbers.js", "formulas.js", "program.js")
    found = node(script, *scripts, data=data, head=head + "INPUT.program };")
    assert found == said


def test_the_terminal_shows_the_line():
    program, output = expression(), io.StringIO()
    Walkthrough(program.root, "en", output, program).transcript()
    lines = output.getvalue().splitlines()
    numbers = {
        line.split(" = ")[0].strip(): n for n, line in enumerate(program.source.splitlines(), 1)
    }
    at = lines.index(next(line for line in lines if line.endswith("Backward pass: b → y")))
    shown = [line for line in lines[at : at + 8] if line.startswith("   line ")]
    assert shown[0].startswith(f"   line {numbers['dy']}: dy = ")
    assert "   ∂f/∂y is dy." in lines and max(map(len, lines)) <= 80
    assert "   ∂f/∂f is 1: it needs no line of its own." in lines


def test_the_terminal_names_the_element():
    program, output = window(), io.StringIO()
    Walkthrough(program.root, "zh", output, program).transcript()
    text = output.getvalue()
    assert "   h1[2] 是 h1 的元素 2（批中的一个样本）。" in text.splitlines()
    assert "第 7 行：z1 = x @ W1.T + b1  # (B, 3)" in text


def test_the_command_shows_lines(tmp_path, capsys):
    command = ["step", "(x + y) * max(y, z)", "--at", "x=1,y=2,z=0", "--program"]
    assert main(command) == 0
    assert "   line 6: b = maximum(y, z)  # ()" in capsys.readouterr().out.splitlines()
    assert main(command[:-1]) == 0
    assert "   line 6" not in capsys.readouterr().out
    path = tmp_path / "f.html"
    assert main([*command, "-o", str(path)]) == 0
    assert 'id="source"' in path.read_text("utf-8")
    assert main([*command[:-1], "-o", str(path)]) == 0
    assert 'id="source"' not in path.read_text("utf-8")
