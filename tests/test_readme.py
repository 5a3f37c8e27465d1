"""What the pages show is what happens: every block and command, in order, in a fresh folder."""

import re
from importlib.util import find_spec

import pytest

from tests.conftest import ROOT, WHOLE
from tests.pages import blocks, expected, fresh, quick, shell, shown

READMES = ["README.md", "README.zh.md"]
CHINESE = ["README.zh.md", "demos/README.zh.md"]  # the blocks of the English pages
RUN = ["README.md", "demos/README.md", "demos/notebooks/README.md", "benchmarks/README.md"]
PAGES = [*RUN, *CHINESE]
HEAVY = {
    "benchmarks/curves.py": "minutes",
    "benchmarks/elementwise.py": "minutes; test_native.py does the same on fewer points",
    "benchmarks/engine.py": "fetches a package",
    "benchmarks/gpt.py ": "minutes, but for --small",
    "benchmarks/gradcheck.py": "minutes",
    "benchmarks/lowering.py ": "minutes, but for --small",
    "benchmarks/mutation.py": "minutes",
    "benchmarks/ner.py": "minutes, and reads corpora that are not here",
    "benchmarks/render.py": "minutes",
    "demos/gallery.py": "test_demos_commands.py runs it",
}


def python(block, names, capsys):
    """Run a block as the next of a session; what it says it prints is what it prints."""
    if "import jax" in block.text and not find_spec("jax"):
        return
    capsys.readouterr()
    exec(compile(block.text, "README", "exec"), names)
    printed = capsys.readouterr().out.splitlines()
    assert printed == expected(block) or not expected(block), block.text


def console(block, folder):
    for command, runs in shown(block):
        printed, at = shell(command, folder).stdout, 0
        for run in runs:
            assert run in printed[at:], f"{command} does not print: {run}"
            at = printed.index(run, at)


def heavy(line):
    return "--small" not in line and any(command in line for command in HEAVY)


def run(block, folder, names, capsys):
    if block.language == "python":
        python(block, names, capsys)
    elif block.language == "console":
        console(block, folder)
    elif block.language == "sh":
        done = shell(block.text, folder)
        assert done.returncode == 0 and "Traceback" not in done.stderr, (block, done.stderr)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(fresh(tmp_path))
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


def test_what_is_quick_runs_in_order(folder, capsys):
    names = {"__name__": "__main__"}
    for block in blocks(ROOT / "README.md"):
        if block.language != "sh" or quick(block):
            run(block, folder, names, capsys)
    for name in ("steps.html", "graph.svg", "play.html", "lesson.svg"):
        assert (folder / name).stat().st_size


@WHOLE
@pytest.mark.parametrize("page", RUN)
def test_everything_runs_in_order(page, folder, capsys):
    for library in ("matplotlib", "jax", "jupytext", "pdoc"):
        pytest.importorskip(library, reason=f"{library} is not installed")
    names = {"__name__": "__main__"}
    for block in blocks(ROOT / page):
        lines = [line for line in block.text.splitlines() if not heavy(line)]
        run(block._replace(text="\n".join([*lines, ""])), folder, names, capsys)


def test_a_page_whose_command_fails_is_told_apart(folder, capsys, tmp_path):
    for text in (
        "```sh\nmicrograd step '(x' && true\n```\n",
        "```python\nprint(1)\n# 2\n```\n",
        "```console\n$ micrograd --version\nmicrograd 17\n```\n",
    ):
        (tmp_path / "page.md").write_text(text)
        with pytest.raises(AssertionError):
            run(*blocks(tmp_path / "page.md"), folder, {}, capsys)


@pytest.mark.parametrize("page", READMES)
def test_the_array_program_is_printed_as_it_is_shown(page, capsys):
    text = (ROOT / page).read_text("utf-8")
    block = next(b for b in blocks(ROOT / page) if 'program.explain("arrays")' in b.text)
    names = {"__name__": "__main__"}
    exec(compile(block.text, page, "exec"), names)
    for lines in (capsys.readouterr().out, names["program"].source):
        assert f"```text\n{lines.strip()}\n```" in text


@pytest.mark.parametrize("page", READMES)
@pytest.mark.parametrize("mark", ["train", "tests"])
def test_both_commands_are_marked_for_ci_and_use_a_virtual_environment(page, mark):
    (block,) = [block for block in blocks(ROOT / page) if block.mark == mark]
    assert block.text.startswith("python3 -m venv .venv")
    assert block in blocks(ROOT / "README.md")


@pytest.mark.parametrize("page", CHINESE)
def test_both_pages_hold_the_same_blocks(page):
    assert blocks(ROOT / page) == blocks(ROOT / page.replace(".zh", "")) != []


@pytest.mark.parametrize("page", PAGES)
def test_links_and_pictures_are_there(page):
    text = (ROOT / page).read_text("utf-8")
    targets = re.findall(r"\]\(([^)#:]+)\)|(?:src|srcset)=\"([^\"]+)\"", text)
    assert targets or "benchmarks" in page or "notebooks" in page
    for target in filter(None, map("".join, targets)):
        assert (ROOT / page).parent.joinpath(target).exists(), target


def test_the_animated_pictures_are_what_the_program_draws(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "docs")
    from pictures import FOLDER, worked_example

    for paper, svg in worked_example().items():
        assert (FOLDER / f"worked-example-{paper}.svg").read_text("utf-8") == svg
