"""Every command that the demos and the pages about them print runs, from a fresh folder."""

import argparse
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import stage

from tests.conftest import ROOT, WHOLE
from tests.demo_programs import DEMOS, FILES, commands, demo, measured, printed

PAGES = [DEMOS / "README.md", DEMOS / "README.zh.md"]
LINES = sorted(
    {line for path in FILES for line in commands(demo(path.stem).__doc__ or "")}
    | {line for page in PAGES if page.exists() for line in commands(page.read_text("utf-8"))}
)


# What is refused before the work is done, and how.
REFUSED = {
    "layer.py nowhere/layer.svg": "there is no folder nowhere; make it first",
    "layer.py layer.doc": "does not end in .svg or .png or .pdf",
    "neuron.py .svg": "'.svg' does not end in .svg",
    "error_sharing.py demos": "'demos' does not end in .html",
    f"neuron.py {'n' * 300}.svg": "the name is too long; choose a shorter one",
    f"layer.py {'n' * 300}.svg": "the name is too long; choose a shorter one",
    f"watch.py xor {'n' * 300}.html": "the name is too long; choose a shorter one",
    "gallery.py ''": "'' names no folder; . is this one",
    "exercises.py new ''": "'' names no folder; . is this one",
    "layer.py demos/stage.py/layer.svg": "a part of this path is a file, not a folder",
    "gpt.py --steps 0": "'0' is not a whole number from 1 to 100,000",
    "gpt.py --steps 1_0": "'1_0' is not a whole number from 1 to 100,000",
    f"gpt.py --steps {'9' * 5000}": "99' is not a whole number from 1 to 100,000",
    "gpt.py --block 65": "'65' is not a whole number from 1 to 64",
    "gpt.py --layers 9": "'9' is not a whole number from 1 to 8",
    "gpt.py --layers -1": "'-1' is not a whole number from 1 to 8",
    "watch.py xor xor.html --seed 1_0": "'1_0' is not a whole number",
    "gpt.py --heads 3": "argument --heads: invalid choice",
    "gpt.py --backend fast": "choose from",
    "watch.py xor xor.svg": "does not end in .html",
    "moons.py nowhere/moons.svg": "there is no folder nowhere",
    "gallery.py demos/stage.py": "this is a file; name a folder",
    "exercises.py new demos/stage.py/answers": "a part of this path is a file",
}


def run(line, folder, **variables):
    """Run a command line in a folder that holds the demos and nothing else."""
    (folder / "demos").symlink_to(DEMOS, target_is_directory=True)
    program, *arguments = shlex.split(line)
    start = [sys.executable] if program == "python" else [sys.executable, "-m", "micrograd"]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"} | variables
    return subprocess.run(
        [*start, *arguments],
        cwd=folder,
        env=environment,
        text=True,
        errors="replace",
        capture_output=True,
        timeout=600,
    )


def test_every_demo_says_how_it_is_run():
    for path in FILES:
        assert any(f"demos/{path.name}" in line for line in commands(demo(path.stem).__doc__))


@WHOLE
@pytest.mark.parametrize("line", LINES)
def test_a_command_runs(line, tmp_path):
    pytest.importorskip("matplotlib", reason="figures need matplotlib")
    done = run(line, tmp_path)
    refused = "exercises.py check" in line  # there are no answers in a fresh folder
    assert done.returncode == int(refused) and "Traceback" not in done.stderr, done.stderr
    named = [word for word in shlex.split(line) if word.endswith((".svg", ".html", ".png"))]
    assert all((tmp_path / name).stat().st_size for name in named)
    assert "NOT IN THIS RUN" not in done.stdout


def test_a_command_that_fails_is_told_apart(tmp_path):
    assert run("python demos/layer.py --language fr", tmp_path).returncode != 0


@pytest.mark.parametrize("line", REFUSED)
def test_what_cannot_be_is_refused_at_once(line, tmp_path):
    done = run(f"python demos/{line}", tmp_path)
    assert done.returncode != 0 and "Traceback" not in done.stderr
    assert REFUSED[line] in done.stderr + done.stdout
    assert done.stdout.count("\n") <= 1


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="there is no /proc to fail in")
@pytest.mark.parametrize("line", ["layer.py /proc/x.svg", "neuron.py /proc/x.svg"])
def test_a_place_where_nothing_can_be_written_is_refused_at_once(line, tmp_path):
    done = run(f"python demos/{line}", tmp_path)
    assert done.returncode == 2 and not done.stdout
    assert done.stderr.splitlines()[-1].endswith("/proc/x.svg: there is no such file")


@pytest.mark.skipif(os.name == "nt", reason="there is no limit on the size of a file")
def test_a_figure_that_cannot_be_written_ends_in_one_line(tmp_path):
    # It writes down the fonts it finds at its first use on a machine, here, where it can.
    pytest.importorskip("matplotlib.font_manager", reason="figures need matplotlib")
    script = f"ulimit -f 0; {shlex.quote(sys.executable)} {shlex.quote(str(DEMOS))}/layer.py x.svg"
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        ["sh", "-c", script], cwd=tmp_path, env=environment, text=True, capture_output=True
    )
    assert done.returncode == 1 and done.stderr.startswith("x.svg: "), done.stderr
    assert done.stderr.count("\n") == 1 and not os.listdir(tmp_path)


@pytest.mark.skipif(os.name == "nt", reason="a folder in use cannot be removed there")
def test_a_demo_in_a_folder_that_is_gone(tmp_path):
    for line, told in (("neuron.py", ""), ("neuron.py x.svg", "started in is gone; change to")):
        script = f"cd {shlex.quote(str(tmp_path))} && mkdir gone && cd gone && rmdir ../gone && "
        script += f"{shlex.quote(sys.executable)} {shlex.quote(str(DEMOS))}/{line}"
        environment = os.environ | {"PYTHONPATH": str(ROOT)}
        done = subprocess.run(["sh", "-c", script], env=environment, text=True, capture_output=True)
        assert told in done.stderr and "Traceback" not in done.stderr
        assert bool(told) == bool(done.returncode) == (not done.stdout)


def test_who_reads_no_further_is_told_nothing(tmp_path):
    script = f"{shlex.quote(sys.executable)} -u {DEMOS / 'schedules.py'} | head -1"
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        ["sh", "-c", script], cwd=tmp_path, env=environment, text=True, capture_output=True
    )
    assert done.stdout.startswith("after step") and not done.stderr


def test_few_steps_and_the_shortest_block_of_a_gpt(tmp_path):
    pytest.importorskip("matplotlib", reason="figures need matplotlib")
    line = "python demos/gpt.py gpt.svg --block 1 --steps 1 --backend numpy"
    done = run(line, tmp_path)
    assert done.returncode == 0 and (tmp_path / "gpt.html").exists(), done.stderr
    assert "\nEvery loss of the engine's is the program's" in done.stdout


def test_a_figure_without_matplotlib_is_refused_at_once(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(argparse.ArgumentTypeError, match="figures need matplotlib: pip install"):
        demo("stage").figure_file("layer.svg")


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("characters", ["ascii", "cp1252"])
def test_a_demo_is_shown_where_there_are_few_characters(characters, language, tmp_path):
    line = f"python demos/neuron.py --language {language}"
    done = run(line, tmp_path, PYTHONIOENCODING=characters)
    assert done.returncode == 0 and "exp(-z)" in done.stdout


@pytest.mark.parametrize("columns", [20, 40])
@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("name", ["neuron", "gate", "two_users", "viterbi"])
def test_prose_is_folded_for_a_narrow_terminal(name, language, columns, monkeypatch, capsys):
    written = printed(name, measured(name), language, capsys)
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setattr(stage, "_chosen", ["en"])  # which perform() changes
    stage.perform(demo(name), language=language)
    shown = capsys.readouterr().out
    assert "".join(written.split()) == "".join(shown.split())
    folded = {*shown.splitlines()} - {*written.splitlines()}
    assert folded and max(map(stage.width, folded)) <= columns


def test_the_steps_of_the_worked_example_are_told_in_the_language_chosen(capsys):
    r = measured("worked_example")
    told = printed("worked_example", r, "zh", capsys)
    assert not re.search("[A-Za-z]{5}", told) and "反向传播：f → a" in told
    assert "Backward pass: f → a" in printed("worked_example", r, "en", capsys)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_help_is_folded_and_keeps_commands_whole(path, monkeypatch):
    about = demo(path.stem).__doc__
    assert stage.fold(about) == about  # where it is no terminal
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    folded = stage.fold(about)
    assert commands(folded) == commands(about) and folded.split() == about.split()
    assert all(stage.width(x) <= 40 for x in folded.splitlines() if not x.startswith("    "))


def test_the_gallery_needs_no_docstrings(tmp_path, monkeypatch):
    monkeypatch.setattr(demo("gate"), "__doc__", None)  # as under python -OO
    html = demo("gallery").performed("gate", tmp_path, "en")
    assert "<h2 id=gate>gate</h2>" in html
    assert '<div class="graph" tabindex="0"><img src="gate.svg"' in html  # scrolls, at its size


def test_the_page_beside_a_figure_is_named_and_linked(tmp_path, monkeypatch):
    pytest.importorskip("matplotlib", reason="figures need matplotlib")
    gpt = demo("gpt")
    measure = gpt.measure
    monkeypatch.setattr(gpt, "measure", lambda: measure(block=4, steps=5))
    html = demo("gallery").performed("gpt", tmp_path, "en")
    assert '<img src="gpt.svg"' in html and '<a href="gpt.html">' in html and "wrote" not in html
    assert {path.name for path in tmp_path.iterdir()} == {"gpt.svg", "gpt.html"}
    assert stage.written(gpt, "a/b.svg") == ["a/b.svg", str(Path("a/b.html"))]
    assert stage.written(demo("gate"), "gate.svg") == ["gate.svg"]


@pytest.mark.parametrize("terminal", [True, False])
def test_a_terminal_is_told_that_a_demo_is_at_work(terminal, monkeypatch, capsys):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: terminal)
    with stage.waiting():
        before = capsys.readouterr()
    after = capsys.readouterr()
    assert before.err == ("computing ..." if terminal else "")
    assert after.err == ("\r" + " " * 13 + "\r" if terminal else "")
    assert before.out == after.out == ""


def test_what_is_timed_has_one_thread(tmp_path):
    """NumPy reads their number when it is imported, which is after it was set."""
    script = (
        "import os, sys; sys.modules['numpy'] = None\n"
        "try: import vectorised\n"
        "except ImportError: print(os.environ['OMP_NUM_THREADS'])"
    )
    environment = {k: v for k, v in os.environ.items() if not k.endswith("_THREADS")}
    environment["PYTHONPATH"] = os.pathsep.join([str(ROOT), str(DEMOS)])
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=tmp_path,
        env=environment,
        text=True,
        capture_output=True,
    )
    assert done.stdout == "1\n", done.stderr
