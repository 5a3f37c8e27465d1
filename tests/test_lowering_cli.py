"""`micrograd lower EXPR|FILE.py:NAME`."""

import pytest

from micrograd import Value
from micrograd.cli import main
from micrograd.lowering import lower
from micrograd.printing import printable

PROGRAM = """
import random
from random import gauss
from micrograd.nn import MLP


class Point:
    pass


random.seed(1)
net = MLP(3, [4, 1], activation="tanh")


def loss(x=[0.1, 0.2, 0.3], y=1.0):
    return (net(x) - y) ** 2


def branching(x=[0.1, 0.2]):
    return x[0] if x[0] > x[1] else x[1]


def bare(x):
    return x
"""


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "program.py"
    path.write_text(PROGRAM)
    return path


def lesson(folder, text):
    """Write a file of a user's; return its path."""
    path = folder / "lesson.py"
    path.write_text(text)
    return path


def test_source_check_and_explanation(file, capsys):
    assert main(["lower", f"{file}:loss", "--check", "--explain"]) == 0
    out = capsys.readouterr().out
    assert "z1 = x @ W1.T + b1                            # (B, 4)" in out
    assert "16 mul" in out and "4 tanh" in out
    assert "the function refuses" not in out
    assert "layer 0 / neuron 0" in out
    assert float(out.rpartition("engine: ")[2].split()[0]) < 1e-12


def test_a_function_that_counts_is_told_in_a_line(tmp_path, capsys):
    path = lesson(tmp_path, "n = [0]\n\ndef loss(x=[0.1]):\n    n[0] += 1\n    return x[0] * 2\n")
    assert main(["lower", f"{path}:loss"]) == 0
    told = capsys.readouterr().err
    assert told.startswith(f"micrograd lower: {path}:3: loss keeps what changes from call to call")
    assert told.count("\n") == 1


def test_export(file, capsys):
    assert main(["lower", f"{file}:loss", "--export", "torch"]) == 0
    alone = capsys.readouterr().out
    assert "import torch" in alone
    assert main(["lower", f"{file}:loss", "--export", "torch", "--check", "--explain"]) == 0
    told = capsys.readouterr()
    assert told.out == alone  # what a file is made of
    assert "scalar nodes" in told.err and "scalar engine: " in told.err


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("loss.py", "write loss.py:NAME"),
        (
            "{file}:nothing",
            "its Values and functions are net, loss, branching, bare\n",
        ),
        ("{file}:random", "has module, not a Value or function, as 'random'"),
        ("{file}:bare", "no default for x; write one sample there, such as def bare(x=["),
        ("{file}:net", "sample there, such as def f(x=[0.1, 0.2]): return net(x)"),
        ("{file}:branching", "compared"),
        ("{file}x.py:loss", "there is no such file"),
    ],
)
def test_what_cannot_be_lowered(file, name, said, capsys):
    assert main(["lower", name.format(file=file)]) == 2
    assert said in capsys.readouterr().err


def test_a_file_that_fails_is_named_with_the_line(tmp_path, capsys):
    path = tmp_path / "broken.py"
    path.write_text("x = 1\ny = x / 0\n")
    assert main(["lower", f"{path}:loss"]) == 2
    assert printable(f"{path}:2: ZeroDivisionError") in capsys.readouterr().err


def test_inputs_that_the_function_refuses_to_vary_stay(tmp_path, capsys):
    path = lesson(
        tmp_path,
        "from micrograd.losses import cross_entropy\nfrom micrograd.nn import MLP\n"
        "model = MLP(2, [3])\n"
        "def loss(x=[0.1, 0.2], t=[0.0, 1.0, 0.0]):\n"
        "    return cross_entropy(model(x), t)\n",
    )
    assert main(["lower", f"{path}:loss", "--check"]) == 0
    assert "not varied, since the function refuses other numbers: t" in capsys.readouterr().out


def test_inputs_that_the_function_refuses_to_vary_much_are_told(tmp_path, capsys):
    path = lesson(
        tmp_path, "def loss(x=(0.5, 0.7), y=0.6):\n    return (x[0].log() * x[1] + y.log()).exp()\n"
    )
    assert main(["lower", f"{path}:loss", "--check"]) == 0
    assert "varied by a fifth, since the function refuses more: x, y" in capsys.readouterr().out


def test_nothing_is_compared_unasked(tmp_path, capsys):
    path = lesson(tmp_path, "def loss(x=(0.3, 0.4)):\n    return x[0] * x[1]\n")
    program = lower(lambda x=(0.3, 0.4): x[0] * x[1], (0.3, 0.4))
    for options, shown in (
        ([], program.source),
        (["--after", "arrays"], program.explain("arrays")),
        (["--export", "numpy"], program.export("numpy")),
    ):
        assert main(["lower", f"{path}:loss", *options]) == 0
        assert capsys.readouterr().out == shown + "\n"


def test_outputs_are_compared_too(tmp_path, capsys):
    path = lesson(
        tmp_path,
        "from micrograd import Value\nw = Value(2.0)\n"
        "def both(x=(0.3, 0.4)):\n    return [[w * x[0]], [(x[1] * w).tanh()]]\n",
    )
    assert main(["lower", f"{path}:both", "--check"]) == 0
    assert float(capsys.readouterr().out.rpartition("engine: ")[2].split()[0]) < 1e-12


FAILING = [
    ("w * x[5]", "IndexError: list index out of range"),
    ("w * x[0].slope", "AttributeError: 'Value' object has no attribute 'slope'"),
    ("w * (1 / 0)", "ZeroDivisionError"),
    ("w * {}['a']", "KeyError: 'a'"),
    ("loss(x)", "RecursionError"),
    ("len(5)", "TypeError: object of type 'int' has no len()"),
    ("int('a')", "ValueError: invalid literal"),
    ("__import__('no_such_module')", "ModuleNotFoundError"),
    ("__import__('json').loads('{')", "JSONDecodeError"),
    ("exec('1 / 0')", "ZeroDivisionError: division by zero"),
    ("w * eval('slope')", "NameError: name 'slope' is not defined"),
    ("w * 'a'", "a Value cannot hold 'a' (str)"),
    ("x[1].log()", "log(x) has no finite value at x = -0.4"),
    ("w * x[0].data", "the data of an input is read"),
]


@pytest.mark.parametrize("body, said", FAILING)
def test_what_fails_in_the_function_is_told_with_its_line(body, said, tmp_path, capsys):
    path = lesson(
        tmp_path,
        "from micrograd import Value\nw = Value(2.0)\n"
        f"def loss(x=(0.3, -0.4)):\n    return {body}\n",
    )
    assert main(["lower", f"{path}:loss"]) == 2
    err = capsys.readouterr().err
    at = printable(f"{path}:4: ")
    assert err.count(at) == 1 and f"{at}{said}" in err


@pytest.mark.parametrize("more", ["*, k=3", "*rest", "**options", "*rest, k=3, **options"])
def test_only_what_goes_by_place_is_a_sample(more, tmp_path, capsys):
    path = lesson(
        tmp_path,
        "from micrograd import Value\nw = Value(2.0)\n"
        f"def loss(x=(0.3, -0.4), {more}):\n    return w * x[0]\n",
    )
    assert main(["lower", f"{path}:loss", "--check"]) == 0


def test_masks_cannot_be_compared(tmp_path, capsys):
    path = lesson(
        tmp_path,
        "from micrograd.nn import Dropout\ndrop = Dropout(0.5)\n"
        "def loss(x=[0.1, 0.2]):\n    return sum(drop(x))\n",
    )
    assert main(["lower", f"{path}:loss", "--check"]) == 2
    assert "mask: drawn anew at every call of the function" in capsys.readouterr().err


def test_a_program_that_differs_from_the_engine_fails_the_check(file, capsys, monkeypatch):
    monkeypatch.setattr("micrograd.lowering.compare.compared", lambda *_: 1e-3)
    assert main(["lower", f"{file}:loss", "--check"]) == 1
    assert "largest difference from the scalar engine: 0.001" in capsys.readouterr().out


VALUES = """
from micrograd import Value

x, y = Value(2.0, label="x"), Value(3.0, label="y")
inner = y.log() * x
loss = (inner - 5) ** 2
number = Value(3.0)
number.constant = True


def again():
    return inner * 2
"""


@pytest.mark.parametrize(
    ("asked", "line", "varied"),
    [
        ("{path}:loss", "loss = t2 ** 2", True),
        ("{path}:again", "loss = t1 * x * 2", True),
        ("{path}:x", "loss = x", False),
        ("(x + y) * max(y, z)", "loss = f", False),
    ],
)
def test_values_and_expressions_are_checked_at_other_points(tmp_path, capsys, asked, line, varied):
    path = lesson(tmp_path, VALUES)
    at = [] if "path" in asked else ["--at", "x=1,y=2,z=0"]
    assert main(["lower", asked.format(path=path), *at, "--check"]) == 0
    out = capsys.readouterr().out
    assert f"\n    {line}  " in out and "compared on 5 points of both signs" in out
    assert ("the function refuses more: y" in out) == varied  # log has no negative y
    assert float(out.rpartition("engine: ")[2].split()[0]) < 1e-12


def test_a_wrong_program_of_a_value_is_seen_at_the_other_points(tmp_path, capsys, monkeypatch):
    """At x = 2 both have the same value and slope."""
    from micrograd import lowering

    wrong = {"x": Value(2.0, label="x")}
    wrong["loss"] = wrong["x"] * 4 - 4
    monkeypatch.setattr(lowering, "lower", lambda *_: lower(wrong["loss"]))
    path = lesson(tmp_path, "from micrograd import Value\nloss = Value(2.0, label='x') ** 2\n")
    assert main(["lower", f"{path}:loss", "--check"]) == 1


def test_a_label_loss_is_the_programs_loss(capsys):
    assert main(["lower", "loss = x * y", "--at", "x=1,y=2"]) == 0
    assert "    loss = x * y   " in capsys.readouterr().out
