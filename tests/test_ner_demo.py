"""The demo of max-margin over a sentence: what it prints is what all paths say."""

import runpy
from pathlib import Path

import pytest

DEMO = Path(__file__).parents[1] / "demos" / "viterbi.py"


def test_the_margin_is_that_of_the_worst_path(capsys, tmp_path):
    names = runpy.run_path(str(DEMO))
    J, rows, A = names["main"](str(tmp_path / "v.svg"))
    (s, cost, tags), *others = names["paths"]()
    true = names["TRUE"]
    assert all(s + cost >= a + b for a, b, _ in others)
    assert pytest.approx(J.data) == s + cost - names["score"](true) and J.data > 0
    for row, best, wanted in zip(rows, tags, true, strict=True):
        expected = [(k == best) - (k == wanted) for k in range(3)]
        assert [value.grad for value in row] == expected
    assert sum(abs(value.grad) for row in A for value in row) > 0
    assert "← the true one" in capsys.readouterr().out and (tmp_path / "v.svg").exists()
