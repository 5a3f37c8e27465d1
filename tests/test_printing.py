"""What is printed: counts with the right noun."""

import pytest

from micrograd import Value
from micrograd.ner.text import conll
from micrograd.optim import SGD
from micrograd.printing import counted
from micrograd.render import render
from micrograd.training.history import History


@pytest.mark.parametrize(
    ("number", "noun", "text"),
    [(0, "epoch", "0 epochs"), (1, "epoch", "1 epoch"), (2000, "box", "2,000 boxes")],
)
def test_a_count_has_its_noun(number, noun, text):
    assert counted(number, noun) == text


def test_one_of_a_kind_is_said_so():
    assert repr(History([{"epoch": 1, "loss": 2.0}])).startswith("History(1 epoch; ")
    assert repr(SGD([Value(1.0)])).startswith("SGD(1 parameter, 0 steps done")
    assert "1 sentence, 1 token, 1 document," in conll.parse("Oslo B-LOC").describe()
    picture = render(Value(1.0))
    assert "1 Value, 1 box, 0 edges" in repr(picture) and ": 1 Value<" in picture.svg
