"""The table that the benchmarks write into both pages."""

import sys

import pytest

from tests.conftest import ROOT


@pytest.fixture
def table(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    import table

    yield table
    sys.modules.pop("table")


RESULTS = {
    "moons": {"compiled": 2.345678e-5, "lowered": 1.2e-3, "NumPy by hand": 1.1e-5, "eager": 2.0},
    "chain": {"compiled": 1e-3, "lowered": 0.5, "its C alone": 1e-9},
}


def test_a_row_for_each_workload_the_fastest_bold(table):
    lines = table.markdown(RESULTS, "README.md", 7, "A processor").splitlines()
    assert lines[0] == "| a step of | as C | as NumPy | NumPy by hand | the engine |"
    assert lines[2] == "| moons | 23.5 µs | 1.2 ms | **11 µs** | 2 s |"
    assert lines[3] == "| chain | **1 ms** | 500 ms |  |  |"
    assert "medians of 7 turns" in lines[-1] and lines[-1].endswith("A processor.")


@pytest.mark.parametrize("page", ["README.md", "README.zh.md"])
def test_a_page_has_one_place_for_it(table, page):
    text = (ROOT / page).read_text("utf-8")
    new = table.updated(text, table.markdown(RESULTS, page, 7, "here"))
    assert new.count("23.5 µs") == 1 and table.updated(new, "") == table.updated(text, "")
    first, last = table.MARKS
    assert new.partition(first)[0] == text.partition(first)[0]
    assert new.partition(last)[2] == text.partition(last)[2]


def test_a_page_without_a_place(table):
    with pytest.raises(ValueError, match="no <!-- benchmarks -->"):
        table.updated("# page", "")


def test_both_pages_have_the_same_table(table):
    first, last = table.MARKS
    shown = []
    for page in table.PAGES:
        text = (ROOT / page).read_text("utf-8").partition(first)[2].partition(last)[0]
        shown.append([line.split("|")[2:] for line in text.splitlines() if line.startswith("|")])
    assert shown[0] == shown[1]
