"""Every command that the demos and the pages about them print runs, from a fresh folder."""

import os
import shlex
import subprocess
import sys

import pytest

from tests.conftest import ROOT, WHOLE
from tests.demo_programs import DEMOS, FILES, commands, demo

PAGES = [DEMOS / "README.md", DEMOS / "README.zh.md"]
LINES = sorted(
    {line for path in FILES for line in commands(demo(path.stem).__doc__ or "")}
    | {line for page in PAGES if page.exists() for line in commands(page.read_text("utf-8"))}
)


def run(line, folder):
    """Run a command line in a folder that holds the demos and nothing else."""
    (folder / "demos").symlink_to(DEMOS, target_is_directory=True)
    program, *arguments = shlex.split(line)
    start = [sys.executable] if program == "python" else [sys.executable, "-m", "micrograd"]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    return subprocess.run(
        [*start, *arguments],
        cwd=folder,
        env=environment,
        text=True,
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
