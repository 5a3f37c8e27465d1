"""The sentences above a page's picture: tokens, escaped, and no name that is a number of a node."""

import re

import numpy as np
import pytest

from micrograd import Value
from micrograd.ner.model.config import Config
from micrograd.ner.model.losses import pair_graph
from micrograd.ner.model.network import forward
from micrograd.stepper import page
from micrograd.stepper.tokens import Sentence, tokens


def test_every_word_is_a_token_and_the_middle_one_stands_out():
    line = tokens([Sentence("true", "s", ["in", "<b>", "now"], 1)])
    assert re.findall(r"<(span|strong)>(.*?)</\1>", line) == [
        ("span", "in"),
        ("strong", "&lt;b&gt;"),
        ("span", "now"),
    ]
    assert tokens([Sentence("true", "s", ["a", "b"], 0), Sentence("corrupt", '"c"', [], 0)]) == (
        '<p class="true"><b>s</b> <strong>a</strong> <span>b</span></p>\n'
        '<p class="corrupt"><b>&quot;c&quot;</b> </p>'
    )
    assert "\x1b" not in tokens([Sentence("true", "s", ["\x1b"], 0)])


def test_a_page_carries_them_only_where_there_are_some():
    root = Value(2.0, label="x").tanh()
    sentence = Sentence("corrupt", "s_c", ["Paris"], 0)
    assert '<div id="tokens"><p class="corrupt">' in page(root, sentences=[sentence])
    assert "tokens" not in page(root, "a title")


@pytest.mark.parametrize(
    "sentences",
    [5, "in Paris", Sentence("true", "s", ["Paris"], 0), [("true", "s", ["Paris"], 0)], {"s": 1}]
    + [[Sentence("true", "s", words, 0)] for words in ("Paris", 5, [5], None)],
)
def test_what_is_no_list_of_sentences_is_told(sentences):
    with pytest.raises(TypeError, match=r"^the sentences of a page are a list of Sentence\("):
        page(Value(2.0, label="x").tanh(), sentences=sentences)


def test_the_nodes_of_a_pair_have_names():
    config = Config("margin", width=1, dim=2, features=(), hidden=3)
    W, b, u = np.ones((3, 2)).tolist(), [0.0] * 3, [1.0] * 3
    parameters = {"W": [[*map(Value, row)] for row in W], "b": [*map(Value, b)]}
    parameters["u"] = [*map(Value, u)]
    scores = [forward(config, [*map(Value, x)], parameters).s for x in ([1.0, 2.0], [0.5, 1.0])]
    seen, waiting = set(), [pair_graph(scores, (), 1.0)]
    waiting[0].label = "J"
    while waiting:
        node = waiting.pop()
        waiting += node.parents
        seen |= {node.label} if node.parents else set()
    assert seen == {
        "J",
        "Δ + s_c − s",
        "s_c − s",
        "s",
        "s_c",
        *["z0", "z1", "z2", "h0", "h1", "h2"],
    }
