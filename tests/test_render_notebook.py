"""Notebooks: an image and a table that need no trust, the step-through where scripts run."""

import base64
import re
import sys
import types
from html.parser import HTMLParser

import pytest

import micrograd.render.notebook as notebook
import micrograd.render.picture as picture
from micrograd import Value
from micrograd.render import render
from tests.pictures import bad_graph, worked_example


class Reader(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.tags, self.attributes, self.texts = [], {}, []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes.setdefault(tag, dict(attrs))

    def handle_data(self, data):
        self.texts.append(data)


@pytest.fixture
def no_stepper(monkeypatch):
    monkeypatch.setitem(sys.modules, "micrograd.stepper", None)


@pytest.fixture
def stepper(monkeypatch):
    page = "<!doctype html><script>let stepped = 1</script>"
    module = types.SimpleNamespace(page=lambda _: page)
    monkeypatch.setitem(sys.modules, "micrograd.stepper", module)


@pytest.mark.usefixtures("no_stepper")
def test_what_is_shown_without_trust_is_image_and_table():
    f = worked_example()
    bundle = picture.mimebundle(f)
    assert bundle["text/plain"] == repr(f)
    read = Reader(bundle["text/html"])
    assert not {"script", "iframe", "svg"} & set(read.tags)
    kind, data = read.attributes["img"]["src"].split(",")
    assert kind == "data:image/svg+xml;base64"
    assert base64.b64decode(data).decode() == render(f).svg
    assert read.attributes["img"]["alt"] == "Computation graph of f, backward pass: 6 Values"
    assert read.tags.count("tr") == 7
    cells = [text for text in read.texts if text.strip()]
    assert cells[-4:] == ["f", "a · b", "6", "1"]


@pytest.mark.usefixtures("stepper")
def test_a_script_puts_the_step_through_in_the_image_s_place():
    html = picture.mimebundle(worked_example())["text/html"]
    assert html.count("<script>") == 1 and html.count("</script>") == 1
    id = re.search('<figure id="([^"]+)"', html)[1]
    assert f'getElementById("{id}")' in html
    assert "\\u003cscript>let stepped" in html


@pytest.mark.usefixtures("stepper")
def test_large_graphs_are_not_stepped(monkeypatch):
    monkeypatch.setattr(notebook, "MOST_STEPPED", 5)
    assert "<script" not in picture.mimebundle(worked_example())["text/html"]


def test_very_large_graphs_and_cycles_are_shown_as_text(monkeypatch):
    monkeypatch.setattr(picture, "MOST_VALUES", 5)
    assert set(picture.mimebundle(worked_example())) == {"text/plain"}
    a = Value(1.0)
    b = a + 1
    a._prev = (b,)
    assert picture.mimebundle(b) == {"text/plain": repr(b)}


@pytest.mark.usefixtures("no_stepper")
def test_a_picture_shows_itself():
    picture = render(worked_example(), "fprop")
    bundle = picture._repr_mimebundle_()
    assert bundle["text/plain"] == "Picture(6 Values, 6 boxes, 6 edges, fprop)"
    assert "forward pass" in bundle["text/html"]


@pytest.mark.usefixtures("no_stepper")
def test_a_page_holds_picture_and_table():
    page = render(worked_example(), "both").html()
    read = Reader(page)
    assert page.startswith("<!doctype html>") and read.tags.count("svg") == 1
    assert "both passes" in page and "script" not in read.tags
    assert "http" not in page.replace("http://www.w3.org/2000/svg", "")


@pytest.mark.usefixtures("stepper")
def test_the_page_is_the_step_through_where_there_is_one():
    assert render(worked_example()).html().startswith("<!doctype html><script>")


@pytest.mark.usefixtures("no_stepper")
def test_labels_are_text():
    picture = render(bad_graph(), level="full")
    for html in (notebook.figure(picture), picture.html()):
        read = Reader(html)
        assert read.tags.count("img") <= 1 and "script" not in read.tags
        assert "<script>alert(1)</scr…" in read.texts
