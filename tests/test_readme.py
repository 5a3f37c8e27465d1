"""What README shows is what happens."""

import re

import pytest

from tests.conftest import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```python\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.strip().splitlines()[0][:40])
def test_python_blocks_run_and_print_what_their_comments_say(block, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    exec(compile(block, "README.md", "exec"), {"__name__": "__main__"})
    printed = capsys.readouterr().out
    expected = [line[2:] for line in block.splitlines() if line.startswith("# ")]
    assert printed.splitlines() == expected or not expected


def test_the_array_program_is_printed_as_it_is_shown(capsys):
    block = next(block for block in BLOCKS if 'program.explain("arrays")' in block)
    names = {"__name__": "__main__"}
    exec(compile(block, "README.md", "exec"), names)
    for text in (capsys.readouterr().out, names["program"].source):
        assert f"```text\n{text.strip()}\n```" in README


@pytest.mark.parametrize("marker", ["train", "tests"])
def test_both_commands_are_marked_for_ci_and_use_a_virtual_environment(marker):
    command = re.search(rf"^<!-- {marker} -->\n```sh\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)
    assert command
    assert command[1].startswith("python3 -m venv .venv")
