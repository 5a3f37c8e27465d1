"""What the first command ends with, in a real browser: the report, and the page of its pair."""

import shutil

import pytest

pytest.importorskip("numpy", reason="numpy is not installed")

from micrograd.cli import main


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tagger")
    assert main(["train", "--epochs", "2", "--out", str(folder)]) == 0
    return folder


@pytest.mark.parametrize("name", ["report", "pair"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_violation(opened, axe, written, name, scheme, tmp_path):
    shutil.copy(written / "pair.svg", tmp_path)  # the report shows it
    shown = opened((written / f"{name}.html").read_text("utf-8"), color_scheme=scheme)
    shown.add_style_tag(content="* { transition: none !important; }")
    shown.evaluate(axe)
    assert shown.evaluate("axe.run().then(result => result.violations.map(v => v.id))") == []


@pytest.mark.parametrize("width, height", [(1280, 720), (1920, 1080)])
def test_the_network_of_the_pair_is_seen_whole(opened, written, width, height):
    shown = opened((written / "pair.html").read_text("utf-8"), width=width, height=height)
    assert shown.locator("#view").input_value() == "network"
    ends = shown.evaluate(
        "['#picture', '#picture circle'].map(name => Math.max(...[...document."
        "querySelectorAll(name)].map(part => part.getBoundingClientRect().bottom)))"
    )
    assert ends[1] <= ends[0]
    assert "Museums" in shown.locator("#tokens").inner_text()
