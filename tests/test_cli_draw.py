"""`micrograd draw`, as it is called."""

import re
import shutil

import pytest

from micrograd.cli import main
from micrograd.printing import printable
from micrograd.render import render
from tests.pictures import worked_example

EXAMPLE = ["draw", "(x + y) * max(y, z)", "--at", "x=1,y=2,z=0"]


def test_an_expression_to_standard_output(capsys):
    assert main(EXAMPLE) == 0
    assert capsys.readouterr().out == render(worked_example()).svg


@pytest.mark.parametrize("ending", ["svg", "dot", "html"])
def test_an_expression_to_a_file(tmp_path, capsys, ending):
    path = tmp_path / f"out.{ending}"
    assert main([*EXAMPLE, "-o", str(path)]) == 0
    assert path.stat().st_size > 1000
    assert capsys.readouterr().err == printable(f"wrote {path}\n")


def test_options_reach_the_picture(tmp_path, capsys):
    source = tmp_path / "model.py"
    source.write_text(
        "import random\nfrom micrograd.nn import MLP\nrandom.seed(1)\n"
        "score = MLP(3, [4, 1], fused=True)([1.0, 2.0, 3.0])\n"
    )
    value = f"{source}:score"
    assert main(["draw", value, "--level", "layer", "--unfold", "layer 0", "--mode", "fprop"]) == 0
    svg = capsys.readouterr().out
    assert svg.count('data-fold="layer 0 / neuron') == 4 and "grad</text>" not in svg
    assert main(["draw", value, "--level", "full"]) == 0
    folded = capsys.readouterr().out
    assert main(["draw", value, "--level", "full", "--unfold-sums"]) == 0
    unfolded = capsys.readouterr().out
    assert len(re.findall("data-node", unfolded)) > len(re.findall("data-node", folded))


OPTIONS = [
    ["--mode", "fprop"],
    ["--mode", "both"],
    ["--level", "full"],
    ["--level", "neuron"],
    ["--level", "network"],
    ["--unfold", "layer 0"],
    ["--unfold-sums"],
    *([["--layout", "dot"]] if shutil.which("dot") else []),  # else it says so
]


@pytest.mark.parametrize(
    ("format", "ending", "said"),
    [
        ("png", "svg", "--format png is not what the ending of x.svg says"),
        ("svg", "htm", "--format svg is not what the ending of x.htm says"),
        ("dot", "mmd", "--format dot is not what the ending"),
        ("svg", "SVG", ""),
        ("animated-svg", "svg", ""),
        ("tikz", "tex", ""),
        ("dot", "gv", ""),
    ],
)
def test_a_format_that_the_ending_contradicts(format, ending, said, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    code = main(["draw", "x", "--at", "x=1", "-o", f"x.{ending}", "--format", format])
    assert said in capsys.readouterr().err and code == (2 if said else 0)
    assert (tmp_path / f"x.{ending}").exists() != bool(said)


def test_a_page_too_large_to_step_through_is_a_picture_and_takes_its_options(
    tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr("micrograd.render.notebook.MOST_STEPPED", 2)
    arguments = ["draw", "x * y + x", "--at", "x=1,y=2", "-o", str(tmp_path / "x.html")]
    assert main([*arguments, "--mode", "fprop"]) == 0
    monkeypatch.setattr("micrograd.render.notebook.MOST_STEPPED", 200)
    assert main([*arguments, "--mode", "fprop"]) == 2
    assert "--mode has no effect here: a page steps" in capsys.readouterr().err


@pytest.mark.parametrize("format", ["svg", "html", "dot", "tikz", "mermaid", "tex", "animated-svg"])
@pytest.mark.parametrize("base", [[], ["--level", "network"], ["--layout", "dot"]])
def test_every_option_changes_the_picture_or_is_refused(format, base, tmp_path, capsys):
    source = tmp_path / "model.py"
    source.write_text(
        "import random\nfrom micrograd.nn import MLP\nrandom.seed(1)\n"
        "score = MLP(2, [3, 3, 1], fused=True)([1.0, 2.0])\n"
    )

    def drawn(*options):
        code = main(["draw", f"{source}:score", "--format", format, *base, *options])
        out, error = capsys.readouterr()
        assert code == (2 if error.startswith("micrograd draw:") else 0), error
        return error if code else out

    plain = drawn()
    for option in OPTIONS:
        if option[0] not in base:
            told = drawn(*option)
            assert told != plain or "micrograd draw:" in plain, option


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([*EXAMPLE, "-o", "out.bmp"], "cannot draw 'out.bmp': the ending must be one of .svg"),
        ([*EXAMPLE, "-o", "/nowhere/out.svg"], "/nowhere"),
        (["draw", "x + y", "--at", "x=1"], "y has no value"),
        (["draw", "x +", "--at", "x=1"], "cannot read 'x +'"),
        (["draw", "x", "--at", "x"], "'x' is not name=number"),
        (["draw", "nowhere.py:loss"], "nowhere.py"),
        (["draw", "log(x)", "--at", "x=0"], "needs x > 0"),
    ],
)
def test_mistakes_are_one_line(arguments, message, capsys):
    code = main(arguments)
    error = capsys.readouterr().err
    assert code == 2 and error.count("\n") == 1 and message in error
    assert error.startswith("micrograd draw: ")
