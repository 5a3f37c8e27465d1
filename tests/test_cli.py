import os
import shlex
import subprocess
import sys

import pytest

import micrograd
from micrograd.cli import main
from micrograd.printing import printable
from micrograd.stepper.document import play_page
from tests.conftest import ROOT


def test_help_lists_the_commands(capsys):
    assert main(["--help"]) == 0
    assert "COMMAND" in capsys.readouterr().out


@pytest.mark.parametrize("command", ["draw", "step", "lower", "train", "tag", "evaluate"])
def test_every_help_ends_with_examples(command, capsys):
    assert main([command, "--help"]) == 0
    examples = capsys.readouterr().out.split("\nexamples:\n")[1].splitlines()
    assert examples and all(f"micrograd {command}" in line for line in examples)
    assert main(["play", "--help"]) == 0 and "examples" not in capsys.readouterr().out


def test_version(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"micrograd-graph {micrograd.__version__}\n"


@pytest.mark.parametrize(
    ("expression", "value"),
    [("-x*y", -6), ("-x", -2), ("-(x+y)", -5), ("-2*x", -4), ("-1", -1), ("-h*y", -12)],
)
def test_an_expression_may_begin_with_a_minus(expression, value, capsys):
    at = ",".join(f"{n}={k}" for n, k in {"x": 2, "y": 3, "h": 4}.items() if n in expression)
    assert main(["step", expression, "--at", at]) == 0
    assert f"{value}\n".replace("-", "−") in capsys.readouterr().out
    assert main(["draw", "--at", at, expression]) == 0
    assert main(["draw", "--at", at, "--", expression]) == 0


def test_an_option_before_an_expression_is_one(tmp_path, capsys):
    assert main(["draw", "-h"]) == 0 and "usage: micrograd draw" in capsys.readouterr().out
    assert main(["draw", f"-o{tmp_path}/x.svg", "x", "--at", "x=1"]) == 0
    assert (tmp_path / "x.svg").exists()


@pytest.mark.parametrize(
    ("command", "name"),
    [
        ("play", "play.html"),
        ("step", "play.html"),
        ("play -o a.htm", "a.htm"),
        ("step -o b.html", "b.html"),
        ("step -o C.HTML", "C.HTML"),
    ],
)
def test_the_playground_is_written(tmp_path, monkeypatch, capsys, command, name):
    monkeypatch.chdir(tmp_path)
    assert main(command.split()) == 0
    assert capsys.readouterr().err == f"wrote {name}\n"
    assert (tmp_path / name).read_text("utf-8") == play_page()


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (KeyboardInterrupt(), 130, ""),
        (BrokenPipeError(), 0, ""),
        (MemoryError(), 2, "play: there is not enough memory; choose smaller sizes"),
        (ValueError(), 2, "play: ValueError"),
        (ImportError("there is no b"), 2, "play: there is no b"),
        (OSError(5, "Bad", "a.svg"), 2, "play: a.svg: bad"),
        (RuntimeError("c"), 70, "play: a fault of micrograd itself, RuntimeError in tests/test_"),
    ],
)
def test_whatever_a_command_raises_is_told_in_one_line(monkeypatch, capsys, error, code, said):
    def write(path):
        raise error

    monkeypatch.setattr("micrograd.cli.step.write_playground", write)
    assert main(["play"]) == code
    told = capsys.readouterr().err
    assert told.count("\n") == bool(said) and told.startswith(f"micrograd {said}" * bool(said))
    assert code != 70 or told.endswith(": c; please report it with the command\n")


def run(command, streams):
    """Run a command under a shell that closes or fills streams; give its code and its texts."""
    shell = f"{shlex.join([sys.executable, '-m', 'micrograd', *shlex.split(command)])} {streams}"
    ran = subprocess.run(["sh", "-c", shell], capture_output=True, encoding="utf-8", timeout=120)
    return ran.returncode, ran.stdout, ran.stderr


SMALL = "--epochs 1 --hidden 2 --dim 2 --features none --corrupt 1"
STEP, DRAW = "step tanh(x)*y --at x=1,y=2", "draw x*y --at x=1,y=2"


def test_a_folder_that_is_gone(tmp_path):
    gone = tmp_path / "gone"
    gone.mkdir()
    command = shlex.join([sys.executable, "-m", "micrograd", *DRAW.split()])
    shell = f"cd gone && rmdir ../gone && {command}"
    where = {**os.environ, "PYTHONPATH": str(ROOT)}
    ran = subprocess.run(
        ["sh", "-c", shell], cwd=tmp_path, capture_output=True, text=True, env=where
    )
    assert (ran.returncode, ran.stdout) == (2, "")
    assert "the folder that it was started in is gone" in ran.stderr.splitlines()[-1]


@pytest.mark.parametrize(
    ("name", "given"),
    [(name, "train --epochs 1") for name in ("rich", "numpy", "copy")]
    + [("html", "draw own.py:f -o f.svg")],
)
def test_a_file_that_hides_a_module(tmp_path, name, given):
    file = tmp_path / f"{name}.py"
    file.write_text("mine = 1\n")
    (tmp_path / "own.py").write_text(
        f"import {name}\nfrom micrograd import Value\nf = Value(1.0)\n"
    )
    command = [sys.executable, "-m", "micrograd", *given.split()]
    where = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONSAFEPATH": ""}
    ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, env=where)
    assert ran.returncode == 2
    assert printable(f"{file} hides the module {name}; give the file another name") in ran.stderr


@pytest.mark.parametrize(
    ("command", "streams", "code", "error"),
    [
        (STEP, "<&-", 0, ""),
        (STEP, ">&-", 2, "standard output is closed"),
        (STEP, ">/dev/full", 2, "standard output: no space left"),
        (STEP, "2>&-", 0, ""),
        (DRAW, "<&-", 0, ""),
        (DRAW, ">&-", 2, "standard output is closed"),
        (DRAW, ">/dev/full", 2, "standard output: no space left"),
        (DRAW + " -o {}", ">&-", 0, "wrote"),
        (DRAW + " -o {}", ">/dev/full", 0, "wrote"),
        (DRAW + " -o {}", "2>&-", 0, ""),
        (DRAW + " -o {}", "2>/dev/full", 0, ""),
        (DRAW + " -o {}", "<&- >&- 2>&-", 0, ""),
        ("draw x*", "2>&-", 2, ""),
        ("draw x*", "2>/dev/full", 2, ""),
        ("--help", ">&-", 2, "standard output is closed"),
        ("--help", ">/dev/full", 2, "standard output: no space left"),
        ("--version", ">/dev/full", 2, "standard output: no space left"),
    ],
)
def test_streams_that_are_closed_or_full(tmp_path, command, streams, code, error):
    path = tmp_path / "out.svg"
    got, _, errors = run(command.format(shlex.quote(str(path))), streams)
    assert (got, errors.count("\n")) == (code, bool(error)) and error in errors
    assert "{}" not in command or path.read_text("utf-8").endswith("</svg>\n")


STREAMS = (">&-", ">/dev/full", "| head -c 1", "2>/dev/full", "2>&1 | head -c 1")


@pytest.mark.parametrize("streams", STREAMS)
def test_training_outlives_its_report(tmp_path, streams):
    command = f"train --out {shlex.quote(str(tmp_path))} {SMALL}"
    run(command, streams)
    assert (tmp_path / "model.npz").exists() and (tmp_path / "pair.html").exists()


def test_few_characters_stop_no_output(monkeypatch):
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    code, out, _ = run("step tanh(x)*x --at x=1", "")
    assert code == 0 and "df/dx = " in out and out.isascii()
    code, out, _ = run("step tanh(x)*x --at x=1 --language zh", "")
    assert code == 0 and "\\u" in out and "df/dx = " in out


@pytest.mark.parametrize(("reads", "shows"), [(True, True), (True, False), (False, True)])
def test_keys_are_asked_for_only_between_two_terminals(monkeypatch, capsys, reads, shows):
    asked = []
    monkeypatch.setattr("sys.stdin.isatty", lambda: reads, raising=False)
    monkeypatch.setattr("sys.stdout.isatty", lambda: shows, raising=False)
    keys = "micrograd.stepper.terminal.Walkthrough.interact_by_keys"
    monkeypatch.setattr(keys, lambda self: asked.append(self))
    assert main(["step", "x * x", "--at", "x=1"]) == 0
    assert bool(asked) == (reads and shows) != ("5/5" in capsys.readouterr().out)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_terminal_that_does_not_know_its_width(tmp_path, monkeypatch, language):
    told = []
    for columns in ("", "0"):
        monkeypatch.setenv("COLUMNS", columns)
        told.append(run(f"train --out {shlex.quote(str(tmp_path))} {SMALL}", "2>/dev/null"))
        told[-1] += run(f"step tanh(x)*x --at x=1 --language {language}", "")
    assert told[0] == told[1] and told[0][0] == told[0][3] == 0


def test_few_characters_are_enough_for_a_table(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    command = f"train --out {shlex.quote(str(tmp_path))} {SMALL}"
    code, out, _ = run(command, "")
    assert code == 0 and "+-----" in out and "\\u25" not in out


def test_a_label_never_reaches_the_terminal_raw(tmp_path, capsys):
    path = tmp_path / "red.py"
    path.write_text(
        "from micrograd import Value\nx = Value(2.0, label='\\x1b[31mred\\x9b')\n"
        "y = x * x\nprint('said by the file')\n"
    )
    assert main(["step", f"{path}:y"]) == 0
    out, err = capsys.readouterr()
    assert "\x1b" not in out and "\x9b" not in out and "red" in out
    assert "said" not in out and err == "said by the file\n"


def test_a_file_of_a_user_leaves_the_command_as_it_was(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["micrograd", "step", "own.py:y"])
    (tmp_path / "own.py").write_text(
        "import os, sys\nfrom micrograd import Value\nassert len(sys.argv) == 1\n"
        "sys.argv = ['x']\nos.chdir('/')\ny = Value(2.0) * 3\n"
    )
    assert main(["draw", "own.py:y", "-o", "y.svg"]) == 0
    assert (tmp_path / "y.svg").exists() and len(sys.argv) == 3
    assert capsys.readouterr().err == "wrote y.svg\n"


def test_an_unknown_command_exits_with_2(capsys):
    assert main(["fly"]) == 2
    assert "fly" in capsys.readouterr().err


def test_the_package_runs_as_a_module():
    command = [sys.executable, "-m", "micrograd", "--help"]
    run = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert run.stdout.startswith("usage: micrograd")


def test_a_reader_that_has_seen_enough_is_no_error():
    command = [sys.executable, "-m", "micrograd", "step", "x * y", "--at", "x=1,y=2"]
    run = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    run.stdout.close()
    assert (run.stderr.read(), run.wait(60)) == ("", 0)
    run.stderr.close()


@pytest.mark.parametrize(("given", "taken"), [({}, "1"), ({"OMP_NUM_THREADS": "3"}, "3")])
def test_the_command_takes_one_thread_unless_told_otherwise(given, taken):
    code = (
        "import os, sys; sys.argv = ['micrograd', '--version']; from micrograd.cli import main;"
        "main(); print(os.environ['OMP_NUM_THREADS'])"
    )
    where = {k: v for k, v in os.environ.items() if k != "OMP_NUM_THREADS"} | given
    where["PYTHONPATH"] = str(ROOT)
    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=where, check=True
    )
    assert ran.stdout.split()[-1] == taken


@pytest.mark.parametrize("name", ["graphviz", "numpy", "rich"])
def test_a_library_that_is_missing_is_told_with_how_to_get_it(monkeypatch, capsys, name):
    def run(options):
        raise ModuleNotFoundError(f"No module named {name!r}", name=name)

    monkeypatch.setattr("micrograd.cli.play.run", run)
    assert main(["play"]) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"micrograd play: No module named {name!r}; pip install {name}")
