"""What a page carries: the parts that it needs and no others, and the policy that lets them run."""

import base64
import gzip
import hashlib
import html
import re

import pytest
from pygments.lexers.css import CssLexer
from pygments.lexers.javascript import JavascriptLexer
from pygments.token import Comment

from micrograd import Value
from micrograd.expressions import parse
from micrograd.graph import snapshot
from micrograd.lowering import lower
from micrograd.ops import ROWS
from micrograd.stepper import Stop, Walk, page, training_page
from micrograd.stepper.document import (
    SCRIPTS,
    STYLES,
    _asset,
    _minified,
    _tight,
    assembled,
    notebook_page,
    play_page,
)
from micrograd.stepper.examples import EXAMPLES
from micrograd.stepper.tokens import Sentence
from tests.stepper_graphs import batch, node, worked_example
from tests.test_stepper_page import data_of, wired
from tests.test_stepper_training import POINTS, TARGETS, recorded, squared

MARKS = {  # of each part in frame, style and script
    "program": ('id="source"', "#lines{", "class Program{"),
    "network": ("class NetworkPicture",),
    "tokens": ('<div id="tokens">', "#tokens{"),
    "training": (
        'id="plane"',
        "#training{",
        "class Columns{",
        "class Plane{",
        "function beginTraining(",
    ),
    "field": (
        'id="field"',
        "class Parser{",
        "class Reader{",
        "const readable",
        "function wirePlayground(",
    ),
}
ALWAYS = (
    'id="picture"',
    "#picture{",
    "class Picture{",
    "class Teller{",
    "function swept(",
    "'use strict'",
)


def unfolded(text):
    """Return a page with its script as it runs; its policy lets that run, and node reads it."""
    code = re.search(r'id="code">(.*?)</script>', text, re.DOTALL)[1]
    script = gzip.decompress(base64.b64decode(code)).decode() if code else ""
    own = [script] * bool(code) + re.findall("<script>(.*?)</script>", text, re.DOTALL)
    policy = html.unescape(re.search('Content-Security-Policy" content="(.*?)"', text)[1])
    known = dict(part.split(maxsplit=1) for part in policy.split(";"))
    assert known.keys() == {"default-src", "script-src", "style-src"}
    assert known["default-src"] == "'none'"
    assert {*map(digest, own)} <= {*known["script-src"].split()}
    assert known["style-src"] == digest(re.search("<style>(.*?)</style>", text, re.DOTALL)[1])
    assert node("new Function(INPUT); answer(1)", data=own[0]) == 1
    return text + script


def digest(text):
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def texts(text):
    """Return what stands between the tags, but for styles, scripts and remarks."""
    text = re.sub(r"<(style|script)\b.*?</\1>|<!--.*?-->", "", text, flags=re.DOTALL)
    return {found.strip() for found in re.findall(">([^<]+)", text)} - {""}


def named():
    root = worked_example()
    return page(root, walk=Walk({"en": "w"}, [Stop({"en": "all"}, root)]))


def with_program():
    program = lower(worked_example())
    return page(program.root, program=program)


def sentences():
    return page(batch(), sentences=[Sentence("true", "s", ["Paris"], 0)])


PAGES = {
    "an expression": (lambda: page(worked_example()), {"field"}),
    "the playground": (play_page, {"field"}),
    "another seed": (lambda: page(worked_example(), seed=2.0), set()),
    "a walk": (named, set()),
    "a program": (with_program, {"program"}),
    "no expression": (lambda: page(batch()), set()),
    "sentences": (sentences, {"tokens"}),
    "a network": (lambda: page(wired(20)), {"network"}),
    "a training": (
        lambda: training_page(recorded(), POINTS, TARGETS, squared),
        {"training", "network"},
    ),
    "a notebook": (lambda: notebook_page(snapshot(worked_example())), set()),
    "a network in a notebook": (lambda: notebook_page(snapshot(wired(20))), {"network"}),
    "a number alone": (lambda: page(Value(2.0)), {"field"}),
    "a single Value": (lambda: page(Value(2.0, label="x")), {"field"}),
}


@pytest.mark.parametrize("kind", PAGES)
def test_a_page_carries_the_parts_that_it_needs(kind):
    make, wanted = PAGES[kind]
    text = make()
    whole = unfolded(text)
    for part, marks in MARKS.items():
        assert [mark in whole for mark in marks] == [part in wanted] * len(marks), part
    assert all(mark in whole for mark in ALWAYS)
    data, title = data_of(text), html.unescape(re.search("<title>(.*?)</title>", text)[1])
    assert ("playground" in data) == ("field" in wanted) == ("bad.syntax" in data["words"]["en"])
    assert ("program" in data) == ("program" in wanted) == ("line" in data["words"]["zh"])
    assert whole.count("told:{") == ("field" in wanted) * len(ROWS)
    assert not re.search(r"@[A-Z]+@", text)
    told = texts(text) - texts(_asset("page.html"))
    assert told <= {html.escape(title)} if kind not in ("a program", "sentences") else len(told) > 1


def test_a_page_knows_its_title_and_a_notebooks_none():
    root = worked_example()
    assert data_of(page(root, "T"))["title"] == {"en": "T"}
    assert data_of(page(root, {"zh": "图", "en": "T"}))["title"] == {"zh": "图", "en": "T"}
    told, whole = data_of(notebook_page(snapshot(root))), data_of(page(root, seed=1))
    assert "title" not in told and all(told[name] == whole[name] for name in {*told} - {"words"})


def test_the_field_holds_the_graph_and_examples_that_can_be_read():
    asked = data_of(page(parse("(x * y) + 1", {"y": 3.0, "x": 2.5})))["playground"]
    assert (asked["text"], asked["at"]) == ("(x * y) + 1", [["y", 3], ["x", 2.5]])
    first, *_ = asked["examples"]
    told = data_of(play_page())
    assert told["playground"]["text"] == first["text"] == EXAMPLES[0][1]
    assert told["playground"]["at"] == first["at"]
    assert len(asked["examples"]) == len(EXAMPLES)
    for example in asked["examples"]:
        assert example["name"].keys() == {"en", "zh"}
        assert parse(example["text"], dict(example["at"])).data == pytest.approx(
            parse(*next(rest for _, *rest in EXAMPLES if rest[0] == example["text"])).data
        )


def words_of(lexer, text):
    """Return what a language reads in a text: all but remarks, and room that means nothing."""
    found = lexer.get_tokens(text)
    return [word for kind, word in found if kind not in Comment and word.strip()]


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_says_the_same_without_its_room_and_remarks(name):
    text = _asset(name)
    short = _tight(_minified(text))
    assert words_of(JavascriptLexer(), short) == words_of(JavascriptLexer(), text)
    assert len(short) < len(text) and not re.search(r"^\s|^//|\n\n", short, flags=re.MULTILINE)


def test_a_style_says_the_same_without_its_room():
    text = "".join(map(_asset, STYLES))
    whole = assembled({}, "{}", "t", {"LINES": "", "TOKENS": ""}, {*MARKS})
    style = re.search("<style>(.*?)</style>", whole, re.DOTALL)[1]
    assert words_of(CssLexer(), style) == words_of(CssLexer(), text)
