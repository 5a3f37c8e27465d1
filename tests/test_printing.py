"""What is printed: counts with the right noun, lines that fit."""

import random
import textwrap

import numpy as np
import pytest

from micrograd import (
    Value,
    dot,
    losses,
    metrics,
    nn,
    preprocessing,
    printing,
    schedules,
    weighted_sum,
)
from micrograd.ner.text import conll
from micrograd.optim import SGD
from micrograd.printing import counted, folded, width
from micrograd.render import render
from micrograd.training.history import History


@pytest.mark.parametrize(
    ("number", "noun", "text"),
    [
        (0, "epoch", "0 epochs"),
        (1, "epoch", "1 epoch"),
        (2000, "box", "2,000 boxes"),
        (0, "class", "0 classes"),
    ],
)
def test_a_count_has_its_noun(number, noun, text):
    assert counted(number, noun) == text


@pytest.mark.parametrize("alphabet", ["ab  -", "神经 ab ", "e\u0301g  "])
def test_lines_are_folded_at_the_width_of_the_terminal(alphabet):
    rng = random.Random(1)
    for _ in range(300):
        columns = rng.randrange(4, 60)
        line = "".join(rng.choices(alphabet, k=rng.randrange(120))).strip()
        told = folded(line, columns)
        assert "".join(told.split()) == "".join(line.split())
        assert all(width(x) <= columns or " " not in x.strip() for x in told.split("\n"))
        if alphabet[0] == "a" and max(map(len, line.split()), default=0) + 9 < columns:
            assert told == textwrap.fill(line, columns, break_on_hyphens=False)


def test_punctuation_stays_with_its_words():
    assert folded("得分（相同），“是”。", 6) == "得分\n（相\n同），\n“是”。"
    assert folded("see backward()，“grad” too", 11) == "see\nbackward()，\n“grad” too"
    assert folded("  a bc def 得分。", 6, "    ") == "  a bc\n    def\n    得\n    分。"


def test_one_of_a_kind_is_said_so():
    assert repr(History([{"epoch": 1, "loss": 2.0}])).startswith("History(1 epoch; ")
    assert repr(SGD([Value(1.0)])).startswith("SGD(1 parameter, 0 steps done")
    assert "1 sentence, 1 token, 1 document," in conll.parse("Oslo B-LOC").describe()
    picture = render(Value(1.0))
    assert "1 Value, 1 box, 0 edges" in repr(picture) and ": 1 Value<" in picture.svg


ONE_SHORT = [
    lambda: weighted_sum([1.0], [1.0, 2.0]),
    lambda: weighted_sum([1.0, 2.0], [1.0]),
    lambda: dot([1.0, 2.0], [1.0]),
    lambda: losses.mse([1.0], [1.0, 2.0]),
    lambda: losses.mse([1.0, 2.0], [1.0]),
    lambda: losses.cross_entropy([1.0], 3),
    lambda: losses.cross_entropy([1.0], [0.5, 0.5]),
    lambda: losses.cross_entropy([1.0, 2.0], [1.0]),
    lambda: nn.MLP(1, [2])([1.0, 2.0]),
    lambda: nn.MLP(2, [2, 1], activation=["tanh"]),
    lambda: nn.MLP(2, [1], activation=["tanh", "tanh"]),
    lambda: nn.one_hot(3, 1),
    lambda: nn.Embedding(1, 0),
    lambda: nn.Embedding(0, 1),
    lambda: metrics.average_precision([1.0], [True, False]),
    lambda: metrics.average_precision([1.0, 2.0], [True]),
    lambda: preprocessing.MeanSubtraction().fit([[1.0], [2.0]]).apply([[1.0, 2.0]]),
    lambda: schedules.one_cycle(0.1, 1),
]


@pytest.mark.parametrize("call", ONE_SHORT)
def test_an_error_counts_one_of_a_kind_as_one(call):
    with pytest.raises(ValueError, match=r"^(?!.*\b1 (?!class\b)[a-z]+s\b)"):
        call()


def test_a_terminal_that_does_not_know_its_size_has_80_columns(monkeypatch):
    """Python 3.10 takes its 0 for an answer."""
    monkeypatch.setattr(printing, "get_terminal_size", lambda: (0, 0))
    assert printing.terminal_size() == (80, 24)


def test_an_array_in_a_message_is_one_line():
    assert printing.shorten(np.zeros((2, 2))) == "array([[0., 0.], [0., 0.]])"
    assert printing.shorten("a\n  b") == r"'a\n  b'"
    with pytest.raises(TypeError) as told:
        Value(np.ones((30, 30)))
    assert "\n" not in str(told.value) and "array([[1., 1., 1.," in str(told.value)
