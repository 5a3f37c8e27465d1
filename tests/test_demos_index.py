"""The index of the demos has every demo and every row of the lectures, in both languages."""

import re

import pytest

from tests.demo_programs import DEMOS, FILES, NAMES, demo


@pytest.mark.parametrize("page", ["README.md", "README.zh.md"])
def test_the_index_has_every_demo_and_every_row(page):
    text = (DEMOS / page).read_text("utf-8")
    missing = [path.name for path in FILES if path.name not in text]
    assert not missing
    listed = dict(
        re.findall(r"\[(\w+)\.py\]\(\w+\.py\) \|.*\| \d+ \| (.*?) \|$", text, re.MULTILINE)
    )
    assert {*listed} == {*NAMES}
    for name, rows in listed.items():
        first = demo(name).__doc__.split("\n\n")[0]
        assert rows == (re.search(r"\((L[^)]*)\)", first) or [None, ""])[1], name
    assert {int(n) for n in re.findall(r"L(\d+)", " ".join(listed.values()))} == {*range(1, 38)}


def test_both_indices_list_the_same():
    links = [
        re.findall(r"\]\((\w+\.py)\)", (DEMOS / page).read_text("utf-8"))
        for page in ("README.md", "README.zh.md")
    ]
    assert links[0] == links[1] and all((DEMOS / name).exists() for name in links[0])
