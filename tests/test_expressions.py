"""Expressions are parsed, never run; Values come out of Python files by name."""

import re
from statistics import mean

import pytest

from micrograd import Value
from micrograd.expressions import load, parse, point, read
from micrograd.graph import snapshot
from micrograd.ops import ROWS
from micrograd.user_files import failures_of


def formulas(root):
    graph = snapshot(root)
    return {graph.name(id): graph.formula(id) for id in range(len(graph)) if graph.operands[id]}


def test_the_worked_example():
    f = read("(x + y) * max(y, z)", {"x": 1, "y": 2, "z": 0})
    f.backward()
    assert f.data == 6
    assert formulas(f) == {"a": "x + y", "b": "max(y, z)", "f": "a * b"}
    graph = snapshot(f)
    assert [graph.grads[id] for id in range(3)] == [2, 5, 0]


def test_names_given_by_assignment_label_the_results():
    f = parse("total = x + 1; f = total * total", {"x": 2})
    assert formulas(f) == {"total": "x + 1", "f": "total * total"}
    assert formulas(parse("y = x; g = y * 2", {"x": 2})) == {"g": "x * 2"}  # y is x
    assert formulas(parse("a = 2; a * x", {"x": 3})) == {"f": "a * x"}


def test_generated_names_leave_out_those_in_use():
    f = parse("(a + f) * (a - f) + b", {"a": 1, "f": 2, "b": 3})
    assert set(formulas(f)) == {"c", "d", "e", "g"}


def test_more_results_than_letters_stay_unnamed():
    root = parse(" + ".join(["x"] * 40), {"x": 1})
    assert root.label == "f"
    assert sum(bool(value.label) for value in snapshot(root).values) == 2


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_every_row_can_be_called(row):
    operands = "xy"[: row.arity]
    found = parse(f"{row.name}({', '.join(operands)})", dict(zip(operands, map(mean, row.domain))))
    assert snapshot(found).ops[-1] == row.name


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("x ** 2", 9),
        ("2 ** x", 8),
        ("x ** -1", 1 / 3),
        ("-x", -3),
        ("+x", 3),
        ("x / 2 - 1", 0.5),
        ("max(x, 1, 7)", 7),
        ("min(x, 5, 4)", 3),
        ("leaky_relu(-x, 0.5)", -1.5),
        ("pow(x, 3)", 27),
        ("x * (1 / 2)", 1.5),
        ("x + max(1, 2)", 5),
    ],
)
def test_values(text, value):
    assert parse(text, {"x": 3}).data == value


def test_arithmetic_on_numbers_alone_makes_no_nodes():
    assert snapshot(parse("x ** (1 / 2)", {"x": 4})).ops == ("", "pow")
    assert snapshot(parse("2 + 3", {})).ops == ("",)


@pytest.mark.parametrize(
    ("text", "at", "message"),
    [
        ("__import__('os').system('true')", {}, "not allowed"),
        ("x.data", {"x": 1}, "'x.data' is not allowed"),
        ("[x]", {"x": 1}, "not allowed"),
        ("x if x else 1", {"x": 1}, "not allowed"),
        ("lambda: x", {"x": 1}, "not allowed"),
        ("x and x", {"x": 1}, "not allowed"),
        ("x @ x", {"x": 1}, "not allowed"),
        ("True", {}, "not allowed"),
        ("'text'", {}, "not allowed"),
        ("import os", {}, "not allowed"),
        ("a = b = x", {"x": 1}, "not allowed"),
        ("relu(x=x)", {"x": 1}, "not allowed"),
        ("1" + "0" * 400, {}, r"0 is too large; numbers go up to 1\.8e\+308"),
        (" -x * y", {"x": 1, "y": 2, "z": 3}, r"z got a value but does not occur in '-x \* y'"),
        ("eval(x)", {"x": 1}, "there is no function eval"),
        ("weighted_sum(x, x)", {"x": 1}, "there is no function weighted_sum"),
        ("detach(x)", {"x": 1}, "there is no function detach"),
        ("(x", {"x": 1}, "at character 1"),
        ("x\0", {"x": 1}, "it is no expression;"),
        ("e * x", {"x": 1}, "e has no value; give the point, here e=2.718281828459045, or"),
        ("", {}, "is empty"),
        ("x + y", {"x": 1}, "y has no value; give the point, such as y=1"),
        ("x·y + 1", {"x": 1, "y": 2}, r"x·y has no value; to multiply write x \* y"),
        ("x", {"x": 1, "q": 2}, "q got a value but does not occur"),
        ("x", {"x": 1, "q": 2, "r": 3}, "q, r got a value but do not occur"),
        ("x = 2", {"x": 1}, "x is given twice"),
        ("x * 2\n- x", {"x": 1}, r"x \* 2 stands alone and nothing uses it"),
        ("log(x, 2)", {"x": 1}, "log takes 1 operand, not 2"),
        ("max(x)", {"x": 1}, "max takes 2 operands, not 1"),
        ("pow(x, 1, 2)", {"x": 1}, "pow takes 1 operand and perhaps a number, not 3"),
        ("pow(x, x)", {"x": 1}, "second argument of pow must be a number"),
        ("log(x)", {"x": -1}, "needs x > 0"),
        ("1 / 0", {}, "divisor"),
        ("(" * 500 + "x" + ")" * 500, {"x": 1}, "nested"),
        (" + ".join(["x"] * 20_000), {"x": 1}, "nested too deeply"),
    ],
)
def test_refused(text, at, message):
    with pytest.raises(ValueError, match="(?s)" + message.replace("(", r"\(").replace(")", r"\)")):
        parse(text, at)


def test_points():
    assert point(" x=1, y = -2.5,z=1e-3 ,") == {"x": 1, "y": -2.5, "z": 1e-3}
    assert point("") == {}


@pytest.mark.parametrize("name", ["\u00b5", "e\u0301", "\uff58"])
def test_names_are_those_that_python_reads(name):
    """Python's parser makes a Greek letter of a keyboard's micro sign, é of e and its accent."""
    assert read(f"{name} * 2", point(f"{name}=3")).data == 6
    assert parse(f"{name} * 2", {name: 3}).data == 6


@pytest.mark.parametrize("text", ["x", "x=", "=1", "x=one", "1=2", "x=1 y=2"])
def test_points_refused(text):
    with pytest.raises(ValueError, match="is not name=number"):
        point(text)


def test_a_value_of_a_file_is_called_as_the_file_calls_it(tmp_path):
    path = tmp_path / "model.py"
    path.write_text(
        "from micrograd import Value\n"
        "x = Value(3, label='y')\nloss = x * x\nnamed = x + 1\nnamed.label = 'f'\ny = x * 2\n"
    )
    assert load(str(path), "loss").label == "loss"
    assert load(str(path), "named").label == "f"
    assert not load(str(path), "y").label  # what it is made of is called so


def test_a_value_of_a_file(tmp_path):
    (tmp_path / "helper.py").write_text("START = 3\n")
    path = tmp_path / "model.py"
    path.write_text(
        "from helper import START\nfrom micrograd import Value\n"
        "x = Value(START, label='x')\nloss = x * x\nnumber = 4\n"
        "if __name__ == '__main__':\n    raise SystemExit('run as a program')\n"
    )
    assert read(f"{path}:loss ", {}).data == 9
    with pytest.raises(
        ValueError, match="has int, not a Value, as 'number'; its Values are x, loss"
    ):
        load(str(path), "number")
    with pytest.raises(ValueError, match="has no 'missing'"):
        load(str(path), "missing")
    path.write_text("import sys\nsys.path.pop(0)\nloss = print()\n")
    with pytest.raises(ValueError, match="has None, not a Value, as 'loss'"):
        load(str(path), "loss")
    path.with_name("plain.py").write_text("number = 4\n")
    with pytest.raises(ValueError, match=r"has no 'loss'; there is no Value in it"):
        load(str(path.with_name("plain.py")), "loss")
    with pytest.raises(ValueError, match="is a Value already"):
        read(f"{path}:loss", {"x": 1})


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("x = 1\nraise RuntimeError('boom')\n", ":2: RuntimeError: boom"),
        ("def f(:\n", ":1: SyntaxError"),
        ("import sys\nsys.exit(3)\n", ":2: SystemExit: 3"),
    ],
)
def test_a_file_that_fails_is_named_with_its_line(tmp_path, source, message):
    path = tmp_path / "broken.py"
    path.write_text(source)
    with pytest.raises(ValueError, match="broken.py" + message):
        read(f"{path}:x", {})


def test_a_missing_file(tmp_path):
    with pytest.raises(OSError, match=r"nowhere\.py"):
        read(f"{tmp_path}/nowhere.py:x", {})


def test_what_a_row_raises_is_told_without_its_class(tmp_path):
    path = str(tmp_path / "own.py")
    scope = {"x": Value(-1.0)}
    told = rf"^{re.escape(path)}:1: log\(x\) has no"
    with pytest.raises(ValueError, match=told), failures_of(path):
        exec(compile("x.log()", path, "exec"), scope)


def test_python_says_nothing_of_its_own_on_what_cannot_be_read(recwarn):
    for text in ("x y.1or", "[1e3if00x", "1or x + ²"):
        with pytest.raises(ValueError, match="cannot read|not allowed"):
            parse(text, {"x": 1})
    assert not recwarn.list
