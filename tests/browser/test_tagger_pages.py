"""What the first command ends with, in a real browser: the page of its pair, seen whole."""

import pytest

from tests.browser.conftest import DRAWN

pytest.importorskip("numpy", reason="numpy is not installed")


def test_the_network_of_the_pair_and_its_names_are_seen_whole(opened, tagger):
    shown = opened((tagger / "pair.html").read_text("utf-8"), width=1280, height=720)
    assert shown.locator("#view").input_value() == "network"
    assert "Museums" in shown.locator("#tokens").inner_text()
    names = shown.locator("#picture .name").all_text_contents()
    assert "word museums" in names and not [name for name in names if "…" in name]
    for size in ({"width": 1280, "height": 720}, {"width": 1920, "height": 1080}):
        shown.set_viewport_size(size)
        shown.wait_for_function(DRAWN)
        ends = shown.evaluate(
            "['#picture', '#picture circle'].map(name => Math.max(...[...document."
            "querySelectorAll(name)].map(part => part.getBoundingClientRect().bottom)))"
        )
        assert ends[1] <= ends[0]
